"""A colleague's templates: what they try is refused in one line that names file and line."""

import pytest

from report import document, labels, page, sandbox
from report.errors import ReportError
from report.sections import discover
from tests.report_kit import material, records, section, templates

PICKLE = "cos\\nsystem\\n(S'touch {owned}'\\ntR."


def refused(tmp_path, source, message):
    with pytest.raises(ReportError, match=message) as caught:
        section(tmp_path, source)
    said = str(caught.value)
    assert "\n" not in said and said.isprintable() and len(said) < 1000
    assert caught.value.place.file.name == "10-a.en.md"
    assert caught.value.place.line in (1, 3), said
    return said


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__ }}",
        "{{ ''['__class__'] }}",
        "{{ ''|attr('__class__') }}",
        "{{ ['']|map(attribute='__class__')|list }}",
        "{{ [''] | groupby('__class__') }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ joiner.__init__.__globals__.os.popen('id').read() }}",
        "{{ namespace.__init__ }}",
        "{{ self.__init__.__globals__ }}",
        "{{ self._TemplateReference__context }}",
        "{{ n.__func__ }}",
        "{{ n.__self__.folder }}",
        "{{ acc.__code__ }}",
        "{{ range.__class__.__subclasses__() }}",
        "{{ loop.__class__ }}",
        "{{ records.__class__.__init__.__globals__ }}",
        "{{ '{0.__class__}'.format(lang) }}",
        "{{ '{x.__class__.__mro__}'.format(x=lang) }}",
        "{{ '{x.__init__.__globals__}'.format_map({'x': n}) }}",
        "{{ ('{0.__class__}'|string).format(records) }}",
        "{{ '%s'|format(records.__dict__) }}",
    ],
)
def test_pythons_insides_are_out_of_reach(tmp_path, source):
    refused(tmp_path, source, "unsafe|undefined|has no attribute|no loop|type")


@pytest.mark.parametrize(
    "source",
    [
        "{{ records.folder.write_text('x') }}",
        "{{ records.folder.joinpath('/etc/passwd').read_text() }}",
        "{{ records.folder['read_bytes']() }}",
        "{{ (records.folder / '/etc/passwd').open().read() }}",
        "{{ records.folder.parent.rmdir() }}",
        "{{ records.runs['LeNet.s0'].model_copy() }}",
        "{{ records.runs['LeNet.s0'].parse_file('/etc/passwd') }}",
        "{{ records.runs['LeNet.s0'].parse_raw(\"PICKLE\", proto='pickle', allow_pickle=true) }}",
        "{{ records.runs['LeNet.s0'].config['construct']() }}",
        "{{ records.runs.pop('LeNet.s0') }}",
        "{{ records.runs.clear() }}",
        "{{ records.runs['LeNet.s0'].config.options.clear() }}",
        "{{ f('plain-degrades').values.update({}) }}",
    ],
)
def test_objects_are_read_and_never_used(tmp_path, source):
    owned = tmp_path / "owned"
    source = source.replace("PICKLE", PICKLE.format(owned=owned))
    refused(tmp_path, source, "unsafe")
    assert not owned.exists()
    assert "LeNet.s0" in records().by_id and records().by_id["LeNet.s0"].history


@pytest.mark.parametrize(
    "source",
    [
        "{% include '/etc/passwd' %}",
        "{% include '../../../../etc/passwd' %}",
        "{% include 'sections/../../secret.md' %}",
        "{% include 'file:///etc/passwd' %}",
        "{% include ['/etc/passwd', '/etc/hosts'] %}",
        "{% import '/etc/passwd' as x %}{{ x }}",
        "{% from '../secret.md' import x %}",
        "{% extends '/etc/passwd' %}",
        "{% include 'a\nb' %}",
        "{% include 'link.md' %}",
        "{% include 'forged.md' %}",
        "{% include 'binary.md' %}",
    ],
)
def test_files_elsewhere_are_out_of_reach(tmp_path, source):
    (tmp_path / "secret.md").write_text("secret")
    made = templates(tmp_path, a=f"# T\n\n{source}\n")
    (made / "link.md").symlink_to(tmp_path / "secret.md")
    (made / "forged.md").write_text("\ue0000\ue001", encoding="utf-8")
    (made / "binary.md").write_bytes(b"\xff")
    with pytest.raises(ReportError) as caught:
        document.compose(made, material(), discover(made), "en", pdf=False)
    said = str(caught.value)
    assert ".md:" in said and "secret" not in said.replace("secret.md", "")
    assert said.isprintable()


@pytest.mark.parametrize(
    "name", ["style/custom.css", "style/screen.css", "page.js", "sections/10-a.en.md"]
)
def test_a_link_out_of_the_folder_is_not_followed(tmp_path, name):
    made = templates(tmp_path, a="# T\n")
    (made / name).unlink()
    (made / name).symlink_to("/etc/passwd")
    with pytest.raises(ReportError, match=r"leads out of the templates' folder"):
        documents = {
            lang: document.compose(made, material(), discover(made), lang, pdf=False)
            for lang in ("zh", "en")
        }
        page.render(made, documents, material())


