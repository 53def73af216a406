"""Word, LaTeX and Markdown: the page's numbers, native equations, captions, alternative texts."""

import re
import shutil
import subprocess
import sys
import zipfile

import pytest
from lxml import etree

from report.base import tree
from report.base.errors import ReportError
from report.blocks.numbers import LANGS
from report.documents import document, handin
from report.documents.pandoc_html import FORMATS
from report.templating.sections import discover, in_language
from tests import report_kit
from tests.checkout import edit

pytestmark = pytest.mark.pipeline

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
TEXT = """See {{ ref("fig:depth") }}, {{ ref("tab:results") }} and {{ ref("eq:sum") }}: the accuracy
is {{ n(acc("ResNet18")) }} ({{ n(params("LeNet")) }} parameters) {{ cite("he2016") }}.[^own]

$$ y = h(x) + x $$ (sum)

Inline $x^2$, then a table, a listing and a picture of one's own.

| a | b |
| - | - |
| `1` | `2` |

![A dot](dot.png)

```python
print(1)
```

{{ finding("plain-degrades") }}

{% call figure("depth") %}Depth and {{ n(acc("LeNet")) }}.{% endcall %}

{% call table("results") %}Results.{% endcall %}

[^own]: A footnote of one's own.
"""
#: Letters that pdfLaTeX does not have.
_LETTERS = re.compile(r"[^\x00-\x7f\u2010-\u201f\u3000-\uffef\u00a0-\u017f…]")
_NUMBER = re.compile(r"\d[\d,.]*\d|\d")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A small report in every format and language: its folder and its documents."""
    folder = tmp_path_factory.mktemp("handin")
    templates = report_kit.templates(folder, a=f"# Title\n\n{TEXT}")
    png = next(report_kit.material().folder.glob("figures/*.png"))
    for name in ("sections/dot.png", "logo.png"):
        shutil.copy(png, templates / name)
    _settings(templates, last='[zh.cover]\n"学号" = "2026001"\n"成绩" = ""\n')
    edit(templates / "report.toml", "course =", 'logo = "logo.png"\ncourse =')
    results = report_kit.analysed()
    for form in FORMATS:
        for lang in LANGS:
            handin.write(results, folder / "out", form, lang, templates)
    material = handin.schema.load(results)
    return folder / "out", {lang: _composed(templates, lang, material) for lang in LANGS}


def _inside(out, lang, part):
    """A part of the Word file."""
    with zipfile.ZipFile(out / f"report.{lang}.docx") as archive:
        return archive.read(f"word/{part}.xml")


def _text(out, form, lang):
    """All text of a file in reading order."""
    if form == "docx":
        paragraphs = etree.fromstring(_inside(out, lang, "document")).iter(f"{W}p")
        return "\n".join("".join(t.text or "" for t in each.iter(f"{W}t")) for each in paragraphs)
    name = f"latex-{lang}/report.tex" if form == "tex" else f"report.{lang}.md"
    return (out / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("lang", LANGS)
def test_the_numbers_are_those_of_the_page_in_their_order(made, form, lang):
    out, page = made
    texts = [
        tree.text(data)
        for part in page[lang].parts
        if part.name != "cards"
        for data in part.root.xpath(".//*[@class='n']")
    ]
    expected = [number[0] for number in map(_NUMBER.search, texts) if number]
    assert len(expected) > 50
    found = iter(_NUMBER.findall(_text(out, form, lang)))
    missing = [number for number in expected if number not in found]  # consumes in order
    assert not missing


def test_word_has_native_equations_captions_styles_and_alternative_texts(made):
    out, _ = made
    root = etree.fromstring(_inside(out, "zh", "document"))
    assert len(list(root.iter(f"{M}oMath"))) == 2
    fields = [field.get(f"{W}instr").split()[1] for field in root.iter(f"{W}fldSimple")]
    assert sorted(fields) == ["Figure", "Table"]
    styles = {style.get(f"{W}val") for style in root.iter(f"{W}pStyle")}
    assert {"Heading1", "ImageCaption", "TableCaption", "Equation", "Finding"} <= styles
    marks = {mark.get(f"{W}name") for mark in root.iter(f"{W}bookmarkStart")}
    targets = {link.get(f"{W}anchor") for link in root.iter(f"{W}hyperlink")} - {None}
    assert {"fig-depth", "tab-results", "eq-sum", "work-he2016"} <= targets <= marks
    pictures = root.xpath("//*[local-name()='docPr']")
    assert [bool(picture.get("descr")) for picture in pictures] == [False, True, True]  # the logo
    assert len(list(root.iter(f"{W}footnoteReference"))) == 1
    fonts = _inside(out, "zh", "styles").decode()  # those of the reference document
    assert all(font in fonts for font in ("宋体", "黑体", "Times New Roman"))


def test_words_columns_are_as_wide_as_their_contents_and_fit_the_page(made):
    out, _ = made
    root = etree.fromstring(_inside(out, "en", "document"))
    text_width = 11906 - 2 * 1418  # of A4 less the margins, in twentieths of a point
    grids = [grid.iter(f"{W}gridCol") for grid in root.iter(f"{W}tblGrid")]
    own, results = [[int(column.get(f"{W}w")) for column in grid] for grid in grids]
    assert max(sum(own), sum(results)) <= text_width
    assert max(results) > 1.5 * min(results)
    for picture in root.xpath("//*[local-name()='inline']/*[local-name()='extent']"):
        assert int(picture.get("cx")) / 635 + 180 <= text_width  # with LibreOffice's margin


@pytest.mark.parametrize(("lang", "kind"), [("zh", "ctexart"), ("en", "article")])
def test_latex_counts_and_refers_by_itself(made, lang, kind):
    out, _ = made
    text = _text(out, "tex", lang)
    assert f"]{{{kind}}}" in re.sub(r"\s", "", text)
    for name in re.findall(r"\\(?:includegraphics)(?:\[.*?\])?\{(.*?)\}", text):
        assert (out / f"latex-{lang}" / name).is_file()
    assert (out / f"latex-{lang}/references.bib").is_file()
    targets = set(re.findall(r"\\ref\*?\{(.*?)\}", text))
    assert targets == {"fig-depth", "tab-results", "eq-sum"}
    assert targets <= set(re.findall(r"\\label\{(.*?)\}", text))
    assert set(re.findall(r"\\cite\{(.*?)\}", text)) == {"he2016"}
    assert r"\bibitem{he2016}" in text and r"\toprule" in text and r"\footnote{" in text
    for name in ("equation", "longtable", "figure", "thebibliography", "document"):
        assert text.count(rf"\begin{{{name}}}") == text.count(rf"\end{{{name}}}") > 0
    assert lang == "zh" or not _LETTERS.findall(text)


@pytest.mark.parametrize("form", FORMATS)
def test_course_logo_and_the_rows_of_the_cover_are_there(made, form):
    out, _ = made
    text = _text(out, form, "zh")
    assert "深度学习实验报告" in text and re.search("学号: ?2026001", text)
    if form != "docx":  # its pictures are counted above
        assert "figures/picture-1.zh.png" in text


@pytest.mark.parametrize(("lang", "program"), [("zh", "xelatex"), ("en", "pdflatex")])
def test_the_whole_report_is_latex(tmp_path, lang, program):
    """It compiles where there is a LaTeX; elsewhere its letters are those that LaTeX has."""
    name = handin.write(report_kit.analysed(), tmp_path, "tex", lang)
    text = (tmp_path / name).read_text(encoding="utf-8")
    assert r"\label{tab-runs}" in text and "SE-ResNet-34" in text.split(r"\label{tab-runs}")[1]
    if shutil.which(program) is None:
        assert lang == "zh" or not _LETTERS.findall(text)
        return
    assert text.count("\\appendix\n") == 1
    command, folder = [program, "-interaction=nonstopmode", "report.tex"], (tmp_path / name).parent
    for _ in range(2):  # the second time with the widths of tables and the numbers of the first
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=300, check=False)
    log = done.stdout.decode(errors="replace")
    assert "Output written" in log
    faults = r"^!.*|Missing character.*|.*undefined.*|.*\d{3}\.\d+pt too wide.*"
    assert re.findall(faults, log, re.M) == []


def test_markdown_keeps_formulas_tables_and_pictures(made):
    out, _ = made
    text = _text(out, "md", "en")
    assert "$x^2$" in text and r"\tag{1}" in text
    assert re.search(r"^\| *a *\| *b *\|$", text, re.M)
    assert "[^1]: A footnote" in text and "``` python" in text
    pictures = re.findall(r"!\[(.+?)\]\((.+?)\)", text)
    assert len(pictures) == 2 and all((out / address).is_file() for _, address in pictures)
    assert "<" not in re.sub(r"\\<|<https?:[^>]*>|< ?0", "", text)


def test_without_pandoc_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "pypandoc", None)
    with pytest.raises(ReportError, match="pip install pypandoc_binary") as caught:
        handin.pandoc()
    assert "\n" not in str(caught.value)


def _settings(folder, first="", last=""):
    path = folder / "report.toml"
    path.write_text(f"{first}\n{path.read_text(encoding='utf-8')}\n{last}", encoding="utf-8")


def _composed(folder, lang="zh", found=None):
    return document.compose(folder, found or report_kit.material(), lang, pdf=False)


def test_sections_are_chosen_and_left_out(tmp_path):
    folder = report_kit.templates(tmp_path, a="# A\n", b="# B\n", c="# C\n")
    _settings(folder, 'without = ["b"]')
    here = in_language(discover(folder), "zh")
    assert [(each.name, each.number) for each in here] == [("a", "1"), ("c", "2")]
    _settings(folder, 'sections = ["b", "c"]')
    assert [each.name for each in discover(folder) if each.shown] == ["c"]


def test_what_is_left_out_is_a_section_and_where_a_reference_would_lead(tmp_path):
    figure = '# B\n\n{% call figure("depth") %}x{% endcall %}\n'
    folder = report_kit.templates(tmp_path, a='# A\n\n{{ ref("fig:depth") }}\n', beta=figure)
    _settings(folder, 'without = ["beta"]')
    with pytest.raises(ReportError, match="fig:depth is in the section 'beta', which report"):
        _composed(folder)
    edit(folder / "report.toml", '"beta"', '"bata"')
    with pytest.raises(ReportError, match="unknown section 'bata'; did you mean 'beta'"):
        discover(folder)


def test_a_condition_leaves_the_reference_out_too(tmp_path):
    text = '# A\n\n{% if shown("b") %}{{ ref("sec:b") }}{% endif %}\n'
    folder = report_kit.templates(tmp_path, a=text, b="# B\n")
    _settings(folder, 'without = ["b"]')
    links = _composed(folder).parts[0].root.xpath(".//a/@href")
    assert not [link for link in links if link.endswith("-b")]


def test_a_section_may_be_in_one_language(tmp_path):
    folder = report_kit.templates(tmp_path, a="# A\n", b="# B\n", c="# C\n")
    (folder / "sections/20-b.en.md").unlink()
    with pytest.raises(ReportError, match=r"begin it with \{# only zh #\}"):
        discover(folder)
    (folder / "sections/20-b.zh.md").write_text("{# only zh #}\n# B\n", encoding="utf-8")
    names = {lang: [part.name for part in _composed(folder, lang).parts] for lang in ("zh", "en")}
    assert names == {"zh": ["a", "b", "c", "cards"], "en": ["a", "c", "cards"]}
    entries = [entry for part in _composed(folder, "en").parts for entry in part.contents]
    numbers = [entry.number for entry in entries if entry.number]
    assert numbers == ["1", "2"]
