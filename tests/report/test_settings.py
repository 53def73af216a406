"""report.toml: what stands on the title page, and mistakes in it."""

from datetime import date

import pytest

from report.base.errors import ReportError
from report.blocks import settings

GOOD = '[zh]\ntitle = "T"\n[en]\ntitle = "T"\n'


@pytest.fixture
def read(tmp_path):
    def reading(text, lang="en", comma=", "):
        path = tmp_path / "report.toml"
        path.write_text(text, encoding="utf-8")
        return settings.read(path, lang, comma)

    return reading


def test_what_stands_on_the_title_page(read):
    authors = GOOD.replace("[en]", 'author = ["李明", "王芳"]\n[en]')
    assert read(authors, "zh", "、")["author"] == "李明、王芳"
    assert read(GOOD + "date = 2026-11-30\n")["date"] == date(2026, 11, 30)
    assert read(GOOD + 'date = "autumn 2026"\n')["date"] == "autumn 2026"
    assert read("\ufeff" + GOOD)["title"] == "T"  # a byte order mark is no text


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (GOOD + 'auther = "A"\n', 5, "unknown key of [en] 'auther'; did you mean 'author'?"),
        (GOOD + 'student_id = "1"\n', 5, "unknown key of [en] 'student_id'"),
        (GOOD + "[fr]\n", 5, "unknown table 'fr'"),
        ('titel = "T"\n' + GOOD, 1, "unknown table 'titel'"),
        (GOOD + "author = 3\n", 5, "author: expected a text or a list of texts"),
        (GOOD + 'author = ["A", 3]\n', 5, "author: expected a text or a list of texts"),
        (GOOD + "course = true\n", 5, "course: expected a text or a list of texts"),
        ("title = 3", 1, "expected a table [en]"),
        ("[en]\ntitle = 3", 1, "expected a table [en]"),
        ("zh = '\\ud800'\n[en]", 1, "expected a table [en]"),
        ("[zh\n", 1, ""),
        ("x = " + "[" * 100_000, 1, ""),
        ("\0", 1, ""),
        (GOOD + 'course = "on {data}"\n', 5, "unknown field '{data}'; did you mean '{dataset}'?"),
    ],
)
def test_mistakes_are_named_with_their_line(read, text, line, message):
    with pytest.raises(ReportError) as caught:
        read(text)
    assert f"report.toml:{line}: {message}" in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_preset_adds_to_what_is_left_out(tmp_path):
    path = tmp_path / "report.toml"
    choice = 'preset = "brief"\nwithout = ["b"]\n[presets.brief]\nwithout = ["a"]\n'
    path.write_text(choice)
    assert settings.shown(path, ["a", "b", "c"]) == {"c"}
    path.write_text(choice.replace('"brief"', '"breif"'))
    with pytest.raises(ReportError, match=r"toml:1: unknown preset 'breif'; did you mean 'brief'"):
        settings.shown(path, ["a", "b", "c"])
