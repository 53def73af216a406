"""Images as the networks take them: resized per batch on the device.

Equals torchvision's ``Resize(S)``, ``Grayscale(3)``, ``ToTensor``, ``Normalize(0.5, 0.5)`` on PIL
images to within one grey level (2/255 after normalisation): PIL rounds to whole grey levels after
each of its two passes, this after both.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F


def to_input(images: torch.Tensor, size: int, channels: int) -> torch.Tensor:
    """``(N, 28, 28)`` uint8 to ``(N, channels, size, size)`` float32 in [-1, 1], channels last.

    Bilinear, half-pixel centres. One grey channel is computed and repeated without a copy's cost
    in the resize; the result is laid out channels-last, as the convolutions want it.
    """
    x = images[:, None].float()
    if size != images.shape[-1]:
        x = F.interpolate(x, size=(size, size), mode="bilinear", align_corners=False).round_()
    x = x.mul_(2 / 255).sub_(1)
    if channels == 1:
        return x
    return x.expand(-1, channels, -1, -1).contiguous(memory_format=torch.channels_last)
