"""PlainNets: accuracy against depth, and training loss by epoch."""

from __future__ import annotations

from analysis.evidence import Evidence
from analysis.figures.common import curves, estimates, theme
from analysis.figures.common.text import Lang, Words, loss, percent
from analysis.records import Records

ID = "depth"

PLAIN = ("PlainNet18", "PlainNet34", "PlainNet50", "PlainNet101")


def runs(records: Records) -> tuple[str, ...]:
    """Ids of the records that the figure shows."""
    return Evidence(records).ids(PLAIN)


def draw(records: Records, lang: Lang) -> theme.Sheet:
    """Accuracy by depth on the left, training loss by epoch on the right.

    Raises:
        NothingToDraw: no run of a PlainNet.
    """
    evidence, words = Evidence(records), Words(ID, lang)
    found = estimates.present(evidence, PLAIN)
    note = words.missing(estimates.missing(evidence, PLAIN))
    sheet = theme.sheet(2.8, _trend(evidence, words, "headline"), note)
    axes = theme.panel(sheet, 0.36, 0.32, 2.0, 1.95)
    theme.heading(axes, words("test_accuracy"), left=0.3)
    accuracies = {v: e for v in found if (e := estimates.accuracy(evidence, v)) is not None}
    diverged = [variant for variant in found if evidence.diverged(variant)]
    curves.by_depth(axes, accuracies, diverged, words)
    axes = theme.panel(sheet, 3.52, 0.32, 1.55, 1.95)
    theme.heading(axes, words("training_loss_log"), left=0.3)
    curves.losses(axes, evidence, {variant: words.name(variant) for variant in found}, words)
    return sheet


def _trend(evidence: Evidence, words: Words, key: str) -> str:
    """How accuracy and loss go from the shallowest network to the deepest; empty for fewer."""
    ends = [
        (words.name(variant), accuracy, last)
        for variant in PLAIN
        if (accuracy := estimates.accuracy(evidence, variant)) is not None
        and (last := estimates.last_loss(evidence, variant)) is not None
    ]
    if len(ends) < 2:
        return ""
    (first, high, low), (deepest, accuracy, last) = ends[0], ends[-1]
    return words(
        key,
        first=first,
        last=deepest,
        accuracy=words(f"accuracy_{_direction(high.mean, accuracy.mean)}"),
        loss=words(f"loss_{_direction(low.mean, last.mean)}"),
        first_accuracy=percent(high.mean),
        last_accuracy=percent(accuracy.mean),
        first_loss=loss(low.mean),
        last_loss=loss(last.mean),
    )


def _direction(first: float, last: float) -> str:
    return "stays" if first == last else "rises" if last > first else "falls"


def alt(records: Records, lang: Lang) -> str:
    """What the figure shows, in words.

    Raises:
        NothingToDraw: no run of a PlainNet.
    """
    evidence, words = Evidence(records), Words(ID, lang)
    accuracies: list[str] = []
    losses: list[str] = []
    diverged: list[str] = []
    for variant in estimates.present(evidence, PLAIN):
        accuracy, last = (
            estimates.accuracy(evidence, variant),
            estimates.last_loss(evidence, variant),
        )
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
    return words.sentences([*parts, *filter(None, [_trend(evidence, words, "trend")])])
