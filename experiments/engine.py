"""Do many runs on this machine: which, in what order, side by side, and show how it goes.

Each run is a process of its own, so that one that is killed or runs out of memory takes nothing
with it. A record is written by its run, atomically, the moment it is done.
"""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType
from typing import Any

from experiments.costs import seconds as expected_seconds
from experiments.display import Display
from experiments.fingerprint import fingerprint
from experiments.job import Job
from experiments.record import RESULTS, RecordError, read
from experiments.run_child import run_child
from experiments.study import Planned, has_gpu


class Stopped(Exception):
    """A person or the system asked for an end; ``status`` is 128 + the signal."""

    def __init__(self, signum: int) -> None:
        self.status = 128 + signum


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
    if record.fingerprint != fingerprint(planned.config):
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
        Stopped: on SIGINT or SIGTERM, after the running processes have ended.
        acquire.DataError: there are runs to do and no data.
    """
    folder = RESULTS / profile
    outcome = Outcome()
    if not again and not needed(plan, folder):
        return outcome
    with _signals(), Display() as display, _exclusive(folder, display):
        todo = plan if again else [p for p in plan if p.id in needed(plan, folder)]
        if not todo:  # another process did it while this one waited
            return outcome
        # The longest first, so that no long run is left to end alone.
        todo = sorted(todo, key=lambda p: -expected_seconds(p.config))
        (supervise or on_this_machine)(todo, profile, display, outcome)
    return outcome


def on_this_machine(todo: list[Planned], profile: str, display: Display, outcome: Outcome) -> None:
    """Do the runs here, each in a process of its own."""
    from experiments.acquire import acquire

    for dataset in {p.config.dataset for p in todo}:  # once, before any run needs it
        acquire(dataset, display.note)
    context = multiprocessing.get_context("forkserver")
    # The server imports torch once; each run's process is a fork of it.
    context.set_forkserver_preload(["experiments.run_child", "experiments.run"])
    workers, threads = allot(cores())
    display.start([(p.id, expected_seconds(p.config)) for p in todo])
    waiting = list(todo)
    running: dict[Connection, tuple[BaseProcess, Planned]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                planned = waiting.pop(0)
                here, there = context.Pipe(duplex=False)
                job = Job(planned.id, planned.config, profile, threads)
                process: BaseProcess = context.Process(
                    target=run_child, args=(job, there), name=planned.id
                )
                process.start()
                there.close()
                running[here] = (process, planned)
                display.run_started(planned.id)
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
    finally:
        _end(running)


def cores() -> int:
    """CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def allot(cores: int) -> tuple[int, int]:
    """Runs at once and threads a run. One thread a run: side by side, runs use the cores best,
    and a record does not depend on how many cores there are."""
    return (1, cores) if has_gpu() else (cores, 1)


def take_in(message: tuple[str, Any], run: str, display: Display, outcome: Outcome) -> bool:
    """Take in a message of a run (``run_child``); whether it was its last."""
    kind, content = message
    match kind:
        case "step":
            display.run_step(run, *content)
        case "epoch":
            display.run_epoch(run, content)
        case "done":
            outcome.done.append(run)
            display.run_done(run, content)
            if content["status"] == "failed":
                outcome.failed[run] = content["reason"]
        case "error":
            outcome.failed[run] = content
            display.run_failed(run, content)
    return kind in ("done", "error")


def _why_ended(process: BaseProcess) -> str:
    process.join()
    code = process.exitcode or 0
    if code == -signal.SIGKILL:
        return "killed by the system (out of memory?)"
    return f"its process ended with status {code}"


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


@contextmanager
def _signals() -> Iterator[None]:
    """SIGINT and SIGTERM raise ``Stopped`` here."""

    def stop(signum: int, _: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)  # once is enough
        raise Stopped(signum)

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def _exclusive(folder: Path, display: Display) -> Iterator[None]:
    """One trainer a profile: a second waits, and says for whom."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            display.note(f"process {holder} is training profile {folder.name}: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        try:
            yield
        finally:
            with suppress(OSError):
                lock.truncate(0)
