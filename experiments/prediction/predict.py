"""Class probabilities of images, by a run whose weights were saved."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import models
from experiments.record import RESULTS, Record, RecordError, read
from experiments.training.transforms import to_input
from models.errors import UsageError


def best_run(model: str, profile: str) -> Path:
    """The record of the matching run with saved weights and the best validation accuracy.

    Args:
        model: a run's id (``ResNet18-mul.s0``), a variant (``ResNet18-mul``) or a network.
        profile: names the folder of records.

    Raises:
        UsageError: no such run has saved weights.
    """
    folder = RESULTS / profile
    found: list[tuple[float, Path]] = []
    for path in sorted(folder.glob("*.safetensors")):
        try:
            record = read(path.with_suffix(".json"))
        except RecordError:
            continue
        if record.validation and _is_meant(model, record):
            found.append((record.validation.accuracy, path.with_suffix(".json")))
    if not found:
        kept = ", ".join(path.stem for path in sorted(folder.glob("*.safetensors"))) or "none"
        raise UsageError(
            f"no weights of {model!r} in {folder} (kept: {kept}); "
            f"make experiment MODEL={model} PROFILE={profile} trains it and keeps them."
        )
    return max(found, key=lambda each: each[0])[1]


def _is_meant(model: str, record: Record) -> bool:
    if model in (record.id, record.id.rpartition(".s")[0]):
        return True
    try:
        return models.resolve(model).name == record.config.network
    except UsageError:
        return False


def probabilities(path: Path, images: NDArray[np.uint8]) -> torch.Tensor:
    """Probabilities ``(N, 10)``, computed in fp32.

    Args:
        path: the record of the run.
        images: ``(N, 28, 28)``, white on black.

    Raises:
        UsageError: the run's weights cannot be loaded (``models.load``).
    """
    config = read(path).config
    net = models.load(path)
    with torch.inference_mode():
        output = net(to_input(torch.tensor(images), config.input_size, config.channels))
    # With the option `softmax` the network's output is probabilities.
    return output if config.options.get("softmax") else output.softmax(dim=1)
