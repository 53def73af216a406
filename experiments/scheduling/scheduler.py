"""Train many runs on this machine: which, in what order, how many at once.

Each run has its own process, so that one that is killed or runs out of memory does not affect the
others. A run writes its record atomically when it has finished.
"""

import math
import multiprocessing
import os
import signal
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from experiments.config import Config
from experiments.datasets import DATASETS
from experiments.datasets.download import acquire
from experiments.record import RESULTS, RecordError, read
from experiments.scheduling.estimates import gpu_share, has_bf16, images_per_second
from experiments.scheduling.estimates import seconds as expected_seconds
from experiments.scheduling.log import path_of
from experiments.scheduling.progress import Display
from experiments.scheduling.worker import work
from experiments.study import Planned
from experiments.support.files import exclusive
from experiments.support.gpu import has_gpu
from experiments.support.signals import Stopped, start_server, stoppable
from experiments.training import checkpoint
from experiments.training.state import NO_EXTRAS, Extras, Job
from experiments.versions import is_fresh
from models.errors import UsageError


class RecordWriteError(Exception):
    """A record could not be written, so training stops; the message is one line."""


class Deadline:
    """A limit on the time of training, and which runs should end within it.

    The expected time of a run is corrected by the throughput measured here: its own, else the
    median of all runs'.
    """

    def __init__(self, minutes: float | None) -> None:
        self._end = math.inf if minutes is None else time.monotonic() + 60 * minutes
        self._ratios: dict[str, float] = {}  # of actual to expected time

    @property
    def left(self) -> float:
        """Seconds left; infinite without a deadline."""
        return self._end - time.monotonic()

    def observe(self, job: Job, rate: float) -> None:
        """Take in the current training throughput of a run, in images per second."""
        self._ratios[job.id] = images_per_second(job.config) / rate

    def admits(self, job: Job, share_done: float = 0.0) -> bool:
        """Whether a run should end in time, given the share of it that is done."""
        ratio = self._ratios.get(job.id) or statistics.median(self._ratios.values() or [1.0])
        return (1 - share_done) * ratio * expected_seconds(job.config) <= self.left

    def waits_for_a_measurement(self) -> bool:
        """Whether no run has been trained long enough to measure its throughput."""
        return self._end < math.inf and not self._ratios


#: Trains runs in the order of the list and shows progress. Arguments: the runs, the profile's name,
#: the display.
Engine = Callable[[list[Planned], str, Display], None]


def supervise(
    plan: list[Planned],
    profile: str,
    *,
    again: bool = False,
    minutes: float | None = None,
    engine: Engine | None = None,
    extras: Extras = NO_EXTRAS,
) -> int:
    """Train what is missing or stale of a plan and print how it ended; returns the exit status.

    Args:
        plan: the runs.
        profile: names the folder of the records.
        again: train all of the plan.
        minutes: time limit; no run is started that would end later.
        engine: trains the runs; on this machine by default.
        extras: what the runs write besides their records, on this machine.

    Raises:
        UsageError: a record could not be written; the running processes have ended.
        OSError: the folder of records cannot be written to.
        DataError: there are runs to train and no data.
    """
    display, folder = Display(), RESULTS / profile
    engine = engine or partial(on_this_machine, deadline=Deadline(minutes), extras=extras)
    requested_at = time.time()
    if again or needed(plan, folder):
        for planned in plan:
            # This imports torch, before Ctrl-C raises an exception: raised inside torch's C++ code
            # it would abort the process.
            expected_seconds(planned.config)
    elif not _orphaned_checkpoints(plan, profile):
        return 0

    def on_wait(holder: str) -> None:
        display.note(f"process {holder} is training profile {profile}: waiting for it")

    try:
        with stoppable(), display, exclusive(folder / ".lock", on_wait):
            # Another process may have trained some of the runs during a wait.
            todo = [
                p
                for p in plan
                if why_stale(p, folder)
                or (again and (folder / f"{p.id}.json").stat().st_mtime <= requested_at)
            ]
            for path in _orphaned_checkpoints([p for p in plan if p not in todo], profile):
                path.unlink(missing_ok=True)
            # Seed by seed, so that an interrupted study is complete with fewer seeds. Within a seed
            # the longest run first, which balances the cores; with a deadline in the study's order.
            longest_first = -1 if minutes is None else 0
            todo.sort(key=lambda p: (p.config.seed, longest_first * expected_seconds(p.config)))
            if todo:
                engine(todo, profile, display)
    except Stopped as stopped:
        line = f"{_finished(plan, profile)}; the same command goes on where this one ended."
        print(f"stopped: {line}", file=sys.stderr)
        return stopped.status
    except RecordWriteError as error:
        raise UsageError(f"{error} {_finished(plan, profile)}.") from None
    if display.postponed:
        line = f"{_finished(plan, profile)}; {display.postponed} would not have ended within"
        print(f"{line} {minutes:g} minutes: the same command goes on with them.", file=sys.stderr)
    for run, reason in display.failed.items():
        print(f"{run} failed: {reason}", file=sys.stderr)
    return 1 if display.failed else 0


def _finished(plan: list[Planned], profile: str) -> str:
    done = len(plan) - len(needed(plan, RESULTS / profile))
    return f"{done} of {len(plan)} runs are finished and safe"


def why_stale(planned: Planned, folder: Path) -> str | None:
    """Why a run must be trained: missing, stale, unreadable or failed; None if it is fresh."""
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


