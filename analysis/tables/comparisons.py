"""Tables that compare variants (operators, Softmax, attention, widths, recipes) and machines."""

from analysis.constants import CONSTANTS, PAPER_PARAMETERS
from analysis.evidence import Evidence, title
from analysis.findings.attention import measured, range_values
from analysis.findings.base import difference, error_ratio
from analysis.findings.operators import ADD, MUL, MUL_NOBN, NONE, SUB
from analysis.findings.overlooked import RESNET, SOFTMAX
from analysis.records import STRONG
from analysis.tables.base import Cell, Column, Found, Table, accuracy_cell, register, sizes, table
from analysis.true_labels import Split
from analysis.values import Value

NETWORK = Column("network", "text")
ACCURACY = Column("accuracy", "accuracy")
RATIO = Column("ratio", "ratio")
#: The columns of ``compared``.
COMPARED = (Column("difference", "difference"), RATIO, Column("p", "p"))
SIZES = (Column("parameters", "count"), Column("macs", "macs"))
LOSSES = (Column("train_loss", "loss"), Column("validation_loss", "loss"))


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


def _measured(
    evidence: Evidence, variant: str, base: str, split: Split = "test"
) -> dict[str, Cell]:
    """Cells of the accuracy and losses of a variant, compared with the base unless it is that."""
    row = {
        "accuracy": accuracy_cell(evidence, variant, split),
        "train_loss": Cell(evidence.loss(variant, "train_loss")),
        "validation_loss": Cell(evidence.loss(variant, "validation_loss")),
    }
    return row if variant == base else row | compared(evidence, variant, base, split)


@register
def operators(found: Found) -> Table:
    """The operators of ResNet-18, on the validation images as in the original."""
    evidence = found.evidence
    columns = [Column("operator", "word"), NETWORK, ACCURACY, *COMPARED, *LOSSES]
    kinds = {"add": ADD, "sub": SUB, "mul": MUL, "none": NONE, "mul-nobn": MUL_NOBN}
    rows = []
    for name, variant in kinds.items():
        row = {"operator": Cell(name), "network": Cell(title(variant))}
        rows.append(row | _measured(evidence, variant, ADD, "validation"))
    return table("operators", columns, rows, evidence.ids(tuple(kinds.values())))


@register
def softmax(found: Found) -> Table:
    """ResNet-18 with and without a Softmax in front of the cross-entropy."""
    evidence = found.evidence
    columns = [Column("adaptor", "word"), ACCURACY, *COMPARED, *LOSSES, Column("floor", "loss")]
    rows = []
    floors = {RESNET: Value(0.0, "loss", ()), SOFTMAX: CONSTANTS["softmax_floor"]}
    for name, variant in (("without-softmax", RESNET), ("with-softmax", SOFTMAX)):
        row = {"adaptor": Cell(name), "floor": Cell(floors[variant])}
        rows.append(row | _measured(evidence, variant, RESNET))
    return table("softmax", columns, rows, evidence.ids((RESNET, SOFTMAX)))


@register
def attention(found: Found) -> Table:
    """Networks with SE blocks against those without, and the ranges of the channel weights."""
    evidence = found.evidence
    ends = [Column(key, "weight") for key in ("range", "least", "most")]
    columns = [NETWORK, Column("without", "accuracy"), ACCURACY, *COMPARED, *ends]
    pairs = (("SEResNet18", "ResNet18"), ("SEResNet34", "ResNet34"), ("SEAlexNet", "AlexNet"))
    rows = []
    for network, base in pairs:
        ranges = range_values("range", measured(evidence, network))
        row = {
            "network": Cell(title(network)),
            "without": accuracy_cell(evidence, base),
            "accuracy": accuracy_cell(evidence, network),
            **{key.removeprefix("range_"): Cell(number) for key, number in ranges.items()},
        }
        rows.append(row | compared(evidence, network, base))
    return table("attention", columns, rows, evidence.ids([v for pair in pairs for v in pair]))


@register
def widths(found: Found) -> Table:
    """The original's bottlenecks against the paper's."""
    evidence = found.evidence
    columns = [NETWORK, Column("widths", "word"), *SIZES, ACCURACY, *COMPARED]
    rows = []
    for network, count in PAPER_PARAMETERS.items():
        paper = f"{network}-paper"
        for variant, name in ((network, "original"), (paper, "paper")):
            row = {
                "network": Cell(title(network)),
                "widths": Cell(name),
                "accuracy": accuracy_cell(evidence, variant),
                **sizes(evidence, variant),
            }
            if variant == network:
                row |= compared(evidence, network, paper)
            elif not evidence.runs(paper):
                planned = any(run.startswith(f"{paper}.") for run in evidence.records.planned)
                row["parameters"] = Cell(Value(count, "count", ()), note="by-definition")
                row["accuracy"] = Cell(note="missing" if planned else "not-planned")
            rows.append(row)
    return table("widths", columns, rows)


@register
def strong(found: Found) -> Table:
    """Accuracy and epochs under both recipes, for networks with a run of the strong recipe, or with
    a planned one. ``plain`` is the original's recipe; ``p`` is not corrected.
    """
    evidence = found.evidence
    columns = [
        NETWORK,
        Column("plain_epochs", "integer"),
        Column("plain", "accuracy"),
        Column("epochs", "integer"),
        ACCURACY,
        *COMPARED,
    ]
    planned = {run.rpartition(".s")[0] for run in evidence.records.planned}
    rows = []
    for variant, network in STRONG.items():
        if variant in planned or evidence.runs(variant):
            row = {
                "network": Cell(title(network)),
                "plain_epochs": Cell(evidence.mean(network, "config.epochs", "integer")),
                "plain": accuracy_cell(evidence, network),
                "epochs": Cell(evidence.mean(variant, "config.epochs", "integer")),
                "accuracy": accuracy_cell(evidence, variant),
            }
            rows.append(row | compared(evidence, variant, network))
    return table("strong", columns, rows)


@register
def machines(found: Found) -> Table:
    """Runs and mean accuracy on the most frequent kind of machine and on the next, and the error
    rate on the next over that on the first."""
    names = [kind.precision for kind in found.machines.kinds[:2]]
    if len(set(names)) < len(names):
        names = [kind.device for kind in found.machines.kinds[:2]]
    columns = [NETWORK]
    for place, name in enumerate(names, 1):
        columns += [
            Column(f"runs_{place}", "integer", head="runs", name=name),
            Column(f"accuracy_{place}", "accuracy", head="name", name=name),
        ]
    rows = []
    for shift in found.machines.shifts:
        row = {
            "network": Cell(shift.network),
            "ratio": Cell(shift.ratio, interval=shift.interval),
        }
        for place, (runs, accuracy) in enumerate(zip(shift.runs, shift.accuracies, strict=True), 1):
            row |= {f"runs_{place}": Cell(runs), f"accuracy_{place}": Cell(accuracy)}
        rows.append(row)
    return table("machines", [*columns, RATIO], rows)
