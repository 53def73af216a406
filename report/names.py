"""``make names``: what a template can refer to, each as it is written there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from analysis.figures import figures
from analysis.findings import evaluate
from analysis.findings.model import REGISTRY
from analysis.records import Records
from analysis.tables import tables
from report import bibtex
from report.errors import TEMPLATES
from report.sections import discover


def listing(results: Path, templates: Path = TEMPLATES) -> Iterator[str]:
    """Lines: a heading for each kind, then its names with what each is about."""
    records = Records.load(results)
    for heading, entries in _kinds(records, templates):
        width = max((len(name) for name, _ in entries), default=0)
        yield f"{heading} ({len(entries)})"
        yield from (f"  {name:{width}}  {about}".rstrip() for name, about in entries)
        yield ""


def _kinds(records: Records, templates: Path) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    yield (
        "Sections",
        [(f'ref("sec:{section.name}")', "") for section in discover(templates)],
    )
    yield (
        "Figures",
        [(f'figure("{name}")', _first(module.__doc__)) for name, module in figures().items()],
    )
    yield (
        "Tables",
        [
            (f'table("{name}")', f"{len(made.rows)} rows, {len(made.columns)} columns")
            for name, made in tables(records, evaluate(records)).items()
        ],
    )
    yield (
        "Findings",
        [(f'finding("{name}")', _first(known.test.__doc__)) for name, known in REGISTRY.items()],
    )
    yield (
        f"Runs of {records.profile}",
        [(f'run("{name}")', record.status) for name, record in sorted(records.by_id.items())],
    )
    works = bibtex.read(templates / "references.bib")
    yield (
        "Works",
        [
            (f'cite("{key}")', _bare(bibtex.item(works, record).get("title", "")))
            for key, record in works.records.items()
        ],
    )


def _first(doc: str | None) -> str:
    """The first sentence of a docstring."""
    return " ".join((doc or "").split("\n\n", 1)[0].split())


def _bare(title: str) -> str:
    return title.translate(dict.fromkeys(map(ord, "".join(map("".join, bibtex.MARKUP.values())))))
