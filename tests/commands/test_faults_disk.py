"""Full disks, read-only folders and missing permission: one line says what and what to do, nothing
finished is lost, and all goes on once there is room."""

import json
import shutil
import subprocess
import sys

import pytest

from tests.checkout import copy_of_checkout, edit, results, run, trim
from tests.fault_kit import (
    ANALYSE,
    HOOKS,
    REPORT,
    TRAIN,
    contents,
    counted,
    faulty,
    logging_faults,
)

pytestmark = pytest.mark.pipeline

#: May a user mount a file system in a namespace of their own here?
MOUNTS = (
    subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode == 0
)
REASONS = {
    "full": ("No space left on device", "File too large"),
    "read-only": ("Read-only file system", "Permission denied"),
    "denied": ("Permission denied",),
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A copy whose three runs are done, reported on, and kept aside."""
    checkout = copy_of_checkout(tmp_path_factory.mktemp("disk") / "checkout")
    study = checkout / "experiments" / "study.toml"
    whole = study.read_text()
    trim(checkout)
    edit(study, "epochs = 1\n", "epochs = 2\n")
    edit(
        checkout / "experiments" / "training" / "checkpoint.py",
        "EVERY_SECONDS = 20.0",
        "EVERY_SECONDS = 0.0",
    )
    logging_faults(checkout)
    assert run(checkout, *TRAIN).returncode == 0
    shutil.copytree(results(checkout), checkout / "records")
    shutil.copy(study, checkout / "small.toml")
    (checkout / "whole.toml").write_text(whole)
    return checkout


@pytest.fixture
def checkout(trained):
    """The copy with its records as they were, and nothing else."""
    shutil.rmtree(results(trained))
    shutil.copytree(trained / "records", results(trained))
    shutil.copy(trained / "small.toml", trained / "experiments" / "study.toml")
    for made in ("analysis/out", "report/out", "experiments/checkpoints"):
        shutil.rmtree(trained / made, ignore_errors=True)
    return trained


def while_scarce(kind, place, command, log, *faults):
    """Run a command while a folder is full, read-only or denied, and again when it is not."""
    place.mkdir(parents=True, exist_ok=True)
    log.mkdir()
    checkout = place
    while not (checkout / "main.py").exists():
        checkout = checkout.parent
    script = [sys.executable, str(HOOKS / "scarce.py"), kind, str(place), str(log)]
    own = ["unshare", "-rm"] if MOUNTS and kind != "denied" else []
    done = subprocess.run(
        [*own, *script, sys.executable, *command],
        cwd=checkout, capture_output=True, text=True, timeout=300, check=False,
        env={**faulty(checkout, *faults), "MOUNTS": str(int(bool(own)))},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [
        subprocess.CompletedProcess(
            command,
            json.loads((log / f"{time}.status").read_text()),
            (log / f"{time}.out").read_text(),
            (log / f"{time}.err").read_text(),
        )
        for time in ("first", "second")
    ]


def is_refused(done, kind, name):
    """Status 2, and a single line of error that names the thing, the reason, and what to do."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert name in line
    assert any(reason in line for reason in REASONS[kind]), line
    assert "give the same command again" in line


@pytest.mark.parametrize("kind", ["full", pytest.param("denied", marks=pytest.mark.soak)])
def test_no_room_for_records(checkout, tmp_path, kind):
    (results(checkout) / "LeNet.s0.json").unlink()
    finished = contents(results(checkout))
    with counted(f"{kind}: records"):
        first, second = while_scarce(kind, results(checkout), TRAIN, tmp_path / "log")
        is_refused(first, kind, "LeNet.s0.json" if kind == "full" else "smoke")
        assert second.returncode == 0, second.stderr
        assert "1 run to train" in second.stderr
        after = contents(tmp_path / "log" / "place")
        assert after.keys() == {*finished, "LeNet.s0.json"}
        assert after.items() >= finished.items()


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["full"])
def test_no_room_for_checkpoints_costs_only_them(checkout, tmp_path, kind):
    (results(checkout) / "LeNet.s0.json").unlink()
    place = checkout / "experiments" / "checkpoints" / "smoke"
    with counted(f"{kind}: checkpoints"):
        first, _ = while_scarce(kind, place, TRAIN, tmp_path / "log")
        assert first.returncode == 0, first.stderr
        (line,) = [line for line in first.stderr.splitlines() if "interruption" in line]
        assert line.startswith("LeNet.s0: goes on, but an interruption would lose it: ")
        assert str(place) in line
        assert any(reason in line for reason in REASONS[kind])
        assert (results(checkout) / "LeNet.s0.json").exists()
        assert not contents(tmp_path / "log" / "place")


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["read-only"])
def test_no_room_for_the_data(checkout, tmp_path, kind):
    (results(checkout) / "LeNet.s0.json").unlink()
    data = checkout / "data" / "MNIST"
    source = data.resolve()
    data.unlink()
    serve = {"at": "experiments.datasets.download:download", "do": "serve", "folder": str(source)}
    try:
        with counted(f"{kind}: data"):
            first, second = while_scarce(kind, data, TRAIN, tmp_path / "log", serve)
            is_refused(first, kind, "data/MNIST")
            assert second.returncode == 0, second.stderr
            assert contents(tmp_path / "log" / "place") == contents(source)
    finally:
        shutil.rmtree(data)
        data.symlink_to(source)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("kind", "command"), [("full", ANALYSE), ("denied", (*REPORT, "--only", "html"))]
)
def test_no_room_for_a_build(checkout, tmp_path, kind, command):
    shutil.copy(checkout / "whole.toml", checkout / "experiments" / "study.toml")
    records = contents(results(checkout))
    place = f"{command[1]}/out"
    if command is not ANALYSE:
        assert run(checkout, *ANALYSE).returncode == 0
    with counted(f"{kind}: {place}"):
        first, second = while_scarce(kind, checkout / place, command, tmp_path / "log")
        is_refused(first, kind, place)
        assert second.returncode == 0, second.stderr
        assert contents(results(checkout)) == records
        made = {"analysis": "results.json", "report": "report.html"}[command[1]]
        assert (tmp_path / "log" / "place" / "smoke" / made).read_text().rstrip()[-1] in "}>"
