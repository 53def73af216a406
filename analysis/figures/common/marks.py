"""Marks that several figures share: estimates with their intervals, curves, diverged runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from analysis.figures.common.estimates import Curve, Estimate
from analysis.figures.common.text import percent
from analysis.figures.common.theme import INK_2, Look

#: Up to this many runs are shown one by one; of more, quantiles or the range.
_MANY = 20
#: Prefix of an element's id that holds a tooltip.
TOOLTIP = "tooltip:"
#: Separates a network's name from the kind of its points in labels.
_WHAT = "\t"


def tooltip(artist: Artist, text: str) -> None:
    """Give a mark a tooltip, by its id, which ``analysis.render`` turns into a ``title``."""
    artist.set_gid(TOOLTIP + text)


def series(name: str, what: str) -> str:
    """A label for points that the figure's CSV contains: name of the network, kind of points."""
    return f"{name.partition(chr(10))[0]}{_WHAT}{what}"


def points(axes: Axes) -> list[tuple[str, str, float, float]]:
    """The labelled points of a panel: name, kind, x and y."""
    found = []
    for line in axes.lines:
        name, labelled, what = str(line.get_label()).partition(_WHAT)
        if labelled:
            found += [(name, what, float(x), float(y)) for x, y in np.asarray(line.get_xydata())]
    return found


def told(name: str, value: Estimate, form: Callable[[float], str] = percent) -> str:
    """The text of a tooltip: mean, interval and, for at most ten runs, each value."""
    text = f"{name}: {form(value.mean)} [{form(value.low)}, {form(value.high)}]"
    each = f" · {', '.join(map(form, value.values))}" if 1 < len(value.values) <= 10 else ""
    return text + each


def estimate(
    axes: Axes,
    look: Look,
    at: float,
    value: Estimate,
    name: str,
    *,
    form: Callable[[float], str] = percent,
    level: bool = False,
) -> None:
    """Draw a mean with its interval as a bar, and each run as a small dot.

    Of more than 20 runs the dots are quantiles. ``form`` formats numbers in the tooltip. With
    ``level`` the value is on the x axis and ``at`` on the y axis.
    """

    def along(values: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
        across = [at] * len(values)
        return (values, across) if level else (across, values)

    axes.plot(
        *along([value.low, value.high]),
        color=look.colour,
        linewidth=1.1,
        solid_capstyle="butt",
        zorder=2.5,
        label=series(name, "interval"),
    )
    if len(value.values) > 1:
        axes.plot(
            *along(_few(value.values)),
            "o",
            color=look.colour,
            alpha=0.8,
            markersize=2.4,
            zorder=2.6,
            label=series(name, "run"),
        )
    (mark,) = axes.plot(
        *along([value.mean]),
        look.marker,
        color=look.colour,
        markersize=5.5,
        zorder=3,
        label=series(name, "mean"),
    )
    tooltip(mark, told(name, value, form))


def _few(values: Sequence[float]) -> Sequence[float]:
    """The values, or 20 evenly spaced quantiles if there are more."""
    if len(values) <= _MANY:
        return values
    return [float(value) for value in np.quantile(values, np.linspace(0, 1, _MANY))]


def curve(axes: Axes, look: Look, found: Curve, name: str) -> None:
    """Draw the mean by epoch as a line, with a faint line behind it for each run; of more than 20
    runs their range."""
    if len(found.runs) > _MANY:
        every = [values[: len(found.epochs)] for _, values in found.runs]
        low, high = np.min(every, axis=0), np.max(every, axis=0)
        axes.fill_between(
            found.epochs, low, high, color=look.colour, alpha=0.2, linewidth=0, zorder=2
        )
    elif len(found.runs) > 1:
        for epochs, values in found.runs:
            axes.plot(
                epochs,
                values,
                color=look.colour,
                linewidth=0.8,
                alpha=0.7,
                zorder=2,
                label=series(name, "run"),
            )
    few = len(found.epochs) <= 15
    (line,) = axes.plot(
        found.epochs,
        found.mean,
        color=look.colour,
        marker=look.marker if few else None,
        markersize=4.6,
        zorder=2.8,
        label=series(name, "mean"),
    )
    tooltip(line, name)


def crosses(axes: Axes, look: Look, places: Sequence[tuple[float, float]]) -> None:
    """Mark where runs diverged: x in data coordinates, y as a share of the panel."""
    for x, y in places:
        axes.plot(
            [x],
            [y],
            "x",
            color=look.colour,
            markersize=6,
            markeredgewidth=1.6,
            transform=axes.get_xaxis_transform(),
            clip_on=False,
            zorder=4,
        )


def reference(axes: Axes, value: float, *, dashed: bool = False) -> None:
    """Draw a horizontal line across the panel."""
    style = (0, (4, 2.5)) if dashed else "-"
    axes.axhline(value, color=INK_2, linewidth=0.8, linestyle=style, zorder=1.5)
