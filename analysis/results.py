"""From a folder of records to ``analysis/out/<profile>/``: results, figures and tables as files."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl
import pandas as pd

import models
from analysis import ladder, misread, original, protocol
from analysis.constants import CONSTANTS
from analysis.cross_dataset import compare
from analysis.evidence import Evidence, title
from analysis.figures import figures
from analysis.figures.common import theme
from analysis.findings import evaluate
from analysis.findings.base import REGISTRY
from analysis.machines import machines
from analysis.protocol import Protocol
from analysis.records import Records, contents, rungs, siblings, value
from analysis.render import draw
from analysis.schema import (
    MISREAD,
    RESULTS,
    Cell,
    Dataset,
    Figure,
    Finding,
    Layers,
    Network,
    Original,
    Results,
    Run,
    Simulation,
    Table,
)
from analysis.setting import ORIGINAL, command, setting
from analysis.tables import Found, tables
from analysis.values import Value
from experiments import study
from experiments.datasets import DATASETS, USUAL, DatasetName
from experiments.record import Record
from experiments.support.files import sweep, write_atomically
from experiments.support.signals import end_with_parent
from experiments.support.text import printable

_ROOT = Path(__file__).resolve().parent.parent
#: Libraries that results and figures depend on.
_LIBRARIES = ("matplotlib", "numpy", "pydantic", "resvg-py", "scipy", "seaborn", "weasyprint")


# --- Freshness ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Inputs:
    """The files of a folder of records and of neighbouring folders, as read at one moment.

    ``others``: the same profile on other data sets; ``rungs``: other rungs of the budget ladder.
    """

    folder: Path
    files: Mapping[Path, bytes | OSError]
    others: Mapping[DatasetName, Inputs] = field(default_factory=dict)
    rungs: Mapping[str, Inputs] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Inputs:
        """Read every record file, once."""
        others = {name: cls(path, contents(path)) for name, path in siblings(folder).items()}
        beside = {letter: cls(path, contents(path)) for letter, path in rungs(folder).items()}
        return cls(folder, contents(folder), others, beside)

    def records(self) -> Records:
        """The records, validated."""
        beside = {letter: other.records() for letter, other in self.rungs.items()}
        return Records.parse(self.folder, self.files).beside(beside)

    def fingerprint(self) -> str:
        """SHA-256 (hex) of records, code, versions of libraries, and fonts."""
        figures()  # sets the fonts
        digest = hashlib.sha256()
        for folder in (self, *self.others.values(), *self.rungs.values()):
            digest.update(f"{folder.folder.name}\0".encode())
            for path, raw in folder.files.items():
                content = raw if isinstance(raw, bytes) else str(raw).encode()
                digest.update(f"{path.name}\0{len(content)}\0".encode() + content)
        for path in _code():
            content = path.read_bytes()
            digest.update(f"{path.relative_to(_ROOT)}\0{len(content)}\0".encode() + content)
        versions = [platform.python_version(), *map(importlib.metadata.version, _LIBRARIES)]
        digest.update(json.dumps([versions, mpl.rcParams["font.family"]]).encode())
        return digest.hexdigest()


def _code() -> list[Path]:
    """The files that determine the results besides the records: code, settings, figures' texts."""
    found = [*(_ROOT / "analysis").glob("*.json")]
    for folder in ("figures", "diagrams"):
        found += (_ROOT / "templates" / folder).rglob("*.*")
    for package in ("analysis", "experiments", "models"):
        for pattern in ("*.py", "*.toml"):
            found += (_ROOT / package).rglob(pattern)
    return sorted(found)


def is_fresh(out: Path, fingerprint: str) -> bool:
    """Whether a folder holds the results of this fingerprint and every file is unchanged."""
    try:
        made = json.loads((out / RESULTS).read_bytes())
        files = made["files"].items() if made["made_from"] == fingerprint else ()
        return bool(files) and all(_sha256((out / n).read_bytes()) == digest for n, digest in files)
    except (OSError, ValueError, LookupError, TypeError):
        return False


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# --- Making and writing -------------------------------------------------------------------------


def make(inputs: Inputs, out: Path) -> Results:
    """Analyse records and write results, figures and tables, ``results.json`` last."""
    records = inputs.records()
    entries: dict[str, Figure] = {}
    files: dict[str, bytes] = {}
    with ProcessPoolExecutor(_cores(), initializer=end_with_parent) as pool:
        own = {name: records.only(module.runs(records)) for name, module in figures().items()}
        drawn = pool.map(draw, own, own.values())
        made = summarise(records, {name: other.records() for name, other in inputs.others.items()})
        for name, (entry, drawings) in zip(own, drawn, strict=True):
            entries[name] = entry
            files |= {f"figures/{file}": content for file, content in drawings.items()}
    mistakes, bitmap = misread.summary(misread.Misreadings(records), records.dataset)
    files[MISREAD] = bitmap
    for name, table in made.tables.items():
        files[f"tables/{name}.csv"] = as_csv(table).encode()
    sweep(out)
    for name, content in files.items():
        write_atomically(out / name, content)
    results = made.model_copy(
        update={
            "made_from": inputs.fingerprint(),
            "files": {name: _sha256(content) for name, content in files.items()},
            "figures": entries,
            "misread": mistakes,
            "folder": out,
        }
    )
    write_atomically(out / RESULTS, results.model_dump_json(indent=1))
    return results


def _cores() -> int:
    """Processes for drawing figures: at most four, more do not help."""
    available = getattr(os, "sched_getaffinity", None)
    return min(len(available(0)) if available else os.cpu_count() or 1, 4)


