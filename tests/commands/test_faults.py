"""What the project withstands, by faults that really happen to its commands: kill -9, signals, two
commands at once, full disks, missing permission, no memory.

``make test`` strikes once; ``make soak`` more than a hundred times, in less than half an hour.
"""

import functools
import os
import random
import re
import resource
import shutil
import signal
import time
from pathlib import Path

import pytest

from experiments.datasets import download
from experiments.record import read
from tests import fault_kit
from tests.checkout import copy_of_checkout, edit, results, run, start
from tests.fault_kit import ANALYSE, REPORT, STEP, TRAIN, Held, contents, faulty, meet

SOURCE = download.CACHE / "MNIST"
PAGE = (*REPORT, "--only", "html")
# `make test-fast` deselects pipeline tests, and its -m replaces the one of pyproject.toml.
pytestmark = [pytest.mark.pipeline, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    """By command: it in a copy of the checkout, that of the analysis and of the report is one."""

    @functools.cache
    def held(command):
        if command is REPORT:
            checkout = held(ANALYSE).checkout
        else:
            prepare = fault_kit.small_checkout if command is TRAIN else fault_kit.with_records
            checkout = prepare(tmp_path_factory.mktemp("held"))
        return Held(checkout, command)

    return held


@pytest.fixture(scope="module")
def training(held):
    made = held(TRAIN)
    made.reset()
    return made


def served(folder):
    """A fault that answers for a mirror, from a folder."""
    return {"at": "experiments.datasets.download:download", "do": "serve", "folder": str(folder)}


# --- Kills --------------------------------------------------------------------------------------


def test_kill_9_while_training_loses_nothing(training):
    training.strike(next(fault_kit.faults(random.Random(5), TRAIN)))
    training.complete()


@pytest.mark.soak
@pytest.mark.parametrize(("command", "rounds"), [(TRAIN, 11), (ANALYSE, 8), (REPORT, 8)])
def test_many_kills(held, command, rounds):
    """In every phase and at random moments; every so often the command goes on to the end."""
    rng, struck = random.Random(1), held(command)
    problems = []
    for number in range(rounds):
        try:
            for fault in fault_kit.faults(rng, command):
                struck.strike(fault)
            if number % 3 == 2 or number == rounds - 1:
                struck.complete()
        except AssertionError as problem:
            problems.append(f"round {number}: {problem}")
            struck.reset()
    assert problems == []


@pytest.mark.soak
def test_kills_while_the_data_are_cached(training):
    checkout, rng = training.checkout, random.Random(4)
    data = checkout / "data" / "MNIST"
    data.unlink()
    for _ in range(6):
        training.reset()
        shutil.rmtree(data, ignore_errors=True)
        fault = rng.choice([
            {"at": "tempfile:mkstemp", "after": True, "match": "ubyte"},
            {"at": "os:fsync"},
            {"at": "os:replace", "match": "ubyte"},
        ])  # fmt: skip
        fault |= {"call": rng.randint(1, 4), "delay": rng.uniform(0, 0.02)}
        _, hit = meet(checkout, TRAIN, served(SOURCE), fault)
        assert hit
        assert contents(data).items() <= contents(SOURCE).items()
        done, _ = meet(checkout, TRAIN, served(SOURCE))
        assert done.returncode == 0, done.stderr
        assert contents(data) == contents(SOURCE)
        assert training.leftovers() == []
        training.check()
    shutil.rmtree(data)
    data.symlink_to(SOURCE)


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


# --- Signals ------------------------------------------------------------------------------------


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
def test_a_signal_ends_a_command_within_seconds(held, command, place, number):
    """The call where the signal comes hangs, as slow work would."""
    held = held(command)
    held.reset()
    data = held.checkout / "data" / "MNIST"
    kept = data.rename(data.with_name("kept")) if "download" in place else data
    whom = "group" if number == signal.SIGINT else "main"  # as a terminal does, as kill does
    fault = {"at": place, "do": int(number), "whom": whom, "hang": 30}
    before = fault_kit.struck(held.checkout)
    process = start(held.checkout, *command, env=faulty(held.checkout, fault))
    assert fault_kit.until(lambda: fault_kit.struck(held.checkout) > before)
    began = time.monotonic()
    _, err = process.communicate(timeout=60)
    assert time.monotonic() - began < 20  # of the 30 that the call hangs; killed after 3
    assert "Traceback" not in err
    if command is TRAIN:  # ends its runs, and says what is safe
        assert process.returncode == 128 + number, err
        assert err.splitlines()[-1].startswith("stopped: "), err
    else:
        assert (process.returncode, err) == (-number, "")
    assert fault_kit.all_gone(process)
    held.check()
    if kept != data:
        shutil.rmtree(data, ignore_errors=True)
        kept.rename(data)
    held.complete()


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


@pytest.mark.soak
@pytest.mark.parametrize(
    "command",
    [
        TRAIN,
        ANALYSE,
        REPORT,
        ("-m", "experiments.training.benchmark", "--networks", "LeNet"),
        ("main.py", "--model", "LeNet", "--profile", "smoke"),
    ],
)
def test_ctrl_c_while_a_command_loads_its_modules_is_quiet(training, command):
    for moment in [*(0.03 * step for step in range(14)), 0.8]:  # the last: its server loads torch
        process = start(training.checkout, *command)
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
        assert fault_kit.all_gone(process, 30)  # the server may have to finish loading torch


# --- Several at once ----------------------------------------------------------------------------


def at_once(checkout, *commands):
    """What commands said that run side by side; the first two succeed."""
    processes = [start(checkout, *command, env=faulty(checkout)) for command in commands]
    said = "\n".join(process.communicate(timeout=300)[1] for process in processes)
    assert [process.returncode for process in processes[:2]] == [0, 0], said
    return said


@pytest.mark.soak
def test_trainings_at_once_do_no_work_twice_and_name_each_other(training):
    training.reset()
    one = ("main.py", "--model", "LeNet", "--profile", "smoke")
    said = at_once(training.checkout, TRAIN, TRAIN, one)
    assert said.count("test accuracy") == 3, said
    assert re.search(r"process \d+ is training profile smoke: waiting for it", said)
    training.check()
    assert training.is_done()


@pytest.mark.soak
@pytest.mark.parametrize("command", [ANALYSE, REPORT])
def test_two_builds_at_once_into_one_folder(held, command):
    held = held(command)
    held.reset()
    at_once(held.checkout, command, command)
    held.check()
    assert held.is_done()


# --- No room, no permission: one line says what and what to do, and all goes on once there is ----

#: Where there is no room a file may have so many bytes: enough for a log, for no record.
ROOM = 2048
REASONS = {"full": "File too large", "denied": "Permission denied"}
#: Permission binds root only without these.
BOUND = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner")
RECORDS, DATA = "experiments/results/smoke", "data/MNIST"
#: What is made in a folder that is scarce.
MADE = {"analysis/out": "results.json", "report/out": "report.html"}


def limit():
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, resource.RLIM_INFINITY))


