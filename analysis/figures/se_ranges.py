"""How much the channel weights of each SE block differ."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from matplotlib.axes import Axes

from analysis.evidence import Evidence
from analysis.figures.common import estimates, marks, theme
from analysis.figures.common.text import Words
from analysis.findings.attention import by_stage, untrained
from analysis.findings.base import average
from experiments.record import Record

VARIANTS = ("SEResNet18", "SEResNet34")
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
        return average(self.ranges)


def measured(evidence: Evidence, variant: str) -> list[Record]:
    """Runs whose channel weights were measured."""
    return [run for run in evidence.finished(variant) if run.probes.se_weights]


def blocks(evidence: Evidence, variant: str) -> list[Block]:
    """The SE blocks of a network from input to output; blocks of a stage have equal widths."""
    runs = measured(evidence, variant)
    initial = [untrained(run) for run in runs]
    stages: dict[int, int] = {}
    found = []
    for index, block in enumerate(runs[0].probes.se_weights if runs else ()):
        stage = stages.setdefault(block.channels, len(stages) + 1)
        after = [run.probes.se_weights[index : index + 1] for run in runs]
        ranges = tuple(own.range_of_means for each in after for own in each)
        before = [ranges[block.block][1] for ranges in initial if block.block in ranges]
        found.append(Block(stage, block.channels, ranges, average(before) if before else None))
    return found


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """The blocks of each network grouped by stage, with an area up to their mean."""
    found = estimates.measured(VARIANTS, partial(blocks, evidence))
    note = words.missing(estimates.missing(evidence, VARIANTS))
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
            group = [block for block in own if block.stage == stage]
            _group(axes, variant, words.name(variant), group, left + GAP)
            left += len(group) + GAP
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
                markeredgewidth=1,
                markerfacecolor="none",
                label=marks.series(name, "before"),
            )
    axes.fill_between(
        [left, left + len(blocks)], _mean(blocks), color=look.colour, alpha=0.2, linewidth=0
    )


def _mean(blocks: list[Block]) -> float:
    """The mean range, averaged over the blocks of a stage and then over stages."""
    return by_stage([(block.channels, block.mean) for block in blocks])


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


def alt(evidence: Evidence, words: Words) -> str:
    """What the figure shows, in words."""
    parts = []
    for variant, own in estimates.measured(VARIANTS, partial(blocks, evidence)).items():
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
