"""Block gains and gradient norms of ResNet-18 with each operator."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from analysis.evidence import Evidence
from analysis.findings.gradients import Moment, probe_at
from experiments.record import BlockGain

#: The variants of ResNet-18 that differ in the operator of the residual connection.
OPERATORS = ("ResNet18", "ResNet18-sub", "PlainNet18", "ResNet18-mul", "ResNet18-mul-nobn")
#: A moment of training: before the first step, or at the last probe after it.
MOMENTS: tuple[Moment, ...] = ("init", "end")


@dataclass(frozen=True)
class Gain:
    """The gain of one block over all runs, as geometric means.

    Attributes:
        block: its name.
        measured: the gain in each run; None where not finite.
        predicted: the gain if its two parts were independent; None where not finite.
    """

    block: str
    measured: tuple[float | None, ...]
    predicted: float | None

    @property
    def finite(self) -> list[float]:
        """The positive finite gains of the runs."""
        return [value for value in self.measured if value]

    @property
    def mean(self) -> float | None:
        """Geometric mean over the runs; 0 if any is 0, None without a finite one."""
        return geometric(value for value in self.measured if value is not None)


def geometric(values: Iterable[float]) -> float | None:
    """Geometric mean; 0 if any value is, None without values."""
    found = list(values)
    if not found:
        return None
    if min(found) <= 0:
        return 0.0
    return math.exp(sum(map(math.log, found)) / len(found))


def passed(values: Iterable[float | None]) -> list[float]:
    """Cumulative factor of the gradient in the backward pass, starting with 1 at the output.

    ``values`` are the blocks' gains from input to output. The list ends before the first block,
    from the output, whose gain is not finite.
    """
    factors = [1.0]
    for value in reversed(list(values)):
        if value is None:
            break
        factors.append(factors[-1] * value)
    return factors


def gains(evidence: Evidence, variant: str, moment: Moment) -> list[Gain]:
    """Gains of all blocks from input to output; empty where none were measured."""
    probes = [p for run in evidence.runs(variant) if (p := probe_at(run, moment)[1]) is not None]
    if not probes:
        return []
    found = []
    for index, block in enumerate(probes[0].blocks):
        own = [probe.blocks[index] for probe in probes if index < len(probe.blocks)]
        predicted = [x for b in own if (x := _predicted(b)) is not None]
        measured = tuple(b.gain for b in own)
        found.append(Gain(block.block, measured, geometric(predicted)))
    return found


def _predicted(block: BlockGain) -> float | None:
    if block.branch is None or block.shortcut is None:
        return None
    return math.hypot(block.branch, block.shortcut)


def stage(block: str) -> str:
    """The stage of a block or layer: ``stages.1`` of ``stages.1.0.residual.3``."""
    return ".".join(block.split(".")[:2])


@dataclass(frozen=True)
class Norms:
    """Gradient norms of the layers from input to output.

    Attributes:
        layers: names.
        steps: by step, the norm of each layer: geometric mean over the runs, None where it is
            not finite in any of them.
        broken: first step whose norms are not all finite, None if all are.
    """

    layers: list[str]
    steps: list[list[float | None]]
    broken: int | None


def norms(evidence: Evidence, variant: str) -> Norms | None:
    """Gradient norms of the layers on the main path (without the shortcuts' projections)."""
    probes = [run.probes.gradient_norms for run in evidence.runs(variant)]
    probes = [probe for probe in probes if probe.norms and probe.layers]
    if not probes:
        return None
    layers = probes[0].layers
    main = [i for i, layer in enumerate(layers) if ".shortcut" not in layer]
    same = [probe for probe in probes if probe.layers == layers]
    steps = []
    for number in range(min(len(probe.norms) for probe in same)):
        rows = [probe.norms[number] for probe in same]
        steps.append([_mean_norm([row[i] for row in rows]) for i in main])
    broken = next((number for number, row in enumerate(steps) if None in row), None)
    return Norms([layers[i] for i in main], steps, broken)


def _mean_norm(values: list[float | None]) -> float | None:
    finite = [value for value in values if value is not None]
    return geometric(finite) if len(finite) == len(values) else None
