"""The findings: on these records, on several data sets, and at several training budgets."""

from collections.abc import Iterable, Mapping

from analysis import original
from analysis.findings import Finding, Verdict
from analysis.findings.base import REGISTRY
from analysis.schema import Step
from analysis.tables.base import Cell, Column, Found, Table, register, table
from experiments.datasets import DATASETS, USUAL

COLUMNS = [
    Column("claim", "claim"),
    Column("original", "value", original=True),
    Column("verdict", "verdict"),
    Column("effect", "value"),
    Column("p", "p"),
    Column("test", "word"),
    Column("seeds", "integer"),
]


@register
def claims(found: Found) -> Table:
    """The claims in the order of the report, those of the original with its figures.

    For other data sets than the original's, without the original's figures and claims about them.
    """
    dataset = found.evidence.records.dataset
    listed = original.load().claim if dataset == USUAL else {}
    rows, runs = [], set()
    for name, finding in found.findings.items():
        if dataset != USUAL and REGISTRY[name].of_original:
            continue
        row = {"claim": Cell(name), "verdict": Cell(finding.verdict.value)}
        if name in listed and listed[name].figures:
            claim = listed[name]
            row["original"] = Cell(claim.values(), names=claim.networks())
        elif name in listed:
            row["original"] = Cell(note=listed[name].basis)
        if finding.verdict is not Verdict.NOT_TESTABLE:
            row |= {
                "effect": Cell(finding.effect, interval=finding.interval, finding=name),
                "p": Cell(finding.p),
                "test": Cell(finding.test),
                "seeds": Cell(finding.values["seeds"]),
            }
        runs |= set(finding.runs)
        rows.append(row)
    return table("claims", COLUMNS, rows, tuple(runs))


def _side_by_side(
    name: str,
    titles: Mapping[str, str],
    rows: Mapping[str, tuple[str, Mapping[str, Finding | Step]]],
    runs: Iterable[str] = (),
) -> Table:
    """Verdicts and effects in several places, whose titles are given by key.

    ``rows``: by finding, the joint outcome and what was found at each place.
    """
    columns = [Column("claim", "claim")]
    for place, title in titles.items():
        columns += [
            Column(f"{place}_verdict", "verdict", head="name", name=title),
            Column(f"{place}_effect", "value", head="effect"),
        ]
    columns.append(Column("outcome", "word"))
    cells = []
    for finding, (outcome, places) in rows.items():
        row = {"claim": Cell(finding), "outcome": Cell(outcome)}
        for place, found in places.items():
            row[f"{place}_verdict"] = Cell(found.verdict.value)
            row[f"{place}_effect"] = Cell(found.effect, interval=found.interval)
        cells.append(row)
    return table(name, columns, cells, tuple(runs))


@register
def transfer(found: Found) -> Table:
    """The findings that are testable on every data set. No rows with one data set."""
    compared = found.transfer
    rows, runs = {}, set()
    for name in compared.names if compared else ():
        places = {DATASETS[place].slug: own[name] for place, own in compared.findings.items()}
        if all(item.verdict is not Verdict.NOT_TESTABLE for item in places.values()):
            rows[name] = compared.outcome(name), places
            runs |= {run for item in places.values() for run in item.runs}
    titles = {DATASETS[name].slug: DATASETS[name].title for name in compared.findings}
    return _side_by_side("transfer", titles, rows, runs)


@register
def ladder(found: Found) -> Table:
    """The findings that are testable at two rungs of the budget ladder or more."""
    rows = {
        name: (item.outcome, {letter.lower(): step for letter, step in item.steps.items()})
        for name, item in found.ladder.findings.items()
        if item.outcome != "single"
    }
    letters = [rung.letter for rung in found.ladder.rungs]
    return _side_by_side("ladder", {letter.lower(): letter for letter in letters}, rows)
