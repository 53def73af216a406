"""The simulation of the tests: their levels and their power."""

from __future__ import annotations

from analysis import original, protocol
from analysis.schema import Simulation
from analysis.simulation import holds
from analysis.tables.base import Cell, Column, Found, Table, register, table
from analysis.values import Value

#: Suffixes of tests of single measurements under other conditions, which share a row.
_CONDITIONS = ("-unequal", "-diverged", "-ratios")


def _share(part: int, whole: int) -> Value:
    return Value(part / whole, "share", ())


def _runs(counts: set[int]) -> list[Column]:
    return [
        Column(f"runs_{count}", "share", head="runs" if count > 1 else "one_run", name=str(count))
        for count in sorted(counts)
    ]


@register
def levels(_: Found) -> Table:
    """Share of worlds with a wrong decision, by kind of test and by runs per network.

    The share is the highest over the findings or conditions simulated; ``conditions`` counts these.
    """
    simulation = Simulation.load()
    rows: dict[str, dict[int, list[Value]]] = {}
    for level in simulation.levels:
        entry = protocol.load().finding.get(level.test)
        kind = entry.statistic if entry else level.test
        if level.truth == "noisy":
            kind = "noisy"
        for suffix in _CONDITIONS:
            kind = kind.removesuffix(suffix)
        found = rows.setdefault(kind, {}).setdefault(level.runs, [])
        found.append(_share(level.wrong, level.worlds))
    columns = [
        Column("test", "word"),
        Column("conditions", "integer"),
        *_runs({level.runs for level in simulation.levels}),
    ]
    return table(
        "levels",
        columns,
        [
            {
                "test": Cell(f"test-{kind}"),
                "conditions": Cell(Value(max(map(len, row.values())), "integer", ())),
                **{
                    f"runs_{runs}": Cell(max(shares, key=lambda share: share.value))
                    for runs, shares in row.items()
                },
            }
            for kind, row in rows.items()
        ],
    )


@register
def power(_: Found) -> Table:
    """Share of worlds in which each claim is supported if the original is right."""
    simulation = Simulation.load()
    rows: dict[str, dict[str, Cell]] = {}
    for item in simulation.powers:
        row = rows.setdefault(item.finding, {"claim": Cell(item.finding)})
        stated = original.load().claim[item.finding].basis == "table"
        note = ("" if stated else "assumed") if holds(item.finding) else "beyond-margin"
        row[f"runs_{item.runs}"] = Cell(_share(item.supported, item.worlds), note=note)
    columns = [
        Column("claim", "claim"),
        *_runs({item.runs for item in simulation.powers}),
    ]
    return table("power", columns, list(rows.values()))
