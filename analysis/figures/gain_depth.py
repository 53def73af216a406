"""Total gain of the gradient by depth, with and without shortcuts, before and after training."""

import numpy as np

from analysis.evidence import Evidence
from analysis.figures.common import curves, estimates, marks, probe_data, theme
from analysis.figures.common.axes import log_axis
from analysis.figures.common.estimates import Estimate
from analysis.figures.common.text import Words, number
from analysis.findings.gradients import Moment

VARIANTS = tuple(f"{family}{depth}" for family in curves.FAMILIES for depth in (18, 34, 50, 101))


def totals(evidence: Evidence, moment: Moment) -> dict[str, Estimate]:
    """Product of the gains of all blocks in each run; the interval is the range of the runs.

    Runs whose gains are not all positive and finite are left out.
    """
    found = {}
    for variant in VARIANTS:
        gains = probe_data.gains(evidence, variant, moment)
        factors = np.prod(gains.measured, axis=1) if gains else np.empty(0)
        if values := tuple(factors[(factors > 0) & (factors < np.inf)].tolist()):
            found[variant] = Estimate(values, min(values), max(values))
    return found


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """Factor of the gradient from the last block to the first, before training (left) and after
    it (right, where measured), on one scale; points are runs."""
    found = {m: own for m in probe_data.MOMENTS if (own := totals(evidence, m))}
    estimates.require(found.get("init", {}))
    means: dict[str, dict[str, str]] = {
        moment: {v: number(float(probe_data.geometric(np.array(e.values)))) for v, e in own.items()}
        for moment, own in found.items()
    }
    note = estimates.missing(evidence, VARIANTS, words)
    headline = _headline(means["init"], words)
    sheet = theme.Sheet(2.8, alt=_alt(means, words), headline=headline, note=note)
    scale = estimates.shown([value for own in found.values() for value in own.values()])
    width = 1.9 if len(found) > 1 else 4.4
    for place, (moment, own) in enumerate(found.items()):
        axes = sheet.panel(0.46 + 3.1 * place, 0.32, width, 1.95, words(moment), indent=0.4)
        log_axis(axes, *scale)
        curves.by_depth(axes, own, (), words, form=number)
        marks.reference(axes, 1.0)
    return sheet


def _headline(means: dict[str, str], words: Words) -> str:
    parts = []
    for family in curves.FAMILIES:
        own = [variant for variant in means if variant.startswith(family)]
        if len(own) > 1:
            first, last = own[0], own[-1]
            names = {"first": words.name(first), "last": words.name(last)}
            parts.append(words("change", **names, before=means[first], after=means[last]))
    return words("headline", changes=words.clauses(parts)) if parts else ""


def _alt(means: dict[str, dict[str, str]], words: Words) -> str:
    parts = []
    for moment, own in means.items():
        named = words.listed(f"{words.name(variant)} {mean}" for variant, mean in own.items())
        parts.append(words(f"alt_{moment}", networks=named))
    return words.sentences(parts)
