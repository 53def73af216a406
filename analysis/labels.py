"""The true digits of MNIST's test and validation images, without the images.

Paired tests compare the *correctness* of two networks image by image, and a record holds only
predictions. The labels lie beside this module (``labels.json``, 20 kB), so that the report is built
from records alone; a test compares them with the data set and its split.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Split = Literal["test", "validation"]

_FILE = Path(__file__).with_suffix(".json")


@functools.cache
def labels(split: Split) -> NDArray[np.uint8]:
    """The 10,000 digits of a split, in the order in which records hold predictions.

    ``test``: the order of the file. ``validation``: that of ``experiments.data.split``. An
    evaluation of n images used the first n.
    """
    digits: str = json.loads(_FILE.read_text(encoding="ascii"))[split]
    return as_digits(digits)


def as_digits(text: str) -> NDArray[np.uint8]:
    """``"7210"`` as an array of digits."""
    return np.frombuffer(text.encode("ascii"), dtype=np.uint8) - ord("0")
