"""Norm of the gradient of each layer of ResNet-18 over the first steps, by operator."""

from typing import NamedTuple

import numpy as np

from analysis.evidence import Evidence
from analysis.figures.common import estimates, marks, theme
from analysis.figures.common.axes import log_axis
from analysis.figures.common.marks import End, label_ends
from analysis.figures.common.probe_data import OPERATORS as VARIANTS
from analysis.figures.common.probe_data import Floats, geometric
from analysis.figures.common.text import Words, number


class Norms(NamedTuple):
    """Gradient norms of the layers from input to output.

    Attributes:
        layers: names, on the main path (without the shortcuts' projections).
        steps: by step the norm of each layer, ``(steps, layers)``: geometric mean over the runs,
            NaN where it is not finite in any of them.
        mean: geometric mean of each layer over the steps where it is finite; NaN where 0.
    """

    layers: list[str]
    steps: Floats
    mean: Floats


def measured(evidence: Evidence, variant: str) -> Norms | None:
    """The norms of a network; None where none were measured."""
    probes = [run.probes.gradient_norms for run in evidence.runs(variant)]
    probes = [probe for probe in probes if probe.norms and probe.layers]
    if not probes:
        return None
    layers = probes[0].layers
    same = [np.array(probe.norms, dtype=float) for probe in probes if probe.layers == layers]
    shortest = min(map(len, same))
    main = [i for i, layer in enumerate(layers) if ".shortcut" not in layer]
    every = np.stack([norms[:shortest, main] for norms in same])
    with np.errstate(divide="ignore"):
        steps: Floats = np.exp(np.log(every).mean(axis=0))
    mean = geometric(steps)
    return Norms([layers[i] for i in main], steps, np.where(mean > 0, mean, np.nan))


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """One line per operator, from the output layer to the input layer: the backward pass."""
    found = {v: norms for v in VARIANTS if (norms := measured(evidence, v))}
    estimates.require(found)
    told = {variant: _told(words.operator(variant), own, words) for variant, own in found.items()}
    ratios = [ratio for ratio, _, _ in told.values() if ratio]
    steps = max(len(norms.steps) for norms in found.values())
    norms_told = words.clauses(text for _, _, text in told.values())
    sheet = theme.Sheet(
        3.0,
        alt=words("alt", steps=steps, norms=norms_told),
        headline=words("headline", ratios=words.clauses(ratios)) if ratios else "",
        note=estimates.missing(evidence, VARIANTS, words),
    )
    axes = sheet.panel(0.5, 0.32, 4.2, 2.2, words("axis", steps=steps), indent=0.44)
    log_axis(axes, np.concatenate([norms.steps.ravel() for norms in found.values()]))
    last = max(len(norms.layers) for norms in found.values()) - 1
    axes.set(xlim=(-0.5, last + 0.5), xlabel=words("direction"))
    axes.set_xticks([0, last], [words("output"), words("input")])
    axes.tick_params(axis="x", length=0)
    ends = []
    for variant, norms in found.items():
        colour, name = theme.look(variant).colour, words.operator(variant)
        steps_back = np.where(norms.steps > 0, norms.steps, np.nan)[:, ::-1]
        places, mean = np.arange(len(norms.layers)), norms.mean[::-1]
        low, high = np.fmin.reduce(steps_back), np.fmax.reduce(steps_back)
        axes.fill_between(places, low, high, color=colour, alpha=0.22, linewidth=0, zorder=2)
        axes.plot(places, mean, color=colour, zorder=2.5, label=marks.series(name, "mean"))
        seen = np.flatnonzero(np.isfinite(mean))
        x, y = (seen[-1], mean[seen[-1]]) if len(seen) else (last, axes.get_ylim()[0])
        text = "\n".join(filter(None, [name, told[variant][1]]))
        ends.append(End(x, y, text, colour))
    label_ends(axes, ends)
    return sheet


def _told(operator: str, norms: Norms, words: Words) -> tuple[str, str, str]:
    """Of one operator: its ratio for the headline, the note beside its curve on norms that a
    logarithmic axis cannot show, and its clause of the text alternative."""
    broken = np.flatnonzero(np.isnan(norms.steps).any(axis=1))
    if len(broken):
        step = int(broken[0])
        return "", words("broken", step=step), words("not_finite", operator=operator, step=step)
    count = {"zeros": int(np.isnan(norms.mean).sum()), "layers": len(norms.layers)}
    remark = words("zero", **count) if count["zeros"] else ""
    convolutions = [i for i, layer in enumerate(norms.layers) if "." in layer][:-1] or [-1]
    first, last = float(norms.mean[0]), float(norms.mean[convolutions[-1]])
    if np.isnan(first / last):
        return "", remark, words("vanished", operator=operator, **count)
    shown = {"first": number(first), "last": number(last), "ratio": number(first / last)}
    return f"{operator} {shown['ratio']}", remark, words("one", operator=operator, **shown)
