"""The class of data sets, and reading and writing of IDX files."""

import gzip
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

#: The original write-up's data set.
USUAL = "MNIST"
#: The classes of every data set are numbered 0 to 9.
CLASSES = 10
DIGITS = tuple("0123456789")


@dataclass(frozen=True)
class Arrays:
    """Images ``(N, H, W)`` (grey) or ``(N, H, W, 3)`` uint8, and labels ``(N,)`` uint8."""

    train_images: Bytes
    train_labels: Bytes
    test_images: Bytes
    test_labels: Bytes


#: A description, and a function that returns the published content of every file.
Source = tuple[str, Callable[["Dataset"], dict[str, bytes]]]


@dataclass(frozen=True)
class Dataset:
    """One data set, defined by a module of this package that calls it ``DATASET``.

    Attributes:
        name: its name in configurations.
        title: its name in print.
        classes: names of the ten classes by language.
        sha256: hash of each file by file name: of its uncompressed content, or of the ``.gz`` file
            if ``compressed``.
        sources: tried in this order.
        read: converts the verified files to arrays.
        compressed: the hashes are those of the published ``.gz`` files.
        max_bytes: upper bound on the size of a file.
    """

    name: str
    title: str
    classes: Mapping[Literal["zh", "en"], tuple[str, ...]]
    sha256: Mapping[str, str]
    sources: tuple[Source, ...]
    read: Callable[[Mapping[str, Path]], Arrays]
    compressed: bool = False
    max_bytes: int = 50_000_000

    @property
    def original(self) -> bool:
        """Whether it is the original write-up's data set."""
        return self.name == USUAL

    @property
    def slug(self) -> str:
        """Its name within the names of profiles and folders: ``fashionmnist``."""
        return self.name.lower()

    @property
    def variable(self) -> str:
        """The environment variable for a folder that holds the files."""
        return f"{self.name.upper()}_DIR"


#: The four files of MNIST and of data sets in the same format.
TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
IDX_FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)


def idx_hashes(*sha256: str) -> dict[str, str]:
    """Hashes of the four files, in the order of ``IDX_FILES``."""
    return dict(zip(IDX_FILES, sha256, strict=True))


def plain(data: bytes, max_bytes: int) -> bytes:
    """Decompress gzip data, at most ``max_bytes + 1`` bytes; other data is returned unchanged.

    Raises:
        OSError, EOFError, zlib.error: the data is damaged.
    """
    if data[:2] != b"\x1f\x8b":  # an IDX file begins with two zeros
        return data
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
        return stream.read(max_bytes + 1)


def read_idx(files: Mapping[str, Path]) -> Arrays:
    """Read four IDX files, compressed or not."""
    return Arrays(*(from_idx(plain(files[name].read_bytes(), 2**31)) for name in IDX_FILES))


def from_idx(data: bytes) -> Bytes:
    """An IDX file of unsigned bytes as an array (format: the MNIST page, bottom)."""
    dimensions = data[3]
    shape = np.frombuffer(data, dtype=">u4", count=dimensions, offset=4).astype(int)
    return np.frombuffer(data, dtype=np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def to_idx(array: Bytes) -> bytes:
    """An array as an IDX file of unsigned bytes."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, dtype=">u4").tobytes()
    return header + array.tobytes()
