"""The per-batch resize equals torchvision's transforms on PIL images."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from experiments.datasets import splits as data
from experiments.training.transforms import to_input


@pytest.mark.parametrize("size", [28, 36, 48, 65, 224])
def test_agrees_with_torchvision_to_one_grey_level(size):
    images = data.load("MNIST").test_images[:16]
    theirs = transforms.Compose(
        [
            transforms.Resize((size, size)),
            transforms.Grayscale(num_output_channels=3),
            transforms.ToTensor(),
            transforms.Normalize((0.5,) * 3, (0.5,) * 3),
        ]
    )
    expected = torch.stack([theirs(Image.fromarray(np.asarray(image))) for image in images])
    got = to_input(torch.from_numpy(images.copy()), size, 3)
    assert got.shape == expected.shape == (16, 3, size, size)
    one_level = 2 / 255
    assert (got - expected).abs().max() <= one_level + 1e-6
    assert (got - expected).abs().mean() < one_level / 20


def test_lenet_sees_one_channel_at_28():
    images = torch.arange(784, dtype=torch.int64).remainder(256).to(torch.uint8).view(1, 28, 28)
    got = to_input(images, 28, 1)
    torch.testing.assert_close(got[0, 0], images[0].float() / 127.5 - 1)
