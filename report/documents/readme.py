"""``make readme``: writes the results of a recorded study into both READMEs, between two marks.

The text is ``templates/readme.<lang>.md``; numbers, verdicts and figures are those of the report.
"""

import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from analysis import schema
from analysis.schema import Results, Table
from experiments.support.files import write_atomically
from report.base.errors import TEMPLATES, ReportError
from report.blocks import front_matter, tables
from report.blocks.front_matter import tally
from report.blocks.numbers import Lang
from report.templating.macros import Writer

FILES: dict[Lang, str] = {"zh": "README.zh.md", "en": "README.md"}
BEGIN, END = "<!-- make readme: from here -->", "<!-- make readme: to here -->"
DRAWINGS = Path("docs")
FIGURES = ("accuracy", "gain-depth", "ladder")
#: Columns of the results table in a README, which is narrower than a page.
COLUMNS = ("network", "parameters", "macs", "accuracy", "original_accuracy", "seeds")
#: Factor by which figures are reduced, for screens.
_SHRINK = 2
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|#!])")


def write(source: Path, folder: Path) -> list[str]:
    """Write the results in ``source`` into both READMEs of a folder, and the figures beside them.

    Returns:
        Names of the files that changed.

    Raises:
        ReportError: no records, a bad one, or a README without the marks.
    """
    around = {lang: _around(folder / name) for lang, name in FILES.items()}
    made = schema.load(source)
    if made.refused:
        raise ReportError(made.refused[0])
    if not made.runs:
        raise ReportError(
            f"{source}: no records, expected those of a study; train it first "
            f"(make all PROFILE={made.setting.name})"
        )
    files: dict[str, bytes] = {}
    for lang, (before, after) in around.items():
        part = f"{BEGIN}\n\n{_part(made, lang)}\n\n{END}"
        files[FILES[lang]] = f"{before}{part}{after}".encode()
        files |= {_drawing(name, lang): _bitmap(made, name, lang) for name in _drawn(made)}
    changed = []
    for name, content in files.items():
        path = folder / name
        if not (path.is_file() and path.read_bytes() == content):
            write_atomically(path, content)
            changed.append(name)
    return changed


def _around(path: Path) -> tuple[str, str]:
    """The text before the first mark and after the second."""
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ReportError(
            f"{path.name}: no place for the results, expected the lines {BEGIN} and {END} in this "
            "order; put them where the results shall stand"
        )
    return before, after


def _part(made: Results, lang: Lang) -> str:
    """The Markdown between the marks."""
    writer = Writer(TEMPLATES, lang, pdf=False, results=made)
    devices = (device for device, _ in tally(run.environment.device for run in made.runs.values()))
    scope: dict[str, Any] = {
        "runs": front_matter.counted_runs(made, writer.labels),
        "devices": _escaped(writer.labels("list_semicolon").join(devices)),
        "date": front_matter.matter(TEMPLATES, made, writer.labels).date,
        "table": tables.as_markdown(_narrowed(made), writer),
        "figures": {
            name: f"![{_escaped(made.figures[name].alt[lang])}]({_drawing(name, lang)})"
            for name in _drawn(made)
        },
    }
    return writer.slots.text(writer.render(f"readme.{lang}.md", scope)).strip()


def _narrowed(made: Results) -> Table:
    found = made.tables["results"]
    chosen = [index for index, column in enumerate(found.columns) if column.key in COLUMNS]
    return replace(
        found,
        columns=tuple(found.columns[index] for index in chosen),
        rows=tuple(tuple(row[index] for index in chosen) for row in found.rows),
    )


def _escaped(text: str) -> str:
    """Text, escaped for Markdown."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def _drawn(made: Results) -> list[str]:
    return [name for name in FIGURES if made.figures[name].alt]


def _drawing(name: str, lang: Lang) -> str:
    return (DRAWINGS / f"{name}.{lang}.png").as_posix()


def _bitmap(made: Results, name: str, lang: Lang) -> bytes:
    out = io.BytesIO()
    bitmap = Image.open(io.BytesIO(made.png(name, lang)))
    dpi = round(bitmap.info["dpi"][0]) / _SHRINK
    smaller = bitmap.convert("RGB").reduce(_SHRINK)
    smaller.save(out, format="png", dpi=(dpi, dpi), optimize=True)
    return out.getvalue()
