"""What a report is made of before any prose: records, findings, tables and drawn figures."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from analysis.records import Records
from experiments.stopping import end_with_parent, heed
from experiments.storage import write_atomically
from report.errors import ROOT
from report.inputs import CACHE, Snapshot, figure_key
from report.numbers import Lang

if TYPE_CHECKING:
    from analysis.findings import Finding
    from analysis.tables import Table
    from analysis.transfer import Transfer

_Kept = TypeVar("_Kept")
#: So many folders of records have their findings kept, and so many figures their drawings.
_KEPT_FOLDERS, KEPT_FIGURES = 8, 100

#: Figures that load the libraries of statistics, as the findings do: so one process loads them.
_LATE = ("residual", "operators", "depth", "pareto", "accuracy", "confusion", "se-weights")


@dataclass(frozen=True)
class Art:
    """One drawn figure.

    Attributes:
        svg: the drawing in each language, in the analysis's own ink colours; empty where there is
            nothing to draw.
        png: the same as a bitmap; empty likewise.
        alt: what it shows on these records, in each language; empty likewise.
        runs: ids of the records that it is drawn from.
        code: the file that draws it, relative to the project's folder.
        key: what it is kept by.
    """

    svg: Mapping[Lang, str]
    png: Mapping[Lang, bytes]
    alt: Mapping[Lang, str]
    runs: tuple[str, ...]
    code: str
    key: str


@dataclass(frozen=True)
class Material:
    """All of it, of one folder of records."""

    records: Records
    findings: Mapping[str, Finding]
    tables: Mapping[str, Table]
    figures: Mapping[str, Art]
    transfer: Transfer


@dataclass(frozen=True)
class _Analysed:
    """What is kept of a folder of records: all but the drawings, which have files of their own."""

    records: Records
    findings: Mapping[str, Finding]
    tables: Mapping[str, Table]
    transfer: Transfer
    figures: Mapping[str, str]  # names, and the keys that the drawings are kept by

    def with_figures(self, figures: Mapping[str, Art]) -> Material:
        """The whole of it."""
        return Material(self.records, self.findings, self.tables, figures, self.transfer)


def load(snapshot: Snapshot) -> Material:
    """The material of a folder of records: made now, or kept from the last time.

    Each figure is kept by itself and drawn anew only if one of its own records has changed. The
    copies kept are pickles in the project's own ``.cache``, as trusted as its code.

    """
    kept = unpickled(_analysed_file(snapshot), _Analysed)
    if kept is not None:
        art = {name: _drawn(key) for name, key in kept.figures.items()}
        figures = {name: found for name, found in art.items() if found is not None}
        if len(figures) == len(art):
            return kept.with_figures(figures)
    return _make(snapshot, kept)


def _make(snapshot: Snapshot, kept: _Analysed | None) -> Material:
    from analysis.figures import figures

    records = kept.records if kept else snapshot.records()
    keys: dict[str, str] = {}
    for name, module in figures().items():
        shown = [(run, snapshot.digests[run]) for run in module.runs(records)]
        keys[name] = figure_key(name, f"{records.profile} {records.dataset}", shown)
    art = {name: _drawn(key) for name, key in keys.items()}
    stale = sorted((name for name in keys if art[name] is None), key=_LATE.__contains__)
    jobs: dict[str, Future[Any]] = {}
    waiting, one_takes = deque(stale), threading.Lock()
    count = max(1, cores() - 1)
    with workers(records, count) as submit:

        def hand_out(last: Future[Any] | None = None) -> None:
            """Give a worker the next figure when it has drawn its last. Were all given at once and
            taken back, a worker's death would leave Python waiting for those taken back."""
            if last and (last.cancelled() or last.exception()):
                return
            with one_takes:
                if not waiting:
                    return
                name = waiting.popleft()
                job = jobs[name] = submit(_draw, name, keys[name])
            job.add_done_callback(hand_out)

        for _ in range(count):
            hand_out()
        if kept is None:
            kept = _analyse(snapshot, records, keys)
            keep(_analysed_file(snapshot), kept, _KEPT_FOLDERS)
        while True:  # the workers began at the other end
            with one_takes:
                if not waiting:
                    break
                name = waiting.pop()
            art[name] = _draw(records, name, keys[name])
        made = {name: art[name] or jobs[name].result() for name in keys}
    return kept.with_figures(made)


