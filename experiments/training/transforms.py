"""Convert images to network inputs: resized per batch on the device.

Equals torchvision's ``Resize(S)``, ``Grayscale(3)``, ``ToTensor``, ``Normalize(0.5, 0.5)`` on PIL
images to within one grey level (2/255 after normalisation): PIL rounds to whole grey levels after
each of its two passes, this after both.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

#: Shares of red, green and blue in the luminance (ITU-R BT.601, as PIL).
LUMINANCE = (0.299, 0.587, 0.114)
#: Maximum rotation (degrees), scaling (share) and shift (of 28 pixels) of the ``strong`` recipe.
TURN, GROWTH, SHIFT = 10.0, 0.1, 2.0


@dataclass
class Split:
    """Images ``(N, H, W)`` (grey) or ``(N, H, W, 3)`` uint8 and labels ``(N,)`` int64, on the
    device."""

    images: torch.Tensor
    labels: torch.Tensor


def to_input(images: torch.Tensor, size: int, channels: int) -> torch.Tensor:
    """``(N, H, W)`` or ``(N, H, W, 3)`` values to ``(N, channels, size, size)`` float32 in [-1, 1].

    Bilinear, half-pixel centres. Of a grey image one channel is computed. On an accelerator it is
    copied to all channels (channels last); on a CPU all channels are views of it. A network of one
    channel gets the luminance of a coloured image.
    """
    x = _channels_first(images).float()
    if x.shape[1] > channels:
        x = (x * x.new_tensor(LUMINANCE).view(1, 3, 1, 1)).sum(dim=1, keepdim=True).round_()
    if (size, size) != x.shape[2:]:
        x = F.interpolate(x, size=(size, size), mode="bilinear", align_corners=False).round_()
    x = x.mul_(2 / 255).sub_(1)
    x = x.expand(-1, channels, -1, -1)
    return x if x.device.type == "cpu" else x.contiguous(memory_format=torch.channels_last)


def _channels_first(images: torch.Tensor) -> torch.Tensor:
    """``(N, 1, H, W)`` or ``(N, 3, H, W)``."""
    return images[:, None] if images.dim() == 3 else images.permute(0, 3, 1, 2)


def random_warps(number: int, generator: torch.Generator) -> torch.Tensor:
    """Random affine maps ``(number, 2, 3)``: a small rotation, scaling and shift per image."""
    turn, growth, right, down = 2 * torch.rand(4, number, generator=generator) - 1
    angle = turn * math.radians(TURN)
    scale = 1 + growth * GROWTH
    shift = 2 * SHIFT / 28  # affine_grid's coordinates run from -1 to 1
    cos, sin = angle.cos() * scale, angle.sin() * scale
    rows = [cos, -sin, right * shift, sin, cos, down * shift]
    return torch.stack(rows, dim=1).view(number, 2, 3)


def warp(images: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
    """Warp images (as in ``Split``) by affine maps ``(N, 2, 3)``, bilinearly; floats, 0 to 255."""
    x = _channels_first(images).float()
    grid = F.affine_grid(maps, list(x.shape), align_corners=False)
    warped = F.grid_sample(x, grid, align_corners=False)
    return (warped[:, 0] if images.dim() == 3 else warped.permute(0, 2, 3, 1)).clamp_(0, 255)
