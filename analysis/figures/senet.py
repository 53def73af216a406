"""The squeeze-and-excitation block, and its place in a residual block."""

import models
from analysis.evidence import Evidence
from analysis.figures.common import theme
from analysis.figures.common.diagram import Diagram
from analysis.figures.common.text import Words

#: Opacity of the example's channels, by their weights.
SHADES = (0.12, 0.75, 0.3, 0.6, 0.18, 0.9)


def draw(evidence: Evidence, words: Words) -> Diagram:
    """The block on the residual branch, the shortcut below it."""
    ratio = int(models.DEFAULTS["ratio"])
    inner = max(1, len(SHADES) // ratio)
    colour = theme.look("SEResNet34").colour
    alt = words("alt", ratio=ratio)
    return Diagram("senet", 2.75, alt=alt, words=words, colour=colour, shades=SHADES, inner=inner)
