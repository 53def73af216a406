"""Norm of the gradient of each layer of ResNet-18 over the first steps, by operator."""

from __future__ import annotations

import math
from functools import partial

from analysis.evidence import Evidence
from analysis.figures.common import estimates, marks, probe_data, theme
from analysis.figures.common.axes import log_axis
from analysis.figures.common.label_placement import End, label_ends
from analysis.figures.common.probe_data import OPERATORS as VARIANTS
from analysis.figures.common.probe_data import Norms
from analysis.figures.common.text import Words, number


def means(norms: Norms) -> list[float | None]:
    """Geometric mean of each layer's norm over the steps where it is finite; None where 0."""
    found: list[float | None] = []
    for index in range(len(norms.layers)):
        values = [row[index] for row in norms.steps]
        mean = probe_data.geometric(value for value in values if value is not None)
        found.append(mean or None)
    return found


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """One line per operator, from the output layer to the input layer: the backward pass."""
    found = estimates.measured(VARIANTS, partial(probe_data.norms, evidence))
    note = words.missing(estimates.missing(evidence, VARIANTS))
    sheet = theme.sheet(3.0, _headline(found, words), note)
    axes = theme.panel(sheet, 0.5, 0.32, 4.2, 2.2)
    steps = max(len(norms.steps) for norms in found.values())
    theme.heading(axes, words("axis", steps=steps), left=0.44)
    theme.hairlines(axes)
    log_axis(axes, [x for n in found.values() for row in n.steps for x in row if x] or [1.0])
    last = max(len(norms.layers) for norms in found.values()) - 1
    axes.set_xlim(-0.5, last + 0.5)
    axes.set_xticks([0, last], [words("output"), words("input")])
    axes.tick_params(axis="x", length=0)
    first, second = axes.get_xticklabels()
    first.set_horizontalalignment("left")
    second.set_horizontalalignment("right")
    axes.set_xlabel(words("direction"))
    ends = []
    for variant, norms in found.items():
        colour = theme.look(variant).colour
        places = range(len(norms.layers))
        columns = [[row[i] for row in norms.steps if row[i]] for i in reversed(places)]
        low = [min((x for x in own if x), default=math.nan) for own in columns]
        high = [max((x for x in own if x), default=math.nan) for own in columns]
        axes.fill_between(places, low, high, color=colour, alpha=0.22, linewidth=0, zorder=2)
        mean = [math.nan if value is None else value for value in reversed(means(norms))]
        label = marks.series(words.operator(variant), "mean")
        axes.plot(places, mean, color=colour, zorder=2.5, label=label)
        seen = [(at, value) for at, value in zip(places, mean, strict=True) if value > 0]
        text = "\n".join(filter(None, [words.operator(variant), _remark(norms, words)]))
        x, y = seen[-1] if seen else (last, axes.get_ylim()[0])
        ends.append(End(x, y, text, colour))
    label_ends(axes, ends)
    return sheet


def _remark(norms: Norms, words: Words) -> str:
    """A note on norms that a logarithmic axis cannot show: not finite, or zero."""
    if norms.broken is not None:
        return words("broken", step=norms.broken)
    zeros = sum(value is None for value in means(norms))
    return words("zero", zeros=zeros, layers=len(norms.layers)) if zeros else ""


def _ratio(norms: Norms) -> tuple[float, float] | None:
    """Norms of the first layer and of the last convolution; None where one is zero."""
    mean = means(norms)
    convolutions = [i for i, layer in enumerate(norms.layers) if "." in layer][:-1] or [-1]
    first, last = mean[0], mean[convolutions[-1]]
    return None if first is None or last is None else (first, last)


def _headline(found: dict[str, Norms], words: Words) -> str:
    ratios = {v: r[0] / r[1] for v, n in found.items() if n.broken is None and (r := _ratio(n))}
    named = [f"{words.operator(v)} {number(ratio)}" for v, ratio in ratios.items()]
    return words("headline", ratios=words.clauses(named)) if named else ""


def alt(evidence: Evidence, words: Words) -> str:
    """What the figure shows, in words."""
    found = estimates.measured(VARIANTS, partial(probe_data.norms, evidence))
    parts = []
    for variant, norms in found.items():
        name = words.operator(variant)
        ends = _ratio(norms)
        if norms.broken is not None:
            parts.append(words("not_finite", operator=name, step=norms.broken))
        elif ends is None:
            zeros = sum(value is None for value in means(norms))
            parts.append(words("vanished", operator=name, zeros=zeros, layers=len(norms.layers)))
        else:
            first, last = ends
            shown = {"first": number(first), "last": number(last), "ratio": number(first / last)}
            parts.append(words("one", operator=name, **shown))
    steps = max(len(norms.steps) for norms in found.values())
    return words("alt", steps=steps, norms=words.clauses(parts))
