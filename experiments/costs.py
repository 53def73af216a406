"""How long a run should take, before it has run: for `make status`, the order of runs and ETAs."""

from __future__ import annotations

from experiments.config import Config

#: Training throughput, images a second on one CPU core at ``_SIZE`` px (LeNet 28, AlexNets 65):
#: medians of the `quick` records, AMD EPYC with AVX-512 bf16.
_THROUGHPUT = {
    "LeNet": 9000.0,
    "AlexNet": 230.0,
    "ResNet18": 550.0,
    "ResNet34": 300.0,
    "ResNet50": 80.0,
    "ResNet101": 35.0,
    "PlainNet18": 550.0,
    "PlainNet34": 300.0,
    "PlainNet50": 85.0,
    "PlainNet101": 37.0,
    "DenseNet": 2400.0,
    "SEResNet18": 450.0,
    "SEResNet34": 250.0,
    "SEAlexNet": 200.0,
}
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
    return _START + images * area / _THROUGHPUT[config.network]
