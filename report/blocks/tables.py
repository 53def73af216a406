"""Tables of the analysis as HTML, LaTeX (booktabs) and GitHub's Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from analysis.schema import Cell, Column, Table, Value
from report.base.labels import Labels
from report.base.partials import partial
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


def _spread(table: Table) -> list[tuple[int, bool]]:
    """The printed columns: index, and whether it is the column of the intervals."""
    spread = []
    for index, column in enumerate(table.columns):
        if all(_empty(row[index]) for row in table.rows) and table.rows:
            continue  # an empty column
        spread.append((index, False))
        has_intervals = any(row[index].interval for row in table.rows)
        if has_intervals and column.kind != "value":
            spread.append((index, True))
    return spread


def _empty(cell: Cell) -> bool:
    return cell.value is None and not cell.note


def _notes(table: Table, shown: list[tuple[int, bool]]) -> list[str]:
    """Keys of the notes in the order of their first cells."""
    indices = [index for index, extra in shown if not extra]
    return list(dict.fromkeys(row[i].note for row in table.rows for i in indices if row[i].note))


# --- HTML -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Head:
    """The head of a column; ``whole``: line breaks are allowed only between ``words``."""

    words: tuple[str, ...]
    css: str
    unit: str
    whole: bool


@dataclass(frozen=True)
class _Shown:
    """A printed cell; ``padding`` in digits, ``note`` is the note's letter."""

    text: str
    css: str
    padding: int = 0
    note: str = ""


def html(table: Table, context: Context) -> Markup:
    """The table with its notes."""
    if not table.rows:
        return partial("nothing", text=context.labels("no_rows"))
    shown = _spread(table)
    notes = _notes(table, shown)
    pads = {index: _decimals(table, index, context.lang) for index, _ in shown}
    return partial(
        "table-body",
        caption=f"{context.lang}-caption-{table.id}",
        dense=len(shown) > _FEW_COLUMNS,
        head=[_head(table.columns[index], extra, context) for index, extra in shown],
        rows=[
            [
                _cell(row[index], table.columns[index], extra, pads[index], notes, context)
                for index, extra in shown
            ]
            for row in table.rows
        ],
        best=any(cell.mark for row in table.rows for cell in row),
        notes=[(_letter(key, notes), context.labels.note(key)) for key in notes],
        label=context.labels,
    )


def _letter(note: str, notes: list[str]) -> str:
    return chr(ord("a") + notes.index(note))


def _head(column: Column, extra: bool, context: Context) -> _Head:
    title = context.labels("interval") if extra else column.title[context.lang]
    unit = _unit(column, context) if _unit_in_head(column) and not extra else ""
    whole = context.lang == "zh"
    words = tuple(_HEAD_WORDS.split(title)) if whole else (title,)
    return _Head(words, " ".join(_classes(column)), unit, whole)


def _classes(column: Column) -> list[str]:
    return ([] if _is_text(column) else ["num"]) + (["orig"] if column.original else [])


def _unit(column: Column, context: Context) -> str:
    return "%" if column.kind == "accuracy" else context.labels("points")


def _cell(
    cell: Cell, column: Column, extra: bool, decimals: int, notes: list[str], context: Context
) -> _Shown:
    if extra:
        text = interval(cell.interval, context.lang, unit=False) if cell.interval else ""
        return _Shown(text, "num interval")
    css = _classes(column)
    if column.kind == "claim" or (isinstance(cell.value, str) and len(cell.value) > _SHORT):
        css.append("prose")
    elif column.kind in ("text", "verdict"):
        css.append("name")
    if cell.mark:
        css.append(cell.mark)
    text = _content(cell, column, context)
    padding = 0
    if isinstance(cell.value, Value) and column.kind != "value":
        digits = printed(cell.value, context.lang).text
        padding = max(0, decimals - _places(digits)) if digits[-1:].isdigit() else 0
    note = _letter(cell.note, notes) if cell.note else ""
    return _Shown(text or ("—" if note else ""), " ".join(css), padding=padding, note=note)


def _content(cell: Cell, column: Column, context: Context) -> str:
    value, lang = cell.value, context.lang
    if value is None:
        return ""
    if isinstance(value, tuple):
        return Markup(context.labels("list_semicolon")).join(_named(cell, context))
    if not isinstance(value, Value):
        return _text(value, column, context)
    if column.kind == "value":
        return _effect(value, cell, context)
    shown = printed(value, lang)
    return data_element(value, shown.text if _unit_in_head(column) else str(shown), lang)


def _named(cell: Cell, context: Context) -> list[Markup]:
    """Numbers after their names; a repeated name is left out."""
    lines, last = [], ""
    values = cell.value if isinstance(cell.value, tuple) else ()
    for name, value in zip(cell.names, values, strict=True):
        number = data_element(value, str(printed(value, context.lang)), context.lang)
        lines.append(number if name == last else Markup(f"{escape(name)} {number}"))
        last = name
    return lines


