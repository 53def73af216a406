"""``python scarce.py KIND PLACE LOG COMMAND...``: run a command while the folder PLACE is full,
read-only or denied, and again once it is not.

LOG gets {first,second}.{out,err,status} and a copy of PLACE. ``full`` and ``read-only`` are a
small file system of its own where the kernel lets one mount it (run under ``unshare -rm``); else
a limit on the size of files, and missing permission.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

#: Room left on a full file system, in bytes: enough for a lock file, for no record.
ROOM = 8192


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def small_file_system(place, kept):
    """Put a file system of its own over a folder, with the same content."""
    shutil.copytree(place, kept, symlinks=True)
    mount("-t", "tmpfs", "-o", "size=256m", "none", str(place))
    shutil.copytree(kept, place, dirs_exist_ok=True, symlinks=True)


def fill(place):
    """Leave no more than ``ROOM``."""
    with (place / "filler").open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 65536):
                pass
        except OSError:
            file.truncate(max(0, file.tell() - ROOM))


def writable(place, yes):
    for path in (place, *place.rglob("*")):
        if path.is_dir():
            path.chmod(0o755 if yes else 0o555)


def main():
    kind, place, log, *command = sys.argv[1:]
    place, log = Path(place), Path(log)
    mounts = kind in ("full", "read-only") and os.environ.get("MOUNTS") == "1"
    limits = kind == "full" and not mounts
    if mounts:
        small_file_system(place, log / "kept")
    for time in ("first", "second"):
        first = time == "first"
        if mounts and kind == "full":
            fill(place) if first else (place / "filler").unlink()
        elif mounts:
            mount("-o", "remount,ro" if first else "remount,rw", str(place))
        elif not limits:
            writable(place, not first)
        prefix = []
        if first and not mounts and not limits and os.geteuid() == 0:
            # permission binds root only without these
            prefix = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner"]

        def limit(first=first):
            if limits and first:
                resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, resource.RLIM_INFINITY))

        with (log / f"{time}.out").open("wb") as out, (log / f"{time}.err").open("wb") as err:
            done = subprocess.run(
                [*prefix, *command], stdout=out, stderr=err, check=False, preexec_fn=limit
            )
        (log / f"{time}.status").write_text(json.dumps(done.returncode))
    shutil.copytree(place, log / "place", symlinks=True)


if __name__ == "__main__":
    main()
