"""``make names``: everything that a template can refer to, as the expression to write."""

from collections.abc import Iterator
from pathlib import Path

from analysis import schema
from report.base.errors import TEMPLATES
from report.blocks import bibtex
from report.templating.sections import discover


def listing(source: Path, templates: Path = TEMPLATES) -> Iterator[str]:
    """Lines of the listing: for each kind a heading and its names with descriptions.

    Args:
        source: folder of ``results.json``.
        templates: folder of the sections and of ``references.bib``.
    """
    results, works = schema.load(source), bibtex.read(templates / "references.bib")
    sections = [section.name for section in discover(templates) if section.shown]
    kinds = {
        "Sections": [(f'ref("sec:{name}")', "") for name in sections],
        "Figures": [(f'figure("{name}")', made.code) for name, made in results.figures.items()],
        "Tables": [
            (f'table("{name}")', f"{len(made.rows)} rows, {len(made.columns)} columns")
            for name, made in results.tables.items()
        ],
        "Findings": [
            (f'finding("{name}")', found.verdict.value) for name, found in results.findings.items()
        ],
        f"Runs of {results.setting.name}": [
            (f'run("{name}")', str(run.status)) for name, run in results.runs.items()
        ],
        "Works": [
            (f'cite("{key}")', _bare(bibtex.item(works, record).get("title", "")))
            for key, record in works.records.items()
        ],
    }
    for heading, entries in kinds.items():
        width = max((len(name) for name, _ in entries), default=0)
        yield f"{heading} ({len(entries)})"
        yield from (f"  {name:{width}}  {about}".rstrip() for name, about in entries)
        yield ""


def _bare(title: str) -> str:
    return title.translate(dict.fromkeys(map(ord, "".join(map("".join, bibtex.MARKUP.values())))))
