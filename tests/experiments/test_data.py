"""A data set comes out byte for byte, whatever the source; everything else is refused."""

import contextlib
import dataclasses
import gzip
import hashlib
import http.server
import io
import os
import socketserver
import tarfile
import threading
import time
import zipfile
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

import models
from analysis.true_labels import labels as committed
from experiments import datasets
from experiments.datasets import DATASETS, base, download, emnist, fashion_mnist, mnist, splits
from experiments.datasets.base import IDX_FILES, TEST_IMAGES, TEST_LABELS
from experiments.datasets.download import DataError, acquire

NAMES = ("MNIST", "FashionMNIST")
MNIST = DATASETS["MNIST"]
#: In the place of a function that must not be called.
NEVER = Mock(side_effect=AssertionError("it was called"))
DOWNLOAD = download.download


def contents(paths):
    return {name: base.plain(path.read_bytes(), 2**30) for name, path in paths.items()}


@pytest.fixture(scope="module")
def files():
    return contents(acquire(MNIST))


@pytest.fixture
def no_sources(monkeypatch, tmp_path):
    """An empty cache, and nothing that answers."""
    monkeypatch.setattr(download, "CACHE", tmp_path / "cache")
    for dataset in DATASETS.values():
        monkeypatch.delenv(dataset.variable, raising=False)

    monkeypatch.setattr(download, "download", Mock(side_effect=OSError("no route")))
    for module in (mnist, fashion_mnist):
        monkeypatch.setattr(module, "output_of", Mock(side_effect=ValueError("no index")))
    return tmp_path / "cache"


# --- The split ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_split_is_stratified_fixed_disjoint_and_that_of_the_committed_labels(name):
    labels = DATASETS[name].read(acquire(DATASETS[name])).train_labels
    train, validation = splits.split(labels)
    assert (len(train), len(validation)) == (50_000, 10_000)
    assert len(np.union1d(train, validation)) == 60_000
    share = np.bincount(labels[validation]) / np.bincount(labels)
    assert np.abs(share - 1 / 6).max() < 1e-4
    images = splits.load(name)
    assert images.train_images.shape == (50_000, 28, 28)
    assert (splits.split(labels)[0] == train).all()  # the same each time
    assert (images.test_labels == committed(name, "test")).all()
    assert (images.validation_labels == committed(name, "validation")).all()


# --- A given folder -----------------------------------------------------------------------------


#: "Dotted", as 7-Zip and Kaggle name them, is train-images.idx3-ubyte.
PLACES = ("{name}", "{name}.gz", "raw/{name}", "MNIST/raw/{name}.gz", "{name}/{name}")
DOTTED = ("{dotted}", "{dotted}.gz", "{dotted}/{dotted}")


@pytest.mark.parametrize("place", [*PLACES, *DOTTED])
def test_a_folder_serves_the_files_under_any_usual_name(files, monkeypatch, tmp_path, place):
    for name, content in files.items():
        path = tmp_path / place.format(name=name, dotted=name.replace("-idx", ".idx"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content, 1, mtime=0) if path.suffix == ".gz" else content)
    monkeypatch.setenv("HOME", str(tmp_path.parent))
    monkeypatch.setenv("MNIST_DIR", f"~/{tmp_path.name}")
    assert contents(acquire(MNIST)) == files


def test_the_folder_of_one_data_set_is_not_that_of_another(files, monkeypatch, tmp_path):
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.setenv("FASHIONMNIST_DIR", str(tmp_path))
    with pytest.raises(DataError, match="train-images-idx3-ubyte has SHA-256 ba89"):
        acquire(DATASETS["FashionMNIST"])


DAMAGES = {
    "flip": lambda good: good[:-9] + bytes([good[-9] ^ 1]) + good[-8:],
    "truncate": lambda good: good[:-1],
    "extend": lambda good: good + b"\0",
    "html": lambda good: b"<html>404</html>",
    "torn gzip": lambda good: gzip.compress(good[:100_000], 1, mtime=0)[:500],
    "endless": lambda good: good,
}


@pytest.mark.parametrize("name", [TEST_IMAGES, TEST_LABELS])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_and_named(files, monkeypatch, tmp_path, name, damage):
    for other, content in files.items():
        (tmp_path / other).write_bytes(DAMAGES[damage](content) if other == name else content)
    if damage == "endless":
        os.truncate(tmp_path / name, 2**40)  # sparse
    monkeypatch.setenv("MNIST_DIR", str(tmp_path))
    with pytest.raises(DataError, match=name) as caught:
        acquire(MNIST)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "missing"),
    [("MNIST", "train-images-idx3-ubyte"), ("KMNIST", r"ubyte\.gz"), ("EMNIST", r"gzip\.zip")],
)
def test_a_missing_file_is_named(monkeypatch, tmp_path, name, missing):
    monkeypatch.setenv(DATASETS[name].variable, str(tmp_path))
    with pytest.raises(DataError, match=f"no .*{missing} there"):
        acquire(DATASETS[name])


