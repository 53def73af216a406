"""Convert a photo of one digit to MNIST's form.

As LeCun et al. 1998, section III-A: white on black, scaled to fit 20x20 pixels without changing
the aspect ratio, and placed in 28x28 pixels with the centre of mass in the middle. Before that the
paper's brightness, which varies slowly over a photo, is subtracted.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from scipy import ndimage

from models.errors import UsageError

SIDE, BOX = 28, 20
#: Photos are first reduced to this many pixels on the longer side.
_WORKING = 400
#: Strokes thinner than this share of the digit's size are thickened; MNIST's are about a tenth.
_THIN = 0.09
#: A pixel is ink if it differs from the paper by at least this many standard deviations ...
_DEVIATIONS = 4.0
#: ... and by at least this many grey levels.
_LEVELS = 12.0
#: Minimum size of a digit in pixels.
_SMALLEST = 8

Grey = NDArray[np.float64]
Mask = NDArray[np.bool_]


def read(path: Path) -> Grey:
    """A picture's grey values ``(H, W)``, 0 to 255; transparent parts become paper.

    Raises:
        UsageError: no such file, or not a picture.
    """
    try:
        with Image.open(path) as file:
            picture = ImageOps.exif_transpose(file).convert("RGBA")
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file") from None
    except (OSError, UnidentifiedImageError, ValueError, Image.DecompressionBombError) as error:
        raise UsageError(f"{path}: not a picture that can be read ({error})") from None
    alpha = np.asarray(picture.getchannel("A"), dtype=np.float64)
    light = float((np.asarray(picture.convert("L")) * alpha).sum()) > 127.5 * float(alpha.sum())
    paper = Image.new("RGBA", picture.size, "black" if light else "white")
    grey = Image.alpha_composite(paper, picture).convert("L")
    grey.thumbnail((_WORKING, _WORKING), Image.Resampling.BOX)
    return np.asarray(grey, dtype=np.float64)


def as_mnist(grey: Grey) -> NDArray[np.uint8]:
    """One digit in MNIST's form, ``(28, 28)``, white on black.

    Args:
        grey: a photo ``(H, W)`` of any size, 0 to 255, dark on light or light on dark.

    Raises:
        UsageError: there is nothing on the paper.
    """
    ink, mask = _ink(grey)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    cut = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    digit = _thickened(np.where(mask, ink, 0)[cut], mask[cut])
    return _centred(_fitted(digit))


def _ink(grey: Grey) -> tuple[Grey, Mask]:
    """How much ink each pixel has, 0 to 1, and which pixels belong to the digit."""
    paper, deviation = _paper(grey)
    difference = paper - grey  # positive where the ink is darker
    strong = np.abs(difference) > max(_LEVELS, _DEVIATIONS * deviation)
    if np.abs(difference[strong]).sum() > 0 > difference[strong].sum():
        difference = -difference
    most = float(np.percentile(difference[strong], 90)) if strong.any() else 0.0
    if most < _LEVELS:
        raise UsageError("no digit found: expected one on paper of an even colour.")
    ink = np.clip(difference / most, 0, 1)
    mask = _without_specks(ink > 0.4)
    if max(mask.any(axis=1).sum(), mask.any(axis=0).sum()) < _SMALLEST:
        raise UsageError(f"no digit found: expected one of {_SMALLEST} pixels at least.")
    return ink, ndimage.maximum_filter(mask, 3) & (ink > 0.15)


def _paper(grey: Grey) -> tuple[Grey, float]:
    """The brightness of the paper, ``(H, W)``, and its robust standard deviation.

    A quadratic surface is fitted by least squares, six times, each time only to the pixels near
    the previous surface. This excludes the ink.
    """
    height, width = grey.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1).reshape(-1, 6)
    values = grey.ravel()
    near = np.abs(values - np.median(values)) <= 60
    surface, deviation = np.full_like(values, np.median(values)), 0.0
    for _ in range(6):
        factors, *_rest = np.linalg.lstsq(terms[near], values[near], rcond=None)
        surface = terms @ factors
        away = np.abs(values - surface)
        deviation = 1.4826 * float(np.median(away[near]))
        near = away <= max(6.0, 3 * deviation)
        if near.sum() < 6:
            break
    return surface.reshape(grey.shape), deviation


def _without_specks(mask: Mask) -> Mask:
    """The connected parts (8 neighbours) of at least ``_SMALLEST`` pixels and a tenth of the
    largest part."""
    labels, _ = ndimage.label(mask, structure=np.ones((3, 3)))
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0  # the paper
    return np.asarray(sizes >= max(_SMALLEST, 0.1 * sizes.max()))[labels]


def _thickened(digit: Grey, mask: Mask) -> Grey:
    """The digit with strokes of at least ``_THIN`` of its size."""
    inner = ndimage.minimum_filter(mask, 3, mode="constant")
    outline = int((mask & ~inner).sum())
    width = 2 * mask.sum() / max(1, outline)  # area over length; both sides have an outline
    lacking = _THIN * max(digit.shape) - width
    if lacking < 1:
        return digit
    size = 2 * round(lacking / 2) + 1
    return np.asarray(ndimage.maximum_filter(np.pad(digit, size // 2), size))


def _fitted(digit: Grey) -> Grey:
    """The digit scaled to fit 20x20 pixels, 0 to 1, at full brightness."""
    height, width = digit.shape
    scale = BOX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    picture = Image.fromarray(np.rint(255 * digit).astype(np.uint8))
    small = np.asarray(picture.resize(size, Image.Resampling.BOX if scale < 1 else 2)) / 255
    return np.clip(small / max(1e-6, float(np.percentile(small[small > 0.1], 80))), 0, 1)


def _centred(digit: Grey) -> NDArray[np.uint8]:
    """The digit in 28x28 pixels, its centre of mass in the middle, to the nearest pixel."""
    room = SIDE - np.array(digit.shape)
    middle = np.array(ndimage.center_of_mass(digit))
    before = np.clip(np.rint((SIDE - 1) / 2 - middle).astype(int), 0, room)
    padding = np.stack([before, room - before], axis=1)
    return np.pad(np.rint(255 * digit).astype(np.uint8), padding)
