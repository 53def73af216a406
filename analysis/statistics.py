"""The tests and intervals of the write-up: thin, over scipy and statsmodels.

**One run a network.** Two networks classify the same images, so their errors are paired: exact
McNemar on the images where exactly one of them is right. It says whether *these two trained
networks* differ on images like these; another seed might have come out otherwise.

**Several seeds.** The unit is the run: Welch's test on the runs' accuracies. All runs see the same
test images, so their spread holds no image sampling; the standard error therefore adds that of the
images (from the mean correctness of each image), and a difference must stand out from both.

P-values come one-sided in pairs, so that claims over sets can be put together from them:
``greater`` is small when the data speak for "above", ``less`` for "below".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import scipy  # loads its parts on first use: a report of unchanged records needs none
from numpy.typing import NDArray

#: Level of every verdict, and one minus the confidence of every interval.
ALPHA = 0.05

Test = Literal["mcnemar", "images", "proportions", "seeds"]


class OneSided(NamedTuple):
    """Evidence for "above" and for "below": a small p speaks for it."""

    greater: float
    less: float

    @property
    def two_sided(self) -> float:
        """The usual two-sided p-value: twice the smaller, at most 1."""
        return min(1.0, 2 * min(self))


@dataclass(frozen=True)
class Sample:
    """How the runs of one network did on one split.

    Attributes:
        accuracies: one a run, as fractions; 0 for a diverged run, the worst outcome there is.
        images: how many were classified.
        correct: runs by images, whether each was right; None where that is not known.
    """

    accuracies: tuple[float, ...]
    images: int
    correct: NDArray[np.bool_] | None = field(repr=False)

    def only(self, index: int) -> Sample:
        """One run of it."""
        correct = None if self.correct is None else self.correct[index : index + 1]
        return Sample(self.accuracies[index : index + 1], self.images, correct)

    @property
    def mean(self) -> float:
        return sum(self.accuracies) / len(self.accuracies)


@dataclass(frozen=True)
class Contrast:
    """A weighted sum of accuracies, such as a difference, with its uncertainty.

    Attributes:
        estimate: the weighted sum, a fraction.
        error: its standard error.
        freedom: degrees of freedom of the error; infinite where only images are sampled.
        test: ``mcnemar`` (a difference of two paired runs), ``images`` (another contrast of single
            runs), ``proportions`` (single runs whose errors cannot be paired) or ``seeds``.
        zero: evidence for the sum to be above or below 0.
    """

    estimate: float
    error: float
    freedom: float
    test: Test
    zero: OneSided

    def against(self, margin: float) -> OneSided:
        """Evidence for the sum to be above or below ``margin``."""
        return _one_sided(self.estimate - margin, self.error, self.freedom)

    def equivalent(self, margin: float) -> float:
        """Two one-sided tests (Schuirmann 1987): evidence for a size of less than ``margin``."""
        return max(self.against(-margin).greater, self.against(margin).less)

    def interval(self, alpha: float = ALPHA) -> tuple[float, float]:
        """Confidence interval by Student's t or, where only images are sampled, the normal."""
        reach = _t_quantile(1 - alpha / 2, self.freedom) * self.error
        return self.estimate - reach, self.estimate + reach


def wilson(accuracy: float, images: int) -> tuple[float, float]:
    """Wilson's 95 % interval for the accuracy on a sample of images."""
    from statsmodels.stats.proportion import proportion_confint  # takes a second to load

    low, high = proportion_confint(accuracy * images, images, alpha=ALPHA, method="wilson")
    return float(low), float(high)


