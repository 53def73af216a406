"""How all figures look: inks, fonts, a colour and marker for every network, panels and axes.

Sizes are in inches at the printed width. Drawings are made for white and for dark pages alike:
the inks are sentinels that whoever shows an SVG may replace (``INK`` by the page's text colour and
so on), and every network's colour has a contrast of at least 3:1 on white and on ``#15171a``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from analysis.figures import inks

INK, INK_2, RULE, PAPER = inks.INK, inks.INK_2, inks.RULE, inks.PAPER

#: The grey of marks without a network (a reference curve, a digit's profile).
NEUTRAL = "#8b8b94"

#: Printed width of a figure in inches, and sizes of text in points.
WIDTH = 6.3
SIZE, SIZE_TITLE = 8.0, 8.5
LINE = 0.155  # height of a line of text

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


#: By variant. Hues are far enough apart for red-, green- and blue-blind readers where networks
#: stand together, as simulated by tests/test_figures.py.
LOOKS: dict[str, Look] = {
    "LeNet": Look("#8f9098", "v"),
    "AlexNet": Look("#7a6749", "P"),
    "SEAlexNet": Look("#8a8b3e", "X"),
    "ResNet18": Look("#4192df", "o"),
    "ResNet34": Look("#3270d6", "s"),
    "ResNet50": Look("#5063d1", "^"),
    "ResNet101": Look("#6258c9", "D"),
    "PlainNet18": Look("#d87022", "o"),
    "PlainNet34": Look("#d34812", "s"),
    "PlainNet50": Look("#c63f2c", "^"),
    "PlainNet101": Look("#b83837", "D"),
    "DenseNet": Look("#b83997", "h"),
    "SEResNet18": Look("#2f9e71", "o"),
    "SEResNet34": Look("#087c6a", "s"),
    "ResNet18-sub": Look("#187f90", ">"),
    "ResNet18-mul": Look("#7f4cbc", "d"),
    "ResNet18-mul-nobn": Look("#b772bb", "d"),
    "ResNet18-softmax": Look("#cc4f6e", "p"),
}


def look(variant: str) -> Look:
    """Colour and marker of a variant; other options look like their network."""
    variant = variant.removesuffix("-stable")
    return LOOKS.get(variant) or LOOKS[variant.partition("-")[0]]


def _families() -> list[str]:
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


# One list of families serves both languages: matplotlib takes each glyph from the first that has
# it. All is set once, so that drawing changes no global state and threads cannot disturb it.
mpl.rcdefaults()  # whatever a user has set for other drawings
mpl.rcParams.update(
    {
        "font.family": _families(),
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
        "svg.fonttype": "none",
        "svg.hashsalt": "figures",
        # Type 42 garbles the outlines of fonts like Noto Sans CJK, which are not TrueType.
        "pdf.fonttype": 3,
    }
)


def canvas(height: float, notes: Sequence[str] = ()) -> Figure:
    """An empty figure of full width; ``notes`` are lines of small print that are added below."""
    total = height + (LINE * len(notes) + 0.04 if notes else 0)
    figure = Figure(figsize=(WIDTH, total))
    FigureCanvasAgg(figure)
    for index, line in enumerate(reversed(notes)):
        figure.text(0, (0.035 + LINE * index) / total, line, color=INK_2, va="bottom")
    return figure


def panel(
    figure: Figure,
    left: float,
    top: float,
    width: float,
    height: float,
    *,
    share: Axes | None = None,
) -> Axes:
    """Axes at a place measured in inches from the figure's top left corner.

    With ``share`` the y axis is that of another panel, whose tick labels serve both.
    """
    full_width, full_height = figure.get_size_inches()
    box = (
        left / full_width,
        1 - (top + height) / full_height,
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
    figure: Figure,
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
        top: of the line's middle below the figure's edge, in inches.
        left: where it begins, in inches; None to end it at the right edge.
    """
    assert isinstance(figure.canvas, FigureCanvasAgg)
    renderer = figure.canvas.get_renderer()
    width, height = figure.get_size_inches()
    mark, gap = (0.2 if lines else 0.09), 0.16
    right = width - 0.03
    texts = [figure.text(0, 1 - top / height, text, va="center") for text, *_ in entries]
    widths = [text.get_window_extent(renderer).width / figure.dpi for text in texts]
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
