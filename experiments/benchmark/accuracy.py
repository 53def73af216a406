"""Whether speed costs accuracy: the same runs in plain fp32 and in the fast way."""

from __future__ import annotations

import functools
import math
import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from rich.table import Table

import models
from experiments.benchmark.processes import in_processes
from experiments.benchmark.rounds import OnTurn, side_by_side
from experiments.checkpoint import Checkpoint
from experiments.config import Config
from experiments.data import Images
from experiments.evaluation import judge, predict
from experiments.images import Split
from experiments.job import Job
from experiments.machine import pick_device, prepare
from experiments.run import execute
from experiments.training import train

SEEDS = (0, 1, 2)


def fast(config: Config, images: Images, threads: int) -> float:
    """Test accuracy of a run as ``make all`` does it.

    Raises:
        RuntimeError: it failed or diverged.
    """
    job = Job("accuracy", config, "benchmark", threads)
    record, _ = execute(job, images, checkpoint_seconds=math.inf)
    if record.test is None:
        raise RuntimeError(record.reason or record.status)
    return record.test.accuracy


def plain(config: Config, images: Images, threads: int) -> float:
    """Test accuracy of the same training without any shortcut: fp32, PyTorch's own convolutions
    and memory layout.

    Raises:
        RuntimeError: it diverged.
    """
    device = pick_device()
    config = config.model_copy(update={"precision": "fp32"})
    prepare(device, threads, config.seed)
    channels = models.resolve(config.network).input_channels
    net = models.build(config.network, **config.options).to(device)

    def split(pixels: Any, labels: Any, number: int) -> Split:
        return Split(
            torch.from_numpy(pixels[:number].copy()).to(device),
            torch.from_numpy(labels[:number].astype("int64")).to(device),
        )

    train(
        config,
        net,
        split(images.train_images, images.train_labels, config.train_images),
        split(images.validation_images, images.validation_labels, config.validation_images),
        channels=channels,
        checkpoint=Checkpoint(Path("unused"), "accuracy", "", math.inf),
    )
    test = split(images.test_images, images.test_labels, config.test_images)
    result = judge(*predict(config, net, test, channels, 1))
    if result is None:
        raise RuntimeError("the loss is not finite")
    return result.accuracy


@dataclass
class Comparison:
    """Test accuracies of one network, one a seed, each way."""

    config: Config
    plain: dict[int, float] = field(default_factory=dict)
    fast: dict[int, float] = field(default_factory=dict)

    @property
    def difference(self) -> float:
        """Mean of the fast way less that of the plain one."""
        return statistics.mean(self.fast.values()) - statistics.mean(self.plain.values())

    @property
    def noise(self) -> float:
        """Twice the standard error of that difference, from the spread over the seeds."""
        variances = [statistics.variance(way.values()) for way in (self.plain, self.fast)]
        return 2 * math.sqrt(sum(variances) / len(self.plain))

    def content(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            "network": self.config.network,
            "input_size": self.config.input_size,
            "seeds": sorted(self.plain),
            "fp32": [self.plain[seed] for seed in sorted(self.plain)],
            "fast": [self.fast[seed] for seed in sorted(self.fast)],
            "difference": self.difference,
            "noise": self.noise,
        }


def compare(configs: list[Config], images: Images, on_turn: OnTurn) -> list[Comparison]:
    """Train every network with every seed, both ways, side by side as ``make all`` would.

    Raises:
        Failed: a run ended badly.
    """
    runs, threads = min(side_by_side(config) for config in configs)
    comparisons = [Comparison(config) for config in configs]
    planned = [(c, seed, way) for c in comparisons for seed in SEEDS for way in (plain, fast)]
    tasks = [
        functools.partial(way, c.config.model_copy(update={"seed": seed}), images, threads)
        for c, seed, way in planned
    ]
    for index, accuracy in in_processes(tasks, runs):
        comparison, seed, way = planned[index]
        (comparison.plain if way is plain else comparison.fast)[seed] = accuracy
        on_turn(f"{comparison.config.network}, seed {seed}, {way.__name__}: {accuracy:.2%}")
    return comparisons


def table_of(comparisons: list[Comparison]) -> Table:
    """One row a network."""
    table = Table(
        title=f"Test accuracy in %, seeds {', '.join(map(str, SEEDS))}: each, mean",
        caption="noise: twice the standard error of the difference, from the seeds' spread",
    )
    table.add_column("network")
    table.add_column("px", justify="right")
    for column in ("plain fp32", "fast way", "difference", "noise"):
        table.add_column(column, justify="right")
    for c in comparisons:
        table.add_row(
            c.config.network,
            str(c.config.input_size),
            *(_accuracies(way) for way in (c.plain, c.fast)),
            f"{100 * c.difference:+.2f}",
            f"{100 * c.noise:.2f}",
        )
    return table


def _accuracies(way: dict[int, float]) -> str:
    each = " ".join(f"{100 * way[seed]:.2f}" for seed in sorted(way))
    return f"{each}, {100 * statistics.mean(way.values()):.2f}"
