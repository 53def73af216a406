"""The report as Word, LaTeX and Markdown, which pandoc writes from the document's tree."""

import base64
import io
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from lxml import etree
from lxml.builder import E
from pylatexenc.latexencode import unicode_to_latex

from analysis import schema
from experiments.support.files import write_atomically
from report.base import tree
from report.base.errors import TEMPLATES, ReportError
from report.blocks.numbers import Lang
from report.documents import document
from report.documents.document import Document
from report.documents.pandoc_html import Converter, Format, joined

_FILTER = Path(__file__).with_name("handin.lua")
_WRITERS: dict[Format, str] = {
    "docx": "docx",
    "tex": "latex",
    "md": "gfm-tex_math_gfm+tex_math_dollars-raw_html",
}
_LATEX_HEAD = r"""\usepackage{amssymb,bm}
\AtBeginDocument{\ifdefined\bigblacktriangleup % unicode-math: the small ones are in few fonts
  \let\blacktriangle\bigblacktriangleup\let\blacktriangledown\bigblacktriangledown\fi}
\usepackage[section]{placeins}
\setcounter{tocdepth}{2}
\AtBeginDocument{\setlength{\emergencystretch}{3em}}
"""
_CLASS: dict[Lang, str] = {"zh": "documentclass=ctexart", "en": "documentclass=article"}
#: For names in Chinese, where the English report is compiled with XeLaTeX.
_CHINESE = r"header-includes=\ifPDFTeX\else\usepackage[scheme=plain]{ctex}\fi"
#: Characters that LaTeX's fonts lack, or that Chinese fonts would set in full width; listings.
_TEX = re.compile(
    r"\\begin\{verbatim\}.*?\\end\{verbatim\}|"
    "[^\x00-\x7f\u00a0-\u00b6\u00b8-\u00d6\u00d8-\u017f\u2010-\u201f\u2026\u2e80-\uffef]",
    re.DOTALL,
)
_SIGNS = {
    "☐": r"$\square$",
    "☑": r"$\boxtimes$",
    "○": r"$\circ$",
    "∗": r"$\ast$",
    "▲": r"$\blacktriangle$",
    "▼": r"$\blacktriangledown$",
    "◆": r"$\blacklozenge$",
    "◇": r"$\lozenge$",
}


def pandoc() -> str:
    """The path of pandoc: from ``PATH``, or from the package ``pypandoc_binary``.

    Raises:
        ReportError: pandoc is not installed.
    """
    if found := shutil.which("pandoc"):
        return found
    try:
        import pypandoc

        return str(pypandoc.get_pandoc_path())
    except (ImportError, OSError):
        raise ReportError(
            "pandoc, which writes Word, LaTeX and Markdown, is not installed; give .venv/bin/pip "
            "install pypandoc_binary, or install pandoc 3 and put it on the PATH"
        ) from None


def write(source: Path, out: Path, form: Format, lang: Lang, templates: Path = TEMPLATES) -> str:
    """Write the report of one language from the results in the folder ``source``.

    Returns:
        The path relative to ``out``: of LaTeX in a folder, of Markdown with pictures beside it.

    Raises:
        ReportError: there is an error in a template, or pandoc is missing or fails.
    """
    program = pandoc()
    composed = document.compose(templates, schema.load(source), lang, pdf=False)
    pictures: dict[str, bytes] = {}
    page = _page(composed, form, partial(_picture, pictures, source, form, lang))
    with tempfile.TemporaryDirectory(prefix="handin-") as folder:
        _save(Path(folder), pictures)
        content = _run([program, *_options(form, lang, templates)], page, folder)
    name, files = f"report.{lang}.{form}", pictures if form == "md" else {}
    if form == "tex":
        name = f"latex-{lang}/report.tex"
        content = _for_latex(content.decode()).encode()
        files = pictures | {"references.bib": (templates / "references.bib").read_bytes()}
    _save((out / name).parent, files)
    write_atomically(out / name, content)
    return name


