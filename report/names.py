"""``make names``: everything that a template can refer to, as the expression to write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from analysis import schema
from analysis.schema import Results
from report.base.errors import TEMPLATES
from report.blocks import bibtex
from report.templating.sections import discover


def listing(source: Path, templates: Path = TEMPLATES) -> Iterator[str]:
    """Lines of the listing: for each kind a heading and its names with descriptions.

    Args:
        source: folder of ``results.json``.
        templates: folder of the sections and of ``references.bib``.
    """
    for heading, entries in _kinds(schema.load(source), templates):
        width = max((len(name) for name, _ in entries), default=0)
        yield f"{heading} ({len(entries)})"
        yield from (f"  {name:{width}}  {about}".rstrip() for name, about in entries)
        yield ""


def _kinds(results: Results, templates: Path) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    sections = (found.name for found in discover(templates) if found.shown)
    yield "Sections", [(f'ref("sec:{name}")', "") for name in sections]
    yield "Figures", [(f'figure("{name}")', made.code) for name, made in results.figures.items()]
    yield (
        "Tables",
        [
            (f'table("{name}")', f"{len(made.rows)} rows, {len(made.columns)} columns")
            for name, made in results.tables.items()
        ],
    )
    findings = results.findings.items()
    yield "Findings", [(f'finding("{name}")', found.verdict.value) for name, found in findings]
    yield (
        f"Runs of {results.setting.name}",
        [(f'run("{name}")', str(run.status)) for name, run in results.runs.items()],
    )
    works = bibtex.read(templates / "references.bib")
    yield (
        "Works",
        [
            (f'cite("{key}")', _bare(bibtex.item(works, record).get("title", "")))
            for key, record in works.records.items()
        ],
    )


def _bare(title: str) -> str:
    return title.translate(dict.fromkeys(map(ord, "".join(map("".join, bibtex.MARKUP.values())))))
