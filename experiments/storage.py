"""Files that survive kills, full disks and company: whole or not there, one writer at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: How the name of a half-written file ends. Its writer holds a lock on it.
_PARTIAL = ".partial"

_ADVICE = {
    errno.ENOSPC: "free some space there",
    errno.EDQUOT: "free some space of your quota",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
    errno.EROFS: "make it writable",
    errno.EACCES: "allow yourself to read and write there",
    errno.EPERM: "allow yourself to read and write there",
    errno.ENOTDIR: "remove the file that stands where a folder should",
    errno.EISDIR: "remove the folder that stands where a file should",
    errno.EMFILE: "raise the limit on open files (ulimit -n)",
}


def explain(error: OSError) -> str:
    """One line for a person: the file or folder, what is wrong with it, and what to do."""
    reason = error.strerror or str(error) or type(error).__name__
    advice = _ADVICE.get(error.errno or 0, "see to it")
    return f"{error.filename or 'a file'}: {reason}; {advice} and give the same command again."


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replace ``path`` by ``content`` in one step, surviving a kill or a full disk half-way.

    What writers that were killed left half-written in the folder is removed.

    Raises:
        OSError: it cannot be written; the error names ``path``.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent)
        while not _write(path, data):
            pass
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from None


def _write(path: Path, data: bytes) -> bool:
    """One try; False if a sweep took the file before it was locked."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=_PARTIAL, dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            with suppress(OSError):  # a file system without locks is never swept
                fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(handle).st_nlink == 0:
                return False
            file.write(data)
            file.flush()
            os.fsync(handle)
            temporary.chmod(0o644)
            temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return True


def sweep(folder: Path) -> None:
    """Remove the half-written files of writers that are no more: nobody holds their locks."""
    for path in folder.glob(f".*{_PARTIAL}"):
        with suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)


@contextmanager
def exclusive(path: Path, on_wait: Callable[[str], None]) -> Iterator[bool]:
    """Hold the lock file ``path``: a second process waits, and is told for whom.

    The lock goes with the process, however that ends.

    Args:
        path: the lock file; its folder is made.
        on_wait: called with the holder's process id before a wait.

    Yields:
        Whether there was a wait.

    Raises:
        OSError: the file cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as lock:
        waited = False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waited = True
            lock.seek(0)
            on_wait(lock.read().strip() or "unknown")
            fcntl.flock(lock, fcntl.LOCK_EX)
        with suppress(OSError):  # on a full disk the holder stays unnamed
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
        try:
            yield waited
        finally:
            with suppress(OSError):
                lock.truncate(0)
