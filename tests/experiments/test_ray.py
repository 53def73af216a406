"""Runs as tasks of a Ray cluster: a real one, of several node processes on this machine."""

import contextlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from ray.cluster_utils import Cluster

from experiments import study
from experiments.record import read
from experiments.scheduling import estimates as costs
from experiments.scheduling.progress import Display
from experiments.scheduling.ray import RETRIES, on_a_cluster
from models import UsageError
from tests.checkout import QUICKEST, copy_of_checkout, results, start, timeless
from tests.fault_kit import TRAIN, until


def run_processes():
    """The processes in which Ray executes runs: process id -> (run, the id of its node)."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            title = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if match := re.fullmatch(r"ray::(\w+\.s0)", title):
                found[int(folder.name)] = (match[1], parent)
    return found


@pytest.fixture(scope="module")
def cluster():
    """A head without cores, where the driver runs, and two nodes of one core each."""
    with (
        tempfile.TemporaryDirectory(prefix="ray") as folder,  # paths of sockets must be short
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("RAY_TMPDIR", folder)
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        head = {"num_cpus": 0, "include_dashboard": False}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        patch.setenv("RAY_ADDRESS", cluster.address)
        for _ in range(2):
            cluster.add_node(num_cpus=1)
        yield cluster
        cluster.shutdown()


@pytest.fixture
def small(tmp_path):
    """A copy of the checkout whose study has three small runs, ResNet18 the longest of them."""
    checkout = copy_of_checkout(tmp_path / "checkout", *QUICKEST)
    path = checkout / "experiments" / "study.toml"
    path.write_text(path.read_text() + "\n[profile.smoke.network.ResNet18]\nepochs = 4\n")
    return checkout


@pytest.mark.soak
@pytest.mark.pipeline
def test_a_lost_node_costs_no_record_and_the_records_are_the_local_ones(cluster, small):
    log = small / "log"
    with log.open("w") as file:
        driver = subprocess.Popen(
            [sys.executable, *TRAIN, "--engine", "ray"], cwd=small, stdout=file, stderr=file
        )
    assert until(lambda: "ResNet18.s0: epoch 1" in log.read_text())
    place = next(node for run, node in run_processes().values() if run == "ResNet18.s0")
    raylets = {n.all_processes["raylet"][0].process.pid: n for n in cluster.worker_nodes}
    cluster.remove_node(raylets[place], allow_graceful=False)
    try:
        assert driver.wait(timeout=200) == 0, log.read_text()
    finally:
        cluster.add_node(num_cpus=1)
    said = log.read_text()
    assert "nodes: 3, CPU cores: 2, GPUs: 0" in said
    assert "ResNet18.s0: its node or its process was lost; it starts again" in said
    assert said.count("test accuracy") == len(QUICKEST)
    names = {path.name for path in results(small).iterdir()}
    assert names == {".lock", *(f"{run}.json" for run in QUICKEST)}
    assert not list(small.glob("experiments/checkpoints/*/*"))
    assert until(lambda: not run_processes(), 20)

    paths = [results(small) / f"{run}.json" for run in QUICKEST]
    distributed = [(timeless(path), read(path).environment) for path in paths]
    shutil.rmtree(results(small))
    local = start(small, *TRAIN)
    assert local.wait(timeout=200) == 0
    assert [(timeless(path), read(path).environment) for path in paths] == distributed

    # With nothing to do, no cluster is asked.
    again = start(small, *TRAIN, "--engine", "ray")
    assert again.communicate(timeout=60) == ("", "")
    assert again.returncode == 0


@pytest.mark.soak
@pytest.mark.pipeline
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.usefixtures("cluster")
def test_a_stop_ends_the_tasks_and_what_is_finished_is_safe(small, stop):
    driver = start(small, *TRAIN, "--engine", "ray")
    assert until(lambda: list(results(small).glob("*.json")))
    assert until(run_processes)
    driver.send_signal(stop)
    stopped = time.monotonic()
    _, said = driver.communicate(timeout=60)
    assert driver.returncode == 128 + stop, said
    assert time.monotonic() - stopped < 10
    assert re.search(r"stopped: [12] of 3 runs are finished and safe", said)
    assert "Traceback" not in said
    assert until(lambda: not run_processes(), 10)


@pytest.mark.soak
@pytest.mark.pipeline
@pytest.mark.usefixtures("cluster")
def test_a_run_whose_process_keeps_dying_is_given_up_and_the_others_go_on(small):
    path = small / "experiments" / "scheduling" / "worker.py"
    dies = "\n    if job.config.network == 'DenseNet':\n        os._exit(9)\n    last = 0.0\n"
    path.write_text(path.read_text().replace("\n    last = 0.0\n", dies))
    driver = start(small, *TRAIN, "--engine", "ray")
    _, said = driver.communicate(timeout=300)
    assert driver.returncode == 1, said
    assert said.count("DenseNet.s0: its node or its process was lost") == RETRIES
    assert re.search(r"^DenseNet\.s0 failed: .*worker died", said, re.MULTILINE)
    assert {path.stem for path in results(small).glob("*.json")} == set(QUICKEST) - {"DenseNet.s0"}


def test_without_a_cluster_here_one_line_says_how_to_start_one(monkeypatch):
    def none(*_, **__):
        raise ConnectionError("Could not find any running Ray instance.")

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr("ray.init", none)
    with Display() as display, pytest.raises(UsageError, match="ray start --head"):
        on_a_cluster([], "smoke", display)


def test_small_networks_share_a_gpu_and_large_ones_have_one():
    def share(profile, network):
        return costs.gpu_share(study.load().config(profile, network, {}))

    assert share("full", "LeNet") == 1 / 8
    assert share("quick", "ResNet18") == 1 / 8
    assert share("full", "ResNet101") == 1


def test_every_run_asks_for_as_much_memory_as_was_seen_to_suffice():
    # Peaks of resident memory in `standard`, one core (bytes).
    seen = {"LeNet": 816e6, "ResNet18": 1159e6, "AlexNet": 1882e6, "ResNet101": 3570e6}
    for network, peak in seen.items():
        asked = costs.memory(study.load().config("standard", network, {}))
        assert peak < asked < 1.5 * peak
