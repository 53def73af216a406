"""The tests and intervals, against statsmodels, scipy, the bootstrap and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests

from analysis.statistics import (
    OneSided,
    Sample,
    SeedVariance,
    accuracy_interval,
    contrast,
    holm,
    mcnemar,
    pool,
    ranks,
    slope,
    spearman,
    student,
    welch,
    wilson,
)


def sample(*runs: np.ndarray) -> Sample:
    return Sample(tuple(float(run.mean()) for run in runs), len(runs[0]), np.stack(runs))


def paired(rng: np.random.Generator, accuracies: list[float], images: int) -> list[Sample]:
    """Runs that err on the same images, on the whole."""
    hard = rng.standard_normal(images)
    return [
        sample(0.8 * hard + 0.6 * rng.standard_normal(images) < stats.norm.ppf(accuracy))
        for accuracy in accuracies
    ]


def test_wilson_is_scipys() -> None:
    expected = stats.binomtest(9_836, 10_000).proportion_ci(method="wilson")
    assert wilson(0.9836, 10_000) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("accuracy", [0.0, 1.0])
def test_wilson_at_the_ends_has_a_width(accuracy: float) -> None:
    low, high = wilson(accuracy, 10_000)
    assert 0 <= low < high <= 1


@settings(max_examples=20, deadline=None)  # statsmodels collects garbage on each call
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_statsmodels(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(list(multipletests(p_values, method="holm")[1]))


def test_holm_of_nothing() -> None:
    assert holm([]) == []


@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_is_statsmodels(first: int, second: int) -> None:
    expected = statsmodels_mcnemar([[0, first], [second, 0]], exact=True).pvalue
    assert mcnemar(first, second).two_sided == pytest.approx(float(expected))


@given(st.integers(0, 60), st.integers(0, 60).filter(bool))
def test_mcnemar_one_sided_is_the_sign_test(first: int, second: int) -> None:
    expected = stats.binomtest(first, first + second, alternative="greater").pvalue
    assert mcnemar(first, second).greater == pytest.approx(expected)
    assert mcnemar(second, first).less == pytest.approx(expected)


def test_welch_without_spread() -> None:
    """Of two runs a side no more can be shown than their order: one of six arrangements."""
    assert welch([0.2, 0.2], [0.1, 0.1]) == OneSided(pytest.approx(1 / 6), 1)
    assert welch([0.1, 0.1], [0.1, 0.1]) == OneSided(1, 1)


def test_student_is_scipys() -> None:
    values = [0.1, 0.3, 0.25, 0.4, 0.05]
    expected = stats.ttest_1samp(values, 0.1, alternative="greater").pvalue
    assert student(values, 0.1).greater == pytest.approx(float(expected))
    assert student([0.3], 0) == OneSided(1, 1)


def test_student_without_spread_is_the_signs_test() -> None:
    assert student([-12.0] * 5, 0) == OneSided(1, 1 / 32)
    assert student([0.5, 0.5], 0.5) == OneSided(1, 1)


def test_difference_of_differences_has_the_bootstraps_error() -> None:
    rng = np.random.default_rng(3)
    samples = paired(rng, [0.97, 0.96, 0.97, 0.90], 3_000)
    found = contrast(samples, (1, -1, -1, 1))
    correct = np.stack([item.correct[0] for item in samples if item.correct is not None])
    picks = rng.integers(0, 3_000, (2_000, 3_000))
    errors = np.stack([1 - row[picks].mean(axis=1) for row in correct])
    logs = -np.array([1, -1, -1, 1]) @ np.log(errors)
    assert found.test == "images"
    assert found.error == pytest.approx(float(logs.std()), rel=0.08)
    assert found.interval()[0] < found.estimate < found.interval()[1]


def test_the_pool_is_the_mean_variance_and_leaves_out_what_deviates() -> None:
    rng = np.random.default_rng(4)
    networks = {
        f"n{i}": (tuple(1 / (1 + np.exp(-rng.normal(4, 0.1, 5)))), 10_000) for i in range(10)
    }
    found = pool(networks | {"wild": ((0.97, 0.97, 0.87, 0.97, 0.97), 10_000)})
    assert found["wild"].own
    assert found["wild"].freedom == 4
    shared = [seeds for name, seeds in found.items() if name != "wild"]
    assert {seeds.freedom for seeds in shared} == {40}
    pooled = min(seeds.variance for seeds in shared)
    assert math.sqrt(pooled) == pytest.approx(0.1, rel=0.4)
    for name, (accuracies, _) in networks.items():  # never less than a network's own estimate
        own = np.var([math.log(x / (1 - x)) for x in accuracies], ddof=1)
        assert found[name].variance == pytest.approx(max(pooled, own), rel=1e-2)
    assert pool({"a": ((0.9,), 100)}) == {}


def test_no_interval_is_without_width_or_beyond_the_ends() -> None:
    seeds = SeedVariance(0.005, 20)
    for value in (0.0, 0.1165, 0.98, 1.0):
        right = np.zeros((3, 1_000), dtype=bool)
        right[:, : round(1_000 * value)] = True
        low, high = accuracy_interval(Sample((value,) * 3, 1_000, right, seeds))
        assert 0 < low < high < 1


def test_ranks_are_scipys_and_diverged_is_worst() -> None:
    first, second = [0.1, 0.2, 0.35], [0.3, 0.5, 0.6, 0.7]
    expected = stats.mannwhitneyu(first, second, alternative="less", method="exact").pvalue
    assert ranks(first, second).less == pytest.approx(expected)
    assert ranks([-math.inf] * 5, [0.1] * 5).less == pytest.approx(1 / 252)


def test_slope_and_spearman_are_scipys() -> None:
    x, y = [1, 2, 3, 4, 5, 6, 7, 8, 9], [1.0, 2.5, 2.0, 4.0, 5.5, 5.0, 7.0, 8.5, 8.0]
    expected = stats.linregress(x, y, alternative="greater")
    found, error, p = slope(x, y)
    assert (found, error) == pytest.approx((expected.slope, expected.stderr))
    assert p.greater == pytest.approx(expected.pvalue)
    rho, q = spearman(x, y)
    assert rho == pytest.approx(stats.spearmanr(x, y).statistic)
    assert q.greater == pytest.approx(stats.spearmanr(x, y, alternative="greater").pvalue)
    assert spearman([1, 2, 3, 4], [1, 2, 3, 4])[1].greater == pytest.approx(1 / 24)
