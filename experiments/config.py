"""The configuration of a run, and the name of its variant."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

import models
from experiments.datasets import USUAL, DatasetName

OptionValue = bool | int | str
#: How options are named in a variant; the others by their values.
_TAGS = {"batch_norm": "nobn", "softmax": "softmax", "ratio": "ratio{}", "growth_rate": "gr{}"}


class Config(BaseModel):
    """Everything that determines a run's result besides the code.

    Attributes:
        network: canonical name (``models.NETWORKS``).
        options: every option that the network takes, with defaults filled in.
        dataset: name of the data set (``datasets.DATASETS``).
        input_size: side of the square input in pixels; images are resized to it bilinearly.
        train_images: number of training images used, the first of a fixed shuffled order.
        validation_images, test_images: number of images evaluated, the first of a fixed shuffled
            order (validation) or of the file (test).
        epochs: passes over the training images; the maximum with ``stop="stable"``.
        batch_size: images per step.
        learning_rate: the peak.
        weight_decay: decoupled (AdamW), on weights of two or more dimensions.
        schedule: ``one-cycle`` (linear warm-up over 25 % of the steps, then cosine to zero) or
            ``constant`` (after a linear warm-up over the first epoch).
        stop: ``epochs``, or ``stable``: stop when the mean training loss of the last three epochs
            differs by less than 5 % from that of the three before (``loop.is_stable``).
        precision: ``bf16`` autocast or ``fp32``. A device without bf16 arithmetic trains in fp32.
        recipe: ``original``, or ``strong``: a new random affine map of each image in each epoch
            (``transforms.random_warps``), evaluated with the running average of the weights
            (``optimizer.Average``).
        tag: names a run that departs from its profile (``long``, ``px64``); empty for the others.
        seed: of initial weights, order of images and dropout.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    network: str
    options: dict[str, OptionValue]
    dataset: DatasetName = USUAL
    input_size: Annotated[int, Field(ge=16, le=512)]
    train_images: Annotated[int, Field(ge=1, le=50_000)]
    validation_images: Annotated[int, Field(ge=1, le=10_000)]
    test_images: Annotated[int, Field(ge=1, le=10_000)]
    epochs: Annotated[int, Field(ge=1, le=1000)]
    batch_size: Annotated[int, Field(ge=2, le=8192)]
    learning_rate: Annotated[float, Field(gt=0, le=10)]
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.01
    schedule: Literal["one-cycle", "constant"] = "one-cycle"
    stop: Literal["epochs", "stable"] = "epochs"
    precision: Literal["bf16", "fp32"] = "bf16"
    recipe: Literal["original", "strong"] = "original"
    tag: Annotated[str, Field(pattern=r"^[a-z0-9]{0,16}$")] = ""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0

    @model_validator(mode="after")
    def _known_network(self) -> Config:
        network = models.resolve(self.network)
        if network.name != self.network:
            raise ValueError(f"network: expected the canonical name {network.name}")
        if models.check_options(network, self.options) != self.options:
            raise ValueError("options: expected every option of the network, none other")
        if network.fixed_size not in (None, self.input_size):
            raise ValueError(f"{network.name} takes {network.fixed_size} px only")
        if self.input_size < network.min_size:
            raise ValueError(f"{network.name} needs at least {network.min_size} px")
        return self

    @property
    def channels(self) -> int:
        """Channels of the network's input: 1 or 3."""
        return models.NETWORKS[self.network].input_channels

    @property
    def variant(self) -> str:
        """The network with the options that differ from the defaults: ``ResNet18-mul-nobn``."""
        tags = [
            _TAGS.get(option, "{}").format(value)
            for option, value in self.options.items()
            if value != models.DEFAULTS[option]
        ]
        tags += ["stable"] * (self.stop == "stable") + ["strong"] * (self.recipe == "strong")
        return "-".join([self.network, *tags, *([self.tag] if self.tag else [])])
