"""Pictures for the page: the writer's own, embedded, and drawings of the analysis."""

import base64
import io
import mimetypes
import re
from collections.abc import Mapping
from pathlib import Path

from lxml import etree

KINDS = {"image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"}
_SIZE = re.compile(r'width="([\d.]+)pt" height="[\d.]+pt"')


def embedded(content: str | bytes, kind: str = "image/svg+xml") -> str:
    """A picture as a ``data:`` address."""
    data = content.encode() if isinstance(content, str) else content
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


class PictureError(ValueError):
    """A file is not a usable picture; the message says why."""


def address(path: Path) -> str:
    """A picture's file as a ``data:`` address.

    A photo is rotated by its EXIF orientation, which Word and LaTeX ignore, and CMYK is converted
    to RGB, because PDFs show CMYK in wrong colours.

    Raises:
        PictureError: there is no such file, or it is not a picture.
    """
    kind = mimetypes.guess_type(path.name)[0] or ""
    if kind not in KINDS:
        raise PictureError("is no PNG, JPEG, GIF, WebP or SVG")
    try:
        content = path.read_bytes()
        content = _checked_svg(content) if kind == "image/svg+xml" else _upright(content, kind)
    except FileNotFoundError:
        raise PictureError("there is no such file") from None
    except (OSError, ValueError, SyntaxError) as error:
        raise PictureError(f"cannot be read as a picture: {error}") from None
    return embedded(content, kind)


def _checked_svg(content: bytes) -> bytes:
    root = etree.fromstring(content)
    if etree.QName(root).localname != "svg":
        raise ValueError("no SVG")
    for href in root.xpath("//*[local-name() != 'a']/@*[local-name() = 'href']"):
        if not href.startswith(("#", "data:")):
            raise ValueError(f"it refers to {href}, which must be embedded in it")
    return content


def _upright(content: bytes, kind: str) -> bytes:
    from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

    try:
        picture = Image.open(io.BytesIO(content))
        picture.load()
    except UnidentifiedImageError:
        raise ValueError("its content is of another kind") from None
    turned = picture.getexif().get(ExifTags.Base.Orientation, 1) != 1
    if kind != "image/jpeg" or not (turned or picture.mode == "CMYK"):
        return content
    out = io.BytesIO()
    ImageOps.exif_transpose(picture).convert("RGB").save(out, "jpeg", quality=95)
    return out.getvalue()


def for_page(svg: str, prefix: str, inks: Mapping[str, str]) -> str:
    """A drawing of the analysis with a maximum width, and ids with a prefix.

    ``inks`` are colours to replace by variables of the page: ``ink`` by ``--ink``.
    """
    svg = re.sub(r' id="([^"]+)"', rf' id="{prefix}-\1"', svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", svg)
    svg = _SIZE.sub(
        lambda size: f'style="max-width:{float(size[1]) / 72 * 6.75:.3g}rem"', svg, count=1
    )
    for name, ink in inks.items():
        svg = re.sub(re.escape(ink), f"var(--{name})", svg, flags=re.IGNORECASE)
    return svg