# --- Servers ------------------------------------------------------------------------------------


@pytest.mark.pipeline
@pytest.mark.parametrize("name", NAMES)
def test_what_a_mirror_serves_is_verified_and_cached(no_sources, monkeypatch, name):
    cached = download.CACHE
    monkeypatch.undo()
    files = contents(acquire(DATASETS[name]))
    monkeypatch.setattr(download, "CACHE", cached)

    def mirror(url, _):
        return gzip.compress(files[url.rpartition("/")[2].removesuffix(".gz")], 1, mtime=0)

    monkeypatch.setattr(download, "download", mirror)
    assert contents(acquire(DATASETS[name])) == files
    monkeypatch.setattr(download, "download", NEVER)  # it is in the cache
    assert contents(acquire(DATASETS[name])) == files


@pytest.mark.parametrize("name", DATASETS)
def test_a_mirror_that_serves_something_else_is_refused(no_sources, monkeypatch, name):
    for answer in (b"<html>blocked</html>", b"", gzip.compress(b"x" * 100, mtime=0)):
        monkeypatch.setattr(download, "download", Mock(return_value=answer))
        with pytest.raises(DataError, match="could not be downloaded"):
            acquire(DATASETS[name])
        assert not list(no_sources.rglob("*ubyte*")) and not list(no_sources.rglob("*.zip"))


@pytest.mark.parametrize(
    ("name", "tried"),
    [
        ("MNIST", r"mirror https.*; the mirror http.*package index \(no index\).*MNIST_DIR"),
        ("FashionMNIST", r"mirror http.*Debian's package .*FASHIONMNIST_DIR"),
        ("KMNIST", r"mirror http.*Put train-images-idx3-ubyte\.gz.*KMNIST_DIR"),
        ("EMNIST", r"biometrics\.nist\.gov.*Put gzip\.zip into .*EMNIST_DIR"),
    ],
)
def test_no_source_says_what_was_tried_and_what_to_do(no_sources, name, tried):
    with pytest.raises(DataError, match=tried) as caught:
        acquire(DATASETS[name])
    assert "\n" not in str(caught.value)


class Mirror(http.server.BaseHTTPRequestHandler):
    """Serves ``/<trick>/<file>.gz``."""

    good: dict[str, bytes]

    def do_GET(self):
        _, trick, name = self.path.split("/")
        content = self.good[name.removesuffix(".gz")]
        if trick in ("nonsense", "silent"):
            time.sleep(1.0 if trick == "silent" else 0.0)
            self.wfile.write(b"\x16\x03\x01 what?\r\n\r\n")
            return
        self.send_response(404 if trick == "missing" else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # a client that has seen enough
            self.wfile.write(content[: len(content) // 2] if trick == "cut" else content)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server(files):
    Mirror.good = {name: gzip.compress(content, 1, mtime=0) for name, content in files.items()}
    made = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mirror)
    made.daemon_threads = True
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_address[1]}"
    made.shutdown()
    made.server_close()


@pytest.mark.parametrize("trick", ["nonsense", "silent", "missing", "cut"])
def test_the_next_mirror_is_asked(server, files, no_sources, monkeypatch, trick):
    monkeypatch.setattr(download, "download", DOWNLOAD)
    monkeypatch.setattr(download, "CONNECT_TIMEOUT", 0.5)
    bad, good = (download.mirror(f"{server}/{each}/") for each in (trick, "good"))
    with pytest.raises(DataError, match=f"{trick}/ \\("):
        acquire(dataclasses.replace(MNIST, sources=(bad,)))
    assert contents(acquire(dataclasses.replace(MNIST, sources=(bad, good)))) == files


def test_a_download_ends_at_its_limit(server):
    whole = Mirror.good[TEST_IMAGES]
    assert download.download(f"{server}/good/{TEST_IMAGES}.gz", 1000) == whole[:1001]


# --- The data sets ------------------------------------------------------------------------------


def test_published_files_are_verified_compressed_and_kept_so(no_sources, monkeypatch):
    """KMNIST is known by its compressed files: here by some of the same form."""
    arrays = [np.zeros((10, 28, 28), np.uint8), np.arange(10, dtype=np.uint8)] * 2
    idx = zip(IDX_FILES, map(base.to_idx, arrays), strict=True)
    packed = {name: gzip.compress(content, 1, mtime=0) for name, content in idx}
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in packed.items()}
    known = dataclasses.replace(DATASETS["KMNIST"], sha256=hashes)
    monkeypatch.setattr(download, "download", lambda url, _: packed[url.rpartition("/")[2][:-3]])
    found = acquire(known)
    assert {name: path.read_bytes() for name, path in found.items()} == packed
    assert found[TEST_LABELS].name == f"{TEST_LABELS}.gz"
    assert (known.read(found).test_labels == np.arange(10)).all()
    monkeypatch.setattr(download, "download", NEVER)
    assert acquire(known) == found


