"""From a folder of records to the files of the report."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from experiments.record import write_atomically
from report import document, exports, material, page
from report.document import Document
from report.errors import TEMPLATES, ReportError
from report.inputs import Stamp, report_key
from report.material import Material
from report.numbers import LANGS, Lang
from report.sections import SectionFile, discover


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
    key = report_key(results, os.environ.get("SOURCE_DATE_EPOCH", ""))
    stamp = Stamp(out, "html" if only_html else "report")
    if not strict and stamp.fresh(key):
        return Built((), None)
    made = material.load(results)
    if strict and made.records.refused:
        raise ReportError(made.records.refused[0])
    if not made.records.refused and stamp.fresh(key):
        return Built((), None)
    sections = discover(TEMPLATES)
    if only_html:
        files = [_write(out, "report.html", html(made, sections))]
    else:
        with material.workers() as pool:
            pdfs = {lang: pool.submit(_pdf, made, sections, lang) for lang in LANGS}
            files = [_write(out, "report.html", html(made, sections))]
            files += exports.tables(made, out)
            files += exports.drawings(made, out)
            files += [_write(out, f"report.{lang}.pdf", pdfs[lang].result()) for lang in LANGS]
    if not made.records.refused:
        stamp.write(key, files)
    return Built(tuple(files), made)


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
