"""``python -m analysis``: from records to results, figures and tables as files."""

import os

if __name__ == "__main__":
    # One process per core: further threads for small matrices would only compete.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ["MPLBACKEND"] = "agg"  # notebooks set a backend that exists only there

import sys
import time
from pathlib import Path

from analysis import schema
from analysis.records import Records
from experiments.record import RESULTS
from experiments.support.arguments import add_study
from experiments.support.files import write_atomically
from models import UsageError
from models.cli import OneLineParser, run


def main() -> int:
    """Parse the command line and run the command; returns the exit status."""
    parser = OneLineParser(prog="python -m analysis", description=__doc__)
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help="draw these alone")
    parser.add_argument("--list", action="store_true", help="name the figures, tables, findings")
    add_study(parser, results=True)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where to write (analysis/out/PROFILE)"
    )
    arguments = parser.parse_args()
    if arguments.list:
        return _list()
    started = time.perf_counter()
    default = schema.folder_of(arguments.profile, arguments.dataset)
    folder: Path = arguments.results or RESULTS / default.name
    if arguments.results and not folder.is_dir():
        raise UsageError(f"{folder}: no such folder")
    name = folder.resolve().name if arguments.results else default.name
    out: Path = arguments.out or schema.OUT / name
    from analysis import results

    inputs = results.Inputs.read(folder)
    if arguments.figures:
        return _draw(inputs.records(), arguments.figures, out)
    if results.is_fresh(out, inputs.fingerprint()):
        made = schema.load(out)
        done = "up to date"
    else:
        made = results.make(inputs, out)
        seconds = time.perf_counter() - started
        done = f"{schema.RESULTS} and {len(made.files)} files in {seconds:.1f} s"
    beside = "".join(f", {len(other.files)} beside" for other in inputs.others.values())
    print(f"{folder} ({len(made.runs)} records{beside}) -> {out}: {done}")
    for line in made.refused:
        print(f"error: {line}; left out.", file=sys.stderr)
    return 0


def _draw(records: Records, names: list[str], out: Path) -> int:
    from analysis.figures import figures
    from analysis.render import draw

    if unknown := [name for name in names if name not in figures()]:
        raise UsageError(f"unknown figure {unknown[0]!r}; expected one of {', '.join(figures())}.")
    for name in names:
        entry, files = draw(name, records)
        for file, content in files.items():
            write_atomically(out / "figures" / file, content)
        shown = ", ".join(str(out / "figures" / file) for file in files)
        print(f"{len(entry.runs)} records -> {shown or 'nothing to draw'}")
    return 0


def _list() -> int:
    from analysis.evidence import Evidence
    from analysis.figures import figures
    from analysis.findings import evaluate
    from analysis.tables import Found, tables

    none = Records.parse(Path(), {})
    findings = evaluate(none)
    print("figures:", *figures())
    print("tables:", *tables(Found(Evidence(none), findings)))
    print("findings:", *findings)
    return 0


if __name__ == "__main__":
    run(main)
