"""``make predict``: photos of digits as MNIST has them, and a trained network's answer.

``tests/trained`` holds a DenseNet of the profile ``quick`` with its weights.
"""

import shutil
from collections import namedtuple

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

import models
from experiments.prediction.predict import best_run, probabilities
from experiments.prediction.preprocess import as_mnist, read
from experiments.record import read as read_record
from models.errors import UsageError
from tests.checkout import ROOT, called

TRAINED = ROOT / "tests" / "trained"
RECORD = TRAINED / "quick" / "DenseNet.s0.json"


def arc(cx, cy, rx, ry, start, end):
    """Points of an elliptic arc; degrees from the right, clockwise as pictures have them."""
    angles = np.radians(np.linspace(start, end, 25))
    return [*zip(cx + rx * np.cos(angles), cy + ry * np.sin(angles), strict=True)]


#: How people draw the digits: strokes in a box of 1 x 1, y downwards.
STROKES = {
    0: [arc(0.5, 0.5, 0.3, 0.45, -90, 270)],
    1: [[(0.42, 0.1), (0.5, 0.05), (0.48, 0.95)]],
    2: [[*arc(0.48, 0.28, 0.26, 0.23, -170, 40), (0.22, 0.93), (0.8, 0.9)]],
    3: [[*arc(0.45, 0.27, 0.24, 0.22, -150, 90), *arc(0.45, 0.7, 0.3, 0.24, -90, 140)]],
    4: [[(0.3, 0.08), (0.2, 0.55), (0.8, 0.52)], [(0.66, 0.1), (0.62, 0.95)]],
    5: [[(0.75, 0.07), (0.32, 0.08), (0.28, 0.45), *arc(0.46, 0.66, 0.28, 0.27, -110, 140)]],
    6: [[(0.62, 0.05), (0.36, 0.35), (0.25, 0.65), *arc(0.48, 0.7, 0.23, 0.23, 180, -170)]],
    7: [[(0.2, 0.1), (0.78, 0.08), (0.42, 0.95)]],
    8: [arc(0.5, 0.28, 0.22, 0.22, 90, 450), arc(0.5, 0.72, 0.27, 0.23, -90, 270)],
    9: [arc(0.47, 0.3, 0.24, 0.24, 0, 360), [(0.71, 0.3), (0.66, 0.6), (0.58, 0.95)]],
}


#: How a digit is drawn; lengths as shares of the picture's shorter side.
Way = namedtuple(
    "Way", "size paper ink height at pen gradient noise blur",
    defaults=((200, 200), 255, 0, 0.7, (0.5, 0.5), 0.06, 0.0, 0.0, 0.0),
)  # fmt: skip

#: One for each digit.
WAYS = {
    "black on white": Way(),
    "white on black": Way(paper=0, ink=255),
    "off-centre, top left": Way(height=0.35, at=(0.25, 0.25), pen=0.035),
    "thin": Way(size=(400, 400), pen=0.01),
    "thick": Way(pen=0.12),
    "photo, gradient": Way((640, 480), 190, 60, 0.6, pen=0.04, gradient=90, noise=4, blur=2),
    "grey on grey, off-centre": Way((300, 500), 170, 110, 0.5, (0.6, 0.7), 0.05, noise=3),
    "photo of a blackboard": Way((480, 640), 50, 190, 0.5, gradient=-50, noise=5, blur=1),
    "small picture": Way(size=(28, 28), height=0.8, pen=0.08),
    "photo, large, off-centre": Way((1600, 1200), 200, 40, 0.4, (0.7, 0.35), 0.03, 80, 6, 3),
}


