"""Which classes the most accurate network takes for which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.constants import CLASSES
from analysis.evidence import Evidence
from analysis.figures import data, style, words
from analysis.figures.words import Lang
from analysis.findings import Finding
from analysis.labels import as_digits, labels
from analysis.records import Records
from analysis.tables.results import NETWORKS as TABLE
from experiments.datasets import DATASETS

ID = "confusion"

PAIRS = 8

TEXT: dict[Lang, dict[str, str]] = {
    "en": {
        "sides": "Rows: true class; columns: taken for",
        "title": "{}: test images by class",
        "title mean": "{}: test images by class, {} runs together",
        "pairs": "The most frequent confusions",
        "pair": "{} taken for {}",
        "pair named": "{} → {}",
        "count": "{} of {}",
        "alt": "{}, the most accurate network, takes {} of {} test images for the wrong class. "
        "The most frequent confusions: {}.",
        "alt pair": "{} for {}, {} times",
        "alt none": "{}, the most accurate network, takes every test image for the right class.",
    },
    "zh": {
        "sides": "行：真实类别；列：被认作",
        "title": "{}：各类别的测试图像数",
        "title mean": "{}：各类别的测试图像数，{} 次运行合计",
        "pairs": "最常见的混淆",
        "pair": "{} 认作 {}",
        "pair named": "{} → {}",
        "count": "{} / {}",
        "alt": "准确率最高的网络 {0} 认错了 {1} / {2} 张测试图像。最常见的混淆：{3}。",
        "alt pair": "{} 认作 {}，{} 次",
        "alt none": "准确率最高的网络 {} 认对了所有测试图像。",
    },
}


def best(evidence: Evidence) -> str:
    """The network of the results table with the highest mean test accuracy.

    Raises:
        NothingToDraw: none has a finished run.
    """
    found = {v: e.mean for v in TABLE if (e := data.accuracy(evidence, v)) is not None}
    if not found:
        raise data.NothingToDraw(TABLE)
    return max(found, key=lambda v: found[v])


def runs(records: Records) -> tuple[str, ...]:
    """Ids of the records that decide the figure: those of all networks among which one is best."""
    return Evidence(records).ids(TABLE)


def counts(evidence: Evidence, variant: str) -> NDArray[np.int64]:
    """How many images of each class (rows) were taken for each (columns), over all its runs."""
    table = np.zeros((CLASSES, CLASSES), dtype=np.int64)
    for run in evidence.finished(variant):
        if run.test is not None:
            predicted = as_digits(run.test.predictions)
            np.add.at(table, (labels(run.config.dataset, "test")[: len(predicted)], predicted), 1)
    return table


def pairs(table: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """The confusions by frequency: true class, class it was taken for, images."""
    wrong = table - np.diag(np.diag(table))
    order = np.argsort(-wrong, axis=None, kind="stable")
    found = [(int(at) // CLASSES, int(at) % CLASSES, int(wrong.flat[at])) for at in order]
    return [pair for pair in found if pair[2] > 0]


def draw(records: Records, findings: Mapping[str, Finding], lang: Lang) -> Figure:
    """The confusion matrix, its diagonal left white, and the most frequent confusions.

    Raises:
        NothingToDraw: no finished run of the networks of the results table.
    """
    evidence = Evidence(records)
    variant = best(evidence)
    table = counts(evidence, variant)
    number = len(evidence.finished(variant))
    said = TEXT[lang]
    names = DATASETS[records.dataset].classes[lang]
    # Names of classes need room beside the matrix and stand upright above it; digits do not.
    named = max(map(len, names)) > 1
    left, top, side = (0.62, 0.95, 2.7) if named else (0.22, 0.56, 3.05)
    figure = style.canvas(top + side + 0.05)
    axes = style.panel(figure, left, top, side, side)
    above = 72 * (top - 0.13)
    title = said["title" if number == 1 else "title mean"].format(words.name(variant, lang), number)
    axes.annotate(
        title,
        (0, 1),
        xycoords="axes fraction",
        xytext=(-left * 72, above),
        textcoords="offset points",
        size=style.SIZE_TITLE,
    )
    axes.annotate(
        said["sides"],
        (0, 1),
        xycoords="axes fraction",
        xytext=(-left * 72, above - 12),
        textcoords="offset points",
        color=style.INK_2,
    )
    _matrix(axes, table, variant, names)
    axes = style.panel(figure, 4.55, top, 1.0, side)
    axes.annotate(
        said["pairs"],
        (0, 1),
        xycoords="axes fraction",
        xytext=(-0.83 * 72, above),
        textcoords="offset points",
        size=style.SIZE_TITLE,
    )
    _bars(axes, table, variant, names, lang)
    return figure


def _matrix(axes: Axes, table: NDArray[np.int64], variant: str, names: Sequence[str]) -> None:
    import seaborn as sns

    # Shades are transparent, so that the page, light or dark, shines through.
    red, green, blue = to_rgb(style.look(variant).colour)
    shades = ListedColormap([(red, green, blue, alpha) for alpha in np.linspace(0.08, 0.85, 64)])
    wrong = table - np.diag(np.diag(table))
    sns.heatmap(
        wrong,
        mask=wrong == 0,
        annot=np.where(wrong > 0, wrong, 0),
        fmt=",d",
        cmap=shades,
        vmin=0,
        vmax=max(int(wrong.max()), 1),
        cbar=False,
        xticklabels=names,
        yticklabels=names,
        square=True,
        ax=axes,
        annot_kws={"color": style.INK, "size": style.SIZE},
    )
    for at in range(CLASSES):
        axes.text(
            at + 0.5,
            at + 0.5,
            words.count(int(table[at, at])),
            ha="center",
            va="center",
            color=style.INK_2,
        )
    axes.tick_params(length=0, pad=3, labeltop=True, labelbottom=False, rotation=0)
    axes.tick_params(axis="x", rotation=90 if max(map(len, names)) > 1 else 0)
    edges = range(CLASSES + 1)
    for lines in (axes.vlines(edges, 0, CLASSES), axes.hlines(edges, 0, CLASSES)):
        lines.set(color=style.RULE, linewidth=0.5, zorder=0.5)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _bars(
    axes: Axes, table: NDArray[np.int64], variant: str, names: Sequence[str], lang: Lang
) -> None:
    said = TEXT[lang]
    pair = said["pair named" if max(map(len, names)) > 1 else "pair"]
    found = pairs(table)[:PAIRS]
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xticks([])
    axes.set_yticks(
        range(len(found)), [pair.format(names[true], names[taken]) for true, taken, _ in found]
    )
    axes.tick_params(axis="y", length=0, pad=4, labelcolor=style.INK)
    axes.set_ylim(PAIRS - 0.5, -0.5)
    axes.set_xlim(0, max((count for *_, count in found), default=1))
    axes.barh(
        range(len(found)),
        [count for *_, count in found],
        height=0.5,
        color=style.look(variant).colour,
        linewidth=0,
    )
    for at, (true, _, count) in enumerate(found):
        axes.annotate(
            said["count"].format(words.count(count), words.count(int(table[true].sum()))),
            (count, at),
            xytext=(3, 0),
            textcoords="offset points",
            va="center_baseline",
            annotation_clip=False,
        )


def alt(records: Records, findings: Mapping[str, Finding], lang: Lang) -> str:
    """What the figure shows, in words.

    Raises:
        NothingToDraw: no finished run of the networks of the results table.
    """
    evidence = Evidence(records)
    variant = best(evidence)
    table = counts(evidence, variant)
    said = TEXT[lang]
    found = pairs(table)[:3]
    if not found:
        return said["alt none"].format(words.name(variant, lang))
    wrong = int(table.sum() - np.trace(table))
    names = DATASETS[records.dataset].classes[lang]
    named = ("；" if lang == "zh" else "; ").join(
        said["alt pair"].format(names[true], names[taken], words.count(count))
        for true, taken, count in found
    )
    return said["alt"].format(
        words.name(variant, lang), words.count(wrong), words.count(int(table.sum())), named
    )
