"""``python -m experiments.versions accept``: does the code still give the recorded results?

It trains short runs on this machine, with the code of the commit that last wrote the lock and with
the present code. It renews the lock only if every field but times and environment is identical.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from experiments.record import Record, read
from experiments.verification.retrain import differences
from experiments.versions import declared, lock
from models.cli import OneLineParser, run

#: Runs of the profile ``smoke`` that cover every family, both block types, every operator with
#: separate code, and the SE blocks.
RUNS = (
    "LeNet",
    "AlexNet",
    "ResNet18",
    "ResNet18-mul",
    "PlainNet18",
    "ResNet50",
    "DenseNet",
    "SEResNet18",
    "SEAlexNet",
)


def main() -> int:
    """Parse the command line and run the command; returns the exit status."""
    parser = OneLineParser(prog="python -m experiments.versions", description=__doc__)
    parser.add_argument("command", choices=("accept",))
    parser.parse_args()
    changed = lock.changed()
    if not changed:
        print("the lock is up to date")
        return 0
    print(f"changed: {', '.join(sorted(changed))}; training {len(RUNS)} short runs twice")
    return _accept()


def _accept() -> int:
    base = _git("log", "-1", "--format=%H", "--", str(lock.LOCK))
    present = _git("stash", "create") or "HEAD"  # a commit of the uncommitted changes, if any
    try:
        with tempfile.TemporaryDirectory() as folder:
            before = _trained(Path(folder) / "old", base)
            after = _trained(Path(folder) / "new", present)
    finally:
        _git("worktree", "prune")
    return _judge(before, after)


def _judge(before: dict[str, Record], after: dict[str, Record]) -> int:
    known = set(declared()["probes"])
    differ = 0
    for name, record in after.items():
        old = before[name].model_dump(mode="json", exclude={"fingerprint"})
        new = record.model_dump(mode="json", exclude={"fingerprint"})
        for item in (old, new):
            item["probes"].pop("versions", None)
        found = [line for line in differences(old, new) if not _is_new(line, old, known)]
        differ += bool(found)
        print(f"{name}: {'; '.join(found[:3]) if found else 'identical'}")
    if differ:
        print("error: results differ: raise the version of what has changed", file=sys.stderr)
        return 2
    lock.renew()
    print(f"renewed {lock.LOCK.relative_to(lock.ROOT)}")
    return 0


def _is_new(line: str, old: dict[str, object], probes: set[str]) -> bool:
    """Whether a difference is a probe that the older code did not take."""
    name = line.partition(":")[0].removeprefix("probes.").split(".")[0]
    holder = old if name in old else old["probes"]
    assert isinstance(holder, dict)
    return name in probes and not holder.get(name)


def _trained(tree: Path, commit: str) -> dict[str, Record]:
    _git("worktree", "add", "--detach", str(tree), commit)
    command = [sys.executable, "-m", "experiments", "train", "--profile", "smoke"]
    subprocess.run(command, cwd=tree, check=True)
    folder = tree / "experiments" / "results" / "smoke"
    return {run: read(folder / f"{run}.s0.json") for run in RUNS}


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=lock.ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


if __name__ == "__main__":
    run(main)
