"""Check records: what can be told without training, then by training the run once more.

``python -m experiments.verify ResNet18.s0`` trains the recorded run again, writes nothing, and
compares. On the same kind of device with the same PyTorch everything but times must come out
identical. Elsewhere sums are rounded otherwise and training takes another path, as it does with
another seed: there the accuracies must agree with the recorded ones, see ``reach``.

``all`` in place of a run checks every record of the profile, without training.
"""

from __future__ import annotations

import signal

if __name__ == "__main__":  # Ctrl-C while the modules below load: an end without a traceback
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import math
import re
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from experiments import study
from experiments.config import Config
from experiments.consistency import problems
from experiments.datasets import DATASETS
from experiments.record import RESULTS, Environment, Epoch, Record, RecordError, read
from experiments.stopping import Stopped, stoppable
from models import UsageError
from models.command_line import OneLineParser

Verdict = Literal["identical", "agrees", "differs"]

#: What differs between two runs of the same configuration, and the folder.
_TIMELIKE = re.compile(r"profile|environment\..*|timing\..*|history\.\d+\.seconds")
#: Student's 97.5 % quantiles for 1, 2, ... degrees of freedom.
_STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
_NORMAL = 1.96
#: So many differing fields are named.
_NAMED = 5


@dataclass(frozen=True)
class Comparison:
    """How a run that was trained again compares with its record; ``why`` in a line."""

    verdict: Verdict
    why: str


def compare(record: Record, again: Record, seeds: Sequence[Record]) -> Comparison:
    """Compare a record with its run trained again.

    Args:
        record: as recorded.
        again: as trained now.
        seeds: the records of this configuration with whatever seed, the record among them.
    """
    differing = list(differences(record.model_dump(mode="json"), again.model_dump(mode="json")))
    if not differing:
        return Comparison("identical", "every field but times and environment")
    named = "; ".join(differing[:_NAMED])
    if len(differing) > _NAMED:
        named += f"; and {len(differing) - _NAMED} more fields"
    here, there = kind(again.environment), kind(record.environment)
    if here == there:
        return Comparison("differs", f"on the same kind of device ({here}): {named}")
    if record.status != again.status:
        return Comparison("differs", f"status: {record.status}, here {again.status}")
    said, agree = [], True
    for part in ("validation", "test"):
        ours, theirs = getattr(again, part), getattr(record, part)
        if ours is None or theirs is None:
            continue
        centre, width = reach([getattr(run, part).accuracy for run in seeds], theirs.images)
        agree = agree and abs(ours.accuracy - centre) <= width
        said.append(
            f"{part} accuracy {ours.accuracy:.2%}, recorded {theirs.accuracy:.2%}, expected "
            f"{centre:.2%} ± {width:.2%}"
        )
    why = f"{'; '.join(said) or record.status} (here {here}; recorded on {there})"
    return Comparison("agrees" if agree else "differs", why)


def differences(recorded: Any, here: Any, path: str = "") -> Iterator[str]:
    """Every field that differs, times and environment aside: ``test.loss: 0.1, here 0.2``."""
    if _TIMELIKE.fullmatch(path):
        return
    if isinstance(recorded, dict) and isinstance(here, dict):
        for key in {**recorded, **here}:
            inner = f"{path}.{key}" if path else str(key)
            yield from differences(recorded.get(key), here.get(key), inner)
    elif isinstance(recorded, list) and isinstance(here, list) and len(recorded) == len(here):
        for index, (one, other) in enumerate(zip(recorded, here, strict=True)):
            yield from differences(one, other, f"{path}.{index}")
    elif recorded != here:
        if path.endswith(".predictions") and recorded and here and len(recorded) == len(here):
            count = sum(one != other for one, other in zip(recorded, here, strict=True))
            yield f"{path}: {count} of {len(here)} images"
        else:
            yield f"{path}: {recorded!s:.40}, here {here!s:.40}"


def kind(environment: Environment) -> str:
    """What must be equal for a run to come out identical: processor, threads, PyTorch."""
    device = re.sub(r", \d+ cores$", "", environment.device)
    return f"{device}, {environment.threads} threads, PyTorch {environment.torch}"