def as_csv(table: Table) -> str:
    """A table as CSV: full precision, keys instead of words.

    Intervals have columns ``<key>_low`` and ``<key>_high``. Accuracies and differences are
    fractions, losses in nats, times in seconds.
    """
    texts: dict[str, list[str]] = {}
    for place, column in enumerate(table.columns):
        cells = [row[place] for row in table.rows]
        texts[column.key] = [_raw(cell) for cell in cells]
        if any(cell.interval for cell in cells):
            for end, name in enumerate(("low", "high")):
                texts[f"{column.key}_{name}"] = [
                    repr(cell.interval[end].value) if cell.interval else "" for cell in cells
                ]
    return pd.DataFrame(texts, dtype=object).to_csv(index=False, lineterminator="\n")


def _raw(cell: Cell) -> str:
    if isinstance(cell.value, Value):
        return repr(cell.value.value)
    if isinstance(cell.value, tuple):
        return " ".join(repr(item.value) for item in cell.value)
    text = cell.value or cell.note
    # Quote text that a spreadsheet would interpret as a formula.
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


# --- The summary of the records -----------------------------------------------------------------


def summarise(records: Records, others: Mapping[DatasetName, Records]) -> Results:
    """The results without figures; ``others``: the same profile on other data sets."""
    evidence, findings = Evidence(records), evaluate(records)
    compared = compare(records, findings, others)
    climbed = ladder.climb(records, findings)
    mixed = machines(evidence)
    dataset = DATASETS[records.dataset]
    plan = study.load()
    planned = {run.id for profile in plan.profiles for run in plan.plan(profile)}
    layers = _layers(records)
    return Results(
        made_from="",
        setting=setting(records),
        dataset=Dataset.model_validate(dataset, from_attributes=True),
        original=_original(),
        runs={record.id: _run(record) for record in records},
        networks=_networks(evidence, planned, findings.values(), layers),
        layers=layers,
        planned=tuple(sorted(planned)),
        missing=records.missing,
        extra=tuple(record.id for record in records.extra),
        strong=records.strong,
        refused=tuple(line.removeprefix(f"{records.folder}{os.sep}") for line in records.refused),
        constants=CONSTANTS | _simulated(),
        findings=findings,
        tables=tables(Found(evidence, findings, compared, climbed, mixed)),
        inks={"ink": theme.INK, "ink-2": theme.INK_2, "rule": theme.RULE, "paper": theme.PAPER},
        cross_dataset=compared.summary(),
        ladder=climbed,
        machines=mixed,
        protocol=_protocol(dataset.original),
    )


def _simulated() -> dict[str, Value]:
    """The smallest number of simulated studies behind any row, of levels and of power."""
    found = Simulation.load()
    return {
        "simulated": Value(min(level.worlds for level in found.levels), "integer", ()),
        "simulated_power": Value(min(power.worlds for power in found.powers), "integer", ()),
    }


def _protocol(original: bool) -> Protocol:
    """The protocol; for other data sets than the original's, without findings about its figures."""
    whole = protocol.load()
    kept = {n: e for n, e in whole.finding.items() if original or not REGISTRY[n].of_original}
    return whole.model_copy(update={"finding": kept})


def _original() -> Original:
    rows = original.load().network
    return Original(
        dataset=DATASETS[USUAL].title,
        setting=ORIGINAL,
        claims=tuple(original.load().claim),
        figures={
            name: {field: original.figure(name, field) for field in original.FIELDS}
            for name in rows
        },
    )


def _run(record: Record) -> Run:
    added = {"title": models.NETWORKS[record.config.network].title, "command": command(record)}
    return Run.model_validate(SimpleNamespace(**vars(record), **added), from_attributes=True)


def _networks(
    evidence: Evidence,
    planned: Iterable[str],
    findings: Iterable[Finding],
    layers: tuple[Layers, ...],
) -> dict[str, Network]:
    """Every variant that templates may name: recorded, planned, registered, or of a finding."""
    names = {run.rpartition(".s")[0] for run in planned} | set(models.NETWORKS)
    names |= {record.config.variant for record in evidence.records}
    names |= {variant for finding in findings for variant in finding.missing}
    texts = [table.text for table in layers]
    return {name: _network(evidence, name, texts) for name in sorted(names)}


def _network(evidence: Evidence, variant: str, layers: list[str]) -> Network:
    runs = evidence.records.of(variant)
    if not runs:
        return Network(title=title(variant))
    text = printable(runs[0].network.layers)
    return Network(
        title=title(variant),
        runs=len(runs),
        finished=len(evidence.finished(variant)),
        accuracy=evidence.accuracy(variant),
        validation_accuracy=evidence.accuracy(variant, "validation"),
        parameters=value(runs[0], "network.parameters", "params"),
        macs=value(runs[0], "network.macs.torchinfo", "macs"),
        layers=layers.index(text) if text in layers else None,
    )


def _layers(records: Records) -> tuple[Layers, ...]:
    """One layer table for each different network, under the shortest name of its variants."""
    found: dict[str, Layers] = {}
    for record in sorted(records, key=lambda run: (len(run.config.variant), run.id)):
        text, name = printable(record.network.layers), record.config.variant
        if text and text not in found:
            source = f"{record.id} network.layers"
            found[text] = Layers(name=name, title=title(name), source=source, text=text)
    return tuple(sorted(found.values(), key=lambda layers: layers.name))
