"""What tables are made from, and the cells that they share.

Notes and words are keys of ``templates/labels.toml``; heads of columns are words of
``templates/tables.toml``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from analysis.cross_dataset import Transfer
from analysis.evidence import Evidence
from analysis.schema import Cell, Column, Finding, Ladder, Machines, Table
from analysis.statistics import accuracy_interval
from analysis.true_labels import Split
from analysis.values import Source, Value
from experiments.record import Record

__all__ = ["Cell", "Column", "Table"]


@dataclass(frozen=True)
class Found:
    """The results of the analysis before tables are made of them.

    Attributes:
        evidence: the records of one folder.
        findings: their findings.
        transfer: the findings on several data sets.
        ladder: the findings at several rungs of the budget ladder.
        machines: the kinds of machine that the records come from.
    """

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

    Without a finished run it is empty, with the note ``diverged`` or ``missing``; if only some runs
    finished, the note is ``some-diverged``.
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


def run_accuracy(evidence: Evidence, run: Record) -> Cell:
    """Test accuracy of one run with its interval, which uses the pooled seed variance."""
    if run.test is None:
        return Cell(note="diverged" if run.status == "diverged" else "missing")
    low, high = accuracy_interval(evidence.of([run]))
    sources = (Source(run.id, "test.accuracy"),)
    return Cell(
        Value(run.test.accuracy, "accuracy", sources),
        interval=(Value(low, "accuracy", sources), Value(high, "accuracy", sources)),
    )
