"""The four residual operators, and multiplication without BN: how ResNet-18 trains with each."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from analysis.evidence import Evidence
from analysis.figures import curves, data, style, words
from analysis.figures.words import OPERATORS, Lang
from analysis.findings import Finding
from analysis.records import Records

ID = "operators"

TEXT: dict[Lang, dict[str, str]] = {
    "en": {
        "loss": "Training loss (log scale)",
        "one": "{}: validation accuracy {}, training loss {}",
        "diverged": "{}: diverged at step {}",
        "alt": "After the last epoch, by operator: {}.",
    },
    "zh": {
        "loss": "训练损失（对数刻度）",
        "one": "{}：验证准确率 {}，训练损失 {}",
        "diverged": "{}：第 {} 步发散",
        "alt": "最后一轮之后，各运算的结果：{}。",
    },
}


def runs(records: Records) -> tuple[str, ...]:
    """Ids of the records that the figure shows."""
    return Evidence(records).ids(tuple(OPERATORS))


def draw(records: Records, findings: Mapping[str, Finding], lang: Lang) -> Figure:
    """Validation accuracy and training loss by epoch.

    Raises:
        NothingToDraw: no run with any of the operators.
    """
    evidence = Evidence(records)
    data.present(evidence, tuple(OPERATORS))
    missing = data.missing(evidence, tuple(OPERATORS))
    figure = style.canvas(2.75, words.missing_note(missing, lang))
    names = {variant: title[lang] for variant, title in OPERATORS.items()}
    common = words.TEXT[lang]

    axes = style.panel(figure, 0.36, 0.32, 1.6, 1.95)
    style.heading(axes, common["validation accuracy"] + common["log error"], left=0.3)
    curves.accuracies(axes, evidence, names, lang)

    axes = style.panel(figure, 3.52, 0.32, 1.6, 1.95)
    style.heading(axes, TEXT[lang]["loss"], left=0.3)
    curves.losses(axes, evidence, names, lang)
    return figure


def alt(records: Records, findings: Mapping[str, Finding], lang: Lang) -> str:
    """What the figure shows, in words.

    Raises:
        NothingToDraw: no run with any of the operators.
    """
    evidence = Evidence(records)
    said = TEXT[lang]
    parts = []
    for variant in data.present(evidence, tuple(OPERATORS)):
        title = OPERATORS[variant][lang]
        step = data.broken_off(evidence, variant)
        accuracy = data.accuracy(evidence, variant, "validation")
        loss = data.last_loss(evidence, variant)
        if step is not None:
            parts.append(said["diverged"].format(title, step))
        elif accuracy is not None and loss is not None:
            one = said["one"].format(title, words.percent(accuracy.mean), words.loss(loss.mean))
            parts.append(one)
    return said["alt"].format(("；" if lang == "zh" else "; ").join(parts))
