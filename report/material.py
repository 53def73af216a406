"""What a report is made of before any prose: records, findings, tables and drawn figures."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.records import Records
from experiments.stopping import end_with_parent
from experiments.storage import write_atomically
from report.errors import ROOT
from report.inputs import CACHE, material_key
from report.numbers import Lang

if TYPE_CHECKING:
    from analysis.findings import Finding
    from analysis.tables import Table
    from analysis.transfer import Transfer

#: So many folders of records have their findings and figures kept.
_KEPT = 8


@dataclass(frozen=True)
class Art:
    """One drawn figure.

    Attributes:
        svg: the drawing in each language, in the analysis's own ink colours; empty where there is
            nothing to draw.
        alt: what it shows on these records, in each language; empty likewise.
        runs: ids of the records that it is drawn from.
        code: the file that draws it, relative to the project's folder.
    """

    svg: Mapping[Lang, str]
    alt: Mapping[Lang, str]
    runs: tuple[str, ...]
    code: str


@dataclass(frozen=True)
class Material:
    """All of it, of one folder of records."""

    records: Records
    findings: Mapping[str, Finding]
    tables: Mapping[str, Table]
    figures: Mapping[str, Art]
    transfer: Transfer


def load(results: Path) -> Material:
    """The material of a folder of records: made now, or kept from the last time.

    The copies kept are pickles in the project's own ``.cache``, as trusted as its code.
    """
    key = material_key(results)
    path = CACHE / f"{key}.pickle"
    try:
        with path.open("rb") as file:
            kept: Material = pickle.load(file)
        os.utime(path)
        return kept
    except Exception:
        # none, or torn, or of other classes: whatever it is, make it anew
        made = _make(results)
    if material_key(results) != key:
        return made  # a record came in meanwhile: nobody knows whether it is in there
    write_atomically(path, pickle.dumps(made))
    kept_files = sorted(CACHE.glob("*.pickle"), key=lambda file: file.stat().st_mtime)
    for old in kept_files[:-_KEPT]:
        old.unlink(missing_ok=True)
    return made


def _make(results: Path) -> Material:
    from analysis.figures import figures
    from analysis.findings import evaluate
    from analysis.tables import tables
    from analysis.transfer import compare

    records = Records.load(results)
    findings = evaluate(records)
    modules = figures()
    with workers() as pool:
        drawn = {name: pool.submit(_draw, name, records, findings) for name in modules}
        compared = compare(records, findings)
        made = tables(records, findings, compared)
        art = {name: future.result() for name, future in drawn.items()}
    return Material(records, findings, made, art, compared)


def _draw(name: str, records: Records, findings: Mapping[str, Finding]) -> Art:
    from analysis.figures import figures
    from report.figures import draw

    module = figures()[name]
    svg, alt = draw(module, records, findings)
    code = Path(str(module.__file__)).resolve()
    shown = code.relative_to(ROOT).as_posix() if code.is_relative_to(ROOT) else code.name
    return Art(svg, alt, tuple(module.runs(records)), shown)


@contextmanager
def workers(count: int = 2) -> Iterator[ProcessPoolExecutor]:
    """Processes to share work among; where forking is safe they start at once. Where the caller is
    stopped, or fails, they end at once."""
    method = "fork" if sys.platform == "linux" else "spawn"
    context = multiprocessing.get_context(method)
    pool = ProcessPoolExecutor(count, mp_context=context, initializer=end_with_parent)
    try:
        yield pool
    except BaseException:
        for worker in multiprocessing.active_children():
            worker.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
