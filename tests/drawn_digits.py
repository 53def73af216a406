"""Ten digits as people draw them: each in a way of its own, on pictures of different sizes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter


def arc(cx, cy, rx, ry, start, end, steps=24):
    """Points of an elliptic arc; degrees from the right, clockwise as pictures have them."""
    angles = [math.radians(start + (end - start) * i / steps) for i in range(steps + 1)]
    return [(cx + rx * math.cos(a), cy + ry * math.sin(a)) for a in angles]


#: Strokes in a box of 1 x 1, y downwards.
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


@dataclass(frozen=True)
class Way:
    """How a digit is drawn; lengths as shares of the picture's shorter side."""

    size: tuple[int, int] = (200, 200)
    paper: int = 255
    ink: int = 0
    height: float = 0.7
    at: tuple[float, float] = (0.5, 0.5)
    pen: float = 0.06
    gradient: float = 0.0
    noise: float = 0.0
    blur: float = 0.0


WAYS = {
    0: ("black on white", Way()),
    1: ("white on black", Way(paper=0, ink=255)),
    2: ("off-centre, top left", Way(height=0.35, at=(0.25, 0.25), pen=0.035)),
    3: ("thin", Way(size=(400, 400), pen=0.01)),
    4: ("thick", Way(pen=0.12)),
    5: ("photo, gradient", Way((640, 480), 190, 60, 0.6, pen=0.04, gradient=90, noise=4, blur=2)),
    6: ("grey on grey, off-centre", Way((300, 500), 170, 110, 0.5, (0.6, 0.7), 0.05, noise=3)),
    7: ("photo of a blackboard", Way((480, 640), 50, 190, 0.5, gradient=-50, noise=5, blur=1)),
    8: ("small picture", Way(size=(28, 28), height=0.8, pen=0.08)),
    9: ("photo, large, off-centre", Way((1600, 1200), 200, 40, 0.4, (0.7, 0.35), 0.03, 80, 6, 3)),
}


def draw(digit: int, way: Way) -> Image.Image:
    """The digit as a grey picture; what is random is the same in each call."""
    width, height = way.size
    side, scale = min(way.size), 4 if max(way.size) <= 400 else 1
    ink = Image.new("L", (width * scale, height * scale))
    canvas = ImageDraw.Draw(ink)
    pen = max(1.0, way.pen * side) * scale
    extent = way.height * side * scale
    left, top = (share * w * scale - extent / 2 for share, w in zip(way.at, way.size, strict=True))
    for stroke in STROKES[digit]:
        points = [(left + x * extent, top + y * extent) for x, y in stroke]
        canvas.line(points, fill=255, width=round(pen), joint="curve")
        for x, y in points:
            canvas.ellipse([x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2], fill=255)
    ink = ink.resize(way.size, Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(way.blur))
    share = np.asarray(ink) / 255
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    light = way.gradient * (0.7 * x + 0.3 * y**2 - 0.4)
    noise = way.noise * np.random.default_rng(digit).standard_normal(share.shape)
    values = way.paper + (way.ink - way.paper) * share + light + noise
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))
