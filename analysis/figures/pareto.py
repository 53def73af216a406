"""Accuracy against cost: parameters and multiply-accumulates."""

import math
from collections.abc import Mapping

from matplotlib.axes import Axes

from analysis.evidence import Evidence
from analysis.figures.common import estimates, marks, theme
from analysis.figures.common.axes import accuracy_axis, log_axis
from analysis.figures.common.estimates import Estimate
from analysis.figures.common.text import Words
from analysis.tables.results import NETWORKS as VARIANTS

COSTS = {"parameters": "parameters", "macs": "macs.torchinfo"}


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """Parameters on the left, MACs on the right; the area below the Pareto front is shaded. The
    legend has the order of the accuracies."""
    found = estimates.require(estimates.accuracies(evidence, VARIANTS))
    costs: dict[str, dict[str, float]] = {
        cost: {v: evidence.size(v, path, "count").value for v in found}
        for cost, path in COSTS.items()
    }
    note = estimates.missing(evidence, VARIANTS, words)
    headline = _headline(found, costs["parameters"], words)
    sheet = theme.Sheet(3.0, alt=_alt(found, costs, words), headline=headline, note=note)
    left = sheet.panel(0.36, 0.32, 2.65, 2.2, words("test_accuracy"), indent=0.3)
    right = sheet.panel(3.2, 0.32, 1.85, 2.2)
    right.tick_params(labelleft=False)
    for axes, cost in zip((left, right), COSTS, strict=True):
        axes.set_xlabel(words(cost))
        _panel(axes, found, costs[cost], words)
    entries = [theme.entry(words.name(variant), *theme.look(variant)) for variant in found]
    right.legend(handles=entries, loc="center left", bbox_to_anchor=(1.06, 0.5), labelspacing=0.7)
    return sheet


def _panel(
    axes: Axes, found: Mapping[str, Estimate], costs: Mapping[str, float], words: Words
) -> None:
    accuracy_axis(axes, *estimates.shown(found.values()))
    log_axis(axes, costs.values(), axis="x", form=short)
    for variant, value in found.items():
        marks.estimate(axes, theme.look(variant), costs[variant], value, words.name(variant))
    kept = front(found, costs)
    edges = [*(costs[v] for v in kept), axes.get_xlim()[1]]
    levels = [*(found[v].mean for v in kept), found[kept[-1]].mean]
    axes.step(edges, levels, where="post", color=theme.INK_2, linewidth=0.8, zorder=1.5)
    floor = axes.get_ylim()[0]
    area = axes.fill_between(edges, levels, floor, step="post", color=theme.NEUTRAL)
    area.set(alpha=0.13, linewidth=0, zorder=0.5)


def front(found: Mapping[str, Estimate], costs: Mapping[str, float]) -> list[str]:
    """The Pareto front by cost and accuracy, cheapest network first."""
    best, kept = -math.inf, []
    for variant in sorted(found, key=lambda v: (costs[v], -found[v].mean)):
        if found[variant].mean > best:
            best = found[variant].mean
            kept.append(variant)
    return kept


def short(value: float) -> str:
    """A count in thousands, millions or billions: 61.7 k, 11.7 M, 1.80 G."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.3g}"


def _headline(found: Mapping[str, Estimate], costs: Mapping[str, float], words: Words) -> str:
    best = front(found, costs)[-1]
    named = {"network": words.name(best), "accuracy": found[best].mean}
    larger = [cost for cost in costs.values() if cost > costs[best]]
    if not larger:
        return words("headline", **named)
    ratio = min(larger) / costs[best]  # rounded down: to a tenth below ten, else to a whole number
    times = f"{math.floor(10 * ratio) / 10:g}" if ratio < 10 else f"{math.floor(ratio):,}"
    size = short(costs[best])
    return words("headline_small", **named, parameters=size, others=len(larger), times=times)


def _alt(
    found: Mapping[str, Estimate], costs: Mapping[str, Mapping[str, float]], words: Words
) -> str:
    parts = []
    for kind, own in costs.items():
        named = [
            words("one", network=words.name(v), cost=short(own[v]), accuracy=found[v].mean)
            for v in front(found, own)
        ]
        parts.append(words(f"alt_{kind}", networks=words.listed(named)))
    return words.sentences([*parts, words("rest")])
