"""Ctrl-C while a command is still loading its modules: an end without a traceback."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.checkout import copy_of_checkout, start, trim
from tests.fault_kit import ANALYSE, REPORT, TRAIN, all_gone

pytestmark = [pytest.mark.pipeline, pytest.mark.soak]

COMMANDS = {
    "training": TRAIN,
    "the analysis": ANALYSE,
    "the report": REPORT,
    "the benchmark": ("-m", "experiments.training.benchmark", "--networks", "LeNet"),
    "an experiment": ("main.py", "--model", "LeNet", "--profile", "smoke"),
}
#: Seconds after the command has begun; the last is when its server loads torch.
MOMENTS = [*(0.03 * step for step in range(14)), 0.8]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    made = copy_of_checkout(tmp_path_factory.mktemp("early") / "checkout")
    trim(made)
    return made


def python_is_up(process):
    """Whether the interpreter has begun with the command's own code.

    Python ignores SIGPIPE and catches SIGINT as it starts; the command's first line gives SIGINT
    back to the system. What Python says of a Ctrl-C before that is not the project's to change.
    """
    status = Path(f"/proc/{process.pid}/status").read_text()
    masks = dict(line.split(":\t") for line in status.splitlines() if line.startswith("Sig"))
    ignored, caught = (int(masks[name], 16) for name in ("SigIgn", "SigCgt"))
    bit = {each: 1 << (each - 1) for each in (signal.SIGPIPE, signal.SIGINT)}
    # in the background of a shell SIGINT is ignored from the start, until that first line
    given_back = not (caught | ignored) & bit[signal.SIGINT]
    return bool(ignored & bit[signal.SIGPIPE]) and given_back


@pytest.mark.parametrize("command", COMMANDS)
def test_ctrl_c_at_the_start_is_quiet(checkout, command):
    for moment in MOMENTS:
        process = start(checkout, *COMMANDS[command])
        deadline = time.monotonic() + 10
        up = 0
        while up < 2 and process.poll() is None and time.monotonic() < deadline:
            up = up + 1 if python_is_up(process) else 0
            time.sleep(0.001)
        assert up == 2, "SIGINT still makes a KeyboardInterrupt"
        time.sleep(moment)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode in (-signal.SIGINT, 128 + signal.SIGINT), (moment, out, err)
        assert "Traceback" not in err, (moment, err)
        assert len(err.splitlines()) <= 1 or "stopped: " in err.splitlines()[-1], err
        assert all_gone(process, 30)  # the server may have to finish loading torch
