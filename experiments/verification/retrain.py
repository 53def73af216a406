"""Train the run of a record once more and compare.

On the same kind of device with the same PyTorch everything but times must be identical. Elsewhere
sums are rounded differently, which changes training as another seed does; there the accuracies must
agree within ``tolerance``.
"""

import math
import re
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from experiments.record import Environment, Epoch, Record, RecordError, read

#: Fields that differ between two runs of the same configuration.
_TIMES = re.compile(r"profile|weights_sha256|environment\..*|timing\..*|history\.\d+\.seconds")
#: Fields that older records do not have.
_NEWER = re.compile(
    r"train_evaluation|probes\.versions\..*|probes\.se_initial"
    r"|probes\.block_gains\.\d+\.blocks\.\d+\.(input|branch)_below_one"
)
#: Maximum number of differing fields that are named.
_MAX_NAMED = 5


@dataclass(frozen=True)
class Comparison:
    """How a retrained run compares with its record, with one line of reasons."""

    verdict: Literal["identical", "agrees", "differs"]
    why: str


def retrain(record: Record, on_epoch: Callable[[Epoch], None] = lambda _: None) -> Record:
    """Train the run of a record again with the same number of threads; nothing is written."""
    from experiments.datasets import splits
    from experiments.training.run import execute
    from experiments.training.state import Job

    job = Job(record.id, record.config, "verify", record.environment.threads)
    images = splits.load(record.config.dataset)
    again, _ = execute(job, images, on_epoch=on_epoch, checkpoint_seconds=math.inf)
    return again


def compare(record: Record, again: Record, seeds: Sequence[Record]) -> Comparison:
    """Compare a record with its retrained run.

    Args:
        record: the record.
        again: the record of the retrained run.
        seeds: the records of this configuration with any seed, ``record`` included.
    """
    differing = list(differences(record.model_dump(mode="json"), again.model_dump(mode="json")))
    if not differing:
        return Comparison("identical", "every field but times and environment")
    here, there = kind(again.environment), kind(record.environment)
    if here == there:
        named = "; ".join(differing[:_MAX_NAMED])
        if len(differing) > _MAX_NAMED:
            named += f"; and {len(differing) - _MAX_NAMED} more fields"
        return Comparison("differs", f"on the same kind of device ({here}): {named}")
    if record.status != again.status:
        return Comparison("differs", f"status: {record.status}, here {again.status}")
    lines, agree = [], True
    for split in ("validation", "test"):
        now, then = getattr(again, split), getattr(record, split)
        if now is None or then is None:
            continue
        accuracies = [getattr(run, split).accuracy for run in seeds]
        mean, width = statistics.fmean(accuracies), tolerance(accuracies, then.images)
        agree = agree and abs(now.accuracy - mean) <= width
        lines.append(
            f"{split} accuracy {now.accuracy:.2%}, recorded {then.accuracy:.2%}, expected "
            f"{mean:.2%} ± {width:.2%}"
        )
    why = f"{'; '.join(lines) or record.status} (here {here}; recorded on {there})"
    return Comparison("agrees" if agree else "differs", why)


def differences(recorded: Any, other: Any, path: str = "", but: str = "here") -> Iterator[str]:
    """Every field that differs, as ``test.loss: 0.1, here 0.2``, except times, environment and
    fields that older records lack; ``but`` introduces the other value."""
    if _TIMES.fullmatch(path) or (not recorded and _NEWER.fullmatch(path)):
        return
    if isinstance(recorded, dict) and isinstance(other, dict):
        for key in {**recorded, **other}:
            inner = f"{path}.{key}" if path else str(key)
            yield from differences(recorded.get(key), other.get(key), inner, but)
    elif isinstance(recorded, list) and isinstance(other, list) and len(recorded) == len(other):
        for index, (one, two) in enumerate(zip(recorded, other, strict=True)):
            yield from differences(one, two, f"{path}.{index}", but)
    elif recorded != other:
        yield f"{path}: {recorded!s:.40}, {but} {other!s:.40}"


def kind(environment: Environment) -> str:
    """What must be equal for a run to come out identical: processor, threads, PyTorch."""
    device = re.sub(r", \d+ cores$", "", environment.device)
    return f"{device}, {environment.threads} threads, PyTorch {environment.torch}"


def tolerance(accuracies: Sequence[float], images: int) -> float:
    """How far the accuracy of one more run may lie from the mean of the recorded seeds: three
    standard deviations of the seeds, and at least the 95 % interval of the difference between two
    samples of ``images`` images."""
    mean = statistics.fmean(accuracies)
    smoothed = (mean * images + 1) / (images + 2)  # never exactly 0 or 1
    sampling = 1.96 * math.sqrt(2 * smoothed * (1 - smoothed) / images)
    return max(sampling, 3 * statistics.stdev(accuracies) if len(accuracies) > 1 else 0.0)


def seeds_of(record: Record, folder: Path) -> list[Record]:
    """The finished runs that differ from this one at most in seed and precision, and this one."""
    found = [record]
    for path in sorted(folder.glob(f"{record.config.variant}*.json")):
        try:
            other = read(path)
        except RecordError:
            continue
        if other.id != record.id and _without_seed(other) == _without_seed(record):
            found.append(other)
    return [run for run in found if run.status == "finished"]


def _without_seed(record: Record) -> dict[str, Any]:
    return record.config.model_dump(exclude={"seed", "precision"})
