"""What tables are made from, and the cells that they share.

Notes and words are keys of ``templates/labels.toml``; heads of columns are words of
``templates/tables.toml``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from analysis.cross_dataset import Transfer
from analysis.evidence import Evidence
from analysis.findings.base import value_pair
from analysis.schema import Cell, Column, Finding, Ladder, Machines, Table
from analysis.statistics import accuracy_interval
from analysis.true_labels import Split
from analysis.values import Value, value
from experiments.record import Record

__all__ = ["Cell", "Column", "Table"]


@dataclass(frozen=True)
class Found:
    """What tables are made of: the records of one folder, their findings, the findings on several
    data sets and at several rungs of the budget ladder, and the kinds of machine."""

    evidence: Evidence
    findings: Mapping[str, Finding]
    transfer: Transfer = field(default_factory=lambda: Transfer({}))
    ladder: Ladder = field(default_factory=Ladder)
    machines: Machines = field(default_factory=Machines)


Make = Callable[[Found], Table]
TABLES: list[Make] = []


def register(make: Make) -> Make:
    """Add a table to the results."""
    TABLES.append(make)
    return make


def table(
    name: str, columns: list[Column], rows: list[dict[str, Cell]], runs: tuple[str, ...] = ()
) -> Table:
    """A table from rows, which map column keys to cells; a missing key is an empty cell.

    The table depends on ``runs`` and on the sources of its values.
    """
    keys = [column.key for column in columns]
    unknown = {key for row in rows for key in row} - set(keys)
    if unknown:
        raise ValueError(f"table {name}: no column {', '.join(sorted(unknown))}")
    used = set(runs)
    for cell in (cell for row in rows for cell in row.values()):
        several = cell.value if isinstance(cell.value, tuple) else (cell.value,)
        for number in (*several, *(cell.interval or ())):
            if isinstance(number, Value):
                used |= {source.record for source in number.sources}
    cells = tuple(tuple(row.get(key, Cell()) for key in keys) for row in rows)
    return Table(name, tuple(columns), cells, tuple(sorted(used)))


def accuracy_cell(evidence: Evidence, variant: str, split: Split = "test") -> Cell:
    """Mean accuracy of a variant with its interval over seeds and images.

    Without a finished run it is empty, with the note ``diverged`` or ``missing``; if only some runs
    finished, the note is ``some-diverged``.
    """
    mean = evidence.accuracy(variant, split)
    runs = evidence.runs(variant)
    if mean is None:
        return Cell(note="diverged" if runs else "missing")
    ends = accuracy_interval(evidence.sample(variant, split))
    return Cell(
        mean,
        note="" if len(evidence.finished(variant)) == len(runs) else "some-diverged",
        interval=value_pair(ends, "accuracy", evidence.sources((variant,), split)),
    )


def run_accuracy(evidence: Evidence, run: Record) -> Cell:
    """Test accuracy of one run with its interval, which uses the pooled seed variance."""
    if run.test is None:
        return Cell(note="diverged" if run.status == "diverged" else "missing")
    measured = value(run, "test.accuracy", "accuracy")
    ends = accuracy_interval(evidence.of([run]))
    return Cell(measured, interval=value_pair(ends, "accuracy", measured.sources))


def sizes(evidence: Evidence, variant: str) -> dict[str, Cell]:
    """``parameters`` and ``macs`` of a variant; empty without a run."""
    if not evidence.runs(variant):
        return {}
    return {
        "parameters": Cell(evidence.size(variant, "parameters", "count")),
        "macs": Cell(evidence.size(variant, "macs.torchinfo", "macs")),
    }
