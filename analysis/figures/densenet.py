"""The structure of the DenseNet, with one dense block and one transition in detail."""

from __future__ import annotations

from dataclasses import dataclass

import models
from analysis.constants import CONSTANTS
from analysis.evidence import Evidence
from analysis.figures.common import theme
from analysis.figures.common.diagram import Diagram
from analysis.figures.common.text import Words

STEM_CHANNELS, BLOCKS, LAYERS = 64, 4, 2


@dataclass(frozen=True)
class Stage:
    """A dense block: channels before and after it, and the side of its maps in pixels."""

    before: int
    after: int
    side: int


def stages(growth: int, size: int) -> tuple[int, list[Stage]]:
    """Side after the stem (stride 2, then unpadded 3/2 pooling), and the dense blocks."""
    side = ((size - 1) // 2 + 1 - 3) // 2 + 1
    channels, found, first = STEM_CHANNELS, [], side
    for _ in range(BLOCKS):
        after = channels + LAYERS * growth
        found.append(Stage(channels, after, side))
        channels, side = after // 2, side // 2
    return first, found


def _network() -> tuple[int, int, int, list[Stage]]:
    """Growth rate, side of the input, side after the stem, and the dense blocks."""
    growth, size = int(models.DEFAULTS["growth_rate"]), int(CONSTANTS["imagenet_size"].value)
    return growth, size, *stages(growth, size)


def draw(evidence: Evidence, words: Words) -> Diagram:
    """The whole network above; a dense block and a transition below."""
    growth, size, side, found = _network()
    colour = theme.look("DenseNet").colour
    steps: list[tuple[str, int, int, str]] = [
        (words("input"), 3, size, theme.NEUTRAL),
        (words("stem"), STEM_CHANNELS, side, theme.NEUTRAL),
    ]
    for number, stage in enumerate(found, start=1):
        steps.append((words("block", number=number), stage.after, stage.side, colour))
        if number < len(found):
            following = found[number]
            steps.append((f"T{number}", following.before, following.side, theme.NEUTRAL))
    steps.append((words("head"), 10, 1, theme.NEUTRAL))
    first, second = found[:2]
    return Diagram(
        "densenet",
        3.25,
        words=words,
        steps=steps,
        colour=colour,
        growth=growth,
        before=first.before,
        after=first.after,
        side=first.side,
        reduced=second.before,
        smaller=second.side,
    )


def alt(evidence: Evidence, words: Words) -> str:
    """What the figure shows, in words."""
    growth, size, side, found = _network()
    sizes = words("comma").join(f"{s.after} × {s.side} × {s.side}" for s in found)
    return words(
        "alt",
        size=size,
        stem=STEM_CHANNELS,
        side=side,
        blocks=BLOCKS,
        layers=LAYERS,
        growth=growth,
        before=found[0].before,
        after=found[0].after,
        sizes=sizes,
    )
