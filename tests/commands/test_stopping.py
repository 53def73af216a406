"""How commands end: signals, closed pipes, poor encodings."""

import os
import signal
import time

import pytest

from experiments.support.signals import Stopped, stoppable
from tests.checkout import ROOT, run, start


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_block_once_and_the_handlers_are_restored(signum):
    before = signal.getsignal(signum)
    with pytest.raises(Stopped) as stopped, stoppable():
        try:
            os.kill(os.getpid(), signum)
            time.sleep(10)
        finally:
            os.kill(os.getpid(), signum)  # ignored: the block is ending
            time.sleep(0.05)
    assert stopped.value.status == 128 + signum
    assert signal.getsignal(signum) == before


def test_ctrl_c_ends_a_command_without_a_traceback():
    process = start(
        ROOT,
        "-c",
        "from models.cli import run; import time; "
        "run(lambda: print('up', flush=True) or time.sleep(60))",
    )
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=10)[1] == ""
    assert process.returncode == -signal.SIGINT


def test_every_command_starts_and_ends_by_the_same_function():
    found = [
        path
        for folder in ("models", "experiments", "analysis", "report", "main.py")
        for path in [*(ROOT / folder).rglob("*.py"), ROOT / folder]
        if path.suffix == ".py" and '__name__ == "__main__"' in path.read_text()
    ]
    found.remove(ROOT / "experiments/support/make_variables.py")  # which make asks, without .venv
    assert len(found) > 8
    assert [path for path in found if "    run(main)\n" not in path.read_text()] == []


def test_a_reader_that_closes_early_ends_a_command_quietly():
    for arguments in (("experiments", "schema"), ("models",)):
        process = start(ROOT, "-m", *arguments)
        process.stdout.close()
        assert process.stderr.read() == ""
        process.wait(timeout=60)
        assert process.returncode in (1, 128 + signal.SIGPIPE)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("models",), "LeNet"),
        (("models", "LeNet"), "Conv2d"),
        (("experiments", "status", "--profile", "quick"), "profile quick: "),
    ],
)
def test_an_encoding_without_the_characters_is_no_error(arguments, said):
    done = run(ROOT, "-m", *arguments, env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert said in done.stdout
