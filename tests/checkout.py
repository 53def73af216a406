"""The real commands, in this process, in one of their own, or in a copy of the checkout."""

import contextlib
import gc
import importlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.datasets import DATASETS, download
from models import cli

ROOT = Path(__file__).parent.parent
PARTS = ("models", "experiments", "analysis", "report", "templates")
QUICKEST = ("LeNet.s0", "DenseNet.s0", "ResNet18.s0")


def called(module, *arguments):
    """A command of the project, in this process: faster than ``run``."""
    out, err = io.StringIO(), io.StringIO()
    command = importlib.import_module(module).main
    kept = signal.getsignal(signal.SIGINT)
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        patch.setattr(sys, "argv", [module, *map(str, arguments)])
        cli.run(command)
    signal.signal(signal.SIGINT, kept)
    gc.enable()
    return subprocess.CompletedProcess(
        (module, *arguments), ended.value.code, out.getvalue(), err.getvalue()
    )


def start(checkout, *arguments, prefix=(), **options):
    """A command of the project, in a session (and process group) of its own."""
    return subprocess.Popen(
        [*prefix, sys.executable, *map(str, arguments)],
        cwd=checkout, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, **options,
    )  # fmt: skip


def run(checkout, *arguments, **options):
    process = start(checkout, *arguments, **options)
    out, err = process.communicate(timeout=600)
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


def succeeds(checkout, *arguments, **options):
    done = run(checkout, *arguments, **options)
    assert done.returncode == 0, done.stderr
    return done


CUT = """
import os, socket, sys

def _hook(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind"):
        if arguments[0].family == socket.AF_UNIX:
            return
    elif event not in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        return
    with open(os.environ["NETWORK_LOG"], "a") as log:
        log.write(f"{event} {arguments[1:]} {sys.argv}\\n")
    raise OSError("the network is cut off")

sys.addaudithook(_hook)
"""


def cut_off(folder):
    """Options of ``run`` with which every socket of the network is refused and noted in a file, in
    all processes of the command; and that file."""
    (folder / "sitecustomize.py").write_text(CUT)
    log = folder / "log"
    log.touch()
    prefix = []  # where the kernel allows it, there is no network at all, for any program
    with_none = ["unshare", "--user", "--map-root-user", "--net"]
    if shutil.which("unshare") and not subprocess.run([*with_none, "true"], check=False).returncode:
        prefix = with_none
    env = os.environ | {"PYTHONPATH": str(folder), "NETWORK_LOG": str(log)}
    return {"prefix": prefix, "env": env}, log


def refused(done, *messages):
    """Exit status 2, and one line of error that says these."""
    lines = done.stderr.strip().splitlines()
    assert (done.returncode, len(lines), done.stdout) == (2, 1, ""), done
    assert all(message in lines[0] for message in messages), lines


def copy_of_checkout(folder, *keep):
    """A copy of the project without records; ``keep``: the only runs of its study."""
    ignored = shutil.ignore_patterns("results", "checkpoints", "out", "__pycache__")
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=ignored)
    shutil.copy(ROOT / "main.py", folder)
    (folder / "data").mkdir()
    download.acquire(DATASETS["MNIST"])
    (folder / "data" / "MNIST").symlink_to(download.CACHE / "MNIST")
    if keep:
        wanted = "|".join(run.removesuffix(".s0") for run in keep)
        path = folder / "experiments" / "study.toml"
        head, *runs = re.split(r"(?=\[\[run\]\])", path.read_text())
        runs = [run for run in runs if re.search(rf'network = "({wanted})"\s', run)]
        path.write_text(head + "".join(r for r in runs if "options" not in r and "stable" not in r))
    return folder


def results(checkout):
    return checkout / "experiments" / "results" / "smoke"


def timeless(path):
    """A record without what may differ between two runs of the same configuration."""
    content = json.loads(path.read_text())
    for field in ("timing", "environment"):
        content.pop(field)
    for epoch in content["history"]:
        epoch.pop("seconds")
    return content


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
