"""How all figures look: inks, fonts, a colour and marker for every network, panels and axes.

Sizes are in inches at the printed width. Drawings are made for white and for dark pages alike:
the inks are sentinels that whoever shows an SVG may replace (``INK`` by the page's text colour and
so on), and every network's colour has a contrast of at least 3:1 on white and on ``#15171a``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

import models
from analysis.figures.common.inks import INK, INK_2, PAPER, RULE

__all__ = ["INK", "INK_2", "PAPER", "RULE", "Look", "look"]

#: The colour of marks in figures where colour does not tell networks apart.
ACCENT = "#3270d6"
#: The grey of marks without a network (a reference curve, a digit's profile).
NEUTRAL = "#8b8b94"

#: Printed width of a figure in inches, and sizes of text in points.
WIDTH = 6.3
SIZE, SIZE_TITLE, SIZE_HEADLINE = 8.0, 8.5, 9.0
LINE = 0.155  # height of a line of text

#: A word with the spaces after it, or a Chinese character with its punctuation.
_PIECE = re.compile(r"[（“《]*(?:[^\s\u2e80-\uffef]+|[\u2e80-\uffef])[，。；：、）》”]*\s*")

#: Fonts with Chinese and Latin letters, from the best; the first that is installed is used, and
#: DejaVu Sans, which matplotlib brings along, for what it lacks.
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
    """A network's colour and marker: the same in every figure.

    Hue tells the family, the shape of the marker the depth (circle 18, square 34, triangle 50,
    diamond 101 layers), so that no pair rests on colour alone.
    """

    colour: str
    marker: str


#: By variant: the networks' own (``models.registry``), and those of operators. Hues are far enough
#: apart for red-, green- and blue-blind readers where networks stand together, as simulated by
#: tests/analysis/test_figures.py.
LOOKS: dict[str, Look] = {
    **{name: Look(network.color, network.marker) for name, network in models.NETWORKS.items()},
    "ResNet18-sub": Look("#187f90", ">"),
    "ResNet18-mul": Look("#7f4cbc", "d"),
    "ResNet18-mul-nobn": Look("#b772bb", "d"),
    "ResNet18-softmax": Look("#cc4f6e", "p"),
}


#: A network that another is compared with.
BEHIND = Look(NEUTRAL, "o")


def look(variant: str) -> Look:
    """Colour and marker of a variant; other options look like their network."""
    variant = variant.removesuffix("-stable")
    return LOOKS.get(variant) or LOOKS[variant.partition("-")[0]]


def families() -> list[str]:
    return [*filter(None, [_installed() or _newly_installed()]), "DejaVu Sans"]


def _installed() -> str | None:
    # matplotlib keeps its list of fonts from earlier runs: what it names may be gone.
    entries = font_manager.fontManager.ttflist
    known = {entry.name for entry in entries if entry.name in _FAMILIES and _exists(entry.fname)}
    return next((name for name in _FAMILIES if name in known), None)


def _newly_installed() -> str | None:
    """A font that was installed after matplotlib made its list."""
    for path in font_manager.findSystemFonts():
        if Path(path).name.startswith(("NotoSansCJK-", "NotoSansSC", "SourceHanSansSC")):
            font_manager.fontManager.addfont(path)
    return _installed()


def _exists(path: str) -> bool:
    return Path(path).exists()


# The user's own settings (matplotlibrc, MATPLOTLIBRC) do not count: equal records give equal
# drawings everywhere. All is set once, so that drawing changes no global state. One list of
# families serves both languages: matplotlib takes each glyph from the first that has it.
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
        "axes.unicode_minus": True,
        "figure.facecolor": "none",
        "grid.color": RULE,
        "grid.linewidth": 0.5,
        "lines.linewidth": 1.4,
        "lines.markersize": 5.0,
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
        # Widths of text are the same at every resolution, so that labels stay where they fit.
        "text.hinting": "none",
        "savefig.bbox": None,
        "svg.fonttype": "none",
        "svg.hashsalt": "figures",
        # Type 42 garbles the outlines of fonts like Noto Sans CJK, which are not TrueType.
        "pdf.fonttype": 3,
    }
)


class Sheet(Figure):
    """A figure of full width whose headline takes ``top`` inches above the panels."""

    top = 0.0

    @property
    def renderer(self) -> RendererAgg:
        """What measures text."""
        assert isinstance(self.canvas, FigureCanvasAgg)
        return self.canvas.get_renderer()


def sheet(height: float, headline: str = "", note: str = "") -> Sheet:
    """An empty figure.

    Args:
        height: of the panels with their titles and labels, in inches.
        headline: what the figure shows in one sentence; stands above them.
        note: small print below them.
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
    """A text in lines of the figure's width, broken at spaces and between Chinese characters."""
    most = 0.98 * figure.dpi * WIDTH  # elsewhere than here, letters can be a little wider
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


