"""PlainNets: accuracy against depth, and training loss by epoch."""

from __future__ import annotations

from analysis.evidence import Evidence
from analysis.figures.common import curves, estimates, theme
from analysis.figures.common.text import Words, loss, percent

VARIANTS = ("PlainNet18", "PlainNet34", "PlainNet50", "PlainNet101")


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """Accuracy by depth on the left, training loss by epoch on the right."""
    found = evidence.present(VARIANTS)
    note = words.missing(estimates.missing(evidence, VARIANTS))
    sheet = theme.sheet(2.8, _trend(evidence, words), note)
    axes = theme.panel(sheet, 0.36, 0.32, 2.0, 1.95)
    theme.heading(axes, words("test_accuracy"), left=0.3)
    curves.accuracy_by_depth(axes, evidence, found, words)
    axes = theme.panel(sheet, 3.52, 0.32, 1.55, 1.95)
    theme.heading(axes, words("training_loss_log"), left=0.3)
    names = {variant: words.name(variant) for variant in found}
    curves.by_epoch(axes, evidence, names, words, "train_loss")
    return sheet


def _trend(evidence: Evidence, words: Words) -> str:
    """How accuracy changes with depth in each complete pair of networks; empty without any."""
    pairs = []
    for shallow, deep in (VARIANTS[:2], VARIANTS[2:]):
        ends = [estimates.accuracy(evidence, variant) for variant in (shallow, deep)]
        if ends[0] is not None and ends[1] is not None:
            first, last = ends[0].mean, ends[1].mean
            pairs.append(
                words(
                    f"pair_{_direction(first, last)}",
                    first=words.name(shallow),
                    last=words.name(deep),
                    first_accuracy=percent(first),
                    last_accuracy=percent(last),
                )
            )
    return words("headline", pairs=words.clauses(pairs)) if pairs else ""


def _direction(first: float, last: float) -> str:
    return "stays" if first == last else "rises" if last > first else "falls"


def alt(evidence: Evidence, words: Words) -> str:
    """What the figure shows, in words."""
    accuracies: list[str] = []
    losses: list[str] = []
    diverged: list[str] = []
    for variant in evidence.present(VARIANTS):
        accuracy = estimates.accuracy(evidence, variant)
        last = estimates.last_loss(evidence, variant)
        if accuracy is not None:
            accuracies.append(f"{words.name(variant)} {percent(accuracy.mean)}")
        if last is not None:
            losses.append(f"{words.name(variant)} {loss(last.mean)}")
        if evidence.diverged(variant):
            diverged.append(words.name(variant))
    parts = [
        words(key, networks=words.listed(named))
        for key, named in (("alt", accuracies), ("alt_loss", losses), ("alt_diverged", diverged))
        if named
    ]
    return words.sentences([*parts, *filter(None, [_trend(evidence, words)])])