def emnist_archive(left_out="", cut=0):
    """An archive of EMNIST's form: image i says i and its label in four pixels of the first row,
    which is the first column of the image upright.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as bundle:
        for part, count in (("train", 240_000), ("test", 40_000)):
            number = np.arange(count)
            images = np.zeros((count, 28, 28), np.uint8)
            labels = (number % 10).astype(np.uint8)
            for column, value in enumerate((number >> 16, number >> 8, number, labels)):
                images[:, column, 0] = value & 255  # published with rows and columns exchanged
            for kind, header, content in (("images-idx3", 16, images), ("labels-idx1", 8, labels)):
                name = f"gzip/emnist-digits-{part}-{kind}-ubyte.gz"
                data = bytes(header) + content.tobytes()
                if name != left_out:
                    bundle.writestr(name, gzip.compress(data[: len(data) - cut], 1, mtime=0))
        bundle.writestr("gzip/emnist-letters-test-labels-idx1-ubyte.gz", b"not read")
    return out.getvalue()


@pytest.mark.pipeline
def test_emnists_digits_are_drawn_with_a_fixed_seed_and_turned_upright(no_sources, monkeypatch):
    published = emnist_archive()
    digest = hashlib.sha256(published).hexdigest()
    known = dataclasses.replace(DATASETS["EMNIST"], sha256={emnist.ARCHIVE: digest})
    monkeypatch.setitem(splits.DATASETS, "EMNIST", known)
    monkeypatch.setattr(download, "download", lambda *_: published)
    images = splits.load("EMNIST")
    monkeypatch.setattr(download, "download", NEVER)
    assert (splits.load("EMNIST").train_images == images.train_images).all()
    for pixels, labels, count in (
        (np.concatenate([images.train_images, images.validation_images]),
         np.concatenate([images.train_labels, images.validation_labels]), 240_000),
        (images.test_images, images.test_labels, 40_000),
    ):  # fmt: skip
        high, middle, low, said = pixels[:, 0, :4].astype(int).T
        number = (high << 16) + (middle << 8) + low
        assert len(np.unique(number)) == len(pixels) == count / 4
        assert number.max() < count
        assert (said == labels).all() and (number % 10 == labels).all()
        assert abs(number.mean() / count - 0.5) < 0.01  # from the whole of it


@pytest.mark.pipeline
def test_an_archive_without_emnists_digits_is_refused():
    name = "gzip/emnist-digits-test-labels-idx1-ubyte.gz"
    with pytest.raises(ValueError, match=f"holds no {name}"):
        emnist.read({emnist.ARCHIVE: io.BytesIO(emnist_archive(left_out=name))})
    with pytest.raises(ValueError, match=r"images-idx3-ubyte\.gz has 188,160,015 bytes, expected"):
        emnist.read({emnist.ARCHIVE: io.BytesIO(emnist_archive(cut=1))})


def archive(*names):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 1
            tar.addfile(member, io.BytesIO(b"x"))
    return out.getvalue()


def test_debians_package_is_read_not_installed(monkeypatch):
    def output_of(command, folder):
        if "download" in command:
            Path(folder, "package.deb").touch()
        return archive("./etc/passwd", *(f"./usr/share/{name}.gz" for name in IDX_FILES))

    monkeypatch.setattr(fashion_mnist, "output_of", output_of)
    assert fashion_mnist.from_debian(DATASETS["FashionMNIST"]) == dict.fromkeys(IDX_FILES, b"x")
    with pytest.raises(ValueError, match="holds no t10k-images-idx3-ubyte"):
        fashion_mnist.from_tar(archive("README"))


def test_the_wheel_is_refused_unless_it_is_the_pinned_one(monkeypatch):
    monkeypatch.setattr(zipfile, "ZipFile", NEVER)
    with pytest.raises(ValueError, match="has SHA-256"):
        mnist.from_wheel(b"PK\x03\x04 not the wheel")


def test_a_command_that_fails_says_its_last_line(tmp_path):
    with pytest.raises(ValueError, match=r"^two$"):
        download.output_of(["sh", "-c", "echo one >&2; echo two >&2; exit 3"], str(tmp_path))
    assert download.output_of(["printf", "x"], str(tmp_path)) == b"x"


def test_data_sets_are_found_by_their_names_in_any_case():
    assert datasets.resolve("fashion-mnist").name == "FashionMNIST"
    assert datasets.resolve("kmnist").name == "KMNIST"
    assert datasets.resolve("EMNIST-digits").name == "EMNIST"
    with pytest.raises(models.UsageError, match="'cifar10'; expected one of MNIST, EMNIST"):
        datasets.resolve("cifar10")
    for dataset in DATASETS.values():
        assert all(len(set(names)) == base.CLASSES for names in dataset.classes.values())
        assert all(len(digest) == 64 for digest in dataset.sha256.values())
