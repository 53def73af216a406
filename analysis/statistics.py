"""The statistical tests and intervals of the write-up, based on scipy.

**Scale.** Networks are compared by their error rates: a contrast is a weighted sum of -log(error
rate), so that a difference is the log of a ratio and a margin is relative. Half an image is added
to the errors and half to the correct ones, so that no rate is 0 or 1.

**Sources of variance.** Runs of one network differ by seed. All runs are evaluated on the same
images, which are also a sample. The variance of a contrast is the sum of

- the seeds' part. On the logit scale the variance between runs is about equal for all networks and
  is pooled over them (``pool``); a network that varies more keeps its own;
- the images' part: the variance over images of the contrast of each image's mean correctness, over
  the number of images. That variance and the one between runs both contain the interaction of
  seeds and images, which the two-way analysis of variance estimates; it is subtracted once.

Degrees of freedom are Satterthwaite's (1946). If no network has two runs there is no seeds' part,
and a test is only about these trained networks on images like these.

**Diverged runs** have no error rate. Comparisons with them are exact rank tests of the runs'
-log(error rate), shifted by the margin; a diverged run has the worst rank (``ranks``).

P-values are one-sided and in pairs, so that they can be combined to claims about sets: ``greater``
is small if the data are evidence for "above" (more accurate), ``less`` for "below".
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, permutations
from typing import Any, Literal, NamedTuple

import numpy as np
import scipy  # imports its subpackages on first use
from numpy.typing import NDArray

#: Level of every verdict, and one minus the confidence of every interval.
ALPHA = 0.05
#: A network keeps its own seed variance if the F test against the pool's has a p-value below this.
#: With a smaller level, tests are wrong too often if one network varies more; with a larger one,
#: many networks leave the pool by chance.
_OWN_VARIANCE = 0.01
#: Minimum p-value of a test; 0 represents a decision by rule.
_LEAST_P = float(np.finfo(float).tiny)
#: Maximum number of arrangements that a rank test enumerates.
_MOST_ARRANGEMENTS = 200_000

Test = Literal["seeds", "images", "ranks", "diverged", "untested"]


class OneSided(NamedTuple):
    """One-sided p-values: a small ``greater`` is evidence for "above", ``less`` for "below"."""

    greater: float
    less: float

    @property
    def two_sided(self) -> float:
        """The two-sided p-value: twice the smaller, at most 1."""
        return min(1.0, 2 * min(self))


class SeedVariance(NamedTuple):
    """Variance of the logit of the accuracy between runs, and its degrees of freedom.

    ``own``: whether it is estimated from this network alone.
    """

    variance: float
    freedom: float
    own: bool = False


@dataclass(frozen=True)
class Sample:
    """The finished runs of one network on one split."""

    accuracies: tuple[float, ...]  # one per run, as fractions
    images: int  # number of classified images
    correct: NDArray[np.bool_] = field(repr=False)  # which predictions are right, (runs, images)
    seeds: SeedVariance | None = None  # None if no network has two runs

    @property
    def mean(self) -> float:
        return sum(self.accuracies) / len(self.accuracies)

    @property
    def error(self) -> float:
        """Mean error rate, half-corrected."""
        return half_corrected(self.mean, self.images)

    @cached_property
    def image_means(self) -> NDArray[np.float64]:
        """Share of the runs that got each image right."""
        return np.asarray(self.correct.mean(axis=0), dtype=float)

    @cached_property
    def interaction(self) -> float:
        """Mean square of the seed-image interaction, by the two-way analysis of variance."""
        runs = len(self.correct)
        if runs < 2 or self.images < 2:
            return 0.0
        means = self.image_means
        within = float((runs * means * (1 - means)).sum())  # over the runs of each image
        between = self.images * float(np.var(self.correct.mean(axis=1))) * runs
        return max(0.0, within - between) / ((runs - 1) * (self.images - 1))


@dataclass(frozen=True)
class Contrast:
    """A weighted sum of -log(error rate), such as a log ratio, with its uncertainty.

    ``test``: ``seeds`` (seeds and images), ``images`` (single runs: images only), ``ranks``,
    ``diverged`` (every run of one network diverged and none of another: decided by rule) or
    ``untested`` (no test is possible). The last three have no standard error. ``ranked``: for a
    rank test, -log(error rate) of the runs of both networks; minus infinity for diverged runs.
    """

    estimate: float  # positive where the first network errs less
    error: float  # standard error; infinite without one
    freedom: float  # degrees of freedom of the standard error
    test: Test
    zero: OneSided  # evidence that the sum is above or below 0
    ranked: tuple[Sequence[float], Sequence[float]] | None = None

    def against(self, margin: float) -> OneSided:
        """Evidence that the sum is above or below ``margin``."""
        if self.ranked is not None:
            return ranks([score - margin for score in self.ranked[0]], self.ranked[1])
        if math.isinf(self.error):  # decided by rule or untested: the margin does not matter
            return self.zero
        return _one_sided(self.estimate - margin, self.error, self.freedom)

    def equivalent(self, margin: float) -> float:
        """Two one-sided tests (Schuirmann 1987): p-value for an absolute value below ``margin``."""
        return max(self.against(-margin).greater, self.against(margin).less)

    def interval(self) -> tuple[float, float]:
        """95 % confidence interval by Student's t."""
        return _interval(self.estimate, self.error, self.freedom)


