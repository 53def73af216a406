"""Train runs as tasks of an existing Ray cluster: Ray schedules, retries and logs them.

This process, the driver, sends code and data to the nodes and writes each record as it arrives. A
node needs the Python packages, but no shared disk and no internet access. ``docs/cluster.md``
describes how to start a cluster.
"""

import logging
import os
import signal
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.queue import Queue
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from experiments.config import Config
from experiments.datasets import splits
from experiments.record import RESULTS, Record, write
from experiments.scheduling import estimates
from experiments.scheduling.progress import Display
from experiments.scheduling.scheduler import handle_message
from experiments.scheduling.worker import train
from experiments.study import Planned
from experiments.support.git import ROOT, commit
from experiments.support.signals import Stopped
from experiments.training.state import Job
from models.cli import explain
from models.errors import UsageError

#: How often a run restarts after its node or its process was lost.
RETRIES = 3

#: The parts of the checkout that nodes get.
_CODE = ("experiments", "models")
_NOT_CODE = ("/experiments/results", "/experiments/checkpoints", "__pycache__")

#: Bytes of main memory of a process that trains on a GPU.
_GPU_HOST = 4_000_000_000

_HELP = "`ray start --head` starts one here; docs/cluster.md says more."


def on_a_cluster(todo: list[Planned], profile: str, display: Display) -> None:
    """Train the runs on the cluster that ``RAY_ADDRESS`` names, else on the one running here.

    Raises:
        UsageError: no cluster, or one that does not accept this driver.
        download.DataError: no data here.
    """
    given = _given_address()
    images = {name: splits.load(name, display.note) for name in {p.config.dataset for p in todo}}
    signals: list[int] = []  # not exceptions: those raised within a call of Ray may be lost
    try:
        _connect(given)
        for each in (signal.SIGINT, signal.SIGTERM):  # replaces Ray's handlers
            signal.signal(each, lambda signum, _: signals.append(signum))
        total = ray.cluster_resources()
        display.note(
            f"Ray cluster {ray.get_runtime_context().gcs_address}: "
            f"nodes: {sum(node['Alive'] for node in ray.nodes())}, "
            f"CPU cores: {total.get('CPU', 0):.0f}, GPUs: {total.get('GPU', 0):.0f}"
        )
        display.start([(p.id, estimates.seconds(p.config)) for p in todo])
        _supervise(todo, profile, images, signals, display)
    finally:
        ray.shutdown()  # ends what still runs


