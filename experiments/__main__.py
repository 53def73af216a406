"""``python -m experiments``: train what is missing or stale, say what that is, print the schema."""

from __future__ import annotations

import json
import signal
import sys

if __name__ == "__main__":  # Ctrl-C while the modules below load: an end without a traceback
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from experiments import study
from experiments.costs import seconds
from experiments.datasets import DATASETS
from experiments.engine import Supervise, Unwritable, cores, needed, train_all
from experiments.record import RESULTS, schema
from experiments.stopping import Stopped, stoppable
from experiments.storage import explain
from models import UsageError
from models.command_line import OneLineParser


def train(profile: str, engine: str) -> int:
    """Train what is missing or stale of a profile; returns the exit status."""
    plan = study.load().plan(profile)
    return supervise(plan, profile, engine=_cluster() if engine == "ray" else None)


def _cluster() -> Supervise:
    try:
        from experiments.ray_engine import on_a_cluster
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise UsageError(
            f"engine ray: Ray is not installed; run {sys.executable} -m pip install 'ray>=2.50'."
        ) from None
    return on_a_cluster


def supervise(
    plan: list[study.Planned],
    profile: str,
    *,
    again: bool = False,
    engine: Supervise | None = None,
) -> int:
    """Train a plan, here or by another engine, and say how it ended; returns the exit status."""
    from experiments.acquire import DataError

    try:
        with stoppable():
            outcome = train_all(plan, profile, again=again, supervise=engine)
    except Stopped as stopped:
        line = f"{_safe(plan, profile)}; the same command goes on where this one ended."
        print(f"stopped: {line}", file=sys.stderr)
        return stopped.status
    except Unwritable as error:
        print(f"error: {error} {_safe(plan, profile)}.", file=sys.stderr)
        return 2
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: {explain(error)}", file=sys.stderr)
        return 2
    for run, reason in outcome.failed.items():
        print(f"{run} failed: {reason}", file=sys.stderr)
    return 1 if outcome.failed else 0


def _safe(plan: list[study.Planned], profile: str) -> str:
    done = len(plan) - len(needed(plan, RESULTS / profile))
    return f"{done} of {len(plan)} runs are finished and safe"


def status(profile: str) -> int:
    """Say what is fresh, what is missing or stale, and how long it should take."""
    plan = study.load().plan(profile)
    todo = needed(plan, RESULTS / profile)
    print(f"profile {profile}: {len(plan) - len(todo)} of {len(plan)} runs are fresh")
    if todo:
        costs = {p.id: seconds(p.config) for p in plan if p.id in todo}
        for run, reason in todo.items():
            print(f"  {run:<28} {reason:<10} about {costs[run]:,.0f} s of one core")
        total = max(sum(costs.values()) / cores(), *costs.values())
        print(f"to train: about {total / 60:,.1f} minutes on {cores()} cores")
    return 0


def status_json(profile: str) -> int:
    """Print what ``status`` says as JSON; times are seconds of one core."""
    plan = study.load().plan(profile)
    todo = needed(plan, RESULTS / profile)
    runs = [
        {"run": planned.id, "reason": todo[planned.id], "core_seconds": seconds(planned.config)}
        for planned in plan
        if planned.id in todo
    ]
    said = {"profile": profile, "runs": len(plan), "cores": cores(), "to_train": runs}
    print(json.dumps(said, indent=2))
    return 0


def main() -> int:
    """Parse the command line and do it."""
    parser = OneLineParser(prog="python -m experiments", description=__doc__)
    parser.add_argument("command", choices=("train", "status", "schema"))
    parser.add_argument("--profile", help="a profile of study.toml (quick; with a GPU: full)")
    parser.add_argument("--dataset", help=", ".join(DATASETS))
    parser.add_argument(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="train on this machine (local), or as tasks of a running Ray cluster",
    )
    parser.add_argument("--json", action="store_true", help="status as JSON, for programs")
    arguments = parser.parse_args()
    if arguments.command == "schema":
        print(json.dumps(schema(), indent=2))
        return 0
    try:
        profile = study.profile_name(arguments.profile, arguments.dataset)
        if arguments.command == "train":
            return train(profile, arguments.engine)
        return status_json(profile) if arguments.json else status(profile)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
