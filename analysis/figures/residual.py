"""Plain against residual networks: training loss by epoch, accuracy by depth."""

from __future__ import annotations

from analysis.evidence import Evidence
from analysis.figures.common import curves, estimates, theme
from analysis.figures.common.text import Words, loss, percent, points
from analysis.findings.residual import networks

DEEPER = ("PlainNet50", "PlainNet101", "ResNet50", "ResNet101")


def _variants(evidence: Evidence) -> tuple[str, ...]:
    return (*networks(evidence), *DEEPER)


def runs(evidence: Evidence) -> tuple[str, ...]:
    """Ids of the records that the figure shows."""
    return evidence.ids(_variants(evidence))


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """Loss of the networks with 18 and 34 layers on the left, accuracy of all on the right."""
    variants = _variants(evidence)
    found = estimates.measured(variants, evidence.runs)
    note = words.missing(estimates.missing(evidence, variants))
    sheet = theme.sheet(2.8, _change(evidence, words, "headline"), note)

    pairs = networks(evidence)
    axes = theme.panel(sheet, 0.36, 0.32, 1.85, 1.95)
    stable = pairs[0].endswith("-stable")
    theme.heading(axes, words("loss_stable" if stable else "training_loss_log"), left=0.3)
    names = {variant: words.name(variant.removesuffix("-stable")) for variant in pairs}
    curves.by_epoch(axes, evidence, names, words, "train_loss")

    axes = theme.panel(sheet, 3.62, 0.32, 1.95, 1.95)
    theme.heading(axes, words("test_accuracy"), left=0.3)
    curves.accuracy_by_depth(axes, evidence, list(found), words)
    return sheet


def _change(evidence: Evidence, words: Words, key: str) -> str:
    """How accuracy changes from 18 to 34 layers without and with shortcuts; empty if one of the
    four networks is missing."""
    means = {
        variant.partition("-")[0]: accuracy.mean
        for variant in networks(evidence)
        if (accuracy := estimates.accuracy(evidence, variant)) is not None
    }
    if not {"PlainNet18", "PlainNet34", "ResNet18", "ResNet34"} <= means.keys():
        return ""
    plain, residual = (points(means[f"{f}34"] - means[f"{f}18"]) for f in ("PlainNet", "ResNet"))
    return words(key, plain=plain, residual=residual)


def alt(evidence: Evidence, words: Words) -> str:
    """What the figure shows, in words."""
    losses, accuracies, diverged = [], [], []
    for variant in estimates.measured(_variants(evidence), evidence.runs):
        name = words.name(variant.removesuffix("-stable"))
        last = estimates.last_loss(evidence, variant)
        accuracy = estimates.accuracy(evidence, variant)
        if last is not None and variant in networks(evidence):
            losses.append(f"{name} {loss(last.mean)}")
        if accuracy is not None:
            accuracies.append(f"{name} {percent(accuracy.mean)}")
        if evidence.diverged(variant):
            diverged.append(words.name(variant))
    parts = [
        words(key, networks=words.listed(named))
        for key, named in (("alt_loss", losses), ("alt_accuracy", accuracies))
        if named
    ]
    parts += filter(None, [_change(evidence, words, "change")])
    if diverged:
        parts.append(words("alt_diverged", networks=words.listed(diverged)))
    return words.sentences(parts)
