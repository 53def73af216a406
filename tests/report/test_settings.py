"""report.toml: what stands on the title page, and mistakes in it."""

from datetime import date

import pytest

from report.base.errors import ReportError, syntax_error
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


UNCLOSED = (
    "Unexpected end of template. Jinja was looking for the following tags: 'endcall'. "
    "The innermost block that needs to be closed is 'call'."
)


@pytest.mark.parametrize(
    ("source", "said", "line", "at", "expected"),
    [
        ('# T\n{% call figure("a") %}\nx\nend\n', UNCLOSED, 4, (2, "c"), "has no {% endcall %}"),
        ("# T\n\n{{ n(“a”) }}\n", "unexpected char '“' at 11", 3, (3, "“"), 'write "'),
        ("# T\n{{ n(a }}\n", "unexpected '}'", 2, (2, "}"), "unexpected '}'"),
    ],
)
def test_what_jinja_cannot_parse_is_placed(tmp_path, source, said, line, at, expected):
    path = tmp_path / "a.md"
    path.write_text(source, encoding="utf-8")
    error = syntax_error(said, path, line)
    assert expected in error.message
    text = source.splitlines()[error.place.line - 1]
    assert (error.place.line, text[error.place.column - 1]) == at
