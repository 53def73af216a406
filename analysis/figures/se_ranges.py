"""How much the channel weights of each SE block differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.evidence import Evidence
from analysis.figures import data, style, words
from analysis.figures.labels import End, label_ends
from analysis.figures.words import Lang
from analysis.findings import Finding
from analysis.records import Records
from experiments.record import Record

ID = "se-ranges"

NETWORKS = ("SEResNet18", "SEResNet34")

TEXT: dict[Lang, dict[str, str]] = {
    "en": {
        "heading": "Range of the channel weights (largest less smallest)",
        "stage": "Stage {}, {} channels",
        "mean": "{}\nmean {:.2f}",
        "one": "in {} on average {:.2f}, from {:.2f} (block {}) to {:.2f} (block {})",
        "alt": "Range of the channel weights over the SE blocks: {}.",
    },
    "zh": {
        "heading": "通道权重的极差（最大减最小）",
        "stage": "第 {} 阶段，{} 通道",
        "mean": "{}\n平均 {:.2f}",
        "one": "{} 平均 {:.2f}，最小 {:.2f}（第 {} 个），最大 {:.2f}（第 {} 个）",
        "alt": "各 SE 模块通道权重的极差：{}。",
    },
}


@dataclass(frozen=True)
class Block:
    """One SE block: its stage (from 1), its place in it from 0 to 1, and the range in each run."""

    stage: int
    share: float
    channels: int
    ranges: tuple[float, ...]

    @property
    def at(self) -> float:
        """Where the block stands: the stage, and within it by its place."""
        return self.stage + 0.1 + 0.8 * self.share

    @property
    def mean(self) -> float:
        return sum(self.ranges) / len(self.ranges)


def measured(evidence: Evidence, variant: str) -> list[Record]:
    """Runs whose channel weights were measured."""
    return [run for run in evidence.finished(variant) if run.probes.se_weights]


def blocks(evidence: Evidence, variant: str) -> list[Block]:
    """The SE blocks of a network from input to output; a stage is a run of equal widths."""
    measurements = [run.probes.se_weights for run in measured(evidence, variant)]
    if not measurements:
        return []
    widths = [block.channels for block in measurements[0]]
    stages = list(dict.fromkeys(widths))
    found = []
    for index, width in enumerate(widths):
        own = [i for i, other in enumerate(widths) if other == width]
        share = (own.index(index) + 0.5) / len(own)
        ranges = tuple(m[index].range_of_means for m in measurements if index < len(m))
        found.append(Block(stages.index(width) + 1, share, width, ranges))
    return found


def runs(records: Records) -> tuple[str, ...]:
    """Ids of the records that the figure shows."""
    return Evidence(records).ids(NETWORKS)


def _found(evidence: Evidence) -> dict[str, list[Block]]:
    found = {v: b for v in NETWORKS if (b := blocks(evidence, v))}
    if not found:
        raise data.NothingToDraw(NETWORKS)
    return found


def draw(records: Records, findings: Mapping[str, Finding], lang: Lang) -> Figure:
    """Both networks in one panel, block by block within the stages they share.

    Raises:
        NothingToDraw: no finished run of either network.
    """
    evidence = Evidence(records)
    found = _found(evidence)
    figure = style.canvas(2.6, words.missing_note(data.missing(evidence, NETWORKS), lang))
    axes = style.panel(figure, 0.36, 0.32, 4.85, 1.95)
    style.heading(axes, TEXT[lang]["heading"], left=0.3)
    style.hairlines(axes)
    stages = {b.stage: b.channels for found_blocks in found.values() for b in found_blocks}
    axes.set_xlim(1, max(stages) + 1)
    axes.set_ylim(0, 1.08 * max(x for f in found.values() for b in f for x in b.ranges))
    axes.set_xticks(
        [stage + 0.5 for stage in stages],
        [TEXT[lang]["stage"].format(stage, width) for stage, width in stages.items()],
    )
    axes.tick_params(axis="x", length=0, pad=5)
    style.dividers(axes, list(stages)[1:])
    ends = []
    for variant, own in found.items():
        _stems(axes, variant, own)
        mean = sum(block.mean for block in own) / len(own)
        colour = style.look(variant).colour
        axes.axhline(mean, color=colour, linewidth=0.9, linestyle=(0, (4, 2.5)), zorder=1.8)
        text = TEXT[lang]["mean"].format(words.name(variant, lang), mean)
        ends.append(End(axes.get_xlim()[1], mean, text, colour))
    label_ends(axes, ends, reach=12)
    return figure


def _stems(axes: Axes, variant: str, own: list[Block]) -> None:
    look = style.look(variant)
    places, means = [block.at for block in own], [block.mean for block in own]
    axes.vlines(places, 0, means, color=look.colour, linewidth=1.6, zorder=2)
    if any(len(block.ranges) > 1 for block in own):
        each = [(block.at, value) for block in own for value in block.ranges]
        bars: dict[str, Any] = {"color": look.colour, "markersize": 5, "markeredgewidth": 0.8}
        axes.plot(*zip(*each, strict=True), "_", zorder=2.5, **bars)
    heads: dict[str, Any] = {"color": look.colour, "markersize": 5.5, "markeredgewidth": 0}
    axes.plot(places, means, look.marker, zorder=3, **heads)


def alt(records: Records, findings: Mapping[str, Finding], lang: Lang) -> str:
    """What the figure shows, in words.

    Raises:
        NothingToDraw: no finished run of either network.
    """
    said = TEXT[lang]
    parts = []
    for variant, own in _found(Evidence(records)).items():
        means = [block.mean for block in own]
        least, most = min(means), max(means)
        places = means.index(least) + 1, means.index(most) + 1
        parts.append(
            said["one"].format(
                words.name(variant, lang),
                sum(means) / len(means),
                least,
                places[0],
                most,
                places[1],
            )
        )
    return said["alt"].format(("；" if lang == "zh" else "; ").join(parts))
