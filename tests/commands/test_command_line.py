"""How commands begin and end: what a person can get wrong is named in one line with exit status 2;
signals, closed pipes, poor encodings, missing packages."""

import json
import os
import shutil
import signal
import time
import tomllib

import pytest

from experiments.support.signals import Stopped, stoppable
from tests.checkout import ROOT, called, refused, run, start, succeeds

LENET = ["main", "--model", "LeNet"]
TRAIN = ["experiments.__main__", "train", "--profile", "smoke"]
REPORT, ANALYSIS, MODELS = (f"{name}.__main__" for name in ("report", "analysis", "models"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["main", "--model", "ResNet19"], "unknown model 'ResNet19'. Did you mean ResNet18?"),
        (["main", "--model", "SEResNet18", "--ratio", "two"], "invalid int value: 'two'"),
        (["main", "--model", "DenseNet", "--gr", "-1"], "growth_rate=-1"),
        ([*LENET, "--lr", "-1"], "learning_rate=-1"),
        ([*LENET, "--recipe", "best"], "recipe='best'"),
        ([*LENET, "--profile", "fast"], "unknown profile 'fast'; expected one of smoke, quick"),
        (["main", "--test"], "--model"),
        ([*LENET, "--tset"], "--tset"),
        ([MODELS, "lenot"], "Did you mean LeNet?"),
        (["experiments.training.benchmark", "--networks", "ResNet19"], "unknown model 'ResNet19'"),
        ([REPORT, "--profile", "fast-kmnist"], "'fast-kmnist'; expected one of smoke, quick"),
        ([REPORT, "--source", "no/folder"], "no/folder/results.json: no such file; run"),
        ([REPORT, "--pdf"], "--pdf"),
        ([REPORT, "build", "--only", "pdf"], "invalid choice: 'pdf'"),
        ([REPORT, "publish"], "invalid choice: 'publish'"),
        ([REPORT, "watch", "--port", "99999"], "port 99999 cannot be used"),
        ([ANALYSIS, "--profile", "fast"], "unknown profile 'fast'"),
        ([ANALYSIS, "--results", "no/folder"], "no/folder: no such folder"),
        ([ANALYSIS, "depht"], "unknown figure 'depht'; expected one of accuracy, "),
    ],
)
def test_what_is_wrong_is_named(arguments, message):
    refused(called(*arguments), message)


def test_figures_tables_and_findings_are_listed():
    listed = dict(line.split(": ") for line in called(ANALYSIS, "--list").stdout.splitlines())
    for kind, name in (("figures", "depth"), ("tables", "results"), ("findings", "se-best")):
        assert name in listed[kind].split()


@pytest.mark.parametrize(
    ("address", "said", "why"),
    [("127.0.0.1:1", "no Ray cluster answers (", "refused)"), ("here", "expected host:port", "")],
)
def test_a_cluster_that_does_not_answer_is_named(monkeypatch, address, said, why):
    monkeypatch.setenv("RAY_ADDRESS", address)
    refused(called(*TRAIN, "--engine", "ray"), f"RAY_ADDRESS={address}: {said}", why)


@pytest.mark.pipeline
def test_without_ray_one_line_says_what_to_install():
    code = (
        "import sys; sys.modules['ray'] = None\n"
        "from experiments.__main__ import main; from models.cli import run; run(main)"
    )
    done = run(ROOT, "-c", code, *TRAIN[1:], "--engine", "ray")
    refused(done, "engine ray: ", "pip install 'ray>=2.50'.")


@pytest.mark.pipeline
def test_no_data_ends_in_one_line(tmp_path):
    env = os.environ | {"MNIST_DIR": str(tmp_path)}
    done = run(ROOT, "main.py", *LENET[1:], "--profile", "smoke", env=env)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("error: MNIST_DIR=")


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    done = called(ANALYSIS, "--results", "~/none", "--out", "~/x")
    refused(done, f"error: {tmp_path}/none: no such folder")


@pytest.mark.pipeline
def test_main_goes_on_in_the_virtual_environment_or_says_how(tmp_path):
    shutil.copy(ROOT / "main.py", tmp_path)
    done = run(tmp_path, "-S", "-I", "main.py", *LENET[1:])
    refused(done, "error: torch is not installed; run `make setup` first.")


@pytest.mark.pipeline
@pytest.mark.parametrize(
    "code",
    [
        "sys.argv = ['x', 'schema']; import experiments.__main__ as m; m.main()",
        "import report.build, analysis.records",
    ],
)
def test_the_schema_the_analysis_and_the_report_need_no_torch(code):
    succeeds(ROOT, "-c", f"import sys; {code}; assert 'torch' not in sys.modules")


@pytest.mark.pipeline
def test_models_prints_counts_and_layers(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    assert "115,428,930" in called(MODELS).stdout
    layers = called(MODELS, "lenet").stdout
    assert "61,706" in layers and "[1, 6, 28, 28]" in layers


@pytest.mark.parametrize("module", ["main", TRAIN[0], REPORT])
def test_version(module):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    done = called(module, "--version")
    assert (done.returncode, done.stdout) == (0, f"{project['name']} {project['version']}\n")


def test_status_for_programs():
    told = json.loads(called(TRAIN[0], "status", "--profile", "smoke", "--json").stdout)
    assert told["profile"] == "smoke"
    assert 10 < told["runs"] >= len(told["to_train"])
    assert {"run", "reason", "core_seconds"} == {key for run in told["to_train"] for key in run}


# --- Endings ------------------------------------------------------------------------------------


def test_every_command_starts_and_ends_by_the_same_function():
    folders = ("models", "experiments", "analysis", "report")
    files = [ROOT / "main.py", *(path for each in folders for path in (ROOT / each).rglob("*.py"))]
    found = [path for path in files if '__name__ == "__main__"' in path.read_text()]
    found.remove(ROOT / "experiments/support/make_variables.py")  # which make asks, without .venv
    assert len(found) > 8
    assert [path for path in found if "    run(main)\n" not in path.read_text()] == []


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_block_once_and_the_handlers_are_restored(signum):
    before = signal.getsignal(signum)
    with pytest.raises(Stopped) as stopped, stoppable():
        try:
            os.kill(os.getpid(), signum)
            time.sleep(10)
        finally:
            os.kill(os.getpid(), signum)  # ignored: the block is ending
            time.sleep(0.05)
    assert stopped.value.status == 128 + signum
    assert signal.getsignal(signum) == before


@pytest.mark.pipeline
def test_ctrl_c_ends_a_command_without_a_traceback():
    code = (
        "from models.cli import run; import time; "
        "run(lambda: print('up', flush=True) or time.sleep(60))"
    )
    process = start(ROOT, "-c", code)
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=10)[1] == ""
    assert process.returncode == -signal.SIGINT


@pytest.mark.pipeline
def test_a_reader_that_closes_early_ends_a_command_quietly():
    for arguments in (("experiments", "schema"), ("models",)):
        process = start(ROOT, "-m", *arguments)
        process.stdout.close()
        assert process.stderr.read() == ""
        process.wait(timeout=60)
        assert process.returncode in (1, 128 + signal.SIGPIPE)


STATUS = ("experiments", "status", "--profile", "quick")


@pytest.mark.pipeline
@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["models"], "LeNet"), (["models", "LeNet"], "Conv2d"), (STATUS, "profile quick: ")],
)
def test_an_encoding_without_the_characters_is_no_error(arguments, said):
    done = run(ROOT, "-m", *arguments, env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert said in done.stdout
