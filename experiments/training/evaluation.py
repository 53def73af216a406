"""Predictions of a network on one split, and their metrics."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from experiments.config import Config
from experiments.record import Evaluation, finite
from experiments.training.transforms import Split, to_input

BATCH = 500


@torch.inference_mode()
def predict(
    config: Config, net: nn.Module, split: Split, micro_batches: int = 1
) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Predicted classes ``(N,)``, true classes ``(N,)`` and the mean cross-entropy in nats, in
    evaluation mode. ``micro_batches`` divides the number of images in memory at once."""
    net.eval()
    digits, loss = [], torch.zeros((), dtype=torch.float64, device=split.images.device)
    at_once = max(1, BATCH // micro_batches)
    for images, y in zip(split.images.split(at_once), split.labels.split(at_once), strict=True):
        x = to_input(images, config.input_size, config.channels)
        with torch.autocast(x.device.type, torch.bfloat16, enabled=config.precision == "bf16"):
            logits = net(x)
        logits = logits.float()
        digits.append(logits.argmax(dim=1))
        loss += F.cross_entropy(logits, y, reduction="sum").double()
    return torch.cat(digits), split.labels, float(loss) / len(split.labels)


def evaluation_metrics(
    digits: torch.Tensor, labels: torch.Tensor, loss: float
) -> Evaluation | None:
    """Loss, accuracy, accuracy of each class and all predictions on one split; None if the loss is
    not finite (the network diverged in its last steps)."""
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