def seed_interval(values: Sequence[float]) -> tuple[float, float]:
    """Student's 95 % interval for the mean over seeds, clipped to [0, 1]; needs two values."""
    data = np.asarray(values)
    error = float(data.std(ddof=1)) / math.sqrt(len(data))
    reach = _t_quantile(1 - ALPHA / 2, len(data) - 1) * error
    return max(0.0, float(data.mean()) - reach), min(1.0, float(data.mean()) + reach)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's correction of the p-values of one family.

    Equal to statsmodels' ``multipletests``, which collects garbage on every call: 50 ms each.
    """
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(stepped, 1.0)
    return [float(value) for value in corrected]


def mcnemar(first_only: int, second_only: int) -> OneSided:
    """Exact McNemar test from the discordant images: those that only one network got right.

    ``two_sided`` equals statsmodels' ``mcnemar(exact=True)``, which has no one-sided form.
    """
    count = first_only + second_only
    if count == 0:
        return OneSided(1.0, 1.0)
    # P(X >= first_only) and P(X <= first_only) for X ~ Binomial(count, 1/2).
    greater = 1.0 if first_only == 0 else float(scipy.special.bdtrc(first_only - 1, count, 0.5))
    return OneSided(greater, float(scipy.special.bdtr(first_only, count, 0.5)))


def contrast(samples: Sequence[Sample], weights: Sequence[float]) -> Contrast:
    """A weighted sum of accuracies: (1, -1) is a difference, (1, -1, -1, 1) one of differences.

    With two or more runs in every sample the test is across seeds, otherwise each sample must
    hold one run and the images are what is sampled.

    Raises:
        ValueError: samples of one and of several runs mixed.
    """
    runs = [len(sample.accuracies) for sample in samples]
    estimate = sum(w * sample.mean for w, sample in zip(weights, samples, strict=True))
    image_error = _image_error(samples, weights)
    if min(runs) >= 2:
        parts = [
            weight**2 * float(np.var(sample.accuracies, ddof=1)) / len(sample.accuracies)
            for weight, sample in zip(weights, samples, strict=True)
        ]
        total = sum(parts) + image_error**2
        # Welch and Satterthwaite; the images' part has so many degrees of freedom as to be exact.
        spread = sum(part**2 / (n - 1) for part, n in zip(parts, runs, strict=True))
        freedom = total**2 / spread if spread > 0 else math.inf
        error = math.sqrt(total)
        return Contrast(estimate, error, freedom, "seeds", _one_sided(estimate, error, freedom))
    if max(runs) > 1:
        raise ValueError("contrast: samples of one run and of several cannot be mixed")
    counts = discordant(*samples) if len(samples) == 2 and tuple(weights) == (1, -1) else None
    if counts is not None:
        error = _agresti_min(*counts, samples[0].images)
        return Contrast(estimate, error, math.inf, "mcnemar", mcnemar(*counts))
    test: Test = "proportions" if _paired(samples) is None else "images"
    zero = _one_sided(estimate, image_error, math.inf)
    return Contrast(estimate, image_error, math.inf, test, zero)


def discordant(first: Sample, second: Sample) -> tuple[int, int] | None:
    """Images that only the first run got right, and only the second; None where not paired."""
    paired = _paired([first, second])
    if paired is None:
        return None
    a, b = paired[0][0], paired[1][0]
    return int(np.count_nonzero(a & ~b)), int(np.count_nonzero(b & ~a))


def welch(first: Sequence[float], second: Sequence[float]) -> OneSided:
    """Welch's t test of two means over seeds; two values a side at least."""
    if len(set(first)) == len(set(second)) == 1:  # no spread, and so no t statistic
        return OneSided(float(first[0] <= second[0]), float(first[0] >= second[0]))
    moments = [(np.mean(x), np.std(x, ddof=1), len(x)) for x in (first, second)]
    greater = scipy.stats.ttest_ind_from_stats(
        *moments[0], *moments[1], equal_var=False, alternative="greater"
    ).pvalue
    return OneSided(float(greater), 1 - float(greater))


def student(values: Sequence[float], centre: float) -> OneSided:
    """Student's t test for a mean above or below ``centre``; no evidence from a single value."""
    data = np.asarray(values, dtype=float)
    if len(data) < 2:
        return OneSided(1.0, 1.0)
    error = float(data.std(ddof=1)) / math.sqrt(len(data))
    return _one_sided(float(data.mean()) - centre, error, len(data) - 1)


def signed_rank(values: Sequence[float], centre: float) -> OneSided:
    """Wilcoxon's signed-rank test for a median above or below ``centre``."""
    shifted = np.asarray(values) - centre
    if not shifted.any():
        return OneSided(1.0, 1.0)
    greater = scipy.stats.wilcoxon(shifted, alternative="greater").pvalue
    return OneSided(float(greater), float(scipy.stats.wilcoxon(shifted, alternative="less").pvalue))


def rank_sum(first: Sequence[float], second: Sequence[float]) -> OneSided:
    """Mann-Whitney test for the first values to lie above or below the second."""
    greater = scipy.stats.mannwhitneyu(first, second, alternative="greater").pvalue
    less = scipy.stats.mannwhitneyu(first, second, alternative="less").pvalue
    return OneSided(float(greater), float(less))


def _paired(samples: Sequence[Sample]) -> list[NDArray[np.bool_]] | None:
    """Correctness of all samples, if all have it, on the same images."""
    known = [sample.correct for sample in samples if sample.correct is not None]
    same = len({sample.images for sample in samples}) == 1
    return known if same and len(known) == len(samples) else None


def _image_error(samples: Sequence[Sample], weights: Sequence[float]) -> float:
    """Standard error of the contrast from the sampling of images alone."""
    paired = _paired(samples)
    if paired is None:
        variance = sum(
            w**2 * sample.mean * (1 - sample.mean) / sample.images
            for w, sample in zip(weights, samples, strict=True)
        )
        return math.sqrt(variance)
    images = samples[0].images
    total = np.zeros(images)
    for weight, correct in zip(weights, paired, strict=True):
        total += weight * (correct[0] if len(correct) == 1 else correct.mean(axis=0))
    return float(total.std(ddof=1)) / math.sqrt(images) if images > 1 else math.inf


def _agresti_min(first_only: int, second_only: int, images: int) -> float:
    """Standard error of a paired difference, never 0: Wald's after adding half an image to each
    cell (Agresti and Min 2005)."""
    b, c, n = first_only + 0.5, second_only + 0.5, images + 2.0
    return math.sqrt(b + c - (b - c) ** 2 / n) / n


def _one_sided(distance: float, error: float, freedom: float) -> OneSided:
    if error <= 0:
        return OneSided(float(distance <= 0), float(distance >= 0))
    statistic = distance / error
    if math.isinf(freedom):
        return OneSided(float(scipy.special.ndtr(-statistic)), float(scipy.special.ndtr(statistic)))
    tails = scipy.special.stdtr(freedom, [-statistic, statistic])
    return OneSided(float(tails[0]), float(tails[1]))


def _t_quantile(share: float, freedom: float) -> float:
    return float(
        scipy.special.ndtri(share) if math.isinf(freedom) else scipy.special.stdtrit(freedom, share)
    )
