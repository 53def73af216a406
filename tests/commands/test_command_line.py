"""What a person can get wrong ends in one line that names it, exit status 2."""

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*arguments, cwd=ROOT, **env):
    import os

    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd, capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, **env},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "ResNet19"], "unknown model 'ResNet19'. Did you mean ResNet18?"),
        (["--model", "ResNet18", "--residual", "div"], "residual='div'"),
        (["--model", "SEResNet18", "--ratio", "0"], "ratio=0"),
        (["--model", "SEResNet18", "--ratio", "two"], "invalid int value: 'two'"),
        (["--model", "DenseNet", "--gr", "-1"], "growth_rate=-1"),
        (["--model", "LeNet", "--epochs", "0"], "epochs=0"),
        (["--model", "LeNet", "--lr", "-1"], "learning_rate=-1"),
        (["--model", "LeNet", "--recipe", "best"], "recipe='best'"),
        (["--model", "LeNet", "--gr", "12"], "LeNet has no option"),
        (["--model", "LeNet", "--profile", "fast"], "unknown profile 'fast'"),
        (["--test"], "--model"),
        (["--model", "LeNet", "--tset"], "--tset"),
    ],
)
def test_main_names_what_is_wrong(arguments, message):
    done = run("main.py", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not done.stdout


def test_no_data_ends_in_one_line(tmp_path):
    done = run("main.py", "--model", "LeNet", "--profile", "smoke", MNIST_DIR=str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith("error: MNIST_DIR=")
    assert "Traceback" not in done.stderr


def test_the_schema_needs_no_torch():
    done = run(
        "-c",
        "import sys; sys.argv = ['x', 'schema']; import experiments.__main__ as m; m.main(); "
        "assert 'torch' not in sys.modules, 'torch was imported'",
    )
    assert done.returncode == 0, done.stderr


def test_analysis_and_report_import_no_torch():
    done = run(
        "-c", "import sys, report.build, analysis.records; assert 'torch' not in sys.modules"
    )
    assert done.returncode == 0, done.stderr


def test_models_prints_counts_and_layers():
    table = run("-m", "models", COLUMNS="120")
    assert "115,428,930" in table.stdout
    layers = run("-m", "models", "lenet")
    assert "61,706" in layers.stdout
    assert "[1, 6, 28, 28]" in layers.stdout
    wrong = run("-m", "models", "lenot")
    assert wrong.returncode == 2
    assert "Did you mean LeNet?" in wrong.stderr


def test_main_goes_on_in_the_virtual_environment_or_says_how(tmp_path):
    shutil.copy(ROOT / "main.py", tmp_path)
    done = subprocess.run(
        [sys.executable, "-S", "-I", "main.py", "--model", "LeNet"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "error: torch is not installed; run `make setup` first.\n"


@pytest.mark.parametrize("command", [["main.py"], ["-m", "experiments"], ["-m", "report"]])
def test_version(command):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    done = run(*command, "--version")
    assert (done.returncode, done.stdout) == (0, f"{project['name']} {project['version']}\n")


def test_status_for_programs():
    told = json.loads(run("-m", "experiments", "status", "--profile", "smoke", "--json").stdout)
    assert told["profile"] == "smoke"
    assert 10 < told["runs"] >= len(told["to_train"])
    assert {"run", "reason", "core_seconds"} == {key for run in told["to_train"] for key in run}


def test_a_tilde_is_the_home_folder(tmp_path):
    done = run("-m", "analysis", "--results", "~/none", "--out", "~/x", HOME=str(tmp_path))
    assert (done.returncode, done.stderr) == (2, f"error: {tmp_path}/none: no such folder\n")
