"""Test accuracy of the networks of the results table, with the original's figures."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis import original
from analysis.evidence import Evidence
from analysis.figures import data, marks, style, words
from analysis.figures.axes import accuracy_axis
from analysis.figures.words import Lang
from analysis.findings import Finding
from analysis.records import Records
from analysis.tables.results import NETWORKS
from experiments.datasets import USUAL

ID = "accuracy"

ROW = 0.205

TEXT: dict[Lang, dict[str, str]] = {
    "en": {
        "axis": "Test accuracy (%), error on a log scale",
        "original": "original",
        "here": "here",
        "no run": "no run yet",
        "diverged": "diverged, step {}",
        "one": "{} {}",
        "with original": "{} {} (original {})",
        "alt": "Test accuracy from the highest: {}.",
        "alt diverged": "Diverged: {}.",
        "alt overlap": "The interval of the first overlaps with that of {}.",
        "alt no overlap": "The interval of the first overlaps with no other.",
    },
    "zh": {
        "axis": "测试准确率（%），误差取对数刻度",
        "original": "原报告",
        "here": "本次",
        "no run": "尚无运行",
        "diverged": "第 {} 步发散",
        "one": "{} {}",
        "with original": "{} {}（原报告 {}）",
        "alt": "测试准确率由高到低：{}。",
        "alt diverged": "发散：{}。",
        "alt overlap": "最高者的区间与 {} 的区间重叠。",
        "alt no overlap": "最高者的区间与其他网络都不重叠。",
    },
}


def runs(records: Records) -> tuple[str, ...]:
    """Ids of the records that the figure shows."""
    return Evidence(records).ids(NETWORKS)


def draw(records: Records, findings: Mapping[str, Finding], lang: Lang) -> Figure:
    """One row a network, the most accurate on top; the original's figures are hollow.

    Raises:
        NothingToDraw: no run of these networks.
    """
    evidence = Evidence(records)
    data.present(evidence, NETWORKS)
    found = _ranked(evidence)
    absent = [variant for variant in NETWORKS if variant not in found]
    absent.sort(key=evidence.diverged, reverse=True)
    rows = [*found, *absent]
    height = ROW * len(rows)
    figure = style.canvas(height + 0.75)
    axes = style.panel(figure, 0.98, 0.25, 4.25 if absent else 4.7, height)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), [words.name(variant, lang) for variant in rows])
    axes.tick_params(axis="y", length=0, pad=6, labelcolor=style.INK)
    axes.spines["left"].set_visible(False)
    axes.grid(True, axis="x")
    axes.set_xlabel(TEXT[lang]["axis"])
    olds = {v: old for v in rows if (old := _original(records, v)) is not None}
    values, ends = data.shown(found.values())
    accuracy_axis(axes, [*values, *olds.values()], axis="x", pad=0.03, ends=ends)
    for at, variant in enumerate(rows):
        if variant in olds:
            axes.plot(
                [olds[variant]],
                [at],
                style.look(variant).marker,
                markersize=5.5,
                markerfacecolor="none",
                markeredgecolor=style.INK_2,
                markeredgewidth=0.8,
                zorder=2.2,
            )
        if variant in found:
            marks.estimate(axes, variant, at, found[variant], level=True)
        axes.annotate(
            _said(evidence, found, variant, lang),
            (1, at),
            xycoords=axes.get_yaxis_transform(),
            xytext=(10, 0),
            textcoords="offset points",
            va="center_baseline",
            color=style.INK if variant in found else style.INK_2,
        )
    _key(axes, found, olds, rows, lang)
    return figure


def _ranked(evidence: Evidence) -> dict[str, data.Estimate]:
    found = {v: e for v in NETWORKS if (e := data.accuracy(evidence, v)) is not None}
    return dict(sorted(found.items(), key=lambda item: -item[1].mean))


def _original(records: Records, variant: str) -> float | None:
    """The original's accuracy, which was measured on one data set."""
    row = original.row(variant) if records.dataset == USUAL else None
    return row.accuracy if row else None


def _said(evidence: Evidence, found: Mapping[str, data.Estimate], variant: str, lang: Lang) -> str:
    if variant in found:
        return f"{100 * found[variant].mean:.2f}"
    step = data.broken_off(evidence, variant)
    return TEXT[lang]["no run"] if step is None else TEXT[lang]["diverged"].format(step)


def _key(
    axes: Axes,
    found: Mapping[str, data.Estimate],
    olds: Mapping[str, float],
    rows: list[str],
    lang: Lang,
) -> None:
    """Say once, above the first row that has both, which mark is which."""
    for at, variant in enumerate(rows):
        if variant not in found or variant not in olds:
            continue
        if at == 0:
            ends = {"here": found[variant].mean, "original": olds[variant]}
            left = min(ends, key=lambda key: ends[key])
            for key, value in ends.items():
                axes.annotate(
                    TEXT[lang][key],
                    (value, at),
                    xytext=(-3 if key == left else 3, 6),
                    textcoords="offset points",
                    ha="right" if key == left else "left",
                    va="bottom",
                    color=style.INK if key == "here" else style.INK_2,
                )
            return


def alt(records: Records, findings: Mapping[str, Finding], lang: Lang) -> str:
    """What the figure shows, in words.

    Raises:
        NothingToDraw: no run of these networks.
    """
    evidence = Evidence(records)
    data.present(evidence, NETWORKS)
    said = TEXT[lang]
    found = _ranked(evidence)
    parts = []
    for variant, value in found.items():
        old = _original(records, variant)
        title, mean = words.name(variant, lang), words.percent(value.mean)
        if old is None:
            parts.append(said["one"].format(title, mean))
        else:
            parts.append(said["with original"].format(title, mean, words.percent(old)))
    lines = [said["alt"].format(words.listed(parts, lang))] if parts else []
    if len(found) > 1:
        first, *rest = found
        near = [words.name(v, lang) for v in rest if found[v].high >= found[first].low]
        if near:
            lines.append(said["alt overlap"].format(words.listed(near, lang)))
        else:
            lines.append(said["alt no overlap"])
    diverged = [words.name(v, lang) for v in NETWORKS if evidence.diverged(v)]
    if diverged:
        lines.append(said["alt diverged"].format(words.listed(diverged, lang)))
    return words.sentences(lines, lang)
