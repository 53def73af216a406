"""The results table: accuracy and size of the networks, and the original's figures."""

from dataclasses import replace

from analysis import original
from analysis.evidence import Evidence, title
from analysis.statistics import ALPHA, holm
from analysis.tables.base import Cell, Column, Found, Table, accuracy_cell, register, sizes, table
from analysis.values import Source, Value
from experiments import study
from experiments.datasets import USUAL

NETWORKS = study.load().results

COLUMNS = [
    Column("network", "text"),
    Column("accuracy", "accuracy"),
    Column("original_accuracy", "accuracy", original=True),
    Column("parameters", "count"),
    Column("original_parameters", "count", original=True),
    Column("macs", "macs"),
    Column("original_macs", "macs", original=True),
    Column("seeds", "integer"),
]


@register
def results(found: Found) -> Table:
    """The results table. Best and second best are marked as measured; the note ``tied`` marks
    networks than which the best is not shown to be better.

    The original's figures are shown for its own data set only.
    """
    evidence = found.evidence
    stated = original.load().network if evidence.records.dataset == USUAL else {}
    ranked = [network for network in NETWORKS if evidence.finished(network)]
    levels = sorted({evidence.score(network) for network in ranked}, reverse=True)
    tied = _tied(evidence, ranked)
    rows = []
    for network in NETWORKS:
        cell = accuracy_cell(evidence, network)
        if network in ranked:
            place = levels.index(evidence.score(network))
            cell = replace(
                cell,
                mark="best" if place == 0 else "second" if place == 1 else "",
                note=cell.note or ("tied" if network in tied else ""),
            )
        row = {"network": Cell(title(network)), "accuracy": cell, **sizes(evidence, network)}
        if runs := evidence.runs(network):
            sources = tuple(Source(run.id, "config.seed") for run in runs)
            row["seeds"] = Cell(Value(len(runs), "integer", sources))
        if printed := stated.get(network):
            row["original_parameters"] = Cell(original.figure(network, "parameters"))
            row["original_macs"] = Cell(
                original.figure(network, "macs"),
                note="batch-of-four" if printed.macs_images == 4 else "",
            )
            row["original_accuracy"] = Cell(original.figure(network, "accuracy"), mark=printed.mark)
        rows.append(row)
    return table("results", COLUMNS, rows)


def _tied(evidence: Evidence, ranked: list[str]) -> set[str]:
    """Networks than which the best is not significantly better."""
    best = max(ranked, key=evidence.score, default="")
    others = [network for network in ranked if network != best]
    p = holm([evidence.compare(best, other).zero.two_sided for other in others])
    return {other for other, value in zip(others, p, strict=True) if value >= ALPHA}