@pytest.mark.parametrize(
    ("kind", "command", "place", "named"),
    [
        ("full", TRAIN, RECORDS, "LeNet.s0.json"),
        pytest.param("denied", TRAIN, RECORDS, "smoke", marks=pytest.mark.soak),
        pytest.param("denied", TRAIN, DATA, DATA, marks=pytest.mark.soak),
        pytest.param("full", ANALYSE, "analysis/out", "analysis/out", marks=pytest.mark.soak),
        pytest.param("denied", PAGE, "report/out", "report/out", marks=pytest.mark.soak),
    ],
)
def test_without_room_or_permission(training, kind, command, place, named):
    checkout = training.checkout
    training.reset()
    shutil.copytree(training.kept, results(checkout))
    if command is TRAIN:
        (results(checkout) / "LeNet.s0.json").unlink()
    if command is PAGE:
        assert run(checkout, *ANALYSE).returncode == 0
    before, scarce = contents(results(checkout)), checkout / place
    if place == DATA:
        scarce.unlink()
    scarce.mkdir(parents=True, exist_ok=True)
    folders = [scarce, *(path for path in scarce.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o755 if kind == "full" else 0o555)
    env = faulty(checkout, served(SOURCE))
    bound = {"prefix": BOUND} if os.geteuid() == 0 else {}
    scarcity = {"preexec_fn": limit} if kind == "full" else bound
    first = run(checkout, *command, env=env, **scarcity)
    for folder in folders:
        folder.chmod(0o755)
    second = run(checkout, *command, env=env)
    made = contents(scarce)
    if place == DATA:
        shutil.rmtree(scarce)
        scarce.symlink_to(SOURCE)
        assert made == contents(SOURCE)
    assert (first.returncode, second.returncode) == (2, 0), first.stderr + second.stderr
    assert "Traceback" not in first.stderr
    (line,) = [line for line in first.stderr.splitlines() if line.startswith("error: ")]
    assert named in line and REASONS[kind] in line and "give the same command again" in line
    if (kind, command) == ("full", TRAIN):  # which costs a run its checkpoint, not more
        lines = [line for line in first.stderr.splitlines() if "an interruption would" in line]
        assert len(lines) == 2  # of three epochs
        for line in lines:
            assert line.startswith("LeNet.s0: goes on, but ") and REASONS[kind] in line
    after = contents(results(checkout))
    assert after.items() >= before.items() and after.keys() == training.expected.keys()
    if command is TRAIN:
        assert "1 run to train" in second.stderr
    else:
        assert (scarce / "smoke" / MADE[place]).read_text().rstrip()[-1] in "}>"


# --- Too little memory: batches are split, or the run is marked failed; the others go on ---------


@pytest.mark.soak
@pytest.mark.parametrize(
    ("images", "batch", "megabytes", "status"), [(384, 384, 600, "finished"), (16, 8, 60, "failed")]
)
def test_too_little_memory_splits_the_batch_or_fails_the_run_alone(
    tmp_path, images, batch, megabytes, status
):
    """So much more memory for SE-ResNet-18 than its process has at the start."""
    checkout = copy_of_checkout(tmp_path / "checkout", "LeNet.s0", "SEResNet18.s0")
    study = checkout / "experiments" / "study.toml"
    edit(study, "input_size = 36\n", "input_size = 64\n")
    edit(study, "batch_size = 64\n", f"batch_size = {batch}\n")
    edit(study, "train_images = 192\n", f"train_images = {images}\n")
    fault = {"at": "experiments.training.run:_attempt", "match": "SEResNet18", "do": "limit"}
    done, hit = meet(checkout, TRAIN, fault | {"bytes": megabytes << 20})
    assert hit
    assert "Traceback" not in done.stderr, done.stderr
    assert read(results(checkout) / "LeNet.s0.json").status == "finished"
    record = read(results(checkout) / "SEResNet18.s0.json")
    assert (record.status, done.returncode) == (status, int(status == "failed")), done.stderr
    if status == "finished":
        assert "SEResNet18.s0: out of memory; begins anew with 2 micro-batches" in done.stderr
        assert (record.batch_pieces > 1, len(record.history)) == (True, 1)
    else:
        reason = "out of memory, even with each batch in 4 parts"
        assert f"SEResNet18.s0 failed: {reason}" in done.stderr
        assert record.reason.startswith(reason)