def _picture(
    pictures: dict[str, bytes], results: Path, form: Format, lang: Lang, source: str
) -> str:
    """Add a figure (by name) or the writer's own picture (a ``data:`` URL); returns its address."""
    if not source.startswith("data:"):
        address = f"figures/{source}.{lang}.{'pdf' if form == 'tex' else 'png'}"
        pictures[address] = (results / address).read_bytes()
        return address
    head, _, data = source.partition(",")
    content = base64.b64decode(data)
    kind = head.removeprefix("data:image/").partition(";")[0]
    if kind == "svg+xml":
        import resvg_py

        content, kind = bytes(resvg_py.svg_to_bytes(svg_string=content.decode(), zoom=3)), "png"
    elif kind not in ("png", "jpeg"):
        from PIL import Image

        converted = io.BytesIO()
        Image.open(io.BytesIO(content)).convert("RGBA").save(converted, "png")
        content, kind = converted.getvalue(), "png"
    own = sum("picture-" in name for name in pictures) + 1
    address = f"figures/picture-{own}.{lang}.{kind.replace('jpeg', 'jpg')}"
    pictures[address] = content
    return address


def _save(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        write_atomically(folder / name, content)


def _options(form: Format, lang: Lang, templates: Path) -> list[str]:
    options = ["-f", "html-auto_identifiers", "-L", str(_FILTER), "-t", _WRITERS[form], "-o", "-"]
    if form == "md":
        return [*options, "--wrap=none"]
    options.append("--shift-heading-level-by=-1")
    if form == "docx":
        return [*options, f"--reference-doc={templates / 'style/reference.docx'}"]
    variables = [_CLASS[lang], "papersize=a4", "geometry:margin=25mm"]
    variables += [f"header-includes={_LATEX_HEAD}", *([_CHINESE] if lang == "en" else [])]
    options += (f"--variable={each}" for each in variables)
    return [*options, "--standalone", "--number-sections", "--toc"]


def _run(command: list[str], page: str, folder: str) -> bytes:
    done = subprocess.run(
        command, input=page.encode(), cwd=folder, capture_output=True, check=False
    )
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise ReportError(f"pandoc failed: {lines[0]}")
    return done.stdout


def _for_latex(text: str) -> str:
    """LaTeX with commands for characters that its fonts lack, and citations without brackets."""

    def known(found: re.Match[str]) -> str:
        listing = found[0].startswith("\\")
        return found[0] if listing else _SIGNS.get(found[0]) or unicode_to_latex(found[0])

    return re.sub(r"\{\[\}(\\cite\{[^}]*\})\{\]\}", r"\1", _TEX.sub(known, text))


def _page(composed: Document, form: Format, picture: Callable[[str], str]) -> str:
    """A document as HTML for pandoc: title, front matter, sections and references."""
    convert = Converter(form, picture)
    front = composed.front
    logo = [E.img(src=picture(front.logo), alt="", height="2cm")] if front.logo else []
    texts = {
        "subtitle": [front.course, front.subtitle],
        "author": [front.author],
        "date": [front.date],
    }
    lines = {key: joined(filter(None, each)) for key, each in texts.items() if any(each)}
    if form == "md":
        paragraphs = (E.p(*line) for line in lines.values())
        body = E.body(*map(E.p, logo), E.h1(front.title), *paragraphs)
    else:
        lines = {"title": joined([*logo, front.title])} | lines
        body = E.body(*(E.div(E.p(*line), {"data-meta": key}) for key, line in lines.items()))
    if front.cover:
        body.append(convert.cover(front.cover))
    matter = tree.parsed(front.body)
    for element in matter.xpath("./dl | ./details"):  # only the page has the list of software
        matter.remove(element)
    for root in (matter, *(part.root for part in composed.parts if part.name != "cards")):
        body.extend(convert.part(root))
    page = E.html(body, lang="zh-CN" if composed.lang == "zh" else "en-GB")
    return etree.tostring(page, encoding="unicode", method="html")
