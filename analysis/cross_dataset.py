"""The study on several data sets: which findings carry over from one to another."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from analysis.findings import Finding, Verdict, evaluate
from analysis.findings.base import REGISTRY
from analysis.records import Records
from analysis.schema import Basis, CrossDataset
from experiments.datasets import DATASETS, DatasetName

#: ``alike``: supported on every data set, or contradicted on every one; ``reversed``: supported on
#: one and contradicted on another; ``open``: not decided on each; ``untested``: runs are missing.
Outcome = Literal["alike", "reversed", "open", "untested"]


def _basis(records: Records) -> Basis:
    """The numbers of runs and seeds behind the findings of a folder of records."""
    own = {record.id for record in records.extra}
    seeds = [record.config.seed for record in records if record.id not in own]
    return Basis(title=DATASETS[records.dataset].title, runs=len(seeds), seeds=len(set(seeds)))


@dataclass(frozen=True)
class Transfer:
    """The findings on each data set that has records in the same profile.

    False with one data set, where there is nothing to compare.
    """

    findings: Mapping[DatasetName, Mapping[str, Finding]]  # the original's data set first
    bases: tuple[Basis, ...] = ()  # the runs and seeds behind them, in the same order

    def __bool__(self) -> bool:
        return len(self.findings) > 1

    @property
    def names(self) -> tuple[str, ...]:
        """Ids of the findings that apply to any data set, in the order of the report."""
        return tuple(name for name, item in REGISTRY.items() if not item.of_original)

    def outcome(self, name: str) -> Outcome:
        """The joint outcome of a finding over all data sets."""
        verdicts = {findings[name].verdict for findings in self.findings.values()}
        if Verdict.NOT_TESTABLE in verdicts:
            return "untested"
        if {Verdict.SUPPORTED, Verdict.CONTRADICTED} <= verdicts:
            return "reversed"
        return "open" if len(verdicts) > 1 or Verdict.INCONCLUSIVE in verdicts else "alike"

    def summary(self) -> CrossDataset:
        """The part of this that ``results.json`` holds."""
        found = {name: self.outcome(name) for name in self.names}
        return CrossDataset(
            bases=self.bases,
            alike=tuple(name for name, outcome in found.items() if outcome == "alike"),
            reversed=tuple(name for name, outcome in found.items() if outcome == "reversed"),
        )


def compare(
    records: Records, findings: Mapping[str, Finding], others: Mapping[DatasetName, Records]
) -> Transfer:
    """The findings of ``records`` and of those of other data sets (``records.siblings``)."""
    known = {name: other for name, other in others.items() if other and other.dataset == name}
    known[records.dataset] = records
    names = [name for name in DATASETS if name in known]
    found = {n: findings if n == records.dataset else elsewhere(known[n]) for n in names}
    return Transfer(found, tuple(_basis(known[name]) for name in names))


def elsewhere(records: Records) -> dict[str, Finding]:
    """The findings of other records, with the folder's name in the sources of their numbers."""
    folder = records.folder.name

    def moved(finding: Finding) -> Finding:
        effect, ends, p = finding.effect, finding.interval, finding.p
        return dataclasses.replace(
            finding,
            effect=effect and effect.of_folder(folder),
            interval=ends and (ends[0].of_folder(folder), ends[1].of_folder(folder)),
            p=p and p.of_folder(folder),
            values={name: value.of_folder(folder) for name, value in finding.values.items()},
            runs=tuple(f"{folder}/{run}" for run in finding.runs),
        )

    return {name: moved(finding) for name, finding in evaluate(records).items()}