def panel(
    figure: Sheet,
    left: float,
    top: float,
    width: float,
    height: float,
    *,
    share: Axes | None = None,
) -> Axes:
    """Axes at a place measured in inches from the left edge and from below the headline.

    With ``share`` the y axis is that of another panel, whose tick labels serve both.
    """
    full_width, full_height = figure.get_size_inches()
    box = (
        left / full_width,
        1 - (figure.top + top + height) / full_height,
        width / full_width,
        height / full_height,
    )
    axes = figure.add_axes(box, sharey=share)
    if share is not None:
        axes.tick_params(labelleft=False)
    return axes


def heading(axes: Axes, text: str, *, left: float = 0.0, bold: bool = False) -> Text:
    """What a panel's vertical axis shows, written level above it, where it is read first.

    ``left`` is how far it begins to the left of the axis, in inches.
    """
    return axes.annotate(
        text,
        (0, 1),
        xycoords="axes fraction",
        xytext=(-72 * left, 7),
        textcoords="offset points",
        va="bottom",
        size=SIZE_TITLE,
        weight="bold" if bold else "normal",
    )


def hairlines(axes: Axes, axis: str = "y") -> None:
    """Hairlines at the ticks of one axis, whose own line and ticks go."""
    axes.grid(True, axis="y" if axis == "y" else "x")
    axes.spines["left" if axis == "y" else "bottom"].set_visible(False)
    axes.tick_params(axis="y" if axis == "y" else "x", length=0)


def dividers(axes: Axes, places: Sequence[float]) -> None:
    """Upright hairlines between groups along the x axis."""
    lines = axes.vlines(places, 0, 1, transform=axes.get_xaxis_transform())
    lines.set(color=RULE, linewidth=0.7, zorder=1)


def key(
    figure: Sheet,
    entries: Sequence[tuple[str, str, float, bool]],
    *,
    lines: bool = False,
    top: float = 0.1,
    left: float | None = None,
) -> None:
    """Say once which mark is which, in one line.

    Args:
        figure: as ``canvas`` made it.
        entries: text, colour, size of the marker (or width of the line), filled or hollow.
        lines: the marks are lines.
        top: of the line's middle below the headline, in inches.
        left: where it begins, in inches; None to end it at the right edge.
    """
    width, height = figure.get_size_inches()
    top += figure.top
    mark, gap = (0.2 if lines else 0.09), 0.16
    right = width - 0.03
    texts = [figure.text(0, 1 - top / height, text, va="center") for text, *_ in entries]
    widths = [text.get_window_extent(figure.renderer).width / figure.dpi for text in texts]
    total = sum(widths) + (mark + 0.05) * len(entries) + gap * (len(entries) - 1)
    at = right - total if left is None else left
    for text, wide, (_, colour, size, filled) in zip(texts, widths, entries, strict=True):
        line = Line2D(
            [at / width, (at + mark) / width] if lines else [(at + mark / 2) / width],
            [1 - top / height] * (2 if lines else 1),
            color=colour,
            linewidth=size if lines else 0,
            marker="" if lines else "o",
            markersize=size,
            markerfacecolor=colour if filled else "none",
            markeredgewidth=0 if filled else 0.7,
            transform=figure.transFigure,
        )
        figure.add_artist(line)
        text.set_x((at + mark + 0.05) / width)
        at += mark + 0.05 + wide + gap
