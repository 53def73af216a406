"""What a trained network makes of the images of one split."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from experiments.images import to_input
from experiments.record import Evaluation, finite

BATCH = 500


@torch.inference_mode()
def predict(
    net: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    size: int,
    channels: int,
    *,
    bf16: bool,
) -> tuple[torch.Tensor, float]:
    """Predicted digits ``(N,)`` and mean cross-entropy in nats, in evaluation mode."""
    net.eval()
    digits, loss = [], torch.zeros((), dtype=torch.float64, device=images.device)
    for start in range(0, len(images), BATCH):
        x = to_input(images[start : start + BATCH], size, channels)
        y = labels[start : start + BATCH]
        with torch.autocast(x.device.type, torch.bfloat16, enabled=bf16):
            logits = net(x)
        logits = logits.float()
        digits.append(logits.argmax(dim=1))
        loss += F.cross_entropy(logits, y, reduction="sum").double()
    return torch.cat(digits), float(loss) / len(images)


def judge(digits: torch.Tensor, labels: torch.Tensor, loss: float) -> Evaluation | None:
    """Loss, accuracy, per-class accuracy and every prediction on one split; None where the loss is
    not finite (a network that diverged at its very end)."""
    if not math.isfinite(loss):
        return None
    right = digits == labels
    per_class = [
        float(right[labels == digit].float().mean()) if bool((labels == digit).any()) else 0.0
        for digit in range(10)
    ]
    return Evaluation(
        images=len(labels),
        loss=finite(loss, 6),
        accuracy=int(right.sum()) / len(labels),
        per_class_accuracy=[finite(value, 6) for value in per_class],
        predictions="".join(map(str, digits.tolist())),
    )
