"""Data of the figures from the records: values with intervals, curves, missing runs."""

from collections.abc import Iterable, Sequence, Sized
from dataclasses import dataclass
from statistics import fmean
from typing import Literal, NamedTuple, TypeVar

from analysis.evidence import Evidence
from analysis.figures.common.text import Words
from analysis.statistics import Sample, accuracy_interval
from analysis.true_labels import Split
from experiments.record import Divergence

Field = Literal["train_loss", "validation_accuracy"]


class NothingToDraw(LookupError):
    """No run of a figure exists."""


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
    return of(evidence.sample(variant, split)) if evidence.finished(variant) else None


def of(sample: Sample) -> Estimate:
    """The accuracy of a sample with its interval over seeds and images."""
    return Estimate(sample.accuracies, *accuracy_interval(sample))


def accuracies(
    evidence: Evidence, variants: Iterable[str], split: Split = "test"
) -> dict[str, Estimate]:
    """Accuracies of the variants with a finished run, the highest first."""
    found = {v: e for v in variants if (e := accuracy(evidence, v, split))}
    return dict(sorted(found.items(), key=lambda item: -item[1].mean))


def divergences(evidence: Evidence, variant: str) -> list[Divergence]:
    """When each of the diverged runs diverged."""
    return [run.divergence for run in evidence.runs(variant) if run.divergence]


def last_loss(evidence: Evidence, variant: str) -> float | None:
    """Training loss of the last epoch, the mean over the runs."""
    found = evidence.loss(variant, "train_loss")
    return None if found is None else float(found.value)


class Curve(NamedTuple):
    """A quantity by epoch, from the first.

    Attributes:
        mean: mean over the runs, up to the last epoch that every run reached.
        runs: the values of each run.
        broken: of each diverged run, when it diverged.
        worst: edge of a panel at which diverged runs are marked (0: lower, 1: upper).
    """

    mean: list[float]
    runs: list[list[float]]
    broken: list[Divergence]
    worst: int


def curve(evidence: Evidence, variant: str, field: Field) -> Curve:
    """A field of ``history`` by epoch."""
    found = evidence.runs(variant)
    runs = [[float(getattr(epoch, field)) for epoch in run.history] for run in found if run.history]
    mean = [fmean(values) for values in zip(*runs, strict=False)]
    worst = 1 if field == "train_loss" else 0
    return Curve(mean, runs, divergences(evidence, variant), worst)


def missing(evidence: Evidence, variants: Sequence[str], words: Words) -> str:
    """The note that names the variants without a run that the profile plans (all, if it is not of
    the study); empty if there are none."""
    planned = {name.rpartition(".s")[0] for name in evidence.records.planned}
    names = [words.name(v) for v in evidence.missing(variants) if v in planned or not planned]
    return words("missing", networks=words("comma").join(names)) if names else ""


_Found = TypeVar("_Found", bound=Sized)


def require(found: _Found) -> _Found:
    """The data of a figure, which must not be empty.

    Raises:
        NothingToDraw: they are.
    """
    if not found:
        raise NothingToDraw
    return found
