"""The Jinja environments (sandboxed): the templates, partials and pages, and errors in them."""

import functools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jinja2 import (
    FileSystemBytecodeCache,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    UndefinedError,
)
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from report.base.errors import TEMPLATES, Place, ReportError, near, place_of, syntax_error
from report.base.placeholders import escape

#: UTF-8 with or without a byte order mark.
ENCODING = "utf-8-sig"


def read(path: Path) -> str:
    """The text of a file of the templates folder.

    Raises:
        ReportError: the file cannot be read or is not UTF-8.
    """
    try:
        return path.read_text(encoding=ENCODING)
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error) from None
    except OSError as error:
        raise ReportError(f"cannot be read: {error.strerror}", Place(path, 1)) from None


def _not_utf8(path: Path, error: UnicodeDecodeError) -> ReportError:
    """The error for a file in another encoding, with the first line that is not UTF-8."""
    line = error.object.count(b"\n", 0, error.start) + 1
    try:
        error.object.decode("gb18030")
        guess = "; it seems to be GBK"
    except UnicodeDecodeError:
        guess = ""
    return ReportError(f"is not UTF-8{guess}; save it as UTF-8", Place(path, line))


def environment(folder: Path, **options: Any) -> SandboxedEnvironment:
    """A Jinja environment that escapes texts and raises for unknown names.

    Compiled templates are kept in ``.cache`` beside the folder; Jinja compares their texts.

    Args:
        folder: folder of the templates.
        options: further options of Jinja's environment, always the same for one template.
    """
    compiled = folder.parent / ".cache" / "templates"
    compiled.mkdir(parents=True, exist_ok=True)
    return SandboxedEnvironment(
        loader=FileSystemLoader(folder, encoding=ENCODING),
        bytecode_cache=FileSystemBytecodeCache(str(compiled)),
        autoescape=True,
        optimized=False,
        undefined=StrictUndefined,
        **options,
    )


def template_error(error: Exception, where: Place, known: Iterable[str] = ()) -> ReportError:
    """The error of a template for one that Jinja or an expression raised, with its place.

    Args:
        error: what was raised.
        where: the place if the error has none.
        known: names that the template could have meant.
    """
    place = place_of(error.__traceback__) or where
    if isinstance(error, ReportError):
        return ReportError(error.message, error.place or place)
    if isinstance(error, TemplateSyntaxError):
        return syntax_error(error.message or "", Path(error.filename or where.file), error.lineno)
    if isinstance(error, UnicodeDecodeError):
        return _not_utf8(where.file, error)
    if isinstance(error, TemplateNotFound):
        return ReportError("cannot be read: no such file", where)
    message = f"{type(error).__name__}: {error}"
    if isinstance(error, TemplateError):
        message = error.message or type(error).__name__
    name = re.search(r"'([^']+)'[^']*$", message)
    if isinstance(error, UndefinedError) and name:
        place = place.at(name[1])
        if re.search(rf"\$[^$]*\{{\{{\s*{re.escape(name[1])}\b", place.source_line()):
            message += "; in a formula, too, {{ begins an expression: write { { for two braces"
        else:
            message += near(name[1], known)
    return ReportError(message, place)


def _shown(value: object) -> object:
    """Escape texts, not HTML (``Markup``)."""
    return Markup(escape(value)) if type(value) is str else value


@functools.cache
def _pages(folder: Path, trim: bool) -> SandboxedEnvironment:
    return environment(folder, finalize=_shown, trim_blocks=trim, lstrip_blocks=trim)


def filled(name: str, folder: Path = TEMPLATES, /, **values: object) -> Markup:
    """Render an HTML template; texts are escaped, ``Markup`` is not.

    Raises:
        ReportError: there is an error in the template.
    """
    try:
        template = _pages(folder, name.startswith("partials/")).get_template(name)
        # Not by render(), which rewrites the traceback that gives the place of an error.
        return Markup("".join(template.root_render_func(template.new_context(values))))
    except TemplateError as error:
        raise template_error(error, Place(folder / name, 1)) from None


def partial(name: str, /, **values: object) -> Markup:
    """Render a partial: ``partial("figure", ...)`` renders ``partials/figure.html``."""
    return filled(f"partials/{name}.html", TEMPLATES, **values)
