"""The true classes of the test and validation images, without the images.

Paired tests compare the *correctness* of two networks image by image, and a record holds only
predictions. The labels of the usual data sets lie beside this module (``true_labels.json``),
so that the report is built from records alone; a test compares them with the data sets and their
split. Those of another data set are taken from its files.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import DatasetName

Split = Literal["test", "validation"]

_FILE = Path(__file__).with_suffix(".json")


@functools.cache
def labels(dataset: DatasetName, split: Split) -> NDArray[np.uint8]:
    """The 10,000 classes (0 to 9) of a split, in the order in which records hold predictions.

    ``test``: the order of the file. ``validation``: that of ``experiments.data.split``. An
    evaluation of n images used the first n.

    Raises:
        DataError: they are not kept here, and the data set's files cannot be had.
    """
    kept = _kept().get(dataset)
    if kept is None:
        from experiments.datasets.splits import load

        images = load(dataset)
        return images.test_labels if split == "test" else images.validation_labels
    return as_digits(kept[split])


@functools.cache
def _kept() -> dict[str, dict[Split, str]]:
    found: dict[str, dict[Split, str]] = json.loads(_FILE.read_text(encoding="ascii"))
    return found


def as_digits(text: str) -> NDArray[np.uint8]:
    """``"7210"`` as an array of digits."""
    return np.frombuffer(text.encode("ascii"), dtype=np.uint8) - ord("0")
