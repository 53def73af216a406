"""Tables of the analysis as HTML, LaTeX (booktabs) and GitHub's Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from string import ascii_lowercase
from typing import TYPE_CHECKING

from markupsafe import Markup

from analysis.schema import Cell, Column, Table, Value
from report.base.environment import partial
from report.base.placeholders import escape
from report.blocks import numbers
from report.blocks.numbers import Lang, card_id, data_element, link, printed

if TYPE_CHECKING:
    from report.templating.macros import Writer

#: Kinds of columns that are set as text: texts, or numbers of several kinds.
_TEXTS = ("text", "word", "claim", "verdict", "value")
#: Kinds of columns whose unit is in the head, because all cells share it.
_UNITS = ("accuracy", "difference")
#: Maximum length of a text that is not broken into lines.
_SHORT = 24
_MARKS = ("best", "second")
#: Maximum length of the texts of a column that LaTeX does not break into lines.
_LONG = 40
#: Places between words where a Chinese head may be broken.
_HEAD_WORDS = re.compile("(?<=..)(?=准确率|参数量|乘加次数|损失|之差|（)")
#: Tables with more columns have smaller print in the PDF.
_FEW_COLUMNS = 8
_EXPONENT = re.compile("([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
_DIGITS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


@dataclass(frozen=True)
class _Head:
    """The head of a column; lines may be broken between its ``words``."""

    words: list[str]
    unit: str
    css: str


@dataclass(frozen=True)
class _Printed:
    """A cell as HTML; ``padding`` in digits, ``note`` is the note's letter."""

    text: Markup
    css: str
    mark: str = ""
    note: str = ""
    padding: int = 0


@dataclass(frozen=True)
class _Grid:
    """The printed columns of a table, and its notes by letter."""

    heads: list[_Head]
    rows: list[tuple[_Printed, ...]]
    notes: dict[str, str]


def html(table: Table, writer: Writer) -> Markup:
    """A table with its notes as HTML."""
    if not table.rows:
        return partial("nothing", text=writer.labels("no_rows"))
    grid = _grid(table, writer)
    return partial(
        "table-body",
        caption=f"{writer.lang}-caption-{table.id}",
        dense=len(grid.heads) > _FEW_COLUMNS,
        grid=grid,
        whole=writer.lang == "zh",
        best=any(cell.mark for row in table.rows for cell in row),
        label=writer.labels,
    )


def _grid(table: Table, writer: Writer) -> _Grid:
    """Print a table: empty columns are left out, intervals are columns of their own."""
    labels, lang = writer.labels, writer.lang
    units = {"accuracy": "%", "difference": labels("points")}
    notes = dict.fromkeys(cell.note for row in table.rows for cell in row if cell.note)
    letters = dict(zip(notes, ascii_lowercase, strict=False))
    heads, columns = [], []
    for index, column in enumerate(table.columns):
        cells = [row[index] for row in table.rows]
        if cells and all(cell.value is None and not cell.note for cell in cells):
            continue
        numeric = column.kind not in _TEXTS
        css = ["num"] * numeric + ["orig"] * column.original
        title = labels.head(table.id, column)
        words = _HEAD_WORDS.split(title) if lang == "zh" else [title]
        heads.append(_Head(words, units.get(column.kind, ""), " ".join(css)))
        paddings = _paddings(cells, column, lang)
        columns.append(
            [
                _cell(cell, column, css, letters.get(cell.note, ""), padding, writer)
                for cell, padding in zip(cells, paddings, strict=True)
            ]
        )
        if numeric and any(cell.interval for cell in cells):
            heads.append(_Head([labels("interval")], "", " ".join(css)))
            pairs = (cell.interval for cell in cells)
            ends = (interval(pair, lang, unit=False) if pair else Markup() for pair in pairs)
            columns.append([_Printed(text, "num interval") for text in ends])
    told = {letter: labels.note(key) for key, letter in letters.items()}
    return _Grid(heads, list(zip(*columns, strict=True)), told)


def interval(pair: tuple[Value, Value], lang: Lang, *, unit: bool = True) -> Markup:
    """An interval as HTML with its sources: ``[97.1, 98.2]%``; ratios have no unit."""
    low, high = (printed(end, lang) for end in pair)
    shown = f"[{low.text}, {high.text}]"
    shown += high.unit if unit and pair[0].kind != "ratio" else ""
    return data_element(pair[0], shown, lang, upper=pair[1])


def _paddings(cells: list[Cell], column: Column, lang: Lang) -> list[int]:
    """The widths in digits that align numbers of significant digits at the point."""
    if column.kind not in ("gain", "weight"):
        return [0] * len(cells)
    values = (cell.value for cell in cells)
    texts = [printed(value, lang).text if isinstance(value, Value) else "" for value in values]
    places = [len(text.partition(".")[2]) for text in texts]
    return [
        max(places) - own if text[-1:].isdigit() else 0
        for text, own in zip(texts, places, strict=True)
    ]


