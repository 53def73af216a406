"""Measurements inside the networks. A module of this package defines each, as ``PROBE``."""

import importlib
import pkgutil
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from experiments.config import Config
from experiments.record import Part
from experiments.training.state import Trained
from experiments.training.transforms import Split


@dataclass(frozen=True)
class Subject:
    """A network in training, as the probes see it.

    Attributes:
        net: the network.
        config: the run's configuration.
        validation: the validation images.
        trained: what training has produced so far.
    """

    net: nn.Module
    config: Config
    validation: Split
    trained: Trained


class Probe:
    """One measurement during a run. A subclass overrides the methods that it needs.

    A probe neither changes the network nor draws random numbers.

    Attributes:
        name: the field of ``record.Probes`` that holds the result; if there is none, the key in its
            ``more``, and the result is a list of finite numbers.
        part: the class of the parts of the record that are found; None for numbers.
        found: what was found so far; a checkpoint keeps it.
    """

    name: ClassVar[str]
    part: ClassVar[type[Part] | None] = None

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.found: list[Any] = []

    def before_training(self) -> None:
        """The weights are initialised."""

    def after_backward(self, step: int) -> None:
        """The gradients of a step (from 0) are complete; the weights are not yet updated."""

    def after_epoch(self, epoch: int, step: int, *, last: bool) -> None:
        """``epoch`` epochs of ``step`` steps are trained and validated."""

    def before_test(self) -> None:
        """The trained network is about to be evaluated on the test images."""

    def after_test(self) -> None:
        """It has been, with a finite loss."""

    def result(self) -> Any:
        """The value for the record, after training; after the test if training did not diverge."""
        return self.found

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must keep."""
        return {"found": [each.model_dump() if self.part else each for each in self.found]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore it."""
        made = self.part.model_validate if self.part else float
        self.found = [made(each) for each in state["found"]]


def create(subject: Subject) -> list[Probe]:
    """All probes of a run, in alphabetical order of their modules."""
    return [
        importlib.import_module(f"{__name__}.{module.name}").PROBE(subject)
        for module in pkgutil.iter_modules(__path__)
        if module.name != "__main__"
    ]
