"""Signals in training: the supervisor ends its runs and prints which are finished.

Every other command keeps the default action of SIGINT (``models.cli.run``): files are written
atomically, so an interruption leaves no damage.
"""

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
    """SIGINT or SIGTERM arrived; ``status`` is 128 + the signal's number."""

    def __init__(self, signum: int) -> None:
        self.status = 128 + signum


@contextmanager
def stoppable() -> Iterator[None]:
    """In this block SIGINT and SIGTERM raise ``Stopped``, once; later ones are ignored."""

    def stop(signum: int, _: FrameType | None) -> None:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped(signum)

    before = {each: signal.signal(each, stop) for each in _SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def start_server() -> None:
    """Start the server process of multiprocessing's forkserver with SIGINT blocked: Ctrl-C reaches
    every process of a terminal, but only the supervisor may act on it."""
    resource_tracker.ensure_running()  # started by the server, it would unblock SIGINT
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent() -> None:
    """Make this child process ignore SIGINT, and end on SIGTERM or when its parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
