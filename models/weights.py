"""Trained weights as safetensors files beside the records of their runs."""

import hashlib
import json
from pathlib import Path

import safetensors.torch
from torch import nn

import models
from models.errors import UsageError


def serialise(net: nn.Module) -> bytes:
    """The weights and running statistics of a network as a safetensors file."""
    state = {name: tensor.contiguous().cpu() for name, tensor in net.state_dict().items()}
    return safetensors.torch.save(state)


def load(record: Path | str) -> nn.Module:
    """Load the trained network of a record, on the CPU, in evaluation mode.

    Raises:
        UsageError: no weights were saved, or their hash is not the record's.
    """
    path = Path(record).expanduser()
    weights = path.with_suffix(".safetensors")
    try:
        content = json.loads(path.read_bytes())
        config, sha256 = content["config"], content.get("weights_sha256")
        data = weights.read_bytes()
    except FileNotFoundError as error:
        raise UsageError(
            f"{error.filename}: no such file; train the run with SAVE=1 to keep its weights."
        ) from None
    except (OSError, ValueError, TypeError, KeyError):
        raise UsageError(f"{path}: expected a record, with its weights beside it.") from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise UsageError(
            f"{weights}: not the weights that {path.name} states; train the run again with SAVE=1."
        )
    net = models.build(config["network"], **config["options"])
    net.load_state_dict(safetensors.torch.load(data))
    return net.eval()
