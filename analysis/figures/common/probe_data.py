"""Block gains of a network as arrays; NaN where not finite."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.evidence import Evidence
from analysis.findings.gradients import Moment, probe_at

Floats = NDArray[np.float64]

#: The variants of ResNet-18 that differ in the operator of the residual connection.
OPERATORS = ("ResNet18", "ResNet18-sub", "PlainNet18", "ResNet18-mul", "ResNet18-mul-nobn")
#: A moment of training: before the first step, or at the last probe after it.
MOMENTS: tuple[Moment, ...] = ("init", "end")


@dataclass(frozen=True)
class Gains:
    """The gains of the blocks from input to output.

    Attributes:
        measured: gain of each block in each run, ``(runs, blocks)``.
        predicted: gain of each block if its two parts were independent, ``(blocks,)``.
    """

    measured: Floats
    predicted: Floats

    @property
    def mean(self) -> Floats:
        """Geometric mean of each block over the runs, ``(blocks,)``."""
        return geometric(self.measured)


def gains(evidence: Evidence, variant: str, moment: Moment) -> Gains | None:
    """The gains of a network; None where none were measured."""
    probes = [p for run in evidence.runs(variant) if (p := probe_at(run, moment)[1]) is not None]
    probes = [probe for probe in probes if len(probe.blocks) == len(probes[0].blocks)]
    if not probes:
        return None
    parts = np.array(
        [[(b.gain, b.branch, b.shortcut) for b in probe.blocks] for probe in probes], dtype=float
    )
    measured, branch, shortcut = np.moveaxis(parts, -1, 0)
    return Gains(measured, geometric(np.hypot(branch, shortcut)))


def geometric(values: Floats) -> Floats:
    """Geometric mean along the first axis, without NaN: 0 if a value is 0, NaN without values."""
    with np.errstate(divide="ignore", invalid="ignore"):
        mean: Floats = np.exp(np.nansum(np.log(values), axis=0) / np.isfinite(values).sum(axis=0))
    return mean
