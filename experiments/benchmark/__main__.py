"""Measure training side by side: ours, the original's way, PyTorch Lightning, and the machine's
ceiling; or, with --accuracy, whether ours gives the accuracies of plain fp32."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # Ctrl-C while the modules below load: an end without a traceback
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import models
from experiments import study
from experiments.acquire import DataError
from experiments.benchmark.processes import Failed
from experiments.config import Config
from experiments.record import RESULTS
from experiments.stopping import Stopped, stoppable
from experiments.storage import explain, write_atomically
from models import UsageError
from models.command_line import OneLineParser

NETWORKS = ("ResNet18", "ResNet50", "SEResNet34", "DenseNet", "LeNet")
SIZES = ("quick", "224")
ACCURACY_NETWORKS = ("LeNet", "ResNet18", "SEResNet18", "DenseNet")
REPETITIONS = 3

#: A measurement is so many steps as a contestant at the machine's ceiling would do in this time ...
SECONDS_AT_CEILING = 0.4
#: ... but no more than this, where a step is mostly overhead.
MOST_STEPS = 500
WARM_UP = 3
#: Images a step on a CPU at other sizes than the quick profile's: a step of the slowest takes
#: seconds. On an accelerator the batch is the full profile's.
CPU_BATCH = 8
_EVALUATED = ("validation_images", "validation_labels", "test_images", "test_labels")


def configurations(networks: Sequence[str], sizes: Sequence[str], *, gpu: bool) -> list[Config]:
    """What is trained: every network at every size that it takes.

    Raises:
        UsageError: unknown network, or a size that it does not take.
    """
    known, found = study.load(), []
    for name in networks:
        quick = known.config("quick", name, {})
        for size in sizes:
            if not (size == "quick" or size.isdecimal()):
                raise UsageError(f"size {size!r}: expected quick or a whole number of pixels.")
            pixels = quick.input_size if size == "quick" else int(size)
            fixed = models.resolve(name).fixed_size
            if fixed is not None:
                pixels = fixed
            if pixels == quick.input_size:
                config = quick
            else:
                batch = known.config("full", name, {}).batch_size if gpu else CPU_BATCH
                config = known.config("quick", name, {}, input_size=pixels, batch_size=batch)
            if config not in found:
                found.append(config)
    return found


def steps(macs: int, batch: int, limit: float) -> int:
    """Steps that count, for a forward pass of so many ``macs`` an image and a ceiling of
    ``limit`` FLOP/s."""
    from experiments.benchmark.rounds import FLOPS_PER_MAC

    return max(
        1, min(MOST_STEPS, round(SECONDS_AT_CEILING * limit / (FLOPS_PER_MAC * macs * batch)))
    )


def speed(configs: list[Config], repetitions: int, *, tiny: bool, out: Path) -> int:
    """Measure, print, write; returns the exit status."""
    from experiments import data
    from experiments.benchmark.rounds import content, measure_ceiling, play, ways
    from experiments.benchmark.table import LEGEND, ceiling_table, failures, table_of
    from experiments.benchmark.work import Work
    from experiments.engine import cores
    from experiments.machine import environment, pick_device
    from models.counting import count

    limit = 0.0 if tiny else measure_ceiling()["convolution"]
    works = []
    for config in configs:
        macs = count(config.network, config.input_size, **config.options).macs_torchinfo
        counted = 2 if tiny else steps(macs, config.batch_size, limit)
        works.append(Work(config, min(WARM_UP, counted), counted, macs))
    images = data.load("MNIST")
    most = max((work.warm_up + work.steps) * work.config.batch_size for work in works)
    images = replace(  # every process gets a copy
        images,
        train_images=images.train_images[:most],
        train_labels=images.train_labels[:most],
        **{name: getattr(images, name)[:64] for name in _EVALUATED},
    )
    turns = repetitions * (1 + sum(len(ways(config)) for config in configs))
    with _progress() as progress:
        task = progress.add_task("", total=turns, completed=-1)

        def on_turn(what: str) -> None:
            progress.update(task, advance=1, description=what)

        cells, limits = play(works, images, repetitions, on_turn, tiny=tiny)
        progress.update(task, completed=turns, description="done")
    machine = environment(pick_device(), cores()).model_dump(mode="json")
    machine["lightning"] = version("lightning")
    write(out, content(cells, limits, machine, repetitions))
    console = Console()
    console.print(ceiling_table(limits))
    for cell in cells:
        console.print(table_of(cell, limits["convolution"].median))
    console.print(LEGEND)
    failed = failures(cells)
    for line in failed:
        print(f"failed: {line}", file=sys.stderr)
    return 1 if failed else 0


def accuracy(configs: list[Config], out: Path) -> int:
    """Compare, print, write; returns the exit status."""
    from experiments import data
    from experiments.benchmark.accuracy import SEEDS, compare, table_of

    with _progress() as progress:
        task = progress.add_task("training", total=len(configs) * len(SEEDS) * 2)
        comparisons = compare(
            configs,
            data.load("MNIST"),
            lambda what: progress.update(task, advance=1, description=what),
        )
    write(out, {"comparisons": [comparison.content() for comparison in comparisons]})
    Console().print(table_of(comparisons))
    return 0


def write(path: Path, content: dict[str, Any]) -> None:
    """Write the numbers, whole or not at all."""
    write_atomically(path, json.dumps(content, indent=2) + "\n")


def _progress() -> Progress:
    return Progress(
        MofNCompleteColumn(),
        BarColumn(20),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=Console(stderr=True),
    )


def main() -> int:
    """Parse the command line and do it."""
    parser = OneLineParser(prog="python -m experiments.benchmark", description=__doc__)
    parser.add_argument("--networks", nargs="+", help=", ".join(NETWORKS))
    parser.add_argument("--sizes", nargs="+", default=SIZES, help="quick, or pixels (quick 224)")
    parser.add_argument("--repetitions", type=int, default=REPETITIONS, help=f"({REPETITIONS})")
    parser.add_argument("--tiny", action="store_true", help="two steps, once: does it run?")
    parser.add_argument("--accuracy", action="store_true", help="accuracy instead of speed")
    parser.add_argument("--out", type=Path, help="the JSON (experiments/results/benchmark.json)")
    given = parser.parse_args()
    if given.repetitions < 1:
        parser.error("--repetitions: expected at least 1")
    what = "accuracy" if given.accuracy else "benchmark"
    out = given.out or RESULTS / f"{what}.json"
    try:
        with stoppable():
            if given.accuracy:
                networks = given.networks or ACCURACY_NETWORKS
                return accuracy(configurations(networks, ["quick"], gpu=False), out)
            networks = given.networks or (("LeNet",) if given.tiny else NETWORKS)
            configs = configurations(networks, given.sizes, gpu=study.has_gpu())
            repetitions = 1 if given.tiny else given.repetitions
            return speed(configs, repetitions, tiny=given.tiny, out=out)
    except (UsageError, DataError) as error:
        print(f"error: {error}", file=sys.stderr)
    except OSError as error:
        print(f"error: {explain(error)}", file=sys.stderr)
    except ModuleNotFoundError as error:
        print(f"error: {error}; run `make setup-dev`.", file=sys.stderr)
    except Failed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except Stopped as stopped:
        print("stopped: what was not measured to the end is not written.", file=sys.stderr)
        return stopped.status
    return 2


if __name__ == "__main__":
    sys.exit(main())
