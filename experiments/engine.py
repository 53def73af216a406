"""Do many runs on this machine: which, in what order, side by side, and show how it goes.

Each run is a process of its own, so that one that is killed or runs out of memory takes nothing
with it. A record is written by its run, atomically, the moment it is done.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from experiments import checkpoint
from experiments.config import Config
from experiments.costs import gpu_share, has_bf16
from experiments.costs import seconds as expected_seconds
from experiments.display import Display
from experiments.job import Job
from experiments.record import RESULTS, RecordError, read
from experiments.run_child import run_child
from experiments.stopping import heed, start_server
from experiments.storage import exclusive
from experiments.study import Planned, has_gpu
from experiments.versions import is_fresh


class Unwritable(Exception):
    """A record could not be written, so that it makes no sense to train on; one line says why."""


@dataclass
class Outcome:
    """What became of the runs: ids done in this call, and ids that failed with their reasons."""

    done: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


#: How runs are done: those to do (the first first), their profile, where to show and note it.
Supervise = Callable[[list[Planned], str, Display, Outcome], None]


def why_stale(planned: Planned, folder: Path) -> str | None:
    """Why a run must be trained: missing, stale, unreadable, failed; None where it is fresh."""
    path = folder / f"{planned.id}.json"
    if not path.exists():
        return "missing"
    try:
        record = read(path)
    except RecordError:
        return "unreadable"
    if not is_fresh(record.fingerprint, planned.config):
        return "stale"
    return "failed" if record.status == "failed" else None


def needed(plan: list[Planned], folder: Path) -> dict[str, str]:
    """The ids of the runs that must be trained, with the reasons."""
    reasons = {planned.id: why_stale(planned, folder) for planned in plan}
    return {run: reason for run, reason in reasons.items() if reason is not None}


def train_all(
    plan: list[Planned], profile: str, *, again: bool = False, supervise: Supervise | None = None
) -> Outcome:
    """Train what is missing or stale of a plan (``again``: all of it), on this machine unless
    another way is given.

    Raises:
        Unwritable: a record could not be written; the running processes have ended.
        OSError: the folder of records cannot be written to.
        acquire.DataError: there are runs to do and no data.
    """
    folder = RESULTS / profile
    outcome = Outcome()
    asked = time.time()
    if not again and not needed(plan, folder) and not _outlived(plan, profile):
        return outcome

    def wait_for(holder: str) -> None:
        display.note(f"process {holder} is training profile {profile}: waiting for it")

    with Display() as display, exclusive(folder / ".lock", wait_for):
        # Another process may have done some while this one waited.
        since = {p.id for p in plan if again and not _done_since(asked, folder / f"{p.id}.json")}
        todo = [p for p in plan if p.id in since or why_stale(p, folder)]
        for path in _outlived([p for p in plan if p not in todo], profile):
            path.unlink(missing_ok=True)
        if not todo:
            return outcome
        # Seed by seed, so that a study cut short is whole with fewer seeds; within a seed the
        # longest first, so that no long run is left to end alone.
        todo = sorted(todo, key=lambda p: (p.config.seed, -expected_seconds(p.config)))
        (supervise or on_this_machine)(todo, profile, display, outcome)
    return outcome


def _done_since(moment: float, path: Path) -> bool:
    return path.exists() and path.stat().st_mtime > moment


def _outlived(plan: list[Planned], profile: str) -> list[Path]:
    """Checkpoints of runs whose records are in: a kill came between the two."""
    folder = checkpoint.FOLDER / profile
    runs = {path.name.rsplit(".", 2)[0] for path in folder.glob("*.pt")}
    done = [p.id for p in plan if p.id in runs and not why_stale(p, RESULTS / profile)]
    return [path for run in done for path in checkpoint.files(folder, run)]


def on_this_machine(todo: list[Planned], profile: str, display: Display, outcome: Outcome) -> None:
    """Do the runs here, each in a process of its own."""
    from experiments.acquire import acquire

    for dataset in {p.config.dataset for p in todo}:  # once, before any run needs it
        acquire(dataset, display.note)
    context = multiprocessing.get_context("forkserver")
    # The server imports torch once; each run's process is a fork of it.
    context.set_forkserver_preload(["experiments.run_child", "experiments.run"])
    gpu = has_gpu()
    threads = min(4, cores()) if gpu else 1
    if not (gpu or has_bf16()):
        display.note("this processor has no bf16 arithmetic: runs are in fp32, twice as long")
    display.start([(p.id, expected_seconds(p.config)) for p in todo])
    waiting = list(todo)
    pieces: dict[str, int] = {}
    running: dict[Connection, tuple[BaseProcess, Planned]] = {}
    try:
        while waiting or running:
            heed()
            while planned := next_that_fits(waiting, [p for _, p in running.values()]):
                waiting.remove(planned)
                here, there = context.Pipe(duplex=False)
                job = Job(planned.id, planned.config, profile, threads, pieces.get(planned.id, 1))
                process: BaseProcess = context.Process(
                    target=run_child, args=(job, there), name=planned.id, daemon=True
                )
                display.run_started(planned.id)
                try:
                    start_server()
                    process.start()
                except (OSError, EOFError) as error:  # the server was killed, or there is no memory
                    here.close()
                    reason = f"its process could not be started: {error or 'its server ended'}"
                    take_in(("error", reason), planned.id, display, outcome)
                    continue
                finally:
                    there.close()
                running[here] = (process, planned)
            for connection in wait(list(running), timeout=0.5):
                assert isinstance(connection, Connection)
                process, planned = running[connection]
                try:
                    message = connection.recv()
                except (EOFError, OSError):
                    message = ("error", _why_ended(process))
                if take_in(message, planned.id, display, outcome):
                    del running[connection]
                    connection.close()
                    process.join()
                if message[0] == "split":
                    pieces[planned.id] = message[1]
                    waiting.insert(0, planned)
    finally:
        _end(running)


def cores() -> int:
    """CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def share(config: Config) -> float:
    """The share of this machine that a run takes: of the GPU by its size, so that small networks
    run side by side, else one core. On one thread a run, the runs use the cores best, and a record
    does not depend on how many cores there are."""
    return gpu_share(config) if has_gpu() else 1 / cores()


