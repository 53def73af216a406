"""``python -m report``: build, watch or lint the report, list its names, fill the READMEs."""

from __future__ import annotations

import os
import signal

if __name__ == "__main__":  # Ctrl-C while the modules below load: an end without a traceback
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # The processes of a build share the cores; threads for small matrices would fight over them.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import gc
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from pathlib import Path

from experiments import study
from experiments.datasets import DATASETS
from experiments.record import RESULTS
from experiments.stopping import Stopped, stoppable
from experiments.storage import explain
from models import UsageError
from models.command_line import OneLineParser
from report.errors import ROOT, TEMPLATES, ReportError

OUT = ROOT / "report" / "out"


def _arguments() -> argparse.Namespace:
    parser = OneLineParser(prog="python -m report", description=__doc__)
    commands = ("build", "watch", "lint", "names", "readme")
    parser.add_argument("command", nargs="?", default="build", choices=commands)
    parser.add_argument(
        "--profile",
        help="a profile of study.toml (quick; with a GPU: full)",
    )
    parser.add_argument("--dataset", help=", ".join(DATASETS))
    parser.add_argument(
        "--results", type=Path, metavar="DIR", help="the records (experiments/results/PROFILE)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where to write (report/out/PROFILE)"
    )
    parser.add_argument(
        "--strict", action="store_true", help="refuse a folder that holds a bad record"
    )
    parser.add_argument("--only", choices=("html",), help="no PDFs, no exports")
    parser.add_argument("--port", type=int, default=8000, help="of watch (8000)")
    return parser.parse_args()


def main() -> int:
    """Parse the command line and do it."""
    # A build makes millions of objects and then ends: collecting them would take a third of it.
    gc.disable()
    arguments = _arguments()
    try:
        # watchfiles sees to Ctrl-C itself
        with nullcontext() if arguments.command == "watch" else stoppable():
            return _run(arguments)
    except Stopped as stopped:
        print("stopped: every file is whole, the same command makes the rest.", file=sys.stderr)
        return stopped.status
    except UsageError as error:
        message = str(error)
    except OSError as error:
        message = explain(error)
    except (MemoryError, BrokenProcessPool):
        message = "a process was killed (out of memory?); give the same command again."
    print(f"error: {message}", file=sys.stderr)
    return 2


def _run(arguments: argparse.Namespace) -> int:
    if arguments.command == "lint":
        from report.lint import lint

        return lint()
    profile = study.profile_name(arguments.profile, arguments.dataset)
    stamp = os.environ.get("SOURCE_DATE_EPOCH")
    if stamp is not None and not (stamp.isdecimal() and len(stamp) < 12):
        raise ReportError(f"SOURCE_DATE_EPOCH is {stamp!r}, expected seconds since 1970")
    study.load().profile(profile)  # one line about an unknown one
    results: Path = arguments.results or RESULTS / profile
    if arguments.results and not results.is_dir():
        raise ReportError(f"{results}: no such folder")
    # another folder's report does not replace one's own
    out: Path = arguments.out or OUT / (results.resolve().name if arguments.results else profile)
    if arguments.command == "watch":
        from report.watch import watch

        gc.enable()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return watch(results, arguments.port)
    if arguments.command == "names":
        from report.names import listing

        print("\n".join(listing(results)))
        return 0
    if arguments.command == "readme":
        from report import readme

        print(", ".join(readme.write(results, ROOT)) or "up to date")
        return 0
    started = time.perf_counter()
    refused: tuple[str, ...] = ()
    from report.build import build

    def ready() -> None:
        seconds = time.perf_counter() - started
        print(f"{out}: HTML and PDFs in {seconds:.1f} s; figures and tables follow", flush=True)

    only_html = arguments.only == "html"
    built = build(results, out, strict=arguments.strict, only_html=only_html, ready=ready)
    refused = built.material.records.refused if built.material else ()
    written = list(built.files)
    seconds = time.perf_counter() - started
    print(f"{out}: {len(written)} files in {seconds:.1f} s" if written else f"{out}: up to date")
    if written:
        from report.citations import faults

        for line in faults(TEMPLATES / "references.bib"):
            print(f"note: {line}", file=sys.stderr)
    for line in refused:
        print(f"error: {line}; the report was built without it.", file=sys.stderr)
    return 2 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
