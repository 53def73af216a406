"""The channel weights of each SE block: their whole distribution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.evidence import Evidence
from analysis.figures import data, marks, se_ranges, style, words
from analysis.figures.words import Lang
from analysis.findings import Finding
from analysis.records import Records

ID = "se-weights"

NETWORKS = se_ranges.NETWORKS
#: Weight of every channel before training, about.
BEFORE = 0.5

TEXT: dict[Lang, dict[str, str]] = {
    "en": {
        "heading": "{}: channel weights by block",
        "heading runs": "{}: channel weights by block, {} runs together",
        "before": "dashed: before training",
        "width": "{} channels",
        "one": "in {} half of the weights lie between {:.2f} and {:.2f}, all between {:.2f} and "
        "{:.2f}; the widest block is number {} of {}, its middle half from {:.2f} to {:.2f}",
        "alt": "Channel weights of the SE blocks, averaged over the test images: {}.",
    },
    "zh": {
        "heading": "{}：各模块的通道权重",
        "heading runs": "{}：各模块的通道权重，{} 次运行合计",
        "before": "虚线：训练前",
        "width": "{} 通道",
        "one": "{} 中一半的权重在 {:.2f} 与 {:.2f} 之间，全部在 {:.2f} 与 {:.2f} 之间；分布最宽的是"
        "第 {} 个模块（共 {} 个），其中间一半从 {:.2f} 到 {:.2f}",
        "alt": "各 SE 模块的通道权重（对测试图像取平均）：{}。",
    },
}


def runs(records: Records) -> tuple[str, ...]:
    """Ids of the records that the figure shows."""
    return Evidence(records).ids(NETWORKS)


def weights(evidence: Evidence, variant: str) -> list[NDArray[np.float64]]:
    """Mean weight of every channel, of all runs together, by block from input to output."""
    found = [run.probes.se_weights for run in se_ranges.measured(evidence, variant)]
    return [
        np.concatenate([m[index].mean for m in found if index < len(m)])
        for index in range(max((len(m) for m in found), default=0))
    ]


def _found(evidence: Evidence) -> dict[str, list[NDArray[np.float64]]]:
    found = {v: w for v in NETWORKS if (w := weights(evidence, v))}
    if not found:
        raise data.NothingToDraw(NETWORKS)
    return found


def draw(records: Records, findings: Mapping[str, Finding], lang: Lang) -> Figure:
    """One panel a network, their widths as their numbers of blocks.

    Raises:
        NothingToDraw: no finished run of either network.
    """
    evidence = Evidence(records)
    found = _found(evidence)
    notes = words.missing_note(data.missing(evidence, NETWORKS), lang)
    height = 1.5
    figure = style.canvas(0.32 + len(found) * (height + 0.72) - 0.3, notes)
    for row, (variant, blocks) in enumerate(found.items()):
        axes = style.panel(figure, 0.36, 0.32 + row * (height + 0.72), 5.9, height)
        number = len(se_ranges.measured(evidence, variant))
        heading = TEXT[lang]["heading" if number == 1 else "heading runs"]
        style.heading(axes, heading.format(words.name(variant, lang), number), left=0.3)
        _panel(axes, variant, blocks, se_ranges.blocks(evidence, variant), lang)
    return figure


def _panel(
    axes: Axes,
    variant: str,
    blocks: list[NDArray[np.float64]],
    places: list[se_ranges.Block],
    lang: Lang,
) -> None:
    import seaborn as sns

    colour = style.look(variant).colour
    style.hairlines(axes)
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
    dot: dict[str, Any] = {"color": style.PAPER, "markersize": 2.4, "markeredgewidth": 0}
    axes.plot(places_at, middle, "o", zorder=3, **dot)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])
    axes.set_xlim(-0.6, len(blocks) - 0.4)
    axes.set_xticks(places_at, [str(at + 1) for at in range(len(blocks))])
    axes.tick_params(axis="x", length=0, labelcolor=style.INK_2)
    axes.set_xlabel("")
    axes.set_ylabel("")
    _stages(axes, places, lang)


def _stages(axes: Axes, places: list[se_ranges.Block], lang: Lang) -> None:
    """Where the stages meet, and how many channels each has."""
    stages: dict[int, list[int]] = {}
    for at, block in enumerate(places):
        stages.setdefault(block.stage, []).append(at)
    style.dividers(axes, [own[0] - 0.5 for stage, own in stages.items() if stage > 1])
    for own in stages.values():
        axes.annotate(
            TEXT[lang]["width"].format(places[own[0]].channels),
            ((own[0] + own[-1]) / 2, 0),
            xycoords=axes.get_xaxis_transform(),
            xytext=(0, -16),
            textcoords="offset points",
            ha="center",
            va="top",
        )
    axes.annotate(
        TEXT[lang]["before"],
        (1, 1),
        xycoords="axes fraction",
        xytext=(0, 7),
        textcoords="offset points",
        ha="right",
        va="bottom",
        color=style.INK_2,
    )


def alt(records: Records, findings: Mapping[str, Finding], lang: Lang) -> str:
    """What the figure shows, in words.

    Raises:
        NothingToDraw: no finished run of either network.
    """
    said = TEXT[lang]
    parts = []
    for variant, blocks in _found(Evidence(records)).items():
        everything = np.concatenate(blocks)
        low, quarter, third, high = np.percentile(everything, [0, 25, 75, 100])
        middles = [np.percentile(block, [25, 75]) for block in blocks]
        widest = max(range(len(blocks)), key=lambda i: float(middles[i][1] - middles[i][0]))
        parts.append(
            said["one"].format(
                words.name(variant, lang),
                quarter,
                third,
                low,
                high,
                widest + 1,
                len(blocks),
                *middles[widest],
            )
        )
    return said["alt"].format(("；" if lang == "zh" else "; ").join(parts))
