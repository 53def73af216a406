"""The Jinja environment of the templates (sandboxed), and reading of their files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from report.base.errors import Place, ReportError

#: UTF-8 with or without a byte order mark.
ENCODING = "utf-8-sig"


def read(path: Path) -> str:
    """The text of a file of the templates folder.

    Raises:
        ReportError: the file cannot be read or is not UTF-8.
    """
    try:
        return path.read_text(encoding=ENCODING)
    except UnicodeDecodeError:
        raise not_utf8(path) from None
    except OSError as error:
        raise ReportError(f"cannot be read: {error.strerror}", Place(path, 1)) from None


def not_utf8(path: Path) -> ReportError:
    """The error for a file in another encoding, with the first line that is not UTF-8."""
    content = path.read_bytes()
    try:
        content.decode("utf-8")
        line = 1
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
    try:
        content.decode("gb18030")
        guess = "; it seems to be GBK"
    except UnicodeDecodeError:
        guess = ""
    return ReportError(f"is not UTF-8{guess}; save it as UTF-8", Place(path, line))


def environment(folder: Path, **options: Any) -> SandboxedEnvironment:
    """A Jinja environment that escapes texts and raises for unknown names.

    Args:
        folder: folder of the templates.
        options: further options of Jinja's environment.
    """
    return SandboxedEnvironment(
        loader=FileSystemLoader(folder, encoding=ENCODING),
        autoescape=True,
        optimized=False,
        undefined=StrictUndefined,
        **options,
    )
