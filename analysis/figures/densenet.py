"""The structure of the DenseNet, and one dense block and transition in full."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

import models
from analysis.constants import CONSTANTS
from analysis.figures import shapes, style
from analysis.figures.words import Lang
from analysis.findings import Finding
from analysis.records import Records

ID = "densenet"

COLOUR = style.LOOKS["DenseNet"].colour
STEM_CHANNELS, BLOCKS, LAYERS = 64, 4, 2

TEXT: dict[Lang, dict[str, str]] = {
    "en": {
        "input": "input",
        "stem": "stem",
        "block": "dense\nblock {}",
        "head": "average,\nlinear",
        "inside block": "Dense block 1: every layer appends k = {} channels",
        "inside transition": "Transition T1 halves channels and size",
        "layer": "3×3 conv,\nBN, ReLU",
        "channels": "{} channels",
        "new": "new",
        "norm": "BN, ReLU",
        "conv": "1×1 convolution",
        "pool": "2×2 average pooling",
        "alt": "Structure of the DenseNet, from left to right: the input of {} × {} pixels; a stem "
        "that makes {} channels of {} × {}; {} dense blocks of {} layers, each followed by a "
        "transition except the last; global average pooling and linear layers to 10 classes. Each "
        "layer appends {} channels to what is there, so a block goes from {} to {} channels; a "
        "transition halves channels, height and width. Sizes after the blocks: {}.",
    },
    "zh": {
        "input": "输入",
        "stem": "起始层",
        "block": "稠密块\n{}",
        "head": "池化，\n全连接",
        "inside block": "稠密块 1：每层追加 k = {} 个通道",
        "inside transition": "过渡层 T1：通道数与尺寸减半",
        "layer": "3×3 卷积，\nBN，ReLU",
        "channels": "{} 通道",
        "new": "新增",
        "norm": "BN，ReLU",
        "conv": "1×1 卷积",
        "pool": "2×2 平均池化",
        "alt": "DenseNet 的结构，从左到右：{} × {} 像素的输入；起始层，输出 {} 个通道、{} × {}；"
        "{} 个稠密块，每块 {} 层，除最后一个外其后各接一个过渡层；全局平均池化与全连接层，"
        "输出 10 类。每层在已有通道之后追加 {} 个通道，块内从 {} 个通道增至 {} 个；过渡层把通道数、"
        "高和宽各减半。各块之后的大小：{}。",
    },
}


@dataclass(frozen=True)
class Stage:
    """A dense block: channels before and after it, channels after its transition, its side."""

    before: int
    after: int
    side: int


def stages(growth: int, size: int) -> tuple[int, list[Stage]]:
    """Side after the stem (stride 2, then unpadded 3/2 pooling), and the dense blocks."""
    side = ((size - 1) // 2 + 1 - 3) // 2 + 1
    channels, found, first = STEM_CHANNELS, [], side
    for _ in range(BLOCKS):
        after = channels + LAYERS * growth
        found.append(Stage(channels, after, side))
        channels, side = after // 2, side // 2
    return first, found


def runs(records: Records) -> tuple[str, ...]:
    """None: the figure shows the network as it is built, whatever was trained."""
    return ()


def draw(records: Records, findings: Mapping[str, Finding], lang: Lang) -> Figure:
    """The whole network above; a dense block and a transition below."""
    growth = int(models.DEFAULTS["growth_rate"])
    size = int(CONSTANTS["imagenet_size"].value)
    first, found = stages(growth, size)
    figure = style.canvas(3.55)
    axes = shapes.sheet(figure)
    _chain(axes, size, first, found, lang)
    _block(axes, growth, found[0], lang)
    _transition(axes, found[0], found[1], lang)
    return figure


def _chain(axes: Axes, size: int, first: int, found: list[Stage], lang: Lang) -> None:
    said = TEXT[lang]
    middle, gap = 0.72, 0.127
    heights = {size: 0.98, first: 0.8} | {
        stage.side: height for stage, height in zip(found, (0.8, 0.64, 0.52, 0.42), strict=True)
    }
    below = middle + 0.4 + 0.2
    at = 0.02

    def place(width: float) -> float:
        nonlocal at
        if at > 0.02:
            shapes.arrow(axes, (at + 0.012, middle), (at + gap - 0.012, middle))
            at += gap
        at += width
        return at - width / 2

    x = place(0.44)
    shapes.box(axes, x, middle, 0.44, heights[size], said["input"])
    shapes.text(axes, x, middle + 0.62, f"3 × {size}²")
    x = place(0.5)
    shapes.funnel(axes, x, middle, 0.5, heights[size], heights[first], said["stem"])
    shapes.text(axes, x, 0.12, f"{STEM_CHANNELS} × {first}²")
    for number, stage in enumerate(found, start=1):
        height = heights[stage.side]
        x = place(0.62)
        shapes.box(axes, x, middle, 0.62, height, said["block"].format(number), colour=COLOUR)
        shapes.text(axes, x, below, f"{stage.after} × {stage.side}²")
        if number < len(found):
            following = found[number]
            x = place(0.34)
            shapes.funnel(axes, x, middle, 0.34, height, heights[following.side], f"T{number}")
            shapes.text(axes, x, 0.12, f"{following.before} × {following.side}²")
    x = place(0.66)
    shapes.box(axes, x, middle, 0.66, heights[found[-1].side], said["head"])
    shapes.text(axes, x, below, "10")


def _block(axes: Axes, growth: int, stage: Stage, lang: Lang) -> None:
    said = TEXT[lang]
    shapes.text(
        axes, 0, 1.74, said["inside block"].format(growth), ha="left", size=style.SIZE_TITLE
    )
    bottom, full, width = 3.2, 1.05, 0.36
    scale = full / stage.after
    columns = [0.32, 1.9, 3.48]
    start = stage.before * scale
    for index, x in enumerate(columns):
        top = bottom - start
        shapes.bar(axes, x, top, width, start, str(stage.before), style.NEUTRAL, 0.22)
        for layer in range(index):
            height = growth * scale
            top -= height
            shade = 0.5 if layer == index - 1 else 0.22
            shapes.bar(axes, x, top, width, height, str(growth), COLOUR, shade)
        total = said["channels"].format(stage.before + index * growth)
        shapes.text(axes, x, bottom + 0.13, total)
        if index == len(columns) - 1:
            break
        # What is there already goes on unchanged, under the layer that adds to it.
        following = columns[index + 1]
        band = [
            (x + width / 2, top),
            (following - width / 2, top),
            (following - width / 2, bottom),
            (x + width / 2, bottom),
        ]
        axes.add_patch(Polygon(band, facecolor=(style.NEUTRAL, 0.1), edgecolor="none"))
        box_at, level = (x + following) / 2, top - 0.5 * growth * scale - 0.06
        shapes.arrow(
            axes,
            (x, top),
            (x, level),
            (box_at - 0.36, level),
        )
        shapes.box(axes, box_at, level, 0.72, 0.36, said["layer"], colour=COLOUR)
        middle = top - growth * scale / 2
        shapes.arrow(axes, (box_at + 0.36, middle), (following - width / 2, middle), colour=COLOUR)


def _transition(axes: Axes, stage: Stage, following: Stage, lang: Lang) -> None:
    said = TEXT[lang]
    left = 4.15
    shapes.text(axes, left, 1.74, said["inside transition"], ha="left", size=style.SIZE_TITLE)
    x, width = left + 0.68, 1.3
    sizes = (
        f"{stage.after} × {stage.side}²",
        f"{following.before} × {stage.side}²",
        f"{following.before} × {following.side}²",
    )
    levels = (2.22, 2.66, 3.1)
    shapes.arrow(axes, (x, 1.92), (x, levels[0] - 0.12))
    for level, words in zip(levels, (said["norm"], said["conv"], said["pool"]), strict=True):
        shapes.box(axes, x, level, width, 0.24, words)
        shapes.arrow(axes, (x, level + 0.12), (x, level + 0.32))
    for level, words in zip(levels, sizes, strict=True):
        shapes.text(axes, x + width / 2 + 0.08, level, words, ha="left", color=style.INK_2)


def alt(records: Records, findings: Mapping[str, Finding], lang: Lang) -> str:
    """What the figure shows, in words."""
    growth = int(models.DEFAULTS["growth_rate"])
    size = int(CONSTANTS["imagenet_size"].value)
    first, found = stages(growth, size)
    sizes = ("、" if lang == "zh" else ", ").join(f"{s.after} × {s.side} × {s.side}" for s in found)
    return TEXT[lang]["alt"].format(
        size,
        size,
        STEM_CHANNELS,
        first,
        first,
        BLOCKS,
        LAYERS,
        growth,
        found[0].before,
        found[0].after,
        sizes,
    )
