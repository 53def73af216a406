"""The original write-up's way: each image through PIL transforms in a DataLoader, fp32, Adam,
cross-entropy.

It names no batch size and no optimiser settings: the batch is ours, the rest PyTorch's defaults.
"""

from __future__ import annotations

from typing import Any

import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

import models
from experiments.benchmark.work import Clock, Measured, Work
from experiments.data import Images
from experiments.machine import pick_device

Batch = tuple[torch.Tensor, torch.Tensor]


class Digits(Dataset[tuple[Any, int]]):
    """As torchvision's ``MNIST``: an image becomes a PIL image and is transformed when taken."""

    def __init__(self, images: Images, number: int, transform: Any) -> None:
        self._images = torch.from_numpy(images.train_images[:number].copy())
        self._labels = torch.from_numpy(images.train_labels[:number].copy())
        self._transform = transform

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        image = Image.fromarray(self._images[index].numpy())
        return self._transform(image), int(self._labels[index])


def loader(work: Work, images: Images, workers: int) -> DataLoader[Any]:
    """Batches for the warm-up and the steps that count, shuffled."""
    size, batch = work.config.input_size, work.config.batch_size
    if models.resolve(work.config.network).input_channels == 1:
        steps: list[Any] = [transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))]
    else:
        steps = [
            transforms.Resize((size, size)),
            transforms.Grayscale(num_output_channels=3),
            transforms.ToTensor(),
            transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        ]
    number = (work.warm_up + work.steps) * batch
    digits = Digits(images, number, transforms.Compose(steps))
    return DataLoader(
        digits,
        batch_size=batch,
        shuffle=True,
        num_workers=workers,
        pin_memory=pick_device().type == "cuda",
    )


def run(work: Work, images: Images, workers: int) -> Measured:
    """Train for the steps, with so many processes that load."""
    device = pick_device()
    torch.manual_seed(work.config.seed)
    net = models.build(work.config.network, **work.config.options).to(device).train()
    optimizer = torch.optim.Adam(net.parameters())
    loss_of = nn.CrossEntropyLoss()
    clock = Clock(work, device)
    for images_, labels in loader(work, images, workers):
        loss = loss_of(net(images_.to(device)), labels.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        clock.tick()
    return clock.measured()
