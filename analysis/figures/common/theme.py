"""The style of all figures: colours, fonts, a colour and marker for every network, panels and axes.

Sizes are in inches at the printed width. Drawings work on white and on dark pages: a page replaces
the colours of text and lines by its own (``INK`` by its text colour and so on), and every
network's colour has a contrast of at least 3:1 on white and on ``#15171a``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from numpy.typing import NDArray

import models
from analysis.figures.common.inks import INK, INK_2, PAPER, RULE

__all__ = ["INK", "INK_2", "PAPER", "RULE", "Look", "look"]

#: The colour of marks in figures where colour does not distinguish networks.
ACCENT = "#3270d6"
#: The grey of marks without a network (a reference curve, a digit's profile).
NEUTRAL = "#8b8b94"

#: Printed width of a figure in inches, and sizes of text in points.
WIDTH = 6.3
SIZE, SIZE_TITLE, SIZE_HEADLINE = 8.0, 8.5, 9.0
LINE = 0.155  # height of a line of text

#: A word with the spaces after it, or a Chinese character with its punctuation.
_PIECE = re.compile(r"[（“《]*(?:[^\s\u2e80-\uffef]+|[\u2e80-\uffef])[，。；：、）》”]*\s*")

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


@dataclass(frozen=True)
class Look:
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

#: The style of a network that serves as a reference.
BEHIND = Look(NEUTRAL, "o")


def look(variant: str) -> Look:
    """Colour and marker of a variant; by default those of its network."""
    variant = variant.removesuffix("-stable")
    return LOOKS.get(variant) or LOOKS[variant.partition("-")[0]]


def families() -> list[str]:
    return [*filter(None, [_installed() or _newly_installed()]), "DejaVu Sans"]


def _installed() -> str | None:
    # matplotlib caches its list of fonts, so the files may be gone.
    entries = [each for each in font_manager.fontManager.ttflist if each.name in _FAMILIES]
    known = {entry.name for entry in entries if Path(entry.fname).exists()}
    return next((name for name in _FAMILIES if name in known), None)


def _newly_installed() -> str | None:
    """A font that was installed after matplotlib cached its list."""
    for path in font_manager.findSystemFonts():
        if Path(path).name.startswith(("NotoSansCJK-", "NotoSansSC", "SourceHanSansSC")):
            font_manager.fontManager.addfont(path)
    return _installed()


# User settings (matplotlibrc, MATPLOTLIBRC) are ignored, so that equal records give equal drawings.
# Settings are made once; drawing changes no global state. One list of families serves both
# languages: matplotlib takes each glyph from the first family that has it.
mpl.rcdefaults()
mpl.rcParams.update(
    {
        "font.family": families(),
        "font.size": SIZE,
        "text.color": INK,
        "axes.edgecolor": INK_2,
        "axes.facecolor": "none",
        "axes.labelcolor": INK,
        "axes.labelsize": SIZE,
        "axes.labelpad": 3.0,
        "axes.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "figure.facecolor": "none",
        "grid.color": RULE,
        "grid.linewidth": 0.5,
        "lines.linewidth": 1.4,
        "lines.markersize": 5.0,
        "lines.markeredgewidth": 0.0,
        "lines.solid_capstyle": "round",
        "patch.linewidth": 0.6,
        "xtick.color": INK_2,
        "ytick.color": INK_2,
        "xtick.labelsize": SIZE,
        "ytick.labelsize": SIZE,
        "xtick.major.size": 2.5,
        "ytick.major.size": 2.5,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "xtick.major.pad": 2.5,
        "ytick.major.pad": 2.5,
        # Without hinting the width of text does not depend on the resolution.
        "text.hinting": "none",
        "svg.fonttype": "none",
        "svg.hashsalt": "figures",
        # Type 42 garbles the outlines of fonts like Noto Sans CJK, which are not TrueType.
        "pdf.fonttype": 3,
    }
)


class Sheet(Figure):
    """A figure of full width; its headline takes ``top`` inches above the panels."""

    top = 0.0

    @property
    def renderer(self) -> RendererAgg:
        """The renderer, for measuring text."""
        assert isinstance(self.canvas, FigureCanvasAgg)
        return self.canvas.get_renderer()


def sheet(height: float, headline: str = "", note: str = "") -> Sheet:
    """An empty figure.

    Args:
        height: height of the panels with their titles and labels, in inches.
        headline: a sentence above the panels that says what the figure shows.
        note: small print below the panels.
    """
    figure = Sheet(figsize=(WIDTH, 1))
    FigureCanvasAgg(figure)
    above = _broken(figure, headline, size=SIZE_HEADLINE, weight="bold")
    below = _broken(figure, note)
    figure.top = 0.17 * len(above) + 0.1 if above else 0.0
    total = figure.top + height + (LINE * len(below) + 0.04 if below else 0)
    figure.set_size_inches(WIDTH, total)
    for index, line in enumerate(above):
        y = 1 - (0.02 + 0.17 * index) / total
        figure.text(0, y, line, size=SIZE_HEADLINE, weight="bold", va="top")
    for index, line in enumerate(reversed(below)):
        figure.text(0, (0.035 + LINE * index) / total, line, color=INK_2, va="bottom")
    return figure


def _broken(figure: Sheet, text: str, **font: Any) -> list[str]:
    """Break a text into lines of the figure's width, at spaces and between Chinese characters."""
    most = 0.98 * figure.dpi * WIDTH  # other font versions can be a little wider
    probe = figure.text(0, 0, "", **font)
    lines: list[str] = []
    for piece in _PIECE.findall(text):
        probe.set_text((lines[-1] + piece).rstrip() if lines else piece)
        if lines and probe.get_window_extent(figure.renderer).width <= most:
            lines[-1] += piece
        else:
            lines.append(piece)
    probe.remove()
    return [line.rstrip() for line in lines]


