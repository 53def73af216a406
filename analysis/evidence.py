"""Accuracies, correctness of each image, and losses of each network, from the records.

A diverged run counts as the worst outcome: in comparisons it has the worst rank, and its loss is
that of guessing. It has no accuracy to print. A failed run counts as missing.

The seed variance behind an interval or a test is pooled over all networks of the folder
(``statistics.pool``); the sources of a number name the runs that it compares.
"""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

import models
from analysis.constants import CHANCE_LOSS
from analysis.records import Records, mean, value
from analysis.statistics import (
    Contrast,
    OneSided,
    Sample,
    SeedVariance,
    contrast,
    half_corrected,
    pool,
    ranks,
)
from analysis.true_labels import Split, as_digits, labels
from analysis.values import Kind, Source, Value
from experiments.record import Evaluation, Record

#: ``train_evaluation``: loss of the training images in evaluation mode, after training.
LossField = Literal["train_loss", "validation_loss", "train_evaluation"]


def title(variant: str) -> str:
    """How a variant is printed: ``ResNet18-mul`` as ``ResNet-18-mul``."""
    network, dash, rest = variant.partition("-")
    return models.NETWORKS[network].title + dash + rest


class Evidence:
    """Records by variant; samples are made once and cached."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self._samples: dict[tuple[str, Split], Sample] = {}
        self._pools: dict[Split, dict[str, SeedVariance]] = {}

    def runs(self, variant: str) -> list[Record]:
        """Finished and diverged runs by seed."""
        return [record for record in self.records.of(variant) if record.status != "failed"]

    def finished(self, variant: str) -> list[Record]:
        """Runs that have evaluations, by seed."""
        return [record for record in self.runs(variant) if record.status == "finished"]

    def diverged(self, variant: str) -> bool:
        """Whether there are runs and every one diverged."""
        return bool(self.runs(variant)) and not self.finished(variant)

    def missing(self, variants: Sequence[str]) -> tuple[str, ...]:
        """The variants without a run."""
        return tuple(variant for variant in variants if not self.runs(variant))

    def present(self, variants: Sequence[str]) -> list[str]:
        """The variants with a run."""
        return [variant for variant in variants if self.runs(variant)]

    def ids(self, variants: Sequence[str]) -> tuple[str, ...]:
        """Ids of all runs of the variants."""
        return tuple(record.id for variant in variants for record in self.runs(variant))

    def seeds(self, variants: Sequence[str]) -> int:
        """The smallest number of runs of any of the variants."""
        return min((len(self.runs(variant)) for variant in variants), default=0)

    def accuracy(self, variant: str, split: Split = "test") -> Value | None:
        """Mean accuracy of the finished runs; None without any."""
        return self.mean(variant, f"{split}.accuracy", "accuracy")

    def mean(self, variant: str, path: str, kind: Kind) -> Value | None:
        """Mean of a field over the finished runs that have it; None without any."""
        found = [item for run in self.finished(variant) if (item := _field(run, path, kind))]
        return mean(found) if found else None

    def size(self, variant: str, path: str, kind: Kind) -> Value:
        """A field of ``network`` (``parameters``, ``macs.torchinfo``), equal in all runs of the
        variant, which must have one."""
        return value(self.runs(variant)[0], f"network.{path}", kind)

    def loss_kind(self, variants: Sequence[str]) -> LossField:
        """Which training loss compares the variants: that in evaluation mode if every finished run
        has it, else the running mean of the last epoch."""
        runs = [run for variant in variants for run in self.finished(variant)]
        return "train_evaluation" if all(run.train_evaluation for run in runs) else "train_loss"

    def losses(self, variant: str, field: LossField) -> list[float]:
        """The loss of every run after training; that of guessing where it diverged."""
        return [found.value for found in self._losses((variant,), field)]

    def training_loss(self, variant: str, kind: LossField) -> Value | None:
        """Mean training loss over the finished runs; ``kind`` by ``loss_kind``."""
        return self.mean(variant, _loss_path(kind), "loss")

    def loss(self, variant: str, field: LossField, epoch: int = -1) -> Value | None:
        """Mean loss of the last epoch (or the first, 0) over the finished runs."""
        return self.mean(variant, f"history.{epoch}.{field}", "loss")

    def score(self, variant: str) -> float:
        """The number that ranks networks: mean accuracy of the finished runs; -1 without any."""
        found = self.accuracy(variant)
        return found.value if found else -1.0

    def compare(self, first: str, second: str, split: Split = "test") -> Contrast:
        """Log of the error rate of the second over that of the first; positive if the first is
        better."""
        return self.contrast((first, second), (1, -1), split)

    def contrast(
        self, variants: Sequence[str], weights: Sequence[float], split: Split = "test"
    ) -> Contrast:
        """A weighted sum of -log(error rate) of networks that have runs.

        If every run of some networks diverged, all with weights of one sign, and no run of the
        others, the former are worse by rule. Else, if some run of two compared networks diverged,
        the contrast is a rank test; of more networks it is ``untested``.
        """
        broken = [v for v in variants if len(self.finished(v)) < len(self.runs(v))]
        if not broken:
            return contrast([self.sample(v, split) for v in variants], weights)
        signs = {w > 0 for v, w in zip(variants, weights, strict=True) if v in broken}
        if all(self.diverged(v) for v in broken) and len(signs) == 1:
            worse = signs.pop()
            zero = OneSided(float(worse), float(not worse))
            return Contrast(-math.inf if worse else math.inf, math.inf, math.inf, "diverged", zero)
        if tuple(weights) == (1, -1):
            first, second = (self.scores(v, split) for v in variants)
            zero = ranks(first, second)
            return Contrast(0.0, math.inf, math.inf, "ranks", zero, (first, second))
        return Contrast(0.0, math.inf, math.inf, "untested", OneSided(1.0, 1.0))

    def scores(self, variant: str, split: Split = "test") -> list[float]:
        """-log(error rate) of each run; minus infinity for one that diverged."""
        found = [_evaluation(run, split) for run in self.runs(variant)]
        return [
            -math.log(half_corrected(item.accuracy, item.images)) if item else -math.inf
            for item in found
        ]

    def sources(self, variants: Sequence[str], split: Split = "test") -> tuple[Source, ...]:
        """The record fields that a comparison of these variants depends on."""
        runs = [run for variant in variants for run in self.runs(variant)]
        return evaluation_sources(runs, split)

    def loss_sources(self, variants: Sequence[str], field: LossField) -> tuple[Source, ...]:
        """The record fields that ``losses`` reads."""
        return tuple(source for found in self._losses(variants, field) for source in found.sources)

    def _losses(self, variants: Sequence[str], field: LossField) -> list[Value]:
        runs = [run for variant in variants for run in self.runs(variant)]
        return [
            (run.status == "finished" and _field(run, _loss_path(field), "loss"))
            or Value(CHANCE_LOSS, "loss", (Source(run.id, "status"),))
            for run in runs
        ]

    def of(self, runs: Sequence[Record]) -> Sample:
        """The sample of some finished runs of one network, on the test images.

        Runs of variants that are not in the study have the pooled seed variance.
        """
        pooled = self._pool("test")
        shared = min((seeds for seeds in pooled.values() if not seeds.own), default=None)
        return self._sample(runs, "test", pooled.get(runs[0].id.rpartition(".s")[0]) or shared)

    def sample(self, variant: str, split: Split = "test") -> Sample:
        """The sample of the finished runs of a variant, which must have one."""
        key = (variant, split)
        if key not in self._samples:
            seeds = self._pool(split).get(variant)
            self._samples[key] = self._sample(self.finished(variant), split, seeds)
        return self._samples[key]

    def _pool(self, split: Split) -> dict[str, SeedVariance]:
        if split not in self._pools:
            networks = {}
            for variant in sorted({record.id.rpartition(".s")[0] for record in self.records}):
                found = [e for run in self.finished(variant) if (e := _evaluation(run, split))]
                if found:
                    networks[variant] = [e.accuracy for e in found], found[0].images
            self._pools[split] = pool(networks)
        return self._pools[split]

    def _sample(self, runs: Sequence[Record], split: Split, seeds: SeedVariance | None) -> Sample:
        evaluations = [e for run in runs if (e := _evaluation(run, split))]
        images = min(item.images for item in evaluations)
        right = np.stack([correct(run, split)[:images] for run in runs])
        return Sample(tuple(item.accuracy for item in evaluations), images, right, seeds)


def correct(run: Record, split: Split) -> NDArray[np.bool_]:
    """Which images a finished run got right."""
    found = _evaluation(run, split)
    assert found is not None
    return as_digits(found.predictions) == labels(run.config.dataset, split)[: found.images]


def _loss_path(field: LossField) -> str:
    return "train_evaluation.loss" if field == "train_evaluation" else f"history.-1.{field}"


def _field(run: Record, path: str, kind: Kind) -> Value | None:
    """A field of a record; None if the part that the path begins with is missing or empty."""
    return value(run, path, kind) if getattr(run, path.partition(".")[0]) else None


def _evaluation(run: Record, split: Split) -> Evaluation | None:
    return run.test if split == "test" else run.validation


def evaluation_sources(runs: Sequence[Record], split: Split = "test") -> tuple[Source, ...]:
    """The record fields that a comparison of these runs depends on."""
    found = []
    for run in runs:
        if run.status == "finished":
            found += [Source(run.id, f"{split}.{name}") for name in ("accuracy", "predictions")]
        else:
            found.append(Source(run.id, "status"))
    return tuple(sorted(set(found)))
