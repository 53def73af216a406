"""The sandbox, the macros, and what a writer is told when something is wrong."""

import io
import pickle
import re

import pytest

from report import build, watch
from report.base import tree
from report.base.errors import ReportError
from report.base.labels import Labels
from report.base.placeholders import Slots
from report.blocks import formulas
from report.documents import document
from tests.report_kit import material, records, section, templates, text


def test_the_first_fault_of_every_section_is_told(tmp_path, monkeypatch):
    faulty = {"a": "{{ nothing }}", "b": "$\\fraq$ {{ nothing }}", "c": '{{ ref("fig:depht") }}'}
    folder = templates(tmp_path, **{name: f"# T\n\n{said}\n" for name, said in faulty.items()})
    monkeypatch.setattr(build, "TEMPLATES", folder)

    def told():
        with pytest.raises(ReportError) as caught:
            build.html(material())
        again = pickle.loads(pickle.dumps(caught.value))  # from the process of a PDF
        assert str(again) == str(caught.value)
        lines = str(caught.value).split("\nerror: ")
        assert watch.described(caught.value).count("    3 | ") == len(lines)  # with each line
        return [line.rpartition("/")[2] for line in lines]

    first = [line.partition(":")[0] for line in told()]
    assert first == ["10-a.zh.md", "20-b.zh.md", "10-a.en.md", "20-b.en.md"]
    (folder / "sections/10-a.zh.md").write_text('# T\n\n{{ ref("sec:x") }}\n', encoding="utf-8")
    for name in ("10-a.en.md", "20-b.zh.md", "20-b.en.md"):
        (folder / "sections" / name).write_text("# T\n", encoding="utf-8")
    assert told() == [
        "10-a.zh.md:3: unknown reference 'sec:x'; did you mean 'sec:c'?",
        "30-c.zh.md:3: unknown reference 'fig:depht'",
        "30-c.en.md:3: unknown reference 'fig:depht'",
    ]


# --- What is printed ---------------------------------------------------------------------------


def test_numbers_carry_value_and_source(tmp_path):
    html = section(tmp_path, '{{ n(acc("ResNet18")) }}')
    accuracy = records().by_id["ResNet18.s0"].test.accuracy
    assert f'data-value="{accuracy!r}" data-source="ResNet18.s0 test.accuracy">' in html
    assert f"{100 * accuracy:.2f}%" in text(html)


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ('n(orig("ResNet18", "accuracy"))', "98.75%"),
        ('n(orig("ResNet18", "accuracy"), digits=1, unit=false)', "98.8"),
        ('n(const("softmax_floor"), digits=4)', "1.4612"),
        ('n(const("chance_loss"), digits=4)', "2.3026"),
        ('field("ResNet18.s0", "network.parameters", "count")', "11,702,530"),
        ('n(params("ResNet18"))', "11.70\xa0M"),
        ('n(macs("ResNet18"))', "1.80\xa0G"),
        ('p(f("plain-degrades").p)', "p\xa0<\xa00.001"),
        ('n(acc("ResNet101-paper"))', "—"),
        ('run("ResNet18.s0")', "ResNet18.s0"),
        ('run("ResNet101-paper.s0")', "ResNet101-paper.s0"),
        ('has("ResNet18")', None),
        ('verdict("plain-degrades")', "Supported"),
        ("profile.name", "quick"),
        ("n(profile.input_size)", "36"),
        ('"*plain* [words](x) " ~ "`y`"', "*plain* [words](x) `y`"),
    ],
)
def test_macros(tmp_path, expression, shown):
    if shown is None:
        with pytest.raises(ReportError, match="type bool cannot be printed"):
            section(tmp_path, f"{{{{ {expression} }}}}")
    else:
        assert text(section(tmp_path, f"{{{{ {expression} }}}}")).strip().endswith(shown)


def test_intervals_carry_both_ends(tmp_path):
    html = section(tmp_path, '{{ ci(f("plain-degrades").interval) }}')
    assert re.search(r'class="n ci" href="[^"]+" data-value="-?[\d.e-]+ -?[\d.e-]+"', html)
    assert re.search(r"\[\d+\.\d+, \d+\.\d+\]", text(html))


