"""How processes end: on Ctrl-C and SIGTERM within seconds, and never later than their parent."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(BaseException):
    """A person or the system asked for an end; ``status`` is 128 + the signal.

    No ``Exception``, as ``KeyboardInterrupt`` is none: nothing may take it for an error.
    """

    def __init__(self, signum: int) -> None:
        self.status = 128 + signum


#: What was asked for, from then until ``stoppable`` ends.
_asked: Stopped | None = None

#: Seconds between two looks whether the modules that were loading are there.
_LOOK_AGAIN = 0.02


@contextmanager
def stoppable() -> Iterator[None]:
    """SIGINT and SIGTERM raise ``Stopped`` here, once, and nothing else comes out after it.

    While a module is loading the exception waits: C++ that runs then, as of torch, may end the
    process for it with a core dump. Where Python itself drops it, as in a callback, it is raised
    again. What a library swallows, ``heed`` finds, here at the end at the latest.
    """
    global _asked  # noqa: PLW0603 - signals are a process's own

    def stop(signum: int, frame: FrameType | None) -> None:
        global _asked  # noqa: PLW0603 - likewise
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        _asked = Stopped(signum)
        raise_when_loaded(signal.SIGALRM, frame)

    def raise_when_loaded(_: int, frame: FrameType | None) -> None:
        if _is_loading(frame):
            signal.setitimer(signal.ITIMER_REAL, _LOOK_AGAIN)
        else:
            heed()

    def dropped(unraisable: UnraisableHookArgs) -> None:
        if isinstance(unraisable.exc_value, Stopped):
            signal.setitimer(signal.ITIMER_REAL, _LOOK_AGAIN)
        else:
            hook_before(unraisable)

    handlers = {**dict.fromkeys(_SIGNALS, stop), signal.SIGALRM: raise_when_loaded}
    before = {each: signal.signal(each, handler) for each, handler in handlers.items()}
    hook_before, sys.unraisablehook = sys.unraisablehook, dropped
    try:
        yield
        heed()
    except Exception:
        heed()  # rather than what it broke: code that was tidying up, say
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        _asked = None
        sys.unraisablehook = hook_before
        for each, handler in before.items():
            signal.signal(each, handler)


def _is_loading(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


def heed() -> None:
    """Raise ``Stopped`` again if a library took it for an error of its own, as a bare ``except:``
    does. To be called before a thing is kept: what was made since then may lack a part."""
    if _asked is not None:
        signal.setitimer(signal.ITIMER_REAL, 0)
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
