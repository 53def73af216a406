"""A data set's images and labels, split once and for all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.acquire import Notify, acquire
from experiments.datasets import CLASSES, DatasetName

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Images:
    """A data set: images ``(N, 28, 28)`` uint8, labels ``(N,)`` uint8.

    ``train`` and ``validation`` are the fixed stratified 50,000/10,000 split of the 60,000;
    ``test`` keeps the file's order.
    """

    train_images: Bytes
    train_labels: Bytes
    validation_images: Bytes
    validation_labels: Bytes
    test_images: Bytes
    test_labels: Bytes


def load(name: DatasetName, notify: Notify = lambda _: None) -> Images:
    """The verified, split data; fetched into the cache the first time.

    Raises:
        acquire.DataError: no source gave the known bytes.
    """
    files = {file: _array(data) for file, data in acquire(name, notify).items()}
    images, labels = files["train-images-idx3-ubyte"], files["train-labels-idx1-ubyte"]
    train, validation = split(labels)
    return Images(
        images[train],
        labels[train],
        images[validation],
        labels[validation],
        files["t10k-images-idx3-ubyte"],
        files["t10k-labels-idx1-ubyte"],
    )


def split(labels: Bytes, held_out: int = 10_000) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of a fixed stratified split: the rest, and ``held_out`` for validation.

    Each class gives its share by largest remainder. Both parts are shuffled, once and for all, so
    that any prefix is a fair sample.
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


def _array(idx: bytes) -> Bytes:
    """An IDX file of unsigned bytes as an array (format: the MNIST page, bottom)."""
    dimensions = idx[3]
    shape = np.frombuffer(idx, dtype=">u4", count=dimensions, offset=4).astype(int)
    return np.frombuffer(idx, dtype=np.uint8, offset=4 + 4 * dimensions).reshape(shape)
