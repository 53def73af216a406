"""Total gain of the gradient by depth, with and without shortcuts, before and after training."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from analysis.evidence import Evidence
from analysis.figures.common import curves, estimates, marks, probe_data, theme
from analysis.figures.common.axes import log_axis
from analysis.figures.common.estimates import Estimate
from analysis.figures.common.text import Words, number
from analysis.findings.gradients import Moment

VARIANTS = tuple(f"{family}{depth}" for family in curves.FAMILIES for depth in (18, 34, 50, 101))


def totals(evidence: Evidence, moment: Moment) -> dict[str, Estimate]:
    """Product of the gains of all blocks in each run; the interval is the range of the runs.

    ``moment``: ``init`` (before training) or ``end``. Runs whose gains are not all positive and
    finite are left out.
    """
    found = {}
    for variant in VARIANTS:
        gains = probe_data.gains(evidence, variant, moment)
        runs = zip(*(gain.measured for gain in gains), strict=False)
        passed = [probe_data.passed(own) for own in runs]
        values = tuple(own[-1] for own in passed if len(own) == len(gains) + 1 and own[-1] > 0)
        if values:
            found[variant] = Estimate(values, min(values), max(values))
    return found


def panels(evidence: Evidence) -> dict[str, dict[str, Estimate]]:
    """``totals`` before training and, where measured, after it.

    Raises:
        NothingToDraw: there are no gains before training.
    """
    found = {moment: totals(evidence, moment) for moment in probe_data.MOMENTS}
    if not found["init"]:
        raise estimates.NothingToDraw(VARIANTS)
    return {moment: own for moment, own in found.items() if own}


def _mean(value: Estimate) -> float:
    return probe_data.geometric(value.values) or 0.0


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """Factor of the gradient from the last block to the first, before training (left) and after
    it (right), on one scale; points are runs."""
    found = panels(evidence)
    note = words.missing(estimates.missing(evidence, VARIANTS))
    sheet = theme.sheet(2.8, _headline(found["init"], words), note)
    points, ends = estimates.shown([value for own in found.values() for value in own.values()])

    def scale(axes: Axes, values: Sequence[float], *, ends: Sequence[float] = ends) -> None:
        log_axis(axes, points, ends=ends)

    width = 1.9 if len(found) > 1 else 4.4
    for place, (moment, own) in enumerate(found.items()):
        axes = theme.panel(sheet, 0.46 + 3.1 * place, 0.32, width, 1.95)
        theme.heading(axes, words(moment), left=0.4)
        curves.by_depth(axes, own, (), words, scale=scale)
        marks.reference(axes, 1.0)
    return sheet


def _headline(found: dict[str, Estimate], words: Words) -> str:
    parts = []
    for family in curves.FAMILIES:
        own = [variant for variant in found if variant.startswith(family)]
        if len(own) > 1:
            first, last = own[0], own[-1]
            parts.append(
                words(
                    "change",
                    first=words.name(first),
                    last=words.name(last),
                    before=number(_mean(found[first])),
                    after=number(_mean(found[last])),
                )
            )
    return words("headline", changes=words.clauses(parts)) if parts else ""


def alt(evidence: Evidence, words: Words) -> str:
    """What the figure shows, in words."""
    parts = []
    for moment, own in panels(evidence).items():
        named = [f"{words.name(variant)} {number(_mean(value))}" for variant, value in own.items()]
        parts.append(words(f"alt_{moment}", networks=words.listed(named)))
    return words.sentences(parts)