def _cell(
    cell: Cell, column: Column, css: list[str], note: str, padding: int, writer: Writer
) -> _Printed:
    classes = [*css]
    if column.kind == "claim" or (isinstance(cell.value, str) and len(cell.value) > _SHORT):
        classes.append("prose")
    elif column.kind in ("text", "verdict"):
        classes.append("name")
    if cell.mark:
        classes.append(cell.mark)
    text = _content(cell, column, writer) or Markup("—" if note else "")
    return _Printed(text, " ".join(classes), cell.mark, note, padding)


def _content(cell: Cell, column: Column, writer: Writer) -> Markup:
    value, lang = cell.value, writer.lang
    if isinstance(value, tuple):
        return Markup(writer.labels("list_semicolon")).join(_named(cell, value, lang))
    if isinstance(value, Value):
        if column.kind == "value":
            return _effect(value, cell, writer)
        shown = printed(value, lang)
        return data_element(value, shown.text if column.kind in _UNITS else str(shown), lang)
    if value in writer.records.runs:
        return link("run", card_id(value, lang), value)
    html = {"claim": writer.claim, "verdict": writer.badge}
    if column.kind == "word" and value:
        value = writer.labels.word(value)
    return Markup(html.get(str(column.kind), escape)(value)) if value else Markup()


def _named(cell: Cell, values: tuple[Value, ...], lang: Lang) -> Iterator[Markup]:
    """Numbers after their names; a repeated name is left out."""
    last = ""
    for name, value in zip(cell.names, values, strict=True):
        number = data_element(value, str(printed(value, lang)), lang)
        yield number if name == last else Markup(f"{escape(name)} {number}")
        last = name


def _effect(value: Value, cell: Cell, writer: Writer) -> Markup:
    """A number of any kind with its interval, after its description."""
    lang, shown = writer.lang, printed(value, writer.lang)
    text = numbers.signed(shown.text, value.value, value.kind == "difference" or None)
    return partial(
        "effect",
        what=Markup(writer.effect(cell.finding)) if cell.finding else "",
        number=data_element(value, text + shown.unit, lang),
        between=" ",
        interval=interval(cell.interval, lang) if cell.interval else "",
    )


# --- Exports ----------------------------------------------------------------------------------


def as_latex(table: Table, writer: Writer) -> str:
    """A table with its notes as a LaTeX ``tabular`` with booktabs rules."""
    from pylatexenc.latexencode import UnicodeToLatexEncoder

    encoder = UnicodeToLatexEncoder(unknown_char_policy="keep", unknown_char_warning=False)

    def tex(text: str) -> str:
        parts = _EXPONENT.split(text)
        parts[::2] = map(encoder.unicode_to_latex, parts[::2])
        parts[1::2] = (f"$^{{{part.translate(_DIGITS)}}}$" for part in parts[1::2])
        return "".join(parts)

    marks = {"best": r"\textbf{%s}", "second": r"\underline{%s}", "": "%s"}
    grid = _grid(table, writer)
    texts = _texts(grid, writer, tex, marks, "$^%s$")
    spec = ""
    for each, column in zip(grid.heads, zip(*texts, strict=True), strict=True):
        long = max(map(len, column)) > _LONG
        spec += r"p{0.28\linewidth}" if long else "r" if "num" in each.css else "l"
    head, *body = (rf"{' & '.join(row)} \\" for row in texts)
    notes = (rf"$^{letter}$~{tex(text)}" for letter, text in grid.notes.items())
    lines = [
        f"% {table.id}",
        rf"\begin{{tabular}}{{@{{}}{spec}@{{}}}}",
        *(r"\toprule", head, r"\midrule", *body, r"\bottomrule"),
        r"\end{tabular}",
        *(rf"\par\smallskip{{\footnotesize {note}}}" for note in notes),
    ]
    return "\n".join(lines) + "\n"


def as_markdown(table: Table, writer: Writer) -> str:
    """A table with its notes in GitHub's Markdown."""
    grid, labels = _grid(table, writer), writer.labels
    marks = {"best": "**%s**", "second": "<ins>%s</ins>", "": "%s"}
    texts = _texts(grid, writer, lambda text: text.replace("|", r"\|"), marks, "<sup>%s</sup>")
    rule = ["--:" if "num" in head.css else ":--" for head in grid.heads]
    rows = [f"| {' | '.join(row)} |" for row in (texts[0], rule, *texts[1:])]
    legend = [marks[mark] % labels(f"{mark}_mark") + labels(f"is_{mark}") for mark in _MARKS]
    legend += [f"<sup>{letter}</sup> {text}" for letter, text in grid.notes.items()]
    return "\n".join([*rows, "", labels("list_semicolon").join(legend)])


def _texts(
    grid: _Grid,
    writer: Writer,
    escaped: Callable[[str], str],
    marks: Mapping[str, str],
    raised: str,
) -> list[list[str]]:
    """The head and the rows as escaped texts, with marks and letters of notes."""
    titles = (("".join(head.words), head.unit) for head in grid.heads)
    heads = [escaped(f"{title} ({unit})" if unit else title) for title, unit in titles]

    def text(cell: _Printed) -> str:
        shown = marks[cell.mark] % escaped(writer.slots.plain(cell.text))
        return shown + (raised % cell.note if cell.note else "")

    return [heads, *([text(cell) for cell in row] for row in grid.rows)]
