"""A Softmax inside the network under a cross-entropy loss: the loss has a floor."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.constants import SOFTMAX_FLOOR
from analysis.evidence import Evidence
from analysis.figures import curves, data, marks, style, words
from analysis.figures.words import Lang
from analysis.findings import Finding
from analysis.records import Records

ID = "softmax"

WITH, WITHOUT = "ResNet18-softmax", "ResNet18"

TEXT: dict[Lang, dict[str, str]] = {
    "en": {
        WITH: "with Softmax",
        WITHOUT: "without",
        "floor": "lower bound with Softmax, {:.4f}",
        "with": "With the Softmax the training loss ends at {}, {} above its lower bound "
        "of {:.4f}, and the validation accuracy at {}.",
        "without": "Without it the loss ends at {} and the validation accuracy at {}.",
        "diverged": "The run {} diverged.",
    },
    "zh": {
        WITH: "带 Softmax",
        WITHOUT: "不带",
        "floor": "带 Softmax 时的下界 {:.4f}",
        "with": "带 Softmax 时，训练损失最后为 {0}，比下界 {2:.4f} 高 {1}，验证准确率为 {3}。",
        "without": "不带 Softmax 时，训练损失最后为 {}，验证准确率为 {}。",
        "diverged": "{}的运行发散。",
    },
}


def runs(records: Records) -> tuple[str, ...]:
    """Ids of the records that the figure shows."""
    return Evidence(records).ids((WITH, WITHOUT))


def draw(records: Records, findings: Mapping[str, Finding], lang: Lang) -> Figure:
    """Training loss with the floor as a dashed line, and validation accuracy, by epoch.

    Raises:
        NothingToDraw: neither run exists.
    """
    evidence = Evidence(records)
    data.present(evidence, (WITH, WITHOUT))
    missing = data.missing(evidence, (WITH, WITHOUT))
    figure = style.canvas(2.6, words.missing_note(missing, lang))
    names = {variant: TEXT[lang][variant] for variant in (WITH, WITHOUT)}
    common = words.TEXT[lang]

    axes = style.panel(figure, 0.36, 0.32, 1.85, 1.8)
    style.heading(axes, common["training loss"], left=0.3)
    curves.losses(axes, evidence, names, lang, linear_to=1.2 * SOFTMAX_FLOOR)
    _floor(axes, lang)

    axes = style.panel(figure, 3.52, 0.32, 1.6, 1.8)
    style.heading(axes, common["validation accuracy"] + common["log error"], left=0.3)
    curves.accuracies(axes, evidence, names, lang)
    return figure


def _floor(axes: Axes, lang: Lang) -> None:
    marks.reference(axes, SOFTMAX_FLOOR, dashed=True)
    axes.annotate(
        TEXT[lang]["floor"].format(SOFTMAX_FLOOR),
        (0, SOFTMAX_FLOOR),
        xycoords=axes.get_yaxis_transform(),
        xytext=(2, -2.5),
        textcoords="offset points",
        color=style.INK_2,
        va="top",
    )


def alt(records: Records, findings: Mapping[str, Finding], lang: Lang) -> str:
    """What the figure shows, in words.

    Raises:
        NothingToDraw: neither run exists.
    """
    evidence = Evidence(records)
    said = TEXT[lang]
    parts = []
    for variant in data.present(evidence, (WITH, WITHOUT)):
        loss = data.last_loss(evidence, variant)
        accuracy = data.accuracy(evidence, variant, "validation")
        if loss is None or accuracy is None:
            parts.append(said["diverged"].format(said[variant]))
        elif variant == WITH:
            above = words.loss(loss.mean - SOFTMAX_FLOOR)
            percent = words.percent(accuracy.mean)
            parts.append(said["with"].format(words.loss(loss.mean), above, SOFTMAX_FLOOR, percent))
        else:
            percent = words.percent(accuracy.mean)
            parts.append(said["without"].format(words.loss(loss.mean), percent))
    return words.sentences(parts, lang)
