"""The figures and claims of the original write-up (``original.toml``)."""

import functools
import tomllib
from pathlib import Path
from typing import Literal

import models
from analysis.values import Kind, Value
from experiments.record import Part

_FILE = Path(__file__).with_suffix(".toml")

#: The side in pixels that the original states for MNIST's images.
STATED_SIDE = 22

#: Figures of a network, and the kind of each.
FIELDS: dict[str, Kind] = {"parameters": "count", "macs": "macs", "accuracy": "accuracy"}


class Row(Part):
    """One row of the original's results table."""

    parameters: int
    macs: float  # as printed: for macs_images images, rounded to macs_step
    macs_step: float
    macs_images: int
    accuracy: float
    mark: Literal["", "best", "second"] = ""  # as which it is printed


class Claim(Part):
    """A claim: the figures that the original gives for it, and the kind of its basis."""

    figures: tuple[str, ...] = ()
    basis: Literal["table", "chart", "argument"]

    def values(self) -> tuple[Value, ...]:
        """The figures as values without sources."""
        return tuple(figure(*name.split(".")) for name in self.figures)

    def networks(self) -> tuple[str, ...]:
        """Titles of the networks that the figures belong to."""
        return tuple(models.NETWORKS[name.partition(".")[0]].title for name in self.figures)


class Original(Part):
    """The whole of ``original.toml``; networks by registry name, claims by finding id."""

    network: dict[str, Row]
    claim: dict[str, Claim]


@functools.cache
def load() -> Original:
    """The original's figures and claims, read once."""
    return Original.model_validate(tomllib.loads(_FILE.read_text(encoding="utf-8")))


def figure(network: str, field: str) -> Value:
    """One figure of the results table, without sources: ``figure("ResNet18", "accuracy")``."""
    return Value(getattr(load().network[network], field), FIELDS[field], ())
