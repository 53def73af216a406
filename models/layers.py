"""Layers that several families share: the ImageNet stem and the ten-way adaptor."""

from torch import nn

IMAGENET_CLASSES = 1000
CLASSES = 10


def stem(*, bias: bool = True, batch_norm: bool = True, pool_padding: int = 0) -> list[nn.Module]:
    """The ImageNet stem: 7x7 convolution of stride 2, then 3x3 max-pooling of stride 2.

    Maps ``(N, 3, S, S)`` to ``(N, 64, ~S/4, ~S/4)``. He et al. 2016 (table 1) pad the pooling
    (224 -> 112 -> 56); the original write-up did not (224 -> 112 -> 55), as its MACs show.
    """
    return [
        nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=bias),
        norm(64, batch_norm),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, stride=2, padding=pool_padding),
    ]


def norm(channels: int, enabled: bool = True) -> nn.Module:
    """Batch normalisation (Ioffe and Szegedy 2015), or nothing."""
    return nn.BatchNorm2d(channels) if enabled else nn.Identity()


def adaptor(*, softmax: bool) -> nn.Sequential:
    """Map the paper's 1000 ImageNet outputs to ten digits: ``(N, 1000)`` to ``(N, 10)``."""
    layers: list[nn.Module] = [nn.Linear(IMAGENET_CLASSES, CLASSES)]
    if softmax:
        layers.append(nn.Softmax(dim=1))
    return nn.Sequential(*layers)
