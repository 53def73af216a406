"""How each residual block of ResNet-18 scales the gradient, by operator, against the derivation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.evidence import Evidence
from analysis.figures import data, marks, probes, style, words
from analysis.figures.axes import log_axis
from analysis.figures.probes import MOMENTS, Gain
from analysis.figures.words import OPERATORS, Lang
from analysis.findings import Finding
from analysis.records import Records

ID = "gains"

TEXT: dict[Lang, dict[str, str]] = {
    "en": {
        "init": "Gain of each block at initialisation (log scale)",
        "end": "After training",
        "block": "Block",
        "measured": "measured",
        "predicted": "predicted from branch and shortcut",
        "none measured": "not\nmeasured",
        "diverged": "diverged\nat step {}",
        "moment init": "At initialisation",
        "moment end": "After training",
        "alt": "Gradient gain of the blocks of ResNet-18 by operator, as geometric means. {}: {}.",
        "one": "{} {} (from {} to {}; predicted {})",
        "zeros": ", but 0 in {} of its blocks",
        "not finite": "{} nowhere positive and finite",
    },
    "zh": {
        "init": "初始化时各块的增益（对数刻度）",
        "end": "训练之后",
        "block": "块",
        "measured": "实测",
        "predicted": "由分支与捷径预测",
        "none measured": "未测量",
        "diverged": "第 {} 步\n发散",
        "moment init": "初始化时",
        "moment end": "训练之后",
        "alt": "ResNet-18 各块的梯度增益（几何平均），按运算列出。{}：{}。",
        "one": "{} {}（从 {} 到 {}；预测 {}）",
        "zeros": "，但有 {} 块为 0",
        "not finite": "{} 处处为 0 或非有限值",
    },
}


def runs(records: Records) -> tuple[str, ...]:
    """Ids of the records that the figure shows."""
    return Evidence(records).ids(tuple(OPERATORS))


def _measured(evidence: Evidence) -> dict[str, dict[str, list[Gain]]]:
    """Gains by moment and variant, of the variants that have any."""
    found = {
        moment: {v: g for v in OPERATORS if (g := probes.gains(evidence, v, moment))}
        for moment in MOMENTS
    }
    if not any(found.values()):
        raise data.NothingToDraw(tuple(OPERATORS))
    return found


def draw(records: Records, findings: Mapping[str, Finding], lang: Lang) -> Figure:
    """Five columns, one an operator; two rows, before and after training; one scale.

    Raises:
        NothingToDraw: no gains of any operator.
    """
    evidence = Evidence(records)
    found = _measured(evidence)
    said = TEXT[lang]
    shown = [v for v in OPERATORS if evidence.runs(v)]
    notes = words.missing_note(data.missing(evidence, tuple(OPERATORS)), lang)
    height, between, left, gap = 1.28, 0.42, 0.5, 0.12
    figure = style.canvas(0.52 + 2 * height + between + 0.42, notes)
    width = (style.WIDTH - left - 0.04 - gap * (len(shown) - 1)) / len(shown)
    every = [
        x
        for moment in found.values()
        for own in moment.values()
        for gain in own
        for x in (*gain.measured, gain.predicted)
        if x is not None
    ]
    for row, moment in enumerate(MOMENTS):
        for column, variant in enumerate(shown):
            top = 0.52 + row * (height + between)
            axes = style.panel(figure, left + column * (width + gap), top, width, height)
            log_axis(axes, [*every, 1.0], pad=0.07)
            if column:
                axes.tick_params(labelleft=False)
            else:
                offset = 24 if row == 0 else 7
                style.heading(axes, said[moment], left=0.46).set_position((-0.46 * 72, offset))
            own = found[moment].get(variant, [])
            _panel(axes, variant, own)
            if not own:
                _empty(axes, evidence, variant, lang)
            if row == 0:
                axes.set_title(OPERATORS[variant][lang], size=style.SIZE, pad=6)
            else:
                axes.set_xlabel(said["block"])
    _key(figure, shown[0], lang)
    return figure


def _panel(axes: Axes, variant: str, own: list[Gain]) -> None:
    style.hairlines(axes)
    marks.reference(axes, 1.0)
    count = max(len(own), 8)
    axes.set_xlim(0.3, count + 0.7)
    axes.set_xticks([1, count])
    axes.tick_params(axis="x", length=0)
    colour = style.look(variant).colour
    places = range(1, len(own) + 1)
    means = [gain.mean for gain in own]
    predicted = [gain.predicted or math.nan for gain in own]
    hollow: dict[str, Any] = {"color": style.INK_2, "markerfacecolor": "none"}
    axes.plot(places, predicted, "o", markersize=6.4, markeredgewidth=0.7, zorder=2.4, **hollow)
    filled: dict[str, Any] = {"color": colour, "markeredgewidth": 0, "zorder": 3}
    axes.plot(places, [mean or math.nan for mean in means], "o", markersize=4.2, **filled)
    # Zero has no place on a logarithmic axis: arrows at its lower edge.
    zeros = [at for at, mean in zip(places, means, strict=True) if mean == 0]
    axes.plot(zeros, [axes.get_ylim()[0]] * len(zeros), "v", clip_on=False, **filled)
    for at in zeros:
        offset: dict[str, Any] = {"xytext": (4, 3), "textcoords": "offset points"}
        axes.annotate("0", (at, 0), xycoords=axes.get_xaxis_transform(), **offset)
    nowhere = [(float(at), 1.0) for at, mean in zip(places, means, strict=True) if mean is None]
    marks.crosses(axes, variant, nowhere)
    spans = {
        at: finite for at, gain in zip(places, own, strict=True) if len(finite := gain.finite) > 1
    }
    axes.vlines(list(spans), [*map(min, spans.values())], [*map(max, spans.values())], color=colour)
    names = [probes.stage(gain.block) for gain in own]
    edges = [at + 1.5 for at, (one, other) in enumerate(pairwise(names)) if one != other]
    style.dividers(axes, edges)


def _empty(axes: Axes, evidence: Evidence, variant: str, lang: Lang) -> None:
    step = data.broken_off(evidence, variant)
    text = TEXT[lang]["none measured"] if step is None else TEXT[lang]["diverged"].format(step)
    axes.text(
        0.5,
        0.3,
        text,
        transform=axes.transAxes,
        ha="center",
        va="center",
        color=style.INK_2,
        linespacing=1.2,
    )


def _key(figure: Figure, variant: str, lang: Lang) -> None:
    """Which mark is which, at the right of the figure's first line."""
    entries = [
        (TEXT[lang]["measured"], style.look(variant).colour, 4.2, True),
        (TEXT[lang]["predicted"], style.INK_2, 6.4, False),
    ]
    style.key(figure, entries)


