"""Tables of the analysis as HTML, LaTeX (booktabs) and GitHub's Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from string import ascii_lowercase

from markupsafe import Markup

from analysis.schema import Cell, Column, Table, Value
from report.base.environment import partial
from report.base.labels import Labels
from report.base.placeholders import escape
from report.blocks import numbers
from report.blocks.numbers import NBSP, Lang, Printed, card_id, data_element, link, printed

#: Kinds of columns that are set as text: texts, or numbers of several kinds.
_TEXTS = ("text", "word", "claim", "verdict", "value")
#: Maximum length of a text that is not broken into lines.
_SHORT = 24
#: Places between words where a Chinese head may be broken.
_HEAD_WORDS = re.compile("(?<=..)(?=准确率|参数量|乘加次数|损失|之差|（)")
#: Tables with more columns have smaller print in the PDF.
_FEW_COLUMNS = 8


@dataclass(frozen=True)
class Context:
    """Parts of the document that cells need. In LaTeX and Markdown texts replace HTML.

    Attributes:
        claim: returns the text of a finding's claim as HTML.
        effect: returns the description of a finding's effect as HTML.
        verdict: returns a verdict's badge as HTML.
        known: ids of the records with a run card.
    """

    lang: Lang
    labels: Labels
    claim: Callable[[str], str]
    effect: Callable[[str], str]
    verdict: Callable[[str], str]
    known: frozenset[str]


def interval(
    pair: tuple[Value, Value], lang: Lang, digits: int | None = None, *, unit: bool = True
) -> Markup:
    """An interval as HTML with its sources: ``[97.1, 98.2]%``."""
    low, high = (printed(end, lang, digits) for end in pair)
    shown = Printed(f"[{low.text}, {high.text}]", high.unit if unit else "", high.space)
    return data_element(pair[0], str(shown), lang, upper=pair[1])


def _is_text(column: Column) -> bool:
    return column.kind in _TEXTS


def _unit_in_head(column: Column) -> bool:
    """Whether the unit is in the head, because all cells share it."""
    return column.kind in ("accuracy", "difference")


def _spread(table: Table) -> list[tuple[int, Column, bool]]:
    """The printed columns, without empty ones: index, and whether it is that of the intervals."""
    spread = []
    for index, column in enumerate(table.columns):
        cells = [row[index] for row in table.rows]
        if cells and all(cell.value is None and not cell.note for cell in cells):
            continue
        spread.append((index, column, False))
        if column.kind != "value" and any(cell.interval for cell in cells):
            spread.append((index, column, True))
    return spread


def _letters(table: Table) -> dict[str, str]:
    """The letter of each note, in the order of their first cells; none for cells without one."""
    notes = dict.fromkeys(cell.note for row in table.rows for cell in row if cell.note)
    return {"": "", **dict(zip(notes, ascii_lowercase, strict=False))}


def _title(table: Table, column: Column, extra: bool, context: Context) -> tuple[str, str]:
    """The head of a column, and its unit."""
    if extra:
        return context.labels("interval"), ""
    unit = "%" if column.kind == "accuracy" else context.labels("points")
    return context.labels.head(table.id, column), unit if _unit_in_head(column) else ""


# --- HTML -------------------------------------------------------------------------------------


def html(table: Table, context: Context) -> Markup:
    """The table with its notes."""
    if not table.rows:
        return partial("nothing", text=context.labels("no_rows"))
    shown = _spread(table)
    letters = _letters(table)
    pads = {index: _decimals(table, index, context.lang) for index, _, _ in shown}
    return partial(
        "table-body",
        caption=f"{context.lang}-caption-{table.id}",
        dense=len(shown) > _FEW_COLUMNS,
        head=[_head(table, column, extra, context) for _, column, extra in shown],
        rows=[
            [
                _cell(row[index], column, extra, pads[index], letters, context)
                for index, column, extra in shown
            ]
            for row in table.rows
        ],
        best=any(cell.mark for row in table.rows for cell in row),
        notes=[(letter, context.labels.note(key)) for key, letter in letters.items() if key],
        label=context.labels,
    )


def _head(table: Table, column: Column, extra: bool, context: Context) -> dict[str, object]:
    title, unit = _title(table, column, extra, context)
    whole = context.lang == "zh"  # line breaks are allowed only between the words
    words = _HEAD_WORDS.split(title) if whole else [title]
    return {"words": words, "css": " ".join(_classes(column)), "unit": unit, "whole": whole}


def _classes(column: Column) -> list[str]:
    return ([] if _is_text(column) else ["num"]) + (["orig"] if column.original else [])


def _cell(
    cell: Cell,
    column: Column,
    extra: bool,
    decimals: int,
    letters: Mapping[str, str],
    context: Context,
) -> dict[str, object]:
    """A printed cell; ``padding`` in digits, ``note`` is the note's letter."""
    if extra:
        text = interval(cell.interval, context.lang, unit=False) if cell.interval else ""
        return {"text": text, "css": "num interval", "padding": 0, "note": ""}
    css = _classes(column)
    if column.kind == "claim" or (isinstance(cell.value, str) and len(cell.value) > _SHORT):
        css.append("prose")
    elif column.kind in ("text", "verdict"):
        css.append("name")
    if cell.mark:
        css.append(cell.mark)
    padding = 0
    if decimals and isinstance(cell.value, Value):
        digits = printed(cell.value, context.lang).text
        padding = max(0, decimals - _places(digits)) if digits[-1:].isdigit() else 0
    note = letters[cell.note]
    text = _content(cell, column, context) or ("—" if note else "")
    return {"text": text, "css": " ".join(css), "padding": padding, "note": note}


