"""The test images that the most runs get wrong."""

from analysis.evidence import Evidence
from analysis.figures.common import theme
from analysis.figures.common.estimates import require
from analysis.figures.common.text import Words
from analysis.misread import Misreadings, kept
from analysis.tables.results import NETWORKS
from experiments.datasets import DATASETS

VARIANTS = NETWORKS
ROWS = 4
#: Images in a row, where classes are digits and where they are words.
COLUMNS, COLUMNS_OF_WORDS = 10, 5


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """The images in rows, the hardest first; below each its class, the most frequent wrong answer,
    and the share of runs that are wrong."""
    found = Misreadings(evidence.records)
    names = DATASETS[evidence.records.dataset].classes[words.lang]
    digits = max(map(len, names)) == 1
    columns = COLUMNS if digits else COLUMNS_OF_WORDS
    images = require(kept(evidence.records.dataset, found.hardest[: ROWS * columns]))
    shown = [
        {
            "true": names[found.truth[image]],
            "taken": names[found.taken_for(image, found.all_answers)],
            "share": found.misses[image] / len(found.all_answers),
        }
        for image in images
    ]
    counts = {"all": len(found.of_all), "images": len(found.truth), "any": len(found.hardest)}
    headline = words("headline", **counts)
    first = words.clauses(words("alt_image", **item) for item in shown[:3])
    alt = words("alt", headline=headline, count=len(shown), hardest=first)
    step, side, lines = theme.WIDTH / columns, 0.5, 2 if digits else 3
    height = side + 0.06 + (lines + 0.5) * theme.LINE
    sheet = theme.Sheet(-(-len(shown) // columns) * height, alt=alt, headline=headline)
    arrow = " → " if digits else " →\n"
    for at, (item, pixels) in enumerate(zip(shown, images.values(), strict=True)):
        row, column = divmod(at, columns)
        axes = sheet.panel(column * step, row * height, side, side)
        theme.bitmap(axes, pixels, 112)
        text = f"{item['true']}{arrow}{item['taken']}\n{item['share']:.0%}"
        theme.write(axes, text, (0, 0), (0, -3), "axes fraction", va="top", linespacing=1.25)
    return sheet
