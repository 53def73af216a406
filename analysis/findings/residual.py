"""Residual connections against degradation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from analysis.constants import MARGIN
from analysis.evidence import Evidence, LossField, title
from analysis.findings.base import (
    NO_EFFECT,
    Result,
    average,
    better,
    claim_set,
    difference,
    error_ratio,
    every,
    finding,
    interval,
    logs,
    negate,
    some,
)
from analysis.findings.depth import loss_evidence, pair_title
from analysis.statistics import ALPHA, Contrast, OneSided
from analysis.values import Source, Value
from experiments.record import Record

#: Plain shallow and deep, residual shallow and deep.
NETWORKS = ("PlainNet18", "PlainNet34", "ResNet18", "ResNet34")
BOTTLENECKS = ("PlainNet50", "PlainNet101", "ResNet50", "ResNet101")
_NAMES = ("plain_shallow", "plain_deep", "residual_shallow", "residual_deep")

#: How a deeper network compares with a shallower one. ``none``: not less accurate by more than the
#: margin; ``open``: neither this nor a loss of accuracy is shown; ``degradation``: less accurate
#: with higher training loss; ``over-fitting``: less accurate without; ``unclear``: less accurate,
#: why is not shown.
Change = Literal["none", "open", "degradation", "over-fitting", "unclear"]


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
        return "open"
    losses = evidence.losses(deep, kind), evidence.losses(shallow, kind)
    grown = average(logs(losses[0])) - average(logs(losses[1]))
    if better(loss_evidence(*losses)).greater < ALPHA and grown > MARGIN:
        return "degradation"
    if loss_evidence(*losses, margin=MARGIN).less < ALPHA and _gap_grows(evidence, shallow, deep):
        return "over-fitting"
    return "unclear"


def _gap_grows(evidence: Evidence, shallow: str, deep: str) -> bool:
    kind = evidence.loss_kind((shallow, deep))
    before, after = (
        average(evidence.losses(v, "validation_loss")) - average(evidence.losses(v, kind))
        for v in (shallow, deep)
    )
    return after > before


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
    both = evidence.contrast(four[::-1], (1, -1, -1, 1))
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
    (accuracies of 18 and 34 layers), ``residual_change`` (deep - shallow), the training losses
    ``plain_shallow_loss`` ...; all of these with ``wide_`` before the name for 50 and 101;
    ``residual_ratio``, ``residual_low``, ``residual_high`` (error rate of ResNet-34 over that of
    ResNet-18, and its interval); those of ``claim_set``. Effect: the ratio of the residual
    networks' error rates (deep over shallow) over that of the plain ones, 18 and 34 layers. Facts:
    ``stable`` (trained until stable), ``wide`` (50 and 101 were run), ``plain_degrades`` (as
    measured), ``change``, ``wide_change`` (``Change`` of the residual networks), ``wide_learns``
    (each residual network's training loss is below a tenth of each plain one's), and those of
    ``claim_set``.

    Where trained until stable, also the values ``fixed``, ``fixed_low``, ``fixed_high`` (the effect
    in the networks with a fixed schedule, its interval), ``least``, ``most`` (accuracies of single
    runs of the deeper plain network), ``runs``, ``limit`` (the most epochs), ``capped`` (runs of
    that many), ``shortest``, ``longest`` (epochs of a run), and the facts ``capped`` (titles of
    those networks), ``fixed_removes`` (the degradation of the networks with a fixed schedule is
    shown to be removed, not corrected) and ``fixed_surer`` (the standard error of their effect is
    the smaller one).
    """
    pairs = {"": networks(evidence)}
    if not evidence.missing(BOTTLENECKS):
        pairs["wide_"] = BOTTLENECKS
    used = [variant for four in pairs.values() for variant in four]
    kind = evidence.loss_kind(used)
    sources = (*evidence.sources(used), *evidence.loss_sources(used, kind))
    parts = {pair_title(four[2:]): pair_evidence(evidence, four) for four in pairs.values()}
    plain_shallow, plain_deep, *_ = pairs[""]
    both = evidence.contrast(pairs[""][::-1], (1, -1, -1, 1))
    values: dict[str, Value | None] = {}
    facts: dict[str, str | bool] = {
        "stable": pairs[""] != NETWORKS,
        "wide": "wide_" in pairs,
        "plain_degrades": evidence.score(plain_deep) < evidence.score(plain_shallow),
    }
    for prefix, four in pairs.items():
        values |= _measured(evidence, prefix, four, kind)
        facts[f"{prefix}change"] = change(evidence, four[2], four[3], kind)
    if facts["wide"]:
        facts["wide_learns"] = _wide_learns(values)
    ratio, ends = error_ratio(evidence, pairs[""][3], pairs[""][2])
    if ends:
        values |= {"residual_ratio": ratio, "residual_low": ends[0], "residual_high": ends[1]}
    if facts["stable"]:
        fixed = evidence.contrast(NETWORKS[::-1], (1, -1, -1, 1))
        facts["fixed_removes"] = pair_evidence(evidence, NETWORKS).greater < ALPHA
        facts["fixed_surer"] = fixed.error < both.error
        values |= _fixed(evidence, fixed, plain_deep) | _ended(evidence, pairs[""])
        facts["capped"] = ", ".join(
            title(network)
            for network, variant in zip(NETWORKS, pairs[""], strict=True)
            if any(_capped(run) for run in evidence.runs(variant))
        )
    used_sources = evidence.sources(pairs[""])
    effect = NO_EFFECT
    if math.isfinite(both.error):
        effect = (
            Value(math.exp(-both.estimate), "ratio", used_sources),
            interval(both, used_sources),
        )
    return claim_set(parts, used, both.test, sources, effect, values=values, facts=facts)


