"""Test accuracy of the networks of the results table beside the original's accuracies."""

from analysis import original
from analysis.evidence import Evidence
from analysis.figures.common import estimates, marks, theme
from analysis.figures.common.curves import accuracy_rows, write_beside
from analysis.figures.common.estimates import Estimate
from analysis.figures.common.text import Words
from analysis.tables.results import NETWORKS as VARIANTS
from experiments.datasets import USUAL

#: Height of a row in inches.
ROW = 0.205
#: Right edges of the two columns of numbers, in points to the right of the panel.
HERE, ORIGINAL = 44, 102
LOOK = theme.Look(theme.ACCENT, "o")


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
    sheet = theme.Sheet(height + 0.72, alt=alt, headline=headline)
    axes = sheet.panel(0.98, 0.24, 3.85, height)
    labels: dict[float, str] = {at: words.name(variant) for at, variant in enumerate(rows)}
    accuracy_rows(axes, labels, found.values(), words, olds.values())
    for at, variant in enumerate(rows):
        name, old = labels[at], olds.get(variant)
        if old is not None:
            label = marks.series(name, "original")
            (ring,) = axes.plot(old, at, "o", color=theme.INK_2, label=label, zorder=2.3)
            ring.set(markersize=5.5, markerfacecolor=theme.PAPER, markeredgewidth=0.9)
        if variant in found:
            mean = found[variant].mean
            marks.estimate(axes, LOOK, at, found[variant], name, level=True)
            write_beside(axes, at, HERE, f"{100 * mean:.2f}", ha="right")
            if old is not None:
                axes.plot([old, mean], [at, at], color=theme.NEUTRAL, linewidth=0.8, zorder=2.1)
                text, style = f"{100 * old:.2f}", {"ha": "right", "color": theme.INK_2}
                write_beside(axes, at, ORIGINAL, text, **style)
        else:
            broken = estimates.divergences(evidence, variant)
            text = words("diverged", step=broken[0].step) if broken else words("no_run")
            write_beside(axes, at, 12, text, color=theme.INK_2)
    sheet.key([theme.entry(words("here"), LOOK.colour)], left=5.04)
    if olds:
        sheet.key([theme.entry(words("original"), theme.INK_2, hollow=True)])
    return sheet


def _overlapping(found: dict[str, Estimate]) -> list[str]:
    """Networks whose interval overlaps that of the first."""
    first, *rest = found
    return [variant for variant in rest if found[variant].high >= found[first].low]


def _headline(found: dict[str, Estimate], olds: dict[str, float], words: Words) -> str:
    if not found:
        return words("headline_none")
    first, near = next(iter(found)), len(_overlapping(found))
    key = "headline_first" if near else "headline_clear"
    text = words(key, network=words.name(first), accuracy=found[first].mean, count=near)
    lower = [found[variant].mean < old for variant, old in olds.items() if variant in found]
    if not lower:
        return text
    return words.sentences([text, words("headline_original", lower=sum(lower), count=len(lower))])


def _alt(
    evidence: Evidence, found: dict[str, Estimate], olds: dict[str, float], words: Words
) -> str:
    parts, lines = [], []
    for variant, value in found.items():
        values = {"accuracy": value.mean, "original": olds.get(variant)}
        key = "one_with_original" if variant in olds else "one"
        parts.append(words(key, network=words.name(variant), **values))
    if parts:
        lines.append(words("alt", networks=words.listed(parts)))
    if len(found) > 1:
        near = [words.name(variant) for variant in _overlapping(found)]
        lines.append(words("alt_overlap" if near else "alt_clear", networks=words.listed(near)))
    if diverged := [words.name(variant) for variant in VARIANTS if evidence.diverged(variant)]:
        lines.append(words("alt_diverged", networks=words.listed(diverged)))
    return words.sentences(lines)
