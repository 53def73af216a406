"""Ctrl-C and SIGTERM at moments when an exception would be lost or end the process hard."""

import importlib
import os
import signal
import sys
import time
from contextlib import suppress

import pytest

from experiments.stopping import Stopped, heed, stoppable

LONGEST = 10.0


def wait_for_it():
    """What a command does after its modules have loaded; a signal that waits comes out here."""
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        time.sleep(0.001)


@pytest.fixture
def load(tmp_path, monkeypatch):
    """``load(signum)`` imports a module that gets a signal while it loads."""
    monkeypatch.syspath_prepend(tmp_path)

    def load(signum, seconds=0.0):
        (tmp_path / "loading.py").write_text(
            f"import os, time\nos.kill(os.getpid(), {int(signum)})\ntime.sleep({seconds})\n"
        )
        importlib.import_module("loading")

    yield load
    del sys.modules["loading"]


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_until_the_module_that_is_loading_has_loaded(signum, load):
    """Raised within ``import torch``, the exception may meet C++ that ends the process for it."""
    handlers = [signal.getsignal(each) for each in (signum, signal.SIGALRM)]
    with pytest.raises(Stopped) as stopped, stoppable():
        load(signum, seconds=0.1)
        wait_for_it()
    assert "loading" in sys.modules  # one that fails to load is taken out
    assert stopped.value.status == 128 + signum
    assert handlers == [signal.getsignal(each) for each in (signum, signal.SIGALRM)]


def test_a_signal_that_waits_is_heeded_and_then_comes_no_second_time(load):
    with pytest.raises(Stopped), stoppable():
        load(signal.SIGINT)
        try:
            heed()
        finally:  # as a command tidies up
            time.sleep(0.1)


def test_what_a_library_swallows_is_heeded():
    with pytest.raises(Stopped), stoppable():
        with suppress(BaseException):
            os.kill(os.getpid(), signal.SIGINT)
            wait_for_it()
        heed()


def test_a_signal_at_the_very_end_comes_out_and_leaves_no_alarm(load):
    with pytest.raises(Stopped), stoppable():
        load(signal.SIGINT)
    time.sleep(0.1)  # an alarm left over would end this process


class Dropping:
    """Python drops what is raised while an object goes."""

    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        wait_for_it()


def test_what_python_drops_is_raised_again_without_a_word(capfd):
    hook = sys.unraisablehook
    with pytest.raises(Stopped), stoppable():
        Dropping()
        wait_for_it()
    assert capfd.readouterr().err == ""
    assert sys.unraisablehook is hook


def test_an_error_of_what_was_interrupted_is_not_reported():
    with pytest.raises(Stopped), stoppable():
        try:
            os.kill(os.getpid(), signal.SIGINT)
            wait_for_it()
        finally:
            raise RuntimeError("it was half done")
