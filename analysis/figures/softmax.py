"""A Softmax inside the network under a cross-entropy loss: the loss has a lower bound."""

from __future__ import annotations

from analysis.constants import SOFTMAX_FLOOR
from analysis.evidence import Evidence
from analysis.figures.common import curves, estimates, marks, theme
from analysis.figures.common.text import Words, loss, percent

VARIANTS = WITH, WITHOUT = "ResNet18-softmax", "ResNet18"
#: A run is an outlier if its error rate is this many times the mean of the others.
ALONE = 3


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """Training loss with the bound as a dashed line, and validation accuracy, by epoch."""
    missing = estimates.missing(evidence, VARIANTS)
    sheet = theme.sheet(2.6, _headline(evidence, words), words.missing(missing))
    names = {WITH: words("with_softmax"), WITHOUT: words("without_softmax")}

    axes = theme.panel(sheet, 0.36, 0.32, 1.85, 1.8)
    theme.heading(axes, words("training_loss"), left=0.3)
    curves.by_epoch(axes, evidence, names, words, "train_loss", linear_to=1.2 * SOFTMAX_FLOOR)
    marks.reference(axes, SOFTMAX_FLOOR, dashed=True)
    axes.annotate(
        words("bound", bound=f"{SOFTMAX_FLOOR:.4f}"),
        (0, SOFTMAX_FLOOR),
        xycoords=axes.get_yaxis_transform(),
        xytext=(2, -2.5),
        textcoords="offset points",
        color=theme.INK_2,
        va="top",
    )
    axes = theme.panel(sheet, 3.52, 0.32, 1.55, 1.8)
    theme.heading(axes, words("validation_accuracy"), left=0.3)
    curves.by_epoch(axes, evidence, names, words, "validation_accuracy")
    return sheet


def _headline(evidence: Evidence, words: Words) -> str:
    """The final accuracies, and the lowest run if it is an outlier."""
    both = [estimates.accuracy(evidence, variant, "validation") for variant in VARIANTS]
    if None in both:
        return ""
    inside, outside = (value for value in both if value is not None)
    text = words("headline", inside=percent(inside.mean), outside=percent(outside.mean))
    lowest, *others = sorted(inside.values)
    if others and 1 - lowest > ALONE * (1 - sum(others) / len(others)):
        text += words("outlier", accuracy=percent(lowest))
    return text + words("stop")


def alt(evidence: Evidence, words: Words) -> str:
    """What the figure shows, in words."""
    parts = []
    for variant, key in ((WITH, "with"), (WITHOUT, "without")):
        if not evidence.runs(variant):
            continue
        last = estimates.last_loss(evidence, variant)
        accuracy = estimates.accuracy(evidence, variant, "validation")
        if last is None or accuracy is None:
            parts.append(words(f"alt_{key}_diverged"))
            continue
        values = {"loss": loss(last.mean), "accuracy": percent(accuracy.mean)}
        values |= {"above": loss(last.mean - SOFTMAX_FLOOR), "bound": f"{SOFTMAX_FLOOR:.4f}"}
        parts.append(words(f"alt_{key}", **values))
    return words.sentences(parts)
