"""What is installed: pinned by hash, from no place in particular, and audited."""

import http.server
import json
import re
import threading
import tomllib
from pathlib import Path

import pytest

from tests import audit

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("name", LOCKS)
def test_every_release_is_pinned_with_hashes(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-zA-Z0-9])", text.partition("\n#")[2].partition("\n")[2])
    assert len(entries) > 40
    for entry in entries:
        assert re.match(r"[\w.-]+==[^\s;\\]+", entry), entry[:60]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry[:60]


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_names_no_place(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"index-url|find-links|https?://|file:|^-|@ ", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "extras"), [*zip(LOCKS, (["report"], ["report", "ray", "dev"]), strict=True)]
)
def test_the_lock_has_what_the_project_asks_for(name, extras):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = list(project["dependencies"])
    for extra in extras:
        asked += project["optional-dependencies"][extra]
    locked = {normal(pin) for pin, _ in audit.pins(ROOT / name)}
    wanted = {normal(re.match(r"[\w.-]+", item)[0]) for item in asked}
    assert wanted <= locked | {normal(project["name"])}


PACKAGES = {
    "good": {"info": {"version": "1.0"}, "vulnerabilities": [], "releases": {"1.0": [{}]}},
    "holed": {
        "info": {"version": "2.0"},
        "vulnerabilities": [{"id": "PYSEC-1"}, {"id": "PYSEC-2", "withdrawn": "2020"}],
        "releases": {"2.0": [{}]},
    },
    "yanked": {
        "info": {"version": "3.1"},
        "vulnerabilities": [],
        "releases": {"3.0": [{"yanked": True}], "3.1": [{}]},
    },
    "old": {"info": {"version": "9.9"}, "vulnerabilities": [], "releases": {"9.0": [{}]}},
}


class Index(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        package = PACKAGES.get(self.path.split("/")[-2])
        body = json.dumps(package).encode() if package else b"<html>"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def index(monkeypatch):
    server = http.server.HTTPServer(("127.0.0.1", 0), Index)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple/")
    yield
    server.shutdown()
    server.server_close()


def run(monkeypatch, tmp_path, capsys, pins, audited=None):
    lock = tmp_path / "x.lock"
    lock.write_text(
        "".join(f"{name}=={version} \\\n    --hash=sha256:0\n" for name, version in pins)
    )
    monkeypatch.setattr(audit, "LOCK", lock)
    monkeypatch.setattr(audit, "audited", lambda _: audited or {})
    return audit.main(), capsys.readouterr().out


def test_what_is_wrong_is_found(index, monkeypatch, tmp_path, capsys):
    pins = [("good", "1.0"), ("holed", "2.0"), ("yanked", "3.0"), ("old", "9.0"), ("gone", "1")]
    status, said = run(monkeypatch, tmp_path, capsys, pins)
    assert status == 1
    assert "holed 2.0: PYSEC-1\n" in said and "yanked 3.0: withdrawn\n" in said
    assert "could not be checked: yanked 3.0 (latest: 3.1), old 9.0 (latest: 9.9), gone 1 (" in said


def test_nothing_found_and_nothing_checked_are_told_apart(index, monkeypatch, tmp_path, capsys):
    assert run(monkeypatch, tmp_path, capsys, [("good", "1.0")]) == (
        0,
        "audit: 1 releases, 0 asked about by pip-audit, 1 of the rest as their packages' latest; "
        "found: 0\n",
    )
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    status, said = run(monkeypatch, tmp_path, capsys, [("good", "1.0")])
    assert status == 0 and "could not be checked: good 1.0 (unknown to the index)" in said


def test_pip_audits_findings_count(index, monkeypatch, tmp_path, capsys):
    found = {("good", "1.0"): ["PYSEC-3"]}
    status, said = run(monkeypatch, tmp_path, capsys, [("good", "1.0")], found)
    assert status == 1 and "good 1.0: PYSEC-3\n" in said
