"""One digit before and after the bilinear resize from 28 to 224 pixels."""

from __future__ import annotations

from collections.abc import Mapping
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
from analysis.records import Records

ID = "resize"

#: The first test image of MNIST.
DIGIT = Path(__file__).with_name("assets") / "digit.png"
SIZE = int(CONSTANTS["imagenet_size"].value)
TIMES = SIZE // MNIST_SIDE
#: The enlarged part: left, top and side in pixels of the small image; the row of the profile.
LEFT, TOP, SIDE, ROW = 12, 6, 7, 9
COLOUR, COLOUR_2 = style.LOOKS["PlainNet18"].colour, style.LOOKS["ResNet18"].colour

TEXT: dict[Lang, dict[str, str]] = {
    "en": {
        "before": "28 × 28 pixels",
        "after": "224 × 224 pixels",
        "part": "its part, {0} × {0}",
        "profile": "Grey level along the marked row",
        "column": "Column of the 28 × 28 image",
        "alt": "The first test image of MNIST, a seven, at 28 × 28 pixels and resized bilinearly "
        "to 224 × 224, with the same part of both enlarged: {0} × {0} coarse pixels become "
        "{1} × {1} fine ones. Along one row the grey level of the small image is a staircase "
        "from {2} to {3}, that of the large one goes between the same levels in ramps.",
    },
    "zh": {
        "before": "28 × 28 像素",
        "after": "224 × 224 像素",
        "part": "局部 {0} × {0}",
        "profile": "所标行的灰度",
        "column": "28 × 28 图像的列",
        "alt": "MNIST 的第一张测试图像（数字 7），原为 28 × 28 像素，经双线性插值调整为 224 × 224，"
        "并放大两者的同一局部：{0} × {0} 个粗像素变为 {1} × {1} 个细像素。沿同一行，小图的灰度"
        "呈阶梯状，从 {2} 到 {3}；大图的灰度以斜坡在相同的灰度之间过渡。",
    },
}


def runs(records: Records) -> tuple[str, ...]:
    """None: the figure depends on no record."""
    return ()


def images() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The digit at 28 x 28 and at 224 x 224 pixels, as torchvision's ``Resize`` makes it."""
    with Image.open(DIGIT) as small:
        large = small.resize((SIZE, SIZE), Image.Resampling.BILINEAR)
        return np.asarray(small), np.asarray(large)


def draw(records: Records, findings: Mapping[str, Finding], lang: Lang) -> Figure:
    """Both images, the same part of each with its pixel grid, and the grey levels of a row."""
    small, large = images()
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
            slice(TOP * times, (TOP + SIDE) * times),
            slice(LEFT * times, (LEFT + SIDE) * times),
        )
        _image(part, image[window])
        _grid(part, SIDE * times, fine=times > 1)
        style.heading(whole, title).set_position((0, 5))
        style.heading(part, said["part"].format(SIDE * times)).set_position((0, 5))
        _connect(figure, whole, part, times)
    _profile(style.panel(figure, 0.36, 2.18, 5.88, 0.82), small, large, lang)
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


def _connect(figure: Figure, whole: Axes, part: Axes, times: int) -> None:
    """Frame the part in the whole, and lead from its corners to the enlargement."""
    side = SIDE * times
    corner = LEFT * times, TOP * times
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
    row = (ROW + 0.5) * times
    for axes, left, right in ((whole, 0, MNIST_SIDE * times), (part, 0, side)):
        shift = 0 if axes is whole else corner[1]
        axes.plot([left, right], [row - shift] * 2, color=COLOUR_2, linewidth=0.9)


def _profile(axes: Axes, small: NDArray[np.uint8], large: NDArray[np.uint8], lang: Lang) -> None:
    style.hairlines(axes)
    said = TEXT[lang]
    style.heading(axes, said["profile"], left=0.3)
    axes.stairs(small[ROW], np.arange(MNIST_SIDE + 1), color=style.INK_2, linewidth=1)
    fine = (np.arange(SIZE) + 0.5) / TIMES
    row = large[ROW * TIMES + TIMES // 2]
    axes.plot(fine, row, color=COLOUR_2, linewidth=1.4)
    for at, text, line in ((23.6, said["before"], style.INK_2), (23.6, said["after"], COLOUR_2)):
        level = 190 if line == style.INK_2 else 110
        axes.plot([at - 0.9, at - 0.2], [level] * 2, color=line, linewidth=1.4)
        axes.annotate(text, (at, level), va="center_baseline")
    axes.set_xlim(0, MNIST_SIDE)
    axes.set_ylim(0, 260)
    axes.set_yticks([0, 128, 255])
    axes.set_xticks(range(0, MNIST_SIDE + 1, 4))
    axes.set_xlabel(said["column"])


def alt(records: Records, findings: Mapping[str, Finding], lang: Lang) -> str:
    """What the figure shows, in words."""
    small, _ = images()
    levels = small[ROW]
    return TEXT[lang]["alt"].format(SIDE, SIDE * TIMES, int(levels.min()), int(levels.max()))
