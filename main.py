"""Train one network and report its accuracy: the original write-up's own command line.

python main.py --model ResNet18 --test

Options take several values, of which every combination is trained: --ratio 2,4,8 --seed 0,1.
"""

from __future__ import annotations

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
    parser.add_argument("--lr", type=several(float), help="peak learning rate (the profile's)")
    parser.add_argument(
        "--epochs", type=several(int), help="training epochs (the profile's; full: 10)"
    )
    parser.add_argument(
        "--residual", type=several(str), help=f"residual operator: {', '.join(models.OPERATORS)}"
    )
    parser.add_argument("--gr", type=several(int), help="growth rate (DenseNet)")
    parser.add_argument("--ratio", type=several(int), help="reduction ratio (SE networks)")
    parser.add_argument("--test", action="store_true", help="report on the test images")
    parser.add_argument("--no-bn", action="store_true", help="without batch normalisation")
    parser.add_argument(
        "--variant", type=several(str), help=f"bottlenecks: {', '.join(models.VARIANTS)}"
    )
    parser.add_argument("--recipe", help="original, or strong: warped images, averaged weights")
    parser.add_argument("--seed", type=several(int), help="random seed (0)")
    add_study(parser)
    parser.add_argument(
        "--report", choices=("yes", "no"), default="yes", help="refresh the report (yes)"
    )
    add_extras(parser)
    given = parser.parse_args()
    profile = study.profile_name(given.profile, given.dataset)
    plan = planned(given, profile)
    extras = chosen_extras(given.save, given.log)
    paths = [RESULTS / profile / f"{each.id}.json" for each in plan]
    code = supervise(plan, profile, again=True, extras=extras)
    if code:
        return code
    for path in paths:
        _tell(path, test=given.test)
    return 0 if given.report == "no" else refresh_report(profile)


def several(kind: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    """An argparse type for comma-separated values: ``2,4,8``. Repeated values count once."""

    def values(text: str) -> list[Any]:
        return list(dict.fromkeys(kind(part) for part in text.split(",")))

    values.__name__ = kind.__name__  # argparse's message names it
    return values


def planned(given: argparse.Namespace, profile: str) -> list[Any]:
    """The runs that the command line asks for: every combination of the options' values."""
    from experiments import study

    asked: dict[str, list[Any] | None] = {
        "residual": given.residual,
        "growth_rate": given.gr,
        "ratio": given.ratio,
        "variant": given.variant,
        "batch_norm": [False] if given.no_bn else None,
    }
    options = {key: values for key, values in asked.items() if values is not None}
    settings: dict[str, list[Any]] = {
        "epochs": given.epochs or [None],
        "learning_rate": given.lr or [None],
        "seed": given.seed or [None],
    }
    plan: dict[str, study.Planned] = {}
    for values in itertools.product(*options.values(), *settings.values()):
        chosen = dict(zip((*options, *settings), values, strict=True))
        config = study.load().config(
            profile,
            given.model,
            {key: chosen.pop(key) for key in options},
            recipe=given.recipe,
            **chosen,
        )
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
        status = subprocess.run(command, cwd=Path(__file__).parent, check=False).returncode
        if status:
            break
    return status


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
