"""The simulation of the tests: their levels and their power."""

from collections.abc import Sequence

from analysis import original, protocol
from analysis.schema import Level, Power, Simulation
from analysis.simulation import holds
from analysis.tables.base import Cell, Column, Found, Table, register, table
from analysis.values import Value

#: Suffixes of tests of single measurements under other conditions, which share a row.
_CONDITIONS = ("-unequal", "-diverged", "-ratios")


def _share(part: int, whole: int) -> Value:
    return Value(part / whole, "share", ())


def _runs(simulated: Sequence[Level | Power]) -> list[Column]:
    return [
        Column(f"runs_{count}", "share", head="runs" if count > 1 else "one_run", name=str(count))
        for count in sorted({item.runs for item in simulated})
    ]


@register
def levels(_: Found) -> Table:
    """Share of worlds with a wrong decision, by kind of test and by runs per network.

    The share is the highest over the findings or conditions simulated; ``conditions`` counts these.
    """
    simulated = Simulation.load().levels
    kinds: dict[str, dict[int, list[Level]]] = {}
    for level in simulated:
        entry = protocol.load().finding.get(level.test)
        kind = entry.statistic if entry else level.test
        if level.truth == "noisy":
            kind = "noisy"
        for suffix in _CONDITIONS:
            kind = kind.removesuffix(suffix)
        kinds.setdefault(kind, {}).setdefault(level.runs, []).append(level)
    rows = []
    for kind, found in kinds.items():
        conditions = max(map(len, found.values()))
        row = {"test": Cell(f"test-{kind}"), "conditions": Cell(Value(conditions, "integer", ()))}
        for runs, alike in found.items():
            worst = max(alike, key=lambda level: level.wrong / level.worlds)
            row[f"runs_{runs}"] = Cell(_share(worst.wrong, worst.worlds))
        rows.append(row)
    columns = [Column("test", "word"), Column("conditions", "integer"), *_runs(simulated)]
    return table("levels", columns, rows)


@register
def power(_: Found) -> Table:
    """Share of worlds in which each claim is supported if the original is right."""
    simulated = Simulation.load().powers
    rows: dict[str, dict[str, Cell]] = {}
    for item in simulated:
        row = rows.setdefault(item.finding, {"claim": Cell(item.finding)})
        stated = original.load().claim[item.finding].basis == "table"
        note = ("" if stated else "assumed") if holds(item.finding) else "beyond-margin"
        row[f"runs_{item.runs}"] = Cell(_share(item.supported, item.worlds), note=note)
    return table("power", [Column("claim", "claim"), *_runs(simulated)], [*rows.values()])
