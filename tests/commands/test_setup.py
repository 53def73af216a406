"""Set-up and make: what is installed from where, and variables that a call misspells."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.checkout import ROOT, refused

LOCK = """torch==2.9.0 \\
    --hash=sha256:00
torchvision==0.24.0 \\
    --hash=sha256:01
triton==3.5 ; sys_platform == 'linux' \\
    --hash=sha256:02
nvidia-cublas==13.0 \\
    --hash=sha256:03
numpy==2.4 \\
    --hash=sha256:04
"""
#: Stands for .venv/bin/python: knows the torch of $HAVE, logs what pip is asked for.
PYTHON = """#!/bin/sh
case "$*" in
-c*) [ -n "$HAVE" ] && echo "$HAVE" ;;
"-m pip config list") "$REAL" -m pip config list ;;
"-m pip install"*)
    { echo "$*"; env | grep ^PIP_; } >>"$LOG"
    case "$*" in *nowhere*) echo "ERROR: no such index" >&2; exit 1 ;; esac ;;
esac
"""


@pytest.fixture
def checkout(tmp_path):
    """A checkout with a small lock and a Python that only logs; call it to run set-up there."""
    shutil.copy(ROOT / "setup.sh", tmp_path)
    for name in ("requirements.lock", "requirements-dev.lock"):
        (tmp_path / name).write_text(LOCK)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON)
    python.chmod(0o755)
    log = tmp_path / "log"
    (tmp_path / "pip.conf").write_text(
        "[global]\nextra-index-url =\n    https://a.example/simple\n    https://b.example/simple\n"
        "[install]\nuser = true\ntarget = elsewhere\n"
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}

    def run(*arguments, **env):
        log.unlink(missing_ok=True)
        done = subprocess.run(
            ["./setup.sh", *arguments],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
            env={**clean, "PYTHON": sys.executable, "REAL": sys.executable, "LOG": str(log),
                 "HAVE": "", "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), **env},
        )  # fmt: skip
        return done, log.read_text() if log.exists() else ""

    return run


def test_settings_of_pip_that_install_elsewhere_do_not_count(checkout):
    done, log = checkout(
        "run", "cuda", PIP_USER="1", PIP_TARGET="x", PIP_CONSTRAINT="c.txt", PIP_NO_DEPS="1",
        PIP_INDEX_URL="https://mirror.example/simple", PIP_CERT="/c.pem",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = set(re.findall(r"^PIP_.*$", log, re.MULTILINE))
    assert told == {
        "PIP_CONFIG_FILE=/dev/null",
        "PIP_INDEX_URL=https://mirror.example/simple",
        "PIP_EXTRA_INDEX_URL= https://a.example/simple https://b.example/simple",
        "PIP_CERT=/c.pem",
    }
    assert "--require-hashes -r requirements.lock" in log
    assert checkout("run")[1] == ""  # once


LINUX = pytest.mark.skipif(sys.platform != "linux", reason="one kind of torch elsewhere")


@LINUX
def test_without_cuda_its_libraries_are_left_out(checkout, tmp_path):
    done, log = checkout("run", "cpu", TORCH_INDEX="https://torch.example")
    assert done.returncode == 0, done.stderr
    assert "--index-url https://torch.example torch==2.9.0+cpu torchvision==0.24.0+cpu" in log
    assert "--no-deps --require-hashes -r .venv/without-cuda.lock" in log
    kept = (tmp_path / ".venv" / "without-cuda.lock").read_text()
    assert kept == "numpy==2.4 \\\n    --hash=sha256:04\n"
    done, _ = checkout("run", "cuda", HAVE="cpu")
    change = "to change it: rm -rf .venv && make setup TORCH=cuda"
    refused(done, f"error: .venv holds PyTorch for cpu; {change}")


@LINUX
def test_an_index_without_torch(checkout):
    done, _ = checkout("run", "cpu", TORCH_INDEX="https://nowhere.example")
    said = "error: no PyTorch without CUDA from https://nowhere.example (ERROR: no such index)"
    assert (done.returncode, done.stderr[: len(said)]) == (2, said)
    if shutil.which("nvidia-smi") is None:  # by default the package index's, in its stead
        done, log = checkout("run", TORCH_INDEX="https://nowhere.example")
        assert done.returncode == 0, done.stderr
        assert log.count("--require-hashes -r requirements.lock") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("gpu",), "unknown kind 'gpu'"), (("run", "gpu"), "unknown TORCH 'gpu', expected cpu or")],
)
def test_what_is_no_option_of_set_up(checkout, arguments, message):
    refused(checkout(*arguments)[0], message)


def make(*arguments, folder=ROOT, **env):
    return subprocess.run(
        ["make", *arguments],
        cwd=folder, capture_output=True, text=True, check=False, timeout=60, env=os.environ | env,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["PROFIL=standard"], "unknown variable PROFIL; did you mean PROFILE?"),
        (["experiment", "MODEL=LeNet", "EPOCH=4"], "did you mean EPOCHS?"),
        (["experiment", "MODEL=LeNet", "lr=0.1"], "did you mean LR?"),
        (["experiment", "MODEL=LeNet", "BATCH=32"], "unknown variable BATCH; make help lists"),
        (["all", "EPOCHS=4"], "make all takes no EPOCHS; it takes: PROFILE, DATASET"),
        (["clean", "PROFILE=quick"], "make clean takes no PROFILE; it takes: none"),
    ],
)
def test_make_names_the_variable_that_it_does_not_know(arguments, message):
    refused(make("-n", *arguments), message)


def test_every_variable_of_a_recipe_is_in_the_help_of_its_target():
    text = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", "")
    rules = re.findall(r"^([a-z-]+):[^#\n]*## (.*)\n((?:\t.*\n?)+)", text, re.MULTILINE)
    assert len(rules) > 15
    found = 0
    for target, told, recipe in rules:
        used = recipe.replace("$(profile)", "$(call arg,PROFILE,x) $(call arg,DATASET,x)")
        for name in re.findall(r"\$\(call (?:arg|given),([A-Z_]+)", used):
            found += 1
            assert f"{name}=" in told or target == "setup-dev", f"{target}: {name}"
    assert found > 20


def test_exported_shell_variables_are_not_taken_for_makes():
    done = make("-n", "report", OUT="elsewhere", PROFILE="x", SEED="1", PYTHON="/x", TORCH="2.4.0")
    assert done.returncode == 0
    assert 'PYTHON="" ./setup.sh run ""\n' in done.stdout
    assert "-m report\n" in re.sub(" +\n", "\n", done.stdout)
    assert '--seed "1"' in make("-n", "experiment", "MODEL=LeNet", "SEED=1", SEED="7").stdout


def test_clean_keeps_what_took_hours(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "experiments/support").mkdir(parents=True)
    shutil.copy(ROOT / "experiments/support/make_variables.py", tmp_path / "experiments/support")
    for name in ("report/out/a", "experiments/checkpoints/a", "experiments/results/a", "data/a"):
        (tmp_path / name).mkdir(parents=True)
    assert make("clean", folder=tmp_path).stdout == ""
    assert not (tmp_path / "report/out").exists()
    assert (tmp_path / "experiments/checkpoints/a").exists()
    said = make("clean-all", folder=tmp_path).stdout
    assert said == "deleting experiments/checkpoints\ndeleting data\n"
    assert (tmp_path / "experiments/results/a").exists() and not (tmp_path / "data").exists()


def test_a_clone_made_on_windows_has_line_feeds(tmp_path):
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    origin.mkdir()
    for name in (".gitattributes", "setup.sh", "Makefile"):
        shutil.copy(ROOT / name, origin / name)
    named = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "core.autocrlf=false")
    for command in (
        ("git", "init", "-q", "."),
        ("git", "add", "."),
        ("git", *named, "commit", "-q", "-m", "all"),
        ("git", "clone", "-q", "-c", "core.autocrlf=true", str(origin), str(clone)),
    ):
        subprocess.run(command, cwd=origin, check=True)
    assert (clone / "setup.sh").read_bytes() == (ROOT / "setup.sh").read_bytes()
    assert b"\r" not in (clone / "Makefile").read_bytes()