def reach(accuracies: Sequence[float], images: int) -> tuple[float, float]:
    """Where the accuracy of one more run should lie: the middle, and how far from it.

    The mean of the recorded seeds, and the half-width of Student's 95 % interval for one more run;
    at least that of the difference between two samples of as many images, which is all there is to
    go by where there is one seed.
    """
    centre, count = statistics.fmean(accuracies), len(accuracies)
    smoothed = (centre * images + 1) / (images + 2)  # so that 100 % is not taken for certain
    width = _NORMAL * math.sqrt(2 * smoothed * (1 - smoothed) / images)
    if count > 1:
        freedom = count - 1
        known = freedom <= len(_STUDENT)
        student = _STUDENT[freedom - 1] if known else _NORMAL + 2.5 / freedom
        spread = statistics.stdev(accuracies) * math.sqrt(1 + 1 / count)
        width = max(width, student * spread)
    return centre, width


def seeds_of(record: Record, folder: Path) -> list[Record]:
    """The finished runs of the same configuration but for the seed, this one among them."""
    found = [record]
    for path in sorted(folder.glob(f"{record.id.rpartition('.s')[0]}.s*.json")):
        try:
            other = read(path)
        except RecordError:
            continue
        if other.id != record.id and _seedless(other.config) == _seedless(record.config):
            found.append(other)
    return [run for run in found if run.status == "finished"]


def _seedless(config: Config) -> dict[str, Any]:
    return config.model_dump(exclude={"seed", "precision"})


def retrain(record: Record, on_epoch: Callable[[Epoch], None]) -> Record:
    """Train the run of a record once more, as many threads as then; nothing is written."""
    from experiments import data
    from experiments.job import Job
    from experiments.run import execute

    job = Job(record.id, record.config, "verify", record.environment.threads)
    images = data.load(record.config.dataset)
    again, _ = execute(job, images, on_epoch=on_epoch, checkpoint_seconds=math.inf)
    return again


def verify(run: str, profile: str) -> int:
    """Check one record and train its run again; returns the exit status."""
    path = RESULTS / profile / f"{run}.json"
    if not path.is_file():
        known = sorted(file.stem for file in path.parent.glob("*.json"))
        raise UsageError(
            f"no record {run!r} of profile {profile}; expected all or one of "
            f"{', '.join(known) or 'none: there are no records'}."
        )
    record = _consistent(path)
    if record is None:
        return 1
    if record.status == "failed":
        print(f"{run}: the run failed ({record.reason}); there is nothing to verify")
        return 1
    print(f"{run}: consistent; training it again", file=sys.stderr)

    def on_epoch(epoch: Epoch) -> None:
        print(f"{run}: epoch {epoch.epoch} of {record.config.epochs}", file=sys.stderr)

    found = compare(record, retrain(record, on_epoch), seeds_of(record, path.parent))
    print(f"{run}: {found.verdict}: {found.why}")
    return 1 if found.verdict == "differs" else 0


def verify_all(profile: str) -> int:
    """Check every record of a profile without training; returns the exit status."""
    paths = sorted((RESULTS / profile).glob("*.json"))
    if not paths:
        raise UsageError(f"there are no records of profile {profile}.")
    good = sum(_consistent(path) is not None for path in paths)
    print(f"profile {profile}: {good} of {len(paths)} records are consistent")
    return 0 if good == len(paths) else 1


def _consistent(path: Path) -> Record | None:
    """The record, if nothing is wrong with it; else what is has been said."""
    try:
        record = read(path)
    except RecordError as error:
        print(error)
        return None
    found = problems(record, path.parent.name)
    for problem in found:
        print(f"{path.name}: {problem}")
    return None if found else record


def main() -> int:
    """Parse the command line and do it."""
    parser = OneLineParser(prog="python -m experiments.verify", description=__doc__)
    parser.add_argument("run", help="id of a recorded run, such as LeNet.s0, or all")
    parser.add_argument("--profile", help="a profile of study.toml (quick; with a GPU: full)")
    parser.add_argument("--dataset", help=", ".join(DATASETS))
    arguments = parser.parse_args()
    try:
        with stoppable():
            profile = study.profile_name(arguments.profile, arguments.dataset)
            study.load().profile(profile)  # one line about an unknown one
            if arguments.run == "all":
                return verify_all(profile)
            return verify(arguments.run, profile)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except Stopped as stopped:
        print("stopped: nothing was written.", file=sys.stderr)
        return stopped.status


if __name__ == "__main__":
    sys.exit(main())