def _orphaned_checkpoints(plan: list[Planned], profile: str) -> list[Path]:
    """Checkpoints of finished runs, whose process was killed after it wrote the record."""
    folder = checkpoint.FOLDER / profile
    runs = {path.name.rsplit(".", 2)[0] for path in folder.glob("*.pt")}
    done = [p.id for p in plan if p.id in runs and not why_stale(p, RESULTS / profile)]
    return [path for run in done for path in checkpoint.files(folder, run)]


def on_this_machine(
    todo: list[Planned], profile: str, display: Display, *, deadline: Deadline, extras: Extras
) -> None:
    """Train the runs here, each in its own process."""
    for dataset in {p.config.dataset for p in todo}:  # once, before any run needs it
        acquire(DATASETS[dataset], display.note)
    if not (has_gpu() or has_bf16()):
        display.note("this processor has no bf16 arithmetic: runs are in fp32, twice as long")
    display.start([(p.id, expected_seconds(p.config)) for p in todo])
    jobs = [Job(p.id, p.config, profile, threads(), extras=extras) for p in todo]
    workers = _Workers(jobs, display, deadline)
    try:
        workers.train()
    finally:
        _end([worker.process for worker in workers.running.values()])


@dataclass
class _Worker:
    """A run's process, and the share of its steps that is done."""

    process: BaseProcess
    job: Job
    share_done: float = 0.0


class _Workers:
    """The processes of the runs, and the runs that wait for one."""

    def __init__(self, jobs: list[Job], display: Display, deadline: Deadline) -> None:
        self.running: dict[Connection, _Worker] = {}
        self._waiting = jobs
        self._display, self._deadline = display, deadline
        self._context = multiprocessing.get_context("forkserver")
        # The server imports torch once; each run's process is a fork of it.
        self._context.set_forkserver_preload(
            ["experiments.scheduling.worker", "experiments.training.run"]
        )

    def train(self) -> None:
        """Train until no run is left that would end in time."""
        while True:
            while job := self._next():
                self._waiting.remove(job)
                self._start(job)
            if not self.running:
                break
            for connection in wait(list(self.running), timeout=0.5):
                assert isinstance(connection, Connection)
                self._receive(connection)
            self._end_late_ones()
        for job in self._waiting:
            self._display.run_postponed(job.id)

    def _next(self) -> Job | None:
        if self.running and self._deadline.waits_for_a_measurement():
            return None
        admitted = [job for job in self._waiting if self._deadline.admits(job)]
        return next_that_fits(admitted, [worker.job for worker in self.running.values()])

    def _start(self, job: Job) -> None:
        here, there = self._context.Pipe(duplex=False)
        process: BaseProcess = self._context.Process(
            target=work, args=(job, there), name=job.id, daemon=True
        )
        self._display.run_started(job.id)
        try:
            start_server()
            process.start()
        except (OSError, EOFError) as error:  # the server was killed, or there is no memory
            here.close()
            reason = f"its process could not be started: {error or 'its server ended'}"
            self._display.run_failed(job.id, reason)
            return
        finally:
            there.close()
        self.running[here] = _Worker(process, job)

    def _receive(self, connection: Connection) -> None:
        worker = self.running[connection]
        job = worker.job
        try:
            message = connection.recv()
        except (EOFError, OSError):
            where = path_of(job.profile, job.id)
            message = ("error", f"{_why_ended(worker.process)} (log: {where})")
        if message[0] == "step":
            done, total, rate = message[1]
            worker.share_done = done / total
            self._deadline.observe(job, rate)
        if handle_message(message, job.id, self._display):
            del self.running[connection]
            connection.close()
            worker.process.join()
        if message[0] == "split":
            self._waiting.insert(0, replace(job, micro_batches=message[1]))

    def _end_late_ones(self) -> None:
        """Terminate all runs at the deadline, and before it those that will miss it by their
        measured throughput."""
        for connection, worker in list(self.running.items()):
            late = worker.share_done > 0 and not self._deadline.admits(
                worker.job, worker.share_done
            )
            if late or self._deadline.left <= 0:
                del self.running[connection]
                _end([worker.process])
                connection.close()
                self._display.run_postponed(worker.job.id)


def cores() -> int:
    """CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def threads() -> int:
    """CPU threads of a run."""
    return min(4, cores()) if has_gpu() else 1


def share(config: Config) -> float:
    """The share of this machine that a run takes: of the GPU by the run's memory, else one core.
    One thread per run uses the cores best, and results do not depend on the number of cores."""
    return gpu_share(config) if has_gpu() else 1 / cores()


def next_that_fits(waiting: list[Job], running: list[Job]) -> Job | None:
    """The first waiting run that fits on the machine beside the running ones."""
    room = 1 + 1e-9 - sum(share(job.config) for job in running)
    return next((job for job in waiting if share(job.config) <= room), None)


def handle_message(message: tuple[str, Any], run: str, display: Display) -> bool:
    """Handle a message of a run (``worker.work``); returns whether it was the run's last.

    Raises:
        RecordWriteError: the run's record could not be written.
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
            display.note(f"{run}: out of memory; begins anew with {content} micro-batches")
        case "done":
            display.run_done(run, content)
        case "error":
            display.run_failed(run, content)
        case "unwritable":
            raise RecordWriteError(content)
    return kind in ("done", "error", "split")


def _why_ended(process: BaseProcess) -> str:
    process.join()
    code = process.exitcode or 0
    if code == -signal.SIGKILL:
        return "killed by the system (out of memory?)"
    name = signal.Signals(-code).name if code < 0 else f"status {code}"
    return f"its process ended with {name}"


def _end(processes: list[BaseProcess]) -> None:
    """Terminate the processes; kill after 3 seconds."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + 3
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.is_alive():
            with suppress(ProcessLookupError):
                process.kill()
            process.join()
