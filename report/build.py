"""Build the files of the report from the results of the analysis."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from analysis import schema
from analysis.schema import Results
from experiments.support.files import sweep, write_atomically
from experiments.support.signals import end_with_parent
from report.base.errors import TEMPLATES, for_each
from report.blocks.numbers import LANGS, Lang
from report.blocks.tables import as_latex
from report.documents import document, html_page
from report.documents.document import Document
from report.templating.macros import Writer
from report.templating.sections import discover

HTML = "report.html"


def build(results: Results, out: Path, *, only_html: bool = False) -> list[str]:
    """Write the report: the page, a PDF in each language, and the figures and tables as files.

    Args:
        results: the results of the analysis.
        out: folder of the report.
        only_html: write only the page.

    Returns:
        Names of the files.

    Raises:
        ReportError: there is an error in a template.
    """
    if only_html:
        write_atomically(out / HTML, html(results))
        return [HTML]
    # The page links to the files of figures and tables.
    linked = [name for name in results.files if name.startswith(("figures/", "tables/"))]
    with ProcessPoolExecutor(len(LANGS), initializer=end_with_parent) as pool:
        pdfs = {lang: pool.submit(pdf, results.folder, lang) for lang in LANGS}
        files = {HTML: html(results).encode(), **latex(results)}
        files |= {name: (results.folder / name).read_bytes() for name in linked}
        files |= {f"report.{lang}.pdf": job.result() for lang, job in pdfs.items()}
    sweep(out)
    for name, content in files.items():
        write_atomically(out / name, content)
    return list(files)


def html(results: Results) -> str:
    """The page."""
    sections = discover(TEMPLATES)

    def composed(lang: Lang) -> Document:
        return document.compose(TEMPLATES, results, sections, lang, pdf=False)

    documents = dict(zip(LANGS, for_each(composed, LANGS), strict=True))
    return html_page.render(TEMPLATES, documents, results)


def pdf(source: Path, lang: Lang) -> bytes:
    """The PDF of a language."""
    from report.documents import pdf

    results, sections = schema.load(source), discover(TEMPLATES)
    return pdf.write(TEMPLATES, document.compose(TEMPLATES, results, sections, lang, pdf=True))


def latex(results: Results) -> dict[str, bytes]:
    """Every table as LaTeX in each language, by the name of its file."""
    files: dict[str, bytes] = {}
    for lang in LANGS:
        # Not for the PDF, whose formulas are drawings without text.
        writer = Writer(TEMPLATES, lang, pdf=False, results=results, sections=discover(TEMPLATES))
        for name, table in results.tables.items():
            files[f"tables/{name}.{lang}.tex"] = as_latex(table, writer.context).encode()
    return files
