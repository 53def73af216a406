"""Scales and ticks for accuracies (log error rate), losses and gains (log), epochs and depth."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import ArrayLike, NDArray

from analysis.figures.common.text import superscript

Axis = Literal["x", "y"]

#: Smaller error rates are drawn as this one.
_LEAST_ERROR = 1e-5
#: Minimum span of an axis in decades of error, so that small differences are not magnified.
_LEAST_SPAN = 0.15
#: Maximum extension of the axis beyond the points to show interval ends: this share of the points'
#: span, or this many decades of error if that is more. Intervals of two runs can be very wide.
_REACH, _LEAST_REACH = 1.0, 0.3
#: Limits of a logarithmic axis as powers of ten; with its margin 10**limit is still finite.
_FARTHEST = 250.0
#: Candidate ticks of accuracies in per cent.
_TICKS = (
    *(0, 20, 40, 60, 80, 90, 95, 97, 98, 98.5, 99, 99.3, 99.5),
    *(99.7, 99.8, 99.9, 99.95, 99.98, 99.99),
)
#: Minimum distance of ticks as a share of the axis.
_APART = 0.085


def _from_accuracy(accuracy: ArrayLike) -> NDArray[np.float64]:
    error = np.clip(1 - np.asarray(accuracy, dtype=float), _LEAST_ERROR, None)
    return np.asarray(-np.log10(error), dtype=float)


def _to_accuracy(position: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(1 - 10.0 ** -np.asarray(position, dtype=float), dtype=float)


def accuracy_axis(
    axes: Axes,
    values: Iterable[float],
    axis: Axis = "y",
    pad: float = 0.06,
    ends: Iterable[float] = (),
) -> None:
    """Accuracies (fractions) on a logarithmic scale of the error, printed in per cent.

    From 98 to 99 % is as far as from 80 to 90 %: both halve the error. The axis contains all
    ``values``. It contains ``ends``, those of intervals, only up to a limit.
    """
    positions = _from_accuracy(list(values))
    low, high = float(positions.min()), float(positions.max())
    reach = max(_REACH * (high - low), _LEAST_REACH)
    outer = np.clip(_from_accuracy([*ends]), low - reach, high + reach)
    low, high = min([low, *outer.tolist()]), max([high, *outer.tolist()])
    low, high = low - (high - low) * pad, high + (high - low) * pad
    widen = max(_LEAST_SPAN - (high - low), 0.0) / 2
    low, high = low - widen, high + widen
    above, below = max(high + math.log10(_LEAST_ERROR), 0.0), max(-low, 0.0)
    low, high = max(low - above, 0.0), min(high + below, -math.log10(_LEAST_ERROR))
    limits = float(_to_accuracy(low)), float(_to_accuracy(high))
    ticks = _accuracy_ticks(low, high)
    digits = max(len(f"{100 * tick:.6g}".partition(".")[2]) for tick in ticks)
    formatter = FuncFormatter(lambda value, _: f"{100 * value:.{digits}f}".removesuffix(".0"))
    _set_scale(axes, axis, limits, "function", functions=(_from_accuracy, _to_accuracy))
    _set_ticks(axes, axis, ticks, formatter)


def _accuracy_ticks(low: float, high: float) -> list[float]:
    """Ticks as fractions between two positions: round ones if at least three fit."""

    def position(tick: float) -> float:
        return float(_from_accuracy(tick / 100))

    inside = [tick for tick in _TICKS if low - 1e-9 <= position(tick) <= high + 1e-9]
    spread: list[float] = []
    for tick in reversed(inside):
        if not spread or position(spread[-1]) - position(tick) >= _APART * (high - low):
            spread.append(tick)
    if len(spread) < 3:
        first, last = (100 * float(_to_accuracy(end)) for end in (low, high))
        even = MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(first, last)
        spread = [float(round(tick, 6)) for tick in even if first <= tick <= last]
    return [tick / 100 for tick in spread]


def log_axis(
    axes: Axes,
    values: Iterable[float],
    axis: Axis = "y",
    pad: float = 0.06,
    ends: Iterable[float] = (),
) -> None:
    """A logarithmic axis for positive values and the ends of their intervals."""
    logs = [math.log10(value) for value in (*values, *ends) if value > 0 and math.isfinite(value)]
    logs = [min(max(value, -_FARTHEST), _FARTHEST) for value in logs]
    low, high = (min(logs), max(logs)) if logs else (-1.0, 1.0)
    room = max((high - low) * pad, 0.05)
    low, high = low - room, high + room
    _set_scale(axes, axis, (10**low, 10**high), "log")
    _set_ticks(axes, axis, _log_ticks(low, high), FuncFormatter(lambda value, _: plain(value)))


def _log_ticks(low: float, high: float) -> list[float]:
    """One to six ticks per decade, or one every few decades."""
    decades = range(math.floor(low), math.ceil(high) + 1)
    for digits in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)):
        ticks = [digit * 10.0**decade for decade in decades for digit in digits]
        ticks = [tick for tick in ticks if low <= math.log10(tick) <= high]
        if len(ticks) >= 3:
            break
    else:
        even = MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(10**low, 10**high)
        ticks = [float(tick) for tick in even if tick > 0 and low <= math.log10(tick) <= high]
    step = math.ceil(len(ticks) / 6)
    # Thin out the ticks but keep 1, with which gains are compared.
    one = next((i for i, tick in enumerate(ticks) if math.isclose(tick, 1.0)), 0)
    return ticks[one % step :: step]


def plain(value: float) -> str:
    """The label of a tick of a logarithmic axis."""
    exponent = math.floor(math.log10(value) + 1e-9)
    if not -4 < exponent < 4:
        mantissa = value / 10.0**exponent
        power = f"10{superscript(exponent)}"
        return power if math.isclose(mantissa, 1) else f"{mantissa:.3g} × {power}"
    return f"{value:.6g}"


def epoch_axis(axes: Axes, epochs: Iterable[float]) -> None:
    """An x axis of whole epochs, with room for the first and the last marker."""
    found = list(epochs) or [1.0]
    first, last = min(found), max(found)
    room = max((last - first) * 0.04, 0.15)
    axes.set_xlim(first - room, last + room)
    ticks = MaxNLocator(6, integer=True, min_n_ticks=1).tick_values(first, last)
    whole = [tick for tick in ticks if first - 1e-9 <= tick <= last + 1e-9 and tick == int(tick)]
    _set_ticks(axes, "x", whole, FuncFormatter(lambda value, _: f"{value:.0f}"))


def depth_axis(axes: Axes, depths: Sequence[int], title: str) -> None:
    """An x axis of numbers of layers on a logarithmic scale, with a tick at each."""
    axes.set_xscale("log")
    axes.set_xlim(min(depths) / 1.15, max(depths) * 1.15)
    names = {depth: str(depth) for depth in depths}
    _set_ticks(axes, "x", depths, FuncFormatter(lambda value, _: names.get(round(value), "")))
    axes.set_xlabel(title)


def _set_scale(
    axes: Axes, axis: Axis, limits: tuple[float, float], name: str, **options: Any
) -> None:
    getattr(axes, f"set_{axis}scale")(name, **options)
    getattr(axes, f"set_{axis}lim")(*limits)


def _set_ticks(axes: Axes, axis: Axis, ticks: Sequence[float], formatter: FuncFormatter) -> None:
    which = axes.yaxis if axis == "y" else axes.xaxis
    which.set_major_locator(FixedLocator(list(ticks)))
    which.set_minor_locator(NullLocator())
    which.set_major_formatter(formatter)
