"""The contestants by turns, round after round, and what their numbers come to."""

from __future__ import annotations

import functools
import statistics
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from experiments.benchmark import ceiling, lightning_way, original_way, ours
from experiments.benchmark.processes import CONTEXT, Failed, in_processes
from experiments.benchmark.work import Measured, Work
from experiments.config import Config
from experiments.data import Images
from experiments.engine import cores, share
from experiments.study import has_gpu

#: FLOPs of training on an image, for each multiply-accumulate of its forward pass: two forward,
#: twice that backward.
FLOPS_PER_MAC = 6

CONTESTANTS = ("ours", "original", "lightning")


@dataclass(frozen=True)
class Way:
    """A contestant in one setting.

    Attributes:
        contestant: one of ``CONTESTANTS``.
        processes: ours: runs side by side; the rivals: processes that load.
        threads: ours: threads a run.
    """

    contestant: str
    processes: int
    threads: int | None = None

    @property
    def name(self) -> str:
        """``ours-2x1``: two runs of one thread; ``original-2``: two processes that load."""
        suffix = "" if self.threads is None else f"x{self.threads}"
        return f"{self.contestant}-{self.processes}{suffix}"

    @property
    def title(self) -> str:
        """The same in words."""
        if self.threads is not None:
            runs, threads = _plural(self.processes, "run"), _plural(self.threads, "thread")
            return f"ours, {runs} of {threads}"
        title = {"original": "original's way", "lightning": "Lightning"}[self.contestant]
        return f"{title}, {_plural(self.processes, 'worker')}"


def side_by_side(config: Config) -> tuple[int, int]:
    """Runs of a configuration that the engine does at once here, and threads of each."""
    threads = min(4, cores()) if has_gpu() else 1  # as engine.on_this_machine gives them
    return max(1, int(1 / share(config) + 1e-9)), threads


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def ways(config: Config) -> list[Way]:
    """Every contestant in each of its settings, in the order of a round. Ours: one run on all
    cores, and runs side by side as ``make all`` has them."""
    here = cores()
    runs, threads = side_by_side(config)
    settings = dict.fromkeys([(1, threads if has_gpu() else here), (runs, threads)])
    mine = [Way("ours", runs, threads) for runs, threads in settings]
    rivals = [Way(rival, workers) for rival in CONTESTANTS[1:] for workers in (0, here)]
    return mine + rivals


@dataclass
class Spread:
    """Values of one quantity over the repetitions."""

    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)

    def content(self) -> dict[str, Any]:
        """Median, least, greatest and all, for JSON."""
        low, high = min(self.values), max(self.values)
        return {"median": self.median, "min": low, "max": high, "values": self.values}


@dataclass
class Tally:
    """What a way came to on a piece of work: images a second, peak bytes; why it failed."""

    rate: Spread = field(default_factory=Spread)
    memory: int = 0
    failed: str | None = None

    def add(self, work: Work, parts: list[Measured]) -> None:
        """Take in a repetition; runs side by side count until the last has ended."""
        images = work.images * len(parts)
        self.rate.values.append(images / max(part.seconds for part in parts))
        self.memory = max(self.memory, sum(part.peak_memory_bytes for part in parts))


