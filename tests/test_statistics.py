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
    contrast,
    discordant,
    holm,
    mcnemar,
    seed_interval,
    signed_rank,
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


def test_difference_of_two_runs_is_mcnemar_on_the_discordant() -> None:
    first, second = paired(np.random.default_rng(1), [0.98, 0.97], 5_000)
    found = contrast([first, second], (1, -1))
    counts = discordant(first, second)
    assert counts is not None
    assert found.test == "mcnemar"
    assert found.zero == mcnemar(*counts)
    assert found.estimate == pytest.approx((counts[0] - counts[1]) / 5_000)
    low, high = found.interval()
    assert low < found.estimate < high


def test_identical_predictions_are_no_evidence_but_bound_the_difference() -> None:
    (run,) = paired(np.random.default_rng(2), [0.97], 2_000)
    found = contrast([run, run], (1, -1))
    assert found.zero == OneSided(1.0, 1.0)
    assert found.equivalent(0.01) < 0.001
    assert found.interval()[1] > 0


def test_difference_of_differences_has_the_bootstraps_error() -> None:
    rng = np.random.default_rng(3)
    samples = paired(rng, [0.97, 0.96, 0.97, 0.90], 3_000)
    weights = (1, -1, -1, 1)
    found = contrast(samples, weights)
    correct = np.stack([item.correct[0] for item in samples if item.correct is not None])
    scores = np.asarray(weights, dtype=float) @ correct
    picks = rng.integers(0, 3_000, (2_000, 3_000))
    assert found.test == "images"
    assert found.error == pytest.approx(float(scores[picks].mean(axis=1).std()), rel=0.06)
    assert found.interval()[0] < found.estimate < found.interval()[1]


def test_runs_that_cannot_be_paired_are_two_proportions() -> None:
    samples = [Sample((0.98,), 10_000, None), Sample((0.97,), 10_000, None)]
    found = contrast(samples, (1, -1))
    error = math.sqrt((0.98 * 0.02 + 0.97 * 0.03) / 10_000)
    assert found.test == "proportions"
    assert found.zero.greater == pytest.approx(float(stats.norm.sf(0.01 / error)))


def test_across_seeds_without_image_sampling_it_is_welch() -> None:
    first, second = (0.98, 0.975, 0.979), (0.97, 0.962, 0.968, 0.966)
    images = 10**12  # so many that sampling them adds nothing
    found = contrast([Sample(first, images, None), Sample(second, images, None)], (1, -1))
    expected = stats.ttest_ind(first, second, equal_var=False)
    assert found.test == "seeds"
    assert found.zero.two_sided == pytest.approx(expected.pvalue, rel=1e-3)
    interval = expected.confidence_interval()
    assert found.interval() == pytest.approx((interval.low, interval.high), rel=1e-3)
    assert welch(first, second).two_sided == pytest.approx(expected.pvalue)


def test_across_seeds_a_small_steady_difference_is_not_told_apart_on_few_images() -> None:
    """All runs see the same images: that seeds agree does not make up for few images."""
    first = Sample((0.9701, 0.9700, 0.9702), 1_000, None)
    second = Sample((0.9691, 0.9690, 0.9692), 1_000, None)
    assert welch(first.accuracies, second.accuracies).two_sided < 0.001
    assert contrast([first, second], (1, -1)).zero.two_sided > 0.5


def test_one_run_against_several_is_refused() -> None:
    several, one = Sample((0.9, 0.91), 100, None), Sample((0.9,), 100, None)
    with pytest.raises(ValueError, match="mixed"):
        contrast([several, one], (1, -1))


def test_equivalence_needs_a_bound_not_a_high_p_value() -> None:
    few = contrast([Sample((0.97,), 300, None), Sample((0.97,), 300, None)], (1, -1))
    many = contrast([Sample((0.97,), 50_000, None), Sample((0.97,), 50_000, None)], (1, -1))
    assert few.zero.two_sided == many.zero.two_sided == 1
    assert few.equivalent(0.01) > 0.05 > many.equivalent(0.01)


def test_seed_interval_is_students_and_stays_in_range() -> None:
    values = [0.97, 0.975, 0.968]
    expected = stats.ttest_1samp(values, 0).confidence_interval()
    assert seed_interval(values) == pytest.approx((expected.low, expected.high))
    assert seed_interval([0.999, 0.9])[1] == 1.0


def test_welch_without_spread() -> None:
    assert welch([0.2, 0.2], [0.1, 0.1]).greater == 0
    assert welch([0.1, 0.1], [0.1, 0.1]) == OneSided(1, 1)


def test_signed_rank_directions() -> None:
    assert signed_rank([2, 3, 4, 5, 6, 7, 8, 9], 1).greater == pytest.approx(1 / 256)
    assert signed_rank([1, 1, 1], 1) == OneSided(1, 1)


def test_student_is_scipys() -> None:
    values = [0.1, 0.3, 0.25, 0.4, 0.05]
    expected = stats.ttest_1samp(values, 0.1, alternative="greater").pvalue
    assert student(values, 0.1).greater == pytest.approx(float(expected))
    assert student([0.3], 0) == OneSided(1, 1)


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_equal_networks_across_seeds_differ_no_more_often_than_the_level(seeds: int) -> None:
    """Seeds differ in quality, networks have images of their own that they find hard."""
    rng = np.random.default_rng(seeds)
    images, trials, rejected = 400, 400, 0
    for _ in range(trials):
        hard = rng.standard_normal(images)
        samples = []
        for _ in range(2):
            own = 0.7 * hard + 0.4 * rng.standard_normal(images)
            runs = [
                own + 0.59 * rng.standard_normal(images)
                < stats.norm.ppf(np.clip(rng.normal(0.9, 0.01), 0, 1))
                for _ in range(seeds)
            ]
            samples.append(sample(*runs))
        rejected += contrast(samples, (1, -1)).zero.two_sided < 0.05
    assert rejected <= stats.binom.ppf(0.999, trials, 0.05)
