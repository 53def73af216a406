"""The gradient in the backward pass through the blocks of ResNet-18, by operator."""

import numpy as np
from matplotlib.axes import Axes

from analysis.evidence import Evidence
from analysis.figures.common import estimates, marks, probe_data, theme
from analysis.figures.common.axes import log_axis
from analysis.figures.common.marks import End, label_ends, series
from analysis.figures.common.probe_data import MOMENTS, Floats, Gains, geometric
from analysis.figures.common.probe_data import OPERATORS as VARIANTS
from analysis.figures.common.text import Words, number

#: The gradient vanishes or explodes if its factor from the last block to the first is below or
#: above these.
VANISHED, EXPLODED = 1e-3, 1e3


def passed(gains: Floats) -> Floats:
    """Cumulative factor of the gradient in the backward pass, starting with 1 at the output.

    ``gains`` of the blocks from input to output. NaN from the first block on, seen from the output,
    whose gain is not finite.
    """
    with np.errstate(over="ignore"):
        return np.cumprod([1.0, *gains[::-1]])


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
    sheet = theme.Sheet(2.95, alt=_alt(found, words), headline=headline, note=note)
    every = [gains for own in found.values() for gains in own.values()]
    shown = [passed(line) for gains in every for line in (*gains.measured, gains.predicted)]
    for place, (moment, own) in enumerate(found.items()):
        axes = sheet.panel(0.46 + 3.1 * place, 0.48, 1.62, 1.95, words(moment), indent=0.4)
        log_axis(axes, np.concatenate(shown))
        _panel(axes, own, words)
    measured = theme.entry(words("measured"), theme.INK_2)
    predicted = theme.entry(words("predicted"), theme.INK_2, hollow=True)
    sheet.key([measured, predicted], left=0.06)
    return sheet


def _panel(axes: Axes, found: dict[str, Gains], words: Words) -> None:
    marks.reference(axes, 1.0)
    blocks = max(len(gains.predicted) for gains in found.values())
    axes.set(xlim=(-0.2, blocks + 0.25), xlabel=words("passed"))
    axes.set_xticks(range(0, blocks + 1, max(1, blocks // 4)))
    floor = axes.get_ylim()[0]
    ends = []
    for variant, gains in found.items():
        (colour, marker), name = theme.look(variant), words.operator(variant)
        for run in gains.measured:
            line, label = np.maximum(passed(run), floor), series(name, "run")
            axes.plot(line, color=colour, linewidth=0.7, alpha=0.7, label=label)
        total, label = passed(gains.mean), series(name, "mean")
        line = np.maximum(total, floor)
        axes.plot(line, f"{marker}-", color=colour, markersize=3.6, zorder=3, label=label)
        *_, predicted = passed(gains.predicted)
        if predicted > 0:
            end, label = len(gains.predicted), series(name, "predicted")
            (ring,) = axes.plot(end, predicted, "o", color=theme.INK_2, fillstyle="none")
            ring.set(markeredgewidth=0.7, markersize=6.4, label=label)
        factor = number(total[-1]) if np.isfinite(total[-1]) else words("not_finite")
        last = np.flatnonzero(np.isfinite(line))[-1]
        text = f"{name}\n{words('factor', factor=factor)}"
        ends.append(End(last, line[last], text, colour))
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
    blocks = max(len(gains.predicted) for gains in found.values())
    return words("headline", blocks=blocks, what=words.clauses(parts))


def _alt(found: dict[str, dict[str, Gains]], words: Words) -> str:
    sentences = [words("alt")]
    for moment, own in found.items():
        parts = [_told(words.operator(variant), gains, words) for variant, gains in own.items()]
        sentences.append(words(f"alt_{moment}", gains=words.clauses(parts)))
    return words.sentences(sentences)


def _told(operator: str, gains: Gains, words: Words) -> str:
    positive, predicted = (each[each > 0] for each in (gains.mean, gains.predicted))
    if not len(positive) or not len(predicted):
        return words("alt_not_finite", operator=operator)
    values = {"mean": geometric(positive), "predicted": geometric(predicted)}
    values |= {"least": positive.min(), "most": positive.max()}
    shown = {key: number(float(value)) for key, value in values.items()}
    text, zeros = words("one", operator=operator, **shown), int((gains.mean == 0).sum())
    return text + words("zeros", blocks=zeros) if zeros else text
