"""Networks that ran on two kinds of machine."""

from __future__ import annotations

from analysis.tables.base import Cell, Column, Found, Table, register, table
from analysis.tables.comparisons import NETWORK, RATIO


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
