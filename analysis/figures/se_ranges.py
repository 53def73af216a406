"""How much the channel weights of each SE block differ."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import mean

from matplotlib.axes import Axes

from analysis.evidence import Evidence
from analysis.figures.common import estimates, marks, theme
from analysis.figures.common.text import Lang, Words
from analysis.records import Records
from experiments.record import Record

ID = "se-ranges"

NETWORKS = ("SEResNet18", "SEResNet34")
#: Room between groups of blocks, in blocks.
GAP = 0.7


@dataclass(frozen=True)
class Block:
    """One SE block: its stage (from 1), its channels, and the range of its weights in each run.

    ``before``: the range before training, the larger of evaluation mode and batch statistics, as
    the mean over the runs; None where it was not measured.
    """

    stage: int
    channels: int
    ranges: tuple[float, ...]
    before: float | None

    @property
    def mean(self) -> float:
        return mean(self.ranges)


def measured(evidence: Evidence, variant: str) -> list[Record]:
    """Runs whose channel weights were measured."""
    return [run for run in evidence.finished(variant) if run.probes.se_weights]


def blocks(evidence: Evidence, variant: str) -> list[Block]:
    """The SE blocks of a network from input to output; blocks of a stage have equal widths."""
    measurements = [run.probes.se_weights for run in measured(evidence, variant)]
    if not measurements:
        return []
    widths = [block.channels for block in measurements[0]]
    stages = list(dict.fromkeys(widths))
    found = []
    for index, width in enumerate(widths):
        ranges = tuple(m[index].range_of_means for m in measurements if index < len(m))
        name = measurements[0][index].block
        before = _before(measured(evidence, variant), name)
        found.append(Block(stages.index(width) + 1, width, ranges, before))
    return found


def _before(runs: list[Record], block: str) -> float | None:
    """The range of a block's weights before training, as the mean over the runs."""
    found = [
        max(item.range_of_means for item in run.probes.se_initial if item.block == block)
        for run in runs
        if any(item.block == block for item in run.probes.se_initial)
    ]
    return sum(found) / len(found) if found else None


def runs(records: Records) -> tuple[str, ...]:
    """Ids of the records that the figure shows."""
    return Evidence(records).ids(NETWORKS)


def _found(evidence: Evidence) -> dict[str, list[Block]]:
    found = {v: b for v in NETWORKS if (b := blocks(evidence, v))}
    if not found:
        raise estimates.NothingToDraw(NETWORKS)
    return found


def draw(records: Records, lang: Lang) -> theme.Sheet:
    """The blocks of each network grouped by stage, with an area up to their mean.

    Raises:
        NothingToDraw: no finished run of either network.
    """
    evidence, words = Evidence(records), Words(ID, lang)
    found = _found(evidence)
    note = words.missing(estimates.missing(evidence, NETWORKS))
    sheet = theme.sheet(2.85, _headline(found, words), note)
    axes = theme.panel(sheet, 0.36, 0.5, 5.9, 1.95)
    theme.heading(axes, words("axis"), left=0.3)
    theme.hairlines(axes)
    channels = {b.stage: b.channels for own in found.values() for b in own}
    shown = [b for own in found.values() for b in own]
    most = max(max(*b.ranges, b.before or 0.0) for b in shown)
    axes.set_ylim(0, 1.08 * most or 1.0)
    left, edges, ticks = 0.0, [], {}
    for stage in sorted(channels):
        start = left
        for variant, own in found.items():
            blocks = [block for block in own if block.stage == stage]
            _group(axes, variant, words.name(variant), blocks, left + GAP)
            left += len(blocks) + GAP
        left += GAP
        edges.append(left)
        ticks[(start + left) / 2] = words("stage", stage=stage, channels=channels[stage])
    axes.set_xlim(0, left)
    axes.set_xticks([*ticks], [*ticks.values()])
    axes.tick_params(axis="x", length=0, pad=5)
    theme.dividers(axes, edges[:-1])
    entries = [
        (
            words("mean", network=words.name(variant), mean=f"{_mean(own):.2f}"),
            theme.look(variant).colour,
            5.5,
            True,
        )
        for variant, own in found.items()
    ]
    if any(block.before is not None for block in shown):
        entries.append((words("before"), theme.INK_2, 4.5, False))
    theme.key(sheet, entries, left=0.06)
    return sheet


def _group(axes: Axes, variant: str, name: str, blocks: list[Block], left: float) -> None:
    """The blocks of one network in one stage, from ``left`` on."""
    if not blocks:
        return
    look = theme.look(variant)
    for at, block in enumerate(blocks, start=1):
        x = left + at - 0.5
        axes.plot(
            [x, x], [min(block.ranges), max(block.ranges)], color=look.colour, linewidth=1, zorder=2
        )
        axes.plot(
            [x],
            [block.mean],
            look.marker,
            color=look.colour,
            markersize=5.5,
            markeredgewidth=0,
            zorder=3,
            label=marks.series(name, "mean"),
        )
        if block.before is not None:
            axes.plot(
                [x],
                [block.before],
                "o",
                color=theme.INK_2,
                markersize=4.5,
                markerfacecolor="none",
                label=marks.series(name, "before"),
            )
    axes.fill_between(
        [left, left + len(blocks)], _mean(blocks), color=look.colour, alpha=0.2, linewidth=0
    )


def _mean(blocks: list[Block]) -> float:
    """The mean range, averaged over the blocks of a stage and then over stages, as in findings."""
    stages: dict[int, list[float]] = {}
    for block in blocks:
        stages.setdefault(block.stage, []).append(block.mean)
    return mean(mean(own) for own in stages.values())


def _headline(found: dict[str, list[Block]], words: Words) -> str:
    every = [block for own in found.values() for block in own]
    known = [block for block in every if block.before is not None]
    above = sum(block.mean > (block.before or 0.0) for block in known)
    parts = [words("headline", above=above, blocks=len(known))] if known else []
    if len(found) > 1:
        means = {words.name(variant): _mean(own) for variant, own in found.items()}
        high, low = sorted(means, key=lambda name: -means[name])
        shown = {"high_mean": f"{means[high]:.2f}", "low_mean": f"{means[low]:.2f}"}
        parts.append(words("order", high=high, low=low, **shown))
    return words.sentences(parts)


def alt(records: Records, lang: Lang) -> str:
    """What the figure shows, in words.

    Raises:
        NothingToDraw: no finished run of either network.
    """
    words = Words(ID, lang)
    parts = []
    for variant, own in _found(Evidence(records)).items():
        means = [block.mean for block in own]
        least, most = min(means), max(means)
        parts.append(
            words(
                "one",
                network=words.name(variant),
                mean=f"{_mean(own):.2f}",
                least=f"{least:.2f}",
                least_block=means.index(least) + 1,
                most=f"{most:.2f}",
                most_block=means.index(most) + 1,
            )
        )
    return words("alt", networks=words.clauses(parts))
