"""Train one network and report its accuracy: the original write-up's own command line.

python main.py --model ResNet18 --test

Options take several values, of which every combination is trained: --ratio 2,4,8 --seed 0,1.
"""

import argparse
import importlib.util
import itertools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

VENV_PYTHON = Path(__file__).parent / ".venv" / "bin" / "python"


def main() -> int:
    """Parse the command line, train, print the accuracy and refresh the report."""
    import models
    from experiments import study
    from experiments.record import RESULTS
    from experiments.scheduling.scheduler import supervise
    from experiments.support.arguments import add_extras, add_study, chosen_extras
    from models.cli import OneLineParser

    parser = OneLineParser(prog="main.py", description=__doc__)
    parser.add_argument("--model", required=True, help=", ".join(models.NETWORKS))
    for flag, name, kind, meaning in (
        ("--lr", "learning_rate", float, "peak learning rate (the profile's)"),
        ("--epochs", "epochs", int, "training epochs (the profile's; full: 10)"),
        ("--residual", "residual", str, f"residual operator: {', '.join(models.OPERATORS)}"),
        ("--gr", "growth_rate", int, "growth rate (DenseNet)"),
        ("--ratio", "ratio", int, "reduction ratio (SE networks)"),
        ("--variant", "variant", str, f"bottlenecks: {', '.join(models.VARIANTS)}"),
        ("--seed", "seed", int, "random seed (0)"),
    ):
        parser.add_argument(flag, dest=name, type=several(kind), help=meaning)
    parser.add_argument("--test", action="store_true", help="report on the test images")
    without = "without batch normalisation"
    parser.add_argument(
        "--no-bn", dest="batch_norm", action="append_const", const=False, help=without
    )
    parser.add_argument("--recipe", help="original, or strong: warped images, averaged weights")
    add_study(parser)
    parser.add_argument(
        "--report", choices=("yes", "no"), default="yes", help="refresh the report (yes)"
    )
    add_extras(parser)
    given = parser.parse_args()
    profile = study.profile_name(given.profile, given.dataset)
    plan = planned(given, profile)
    extras = chosen_extras(given.save, given.log)
    if status := supervise(plan, profile, again=True, extras=extras):
        return status
    for run in plan:
        _tell(RESULTS / profile / f"{run.id}.json", test=given.test)
    return 0 if given.report == "no" else refresh_report(profile)


def several(kind: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    """An argparse type for comma-separated values: ``2,4,8``. Repeated values count once."""

    def values(text: str) -> list[Any]:
        return list(dict.fromkeys(kind(part) for part in text.split(",")))

    values.__name__ = kind.__name__  # argparse's message names it
    return values


def planned(given: argparse.Namespace, profile: str) -> list[Any]:
    """The runs that the command line asks for: every combination of the options' values."""
    import models
    from experiments import study

    names = (*models.DEFAULTS, "epochs", "learning_rate", "seed")
    asked = {name: values for name in names if (values := getattr(given, name, None))}
    plan: dict[str, study.Planned] = {}
    for values in itertools.product(*asked.values()):
        chosen = dict(zip(asked, values, strict=True))
        options = {name: chosen.pop(name) for name in models.DEFAULTS if name in chosen}
        config = study.load().config(profile, given.model, options, recipe=given.recipe, **chosen)
        run = study.load().run_id(profile, config)
        plan[run] = study.Planned(run, config)
    return list(plan.values())


def _tell(path: Path, *, test: bool) -> None:
    """Print a record's accuracy."""
    from experiments.record import read

    record = read(path)
    run, split = record.id, "test" if test else "validation"
    result = record.test if test else record.validation
    if result is None:
        print(f"{run}: {record.status}; no accuracy. Record: {path}")
        return
    print(
        f"{run}: {split} accuracy {result.accuracy:.2%} on {result.images:,} images, "
        f"loss {result.loss:.4f}. Record: {path}"
    )


def refresh_report(profile: str) -> int:
    """Analyse the records of a profile and build its report; returns the exit status."""
    import subprocess

    for stage in ("analysis", "report"):
        command = [sys.executable, "-m", stage, "--profile", profile]
        done = subprocess.run(command, cwd=Path(__file__).parent, check=False)
        if done.returncode:
            return done.returncode
    return 0


def inside_venv() -> None:
    """Restart in the project's virtual environment where this interpreter lacks torch."""
    if importlib.util.find_spec("torch") and importlib.util.find_spec("pydantic"):
        return
    if not VENV_PYTHON.exists() or Path(sys.prefix) == VENV_PYTHON.parent.parent:
        print("error: torch is not installed; run `make setup` first.", file=sys.stderr)
        raise SystemExit(2)
    os.execv(VENV_PYTHON, [str(VENV_PYTHON), *sys.argv])


if __name__ == "__main__":
    inside_venv()
    from models.cli import run

    run(main)
