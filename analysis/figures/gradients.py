"""Norm of the gradient of each layer of ResNet-18 over the first steps, by operator."""

from __future__ import annotations

import numpy as np

from analysis.evidence import Evidence
from analysis.figures.common import estimates, marks, probe_data, theme
from analysis.figures.common.axes import log_axis
from analysis.figures.common.marks import End, label_ends
from analysis.figures.common.probe_data import OPERATORS as VARIANTS
from analysis.figures.common.probe_data import Floats, Norms
from analysis.figures.common.text import Words, number


def means(norms: Norms) -> Floats:
    """Geometric mean of each layer's norm over the steps where it is finite; NaN where 0."""
    found = probe_data.geometric(norms.steps)
    return np.where(found > 0, found, np.nan)


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """One line per operator, from the output layer to the input layer: the backward pass."""
    found = {v: norms for v in VARIANTS if (norms := probe_data.norms(evidence, v))}
    estimates.require(found)
    told = {variant: _told(variant, norms, words) for variant, norms in found.items()}
    ratios = [ratio for ratio, _, _ in told.values() if ratio]
    steps = max(len(norms.steps) for norms in found.values())
    norms_told = words.clauses(text for _, _, text in told.values())
    sheet = theme.sheet(
        3.0,
        alt=words("alt", steps=steps, norms=norms_told),
        headline=words("headline", ratios=words.clauses(ratios)) if ratios else "",
        note=estimates.missing(evidence, VARIANTS, words),
    )
    axes = theme.panel(sheet, 0.5, 0.32, 4.2, 2.2)
    theme.heading(axes, words("axis", steps=steps), left=0.44)
    log_axis(axes, np.concatenate([norms.steps.ravel() for norms in found.values()]))
    last = max(len(norms.layers) for norms in found.values()) - 1
    axes.set(xlim=(-0.5, last + 0.5), xlabel=words("direction"))
    axes.set_xticks([0, last], [words("output"), words("input")])
    axes.tick_params(axis="x", length=0)
    ends = []
    for variant, norms in found.items():
        colour = theme.look(variant).colour
        steps_back = np.where(norms.steps > 0, norms.steps, np.nan)[:, ::-1]
        places = np.arange(len(norms.layers))
        low, high = np.fmin.reduce(steps_back), np.fmax.reduce(steps_back)
        axes.fill_between(places, low, high, color=colour, alpha=0.22, linewidth=0, zorder=2)
        mean = means(norms)[::-1]
        label = marks.series(words.operator(variant), "mean")
        axes.plot(places, mean, color=colour, zorder=2.5, label=label)
        seen = np.flatnonzero(np.isfinite(mean))
        x, y = (seen[-1], mean[seen[-1]]) if len(seen) else (last, axes.get_ylim()[0])
        text = "\n".join(filter(None, [words.operator(variant), told[variant][1]]))
        ends.append(End(x, y, text, colour))
    label_ends(axes, ends)
    return sheet


def _told(variant: str, norms: Norms, words: Words) -> tuple[str, str, str]:
    """Of one operator: its ratio for the headline, the note beside its curve on norms that a
    logarithmic axis cannot show, and its clause of the text alternative."""
    name, mean = words.operator(variant), means(norms)
    broken = np.flatnonzero(np.isnan(norms.steps).any(axis=1))
    if len(broken):
        step = int(broken[0])
        return "", words("broken", step=step), words("not_finite", operator=name, step=step)
    count = {"zeros": int(np.isnan(mean).sum()), "layers": len(mean)}
    remark = words("zero", **count) if count["zeros"] else ""
    convolutions = [i for i, layer in enumerate(norms.layers) if "." in layer][:-1] or [-1]
    first, last = float(mean[0]), float(mean[convolutions[-1]])
    if np.isnan(first / last):
        return "", remark, words("vanished", operator=name, **count)
    shown = {"first": number(first), "last": number(last), "ratio": number(first / last)}
    return f"{name} {shown['ratio']}", remark, words("one", operator=name, **shown)
