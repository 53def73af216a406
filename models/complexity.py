"""Parameters, multiply-accumulates and the layer table of a network, by torchinfo and thop.

Counted on the meta device: no memory, no arithmetic.
"""

import contextlib
import functools
import io
from dataclasses import dataclass
from typing import Any

import torch
import torchinfo

import models

#: The ImageNet resolution, at which papers state their costs.
REFERENCE_SIZE = 224


@dataclass(frozen=True)
class Counts:
    """``parameters``; multiply-accumulates of one image by each counter; torchinfo's table."""

    parameters: int
    macs_torchinfo: int
    macs_thop: int
    layers: str


def count(name: str, size: int | None = None, **options: Any) -> Counts:
    """Count one network at ``size`` px (default: 224, or the only size it takes).

    torchinfo counts convolutions and linear layers with their biases and batch normalisation;
    thop counts convolutions and linear layers without biases, and has its own rules for
    normalisation, activation and pooling. The original write-up's column is torchinfo's.
    """
    import thop  # AGPL-3.0: loaded only where it counts

    found = summary(name, size, **options)
    with torch.device("meta"):
        net = models.build(name, **options).eval()
        with contextlib.redirect_stdout(io.StringIO()):
            macs, _ = thop.profile(net, inputs=(torch.empty(_shape(name, size)),), verbose=False)
    table = str(found)
    for unit, letter in (("KILOBYTES", "k"), ("MEGABYTES", "M"), ("GIGABYTES", "G")):
        table = table.replace(f"Units.{unit}", letter)  # torchinfo prints the enum's name
    return Counts(found.total_params, found.total_mult_adds, int(macs), table)


@functools.cache
def summary(name: str, size: int | None = None, **options: Any) -> torchinfo.ModelStatistics:
    """torchinfo's statistics of one image of ``size`` px."""
    with torch.device("meta"):
        return torchinfo.summary(
            models.build(name, **options).eval(),
            input_size=_shape(name, size),
            device="meta",
            depth=6,
            verbose=0,
            col_names=("output_size", "num_params", "mult_adds"),
        )


def _shape(name: str, size: int | None) -> tuple[int, int, int, int]:
    network = models.resolve(name)
    side = network.fixed_size or size or REFERENCE_SIZE
    return (1, network.input_channels, side, side)
