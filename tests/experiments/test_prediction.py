"""``make predict``: photos of digits as MNIST has them, and a trained network's answer.

``tests/trained`` holds a DenseNet of the profile ``quick`` with its weights.
"""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image

import models
from experiments.datasets import splits
from experiments.prediction.predict import best_run, probabilities
from experiments.prediction.preprocess import as_mnist, read
from experiments.record import read as read_record
from models.errors import UsageError
from tests.checkout import ROOT, run
from tests.drawn_digits import WAYS, Way, draw

TRAINED = ROOT / "tests" / "trained"
RECORD = TRAINED / "quick" / "DenseNet.s0.json"


@pytest.fixture(autouse=True)
def trained(monkeypatch):
    monkeypatch.setattr("experiments.prediction.predict.RESULTS", TRAINED)


def seen(tmp_path, digit, way):
    path = tmp_path / f"{digit}.png"
    draw(digit, way).save(path)
    return as_mnist(read(path))


def test_at_least_nine_of_ten_digits_drawn_as_people_draw_them(tmp_path):
    images = np.stack([seen(tmp_path, digit, way) for digit, (_, way) in WAYS.items()])
    answers = probabilities(best_run("densenet", "quick"), images).argmax(dim=1).tolist()
    assert sum(answer == digit for answer, digit in zip(answers, WAYS, strict=True)) >= 9, answers


@pytest.mark.parametrize("name", [name for name, _ in WAYS.values()])
def test_a_photo_becomes_an_image_as_mnist_has_them(tmp_path, name):
    way = dict(WAYS.values())[name]
    image = seen(tmp_path, 2, way)
    assert image.shape == (28, 28) and image.dtype == np.uint8
    rows, columns = np.nonzero(image > 25)
    assert 18 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 20
    y, x = np.mgrid[:28, :28]
    assert abs((image * y).sum() / image.sum() - 13.5) <= 0.5
    assert abs((image * x).sum() / image.sum() - 13.5) <= 0.5
    assert image[0].max() == image[-1].max() == 0  # paper is black
    assert image.max() > 240  # and ink white


def test_inverting_a_picture_changes_nothing(tmp_path):
    dark = seen(tmp_path, 3, Way(paper=255, ink=0))
    light = seen(tmp_path, 3, Way(paper=0, ink=255))
    assert np.abs(dark.astype(int) - light.astype(int)).max() <= 2


def test_images_of_mnist_keep_their_digit(tmp_path):
    data = splits.load("MNIST")
    found = np.stack([as_mnist(image.astype(float)) for image in data.test_images[:300]])
    answers = probabilities(RECORD, found).argmax(dim=1).numpy()
    assert (answers == data.test_labels[:300]).mean() > 0.93


def test_a_loaded_network_is_the_one_that_was_judged():
    record, data = read_record(RECORD), splits.load("MNIST")
    answers = probabilities(RECORD, data.test_images[:500]).argmax(dim=1).tolist()
    recorded = [int(digit) for digit in record.test.predictions[:500]]
    same = sum(a == b for a, b in zip(answers, recorded, strict=True))
    assert same >= 495  # trained in bf16, asked in fp32
    net = models.load(str(RECORD))
    assert not net.training
    assert sum(p.numel() for p in net.parameters()) == record.network.parameters


def test_other_weights_than_the_record_states_are_refused(tmp_path):
    for path in RECORD.parent.iterdir():
        shutil.copy(path, tmp_path)
    weights = tmp_path / "DenseNet.s0.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\1")
    with pytest.raises(UsageError, match=r"not the weights that DenseNet\.s0\.json states"):
        models.load(tmp_path / RECORD.name)
    weights.unlink()
    with pytest.raises(UsageError, match="train the run with SAVE=1"):
        models.load(tmp_path / RECORD.name)


def test_a_network_without_weights_is_named_with_what_to_do():
    with pytest.raises(UsageError, match=r"kept: DenseNet\.s0.*make experiment MODEL=LeNet"):
        best_run("LeNet", "quick")


@pytest.mark.parametrize("paper", [0, 128, 255])
def test_empty_paper_is_no_digit(paper):
    noise = np.random.default_rng(0).normal(0, 3, (200, 300))
    with pytest.raises(UsageError, match="no digit found"):
        as_mnist(np.clip(paper + noise, 0, 255))


def test_what_is_no_picture_is_named(tmp_path):
    path = tmp_path / "digit.png"
    with pytest.raises(UsageError, match="no such file"):
        read(path)
    path.write_text("no picture")
    with pytest.raises(UsageError, match="not a picture"):
        read(path)


def test_the_command_prints_probabilities_and_saves_what_was_seen(tmp_path):
    photo = tmp_path / "my.png"
    draw(7, WAYS[7][1]).save(photo)
    code = (
        "import experiments.prediction.predict as p, pathlib, sys;"
        f"p.RESULTS = pathlib.Path({str(TRAINED)!r});"
        "from experiments.prediction.__main__ import main; sys.exit(main())"
    )
    done = run(ROOT, "-c", code, "DenseNet", photo, "--profile", "quick")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == f"{photo} by DenseNet.s0:"
    assert lines[1].split()[0] == "7"
    shares = [float(line.split()[1].rstrip("%")) for line in lines[1:11]]
    assert sum(shares) == pytest.approx(100, abs=0.1) and shares == sorted(shares, reverse=True)
    assert Image.open(tmp_path / "my-seen.png").size == (280, 280)


@pytest.mark.parametrize("ink", [0, 255])
def test_what_is_transparent_is_paper_whatever_the_ink(tmp_path, ink):
    drawn = Image.new("LA", (60, 90), (0, 0))
    drawn.paste((ink, 255), (25, 20, 35, 70))
    drawn.save(tmp_path / "a.png")
    seen = as_mnist(read(tmp_path / "a.png"))
    assert seen[14, 14] == 255 and seen[14, 4] == 0
