"""The distribution of the channel weights of each SE block."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from analysis.evidence import Evidence
from analysis.figures import se_ranges
from analysis.figures.common import estimates, marks, theme
from analysis.figures.common.text import Words

VARIANTS = se_ranges.VARIANTS
#: Approximate weight of every channel before training.
BEFORE = 0.5


def weights(evidence: Evidence, variant: str) -> list[NDArray[np.float64]]:
    """Mean weights of all channels in all runs, one array per block from input to output."""
    found = [run.probes.se_weights for run in se_ranges.measured(evidence, variant)]
    return [
        np.concatenate([m[index].mean for m in found if index < len(m)])
        for index in range(max((len(m) for m in found), default=0))
    ]


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """One panel per network."""
    found = estimates.measured(VARIANTS, partial(weights, evidence))
    note = words.missing(estimates.missing(evidence, VARIANTS))
    height = 1.4
    sheet = theme.sheet(0.56 + len(found) * (height + 0.72) - 0.3, _headline(found, words), note)
    top = 0.56
    for row, (variant, blocks) in enumerate(found.items()):
        axes = theme.panel(sheet, 0.36, top + row * (height + 0.72), 5.9, height)
        number = len(se_ranges.measured(evidence, variant))
        key = "heading" if number == 1 else "heading_runs"
        theme.heading(axes, words(key, network=words.name(variant), runs=number), left=0.3)
        _panel(axes, variant, blocks, se_ranges.blocks(evidence, variant), words)
    sheet.text(
        0.01,
        1 - (sheet.top + 0.1) / sheet.get_size_inches()[1],
        words("marks"),
        color=theme.INK_2,
        va="center",
    )
    return sheet


def _panel(
    axes: Axes,
    variant: str,
    blocks: list[NDArray[np.float64]],
    places: list[se_ranges.Block],
    words: Words,
) -> None:
    import seaborn as sns

    colour = theme.look(variant).colour
    theme.hairlines(axes)
    marks.reference(axes, BEFORE, dashed=True)
    sns.violinplot(
        data=blocks,
        ax=axes,
        color=colour,
        saturation=1,
        density_norm="width",
        width=0.86,
        cut=0,
        inner=None,
        linewidth=0,
        gridsize=48,
        alpha=0.45,
        zorder=2,
    )
    places_at = range(len(blocks))
    shares = [np.percentile(values, [0, 25, 50, 75, 100]) for values in blocks]
    low, quarter, middle, third, high = np.transpose(shares)
    axes.vlines(places_at, low, high, color=colour, linewidth=0.7, zorder=2.5)
    axes.vlines(places_at, quarter, third, color=colour, linewidth=3, zorder=2.6)
    dot: dict[str, Any] = {"color": theme.PAPER, "markersize": 2.4}
    axes.plot(places_at, middle, "o", zorder=3, **dot)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])
    axes.set_xlim(-0.6, len(blocks) - 0.4)
    axes.set_xticks(places_at, [str(at + 1) for at in range(len(blocks))])
    axes.tick_params(axis="x", length=0, labelcolor=theme.INK_2)
    axes.set_xlabel("")
    axes.set_ylabel("")
    _stages(axes, places, words)


def _stages(axes: Axes, places: list[se_ranges.Block], words: Words) -> None:
    """Draw lines between the stages and write their numbers of channels below."""
    stages: dict[int, list[int]] = {}
    for at, block in enumerate(places):
        stages.setdefault(block.stage, []).append(at)
    theme.dividers(axes, [own[0] - 0.5 for stage, own in stages.items() if stage > 1])
    for own in stages.values():
        axes.annotate(
            words("width", stage=places[own[0]].stage, channels=places[own[0]].channels),
            ((own[0] + own[-1]) / 2, 0),
            xycoords=axes.get_xaxis_transform(),
            xytext=(0, -16),
            textcoords="offset points",
            ha="center",
            va="top",
        )


def _halves(blocks: list[NDArray[np.float64]]) -> tuple[int, float, float]:
    """The block (from 0) with the widest interquartile range of weights, and its quartiles."""
    middles = [np.percentile(block, [25, 75]) for block in blocks]
    widest = max(range(len(blocks)), key=lambda i: float(middles[i][1] - middles[i][0]))
    return widest, float(middles[widest][0]), float(middles[widest][1])


def _headline(found: dict[str, list[NDArray[np.float64]]], words: Words) -> str:
    parts = []
    for variant, blocks in found.items():
        widest, low, high = _halves(blocks)
        parts.append(
            words(
                "widest",
                network=words.name(variant),
                block=widest + 1,
                blocks=len(blocks),
                width=f"{high - low:.2f}",
            )
        )
    return words("headline", networks=words.clauses(parts))


def alt(evidence: Evidence, words: Words) -> str:
    """What the figure shows, in words."""
    parts = []
    for variant, blocks in estimates.measured(VARIANTS, partial(weights, evidence)).items():
        low, quarter, third, high = np.percentile(np.concatenate(blocks), [0, 25, 75, 100])
        widest, least, most = _halves(blocks)
        values = {"low": low, "quarter": quarter, "third": third, "high": high}
        shown = {
            key: f"{value:.2f}" for key, value in (values | {"least": least, "most": most}).items()
        }
        name = words.name(variant)
        parts.append(words("one", network=name, block=widest + 1, blocks=len(blocks), **shown))
    return words("alt", networks=words.clauses(parts))
