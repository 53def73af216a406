"""What a person can get wrong ends in one line that names it, exit status 2."""

import json
import os
import shutil
import tomllib

import pytest

from tests.checkout import ROOT, refused, run

MAIN, REPORT, ANALYSIS = ["main.py"], ["-m", "report"], ["-m", "analysis"]
LENET = [*MAIN, "--model", "LeNet"]
RAY = ["-m", "experiments", "train", "--profile", "smoke", "--engine", "ray"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*MAIN, "--model", "ResNet19"], "unknown model 'ResNet19'. Did you mean ResNet18?"),
        ([*MAIN, "--model", "SEResNet18", "--ratio", "two"], "invalid int value: 'two'"),
        ([*MAIN, "--model", "DenseNet", "--gr", "-1"], "growth_rate=-1"),
        ([*LENET, "--lr", "-1"], "learning_rate=-1"),
        ([*LENET, "--recipe", "best"], "recipe='best'"),
        ([*LENET, "--profile", "fast"], "unknown profile 'fast'"),
        ([*MAIN, "--test"], "--model"),
        ([*LENET, "--tset"], "--tset"),
        (["-m", "models", "lenot"], "Did you mean LeNet?"),
        (
            ["-m", "experiments.training.benchmark", "--networks", "ResNet19"],
            "unknown model 'ResNet19'",
        ),
        ([*REPORT, "--profile", "fast"], "unknown profile 'fast'"),
        ([*REPORT, "--source", "no/folder"], "no/folder/results.json: no such file; run"),
        ([*REPORT, "--pdf"], "--pdf"),
        ([*REPORT, "build", "--only", "pdf"], "invalid choice: 'pdf'"),
        ([*REPORT, "publish"], "invalid choice: 'publish'"),
        ([*REPORT, "watch", "--port", "99999"], "port 99999 cannot be used"),
        ([*ANALYSIS, "--profile", "fast"], "unknown profile 'fast'"),
        ([*ANALYSIS, "--results", "no/folder"], "no/folder: no such folder"),
        ([*ANALYSIS, "depht"], "unknown figure 'depht'; expected one of accuracy, "),
    ],
)
def test_what_is_wrong_is_named(arguments, message):
    refused(run(ROOT, *arguments), message)


@pytest.mark.parametrize(
    ("address", "messages"),
    [
        ("127.0.0.1:1", ("RAY_ADDRESS=127.0.0.1:1: no Ray cluster answers (", "refused)")),
        ("somewhere", ("RAY_ADDRESS=somewhere: expected host:port",)),
    ],
)
def test_a_cluster_that_does_not_answer_is_named(address, messages):
    refused(run(ROOT, *RAY, env=os.environ | {"RAY_ADDRESS": address}), *messages)


def test_without_ray_one_line_says_what_to_install():
    code = (
        "import sys; sys.modules['ray'] = None\n"
        "from experiments.__main__ import main; from models.cli import run; run(main)"
    )
    refused(run(ROOT, "-c", code, *RAY[2:]), "engine ray: ", "pip install 'ray>=2.50'.")


def test_no_data_ends_in_one_line(tmp_path):
    env = os.environ | {"MNIST_DIR": str(tmp_path)}
    done = run(ROOT, *LENET, "--profile", "smoke", env=env)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith("error: MNIST_DIR=")
    assert "Traceback" not in done.stderr


def test_a_tilde_is_the_home_folder(tmp_path):
    arguments = (*ANALYSIS, "--results", "~/none", "--out", "~/x")
    done = run(ROOT, *arguments, env=os.environ | {"HOME": str(tmp_path)})
    refused(done, f"error: {tmp_path}/none: no such folder")


def test_main_goes_on_in_the_virtual_environment_or_says_how(tmp_path):
    shutil.copy(ROOT / "main.py", tmp_path)
    refused(
        run(tmp_path, "-S", "-I", *LENET), "error: torch is not installed; run `make setup` first."
    )


@pytest.mark.parametrize(
    "code",
    [
        "sys.argv = ['x', 'schema']; import experiments.__main__ as m; m.main()",
        "import report.build, analysis.records",
    ],
)
def test_the_schema_the_analysis_and_the_report_need_no_torch(code):
    done = run(ROOT, "-c", f"import sys; {code}; assert 'torch' not in sys.modules")
    assert done.returncode == 0, done.stderr


def test_models_prints_counts_and_layers():
    table = run(ROOT, "-m", "models", env=os.environ | {"COLUMNS": "120"})
    assert "115,428,930" in table.stdout
    layers = run(ROOT, "-m", "models", "lenet")
    assert "61,706" in layers.stdout
    assert "[1, 6, 28, 28]" in layers.stdout


@pytest.mark.parametrize("command", [MAIN, ["-m", "experiments"], REPORT])
def test_version(command):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    done = run(ROOT, *command, "--version")
    assert (done.returncode, done.stdout) == (0, f"{project['name']} {project['version']}\n")


def test_status_for_programs():
    command = ("-m", "experiments", "status", "--profile", "smoke", "--json")
    told = json.loads(run(ROOT, *command).stdout)
    assert told["profile"] == "smoke"
    assert 10 < told["runs"] >= len(told["to_train"])
    assert {"run", "reason", "core_seconds"} == {key for run in told["to_train"] for key in run}
