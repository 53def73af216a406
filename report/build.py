"""From a folder of records to the files of the report."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from experiments.storage import write_atomically
from report import document, exports, material, page
from report.document import Document
from report.errors import TEMPLATES, ReportError
from report.inputs import Stamp, only_writer, report_key
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


def build(results: Path, out: Path, *, strict: bool = False, only_html: bool = False) -> Built:
    """Write the report of a folder of records.

    Args:
        results: the records.
        out: folder for the report.
        strict: refuse to build from a folder that holds a file that is no record.
        only_html: leave out PDFs and exports.

    Raises:
        ReportError: a template, or with ``strict`` a record, is at fault.
    """
    if not strict and not _stale(out, _keys(results, only_html=only_html)):
        return Built((), None)
    with only_writer(out):
        return _build(results, out, strict=strict, only_html=only_html)


def _stale(out: Path, keys: dict[str, str]) -> list[str]:
    return [part for part, key in keys.items() if not Stamp(out, part).fresh(key)]


def _build(results: Path, out: Path, *, strict: bool, only_html: bool) -> Built:
    keys = _keys(results, only_html=only_html)
    stale = _stale(out, keys)
    if not stale and not strict:  # another process made it meanwhile
        return Built((), None)
    made = material.load(results)
    if strict and made.records.refused:
        raise ReportError(made.records.refused[0])
    sections = discover(TEMPLATES)
    files: dict[str, list[str]] = {}
    pdfs = [lang for lang in LANGS if lang in stale]
    with material.workers() if pdfs else contextlib.nullcontext() as pool:
        jobs = {lang: pool.submit(_pdf, made, sections, lang) for lang in pdfs} if pool else {}
        for part in stale:
            if part not in LANGS:
                files[part] = [_write(out, HTML, html(made, sections))]
                if not only_html:
                    files[part] += [*exports.tables(made, out), *exports.drawings(made, out)]
        for lang, job in jobs.items():
            files[lang] = [_write(out, f"report.{lang}.pdf", job.result())]
    # A refused record: it is made anew, to say so again. One that came in meanwhile: likewise.
    if not made.records.refused and _keys(results, only_html=only_html) == keys:
        for part, names in files.items():
            Stamp(out, part).write(keys[part], names)
    return Built(tuple(name for names in files.values() for name in names), made)


def _keys(results: Path, *, only_html: bool) -> dict[str, str]:
    """The parts of the report and what each is made from: its PDFs, the page with the exports."""
    environment = os.environ.get("SOURCE_DATE_EPOCH", "")
    if only_html:
        return {"page": report_key(results, environment)}
    keys: dict[str, str] = {lang: report_key(results, environment, lang) for lang in LANGS}
    return {"whole": report_key(results, environment), **keys}


def html(made: Material, sections: list[SectionFile]) -> str:
    """The page."""
    documents: dict[Lang, Document] = {
        lang: document.compose(TEMPLATES, made, sections, lang, pdf=False) for lang in LANGS
    }
    return page.render(TEMPLATES, documents, made.records)


def _pdf(made: Material, sections: list[SectionFile], lang: Lang) -> bytes:
    from report import pdf

    return pdf.write(TEMPLATES, document.compose(TEMPLATES, made, sections, lang, pdf=True))


def _write(out: Path, name: str, content: str | bytes) -> str:
    write_atomically(out / name, content)
    return name
