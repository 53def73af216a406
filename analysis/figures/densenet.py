"""The structure of the DenseNet, with one dense block and one transition in detail."""

import models
from analysis.constants import CONSTANTS
from analysis.evidence import Evidence
from analysis.figures.common import theme
from analysis.figures.common.diagram import Diagram
from analysis.figures.common.text import Words

STEM_CHANNELS, BLOCKS, LAYERS = 64, 4, 2


def draw(evidence: Evidence, words: Words) -> Diagram:
    """The whole network above; a dense block and a transition below."""
    growth, size = int(models.DEFAULTS["growth_rate"]), int(CONSTANTS["imagenet_size"].value)
    # After the stem: stride 2, then unpadded 3/2 pooling.
    channels, stem = STEM_CHANNELS, ((size - 1) // 2 + 1 - 3) // 2 + 1
    colour, side = theme.look("DenseNet").colour, stem
    steps: list[tuple[str, int, int, str]] = [
        (words("input"), 3, size, theme.NEUTRAL),
        (words("stem"), channels, side, theme.NEUTRAL),
    ]
    for number in range(1, BLOCKS + 1):
        channels += LAYERS * growth
        steps.append((words("block", number=number), channels, side, colour))
        if number < BLOCKS:
            channels, side = channels // 2, side // 2
            steps.append((f"T{number}", channels, side, theme.NEUTRAL))
    steps.append((words("head"), 10, 1, theme.NEUTRAL))
    (_, after, _, _), (_, reduced, smaller, _) = steps[2:4]  # the first block, and its transition
    shapes = [f"{channels} × {side} × {side}" for _, channels, side, own in steps if own == colour]
    block = {"growth": growth, "before": STEM_CHANNELS, "after": after, "side": stem}
    alt = words(
        "alt",
        size=size,
        stem=STEM_CHANNELS,
        blocks=BLOCKS,
        layers=LAYERS,
        sizes=words("comma").join(shapes),
        **block,
    )
    return Diagram(
        "densenet",
        3.25,
        alt=alt,
        words=words,
        steps=steps,
        colour=colour,
        reduced=reduced,
        smaller=smaller,
        **block,
    )
