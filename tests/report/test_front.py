"""Front matter and works that are none: the file is named."""

import pytest

from report.base.errors import ReportError
from report.documents import document
from report.templating.sections import discover
from tests.report_kit import material, templates


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("title = 3", r"expected a table \[zh\]"),
        ("[zh]\ntitle = 3", r"expected a table \[zh\]"),
        ("[zh\n", r"report\.toml:1: "),
        ("x = " + "[" * 100_000, r"report\.toml:1: "),
        ("\0", r"report\.toml:1: "),
        ("zh = '\\ud800'\n[en]", r"expected a table"),
    ],
)
def test_front_matter_that_is_none_is_named(tmp_path, content, message):
    made = templates(tmp_path, a="# T\n")
    (made / "report.toml").write_text(content)
    with pytest.raises(ReportError, match=message) as caught:
        document.compose(made, material(), discover(made), "zh", pdf=False)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("content", ["@article{x", "@", "\0\0", "@article{a, title = {{{{}", "}"])
def test_works_that_are_none_are_named_or_none(tmp_path, content):
    made = templates(tmp_path, a='# T\n\n{{ cite("he2016") }}\n')
    (made / "references.bib").write_text(content)
    with pytest.raises(ReportError, match=r"references\.bib:1: |unknown cite key"):
        document.compose(made, material(), discover(made), "en", pdf=False)
