"""One image before and after the bilinear resize from 28 to 224 pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import ConnectionPatch, Rectangle
from numpy.typing import NDArray
from PIL import Image

from analysis.constants import CONSTANTS, MNIST_SIDE
from analysis.evidence import Evidence
from analysis.figures.common import theme
from analysis.figures.common.text import Words
from analysis.true_labels import labels
from experiments import study
from experiments.datasets import DATASETS, DatasetName

#: The first test images of the usual data sets.
ASSETS = Path(__file__).with_name("assets")
SIZE = int(CONSTANTS["imagenet_size"].value)
TIMES = SIZE // MNIST_SIDE
SIDE = 7  # of the enlarged part, in pixels of the small image


@dataclass(frozen=True)
class View:
    """What is shown of an image, in pixels of the small image: left and top of the enlarged part,
    the row of the profile, and the column of the profile's legend, where it covers nothing."""

    left: int = 12
    top: int = 6
    row: int = 9
    key: float = 23.6


VIEWS: dict[DatasetName, View] = {"FashionMNIST": View(top=7, row=10, key=1.6)}
COLOUR, COLOUR_2 = theme.LOOKS["PlainNet18"].colour, theme.LOOKS["ResNet18"].colour


def image(dataset: DatasetName) -> NDArray[np.uint8]:
    """The first test image of a data set, stored here or read from the data set's files.

    Raises:
        DataError: it is not stored here, and the data set is not available.
    """
    kept = ASSETS / f"{DATASETS[dataset].slug}.png"
    if kept.exists():
        with Image.open(kept) as file:
            return np.asarray(file)
    from experiments.datasets.splits import load

    return np.asarray(load(dataset).test_images[0])


def resized(small: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The image at a size, as torchvision's ``Resize`` makes it."""
    return np.asarray(Image.fromarray(small).resize((side, side), Image.Resampling.BILINEAR))


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """The image, the same part of it at each size, and the grey levels of a row."""
    view = VIEWS.get(evidence.records.dataset, View())
    small = image(evidence.records.dataset)
    large = resized(small, SIZE)
    sides = [MNIST_SIDE, *sorted({*_sides(evidence.records.profile)} - {MNIST_SIDE, SIZE}), SIZE]
    side, top, gap = 1.42, 0.3, 0.2
    sheet = theme.sheet(3.42, words("headline", side=SIZE, times=(SIZE // MNIST_SIDE) ** 2))
    whole = theme.panel(sheet, 0, top, side, side)
    theme.heading(whole, words("pixels", side=MNIST_SIDE)).set_position((0, 5))
    theme.bitmap(whole, small, 448)
    window = Rectangle((view.left, view.top), SIDE, SIDE, fill=False, edgecolor=COLOUR, linewidth=1)
    whole.add_patch(window)
    whole.plot([0, MNIST_SIDE], [view.row + 0.5] * 2, color=COLOUR_2, linewidth=0.9)
    for index, pixels in enumerate(sides[-3:], start=1):
        part = theme.panel(sheet, index * (side + gap), top, side, side)
        theme.heading(part, words("part", side=pixels)).set_position((0, 5))
        scale = pixels / MNIST_SIDE
        edges = (view.left * scale, view.top * scale, SIDE * scale)
        theme.bitmap(part, resized(small, pixels), 448)
        part.set_xlim(edges[0], edges[0] + edges[2])
        part.set_ylim(edges[1] + edges[2], edges[1])
        corner = Rectangle(edges[:2], edges[2], edges[2], fill=False, edgecolor=COLOUR, linewidth=1)
        part.add_patch(corner).set_clip_on(False)
        row = (view.row + 0.5) * scale
        part.plot([edges[0], edges[0] + edges[2]], [row, row], color=COLOUR_2, linewidth=0.9)
        if index == 1:
            _connect(sheet, whole, part, view)
    _profile(theme.panel(sheet, 0.36, 2.18, 5.88, 0.82), small, large, view, words)
    return sheet


def _sides(profile: str) -> list[int]:
    """The most frequent input size of a profile's networks; empty for an unknown profile."""
    plan = study.load().plan(profile) if study.load().has(profile) else []
    sizes = [run.config.input_size for run in plan]
    return [max(set(sizes), key=sizes.count)] if sizes else []


def _connect(sheet: theme.Sheet, whole: Axes, part: Axes, view: View) -> None:
    """Connect the framed part of the whole image with its enlargement."""
    for y in (view.top, view.top + SIDE):
        ends = (view.left + SIDE, y), (view.left, y)
        line = ConnectionPatch(
            *ends, "data", "data", axesA=whole, axesB=part, color=COLOUR, linewidth=0.6
        )
        sheet.add_artist(line)


def _profile(
    axes: Axes, small: NDArray[np.uint8], large: NDArray[np.uint8], view: View, words: Words
) -> None:
    theme.hairlines(axes)
    theme.heading(axes, words("profile"), left=0.3)
    axes.stairs(small[view.row], np.arange(MNIST_SIDE + 1), color=theme.INK_2, linewidth=1)
    fine = (np.arange(SIZE) + 0.5) / TIMES
    row = large[view.row * TIMES + TIMES // 2]
    axes.plot(fine, row, color=COLOUR_2, linewidth=1.4)
    at = view.key
    keys = ((190, MNIST_SIDE, theme.INK_2), (110, SIZE, COLOUR_2))
    for level, side, line in keys:
        axes.plot([at - 0.9, at - 0.2], [level] * 2, color=line, linewidth=1.4)
        axes.annotate(words("pixels", side=side), (at, level), va="center_baseline")
    axes.set_xlim(0, MNIST_SIDE)
    axes.set_ylim(0, 260)
    axes.set_yticks([0, 128, 255])
    axes.set_xticks(range(0, MNIST_SIDE + 1, 4))
    axes.set_xlabel(words("column"))


def alt(evidence: Evidence, words: Words) -> str:
    """What the figure shows, in words."""
    dataset = DATASETS[evidence.records.dataset]
    levels = image(dataset.name)[VIEWS.get(dataset.name, View()).row]
    label = dataset.classes[words.lang][int(labels(dataset.name, "test")[0])]
    return words(
        "alt",
        dataset=dataset.title,
        label=label,
        part=SIDE,
        fine=SIDE * TIMES,
        low=int(levels.min()),
        high=int(levels.max()),
    )
