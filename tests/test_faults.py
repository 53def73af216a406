"""What the project withstands, by faults that really happen to its commands: kill -9, signals, two
commands at once, no memory. The short form of ``make soak``."""

import random
import re
import signal
import time

import pytest

from tests.checkout import edit, results, start
from tests.fault_kit import (
    REPORT,
    TRAIN,
    Reporting,
    Training,
    all_gone,
    counted,
    faulty,
    meet,
    report_faults,
    small_checkout,
    struck,
    training_faults,
)

pytestmark = pytest.mark.pipeline


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    return Training(tmp_path_factory.mktemp("training"))


@pytest.fixture(scope="module")
def reporting(training, tmp_path_factory):
    checkout = small_checkout(tmp_path_factory.mktemp("reporting"))
    return Reporting(checkout, training.kept)


def test_kill_9_while_training_loses_nothing(training):
    rng = random.Random(5)
    for kind, fault in training_faults(rng):
        training.strike(kind, fault)
    training.complete()


def test_kill_9_while_reporting_loses_nothing(reporting):
    rng = random.Random(5)
    for kind, fault in report_faults(rng):
        reporting.strike(kind, fault)
    reporting.complete()


def test_a_child_killed_by_the_system_is_named_and_the_others_go_on(training):
    training.reset()
    fault = {"at": "experiments.training.loop:train", "match": "SEResNet18", "do": signal.SIGKILL}
    done, hit = meet(training.checkout, TRAIN, fault)
    with counted("a run's process killed from outside"):
        assert hit
        assert done.returncode == 1
        assert "SEResNet18.s0 failed: killed by the system (out of memory?)" in done.stderr
        training.check()
        assert training.finished.keys() == {"LeNet.s0.json", "DenseNet.s0.json"}


MOMENTS = {
    "training": ("experiments.training.probes.gradient_norms:GradientProbe.observe", TRAIN),
    "downloading": ("experiments.datasets.download:download", TRAIN),
    "drawing": ("report.figures:draw", REPORT),
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
    assert time.monotonic() - began < 5
    assert process.returncode == 128 + number, err
    assert "Traceback" not in err
    assert err.splitlines()[-1].startswith("stopped: "), err
    assert all_gone(process)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_signal_ends_a_command_within_seconds(training, reporting, tmp_path, moment, number):
    at, command = MOMENTS[moment]
    checkout = (training if command is TRAIN else reporting).checkout
    (training if command is TRAIN else reporting).reset()
    source = (checkout / "experiments" / "datasets" / "download.py").read_text()
    whom = "group" if number == signal.SIGINT else "main"  # as a terminal does, as kill does
    try:
        with counted(f"{number.name} while {moment}"):
            stop(command, at, whom, int(number), checkout, tmp_path)
    finally:
        (checkout / "experiments" / "datasets" / "download.py").write_text(source)


def test_commands_at_once_do_no_work_twice_and_name_each_other(training, reporting):
    training.reset()
    one = ("main.py", "--model", "LeNet", "--profile", "smoke")
    with counted("two trainings and an experiment at once"):
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
    reporting.reset()
    with counted("two reports at once into one folder"):
        env = faulty(reporting.checkout)
        pair = [start(reporting.checkout, *REPORT, env=env) for _ in range(2)]
        ended = [process.communicate(timeout=300) for process in pair]
        assert [process.returncode for process in pair] == [0, 0]
        assert sorted("up to date" in out for out, _ in ended) == [False, True]
        assert sum("is writing into" in err for _, err in ended) == 1
        reporting.check()
        reporting.complete()
