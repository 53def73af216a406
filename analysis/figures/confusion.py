"""The confusion matrix of the most accurate network, and its most frequent confusions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from analysis.constants import CLASSES
from analysis.evidence import Evidence
from analysis.figures.common import estimates, theme
from analysis.figures.common.text import Words, count, percent
from analysis.tables.results import NETWORKS as VARIANTS
from analysis.true_labels import as_digits, labels
from experiments.datasets import DATASETS

#: Number of confusions in the bar chart.
PAIRS = 8


def best(evidence: Evidence) -> str:
    """The network of the results table with the highest mean test accuracy.

    Raises:
        NothingToDraw: none has a finished run.
    """
    found = estimates.accuracies(evidence, VARIANTS)
    if not found:
        raise estimates.NothingToDraw(VARIANTS)
    return next(iter(found))


def counts(evidence: Evidence, variant: str) -> NDArray[np.int64]:
    """Confusion matrix ``(10, 10)``, summed over the runs: true class (rows), predicted class."""
    table = np.zeros((CLASSES, CLASSES), dtype=np.int64)
    for run in evidence.finished(variant):
        if run.test is not None:
            predicted = as_digits(run.test.predictions)
            np.add.at(table, (labels(run.config.dataset, "test")[: len(predicted)], predicted), 1)
    return table


def pairs(table: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """The confusions, most frequent first: true class, predicted class, number of images."""
    wrong = table - np.diag(np.diag(table))
    order = np.argsort(-wrong, axis=None, kind="stable")
    found = [(int(at) // CLASSES, int(at) % CLASSES, int(wrong.flat[at])) for at in order]
    return [pair for pair in found if pair[2] > 0]


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """Confusion matrix as errors per 1,000 images of a class, and the most frequent confusions."""
    variant = best(evidence)
    table = counts(evidence, variant)
    names = DATASETS[evidence.records.dataset].classes[words.lang]
    # Class names need room beside the matrix and are rotated above it; digits are not.
    named = max(map(len, names)) > 1
    left, top, side = (0.82, 1.15, 2.6) if named else (0.4, 0.62, 2.95)
    sheet = theme.sheet(top + side + 0.05, _headline(table, names, words.name(variant), words))
    axes = theme.panel(sheet, left, top, side, side)
    above = 72 * (top - 0.13)
    theme.heading(axes, words("matrix"), left=left).set_position((-left * 72, above))
    axes.set_xlabel(words("predicted"))
    axes.set_ylabel(words("true"))
    axes.xaxis.set_label_position("top")
    _matrix(axes, table, variant, names)
    axes = theme.panel(sheet, 4.5, top, 1.0, side)
    number = len(evidence.finished(variant))
    title = words("pairs" if number == 1 else "pairs_of_runs", runs=number)
    theme.heading(axes, title).set_position((-0.83 * 72, above))
    _bars(axes, table, variant, names, words)
    return sheet


def _rate(part: int, whole: int) -> str:
    """Images per 1,000, as text."""
    rate = 1000 * part / max(whole, 1)
    return f"{rate:.0f}" if rate >= 9.95 else f"{rate:.1f}"


def _matrix(axes: Axes, table: NDArray[np.int64], variant: str, names: Sequence[str]) -> None:
    # Shades are transparent, for light and dark pages.
    colour = to_rgb(theme.look(variant).colour)
    totals = table.sum(axis=1)
    wrong = table - np.diag(np.diag(table))
    most = max(float((wrong / np.maximum(totals, 1)[:, None]).max()), 1e-9)
    axes.set_xlim(0, CLASSES)
    axes.set_ylim(CLASSES, 0)
    for true, taken in np.argwhere(wrong > 0):
        rate = wrong[true, taken] / totals[true]
        shade = (*colour, 0.08 + 0.77 * float(rate / most))
        axes.add_patch(Rectangle((taken, true), 1, 1, facecolor=shade, linewidth=0))
        text = _rate(int(wrong[true, taken]), int(totals[true]))
        axes.text(taken + 0.5, true + 0.5, text, ha="center", va="center_baseline")
    for at in range(CLASSES):
        box = Rectangle((at, at), 1, 1, facecolor=(*to_rgb(theme.NEUTRAL), 0.18), linewidth=0)
        axes.add_patch(box)
    places = [at + 0.5 for at in range(CLASSES)]
    axes.set_xticks(places, names, rotation=90 if max(map(len, names)) > 1 else 0)
    axes.set_yticks(places, names)
    axes.tick_params(length=0, pad=3, labeltop=True, labelbottom=False)
    edges = range(CLASSES + 1)
    for lines in (axes.vlines(edges, 0, CLASSES), axes.hlines(edges, 0, CLASSES)):
        lines.set(color=theme.RULE, linewidth=0.5, zorder=0.5)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _bars(
    axes: Axes, table: NDArray[np.int64], variant: str, names: Sequence[str], words: Words
) -> None:
    found = pairs(table)[:PAIRS]
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xticks([])
    labels = [words("pair", true=names[true], taken=names[taken]) for true, taken, _ in found]
    axes.set_yticks(range(len(found)), labels)
    axes.tick_params(axis="y", length=0, pad=4, labelcolor=theme.INK)
    axes.set_ylim(PAIRS - 0.5, -0.5)
    axes.set_xlim(0, max((images for *_, images in found), default=1))
    lengths = [images for *_, images in found]
    colour = theme.look(variant).colour
    axes.barh(range(len(found)), lengths, height=0.5, color=colour, linewidth=0)
    for at, (true, _, images) in enumerate(found):
        axes.annotate(
            words("of_class", count=count(images), total=count(int(table[true].sum()))),
            (images, at),
            xytext=(3, 0),
            textcoords="offset points",
            va="center_baseline",
            annotation_clip=False,
        )


def _headline(table: NDArray[np.int64], names: Sequence[str], network: str, words: Words) -> str:
    wrong, total = int(table.sum() - np.trace(table)), int(table.sum())
    if not wrong:
        return words("alt_none", network=network)
    true, taken, _ = pairs(table)[0]
    pair = words("pair", true=names[true], taken=names[taken])
    return words("headline", network=network, rate=percent(wrong / total), pair=pair)


def alt(evidence: Evidence, words: Words) -> str:
    """What the figure shows, in words."""
    variant = best(evidence)
    table = counts(evidence, variant)
    found = pairs(table)[:3]
    network = words.name(variant)
    if not found:
        return words("alt_none", network=network)
    names = DATASETS[evidence.records.dataset].classes[words.lang]
    named = [
        words("alt_pair", true=names[true], taken=names[taken], count=count(images))
        for true, taken, images in found
    ]
    wrong = count(int(table.sum() - np.trace(table)))
    total = count(int(table.sum()))
    return words("alt", network=network, wrong=wrong, total=total, pairs=words.clauses(named))
