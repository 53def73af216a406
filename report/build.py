"""Build the files of the report from the results of the analysis."""

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
from report.documents import pdf as paper
from report.documents.document import Document
from report.templating.macros import Writer

HTML = "report.html"


def build(source: Path, out: Path, *, only_html: bool = False) -> tuple[Results, list[str]]:
    """Write the report: the page, a PDF in each language, and the figures and tables as files.

    Args:
        source: folder of the results of the analysis.
        out: folder of the report.
        only_html: write only the page.

    Returns:
        The results, and the names of the files.

    Raises:
        ReportError: there is an error in a template.
    """
    with ProcessPoolExecutor(2 * len(LANGS), initializer=end_with_parent) as pool:
        composed = [pool.submit(compose, source, lang) for lang in LANGS]
        pdfs = {} if only_html else {lang: pool.submit(pdf, source, lang) for lang in LANGS}
        results = schema.load(source)
        files = {} if only_html else latex(results)
        documents = for_each(lambda job: job.result(), composed)
        files[HTML] = html_page.render(TEMPLATES, documents, results).encode()
        files |= {f"report.{lang}.pdf": job.result() for lang, job in pdfs.items()}
    if not only_html:
        sweep(out)
        # The page links to the files of figures and tables.
        linked = [name for name in results.files if name.startswith(("figures/", "tables/"))]
        files |= {name: (results.folder / name).read_bytes() for name in linked}
    for name, content in files.items():
        write_atomically(out / name, content)
    return results, list(files)


def html(results: Results) -> str:
    """The page, composed in this process."""
    documents = for_each(lambda lang: document.compose(TEMPLATES, results, lang, pdf=False), LANGS)
    return html_page.render(TEMPLATES, documents, results)


def compose(source: Path, lang: Lang) -> Document:
    """A language of the page."""
    return document.compose(TEMPLATES, schema.load(source), lang, pdf=False)


def pdf(source: Path, lang: Lang) -> bytes:
    """The PDF of a language."""
    composed = document.compose(TEMPLATES, schema.load(source), lang, pdf=True)
    return paper.write(TEMPLATES, composed)


def latex(results: Results) -> dict[str, bytes]:
    """Every table as LaTeX in each language, by the name of its file."""
    files: dict[str, bytes] = {}
    for lang in LANGS:
        # Not for the PDF, whose formulas are drawings without text.
        writer = Writer(TEMPLATES, lang, pdf=False, results=results)
        for name, table in results.tables.items():
            files[f"tables/{name}.{lang}.tex"] = as_latex(table, writer).encode()
    return files
