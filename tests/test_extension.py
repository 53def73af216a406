"""A network or a data set is one file: the real commands, in a copy of the project."""

import json

import pytest

from experiments.record import read
from tests.checkout import copy_of_checkout, results, run

VGG = '''"""VGG with six convolutions (after Simonyan and Zisserman 2015, table 1)."""

from __future__ import annotations

from torch import nn

from models.registry import register


@register(
    "VGG6",
    title="VGG-6",
    color="#556b2f",
    marker="*",
    citation="simonyan2015",
    options=("batch_norm",),
    min_size=32,
)
def build(name: str, *, batch_norm: bool) -> nn.Sequential:
    """``(N, 3, S, S)`` to ``(N, 10)`` logits."""
    layers: list[nn.Module] = []
    for cin, cout in ((3, 16), (16, 32), (32, 32), (32, 64), (64, 64), (64, 64)):
        layers.append(nn.Conv2d(cin, cout, 3, padding=1))
        layers += [nn.BatchNorm2d(cout)] if batch_norm else []
        layers += [nn.ReLU(inplace=True), nn.MaxPool2d(2)] if cin != cout else [nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
'''
RUN = '\n[[run]]\nnetwork = "VGG6"\nin_results = true\n'

COLOURED = '''"""Coloured images of 32 x 32 pixels in one file, as CIFAR-10 has them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from experiments.datasets.base import DIGITS, Arrays, Dataset


def make(_: Dataset) -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    labels = np.arange(14_000, dtype=np.uint8) % 10
    images = rng.integers(0, 256, (14_000, 32, 32, 3), dtype=np.uint8)
    return {"images.bin": labels.tobytes() + images.tobytes()}


def read(files: Mapping[str, Path]) -> Arrays:
    data = np.frombuffer(files["images.bin"].read_bytes(), np.uint8)
    labels, images = data[:14_000], data[14_000:].reshape(-1, 32, 32, 3)
    return Arrays(images[:12_000], labels[:12_000], images[12_000:], labels[12_000:])


DATASET = Dataset(
    name="Coloured",
    title="Coloured-10",
    classes={"zh": DIGITS, "en": DIGITS},
    sha256={"images.bin": "HASH"},
    sources=(("this file", make),),
    read=read,
)
'''


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    return copy_of_checkout(tmp_path_factory.mktemp("extension") / "checkout")


def read_json(path):
    return json.loads(path.read_text())


def command(checkout, *arguments):
    done = run(checkout, "-m", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.pipeline
def test_a_network_is_one_file_and_one_entry_of_the_study(checkout):
    (checkout / "models" / "vgg.py").write_text(VGG)
    study = checkout / "experiments" / "study.toml"
    study.write_text(study.read_text() + RUN)
    assert "VGG-6" in command(checkout, "models")
    assert "Conv2d" in command(checkout, "models", "vgg-6")
    assert "VGG6.s0" in command(checkout, "experiments", "status", "--profile", "smoke")
    train = ("experiments", "train", "--profile", "smoke", "--only", "VGG6.s0")
    command(checkout, *train)
    path = results(checkout) / "VGG6.s0.json"
    assert read_json(path)["status"] == "finished"
    assert [each.name for each in path.parent.glob("*.json")] == [path.name]
    written = path.stat().st_mtime_ns
    command(checkout, *train)
    assert path.stat().st_mtime_ns == written  # it is fresh
    command(checkout, "analysis", "--profile", "smoke")
    out = checkout / "analysis" / "out" / "smoke"
    # The networks of this process are those of the project, not of the copy: no schema of ours.
    table = read_json(out / "results.json")["tables"]["results"]
    (row,) = (row for row in table["rows"] if row[0]["value"] == "VGG-6")
    measured = dict(zip((column["key"] for column in table["columns"]), row, strict=True))
    assert measured["accuracy"]["value"]["value"] == read_json(path)["test"]["accuracy"]
    for name in ("accuracy", "pareto"):
        assert "VGG-6" in (out / "figures" / f"{name}.en.svg").read_text()


@pytest.mark.pipeline
def test_a_data_set_is_one_file_whatever_the_size_and_colours_of_its_images(checkout, monkeypatch):
    import hashlib

    made: dict[str, object] = {}
    exec(COLOURED, made)
    (content,) = made["make"](None).values()
    source = COLOURED.replace("HASH", hashlib.sha256(content).hexdigest())
    (checkout / "experiments" / "datasets" / "coloured.py").write_text(source)
    runs = "LeNet.s0,ResNet18.s0"  # one channel of 28 px, three of 36
    command(
        checkout, "experiments", "train", "--profile", "smoke", "--dataset", "coloured-10",
        "--only", runs,
    )  # fmt: skip
    folder = results(checkout).with_name("smoke-coloured")
    for name in runs.split(","):
        text = (folder / f"{name}.json").read_text()
        assert '"dataset": "Coloured"' in text
        assert '"status": "finished"' in text


@pytest.mark.pipeline
def test_a_limit_of_minutes_starts_no_run_that_would_end_later(checkout):
    study = checkout / "experiments" / "study.toml"
    long = "\n[profile.smoke.network.ResNet18]\nepochs = 1000\n"
    study.write_text(study.read_text() + long)
    train = ("-m", "experiments", "train", "--profile", "smoke", "--only", "LeNet.s0,ResNet18.s0")
    done = run(checkout, *train, "--minutes", "1")
    assert done.returncode == 0, done.stderr
    assert "ResNet18.s0: would not end in time" in done.stderr
    assert "1 of 2 runs are finished and safe; 1 would not have ended within 1 min" in done.stderr
    assert read(results(checkout) / "LeNet.s0.json").status == "finished"
    study.write_text(study.read_text().replace(long, ""))
    done = run(checkout, *train, "--minutes", "10")
    assert done.returncode == 0, done.stderr
    assert read(results(checkout) / "ResNet18.s0.json").status == "finished"
