"""The Git checkout that the code comes from."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def commit() -> tuple[str | None, bool | None]:
    """The Git commit, and whether tracked files other than records differ from it; None where
    unknown."""
    changes = _git("status", "--porcelain", "-uno", "--", ":/", ":!/experiments/results")
    return _git("rev-parse", "HEAD"), None if changes is None else bool(changes)


def _git(*arguments: str) -> str | None:
    """The output of a Git command; None if it fails. The checkout may belong to another user."""
    command = ["git", "-c", f"safe.directory={ROOT}", *arguments]
    # A Git hook sets these for its own repository.
    foreign = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
    environment = {name: value for name, value in os.environ.items() if name not in foreign}
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
