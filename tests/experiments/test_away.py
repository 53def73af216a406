"""Training elsewhere: what is packed here trains there, within its minutes, and comes back."""

import json
import os
import subprocess
import sys
import tarfile

import pytest

from experiments.datasets import DATASETS
from experiments.datasets.download import acquire
from tests.checkout import ROOT

AWAY = "experiments/scheduling/away.sh"
#: Stands for the other machine's Python: has every package, and no network to fetch a wheel.
PYTHON = f"""#!/bin/sh
case "$*" in
"-m pip download"*) mkdir -p "$WHEELS" && touch "$WHEELS/any.whl" ;;
"-m pip install"*) echo "$*" ;;
*) exec {sys.executable} "$@" ;;
esac
"""


def call(*command, **env):
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | env, capture_output=True, text=True, check=False
    )


@pytest.mark.pipeline
def test_a_run_is_packed_trained_elsewhere_and_brought_back(tmp_path):
    acquire(DATASETS["MNIST"])
    python, folder = tmp_path / "python", tmp_path / "away"
    python.write_text(PYTHON)
    python.chmod(0o755)
    env = {"PYTHON": str(python), "WHEELS": str(folder / "wheels")}
    packed = call(AWAY, folder, **env)
    assert packed.returncode == 0, packed.stderr
    names = (folder / "packages").read_text().split()
    assert any(name.startswith("pydantic-core==") for name in names)
    assert not any(name.startswith("torch==") for name in names)
    again = call(AWAY, folder, **env)
    assert (again.returncode, "name a new folder" in again.stderr) == (2, True)
    trained = call(folder / "run.sh", "5", "smoke --only LeNet.s0", "no-such-profile", **env)
    assert "--no-index" in trained.stdout and "wheels/any.whl" in trained.stdout
    assert "no-such-profile: ended with status 2" in trained.stderr
    with tarfile.open(folder / "records.tar.gz") as archive:
        assert "./smoke/LeNet.s0.json" in archive.getnames()
        record = json.load(archive.extractfile("./smoke/LeNet.s0.json"))
    assert record["status"] == "finished"
    assert record["environment"]["git_commit"] == call("git", "rev-parse", "HEAD").stdout.strip()


def test_how_it_is_used():
    said = call(AWAY).stdout
    assert said.startswith("Train on a machine") and "MINUTES" in said
