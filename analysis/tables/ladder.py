"""The findings at several training budgets side by side."""

from __future__ import annotations

from analysis.schema import Ladder
from analysis.tables.base import Cell, Column, Table, table


def ladder(climbed: Ladder) -> Table:
    """Verdict and effect at every rung, for findings that are testable at two or more."""
    columns = [Column("claim", "claim", {"zh": "论断", "en": "Claim"})]
    for rung in climbed.rungs:
        columns += [
            Column(
                f"{rung.letter.lower()}_verdict",
                "verdict",
                {"zh": rung.letter, "en": rung.letter},
            ),
            Column(f"{rung.letter.lower()}_effect", "value", {"zh": "效应", "en": "Effect"}),
        ]
    columns.append(Column("outcome", "word", {"zh": "比较", "en": "Together"}))
    rows = []
    for name, climb in climbed.findings.items():
        if climb.outcome != "single":
            row = {"claim": Cell(name), "outcome": Cell(climb.outcome)}
            for letter, step in climb.steps.items():
                row[f"{letter.lower()}_verdict"] = Cell(step.verdict.value)
                row[f"{letter.lower()}_effect"] = Cell(step.effect, interval=step.interval)
            rows.append(row)
    return table("ladder", columns, rows)
