"""Train one network and report its accuracy: the original write-up's own command line.

python main.py --model ResNet18 --test
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

VENV_PYTHON = Path(__file__).parent / ".venv" / "bin" / "python"


def main() -> int:
    """Parse the command line, train, print the accuracy and refresh the report."""
    import models
    from experiments import study
    from experiments.datasets import DATASETS
    from experiments.record import RESULTS, read
    from experiments.scheduling.scheduler import supervise
    from models.cli import OneLineParser

    parser = OneLineParser(prog="main.py", description=__doc__)
    parser.add_argument("--model", required=True, help=", ".join(models.NETWORKS))
    parser.add_argument("--lr", type=float, help="peak learning rate (the profile's)")
    parser.add_argument("--epochs", type=int, help="training epochs (the profile's; full: 10)")
    parser.add_argument("--residual", help=f"residual operator: {', '.join(models.OPERATORS)}")
    parser.add_argument("--gr", type=int, help="growth rate (DenseNet)")
    parser.add_argument("--ratio", type=int, help="reduction ratio (SE networks)")
    parser.add_argument("--test", action="store_true", help="report on the test images")
    parser.add_argument("--no-bn", action="store_true", help="without batch normalisation")
    parser.add_argument("--variant", help=f"bottlenecks: {', '.join(models.VARIANTS)}")
    parser.add_argument("--recipe", help="original, or strong: warped images, averaged weights")
    parser.add_argument("--seed", type=int, help="random seed (0)")
    parser.add_argument("--profile", help="a profile of study.toml (quick; with a GPU: full)")
    parser.add_argument("--dataset", help=f"{', '.join(DATASETS)} (MNIST)")
    given = parser.parse_args()
    profile = study.profile_name(given.profile, given.dataset)
    asked = {
        "residual": given.residual,
        "growth_rate": given.gr,
        "ratio": given.ratio,
        "variant": given.variant,
        "batch_norm": False if given.no_bn else None,
    }
    options = {key: value for key, value in asked.items() if value is not None}
    config = study.load().config(
        profile,
        given.model,
        options,
        epochs=given.epochs,
        learning_rate=given.lr,
        recipe=given.recipe,
        seed=given.seed,
    )
    run = study.load().run_id(profile, config)
    code = supervise([study.Planned(run, config, ())], profile, again=True)
    if code:
        return code
    path = RESULTS / profile / f"{run}.json"
    record = read(path)
    result = record.test if given.test else record.validation
    if result is None:
        print(f"{run}: {record.status}; no accuracy. Record: {path}")
    else:
        split = "test" if given.test else "validation"
        print(
            f"{run}: {split} accuracy {result.accuracy:.2%} on {result.images:,} images, "
            f"loss {result.loss:.4f}. Record: {path}"
        )
    return refresh_report(profile)


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
