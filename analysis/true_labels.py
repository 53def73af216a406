"""The true classes of the test and validation images.

Paired tests compare whether two networks are right on each image, and a record holds only
predictions. The labels of MNIST and Fashion-MNIST are stored beside this module
(``true_labels.json``), so that the report needs no data set; a test compares them with the data
sets and their split. Labels of other data sets are read from their files.
"""

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
    """The 10,000 classes (0 to 9) of a split, in the order of the records' predictions.

    ``test``: the order of the file. ``validation``: that of ``experiments.datasets.splits.split``.
    An evaluation of n images used the first n.

    Raises:
        DataError: they are not stored here, and the data set is not available.
    """
    stored: dict[str, dict[Split, str]] = json.loads(_FILE.read_text(encoding="ascii"))
    if dataset in stored:
        return as_digits(stored[dataset][split])
    from experiments.datasets.splits import load

    images = load(dataset)
    return images.test_labels if split == "test" else images.validation_labels


def as_digits(text: str) -> NDArray[np.uint8]:
    """``"7210"`` as an array of digits."""
    return np.frombuffer(text.encode("ascii"), dtype=np.uint8) - ord("0")
