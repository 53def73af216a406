"""The style of all figures: colours, fonts, a colour and marker for every network, panels and axes.

Sizes are in inches at the printed width. Drawings work on white and on dark pages: a page replaces
the colours of text and lines by its own (``INK`` by its text colour and so on), and every
network's colour has a contrast of at least 3:1 on white and on ``#15171a``.
"""

import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import Transform
from numpy.typing import NDArray

import models
from analysis.constants import MNIST_SIDE

#: The colours of text and lines: marks that carry the message; axes, ticks and side notes;
#: hairlines; the page.
INK, INK_2, RULE, PAPER = "#1b1b1f", "#5b5b64", "#d3d3d9", "#fffffe"
#: The colour of marks in figures where colour does not distinguish networks.
ACCENT = "#3270d6"
#: The grey of marks without a network (a reference curve, a digit's profile).
NEUTRAL = "#8b8b94"

#: Printed width of a figure in inches, and sizes of text in points.
WIDTH = 6.3
SIZE, SIZE_TITLE, SIZE_HEADLINE = 8.0, 8.5, 9.0
LINE = 0.155  # height of a line of text

#: A word with the spaces after it, or a Chinese character with its punctuation, and a sign that a
#: no-break space ties to it.
_PIECE = re.compile(
    r"(?:[（“《]|\S\xa0)*(?:[^ \u2e80-\uffef]+|[\u2e80-\uffef])[，。；：、）》”]* *"
)

#: Fonts with Chinese and Latin letters in order of preference. The first that is installed is used;
#: matplotlib's DejaVu Sans supplies characters that it lacks.
_FAMILIES = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Noto Sans SC",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "WenQuanYi Zen Hei",
)


class Look(NamedTuple):
    """A network's colour and marker, the same in every figure.

    The hue shows the family, the marker the depth (circle 18, square 34, triangle 50, diamond 101
    layers), so that no two networks differ in colour alone.
    """

    colour: str
    marker: str


#: By variant: the networks' own (``models.registry``), and those of operators. Networks in the same
#: panel differ enough for red-, green- and blue-blind readers; tests simulate this.
LOOKS: dict[str, Look] = {
    **{name: Look(network.color, network.marker) for name, network in models.NETWORKS.items()},
    "ResNet18-sub": Look("#187f90", ">"),
    "ResNet18-mul": Look("#7f4cbc", "d"),
    "ResNet18-mul-nobn": Look("#b772bb", "d"),
    "ResNet18-softmax": Look("#cc4f6e", "p"),
}


def look(variant: str) -> Look:
    """Colour and marker of a variant; by default those of its network."""
    variant = variant.removesuffix("-stable")
    return LOOKS.get(variant) or LOOKS[variant.partition("-")[0]]


@functools.cache
def families() -> list[str]:
    """The first of the fonts that is installed, and matplotlib's own."""
    if _installed().isdisjoint(_FAMILIES):  # perhaps installed after matplotlib cached its list
        for path in font_manager.findSystemFonts():
            if Path(path).name.startswith(("NotoSansCJK-", "NotoSansSC", "SourceHanSansSC")):
                font_manager.fontManager.addfont(path)
    return [*[name for name in _FAMILIES if name in _installed()][:1], "DejaVu Sans"]


def _installed() -> set[str]:
    return {font.name for font in font_manager.fontManager.ttflist if Path(font.fname).exists()}


# User settings (matplotlibrc, MATPLOTLIBRC) are ignored, so that equal records give equal drawings.
# Settings are made once; drawing changes no global state. One list of families serves both
# languages: matplotlib takes each glyph from the first family that has it.
mpl.rcdefaults()
mpl.rc("font", family=families(), size=SIZE)
mpl.rc("text", color=INK, hinting="none")  # so that its width does not depend on the resolution
mpl.rc("figure", facecolor="none")
mpl.rc("axes", edgecolor=INK_2, facecolor="none", linewidth=0.6, axisbelow=True)
mpl.rc("axes", labelcolor=INK, labelpad=3.0)
# Horizontal hairlines instead of the line and ticks of the y axis.
mpl.rc("axes.spines", left=False, top=False, right=False)
mpl.rc("axes", grid=True)
mpl.rc("axes.grid", axis="y")
mpl.rc("grid", color=RULE, linewidth=0.5)
mpl.rc("xtick", color=INK_2)
mpl.rc("ytick", color=INK_2)
mpl.rc("xtick.major", size=2.5, width=0.6)
mpl.rc("ytick.major", size=0)
mpl.rc("legend", frameon=False, borderpad=0, borderaxespad=0, columnspacing=1.4)
mpl.rc("legend", handlelength=0.8, handletextpad=0.5)
mpl.rc("lines", linewidth=1.4, markersize=5.0, markeredgewidth=0.0, solid_capstyle="round")
mpl.rc("patch", linewidth=0.6)
mpl.rc("svg", fonttype="none", hashsalt="figures")


