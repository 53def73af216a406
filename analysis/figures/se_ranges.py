"""How much the channel weights of each SE block differ."""

import math

import numpy as np
from matplotlib.axes import Axes

from analysis.evidence import Evidence
from analysis.figures.common import estimates, marks, theme
from analysis.figures.common.text import Words
from analysis.findings.attention import Block, blocks, by_stage, measured

VARIANTS = ("SEResNet18", "SEResNet34")
#: Room between groups of blocks, in blocks.
GAP = 0.7


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """The blocks of each network grouped by stage, with an area up to their mean."""
    found = {v: own for v in VARIANTS if (own := blocks(measured(evidence, v)))}
    estimates.require(found)
    note = estimates.missing(evidence, VARIANTS, words)
    sheet = theme.Sheet(2.85, alt=_alt(found, words), headline=_headline(found, words), note=note)
    axes = sheet.panel(0.36, 0.5, 5.9, 1.95, words("axis"), indent=0.3)
    shown = [block for own in found.values() for block in own]
    before = [block.before for block in shown if not math.isnan(block.before)]
    axes.set_ylim(0, 1.08 * max(*before, *(max(block.ranges) for block in shown)) or 1.0)
    left, edges, ticks = 0.0, [], {}
    for stage, channels in sorted({block.stage: block.channels for block in shown}.items()):
        start = left
        for variant, own in found.items():
            group = [block for block in own if block.stage == stage]
            if group:
                _group(axes, variant, words.name(variant), group, left + GAP)
            left += len(group) + GAP
        left += GAP
        edges.append(left)
        ticks[(start + left) / 2] = words("stage", stage=stage, channels=channels)
    axes.set_xlim(0, left)
    axes.set_xticks([*ticks], [*ticks.values()])
    axes.tick_params(axis="x", length=0, pad=5)
    theme.dividers(axes, edges[:-1])
    entries = []
    for variant, own in found.items():
        text = words("mean", network=words.name(variant), mean=_mean(own))
        entries.append(theme.entry(text, *theme.look(variant)))
    if before:
        entries.append(theme.entry(words("before"), theme.INK_2, hollow=True))
    sheet.key(entries, left=0.06)
    return sheet


def _group(axes: Axes, variant: str, name: str, blocks: list[Block], left: float) -> None:
    """The blocks of one network in one stage, from ``left`` on."""
    colour, marker = theme.look(variant)
    places = left + 0.5 + np.arange(len(blocks))
    ends = [min(block.ranges) for block in blocks], [max(block.ranges) for block in blocks]
    axes.vlines(places, *ends, color=colour, linewidth=1)
    means, label = [block.mean for block in blocks], marks.series(name, "mean")
    axes.plot(places, means, marker, color=colour, markersize=5.5, zorder=3, label=label)
    before, label = [block.before for block in blocks], marks.series(name, "before")
    (rings,) = axes.plot(places, before, "o", color=theme.INK_2, fillstyle="none", label=label)
    rings.set(markersize=4.5, markeredgewidth=1)
    across = [left, left + len(blocks)]
    axes.fill_between(across, _mean(blocks), color=colour, alpha=0.2, linewidth=0)


def _mean(blocks: list[Block]) -> float:
    """The mean range, averaged over the blocks of a stage and then over stages."""
    return by_stage([(block.channels, block.mean) for block in blocks])


def _headline(found: dict[str, list[Block]], words: Words) -> str:
    known = [b for own in found.values() for b in own if not math.isnan(b.before)]
    above = sum(block.mean > block.before for block in known)
    text = words("headline", above=above, blocks=len(known)) if known else ""
    if len(found) < 2:
        return text
    means = {words.name(variant): _mean(own) for variant, own in found.items()}
    high, low = sorted(means, key=lambda name: -means[name])
    order = words("order", high=high, low=low, high_mean=means[high], low_mean=means[low])
    return words.sentences([text, order])


def _alt(found: dict[str, list[Block]], words: Words) -> str:
    parts = []
    for variant, own in found.items():
        means = [block.mean for block in own]
        ends = {"least": min(means), "most": max(means)}
        blocks = {f"{end}_block": means.index(value) + 1 for end, value in ends.items()}
        parts.append(words("one", network=words.name(variant), mean=_mean(own), **ends, **blocks))
    return words("alt", networks=words.clauses(parts))
