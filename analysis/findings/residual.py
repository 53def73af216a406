"""Residual connections against degradation."""

import math
from collections.abc import Sequence
from typing import Literal

from analysis.constants import MARGIN
from analysis.evidence import Evidence, LossField, title
from analysis.findings.base import (
    NO_EFFECT,
    Effect,
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


def relative_change(evidence: Evidence, four: Sequence[str]) -> tuple[Contrast, Effect]:
    """The change of the residual networks' error rate with depth over that of the plain networks'
    as a contrast, and as a ratio of ratios with its interval."""
    found = evidence.contrast(four[::-1], (1, -1, -1, 1))
    if math.isinf(found.error):
        return found, NO_EFFECT
    sources = evidence.sources(four)
    return found, (Value(math.exp(-found.estimate), "ratio", sources), interval(found, sources))


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
    both = better(relative_change(evidence, four)[0].zero)
    kind = evidence.loss_kind((residual_shallow, residual_deep))
    losses = evidence.losses(residual_deep, kind), evidence.losses(residual_shallow, kind)
    loss = negate(loss_evidence(*losses, margin=MARGIN))
    supports = every([better(negate(plain.zero)), some([residual, loss]), both]).greater
    # If plain networks do not degrade there is nothing to remove; that is not evidence against.
    degrades = max(residual.less, loss.less)
    refutes = min(1.0, 2 * min(degrades, both.less))
    return OneSided(supports, refutes)


@finding("residual-removes-degradation", needs=NETWORKS)
def residual_removes_degradation(evidence: Evidence) -> Result:
    """Without residual connections the deeper network is worse, with them it does not degrade
    (``pair_evidence``), for 18 and 34 layers and, where run, 50 and 101 (``claim_set``).

    Values: ``plain_shallow``, ``plain_deep``, ``residual_shallow``, ``residual_deep`` (accuracies
    of 18 and 34 layers), ``residual_change`` (deep - shallow), the training losses
    ``plain_shallow_loss`` ...; all of these with ``wide_`` before the name for 50 and 101;
    ``residual_ratio``, ``residual_low``, ``residual_high`` (error rate of ResNet-34 over that of
    ResNet-18, and its interval). Effect: the ratio of the residual networks' error rates (deep over
    shallow) over that of the plain ones, 18 and 34 layers. Facts: ``stable`` (trained until
    stable), ``wide`` (50 and 101 were run), ``plain_degrades`` (as measured), ``change``,
    ``wide_change`` (``Change`` of the residual networks), ``wide_learns`` (each residual network's
    training loss is below a tenth of each plain one's).

    Where trained until stable, also the values ``fixed``, ``fixed_low``, ``fixed_high`` (the effect
    in the networks with a fixed schedule, its interval), ``least``, ``most`` (accuracies of single
    runs of the deeper plain network), ``runs``, ``limit`` (the most epochs), ``capped`` (runs of
    that many), ``shortest``, ``longest`` (epochs of a run), and the facts ``capped`` (titles of
    those networks), ``fixed_removes`` (the degradation of the networks with a fixed schedule is
    shown to be removed, not corrected) and ``fixed_surer`` (the standard error of their effect is
    the smaller one).
    """
    four = networks(evidence)
    pairs = {"": four}
    if not evidence.missing(BOTTLENECKS):
        pairs["wide_"] = BOTTLENECKS
    used = [variant for pair in pairs.values() for variant in pair]
    kind = evidence.loss_kind(used)
    values: dict[str, Value | None] = {}
    facts: dict[str, str | bool] = {
        "stable": four != NETWORKS,
        "wide": "wide_" in pairs,
        "plain_degrades": evidence.score(four[1]) < evidence.score(four[0]),
    }
    for prefix, pair in pairs.items():
        for name, variant in zip(_NAMES, pair, strict=True):
            values[f"{prefix}{name}"] = evidence.accuracy(variant)
            values[f"{prefix}{name}_loss"] = evidence.training_loss(variant, kind)
        deep, shallow = (values[f"{prefix}residual_{depth}"] for depth in ("deep", "shallow"))
        values[f"{prefix}residual_change"] = difference(deep, shallow)
        facts[f"{prefix}change"] = change(evidence, pair[2], pair[3], kind)
    if facts["wide"]:
        losses = [loss.value for name in _NAMES if (loss := values[f"wide_{name}_loss"])]
        complete = len(losses) == len(_NAMES)
        facts["wide_learns"] = complete and max(losses[2:]) < min(losses[:2]) / 10
    ratio, ends = error_ratio(evidence, four[3], four[2])
    if ends:
        values |= {"residual_ratio": ratio, "residual_low": ends[0], "residual_high": ends[1]}
    both, effect = relative_change(evidence, four)
    if facts["stable"]:
        fixed, (ratio, ends) = relative_change(evidence, NETWORKS)
        if ends:
            values |= {"fixed": ratio, "fixed_low": ends[0], "fixed_high": ends[1]}
        facts["fixed_removes"] = pair_evidence(evidence, NETWORKS).greater < ALPHA
        facts["fixed_surer"] = fixed.error < both.error
        capped, counts = _ended(evidence, four)
        facts["capped"] = capped
        values |= counts
    return claim_set(
        {pair_title(pair[2:]): pair_evidence(evidence, pair) for pair in pairs.values()},
        used,
        both.test,
        (*evidence.sources(used), *evidence.loss_sources(used, kind)),
        effect,
        values=values,
        facts=facts,
    )


def _ended(evidence: Evidence, four: Sequence[str]) -> tuple[str, dict[str, Value]]:
    """How the runs until stable ended: the titles of networks with a run of all its epochs, and
    values."""
    runs = [run for variant in four for run in evidence.runs(variant)]
    epochs = [len(run.history) for run in runs]
    capped = [run.config.network for run in runs if len(run.history) == run.config.epochs]
    counts = {
        "runs": len(runs),
        "limit": max(run.config.epochs for run in runs),
        "capped": len(capped),
        "shortest": min(epochs),
        "longest": max(epochs),
    }
    sources = tuple(Source(run.id, "history") for run in runs)
    values = {name: Value(count, "integer", sources) for name, count in counts.items()}
    if scores := [run.test.accuracy for run in evidence.finished(four[1]) if run.test]:
        used = evidence.sources((four[1],))
        values["least"] = Value(min(scores), "accuracy", used)
        values["most"] = Value(max(scores), "accuracy", used)
    return ", ".join(map(title, dict.fromkeys(capped))), values
