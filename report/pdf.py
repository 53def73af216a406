"""The PDFs: WeasyPrint, tagged for PDF/UA-1, nothing fetched from anywhere."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from report import paper
from report.document import Document
from report.errors import ReportError
from report.labels import Labels
from report.page import CODES, chapters, fill, style


def render(folder: Path, document: Document) -> str:
    """The HTML that the PDF of a language is made from."""
    html = fill(
        folder,
        "print.html",
        document=document,
        code=CODES[document.lang],
        chapters=chapters(document.contents),
        label=Labels(document.lang),
        style=style(folder, "print.css", "custom.css"),
    )
    # On paper a number leads home by its link; its element would only cost time.
    return re.sub(r"</?data\b[^>]*>", "", html)


def write(folder: Path, document: Document) -> bytes:
    """The PDF of a language. The same document gives the same bytes.

    Raises:
        ReportError: the PDF library cannot be loaded.
    """
    html = render(folder, document)
    return typeset(html, document.assets, pdf_variant="pdf/ua-1", pdf_tags=True)


def typeset(html: str, assets: Mapping[str, str], **options: Any) -> bytes:
    """HTML as a PDF.

    Args:
        html: what to set.
        assets: drawings by address; nothing else is fetched.
        options: WeasyPrint's.

    Raises:
        ReportError: the PDF library cannot be loaded.
    """
    try:
        import weasyprint
        from weasyprint.urls import URLFetcher, URLFetcherResponse
    except OSError as error:
        # a system library (Pango) is missing
        raise ReportError(f"WeasyPrint cannot be loaded ({error}); run `make setup`") from None
    paper.prepare()
    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)
    logging.getLogger("fontTools").setLevel(logging.ERROR)

    class Assets(URLFetcher):  # type: ignore[misc]
        """Admits nothing but the report's own drawings, and what they hold themselves."""

        def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:
            if url.startswith("data:"):
                return super().fetch(url, headers)
            if url not in assets:
                raise ValueError(f"not part of the report: {url}")
            return URLFetcherResponse(url, assets[url].encode(), {"Content-Type": "image/svg+xml"})

    source = weasyprint.HTML(string=html, url_fetcher=Assets())
    return bytes(source.write_pdf(**options) or b"")
