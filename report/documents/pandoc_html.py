"""Convert the tree of a document to HTML that pandoc reads, for Word, LaTeX and Markdown.

Pandoc's own reader does most. Formulas, and what only one format has, become ``code`` or ``pre``
with ``data-raw``, which ``handin.lua`` turns into pandoc's elements.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, TypeAlias, get_args

from lxml import etree
from lxml.builder import E

from report.base import tree
from report.base.tree import Element, Node

Format: TypeAlias = Literal["docx", "tex", "md"]
FORMATS: tuple[Format, ...] = get_args(Format)
#: What only the page has: links to records and files, and a summary above the details of a test.
_PAGE_ONLY = (
    './/hr | .//wbr | .//div[@class="data"] | .//a[@class="footnote-backref"]'
    ' | .//details[@class="evidence"]/summary | .//details[@class="explorer"]'
)
#: The attributes that pandoc shall see, by element; others have none.
_KEPT = {
    **dict.fromkeys(("h2", "h3", "h4", "h5", "h6"), ("id", "class")),
    **dict.fromkeys(("td", "th", "col"), ("style",)),
    **dict.fromkeys(("table", "figure"), ("id",)),
    "a": ("href",),
    "img": ("src", "alt", "width", "height"),
    "code": ("data-raw", "data-raw-text", "data-note"),
    "pre": ("data-raw", "data-raw-text", "class"),
    "div": ("data-meta", "data-note", "data-custom-style"),
    "span": ("id",),
    "ol": ("start",),
}
#: Elements of which only the content is handed on.
_BARE = ("data", "mark", "details")
#: Kinds of ids that are linked to; numbers link to run cards, which are left out.
_TARGETS = ("fig", "tab", "sec", "eq", "work")
#: Letters per line of a table; cells of longer rows wrap.
_WIDE = 80
#: What stands for characters that LaTeX's typewriter font lacks.
_TYPED = str.maketrans({"…": "...", "├": "|", "└": "`", "│": "|", "─": "-"})
#: Units that are not broken at the end of a line.
_WORD = re.compile("[^ \n\u2e80-\uffef]+|[\u2e80-\uffef]")


class Converter:
    """Converts the parts of a document in one language to HTML for pandoc.

    ``picture`` stores a picture, given a figure's name or a ``data:`` URL; returns its address.
    """

    def __init__(self, form: Format, picture: Callable[[str], str]) -> None:
        self._form = form
        self._picture = picture

    def cover(self, rows: Mapping[str, str]) -> Element:
        """The rows of the cover, one per line."""
        return self._styled("Cover", *joined(f"{name}: {text}" for name, text in rows.items()))

    def part(self, root: Element) -> Element:
        """Convert a part, whose tree is changed."""
        for element in root.xpath(_PAGE_ONLY):
            tree.replace(element, [])
        steps: dict[str, Callable[[Element], None]] = {
            './/*[@class="footnote-ref"]': self._footnote,
            ".//h2 | .//h3 | .//h4 | .//h5 | .//h6": self._heading,
            './/ol[@class="works"]': self._works,
            ".//pre": self._listing,
            ".//figure": self._figure,
            ".//table[not(@id)]": self._table,
            './/div[@class="equation"]': self._equation,
            ".//math": lambda math: tree.replace(
                math, [_inline("InlineMath", math.get("alttext", ""))]
            ),
            './/img[starts-with(@src, "data:")]': lambda image: tree.replace(
                image, [self._drawn(image.get("src", ""), image.get("alt", ""))]
            ),
            './/sup[a[@class="cite"]]': self._citation,
            ".//a": self._link,
            './/p[@class="outcome"]': self._outcome,
            ".//summary": lambda summary: tree.replace(
                summary, [E.p(E.strong(*tree.content(summary)))]
            ),
        }
        for path, step in steps.items():
            for element in root.xpath(path):
                step(element)
        for note in root.xpath('.//section[@class="footnotes"]//li'):
            root.append(E.div(*tree.content(note), {"data-note": note.get("id", "")}))
        for notes in root.xpath('.//section[@class="footnotes"]'):
            tree.replace(notes, [])
        self._strip(root)
        return root

    def _strip(self, root: Element) -> None:
        """Remove attributes, and elements that are nothing without them."""
        for element in root.iter(etree.Element):
            if element.tag == "kbd":
                element.tag = "code"
            for name in list(element.attrib):
                if name not in _KEPT.get(element.tag, ()):
                    del element.attrib[name]
            if element.tag in ("div", "span", "section") and not element.attrib:
                element.tag = _BARE[0]
        root.tag = "body"
        etree.strip_tags(root, *_BARE)

    def _styled(self, style: str, *content: Node) -> Element:
        """A paragraph, with a named style for Word."""
        if self._form == "docx":
            return E.div(E.p(*content), {"data-custom-style": style})
        return E.p(*content)

    def _raw(self, text: str) -> Element:
        return _inline("openxml" if self._form == "docx" else "latex", text)

    def _footnote(self, mark: Element) -> None:
        key = mark.xpath("string(.//@href)").removeprefix("#")
        tree.replace(mark, [E.code("1", {"data-note": key})])

    def _heading(self, heading: Element) -> None:
        number = heading.xpath('./*[@class="secno"]')
        heading.set("id", _key(heading.get("id", "")))
        heading.set("class", "" if number or heading.tag > "h3" else "unnumbered")
        if number and self._form == "tex":  # LaTeX numbers by itself
            if tree.text(number[0]) == "A":
                heading.addprevious(_raw_block(r"\appendix"))
            number[0].tail = (number[0].tail or "").lstrip()
            tree.replace(number[0], [])

    def _works(self, works: Element) -> None:
        """The list of references, each with its number."""
        made: list[Element] = []
        for work in works:
            number, text = (tree.content(part) for part in work)
            key = _key(work.get("id", ""))
            if self._form == "tex":
                made.append(E.p(self._raw(rf"\bibitem{{{key.removeprefix('work-')}}} "), *text))
            else:
                made.append(self._styled("Bibliography", E.span(*number, id=key), " ", *text))
        if self._form == "tex":
            # the heading of the section exists already
            head = r"\begingroup\renewcommand{\section}[2]{}\begin{thebibliography}{99}"
            made = [_raw_block(head), *made, _raw_block(r"\end{thebibliography}\endgroup")]
        tree.replace(works, made)

    def _listing(self, listing: Element) -> None:
        if listing.get("data-raw"):
            return
        text, layers = tree.text(listing).rstrip("\n"), tree.has_class(listing, "layers")
        language = listing.xpath("string(./code/@class)").removeprefix("language-")
        if self._form == "tex":
            size = r"\scriptsize" if layers else r"\small"
            verbatim = f"\\begin{{verbatim}}\n{text.translate(_TYPED)}\n\\end{{verbatim}}"
            made = _raw_block(f"{{{size}\n{verbatim}\n}}")
        elif layers and self._form == "docx":  # too wide for the style of listings
            made = self._styled("Layers", *joined(text.replace(" ", "\u00a0").split("\n")))
        else:
            made = E.pre(text, {"class": language})
        tree.replace(listing, [made])

    def _equation(self, equation: Element) -> None:
        tex = equation.xpath("string(.//math/@alttext)")
        number = equation.xpath('string(./*[@class="eqno"])')
        anchor = _key(equation.get("id", ""))
        if number and self._form == "docx":
            tabs = [self._raw("<w:r><w:tab/></w:r>") for _ in range(2)]
            shown = E.span(number, id=anchor)
            made = self._styled("Equation", tabs[0], _inline("InlineMath", tex), tabs[1], shown)
        elif number and self._form == "tex":  # with a label for \ref
            tag = rf"\tag{{{number.strip('()')}}} \label{{{anchor}}}"
            made = E.p(self._raw(rf"\begin{{equation}}{tex} {tag}\end{{equation}}"))
        else:
            tag = rf" \tag{{{number.strip('()')}}}" if number else ""
            made = E.p(_inline("DisplayMath", tex + tag))
        tree.replace(equation, [made])

    def _outcome(self, outcome: Element) -> None:
        if self._form == "tex":  # its fonts lack the marks of verdicts
            for mark in outcome.xpath('./*[@class="mark"]'):
                mark.tail = (mark.tail or "").lstrip()
                tree.replace(mark, [])
        tree.replace(outcome, [self._styled("Finding", *tree.content(outcome))])

    # --- figures and tables -------------------------------------------------------------------

    def _figure(self, figure: Element) -> None:
        caption, anchor = self._caption(figure), _key(figure.get("id", ""))
        table = next(figure.iter("table"), None)
        alt = figure.xpath("string(.//*/@alt | .//*/@aria-label)")
        if table is not None:
            table.set("id", anchor)
            notes = figure.xpath('.//p[@class="legend"]')
            made = [table, *(self._styled("Table Note", *tree.content(note)) for note in notes)]
            if self._form == "md":
                made.insert(0, E.p(*caption))
            else:
                table.insert(0, E.caption(*caption))
        elif not alt:  # there is nothing to draw
            made = [*figure.xpath('.//p[@class="nothing"]'), E.p(*caption)]
        else:
            picture = self._drawn(figure.get("data-figure", ""), alt)
            if self._form == "md":
                made = [E.p(picture), E.p(*caption)]
            else:
                made = [E.figure(picture, E.figcaption(*caption), id=anchor)]
        tree.replace(figure, made)
        if table is not None:
            self._table(table)

    def _drawn(self, source: str, alt: str) -> Element:
        # LibreOffice leaves an eighth of an inch beside a picture.
        width = {"tex": {"width": "100%"}, "docx": {"width": "96%"}}.get(self._form, {})
        return E.img(src=self._picture(source), alt=alt, **width)

    def _caption(self, figure: Element) -> list[Node]:
        """A caption with its label. LaTeX numbers it; in Word the number is a field."""
        caption = next(figure.iter("figcaption"))
        label = caption.xpath('./*[@class="label"]')[0]
        nodes, shown = tree.content(caption), tree.text(label)
        rest = nodes[nodes.index(label) + 1 :]
        if rest and isinstance(rest[0], str):
            rest[0] = rest[0].lstrip()
        if self._form == "tex":
            return rest
        if self._form == "md":
            return [E.strong(shown), " ", *rest]
        kind = "Table" if figure.get("data-table") else "Figure"
        before, number, after = re.split(r"(\d+)", shown, maxsplit=1)
        field = self._raw(
            f'<w:fldSimple w:instr=" SEQ {kind} \\* ARABIC "><w:r><w:t>{number}</w:t></w:r>'
            "</w:fldSimple>"
        )
        return [before, field, f"{after} ", *rest]

    def _table(self, table: Element) -> None:
        """Give a table its alignment and widths."""
        rows = [list(row) for row in table.iter("tr")]
        columns = max(len(row) for row in rows)
        for row in rows:
            for cell, last in zip(row, rows[-1], strict=False):
                cell.set("style", f"text-align:{_alignment(last)}")
        widths = self._widths(rows, columns)
        for cell in table.xpath("./tbody/tr/th"):
            cell.tag = "td"
        if widths:
            shares = (E.col(style=f"width:{width:.4%}") for width in widths)
            table.insert(len(table.xpath("./caption")), E.colgroup(*shares))
        if self._form == "tex":
            size = r"\scriptsize" if widths else r"\small"
            table.addprevious(_raw_block(rf"\begingroup{size}\setlength{{\tabcolsep}}{{3pt}}"))
            table.addnext(_raw_block(r"\endgroup"))

    def _widths(self, rows: list[list[Element]], columns: int) -> list[float]:
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
        if self._form == "docx":  # cells have margins of about one letter
            least, wanted, whole = ([n + 2 for n in each] for each in (least, wanted, whole))
            if sum(whole) <= _WIDE:
                return [part / _WIDE for part in whole]
        elif self._form == "md" or sum(whole) + 2 * columns <= _WIDE:
            return []
        more = [max(0, w - n) for w, n in zip(wanted, least, strict=True)]
        spare = max(0, _WIDE - sum(least)) / max(1, sum(more))
        widths = [n + spare * extra for n, extra in zip(least, more, strict=True)]
        return [width / sum(widths) for width in widths]

    def _citation(self, raised: Element) -> None:
        """Several numbers above the line, which LaTeX puts into brackets itself."""
        if self._form == "tex":
            keys = ",".join(_work(link) for link in raised)
            tree.replace(raised, [E.sup(self._raw(rf"\cite{{{keys}}}"))])

    def _link(self, link: Element) -> None:
        target = link.get("href", "")
        if not target.startswith("#"):
            return
        anchor = _key(target[1:])
        if self._form == "tex" and tree.has_class(link, "cite"):
            tree.replace(link, [self._raw(rf"\cite{{{_work(link)}}}")])
        elif self._form == "md" or anchor.partition("-")[0] not in _TARGETS:
            link.tag = "data"
        elif self._form == "tex":
            shown = re.sub(r"\d+(\.\d+)*", rf"\\ref*{{{anchor}}}", tree.text(link), count=1)
            nbsp = shown.replace("\u00a0", "~")
            tree.replace(link, [self._raw(rf"\hyperref[{anchor}]{{{nbsp}}}")])
        else:
            link.set("href", f"#{anchor}")


def joined(lines: Iterable[Node]) -> list[Node]:
    """Lines with line breaks between them."""
    nodes = [node for line in lines for node in (line, E.br())]
    return nodes[:-1]


def _inline(kind: str, text: str) -> Element:
    """A formula ("InlineMath", "DisplayMath"), or raw text of a format of pandoc."""
    return E.code("x", {"data-raw": kind, "data-raw-text": text})


def _raw_block(text: str) -> Element:
    return E.pre({"data-raw": "latex", "data-raw-text": text})


def _key(anchor: str) -> str:
    """An id without its language: ``fig-depth``."""
    return re.sub("^(zh|en)-", "", anchor)


def _work(link: Element) -> str:
    return _key(link.get("href", "")[1:]).removeprefix("work-")


def _width(text: str) -> float:
    """The width of a text in letters; a Chinese character counts 2, narrow punctuation 0.6."""
    return sum(2 if ord(c) > 0x2E80 else 0.6 if c in " ,.:;[]()’" else 1 for c in text)


def _alignment(cell: Element) -> str:
    style = cell.get("style", "")
    if tree.has_class(cell, "num") or "right" in style:
        return "right"
    return "center" if "center" in style else "left"
