"""Plain against residual networks: training loss by epoch, accuracy by depth."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from analysis.evidence import Evidence
from analysis.figures import curves, data, marks, style, words
from analysis.figures.axes import accuracy_axis
from analysis.figures.labels import Spot, label_spots
from analysis.figures.words import Lang
from analysis.findings import Finding
from analysis.findings.residual import networks
from analysis.records import Records

ID = "residual"

DEEPER = ("PlainNet50", "PlainNet101", "ResNet50", "ResNet101")
FAMILIES = ("ResNet", "PlainNet")

TEXT: dict[Lang, dict[str, str]] = {
    "en": {
        "until stable": ", until stable",
        "depth": "Depth (layers)",
        "ResNet": "residual",
        "PlainNet": "plain",
        "loss": "Training loss after the last epoch: {}.",
        "accuracy": "Test accuracy: {}.",
        "change": "From 18 to 34 layers the accuracy changes by {:+.2f} percentage points "
        "without residual connections and by {:+.2f} with them.",
        "diverged": "Diverged: {}.",
        "diverged here": "diverged",
    },
    "zh": {
        "until stable": "，训练至稳定",
        "depth": "深度（层数）",
        "ResNet": "残差网络",
        "PlainNet": "普通网络",
        "loss": "最后一轮的训练损失：{}。",
        "accuracy": "测试准确率：{}。",
        "change": "从 18 层到 34 层，无残差连接时准确率变化 {:+.2f} 个百分点，有残差连接时变化 "
        "{:+.2f} 个百分点。",
        "diverged": "发散：{}。",
        "diverged here": "发散",
    },
}


def _variants(evidence: Evidence) -> tuple[str, ...]:
    return (*networks(evidence), *DEEPER)


def runs(records: Records) -> tuple[str, ...]:
    """Ids of the records that the figure shows."""
    evidence = Evidence(records)
    return evidence.ids(_variants(evidence))


def draw(records: Records, findings: Mapping[str, Finding], lang: Lang) -> Figure:
    """Loss of the networks with 18 and 34 layers on the left, accuracy of all on the right.

    Raises:
        NothingToDraw: no run of these networks.
    """
    evidence = Evidence(records)
    variants = _variants(evidence)
    data.present(evidence, variants)
    said, common = TEXT[lang], words.TEXT[lang]
    figure = style.canvas(2.75, words.missing_note(data.missing(evidence, variants), lang))

    pairs = networks(evidence)
    axes = style.panel(figure, 0.36, 0.32, 1.95, 1.95)
    title = common["training loss"]
    if pairs[0].endswith("-stable"):
        title += said["until stable"]
    style.heading(axes, title, left=0.3)
    names = {v: words.name(v.removesuffix("-stable"), lang) for v in pairs}
    curves.losses(axes, evidence, names, lang)

    axes = style.panel(figure, 3.72, 0.32, 2.2, 1.95)
    style.heading(axes, common["test accuracy"] + common["log error"], left=0.3)
    _by_depth(axes, evidence, variants, lang)
    return figure


def _by_depth(axes: Axes, evidence: Evidence, variants: tuple[str, ...], lang: Lang) -> None:
    style.hairlines(axes)
    found = {v: e for v in variants if (e := data.accuracy(evidence, v)) is not None}
    diverged = [v for v in variants if evidence.diverged(v)]
    shown = sorted({_depth(v) for v in (*found, *diverged)}) or [18, 34]
    axes.set_xscale("log")
    axes.set_xlim(shown[0] / 1.12, shown[-1] * 1.12)
    axes.xaxis.set_major_locator(FixedLocator(shown))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FixedFormatter([str(depth) for depth in shown]))
    axes.set_xlabel(TEXT[lang]["depth"])
    values, ends = data.shown(found.values())
    accuracy_axis(axes, values or [0.5], ends=ends)
    spots, lines = [], []
    for family in FAMILIES:
        line = [v for v in found if v.startswith(family)]
        for first, second in pairwise(line):
            # Runs of other recipes are tied together more loosely.
            same = ("stable" in first) == ("stable" in second)
            axes.plot(
                [_depth(first), _depth(second)],
                [found[first].mean, found[second].mean],
                color=style.look(f"{family}18").colour,
                linewidth=1.4 if same else 0.9,
                linestyle="-" if same else (0, (2, 2)),
                zorder=2,
            )
        lines.append([(float(_depth(variant)), found[variant].mean) for variant in line])
        for variant in line:
            value = found[variant]
            marks.estimate(axes, variant, _depth(variant), value)
            text = TEXT[lang][family] if variant == line[-1] else ""
            spots.append(Spot(_depth(variant), value.mean, value.low, value.high, text))
    edge = float(axes.transData.inverted().transform(axes.transAxes.transform((0, 0.02)))[1])
    for variant in diverged:
        marks.crosses(axes, variant, [(_depth(variant), 0.02)])
        text = TEXT[lang]["diverged here"]
        spots.append(Spot(_depth(variant), edge, edge, edge, text))
    label_spots(axes, spots, lines)


def _depth(variant: str) -> int:
    return int("".join(filter(str.isdigit, variant.partition("-")[0])))


def alt(records: Records, findings: Mapping[str, Finding], lang: Lang) -> str:
    """What the figure shows, in words.

    Raises:
        NothingToDraw: no run of these networks.
    """
    evidence = Evidence(records)
    said = TEXT[lang]
    variants = data.present(evidence, _variants(evidence))
    losses, accuracies, means = [], [], {}
    for variant in variants:
        title = words.name(variant.removesuffix("-stable"), lang)
        loss, accuracy = data.last_loss(evidence, variant), data.accuracy(evidence, variant)
        if loss is not None and variant in networks(evidence):
            losses.append(f"{title} {words.loss(loss.mean)}")
        if accuracy is not None:
            accuracies.append(f"{title} {words.percent(accuracy.mean)}")
            means[variant.partition("-")[0]] = accuracy.mean
    parts = []
    if losses:
        parts.append(said["loss"].format(words.listed(losses, lang)))
    if accuracies:
        parts.append(said["accuracy"].format(words.listed(accuracies, lang)))
    if {"PlainNet18", "PlainNet34", "ResNet18", "ResNet34"} <= means.keys():
        plain, residual = (
            100 * (means[f"{f}34"] - means[f"{f}18"]) for f in ("PlainNet", "ResNet")
        )
        parts.append(said["change"].format(plain, residual).replace("-", "−"))
    diverged = [words.name(v, lang) for v in variants if evidence.diverged(v)]
    if diverged:
        parts.append(said["diverged"].format(words.listed(diverged, lang)))
    return words.sentences(parts, lang)