def _analyse(snapshot: Snapshot, records: Records, keys: Mapping[str, str]) -> _Analysed:
    from analysis.findings import evaluate
    from analysis.tables import tables
    from analysis.transfer import compare

    findings = evaluate(records)
    others = {dataset: other.records() for dataset, other in snapshot.others.items()}
    compared = compare(records, findings, others)
    return _Analysed(records, findings, tables(records, findings, compared), compared, keys)


def _draw(records: Records, name: str, key: str) -> Art:
    """Draw a figure from its own records, so that it cannot depend on any other, and keep it."""
    from analysis.figures import figures
    from report.figures import draw

    module = figures()[name]
    runs = module.runs(records)
    drawing = draw(module, records.only(runs))
    code = Path(str(module.__file__)).resolve()
    shown = code.relative_to(ROOT).as_posix() if code.is_relative_to(ROOT) else code.name
    art = Art(drawing.svg, drawing.png, drawing.alt, tuple(runs), shown, key)
    keep(_drawn_file(key), art, KEPT_FIGURES)
    return art


# --- What is kept -------------------------------------------------------------------------------


def _analysed_file(snapshot: Snapshot) -> Path:
    return CACHE / "analysed" / f"{snapshot.key}.pickle"


def _drawn_file(key: str) -> Path:
    return CACHE / "drawn" / f"{key}.pickle"


def printed_file(key: str) -> Path:
    """Where a figure's PDFs are kept."""
    return CACHE / "printed" / f"{key}.pickle"


def _drawn(key: str) -> Art | None:
    return unpickled(_drawn_file(key), Art)


def unpickled(path: Path, kind: type[_Kept]) -> _Kept | None:
    """What was kept in a file; None where it is not there or cannot be read."""
    try:
        with path.open("rb") as file:
            kept = pickle.load(file)
        os.utime(path)
    except Exception:
        return None  # none, or torn, or of other classes: whatever it is, it is made anew
    return kept if isinstance(kept, kind) else None


def keep(path: Path, made: object, count: int) -> None:
    """Keep a thing, and of its like as many as were used last."""
    heed()
    write_atomically(path, pickle.dumps(made, protocol=pickle.HIGHEST_PROTOCOL))
    used = []
    for file in path.parent.glob("*.pickle"):
        try:
            used.append((file.stat().st_mtime, file))
        except FileNotFoundError:
            continue  # another process was faster
    for _, old in sorted(used)[:-count]:
        old.unlink(missing_ok=True)


# --- Processes to share work among --------------------------------------------------------------

_shared: Any = None


def cores() -> int:
    """Processors that this process may use; more than four would find nothing to do."""
    return min(len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1, 4)


@contextmanager
def workers(shared: object, count: int = 2) -> Iterator[Callable[..., Future[Any]]]:
    """Processes to share work among; ``submit(function, ...)`` calls ``function(shared, ...)``.

    What is shared is there from the start: where processes fork, it is never copied. Where the
    caller is stopped, or fails, they end at once.
    """
    method = "fork" if sys.platform == "linux" else "spawn"
    context = multiprocessing.get_context(method)
    pool = ProcessPoolExecutor(count, context, initializer=_start, initargs=(shared,))

    def submit(function: Callable[..., Any], *arguments: object) -> Future[Any]:
        return pool.submit(_call, function, *arguments)

    try:
        yield submit
    except BaseException:
        for worker in multiprocessing.active_children():
            worker.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _start(shared: object) -> None:
    global _shared  # noqa: PLW0603 - a process's own
    end_with_parent()
    _shared = shared


def _call(function: Callable[..., Any], *arguments: object) -> Any:
    return function(_shared, *arguments)
