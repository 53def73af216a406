"""Scales and ticks for accuracies (log error rate), and for losses, gains and costs (log)."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from analysis.figures.common.text import superscript

Axis = Literal["x", "y"]

#: Margin at both ends of an axis, as a share of what it shows.
_MARGIN = 0.06
#: Smaller error rates are drawn as this one.
LEAST_ERROR = 1e-5
#: Minimum span of an axis in decades of error, so that small differences are not magnified.
_LEAST_SPAN = 0.15
#: Maximum extension of the axis beyond the points to show interval ends: this share of the points'
#: span, or this many decades of error if that is more. Intervals of two runs can be very wide.
_REACH, _LEAST_REACH = 1.0, 0.3
#: Limits of a logarithmic axis as powers of ten; with its margin 10**limit is still finite.
_FARTHEST = 250.0


def _decades(accuracy: ArrayLike) -> NDArray[np.float64]:
    """Negative log10 of the error rate."""
    error = np.clip(1 - np.asarray(accuracy, dtype=float), LEAST_ERROR, None)
    return np.asarray(-np.log10(error), dtype=float)


def _accuracy(decades: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(1 - 10.0 ** -np.asarray(decades, dtype=float), dtype=float)


def plain(value: float) -> str:
    """The label of a tick of a logarithmic axis."""
    exponent = math.floor(math.log10(value) + 1e-9)
    if not -4 < exponent < 4:
        mantissa = value / 10.0**exponent
        power = f"10{superscript(exponent)}"
        return power if math.isclose(mantissa, 1) else f"{mantissa:.3g} × {power}"
    return f"{value:.6g}"


def per_cent(value: float) -> str:
    """The label of a tick for a fraction in per cent, without the sign."""
    return f"{100 * value:.6g}"


def accuracy_axis(
    axes: Axes, values: Iterable[float], ends: Iterable[float] = (), axis: Axis = "y"
) -> None:
    """Accuracies (fractions) on a logarithmic scale of the error, printed in per cent.

    From 98 to 99 % is as far as from 80 to 90 %: both halve the error. The axis contains all
    ``values``. It contains ``ends``, those of intervals, only up to a limit.
    """
    points = _decades([*values] or [0.5])
    reach = max(_REACH * float(np.ptp(points)), _LEAST_REACH)
    outer = np.clip(_decades([*ends]), points.min() - reach, points.max() + reach)
    low, high = (float(end([*points, *outer])) for end in (min, max))
    room = max(_MARGIN * (high - low), (_LEAST_SPAN - (high - low)) / 2)
    most = -math.log10(LEAST_ERROR)
    low = min(max(low - room, 0.0), most - _LEAST_SPAN)
    high = max(min(high + room, most), _LEAST_SPAN)
    ticks = [1 - error for error in _ticks(-high, -low, least=4)]
    limits = float(_accuracy(low)), float(_accuracy(high))
    set_axis(axes, axis, limits, ticks, per_cent, "function", functions=(_decades, _accuracy))


def log_axis(
    axes: Axes,
    values: Iterable[float],
    ends: Iterable[float] = (),
    axis: Axis = "y",
    ticks: Sequence[float] = (),
    form: Callable[[float], str] = plain,
) -> None:
    """A logarithmic axis for positive values and the ends of their intervals.

    ``ticks``: without any, round numbers. ``form``: formats their labels.
    """
    logs = [math.log10(value) for value in (*values, *ends) if 0 < value < math.inf]
    low, high = np.clip([min(logs, default=-1), max(logs, default=1)], -_FARTHEST, _FARTHEST)
    room = max(_MARGIN * (high - low), 0.05)
    low, high = float(low - room), float(high + room)
    set_axis(axes, axis, (10**low, 10**high), ticks or _ticks(low, high), form, "log")


def _ticks(low: float, high: float, least: int = 3) -> list[float]:
    """Round numbers between two powers of ten, at least ``least`` of them: one to six per decade,
    or one every few decades."""
    decades = range(math.floor(low), math.ceil(high) + 1)
    for digits in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)):
        ticks = [digit * 10.0**decade for decade in decades for digit in digits]
        ticks = [tick for tick in ticks if low <= math.log10(tick) <= high]
        if len(ticks) >= least:
            break
    else:
        even = MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(10**low, 10**high)
        ticks = [float(tick) for tick in even if tick > 0 and low <= math.log10(tick) <= high]
    step = math.ceil(len(ticks) / 6)
    # Thin out the ticks but keep 1, with which gains are compared.
    one = next((i for i, tick in enumerate(ticks) if math.isclose(tick, 1.0)), 0)
    return ticks[one % step :: step]


def set_axis(
    axes: Axes,
    axis: Axis,
    limits: tuple[float, float],
    ticks: Sequence[float],
    form: Callable[[Any], str],
    scale: str,
    **options: Any,
) -> None:
    """Set the limits, ticks and scale of an axis; ``form`` formats the labels of ticks."""
    getattr(axes, f"set_{axis}scale")(scale, **options)
    getattr(axes, f"set_{axis}ticks")(ticks, [form(tick) for tick in ticks])
    getattr(axes, f"set_{axis}lim")(*limits)
    axes.minorticks_off()
