"""Rendering of one language's templates to Markdown, and the values that expressions print."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from jinja2 import Template, Undefined, pass_context
from markupsafe import Markup

from analysis.values import Value
from report.base.environment import environment, partial, template_error
from report.base.errors import Place, ReportError
from report.base.labels import Labels
from report.base.placeholders import Slots, Token, escape
from report.base.tree import Element
from report.blocks import numbers
from report.blocks.numbers import Lang
from report.templating.markdown import Converter

#: Characters that end a bare address.
_CHINESE = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef“”‘’—…]")
#: Tables with more columns have smaller print in the PDF.
_FEW_COLUMNS = 8


class Missing:
    """A number that is not in the records, because a run is missing or has no evaluation."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __bool__(self) -> bool:
        return False


class Engine:
    """Renders the templates of one language for one target, and prints values.

    Args:
        folder: folder of the templates.
        lang: language.
        pdf: whether the target is the PDF.
    """

    def __init__(self, folder: Path, lang: Lang, *, pdf: bool) -> None:
        self.folder = folder
        self.lang: Lang = lang
        self.pdf = pdf
        self.labels = Labels(lang)
        self.slots = Slots()
        self.markdown = Converter(folder, lang, self.slots)
        self.html = self.markdown.html
        # pass_context keeps Jinja from folding constants at compile time without this function.
        finalize = pass_context(lambda _, value: self.printed(value))
        self.environment = environment(folder, finalize=finalize, keep_trailing_newline=True)

    def printed(self, value: object) -> Token:
        """The placeholder of an expression's value.

        Raises:
            ReportError: the value cannot be printed.
        """
        if isinstance(value, Token):
            return value
        if isinstance(value, Missing | Value | Undefined):
            return self.n(value)
        if isinstance(value, Markup):
            # A macro's text, or a token joined to a text: treated as text, not as HTML.
            return self.slots.quote(str(value))
        if isinstance(value, str):
            return self.slots.add(escape(value))
        if isinstance(value, int) and not isinstance(value, bool):
            return self.slots.add(f"{value:,}")
        what = f"an expression of type {type(value).__name__}"
        raise ReportError(f"{what} cannot be printed; n(...) prints a number")

    def n(
        self,
        value: object,
        *,
        digits: int | None = None,
        unit: bool = True,
        sign: bool | None = None,
    ) -> Token:
        """A number with its sources.

        Args:
            value: the number, which may be missing.
            digits: decimals instead of the kind's default; significant digits for gain, weight.
            unit: False leaves the unit out.
            sign: True shows a plus, False no sign at all.
        """
        if not isinstance(value, Value):
            return self.no_number(value, "n() takes a Value")
        shown = numbers.printed(value, self.lang, digits)
        text = numbers.signed(shown.text, value.value, sign)
        text += shown.unit if unit else ""
        return self.slots.add(numbers.data_element(value, text, self.lang))

    def no_number(self, item: object, expected: str) -> Token:
        """The mark of a missing number; an error for anything else."""
        if isinstance(item, Missing):
            note = self.labels("missing_number", what=item.what)
            return self.slots.add(partial("missing", note=note))
        if isinstance(item, Undefined):
            str(item)  # raises, naming what is undefined
        given = "nothing (None)" if item is None else f"a {type(item).__name__}"
        raise ReportError(f"{expected}, not {given}")

    @contextmanager
    def template(self, name: str) -> Iterator[Template]:
        """A template. Any error in the block is one of the template, at its line.

        Raises:
            ReportError: there is an error in the template; the message names file and line.
        """
        try:
            yield self.environment.get_template(name)
        except Exception as error:
            start = Place(self.folder / name, 1)
            raise template_error(error, start, self.environment.globals) from None

    def render(self, name: str, context: Mapping[str, Any] | None = None, block: str = "") -> str:
        """The Markdown of a template, or of one of its blocks, with placeholders.

        Raises:
            ReportError: there is an error in the template; the message names file and line.
        """
        with self.template(name) as template:
            if block and block not in template.blocks:
                raise ReportError(f"has no block {block!r}")
            root = template.blocks[block] if block else template.root_render_func
            return "".join(root(template.new_context(dict(context or {}))))


def finish(root: Element, labels: Labels) -> None:
    """Finish the tree of a section: empty heads, wide tables, call-outs, bare addresses."""
    for cell in root.iter("th"):
        if not len(cell) and not (cell.text or "").strip():
            cell.tag = "td"  # for accessibility
    for table in root.iter("table"):
        columns = max(len(row) for row in table.iter("tr"))
        if columns > _FEW_COLUMNS:
            table.set("class", "wide")
    for title in root.xpath('.//p[@class="markdown-alert-title"]'):
        title.text = labels(f"callout_{(title.text or '').lower()}")
    for link in root.xpath(".//a[not(*)]"):
        shown = link.text or ""
        if (cut := _CHINESE.search(shown)) and shown == unquote(link.get("href", "")):
            link.text, rest = shown[: cut.start()], shown[cut.start() :]
            link.set("href", link.text)
            link.tail = rest + (link.tail or "")
