"""Strike the real commands at chosen or random moments, and hold the project to its promises."""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from experiments.record import read
from tests import factory
from tests.checkout import copy_of_checkout, edit, results, start, timeless, trim

HOOKS = Path(__file__).parent / "faults"
TRAIN = ("-m", "experiments", "train", "--profile", "smoke")
ANALYSE = ("-m", "analysis", "--profile", "smoke")
REPORT = ("-m", "report", "--profile", "smoke")

#: A fault that comes when all is done already comes again, sooner, so many times.
TRIES = 4


def small_checkout(folder):
    """Three small runs of three epochs, with a checkpoint after each."""
    checkout = copy_of_checkout(folder / "checkout")
    trim(checkout, ("LeNet.s0", "DenseNet.s0", "SEResNet18.s0"))
    edit(checkout / "experiments/study.toml", "epochs = 1\n", "epochs = 3\n")
    path = checkout / "experiments/training/checkpoint.py"
    edit(path, "EVERY_SECONDS = 20.0", "EVERY_SECONDS = 0.0")
    return checkout


def with_records(folder):
    """A copy of the checkout with synthetic records of every run of the study."""
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


def meet(checkout, arguments, *faults, at_random=None):
    """Run a command into faults (``at_random``: kill -9 to ``whom`` after some seconds).

    Returns the ended process with its output, and whether anything struck.
    """
    before = struck(checkout)
    process = start(checkout, *arguments, env=faulty(checkout, *faults))
    hit = False
    if at_random:
        whom, seconds = at_random
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            hit = True
            rest = [pid for pid in alive(process.pid) if pid != process.pid]
            with contextlib.suppress(ProcessLookupError):
                if whom == "group":
                    os.killpg(process.pid, signal.SIGKILL)
                else:
                    os.kill(max(rest) if whom == "child" and rest else process.pid, signal.SIGKILL)
    out, err = process.communicate(timeout=300)
    assert all_gone(process), "processes outlived their parent"
    done = subprocess.CompletedProcess(arguments, process.returncode, out, err)
    return done, hit or struck(checkout) > before


def leftovers(checkout):
    folders = (
        "experiments/results",
        "experiments/checkpoints",
        "data",
        "analysis/out",
        "report/out",
    )
    return [path for folder in folders for path in (checkout / folder).rglob(".*.partial")]


def contents(folder):
    """Every file of a folder by its SHA-256."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith((".partial", ".lock", ".pid", ".log"))
    }


class Held:
    """A command struck again and again, which must end as the same command undisturbed.

    ``seconds``: what that took.
    """

    def __init__(self, checkout, command):
        self.checkout = checkout
        self.command = command
        began = time.monotonic()
        self.undisturbed()
        self.seconds = time.monotonic() - began

    def undisturbed(self):
        done, _ = meet(self.checkout, self.command)
        assert done.returncode == 0, done.stderr

    def strike(self, fault=None, at_random=None):
        """Meet a fault, then check what must hold. A fault that finds too little left to do to
        strike at all comes again, sooner, with everything to do."""
        if self.is_done():
            self.reset()
        for _ in range(TRIES):
            faults = [fault] if fault else []
            done, hit = meet(self.checkout, self.command, *faults, at_random=at_random)
            if hit:
                break
            self.check()
            self.reset()
            fault = fault and {**fault, "call": 1, "delay": 0.0}
            at_random = at_random and (at_random[0], at_random[1] / 2)
        else:
            raise AssertionError(f"never struck: {fault or at_random}")
        assert "Traceback" not in done.stderr, done.stderr
        self.check()


class Training(Held):
    """Training struck again and again. ``kept``: a folder with its records undisturbed."""

    def __init__(self, folder):
        super().__init__(small_checkout(folder), TRAIN)
        self.kept = shutil.copytree(results(self.checkout), folder / "records")
        self.expected = self.records()
        self.reset()

    def records(self):
        return {path.name: timeless(path) for path in results(self.checkout).glob("*.json")}

    def is_done(self):
        return len(self.finished) == len(self.expected)

    def reset(self):
        for path in results(self.checkout).glob("*.json"):
            path.unlink()
        self.finished = {}

    def check(self):
        """What must hold at any time."""
        now = {}
        for path in results(self.checkout).glob("*.json"):
            read(path)  # whole
            assert timeless(path) == self.expected[path.name]
            now[path.name] = (path.stat().st_mtime_ns, path.read_bytes())
        assert now.items() >= self.finished.items(), "a finished run was lost or trained again"
        self.finished = now
        assert len(leftovers(self.checkout)) <= 3, "half-written files pile up"

    def complete(self):
        """Go on undisturbed to the end, which is that of the undisturbed training."""
        self.undisturbed()
        self.check()
        assert self.records() == self.expected
        assert leftovers(self.checkout) == []
        assert not list((self.checkout / "experiments/checkpoints").rglob("*.pt"))


class Building(Held):
    """The analysis or the report, struck again and again."""

    def __init__(self, checkout, command):
        self.out = checkout / command[1] / "out" / "smoke"
        self.kills = 0
        self.records = contents(results(checkout))
        super().__init__(checkout, command)
        self.expected = contents(self.out)
        assert leftovers(checkout) == []

    def is_done(self):
        return contents(self.out) == self.expected

    def reset(self):
        shutil.rmtree(self.out, ignore_errors=True)

    def strike(self, fault=None, at_random=None):
        self.kills += TRIES
        super().strike(fault, at_random)

    def check(self):
        assert contents(self.out).items() <= self.expected.items(), "a torn file"
        assert contents(results(self.checkout)) == self.records
        assert len(leftovers(self.checkout)) <= self.kills, "half-written files pile up"

    def complete(self):
        self.undisturbed()
        assert self.is_done()


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
#: By command: where kill -9 comes, at which call at the latest, after how many seconds at the most.
FAULTS = {
    TRAIN: [
        ([_at(STEP)], 9, 0.05),
        (_writing(".json"), 1, 0.002),
        (_SAVING, 2, 0.03),
        ([_at(place) for place in _MEASURING], 1, 0.05),
        ([_at("experiments.training.evaluation:predict")], 4, 0.05),
    ],
    ANALYSE: [([_at("analysis.render:draw")], 4, 0.1), (_writing("checkout"), 20, 0.003)],
    REPORT: [
        ([_at(f"report.documents.{place}") for place in _PAGES], 1, 1.5),
        (_writing("checkout"), 20, 0.003),
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