def next_that_fits(waiting: list[Planned], running: list[Planned]) -> Planned | None:
    """The first of the waiting runs that there is room for beside the running ones."""
    room = 1 + 1e-9 - sum(share(planned.config) for planned in running)
    return next((planned for planned in waiting if share(planned.config) <= room), None)


def take_in(message: tuple[str, Any], run: str, display: Display, outcome: Outcome) -> bool:
    """Take in a message of a run (``run_child``); whether it was its last.

    Raises:
        Unwritable: the run's record could not be written.
    """
    kind, content = message
    match kind:
        case "step":
            display.run_step(run, *content)
        case "epoch":
            display.run_epoch(run, content)
        case "note":
            display.note(f"{run}: {content}")
        case "split":
            display.note(f"{run}: out of memory; begins anew, each batch in {content} parts")
        case "done":
            outcome.done.append(run)
            display.run_done(run, content)
            if content["status"] == "failed":
                outcome.failed[run] = content["reason"]
        case "error":
            outcome.failed[run] = content
            display.run_failed(run, content)
        case "unwritable":
            raise Unwritable(content)
    return kind in ("done", "error", "split")


def _why_ended(process: BaseProcess) -> str:
    process.join()
    code = process.exitcode or 0
    if code == -signal.SIGKILL:
        return "killed by the system (out of memory?)"
    name = signal.Signals(-code).name if code < 0 else f"status {code}"
    return f"its process ended with {name}"


def _end(running: dict[Connection, tuple[BaseProcess, Planned]]) -> None:
    """End what still runs: ask, then make."""
    for process, _ in running.values():
        process.terminate()
    deadline = time.monotonic() + 3
    for process, _ in running.values():
        process.join(max(0.0, deadline - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()
