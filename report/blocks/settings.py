"""Reading of ``templates/report.toml``: the title page, and the choice of sections."""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

from experiments.support.text import printable
from report.base.errors import Place, ReportError, lines, near, unknown
from report.base.labels import load_toml
from report.blocks.numbers import LANGS, Lang

KEYS = ("title", "subtitle", "course", "author", "date", "references", "cover", "logo")
#: Keys for both languages: sections to show, sections to leave out.
CHOICES = ("sections", "without")
#: Fields in texts that are filled in.
FIELDS = ("{dataset}",)


def read(path: Path, lang: Lang, comma: str) -> dict[str, Any]:
    """The texts of a language by key; ``date`` may be a date, ``cover`` holds rows of texts.

    ``comma`` joins the texts of a list, such as authors.

    Raises:
        ReportError: there is an error in the file; the message names the line.
    """
    tables = load_toml(path)
    table = tables.get(lang)
    if not isinstance(table, dict) or not isinstance(table.get("title"), str):
        raise ReportError(f"expected a table [{lang}] with a title", Place(path, 1))
    _check("table", tables, (*LANGS, *CHOICES, "preset", "presets"), path)
    _check(f"key of [{lang}]", table, KEYS, path)
    rows = table.pop("cover", {})
    if not isinstance(rows, dict):
        raise ReportError(f"expected a table [{lang}.cover]", _place(path, "cover", lang))
    texts, cover = (
        {key: _text(key, value, comma, path, lang) for key, value in found.items()}
        for found in (table, rows)
    )
    return texts | {"cover": cover}


def preset(path: Path) -> str:
    """The name of the chosen preset of sections, such as ``short``; empty without one.

    Raises:
        ReportError: ``report.toml`` has no such preset.
    """
    table = load_toml(path)
    name = str(table.get("preset", ""))
    _check("preset", [name] if name else [], table.get("presets", {}), path)
    return name


def shown(path: Path, names: Sequence[str]) -> frozenset[str]:
    """The names of the sections to show: ``sections`` or all, without those of ``without``.

    Raises:
        ReportError: there is no such section, or no such preset.
    """
    table = load_toml(path)
    name = preset(path)
    named = table["presets"][name] if name else {}
    chosen: dict[str, list[str]] = {key: [] for key in CHOICES}
    for source, key in product((table, named), CHOICES):
        value = source.get(key, [])
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise ReportError(f"{key}: expected a list of names", _place(path, key))
        _check("section", value, names, path)
        chosen[key] += value
    return frozenset(chosen["sections"] or names) - frozenset(chosen["without"])


def _check(kind: str, found: Iterable[str], known: Collection[str], path: Path) -> None:
    for key in found:
        if key not in known:
            raise unknown(kind, key, known, _place(path, key))


def _text(key: str, value: Any, comma: str, path: Path, lang: Lang) -> str | date:
    if key == "date" and isinstance(value, date):
        return value
    parts = value if isinstance(value, list) else [value]
    if not all(isinstance(part, str) for part in parts):
        raise ReportError(
            f"{key}: expected a text or a list of texts, in quotation marks",
            _place(path, key, lang),
        )
    text = printable(comma.join(parts))
    for field in re.findall(r"\{\w+\}", text):
        # Other braces are ordinary text.
        if field not in FIELDS and near(field, FIELDS):
            raise unknown("field", field, FIELDS, _place(path, field))
    return text


def _place(path: Path, word: str, lang: Lang | None = None) -> Place:
    """The first line with a word in it, below ``[lang]`` where that is given."""
    below = lang is None
    for number, line in enumerate(lines(path), 1):
        below = below or line.strip() == f"[{lang}]"
        if below and word in line and not line.lstrip().startswith("#"):
            return Place(path, number)
    return Place(path, 1)