def _content(cell: Cell, column: Column, context: Context) -> str:
    value, lang = cell.value, context.lang
    if isinstance(value, tuple):
        return Markup(context.labels("list_semicolon")).join(_named(cell, value, lang))
    if isinstance(value, Value):
        if column.kind == "value":
            return _effect(value, cell, context)
        return data_element(value, _number(value, column, lang), lang)
    if value in context.known:
        return link("run", card_id(value, lang), value)
    text = _text(value, column, context)
    return Markup(text) if column.kind in ("claim", "verdict") else text


def _named(cell: Cell, values: tuple[Value, ...], lang: Lang) -> Iterator[Markup]:
    """Numbers after their names; a repeated name is left out."""
    last = ""
    for name, value in zip(cell.names, values, strict=True):
        number = data_element(value, str(printed(value, lang)), lang)
        yield number if name == last else Markup(f"{escape(name)} {number}")
        last = name


def _effect(value: Value, cell: Cell, context: Context) -> Markup:
    """A number of any kind with its interval, below its description."""
    lang, shown = context.lang, printed(value, context.lang)
    text = numbers.signed(shown.text, value.value, value.kind == "difference" or None)
    return partial(
        "effect",
        what=Markup(context.effect(cell.finding)) if cell.finding else "",
        number=data_element(value, str(replace(shown, text=text)), lang),
        interval=interval(cell.interval, lang) if cell.interval else "",
    )


def _number(value: Value, column: Column, lang: Lang) -> str:
    shown = printed(value, lang)
    return shown.text if _unit_in_head(column) else str(shown)


def _text(value: str | None, column: Column, context: Context) -> str:
    """A cell without a number as text."""
    if value is None:
        return ""
    texts = {"word": context.labels.word, "claim": context.claim, "verdict": context.verdict}
    return texts.get(str(column.kind), str)(value)


def _places(text: str) -> int:
    return len(text.partition(".")[2])


def _decimals(table: Table, index: int, lang: Lang) -> int:
    """The maximum number of decimals in a column of significant digits, for alignment."""
    if table.columns[index].kind not in ("gain", "weight"):
        return 0
    values = [row[index].value for row in table.rows]
    return max((_places(printed(v, lang).text) for v in values if isinstance(v, Value)), default=0)


# --- Exports ----------------------------------------------------------------------------------


