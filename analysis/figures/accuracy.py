"""Test accuracy of the networks of the results table beside the original's accuracies."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes

from analysis import original
from analysis.evidence import Evidence
from analysis.figures.common import estimates, marks, theme
from analysis.figures.common.axes import accuracy_axis
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
    olds = {v: old for v in rows if (old := _original(evidence, v)) is not None}
    height = ROW * len(rows)
    sheet = theme.sheet(height + 0.72, _headline(found, olds, words))
    axes = theme.panel(sheet, 0.98, 0.24, 3.85, height)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), [words.name(variant) for variant in rows])
    axes.tick_params(axis="y", length=0, pad=6, labelcolor=theme.INK)
    axes.spines["left"].set_visible(False)
    axes.grid(True, axis="x")
    axes.set_xlabel(words("test_accuracy"))
    values, ends = estimates.shown(found.values())
    accuracy_axis(axes, [*values, *olds.values()] or [0.5], axis="x", pad=0.03, ends=ends)
    for at, variant in enumerate(rows):
        old = olds.get(variant)
        if variant in found:
            if old is not None:
                link = [old, found[variant].mean]
                axes.plot(link, [at, at], color=theme.NEUTRAL, linewidth=0.8, zorder=2.1)
            marks.estimate(axes, LOOK, at, found[variant], words.name(variant), level=True)
        if old is not None:
            ring: dict[str, Any] = {
                "markerfacecolor": theme.PAPER,
                "markeredgewidth": 0.9,
                "markersize": 5.5,
                "label": marks.series(words.name(variant), "original"),
            }
            axes.plot([old], [at], "o", color=theme.INK_2, zorder=2.3, **ring)
            if variant in found:
                _number(axes, at, ORIGINAL, f"{100 * old:.2f}", theme.INK_2)
        if variant in found:
            _number(axes, at, HERE, f"{100 * found[variant].mean:.2f}", theme.INK)
        else:
            step = estimates.broken_off(evidence, variant)
            text = words("no_run") if step is None else words("diverged", step=step)
            _number(axes, at, 12, text, theme.INK_2, side="left")
    theme.key(sheet, [(words("here"), LOOK.colour, 5.5, True)], left=5.04)
    if olds:
        theme.key(sheet, [(words("original"), theme.INK_2, 5.5, False)])
    return sheet


def _number(axes: Axes, at: int, place: float, text: str, ink: str, side: Any = "right") -> None:
    axes.annotate(
        text,
        (1, at),
        xycoords=axes.get_yaxis_transform(),
        xytext=(place, 0),
        textcoords="offset points",
        ha=side,
        va="center_baseline",
        color=ink,
    )


def _original(evidence: Evidence, variant: str) -> float | None:
    """The original's accuracy; None on other data sets than the original's."""
    row = original.load().network.get(variant) if evidence.records.dataset == USUAL else None
    return row.accuracy if row else None


def _overlapping(found: dict[str, estimates.Estimate]) -> list[str]:
    """Networks whose interval overlaps that of the first."""
    first, *rest = found
    return [variant for variant in rest if found[variant].high >= found[first].low]


def _headline(found: dict[str, estimates.Estimate], olds: dict[str, float], words: Words) -> str:
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


def alt(evidence: Evidence, words: Words) -> str:
    """What the figure shows, in words."""
    found = estimates.accuracies(evidence, VARIANTS)
    parts = []
    for variant, value in found.items():
        old = _original(evidence, variant)
        key = "one" if old is None else "one_with_original"
        shown = {"accuracy": percent(value.mean), "original": percent(old or 0)}
        parts.append(words(key, network=words.name(variant), **shown))
    lines = [words("alt", networks=words.listed(parts))] if parts else []
    if len(found) > 1:
        near = [words.name(variant) for variant in _overlapping(found)]
        key = "alt_overlap" if near else "alt_clear"
        lines.append(words(key, networks=words.listed(near) if near else ""))
    diverged = [words.name(variant) for variant in VARIANTS if evidence.diverged(variant)]
    if diverged:
        lines.append(words("alt_diverged", networks=words.listed(diverged)))
    return words.sentences(lines)
