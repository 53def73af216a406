"""Progress of training: bars in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from experiments.record import Epoch, Record


class Display:
    """Overall progress with an ETA, and a line for each run under way.

    Progress counts expected seconds, so that a large network weighs more than a small one.

    Attributes:
        failed: the runs that failed, with reasons.
        postponed: how many runs were left for the next call because of the time limit.
    """

    def __init__(self) -> None:
        # With FORCE_COLOR rich takes any file for a terminal, so ask the stream itself.
        self._live = sys.stderr is not None and sys.stderr.isatty()
        self._console = Console(
            stderr=True, highlight=False, soft_wrap=True, force_terminal=self._live
        )
        self._progress = Progress(
            TextColumn("{task.description}", justify="left"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[note]}", justify="right"),
            TimeElapsedColumn(),
            TextColumn("ETA"),
            TimeRemainingColumn(elapsed_when_finished=False),
            console=self._console,
            disable=not self._live,
            transient=True,
        )
        self._costs: dict[str, float] = {}
        self._tasks: dict[str, TaskID] = {}
        self._overall: TaskID | None = None
        self._finished = 0
        self.failed: dict[str, str] = {}
        self.postponed = 0

    def __enter__(self) -> Display:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def note(self, text: str) -> None:
        """Print a line."""
        self._console.print(text, markup=False)

    def start(self, runs: list[tuple[str, float]]) -> None:
        """Begin; ``runs`` are ids and expected seconds."""
        self._costs = dict(runs)
        self.note(f"{len(runs)} run{'s' if len(runs) != 1 else ''} to train")
        self._overall = self._progress.add_task(
            "all runs", total=sum(self._costs.values()), note=""
        )

    def run_started(self, run: str) -> None:
        """A run's process has started, or started again."""
        if run in self._tasks:
            self._progress.remove_task(self._tasks[run])
        self._tasks[run] = self._progress.add_task(run, total=self._costs[run], note="starting")

    def run_step(self, run: str, done: int, total: int, rate: float) -> None:
        """A run has done ``done`` of ``total`` steps, at ``rate`` images per second."""
        self._progress.update(
            self._tasks[run],
            completed=self._costs[run] * 0.9 * done / total,  # the rest is evaluation
            note=f"{rate:,.0f} images/s",
        )
        self._sum_up()

    def run_epoch(self, run: str, epoch: Epoch) -> None:
        """An epoch has ended: print a plain line where there are no bars."""
        if not self._live:
            self.note(
                f"{run}: epoch {epoch.epoch}, training loss {epoch.train_loss:.4f}, "
                f"validation accuracy {epoch.validation_accuracy:.2%}, {epoch.seconds:.0f} s"
            )

    def run_done(self, run: str, record: Record) -> None:
        """A run's record is written."""
        seconds = f", {record.timing.wall_seconds:.0f} s"
        if record.test:
            self._end(run, f"test accuracy {record.test.accuracy:.2%}{seconds}")
        elif record.divergence:
            self._end(run, f"diverged at step {record.divergence.step}{seconds}")
        else:
            self.run_failed(run, record.reason or "", seconds)

    def run_failed(self, run: str, reason: str, seconds: str = "") -> None:
        """A run ended without a record, or with one that says why it failed."""
        self.failed[run] = reason
        self._end(run, f"failed: {reason}{seconds}")

    def run_postponed(self, run: str) -> None:
        """A run is left for the next call."""
        self.postponed += 1
        self.note(f"{run}: would not end in time; left for the next call")
        if run in self._tasks:
            self._progress.update(self._tasks[run], visible=False)

    def _end(self, run: str, line: str) -> None:
        self._finished += 1
        self.note(f"[{self._finished}/{len(self._costs)}] {run}: {line}")
        self._progress.update(self._tasks[run], completed=self._costs[run], visible=False)
        self._sum_up()

    def _sum_up(self) -> None:
        if self._overall is not None:
            done = sum(task.completed for task in self._progress.tasks if task.id != self._overall)
            self._progress.update(
                self._overall,
                completed=done,
                description=f"all runs ({self._finished}/{len(self._costs)})",
            )