def photo(folder, digit, way):
    """The file of a digit's grey picture; what is random is the same in each call."""
    width, height = way.size
    scale = 4 if max(way.size) <= 400 else 1
    size = np.array(way.size) * scale
    ink = Image.new("L", tuple(size.tolist()))
    canvas = ImageDraw.Draw(ink)
    pen, extent = max(scale, way.pen * min(size)), way.height * min(size)
    for stroke in STROKES[digit]:
        points = way.at * size + (np.array(stroke) - 0.5) * extent
        canvas.line([*map(tuple, points)], fill=255, width=round(pen), joint="curve")
        for x, y in points:
            canvas.ellipse([x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2], fill=255)
    ink = ink.resize(way.size, Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(way.blur))
    share = np.asarray(ink) / 255
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    light = way.gradient * (0.7 * x + 0.3 * y**2 - 0.4)
    noise = way.noise * np.random.default_rng(digit).standard_normal(share.shape)
    values = way.paper + (way.ink - way.paper) * share + light + noise
    path = folder / f"{digit}.png"
    Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8)).save(path)
    return path


def seen(folder, digit, way):
    return as_mnist(read(photo(folder, digit, way)))


def answers(record, images):
    return probabilities(record, images).argmax(dim=1).numpy()


@pytest.fixture(autouse=True)
def trained(monkeypatch):
    monkeypatch.setattr("experiments.prediction.predict.RESULTS", TRAINED)


@pytest.mark.pipeline
def test_at_least_nine_of_ten_digits_drawn_as_people_draw_them(tmp_path):
    images = np.stack([seen(tmp_path, digit, way) for digit, way in enumerate(WAYS.values())])
    found = answers(best_run("densenet", "quick"), images)
    assert (found == range(10)).sum() >= 9, found


@pytest.mark.parametrize("name", WAYS)
def test_a_photo_becomes_an_image_as_mnist_has_them(tmp_path, name):
    image = seen(tmp_path, 2, WAYS[name])
    assert image.shape == (28, 28) and image.dtype == np.uint8
    rows, columns = np.nonzero(image > 25)
    assert 18 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 20
    y, x = np.mgrid[:28, :28]
    assert abs((image * y).sum() / image.sum() - 13.5) <= 0.5
    assert abs((image * x).sum() / image.sum() - 13.5) <= 0.5
    assert image[0].max() == image[-1].max() == 0  # paper is black
    assert image.max() > 240  # and ink white


def test_images_of_mnist_keep_their_digit(mnist):
    found = np.stack([as_mnist(image.astype(float)) for image in mnist.test_images[:300]])
    assert (answers(RECORD, found) == mnist.test_labels[:300]).mean() > 0.93


def test_a_loaded_network_is_the_one_that_was_judged(mnist):
    record = read_record(RECORD)
    recorded = np.array([int(digit) for digit in record.test.predictions[:500]])
    same = (answers(RECORD, mnist.test_images[:500]) == recorded).sum()
    assert same >= 495  # trained in bf16, asked in fp32
    net = models.load(str(RECORD))
    assert not net.training
    assert sum(p.numel() for p in net.parameters()) == record.network.parameters


def test_other_weights_than_the_record_states_are_refused(tmp_path):
    shutil.copytree(RECORD.parent, tmp_path, dirs_exist_ok=True)
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


@pytest.mark.parametrize("ink", [0, 255])
def test_what_is_transparent_is_paper_whatever_the_ink(tmp_path, ink):
    drawn = Image.new("LA", (60, 90), (0, 0))
    drawn.paste((ink, 255), (25, 20, 35, 70))
    drawn.save(tmp_path / "a.png")
    seen = as_mnist(read(tmp_path / "a.png"))
    assert seen[14, 14] == 255 and seen[14, 4] == 0


def test_the_command_prints_probabilities_and_saves_what_was_seen(tmp_path):
    path = photo(tmp_path, 7, WAYS["photo of a blackboard"])
    done = called("experiments.prediction.__main__", "DenseNet", path, "--profile", "quick")
    assert done.returncode == 0, done.stderr
    title, *lines = done.stdout.splitlines()[:11]
    assert title == f"{path} by DenseNet.s0:"
    assert lines[0].split()[0] == "7"
    shares = [float(line.split()[1].rstrip("%")) for line in lines]
    assert sum(shares) == pytest.approx(100, abs=0.1) and shares == sorted(shares, reverse=True)
    assert Image.open(tmp_path / "7-seen.png").size == (280, 280)
