"""What a run should take, before it has run: its time for `make status`, the order of runs and
ETAs; its memory for a cluster's scheduler."""

from __future__ import annotations

import functools
from pathlib import Path

from experiments.config import Config

#: Training throughput, images a second on one CPU core at ``_SIZE`` px (LeNet 28, AlexNets 65):
#: medians of the records, AMD EPYC with AVX-512 bf16.
_THROUGHPUT = {
    "LeNet": 11000.0,
    "AlexNet": 214.0,
    "ResNet18": 660.0,
    "ResNet34": 360.0,
    "ResNet50": 136.0,
    "ResNet101": 72.0,
    "ResNet50-paper": 110.0,
    "ResNet101-paper": 60.0,
    "PlainNet18": 680.0,
    "PlainNet34": 380.0,
    "PlainNet50": 140.0,
    "PlainNet101": 74.0,
    "DenseNet": 2000.0,
    "SEResNet18": 540.0,
    "SEResNet34": 275.0,
    "SEAlexNet": 190.0,
}
#: Times as long in fp32, on a core without bf16 arithmetic: AMD EPYC with AVX2, ResNet-18, DenseNet
#: and LeNet.
_IN_FP32 = 2.0
_SIZE = {"LeNet": 28, "AlexNet": 65, "SEAlexNet": 65}
_USUAL_SIZE = 36
_FORWARD_SHARE = 0.3  # evaluating an image against training on it
_START = 2.0  # seconds


def seconds(config: Config) -> float:
    """Expected seconds of a run on one CPU core."""
    area = (config.input_size / _SIZE.get(config.network, _USUAL_SIZE)) ** 2
    trained = config.train_images * config.epochs
    evaluated = config.validation_images * (config.epochs + 1) + config.test_images
    images = trained + _FORWARD_SHARE * evaluated
    throughput = _THROUGHPUT.get(config.variant) or _THROUGHPUT[config.network]
    return _START + images * area / throughput * (1.0 if has_bf16() else _IN_FP32)


@functools.cache
def has_bf16() -> bool:
    """Whether this CPU has bf16 arithmetic, as ``machine.computes_in_bf16`` but without torch;
    where the system is not Linux it is supposed to."""
    try:
        return "bf16" in Path("/proc/cpuinfo").read_text()
    except OSError:
        return True


#: Millions of parameters, and bytes of activations a pixel of a batch in training on a CPU: from
#: peaks of resident memory at batches of 64 and 128 images.
_MEMORY = {
    "LeNet": (0.1, 400),
    "AlexNet": (51.0, 400),
    "ResNet18": (12.0, 400),
    "ResNet34": (22.0, 500),
    "ResNet50": (58.0, 1500),
    "ResNet101": (116.0, 1500),
    "PlainNet18": (12.0, 400),
    "PlainNet34": (22.0, 500),
    "PlainNet50": (58.0, 1500),
    "PlainNet101": (116.0, 1500),
    "DenseNet": (0.4, 700),
    "SEResNet18": (12.5, 500),
    "SEResNet34": (23.5, 600),
    "SEAlexNet": (51.5, 400),
}
_PROCESS_BYTES = 1.0e9  # Python, torch, the images
_PARAMETER_BYTES = 22  # weight, gradient, AdamW's two moments, and what is copied
_GPU_BYTES = 40e9  # a card on which shares are sure to fit


def memory(config: Config) -> int:
    """Bytes of main memory that a run should need on a CPU."""
    return int(_PROCESS_BYTES + _network_bytes(config))


def gpu_share(config: Config) -> float:
    """The share of a GPU that a run should get (1/8, 1/4, 1/2 or 1), by the memory it needs there;
    activations are allowed twice a CPU's, for the libraries' work space."""
    share = 2 * _network_bytes(config) / _GPU_BYTES
    return next((part for part in (1 / 8, 1 / 4, 1 / 2) if share <= part), 1.0)


def _network_bytes(config: Config) -> float:
    millions, per_pixel = _MEMORY[config.network]
    pixels = config.batch_size * config.input_size**2
    return millions * 1e6 * _PARAMETER_BYTES + pixels * per_pixel