def test_references_point_ahead_and_behind(tmp_path):
    body = (
        'See {{ ref("fig:depth") }}, {{ ref("tab:results") }}, {{ ref("eq:gain") }} and '
        '{{ ref("sec:a") }}.\n\n$$ y = x $$ (gain)\n\n'
        '{% call figure("softmax") %}One.{% endcall %}\n\n'
        '{% call figure("depth") %}Two, *said*.{% endcall %}\n\n'
        '{% call table("results") %}Three.{% endcall %}'
    )
    html = section(tmp_path, body)
    assert "See Figure 2, Table 1, Equation (1) and Section 1." in text(html)
    for target in ("fig-depth", "tab-results", "eq-gain"):
        assert f'href="#en-{target}"' in html
        assert html.count(f'id="en-{target}"') == 1
    assert "<em>said</em>" in html


def test_works_are_numbered_by_first_citation(tmp_path):
    html = section(tmp_path, 'A {{ cite("he2016") }}, B {{ cite("lecun1998", "he2016") }}.')
    assert "A [1], B [1], [2]." in text(html)
    chinese = section(tmp_path / "zh", '甲{{ cite("he2016", "hu2018") }}。', lang="zh")
    assert "甲[1,2]。" in text(chinese)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (
            '{% call figure("depth") %}C.{% endcall %}',
            ('aria-label="A line &lt;rises&gt;"', 'id="en-depth-dot"', 'href="#en-depth-dot"'),
        ),
        ('{{ finding("plain-degrades") }}', ('data-verdict="supported"', "Supported", 'class="n"')),
        ('{{ n(acc("ResNet101-paper")) }}', ['class="missing"']),
        (
            r"`28` pixels, $60\,000$ images, $95\,\%$, `make all`, $x$",  # typed definitions
            ("28 pixels, 60,000 images, 95%", "<code>make all</code>", "<math"),
        ),
        ("<details><summary>Q&A&nbsp;&lt;</summary>\n</details>", ("Q&amp;A\xa0&lt;</summary>",)),
    ],
)
def test_what_stands_in_the_page(tmp_path, source, shown):
    html = section(tmp_path, source)
    assert [each for each in shown if each not in html and each not in text(html)] == []


@pytest.mark.parametrize("read", [Slots().filled, Slots().plain])
def test_html_of_a_label_or_partial_that_is_not_well_formed_is_named(read):
    with pytest.raises(ReportError, match=r"not well-formed \(.*\): A & B"):
        read("A & B")


@pytest.mark.parametrize("source", ["**结论：**然后", "他说**“好”**了", '**{{ "甲" }}。**乙'])
def test_emphasis_works_beside_chinese_punctuation(tmp_path, source):
    assert "<strong>" in section(tmp_path, source, lang="zh")


@pytest.mark.parametrize(
    ("lang", "source", "shown"),
    [
        ("zh", "甲。\nResNet\n乙 {{ 1 }}\n层\n{{ 2 }}\n**丙**\n丁", "甲。ResNet乙 1层2丙丁"),
        ("zh", "ResNet\nBlock", "ResNet Block"),
        ("en", "“A”\n“b”\n{{ 1 }}\n*c*", "“A” “b” 1 c"),
    ],
)
def test_a_line_break_beside_chinese_is_no_space(tmp_path, lang, source, shown):
    assert text(section(tmp_path, source, lang=lang)).strip().endswith(f" {shown}")