_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    NBSP: "~",
    # between NULs: math mode
    numbers.MINUS: "\0-\0",
    numbers.TIMES: "\0\\times\0",
    "<": "\0<\0",
    ">": "\0>\0",
    "∞": "\0\\infty\0",
}
_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def _tex(text: str) -> str:
    escaped = "".join(_LATEX.get(character, character) for character in text)
    escaped = re.sub("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda run: f"\0^{{{run[0].translate(_RAISED)}}}\0", escaped)
    return escaped.replace("\0\0", "").replace("\0", "$")


_LATEX_MARKS = {"best": r"\textbf{%s}", "second": r"\underline{%s}", "": "%s"}
_MARKDOWN_MARKS = {"best": "**%s**", "second": "<ins>%s</ins>", "": "%s"}


def as_latex(table: Table, context: Context) -> str:
    """A ``tabular`` with booktabs rules and notes; ``context`` returns texts, not HTML."""
    heads, rows = _plain(table, context, _tex, _LATEX_MARKS, "$^%s$")
    columns = [column for _, column, _ in _spread(table)]
    spec = "".join(
        r"p{0.28\linewidth}" if column.kind == "claim" else "l" if _is_text(column) else "r"
        for column in columns
    )
    lines = [
        f"% {table.id}",
        rf"\begin{{tabular}}{{@{{}}{spec}@{{}}}}",
        r"\toprule",
        rf"{' & '.join(heads)} \\",
        r"\midrule",
        *(rf"{' & '.join(row)} \\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    for key, letter in _letters(table).items():
        if key:
            note = rf"$^{letter}$~{_tex(context.labels.note(key))}"
            lines.append(rf"\par\smallskip{{\footnotesize {note}}}")
    return "\n".join(lines) + "\n"


def as_markdown(table: Table, context: Context) -> str:
    """A table for GitHub with notes; ``context`` returns texts, not HTML."""
    heads, rows = _plain(
        table, context, lambda text: text.replace("|", r"\|"), _MARKDOWN_MARKS, "<sup>%s</sup>"
    )
    rules = [":--" if _is_text(column) else "--:" for _, column, _ in _spread(table)]
    lines = [f"| {' | '.join(cells)} |" for cells in (heads, rules, *rows)]
    marks = {cell.mark for row in table.rows for cell in row}
    below = [
        _MARKDOWN_MARKS[mark] % context.labels(f"{mark}_mark") + context.labels(f"is_{mark}")
        for mark in ("best", "second")
        if mark in marks
    ]
    for key, letter in _letters(table).items():
        if key:
            below.append(f"<sup>{letter}</sup> {context.labels.note(key)}")
    if below:
        lines += ["", context.labels("list_semicolon").join(below)]
    return "\n".join(lines)


def _plain(
    table: Table,
    context: Context,
    escaped: Callable[[str], str],
    marks: Mapping[str, str],
    raised: str,
) -> tuple[list[str], list[list[str]]]:
    """The heads and the rows of a table as text, escaped, with marks and letters of notes."""
    letters, shown = _letters(table), _spread(table)
    titles = (_title(table, column, extra, context) for _, column, extra in shown)
    heads = [escaped(f"{title} ({unit})" if unit else title) for title, unit in titles]

    def text(cell: Cell, column: Column, extra: bool) -> str:
        ends = _ends(cell, context.lang)
        if extra:
            return escaped(ends)
        made, value = "", cell.value
        if isinstance(value, Value):
            made = _number(value, column, context.lang)
            if column.kind == "value" and ends:
                made += f" {ends}"
        elif isinstance(value, tuple):
            made = ", ".join(str(printed(item, context.lang)) for item in value)
        else:
            made = _text(value, column, context) or ("—" if cell.note else "")
        return marks[cell.mark] % escaped(made) + (raised % letters[cell.note] if cell.note else "")

    return heads, [
        [text(row[index], column, extra) for index, column, extra in shown] for row in table.rows
    ]


def _ends(cell: Cell, lang: Lang) -> str:
    if cell.interval is None:
        return ""
    low, high = (printed(end, lang).text for end in cell.interval)
    return f"[{low}, {high}]"