def test_a_style_sheet_cannot_end_itself(tmp_path):
    made = templates(tmp_path, a="# T\n")
    (made / "style/custom.css").write_text("a{}</STYLE ><script>alert(1)</script>")
    with pytest.raises(ReportError, match=r"custom\.css:1: ends the page's style"):
        page.style(made, "custom.css")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ 9 ** (9 ** 9) }}", "too large"),
        ("{{ 2 ** 100000 }}", "too large"),
        ("{% for i in range(10 ** 9) %}{% endfor %}", "range"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "RecursionError"),
        ("{{ 'x' * 10 ** 11 }}", "MemoryError"),
        ("{{ '%99999999999d'|format(1) }}", "MemoryError|OverflowError|ValueError"),
        ("{{ '{:99999999999}'.format(1) }}", "MemoryError|OverflowError|ValueError"),
        ("{{ 'x'|center(10 ** 11) }}", "MemoryError|OverflowError"),
        ("{{ range(99999)|list * 10 ** 6 }}", "MemoryError"),
        ("{{ lipsum(10 ** 9) }}", "undefined"),
        (
            "{% set ns = namespace(x='ab') %}{% for i in range(60) %}"
            "{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
            "MemoryError",
        ),
    ],
)
def test_what_would_take_the_machine_is_ended(tmp_path, source, message):
    refused(tmp_path, source, message)


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% set x = 'x' * 90000 %}{% for a in x %}{% for b in x %}{% endfor %}{% endfor %}",
        # every step doubles what the placeholder of the one before comes to
        "{% set ns = namespace(x=run('LeNet.s0')) %}{% for i in range(60) %}"
        "{% set x %}{{ ns.x }}{{ ns.x }}{% endset %}{% set ns.x = x|string|trim %}"
        "{% set y %}{{ x }}{% endset %}{% set ns.x = y %}{% endfor %}{{ ns.x }}",
    ],
)
def test_what_never_ends_is_ended(tmp_path, monkeypatch, source):
    monkeypatch.setattr(sandbox, "SECONDS", 0.7)
    refused(tmp_path, source, "did not end within 0.7 s|takes too much|MemoryError")


def test_a_placeholder_cannot_be_forged_by_an_expression(tmp_path):
    for index, source in enumerate(
        (
            '{{ "\\ue0000\\ue001" }}',
            '{{ "\\ue000" ~ run("LeNet.s0") }}',
            '{% set x %}{{ "\\ue000" }}0{{ "\\ue001" }}{% endset %}{{ x }}',
        )
    ):
        html = section(tmp_path / str(index), source)
        assert "\ue000" not in html and "\ue001" not in html


@pytest.mark.parametrize(
    "source",
    [
        "{% set x %}<script>alert(1)</script>{% endset %}{{ x }}",
        "{% macro m() %}<script>alert(1)</script>{% endmacro %}{{ m() }}",
        '{{ "<script>alert(1)</script>" ~ run("LeNet.s0") }}',
        "{% set x %}%s{% endset %}{{ x % '<script>alert(1)</script>' }}",
        "{% set x %}{}{% endset %}{{ x.format('<script>alert(1)</script>') }}",
        "{% filter upper|lower %}<script>alert(1)</script>{% endfilter %}",
        "{% autoescape false %}{{ '<script>alert(1)</script>' }}{% endautoescape %}",
        "<script>alert(1)</script>",
        '{% call figure("depth") %}<script>alert(1)</script>{% endcall %}',
        "`<script>alert(1)</script>`",
        "    <script>alert(1)</script>",
    ],
)
def test_no_template_makes_html_of_its_own(tmp_path, source):
    for pdf in (False, True):
        html = section(tmp_path / str(pdf), source, pdf=pdf)
        assert "<script" not in html.lower()
        assert "script" in html


@pytest.mark.parametrize("name", sandbox._MARKUP_FILTERS)
def test_filters_that_make_html_are_none(tmp_path, name):
    refused(tmp_path, f'{{{{ "<b>"|{name} }}}}', f"No filter named '{name}'")


@pytest.mark.parametrize(
    "source",
    [
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](vbscript:x)",
        "[x](file:///etc/passwd)",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "<javascript:alert(1)>",
        "![x](javascript:alert(1))",
        "[x]: javascript:alert(1)\n\n[x]",
    ],
)
def test_links_that_run_or_read_are_text(tmp_path, source):
    html = section(tmp_path, source)
    assert 'href="' not in html.replace('href="#', "") and "<img" not in html


@pytest.mark.parametrize(
    "tex",
    [
        r"\text{<script>alert(1)</script>}",
        r"\text{<img src=x onerror=alert(1)>}",
        r"x \tag{<b>}",
        r"\href{javascript:alert(1)}{x}",
        r"\style{background:url(http://evil.example)}{x}",
        r"\class{bar}{x}",
    ],
)
def test_a_formula_is_mathematics_only(tmp_path, tex):
    refused(tmp_path, f"${tex}$", "formula (has|sets)")


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
    documents = {
        lang: document.compose(made, found, discover(made), lang, pdf=False)
        for lang in ("zh", "en")
    }
    for source in ("\n{{ nothing }}", "\n{% if %}", "\n{{ ''.__class__.__mro__ }}"):
        (made / "page.html").write_text(source)
        with pytest.raises(ReportError, match=r"page\.html:2: "):
            page.render(made, documents, found)