@dataclass
class Cell:
    """A piece of work and what each way came to, by name."""

    work: Work
    tallies: dict[str, Tally]

    def best(self) -> dict[str, str]:
        """The way of each contestant with the greatest median; none where all failed."""
        best: dict[str, str] = {}
        for contestant in CONTESTANTS:
            rates = {
                name: tally.rate.median
                for name, tally in self.tallies.items()
                if name.startswith(f"{contestant}-") and tally.failed is None
            }
            if rates:
                best[contestant] = max(rates, key=lambda name: rates[name])
        return best

    def ratios(self) -> dict[str, float]:
        """Our median over each rival's, the best settings of each."""
        best = self.best()
        if "ours" not in best:
            return {}
        mine = self.tallies[best["ours"]].rate.median
        return {
            rival: mine / self.tallies[best[rival]].rate.median
            for rival in CONTESTANTS[1:]
            if rival in best
        }

    def share(self, name: str, limit: float) -> float:
        """The part of ``limit`` FLOP/s that a way makes use of."""
        return self.tallies[name].rate.median * FLOPS_PER_MAC * self.work.macs / limit

    def content(self, limit: float) -> dict[str, Any]:
        """All of it, for JSON."""
        config = self.work.config
        tallies = {
            name: {"failed": tally.failed}
            if tally.failed is not None
            else {
                "images_per_second": tally.rate.content(),
                "share_of_ceiling": self.share(name, limit),
                "peak_memory_bytes": tally.memory,
            }
            for name, tally in self.tallies.items()
        }
        return {
            "network": config.network,
            "input_size": config.input_size,
            "batch_size": config.batch_size,
            "warm_up": self.work.warm_up,
            "steps": self.work.steps,
            "macs": self.work.macs,
            "ways": tallies,
            "best": self.best(),
            "ratios": self.ratios(),
        }


#: Told what is measured next.
OnTurn = Callable[[str], None]


def measure_ceiling(*, tiny: bool = False) -> dict[str, float]:
    """FLOP/s of the large products, in a process of their own; ``tiny``: of small ones.

    Raises:
        Failed: it ended badly.
    """
    size = {"size": 256, "batch": 1} if tiny else {}
    task = functools.partial(ceiling.run, cores(), **size)
    return next(result for _, result in in_processes([task], 1))


def turn(way: Way, work: Work, images: Images) -> list[Measured]:
    """One repetition of one way: its runs side by side.

    Raises:
        Failed: it ended badly.
    """
    if way.threads is not None:
        start = CONTEXT.Barrier(way.processes)
        mine = functools.partial(ours.run, work, images, way.threads, start)
        return [part for _, part in in_processes([mine] * way.processes, way.processes)]
    run = original_way.run if way.contestant == "original" else lightning_way.run
    rival = functools.partial(run, work, images, way.processes)
    return [part for _, part in in_processes([rival], 1)]


def play(
    works: list[Work], images: Images, repetitions: int, on_turn: OnTurn, *, tiny: bool = False
) -> tuple[list[Cell], dict[str, Spread]]:
    """All rounds. A way that fails is left out of those that follow.

    Returns:
        What each way came to on each work, and FLOP/s of the ceiling by name.

    Raises:
        Failed: the ceiling could not be measured.
    """
    cells = [Cell(work, {way.name: Tally() for way in ways(work.config)}) for work in works]
    limits: dict[str, Spread] = {}
    for _ in range(repetitions):
        on_turn("the machine's ceiling")
        for name, rate in measure_ceiling(tiny=tiny).items():
            limits.setdefault(name, Spread()).values.append(rate)
        for cell, way in turns(cells):
            config, tally = cell.work.config, cell.tallies[way.name]
            on_turn(f"{config.network}, {config.input_size} px: {way.title}")
            if tally.failed is None:
                try:
                    tally.add(cell.work, turn(way, cell.work, images))
                except Failed as error:
                    tally.failed = str(error)
    return cells, limits


def turns(cells: list[Cell]) -> Iterator[tuple[Cell, Way]]:
    """The order of a round."""
    for cell in cells:
        for way in ways(cell.work.config):
            yield cell, way


def content(
    cells: list[Cell], limits: dict[str, Spread], machine: dict[str, Any], repetitions: int
) -> dict[str, Any]:
    """The whole benchmark, for JSON."""
    limit = limits["convolution"].median
    return {
        "machine": machine,
        "repetitions": repetitions,
        "ways": {way.name: {**asdict(way), "title": way.title} for _, way in turns(cells)},
        "ceiling_flops_per_second": {name: rate.content() for name, rate in limits.items()},
        "cells": [cell.content(limit) for cell in cells],
    }
