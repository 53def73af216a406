"""The study on several data sets: which findings carry over from one to another."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from analysis.findings import Finding, Verdict, evaluate
from analysis.findings.base import REGISTRY
from analysis.records import Records
from analysis.schema import Basis, CrossDataset
from analysis.values import Value
from experiments.datasets import DATASETS, DatasetName

#: ``alike``: supported on every data set, or contradicted on every one; ``reversed``: supported on
#: one and contradicted on another; ``open``: not decided on each; ``untested``: runs are missing.
Outcome = Literal["alike", "reversed", "open", "untested"]


def _basis(records: Records) -> Basis:
    """What the findings of a folder of records rest on."""
    own = {record.id for record in records.extra}
    seeds = [record.config.seed for record in records if record.id not in own]
    return Basis(title=DATASETS[records.dataset].title, runs=len(seeds), seeds=len(set(seeds)))


@dataclass(frozen=True)
class Transfer:
    """What the study finds on each data set that there are records of, in the same profile.

    False where there is only one, and so nothing to compare.

    Attributes:
        findings: by data set, the original's first.
        bases: what they rest on, in the same order.
    """

    findings: Mapping[DatasetName, Mapping[str, Finding]]
    bases: tuple[Basis, ...] = ()

    def __bool__(self) -> bool:
        return len(self.findings) > 1

    @property
    def names(self) -> tuple[str, ...]:
        """Ids of the findings that can be asked of any data set, in the order of the report."""
        return tuple(name for name, item in REGISTRY.items() if not item.of_original)

    def outcome(self, name: str) -> Outcome:
        """How a finding came out on all of them together."""
        verdicts = {findings[name].verdict for findings in self.findings.values()}
        if Verdict.NOT_TESTABLE in verdicts:
            return "untested"
        if {Verdict.SUPPORTED, Verdict.CONTRADICTED} <= verdicts:
            return "reversed"
        if Verdict.INCONCLUSIVE in verdicts:
            return "open"
        return "alike" if len(verdicts) == 1 else "open"

    @property
    def alike(self) -> tuple[str, ...]:
        """Ids of the findings that carry over."""
        return tuple(name for name in self.names if self.outcome(name) == "alike")

    @property
    def reversed(self) -> tuple[str, ...]:
        """Ids of the findings that are supported on one data set and contradicted on another."""
        return tuple(name for name in self.names if self.outcome(name) == "reversed")

    def summary(self) -> CrossDataset:
        """What the results keep of it."""
        return CrossDataset(bases=self.bases, alike=self.alike, reversed=self.reversed)


def compare(
    records: Records, findings: Mapping[str, Finding], others: Mapping[DatasetName, Records]
) -> Transfer:
    """These findings, and those on other data sets.

    Args:
        records: these.
        findings: of these.
        others: the records that lie in folders beside these; see ``analysis.records.siblings``.
    """
    found: dict[DatasetName, Mapping[str, Finding]] = {records.dataset: findings}
    bases = {records.dataset: _basis(records)}
    for dataset, other in others.items():
        if len(other) and other.dataset == dataset != records.dataset:
            found[dataset] = {
                name: elsewhere(item, other.folder.name) for name, item in evaluate(other).items()
            }
            bases[dataset] = _basis(other)
    names = [name for name in DATASETS if name in found]
    return Transfer({name: found[name] for name in names}, tuple(bases[name] for name in names))


def elsewhere(finding: Finding, folder: str) -> Finding:
    """A finding whose numbers say in which other folder their records lie."""

    def moved(value: Value | None) -> Value | None:
        return None if value is None else value.of_folder(folder)

    ends = finding.interval
    return dataclasses.replace(
        finding,
        effect=moved(finding.effect),
        interval=None if ends is None else (ends[0].of_folder(folder), ends[1].of_folder(folder)),
        p=moved(finding.p),
        values={name: value.of_folder(folder) for name, value in finding.values.items()},
        runs=tuple(f"{folder}/{run}" for run in finding.runs),
    )
