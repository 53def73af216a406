"""EMNIST's digits (Cohen et al. 2017, table II, "EMNIST Digits") in MNIST's form.

EMNIST has 280,000 digits by all of NIST's writers; 70,000 of them are drawn at random. They are
published only in an archive of all of EMNIST, in which every image is transposed.
"""

import gzip
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from experiments.datasets.base import DIGITS, Arrays, Bytes, Dataset
from experiments.datasets.download import mirror

ARCHIVE = "gzip.zip"
_SIDE = 28
#: Part of the archive, images published, images drawn.
_PARTS = (("train", 240_000, 60_000), ("test", 40_000, 10_000))


def read(files: Mapping[str, Path]) -> Arrays:
    """As many digits of each part as MNIST has, drawn with a fixed seed and transposed back.

    Raises:
        ValueError, OSError, EOFError, zipfile.BadZipFile: the archive does not hold the digits.
    """
    found = []
    with zipfile.ZipFile(files[ARCHIVE]) as bundle:
        for part, published, drawn in _PARTS:
            images = _read(bundle, f"{part}-images-idx3", published * _SIDE * _SIDE, header=16)
            labels = _read(bundle, f"{part}-labels-idx1", published, header=8)
            chosen = np.random.default_rng(20260101).permutation(published)[:drawn]
            found.append(images.reshape(published, _SIDE, _SIDE)[chosen].transpose(0, 2, 1))
            found.append(labels[chosen])
    return Arrays(*found)


def _read(bundle: zipfile.ZipFile, what: str, size: int, header: int) -> Bytes:
    """The bytes after the header of one of the archive's compressed IDX files."""
    member = f"gzip/emnist-digits-{what}-ubyte.gz"
    if member not in bundle.namelist():
        raise ValueError(f"the archive holds no {member}")
    with bundle.open(member) as packed, gzip.GzipFile(fileobj=packed) as stream:
        data = stream.read(header + size + 1)
    if len(data) != header + size:
        raise ValueError(f"{member} has {len(data):,} bytes, expected {header + size:,}")
    return np.frombuffer(data, np.uint8, offset=header)


DATASET = Dataset(
    name="EMNIST",
    title="EMNIST-Digits",
    classes={"zh": DIGITS, "en": DIGITS},
    sha256={ARCHIVE: "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e"},
    sources=(mirror("https://biometrics.nist.gov/cs_links/EMNIST/"),),
    read=read,
    max_bytes=561_753_746,
)
