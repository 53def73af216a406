"""Tables and figures as files of their own, ready for a paper."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from experiments.storage import write_atomically
from report import material
from report.errors import TEMPLATES
from report.macros import Writer
from report.material import Material
from report.numbers import LANGS, Lang
from report.sections import discover
from report.tables import Context, as_csv, as_latex


def tables(made: Material, out: Path) -> list[str]:
    """Write every table as CSV, and as LaTeX in each language; returns the files' names."""
    written: dict[str, str] = {
        f"tables/{name}.csv": as_csv(table) for name, table in made.tables.items()
    }
    for lang in LANGS:
        context = plain_context(made, lang)
        for name, table in made.tables.items():
            written[f"tables/{name}.{lang}.tex"] = as_latex(table, context)
    for name, text in written.items():
        _write(out / name, text.encode())
    return list(written)


def plain_context(made: Material, lang: Lang) -> Context:
    """What the cells of tables need, as text."""
    # the page's formulas hold their text; the PDF's are drawings
    writer = Writer(TEMPLATES, lang, pdf=False, material=made, sections=discover(TEMPLATES))
    return Context(
        lang,
        writer.labels,
        lambda name: writer.slots.plain(writer.claim(name)),
        str,  # what an effect is, only the page and the PDFs say
        lambda verdict: writer.labels(f"verdict_{verdict}"),
        frozenset(),
    )


def printed(made: Material, name: str) -> dict[Lang, bytes]:
    """A figure as a PDF of its own in each language: kept from the last time, or made now.

    The documents do not need them, so they are apart from what those are made of.
    """
    art = made.figures[name]
    path = material.printed_file(art.key)
    kept = material.unpickled(path, dict)
    if kept is not None:
        return kept
    from report.figures import pdf

    found = {lang: pdf(svg) for lang, svg in art.svg.items()}
    material.keep(path, found, material.KEPT_FIGURES)
    return found


def drawings(made: Material, prints: Mapping[str, Mapping[Lang, bytes]], out: Path) -> list[str]:
    """Write every figure as SVG, PDF and PNG in each language; returns the files' names."""
    written: dict[str, bytes] = {}
    for name, art in made.figures.items():
        for lang, svg in art.svg.items():
            written[f"figures/{name}.{lang}.svg"] = svg.encode()
            written[f"figures/{name}.{lang}.png"] = art.png[lang]
            written[f"figures/{name}.{lang}.pdf"] = prints[name][lang]
    for name, content in written.items():
        _write(out / name, content)
    return list(written)


def _write(path: Path, content: bytes) -> None:
    """Write a file, unless it is there as it should be."""
    if not (path.is_file() and path.read_bytes() == content):
        write_atomically(path, content)
