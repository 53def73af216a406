"""The simulation of the tests, in a small form, and what the committed one says.

``python -m analysis.simulation`` makes the large one: it tells a level of 10 % from 5 %. The small
form sees gross errors: a test of the wrong sign, a margin left out, runs taken for images.
"""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from analysis import simulation
from analysis.findings.base import REGISTRY
from analysis.protocol import load
from analysis.schema import Simulation
from analysis.simulation import TRUTHS, Worlds, levels, powers, single_levels
from analysis.statistics import ALPHA
from tests.factory import make

WORLDS = 25
TEMPLATE = make(profile="smoke")


def allowed(worlds: int) -> int:
    """Fewer than one sound test in a thousand errs more often."""
    return int(stats.binom.ppf(0.999, worlds, ALPHA))


def test_levels_and_powers_of_few_worlds() -> None:
    found = [
        *levels(Worlds(TEMPLATE), WORLDS, 3),
        *single_levels(np.random.default_rng(1), 10 * WORLDS, 3),
    ]
    assert {"se-best", "plain-degrades", "family", "interval-ratio", "ranks"} <= {
        level.test for level in found
    }
    for level in found:
        assert level.wrong <= allowed(level.worlds) + (level.truth == "noisy"), level
    shown = {power.finding: power.supported for power in powers(Worlds(TEMPLATE), 2, 3)}
    assert shown["lenet-lowest"] and shown["mul-much-worse"] == 2


def test_a_difference_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an error rate of 60 % PlainNet-34 is found to be worse, which "equal" calls wrong."""
    false = {"plain-degrades": TRUTHS["equal"].false["plain-degrades"]}
    worse = dataclasses.replace(TRUTHS["equal"], errors={"PlainNet34": 0.6}, false=false)
    monkeypatch.setattr(simulation, "TRUTHS", {"equal": worse})
    found = {level.test: level.wrong for level in levels(Worlds(TEMPLATE), 3, 3)}
    assert found["plain-degrades"] == 3


def test_the_committed_levels_are_those_stated() -> None:
    """And none is missing: each kind of test of the protocol has one, each finding on error rates
    that the original states has a power."""
    found, entries = Simulation.load(), load().finding
    for level in found.levels:
        assert level.worlds >= 250
        if level.truth == "noisy":  # of few runs nobody sees how much they vary
            assert level.wrong < 0.1 * level.worlds, level
        else:
            assert level.wrong <= allowed(level.worlds), level
    kinds = {entries[x.test].statistic if x.test in REGISTRY else x.test for x in found.levels}
    tested = {entry.statistic for entry in entries.values()}
    assert tested - {"rule", "count", "student-log"} <= kinds
    rates = {
        name
        for name, entry in entries.items()
        if entry.family == "confirmatory"
        and entry.statistic in ("error-ratio", "error-ratio-set", "equivalence")
    }
    assert rates - {"resize-augments"} == {power.finding for power in found.powers}
