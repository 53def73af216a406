"""The whole report of hostile records, as a user builds it, with the network cut off.

Every text that a record can hold is an attack, every number an extreme; beside the records lie
files that are none. The page is looked at in Chromium without its Content-Security-Policy, so that
escaping alone must hold.
"""

import contextlib
import json
import os
import re
import shutil
import socket

import pymupdf
import pypdf
import pytest

from experiments.record import SCHEMA_VERSION, write
from tests import factory
from tests.checkout import ROOT, cut_off, run, succeeds

pytestmark = pytest.mark.pipeline

EVIL, SCHEMA = "http://127.0.0.1:9/evil", f'"schema_version": {SCHEMA_VERSION}'
PAYLOADS = [
    "<script>window.owned = 1; alert(1)</script>",
    "</code></dd></dl></article><script>window.owned = 2</script>",
    "</title></style></script></textarea><script>window.owned = 3</script>",
    "<img src=x onerror='window.owned = 4'>",
    f"<img src='{EVIL}'><link rel=stylesheet href='{EVIL}'><iframe src='{EVIL}'></iframe>",
    "<svg onload='window.owned = 5'><use href='file:///etc/passwd#x'/></svg>",
    "<a href='javascript:window.owned = 6'>x</a> javascript:alert(1)",
    '" onmouseover="window.owned = 7" style="position:fixed;inset:0" x="',
    "' autofocus onfocus='window.owned = 8",
    "{{ 7 * 7 }} {% include '/etc/passwd' %} {{ ''.__class__ }} {# x #} ${7*7} <%= 7 %>",
    "</style><style>@import 'http://127.0.0.1:9/evil'; * { background: url(file:///etc/passwd) }",
    f"<object data='file:///etc/passwd'></object><embed src='{EVIL}'><base href='{EVIL}/'>",
    "file:///etc/passwd http://127.0.0.1:9/evil [x](javascript:alert(1)) ![x](http://127.0.0.1:9/)",
    "$\\frac{$ `code` *x* \\href{javascript:alert(1)}{x} $$ \\input{/etc/passwd} $$",
    "\u202egnp.exe\u2066 \u200e\u061c right to left",
    "nul \x00 bell \x07 escape \x1b[31m delete \x7f",
    *("\ue0000\ue001 \ue000", "W" * 2000, "长" * 2000, "\u0301" * 500 + "e", "<!--", "]]>", "-->"),
    *("&lt;b&gt; &amp; &#x3c;", "%3Cscript%3E", "=cmd|'/c calc'!A1"),
    "<math><mtext><script>window.owned=9</script>",
]


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    return cut_off(tmp_path_factory.mktemp("cut-off"))


def test_the_cut_is_a_cut(cut):
    """Else the tests below would prove nothing."""
    options, log = cut
    for code in (
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import urllib.request as r; r.urlopen('http://127.0.0.1:9/')",
        "import multiprocessing as m, socket; m.set_start_method('spawn');"
        " p = m.Process(target=socket.getaddrinfo, args=('localhost', 80)); p.start(); p.join();"
        " raise SystemExit(p.exitcode)",
    ):
        log.write_text("")
        done = run(ROOT, "-c", code, **options)
        assert done.returncode and log.read_text(), (code, done.stderr)


# --- The folder ---------------------------------------------------------------------------------

HUGE, TINY = 1e300, 5e-324
GRADIENTS = {
    "steps": [0],
    "layers": [f"l.{layer}" for layer in range(800)],
    "norms": [[None, HUGE, TINY, 0.0] * 200],
}
#: For one record after the other, each of another kind.
EXTREMES = [
    {},
    {"config__batch_size": 8192},
    {"test__loss": HUGE, "validation__loss": -HUGE},
    {"history": []},
    {"timing__train_seconds": 0.0, "timing__images_per_second": 0.0},
    {"network__parameters": 2**63 - 1, "network__macs__torchinfo": 0},
    {"probes__gradient_norms": GRADIENTS},
    {"probes__block_gains": []},
    {"config__epochs": 1000, "timing__peak_memory_bytes": 2**63 - 1},
    {"config__learning_rate": TINY, "timing__finished": "2199-12-30T00:00:00-23:59"},
    {"test__images": 1, "test__predictions": "7", "test__accuracy": 1.0},
]
TEXTS = [f"environment__{name}" for name in ("device", "platform", "python", "torch", "git_commit")]


