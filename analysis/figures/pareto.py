"""Accuracy against cost: parameters and multiply-accumulates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from analysis.evidence import Evidence
from analysis.figures.common import estimates, marks, theme
from analysis.figures.common.axes import accuracy_axis, log_axis
from analysis.figures.common.estimates import Estimate
from analysis.figures.common.label_placement import Spot, label_spots
from analysis.figures.common.text import Words, count, percent
from analysis.tables.results import NETWORKS as VARIANTS

COSTS = {"parameters": "parameters", "macs": "macs.torchinfo"}
#: Networks of one family, joined by a line.
FAMILIES = (
    ("AlexNet", "SEAlexNet"),
    ("ResNet18", "ResNet34"),
    ("ResNet50", "ResNet101"),
    ("SEResNet18", "SEResNet34"),
)


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """Parameters in a large panel, MACs in a small one; the dominated area is shaded."""
    found = estimates.measured(VARIANTS, partial(estimates.accuracy, evidence))
    note = words.missing(estimates.missing(evidence, VARIANTS))
    costs = _costs(evidence, found)
    sheet = theme.sheet(3.2, _headline(found, costs["parameters"], words), note)
    first = theme.panel(sheet, 0.36, 0.32, 3.5, 2.4)
    theme.heading(first, words("test_accuracy"), left=0.3)
    second = theme.panel(sheet, 4.1, 0.32, 2.15, 2.4)
    for axes, cost in zip((first, second), COSTS, strict=True):
        theme.hairlines(axes)
        axes.set_xlabel(words(cost))
        values, ends = estimates.shown(found.values())
        accuracy_axis(axes, values, ends=ends)
        log_axis(axes, costs[cost].values(), "x", pad=0.13)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
        _points(axes, found, costs[cost], words)
        _dominated(axes, found, costs[cost])
    _names(first, {v: words.name(v) for v in found}, found, costs["parameters"])
    kept = front(found, costs["macs"])
    _names(second, {v: words.name(v) for v in kept}, found, costs["macs"])
    second.tick_params(labelleft=False)
    return sheet


def _costs(evidence: Evidence, found: Mapping[str, Estimate]) -> dict[str, dict[str, float]]:
    return {
        cost: {v: evidence.size(v, path, "count").value for v in found}
        for cost, path in COSTS.items()
    }


def front(found: Mapping[str, Estimate], costs: Mapping[str, float]) -> list[str]:
    """The Pareto front by cost and accuracy, cheapest network first."""
    best, kept = -math.inf, []
    for variant in sorted(found, key=lambda v: (costs[v], -found[v].mean)):
        if found[variant].mean > best:
            best = found[variant].mean
            kept.append(variant)
    return kept


def _points(
    axes: Axes, found: Mapping[str, Estimate], costs: Mapping[str, float], words: Words
) -> None:
    for family in FAMILIES:
        own = [variant for variant in family if variant in found]
        places = [[costs[v] for v in own], [found[v].mean for v in own]]
        axes.plot(*places, color=theme.look(family[0]).colour, linewidth=1, zorder=2)
    for variant, value in found.items():
        marks.estimate(axes, theme.look(variant), costs[variant], value, words.name(variant))


def _dominated(axes: Axes, found: Mapping[str, Estimate], costs: Mapping[str, float]) -> None:
    """Shade the area of higher cost and lower accuracy than a network on the front."""
    kept = front(found, costs)
    edges = [*(costs[v] for v in kept), axes.get_xlim()[1]]
    levels = [*(found[v].mean for v in kept), found[kept[-1]].mean]
    axes.fill_between(
        edges,
        levels,
        axes.get_ylim()[0],
        step="post",
        color=theme.NEUTRAL,
        alpha=0.13,
        linewidth=0,
        zorder=0.5,
    )


def _names(
    axes: Axes,
    names: Mapping[str, str],
    found: Mapping[str, Estimate],
    costs: Mapping[str, float],
) -> None:
    """Label the networks in ``names`` beside their points; the others are only obstacles."""
    spots = [Spot(costs[v], e.mean, e.low, e.high, names.get(v, "")) for v, e in found.items()]
    lines = [[(costs[v], found[v].mean) for v in family if v in found] for family in FAMILIES]
    label_spots(axes, spots, lines)


def short(value: float) -> str:
    """A count in thousands, millions or billions: 61.7 k, 11.7 M, 1.80 G."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.3g}"


def _at_least(ratio: float) -> str:
    """Rounded down: to a tenth below ten, else to a whole number."""
    return f"{math.floor(10 * ratio) / 10:g}" if ratio < 10 else count(math.floor(ratio))


def _headline(found: Mapping[str, Estimate], costs: Mapping[str, float], words: Words) -> str:
    kept = front(found, costs)
    best = kept[-1]
    larger = [variant for variant in found if costs[variant] > costs[best]]
    if not larger:
        return words("headline", network=words.name(best), accuracy=percent(found[best].mean))
    return words(
        "headline_small",
        network=words.name(best),
        accuracy=percent(found[best].mean),
        parameters=short(costs[best]),
        others=len(larger),
        times=_at_least(min(costs[v] for v in larger) / costs[best]),
    )


def alt(evidence: Evidence, words: Words) -> str:
    """What the figure shows, in words."""
    found = estimates.measured(VARIANTS, partial(estimates.accuracy, evidence))
    parts = []
    for cost, costs in _costs(evidence, found).items():
        named = [
            words(
                "one", network=words.name(v), cost=short(costs[v]), accuracy=percent(found[v].mean)
            )
            for v in front(found, costs)
        ]
        parts.append(words(f"alt_{cost}", networks=words.listed(named)))
    parts.append(words("rest"))
    return words.sentences(parts)
