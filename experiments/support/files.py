"""Atomic writes and an exclusive lock."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

#: Suffix of temporary files.
_PARTIAL = ".partial"


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader finds either the whole old content or the whole new one.

    Raises:
        OSError: the file cannot be written; the error names ``path``.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=_PARTIAL, dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(handle)
            temporary.chmod(0o644)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from None


def sweep(folder: Path) -> None:
    """Remove temporary files older than an hour, which killed processes left in a folder."""
    for partial in folder.rglob(f".*{_PARTIAL}"):
        with suppress(OSError):
            if partial.stat().st_mtime < time.time() - 3600:
                partial.unlink()


@contextmanager
def exclusive(path: Path, on_wait: Callable[[str], None]) -> Iterator[None]:
    """Hold an exclusive lock on the file ``path``; the system releases it if the process dies.

    Temporary files that killed processes left in the lock's folder are removed.

    Args:
        path: the lock file; its folder is created.
        on_wait: called with the holder's process id before a wait.

    Raises:
        OSError: the file cannot be created.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    holder = path.with_name(f"{path.name}.pid")
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        name = "unknown"
        with suppress(OSError):
            name = holder.read_text() or name
        on_wait(name)
        lock.acquire()
    try:
        with suppress(OSError):  # on a full disk the holder stays unnamed
            holder.write_text(str(os.getpid()))
            for partial in path.parent.glob(f".*{_PARTIAL}"):
                partial.unlink(missing_ok=True)
        yield
    finally:
        with suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()
