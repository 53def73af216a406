"""How processes end: on Ctrl-C and SIGTERM within seconds, and never later than their parent."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(BaseException):
    """A person or the system asked for an end; ``status`` is 128 + the signal.

    No ``Exception``, as ``KeyboardInterrupt`` is none: nothing may take it for an error.
    """

    def __init__(self, signum: int) -> None:
        self.status = 128 + signum


#: What was raised, from then until ``stoppable`` ends.
_asked: Stopped | None = None


@contextmanager
def stoppable() -> Iterator[None]:
    """SIGINT and SIGTERM raise ``Stopped`` here, once; what is lost on the way, ``heed`` finds."""
    global _asked  # noqa: PLW0603 - signals are a process's own

    def stop(signum: int, _: FrameType | None) -> None:
        global _asked  # noqa: PLW0603 - likewise
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        _asked = Stopped(signum)
        raise _asked

    before = {each: signal.signal(each, stop) for each in _SIGNALS}
    try:
        yield
    finally:
        _asked = None
        for each, handler in before.items():
            signal.signal(each, handler)


def heed() -> None:
    """Raise ``Stopped`` again if a library took it for an error of its own, as a bare ``except:``
    does. To be called before a thing is kept: what was made since then may lack a part."""
    if _asked is not None:
        raise _asked


def start_server() -> None:
    """Have multiprocessing's server run, which forks the other processes, out of Ctrl-C's reach: it
    and they never see it, their parent decides."""
    resource_tracker.ensure_running()  # by the server otherwise, and SIGINT is let through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent() -> None:
    """To be called in a child process: it ends when its parent does, even by kill -9, and at once
    when its parent asks; Ctrl-C is the parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
