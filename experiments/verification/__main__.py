"""``python -m experiments.verification RUN``: check a record and train its run again; with ``all``,
check every record of the profile, without training."""

import sys
from pathlib import Path

from experiments import study
from experiments.record import RESULTS, Epoch, Record, RecordError, read
from experiments.support.arguments import add_study
from experiments.verification.checks import problems
from experiments.verification.retrain import compare, retrain, seeds_of
from models.cli import OneLineParser, run
from models.errors import UsageError


def verify(name: str, folder: Path) -> int:
    """Check one record of a folder and train its run again; returns the exit status."""
    path = folder / f"{name}.json"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("[!.]*.json")))
        raise UsageError(
            f"no record {name!r} in {folder}; expected all or one of "
            f"{known or 'none: there are no records'}."
        )
    record = consistent(path)
    if record is None:
        return 1
    if record.status == "failed":
        print(f"{name}: the run failed ({record.reason}); there is nothing to verify")
        return 1
    print(f"{name}: consistent; training it again", file=sys.stderr)

    def on_epoch(epoch: Epoch) -> None:
        print(f"{name}: epoch {epoch.epoch} of {record.config.epochs}", file=sys.stderr)

    found = compare(record, retrain(record, on_epoch), seeds_of(record, folder))
    print(f"{name}: {found.verdict}: {found.why}")
    return 1 if found.verdict == "differs" else 0


def verify_all(folder: Path) -> int:
    """Check every record of a folder without training; returns the exit status."""
    paths = sorted(folder.glob("[!.]*.json"))
    if not paths:
        raise UsageError(f"there are no records in {folder}.")
    good = sum(consistent(path) is not None for path in paths)
    print(f"{folder.name}: {good} of {len(paths)} records are consistent")
    return 0 if good == len(paths) else 1


def consistent(path: Path) -> Record | None:
    """The record of a file; None after printing its contradictions, if there are any."""
    try:
        record = read(path)
    except RecordError as error:
        print(error)
        return None
    found = problems(record)
    for problem in found:
        print(f"{path.name}: {problem}")
    return None if found else record


def main() -> int:
    """Parse the command line and run the command; returns the exit status."""
    parser = OneLineParser(prog="python -m experiments.verification", description=__doc__)
    parser.add_argument("run", help="id of a recorded run, such as LeNet.s0, or all")
    add_study(parser, results=True)
    arguments = parser.parse_args()
    profile = study.profile_name(arguments.profile, arguments.dataset)
    study.load().profile(profile)  # raises for an unknown profile, even with --results
    folder = arguments.results or RESULTS / profile
    return verify_all(folder) if arguments.run == "all" else verify(arguments.run, folder)


if __name__ == "__main__":
    run(main)
