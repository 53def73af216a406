"""Images as the networks take them: resized per batch on the device.

Equals torchvision's ``Resize(S)``, ``Grayscale(3)``, ``ToTensor``, ``Normalize(0.5, 0.5)`` on PIL
images to within one grey level (2/255 after normalisation): PIL rounds to whole grey levels after
each of its two passes, this after both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

#: The ``strong`` recipe's warps: turn (degrees), growth (share), shift (pixels of 28), each way.
TURN, GROWTH, SHIFT = 10.0, 0.1, 2.0


@dataclass
class Split:
    """Images ``(N, 28, 28)`` uint8 and labels ``(N,)`` int64, both on the device."""

    images: torch.Tensor
    labels: torch.Tensor


def to_input(images: torch.Tensor, size: int, channels: int) -> torch.Tensor:
    """``(N, 28, 28)`` grey values to ``(N, channels, size, size)`` float32 in [-1, 1].

    Bilinear, half-pixel centres. One grey channel is computed; on an accelerator it is repeated,
    channels last, as the convolutions want it; on a CPU all channels are views of the one.
    """
    x = images[:, None].float()
    if size != images.shape[-1]:
        x = F.interpolate(x, size=(size, size), mode="bilinear", align_corners=False).round_()
    x = x.mul_(2 / 255).sub_(1)
    x = x.expand(-1, channels, -1, -1)
    return x if x.device.type == "cpu" else x.contiguous(memory_format=torch.channels_last)


def random_warps(number: int, generator: torch.Generator) -> torch.Tensor:
    """Random affine maps ``(number, 2, 3)``: a small turn, growth and shift of each image."""
    turn, growth, right, down = 2 * torch.rand(4, number, generator=generator) - 1
    angle = turn * math.radians(TURN)
    scale = 1 + growth * GROWTH
    shift = 2 * SHIFT / 28  # affine_grid's coordinates run from -1 to 1
    cos, sin = angle.cos() * scale, angle.sin() * scale
    rows = [cos, -sin, right * shift, sin, cos, down * shift]
    return torch.stack(rows, dim=1).view(number, 2, 3)


def warp(images: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
    """``(N, 28, 28)`` uint8 images warped by ``(N, 2, 3)`` maps: floats of 0 to 255, bilinear."""
    x = images[:, None].float()
    grid = F.affine_grid(maps, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, align_corners=False)[:, 0].clamp_(0, 255)
