"""Data of the figures from the records: values with intervals, curves, missing runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from analysis.evidence import Evidence
from analysis.statistics import accuracy_interval
from analysis.true_labels import Split
from experiments import study
from experiments.record import Record

#: The profile that says which runs are missing in a folder of an unknown profile.
_USUAL_PROFILE = "quick"


class NothingToDraw(LookupError):
    """No run of a figure exists. ``missing``: the variants that the figure needs."""

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(f"no runs of {', '.join(missing)}")
        self.missing = tuple(missing)


@dataclass(frozen=True)
class Estimate:
    """A quantity of one network: one value per run, their mean, and its 95 % interval."""

    values: tuple[float, ...]
    low: float
    high: float

    @property
    def mean(self) -> float:
        return sum(self.values) / len(self.values)


def shown(estimates: Iterable[Estimate]) -> tuple[list[float], list[float]]:
    """All values of estimates, and all ends of their intervals."""
    found = list(estimates)
    return [x for e in found for x in e.values], [x for e in found for x in (e.low, e.high)]


def accuracy(evidence: Evidence, variant: str, split: Split = "test") -> Estimate | None:
    """Accuracy with its interval over seeds and images; None without a finished run."""
    if not evidence.finished(variant):
        return None
    sample = evidence.sample(variant, split)
    return Estimate(sample.accuracies, *accuracy_interval(sample))


def accuracies(
    evidence: Evidence, variants: Iterable[str], split: Split = "test"
) -> dict[str, Estimate]:
    """Accuracies of the variants with a finished run, the highest first."""
    found = {v: e for v in variants if (e := accuracy(evidence, v, split)) is not None}
    return dict(sorted(found.items(), key=lambda item: -item[1].mean))


def broken_off(evidence: Evidence, variant: str) -> int | None:
    """The step at which the first run diverged, if every run of the variant did; else None."""
    steps = [run.divergence.step for run in evidence.runs(variant) if run.divergence is not None]
    return steps[0] if steps and evidence.diverged(variant) else None


def last_loss(evidence: Evidence, variant: str) -> Estimate | None:
    """Training loss of the last epoch; the interval is the range of the runs."""
    values = tuple(run.history[-1].train_loss for run in evidence.finished(variant) if run.history)
    return Estimate(values, min(values), max(values)) if values else None


@dataclass(frozen=True)
class Curve:
    """A quantity by epoch.

    Attributes:
        epochs: epochs of the mean: those that every run reached.
        mean: mean over the runs.
        runs: the epochs and values of each run.
        broken: of each diverged run the step at which it diverged, and the same in epochs.
    """

    epochs: list[int]
    mean: list[float]
    runs: list[tuple[list[int], list[float]]]
    broken: list[tuple[int, float]]


def curve(evidence: Evidence, variant: str, field: str) -> Curve:
    """A field of ``history`` by epoch (``train_loss``, ``validation_accuracy``)."""
    runs, broken = [], []
    for run in evidence.runs(variant):
        if run.history:
            values = [float(getattr(epoch, field)) for epoch in run.history]
            runs.append(([epoch.epoch for epoch in run.history], values))
        if run.divergence is not None:
            broken.append((run.divergence.step, run.divergence.step / steps_per_epoch(run)))
    shortest = min((len(epochs) for epochs, _ in runs), default=0)
    epochs = runs[0][0][:shortest] if runs else []
    mean = [sum(values[i] for _, values in runs) / len(runs) for i in range(shortest)]
    return Curve(epochs, mean, runs, broken)


def steps_per_epoch(run: Record) -> int:
    """Steps per epoch; an incomplete last batch is left out."""
    images = run.config.train_images
    return images // min(run.config.batch_size, images)


def missing(evidence: Evidence, variants: Sequence[str]) -> tuple[str, ...]:
    """The variants that the profile plans and that have no run here."""
    planned = evidence.records.planned or {run.id for run in study.load().plan(_USUAL_PROFILE)}
    known = {name.rpartition(".s")[0] for name in planned}
    return tuple(variant for variant in evidence.missing(variants) if variant in known)


_Measure = TypeVar("_Measure")


def measured(
    variants: Sequence[str], measure: Callable[[str], _Measure | None]
) -> dict[str, _Measure]:
    """The measure of each variant that has one.

    Raises:
        NothingToDraw: none has.
    """
    found = {variant: result for variant in variants if (result := measure(variant))}
    if not found:
        raise NothingToDraw(variants)
    return found
