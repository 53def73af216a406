"""Norm of the gradient of each layer of ResNet-18 over the first steps, by operator."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.evidence import Evidence
from analysis.figures import data, probes, style, words
from analysis.figures.axes import log_axis
from analysis.figures.probes import Norms
from analysis.figures.words import OPERATORS, Lang
from analysis.findings import Finding
from analysis.records import Records

ID = "gradients"

REFERENCE = "ResNet18"

TEXT: dict[Lang, dict[str, str]] = {
    "en": {
        "heading": "Gradient norm of the weights, layer by layer, first {} steps (log scale)",
        "step": "one step",
        "mean": "mean",
        "reference": "mean of add",
        "input": "input",
        "output": "output",
        "broken": "not finite\nfrom step {}",
        "zero": "zero at\n{} of {} layers",
        "alt": "Geometric mean over the first {} steps of the gradient norm, at the first layer "
        "and at the last convolution: {}.",
        "one": "{} {} and {}, a ratio of {}",
        "vanished": "{} vanishes at {} of {} layers",
        "not finite": "{} is not finite from step {} on",
    },
    "zh": {
        "heading": "各层权重梯度的范数，前 {} 步（对数刻度）",
        "step": "单步",
        "mean": "均值",
        "reference": "加法的均值",
        "input": "输入",
        "output": "输出",
        "broken": "自第 {} 步起\n非有限值",
        "zero": "{} / {} 层\n为零",
        "alt": "前 {} 步梯度范数的几何平均，依次为第一层与最后一个卷积层：{}。",
        "one": "{} {} 与 {}，比值 {}",
        "vanished": "{} 在 {} / {} 层为零",
        "not finite": "{} 自第 {} 步起非有限值",
    },
}


def runs(records: Records) -> tuple[str, ...]:
    """Ids of the records that the figure shows."""
    return Evidence(records).ids(tuple(OPERATORS))


def _found(evidence: Evidence) -> dict[str, Norms]:
    found = {v: n for v in OPERATORS if (n := probes.norms(evidence, v)) is not None}
    if not found:
        raise data.NothingToDraw(tuple(OPERATORS))
    return found


def means(norms: Norms) -> list[float | None]:
    """Of each layer the geometric mean over the steps with finite norms; None where 0."""
    found: list[float | None] = []
    for index in range(len(norms.layers)):
        values = [row[index] for row in norms.steps]
        mean = probes.geometric(value for value in values if value is not None)
        found.append(mean or None)
    return found


def draw(records: Records, findings: Mapping[str, Finding], lang: Lang) -> Figure:
    """One panel an operator, layers from input to output, one scale; addition stands behind all.

    Raises:
        NothingToDraw: no norms of any operator.
    """
    evidence = Evidence(records)
    found = _found(evidence)
    said = TEXT[lang]
    notes = words.missing_note(data.missing(evidence, tuple(OPERATORS)), lang)
    height, left, gap = 1.75, 0.5, 0.12
    remarks = {v: _remark(norms, lang) for v, norms in found.items()}
    under = 0.28 + (2 * style.LINE if any(remarks.values()) else 0)
    figure = style.canvas(0.68 + height + under, notes)
    width = (style.WIDTH - left - 0.04 - gap * (len(found) - 1)) / len(found)
    every = [x for n in found.values() for row in n.steps for x in row if x]
    for column, (variant, norms) in enumerate(found.items()):
        axes = style.panel(figure, left + column * (width + gap), 0.68, width, height)
        log_axis(axes, every or [1.0])
        if column:
            axes.tick_params(labelleft=False)
        else:
            steps = max(len(n.steps) for n in found.values())
            heading = style.heading(axes, said["heading"].format(steps), left=0.46)
            heading.set_position((-0.46 * 72, 36))
        axes.set_title(OPERATORS[variant][lang], size=style.SIZE, pad=6)
        if variant != REFERENCE and REFERENCE in found:
            _line(axes, means(found[REFERENCE]), color=style.NEUTRAL, linewidth=1, zorder=1.8)
        _panel(axes, variant, norms, lang)
        axes.annotate(
            remarks[variant],
            (0.5, 0),
            xycoords="axes fraction",
            xytext=(0, -17),
            textcoords="offset points",
            ha="center",
            va="top",
            linespacing=1.2,
        )
    colour = style.look(next(iter(found))).colour
    entries = [(said["mean"], colour, 1.6, True), (said["step"], colour, 0.6, True)]
    if REFERENCE in found and len(found) > 1:
        entries.append((said["reference"], style.NEUTRAL, 1.0, True))
    style.key(figure, entries, lines=True, top=0.27, left=left)
    return figure


def _line(axes: Axes, values: list[float | None], **options: object) -> None:
    axes.plot(
        range(len(values)),
        [math.nan if value is None else value for value in values],
        **options,  # type: ignore[arg-type]
    )


def _panel(axes: Axes, variant: str, norms: Norms, lang: Lang) -> None:
    said = TEXT[lang]
    style.hairlines(axes)
    colour = style.look(variant).colour
    for row in norms.steps:
        _line(axes, [x or None for x in row], color=colour, linewidth=0.6, alpha=0.45, zorder=2)
    _line(axes, means(norms), color=colour, linewidth=1.6, zorder=2.5)
    last = len(norms.layers) - 1
    axes.set_xlim(-0.5, last + 0.5)
    axes.set_xticks([])
    for at, text, side in ((0, said["input"], "left"), (1, said["output"], "right")):
        axes.annotate(
            text,
            (at, 0),
            xycoords="axes fraction",
            xytext=(0, -4),
            textcoords="offset points",
            ha=side,
            va="top",
            color=style.INK_2,
        )
    names = [probes.stage(layer) for layer in norms.layers]
    style.dividers(
        axes, [at + 0.5 for at, (one, other) in enumerate(pairwise(names)) if one != other]
    )


def _remark(norms: Norms, lang: Lang) -> str:
    """What a logarithmic axis cannot show: norms that are not finite, or zero."""
    said = TEXT[lang]
    if norms.broken is not None:
        return said["broken"].format(norms.broken)
    zeros = sum(value is None for value in means(norms))
    return said["zero"].format(zeros, len(norms.layers)) if zeros else ""


def alt(records: Records, findings: Mapping[str, Finding], lang: Lang) -> str:
    """What the figure shows, in words.

    Raises:
        NothingToDraw: no norms of any operator.
    """
    said = TEXT[lang]
    found = _found(Evidence(records))
    parts = []
    for variant, norms in found.items():
        title = OPERATORS[variant][lang]
        mean = means(norms)
        convolutions = [i for i, layer in enumerate(norms.layers) if "." in layer][:-1] or [-1]
        first, last = mean[0], mean[convolutions[-1]]
        if norms.broken is not None:
            parts.append(said["not finite"].format(title, norms.broken))
        elif first is None or last is None:
            zeros = sum(value is None for value in mean)
            parts.append(said["vanished"].format(title, zeros, len(mean)))
        else:
            parts.append(said["one"].format(title, *map(words.number, (first, last, first / last))))
    steps = max(len(n.steps) for n in found.values())
    return said["alt"].format(steps, ("；" if lang == "zh" else "; ").join(parts))
