"""Get the files of a data set: from a given folder, the cache, or the first source that answers.

Every file is checked against its known SHA-256, whatever its source.
"""

import hashlib
import http.client
import os
import subprocess
import tarfile
import time
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from experiments.datasets.base import IDX_FILES, Dataset, Source, plain
from experiments.support.files import exclusive, write_atomically
from experiments.support.text import one_line
from models.errors import UsageError

Notify = Callable[[str], None]

#: Verified files, in one folder per data set.
CACHE = Path(__file__).parent.parent.parent / "data"

#: Timeout of a server's answer in seconds.
CONNECT_TIMEOUT = 4.0
#: Minimum rate of a download after its first ten seconds.
MIN_BYTES_PER_SECOND = 100_000
#: Errors of reading a damaged file or one of another format.
_UNREADABLE = (OSError, EOFError, ValueError, zlib.error)
_FAILURES = (
    *_UNREADABLE,
    http.client.HTTPException,
    zipfile.BadZipFile,
    tarfile.TarError,
    subprocess.SubprocessError,
)


class DataError(UsageError):
    """No source has the data; the message is one line: what was tried and what to do."""


def acquire(dataset: Dataset, notify: Notify = lambda _: None) -> dict[str, Path]:
    """The verified files of a data set by name; downloaded into the cache the first time.

    Raises:
        DataError: no source has them.
    """
    given = os.environ.get(dataset.variable)
    if given:
        return _from_folder(dataset, Path(given).expanduser(), required=True)
    cache = CACHE / dataset.name
    if cached := _from_folder(dataset, cache):
        return cached
    with exclusive(cache / ".lock", lambda _: None):
        if cached := _from_folder(dataset, cache):
            return cached
        tried = []
        for what, source in dataset.sources:
            notify(f"{dataset.title}: asking {what}")
            try:
                files = {
                    name: _verified(dataset, name, content)
                    for name, content in source(dataset).items()
                }
            except _FAILURES as error:
                why = one_line(str(getattr(error, "reason", error))) or type(error).__name__
                tried.append(f"{what} ({why})")
                continue
            for name, content in files.items():
                write_atomically(cache / _published(dataset, name), content)
            notify(f"{dataset.title}: verified and cached, from {what}")
            return {name: cache / _published(dataset, name) for name in files}
    wanted = ", ".join(_published(dataset, name) for name in dataset.sha256)
    raise DataError(
        f"{dataset.title} could not be downloaded from {'; '.join(tried)}. Put {wanted} into "
        f"{cache}, or set {dataset.variable} to their folder."
    )


def _published(dataset: Dataset, name: str) -> str:
    return f"{name}.gz" if dataset.compressed else name


def _verified(dataset: Dataset, name: str, data: bytes) -> bytes:
    """Decompress a file, unless its hash is that of the ``.gz`` file, and check the hash.

    Raises:
        ValueError: the hash is another.
        OSError, EOFError, zlib.error: the file is damaged.
    """
    if not dataset.compressed:
        data = plain(data, dataset.max_bytes)
    _must_be_known(dataset, name, hashlib.sha256(data).hexdigest())
    return data


def _must_be_known(dataset: Dataset, name: str, digest: str) -> None:
    expected = dataset.sha256[name]
    if digest != expected:
        raise ValueError(f"{name} has SHA-256 {digest[:12]}…, expected {expected[:12]}…")


def _from_folder(dataset: Dataset, folder: Path, *, required: bool = False) -> dict[str, Path]:
    """The verified files of a folder; empty if one is missing or wrong, unless ``required``."""
    files = {}
    for name in dataset.sha256:
        path = next(filter(Path.is_file, _places(dataset, folder, name)), None)
        try:
            if path is None:
                raise ValueError(f"no {_published(dataset, name)} there, nor in its usual folders")
            with path.open("rb") as stream:
                if name in IDX_FILES:
                    _verified(dataset, name, stream.read(dataset.max_bytes + 1))
                else:  # an archive, too large to be held in memory
                    digest = hashlib.file_digest(stream, "sha256").hexdigest()
                    _must_be_known(dataset, name, digest)
        except _UNREADABLE as error:
            if not required:
                return {}
            where = path or f"{dataset.variable}={folder}"
            raise DataError(f"{where}: {error}; expected the published files.") from None
        files[name] = path
    return files


def _places(dataset: Dataset, folder: Path, name: str) -> Iterator[Path]:
    """Candidate paths of a file: as published, as torchvision stores it, or as archives unpack it
    (a dot instead of the hyphen, inside a folder of the same name)."""
    names = [name, name.replace("-idx", ".idx")] if name in IDX_FILES else [name]
    endings = (".gz",) if dataset.compressed else ("", ".gz")
    for place in (folder, folder / dataset.name / "raw", folder / "raw", folder / dataset.name):
        for each in names:
            for ending in endings:
                yield place / (each + ending)
                yield place / (each + ending) / (each + ending)
                yield place / each / (each + ending)


# --- Sources -----------------------------------------------------------------------------------


def mirror(address: str) -> Source:
    """A folder on the web with the published files, of which IDX files are compressed."""

    def fetch(dataset: Dataset) -> dict[str, bytes]:
        files = {name: f"{name}.gz" if name in IDX_FILES else name for name in dataset.sha256}
        limit = dataset.max_bytes
        return {name: download(f"{address}{file}", limit) for name, file in files.items()}

    return f"the mirror {address}", fetch


def download(address: str, max_bytes: int) -> bytes:
    """The content of a web address, at most ``max_bytes + 1`` bytes.

    Raises:
        OSError, http.client.HTTPException: no answer, an incomplete one, or a slow one.
    """
    started, data = time.monotonic(), bytearray()
    with urllib.request.urlopen(address, timeout=CONNECT_TIMEOUT) as response:
        while len(data) <= max_bytes and (block := response.read1(max_bytes + 1 - len(data))):
            data += block
            seconds = time.monotonic() - started
            if seconds > 10 and len(data) < seconds * MIN_BYTES_PER_SECOND:
                raise TimeoutError(f"slower than {MIN_BYTES_PER_SECOND // 1000} kB a second")
    return bytes(data)


def output_of(command: list[str], folder: str) -> bytes:
    """Run a command in a folder; returns its standard output.

    Raises:
        OSError: there is no such command.
        ValueError: the command failed; the message is its last line of errors.
    """
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=300, check=False)
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise ValueError(lines[-1] if lines else f"{command[0]} failed")
    return done.stdout
