"""The confusion matrix of the most accurate network, and its most frequent confusions."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb, to_rgba
from numpy.typing import NDArray

from analysis.constants import CLASSES
from analysis.evidence import Evidence
from analysis.figures.common import estimates, theme
from analysis.figures.common.text import Words
from analysis.tables.results import NETWORKS as VARIANTS
from analysis.true_labels import as_digits, labels
from experiments.datasets import DATASETS

#: Number of confusions in the bar chart.
PAIRS = 8

Table = NDArray[np.int64]


def best(evidence: Evidence) -> str:
    """The network of the results table with the highest mean test accuracy."""
    return next(iter(estimates.require(estimates.accuracies(evidence, VARIANTS))))


def counts(evidence: Evidence, variant: str) -> Table:
    """Confusion matrix ``(10, 10)``, summed over the runs: true class (rows), predicted class."""
    table = np.zeros((CLASSES, CLASSES), dtype=np.int64)
    for run in evidence.finished(variant):
        if run.test is not None:
            predicted = as_digits(run.test.predictions)
            np.add.at(table, (labels(run.config.dataset, "test")[: len(predicted)], predicted), 1)
    return table


def pairs(table: Table) -> list[tuple[int, int, int]]:
    """The confusions, most frequent first: true class, predicted class, number of images."""
    wrong = table - np.diag(np.diag(table))
    order = np.argsort(-wrong, axis=None, kind="stable")
    found = [(int(at) // CLASSES, int(at) % CLASSES, int(wrong.flat[at])) for at in order]
    return [pair for pair in found if pair[2] > 0]


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """Confusion matrix as errors per 1,000 images of a class, and the most frequent confusions."""
    variant = best(evidence)
    table, runs = counts(evidence, variant), len(evidence.finished(variant))
    colour = theme.look(variant).colour
    names = DATASETS[evidence.records.dataset].classes[words.lang]
    alt, headline = _told(table, names, words.name(variant), words)
    # Class names need room beside the matrix and are rotated above it; digits are not.
    named = max(map(len, names)) > 1
    left, top, side = (0.82, 1.15, 2.6) if named else (0.4, 0.62, 2.95)
    sheet = theme.Sheet(top + side + 0.05, alt=alt, headline=headline)
    above = 72 * (top - 0.13)
    axes = sheet.panel(left, top, side, side, words("matrix"), indent=left, above=above)
    axes.set(xlabel=words("predicted"), ylabel=words("true"))
    axes.xaxis.set_label_position("top")
    _matrix(axes, table, colour)
    places = np.arange(CLASSES) + 0.5
    axes.set_xticks(places, names, rotation=90 if named else 0)
    axes.set_yticks(places, names)
    axes.tick_params(length=0, pad=3, labeltop=True, labelbottom=False)
    title = words("pairs" if runs == 1 else "pairs_of_runs", runs=runs)
    axes = sheet.panel(4.5, top, 1.0, side, title, indent=0.83, above=above)
    _bars(axes, table, colour, names, words)
    for axes in sheet.axes:
        axes.spines[:].set_visible(False)
        axes.grid(False)
    return sheet


def _matrix(axes: Axes, table: Table, colour: str) -> None:
    totals = np.maximum(table.sum(axis=1, keepdims=True), 1)
    rates = 1000 * (table - np.diag(np.diag(table))) / totals
    # Shades are transparent, for light and dark pages.
    shades = np.zeros((CLASSES, CLASSES, 4))
    shades[..., :3] = to_rgb(colour)
    shades[..., 3] = np.where(rates > 0, 0.08 + 0.77 * rates / max(rates.max(), 1e-9), 0)
    shades[np.diag_indices(CLASSES)] = to_rgba(theme.NEUTRAL, 0.18)
    axes.pcolormesh(shades, edgecolors=theme.RULE, linewidth=0.5)
    axes.invert_yaxis()
    for true, taken in np.argwhere(rates > 0):
        rate = rates[true, taken]
        text = f"{rate:.0f}" if rate >= 9.95 else f"{rate:.1f}"
        axes.text(taken + 0.5, true + 0.5, text, ha="center", va="center_baseline")


def _bars(axes: Axes, table: Table, colour: str, names: Sequence[str], words: Words) -> None:
    found = pairs(table)[:PAIRS]
    places, lengths = range(len(found)), [images for *_, images in found]
    labels = [words("pair", true=names[true], taken=names[taken]) for true, taken, _ in found]
    axes.set_yticks(places, labels)
    axes.tick_params(axis="y", pad=4, labelcolor=theme.INK)
    axes.set(xlim=(0, max(lengths, default=1)), ylim=(PAIRS - 0.5, -0.5), xticks=[])
    axes.barh(places, lengths, height=0.5, color=colour, linewidth=0)
    for at, (true, _, images) in enumerate(found):
        text = words("of_class", count=images, total=table[true].sum())
        theme.write(axes, text, (images, at), (3, 0), va="center_baseline")


def _told(table: Table, names: Sequence[str], network: str, words: Words) -> tuple[str, str]:
    """The text alternative and the headline."""
    wrong, total = int(table.sum() - np.trace(table)), int(table.sum())
    if not wrong:
        return (words("alt_none", network=network),) * 2
    found = [
        {"true": names[true], "taken": names[taken], "count": images}
        for true, taken, images in pairs(table)
    ]
    pair = words("pair", **found[0])
    headline = words("headline", network=network, rate=wrong / total, pair=pair)
    first = words.clauses(words("alt_pair", **pair) for pair in found[:3])
    return words("alt", network=network, pairs=first, wrong=wrong, total=total), headline
