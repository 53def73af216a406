"""What accuracy costs: parameters and multiply-accumulates."""

from __future__ import annotations

import math
from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from analysis.evidence import Evidence
from analysis.figures import data, marks, style, words
from analysis.figures.axes import accuracy_axis, log_axis
from analysis.figures.labels import Spot, label_spots
from analysis.figures.words import Lang
from analysis.findings import Finding
from analysis.records import Records
from analysis.tables.results import NETWORKS as TABLE

ID = "pareto"

NETWORKS = (*TABLE, "ResNet50-paper", "ResNet101-paper")

TEXT: dict[Lang, dict[str, str]] = {
    "en": {
        "parameters": "Parameters (log scale)",
        "macs.torchinfo": "Multiply-accumulates of one image (log scale)",
        "alt": "On the front of accuracy against {}: {}.",
        "parameters of": "parameters",
        "macs.torchinfo of": "multiply-accumulates",
        "one": "{} ({}, {})",
        "rest": "Every other network is both costlier than one of these and no more accurate.",
    },
    "zh": {
        "parameters": "参数量（对数刻度）",
        "macs.torchinfo": "单张图像的乘加次数（对数刻度）",
        "alt": "准确率对{}的前沿：{}。",
        "parameters of": "参数量",
        "macs.torchinfo of": "乘加次数",
        "one": "{}（{}，{}）",
        "rest": "其余网络都比其中某个网络开销更大，而准确率并不更高。",
    },
}
COSTS = ("parameters", "macs.torchinfo")


def runs(records: Records) -> tuple[str, ...]:
    """Ids of the records that the figure shows."""
    return Evidence(records).ids(NETWORKS)


def draw(records: Records, findings: Mapping[str, Finding], lang: Lang) -> Figure:
    """Two panels with the Pareto front as a line.

    Raises:
        NothingToDraw: no finished run of these networks.
    """
    evidence = Evidence(records)
    found = _found(evidence)
    notes = words.missing_note(data.missing(evidence, NETWORKS), lang)
    figure = style.canvas(3.6, notes)
    first = style.panel(figure, 0.36, 0.32, 2.82, 2.8)
    style.heading(
        first, words.TEXT[lang]["test accuracy"] + words.TEXT[lang]["log error"], left=0.3
    )
    second = style.panel(figure, 3.43, 0.32, 2.82, 2.8)
    for axes, cost in ((first, COSTS[0]), (second, COSTS[1])):
        costs = {v: evidence.size(v, cost, "count").value for v in found}
        style.hairlines(axes)
        axes.set_xlabel(TEXT[lang][cost])
        values, ends = data.shown(found.values())
        accuracy_axis(axes, values, ends=ends)
        log_axis(axes, costs.values(), "x", pad=0.13)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
        line = _front_line(axes, found, costs)
        for variant, value in found.items():
            marks.estimate(axes, variant, costs[variant], value)
        spots = [
            Spot(costs[v], e.mean, e.low, e.high, _two_lines(words.name(v, lang)))
            for v, e in found.items()
        ]
        label_spots(axes, spots, [line])
    second.tick_params(labelleft=False)
    return figure


def _found(evidence: Evidence) -> dict[str, data.Estimate]:
    found = {v: e for v in NETWORKS if (e := data.accuracy(evidence, v)) is not None}
    if not found:
        raise data.NothingToDraw(NETWORKS)
    return found


def front(found: Mapping[str, data.Estimate], costs: Mapping[str, float]) -> list[str]:
    """Networks that none other equals or beats in both: cheapest first."""
    best, kept = -math.inf, []
    for variant in sorted(found, key=lambda v: (costs[v], -found[v].mean)):
        if found[variant].mean > best:
            best = found[variant].mean
            kept.append(variant)
    return kept


def _front_line(
    axes: Axes, found: Mapping[str, data.Estimate], costs: Mapping[str, float]
) -> list[tuple[float, float]]:
    """Steps from each network of the front to the next; returns their corners."""
    kept = front(found, costs)
    corners: list[tuple[float, float]] = [(costs[kept[0]], axes.get_ylim()[0])]
    for variant in kept:
        corners += [(costs[variant], corners[-1][1]), (costs[variant], found[variant].mean)]
    corners.append((axes.get_xlim()[1], corners[-1][1]))
    axes.plot(*zip(*corners, strict=True), color=style.NEUTRAL, linewidth=0.8, zorder=1.8)
    return corners


def _two_lines(text: str) -> str:
    return text.replace(" (", "\n(").replace("（", "\n（")


def short(value: float) -> str:
    """A count in thousands, millions or billions: 61.7 k, 11.7 M, 1.80 G."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.3g}"


def alt(records: Records, findings: Mapping[str, Finding], lang: Lang) -> str:
    """What the figure shows, in words.

    Raises:
        NothingToDraw: no finished run of these networks.
    """
    evidence = Evidence(records)
    found = _found(evidence)
    said = TEXT[lang]
    parts = []
    for cost in COSTS:
        costs = {v: evidence.size(v, cost, "count").value for v in found}
        named = [
            said["one"].format(words.name(v, lang), short(costs[v]), words.percent(found[v].mean))
            for v in front(found, costs)
        ]
        parts.append(said["alt"].format(said[f"{cost} of"], words.listed(named, lang)))
    parts.append(said["rest"])
    return words.sentences(parts, lang)
