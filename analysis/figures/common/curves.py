"""Panels that several figures share: curves by epoch, and networks by their depth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from analysis.constants import CHANCE_LOSS, CLASSES
from analysis.evidence import Evidence
from analysis.figures.common import estimates, marks, theme
from analysis.figures.common.axes import accuracy_axis, depth_axis, epoch_axis, log_axis
from analysis.figures.common.estimates import Curve, Estimate
from analysis.figures.common.label_placement import End, label_ends
from analysis.figures.common.text import Words, number, percent

#: Numbers of layers of the networks of basic blocks; deeper ones have bottlenecks.
BASIC = (18, 34)
FAMILIES = ("ResNet", "PlainNet")

Field = Literal["train_loss", "validation_accuracy"]
#: Edge of a panel at which diverged runs are marked (0: lower, 1: upper).
WORST: dict[Field, float] = {"train_loss": 1.0, "validation_accuracy": 0.0}


def value_axis(
    axes: Axes, field: Field, found: Iterable[Curve], *, linear_to: float | None = None
) -> float | None:
    """Set the y axis for curves: logarithmic in the loss or the error rate.

    Losses are linear from 0 to at least ``linear_to`` if it is given. Returns the value of guessing
    if a curve comes near it.
    """
    values = [x for curve in found for _, values in curve.runs for x in values]
    if linear_to is not None:
        axes.set_ylim(0, 1.06 * max([linear_to, *values]))
        axes.yaxis.set_major_locator(MaxNLocator(5))
        return None
    if field == "train_loss":
        stuck = max(values, default=0.0) > 0.8 * CHANCE_LOSS
        log_axis(axes, [*values, CHANCE_LOSS] if stuck else values)
        return CHANCE_LOSS if stuck else None
    stuck = min(values, default=1.0) < 2.5 / CLASSES
    accuracy_axis(axes, [*values, 1 / CLASSES] if stuck else values or [0.5])
    return 1 / CLASSES if stuck else None


def epochs(axes: Axes, found: Iterable[Curve]) -> None:
    """Set the x axis for curves: all epochs that they reach."""
    reached = [float(epoch) for curve in found for run, _ in curve.runs for epoch in run]
    reached += [moment for curve in found for _, moment in curve.broken]
    epoch_axis(axes, reached)


def by_epoch(
    axes: Axes,
    evidence: Evidence,
    names: Mapping[str, str],
    words: Words,
    field: Field,
    *,
    linear_to: float | None = None,
) -> None:
    """Training loss or validation accuracy by epoch.

    ``names``: by variant, the name of its curve. ``linear_to``: see ``value_axis``.
    """
    found = {v: estimates.curve(evidence, v, field) for v in names if evidence.runs(v)}
    guess = value_axis(axes, field, found.values(), linear_to=linear_to)
    worst = WORST[field]
    theme.hairlines(axes)
    axes.set_xlabel(words("epoch"))
    epochs(axes, found.values())
    ends = []
    if guess is not None:
        marks.reference(axes, guess, dashed=True)
        ends.append(End(axes.get_xlim()[1], guess, words("chance"), theme.INK_2))
    for variant, curve in found.items():
        look = theme.look(variant)
        marks.curve(axes, look, curve, names[variant])
        marks.crosses(axes, look, [(moment, worst) for _, moment in curve.broken])
        if evidence.diverged(variant) and curve.broken:
            step, moment = curve.broken[0]
            text = f"{names[variant]}\n{words('diverged', step=step)}"
            ends.append(End(moment, axes.get_ylim()[round(worst)], text, look.colour))
        elif curve.epochs:
            text = names[variant]
            if curve.broken:
                text += "\n" + some_diverged(evidence, variant, words)
            ends.append(End(curve.epochs[-1], curve.mean[-1], text, look.colour))
    label_ends(axes, ends)


def some_diverged(evidence: Evidence, variant: str, words: Words) -> str:
    """The note that says how many runs of a variant diverged."""
    runs = evidence.runs(variant)
    broken = sum(run.divergence is not None for run in runs)
    return words("some_diverged", diverged=broken, runs=len(runs))


def accuracy_by_depth(
    axes: Axes, evidence: Evidence, variants: Sequence[str], words: Words
) -> None:
    """Test accuracy of plain and residual networks by depth (``by_depth``)."""
    found = estimates.accuracies(evidence, variants)
    values = {variant: found[variant] for variant in variants if variant in found}
    by_depth(axes, values, [v for v in variants if evidence.diverged(v)], words)


def layers(variant: str) -> int:
    """The depth in a variant's name: 34 of ``PlainNet34-stable``."""
    return int("".join(filter(str.isdigit, variant.partition("-")[0])))


def _tied(first: str, second: str) -> bool:
    """Whether two networks of a family have the same kind of block and the same stop rule."""
    kinds = (layers(first) in BASIC) == (layers(second) in BASIC)
    return kinds and ("stable" in first) == ("stable" in second)


def by_depth(
    axes: Axes,
    values: Mapping[str, Estimate],
    diverged: Sequence[str],
    words: Words,
    *,
    scale: Callable[..., None] = accuracy_axis,
) -> None:
    """Plain and residual networks by depth; lines join networks of the same kind of block.

    Args:
        axes: the panel.
        values: by variant, each family from the shallowest network.
        diverged: variants without a value, marked near the panel's lower edge.
        words: texts of the figure.
        scale: sets the y axis for the values and the ends of their intervals.
    """
    theme.hairlines(axes)
    shown = sorted({layers(v) for v in (*values, *diverged)})
    depth_axis(axes, shown, words("depth"))
    axes.xaxis.labelpad = 15
    points, bounds = estimates.shown(values.values())
    scale(axes, points or [0.5], ends=bounds)
    for kind, inside in (("basic", True), ("bottleneck", False)):
        own = [depth for depth in shown if (depth in BASIC) == inside]
        if own:
            axes.annotate(
                words(kind),
                ((own[0] * own[-1]) ** 0.5, 0),
                xycoords=axes.get_xaxis_transform(),
                xytext=(0, -14),
                textcoords="offset points",
                ha="center",
                va="top",
                color=theme.INK_2,
            )
    ends = []
    for family in FAMILIES:
        line = [variant for variant in values if variant.startswith(family)]
        colour = theme.look(f"{family}34").colour
        for first, second in pairwise(line):
            if _tied(first, second):
                axes.plot(
                    [layers(first), layers(second)],
                    [values[first].mean, values[second].mean],
                    color=colour,
                    zorder=2,
                )
        for variant in line:
            form = percent if scale is accuracy_axis else number
            name, look = words.name(variant), theme.look(variant)
            marks.estimate(axes, look, layers(variant), values[variant], name, form=form)
        if line and (text := words(f"family_{family}")):
            last = line[-1]
            ends.append(End(layers(last), values[last].mean, text, colour))
    for variant in diverged:
        marks.crosses(axes, theme.look(variant), [(layers(variant), 0.02)])
    label_ends(axes, ends, reach=10)
