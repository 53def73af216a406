"""Marks that several figures share: estimates with intervals, curves and their labels, diverged
runs."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from analysis.figures.common.estimates import Curve, Estimate
from analysis.figures.common.text import percent
from analysis.figures.common.theme import INK_2, SIZE, Look

#: Up to this many runs are shown one by one; of more, the interval or the range.
_MANY = 20
#: Prefix of an element's id that holds a tooltip, which ``analysis.render`` turns into a ``title``.
TOOLTIP = "tooltip:"
#: Separates a network's name from the kind of its points in labels.
_WHAT = "\t"


def series(name: str, what: str) -> str:
    """A label for points that the figure's CSV contains: name of the network, kind of points."""
    return f"{name.partition(chr(10))[0]}{_WHAT}{what}"


def points(axes: Axes) -> list[tuple[str, str, float, float]]:
    """The labelled finite points of a panel: name, kind, x and y."""
    found = []
    for line in axes.lines:
        name, labelled, what = str(line.get_label()).partition(_WHAT)
        places = np.asarray(line.get_xydata() if labelled else np.empty((0, 2)))
        found += [(name, what, x, y) for x, y in places[np.isfinite(places).all(axis=1)].tolist()]
    return found


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
    """Draw a mean with its interval as a bar, and each of up to 20 runs as a small dot.

    ``form`` formats numbers in the tooltip: mean, interval and, of up to ten runs, each value. With
    ``level`` the value is on the x axis and ``at`` on the y axis.
    """

    def plot(values: Sequence[float], marker: str, what: str, **style: Any) -> list[Line2D]:
        across = [at] * len(values)
        places = (values, across) if level else (across, values)
        return axes.plot(*places, marker, color=look.colour, label=series(name, what), **style)

    bar = {"linewidth": 1.1, "solid_capstyle": "butt", "zorder": 2.5}
    plot([value.low, value.high], "-", "interval", **bar)
    if 1 < len(value.values) <= _MANY:
        plot(value.values, "o", "run", alpha=0.8, markersize=2.4, zorder=2.6)
    (mark,) = plot([value.mean], look.marker, "mean", markersize=5.5, zorder=3)
    each = f" · {', '.join(map(form, value.values))}" if 1 < len(value.values) <= 10 else ""
    mark.set_gid(
        f"{TOOLTIP}{name}: {form(value.mean)} [{form(value.low)}, {form(value.high)}]{each}"
    )


def curve(axes: Axes, look: Look, found: Curve, name: str) -> None:
    """Draw the mean by epoch as a line, with a faint line behind it for each run; of more than 20
    runs their range. Crosses mark where runs diverged."""
    epochs = range(1, len(found.mean) + 1)
    if len(found.runs) > _MANY:
        every = [values[: len(epochs)] for values in found.runs]
        low, high = np.min(every, axis=0), np.max(every, axis=0)
        axes.fill_between(epochs, low, high, color=look.colour, alpha=0.2, linewidth=0)
    elif len(found.runs) > 1:
        style: dict[str, Any] = {"linewidth": 0.8, "alpha": 0.7, "label": series(name, "run")}
        for values in found.runs:
            axes.plot(range(1, len(values) + 1), values, color=look.colour, **style)
    (line,) = axes.plot(
        epochs,
        found.mean,
        color=look.colour,
        marker=look.marker if len(epochs) <= 15 else None,
        markersize=4.6,
        zorder=2.8,
        label=series(name, "mean"),
    )
    line.set_gid(TOOLTIP + name)
    for broken in found.broken:
        cross(axes, look, broken.epoch, found.worst)


def cross(axes: Axes, look: Look, x: float, height: float) -> None:
    """Mark a diverged run; ``height`` is a share of the panel's."""
    style: dict[str, Any] = {"markersize": 6, "markeredgewidth": 1.6, "clip_on": False, "zorder": 4}
    axes.plot(x, height, "x", color=look.colour, transform=axes.get_xaxis_transform(), **style)


def reference(axes: Axes, value: float, *, dashed: bool = False) -> None:
    """Draw a horizontal line across the panel."""
    style = (0, (4, 2.5)) if dashed else "-"
    axes.axhline(value, color=INK_2, linewidth=0.8, linestyle=style, zorder=1.5)


# --- Labels at the ends of curves, instead of a legend --------------------------------------------

#: Height of a line of labels in points.
PITCH = SIZE + 2.6


class End(NamedTuple):
    """The end of a curve and its label, of one or more lines of text."""

    x: float
    y: float
    text: str
    colour: str


def spread(
    positions: Sequence[float], sizes: Sequence[float], low: float, high: float
) -> NDArray[np.float64]:
    """Move centres as little as possible (least squares) so that nothing overlaps.

    ``sizes`` are the extents along the axis. The order is kept, and all extents stay between
    ``low`` and ``high`` if they fit.
    """
    from scipy.optimize import isotonic_regression  # takes half a second to load

    if not len(positions):
        return np.empty(0)
    order = np.argsort(positions, kind="stable")
    size = np.asarray(sizes, dtype=float)[order]
    # Subtract the centres of a gapless pile. The remaining offsets must not decrease, and the
    # nearest such sequence is isotonic regression.
    pile = np.cumsum(size) - size / 2
    level = isotonic_regression(np.asarray(positions, dtype=float)[order] - pile).x
    top = high - float(size.sum())
    placed = np.empty(len(size))
    placed[order] = pile + (np.clip(level, low, top) if top >= low else (low + top) / 2)
    return placed


def label_ends(axes: Axes, ends: Sequence[End], *, reach: float = 16.0) -> None:
    """Label curves at their right ends, outside the panel, with a connecting line for each.

    ``reach``: distance of the labels from the panel in points. Set limits and scales before.
    """
    point = axes.figure.dpi / 72
    box = axes.get_window_extent()
    width, height = box.width / point, box.height / point
    sizes = [PITCH * (1 + end.text.count("\n")) for end in ends]
    shown = [(axes.transData.transform((end.x, end.y)) - box.p0) / point for end in ends]
    levels = [float(np.clip(y, 0, height)) for _, y in shown]
    places = spread(levels, sizes, -PITCH / 2, height + PITCH / 2)
    right = width + reach - 2.5
    for end, (x, _), level, place in zip(ends, shown, levels, places, strict=True):
        start = x + 4.5  # beside the marker
        elbow = max(right - 9, start)
        axes.plot(
            np.array([start, elbow, right]) / width,
            np.array([level, level, place]) / height,
            color=end.colour,
            linewidth=0.7 if elbow - start < 30 else 0.4,
            transform=axes.transAxes,
            clip_on=False,
        )
        axes.text(
            (right + 2.5) / width,
            place / height,
            end.text,
            transform=axes.transAxes,
            va="center" if "\n" in end.text else "center_baseline",
            linespacing=1.15,
        )
