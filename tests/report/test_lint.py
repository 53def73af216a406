"""The lint: a typed result is found; definitions, names and expressions are not taken for one."""

import pytest

from report.base.errors import ReportError
from report.lint import lint
from tests.report_kit import templates


def check(tmp_path, capsys, text, english=None, definitions=""):
    """The status of the lint of a section with this text, or with these, and what it says."""
    made = templates(tmp_path, a=f"# Title\n\n{text}\n")
    if english is not None:
        (made / "sections/10-a.en.md").write_text(f"# Title\n\n{english}\n", encoding="utf-8")
    for path in (made / "findings").glob("*.md"):
        path.unlink()
    (made / "definitions.txt").write_text(definitions, encoding="utf-8")
    return lint(made), capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "It reaches 98.36 %.",
        "准确率为98.36%。",
        "after 10 epochs",
        "**97**",
        "{% if true %}a loss of 0.053{% endif %}",
        '{% call figure("depth") %}All above 90 %.{% endcall %}',
        "| a | 12 |\n| --- | --- |\n| b | c |",
        '{{ "98.36" }}',
        '{{ "about " ~ "98 %" }}',
        "{{ 98 }}",
        '{{ "97" if true else "x" }}',
    ],
)
def test_a_typed_result_is_refused(tmp_path, capsys, text):
    status, said = check(tmp_path, capsys, text)
    assert status == 1
    assert "10-a.en.md:" in said and "10-a.zh.md:" in said and "is typed" in said


@pytest.mark.parametrize(
    "text",
    [
        "ResNet-18 and PlainNet34, SHA-256, McNemar",
        "`28` pixels, $3\\times3$, $60\\,000$",
        "$$ y = 2x $$ (two)",
        "```sh\nmake experiment EPOCHS=3\n```",
        '{{ n(acc("ResNet18"), digits=1) }} and {{ ref("fig:depth") }}',
        "1. first\n2. second",
        "[a page](https://example.org/2024)",
        "{# 98.36 #}",
        '{% if f("se-best").seeds > 1 %}several{% endif %}',
        '{{ "one" if f("se-best").seeds == 1 else "several" }}',
        "`$x` and `[TOC]`, \\$ and $x$, $y$",
        "$$\na = \\text{b}\n$$",
        "| a | b |\n| :-: | :-- |\n| c | d |",
        "> [!NOTE]\n> Mind.",
        "a: b, at one:two, {a, b}",
        '[a](https://example.org "title")',
    ],
)
def test_what_is_no_result_and_is_markdown_passes(tmp_path, capsys, text):
    assert check(tmp_path, capsys, text) == (0, "")


def test_a_definition_that_is_listed_passes(tmp_path, capsys):
    listed = "Python 3\\.11  # the least\n"
    assert check(tmp_path, capsys, "Python 3.11 or later", definitions=listed)[0] == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("##Title", "no heading"),
        ("｛｛ n ｝｝", "full-width braces"),
        ("{ n(x) }", "single braces"),
        ("==x==", "no emphasis"),
        ("H~2~O", "no subscript"),
        (":smile:", "no emoji"),
        ("a^[note]", "no footnote"),
        ("*[HTML]: text", "abbreviations"),
        ("[TOC]", "made by themselves"),
        ("> [!note] Mind", "no call-out"),
        ("costs $ x $", "no formula"),
        (r"\(x\)", "no formula"),
        (r"as in \cite{he2016}", "TeX is known in formulas only"),
        ("as in [@he2016]", "no citation"),
        ("![a](my own.png)", "no link"),
        ("2016. A year", "begins a list"),
    ],
)
def test_what_would_be_printed_as_typed_is_named(tmp_path, capsys, text, said):
    status, found = check(tmp_path, capsys, text)
    assert status == 1
    lines = [line.partition("10-a.en.md:3: ")[2] for line in found.splitlines()]
    assert any(said in line for line in lines), found


def test_line_and_name_are_given(tmp_path, capsys):
    _, said = check(tmp_path, capsys, "a\n\nb 98.36 c")
    assert "10-a.en.md:5: '98.36' is typed" in said


@pytest.mark.parametrize(
    ("zh", "en", "what"),
    [
        ("## 甲\n", "## A\n\n## B\n", "headings differ"),
        ('{{ finding("se-best") }}', "", "findings differ"),
        ('{{ cite("he2016") }}', '{{ cite("hu2018") }}', "cites differ"),
        ('{% call figure("depth") %}{% endcall %}', "", "figures differ"),
        ('{% call table("results") %}{% endcall %}', "", "tables differ"),
        ("$$ x $$ (a)", "$$ x $$ (b)", "equations differ"),
    ],
)
def test_the_languages_must_agree(tmp_path, capsys, zh, en, what):
    status, said = check(tmp_path, capsys, zh, en)
    assert status == 1 and what in said


@pytest.mark.parametrize(("lang", "other"), [("zh", "en"), ("en", "zh")])
def test_a_wording_in_one_language_is_named(tmp_path, capsys, lang, other):
    folder = templates(tmp_path, a="# T\n")
    (folder / "findings" / f"new.{other}.md").unlink(missing_ok=True)
    (folder / "findings" / f"new.{lang}.md").write_text("{% block claim %}x{% endblock %}\n")
    assert lint(folder) == 1
    assert f"new.{lang}.md:1: has no counterpart new.{other}.md" in capsys.readouterr().err


def test_the_real_templates_pass(capsys):
    assert lint() == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{% if true %} x", "{% if %} has no {% endif %}"),
        ('{% call figure("depth") %}x\n\ny', "{% call %} has no {% endcall %}"),
        ("{{<note>}}", "unexpected '<'"),
    ],
)
def test_a_template_that_cannot_be_parsed_is_named(tmp_path, capsys, text, said):
    with pytest.raises(ReportError, match=r"10-a\.\w\w\.md:3: ") as caught:
        check(tmp_path, capsys, text)
    assert said in str(caught.value)
