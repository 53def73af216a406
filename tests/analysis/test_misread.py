"""The test images that networks get wrong: counted from the records, and shown as they are."""

import io

import numpy as np
import pytest
from PIL import Image

from analysis import misread
from analysis.tables.results import NETWORKS
from analysis.true_labels import as_digits, labels
from experiments.datasets.splits import load
from tests import factory


@pytest.mark.parametrize("dataset", ["MNIST", "FashionMNIST"])
def test_the_kept_images_are_those_of_the_data_set(dataset):
    pixels = load(dataset).test_images
    shown = misread.kept(dataset, range(len(pixels)))
    assert 1000 < len(shown) <= misread.KEPT
    step = 255 // (misread.LEVELS - 1)
    for image, found in shown.items():
        assert np.abs(found.astype(int) - pixels[image]).max() <= (step + 1) // 2


def test_mistakes_are_those_of_the_records():
    records = factory.make(seeds=2)
    found = misread.Misreadings(records)
    entry, bitmap = misread.summary(found, "MNIST")
    truth = labels("MNIST", "test")
    runs = [records.by_id[f"ResNet18.s{seed}"] for seed in (0, 1)]
    given = np.stack([as_digits(run.test.predictions) for run in runs])
    mistakes = next(each for each in entry.networks if each.title == "ResNet-18")
    assert mistakes.runs == 2
    assert sum(count for *_, count in mistakes.images) == (given != truth).sum()
    for image, taken, count in mistakes.images:
        assert (given[:, image] == taken).sum() == count and truth[image] == entry.truth[image]
    assert len(found.answers) == len(NETWORKS)
    misses = sum((rows != truth).sum(axis=0) for rows in found.answers.values())
    assert found.misses[found.hardest[0]] == misses.max()
    for image in found.of_all:
        assert all((rows[:, image] != truth[image]).mean() > 0.5 for rows in found.answers.values())
    sheet = np.asarray(Image.open(io.BytesIO(bitmap)).convert("L"))
    at, image = len(entry.shown) - 1, entry.shown[-1]
    row, column = divmod(at, entry.row)
    tile = sheet[row * 28 : row * 28 + 28, column * 28 : column * 28 + 28]
    assert (tile == misread.kept("MNIST", [image])[image]).all()
