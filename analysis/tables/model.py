"""What a table is. Texts that are prose stay in the templates; here are keys, heads and notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from analysis.evidence import Evidence
from analysis.labels import Split
from analysis.statistics import accuracy_interval
from analysis.values import Kind, Source, Value
from experiments.record import Record

Texts = Mapping[Literal["zh", "en"], str]


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        key: its name, unique in the table (the head of the CSV column).
        kind: of its cells: ``text`` as it stands, ``word`` a key of ``WORDS``, ``claim`` the id of
            a finding, for the claim's text in the templates, ``verdict``, ``value`` numbers whose
            own kinds differ, else the kind of its numbers.
        title: the printed head.
        original: holds figures of the original write-up.
    """

    key: str
    kind: Kind | Literal["text", "word", "claim", "verdict", "value"]
    title: Texts
    original: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell; empty with the value None.

    Attributes:
        value: a number, several, or a text or key as the column's kind says.
        mark: best or second best of the column.
        note: key of ``NOTES``, or empty.
        interval: 95 % confidence interval of the number.
        names: of several numbers, what each belongs to.
        finding: the finding that the number is the effect of; its templates say what that is.
    """

    value: Value | tuple[Value, ...] | str | None = None
    mark: Literal["", "best", "second"] = ""
    note: str = ""
    interval: tuple[Value, Value] | None = None
    names: tuple[str, ...] = ()
    finding: str = ""


@dataclass(frozen=True)
class Table:
    """A table: rows of as many cells as there are columns, and the records it depends on."""

    id: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    runs: tuple[str, ...]


def table(
    name: str, columns: list[Column], rows: list[dict[str, Cell]], runs: tuple[str, ...] = ()
) -> Table:
    """A table from rows by column key; a key that a row lacks is an empty cell.

    ``runs`` are added to the records that the cells' values name.
    """
    empty = Cell()
    keys = [column.key for column in columns]
    unknown = {key for row in rows for key in row} - set(keys)
    if unknown:
        raise ValueError(f"table {name}: no column {', '.join(sorted(unknown))}")
    cells = tuple(tuple(row.get(key, empty) for key in keys) for row in rows)
    used = set(runs)
    for row in cells:
        for cell in row:
            numbers = [cell.value] if isinstance(cell.value, Value) else cell.value
            numbers = numbers if isinstance(numbers, list | tuple) else ()
            for number in (*numbers, *(cell.interval or ())):
                used |= {source.record for source in number.sources}
    return Table(name, tuple(columns), cells, tuple(sorted(used)))


def accuracy_cell(evidence: Evidence, variant: str, split: Split = "test") -> Cell:
    """Mean accuracy of a variant with its interval over seeds and images.

    Empty and noted ``diverged`` or ``missing`` without a finished run; noted ``some-diverged`` if
    only some of them finished.
    """
    value = evidence.accuracy(variant, split)
    runs = evidence.runs(variant)
    if value is None:
        return Cell(note="diverged" if runs else "missing")
    low, high = accuracy_interval(evidence.sample(variant, split))
    sources = evidence.sources((variant,), split)
    return Cell(
        value,
        note="" if len(evidence.finished(variant)) == len(runs) else "some-diverged",
        interval=(Value(low, "accuracy", sources), Value(high, "accuracy", sources)),
    )


def run_accuracy(evidence: Evidence, run: Record, split: Split = "test") -> Cell:
    """Accuracy of one run with its interval; seeds count by the pooled variance."""
    found = run.test if split == "test" else run.validation
    if found is None:
        return Cell(note="diverged" if run.status == "diverged" else "missing")
    low, high = accuracy_interval(evidence.one(run, split))
    sources = (Source(run.id, f"{split}.accuracy"),)
    return Cell(
        Value(found.accuracy, "accuracy", sources),
        interval=(Value(low, "accuracy", sources), Value(high, "accuracy", sources)),
    )


#: What notes say under a table.
NOTES: dict[str, Texts] = {
    "diverged": {
        "zh": "训练发散（损失为 NaN 或无穷大），没有准确率",
        "en": "diverged (NaN or infinite loss): no accuracy",
    },
    "some-diverged": {
        "zh": "部分种子发散；均值只含完成的运行",
        "en": "some seeds diverged; the mean is that of the finished runs",
    },
    "missing": {"zh": "没有这次运行的记录", "en": "no record of this run"},
    "not-planned": {"zh": "不在本配置的计划之内", "en": "not part of this profile"},
    "tied": {
        "zh": "与最高者的差异不显著（Holm 校正后）",
        "en": "not significantly below the best (after Holm's correction)",
    },
    "batch-of-four": {
        "zh": "原报告的数值是四张图片一批的乘加次数",
        "en": "the original's figure is that of a batch of four images",
    },
    "chart": {"zh": "原报告只给出图，没有数值", "en": "the original shows a chart without figures"},
    "argument": {"zh": "原报告只作推导，未测量", "en": "the original argues and does not measure"},
    "by-definition": {"zh": "按论文结构计算，未运行", "en": "by the paper's definition; not run"},
    "not-comparable": {
        "zh": "评测图片不同，无法配对比较",
        "en": "evaluated on other images: not comparable",
    },
}

#: Words for the keys in cells of the kind ``word``.
WORDS: dict[str, Texts] = {
    "finished": {"zh": "完成", "en": "finished"},
    "diverged": {"zh": "发散", "en": "diverged"},
    "failed": {"zh": "失败", "en": "failed"},
    "missing": {"zh": "缺失", "en": "missing"},
    "original": {"zh": "原报告", "en": "original"},
    "paper": {"zh": "论文", "en": "paper"},
    "add": {"zh": "加法", "en": "add"},
    "sub": {"zh": "减法", "en": "subtract"},
    "mul": {"zh": "乘法", "en": "multiply"},
    "none": {"zh": "无连接", "en": "none"},
    "mul-nobn": {"zh": "乘法，无 BN", "en": "multiply, no BN"},
    "with-softmax": {"zh": "有 Softmax", "en": "with Softmax"},
    "without-softmax": {"zh": "无 Softmax", "en": "without"},
    "one-cycle": {"zh": "单周期", "en": "one-cycle"},
    "constant": {"zh": "恒定", "en": "constant"},
    "bf16": {"zh": "bf16", "en": "bf16"},
    "fp32": {"zh": "fp32", "en": "fp32"},
    "images": {"zh": "错误率之比（图像）", "en": "error ratio, over images"},
    "seeds": {"zh": "错误率之比（种子与图像）", "en": "error ratio, seeds and images"},
    "ranks": {"zh": "精确秩检验", "en": "exact ranks"},
    "runs": {"zh": "以运行为单位的 t 检验", "en": "t, over runs"},
    "networks": {"zh": "等级相关", "en": "rank correlation"},
    "threshold": {"zh": "预设阈值", "en": "fixed threshold"},
    "untested": {"zh": "未检验", "en": "untested"},
    "arithmetic": {"zh": "计数", "en": "counting"},
    "alike": {"zh": "一致", "en": "same"},
    "reversed": {"zh": "逆转", "en": "reversed"},
    "open": {"zh": "未定", "en": "open"},
}
