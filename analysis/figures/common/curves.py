"""Panels that several figures share: curves by epoch, networks by depth, rows of accuracies."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from analysis.constants import CHANCE_LOSS, CLASSES
from analysis.evidence import Evidence
from analysis.figures.common import estimates, marks, theme
from analysis.figures.common.axes import accuracy_axis, log_axis, set_axis
from analysis.figures.common.estimates import Curve, Estimate, Field
from analysis.figures.common.marks import End, label_ends
from analysis.figures.common.text import Words, loss, percent

#: Numbers of layers of the networks of basic blocks; deeper ones have bottlenecks.
BASIC = (18, 34)
FAMILIES = ("ResNet", "PlainNet")


def set_axes(
    axes: Axes, field: Field, found: Iterable[Curve], *, linear_to: float | None = None
) -> float | None:
    """Set the axes for curves: the epochs that they reach, and the logarithm of the loss or of the
    error rate.

    Losses are linear from 0 to at least ``linear_to`` if it is given. Returns the value of guessing
    if a curve comes near it, which a dashed line marks.
    """
    curves = list(found)
    runs = [values for curve in curves for values in curve.runs]
    last = max([1, *map(len, runs), *(run.epoch for curve in curves for run in curve.broken)])
    room = min(max(0.04 * (last - 1), 0.15), 0.9)  # for the first and the last marker
    axes.set_xlim(1 - room, last + room)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    values = [x for run in runs for x in run]
    if linear_to is not None:
        axes.set_ylim(0, 1.06 * max([linear_to, *values]))
        axes.yaxis.set_major_locator(MaxNLocator(5))
        return None
    if field == "train_loss":
        guess, near = CHANCE_LOSS, max(values, default=0.0) > 0.8 * CHANCE_LOSS
    else:
        guess, near = 1 / CLASSES, min(values, default=1.0) < 2.5 / CLASSES
    if near:
        values.append(guess)
        marks.reference(axes, guess, dashed=True)
    (log_axis if field == "train_loss" else accuracy_axis)(axes, values)
    return guess if near else None


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

    ``names``: by variant, the name of its curve. ``linear_to``: see ``set_axes``.
    """
    found = {v: estimates.curve(evidence, v, field) for v in names if evidence.runs(v)}
    guess = set_axes(axes, field, found.values(), linear_to=linear_to)
    axes.set_xlabel(words("epoch"))
    ends = []
    if guess is not None:
        ends.append(End(axes.get_xlim()[1], guess, words("chance"), theme.INK_2))
    for variant, curve in found.items():
        look, text, broken = theme.look(variant), names[variant], curve.broken
        marks.curve(axes, look, curve, text)
        if evidence.diverged(variant):
            text += "\n" + words("diverged", step=broken[0].step)
            ends.append(End(broken[0].epoch, axes.get_ylim()[curve.worst], text, look.colour))
        elif curve.mean:
            if broken:
                runs = len(evidence.runs(variant))
                text += "\n" + words("some_diverged", diverged=len(broken), runs=runs)
            ends.append(End(len(curve.mean), curve.mean[-1], text, look.colour))
    label_ends(axes, ends)


def layers(variant: str) -> int:
    """The depth in a variant's name: 34 of ``PlainNet34-stable``."""
    return int("".join(filter(str.isdigit, variant.partition("-")[0])))


