"""Strike the real commands at chosen or random moments, and hold the project to its promises."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

from experiments.record import read
from tests import factory
from tests.checkout import copy_of_checkout, edit, results, start, timeless

HOOKS = Path(__file__).parent / "faults"
TRAIN = ("-m", "experiments", "train", "--profile", "smoke")
ANALYSE = ("-m", "analysis", "--profile", "smoke")
REPORT = ("-m", "report", "--profile", "smoke")

#: A fault that comes when all is done already comes again, sooner, so many times.
TRIES = 4


def small_checkout(folder):
    """Three small runs of three epochs, with a checkpoint after each."""
    checkout = copy_of_checkout(folder / "checkout", "LeNet.s0", "DenseNet.s0", "SEResNet18.s0")
    edit(checkout / "experiments/study.toml", "epochs = 1\n", "epochs = 3\n")
    path = checkout / "experiments/training/checkpoint.py"
    edit(path, "EVERY_SECONDS = 20.0", "EVERY_SECONDS = 0.0")
    return checkout


def with_records(folder):
    checkout = copy_of_checkout(folder / "checkout")
    factory.save(factory.make(profile="smoke"), results(checkout))
    return checkout


def faulty(checkout, *faults):
    """The environment in which a command of a copy meets these faults."""
    told = [fault | {"log": str(checkout / "struck")} for fault in faults]
    own = {"PYTHONPATH": str(HOOKS), "SOURCE_DATE_EPOCH": "1700000000"}
    return os.environ | own | {"FAULTS": json.dumps(told)}


def struck(checkout):
    """How many faults have struck so far."""
    log = checkout / "struck"
    return len(log.read_text().splitlines()) if log.exists() else 0


def until(condition, seconds=120):
    """Wait for something; what it then is, or the last of it."""
    deadline = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return value


def alive(session):
    """Processes of a session that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] not in "ZX":
                found.append(int(path.parent.name))
    return found


def all_gone(process, seconds=5.0):
    """Whether a command's processes end by themselves, its own having ended."""
    return until(lambda: not alive(process.pid), seconds)


def meet(checkout, arguments, *faults):
    """Run a command into faults: the ended process with its output, and whether any struck."""
    before = struck(checkout)
    process = start(checkout, *arguments, env=faulty(checkout, *faults))
    out, err = process.communicate(timeout=300)
    assert all_gone(process), "processes outlived their parent"
    done = subprocess.CompletedProcess(arguments, process.returncode, out, err)
    return done, struck(checkout) > before


def contents(folder):
    """Every file of a folder by its SHA-256."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith((".partial", ".lock", ".pid", ".log"))
    }


class Held:
    """Training, analysis or report, struck again and again, which must end as undisturbed.

    ``kept``: the records after that.
    """

    def __init__(self, checkout, command):
        self.checkout, self.command, self.kills, self.finished = checkout, command, 0, {}
        self.out = results(checkout)
        if command is not TRAIN:
            self.out = checkout / command[1] / "out" / "smoke"
        self.undisturbed()
        self.expected = self.made()
        self.kept = shutil.copytree(results(checkout), checkout.with_name(f"{command[1]}-records"))
        assert self.leftovers() == []

    def leftovers(self):
        """Half-written files of this command's stage."""
        stages = ("experiments", "data") if self.command is TRAIN else (self.command[1],)
        return [path for stage in stages for path in (self.checkout / stage).rglob(".*.partial")]

    def made(self):
        if self.command is TRAIN:
            return {path.name: timeless(path) for path in self.out.glob("*.json")}
        return contents(self.out)

    def undisturbed(self):
        done, _ = meet(self.checkout, self.command)
        assert done.returncode == 0, done.stderr

    def is_done(self):
        return self.made() == self.expected

    def reset(self):
        shutil.rmtree(self.out, ignore_errors=True)
        self.finished = {}

    def strike(self, fault):
        """Meet a fault, then check what must hold. A fault that finds too little left to do to
        strike at all comes again, sooner, with everything to do."""
        if self.is_done():
            self.reset()
        self.kills += TRIES
        for _ in range(TRIES):
            done, hit = meet(self.checkout, self.command, fault)
            if hit:
                break
            self.check()
            self.reset()
            fault = {**fault, "call": 1, "delay": 0.0}
        else:
            raise AssertionError(f"never struck: {fault}")
        assert "Traceback" not in done.stderr, done.stderr
        self.check()

    def check(self):
        """What must hold at any time."""
        assert self.made().items() <= self.expected.items(), "a torn file"
        if self.command is TRAIN:
            now = {}
            for path in self.out.glob("*.json"):
                read(path)  # whole
                now[path.name] = (path.stat().st_mtime_ns, path.read_bytes())
            assert now.items() >= self.finished.items(), "a run was lost or trained again"
            self.finished = now
        else:
            assert contents(results(self.checkout)) == contents(self.kept)
        most = 3 if self.command is TRAIN else self.kills
        assert len(self.leftovers()) <= most, "half-written files pile up"

    def complete(self):
        """Go on undisturbed to the end, which is that of the undisturbed command."""
        self.undisturbed()
        self.check()
        assert self.is_done()
        if self.command is TRAIN:
            assert self.leftovers() == []
            assert not list((self.checkout / "experiments/checkpoints").rglob("*.pt"))


# --- Faults ---------------------------------------------------------------------------------------


def _at(place, match="", after=False):
    return {"at": place, "match": match, "after": after}


def _writing(match):
    moved = [_at("os:replace", match), _at("os:replace", match, after=True)]
    return [_at("tempfile:mkstemp", match, after=True), _at("os:fsync"), *moved]


_PROBES = "experiments.training.probes"
_MEASURING = [f"{_PROBES}.block_gains:block_gains", f"{_PROBES}.se_weights:SEProbe.after_test"]
_SAVING = [_at("torch:save"), _at("os:unlink", ".pt"), *_writing("checkpoints")[2:]]
_PAGES = ("document:compose", "html_page:render", "pdf:write")
STEP = f"{_PROBES}.gradient_norms:GradientProbe.after_backward"
#: At any moment: so long after the command's start.
_ANY = [_at("models.cli:run")]
#: By command: where kill -9 comes, at which call at the latest, after how many seconds at the most.
FAULTS = {
    TRAIN: [
        ([_at(STEP)], 9, 0.05),
        (_writing(".json"), 1, 0.002),
        (_SAVING, 2, 0.03),
        ([_at(place) for place in _MEASURING], 1, 0.05),
        ([_at("experiments.training.evaluation:predict")], 4, 0.05),
        (_ANY, 1, 8.0),
    ],
    ANALYSE: [
        ([_at("analysis.render:draw")], 4, 0.1),
        (_writing("checkout"), 20, 0.003),
        (_ANY, 1, 8.0),
    ],
    REPORT: [
        ([_at(f"report.documents.{place}") for place in _PAGES], 1, 1.5),
        (_writing("checkout"), 20, 0.003),
        (_ANY, 1, 8.0),
    ],
}


def faults(rng, command):
    """One fault of each kind that a command is struck by."""
    for places, calls, seconds in FAULTS[command]:
        yield {
            **rng.choice(places),
            "call": rng.randint(1, calls),
            "delay": rng.choice([0.0, rng.uniform(0, seconds)]),
            "whom": rng.choice(["self", "main", "group", *["server"] * (command is TRAIN)]),
        }