def half_corrected(accuracy: float, images: int) -> float:
    """The error rate with half an image added to the errors and half to the correct ones."""
    return (images * (1 - accuracy) + 0.5) / (images + 1)


def pool(networks: Mapping[str, tuple[Sequence[float], int]]) -> dict[str, SeedVariance]:
    """The seed variance of each network, from the accuracies of its finished runs and the number of
    images; empty if no network has two runs.

    The pool has the networks with two runs or more and a mean accuracy above one half. Networks
    whose variance exceeds the others' significantly (F test), for example because a run never
    learnt a class, are removed one by one, the most deviant first. They keep their own variance
    and degrees of freedom, as does a network at chance whose variance exceeds the pool's. No
    network gets a variance below its own estimate.
    """
    own: dict[str, SeedVariance] = {}
    for name, (accuracies, images) in networks.items():
        if len(accuracies) >= 2:
            errors = np.array([half_corrected(value, images) for value in accuracies])
            logits = np.log((1 - errors) / errors)
            own[name] = SeedVariance(float(logits.var(ddof=1)), len(logits) - 1, own=True)
    if not own:
        return {}
    members = {name for name in own if np.mean(networks[name][0]) > 0.5} or set(own)
    while len(members) > 1:
        p_values = {name: _excess(own[name], _joint(own, members - {name})) for name in members}
        worst = min(sorted(members), key=lambda name: p_values[name])
        if p_values[worst] >= _OWN_VARIANCE:
            break
        members.remove(worst)
    pooled = _joint(own, members)
    found = dict.fromkeys(networks, pooled)
    for name, seeds in own.items():
        if name not in members and _excess(seeds, pooled) < _OWN_VARIANCE:
            found[name] = seeds
        elif seeds.variance > pooled.variance:
            found[name] = pooled._replace(variance=seeds.variance)
    return found


def _joint(own: Mapping[str, SeedVariance], names: set[str]) -> SeedVariance:
    chosen = [own[name] for name in sorted(names)]
    freedom = sum(seeds.freedom for seeds in chosen)
    return SeedVariance(sum(x.variance * x.freedom for x in chosen) / freedom, freedom)


def _excess(one: SeedVariance, others: SeedVariance) -> float:
    """Evidence (p-value of the F test) that one variance is larger than another."""
    if one.variance <= 0 or others.variance <= 0:
        return 1.0 if one.variance <= 0 else 0.0
    statistic = one.variance / others.variance
    return float(scipy.special.fdtrc(one.freedom, others.freedom, statistic))


def contrast(samples: Sequence[Sample], weights: Sequence[float]) -> Contrast:
    """A weighted sum of -log(error rate).

    Weights (1, -1) give the log of a ratio, (1, -1, -1, 1) that of a ratio of ratios.
    """
    estimate = -sum(w * math.log(s.error) for w, s in zip(weights, samples, strict=True))
    slopes = [w / s.error for w, s in zip(weights, samples, strict=True)]
    total, freedom = _variance(samples, slopes)
    error = math.sqrt(total)
    test: Test = "images" if any(s.seeds is None for s in samples) else "seeds"
    return Contrast(estimate, error, freedom, test, _one_sided(estimate, error, freedom))


