"""What the project withstands, by faults that really happen to its commands: kill -9, signals, two
commands at once, no memory. The short form of ``make soak``."""

import random
import re
import signal
import time

import pytest

from tests.checkout import edit, results, start
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


MOMENTS = {
    "training": ("experiments.training.probes.gradient_norms:GradientProbe.after_backward", TRAIN),
    "downloading": ("experiments.datasets.download:download", TRAIN),
    "drawing": ("analysis.render:draw", ANALYSE),
    "printing": ("report.documents.pdf:write", REPORT),
}


def stop(command, moment, whom, number, checkout, tmp_path):
    """Send a signal at a moment; the command hangs there, as slow work would."""
    fault = {"at": moment, "do": number, "whom": whom, "hang": 30}
    env = faulty(checkout, fault)
    if "download" in moment:  # no data yet
        source = checkout / "experiments" / "datasets" / "download.py"
        edit(source, '.parent.parent.parent / "data"', f' / "{tmp_path}"')
    before = struck(checkout)
    process = start(checkout, *command, env=env)
    deadline = time.monotonic() + 120
    while struck(checkout) == before and process.poll() is None and time.monotonic() < deadline:
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


@pytest.mark.soak
@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("training", signal.SIGINT),
        ("training", signal.SIGTERM),
        ("downloading", signal.SIGTERM),
        ("drawing", signal.SIGINT),
        ("printing", signal.SIGINT),
    ],
)
def test_a_signal_ends_a_command_within_seconds(training, building, tmp_path, moment, number):
    at, command = MOMENTS[moment]
    held = training if command is TRAIN else building[command]
    held.reset()
    source = held.checkout / "experiments" / "datasets" / "download.py"
    before = source.read_text()
    whom = "group" if number == signal.SIGINT else "main"  # as a terminal does, as kill does
    try:
        stop(command, at, whom, int(number), held.checkout, tmp_path)
        held.check()
    finally:
        source.write_text(before)
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
