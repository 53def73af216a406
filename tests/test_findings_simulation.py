"""On networks of equal quality a difference is found no more often than the stated level.

In ``TRIALS`` worlds a sound procedure finds one in a twentieth of them. The largest count that such
a procedure exceeds less than once in a thousand is allowed, which sees a level of a third or more:
gross errors (a test of the wrong sign, a margin left out, runs taken for images), no small ones.
The tests' own level is measured finer in ``test_statistics``.
"""

from __future__ import annotations

from collections import Counter

from scipy import stats

from analysis.findings import Verdict, evaluate
from analysis.findings.base import REGISTRY
from analysis.statistics import ALPHA
from tests.factory import OUTCOMES, Outcome, make

TRIALS = 25
#: Hypotheses that one network is better than another, and that equal networks neither show nor
#: refute.
DIRECTIONAL = (
    "se-best",
    "alexnet-lower",
    "lenet-lowest",
    "deeper-beats-lenet",
    "plain-degrades",
    "residual-removes-degradation",
    "sub-above-none",
    "se-hurts-alexnet",
    "softmax-slows",
)
EQUAL = Outcome(accuracy=0.97, train_loss=0.1)


def simulate(specs: dict[str, Outcome]) -> Counter[str]:
    """In how many worlds each finding came out other than inconclusive, and any of a family."""
    counts: Counter[str] = Counter()
    for world in range(TRIALS):
        records = make(profile="smoke", seeds=3, specs=specs, world=world, exact=False)
        findings = evaluate(records)
        shown = {n for n in DIRECTIONAL if findings[n].verdict is not Verdict.INCONCLUSIVE}
        counts.update(shown)
        counts.update({f"family {REGISTRY[name].family}" for name in shown})
    return counts


def allowed() -> int:
    """Fewer than one sound procedure in a thousand exceeds this count."""
    return int(stats.binom.ppf(0.999, TRIALS, ALPHA))


def test_equal_networks() -> None:
    counts = simulate(dict.fromkeys(OUTCOMES, EQUAL))
    for name, count in counts.items():
        assert count <= allowed(), name


def test_the_simulation_sees_a_difference() -> None:
    worse = {"PlainNet34": Outcome(accuracy=0.8, train_loss=0.6)}
    counts = simulate(dict.fromkeys(OUTCOMES, EQUAL) | worse)
    assert counts["plain-degrades"] > allowed()
