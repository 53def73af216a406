"""A Softmax inside the network under a cross-entropy loss: the loss has a lower bound."""

from analysis.constants import SOFTMAX_FLOOR
from analysis.evidence import Evidence
from analysis.figures.common import curves, estimates, marks, theme
from analysis.figures.common.text import Words, loss

VARIANTS = WITH, WITHOUT = "ResNet18-softmax", "ResNet18"
#: A run is an outlier if its error rate is this many times the mean of the others.
ALONE = 3


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """Training loss with the bound as a dashed line, and validation accuracy, by epoch."""
    note = estimates.missing(evidence, VARIANTS, words)
    headline = _headline(evidence, words)
    sheet = theme.Sheet(2.6, alt=_alt(evidence, words), headline=headline, note=note)
    names = {WITH: words("with_softmax"), WITHOUT: words("without_softmax")}

    axes = sheet.panel(0.36, 0.32, 1.85, 1.8, words("training_loss"), indent=0.3)
    curves.by_epoch(axes, evidence, names, words, "train_loss", linear_to=1.2 * SOFTMAX_FLOOR)
    marks.reference(axes, SOFTMAX_FLOOR, dashed=True)
    below = (0, SOFTMAX_FLOOR), (2, -2.5), axes.get_yaxis_transform()
    theme.write(axes, words("bound", bound=SOFTMAX_FLOOR), *below, color=theme.INK_2, va="top")
    axes = sheet.panel(3.52, 0.32, 1.55, 1.8, words("validation_accuracy"), indent=0.3)
    curves.by_epoch(axes, evidence, names, words, "validation_accuracy")
    return sheet


def _headline(evidence: Evidence, words: Words) -> str:
    """The final accuracies, and the lowest run if it is an outlier."""
    inside, outside = (estimates.accuracy(evidence, v, "validation") for v in VARIANTS)
    if inside is None or outside is None:
        return ""
    text = words("headline", inside=inside.mean, outside=outside.mean)
    lowest, *others = sorted(inside.values)
    if others and 1 - lowest > ALONE * (1 - sum(others) / len(others)):
        text += words("outlier", accuracy=lowest)
    return text + words("stop")


def _alt(evidence: Evidence, words: Words) -> str:
    parts = []
    for variant, key in ((WITH, "alt_with"), (WITHOUT, "alt_without")):
        last = estimates.last_loss(evidence, variant)
        accuracy = estimates.accuracy(evidence, variant, "validation")
        if last is not None and accuracy is not None:
            values = {"loss": loss(last), "above": loss(last - SOFTMAX_FLOOR)}
            parts.append(words(key, **values, bound=SOFTMAX_FLOOR, accuracy=accuracy.mean))
        elif evidence.runs(variant):
            parts.append(words(f"{key}_diverged"))
    return words.sentences(parts)