def alt(records: Records, findings: Mapping[str, Finding], lang: Lang) -> str:
    """What the figure shows, in words.

    Raises:
        NothingToDraw: no gains of any operator.
    """
    said = TEXT[lang]
    moments = []
    for moment, variants in _measured(Evidence(records)).items():
        parts = []
        for variant, own in variants.items():
            title = OPERATORS[variant][lang]
            means = [gain.mean for gain in own if gain.mean]
            predicted = probes.geometric(gain.predicted for gain in own if gain.predicted)
            mean = probes.geometric(means)
            if mean is None or predicted is None:
                parts.append(said["not finite"].format(title))
                continue
            numbers = (mean, min(means), max(means), predicted)
            parts.append(said["one"].format(title, *map(words.number, numbers)))
            if zeros := sum(gain.mean == 0 for gain in own):
                parts[-1] += said["zeros"].format(zeros)
        if parts:
            separator = "；" if lang == "zh" else "; "
            moments.append((said[f"moment {moment}"], separator.join(parts)))
    opening = said["alt"].format(*moments[0])
    closing = "。" if lang == "zh" else "."
    rest = [
        f"{title}{'：' if lang == 'zh' else ': '}{text}{closing}" for title, text in moments[1:]
    ]
    return words.sentences([opening, *rest], lang)
