"""The record: written whole or not at all, read strictly, its file and field named when refused."""

import json
import os
import subprocess

import pytest

from experiments.record import Record, RecordError, read, schema, significant, write
from experiments.support import git
from experiments.support.files import sweep, write_atomically
from tests import factory


@pytest.fixture(scope="module")
def record():
    return factory.make().by_id["SEResNet18.s0"]


def test_round_trip_by_the_published_schema(record, tmp_path):
    path = write(record, tmp_path)
    assert read(path) == record
    assert path.name == "SEResNet18.s0.json"
    assert "  1,\n" not in path.read_text()  # number lists stay on one line
    published = schema()
    assert set(published["properties"]) == set(Record.model_fields)
    assert set(published["required"]) >= {"id", "config", "history", "probes", "environment"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test__accuracy": 1.2}, "test.accuracy"),
        ({"test__predictions": "12"}, "test"),
        ({"history__0__train_loss": "NaN"}, "history.0.train_loss"),
        ({"surprise": 1}, "surprise"),
        ({"environment": None}, "environment"),  # it is missing
        ({"schema_version": 99}, "schema_version: .* 1; train the run again"),
        ({"config__network": "ResNet19"}, "config"),
        ({"id": "Other.s0"}, "expected the file's name"),
        ({"status": "diverged"}, "validation and test"),
        *((raw, "") for raw in (b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000)),
    ],
)
def test_a_bad_record_is_refused_with_file_and_field(record, tmp_path, change, message):
    path = write(record, tmp_path)
    if isinstance(change, dict):
        content = json.loads(path.read_text())
        factory.change(content, **change)
        left = {key: value for key, value in content.items() if value is not None}
        change = json.dumps(left).encode()
    path.write_bytes(change)
    with pytest.raises(RecordError, match=message) as caught:
        read(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_atomically(path, "old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]  # no temporary file is left


def test_what_killed_writers_left_is_swept_later(tmp_path):
    old, new = tmp_path / "tables" / ".a.csv.x.partial", tmp_path / ".b.csv.x.partial"
    old.parent.mkdir()
    for path in (old, new):
        path.touch()
    os.utime(old, (0, 0))
    sweep(tmp_path)
    assert new.exists() and not old.exists()  # it may belong to a writer at work


def test_the_commit_of_a_checkout_that_another_user_owns(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))  # no safe.directory of one's own
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for arguments in (["init", "-q"], [*identity, "commit", "-q", "--allow-empty", "-m", "a"]):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    plain = subprocess.run(["git", "status"], cwd=tmp_path, check=False, capture_output=True)
    assert b"dubious ownership" in plain.stderr
    monkeypatch.setattr(git, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_DIR", "/nowhere")  # as in a hook of another repository
    found, dirty = git.commit()
    assert found and len(found) == 40 and dirty is False


def test_significant_digits():
    assert significant(0.123456, 3) == 0.123
    assert significant(123456.0, 2) == 120000.0
    assert significant(float("inf")) is None
