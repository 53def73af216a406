"""The claims of the original and the errors that it overlooked, with verdict and evidence."""

from __future__ import annotations

from collections.abc import Mapping

from analysis import original
from analysis.findings import Finding, Verdict
from analysis.findings.base import REGISTRY
from analysis.tables.base import Cell, Column, Table, table
from experiments.datasets import USUAL, DatasetName

COLUMNS = [
    Column("claim", "claim", {"zh": "论断", "en": "Claim"}),
    Column("original", "value", {"zh": "原报告的依据", "en": "Original's figures"}, original=True),
    Column("verdict", "verdict", {"zh": "判断", "en": "Verdict"}),
    Column("effect", "value", {"zh": "效应", "en": "Effect"}),
    Column("p", "p", {"zh": "p 值（校正后）", "en": "p, corrected"}),
    Column("test", "word", {"zh": "检验", "en": "Test"}),
    Column("seeds", "integer", {"zh": "运行数", "en": "Runs"}),
]


def claims(findings: Mapping[str, Finding], dataset: DatasetName) -> Table:
    """The original's claims in the order of its text, then what it overlooked.

    For other data sets than the original's, without the original's figures and claims about them.
    """
    listed = original.load().claim if dataset == USUAL else {}
    rows, runs = [], set()
    for name, finding in findings.items():
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
