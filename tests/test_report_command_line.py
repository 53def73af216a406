"""``python -m report``: what a person can get wrong ends in one line, exit status 2."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from experiments.support.signals import Stopped, stoppable
from report import __main__ as command_line
from report import build, document, exports, inputs
from tests import factory
from tests.checkout import copy_of_checkout, trim
from tests.report_kit import templates

ROOT = Path(__file__).parent.parent


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "report", *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return factory.save(factory.make(), tmp_path_factory.mktemp("records"))


def refused(done, message):
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 2
    assert len(lines) == 1 and message in lines[0], done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--profile", "fast"], "unknown profile 'fast'"),
        (["--results", "no/such/folder"], "no/such/folder: no such folder"),
        (["--pdf"], "--pdf"),
        (["build", "--only", "pdf"], "invalid choice: 'pdf'"),
        (["publish"], "invalid choice: 'publish'"),
        (["watch", "--port", "99999"], "port 99999 cannot be used"),
    ],
)
def test_wrong_arguments(arguments, message):
    refused(run(*arguments), message)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("LeNet.s0.json", '{"schema_version": 1, "id": "Le', "LeNet.s0.json: not JSON"),
        ("other.json", '{"a": 1}', "other.json: schema_version"),
        ("other.json", "[1, 2]", "other.json: expected a JSON object"),
    ],
)
def test_bad_records_are_refused_or_named(tmp_path, results, name, content, message):
    folder = tmp_path / "records"
    folder.mkdir()
    for path in results.glob("*.json"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / name).write_text(content, encoding="utf-8")
    options = ["--results", folder, "--out", tmp_path / "out", "--only", "html"]
    refused(run(*options, "--strict"), message)
    assert not (tmp_path / "out").exists()
    done = run(*options)
    assert done.returncode == 2 and message in done.stderr  # built, but not of everything
    html = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert html.count(f"<code>{message}") == 2  # beside the folder's name, which stays out
    assert str(folder) not in html


def test_an_unwritable_folder_is_named(tmp_path, results):
    (tmp_path / "file").write_text("x")
    options = ["--results", results, "--out", tmp_path / "file", "--only", "html"]
    refused(run(*options), str(tmp_path / "file"))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{% if %}", "10-a.zh.md:3: Expected an expression"),
        ("{{ n(acc('ResNet19')) }}", "10-a.zh.md:3: unknown network 'ResNet19'"),
        ("{{ cite('he1999') }}", "10-a.zh.md:3: unknown cite key 'he1999'"),
        ("{{ run('ResNet18.s77') }}", "10-a.zh.md:3: unknown record 'ResNet18.s77'"),
    ],
)
def test_a_faulty_template_is_one_line(monkeypatch, capsys, tmp_path, results, body, message):
    made = templates(tmp_path, a=f"# T\n\n{body}\n")
    for module in (build, exports, inputs):
        monkeypatch.setattr(module, "TEMPLATES", made)
    out = tmp_path / "out"
    arguments = ["report", "--results", str(results), "--out", str(out), "--only", "html"]
    monkeypatch.setattr(sys, "argv", arguments)
    monkeypatch.setattr(command_line.gc, "disable", lambda: None)  # not for the other tests
    assert command_line.main() == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1 and message in said[0]
    assert not out.exists()


def test_without_records_it_still_builds_and_says_so(tmp_path):
    (tmp_path / "empty").mkdir()
    done = run("--results", tmp_path / "empty", "--out", tmp_path / "out", "--only", "html")
    assert done.returncode == 0, done.stderr
    html = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert "There are no records yet" in html and "还没有任何运行记录" in html


def test_a_study_that_leaves_networks_out_has_its_report(tmp_path):
    checkout = copy_of_checkout(tmp_path / "checkout")
    trim(checkout)
    done = subprocess.run(
        [sys.executable, "-m", "report", "--profile", "smoke", "--only", "html"],
        cwd=checkout, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (checkout / "report" / "out" / "smoke" / "report.html").is_file()


def test_ctrl_c_that_a_library_takes_for_its_own_error_still_ends_the_build(
    results, tmp_path, monkeypatch
):
    whole = document.compose

    def losing(*arguments, **options):
        with suppress(BaseException):  # as citeproc does where it joins a reference's parts
            os.kill(os.getpid(), signal.SIGINT)
        return whole(*arguments, **options)

    monkeypatch.setattr(document, "compose", losing)
    with pytest.raises(Stopped), stoppable():
        build.build(results, tmp_path / "out", only_html=True)
    assert not list((tmp_path / "out").glob("*.html"))
    monkeypatch.undo()
    assert build.build(results, tmp_path / "out", only_html=True).files == (build.HTML,)
