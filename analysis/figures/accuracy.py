"""Test accuracy of the networks of the results table beside the original's accuracies."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes

from analysis import original
from analysis.evidence import Evidence
from analysis.figures.common import estimates, marks, theme
from analysis.figures.common.curves import accuracy_rows
from analysis.figures.common.estimates import Estimate
from analysis.figures.common.text import Words, percent
from analysis.figures.common.theme import Look
from analysis.tables.results import NETWORKS as VARIANTS
from experiments.datasets import USUAL

#: Height of a row in inches.
ROW = 0.205
#: Right edges of the two columns of numbers, in points to the right of the panel.
HERE, ORIGINAL = 44, 102
LOOK = Look(theme.ACCENT, "o")


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """One row per network, the most accurate on top; the original's values are hollow."""
    found = estimates.accuracies(evidence, VARIANTS)
    absent = [variant for variant in VARIANTS if variant not in found]
    absent.sort(key=evidence.diverged, reverse=True)
    rows = [*found, *absent]
    # No other data set has accuracies of the original's.
    known = original.load().network if evidence.records.dataset == USUAL else {}
    olds = {variant: known[variant].accuracy for variant in rows if variant in known}
    height = ROW * len(rows)
    alt, headline = _alt(evidence, found, olds, words), _headline(found, olds, words)
    sheet = theme.sheet(height + 0.72, alt=alt, headline=headline)
    axes = theme.panel(sheet, 0.98, 0.24, 3.85, height)
    labels: dict[float, str] = {at: words.name(variant) for at, variant in enumerate(rows)}
    accuracy_rows(axes, labels, found.values(), words, olds.values())
    ring: dict[str, Any] = {"markerfacecolor": theme.PAPER, "markeredgewidth": 0.9, "zorder": 2.3}
    for at, variant in enumerate(rows):
        name, old = labels[at], olds.get(variant)
        if old is not None:
            label = marks.series(name, "original")
            axes.plot(old, at, "o", color=theme.INK_2, markersize=5.5, label=label, **ring)
        if variant in found:
            mean = found[variant].mean
            marks.estimate(axes, LOOK, at, found[variant], name, level=True)
            _number(axes, at, HERE, f"{100 * mean:.2f}", ha="right")
            if old is not None:
                axes.plot([old, mean], [at, at], color=theme.NEUTRAL, linewidth=0.8, zorder=2.1)
                text = f"{100 * old:.2f}"
                _number(axes, at, ORIGINAL, text, ha="right", color=theme.INK_2)
        else:
            step = estimates.broken_off(evidence, variant)
            text = words("no_run") if step is None else words("diverged", step=step)
            _number(axes, at, 12, text, color=theme.INK_2)
    theme.key(sheet, [theme.entry(words("here"), LOOK.colour)], left=5.04)
    if olds:
        theme.key(sheet, [theme.entry(words("original"), theme.INK_2, hollow=True)])
    return sheet


def _number(axes: Axes, at: int, place: float, text: str, **style: Any) -> None:
    right = (1, at), (place, 0), axes.get_yaxis_transform()
    theme.write(axes, text, *right, va="center_baseline", **style)


def _overlapping(found: dict[str, Estimate]) -> list[str]:
    """Networks whose interval overlaps that of the first."""
    first, *rest = found
    return [variant for variant in rest if found[variant].high >= found[first].low]


def _headline(found: dict[str, Estimate], olds: dict[str, float], words: Words) -> str:
    if not found:
        return words("headline_none")
    first, near = next(iter(found)), len(_overlapping(found))
    key = "headline_first" if near else "headline_clear"
    parts = [words(key, network=words.name(first), accuracy=percent(found[first].mean), count=near)]
    both = [variant for variant in found if variant in olds]
    if both:
        lower = sum(found[variant].mean < olds[variant] for variant in both)
        parts.append(words("headline_original", lower=lower, count=len(both)))
    return words.sentences(parts)


def _alt(
    evidence: Evidence, found: dict[str, Estimate], olds: dict[str, float], words: Words
) -> str:
    parts, lines = [], []
    for variant, value in found.items():
        key = "one_with_original" if variant in olds else "one"
        shown = {"accuracy": percent(value.mean), "original": percent(olds.get(variant, 0))}
        parts.append(words(key, network=words.name(variant), **shown))
    if parts:
        lines.append(words("alt", networks=words.listed(parts)))
    if len(found) > 1:
        near = [words.name(variant) for variant in _overlapping(found)]
        key = "alt_overlap" if near else "alt_clear"
        lines.append(words(key, networks=words.listed(near) if near else ""))
    if diverged := [words.name(variant) for variant in VARIANTS if evidence.diverged(variant)]:
        lines.append(words("alt_diverged", networks=words.listed(diverged)))
    return words.sentences(lines)
