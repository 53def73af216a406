"""What the project withstands, by faults that really happen to its commands: kill -9, signals, two
commands at once, no memory. The short form of ``make soak``."""

import random
import re
import shutil
import signal
import time

import pytest

from tests.checkout import results, start
from tests.fault_kit import (
    ANALYSE,
    REPORT,
    TRAIN,
    all_gone,
    faults,
    faulty,
    meet,
    struck,
)

pytestmark = pytest.mark.pipeline


def test_kill_9_while_training_loses_nothing(training):
    training.strike(next(faults(random.Random(5), TRAIN)))
    training.complete()


@pytest.mark.soak
def test_a_child_killed_by_the_system_is_named_and_the_others_go_on(training):
    training.reset()
    fault = {"at": "experiments.training.loop:train", "match": "SEResNet18", "do": signal.SIGKILL}
    done, hit = meet(training.checkout, TRAIN, fault)
    assert hit
    assert done.returncode == 1
    assert "SEResNet18.s0 failed: killed by the system (out of memory?)" in done.stderr
    training.check()
    assert training.finished.keys() == {"LeNet.s0.json", "DenseNet.s0.json"}


STEP = "experiments.training.probes.gradient_norms:GradientProbe.after_backward"


@pytest.mark.soak
@pytest.mark.parametrize(
    ("command", "place", "number"),
    [
        (TRAIN, STEP, signal.SIGINT),
        (TRAIN, STEP, signal.SIGTERM),
        (TRAIN, "experiments.datasets.download:download", signal.SIGTERM),
        (ANALYSE, "analysis.render:draw", signal.SIGINT),
        (REPORT, "report.documents.pdf:write", signal.SIGINT),
    ],
)
def test_a_signal_ends_a_command_within_seconds(training, building, command, place, number):
    """The call where the signal comes hangs, as slow work would."""
    held = training if command is TRAIN else building[command]
    held.reset()
    data = held.checkout / "data" / "MNIST"
    kept = data.rename(data.with_name("kept")) if "download" in place else data
    whom = "group" if number == signal.SIGINT else "main"  # as a terminal does, as kill does
    fault = {"at": place, "do": int(number), "whom": whom, "hang": 30}
    before = struck(held.checkout)
    process = start(held.checkout, *command, env=faulty(held.checkout, fault))
    deadline = time.monotonic() + 120
    while struck(held.checkout) == before and time.monotonic() < deadline:
        time.sleep(0.02)
    began = time.monotonic()
    _, err = process.communicate(timeout=60)
    assert time.monotonic() - began < 20  # of the 30 that the call hangs; killed after 3
    assert "Traceback" not in err
    if command is TRAIN:  # ends its runs, and says what is safe
        assert process.returncode == 128 + number, err
        assert err.splitlines()[-1].startswith("stopped: "), err
    else:
        assert (process.returncode, err) == (-number, "")
    assert all_gone(process)
    held.check()
    if kept != data:
        shutil.rmtree(data, ignore_errors=True)
        kept.rename(data)
    held.complete()


@pytest.mark.soak
def test_trainings_at_once_do_no_work_twice_and_name_each_other(training):
    training.reset()
    one = ("main.py", "--model", "LeNet", "--profile", "smoke")
    commands = [TRAIN, TRAIN, one]
    env = faulty(training.checkout)
    processes = [start(training.checkout, *command, env=env) for command in commands]
    logs = [process.communicate(timeout=300)[1] for process in processes]
    assert [process.returncode for process in processes[:2]] == [0, 0], logs
    together = "\n".join(logs)
    assert together.count("test accuracy") == 3, together
    assert re.search(r"process \d+ is training profile smoke: waiting for it", together)
    assert {path.name for path in results(training.checkout).glob("*.json")} == set(
        training.expected
    )
    training.check()


@pytest.mark.soak
@pytest.mark.parametrize("command", [ANALYSE, REPORT], ids=["analysis", "report"])
def test_two_builds_at_once_into_one_folder(building, command):
    held = building[command]
    held.reset()
    env = faulty(held.checkout)
    pair = [start(held.checkout, *command, env=env) for _ in range(2)]
    ended = [process.communicate(timeout=300) for process in pair]
    assert [process.returncode for process in pair] == [0, 0], ended
    held.check()
    assert held.is_done()
