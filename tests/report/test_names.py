"""The list of what a template can refer to."""

from report import names
from tests.report_kit import material, templates


def test_every_kind_is_listed_as_it_is_written(tmp_path, monkeypatch):
    folder = templates(tmp_path, a="# Title\n")
    (folder / "references.bib").write_text(r"@book{Key, title={On \emph{it}}}", encoding="utf-8")
    monkeypatch.setattr(names.schema, "load", lambda source: material())
    lines = list(names.listing(tmp_path, folder))
    for start in ('ref("sec:a")', 'figure("depth")', 'table("results")', 'finding("se-best")'):
        assert any(line.strip().startswith(start) for line in lines), start
    assert '  cite("Key")  On it' in lines
    assert "Runs of quick (16)" in lines
