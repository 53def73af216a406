"""Pictures of the writer's own: embedded as every format shows them, or named with the reason."""

import base64
import io
import re

import pytest
from PIL import Image

from report.base.errors import ReportError
from tests.report_kit import section


def saved(path, mode="RGB", orientation=None):
    exif = Image.Exif()
    if orientation:
        exif[0x112] = orientation
    Image.new(mode, (30, 20)).save(path, exif=exif)
    return path


def embedded(tmp_path, path):
    html = section(tmp_path, f"![what it shows]({path})")
    data = re.search('src="data:image/[^;]+;base64,([^"]+)"', html)[1]
    return base64.b64decode(data)


def test_a_file_is_embedded_as_it_is(tmp_path):
    path = saved(tmp_path / "a.png", "RGBA")
    assert embedded(tmp_path, path) == path.read_bytes()


@pytest.mark.parametrize(
    ("mode", "orientation", "size"), [("RGB", 6, (20, 30)), ("CMYK", None, (30, 20))]
)
def test_a_photo_is_upright_and_rgb(tmp_path, mode, orientation, size):
    found = Image.open(io.BytesIO(embedded(tmp_path, saved(tmp_path / "a.jpg", mode, orientation))))
    assert (found.mode, found.size) == ("RGB", size)
    assert not found.getexif()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.heic", b"x", "is no PNG, JPEG, GIF, WebP or SVG"),
        ("a.png", None, "there is no such file"),
        ("a.png", b"<html></html>", "its content is of another kind"),
        ("a.jpg", "cut", "cannot be read as a picture: "),
        ("a.svg", b"<html/>", "no SVG"),
        ("a.svg", b'<svg><image href="b.png"/></svg>', "it refers to b.png"),
        ("a.svg", b"<svg>", "cannot be read as a picture: "),
    ],
)
def test_what_is_no_picture_is_named(tmp_path, name, content, message):
    path = tmp_path / name
    if content == "cut":
        content = saved(tmp_path / "b.jpg").read_bytes()[:-200]
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ReportError, match=message) as caught:
        section(tmp_path, f"![what it shows]({path})")
    assert name in str(caught.value) and caught.value.place.line == 3