# --- What is wrong, and where ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "message", "column"),
    [
        ("{% if %}", "Expected an expression", None),
        ("{{ n(acc('LeNet') }}", "unexpected '}'", 19),
        ("{{ n(“a”) }}", 'write "', 6),
        ('x {% call figure("depth") %}x', "{% call %} has no {% endcall %}", 6),
        ("{{ nn(1) }}", "'nn' is undefined; did you mean 'n'?", 4),
        (r"$\frac{{a}}{b}$", "in a formula, too, {{ begins an expression", 9),
        ("{{ profile.size }}", "has no attribute 'size'", None),
        ('{{ n(acc("ResNet19")) }}', "unknown network 'ResNet19'; did you mean 'ResNet1", 11),
        ('{{ field("LeNet.s9", "test.accuracy", "accuracy") }}', "unknown record 'LeNet.s9'", 11),
        ('{{ field("LeNet.s0", "test.acc", "accuracy") }}', "no field 'test.acc'", 23),
        ('{{ field("LeNet.s0", "id", "accuracy") }}', "expected a number", 23),
        ('{{ field("LeNet.s0", "test.accuracy", "percent") }}', "unknown kind 'percent'", 40),
        ('{% call figure("dept") %}x{% endcall %}', "'dept'; did you mean 'depth'?", 17),
        ('{{ table("result") }}', "unknown table 'result'; did you mean 'results'?", 11),
        ('{{ finding("plain") }}', "unknown finding 'plain'", 13),
        ('{{ cite("he2015") }}', "unknown cite key 'he2015'; did you mean 'he2016'?", 10),
        ('{{ ref("fig:nothing") }}', "unknown reference 'fig:nothing'", 9),
        ('{{ ref("chapter:1") }}', "unknown kind of reference 'chapter'", 9),
        ('{{ const("pi") }}', "unknown constant 'pi'", 11),
        ('{{ orig("ResNet18", "loss") }}', "unknown figure of the original's table 'loss'", 22),
        ('{{ n("98.36") }}', "n() takes a Value, not a str", None),
        ("{{ n(none) }}", "not nothing (None)", None),
        ("{{ 98.36 }}", "type float cannot be printed", None),
        ("{{ n(acc('LeNet'), digit=1) }}", "unexpected keyword argument 'digit'", None),
        (r"$\foo{x}$", 'Unknown command "\\foo"', 2),
        (r"$x + \foo{x}$", 'Unknown command "\\foo"', 6),
        (r"$\left( x$", 'Expected closing token "\\right"', 10),
        (r"$\boxed{x}$", "is not drawn by browsers", 2),
        (r"$x\cancel{x}$", "is not drawn by browsers", 3),
        (r"$\color{red}{x}$", "is not drawn in the PDF", 2),
        (r"$\begin{array}{c|c} x \end{array}$", "draws a line", 2),
        (r"$$\begin{align} x \end{align}$$", "numbers its lines itself", 3),
        ('$a = {{ ref("sec:a") }}$', "only a number can stand in a formula", None),
        ('$a = {{ "甲" }}$', "a formula cannot hold", None),
        ("$$ 中 $$", "cannot hold Chinese text", None),
        ("[^a] x", "[^a] is a footnote without its text", 1),
        ('{% call table("results") %}x[^a]{% endcall %}', "or one in a caption", None),
        ("<!-- a --> b", "which must stand alone", 12),
        ("a\x0bb", "the character U+000B cannot be printed", 2),
        ("{{ acc('lenet') }}", "did you mean 'LeNet'?", 9),
        ("[x]({{ profile.name }})", "stands in a link's address", None),
        ('text {{ finding("plain-degrades") }}', "in a paragraph of its own", None),
        ('{{ finding("se-best") }}\n\n{{ finding("se-best") }}', "is there twice", None),
    ],
)
def test_errors_name_file_line_and_column(tmp_path, body, message, column):
    with pytest.raises(ReportError) as caught:
        section(tmp_path, body)
    error = caught.value
    assert message in str(error)
    assert "\n" not in str(error)
    assert error.place.file.name == "10-a.en.md"
    assert error.place.line == 3 + body.count("\n")
    if column is not None:
        assert error.place.column == column


