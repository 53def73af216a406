"""How tables are made from records. Notes and words are keys of ``templates/labels.toml``."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.evidence import Evidence
from analysis.labels import Split
from analysis.schema import Cell, Column, Table
from analysis.statistics import seed_interval, wilson
from analysis.values import Source, Value
from experiments.record import Record

__all__ = ["Cell", "Column", "Table"]


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
