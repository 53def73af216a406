"""Expected time and memory of a run, from the network's multiply-accumulates and parameters.

The estimates order the runs, weight the progress bars and place runs on a cluster or a GPU.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.config import Config

if TYPE_CHECKING:
    from torchinfo import ModelStatistics

# One core of an AMD EPYC with AVX-512 bf16: fitted to the records of `standard`, each of which it
# predicts within a factor of 1.6.
_SECONDS_PER_MAC = 3.0e-11  # of an image's forward pass, forward and backward together
_SECONDS_PER_PARAMETER = 3.4e-9  # a step: AdamW and copies of the weights
_SECONDS_PER_IMAGE = 1.0e-4  # everything else
#: Factor for fp32 on a core without bf16 arithmetic (AMD EPYC with AVX2).
_FP32_FACTOR = 2.0
#: Time of evaluating an image over that of training on it.
_EVALUATION_SHARE = 0.3
_START_SECONDS = 2.0

_PROCESS_BYTES = 1.0e9  # Python, torch, the images
_BYTES_PER_PARAMETER = 22  # weight, gradient, AdamW's two moments, and copies
_GPU_BYTES = 40e9  # assumed memory of a GPU that several runs share
#: Memory on a GPU over that on a CPU; the difference is work space of the GPU's libraries.
_GPU_FACTOR = 2


def _network(config: Config) -> ModelStatistics:
    """torchinfo's statistics of a configuration's network at its input size, of one image."""
    from models.complexity import summary  # imports torch: seconds

    return summary(config.network, config.input_size, **config.options)


def images_per_second(config: Config) -> float:
    """Expected training throughput of one CPU core."""
    network = _network(config)
    seconds = (
        network.total_mult_adds * _SECONDS_PER_MAC
        + network.total_params / config.batch_size * _SECONDS_PER_PARAMETER
        + _SECONDS_PER_IMAGE
    )
    return 1 / (seconds * (1.0 if has_bf16() else _FP32_FACTOR))


def seconds(config: Config) -> float:
    """Expected seconds of a run on one CPU core."""
    trained = config.train_images * config.epochs
    evaluated = config.validation_images * (config.epochs + 1) + config.test_images
    return _START_SECONDS + (trained + _EVALUATION_SHARE * evaluated) / images_per_second(config)


@functools.cache
def has_bf16() -> bool:
    """Whether this CPU has bf16 arithmetic: ``device.computes_in_bf16`` without importing torch.
    True on systems other than Linux."""
    try:
        return "bf16" in Path("/proc/cpuinfo").read_text()
    except OSError:
        return True


def memory(config: Config) -> int:
    """Expected bytes of main memory of a run on a CPU."""
    return int(_PROCESS_BYTES + _training_bytes(config))


def gpu_share(config: Config) -> float:
    """The share of a GPU that a run gets (1/8, 1/4, 1/2 or 1), by its expected memory."""
    share = _GPU_FACTOR * _training_bytes(config) / _GPU_BYTES
    return next((part for part in (1 / 8, 1 / 4, 1 / 2) if share <= part), 1.0)


def _training_bytes(config: Config) -> float:
    network = _network(config)
    weights = network.total_params * _BYTES_PER_PARAMETER
    return weights + config.batch_size * network.total_output_bytes
