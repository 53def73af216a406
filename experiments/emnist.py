"""EMNIST's digits in MNIST's form.

Cohen et al. 2017 (arXiv 1702.05373), table II, "EMNIST Digits": 240,000 training and 40,000 test
images of digits from all of NIST's writers. They are published only within an archive of all of
EMNIST, with rows and columns of every image exchanged.
"""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from experiments.datasets import SIDE

#: The parts: MNIST's name, EMNIST's, images published, images drawn (as many as MNIST has).
_PARTS = (("train", "train", 240_000, 60_000), ("t10k", "test", 40_000, 10_000))


def digits(archive: Path | IO[bytes]) -> dict[str, np.ndarray[Any, np.dtype[np.uint8]]]:
    """The arrays of MNIST's four files, by their names, from EMNIST's archive.

    As many images as MNIST has are drawn at random, once and for all, from each part, so that a
    study is of the same size on every data set; they are turned upright.

    Raises:
        ValueError, OSError, EOFError, zipfile.BadZipFile: it does not hold the digits.
    """
    found = {}
    with zipfile.ZipFile(archive) as bundle:
        for name, own, published, drawn in _PARTS:
            images = _read(bundle, f"{own}-images-idx3", published * SIDE * SIDE, header=16)
            labels = _read(bundle, f"{own}-labels-idx1", published, header=8)
            chosen = np.random.default_rng(20260101).permutation(published)[:drawn]
            upright = images.reshape(published, SIDE, SIDE)[chosen].transpose(0, 2, 1)
            found[f"{name}-images-idx3-ubyte"] = upright
            found[f"{name}-labels-idx1-ubyte"] = labels[chosen]
    return found


def _read(
    bundle: zipfile.ZipFile, what: str, size: int, header: int
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The numbers of one of the archive's compressed IDX files, without its header."""
    member = f"gzip/emnist-digits-{what}-ubyte.gz"
    if member not in bundle.namelist():
        raise ValueError(f"the archive holds no {member}")
    with bundle.open(member) as packed, gzip.GzipFile(fileobj=packed) as stream:
        data = stream.read(header + size + 1)  # never more than the file can hold
    if len(data) != header + size:
        raise ValueError(f"{member} has {len(data):,} bytes, expected {header + size:,}")
    return np.frombuffer(data, np.uint8, offset=header)
