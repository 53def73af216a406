"""Tables and figures as files of their own, ready for a paper."""

from __future__ import annotations

from pathlib import Path

from experiments.storage import write_atomically
from report import figures, pdf
from report.document import plain
from report.errors import TEMPLATES
from report.inputs import Stamp, material_key, only_writer
from report.macros import Writer
from report.material import Material, load, workers
from report.numbers import LANGS, Lang
from report.sections import discover
from report.tables import Context, as_csv, as_latex


def tables(made: Material, out: Path) -> list[str]:
    """Write every table as CSV, and as LaTeX in each language; returns the files' names."""
    written: dict[str, str] = {
        f"tables/{name}.csv": as_csv(table) for name, table in made.tables.items()
    }
    for lang in LANGS:
        context = _plain_context(made, lang)
        for name, table in made.tables.items():
            written[f"tables/{name}.{lang}.tex"] = as_latex(table, context)
    for name, text in written.items():
        write_atomically(out / name, text)
    return list(written)


def _plain_context(made: Material, lang: Lang) -> Context:
    """What cells need, as text."""
    writer = Writer(TEMPLATES, lang, pdf=True, material=made, sections=discover(TEMPLATES))
    return Context(
        lang,
        writer.labels,
        lambda name: plain(writer.slots.fill(writer.claim(name))),
        str,  # what an effect is, only the page and the PDFs say
        lambda verdict: writer.labels(f"verdict_{verdict}"),
        frozenset(),
    )


def drawings(made: Material, out: Path) -> list[str]:
    """Write every figure as SVG in each language; returns the files' names."""
    written = []
    for name, art in made.figures.items():
        for lang, svg in art.svg.items():
            file = f"figures/{name}.{lang}.svg"
            write_atomically(out / file, svg)
            written.append(file)
    return written


def export(results: Path, out: Path) -> list[str]:
    """Write every figure as SVG, PDF and PNG, unless they are there; returns what was written."""
    stamp = Stamp(out, "figures")
    if stamp.fresh(material_key(results)):
        return []
    with only_writer(out):
        key = material_key(results)
        return [] if stamp.fresh(key) else _export_all(results, out, stamp, key)


def _export_all(results: Path, out: Path, stamp: Stamp, key: str) -> list[str]:
    made = load(results)
    written = drawings(made, out)
    with workers() as pool:
        jobs = [pool.submit(_export, made, name, out) for name in made.figures]
        written += [file for job in jobs for file in job.result()]
    if material_key(results) == key:  # else a record came in meanwhile
        stamp.write(key, written)
    return written


def _export(made: Material, name: str, out: Path) -> list[str]:
    from analysis.figures import figures as modules

    module = modules()[name]
    written = []
    for lang, svg in made.figures[name].svg.items():
        write_atomically(out / f"figures/{name}.{lang}.pdf", _page(svg))
        bitmap = figures.png(module, made.records, made.findings, lang)
        write_atomically(out / f"figures/{name}.{lang}.png", bitmap)
        written += [f"figures/{name}.{lang}.pdf", f"figures/{name}.{lang}.png"]
    return written


def _page(svg: str) -> bytes:
    """A PDF as large as the drawing, its text kept and its fonts embedded."""
    width, height = figures.size(svg)
    style = (
        f"@page {{ size: {width}pt {height}pt; margin: 0 }} "
        "body { margin: 0 } svg { display: block }"
    )
    return pdf.typeset(f"<style>{style}</style>{svg}", {})