def panel(figure: Sheet, left: float, top: float, width: float, height: float) -> Axes:
    """Axes at a position in inches from the left edge and from below the headline."""
    full_width, full_height = figure.get_size_inches()
    bottom = 1 - (figure.top + top + height) / full_height
    return figure.add_axes((left / full_width, bottom, width / full_width, height / full_height))


def bitmap(axes: Axes, image: NDArray[np.uint8], side: int) -> None:
    """Draw grey levels without axes. The bitmap is magnified to ``side`` pixels, so that viewers
    that smooth images keep the edges of pixels."""
    magnified = np.kron(image, np.ones((max(1, side // len(image)),) * 2, dtype=np.uint8))
    height, width = image.shape
    extent = 0, width, height, 0
    axes.imshow(magnified, "gray", vmin=0, vmax=255, interpolation="none", extent=extent)
    axes.set_axis_off()


def heading(axes: Axes, text: str, *, left: float = 0.0) -> Text:
    """A horizontal title of the vertical axis above the panel.

    ``left``: distance of its start to the left of the axis, in inches.
    """
    return axes.annotate(
        text,
        (0, 1),
        xycoords="axes fraction",
        xytext=(-72 * left, 7),
        textcoords="offset points",
        va="bottom",
        size=SIZE_TITLE,
    )


def hairlines(axes: Axes) -> None:
    """Replace the line and ticks of the y axis by horizontal grid lines."""
    axes.grid(True, axis="y")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def dividers(axes: Axes, places: Sequence[float]) -> None:
    """Vertical hairlines between groups along the x axis."""
    lines = axes.vlines(places, 0, 1, transform=axes.get_xaxis_transform())
    lines.set(color=RULE, linewidth=0.7, zorder=1)


def key(
    figure: Sheet,
    entries: Sequence[tuple[str, str, float, bool]],
    *,
    left: float | None = None,
) -> None:
    """A legend in one line, below the headline.

    Args:
        figure: as ``sheet`` made it.
        entries: text, colour, size of the marker in points, filled or hollow.
        left: start of the line in inches; None to end it at the right edge.
    """
    width, height = figure.get_size_inches()
    marks = [
        Line2D(
            [],
            [],
            color=colour,
            linewidth=0,
            marker="o",
            markersize=size,
            markerfacecolor=colour if filled else "none",
            markeredgewidth=0 if filled else 0.7,
            label=text,
        )
        for text, colour, size, filled in entries
    ]
    figure.legend(
        handles=marks,
        loc="center right" if left is None else "center left",
        bbox_to_anchor=(
            left / width if left else 1 - 0.03 / width,
            1 - (figure.top + 0.1) / height,
        ),
        ncols=len(entries),
        frameon=False,
        borderpad=0,
        borderaxespad=0,
        handlelength=0.8,
        handletextpad=0.5,
        columnspacing=1.4,
    )
