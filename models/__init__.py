"""The networks of the study, by name.

``build("SEResNet34", ratio=2)`` returns an ``nn.Module``; ``resolve`` turns any usual
spelling of a name (``SE-ResNet34``, ``seresnet34``) into the canonical one. Names and options
can be checked without importing torch, which is imported only when a network is built.
"""

from __future__ import annotations

import difflib
import importlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.errors import UsageError as UsageError
from models.registry import Network, discover

if TYPE_CHECKING:
    from torch import nn

#: ``--residual``: how a block joins its residual branch h(x) with its shortcut x.
OPERATORS = ("add", "sub", "mul", "none")
#: Bottleneck widths: as the original write-up ran them, or as in He et al.
VARIANTS = ("original", "paper")

NETWORKS: dict[str, Network] = discover()

#: Option defaults: the original write-up's setting.
DEFAULTS: dict[str, Any] = {
    "residual": "add",
    "batch_norm": True,
    "variant": "original",
    "growth_rate": 32,
    "ratio": 2,
    "softmax": False,
}
#: Values of the options that are not true or false.
_ALLOWED: dict[str, Sequence[Any]] = {
    "residual": OPERATORS,
    "variant": VARIANTS,
    "growth_rate": range(1, 257),
    "ratio": range(1, 65),
}


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def resolve(name: str) -> Network:
    """Find a network by any usual spelling of its name.

    Raises:
        UsageError: no such network; the message lists them and names the nearest.
    """
    by_key = {_key(known): network for known, network in NETWORKS.items()}
    key = _key(name)
    if key in by_key:
        return by_key[key]
    near = difflib.get_close_matches(key, by_key, n=1, cutoff=0.5)
    hint = f" Did you mean {by_key[near[0]].name}?" if near else ""
    raise UsageError(f"unknown model {name!r}.{hint} Known: {', '.join(NETWORKS)}.")


def check_options(network: Network, given: dict[str, Any]) -> dict[str, Any]:
    """Validate options of a network and fill in the defaults.

    Raises:
        UsageError: the network has no such option, or its value is out of range.
    """
    for option, value in given.items():
        if option not in network.options:
            takes = ", ".join(network.options) or "no options"
            raise UsageError(f"{network.name} has no option {option!r}; it takes {takes}.")
        if isinstance(DEFAULTS[option], bool) and not isinstance(value, bool):
            raise UsageError(f"{option}={value!r}: expected true or false.")
        allowed = _ALLOWED.get(option, (value,))
        if type(value) is not type(allowed[0]) or value not in allowed:
            expected = f"one of {', '.join(map(str, allowed))}"
            if isinstance(allowed, range):
                expected = f"a whole number from {allowed[0]} to {allowed[-1]}"
            raise UsageError(f"{option}={value!r}: expected {expected}.")
    return {option: given.get(option, DEFAULTS[option]) for option in network.options}


def build(name: str, **options: Any) -> nn.Module:
    """Build a network: input ``(N, C, S, S)`` floats, output ``(N, 10)`` logits.

    With ``softmax=True`` the output is probabilities, as the original's adaptor had it; trained
    under a cross-entropy that takes them for logits, its loss cannot fall below 1.4612.

    Raises:
        UsageError: unknown network or option value.
    """
    network = resolve(name)
    settings = check_options(network, options)
    module = importlib.import_module(f"models.{network.family}")
    return getattr(module, network.builder)(network.name, **settings)


def load(record: Path | str) -> nn.Module:
    """Load the trained network of a record whose weights were saved (``SAVE=1``), on the CPU.

    ``load("experiments/results/quick/LeNet.s0.json")``; ``to_input`` makes its input.

    Raises:
        UsageError: no weights were saved, or their hash is not the record's.
    """
    return importlib.import_module("models.weights").load(record)