def _connect(given: str | None) -> None:
    """Connect to the given cluster, else to the one running here."""
    elsewhere = [f"/{path.name}" for path in ROOT.iterdir() if path.name not in _CODE]
    # By default Ray retries a task that runs out of memory for ever.
    os.environ.setdefault("RAY_task_oom_retries", str(RETRIES))
    try:
        ray.init(
            given or "auto",
            runtime_env={"working_dir": str(ROOT), "excludes": [*elsewhere, *_NOT_CODE]},
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except SystemExit:  # Ray's handler of SIGTERM
        raise Stopped(signal.SIGTERM) from None
    except SystemError as error:  # raised after a signal within Ray's C++ code
        if isinstance(error.__cause__, Stopped):
            raise error.__cause__ from None
        raise
    except (RuntimeError, ValueError, OSError) as error:
        if given is None and isinstance(error, ConnectionError):
            raise UsageError(f"no Ray cluster runs here. {_HELP}") from None
        reason = " ".join(str(error).split())[:300]
        raise UsageError(f"Ray cluster {given or 'here'}: {reason} (docs/cluster.md)") from None


def _given_address() -> str | None:
    """``RAY_ADDRESS``, after a check that a server answers there; Ray itself waits minutes."""
    given = os.environ.get("RAY_ADDRESS")
    if not given:
        return None
    host, _, port = given.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except OSError as error:
        raise UsageError(
            f"RAY_ADDRESS={given}: no Ray cluster answers ({error}). {_HELP}"
        ) from None
    except ValueError:
        raise UsageError(f"RAY_ADDRESS={given}: expected host:port, as in 10.0.0.1:6379.") from None
    return given


def _supervise(
    todo: list[Planned],
    profile: str,
    images: Mapping[str, splits.Images],
    signals: list[int],
    display: Display,
) -> None:
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    inbox = Queue(actor_options={"num_cpus": 0, "scheduling_strategy": here})
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    gpus = any(node.get("GPU") for node in nodes)
    # In Ray's object store, from which each node fetches the images once.
    shared = {name: ray.put(content) for name, content in images.items()}
    pending: dict[ray.ObjectRef[Record], str] = {}
    for planned in todo:
        config = planned.config
        job = Job(planned.id, config, profile, threads=1)
        needs = _needs(config, gpus)
        if not any(_has(node, needs) for node in nodes):
            wanted = f"one CPU core, {needs['memory'] / 1e9:.1f} GB of memory"
            if gpus:
                wanted += f", {needs['num_gpus']:g} of a GPU"
            display.note(f"{planned.id}: no node has {wanted}; it waits until one joins")
        remote = _train.options(name=planned.id, **needs)
        pending[remote.remote(job, [shared[config.dataset]], inbox)] = planned.id
    started: set[str] = set()
    while pending:
        ready, _ = ray.wait(list(pending), timeout=0.5)
        if signals:
            raise Stopped(signals[0])
        with suppress(RayError):  # progress is not essential
            for run, message in inbox.get_nowait_batch(inbox.qsize()):
                if message is not None:
                    handle_message(message, run, display)
                elif run in started:
                    display.note(f"{run}: its node or its process was lost; it starts again")
                else:
                    started.add(run)
                    display.run_started(run)
        for done in ready:
            run = pending.pop(done)
            if run not in started:
                display.run_started(run)
            handle_message(_result(done, profile), run, display)


def _needs(config: Config, gpus: bool) -> dict[str, Any]:
    """The resources of a run (Ray's names); a share of a GPU where the cluster has some."""
    if gpus:
        return {"num_cpus": 1, "memory": _GPU_HOST, "num_gpus": estimates.gpu_share(config)}
    return {"num_cpus": 1, "memory": estimates.memory(config)}


def _has(node: Mapping[str, float], needs: Mapping[str, float]) -> bool:
    kinds = {"num_cpus": "CPU", "num_gpus": "GPU", "memory": "memory"}
    return all(node.get(kinds[name], 0) >= value for name, value in needs.items())


@ray.remote(max_retries=RETRIES, max_calls=1)  # one process per run, as on one machine
def _train(job: Job, images: list[ray.ObjectRef[splits.Images]], inbox: Queue) -> Record:
    """Train a run on a node; ``images`` has one element.

    The list keeps Ray from fetching the images before the call: an argument that Ray fetches stays
    pinned in the node's object store if the driver is killed.
    """

    def tell(message: tuple[str, Any] | None) -> None:
        with suppress(RayError):  # progress is not essential
            inbox.put_nowait((job.id, message))

    tell(None)  # the start
    record, checkpoint = train(job, ray.get(images[0]), lambda *message: tell(message), 1.0)
    checkpoint.remove()
    return record


def _result(done: ray.ObjectRef[Record], profile: str) -> tuple[str, Any]:
    """Write a run's record; returns the run's last message (``worker.work``)."""
    try:
        record = ray.get(done)
    except RayError as error:
        cause = error.cause if isinstance(error, RayTaskError) else error
        return "error", (str(cause).strip() or type(cause).__name__).splitlines()[0]
    known = dict(zip(("git_commit", "git_dirty"), commit(), strict=True))  # nodes have no .git
    environment = record.environment.model_copy(update=known)
    try:
        write(record.model_copy(update={"environment": environment}), RESULTS / profile)
    except OSError as error:
        return "unwritable", explain(error)
    return "done", record
