"""From a folder of records to the files of the report."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from experiments.stopping import heed
from experiments.storage import write_atomically
from report import document, exports, material, page, printing
from report.document import Document
from report.errors import TEMPLATES, ReportError
from report.inputs import Snapshot, Stamp, only_writer, report_key
from report.material import Material
from report.numbers import LANGS, Lang
from report.sections import SectionFile, discover

HTML = "report.html"


@dataclass(frozen=True)
class Built:
    """What a build wrote.

    Attributes:
        files: names in the output folder.
        material: what they were made from; None if they were fresh.
    """

    files: tuple[str, ...]
    material: Material | None


def build(
    results: Path,
    out: Path,
    *,
    strict: bool = False,
    only_html: bool = False,
    ready: Callable[[], None] = lambda: None,
) -> Built:
    """Write the report of a folder of records: the documents first, then exports.

    Args:
        results: the records.
        out: folder for the report.
        strict: refuse to build from a folder that holds a file that is no record.
        only_html: leave out PDFs and exports.
        ready: is called when the page and the PDFs are there, if exports are still to follow.

    Raises:
        ReportError: a template, or with ``strict`` a record, is at fault.
    """
    with only_writer(out):
        snapshot = Snapshot.take(results)
        keys = _keys(snapshot, only_html=only_html)
        stale = [part for part, key in keys.items() if not Stamp(out, part).fresh(key)]
        if not stale and not strict:
            return Built((), None)
        made = material.load(snapshot)
        if strict and made.records.refused:
            raise ReportError(made.records.refused[0])
        written: list[str] = []
        for part, names in _parts(made, out, stale, ready):
            heed()
            written += names
            if not made.records.refused:  # else it is made anew, to say so again
                Stamp(out, part).write(keys[part], names)
    return Built(tuple(written), made)


def _keys(snapshot: Snapshot, *, only_html: bool) -> dict[str, str]:
    """The parts of the report and what each is made from."""
    environment = os.environ.get("SOURCE_DATE_EPOCH", "")
    whole = report_key(snapshot, environment)
    if only_html:
        return {"page": whole}
    pdfs: dict[str, str] = {lang: report_key(snapshot, environment, lang) for lang in LANGS}
    return {"page": whole, "tables": whole, "figures": snapshot.key, **pdfs}


def _parts(
    made: Material, out: Path, stale: list[str], ready: Callable[[], None]
) -> Iterator[tuple[str, list[str]]]:
    """Write the parts that are stale, one by one; yields each with the names of its files."""
    sections = discover(TEMPLATES)
    figures = sorted(made.figures) if "figures" in stale else ()
    if figures or {*LANGS} & {*stale}:
        printing.load()
    with material.workers((made, sections)) as submit:
        pdfs = {lang: submit(_pdf, lang) for lang in LANGS if lang in stale}
        # they wait for a processor that has nothing left to do for the documents
        prints = {name: submit(_printed, name) for name in figures}
        if "page" in stale:
            yield "page", [_file(out, HTML, html(made, sections))]
        for lang, job in pdfs.items():
            yield lang, [_file(out, f"report.{lang}.pdf", job.result())]
        if {"tables", "figures"} & set(stale):
            ready()
        if "tables" in stale:
            yield "tables", exports.tables(made, out)
        if "figures" in stale:
            files = {name: job.result() for name, job in prints.items()}
            yield "figures", exports.drawings(made, files, out)


def html(made: Material, sections: list[SectionFile]) -> str:
    """The page."""
    documents: dict[Lang, Document] = {
        lang: document.compose(TEMPLATES, made, sections, lang, pdf=False) for lang in LANGS
    }
    return page.render(TEMPLATES, documents, made.records)


def _pdf(shared: tuple[Material, list[SectionFile]], lang: Lang) -> bytes:
    from report import pdf

    made, sections = shared
    composed = document.compose(TEMPLATES, made, sections, lang, pdf=True)
    return pdf.write(TEMPLATES, composed)


def _printed(shared: tuple[Material, list[SectionFile]], name: str) -> dict[Lang, bytes]:
    return exports.printed(shared[0], name)


def _file(out: Path, name: str, content: str | bytes) -> str:
    heed()
    write_atomically(out / name, content)
    return name