def _effect(value: Value, cell: Cell, context: Context) -> Markup:
    """A number of any kind with its interval, below its description."""
    lang = context.lang
    shown = printed(value, lang)
    sign = True if value.kind == "difference" else None
    text = numbers.signed(shown.text, value.value, sign)
    return partial(
        "effect",
        what=Markup(context.effect(cell.finding)) if cell.finding else "",
        number=data_element(value, str(numbers.Printed(text, shown.unit, shown.space)), lang),
        interval=interval(cell.interval, lang) if cell.interval else "",
    )


def _text(value: str, column: Column, context: Context) -> str:
    lang = context.lang
    if column.kind == "word":
        return context.labels.word(value)
    if column.kind in ("claim", "verdict"):
        return Markup(context.claim(value) if column.kind == "claim" else context.verdict(value))
    if value in context.known:
        return link("run", card_id(value, lang), value)
    return value


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


def as_latex(table: Table, context: Context) -> str:
    """A ``tabular`` with booktabs rules and notes; ``context`` returns texts, not HTML."""
    shown = _spread(table)
    notes = _notes(table, shown)
    spec = "".join(
        r"p{0.28\linewidth}"
        if table.columns[i].kind == "claim"
        else "l"
        if _is_text(table.columns[i])
        else "r"
        for i, _ in shown
    )
    head = " & ".join(_tex(_plain_head(table.columns[i], extra, context)) for i, extra in shown)
    lines = [
        f"% {table.id}",
        rf"\begin{{tabular}}{{@{{}}{spec}@{{}}}}",
        r"\toprule",
        rf"{head} \\",
        r"\midrule",
    ]
    for row in table.rows:
        cells = [_latex_cell(row[i], table.columns[i], extra, notes, context) for i, extra in shown]
        lines.append(" & ".join(cells) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}"]
    for key in notes:
        note = rf"$^{_letter(key, notes)}$~{_tex(context.labels.note(key))}"
        lines.append(rf"\par\smallskip{{\footnotesize {note}}}")
    return "\n".join(lines) + "\n"


def _plain_head(column: Column, extra: bool, context: Context) -> str:
    title = context.labels("interval") if extra else column.title[context.lang]
    return f"{title} ({_unit(column, context)})" if _unit_in_head(column) and not extra else title


def _latex_cell(cell: Cell, column: Column, extra: bool, notes: list[str], context: Context) -> str:
    if extra:
        return _tex(_ends(cell.interval, context.lang)) if cell.interval else ""
    tex = _tex(_shown(cell, column, context))
    if cell.mark:
        tex = rf"\textbf{{{tex}}}" if cell.mark == "best" else rf"\underline{{{tex}}}"
    return tex + (f"$^{_letter(cell.note, notes)}$" if cell.note else "")


def _shown(cell: Cell, column: Column, context: Context) -> str:
    """A cell as text."""
    lang, value = context.lang, cell.value
    if isinstance(value, Value):
        shown = printed(value, lang)
        text = shown.text if _unit_in_head(column) else str(shown)
        if column.kind == "value" and cell.interval:
            text += f" {_ends(cell.interval, lang)}"
        return text
    if isinstance(value, tuple):
        return ", ".join(str(printed(item, lang)) for item in value)
    if value is None:
        return "—" if cell.note else ""
    texts = {
        "word": context.labels.word,
        "claim": context.claim,
        "verdict": context.verdict,
    }
    return texts.get(str(column.kind), str)(value)


def _ends(pair: tuple[Value, Value], lang: Lang) -> str:
    return f"[{printed(pair[0], lang).text}, {printed(pair[1], lang).text}]"


def as_markdown(table: Table, context: Context) -> str:
    """A table for GitHub with notes; ``context`` returns texts, not HTML."""
    shown = _spread(table)
    notes = _notes(table, shown)
    heads = [_plain_head(table.columns[i], extra, context) for i, extra in shown]
    rules = [":--" if _is_text(table.columns[i]) else "--:" for i, _ in shown]
    rows = [
        [_markdown_cell(row[i], table.columns[i], extra, notes, context) for i, extra in shown]
        for row in table.rows
    ]
    lines = [f"| {' | '.join(cells)} |" for cells in (heads, rules, *rows)]
    below = [f"<sup>{_letter(key, notes)}</sup> {context.labels.note(key)}" for key in notes]
    marks = {cell.mark for row in table.rows for cell in row}
    for mark in ("second", "best"):
        if mark in marks:
            word = _emphasised(context.labels(f"{mark}_mark"), mark)
            below.insert(0, word + context.labels(f"is_{mark}"))
    if below:
        lines += ["", context.labels("list_semicolon").join(below)]
    return "\n".join(lines)


def _markdown_cell(
    cell: Cell, column: Column, extra: bool, notes: list[str], context: Context
) -> str:
    if extra:
        return _ends(cell.interval, context.lang) if cell.interval else ""
    text = _emphasised(_shown(cell, column, context).replace("|", r"\|"), cell.mark)
    return text + (f"<sup>{_letter(cell.note, notes)}</sup>" if cell.note else "")


def _emphasised(text: str, mark: str) -> str:
    return {"best": f"**{text}**", "second": f"<ins>{text}</ins>"}.get(mark, text)
