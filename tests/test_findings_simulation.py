"""On networks of equal quality "supported" comes out no more often than the stated level.

This small form sees gross excess only: of 45 worlds it fails above 8, which a procedure of level
5 % passes in 999 of 1,000 cases and one of 30 % in 5 of 100.
"""

from __future__ import annotations

import math
from collections import Counter

import pytest
from scipy import stats

from analysis.constants import MARGIN, MUCH_WORSE
from analysis.findings import Verdict, evaluate
from analysis.findings.model import REGISTRY
from analysis.statistics import ALPHA
from experiments import study
from tests.factory import OUTCOMES, Outcome, make

#: Hypotheses that one network, or one set of runs, is better or larger than another.
DIRECTIONAL = (
    "se-best",
    "alexnet-lower",
    "lenet-lowest",
    "dense-second",
    "deeper-beats-lenet",
    "plain-degrades",
    "degradation-in-training-loss",
    "residual-removes-degradation",
    "sub-above-none",
    "mul-much-worse",
    "mul-nobn-fails",
    "plain-gain-grows",
    "mul-bn-unstable",
    "se-range-larger-18",
    "se18-above-resnet18",
    "se-hurts-alexnet",
    "softmax-slows",
    "softmax-slows-start",
    "strong-recipe-better",
)
#: Of those the ones that equal networks refute: there "contradicted" is right.
REFUTED = ("mul-much-worse", "mul-nobn-fails", "se18-above-resnet18")
#: Hypotheses that a ratio of error rates is within a margin (or beyond one).
BOUNDED = ("resnet-dense-close", "sub-equals-add", "dense-efficient", "mul-much-worse")


def simulate(trials: int, specs: dict[str, Outcome], seeds: int, profile: str) -> Counter[str]:
    """How often each finding was supported (``<id>``) or contradicted (``not <id>``), and how often
    any directional one of a family was supported (``family <name>``)."""
    counts: Counter[str] = Counter()
    strong = [
        (study.load().config(profile, network, {}, recipe="strong", seed=seed), specs[network])
        for network in ("DenseNet", "ResNet18", "SEResNet18")
        for seed in range(seeds)
    ]
    for world in range(trials):
        records = make(
            profile=profile, seeds=seeds, specs=specs, extra=strong, world=world, exact=False
        )
        verdicts = {name: found.verdict for name, found in evaluate(records).items()}
        supported = {name for name, v in verdicts.items() if v is Verdict.SUPPORTED}
        counts.update(supported)
        counts.update(f"not {name}" for name, v in verdicts.items() if v is Verdict.CONTRADICTED)
        counts.update({f"family {REGISTRY[name].family}" for name in supported & {*DIRECTIONAL}})
    return counts


def allowed(trials: int) -> int:
    """Fewer than one sound procedure in a thousand exceeds this count."""
    return int(stats.binom.ppf(0.999, trials, ALPHA))


# Gains scatter about 1.
EQUAL = Outcome(accuracy=0.97, train_loss=0.1, branch=0.8, shortcut=0.6, se_range=0.25)


@pytest.mark.parametrize(("trials", "seeds"), [(45, 1), (45, 3)])
def test_equal_networks(trials: int, seeds: int) -> None:
    counts = simulate(trials, dict.fromkeys(OUTCOMES, EQUAL), seeds, "smoke")
    for name in DIRECTIONAL:
        assert counts[name] <= allowed(trials), name
        assert name in REFUTED or counts[f"not {name}"] <= allowed(trials), name
    for family in {REGISTRY[name].family for name in DIRECTIONAL}:
        assert counts[f"family {family}"] <= allowed(trials), family


def test_networks_exactly_a_margin_apart_are_not_close() -> None:
    trials, rate = 45, 0.03
    near = Outcome(accuracy=1 - rate * math.exp(MARGIN))
    best = Outcome(accuracy=1 - rate)
    specs = dict.fromkeys(OUTCOMES, near) | dict.fromkeys(("SEResNet18", "SEResNet34"), best)
    specs |= {
        "ResNet18-sub": Outcome(accuracy=1 - rate * math.exp(2 * MARGIN)),
        "ResNet18-mul": Outcome(accuracy=1 - rate * math.exp(MARGIN + MUCH_WORSE)),
    }
    counts = simulate(trials, specs, 3, "smoke")
    for name in BOUNDED:
        assert counts[name] <= allowed(trials), name
