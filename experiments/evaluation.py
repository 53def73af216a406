"""What a trained network makes of the images of one split."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from experiments.config import Config
from experiments.images import Split, to_input
from experiments.record import Evaluation, finite

BATCH = 500


@torch.inference_mode()
def predict(
    config: Config, net: nn.Module, split: Split, channels: int, pieces: int = 1
) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Predicted digits ``(N,)``, the true ones, and the mean cross-entropy in nats, in evaluation
    mode. ``pieces`` divides the images taken at once, for want of memory."""
    net.eval()
    digits, loss = [], torch.zeros((), dtype=torch.float64, device=split.images.device)
    at_once = max(1, BATCH // pieces)
    for images, y in zip(split.images.split(at_once), split.labels.split(at_once), strict=True):
        x = to_input(images, config.input_size, channels)
        with torch.autocast(x.device.type, torch.bfloat16, enabled=config.precision == "bf16"):
            logits = net(x)
        logits = logits.float()
        digits.append(logits.argmax(dim=1))
        loss += F.cross_entropy(logits, y, reduction="sum").double()
    return torch.cat(digits), split.labels, float(loss) / len(split.labels)


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
