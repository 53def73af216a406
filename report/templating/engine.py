"""Rendering of one language's templates to Markdown, and of Markdown to HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote

from jinja2 import Template, Undefined, pass_context
from lxml import etree
from markupsafe import Markup

from analysis.values import Value
from report.base import tree
from report.base.environment import environment, partial, template_error
from report.base.errors import Place, ReportError, calling_place, lines
from report.base.labels import Labels
from report.base.placeholders import IN_ADDRESS, Slots, Token, escape
from report.base.tree import Element
from report.blocks import formulas, numbers, pictures
from report.blocks.numbers import Lang
from report.templating import markdown

#: Control characters, which HTML does not allow.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
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
        self.equations: dict[str, int] = {}
        self._file = folder  # the file whose Markdown is being converted
        self._convert = markdown.converter(self._formula, self._picture, self._refuse)
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
        what = type(value).__name__
        raise ReportError(
            f"an expression of type {what} cannot be printed; n(...) prints a number",
            calling_place(),
        )

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
        raise ReportError(f"{expected}, not {given}", calling_place())

    def template(self, name: str) -> Template:
        """Load a template.

        Raises:
            ReportError: it cannot be read or parsed; the message names file and line.
        """
        try:
            return self.environment.get_template(name)
        except Exception as error:
            # Jinja evaluates constant expressions when it compiles a template.
            raise template_error(error, Place(self.folder / name, 1)) from None

    def render(self, name: str, context: Mapping[str, Any] | None = None, block: str = "") -> str:
        """The Markdown of a template, or of one of its blocks, with placeholders.

        Raises:
            ReportError: there is an error in the template; the message names file and line.
        """
        template, start = self.template(name), Place(self.folder / name, 1)
        if block and block not in template.blocks:
            raise ReportError(f"has no block {block!r}", start)
        try:
            root = template.blocks[block] if block else template.root_render_func
            return "".join(root(template.new_context(dict(context or {}))))
        except Exception as error:
            # Any error raised by an expression is an error in the template.
            raise template_error(error, start, self.environment.globals) from None

    def html(self, text: str, file: Path, *, inline: bool = False) -> str:
        """Convert Markdown to HTML with placeholders; ``inline``: without a paragraph around it.

        Raises:
            ReportError: there is an error in a formula, a picture, a tag or a link's address.
        """
        self._file = file
        if control := _CONTROL.search(text):
            code = f"U+{ord(control[0]):04X}"
            raise ReportError(f"the character {code} cannot be printed", _find(file, control[0]))
        convert = self._convert.renderInline if inline else self._convert.render
        # Footnotes are numbered by section.
        html: str = convert(text, {"docId": f"{self.lang}-{file.name.partition('.')[0]}"})
        try:
            tree.parsed(html)
        except etree.XMLSyntaxError as error:
            raise ReportError(f"an HTML tag is left open ({error.msg})", Place(file, 1)) from None
        if IN_ADDRESS in html:
            raise ReportError("an expression stands in a link's address", _find(file, "]({{"))
        return html

    def _formula(self, tex: str, label: str | None) -> str:
        """The HTML of a formula."""
        display = label is not None
        place = _find(self._file, tex.strip().splitlines()[0].partition("\ue000")[0])
        try:
            parts = self.slots.parts(tex, place)
            parts[1::2] = map(formulas.number_tex, parts[1::2])
            math = formulas.mathml("".join(parts), display=display)
        except formulas.FormulaError as error:
            column = place.column and place.column + error.at
            raise ReportError(str(error), Place(place.file, place.line, column)) from None
        if not display:
            return math
        number = 0
        if label:
            if label in self.equations:
                raise ReportError(
                    f"equation {label!r} is there twice", _find(self._file, f"({label})")
                )
            number = self.equations[label] = len(self.equations) + 1
        return partial("equation", lang=self.lang, label=label, number=number, math=Markup(math))

    def _picture(self, address: str, alt: str) -> str:
        """The HTML of a picture in the templates folder."""
        address = unquote(address)
        place = _find(self._file, address)
        if re.match("[a-z]+:|//", address):
            raise ReportError(
                f"picture {address} is elsewhere: put the file into the templates folder", place
            )
        if not alt.strip():
            raise ReportError(f"picture {address} has no text: ![what it shows]({address})", place)
        beside, above = self._file.parent / address, self.folder / address
        file = above if above.is_file() and not beside.is_file() else beside
        try:
            data = pictures.address(file)
        except pictures.PictureError as error:
            raise ReportError(f"picture {address}: {error}", place) from None
        return f'<img class="picture" src="{data}" alt="{escape(alt)}"/>'

    def _refuse(self, text: str, why: str) -> NoReturn:
        line = text.splitlines()[0]
        raise ReportError(f"{line} {why}", _find(self._file, line))


def _find(file: Path, text: str) -> Place:
    """The first line of a file that contains a text; its first line if none does."""
    for number, line in enumerate(lines(file), 1):
        if text and text in line:
            return Place(file, number, line.index(text) + 1)
    return Place(file, 1)


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
