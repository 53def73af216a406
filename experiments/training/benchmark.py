"""Training throughput in images per second: this project against the original write-up's way.

This project: several runs at once, as ``make all`` trains them. The original's way: PIL transforms
of each image in a DataLoader, fp32, Adam with PyTorch's defaults, all cores. It is measured with
loading in the training process and in worker processes; the faster counts. The original states no
batch size, so both use this project's.
"""

import functools
import math
import multiprocessing
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

import models
from experiments import study
from experiments.config import Config
from experiments.datasets import splits
from experiments.scheduling.estimates import images_per_second
from experiments.scheduling.scheduler import cores, share, threads
from experiments.training.device import pick_device
from experiments.training.run import execute
from experiments.training.state import Job
from models.cli import OneLineParser, run
from models.errors import UsageError

NETWORKS = ("ResNet18", "ResNet50", "SEResNet34", "DenseNet", "LeNet")
#: Expected duration of a measurement in seconds, and the bounds on its number of steps.
SECONDS, MIN_STEPS, MAX_STEPS = 4.0, 4, 500
WARM_UP_STEPS = 2


def steps_of(config: Config) -> int:
    """The number of steps of a measurement."""
    wanted = SECONDS * images_per_second(config) / config.batch_size
    return max(MIN_STEPS, min(MAX_STEPS, round(wanted)))


def ours(config: Config, steps: int, threads: int) -> float:
    """Images per second of a real run of two epochs of ``steps`` steps; the second epoch counts.

    Raises:
        RuntimeError: the run failed or diverged.
    """
    fewest = {"validation_images": 2, "test_images": 2}  # that batch normalisation takes
    changes = {"train_images": steps * config.batch_size, "epochs": 2, **fewest}
    job = Job("benchmark", config.model_copy(update=changes), "benchmark", threads)
    record, _ = execute(job, splits.load(config.dataset), checkpoint_seconds=math.inf)
    if record.status != "finished":
        raise RuntimeError(record.reason or record.status)
    return steps * config.batch_size / record.history[-1].seconds


class Digits(Dataset[tuple[Any, int]]):
    """Like torchvision's ``MNIST``: converts an image to PIL and transforms it on access."""

    def __init__(self, config: Config, number: int, images: splits.Images) -> None:
        channels, size = config.channels, config.input_size
        self._images, self._labels = images.train_images[:number], images.train_labels[:number]
        self._transform = transforms.Compose(
            [
                transforms.Resize((size, size)),
                transforms.Grayscale(num_output_channels=channels),
                transforms.ToTensor(),
                transforms.Normalize((0.5,) * channels, (0.5,) * channels),
            ]
        )

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self._transform(Image.fromarray(self._images[index])), int(self._labels[index])


def original(config: Config, steps: int, workers: int) -> float:
    """Images per second of the original's way, after the warm-up."""
    device = pick_device()
    torch.manual_seed(config.seed)
    net = models.build(config.network, **config.options).to(device).train()
    optimizer = torch.optim.Adam(net.parameters())
    loss_function = nn.CrossEntropyLoss()
    number = (WARM_UP_STEPS + steps) * config.batch_size
    loader = DataLoader(
        Digits(config, number, splits.load(config.dataset)),
        batch_size=config.batch_size,
        shuffle=True,
        num_workers=workers,
        pin_memory=device.type == "cuda",
    )
    started = 0.0
    for index, (images, labels) in enumerate(loader):
        if index == WARM_UP_STEPS:
            _synchronize(device)
            started = time.perf_counter()
        loss = loss_function(net(images.to(device)), labels.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    _synchronize(device)
    return steps * config.batch_size / (time.perf_counter() - started)


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def side_by_side(function: Callable[..., float], *arguments: Any, processes: int = 1) -> float:
    """Call a function in several new processes at once; returns the sum of the results."""
    context = multiprocessing.get_context("spawn")
    all_ready = context.Barrier(processes).wait  # else the first process might take two calls
    with ProcessPoolExecutor(processes, context, initializer=all_ready) as pool:
        return sum(pool.map(function, *([each] * processes for each in arguments)))


def measure(config: Config, repetitions: int, steps: int) -> tuple[list[float], list[float]]:
    """The throughput of ``ours`` and of ``original`` in every repetition."""

    def repeated(function: Callable[..., float], *rest: int, processes: int = 1) -> list[float]:
        call = functools.partial(side_by_side, function, config, steps, *rest)
        return [call(processes=processes) for _ in range(repetitions)]

    here = repeated(ours, threads(), processes=max(1, int(1 / share(config) + 1e-9)))
    loaders = [repeated(original, workers) for workers in (0, cores())]
    return here, max(loaders, key=statistics.median)


def shown(rates: list[float]) -> str:
    """The median and the spread: ``100 (30%)``."""
    median = statistics.median(rates)
    return f"{median:,.0f} ({(max(rates) - min(rates)) / median:.0%})"


def main() -> int:
    """Parse the command line, measure and print a table; returns the exit status."""
    parser = OneLineParser(prog="python -m experiments.training.benchmark", description=__doc__)
    parser.add_argument("--networks", nargs="+", default=NETWORKS, help=", ".join(NETWORKS))
    parser.add_argument("--size", type=int, help="input size in pixels (the quick profile's)")
    parser.add_argument("--batch-size", type=int, help="images a step (the quick profile's)")
    parser.add_argument("--repetitions", type=int, default=3, help="of each measurement (3)")
    parser.add_argument("--steps", type=int, help="steps of a measurement (four seconds' worth)")
    given = parser.parse_args()
    if min(given.repetitions, given.steps or 1) < 1:
        raise UsageError("--repetitions, --steps: expected at least 1.")
    configs = [
        study.load().config("quick", name, {}, input_size=given.size, batch_size=given.batch_size)
        for name in given.networks
    ]
    table = Table("network", "px", "batch", title="Training, images/s: median (spread)")
    for column in ("ours", "original's way", "ratio"):
        table.add_column(column, justify="right")
    console = Console()
    with console.status("") as status:
        for config in configs:
            status.update(f"{config.network}, {config.input_size} px")
            here, there = measure(config, given.repetitions, given.steps or steps_of(config))
            ratio = statistics.median(here) / statistics.median(there)
            cells = (config.network, str(config.input_size), str(config.batch_size))
            table.add_row(*cells, shown(here), shown(there), f"{ratio:.1f}")
    console.print(table)
    return 0


if __name__ == "__main__":
    run(main)