def hostile_record(record, number):
    texts = [PAYLOADS[(number + step) % len(PAYLOADS)] for step in range(len(TEXTS))]
    changes = dict(zip(TEXTS, texts, strict=True)) | {"network__layers": texts[0]}
    if number in (3, 9):
        changes |= {"status": "failed", "reason": texts[0], "test": None, "validation": None}
    return factory.replaced(record, **changes, **EXTREMES[number % len(EXTREMES)])


def bad_files(folder, good):
    """Files that are no records, with what must be said of each."""
    text = good.read_text()
    forged = json.loads(text) | {"id": "forged"}
    forged["test"]["accuracy"] = 0.5
    (folder / "folder.json").mkdir()
    os.mkfifo(folder / "fifo.json")
    with socket.socket(socket.AF_UNIX) as server, contextlib.chdir(folder):  # its name is short
        server.bind("socket.json")
    targets = {"zero": "/dev/zero", "nowhere": "nothing", "circle": "circle.json"}
    for name, target in (targets | {"passwd": "/etc/passwd"}).items():
        (folder / f"{name}.json").symlink_to(target)
    with (folder / "large.json").open("wb") as file:
        file.truncate(2**40)
    (folder / "latin.json").write_bytes(b'{"id": "\xff"}')
    doubled = text.replace('"thop": ', '"thop": NaN, "x": ', 1)
    injected = '{"schema_version": "<script>window.owned = 11</script>"}'
    written = {  # content, and what must be said of it
        "empty": ("", "not JSON"),
        "nan": (doubled, "network.macs.thop: there twice|network.macs"),
        "forged": (json.dumps(forged), "but the predictions are right on"),
        "old": (text.replace(SCHEMA, '"schema_version": 0', 1), "schema_version: "),
        "path": (text.replace(f'"id": "{good.stem}"', '"id": "../../x"', 1), "id: "),
        "copy": (text, "expected the file's name"),
        "bom": ("\ufeff" + text, "expected the file's name"),
        "<img src=x onerror='window.owned = 10'>": ("{", "not JSON"),
        "line\nbreak\x1b[31m": ("{", "not JSON"),
        "{{ 7 * 7 }}": (injected, "schema_version: "),
        ".#x": ("{", ""),  # as editors and systems leave: no word of them
        "._x": ("\0", ""),
    }
    for name, (content, _) in written.items():
        (folder / f"{name}.json").write_text(content, encoding="utf-8")
    said = {name.partition("\n")[0]: reason for name, (_, reason) in written.items() if reason}
    return said | {
        "folder": "not a regular file", "fifo": "not a regular file", "socket": "cannot be read",
        "zero": "not a regular file", "nowhere": "No such file", "circle": "symbolic links",
        "passwd": "not JSON", "large": "larger than", "latin": "not JSON",
    }  # fmt: skip


@pytest.fixture(scope="module")
def built(cut, tmp_path_factory):
    """The output folder, what was said, the network log, and the refusals that are expected."""
    folder = tmp_path_factory.mktemp("hostile")
    records, made, out = (folder / name for name in ("records", "results", "out"))
    for number, record in enumerate(factory.make()):
        path = write(hostile_record(record, number), records)
    expected = bad_files(records, path)
    options, log = cut
    log.write_text("")
    analysed = succeeds(ROOT, "-m", "analysis", "--results", records, "--out", made, **options)
    done = run(ROOT, "-m", "report", "--source", made, "--out", out, **options)
    assert "empty.json: not JSON" in analysed.stderr
    yield out, done, log.read_text(), expected
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def html(built):
    return (built[0] / "report.html").read_text(encoding="utf-8")


def test_each_bad_file_is_named_and_the_report_is_built_without(built, html):
    out, done, _, expected = built
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    said = done.stderr.splitlines()
    assert len(said) == len(expected)
    for name, reason in expected.items():
        assert [line for line in said if name in line and re.search(reason, line)], (name, said)
    assert all(line.isprintable() and line.startswith("error: ") for line in said)
    # beside the folder's name, which stays out
    assert html.count("<code>empty.json: not JSON") == 2
    assert str(out.parent) not in html
    documents = {"report.html", "report.zh.pdf", "report.en.pdf", "tables"}
    assert {path.name for path in out.iterdir()} >= documents


def test_rendering_asks_for_no_network(built):
    assert built[2] == ""


# --- The page -----------------------------------------------------------------------------------


