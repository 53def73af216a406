"""The strong recipe against the original's, for each network."""

from __future__ import annotations

from analysis.evidence import title
from analysis.records import STRONG
from analysis.tables.base import Cell, Column, Found, Table, accuracy_cell, register, table
from analysis.tables.comparisons import ACCURACY, COMPARED, NETWORK, compared


@register
def strong(found: Found) -> Table:
    """Accuracy and epochs under both recipes, for networks with a run of the strong recipe, or with
    a planned one. ``plain`` is the original's recipe; ``p`` is not corrected.
    """
    evidence = found.evidence
    columns = [
        NETWORK,
        Column("plain_epochs", "integer"),
        Column("plain", "accuracy"),
        Column("epochs", "integer"),
        ACCURACY,
        *COMPARED,
    ]
    planned = {run.rpartition(".s")[0] for run in evidence.records.planned}
    rows = []
    for variant, network in STRONG.items():
        if variant not in planned and not evidence.runs(variant):
            continue
        row = {
            "network": Cell(title(network)),
            "plain_epochs": Cell(evidence.mean(network, "config.epochs", "integer")),
            "plain": accuracy_cell(evidence, network),
            "epochs": Cell(evidence.mean(variant, "config.epochs", "integer")),
            "accuracy": accuracy_cell(evidence, variant),
        }
        rows.append(row | compared(evidence, variant, network))
    return table("strong", columns, rows)
