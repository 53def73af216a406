"""``python -m experiments``: train what is missing or stale, list it, or print the JSON schema."""

import argparse
import json
import sys

from experiments import study
from experiments.record import RESULTS, schema
from experiments.scheduling.estimates import seconds
from experiments.scheduling.scheduler import Engine, cores, needed, supervise
from experiments.support.arguments import add_extras, add_study, chosen_extras
from experiments.training.state import NO_EXTRAS
from models.cli import OneLineParser, run
from models.errors import UsageError


def train(profile: str, given: argparse.Namespace) -> int:
    """Train what is missing or stale of a profile; returns the exit status."""
    plan = study.load().plan(profile)
    if given.only is not None:
        plan = _selected(plan, given.only)
    extras = chosen_extras(given.save, given.log)
    if given.engine == "local":
        return supervise(plan, profile, minutes=given.minutes, extras=extras)
    if given.minutes is not None or extras != NO_EXTRAS:
        raise UsageError("--minutes, --save, --log: of this machine only, not of a Ray cluster.")
    return supervise(plan, profile, engine=_cluster())


def _selected(plan: list[study.Planned], only: str) -> list[study.Planned]:
    wanted = [run.strip() for run in only.split(",")]
    known = [planned.id for planned in plan]
    for each in wanted:
        if each not in known:
            raise UsageError(f"--only {each}: expected runs of {', '.join(known)}.")
    return [planned for planned in plan if planned.id in wanted]


def _cluster() -> Engine:
    try:
        from experiments.scheduling.ray import on_a_cluster
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise UsageError(
            f"engine ray: Ray is not installed; run {sys.executable} -m pip install 'ray>=2.50'."
        ) from None
    return on_a_cluster


def status(profile: str, *, as_json: bool) -> int:
    """Print how many runs are fresh, which are missing or stale, and their expected times.

    In JSON the times are seconds of one core.
    """
    plan = study.load().plan(profile)
    reasons = needed(plan, RESULTS / profile)
    costs = {p.id: seconds(p.config) for p in plan if p.id in reasons}
    if as_json:
        runs = [
            {"run": name, "reason": reasons[name], "core_seconds": cost}
            for name, cost in costs.items()
        ]
        content = {"profile": profile, "runs": len(plan), "cores": cores(), "to_train": runs}
        print(json.dumps(content, indent=2))
        return 0
    print(f"profile {profile}: {len(plan) - len(costs)} of {len(plan)} runs are fresh")
    for name, cost in costs.items():
        print(f"  {name:<28} {reasons[name]:<10} about {cost:,.0f} s of one core")
    if costs:
        total = max(sum(costs.values()) / cores(), *costs.values())
        print(f"to train: about {total / 60:,.1f} minutes on {cores()} cores")
    return 0


def main() -> int:
    """Parse the command line and run the command; returns the exit status."""
    parser = OneLineParser(prog="python -m experiments", description=__doc__)
    parser.add_argument("command", choices=("train", "status", "schema"))
    add_study(parser)
    parser.add_argument("--only", metavar="RUN[,RUN…]", help="train only these runs, by their ids")
    parser.add_argument(
        "--minutes",
        type=float,
        metavar="M",
        help="train for M minutes at most: no run is started that would end later",
    )
    parser.add_argument(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="train on this machine (local), or as tasks of a running Ray cluster",
    )
    add_extras(parser)
    parser.add_argument("--json", action="store_true", help="status as JSON, for programs")
    arguments = parser.parse_args()
    if arguments.minutes is not None and not arguments.minutes > 0:
        parser.error("--minutes: expected a positive number")
    if arguments.command == "schema":
        print(json.dumps(schema(), indent=2))
        return 0
    profile = study.profile_name(arguments.profile, arguments.dataset)
    if arguments.command == "train":
        return train(profile, arguments)
    return status(profile, as_json=arguments.json)


if __name__ == "__main__":
    run(main)
