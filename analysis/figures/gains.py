"""The gradient in the backward pass through the blocks of ResNet-18, by operator."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes

from analysis.evidence import Evidence
from analysis.figures.common import estimates, marks, probe_data, theme
from analysis.figures.common.axes import log_axis
from analysis.figures.common.label_placement import End, label_ends
from analysis.figures.common.probe_data import MOMENTS, Gain
from analysis.figures.common.probe_data import OPERATORS as VARIANTS
from analysis.figures.common.text import Words, number

#: The gradient vanishes or explodes if its factor from the last block to the first is below or
#: above these.
VANISHED, EXPLODED = 1e-3, 1e3

Moment = dict[str, list[Gain]]


def _measured(evidence: Evidence) -> dict[str, Moment]:
    """Gains by moment and by variant, without variants that have none."""
    found: dict[str, Moment] = {
        moment: {v: g for v in VARIANTS if (g := probe_data.gains(evidence, v, moment))}
        for moment in MOMENTS
    }
    if not any(found.values()):
        raise estimates.NothingToDraw(VARIANTS)
    return found


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """Cumulative product of the blocks' gains from the output, before and after training."""
    found = _measured(evidence)
    note = words.missing(estimates.missing(evidence, VARIANTS))
    sheet = theme.sheet(2.95, _headline(found["init"], words), note)
    every = [
        factor
        for own in found.values()
        for gains in own.values()
        for values in (*_runs(gains), [gain.predicted for gain in gains])
        for factor in probe_data.passed(values)
    ]
    for moment, left in zip(MOMENTS, (0.46, 3.56), strict=True):
        axes = theme.panel(sheet, left, 0.48, 1.62, 1.95)
        theme.heading(axes, words(moment), left=0.4)
        log_axis(axes, every)
        _panel(axes, found[moment], words)
    entries = [
        (words("measured"), theme.INK_2, 4.2, True),
        (words("predicted"), theme.INK_2, 6.0, False),
    ]
    theme.key(sheet, entries, left=0.06)
    return sheet


def _runs(gains: list[Gain]) -> list[list[float | None]]:
    """The gains of each run from input to output."""
    count = min(len(gain.measured) for gain in gains)
    return [[gain.measured[i] for gain in gains] for i in range(count)]


def _panel(axes: Axes, found: Moment, words: Words) -> None:
    theme.hairlines(axes)
    marks.reference(axes, 1.0)
    count = max((len(gains) for gains in found.values()), default=8)
    axes.set_xlim(-0.2, count + 0.25)
    axes.set_xticks(range(0, count + 1, max(1, count // 4)))
    axes.set_xlabel(words("passed"))
    ends = []
    floor = axes.get_ylim()[0]
    for variant, gains in found.items():
        look = theme.look(variant)
        for values in _runs(gains):
            single = [max(factor, floor) for factor in probe_data.passed(values)]
            axes.plot(
                range(len(single)),
                single,
                color=look.colour,
                linewidth=0.7,
                alpha=0.7,
                label=marks.series(words.operator(variant), "run"),
            )
        mean = probe_data.passed(gain.mean for gain in gains)
        line = [max(factor, floor) for factor in mean]
        axes.plot(
            range(len(line)),
            line,
            look.marker,
            linestyle="-",
            color=look.colour,
            markersize=3.6,
            zorder=3,
            label=marks.series(words.operator(variant), "mean"),
        )
        predicted = probe_data.passed(gain.predicted for gain in gains)
        if predicted[-1] > 0:
            ring: dict[str, Any] = {
                "markerfacecolor": "none",
                "markeredgecolor": theme.INK_2,
                "markersize": 6.4,
                "label": marks.series(words.operator(variant), "predicted"),
            }
            axes.plot([len(predicted) - 1], [predicted[-1]], "o", markeredgewidth=0.7, **ring)
        whole = len(mean) == len(gains) + 1
        factor = number(mean[-1]) if whole else words("not_finite")
        text = f"{words.operator(variant)}\n{words('factor', factor=factor)}"
        ends.append(End(len(line) - 1, line[-1], text, look.colour))
    if not found:
        axes.text(
            0.5,
            0.3,
            words("not_measured"),
            transform=axes.transAxes,
            ha="center",
            color=theme.INK_2,
        )
    label_ends(axes, ends, reach=12)


def totals(found: Moment) -> dict[str, float]:
    """Factor of the gradient over all blocks, for the operators where it is finite."""
    passed = {v: probe_data.passed(gain.mean for gain in gains) for v, gains in found.items()}
    return {v: own[-1] for v, own in passed.items() if len(own) == len(found[v]) + 1}


def _headline(found: Moment, words: Words) -> str:
    total = totals(found)
    if not total:
        return ""
    blocks = max(len(gains) for gains in found.values())

    def named(variants: list[str]) -> str:
        return words.listed(f"{words.operator(v)} (× {number(total[v])})" for v in variants)

    vanished = [variant for variant, factor in total.items() if factor < VANISHED]
    exploded = [variant for variant, factor in total.items() if factor > EXPLODED]
    kept = {v: factor for v, factor in total.items() if VANISHED <= factor <= EXPLODED}
    parts = [
        words(key, operators=named(variants))
        for key, variants in (("vanishes", vanished), ("explodes", exploded))
        if variants
    ]
    if kept:
        least, most = number(min(kept.values())), number(max(kept.values()))
        key = "stays_rest" if parts else "stays"
        parts.append(words(key, least=least, most=most))
    return words("headline", blocks=blocks, what=words.clauses(parts))


def alt(evidence: Evidence, words: Words) -> str:
    """What the figure shows, in words."""
    sentences = []
    for moment, variants in _measured(evidence).items():
        parts = []
        for variant, own in variants.items():
            name = words.operator(variant)
            means = [gain.mean for gain in own if gain.mean]
            predicted = probe_data.geometric(gain.predicted for gain in own if gain.predicted)
            mean = probe_data.geometric(means)
            if mean is None or predicted is None:
                parts.append(words("alt_not_finite", operator=name))
                continue
            values = {"mean": mean, "least": min(means), "most": max(means), "predicted": predicted}
            shown = {key: number(value) for key, value in values.items()}
            parts.append(words("one", operator=name, **shown))
            if zeros := sum(gain.mean == 0 for gain in own):
                parts[-1] += words("zeros", blocks=zeros)
        if parts:
            sentences.append(words(f"alt_{moment}", gains=words.clauses(parts)))
    return words.sentences([words("alt"), *sentences])
