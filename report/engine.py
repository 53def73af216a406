"""The sandbox that templates run in, and from their Markdown to HTML."""

from __future__ import annotations

import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import (
    Template,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    Undefined,
    UndefinedError,
    pass_context,
)
from jinja2.runtime import Context
from markupsafe import Markup

from analysis.values import Value
from report import formulas, markdown
from report.errors import Place, ReportError, calling_place, place_of, syntax_error
from report.labels import Labels
from report.numbers import Lang
from report.sandbox import Sandbox, bounded
from report.slots import Slots, Token, escape, in_address


class Missing:
    """A number that these records do not hold, since its run is missing or has no evaluation."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __bool__(self) -> bool:
        return False


class Engine(ABC):
    """Renders the templates of one language for one target.

    Args:
        folder: of the templates.
        lang: language.
        pdf: for the PDF, where formulas are drawings.
    """

    def __init__(self, folder: Path, lang: Lang, *, pdf: bool) -> None:
        self.folder = folder
        self.lang: Lang = lang
        self.pdf = pdf
        self.labels = Labels(lang)
        self.slots = Slots()
        self.equations: dict[str, int] = {}
        self._file = folder  # whose Markdown is being converted
        self._convert = markdown.converter(self._formula)
        self.environment = Sandbox(folder, finalize=self._finalize())

    def _finalize(self) -> Any:
        # With the context asked for, Jinja cannot fold constants at compile time past us.
        @pass_context
        def finalize(context: Context, value: object) -> Token:
            return self.printed(value)

        return finalize

    def printed(self, value: object) -> Token:
        """The placeholder of what an expression printed.

        Raises:
            ReportError: it is nothing that can be printed.
        """
        if isinstance(value, Token):
            return value
        if isinstance(value, Undefined):
            str(value)  # raises
        if isinstance(value, Missing):
            return self.missing(value)
        if isinstance(value, Value):
            return self.number(value)
        if isinstance(value, Markup):
            # a macro's text, or a token joined to a text: no more HTML than a text is
            return self.slots.quote(str(value))
        if isinstance(value, str):
            return self.slots.add(escape(value))
        if isinstance(value, int) and not isinstance(value, bool):
            return self.slots.add(f"{value:,}")
        what = type(value).__name__
        raise ReportError(
            f"an expression of type {what} cannot be printed; n(...) prints a number",
            calling_place(),
        )

    @abstractmethod
    def number(self, value: Value) -> Token:
        """Print a number with its provenance; ``report.macros``, which knows records, does."""

    def missing(self, value: Missing) -> Token:
        """The mark that stands for a number that there is not."""
        note = escape(self.labels("missing_number", what=value.what))
        return self.slots.add(f'<span class="missing" role="img" aria-label="{note}">—</span>')

    def template(self, name: str) -> Template:
        """Load a template.

        Raises:
            ReportError: it cannot be read or parsed; the message names file and line.
        """
        path = self.folder / name
        try:
            return self.environment.get_template(name)
        except TemplateSyntaxError as error:
            self._raise(error)
        except TemplateNotFound:
            raise ReportError("cannot be read: no such file", Place(path, 1)) from None
        except ReportError as error:
            raise ReportError(error.message, error.place or Place(path, 1)) from None
        except Exception as error:
            # a constant expression is computed already here
            self._raise(error, Place(path, 1))

    def render(self, name: str, context: Mapping[str, Any] | None = None, block: str = "") -> str:
        """The Markdown of a template, or of one of its blocks, with placeholders.

        Raises:
            ReportError: the template is at fault; the message names file and line.
        """
        template = self.template(name)
        if block and block not in template.blocks:
            raise ReportError(f"has no block {block!r}", Place(self.folder / name, 1))
        try:
            scope = template.new_context(dict(context or {}))
            root = template.blocks[block] if block else template.root_render_func
            with bounded():
                return "".join(root(scope))
        except ReportError as error:
            if error.place is None:
                place = place_of(sys.exc_info()[2]) or Place(self.folder / name, 1)
                raise ReportError(error.message, place) from None
            raise
        except Exception as error:
            # whatever a template's expression can raise is the template's fault
            self._raise(error, Place(self.folder / name, 1))

    def _raise(self, error: Exception, where: Place | None = None) -> NoReturn:
        if isinstance(error, TemplateSyntaxError):
            file = Path(error.filename) if error.filename else self.folder
            raise syntax_error(error.message or "", file, error.lineno) from None
        place = place_of(error.__traceback__) or where
        if isinstance(error, UndefinedError):
            message = str(error.message or "undefined variable")
            name = re.search(r"'([^']+)'[^']*$", message)
            raise ReportError(message, place.at(name[1]) if place and name else place) from None
        if isinstance(error, TemplateError):
            raise ReportError(error.message or type(error).__name__, place) from None
        raise ReportError(f"{type(error).__name__}: {error}", place) from None

    def html(self, text: str, file: Path, *, inline: bool = False) -> str:
        """Markdown to HTML, placeholders kept.

        Raises:
            ReportError: a formula or a link's address is at fault.
        """
        self._file, before = file, self._file
        try:
            html: str = self._convert.renderInline(text) if inline else self._convert.render(text)
        finally:
            self._file = before
        # an empty head is no heading of anything
        html = re.sub(r"<th( [^>]*)?></th>", "<td></td>", html)
        if in_address(html):
            raise ReportError("an expression stands in a link's address", _find(file, "]({{"))
        return html

    def caption(self, text: str, file: Path) -> str:
        """Markdown of a caption or a claim to HTML that may stand in a line."""
        html = self.html(text.strip(), file).strip()
        if html.count("<p>") == 1 and html.startswith("<p>") and html.endswith("</p>"):
            html = html.removeprefix("<p>").removesuffix("</p>")
        return html

    def _formula(self, tex: str, label: str | None) -> str:
        """The HTML of a formula; see ``markdown.Formula``."""
        display = label is not None
        try:
            if self.pdf:
                core = self._drawn(tex, display=display)
            else:
                core = formulas.mathml(tex, display=display)
        except formulas.FormulaError as error:
            raise ReportError(str(error), _find(self._file, tex.strip().splitlines()[0])) from None
        if not display:
            return core
        number = ""
        anchor = ""
        if label:
            if label in self.equations:
                raise ReportError(
                    f"equation {label!r} is there twice", _find(self._file, f"({label})")
                )
            self.equations[label] = len(self.equations) + 1
            anchor = f' id="{self.lang}-eq-{escape(label)}"'
            number = f'<span class="eqno">({self.equations[label]})</span>'
        return f'<div class="equation"{anchor}><div class="scroll">{core}</div>{number}</div>\n'

    def _drawn(self, tex: str, *, display: bool) -> str:
        svg, width, height, depth = formulas.drawing(tex, display=display)
        address = self.asset(svg)
        style = f"width:{width:.3f}em;height:{height:.3f}em;vertical-align:{-depth:.3f}em"
        spoken = escape(formulas.spoken(tex, self.lang))
        return f'<img class="formula" src="{address}" alt="{spoken}" style="{style}"/>'

    @abstractmethod
    def asset(self, svg: str) -> str:
        """Keep a drawing for the PDF and return its address; ``report.macros`` does."""


def _find(file: Path, text: str) -> Place:
    """The first line of a file that holds a text, else its first line."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    for number, line in enumerate(lines, 1):
        if text in line:
            return Place(file, number, line.index(text) + 1)
    return Place(file, 1)
