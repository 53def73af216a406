"""What is installed: pinned by hash, from no place in particular, and audited."""

import io
import json
import re
import tomllib

import pytest

from tests import audit
from tests.checkout import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock")


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize(
    ("name", "extras"), [*zip(LOCKS, (["report"], ["report", "ray", "dev"]), strict=True)]
)
def test_the_lock_pins_by_hash_what_the_project_asks_for_from_no_place_in_particular(name, extras):
    text = (ROOT / name).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-zA-Z0-9])", text.partition("\n#")[2].partition("\n")[2])
    assert len(entries) > 40
    for entry in entries:
        assert re.match(r"[\w.-]+==[^\s;\\]+", entry), entry[:60]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry[:60]
    assert not re.search(r"index-url|find-links|https?://|file:|^-|@ ", text, re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [project["dependencies"], *map(project["optional-dependencies"].get, extras)]
    wanted = {normal(re.match(r"[\w.-]+", item)[0]) for items in asked for item in items}
    assert wanted <= {normal(pin) for pin, _ in audit.pins(ROOT / name)} | {project["name"]}


def package(latest, *found, **releases):
    return {"info": {"version": latest}, "vulnerabilities": [*found], "releases": releases}


#: What the index says of packages.
PACKAGES = {
    "good": package("1.0", **{"1.0": [{}]}),
    "holed": package("2.0", {"id": "PYSEC-1"}, {"id": "PYSEC-2", "withdrawn": "2020"}),
    "yanked": package("3.1", **{"3.0": [{"yanked": True}]}),
    "old": package("9.9", **{"9.0": [{}]}),
}


@pytest.fixture
def audited(monkeypatch, tmp_path, capsys):
    """Audit a lock of these releases, by this index, with what pip-audit is said to have found."""

    def audited(*pins, index=PACKAGES, found=()):
        def urlopen(address, timeout):
            assert address.startswith("https://mirror.example/pypi/")
            name = address.split("/")[-2]
            return io.BytesIO(json.dumps(index[name]).encode() if name in index else b"<html>")

        lines = [f"{name}=={version} \\\n    --hash=sha256:0\n" for name, version in pins]
        (tmp_path / "x.lock").write_text("".join(lines))
        monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple/")
        monkeypatch.setattr(audit.urllib.request, "urlopen", urlopen)
        monkeypatch.setattr(audit, "LOCK", tmp_path / "x.lock")
        monkeypatch.setattr(audit, "audited", lambda _: dict(found))
        return audit.main(), capsys.readouterr().out

    return audited


def test_what_is_wrong_is_found(audited):
    pins = (("good", "1.0"), ("holed", "2.0"), ("yanked", "3.0"), ("old", "9.0"), ("gone", "1"))
    status, said = audited(*pins)
    assert status == 1
    assert "holed 2.0: PYSEC-1\n" in said and "yanked 3.0: withdrawn\n" in said
    assert "could not be checked: yanked 3.0 (latest: 3.1), old 9.0 (latest: 9.9), gone 1 (" in said
    status, said = audited(("good", "1.0"), found={("good", "1.0"): ["PYSEC-3"]}.items())
    assert status == 1 and "good 1.0: PYSEC-3\n" in said


def test_nothing_found_and_nothing_checked_are_told_apart(audited):
    status, said = audited(("good", "1.0"))
    told = "audit: 1 releases, 0 asked about by pip-audit, 1 of the rest as their packages' latest"
    assert (status, said) == (0, f"{told}; found: 0\n")
    status, said = audited(("good", "1.0"), index={})
    assert status == 0 and "could not be checked: good 1.0 (unknown to the index)" in said