def by_depth(
    axes: Axes,
    values: Mapping[str, Estimate],
    diverged: Sequence[str],
    words: Words,
    *,
    form: Callable[[float], str] = percent,
) -> None:
    """Plain and residual networks by depth; lines join networks of the same kind of block
    and the same stop rule.

    ``values``: by variant, each family from the shallowest network. ``diverged``: variants without
    a value, marked near the panel's lower edge. ``form``: formats values in tooltips.
    """
    depths = sorted({layers(v) for v in (*values, *diverged)})
    set_axis(axes, "x", (min(depths) / 1.15, max(depths) * 1.15), depths, str, "log")
    axes.set_xlabel(words("depth"), labelpad=15)
    for kind, inside in (("basic", True), ("bottleneck", False)):
        if own := [depth for depth in depths if (depth in BASIC) == inside]:
            below = ((own[0] * own[-1]) ** 0.5, 0), (0, -14), axes.get_xaxis_transform()
            theme.write(axes, words(kind), *below, ha="center", va="top", color=theme.INK_2)
    ends = []
    for family in FAMILIES:
        line = [variant for variant in values if variant.startswith(family)]
        colour = theme.look(f"{family}34").colour
        for pair in pairwise(line):
            if len({(layers(v) in BASIC, "stable" in v) for v in pair}) == 1:
                places = [layers(v) for v in pair], [values[v].mean for v in pair]
                axes.plot(*places, color=colour, zorder=2)
        for variant in line:
            name, look = words.name(variant), theme.look(variant)
            marks.estimate(axes, look, layers(variant), values[variant], name, form=form)
        if line and (text := words(f"family_{family}")):
            ends.append(End(layers(line[-1]), values[line[-1]].mean, text, colour))
    for variant in diverged:
        marks.cross(axes, theme.look(variant), layers(variant), 0.02)
    label_ends(axes, ends, reach=10)


def training_and_depth(
    evidence: Evidence,
    words: Words,
    variants: Sequence[str],
    trained: Sequence[str],
    loss_title: str,
    headline: str,
) -> theme.Sheet:
    """Training loss by epoch of the networks ``trained`` on the left, test accuracy by depth of all
    on the right."""
    shown = evidence.present(variants)
    names = {variant: words.name(variant.removesuffix("-stable")) for variant in shown}
    losses = {v: last for v in trained if (last := estimates.last_loss(evidence, v)) is not None}
    accuracies = {v: e for v in shown if (e := estimates.accuracy(evidence, v))}
    diverged = [variant for variant in shown if evidence.diverged(variant)]
    said = {
        "alt_loss": [f"{names[v]} {loss(last)}" for v, last in losses.items()],
        "alt_accuracy": [f"{names[v]} {percent(e.mean)}" for v, e in accuracies.items()],
        "alt_diverged": [words.name(v) for v in diverged],
    }
    parts = [words(key, networks=words.listed(named)) for key, named in said.items() if named]
    note = estimates.missing(evidence, variants, words)
    alt = words.sentences([*parts, headline])
    sheet = theme.Sheet(2.8, alt=alt, headline=headline, note=note)

    axes = sheet.panel(0.36, 0.32, 1.75, 1.95, words(loss_title), indent=0.3)
    curves = {variant: names[variant] for variant in trained if variant in names}
    by_epoch(axes, evidence, curves, words, "train_loss")

    axes = sheet.panel(3.62, 0.32, 1.95, 1.95, words("test_accuracy"), indent=0.3)
    accuracy_axis(axes, *estimates.shown(accuracies.values()))
    by_depth(axes, accuracies, diverged, words)
    return sheet


def accuracy_rows(
    axes: Axes,
    labels: Mapping[float, str],
    found: Iterable[Estimate],
    words: Words,
    others: Iterable[float] = (),
) -> None:
    """Set up a panel for rows of accuracies, the first on top.

    ``labels``: the label of the row at each place. ``others``: further values on the axis.
    """
    axes.set_ylim(max(labels) + 0.5, -0.5)
    axes.set_yticks([*labels], [*labels.values()])
    axes.tick_params(axis="y", pad=6, labelcolor=theme.INK)
    axes.grid(False, axis="y")
    axes.grid(True, axis="x")
    axes.set_xlabel(words("test_accuracy"))
    values, ends = estimates.shown(found)
    accuracy_axis(axes, [*values, *others], ends, "x")


def write_beside(axes: Axes, at: float, right: float, text: str, **style: Any) -> None:
    """Text of a row, ``right`` points to the right of the panel."""
    place = (1, at), (right, 0), axes.get_yaxis_transform()
    theme.write(axes, text, *place, va="center_baseline", **style)
