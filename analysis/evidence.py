"""What the records say about a network: accuracies, correctness image by image, losses.

A diverged run is evidence and the worst outcome: in comparisons its accuracy is 0, its loss that of
guessing. It has no accuracy to print. A failed run is as good as missing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

import models
from analysis.constants import CHANCE_LOSS
from analysis.labels import Split, as_digits, labels
from analysis.records import Records, mean, value
from analysis.statistics import Contrast, OneSided, Sample, contrast
from analysis.values import Kind, Source, Value
from experiments.record import Evaluation, Record

LossField = Literal["train_loss", "validation_loss"]


def title(variant: str) -> str:
    """How a variant is printed: ``ResNet18-mul`` as ``ResNet-18-mul``."""
    network, dash, rest = variant.partition("-")
    return models.NETWORKS[network].title + dash + rest


class Evidence:
    """Records by variant, with what comparisons need computed once."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self._runs: dict[str, list[Record]] = {}
        self._correct: dict[tuple[str, Split], NDArray[np.bool_] | None] = {}
        self._contrasts: dict[tuple[tuple[str, ...], tuple[float, ...], Split], Contrast] = {}

    def runs(self, variant: str) -> list[Record]:
        """Finished and diverged runs by seed."""
        if variant not in self._runs:
            found = self.records.of(variant, finished=False)
            self._runs[variant] = [record for record in found if record.status != "failed"]
        return self._runs[variant]

    def finished(self, variant: str) -> list[Record]:
        """Runs that have evaluations, by seed."""
        return [record for record in self.runs(variant) if record.status == "finished"]

    def diverged(self, variant: str) -> bool:
        """Whether every run of it diverged."""
        return bool(self.runs(variant)) and not self.finished(variant)

    def missing(self, variants: Sequence[str]) -> tuple[str, ...]:
        """Those of the variants that have no run."""
        return tuple(variant for variant in variants if not self.runs(variant))

    def present(self, variants: Sequence[str]) -> list[str]:
        """Those of the variants that have a run."""
        return [variant for variant in variants if self.runs(variant)]

    def ids(self, variants: Sequence[str]) -> tuple[str, ...]:
        """Ids of all their runs."""
        return tuple(record.id for variant in variants for record in self.runs(variant))

    def seeds(self, variants: Sequence[str]) -> int:
        """The least number of runs behind one of them."""
        return min((len(self.runs(variant)) for variant in variants), default=0)

    def accuracy(self, variant: str, split: Split = "test") -> Value | None:
        """Mean accuracy of the finished runs; None without any."""
        values = [value(run, f"{split}.accuracy", "accuracy") for run in self.finished(variant)]
        return mean(values) if values else None

    def mean(self, variant: str, path: str, kind: Kind) -> Value | None:
        """Mean of a field over the finished runs; None without any."""
        values = [value(run, path, kind) for run in self.finished(variant)]
        return mean(values) if values else None

    def size(self, variant: str, path: str, kind: Kind) -> Value:
        """A field of ``network`` (``parameters``, ``macs.torchinfo``), equal in all its runs.

        Raises:
            LookupError: the variant has no run.
        """
        for run in self.runs(variant):
            return value(run, f"network.{path}", kind)
        raise LookupError(f"no run of {variant}")

    def losses(self, variant: str, field: LossField) -> list[float]:
        """The last epoch's loss of every run; that of guessing where it diverged."""
        return [
            getattr(run.history[-1], field)
            if run.status == "finished" and run.history
            else CHANCE_LOSS
            for run in self.runs(variant)
        ]

    def loss(self, variant: str, field: LossField, epoch: int = -1) -> Value | None:
        """Mean loss of the last epoch (or the first, 0) over the finished runs."""
        values = [
            value(run, f"history.{epoch}.{field}", "loss")
            for run in self.finished(variant)
            if run.history
        ]
        return mean(values) if values else None

    def first_accuracy(self, variant: str) -> Value | None:
        """Mean validation accuracy after the first epoch over the finished runs."""
        values = [
            value(run, "history.0.validation_accuracy", "accuracy")
            for run in self.finished(variant)
            if run.history
        ]
        return mean(values) if values else None

    def score(self, variant: str, split: Split = "test") -> float:
        """Mean accuracy over all runs, diverged ones as 0: what ranks networks."""
        return self._sample(self.runs(variant), split).mean

    def compare(self, first: str, second: str, split: Split = "test") -> Contrast:
        """Accuracy of the first less that of the second.

        Nothing can be said of two networks that both diverged: the error is infinite.
        """
        if self.diverged(first) and self.diverged(second):
            return Contrast(0.0, math.inf, math.inf, "images", OneSided(1.0, 1.0))
        return self.contrast((first, second), (1, -1), split)

    def contrast(
        self, variants: Sequence[str], weights: Sequence[float], split: Split = "test"
    ) -> Contrast:
        """A weighted sum of accuracies: across seeds where each has several, else of one run
        each (of the least seed that all have, if there is one)."""
        key = (tuple(variants), tuple(weights), split)
        if key not in self._contrasts:
            samples = [self._sample(self.runs(variant), split) for variant in variants]
            if self.seeds(variants) < 2:
                chosen = self._one_each(variants)
                samples = [s.only(i) for s, i in zip(samples, chosen, strict=True)]
            self._contrasts[key] = contrast(samples, weights)
        return self._contrasts[key]

    def sources(self, variants: Sequence[str], split: Split = "test") -> tuple[Source, ...]:
        """The fields that a comparison of these variants depends on."""
        runs = [run for variant in variants for run in self.runs(variant)]
        return evaluation_sources(runs, split)

    def last_epoch(self, variants: Sequence[str], field: LossField) -> tuple[Source, ...]:
        """The fields that ``losses`` reads."""
        return tuple(
            Source(run.id, f"history.{len(run.history) - 1}.{field}")
            if run.status == "finished" and run.history
            else Source(run.id, "status")
            for variant in variants
            for run in self.runs(variant)
        )

    def _one_each(self, variants: Sequence[str]) -> list[int]:
        seeds = [[run.config.seed for run in self.runs(variant)] for variant in variants]
        common = set(seeds[0]).intersection(*seeds[1:])
        return [own.index(min(common)) if common else 0 for own in seeds]

    def pair(self, first: Record, second: Record, split: Split = "test") -> Contrast:
        """Accuracy of one run less that of another."""
        samples = [self._sample([run], split) for run in (first, second)]
        return contrast(samples, (1, -1))

    def _sample(self, runs: Sequence[Record], split: Split) -> Sample:
        correct = [self.correct(run, split) for run in runs]
        known = [row for row in correct if row is not None]
        whole = len(known) == len(runs) and len({len(row) for row in known}) == 1
        evaluations = [_evaluation(run, split) for run in runs]
        return Sample(
            tuple(item.accuracy if item else 0.0 for item in evaluations),
            min(_images(run, split) for run in runs),
            np.stack(known) if whole else None,
        )

    def correct(self, run: Record, split: Split) -> NDArray[np.bool_] | None:
        """Which images a run got right; None if its predictions belie the accuracy it states.

        An accuracy that was corrected by hand, or predictions of other images, must not be paired.
        """
        key = (run.id, split)
        if key not in self._correct:
            self._correct[key] = _correct(run, split)
        return self._correct[key]


def _evaluation(run: Record, split: Split) -> Evaluation | None:
    return run.test if split == "test" else run.validation


def _images(run: Record, split: Split) -> int:
    found = _evaluation(run, split)
    if found:
        return found.images
    return run.config.test_images if split == "test" else run.config.validation_images


def _correct(run: Record, split: Split) -> NDArray[np.bool_] | None:
    found = _evaluation(run, split)
    if found is None:
        return np.zeros(_images(run, split), dtype=bool)
    right = as_digits(found.predictions) == labels(run.config.dataset, split)[: found.images]
    if not len(right) or abs(float(right.mean()) - found.accuracy) > 0.5 / len(right):
        return None
    return right


def evaluation_sources(runs: Sequence[Record], split: Split = "test") -> tuple[Source, ...]:
    """The fields that a comparison of these runs depends on."""
    found = []
    for run in runs:
        if run.status == "finished":
            found += [Source(run.id, f"{split}.{name}") for name in ("accuracy", "predictions")]
        else:
            found.append(Source(run.id, "status"))
    return tuple(sorted(set(found)))
