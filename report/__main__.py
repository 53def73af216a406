"""``python -m report``: build, watch, lint or hand in the report, list names, fill READMEs."""

import argparse
import gc
import os
import sys
import time
from pathlib import Path

from models.cli import OneLineParser, run
from report.base.errors import ROOT, TEMPLATES, ReportError, for_each

OUT = ROOT / "report" / "out"


def _arguments() -> argparse.Namespace:
    from analysis.schema import LANGS
    from report.documents.pandoc_html import FORMATS

    parser = OneLineParser(prog="python -m report", description=__doc__)
    commands = ("build", "watch", "lint", "names", "readme", "handin")
    parser.add_argument("command", nargs="?", default="build", choices=commands)
    parser.add_argument("--profile", help="a profile of study.toml (quick; with a GPU: full)")
    parser.add_argument("--dataset", help="MNIST, or another data set of the study")
    parser.add_argument(
        "--source", type=Path, metavar="DIR", help="the results (analysis/out/PROFILE)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where to write (report/out/PROFILE)"
    )
    parser.add_argument("--only", choices=("html",), help="no PDFs, no tables")
    parser.add_argument("--format", default="docx", choices=FORMATS, help="of handin (docx)")
    parser.add_argument("--lang", choices=LANGS, help="of handin (both)")
    parser.add_argument("--port", type=int, default=8000, help="of watch (8000)")
    return parser.parse_args()


def main() -> int:
    """Parse the command line and run the command; returns the exit status."""
    # Garbage collection would take a third of a build, which ends soon and frees its memory.
    gc.disable()
    from analysis import schema

    arguments = _arguments()
    if arguments.command == "lint":
        from report.lint import lint

        return lint()
    stamp = os.environ.get("SOURCE_DATE_EPOCH")
    if stamp is not None and not (stamp.isdecimal() and len(stamp) < 12):
        raise ReportError(f"SOURCE_DATE_EPOCH is {stamp!r}, expected seconds since 1970")
    source: Path = arguments.source or schema.folder_of(arguments.profile, arguments.dataset)
    if arguments.command == "watch":
        from report.watch import watch

        gc.enable()
        return watch(source, arguments.port)
    if arguments.command == "names":
        from report.names import listing

        print(*listing(source), sep="\n")
        return 0
    if arguments.command == "readme":
        from report.documents import readme

        print(", ".join(readme.write(source, ROOT)) or "up to date")
        return 0
    out: Path = arguments.out or OUT / source.resolve().name
    if arguments.command == "handin":
        from report.documents import handin

        langs = [arguments.lang] if arguments.lang else schema.LANGS
        written = for_each(lambda lang: handin.write(source, out, arguments.format, lang), langs)
        print(*(out / name for name in written), sep="\n")
        return 0
    return _build(source, out, only_html=arguments.only == "html")


def _build(source: Path, out: Path, *, only_html: bool) -> int:
    from report.blocks.citations import faults
    from report.build import build
    from report.lint import unsupported
    from report.pdf_engine import printing

    started = time.perf_counter()
    results, written = build(source, out, only_html=only_html)
    seconds = time.perf_counter() - started
    print(f"{source} -> {out}: {len(written)} files in {seconds:.1f} s")
    notes = [*faults(TEMPLATES / "references.bib"), *unsupported()]
    if not only_html:
        notes += printing.faults(TEMPLATES / "style" / "custom.css")
    for line in notes:
        print(f"note: {line}", file=sys.stderr)
    for line in results.refused:
        print(f"error: {line}; the report was built without it.", file=sys.stderr)
    return 2 if results.refused else 0


if __name__ == "__main__":
    run(main)
