"""The findings on several data sets side by side."""

from __future__ import annotations

from analysis.cross_dataset import Transfer
from analysis.findings import Verdict
from analysis.tables.base import Cell, Column, Table, table
from experiments.datasets import DATASETS


def transfer(compared: Transfer) -> Table:
    """The findings that are testable on every data set: verdicts, effects, joint outcome.

    No rows with one data set.
    """
    columns = [Column("claim", "claim", {"zh": "论断", "en": "Claim"})]
    for name in compared.findings:
        slug, title = DATASETS[name].slug, DATASETS[name].title
        columns += [
            Column(f"{slug}_verdict", "verdict", {"zh": title, "en": title}),
            Column(f"{slug}_effect", "value", {"zh": "效应", "en": "Effect"}),
        ]
    columns.append(Column("outcome", "word", {"zh": "比较", "en": "Together"}))
    rows, runs = [], set()
    for finding in compared.names if compared else ():
        verdicts = [findings[finding].verdict for findings in compared.findings.values()]
        if Verdict.NOT_TESTABLE in verdicts:
            continue
        row = {"claim": Cell(finding), "outcome": Cell(compared.outcome(finding))}
        for name, findings in compared.findings.items():
            slug, found = DATASETS[name].slug, findings[finding]
            row[f"{slug}_verdict"] = Cell(found.verdict.value)
            row[f"{slug}_effect"] = Cell(found.effect, interval=found.interval)
            runs |= set(found.runs)
        rows.append(row)
    return table("transfer", columns, rows, tuple(runs))
