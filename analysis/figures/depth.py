"""Accuracy and training loss against depth, without residual connections."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from analysis.evidence import Evidence
from analysis.figures import data, marks, style, words
from analysis.figures.axes import accuracy_axis, log_axis
from analysis.figures.labels import Spot, label_spots
from analysis.figures.words import Lang
from analysis.findings import Finding
from analysis.records import Records

ID = "depth"

PLAIN = ("PlainNet18", "PlainNet34", "PlainNet50", "PlainNet101")
#: Layers with weights from input to output; LeNet 5 and AlexNet 8 without the adaptor.
DEPTHS = {"LeNet": 5, "AlexNet": 8} | {name: int(name[8:]) for name in PLAIN}

TEXT: dict[Lang, dict[str, str]] = {
    "en": {
        "depth": "Layers with weights (log scale)",
        "loss": "Training loss, last epoch",
        "diverged": "{}: diverged",
        "alt": "Test accuracy by depth: {}. Training loss of the last epoch: {}.",
        "alt diverged": "{} diverged.",
        "trend": "From {} to {} the accuracy {} and the training loss {}.",
        "rises": "rises",
        "falls": "falls",
        "stays": "stays the same",
    },
    "zh": {
        "depth": "带权重的层数（对数刻度）",
        "loss": "最后一轮的训练损失",
        "diverged": "{}：发散",
        "alt": "各深度的测试准确率：{}。最后一轮的训练损失：{}。",
        "alt diverged": "{}发散。",
        "trend": "从 {} 到 {}，准确率{}，训练损失{}。",
        "rises": "上升",
        "falls": "下降",
        "stays": "不变",
    },
}


def runs(records: Records) -> tuple[str, ...]:
    """Ids of the records that the figure shows."""
    return Evidence(records).ids(tuple(DEPTHS))


def draw(records: Records, findings: Mapping[str, Finding], lang: Lang) -> Figure:
    """Two panels; the plain networks are joined by a line, error bars are 95 % intervals.

    Raises:
        NothingToDraw: no run of these networks.
    """
    evidence = Evidence(records)
    found = data.present(evidence, tuple(DEPTHS))
    notes = words.missing_note(data.missing(evidence, tuple(DEPTHS)), lang)
    figure = style.canvas(2.75, notes)
    said = TEXT[lang]
    common = words.TEXT[lang]
    accuracies = {v: e for v in found if (e := data.accuracy(evidence, v)) is not None}
    losses = {v: e for v in found if (e := data.last_loss(evidence, v)) is not None}
    diverged = [v for v in found if evidence.diverged(v)]
    for left, title, values, scale in (
        (0.36, common["test accuracy"] + common["log error"], accuracies, accuracy_axis),
        (3.62, said["loss"], losses, log_axis),
    ):
        axes = style.panel(figure, left, 0.32, 2.62, 1.95)
        style.heading(axes, title, left=0.3)
        style.hairlines(axes)
        _depth_axis(axes, said["depth"], [DEPTHS[variant] for variant in found])
        scale(axes, [x for e in values.values() for x in (e.low, e.high, *e.values)] or [0.5])
        line = _points(axes, values)
        worst = 0.02 if values is accuracies else 0.98
        for variant in diverged:
            marks.crosses(axes, variant, [(DEPTHS[variant], worst)])
        label_spots(axes, _spots(axes, values, diverged, worst, lang), [line])
    return figure


def _depth_axis(axes: Axes, title: str, depths: list[int]) -> None:
    axes.set_xscale("log")
    axes.set_xlim(min(depths) / 1.2, max(depths) * 1.27)
    axes.xaxis.set_major_locator(FixedLocator(depths))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FixedFormatter([str(depth) for depth in depths]))
    axes.set_xlabel(title)


def _points(axes: Axes, values: Mapping[str, data.Estimate]) -> list[tuple[float, float]]:
    """The estimates; returns the corners of the line that joins the plain networks."""
    line = [(float(DEPTHS[v]), values[v].mean) for v in PLAIN if v in values]
    axes.plot(
        [depth for depth, _ in line],
        [value for _, value in line],
        color=style.look("PlainNet18").colour,
        linewidth=1.2,
        zorder=2,
    )
    for variant, value in values.items():
        marks.estimate(axes, variant, DEPTHS[variant], value)
    return line


def _spots(
    axes: Axes, values: Mapping[str, data.Estimate], diverged: list[str], worst: float, lang: Lang
) -> list[Spot]:
    spots = [
        Spot(DEPTHS[v], e.mean, min(e.low, *e.values), max(e.high, *e.values), words.name(v, lang))
        for v, e in values.items()
    ]
    # The crosses stand at a share of the panel; a label needs its place in data coordinates.
    edge = float(axes.transData.inverted().transform(axes.transAxes.transform((0, worst)))[1])
    for variant in diverged:
        text = TEXT[lang]["diverged"].format(words.name(variant, lang))
        spots.append(Spot(DEPTHS[variant], edge, edge, edge, text))
    return spots


def _direction(first: float, last: float) -> str:
    return "stays" if first == last else "rises" if last > first else "falls"


def alt(records: Records, findings: Mapping[str, Finding], lang: Lang) -> str:
    """What the figure shows, in words.

    Raises:
        NothingToDraw: no run of these networks.
    """
    evidence = Evidence(records)
    said = TEXT[lang]
    accuracies: list[str] = []
    losses: list[str] = []
    ends: list[tuple[str, data.Estimate, data.Estimate]] = []
    diverged: list[str] = []
    for variant in data.present(evidence, tuple(DEPTHS)):
        accuracy, loss = data.accuracy(evidence, variant), data.last_loss(evidence, variant)
        if accuracy is None or loss is None:
            diverged.append(words.name(variant, lang))
            continue
        accuracies.append(f"{words.name(variant, lang)} {words.percent(accuracy.mean)}")
        losses.append(f"{words.name(variant, lang)} {words.loss(loss.mean)}")
        if variant in PLAIN:
            ends.append((words.name(variant, lang), accuracy, loss))
    parts = []
    if accuracies:
        parts.append(said["alt"].format(words.listed(accuracies, lang), words.listed(losses, lang)))
    if diverged:
        parts.append(said["alt diverged"].format(words.listed(diverged, lang)))
    if len(ends) > 1:
        (first, high, low), (last, accuracy, loss) = ends[0], ends[-1]
        parts.append(
            said["trend"].format(
                first,
                last,
                said[_direction(high.mean, accuracy.mean)],
                said[_direction(low.mean, loss.mean)],
            )
        )
    return words.sentences(parts, lang)
