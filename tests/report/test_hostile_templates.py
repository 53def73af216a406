"""Texts never become HTML, whoever wrote them; what is refused is named by file and line."""

import pytest

from report.base import labels
from report.base.errors import ReportError
from report.documents import document, html_page
from tests.report_kit import material, section, templates


def refused(tmp_path, source, message):
    with pytest.raises(ReportError, match=message) as caught:
        section(tmp_path, source)
    said = str(caught.value)
    assert "\n" not in said and said.isprintable() and len(said) < 1000
    assert caught.value.place.file.name == "10-a.en.md"
    assert caught.value.place.line in (1, 3), said


INSIDES = "unsafe|undefined|has no attribute|no loop|type"
UNKNOWN = "{}.* is HTML that is not known"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ ''.__class__ }}", INSIDES),
        ("{{ ''['__class__'] }}", INSIDES),
        ("{{ ''|attr('__class__') }}", INSIDES),
        ("{{ cycler.__init__.__globals__ }}", INSIDES),
        ("{{ n.__func__ }}", INSIDES),
        ("{{ records.__class__ }}", INSIDES),
        ("{{ '{0.__class__}'.format(lang) }}", INSIDES),
        ("a<script>alert(1)</script>", UNKNOWN.format("<script>")),
        ("<div onclick='x'>y</div>", UNKNOWN.format("<div onclick='x'>")),
        ("<sub class='x'>y</sub>", UNKNOWN.format("<sub class='x'>")),
        ("H<sub>2O", "left open"),
        (r"$x \tag{<b>}$", "formula: "),
        (r"$\href{javascript:alert(1)}{x}$", "formula: "),
        (r"$\style{background:url(http://evil.example)}{x}$", "formula: "),
        (r"$\class{bar}{x}$", "formula: "),
    ],
)
def test_pythons_insides_unknown_html_and_a_formulas_commands_are_refused(
    tmp_path, source, message
):
    refused(tmp_path, source, message)


def test_a_placeholder_cannot_be_forged_by_an_expression(tmp_path):
    source = (
        '{{ "\\ue0000\\ue001" }} {{ "\\ue000" ~ run("LeNet.s0") }}\n\n'
        '{% set x %}{{ "\\ue000" }}0{{ "\\ue001" }}{% endset %}{{ x }}'
    )
    html = section(tmp_path, source)
    assert "\ue000" not in html and "\ue001" not in html


@pytest.mark.parametrize(
    "source",
    [
        "{% set x %}<script>alert(1)</script>{% endset %}{{ x }}",
        "{% macro m() %}<script>alert(1)</script>{% endmacro %}{{ m() }}",
        '{{ "<script>alert(1)</script>" ~ run("LeNet.s0") }}',
        '{{ "<script>alert(1)</script>" }} *{{ "<script>" }}* `{{ "<script>" }}`',
        '{{ "<script>alert(1)</script>"|safe }}',
        "{% set x %}%s{% endset %}{{ x % '<script>alert(1)</script>' }}",
        "{% set x %}{}{% endset %}{{ x.format('<script>alert(1)</script>') }}",
        "{% autoescape false %}{{ '<script>alert(1)</script>' }}{% endautoescape %}",
        "`<script>alert(1)</script>`",
        r"$\text{<script>alert(1)</script>}$",
        "    <script>alert(1)</script>",
    ],
)
def test_no_template_makes_html_of_its_own(tmp_path, source):
    for pdf in (False, True):
        html = section(tmp_path / str(pdf), source, pdf=pdf)
        assert "<script" not in html.lower()
        assert "script" in html


@pytest.mark.parametrize(
    "source",
    [
        "[x](javascript:alert(1))",
        '{{ "[x](https://x.org)" ~ "![y](z.png)" }}',
        "[x](JaVaScRiPt:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](vbscript:x)",
        "[x](file:///etc/passwd)",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "<javascript:alert(1)>",
        "[x]: javascript:alert(1)\n\n[x]",
    ],
)
def test_links_that_run_or_read_are_text(tmp_path, source):
    html = section(tmp_path, source)
    assert 'href="' not in html.replace('href="#', "") and "<img" not in html


@pytest.mark.parametrize(
    "text", ["{count.__class__.__init__.__globals__}", "{}", "{0.x}", "{0}", "{other}"]
)
def test_the_labels_are_no_format_strings(tmp_path, monkeypatch, text):
    file = tmp_path / "labels.toml"
    file.write_text(f'data_runs = {{ zh = "{text}", en = "{text}" }}\nbad = {{ en = 3 }}\n')
    monkeypatch.setattr(labels, "FILE", file)
    made = labels.Labels("en")
    if text in ("{0}", "{other}"):
        with pytest.raises(ReportError, match=r"labels\.toml:1: 'data_runs' has no value \{"):
            made("data_runs", count=3)
    else:
        assert made("data_runs", count=3) == text
    for key in ("bad", "nothing"):
        with pytest.raises(ReportError, match=f"has no text '{key}'"):
            made(key)


def test_a_fault_of_the_page_around_is_one_line_too(tmp_path):
    made = templates(tmp_path, a="# T\n")
    found = material()
    documents = [document.compose(made, found, lang, pdf=False) for lang in ("zh", "en")]
    for source in ("\n{{ nothing }}", "\n{% if %}", "\n{{ ''.__class__.__mro__ }}"):
        (made / "page.html").write_text(source)
        with pytest.raises(ReportError, match=r"page\.html:2: "):
            html_page.render(made, documents, found)
