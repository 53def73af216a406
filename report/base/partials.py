"""Rendering of the page's HTML templates: ``templates/partials/<name>.html`` and whole pages."""

from __future__ import annotations

import functools
from pathlib import Path

from jinja2 import Environment, TemplateError, TemplateSyntaxError
from markupsafe import Markup

from report.base.environment import environment
from report.base.errors import TEMPLATES, Place, ReportError, place_of
from report.base.placeholders import escape


def _shown(value: object) -> object:
    """Escape texts, not HTML (``Markup``)."""
    return Markup(escape(value)) if type(value) is str else value


@functools.cache
def _environment(folder: Path, trim: bool) -> Environment:
    return environment(folder, finalize=_shown, trim_blocks=trim, lstrip_blocks=trim)


def filled(name: str, folder: Path = TEMPLATES, /, **values: object) -> Markup:
    """Render an HTML template; texts are escaped, ``Markup`` is not.

    Raises:
        ReportError: there is an error in the template.
    """
    path = folder / name
    try:
        trim = name.startswith("partials/")
        template = _environment(folder, trim).get_template(name)
        # Not by render(), which rewrites the traceback that gives the place of an error.
        return Markup("".join(template.root_render_func(template.new_context(values))))
    except TemplateSyntaxError as error:
        file = Path(error.filename) if error.filename else path
        raise ReportError(error.message or "syntax error", Place(file, error.lineno)) from None
    except TemplateError as error:
        place = place_of(error.__traceback__) or Place(path, 1)
        raise ReportError(error.message or type(error).__name__, place) from None


def partial(name: str, /, **values: object) -> Markup:
    """Render a partial: ``partial("figure", ...)`` renders ``partials/figure.html``."""
    return filled(f"partials/{name}.html", TEMPLATES, **values)
