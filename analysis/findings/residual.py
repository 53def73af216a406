"""Residual connections against degradation."""

from __future__ import annotations

from analysis.constants import CONSTANTS, MARGIN
from analysis.evidence import Evidence
from analysis.findings.model import (
    Result,
    better,
    difference,
    every,
    finding,
    interval,
    negate,
    some,
    weakest_test,
)
from analysis.statistics import OneSided
from analysis.values import Value

#: Plain shallow and deep, residual shallow and deep.
NETWORKS = ("PlainNet18", "PlainNet34", "ResNet18", "ResNet34")


def networks(evidence: Evidence) -> tuple[str, ...]:
    """The four networks: those trained until their loss was stable, where all four were."""
    stable = tuple(f"{network}-stable" for network in NETWORKS)
    return NETWORKS if evidence.missing(stable) else stable


@finding("residual-removes-degradation", family="residual", needs=NETWORKS)
def residual_removes_degradation(evidence: Evidence) -> Result:
    """Without residual connections the deeper network is worse, with them it isn't.

    All three must hold (intersection-union): PlainNet-34 is worse than PlainNet-18; ResNet-34 is
    less than the margin (``constants.MARGIN``) below ResNet-18; and the change with depth is better
    with residual connections than without, as a difference of differences. The last is a test on
    the four networks' mean correctness of each image, which are paired: its standard error is
    the one that a bootstrap over images gives. Against: the deeper residual network is further
    below than the margin, or loses more with depth than the plain one.

    Values: ``plain_shallow``, ``plain_deep``, ``residual_shallow``, ``residual_deep``
    (accuracies), ``plain_change``, ``residual_change`` (deep less shallow), ``margin``; the last
    epoch's training losses ``plain_shallow_loss``, ``plain_deep_loss``, ``residual_shallow_loss``,
    ``residual_deep_loss``. Effect: residual change less plain change. Facts: ``stable`` (trained
    until stable), ``plain_degrades``, ``residual_degrades`` (as measured), ``plain_deep_diverged``.
    """
    used = networks(evidence)
    plain_shallow, plain_deep, residual_shallow, residual_deep = used
    plain = evidence.compare(plain_deep, plain_shallow)
    residual = evidence.compare(residual_deep, residual_shallow)
    both = evidence.contrast(
        (residual_deep, residual_shallow, plain_deep, plain_shallow), (1, -1, -1, 1)
    )
    supports = every([better(negate(plain.zero)), residual.against(-MARGIN), better(both.zero)])
    # That plain networks do not degrade leaves nothing to remove: it does not speak against.
    refutes = some([negate(residual.against(-MARGIN)), better(negate(both.zero))])
    names = ("plain_shallow", "plain_deep", "residual_shallow", "residual_deep")
    measured: dict[str, Value | None] = {
        name: evidence.accuracy(variant) for name, variant in zip(names, used, strict=True)
    }
    plain_change = difference(measured["plain_deep"], measured["plain_shallow"])
    residual_change = difference(measured["residual_deep"], measured["residual_shallow"])
    effect = None
    if plain_change and residual_change:
        gap = residual_change.value - plain_change.value
        effect = Value.derived(gap, "difference", plain_change, residual_change)
    sources = evidence.sources(used)
    return Result(
        used,
        weakest_test([both]),
        p=OneSided(supports.greater, refutes.greater),
        sources=sources,
        effect=effect,
        interval=interval(both, sources),
        values={
            **measured,
            "plain_change": plain_change,
            "residual_change": residual_change,
            "margin": CONSTANTS["margin"],
            **{
                f"{name}_loss": evidence.loss(variant, "train_loss")
                for name, variant in zip(names, used, strict=True)
            },
        },
        facts={
            "stable": used != NETWORKS,
            "plain_degrades": plain.estimate < 0,
            "residual_degrades": residual.estimate < 0,
            "plain_deep_diverged": evidence.diverged(plain_deep),
        },
    )
