"""AlexNet: A. Krizhevsky, I. Sutskever, G. E. Hinton, "ImageNet classification with deep
convolutional neural networks", NIPS 2012, section 3.5 (figure 2).

The single-GPU form without local response normalisation, as the original write-up ran it.
"""

from collections.abc import Callable

import torch
from torch import nn

from models.layers import IMAGENET_CLASSES, adaptor
from models.registry import register


class AlexNet(nn.Module):
    """AlexNet: ``(N, 3, S, S)`` to ``(N, 10)`` logits, S at least 65.

    Args:
        attention: called with the number of channels after each convolution's activation; returns
            a module that keeps the shape (SE-AlexNet), or None for the plain network.
        softmax: return probabilities instead of logits.
    """

    def __init__(
        self, *, softmax: bool = False, attention: Callable[[int], nn.Module] | None = None
    ) -> None:
        super().__init__()

        def conv(
            cin: int, cout: int, kernel: int, stride: int = 1, padding: int = 0
        ) -> list[nn.Module]:
            layers = [nn.Conv2d(cin, cout, kernel, stride, padding), nn.ReLU(inplace=True)]
            return layers if attention is None else [*layers, attention(cout)]

        self.features = nn.Sequential(
            *conv(3, 96, 11, stride=4, padding=1),  # 224 -> 54
            nn.MaxPool2d(3, stride=2),  # 26
            *conv(96, 256, 5, padding=2),
            nn.MaxPool2d(3, stride=2),  # 12
            *conv(256, 384, 3, padding=1),
            *conv(384, 384, 3, padding=1),
            *conv(384, 256, 3, padding=1),
            nn.MaxPool2d(3, stride=2),  # 5
        )
        # The identity at 224 px; lets smaller images reach the 6400-wide classifier.
        self.pool = nn.AdaptiveAvgPool2d(5)
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(256 * 5 * 5, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Linear(4096, IMAGENET_CLASSES),
        )
        self.adaptor = adaptor(softmax=softmax)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.adaptor(self.classifier(self.pool(self.features(x))))


@register(
    "AlexNet", title="AlexNet", color="#7a6749", marker="P", citation="krizhevsky2012", min_size=65
)
def build(_: str, *, softmax: bool) -> AlexNet:
    """AlexNet."""
    return AlexNet(softmax=softmax)
