"""Parts of structure diagrams: boxes, arrows, bars of channels. All sizes in inches."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Polygon, Rectangle

from analysis.figures import style
from analysis.figures.style import INK, INK_2, NEUTRAL, SIZE

#: Fill of boxes: transparent, so that they suit a light and a dark page.
TINT = 0.16


def sheet(figure: Figure) -> Axes:
    """Axes over the whole figure; x from the left and y from the top, in inches."""
    width, height = figure.get_size_inches()
    axes = style.panel(figure, 0, 0, width, height)
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_axis_off()
    return axes


def text(axes: Axes, x: float, y: float, words: str, **options: object) -> None:
    """Text centred at a place."""
    given = {"ha": "center", "va": "center", "color": INK, "linespacing": 1.2, **options}
    axes.text(x, y, words, **given)  # type: ignore[arg-type]


def box(
    axes: Axes,
    x: float,
    y: float,
    width: float,
    height: float,
    words: str = "",
    *,
    colour: str = NEUTRAL,
    fill: bool = True,
    dashed: bool = False,
) -> None:
    """A rounded box with its centre at (x, y)."""
    axes.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - height / 2),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=0.05",
            facecolor=(colour, TINT) if fill else "none",
            edgecolor=colour,
            linewidth=0.8,
            linestyle=(0, (4, 2.5)) if dashed else "-",
        )
    )
    text(axes, x, y, words)


def funnel(
    axes: Axes, x: float, y: float, width: float, left: float, right: float, words: str
) -> None:
    """A trapezoid whose height goes from ``left`` to ``right``: the resolution is reduced."""
    half = width / 2
    corners = [
        (x - half, y - left / 2),
        (x + half, y - right / 2),
        (x + half, y + right / 2),
        (x - half, y + left / 2),
    ]
    axes.add_patch(Polygon(corners, facecolor=(NEUTRAL, TINT), edgecolor=NEUTRAL, linewidth=0.8))
    text(axes, x, y, words)


def arrow(
    axes: Axes, *corners: tuple[float, float], head: bool = True, colour: str = INK_2
) -> None:
    """A line through corners, with a head at its end."""
    for start, end in pairwise(corners[:-1]):
        axes.plot(*zip(start, end, strict=True), color=colour, linewidth=0.9)
    axes.add_patch(
        FancyArrowPatch(
            corners[-2],
            corners[-1],
            arrowstyle="-|>,head_length=3,head_width=1.6" if head else "-",
            color=colour,
            linewidth=0.9,
            shrinkA=0,
            shrinkB=0,
            mutation_scale=1,
            joinstyle="miter",
        )
    )


def joint(axes: Axes, x: float, y: float, sign: str) -> None:
    """A circle with the sign of an operation of two inputs, ``×`` or ``+``."""
    axes.plot(
        [x], [y], "o", color=INK_2, markersize=12, markerfacecolor="none", markeredgewidth=0.9
    )
    marker = "x" if sign == "×" else "+"
    axes.plot([x], [y], marker, color=INK, markersize=5 if sign == "×" else 7, markeredgewidth=1)


def cells(
    axes: Axes,
    x: float,
    y: float,
    count: int,
    size: float,
    colour: str,
    shades: Sequence[float] | None = None,
) -> None:
    """A vector as a column of square cells centred at (x, y); ``shades``: opacity of each."""
    for index in range(count):
        axes.add_patch(
            Rectangle(
                (x - size / 2, y + (index - count / 2) * size),
                size,
                size,
                facecolor=(colour, shades[index] if shades else TINT),
                edgecolor=colour,
                linewidth=0.6,
            )
        )


def planes(
    axes: Axes,
    x: float,
    y: float,
    side: float,
    colour: str,
    shades: Sequence[float],
    step: float = 0.055,
) -> None:
    """Feature maps as planes one behind another, centred at (x, y), the last in front."""
    count = len(shades)
    for index, shade in enumerate(shades):
        shift = (index - (count - 1) / 2) * step
        corner = (x - side / 2 + shift, y - side / 2 + shift)
        # The page's colour underneath keeps the planes behind from shining through.
        for fill in (style.PAPER, (colour, shade)):
            axes.add_patch(
                Rectangle(corner, side, side, facecolor=fill, edgecolor=colour, linewidth=0.6)
            )


def bar(
    axes: Axes,
    x: float,
    top: float,
    width: float,
    height: float,
    words: str,
    colour: str,
    shade: float,
) -> None:
    """A group of channels as a bar; its text is left out where it does not fit."""
    axes.add_patch(
        Rectangle(
            (x - width / 2, top),
            width,
            height,
            facecolor=(colour, shade),
            edgecolor=colour,
            linewidth=0.8,
        )
    )
    if height >= SIZE / 72:
        text(axes, x, top + height / 2, words)
