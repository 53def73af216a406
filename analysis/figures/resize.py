"""One image before and after the bilinear resize from 28 to 224 pixels."""

from pathlib import Path
from statistics import mode
from typing import Any

import numpy as np
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
#: Left, top and side of the enlarged part, and the profile's row, in pixels of the small image.
LEFT, TOP, SIDE, ROW = 12, 6, 7, 9
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
    dataset = DATASETS[evidence.records.dataset]
    small = image(dataset.name)
    levels = small[ROW]
    alt = words(
        "alt",
        dataset=dataset.title,
        label=dataset.classes[words.lang][int(labels(dataset.name, "test")[0])],
        part=SIDE,
        fine=SIDE * TIMES,
        low=levels.min(),
        high=levels.max(),
    )
    sheet = theme.Sheet(3.42, alt=alt, headline=words("headline", side=SIZE, times=TIMES**2))
    side, top, gap = 1.42, 0.3, 0.2
    whole = sheet.panel(0, top, side, side, words("pixels", side=MNIST_SIDE), above=5)
    theme.bitmap(whole, small, 448)
    whole.plot([0, MNIST_SIDE], [ROW + 0.5] * 2, color=COLOUR_2, linewidth=0.9)
    whole.add_patch(Rectangle((LEFT, TOP), SIDE, SIDE, fill=False, edgecolor=COLOUR, linewidth=1))
    for index, pixels in enumerate(_sides(evidence.records.profile), start=1):
        part = sheet.panel(
            index * (side + gap), top, side, side, words("part", side=pixels), above=5
        )
        theme.bitmap(part, resized(small, pixels), 448)
        part.set(xlim=(LEFT, LEFT + SIDE), ylim=(TOP + SIDE, TOP))
        part.plot([0, MNIST_SIDE], [ROW + 0.5] * 2, color=COLOUR_2, linewidth=0.9)
        part.spines[:].set(visible=True, color=COLOUR, linewidth=1)
    for y in (TOP, TOP + SIDE):
        joined: dict[str, Any] = {"axesA": whole, "axesB": sheet.axes[1], "color": COLOUR}
        sheet.add_artist(ConnectionPatch((LEFT + SIDE, y), (LEFT, y), "data", "data", **joined))
    axes = sheet.panel(0.36, 2.18, 5.88, 0.82, words("profile"), indent=0.3)
    axes.stairs(levels, color=theme.INK_2, linewidth=1, label=words("pixels", side=MNIST_SIDE))
    row = resized(small, SIZE)[ROW * TIMES + TIMES // 2]
    fine = (np.arange(SIZE) + 0.5) / TIMES
    axes.plot(fine, row, color=COLOUR_2, label=words("pixels", side=SIZE))
    axes.legend(handlelength=1.4)
    axes.set(xlim=(0, MNIST_SIDE), ylim=(0, 260), xlabel=words("column"))
    axes.set(xticks=range(0, MNIST_SIDE + 1, 4), yticks=[0, 128, 255])
    return sheet


def _sides(profile: str) -> list[int]:
    """The sizes shown: that of the data, the most frequent input size of a profile's networks
    unless it is one of the others or the profile is unknown, and that of ImageNet."""
    plan = study.load().plan(profile) if study.load().has(profile) else []
    usual = {mode(run.config.input_size for run in plan)} if plan else set()
    return sorted({MNIST_SIDE, SIZE} | usual)
