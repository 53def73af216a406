"""Squeeze-and-excitation: J. Hu, L. Shen, G. Sun, "Squeeze-and-excitation networks",
CVPR 2018, section 3 (figures 1 and 3).

SE-ResNet scales the residual branch before the shortcut joins it (figure 3). SE-AlexNet is the
original write-up's own network: one SE block after each convolution's activation.
"""

import functools

import torch
from torch import nn

from models.alexnet import AlexNet
from models.registry import register
from models.resnet import ResNet, depth


class SEBlock(nn.Module):
    """Scale each channel by a learned weight in (0, 1): ``(N, C, H, W)`` keeps its shape.

    Args:
        channels: C.
        ratio: reduction ratio r of the bottleneck, C to C/r to C (section 3.2, eq. 3).
    """

    def __init__(self, channels: int, ratio: int) -> None:
        super().__init__()
        squeezed = max(1, channels // ratio)
        self.squeeze = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.excite = nn.Sequential(
            nn.Linear(channels, squeezed),
            nn.ReLU(inplace=True),
            nn.Linear(squeezed, channels),
            nn.Sigmoid(),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weights = self.excite(self.squeeze(x))  # (N, C)
        return x * weights[:, :, None, None]


@register("SEResNet18", title="SE-ResNet-18", color="#2f9e71", marker="o", citation="hu2018")
@register("SEResNet34", title="SE-ResNet-34", color="#087c6a", marker="s", citation="hu2018")
def se_resnet(name: str, *, ratio: int, residual: str, batch_norm: bool, softmax: bool) -> ResNet:
    """SE-ResNet-18 and SE-ResNet-34."""
    return ResNet(
        depth(name),
        operator=residual,
        batch_norm=batch_norm,
        softmax=softmax,
        attention=functools.partial(SEBlock, ratio=ratio),
    )


@register(
    "SEAlexNet", title="SE-AlexNet", color="#8a8b3e", marker="X", citation="hu2018", min_size=65
)
def se_alexnet(_: str, *, ratio: int, softmax: bool) -> AlexNet:
    """SE-AlexNet."""
    return AlexNet(softmax=softmax, attention=functools.partial(SEBlock, ratio=ratio))