def accuracy_interval(sample: Sample) -> tuple[float, float]:
    """95 % interval of a network's accuracy over seeds and images, on the logit scale.

    For a single run without a seed variance it covers the images only.
    """
    wrong = sample.error
    right = 1 - wrong
    total, freedom = _variance([sample], [1 / (wrong * right)])
    low, high = _interval(math.log(right / wrong), math.sqrt(total), freedom)
    return float(scipy.special.expit(low)), float(scipy.special.expit(high))


def _variance(samples: Sequence[Sample], slopes: Sequence[float]) -> tuple[float, float]:
    """Variance of a sum of functions of accuracies (delta method) and its degrees of freedom.

    ``slopes``: the derivative of the sum with respect to each network's accuracy.
    """
    pooled: list[tuple[float, float]] = []
    own: list[tuple[float, float]] = []
    for sample, slope in zip(samples, slopes, strict=True):
        if sample.seeds is not None:
            scale = slope * sample.error * (1 - sample.error)  # derivative w.r.t. the logit
            part = scale**2 * sample.seeds.variance / len(sample.accuracies)
            (own if sample.seeds.own else pooled).append((part, sample.seeds.freedom))
    parts = [*own]
    if pooled:  # the pool is one estimate, so it is one term of Satterthwaite's formula
        parts.append((sum(part for part, _ in pooled), pooled[0][1]))
    total = sum(part for part, _ in parts) + _image_variance(samples, slopes)
    spread = sum(part**2 / freedom for part, freedom in parts)
    return total, total**2 / spread if spread > 0 else math.inf


def _image_variance(samples: Sequence[Sample], slopes: Sequence[float]) -> float:
    """The images' part of the variance, without the interaction, which the seeds' part contains; at
    least the variance from one image. It is taken over the images that all samples have."""
    images = min(sample.images for sample in samples)
    scores = np.zeros(images)
    interaction = 0.0
    for slope, sample in zip(slopes, samples, strict=True):
        scores += slope * sample.image_means[:images]
        if sample.seeds is not None:
            interaction += slope**2 * sample.interaction / len(sample.accuracies)
    least = max(slope**2 for slope in slopes) / images**2
    variance = float(scores.var(ddof=1)) if images > 1 else 0.0
    return max((variance - interaction) / images, least)


def wilson(accuracy: float, images: int) -> tuple[float, float]:
    """Wilson's 95 % interval for the accuracy on a sample of images."""
    test = scipy.stats.binomtest(round(accuracy * images), images)
    ends = test.proportion_ci(1 - ALPHA, method="wilson")
    return float(ends.low), float(ends.high)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's correction of the p-values of one family.

    Equals statsmodels' ``multipletests``, which takes 50 ms per call for garbage collection.
    """
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(stepped, 1.0)
    return [float(value) for value in corrected]


def mcnemar(first_only: int, second_only: int) -> OneSided:
    """Exact McNemar test on the discordant images, which exactly one network got right.

    ``two_sided`` equals statsmodels' ``mcnemar(exact=True)``, which has no one-sided form.
    """
    count = first_only + second_only
    if count == 0:
        return OneSided(1.0, 1.0)
    return _by_scipy(scipy.stats.binomtest, first_only, count)


def ranks(first: Sequence[float], second: Sequence[float]) -> OneSided:
    """Exact Mann-Whitney test: evidence that the first values are above, or below, the second.

    Ties share their mean rank; ``-inf`` represents the worst outcome. All arrangements are
    enumerated; for large samples scipy's ``mannwhitneyu`` is used.
    """
    placed = scipy.stats.rankdata([*first, *second])
    if math.comb(len(placed), len(first)) > _MOST_ARRANGEMENTS:
        return _by_scipy(scipy.stats.mannwhitneyu, placed[: len(first)], placed[len(first) :])
    sums = [sum(chosen) for chosen in combinations(placed, len(first))]
    return _by_rank(float(placed[: len(first)].sum()), sums)


def welch(first: Sequence[float], second: Sequence[float]) -> OneSided:
    """Welch's t test of two means over runs; p-values are 1 with fewer than two values a side."""
    if min(len(first), len(second)) < 2:
        return OneSided(1.0, 1.0)
    if len(set(first)) == len(set(second)) == 1:  # zero variance: no t statistic
        return ranks(first, second)
    sides = [(np.mean(x), np.std(x, ddof=1), len(x)) for x in (first, second)]
    return _by_scipy(scipy.stats.ttest_ind_from_stats, *sides[0], *sides[1], equal_var=False)