def test_an_error_in_a_wording_names_the_wording(tmp_path):
    made = templates(tmp_path, a='# T\n\n{{ finding("se-best") }}\n')
    verdicts = ("supported", "contradicted", "inconclusive", "not_testable")
    text = "{% block claim %}c{% endblock %}"
    for verdict in verdicts:
        text += "{% block " + verdict + " %}\n{{ n(f.values.x) }}\n{% endblock %}"
    (made / "findings/se-best.en.md").write_text(text)
    with pytest.raises(ReportError, match="'x'") as caught:
        document.compose(made, material(), "en", pdf=False)
    assert caught.value.place.file.name == "se-best.en.md"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("intro.en.md", b"# T\n", "expected a name like"),
        ("20-b.en.md", b"# T\n", "has no counterpart 20-b.zh.md"),
        ("10-a.en.md", b"no heading", "expected"),
        ("10-a.en.md", b"## Second first\n", "expected"),
        ("10-a.en.md", b"# One\n\n# Two\n", "expected"),
        ("10-a.en.md", b"# \xff\n", "not UTF-8"),
    ],
)
def test_a_section_has_a_name_a_counterpart_and_one_title_first(tmp_path, name, content, message):
    made = templates(tmp_path, a="# T\n")
    (made / "sections" / name).write_bytes(content)
    with pytest.raises(ReportError, match=message):
        document.compose(made, material(), "en", pdf=False)


@pytest.mark.parametrize(
    ("tex", "shown"),
    [
        (r"\operatorname*{arg\,max}_c p", "munder"),
        (r"\mathop{\mathrm{minimize}}_x f", "minimize"),
        (r"\begin{aligned}a &= b\\ c &= d\end{aligned}", "mtable"),
        (r"\textbf{bold} + \texttt{code}", "bold"),
        (r"\mathscr{F}\text{ is a family}", "ℱ"),
        (r"\overline{ab}", "mover"),
    ],
)
def test_formulas_that_are_right_in_both_outputs(tmp_path, tex, shown):
    html = section(tmp_path, f"$$ {tex} $$")
    assert f"<{shown}" in html or f">{shown}<" in html
    (math,) = tree.parsed(html).iter("math")
    svg, css = formulas.drawing(math)
    assert float(re.match(r"width:([\d.]+)em;", css)[1]) > 1 and "<path" in svg


def test_a_letter_that_a_drawing_would_lack_is_named(tmp_path):
    (math,) = tree.parsed(section(tmp_path, r"$\text{✅} = x$")).iter("math")
    with pytest.raises(formulas.FormulaError, match="lacks '✅'"):
        formulas.drawing(math)


def test_a_number_stands_in_a_formula(tmp_path):
    accuracy = 100 * records().by_id["ResNet18.s0"].test.accuracy
    html = section(tmp_path, '$a = {{ n(acc("ResNet18")) }}$, $p = {{ n(params("ResNet18")) }}$')
    assert f"<mn>{accuracy:.2f}</mn>" in html
    assert r"p = 11.70\,\text{M}" in html


def test_what_writers_bring_along_is_known(tmp_path):
    html = section(
        tmp_path,
        "<!-- TODO -->\n\nH<sub>2</sub>O<br>x.[^1] See https://example.org/a。\n\n"
        "- [ ] a\n- [x] b\n\n> [!NOTE]\n> Mind this.\n\n```math\nx\n```\n\n[^1]: The note.",
    )
    assert "TODO" not in html
    for shown in (
        "<sub>2</sub>", "<br/>", "☐ a", "☑ b", 'href="#fn-en-10-a-1"', 'id="fn-en-10-a-1"',
        "The note.",
        'href="https://example.org/a"', '<p class="markdown-alert-title">Note</p>', "<math",
    ):  # fmt: skip
        assert shown in html


def test_formulas_are_said_in_words():
    math = tree.parsed(formulas.mathml(r"\frac{1}{n}\sum_{i=1}^n \mathbf x_i", display=True))[0]
    assert formulas.spoken(math, Labels("en")) == (
        "the fraction 1 over n the sum of from i equals 1 to n: x sub i"
    )
    assert formulas.spoken(math, Labels("zh")) == "分数 1 除以 n 求和，从 i 等于 1 到 n： x 下标 i"


def test_the_pages_font_holds_what_its_formulas_show():
    from fontTools.ttLib import TTFont

    found = formulas.web_font([formulas.mathml(r"\sqrt{x} \le \mathbf y", display=False)])
    font = TTFont(io.BytesIO(found))
    assert {0x221A, 0x2264, 0x1D465, 0x1D432} <= font.getBestCmap().keys()
    assert "MATH" in font and len(found) < 20_000
