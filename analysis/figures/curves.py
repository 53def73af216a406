"""Panels of curves by epoch, named at their ends; runs that broke off end in a cross."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from analysis.constants import CHANCE_LOSS, CLASSES
from analysis.evidence import Evidence
from analysis.figures import data, marks, style, words
from analysis.figures.axes import accuracy_axis, epoch_axis, log_axis
from analysis.figures.data import Curve
from analysis.figures.labels import End, label_ends
from analysis.figures.words import Lang


def losses(
    axes: Axes,
    evidence: Evidence,
    names: Mapping[str, str],
    lang: Lang,
    *,
    linear_to: float | None = None,
) -> None:
    """Training loss by epoch; ``names`` are the variants and what their curves are called.

    The axis is logarithmic, or with ``linear_to`` linear from 0 at least to that value.
    """
    found = {v: data.curve(evidence, v, "train_loss") for v in names if evidence.runs(v)}
    values = _values(found)
    stuck = linear_to is None and max(values, default=0.0) > 0.8 * CHANCE_LOSS
    if linear_to is None:
        log_axis(axes, [*values, CHANCE_LOSS] if stuck else values)
    else:
        axes.set_ylim(0, 1.06 * max([linear_to, *values]))
        axes.yaxis.set_major_locator(MaxNLocator(5))
    _draw(axes, evidence, found, names, lang, worst=1.0, guess=CHANCE_LOSS if stuck else None)


def accuracies(axes: Axes, evidence: Evidence, names: Mapping[str, str], lang: Lang) -> None:
    """Validation accuracy by epoch on a logarithmic scale of the error."""
    found = {v: data.curve(evidence, v, "validation_accuracy") for v in names if evidence.runs(v)}
    values = _values(found)
    stuck = min(values, default=1.0) < 2.5 / CLASSES
    accuracy_axis(axes, [*values, 1 / CLASSES] if stuck else values or [0.5])
    _draw(axes, evidence, found, names, lang, worst=0.0, guess=1 / CLASSES if stuck else None)


def _values(found: Mapping[str, Curve]) -> list[float]:
    return [x for curve in found.values() for _, values in curve.runs for x in values]


def _draw(
    axes: Axes,
    evidence: Evidence,
    found: Mapping[str, Curve],
    names: Mapping[str, str],
    lang: Lang,
    *,
    worst: float,
    guess: float | None,
) -> None:
    """The curves; ``worst`` is the edge at which diverged runs are marked (1: the upper), and
    ``guess`` what guessing gives, where a curve comes near it."""
    style.hairlines(axes)
    axes.set_xlabel(words.TEXT[lang]["epoch"])
    reached = [float(epoch) for curve in found.values() for run, _ in curve.runs for epoch in run]
    reached += [moment for curve in found.values() for _, moment in curve.broken]
    epoch_axis(axes, reached)
    ends = []
    if guess is not None:
        marks.reference(axes, guess, dashed=True)
        ends.append(End(axes.get_xlim()[1], guess, words.TEXT[lang]["chance"], style.INK_2))
    for variant, curve in found.items():
        colour = style.look(variant).colour
        marks.curve(axes, variant, curve)
        marks.crosses(axes, variant, [(moment, worst) for _, moment in curve.broken])
        if evidence.diverged(variant):
            step, moment = curve.broken[0]
            text = f"{names[variant]}\n{words.TEXT[lang]['diverged'].format(step)}"
            ends.append(End(moment, axes.get_ylim()[round(worst)], text, colour))
        elif curve.epochs:
            text = names[variant]
            if curve.broken:
                some = words.TEXT[lang]["some diverged"]
                text += "\n" + some.format(len(curve.broken), len(evidence.runs(variant)))
            ends.append(End(curve.epochs[-1], curve.mean[-1], text, colour))
    label_ends(axes, ends)
