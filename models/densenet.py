"""DenseNet: G. Huang, Z. Liu, L. van der Maaten, K. Q. Weinberger, "Densely connected
convolutional networks", CVPR 2017, section 3 (figures 1 and 2).

The small form of the original write-up: four dense blocks of two layers, growth rate k = 32,
each layer conv - BN - ReLU (the paper: BN - ReLU - conv), compression 0.5 in the transitions.
"""

import torch
from torch import nn

from models.layers import IMAGENET_CLASSES, adaptor, stem
from models.registry import register

BLOCKS = 4
LAYERS_PER_BLOCK = 2


class DenseBlock(nn.Module):
    """Layers whose input is the concatenation of all earlier outputs (section 3, eq. 2):
    ``(N, C, H, W)`` to ``(N, C + layers * k, H, W)``."""

    def __init__(self, cin: int, growth_rate: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(cin + index * growth_rate, growth_rate, 3, padding=1),
                nn.BatchNorm2d(growth_rate),
                nn.ReLU(inplace=True),
            )
            for index in range(layers)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = torch.cat((x, layer(x)), dim=1)
        return x


def transition(cin: int) -> nn.Sequential:
    """Halve channels and resolution: ``(N, C, H, W)`` to ``(N, C/2, H/2, W/2)``."""
    return nn.Sequential(
        nn.BatchNorm2d(cin),
        nn.ReLU(inplace=True),
        nn.Conv2d(cin, cin // 2, 1),
        nn.AvgPool2d(2, stride=2, ceil_mode=False),
    )


class DenseNet(nn.Module):
    """DenseNet: ``(N, 3, S, S)`` to ``(N, 10)`` logits; k = ``growth_rate``."""

    def __init__(self, growth_rate: int = 32, *, softmax: bool = False) -> None:
        super().__init__()
        layers, channels = stem(), 64
        for index in range(BLOCKS):
            layers.append(DenseBlock(channels, growth_rate, LAYERS_PER_BLOCK))
            channels += LAYERS_PER_BLOCK * growth_rate
            if index < BLOCKS - 1:
                layers.append(transition(channels))
                channels //= 2
        layers += [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
        self.features = nn.Sequential(*layers)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Linear(channels, IMAGENET_CLASSES)
        self.adaptor = adaptor(softmax=softmax)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.adaptor(self.classifier(self.pool(self.features(x))))


@register(
    "DenseNet", title="DenseNet", color="#b83997", marker="h", citation="huang2017", min_size=33
)
def build(_: str, *, growth_rate: int, softmax: bool) -> DenseNet:
    """DenseNet with growth rate k."""
    return DenseNet(growth_rate, softmax=softmax)
