"""The distribution of the channel weights of each SE block."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from analysis.evidence import Evidence
from analysis.figures.common import estimates, marks, theme
from analysis.figures.common.text import Words
from analysis.figures.se_ranges import VARIANTS
from analysis.findings import attention
from experiments.record import Record

#: Approximate weight of every channel before training.
BEFORE = 0.5
#: Heights of a panel, and of its title and labels, in inches.
HEIGHT, ROOM = 1.1, 0.7

Weights = NDArray[np.float64]


def weights(runs: Sequence[Record]) -> list[Weights]:
    """Mean weights of all channels in all runs, one array per block from input to output."""
    found = zip(*(run.probes.se_weights for run in runs), strict=False)
    return [np.concatenate([block.mean for block in each]) for each in found]


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """One panel per network."""
    runs = {variant: attention.measured(evidence, variant) for variant in VARIANTS}
    found = {v: own for v in VARIANTS if (own := weights(runs[v]))}
    estimates.require(found)
    note = estimates.missing(evidence, VARIANTS, words)
    height = 0.26 + len(found) * (HEIGHT + ROOM)
    alt, headline = _told(found, words)
    sheet = theme.Sheet(height, alt=alt, headline=headline, note=note)
    for row, (variant, own) in enumerate(found.items()):
        count, top = len(runs[variant]), 0.56 + row * (HEIGHT + ROOM)
        key = "heading" if count == 1 else "heading_runs"
        title = words(key, network=words.name(variant), runs=count)
        axes = sheet.panel(0.36, top, 5.9, HEIGHT, title, indent=0.3)
        _panel(axes, theme.look(variant).colour, own)
        _stages(axes, attention.blocks(runs[variant]), words)
    first = sheet.axes[0]
    theme.write(first, words("marks"), (0, 1), (-22, 28), "axes fraction", color=theme.INK_2)
    return sheet


def _panel(axes: Axes, colour: str, blocks: list[Weights]) -> None:
    import seaborn as sns

    places = range(len(blocks))
    marks.reference(axes, BEFORE, dashed=True)
    style = {"density_norm": "width", "width": 0.86, "cut": 0, "gridsize": 48}
    style |= {"color": colour, "linecolor": colour, "saturation": 1, "linewidth": 0, "alpha": 0.45}
    box = {"box_width": 3, "whis_width": 0.7, "marker": "o"}
    sns.violinplot(blocks, ax=axes, inner="box", inner_kws=box, **style)
    axes.set(xlim=(-0.6, len(blocks) - 0.4), ylim=(0, 1), xlabel="", ylabel="")
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])
    axes.set_xticks(places, [str(at + 1) for at in places])
    axes.tick_params(axis="x", length=0, labelcolor=theme.INK_2)


def _stages(axes: Axes, blocks: list[attention.Block], words: Words) -> None:
    """Draw lines between the stages and write their numbers of channels below."""
    first = 0
    for (stage, channels), group in groupby(blocks, lambda block: (block.stage, block.channels)):
        last = first + len(list(group)) - 1
        text = words("width", stage=stage, channels=channels)
        place = ((first + last) / 2, 0), (0, -16), axes.get_xaxis_transform()
        theme.write(axes, text, *place, ha="center", va="top")
        if first:
            theme.dividers(axes, [first - 0.5])
        first = last + 1


def _told(found: dict[str, list[Weights]], words: Words) -> tuple[str, str]:
    """The text alternative and the headline."""
    ones, widest = [], []
    for variant, blocks in found.items():
        low, quarter, third, high = np.percentile(np.concatenate(blocks), [0, 25, 75, 100])
        halves = np.array([np.percentile(block, [25, 75]) for block in blocks])
        block = int(np.argmax(halves[:, 1] - halves[:, 0]))
        least, most = halves[block]
        values = {"low": low, "quarter": quarter, "third": third, "high": high}
        values |= {"least": least, "most": most, "width": most - least}
        place = {"network": words.name(variant), "block": block + 1, "blocks": len(blocks)}
        ones.append(words("one", **place, **values))
        widest.append(words("widest", **place, **values))
    alt = words("alt", networks=words.clauses(ones))
    return alt, words("headline", networks=words.clauses(widest))
