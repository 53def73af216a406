"""What a table is. Texts that are prose stay in the templates; here are keys, heads and notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from analysis.evidence import Evidence
from analysis.labels import Split
from analysis.statistics import seed_interval, wilson
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
    """Mean accuracy of a variant as ``runs_accuracy``; ``missing`` if it has no run."""
    return runs_accuracy(evidence.runs(variant), split)


def runs_accuracy(runs: Sequence[Record], split: Split = "test") -> Cell:
    """Mean accuracy with its interval: over seeds if there are several, else Wilson's.

    Empty and noted ``diverged`` or ``missing`` without a finished run; noted ``some-diverged`` if
    only some of them finished.
    """
    found = {
        run.id: item for run in runs if (item := run.test if split == "test" else run.validation)
    }
    if not found:
        return Cell(note="diverged" if runs else "missing")
    accuracies = [item.accuracy for item in found.values()]
    if len(accuracies) > 1:
        low, high = seed_interval(accuracies)
    else:
        low, high = wilson(accuracies[0], next(iter(found.values())).images)
    sources = tuple(Source(name, f"{split}.accuracy") for name in found)
    return Cell(
        Value(sum(accuracies) / len(accuracies), "accuracy", sources),
        note="" if len(found) == len(runs) else "some-diverged",
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
    "mcnemar": {"zh": "McNemar 精确检验", "en": "exact McNemar"},
    "images": {"zh": "图片上的正态检验", "en": "normal, over images"},
    "proportions": {"zh": "两比例检验", "en": "two proportions"},
    "margin": {"zh": "对界限的单侧检验", "en": "one-sided, against a margin"},
    "equivalence": {"zh": "等效性检验", "en": "equivalence"},
    "seeds": {"zh": "跨种子检验", "en": "across seeds"},
    "blocks": {"zh": "以块为单位的检验", "en": "over blocks"},
    "threshold": {"zh": "既定规则", "en": "stated rule"},
    "arithmetic": {"zh": "计算", "en": "arithmetic"},
    "alike": {"zh": "一致", "en": "same"},
    "reversed": {"zh": "相反", "en": "reversed"},
    "open": {"zh": "未定", "en": "open"},
    "untested": {"zh": "未检验", "en": "untested"},
}
