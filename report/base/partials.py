"""The HTML of the report's parts: ``templates/partials/<name>.html``, filled with values."""

from __future__ import annotations

import functools
from pathlib import Path

from jinja2 import Environment, TemplateError, TemplateSyntaxError
from markupsafe import Markup

from report.base.environment import environment
from report.base.errors import TEMPLATES, Place, ReportError, place_of
from report.base.placeholders import escape


def _shown(value: object) -> object:
    """Texts escaped, HTML as it is."""
    return Markup(escape(value)) if type(value) is str else value


@functools.cache
def _environment(folder: Path, trim: bool) -> Environment:
    return environment(folder, finalize=_shown, trim_blocks=trim, lstrip_blocks=trim)


def filled(name: str, folder: Path = TEMPLATES, /, **values: object) -> Markup:
    """A template of the page's own with its values; texts are escaped, ``Markup`` is not.

    Raises:
        ReportError: the template is at fault.
    """
    path = folder / name
    try:
        trim = name.startswith("partials/")
        template = _environment(folder, trim).get_template(name)
        # not by render(), which rewrites the traceback that the place is taken from
        return Markup("".join(template.root_render_func(template.new_context(values))))
    except TemplateSyntaxError as error:
        file = Path(error.filename) if error.filename else path
        raise ReportError(error.message or "syntax error", Place(file, error.lineno)) from None
    except TemplateError as error:
        place = place_of(error.__traceback__) or Place(path, 1)
        raise ReportError(error.message or type(error).__name__, place) from None


def partial(name: str, /, **values: object) -> Markup:
    """One of the partials: ``partial("figure", ...)`` fills ``partials/figure.html``."""
    return filled(f"partials/{name}.html", TEMPLATES, **values)
