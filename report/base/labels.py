"""The short texts of the page itself and the heads of tables, in both languages."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis.schema import Column
from experiments.support.text import printable
from report.base.environment import read
from report.base.errors import TEMPLATES, Place, ReportError
from report.blocks.numbers import Lang

FILE = TEMPLATES / "labels.toml"
HEADS = TEMPLATES / "tables.toml"
_FIELD = re.compile(r"\{(\w+)\}")


def load_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        ReportError: the file is missing or cannot be parsed; the message names the line.
    """
    text = read(path)
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ReportError("is nested too deeply", Place(path, 1)) from None
    except ValueError as error:
        line = re.search(r"\(at line (\d+)", str(error))
        raise ReportError(f"{error}", Place(path, int(line[1]) if line else 1)) from None


class Labels:
    """The texts of one language: ``labels("figure")``; braces are filled by keyword."""

    def __init__(self, lang: Lang) -> None:
        self.lang: Lang = lang
        self._texts = load_toml(FILE)
        self._heads = load_toml(HEADS)

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key.

        Raises:
            ReportError: ``labels.toml`` has no such key in this language.
        """
        return self._text(FILE, self._texts, key, **values)

    def beginning(self, *prefixes: str) -> dict[str, str]:
        """The texts of all keys that begin with one of these."""
        return {key: self(key) for key in self._texts if key.startswith(prefixes)}

    def head(self, table: str, column: Column) -> str:
        """The printed head of a table's column (``templates/tables.toml``).

        Raises:
            ReportError: neither the table's words nor those of all tables have it.
        """
        key = column.head or column.key
        texts = self._heads.get("columns", {}) | self._heads.get(table, {})
        return self._text(HEADS, texts, key, name=column.name)

    def _text(self, file: Path, texts: Mapping[str, Any], key: str, **values: object) -> str:
        found = texts.get(key)
        text = found.get(self.lang) if isinstance(found, dict) else None
        if not isinstance(text, str):
            raise ReportError(f"has no text {key!r} in {self.lang}", Place(file, 1))
        if not values:
            return printable(text)
        for field in _FIELD.findall(text):
            if field not in values:
                message = f"{key!r} has no value {{{field}}} to fill in"
                raise ReportError(message, Place(file, 1).at(key))
        # Not str.format, which gives texts access to attributes of the values.
        return printable(_FIELD.sub(lambda field: str(values[field[1]]), text))

    def word(self, key: str) -> str:
        """The word for a key in a table; the key itself if there is none."""
        name = "word_" + key.replace("-", "_")
        return self(name) if name in self._texts else key

    def with_runs(self, text: str, count: int) -> str:
        """A text with the number of runs that it applies to."""
        return self("with_one_run" if count == 1 else "with_runs", text=text, count=count)

    def note(self, key: str) -> str:
        """A note under a table."""
        return self("note_" + key.replace("-", "_"))
