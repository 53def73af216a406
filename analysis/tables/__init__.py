"""The tables of the report, computed from records and findings."""

from __future__ import annotations

from analysis.evidence import Evidence
from analysis.findings import Finding
from analysis.records import Records
from analysis.tables.claims import claims
from analysis.tables.comparisons import attention, operators, softmax, widths
from analysis.tables.model import NOTES, WORDS, Cell, Column, Table
from analysis.tables.results import results
from analysis.tables.strong import strong
from analysis.tables.study import own_experiments, recipes

__all__ = ["NOTES", "WORDS", "Cell", "Column", "Table", "tables"]


def tables(records: Records, findings: dict[str, Finding]) -> dict[str, Table]:
    """Every table by id."""
    evidence = Evidence(records)
    made = (
        results(evidence),
        operators(evidence),
        softmax(evidence),
        attention(evidence),
        widths(evidence),
        strong(evidence),
        recipes(evidence),
        claims(findings),
        own_experiments(evidence),
    )
    return {item.id: item for item in made}
