"""One image before and after the bilinear resize from 28 to 224 pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch, Rectangle
from numpy.typing import NDArray
from PIL import Image

from analysis.constants import CONSTANTS, MNIST_SIDE
from analysis.figures import style
from analysis.figures.words import Lang
from analysis.findings import Finding
from analysis.labels import labels
from analysis.records import Records
from experiments.datasets import DATASETS, DatasetName

ID = "resize"

#: The first test images of the usual data sets.
ASSETS = Path(__file__).with_name("assets")
SIZE = int(CONSTANTS["imagenet_size"].value)
TIMES = SIZE // MNIST_SIDE
SIDE = 7  # of the enlarged part, in pixels of the small image


@dataclass(frozen=True)
class View:
    """What is shown of an image: left and top of the enlarged part, the row of the profile, and
    the column where its key stands free of it; in pixels of the small image."""

    left: int = 12
    top: int = 6
    row: int = 9
    key: float = 23.6


VIEWS: dict[DatasetName, View] = {"FashionMNIST": View(top=7, row=10, key=1.6)}
COLOUR, COLOUR_2 = style.LOOKS["PlainNet18"].colour, style.LOOKS["ResNet18"].colour

TEXT: dict[Lang, dict[str, str]] = {
    "en": {
        "before": "28 × 28 pixels",
        "after": "224 × 224 pixels",
        "part": "its part, {0} × {0}",
        "profile": "Grey level along the marked row",
        "column": "Column of the 28 × 28 image",
        "alt": "The first test image of {4} (class “{5}”), at 28 × 28 pixels and resized "
        "bilinearly to 224 × 224, with the same part of both enlarged: {0} × {0} coarse pixels "
        "become {1} × {1} fine ones. Along one row the grey level of the small image is a "
        "staircase from {2} to {3}, that of the large one goes between the same levels in ramps.",
    },
    "zh": {
        "before": "28 × 28 像素",
        "after": "224 × 224 像素",
        "part": "局部 {0} × {0}",
        "profile": "所标行的灰度",
        "column": "28 × 28 图像的列",
        "alt": "{4} 的第一张测试图像（类别“{5}”），原为 28 × 28 像素，经双线性插值调整为 "
        "224 × 224，并放大两者的同一局部：{0} × {0} 个粗像素变为 {1} × {1} 个细像素。沿同一行，"
        "小图的灰度呈阶梯状，从 {2} 到 {3}；大图的灰度以斜坡在相同的灰度之间过渡。",
    },
}


def runs(records: Records) -> tuple[str, ...]:
    """None: the figure depends on no record."""
    return ()


def images(dataset: DatasetName) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """An image at 28 x 28 and at 224 x 224 pixels, as torchvision's ``Resize`` makes it.

    The first test image of the data set: kept here, or else from its files.

    Raises:
        DataError: it is not kept here, and the data set's files cannot be had.
    """
    kept = ASSETS / f"{DATASETS[dataset].slug}.png"
    if kept.exists():
        with Image.open(kept) as file:
            small = np.asarray(file)
    else:
        from experiments.data import load

        small = load(dataset).test_images[0]
    large = Image.fromarray(small).resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    return small, np.asarray(large)


def draw(records: Records, findings: Mapping[str, Finding], lang: Lang) -> Figure:
    """Both images, the same part of each with its pixel grid, and the grey levels of a row."""
    small, large = images(records.dataset)
    view = VIEWS.get(records.dataset, View())
    said = TEXT[lang]
    side, top = 1.42, 0.3
    figure = style.canvas(3.42)
    for left, image, times, title in (
        (0.0, small, 1, said["before"]),
        (3.24, large, TIMES, said["after"]),
    ):
        whole = style.panel(figure, left, top, side, side)
        part = style.panel(figure, left + side + 0.18, top, side, side)
        _image(whole, image)
        window = (
            slice(view.top * times, (view.top + SIDE) * times),
            slice(view.left * times, (view.left + SIDE) * times),
        )
        _image(part, image[window])
        _grid(part, SIDE * times, fine=times > 1)
        style.heading(whole, title).set_position((0, 5))
        style.heading(part, said["part"].format(SIDE * times)).set_position((0, 5))
        _connect(figure, whole, part, times, view)
    _profile(style.panel(figure, 0.36, 2.18, 5.88, 0.82), small, large, view, lang)
    return figure


def _image(axes: Axes, image: NDArray[np.uint8]) -> None:
    # Magnified beforehand, so that viewers that smooth images leave the pixels their edges.
    magnified = np.kron(image, np.ones((max(1, 448 // len(image)),) * 2, dtype=np.uint8))
    height, width = image.shape
    axes.imshow(
        magnified, cmap="gray", vmin=0, vmax=255, interpolation="none", extent=(0, width, height, 0)
    )
    axes.set_axis_off()


def _grid(axes: Axes, side: int, *, fine: bool) -> None:
    edges = range(side + 1)
    for lines in (axes.vlines(edges, 0, side), axes.hlines(edges, 0, side)):
        lines.set(color=style.NEUTRAL, linewidth=0.12 if fine else 0.5)


def _connect(figure: Figure, whole: Axes, part: Axes, times: int, view: View) -> None:
    """Frame the part in the whole, and lead from its corners to the enlargement."""
    side = SIDE * times
    corner = view.left * times, view.top * times
    whole.add_patch(Rectangle(corner, side, side, fill=False, edgecolor=COLOUR, linewidth=1))
    part.add_patch(
        Rectangle((0, 0), side, side, fill=False, edgecolor=COLOUR, linewidth=1, clip_on=False)
    )
    for y in (0, side):
        figure.add_artist(
            ConnectionPatch(
                (corner[0] + side, corner[1] + y),
                (0, y),
                "data",
                "data",
                axesA=whole,
                axesB=part,
                color=COLOUR,
                linewidth=0.6,
            )
        )
    row = (view.row + 0.5) * times
    for axes, left, right in ((whole, 0, MNIST_SIDE * times), (part, 0, side)):
        shift = 0 if axes is whole else corner[1]
        axes.plot([left, right], [row - shift] * 2, color=COLOUR_2, linewidth=0.9)


def _profile(
    axes: Axes, small: NDArray[np.uint8], large: NDArray[np.uint8], view: View, lang: Lang
) -> None:
    style.hairlines(axes)
    said = TEXT[lang]
    style.heading(axes, said["profile"], left=0.3)
    axes.stairs(small[view.row], np.arange(MNIST_SIDE + 1), color=style.INK_2, linewidth=1)
    fine = (np.arange(SIZE) + 0.5) / TIMES
    row = large[view.row * TIMES + TIMES // 2]
    axes.plot(fine, row, color=COLOUR_2, linewidth=1.4)
    at = view.key
    for level, text, line in ((190, said["before"], style.INK_2), (110, said["after"], COLOUR_2)):
        axes.plot([at - 0.9, at - 0.2], [level] * 2, color=line, linewidth=1.4)
        axes.annotate(text, (at, level), va="center_baseline")
    axes.set_xlim(0, MNIST_SIDE)
    axes.set_ylim(0, 260)
    axes.set_yticks([0, 128, 255])
    axes.set_xticks(range(0, MNIST_SIDE + 1, 4))
    axes.set_xlabel(said["column"])


def alt(records: Records, findings: Mapping[str, Finding], lang: Lang) -> str:
    """What the figure shows, in words."""
    dataset = DATASETS[records.dataset]
    small, _ = images(dataset.name)
    levels = small[VIEWS.get(dataset.name, View()).row]
    label = dataset.classes[lang][int(labels(dataset.name, "test")[0])]
    return TEXT[lang]["alt"].format(
        SIDE, SIDE * TIMES, int(levels.min()), int(levels.max()), dataset.title, label
    )
