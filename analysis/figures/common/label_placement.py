"""Labels beside the data instead of legends, placed without overlap."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.transforms import Affine2D, ScaledTranslation, Transform
from numpy.typing import NDArray

from analysis.figures.common.theme import INK, INK_2, SIZE

#: Height of a line of labels in points.
PITCH = SIZE + 2.6


def spread(
    positions: Sequence[float], sizes: Sequence[float], low: float, high: float
) -> list[float]:
    """Move centres as little as possible (least squares) so that nothing overlaps.

    ``sizes`` are the extents along the axis. The order is kept, and all extents stay between
    ``low`` and ``high`` if they fit.
    """
    from scipy.optimize import isotonic_regression  # takes half a second to load

    if not positions:
        return []
    order = np.argsort(positions, kind="stable")
    size = np.asarray(sizes, dtype=float)[order]
    # Subtract the centres of a gapless pile. The remaining offsets must not decrease, and the
    # nearest such sequence is isotonic regression.
    pile = np.cumsum(size) - size / 2
    level = isotonic_regression(np.asarray(positions, dtype=float)[order] - pile).x
    top = high - float(size.sum())
    level = np.clip(level, low, top) if top >= low else np.full(len(size), (low + top) / 2)
    placed = np.empty(len(size))
    placed[order] = level + pile
    return [float(value) for value in placed]


@dataclass(frozen=True)
class End:
    """The end of a curve and its label, of one or more lines of text."""

    x: float
    y: float
    text: str
    colour: str


def label_ends(axes: Axes, ends: Sequence[End], *, reach: float = 16.0) -> None:
    """Label curves at their right ends, outside the panel, with a connecting line for each.

    ``reach``: distance of the labels from the panel in points. Set limits and scales before.
    """
    box = axes.get_window_extent()
    figure = axes.get_figure(root=True)
    assert figure is not None
    point = figure.dpi / 72
    shown = [axes.transData.transform((end.x, end.y)) for end in ends]
    heights = [float(np.clip((y - box.y0) / point, 0, box.height / point)) for _, y in shown]
    sizes = [PITCH * (1 + end.text.count("\n")) for end in ends]
    places = spread(heights, sizes, -PITCH / 2, box.height / point + PITCH / 2)
    inside = 4.5  # points from the centre of a marker
    for end, (x, _), height, place in zip(ends, shown, heights, places, strict=True):
        start = (x - box.x0) / point + inside
        right = box.width / point + reach - 2.5
        elbow = max(right - 9, start)
        axes.plot(
            [start, elbow, right],
            [height, height, place],
            color=end.colour,
            linewidth=0.7 if elbow - start < 30 else 0.4,
            transform=_points(axes),
            clip_on=False,
            scalex=False,
            scaley=False,
            solid_joinstyle="round",
        )
        axes.annotate(
            end.text,
            (0, 0),
            xycoords="axes fraction",
            xytext=(right + 2.5, place),
            textcoords="offset points",
            va="center_baseline" if "\n" not in end.text else "center",
            linespacing=1.15,
            color=INK,
        )


def _points(axes: Axes) -> Transform:
    """Coordinates in points from the panel's lower left corner."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    corner = axes.get_position()
    width, height = figure.get_size_inches()
    inches = figure.dpi_scale_trans
    shift = ScaledTranslation(corner.x0 * width, corner.y0 * height, inches)
    return Affine2D().scale(1 / 72) + inches + shift


@dataclass(frozen=True)
class Spot:
    """A point with its error bar, in data coordinates, and its label.

    A point with an empty label is only an obstacle.
    """

    x: float
    y: float
    low: float
    high: float
    text: str


#: Candidate places of a label: directions from its point, preferred first; distances in points.
_AROUND = ((1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1), (0, 1), (0, -1))
_REACHES = (6.0, 11.0, 18.0, 27.0, 38.0, 50.0, 65.0)

#: One rectangle per row: left, bottom, right, top, in points from the panel's lower left corner.
Boxes = NDArray[np.float64]


