"""The tables of the report, computed from records and findings."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.cross_dataset import Transfer
from analysis.evidence import Evidence
from analysis.findings import Finding
from analysis.records import Records
from analysis.schema import Ladder, Machines, Simulation
from analysis.tables.base import Cell, Column, Table
from analysis.tables.claims import claims, ladder, transfer
from analysis.tables.comparisons import attention, operators, softmax, widths
from analysis.tables.machines import machines
from analysis.tables.results import results
from analysis.tables.simulation import levels, power
from analysis.tables.strong import strong
from analysis.tables.study import all_runs, own_experiments, recipes

__all__ = ["Cell", "Column", "Table", "tables"]


def tables(
    records: Records,
    findings: Mapping[str, Finding],
    compared: Transfer | None = None,
    climbed: Ladder | None = None,
    mixed: Machines | None = None,
) -> dict[str, Table]:
    """Every table by id.

    Args:
        records: the records of one folder.
        findings: the findings of ``records``.
        compared: the findings on several data sets.
        climbed: the findings at several rungs of the budget ladder.
        mixed: the kinds of machine that the records come from.
    """
    evidence, simulation = Evidence(records), Simulation.load()
    made = (
        results(evidence),
        operators(evidence),
        softmax(evidence),
        attention(evidence),
        widths(evidence),
        strong(evidence),
        recipes(evidence),
        claims(findings, records.dataset),
        transfer(compared or Transfer({records.dataset: findings})),
        ladder(climbed or Ladder()),
        machines(mixed or Machines()),
        levels(simulation),
        power(simulation),
        own_experiments(evidence),
        all_runs(evidence),
    )
    return {item.id: item for item in made}
