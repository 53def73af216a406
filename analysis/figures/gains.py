"""The gradient in the backward pass through the blocks of ResNet-18, by operator."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from analysis.evidence import Evidence
from analysis.figures.common import estimates, marks, probe_data, theme
from analysis.figures.common.axes import log_axis
from analysis.figures.common.marks import End, label_ends
from analysis.figures.common.probe_data import MOMENTS, Gains, geometric, passed
from analysis.figures.common.probe_data import OPERATORS as VARIANTS
from analysis.figures.common.text import Words, number

#: The gradient vanishes or explodes if its factor from the last block to the first is below or
#: above these.
VANISHED, EXPLODED = 1e-3, 1e3


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """Cumulative product of the blocks' gains from the output, before and after training."""
    found: dict[str, dict[str, Gains]] = {
        moment: own
        for moment in MOMENTS
        if (own := {v: g for v in VARIANTS if (g := probe_data.gains(evidence, v, moment))})
    }
    estimates.require(found)
    note = estimates.missing(evidence, VARIANTS, words)
    headline = _headline(found.get("init", {}), words)
    sheet = theme.sheet(2.95, alt=_alt(found, words), headline=headline, note=note)
    every = [
        passed(line)
        for own in found.values()
        for gains in own.values()
        for line in (*gains.measured, gains.predicted)
    ]
    for place, (moment, own) in enumerate(found.items()):
        axes = theme.panel(sheet, 0.46 + 3.1 * place, 0.48, 1.62, 1.95)
        theme.heading(axes, words(moment), left=0.4)
        log_axis(axes, np.concatenate(every))
        _panel(axes, own, words)
    entries = [
        theme.entry(words(key), theme.INK_2, hollow=key == "predicted")
        for key in ("measured", "predicted")
    ]
    theme.key(sheet, entries, left=0.06)
    return sheet


def _panel(axes: Axes, found: dict[str, Gains], words: Words) -> None:
    marks.reference(axes, 1.0)
    blocks = max(len(gains.mean) for gains in found.values())
    axes.set(xlim=(-0.2, blocks + 0.25), xlabel=words("passed"))
    axes.set_xticks(range(0, blocks + 1, max(1, blocks // 4)))
    floor = axes.get_ylim()[0]
    ring: dict[str, Any] = {"color": theme.INK_2, "markerfacecolor": "none", "markersize": 6.4}
    ends = []
    for variant, gains in found.items():
        look, name = theme.look(variant), words.operator(variant)
        for run in gains.measured:
            label = marks.series(name, "run")
            line = np.maximum(passed(run), floor)
            axes.plot(line, color=look.colour, linewidth=0.7, alpha=0.7, label=label)
        total = passed(gains.mean)
        line = np.maximum(total, floor)
        label = marks.series(name, "mean")
        axes.plot(line, f"{look.marker}-", color=look.colour, markersize=3.6, zorder=3, label=label)
        predicted = passed(gains.predicted)
        if predicted[-1] > 0:
            label = marks.series(name, "predicted")
            axes.plot(
                len(predicted) - 1, predicted[-1], "o", markeredgewidth=0.7, label=label, **ring
            )
        factor = number(total[-1]) if np.isfinite(total[-1]) else words("not_finite")
        last = np.flatnonzero(np.isfinite(line))[-1]
        text = f"{name}\n{words('factor', factor=factor)}"
        ends.append(End(last, line[last], text, look.colour))
    label_ends(axes, ends, reach=12)


def _headline(found: dict[str, Gains], words: Words) -> str:
    factors = {variant: passed(gains.mean)[-1] for variant, gains in found.items()}
    finite = {variant: factor for variant, factor in factors.items() if np.isfinite(factor)}
    if not finite:
        return ""
    named = {v: f"{words.operator(v)} (× {number(factor)})" for v, factor in finite.items()}
    extreme = {
        "vanishes": [named[v] for v, factor in finite.items() if factor < VANISHED],
        "explodes": [named[v] for v, factor in finite.items() if factor > EXPLODED],
    }
    parts = [words(key, operators=words.listed(own)) for key, own in extreme.items() if own]
    if kept := [factor for factor in finite.values() if VANISHED <= factor <= EXPLODED]:
        key = "stays_rest" if parts else "stays"
        parts.append(words(key, least=number(min(kept)), most=number(max(kept))))
    blocks = max(len(gains.mean) for gains in found.values())
    return words("headline", blocks=blocks, what=words.clauses(parts))


def _alt(found: dict[str, dict[str, Gains]], words: Words) -> str:
    sentences = [words("alt")]
    for moment, variants in found.items():
        parts = []
        for variant, gains in variants.items():
            name = words.operator(variant)
            positive = gains.mean[gains.mean > 0]
            predicted = gains.predicted[gains.predicted > 0]
            if not len(positive) or not len(predicted):
                parts.append(words("alt_not_finite", operator=name))
                continue
            values = {"mean": geometric(positive), "predicted": geometric(predicted)}
            values |= {"least": positive.min(), "most": positive.max()}
            shown = {key: number(float(value)) for key, value in values.items()}
            parts.append(words("one", operator=name, **shown))
            if zeros := int((gains.mean == 0).sum()):
                parts[-1] += words("zeros", blocks=zeros)
        sentences.append(words(f"alt_{moment}", gains=words.clauses(parts)))
    return words.sentences(sentences)
