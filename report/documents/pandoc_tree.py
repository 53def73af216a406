"""Convert the tree of a document to pandoc's, from which Word, LaTeX and Markdown are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, TypeAlias

from lxml import etree
from pylatexenc.latexencode import unicode_to_latex

from report.base import tree
from report.base.tree import Element

Format: TypeAlias = Literal["docx", "tex", "md"]
#: An element of pandoc's tree, as JSON.
Json: TypeAlias = dict[str, Any]
#: The version of pandoc's tree that is written here; later 1.23.x can read it.
API_VERSION = [1, 23, 1]

_SKIPPED = frozenset(("wbr", "hr", "svg"))
_INLINE = {
    "strong": "Strong",
    "b": "Strong",
    "em": "Emph",
    "i": "Emph",
    "sup": "Superscript",
    "sub": "Subscript",
    "s": "Strikeout",
    "del": "Strikeout",
    "u": "Underline",
    "ins": "Underline",
}
_BLOCKS = frozenset(
    ("p", "ul", "ol", "pre", "table", "figure", "div", "blockquote", "section", "details", "dl")
).union(("h2", "h3", "h4", "h5", "h6", "summary"))
#: Characters that LaTeX's fonts lack, or that Chinese fonts would set in full width.
_TEX = re.compile(
    "([^\x00-\x7f\u00a0-\u00b6\u00b8-\u00d6\u00d8-\u017f\u2010-\u201f\u2026\u2e80-\uffef])"
)
_SIGNS = {
    "☐": r"$\square$",
    "☑": r"$\boxtimes$",
    "○": r"$\circ$",
    "∗": r"$\ast$",
    "▲": r"$\blacktriangle$",
    "▼": r"$\blacktriangledown$",
    "◆": r"$\blacklozenge$",
    "◇": r"$\lozenge$",
}
#: Letters per line of a table; cells of longer rows wrap.
_WIDE = 80
#: Units that are not broken at the end of a line.
_WORD = re.compile("[^ \n\u2e80-\uffef]+|[\u2e80-\uffef]")


def _node(kind: str, *content: Any) -> Json:
    return {"t": kind, "c": content[0] if len(content) == 1 else list(content)}


def _attributes(anchor: str = "", *classes: str, style: str = "") -> list[Any]:
    return [anchor, list(classes), [["custom-style", style]] if style else []]


def paragraph(inlines: list[Json], style: str = "") -> Json:
    """A paragraph, with a named style for Word."""
    block = _node("Para", inlines)
    return _node("Div", _attributes(style=style), [block]) if style else block


class Converter:
    """Converts the parts of a document in one language to pandoc's blocks.

    Args:
        form: the target format.
        picture: stores a picture, given a figure's name or a ``data:`` URL; returns its address.
    """

    def __init__(self, form: Format, picture: Callable[[str], str]) -> None:
        self._form = form
        self._picture = picture
        self._notes: dict[str, Element] = {}

    def part(self, root: Element) -> list[Json]:
        """The blocks of a part."""
        self._notes = {
            note.get("id", ""): note for note in root.xpath('.//section[@class="footnotes"]//li')
        }
        return self.blocks(root)

    def logo(self, address: str) -> Json:
        """The picture above the title, two centimetres high."""
        size = [["height", "2cm"]] if self._form != "md" else []
        return _node("Image", ["", [], size], [], [self._picture(address), ""])

    def cover(self, rows: Iterable[tuple[str, str]]) -> Json:
        """The rows of the cover, one per line."""
        line: list[Json] = []
        for name, text in rows:
            line += [*self._text(name), *self._text(f": {text}")]
            line.append({"t": "LineBreak"})
        return paragraph(line[:-1], "Cover" if self._form == "docx" else "")

    def blocks(self, element: Element) -> list[Json]:
        """The content of an element as blocks; text between blocks becomes paragraphs."""
        blocks: list[Json] = []
        line: list[Json] = []

        def end_line() -> None:
            while line and line[-1]["t"] == "Space":
                line.pop()
            if line:
                blocks.append(_node("Para", list(line)))
                line.clear()

        line += self._text(element.text)
        for child in element:
            if child.tag in _BLOCKS:
                end_line()
                blocks += self._block(child)
            else:
                line += self._inline(child)
            line += self._text(child.tail) if line or (child.tail or "").strip() else []
        end_line()
        return blocks

    def _block(self, element: Element) -> list[Json]:  # noqa: PLR0911, PLR0912 - one case each
        css = (element.get("class") or "").split()
        match element.tag:
            case "p":
                return self._paragraph(element, css)
            case "h2" | "h3" | "h4" | "h5" | "h6":
                return [*self._appendix(element), self._heading(element)]
            case "ul" | "ol":
                return [self._list(element, css)]
            case "pre":
                return [self._listing(element, css)]
            case "table":
                above = [_node("Para", self._line(each)) for each in element.xpath("./caption")]
                return [*above, self._table(element, [], "")]
            case "figure":
                return self._figure(element)
            case "blockquote":
                return [_node("BlockQuote", self.blocks(element))]
            case "div" if "equation" in css:
                return [self._equation(element)]
            case "section" if "footnotes" in css:
                return []
            case "div" if "data" in css:
                return []  # links to records and files, which only the page has
            case "details" if "evidence" in css:
                return self.blocks(element)[1:]  # without the summary
            case "summary":
                return [_node("Para", [_node("Strong", self.inlines(element))])]
            case _:
                return self.blocks(element)

    def _paragraph(self, element: Element, css: list[str]) -> list[Json]:
        if "outcome" in css and self._form == "docx":
            return [paragraph(self.inlines(element), "Finding")]
        return [_node("Para", self._line(element))]

    def _heading(self, element: Element) -> Json:
        level = int(element.tag[1]) - 1
        inlines = self._line(element)
        numbered = any(tree.has_class(child, "secno") for child in element)
        classes = [] if numbered or level > 2 else ["unnumbered"]
        return _node("Header", level, [_key(element.get("id", "")), classes, []], inlines)

    def _appendix(self, element: Element) -> Iterator[Json]:
        r"""``\appendix`` for LaTeX, before the first appendix."""
        number = element.xpath('string(.//*[@class="secno"])')
        if self._form == "tex" and number == "A":
            yield self._raw_block("\\appendix")

    def _list(self, element: Element, css: list[str]) -> Json:
        if "works" in css:
            return self._works(element)
        items = [self.blocks(item) for item in element]
        if not any(len(item) > 1 for item in items):
            items = [
                [{**block, "t": "Plain"} if block["t"] == "Para" else block for block in item]
                for item in items
            ]
        if element.tag == "ul":
            return _node("BulletList", items)
        start = int(element.get("start", "1"))
        return _node("OrderedList", [start, {"t": "Decimal"}, {"t": "Period"}], items)

    def _works(self, element: Element) -> Json:
        """The list of references, each with its number."""
        if self._form == "tex":
            # the heading of the section exists already
            head = "\\begingroup\\renewcommand{\\section}[2]{}\\begin{thebibliography}{99}"
            blocks = [self._raw_block(head)]
            for work in element:
                inlines = self.inlines(work[1])
                item = self._raw(rf"\bibitem{{{_work(work.get('id', ''))}}} ")
                blocks.append(_node("Para", [item, *inlines]))
            blocks.append(self._raw_block("\\end{thebibliography}\\endgroup"))
            return _node("Div", _attributes(), blocks)
        blocks = []
        for work in element:
            number = _node("Span", _attributes(_key(work.get("id", ""))), self.inlines(work[0]))
            blocks.append(
                paragraph(
                    [number, {"t": "Space"}, *self.inlines(work[1])],
                    "Bibliography" if self._form == "docx" else "",
                )
            )
        return _node("Div", _attributes(), blocks)

    def _listing(self, element: Element, css: list[str]) -> Json:
        language = "".join(
            code.get("class", "").removeprefix("language-") for code in element.iter("code")
        )
        text = tree.text(element).rstrip("\n")
        if self._form == "tex":
            size = "\\scriptsize" if "layers" in css else "\\small"
            return self._raw_block(
                f"{{{size}\n\\begin{{verbatim}}\n{_plain(text)}\n\\end{{verbatim}}\n}}"
            )
        if "layers" in css and self._form == "docx":  # too wide for the style of listings
            lines = text.replace(" ", "\N{NO-BREAK SPACE}").split("\n")
            shown = [node for line in lines for node in (_string(line), {"t": "LineBreak"})]
            return paragraph(shown[:-1], "Layers")
        return _node("CodeBlock", ["", [language] if language else [], []], text)

    def _equation(self, element: Element) -> Json:
        math = next(element.iter("math"))
        tex = math.get("alttext", "")
        number = "".join(tree.text(child) for child in element if tree.has_class(child, "eqno"))
        anchor = _key(element.get("id", ""))
        if self._form == "docx" and number:
            tab = self._raw("<w:r><w:tab/></w:r>")
            shown = _node("Span", _attributes(anchor), [_string(number)])
            return paragraph([tab, _node("Math", {"t": "InlineMath"}, tex), tab, shown], "Equation")
        if number:
            tex += rf" \tag{{{number.strip('()')}}}"
        formula = _node("Math", {"t": "DisplayMath"}, tex)
        if number and self._form == "tex":  # with a label for \ref
            inside = rf"\begin{{equation}}{tex} \label{{{anchor}}}\end{{equation}}"
            return _node("Para", [self._raw(inside)])
        return _node("Para", [formula])

    # --- figures and tables -------------------------------------------------------------------

    def _figure(self, element: Element) -> list[Json]:
        anchor = _key(element.get("id", ""))
        caption = self._caption(element)
        if element.get("data-table"):
            table = next(element.iter("table"))
            legend = [
                paragraph(self.inlines(note), "Table Note" if self._form == "docx" else "")
                for note in element.xpath('.//p[@class="legend"]')
            ]
            if self._form == "md":
                return [_node("Para", caption), self._table(table, [], ""), *legend]
            return [self._table(table, caption, anchor), *legend]
        name, alt = element.get("data-figure", ""), _alternative(element)
        if not alt:  # there is nothing to draw
            nothing = [b for child in element if child.tag == "p" for b in self._block(child)]
            return [*nothing, _node("Para", caption)]
        picture = self._image(self._picture(name), alt)
        if self._form == "md":
            return [_node("Para", [picture]), _node("Para", caption)]
        return [
            _node(
                "Figure",
                _attributes(anchor),
                [None, [_node("Plain", caption)]],
                [_node("Plain", [picture])],
            )
        ]

    def _image(self, address: str, alt: str) -> Json:
        # LibreOffice leaves an eighth of an inch beside a picture.
        width = {"tex": "100%", "docx": "96%"}.get(self._form)
        size = [["width", width]] if width else []
        return _node("Image", ["", [], size], self._text(alt), [address, ""])

    def _caption(self, element: Element) -> list[Json]:
        """A caption with its label. LaTeX numbers it; in Word the number is a field."""
        caption = next(iter(element.iter("figcaption")))
        label = next(child for child in caption if tree.has_class(child, "label"))
        rest = tree.copied(caption)
        rest.remove(next(child for child in rest if tree.has_class(child, "label")))
        rest.text = label.tail
        text = self._line(rest)
        if self._form == "tex":
            return text
        shown = tree.text(label)
        if self._form == "md":
            return [_node("Strong", self._text(shown)), {"t": "Space"}, *text]
        number = re.search(r"\d+", shown)
        if number is None:
            return [*self._text(shown), {"t": "Space"}, *text]
        kind = "Table" if element.get("data-table") else "Figure"
        field = self._raw(
            f'<w:fldSimple w:instr=" SEQ {kind} \\* ARABIC "><w:r><w:t>{number[0]}</w:t></w:r>'
            "</w:fldSimple>"
        )
        return [
            *self._text(shown[: number.start()]),
            field,
            *self._text(shown[number.end() :]),
            {"t": "Space"},
            *text,
        ]

    def _table(self, element: Element, caption: list[Json], anchor: str) -> Json:
        rows = [list(row) for row in element.iter("tr")]
        head = list(element.xpath("./thead/tr"))
        columns = max(len(row) for row in rows)
        widths = self._widths(rows, columns)
        aligned = [{"t": self._alignment(rows[-1][i])} for i in range(columns)]
        table = _node(
            "Table",
            _attributes(anchor),
            [None, [_node("Plain", caption)] if caption else []],
            [[one, width] for one, width in zip(aligned, widths, strict=True)],
            [_attributes(), [self._row(row, columns) for row in head]],
            [
                [
                    _attributes(),
                    0,
                    [],
                    [self._row(row, columns) for row in element.xpath("./tbody/tr")],
                ]
            ],
            [_attributes(), []],
        )
        if self._form != "tex":
            return table
        size = r"\scriptsize" if any(each["t"] == "ColWidth" for each in widths) else r"\small"
        return _node(
            "Div",
            _attributes(),
            [
                self._raw_block(rf"\begingroup{size}\setlength{{\tabcolsep}}{{3pt}}"),
                table,
                self._raw_block(r"\endgroup"),
            ],
        )

    def _widths(self, rows: list[list[Element]], columns: int) -> list[Json]:
        """Relative widths of columns, for long rows, and always in Word, because not all word
        processors compute them. Each column fits its longest word; prose shares the rest."""
        least, wanted, whole = [4.0] * columns, [4.0] * columns, [4.0] * columns
        for row in rows:
            for index, cell in enumerate(row):
                text = tree.text(cell)
                whole[index] = max(whole[index], _width(text))
                bold, most = (1.0, 24) if cell.tag == "td" else (1.1, 8)
                words = [bold * _width(word) for word in _WORD.findall(text)]
                least[index] = max(least[index], *words, 0)
                wanted[index] = max(wanted[index], min(_width(text), most))
        if self._form == "md":
            return [{"t": "ColWidthDefault"}] * columns
        if self._form == "docx":  # cells have margins of about one letter
            least, wanted, whole = ([n + 2 for n in each] for each in (least, wanted, whole))
            if sum(whole) <= _WIDE:
                return [_node("ColWidth", part / _WIDE) for part in whole]
        elif sum(whole) + 2 * columns <= _WIDE:
            return [{"t": "ColWidthDefault"}] * columns
        more = [max(0, w - n) for w, n in zip(wanted, least, strict=True)]
        spare = max(0, _WIDE - sum(least)) / max(1, sum(more))
        widths = [n + spare * extra for n, extra in zip(least, more, strict=True)]
        return [_node("ColWidth", width / sum(widths)) for width in widths]

    def _row(self, row: Element, columns: int) -> list[Any]:
        cells = [
            [
                _attributes(),
                {"t": "AlignDefault"},
                1,
                1,
                [_node("Plain", inlines)] if (inlines := self.inlines(cell)) else [],
            ]
            for cell in row
        ]
        cells += [[_attributes(), {"t": "AlignDefault"}, 1, 1, []]] * (columns - len(cells))
        return [_attributes(), cells]

    @staticmethod
    def _alignment(cell: Element) -> str:
        if tree.has_class(cell, "num") or "right" in cell.get("style", ""):
            return "AlignRight"
        return "AlignCenter" if "center" in cell.get("style", "") else "AlignLeft"

    # --- within a line ------------------------------------------------------------------------

    def inlines(self, element: Element) -> list[Json]:
        """The content of an element as inlines."""
        found = self._text(element.text)
        for child in element:
            found += self._inline(child)
            found += self._text(child.tail)
        return found

    def _line(self, element: Element) -> list[Json]:
        """The content of an element as inlines, without spaces at its ends."""
        inlines = self.inlines(element)
        while inlines and inlines[0]["t"] == "Space":
            inlines.pop(0)
        while inlines and inlines[-1]["t"] == "Space":
            inlines.pop()
        return inlines

    def _inline(self, element: Element) -> list[Json]:  # noqa: PLR0911 - one case each
        css = (element.get("class") or "").split()
        if not isinstance(element.tag, str) or element.tag in _SKIPPED:
            return []
        if self._form == "tex" and ("secno" in css or "mark" in css):
            return []  # LaTeX numbers its headings; its fonts lack the marks of verdicts
        if "footnote-ref" in css:
            return self._footnote(element)
        match element.tag:
            case "math":
                return [_node("Math", {"t": "InlineMath"}, element.get("alttext", ""))]
            case "code" | "kbd" | "samp":
                return [_node("Code", _attributes(), tree.text(element))]
            case "br":
                return [{"t": "LineBreak"}]
            case "img":
                return [self._image(self._picture(element.get("src", "")), element.get("alt", ""))]
            case "a":
                return self._link(element, css)
            case "sup" if self._form == "tex" and any(
                tree.has_class(child, "cite") for child in element
            ):
                return [_node("Superscript", self._citation(element))]
            case tag if tag in _INLINE:
                return [_node(_INLINE[tag], self.inlines(element))]
            case _:
                if any(tree.has_class(child, "cite") for child in element):
                    return self._citation(element)
                return self.inlines(element)

    def _citation(self, element: Element) -> list[Json]:
        keys = ",".join(_work(link.get("href", "")) for link in element.iter("a"))
        return [self._raw(rf"\cite{{{keys}}}")]

    def _link(self, element: Element, css: list[str]) -> list[Json]:
        target, inlines = element.get("href", ""), self.inlines(element)
        if "footnote-backref" in css:
            return []
        if not target.startswith("#"):
            return [_node("Link", _attributes(), inlines, [target, ""])]
        if "cite" in css and self._form == "tex":
            return [self._raw(rf"\cite{{{_work(target)}}}")]
        anchor = _key(target.lstrip("#"))
        kind = anchor.partition("-")[0]
        if self._form == "md" or kind not in ("fig", "tab", "sec", "eq", "work"):
            return inlines  # numbers link to run cards, which are left out
        if self._form == "tex":
            shown = re.sub(r"\d+(\.\d+)*", rf"\\ref*{{{anchor}}}", tree.text(element), count=1)
            return [self._raw(rf"\hyperref[{anchor}]{{{shown.replace(chr(160), '~')}}}")]
        return [_node("Link", _attributes(), inlines, [f"#{anchor}", ""])]

    def _footnote(self, element: Element) -> list[Json]:
        link = next(element.iter("a"))
        note = self._notes.get(link.get("href", "").lstrip("#"))
        return [] if note is None else [_node("Note", self.blocks(note))]

    def _text(self, text: str | None) -> list[Json]:
        return list(self._words(text or ""))

    def _words(self, text: str) -> Iterator[Json]:
        for index, run in enumerate(re.split(r"[ \t\r\n]+", text)):
            if index:
                yield {"t": "Space"}
            if not run:
                continue
            if self._form != "tex":
                yield _string(run)
                continue
            for part, piece in enumerate(_TEX.split(run)):
                if part % 2:
                    yield self._raw(_SIGNS.get(piece) or unicode_to_latex(piece))
                elif piece:
                    yield _string(piece)

    def _raw(self, text: str) -> Json:
        return _node("RawInline", "openxml" if self._form == "docx" else "latex", text)

    def _raw_block(self, text: str) -> Json:
        return _node("RawBlock", "latex", text)


def _string(text: str) -> Json:
    return _node("Str", text)


def _key(anchor: str) -> str:
    """An id without its language: ``fig-depth``."""
    return re.sub("^(zh|en)-", "", anchor)


def _work(anchor: str) -> str:
    return _key(anchor.lstrip("#")).removeprefix("work-")


def _plain(text: str) -> str:
    """A listing without characters that LaTeX's typewriter font lacks."""
    for drawn, typed in {"├": "|", "└": "`", "│": "|", "─": "-", "…": "..."}.items():
        text = text.replace(drawn, typed)
    return text


def _width(text: str) -> float:
    """The width of a text in letters; a Chinese character counts 2, narrow punctuation 0.6."""
    return sum(2 if ord(c) > 0x2E80 else 0.6 if c in " ,.:;[]()’" else 1 for c in text)


def _alternative(figure: Element) -> str:
    for element in figure.iter(etree.Element):
        if alt := element.get("alt") or element.get("aria-label"):
            return str(alt)
    return ""
