"""Front matter, labels and works: whatever their texts hold is text, in the page and on paper."""

import re
import tomllib

import pymupdf
import pytest

from report.base import labels
from report.base.errors import ReportError
from report.blocks.numbers import LANGS
from report.documents import document, html_page, pdf
from report.templating.sections import discover
from tests.report_kit import material, templates
from tests.test_hostile_report import PAYLOADS, assert_inert, look

SECTION = """# Title

{{ cite("evil1", "evil2", "evil3") }} {{ ref("fig:depth") }} {{ verdict("plain-degrades") }}

{% call figure("depth") %}\\<script>window.owned = 1\\</script> [x](javascript:0){% endcall %}

{% call table("results") %}\\<b>x\\</b>{% endcall %}

{% call table("operators") %}x{% endcall %}

{{ finding("plain-degrades") }}

{{ layers("LeNet") }}
"""
WORK = """@article{{evil{number},
  author = {{{text} Evil, Eve}}, title = {{{text}}}, journal = {{{text}}}, year = {{2020}},
  volume = {{1}}, pages = {{1--2}}, doi = {{10.1000/{text}}}, url = {{{url}}}
}}
"""
URLS = ("javascript:window.owned=1", "file:///etc/passwd", "http://127.0.0.1:9/\"onload='x'")
TEXTS = [text for text in PAYLOADS if len(text) < 1000]


def toml(text):
    """A TOML string, which can hold anything but halves of surrogate pairs."""
    return '"' + "".join(f"\\U{ord(c):08x}" if not c.isalnum() else c for c in text) + '"'


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A templates folder whose every text is an attack."""
    made = templates(tmp_path_factory.mktemp("front"), a=SECTION)
    keys = ("title", "subtitle", "author", "course", "date")
    (made / "report.toml").write_text(
        "".join(
            f"[{lang}]\n"
            + "".join(f"{key} = {toml(' '.join(TEXTS[i::5]))}\n" for i, key in enumerate(keys))
            for lang in LANGS
        )
    )
    known = tomllib.loads((made / "labels.toml").read_text(encoding="utf-8"))
    lines = []
    for number, (key, texts) in enumerate(known.items()):
        evil = TEXTS[number % len(TEXTS)].replace("{", "(").replace("}", ")")
        pairs = ", ".join(f"{lang} = {toml(text + evil)}" for lang, text in texts.items())
        lines.append(f"{key} = {{ {pairs} }}\n")
    (made / "labels.toml").write_text("".join(lines))
    leak = made.parent / "leak.css"
    leak.write_text("h1::after { content: 'LEAKED' }")
    (made / "style/custom.css").write_text(
        f"@import url('{leak.as_uri()}'); @import 'http://127.0.0.1:9/x.css';"
        "@font-face { font-family: x; src: url(file:///etc/passwd) }"
        "h1 { background: url(http://127.0.0.1:9/x.png); content: '{{ 7 * 7 }}' }"
    )
    works = [text for text in TEXTS if not set(text) & set('{}\\"$%\x00\x07\x1b')]
    (made / "references.bib").write_text(
        "".join(
            WORK.format(number=number, text=works[number], url=URLS[number - 1])
            for number in (1, 2, 3)
        ),
        encoding="utf-8",
    )
    return made


@pytest.fixture(scope="module")
def found(hostile):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(labels, "FILE", hostile / "labels.toml")
        made, sections = material(), discover(hostile)
        documents = {
            lang: document.compose(hostile, made, sections, lang, pdf=False) for lang in LANGS
        }
        on_paper = document.compose(hostile, made, sections, "en", pdf=True)
        html = html_page.render(hostile, documents, made)
        yield html, pdf.write(hostile, on_paper)


def test_nothing_in_the_page_came_from_a_text(found):
    assert_inert(found[0])
    assert "&lt;script&gt;window.owned" in found[0]


@pytest.mark.browser
@pytest.mark.parametrize("by", ["escaping", "policy"])
def test_in_a_browser_no_script_runs_and_no_request_leaves(found, tmp_path, by):
    """What a style sheet asks for, only the page's policy can refuse."""
    html = found[0] if by == "policy" else found[0].replace("url(http:", "url(data:")
    path = tmp_path / "report.html"
    path.write_text(html, encoding="utf-8")
    look(path, 1440, bypass_csp=by == "escaping")


def test_on_paper_nothing_is_fetched_and_no_link_runs(found):
    with pymupdf.open(stream=found[1]) as pages:
        links = [link.get("uri") or "" for page in pages for link in page.get_links()]
        text = "".join(page.get_text() for page in pages)
        title = pages.metadata["title"]
    assert all(not link or link.startswith("http") for link in links)
    assert "window.owned" in text and "root:x:" not in text and "LEAKED" not in text
    assert not re.search("[\x00-\x08\x1b\u202e]", title)


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