class Sheet(Figure):
    """A figure of full width, with its text alternative ``alt`` for readers who cannot see it."""

    def __init__(self, height: float, *, alt: str, headline: str = "", note: str = "") -> None:
        """Make an empty figure.

        Args:
            height: height of the panels with their titles and labels, in inches.
            alt: what the figure shows, in words.
            headline: a sentence above the panels that says what the figure shows.
            note: small print below the panels.
        """
        super().__init__(figsize=(WIDTH, 1))
        FigureCanvasAgg(self)
        self.alt = alt
        self._top = bottom = 0.0
        if headline:
            self._top = 0.1 + self._write(headline, 1, va="top", size=SIZE_HEADLINE, weight="bold")
        if note:
            bottom = 0.08 + self._write(note, 0, va="bottom", color=INK_2)
        self.set_size_inches(WIDTH, self._top + height + bottom)

    def _write(self, text: str, y: float, **font: Any) -> float:
        """Write a text in lines of the figure's width, broken at spaces and between Chinese
        characters; returns its height in inches."""
        written, lines = self.text(0, y, "", **font), [""]
        for piece in _PIECE.findall(text):
            written.set_text((lines[-1] + piece).rstrip())
            # Other versions of a font can be a little wider.
            if lines[-1] and written.get_window_extent().width > 0.98 * self.dpi * WIDTH:
                lines.append("")
            lines[-1] += piece
        written.set_text("\n".join(line.rstrip() for line in lines))
        return written.get_window_extent().height / self.dpi

    def panel(
        self,
        left: float,
        top: float,
        width: float,
        height: float,
        title: str = "",
        *,
        indent: float = 0.0,
        above: float = 7.0,
    ) -> Axes:
        """Axes at a position in inches from the left edge and from below the headline.

        ``title``: of the vertical axis, written horizontally ``above`` points above the panel, from
        ``indent`` inches left of it.
        """
        full_width, full_height = self.get_size_inches()
        bottom = 1 - (self._top + top + height) / full_height
        place = left / full_width, bottom, width / full_width, height / full_height
        axes = self.add_axes(place)
        if title:
            offset = -72 * indent, above
            write(axes, title, (0, 1), offset, "axes fraction", va="bottom", size=SIZE_TITLE)
        return axes

    def key(self, entries: Sequence[Line2D], *, left: float | None = None) -> None:
        """A legend in one line, below the headline.

        ``left``: start of the line in inches; None to end it at the right edge.
        """
        width, height = self.get_size_inches()
        x = 1 - 0.03 / width if left is None else left / width
        self.legend(
            handles=entries,
            loc="center right" if left is None else "center left",
            bbox_to_anchor=(x, 1 - (self._top + 0.1) / height),
            ncols=len(entries),
        )


def bitmap(axes: Axes, image: NDArray[np.uint8], side: int) -> None:
    """Draw grey levels without axes, 28 units wide and high. The bitmap is magnified to ``side``
    pixels, so that viewers that smooth images keep the edges of pixels."""
    magnified = np.kron(image, np.ones((max(1, side // len(image)),) * 2, dtype=np.uint8))
    extent = 0, MNIST_SIDE, MNIST_SIDE, 0
    axes.imshow(magnified, "gray", vmin=0, vmax=255, interpolation="none", extent=extent)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def write(
    axes: Axes,
    text: str,
    at: tuple[float, float],
    offset: tuple[float, float] = (0, 0),
    coords: str | Transform = "data",
    **style: Any,
) -> Text:
    """Text beside a place of a panel; ``offset`` in points."""
    return axes.annotate(text, at, offset, coords, "offset points", annotation_clip=False, **style)


def dividers(axes: Axes, places: Sequence[float]) -> None:
    """Vertical hairlines between groups along the x axis."""
    lines = axes.vlines(places, 0, 1, transform=axes.get_xaxis_transform())
    lines.set(color=RULE, linewidth=0.7, zorder=1)


def entry(text: str, colour: str, marker: str = "o", *, hollow: bool = False) -> Line2D:
    """An entry of a legend."""
    mark = Line2D([], [], color=colour, marker=marker, markersize=5.5, linewidth=0, label=text)
    if hollow:
        mark.set(fillstyle="none", markeredgewidth=0.7)
    return mark
