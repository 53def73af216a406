"""The squeeze-and-excitation block, and its place in a residual block."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

import models
from analysis.figures import shapes, style
from analysis.figures.words import Lang
from analysis.findings import Finding
from analysis.records import Records

ID = "senet"

COLOUR = style.LOOKS["SEResNet34"].colour
#: Opacity of the example's channels as their weights set them.
SHADES = (0.12, 0.75, 0.3, 0.6, 0.18, 0.9)
EVEN = (0.4,) * len(SHADES)

TEXT: dict[Lang, dict[str, str]] = {
    "en": {
        "block": "SE block",
        "branch": "3×3 conv, BN,\nReLU,\n3×3 conv, BN",
        "branch title": "residual branch",
        "pool": "global\naverage\npooling",
        "reduce": "linear,\nReLU",
        "restore": "linear,\nsigmoid",
        "shortcut": "shortcut (1×1 convolution where the shape changes)",
        "squeeze": "squeeze",
        "excite": "excite",
        "scale": "scale",
        "alt": "An SE block in a residual block. The residual branch of two 3×3 convolutions gives "
        "C channels. Squeeze: global average pooling makes one number of each. Excite: a linear "
        "layer to C/{0} values, ReLU, a linear layer back to C, and a sigmoid give a weight "
        "between 0 and 1 for each channel. Scale: each channel is multiplied by its weight. Then "
        "the shortcut is added, and ReLU follows.",
    },
    "zh": {
        "block": "SE 模块",
        "branch": "3×3 卷积，BN，\nReLU，\n3×3 卷积，BN",
        "branch title": "残差分支",
        "pool": "全局\n平均\n池化",
        "reduce": "全连接，\nReLU",
        "restore": "全连接，\nSigmoid",
        "shortcut": "捷径（形状改变时为 1×1 卷积）",
        "squeeze": "压缩",
        "excite": "激励",
        "scale": "缩放",
        "alt": "残差块中的 SE 模块。残差分支由两个 3×3 卷积组成，输出 C 个通道。压缩：全局平均池化"
        "使每个通道成为一个数。激励：全连接层缩减到 C/{0} 个值，经 ReLU 后由另一个全连接层恢复到"
        " C 个，再经 Sigmoid，为每个通道给出 0 与 1 之间的权重。缩放：每个通道乘以自己的权重。"
        "最后与捷径相加，再经 ReLU。",
    },
}


def runs(records: Records) -> tuple[str, ...]:
    """None: the figure shows the block as it is built, whatever was trained."""
    return ()


def draw(records: Records, findings: Mapping[str, Finding], lang: Lang) -> Figure:
    """The block on the residual branch, the shortcut below it."""
    said = TEXT[lang]
    ratio = int(models.DEFAULTS["ratio"])
    figure = style.canvas(2.85)
    axes = shapes.sheet(figure)
    upper, lower, under = 0.78, 1.95, 2.5
    pool, z, reduce, mid, restore, s = 2.02, 2.58, 3.05, 3.52, 4.02, 4.62

    # The block's frame
    shapes.box(axes, 3.47, 1.185, 3.62, 2.2, colour=COLOUR, fill=False, dashed=True)
    shapes.text(axes, 5.2, 0.2, said["block"], ha="right", weight="bold")

    # Residual branch
    shapes.text(axes, 0.06, lower, "x")
    shapes.arrow(axes, (0.14, lower), (0.42, lower))
    shapes.box(axes, 0.92, lower, 1.0, 0.62, said["branch"])
    shapes.text(axes, 0.92, lower - 0.42, said["branch title"], color=style.INK_2)
    shapes.arrow(axes, (1.42, lower), (1.74, lower))
    shapes.planes(axes, pool, lower, 0.3, COLOUR, EVEN)
    shapes.text(axes, pool + 0.36, lower + 0.19, "C × H × W", ha="left", color=style.INK_2)

    # Squeeze and excite
    shapes.arrow(axes, (pool, lower - 0.3), (pool, upper + 0.31))
    shapes.box(axes, pool, upper, 0.62, 0.62, said["pool"])
    shapes.arrow(axes, (pool + 0.31, upper), (z - 0.05, upper))
    shapes.cells(axes, z, upper, 6, 0.1, COLOUR)
    shapes.arrow(axes, (z + 0.05, upper), (reduce - 0.25, upper))
    shapes.box(axes, reduce, upper, 0.5, 0.42, said["reduce"])
    shapes.arrow(axes, (reduce + 0.25, upper), (mid - 0.05, upper))
    shapes.cells(axes, mid, upper, max(1, round(6 / ratio)), 0.1, COLOUR)
    shapes.arrow(axes, (mid + 0.05, upper), (restore - 0.28, upper))
    shapes.box(axes, restore, upper, 0.56, 0.42, said["restore"])
    shapes.arrow(axes, (restore + 0.28, upper), (s - 0.05, upper))
    shapes.cells(axes, s, upper, 6, 0.1, COLOUR, SHADES)
    for x, words in ((z, "C"), (mid, f"C/{ratio}"), (s + 0.2, "C")):
        level = upper + (0.39 if x < s else 0)
        shapes.text(axes, x, level, words, color=style.INK_2)
    for x, key in ((pool, "squeeze"), (mid, "excite")):
        shapes.text(axes, x, 0.28, said[key])

    # Scale
    shapes.arrow(axes, (pool + 0.3, lower), (s - 0.09, lower))
    shapes.arrow(axes, (s, upper + 0.3), (s, lower - 0.09))
    shapes.joint(axes, s, lower, "×")
    shapes.text(axes, s + 0.14, lower - 0.2, said["scale"], ha="left")
    shapes.arrow(axes, (s + 0.09, lower), (5.36, lower), head=False)
    shapes.planes(axes, 5.56, lower, 0.3, COLOUR, SHADES, step=0.04)

    # The shortcut joins
    shapes.arrow(axes, (5.82, lower), (5.96, lower))
    shapes.joint(axes, 6.06, lower, "+")
    shapes.arrow(axes, (0.28, lower), (0.28, under), (6.06, under), (6.06, lower + 0.09))
    shapes.text(axes, 3.2, under + 0.14, said["shortcut"], color=style.INK_2)
    shapes.arrow(axes, (6.06, lower - 0.09), (6.06, 1.42))
    shapes.box(axes, 6.06, 1.3, 0.44, 0.24, "ReLU")
    shapes.arrow(axes, (6.06, 1.18), (6.06, 0.94))
    shapes.text(axes, 6.06, 0.84, "y")
    return figure


def alt(records: Records, findings: Mapping[str, Finding], lang: Lang) -> str:
    """What the figure shows, in words."""
    return TEXT[lang]["alt"].format(int(models.DEFAULTS["ratio"]))
