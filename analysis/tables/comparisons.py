"""Tables that compare a few variants: operators, Softmax, attention, widths."""

from __future__ import annotations

from analysis.constants import CONSTANTS
from analysis.evidence import Evidence, title
from analysis.findings.attention import Ranges
from analysis.findings.base import difference, error_ratio
from analysis.findings.operators import ADD, MUL, MUL_NOBN, NONE, SUB
from analysis.findings.overlooked import RESNET, SOFTMAX
from analysis.tables.base import Cell, Table, accuracy_cell, column, table
from analysis.true_labels import Split
from analysis.values import Value

NETWORK = column("network", "text", "网络", "Network")
P = column("p", "p", "p 值", "p")
TRAIN_LOSS = column("train_loss", "loss", "训练损失（末轮）", "Training loss, last epoch")
VALIDATION_LOSS = column(
    "validation_loss", "loss", "验证损失（末轮）", "Validation loss, last epoch"
)
TEST_ACCURACY = column("accuracy", "accuracy", "测试准确率", "Test accuracy")
RATIO = column("ratio", "ratio", "错误率之比", "Error ratio")


def compared(evidence: Evidence, variant: str, base: str, split: Split = "test") -> dict[str, Cell]:
    """Cells that compare a variant with a base: ``difference`` of accuracies, ``ratio`` of error
    rates with its interval, uncorrected ``p``. Empty if either has no run, only ``p`` if every run
    of either diverged."""
    if not (evidence.runs(variant) and evidence.runs(base)):
        return {}
    contrast = evidence.compare(variant, base, split)
    sources = evidence.sources((variant, base), split)
    gap = difference(evidence.accuracy(variant, split), evidence.accuracy(base, split))
    ratio, ends = error_ratio(evidence, variant, base, split)
    cells = {}
    if contrast.test not in ("diverged", "untested"):
        cells["p"] = Cell(Value(contrast.zero.two_sided, "p", sources))
    if gap is not None:
        cells |= {"difference": Cell(gap), "ratio": Cell(ratio, interval=ends)}
    return cells


def operators(evidence: Evidence) -> Table:
    """The operators of ResNet-18, on the validation images as in the original."""
    columns = [
        column("operator", "word", "运算", "Operator"),
        NETWORK,
        column("accuracy", "accuracy", "验证准确率", "Validation accuracy"),
        column("difference", "difference", "与加法之差", "Difference from add"),
        RATIO,
        P,
        TRAIN_LOSS,
        VALIDATION_LOSS,
    ]
    kinds = {"add": ADD, "sub": SUB, "mul": MUL, "none": NONE, "mul-nobn": MUL_NOBN}
    rows = []
    for name, variant in kinds.items():
        row = {
            "operator": Cell(name),
            "network": Cell(title(variant)),
            "accuracy": accuracy_cell(evidence, variant, "validation"),
            "train_loss": Cell(evidence.loss(variant, "train_loss")),
            "validation_loss": Cell(evidence.loss(variant, "validation_loss")),
        }
        if variant != ADD:
            row |= compared(evidence, variant, ADD, "validation")
        rows.append(row)
    return table("operators", columns, rows, evidence.ids(tuple(kinds.values())))


def softmax(evidence: Evidence) -> Table:
    """ResNet-18 with and without a Softmax in front of the cross-entropy."""
    columns = [
        column("adaptor", "word", "输出层", "Output"),
        TEST_ACCURACY,
        column("difference", "difference", "与无 Softmax 之差", "Difference from without"),
        RATIO,
        P,
        TRAIN_LOSS,
        VALIDATION_LOSS,
        column("floor", "loss", "损失下界", "Least possible loss"),
    ]
    rows = []
    for name, variant in (("without-softmax", RESNET), ("with-softmax", SOFTMAX)):
        row = {
            "adaptor": Cell(name),
            "accuracy": accuracy_cell(evidence, variant),
            "train_loss": Cell(evidence.loss(variant, "train_loss")),
            "validation_loss": Cell(evidence.loss(variant, "validation_loss")),
            "floor": Cell(Value(0.0, "loss", ())),
        }
        if variant == SOFTMAX:
            row |= compared(evidence, SOFTMAX, RESNET)
            row["floor"] = Cell(CONSTANTS["softmax_floor"])
        rows.append(row)
    return table("softmax", columns, rows, evidence.ids((RESNET, SOFTMAX)))


def attention(evidence: Evidence) -> Table:
    """Networks with SE blocks against those without, and the ranges of the channel weights."""
    columns = [
        NETWORK,
        column("without", "accuracy", "无 SE", "Without SE"),
        column("accuracy", "accuracy", "有 SE", "With SE"),
        column("difference", "difference", "与无 SE 之差", "Difference"),
        RATIO,
        P,
        column("range", "weight", "权重极差（各阶段平均）", "Range of weights, mean of stages"),
        column("least", "weight", "最小极差", "Least range"),
        column("most", "weight", "最大极差", "Largest range"),
    ]
    pairs = (("SEResNet18", "ResNet18"), ("SEResNet34", "ResNet34"), ("SEAlexNet", "AlexNet"))
    rows = []
    for network, base in pairs:
        ranges = Ranges(evidence, network).values("range")
        row = {
            "network": Cell(title(network)),
            "without": accuracy_cell(evidence, base),
            "accuracy": accuracy_cell(evidence, network),
            "range": Cell(ranges.get("range")),
            "least": Cell(ranges.get("range_least")),
            "most": Cell(ranges.get("range_most")),
        }
        rows.append(row | compared(evidence, network, base))
    return table("attention", columns, rows, evidence.ids([v for pair in pairs for v in pair]))


def widths(evidence: Evidence) -> Table:
    """The original's bottlenecks against the paper's."""
    columns = [
        NETWORK,
        column("widths", "word", "宽度", "Widths"),
        column("parameters", "count", "参数量", "Parameters"),
        column("macs", "macs", "乘加次数（一张图像）", "MACs of one image"),
        TEST_ACCURACY,
        column("difference", "difference", "与论文宽度之差", "Difference from the paper's"),
        RATIO,
        P,
    ]
    rows = []
    for network in ("ResNet50", "ResNet101"):
        paper = f"{network}-paper"
        for variant, name in ((network, "original"), (paper, "paper")):
            row = {
                "network": Cell(title(network)),
                "widths": Cell(name),
                "accuracy": accuracy_cell(evidence, variant),
            }
            if evidence.runs(variant):
                row["parameters"] = Cell(evidence.size(variant, "parameters", "count"))
                row["macs"] = Cell(evidence.size(variant, "macs.torchinfo", "macs"))
            elif variant == paper:
                count = CONSTANTS[f"paper_{network.lower()}"].value
                row["parameters"] = Cell(Value(count, "count", ()), note="by-definition")
                planned = any(run.startswith(f"{paper}.") for run in evidence.records.planned)
                row["accuracy"] = Cell(note="missing" if planned else "not-planned")
            if variant == network:
                row |= compared(evidence, network, paper)
            rows.append(row)
    return table("widths", columns, rows)
