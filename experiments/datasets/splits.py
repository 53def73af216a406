"""The images and labels of a data set, in a fixed split."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import DATASETS
from experiments.datasets.base import CLASSES, Bytes
from experiments.datasets.download import Notify, acquire


@dataclass(frozen=True)
class Images:
    """A data set: images ``(N, H, W)`` or ``(N, H, W, 3)`` uint8, labels ``(N,)`` uint8.

    ``train`` and ``validation`` (10,000 images) are a fixed stratified split of the published
    training images; ``test`` has the order of the file.
    """

    train_images: Bytes
    train_labels: Bytes
    validation_images: Bytes
    validation_labels: Bytes
    test_images: Bytes
    test_labels: Bytes


def load(name: str, notify: Notify = lambda _: None) -> Images:
    """Load, verify and split a data set; it is downloaded into the cache the first time.

    Raises:
        download.DataError: no source has the data.
    """
    dataset = DATASETS[name]
    arrays = dataset.read(acquire(dataset, notify))
    train, validation = split(arrays.train_labels)
    return Images(
        arrays.train_images[train],
        arrays.train_labels[train],
        arrays.train_images[validation],
        arrays.train_labels[validation],
        arrays.test_images,
        arrays.test_labels,
    )


def split(labels: Bytes, held_out: int = 10_000) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of a fixed stratified split: for training, and ``held_out`` for validation.

    The quota of each class is rounded by the largest remainder. Both parts are shuffled with a
    fixed seed, so that any prefix is a fair sample.
    """
    rng = np.random.default_rng(20260101)
    counts = np.bincount(labels, minlength=CLASSES)
    quota = counts * held_out / counts.sum()
    share = np.floor(quota).astype(np.int64)
    order = np.argsort(-(quota - share), kind="stable")  # ties to the lower class
    share[order[: held_out - share.sum()]] += 1
    train, validation = [], []
    for label in range(CLASSES):
        shuffled = rng.permutation(np.flatnonzero(labels == label))
        validation.append(shuffled[: share[label]])
        train.append(shuffled[share[label] :])
    held = rng.permutation(np.concatenate(validation))
    rest = rng.permutation(np.concatenate(train))
    return rest, held
