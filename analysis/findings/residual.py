"""Residual connections against degradation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from analysis.constants import CONSTANTS, MARGIN
from analysis.evidence import Evidence, LossField
from analysis.findings.base import (
    Result,
    better,
    claim_set,
    difference,
    every,
    finding,
    interval,
    joint_test,
    negate,
    ratio,
    some,
)
from analysis.findings.depth import loss_evidence, pair_title
from analysis.statistics import ALPHA, OneSided
from analysis.values import Value

#: Plain shallow and deep, residual shallow and deep.
NETWORKS = ("PlainNet18", "PlainNet34", "ResNet18", "ResNet34")
BOTTLENECKS = ("PlainNet50", "PlainNet101", "ResNet50", "ResNet101")
_NAMES = ("plain_shallow", "plain_deep", "residual_shallow", "residual_deep")

#: How a deeper network compares with a shallower one. ``none``: not less accurate by more than the
#: margin; ``degradation``: less accurate with higher training loss; ``over-fitting``: less accurate
#: without; ``unclear``: none of these is shown.
Change = Literal["none", "degradation", "over-fitting", "unclear"]


def networks(evidence: Evidence) -> tuple[str, ...]:
    """The four networks: those trained until stable if all four exist, else the others."""
    stable = tuple(f"{network}-stable" for network in NETWORKS)
    return NETWORKS if evidence.missing(stable) else stable


def change(evidence: Evidence, shallow: str, deep: str, kind: LossField) -> Change:
    """How a network changes with depth, at the level of one test.

    Degradation: less accurate, training loss shown to grow, and as measured by more than the
    margin. Over-fitting: less accurate, training loss shown to grow by less than the margin, and a
    larger gap between validation and training loss.
    """
    contrast = evidence.compare(deep, shallow)
    if contrast.against(-MARGIN).greater < ALPHA:
        return "none"
    if better(contrast.zero).less >= ALPHA:
        return "unclear"
    losses = evidence.losses(deep, kind), evidence.losses(shallow, kind)
    if better(loss_evidence(*losses)).greater < ALPHA and _grown(losses) > MARGIN:
        return "degradation"
    if loss_evidence(*losses, margin=MARGIN).less < ALPHA and _gap_grows(evidence, shallow, deep):
        return "over-fitting"
    return "unclear"


def _grown(losses: tuple[Sequence[float], Sequence[float]]) -> float:
    deep, shallow = (sum(math.log(max(x, 1e-9)) for x in part) / len(part) for part in losses)
    return deep - shallow


def _gap_grows(evidence: Evidence, shallow: str, deep: str) -> bool:
    kind = evidence.loss_kind((shallow, deep))
    gaps = []
    for variant in (shallow, deep):
        validation, train = (evidence.losses(variant, field) for field in ("validation_loss", kind))
        gaps.append(sum(validation) / len(validation) - sum(train) / len(train))
    return gaps[1] > gaps[0]


def pair_evidence(evidence: Evidence, four: Sequence[str]) -> OneSided:
    """Evidence that residual connections remove the degradation of one pair of depths.

    For, all of these: the plain network gets worse with depth; the residual network's error rate or
    its training loss grows by at most the margin (Bonferroni over the two); the residual network's
    change is better than the plain one's. Against: the residual network's error rate and loss both
    grow by more than the margin, or its change is worse.
    """
    plain_shallow, plain_deep, residual_shallow, residual_deep = four
    plain = evidence.compare(plain_deep, plain_shallow)
    residual = evidence.compare(residual_deep, residual_shallow).against(-MARGIN)
    both = evidence.contrast(
        (residual_deep, residual_shallow, plain_deep, plain_shallow), (1, -1, -1, 1)
    )
    kind = evidence.loss_kind((residual_shallow, residual_deep))
    loss = negate(
        loss_evidence(
            evidence.losses(residual_deep, kind),
            evidence.losses(residual_shallow, kind),
            margin=MARGIN,
        )
    )
    supports = every(
        [better(negate(plain.zero)), some([residual, loss]), better(both.zero)]
    ).greater
    # If plain networks do not degrade there is nothing to remove; that is not evidence against.
    degrades = max(residual.less, loss.less)
    refutes = min(1.0, 2 * min(degrades, better(both.zero).less))
    return OneSided(supports, refutes)


@finding("residual-removes-degradation", needs=NETWORKS)
def residual_removes_degradation(evidence: Evidence) -> Result:
    """Without residual connections the deeper network is worse, with them it does not degrade
    (``pair_evidence``), for 18 and 34 layers and, where run, 50 and 101 (``claim_set``).

    Values: ``plain_shallow``, ``plain_deep``, ``residual_shallow``, ``residual_deep``
    (accuracies of 18 and 34 layers), ``plain_change``, ``residual_change`` (deep - shallow),
    ``residual_ratio`` (error rate of the deep residual network over that of the shallow), the
    training losses ``plain_shallow_loss`` ... and ``residual_loss_ratio``; all of these with
    ``wide_`` before the name for 50 and 101; ``margin``; those of ``claim_set``. Effect: the ratio
    of the residual networks' error rates (deep over shallow) over that of the plain ones, 18 and 34
    layers. Facts: ``stable`` (trained until stable), ``wide`` (50 and 101 were run),
    ``evaluated`` (training losses in evaluation mode), ``plain_degrades``, ``residual_degrades``
    (as measured), ``change``, ``wide_change`` (``Change`` of the residual networks),
    ``wide_learns`` (each residual network's training loss is below a tenth of each plain one's),
    ``plain_deep_diverged``, and those of ``claim_set``.
    """
    pairs = {"": networks(evidence)}
    if not evidence.missing(BOTTLENECKS):
        pairs["wide_"] = BOTTLENECKS
    used = [variant for four in pairs.values() for variant in four]
    kind = evidence.loss_kind(used)
    sources = (*evidence.sources(used), *evidence.loss_sources(used, kind))
    parts = {pair_title(four[2:]): pair_evidence(evidence, four) for four in pairs.values()}
    plain_shallow, plain_deep, residual_shallow, residual_deep = pairs[""]
    both = evidence.contrast(
        (residual_deep, residual_shallow, plain_deep, plain_shallow), (1, -1, -1, 1)
    )
    values: dict[str, Value | None] = {"margin": CONSTANTS["margin"]}
    facts: dict[str, str | bool] = {
        "stable": pairs[""] != NETWORKS,
        "wide": "wide_" in pairs,
        "evaluated": kind == "train_evaluation",
        "plain_degrades": evidence.score(plain_deep) < evidence.score(plain_shallow),
        "residual_degrades": evidence.score(residual_deep) < evidence.score(residual_shallow),
        "plain_deep_diverged": evidence.diverged(plain_deep),
    }
    for prefix, four in pairs.items():
        values |= _measured(evidence, prefix, four, kind)
        facts[f"{prefix}change"] = change(evidence, four[2], four[3], kind)
    if facts["wide"]:
        facts["wide_learns"] = _wide_learns(values)
    used_sources = evidence.sources(pairs[""])
    effect = None
    if math.isfinite(both.error):
        effect = Value(math.exp(-both.estimate), "ratio", used_sources)
    ends = interval(both, used_sources)
    return claim_set(
        parts, used, joint_test([both]), sources, (effect, ends), values=values, facts=facts
    )


def _measured(
    evidence: Evidence, prefix: str, four: Sequence[str], kind: LossField
) -> dict[str, Value | None]:
    found: dict[str, Value | None] = {}
    for name, variant in zip(_NAMES, four, strict=True):
        found[f"{prefix}{name}"] = evidence.accuracy(variant)
        found[f"{prefix}{name}_loss"] = evidence.training_loss(variant, kind)
    for which in ("plain", "residual"):
        deep, shallow = (found[f"{prefix}{which}_{depth}"] for depth in ("deep", "shallow"))
        found[f"{prefix}{which}_change"] = difference(deep, shallow)
    found[f"{prefix}residual_loss_ratio"] = ratio(
        found[f"{prefix}residual_deep_loss"], found[f"{prefix}residual_shallow_loss"]
    )
    contrast = evidence.compare(four[3], four[2])
    if math.isfinite(contrast.error):
        found[f"{prefix}residual_ratio"] = Value(
            math.exp(-contrast.estimate), "ratio", evidence.sources(four[2:])
        )
    return found


def _wide_learns(values: Mapping[str, Value | None]) -> bool:
    losses = [values[f"wide_{name}_loss"] for name in _NAMES]
    known = [loss.value for loss in losses if loss is not None]
    return len(known) == len(_NAMES) and max(known[2:]) < min(known[:2]) / 10