def label_spots(
    axes: Axes, spots: Sequence[Spot], lines: Sequence[Sequence[tuple[float, float]]] = ()
) -> None:
    """Label the points of a scatter plot where the labels cover least.

    Each label takes the cheapest place around its point; one that is far away is connected to its
    point by a hairline. ``lines``: corners of drawn lines to avoid. Set limits and scales before.
    """
    if not spots:
        return
    figure = axes.get_figure(root=True)
    assert figure is not None and isinstance(figure.canvas, FigureCanvasAgg)
    renderer = figure.canvas.get_renderer()
    in_points = axes.transData + _points(axes).inverted()
    extent = axes.get_window_extent()
    point = figure.dpi / 72
    frame = np.array([[0.0, 0.0, extent.width / point, extent.height / point + 5]])

    centres = in_points.transform([(spot.x, spot.y) for spot in spots])
    lows = in_points.transform([(spot.x, spot.low) for spot in spots])[:, 1]
    highs = in_points.transform([(spot.x, spot.high) for spot in spots])[:, 1]
    x, y = centres.T
    markers = np.column_stack([x - 3.2, y - 3.2, x + 3.2, y + 3.2])
    bars = np.column_stack([x - 1, lows, x + 1, highs])
    drawn = [_along(in_points.transform(line)) for line in lines if len(line)]
    obstacles = np.vstack([markers, bars, *drawn])
    taken = np.empty((0, 4))
    # Points with many neighbours choose first.
    gaps = np.hypot(*(centres[:, None] - centres[None]).transpose(2, 0, 1))
    for index in np.argsort(-np.exp(-gaps / 40).sum(axis=1), kind="stable"):
        spot = spots[index]
        if not spot.text:
            continue
        text = axes.annotate(spot.text, (spot.x, spot.y), color=INK, linespacing=1.15)
        size = text.get_window_extent(renderer)
        places, prices = _places(centres[index], size.width / point, size.height / point)
        prices += 3 * _covered(places, taken) + _covered(places, obstacles)
        prices += 8 * (1 - _shares(places, frame)[:, 0])
        # A label must not seem to belong to a neighbour.
        away = _distances(places, centres)
        others = np.delete(away, index, axis=1)
        prices += 0.8 * (others < away[:, [index]] + 6).any(axis=1)
        chosen = places[int(np.argmin(prices))]
        taken = np.vstack([taken, [*(chosen[:2] - 0.5), *(chosen[2:] + 0.5)]])
        text.set_position((chosen[0] - centres[index][0], chosen[1] - centres[index][1]))
        text.set_anncoords("offset points")
        text.set(ha="left", va="bottom")
        _tie(axes, centres[index], chosen)


def _places(
    centre: NDArray[np.float64], width: float, height: float
) -> tuple[Boxes, NDArray[np.float64]]:
    """Candidate places of a label around a point, and their cost by distance."""
    x, y = centre
    places, prices = [], []
    for far, (dx, dy) in itertools.product(_REACHES, _AROUND):
        aside = far * 0.7 if dy else far
        left = x - width / 2 + dx * (width / 2 + aside)
        bottom = y - height / 2 + dy * (height / 2 + far * (0.3 if dx else 0.8))
        places.append((left, bottom, left + width, bottom + height))
        prices.append(far / 300)
    return np.array(places), np.array(prices)


def _along(corners: NDArray[np.float64]) -> Boxes:
    """Small boxes along a line, as obstacles."""
    boxes = [np.empty((0, 4))]
    for start, end in itertools.pairwise(corners):
        count = max(1, round(float(np.hypot(*(end - start))) / 4))
        middles = start + (end - start) * (np.arange(count)[:, None] / count)
        boxes.append(np.column_stack([middles - 1, middles + 1]))
    return np.vstack(boxes)


def _distances(boxes: Boxes, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distances from each box (rows) to each point (columns), in points."""
    gaps = points[None] - np.clip(points[None], boxes[:, None, :2], boxes[:, None, 2:])
    return np.asarray(np.hypot(gaps[..., 0], gaps[..., 1]))


def _shares(boxes: Boxes, others: Boxes) -> NDArray[np.float64]:
    """Share of each box (rows) that lies in each of the others (columns)."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    return np.asarray(common / (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)[:, None])


def _covered(boxes: Boxes, others: Boxes) -> NDArray[np.float64]:
    shares = _shares(boxes, others)
    return np.asarray((shares + 0.2 * (shares > 0)).sum(axis=1))


def _tie(axes: Axes, start: NDArray[np.float64], box: NDArray[np.float64]) -> None:
    """Draw a hairline from a point to its label, unless they are close."""
    end = np.clip(start, box[:2] + np.array([0, 2]), box[2:] - np.array([0, 2]))
    if np.hypot(*(end - start)) > 12:
        line = np.array([start, end]).T
        axes.plot(
            *line,
            color=INK_2,
            linewidth=0.4,
            transform=_points(axes),
            scalex=False,
            scaley=False,
            zorder=1.6,
        )