def test_nothing_in_the_page_came_from_a_text(html):
    """No element, attribute or address of the page is other than the report's own."""
    assert html.count("<script") == 5
    assert not re.search(r"<(img|iframe|object|embed|base|link(?! rel=\"icon\"))\b", html)
    assert not re.search(r"<[a-z][^>]*\son\w+=", re.sub(r'="[^"]*"', '=""', html))
    ours = (
        r"#|https?://|data:(?:,|image/png;)|(?:figures|tables)/[\w.-]+\"|report\.(?:zh|en)\.pdf\""
    )
    assert not re.search(rf'(?:href|src)="(?!{ours})', html)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", html)
    for shown in (
        "&lt;script&gt;window.owned = 1; alert(1)&lt;/script&gt;", "{{ 7 * 7 }}",
        r"\u202egnp.exe", r"\x1b[31m",
    ):  # fmt: skip
        assert shown in html


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 390])
def test_in_a_browser_no_script_runs_and_no_request_leaves(built, width, browser):
    """Without the Content-Security-Policy escaping alone must hold."""
    path = built[0] / "report.html"
    page = browser.new_page(bypass_csp=True, viewport={"width": width, "height": 900})
    events = []
    page.on("dialog", lambda dialog: (events.append("dialog"), dialog.dismiss()))
    page.on("pageerror", lambda error: events.append(str(error)))
    page.on("request", lambda request: events.append(request.url))
    page.on("requestfailed", lambda each: each.failure == "csp" and events.remove(each.url))
    page.goto(path.as_uri())
    for mode in ("zh", "en", "both"):
        page.check(f"#mode-{mode}", force=True)
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
        page.evaluate(
            "document.querySelectorAll('header *, .card *, .works *').forEach(e => {"
            " e.dispatchEvent(new Event('mouseover')); e.dispatchEvent(new Event('focus')) })"
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("window.owned") is None
    assert events == [path.as_uri()]  # one that the policy refused has not left
    text = page.locator("body").inner_text()
    page.close()
    assert "<script>window.owned = 1; alert(1)</script>" in text
    assert "{{ 7 * 7 }} {% include '/etc/passwd' %}" in text


@pytest.mark.browser
def test_what_got_into_the_page_all_the_same_would_not_run(html, tmp_path, browser):
    """The page's own policy admits its scripts by hash, and no address at all."""
    injected = (
        "<script>window.owned = 1</script><img src=x onerror='window.owned = 2'>"
        "<svg onload='window.owned = 3'></svg><iframe srcdoc='<script>parent.owned=4</script>'>"
        f"</iframe><img src='{EVIL}/a'><link rel=stylesheet href='{EVIL}/b'>"
        f"<style>@import '{EVIL}/c'; body {{ background: url({EVIL}/d) }}</style>"
    )
    path = tmp_path / "page.html"
    path.write_text(html.replace("<main", injected + "<main", 1), encoding="utf-8")
    page = browser.new_page()
    answered = []
    page.on("response", lambda response: answered.append(response.url))
    page.route("http://**", lambda route: (answered.append(route.request.url), route.abort()))
    page.goto(path.as_uri())
    page.check("#mode-en", force=True)  # its own script runs
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.evaluate("window.owned") is None
    assert answered == [path.as_uri()]
    page.close()


# --- On paper, and in the exports ---------------------------------------------------------------


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_in_the_pdf_a_text_is_a_text(built, lang):
    path = built[0] / f"report.{lang}.pdf"
    document = pypdf.PdfReader(path)
    notes = [note.get_object() for page in document.pages for note in page.get("/Annots", [])]
    for action in (note.get("/A", {}) for note in notes):
        assert action.get("/S", "/GoTo") in ("/GoTo", "/URI")
        address = str(action.get("/URI", "https:"))
        assert address.startswith("http") and "127.0.0.1" not in address
    root = document.trailer["/Root"]
    assert not {"/OpenAction", "/AA"} & root.keys()
    assert not {"/JavaScript", "/EmbeddedFiles"} & root.get("/Names", {}).keys()
    with pymupdf.open(path) as pages:
        text = "".join("".join(page.get_text().split()) for page in pages)
    for shown in ("<script>window.owned=1;alert(1)</script>", "{{7*7}}", "file:///etc/passwd"):
        assert shown in text
    assert "root:x:" not in text


def test_in_the_exports_a_text_is_a_text(built):
    kinds = (".svg", ".csv", ".tex")
    files = [path for path in built[0].parent.rglob("*.*") if path.suffix in kinds]
    assert len(files) > 30
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert "<script" not in text and "onerror" not in text and "root:x:" not in text
        assert not re.search(r'^"?[=@]|,"?[=@]', text) or path.suffix != ".csv"