def _measured(
    evidence: Evidence, prefix: str, four: Sequence[str], kind: LossField
) -> dict[str, Value | None]:
    found: dict[str, Value | None] = {}
    for name, variant in zip(_NAMES, four, strict=True):
        found[f"{prefix}{name}"] = evidence.accuracy(variant)
        found[f"{prefix}{name}_loss"] = evidence.training_loss(variant, kind)
    deep, shallow = (found[f"{prefix}residual_{depth}"] for depth in ("deep", "shallow"))
    return {**found, f"{prefix}residual_change": difference(deep, shallow)}


def _fixed(evidence: Evidence, fixed: Contrast, plain_deep: str) -> dict[str, Value | None]:
    sources, runs = evidence.sources(NETWORKS), evidence.sources((plain_deep,))
    scores = [run.test.accuracy for run in evidence.finished(plain_deep) if run.test]
    found: dict[str, Value | None] = {}
    if ends := interval(fixed, sources):
        found["fixed"] = Value(math.exp(-fixed.estimate), "ratio", sources)
        found["fixed_low"], found["fixed_high"] = ends
    if scores:
        found["least"] = Value(min(scores), "accuracy", runs)
        found["most"] = Value(max(scores), "accuracy", runs)
    return found


def _ended(evidence: Evidence, variants: Sequence[str]) -> dict[str, Value | None]:
    runs = [run for variant in variants for run in evidence.runs(variant)]
    sources = tuple(Source(run.id, "history") for run in runs)
    epochs = [len(run.history) for run in runs]
    counts = {
        "runs": len(runs),
        "limit": max(run.config.epochs for run in runs),
        "capped": sum(map(_capped, runs)),
        "shortest": min(epochs),
        "longest": max(epochs),
    }
    return {name: Value(count, "integer", sources) for name, count in counts.items()}


def _capped(run: Record) -> bool:
    """Whether a run that could end earlier had all its epochs."""
    return len(run.history) == run.config.epochs


def _wide_learns(values: Mapping[str, Value | None]) -> bool:
    losses = [values[f"wide_{name}_loss"] for name in _NAMES]
    known = [loss.value for loss in losses if loss is not None]
    return len(known) == len(_NAMES) and max(known[2:]) < min(known[:2]) / 10
