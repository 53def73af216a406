"""The tests and intervals where records of a study do not lead: without spread, at the ends, of few
runs. What they give on records, ``test_recompute`` computes a second time.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests

from analysis import statistics
from analysis.statistics import OneSided, Sample, SeedVariance, mcnemar, student, welch, wilson


def test_wilson_is_scipys_and_has_a_width_at_the_ends():
    expected = stats.binomtest(9_836, 10_000).proportion_ci(method="wilson")
    assert wilson(0.9836, 10_000) == pytest.approx((expected.low, expected.high))
    for accuracy in (0.0, 1.0):
        low, high = wilson(accuracy, 10_000)
        assert 0 <= low < high <= 1


def test_holm_is_statsmodels():
    for p_values in ([0.04, 0.001, 0.04, 0.3, 0.0], [0.6, 0.5], [1.0]):
        expected = multipletests(p_values, method="holm")[1]
        assert statistics.holm(p_values) == pytest.approx(list(expected))
    assert statistics.holm([]) == []


@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_is_statsmodels_and_one_sided_the_sign_test(first, second):
    expected = statsmodels_mcnemar([[0, first], [second, 0]], exact=True).pvalue
    assert mcnemar(first, second).two_sided == pytest.approx(float(expected))
    if first + second:
        expected = stats.binomtest(first, first + second, alternative="greater").pvalue
        assert mcnemar(first, second).greater == pytest.approx(expected)
        assert mcnemar(second, first).less == pytest.approx(expected)


def test_without_spread_no_more_is_shown_than_order_and_signs_do():
    assert welch([0.2, 0.2], [0.1, 0.1]) == OneSided(pytest.approx(1 / 6), 1)  # six arrangements
    assert welch([0.1, 0.1], [0.1, 0.1]) == OneSided(1, 1)
    assert student([-12.0] * 5, 0) == OneSided(1, 1 / 32)
    assert student([0.5, 0.5], 0.5) == OneSided(1, 1)
    assert student([0.3], 0) == OneSided(1, 1)


def test_difference_of_differences_of_single_runs_has_the_bootstraps_error():
    rng = np.random.default_rng(3)
    hard = rng.standard_normal(3_000)  # the runs err on the same images, on the whole
    scores = [0.8 * hard + 0.6 * rng.standard_normal(3_000) for _ in range(4)]
    correct = np.stack(scores) < stats.norm.ppf([[0.97], [0.96], [0.97], [0.90]])
    samples = [Sample((float(run.mean()),), 3_000, run[None]) for run in correct]
    found = statistics.contrast(samples, (1, -1, -1, 1))
    picks = rng.integers(0, 3_000, (2_000, 3_000))
    errors = np.stack([1 - row[picks].mean(axis=1) for row in correct])
    logs = -np.array([1, -1, -1, 1]) @ np.log(errors)
    assert found.test == "images"
    assert found.error == pytest.approx(float(logs.std()), rel=0.08)
    assert found.interval()[0] < found.estimate < found.interval()[1]


def test_the_pool_leaves_out_what_deviates():
    rng = np.random.default_rng(4)
    networks = {f"n{i}": (tuple(expit(rng.normal(4, 0.1, 5))), 10_000) for i in range(10)}
    found = statistics.pool(networks | {"wild": ((0.97, 0.97, 0.87, 0.97, 0.97), 10_000)})
    wild = found.pop("wild")
    assert (wild.own, wild.freedom) == (True, 4)
    assert {seeds.freedom for seeds in found.values()} == {40}
    assert math.sqrt(min(x.variance for x in found.values())) == pytest.approx(0.1, rel=0.4)
    assert statistics.pool({"a": ((0.9,), 100)}) == {}


def test_no_interval_is_without_width_or_beyond_the_ends():
    seeds = SeedVariance(0.005, 20)
    for value in (0.0, 0.1165, 0.98, 1.0):
        right = np.zeros((3, 1_000), dtype=bool)
        right[:, : round(1_000 * value)] = True
        sample = Sample((value,) * 3, 1_000, right, seeds)
        low, high = statistics.accuracy_interval(sample)
        assert 0 < low < high < 1


def test_ranks_of_few_runs_are_exact_and_diverged_is_worst():
    first, second = [0.1, 0.2, 0.35], [0.3, 0.5, 0.6, 0.7]
    expected = stats.mannwhitneyu(first, second, alternative="less", method="exact").pvalue
    assert statistics.ranks(first, second).less == pytest.approx(expected)
    assert statistics.ranks([-math.inf] * 5, [0.1] * 5).less == pytest.approx(1 / 252)
    assert statistics.spearman([1, 2, 3, 4], [1, 2, 3, 4])[1].greater == pytest.approx(1 / 24)