def student(values: Sequence[float], centre: float) -> OneSided:
    """Student's t test of a mean against ``centre``; p-values are 1 for a single value."""
    data = np.asarray(values, dtype=float)
    if len(data) < 2:
        return OneSided(1.0, 1.0)
    if len(set(values)) == 1:  # zero variance, no t statistic: sign test
        least = 0.5 ** len(data)
        return OneSided(least if data[0] > centre else 1.0, least if data[0] < centre else 1.0)
    error = float(data.std(ddof=1)) / math.sqrt(len(data))
    return _one_sided(float(data.mean()) - centre, error, len(data) - 1)


def mean_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Student's 95 % interval of a mean over runs; None for fewer than two."""
    if len(values) < 2:
        return None
    data = np.asarray(values, dtype=float)
    error = float(data.std(ddof=1)) / math.sqrt(len(data))
    return _interval(float(data.mean()), error, len(data) - 1)


def difference_interval(
    first: Sequence[float], second: Sequence[float]
) -> tuple[float, float] | None:
    """Welch's 95 % interval of a difference of means over runs; None for fewer than two a side."""
    if min(len(first), len(second)) < 2:
        return None
    parts = [float(np.var(x, ddof=1)) / len(x) for x in (first, second)]
    spread = sum(p**2 / (len(x) - 1) for p, x in zip(parts, (first, second), strict=True))
    freedom = sum(parts) ** 2 / spread if spread > 0 else math.inf
    return _interval(float(np.mean(first) - np.mean(second)), math.sqrt(sum(parts)), freedom)


def slope(x: Sequence[float], y: Sequence[float]) -> tuple[float, float, OneSided]:
    """Least squares: slope, its standard error, and evidence that it is above or below 0.

    With fewer than three points or a single ``x`` the standard error is infinite and p-values are
    1. Points exactly on a line have no t statistic; then Spearman's test is used.
    """
    if len(x) < 3 or len(set(x)) < 2:
        return 0.0, math.inf, OneSided(1.0, 1.0)
    fit = scipy.stats.linregress(x, y)
    found, error = float(fit.slope), float(fit.stderr)
    if error <= 1e-7 * abs(found):
        return found, error, spearman(x, y)[1]
    return found, error, _one_sided(found, error, len(x) - 2)


def spearman(x: Sequence[float], y: Sequence[float]) -> tuple[float, OneSided]:
    """Spearman's rank correlation: exact by permutation up to 8 points, else the t approximation.

    P-values are 1 for fewer than four points or constant values.
    """
    if len(x) < 4 or len(set(x)) < 2 or len(set(y)) < 2:
        return 0.0, OneSided(1.0, 1.0)
    if len(x) > 8:
        least = 1 / math.factorial(min(len(x), 20))  # probability of one arrangement
        tails = (max(tail, least) for tail in _by_scipy(scipy.stats.spearmanr, x, y))
        return float(scipy.stats.spearmanr(x, y).statistic), OneSided(*tails)
    a, b = scipy.stats.rankdata(x), scipy.stats.rankdata(y)
    p = _by_rank(float(np.dot(a, b)), [np.dot(a, order) for order in permutations(b)])
    return float(np.corrcoef(a, b)[0, 1]), p


def most_often(runs: int) -> float:
    """Exact 95 % upper bound of a probability after 0 events in ``runs`` runs."""
    return 1.0 if runs == 0 else 1 - float(ALPHA ** (1 / runs))


def _by_scipy(test: Callable[..., Any], *data: Any, **options: Any) -> OneSided:
    """The one-sided p-values of a test of scipy."""
    sides = (test(*data, alternative=side, **options) for side in ("greater", "less"))
    return OneSided(*(float(side.pvalue) for side in sides))


def _by_rank(observed: float, arrangements: Sequence[float]) -> OneSided:
    """The shares of all arrangements whose sum is at least, or at most, the observed one."""
    sums, near = np.array(arrangements), 1e-9
    return OneSided(
        float((sums >= observed - near).mean()), float((sums <= observed + near).mean())
    )


def _one_sided(distance: float, error: float, freedom: float) -> OneSided:
    statistic = distance / error
    tails = scipy.special.stdtr(freedom, [-statistic, statistic])
    return OneSided(*(max(float(tail), _LEAST_P) for tail in tails))


def _interval(centre: float, error: float, freedom: float) -> tuple[float, float]:
    reach = float(scipy.special.stdtrit(freedom, 1 - ALPHA / 2)) * error
    return centre - reach, centre + reach
