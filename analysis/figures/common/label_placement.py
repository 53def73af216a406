"""Labels beside the data instead of legends, placed without overlap."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, Bbox, ScaledTranslation, Transform

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
    """A point with its error bar, in data coordinates; without a text it is only an obstacle."""

    x: float
    y: float
    low: float
    high: float
    text: str


#: Candidate places of a label: directions from its point, preferred first; distances in points.
_AROUND = ((1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1), (0, 1), (0, -1))
_REACHES = (6.0, 11.0, 18.0, 27.0, 38.0, 50.0, 65.0)


def label_spots(
    axes: Axes, spots: Sequence[Spot], lines: Sequence[Sequence[tuple[float, float]]] = ()
) -> None:
    """Label the points of a scatter plot where the labels cover least.

    Each label takes the cheapest place around its point; one that is far away is connected to its
    point by a hairline. ``lines``: corners of drawn lines to avoid. Set limits and scales before.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    point = figure.dpi / 72
    frame = axes.get_window_extent().padded(0, 5 * point)
    to_pixels = axes.transData.transform
    paths = [Path(to_pixels(line)) for line in lines if line]
    centres = to_pixels([(spot.x, spot.y) for spot in spots])
    bars = [Bbox(to_pixels([(s.x, s.low), (s.x, s.high)])).padded(point) for s in spots]
    markers = [Bbox([centre, centre]).padded(3.5 * point) for centre in centres]
    labels: list[Bbox] = []

    def cost(index: int, far: float, box: Bbox) -> float:
        outside = not (frame.contains(*box.p0) and frame.contains(*box.p1))
        crossed = sum(path.intersects_bbox(box, filled=False) for path in paths)
        covered = box.count_overlaps(bars) + box.count_overlaps(markers) + crossed
        # A label must not seem to belong to a neighbour.
        away = np.hypot(*(np.clip(centres, box.min, box.max) - centres).T)
        near = bool((np.delete(away, index) < away[index] + 6 * point).any())
        return far / 300 + 8 * outside + 9 * box.count_overlaps(labels) + 0.3 * covered + near

    line = {"arrowstyle": "-", "color": INK_2, "linewidth": 0.4, "shrinkA": 0, "shrinkB": 0}
    gaps = np.hypot(*(centres[:, None] - centres[None]).T) / point
    # Points with many neighbours choose first.
    for index in np.argsort(-np.exp(-gaps / 40).sum(axis=0), kind="stable"):
        spot = spots[index]
        if not spot.text:
            continue
        text = axes.annotate(
            spot.text, (spot.x, spot.y), (0, 0), textcoords="offset points", va="bottom", color=INK
        )
        size = text.get_window_extent()
        x, y = centres[index]
        places = []
        for far, (dx, dy) in itertools.product(_REACHES, _AROUND):
            aside = far * 0.7 if dy else far
            left = x + dx * (size.width / 2 + aside * point) - size.width / 2
            above = far * (0.3 if dx else 0.8) * point
            bottom = y + dy * (size.height / 2 + above) - size.height / 2
            places.append((far, Bbox.from_bounds(left, bottom, size.width, size.height)))
        far, box = min(places, key=lambda place: cost(index, *place))
        labels.append(box.padded(0.5 * point))
        text.set_position(((box.x0 - x) / point, (box.y0 - y) / point))
        if far > 11:
            end = (np.clip(centres[index], box.min, box.max) - centres[index]) / point
            axes.annotate("", (spot.x, spot.y), end, textcoords="offset points", arrowprops=line)
