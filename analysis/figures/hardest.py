"""The test images that the most runs get wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.evidence import Evidence
from analysis.figures.common import theme
from analysis.figures.common.estimates import NothingToDraw
from analysis.figures.common.text import Words, count, percent
from analysis.misread import Misreadings, kept
from analysis.tables.results import NETWORKS as VARIANTS
from experiments.datasets import DATASETS

ROWS = 4
#: Images in a row, where classes are digits and where they are words.
COLUMNS, COLUMNS_OF_WORDS = 10, 5


@dataclass(frozen=True)
class Shown:
    """An image, its class, the most frequent wrong answer, and the share of runs that are wrong."""

    pixels: NDArray[np.uint8]
    true: str
    taken: str
    share: float


def _shown(evidence: Evidence, words: Words) -> tuple[Misreadings, list[Shown]]:
    found = Misreadings(evidence.records)
    names = DATASETS[evidence.records.dataset].classes[words.lang]
    wanted = ROWS * (COLUMNS if max(map(len, names)) == 1 else COLUMNS_OF_WORDS)
    images = kept(evidence.records.dataset, found.hardest[:wanted])
    if not images:
        raise NothingToDraw(VARIANTS)
    number = len(found.all_answers)
    return found, [
        Shown(
            pixels,
            names[found.truth[image]],
            names[found.taken_for(image, found.all_answers)],
            float(found.misses[image]) / number,
        )
        for image, pixels in images.items()
    ]


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """The images in rows, the hardest first; below each its class, the most frequent wrong answer,
    and the share of runs that are wrong."""
    found, images = _shown(evidence, words)
    digits = max(len(item.true) for item in images) == 1
    columns = COLUMNS if digits else COLUMNS_OF_WORDS
    step, side, lines = theme.WIDTH / columns, 0.5, 2 if digits else 3
    height = side + 0.06 + (lines + 0.5) * theme.LINE
    rows = -(-len(images) // columns)
    sheet = theme.sheet(rows * height, _headline(found, words))
    for at, item in enumerate(images):
        row, column = divmod(at, columns)
        axes = theme.panel(sheet, column * step, row * height, side, side)
        theme.bitmap(axes, item.pixels, 112)
        arrow = " → " if digits else " →\n"
        axes.annotate(
            f"{item.true}{arrow}{item.taken}\n{percent(item.share, 0)}",
            (0, 0),
            xycoords="axes fraction",
            xytext=(0, -3),
            textcoords="offset points",
            va="top",
            linespacing=1.25,
        )
    return sheet


def _headline(found: Misreadings, words: Words) -> str:
    return words(
        "headline",
        all=count(len(found.of_all)),
        images=count(len(found.truth)),
        any=count(len(found.hardest)),
    )


def alt(evidence: Evidence, words: Words) -> str:
    """What the figure shows, in words."""
    found, images = _shown(evidence, words)
    named = [
        words("alt_image", true=item.true, taken=item.taken, share=percent(item.share, 0))
        for item in images[:3]
    ]
    return words(
        "alt",
        headline=_headline(found, words),
        count=count(len(images)),
        hardest=words.clauses(named),
    )
