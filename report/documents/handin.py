"""The report as Word, LaTeX and Markdown, which pandoc writes from the document's tree."""

from __future__ import annotations

import base64
import io
import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from analysis import schema
from analysis.schema import Results
from experiments.support.files import write_atomically
from report.base import tree
from report.base.errors import TEMPLATES, ReportError, for_each
from report.blocks.numbers import LANGS, Lang
from report.documents import document
from report.documents.document import Document
from report.documents.pandoc_tree import API_VERSION, Converter, Format, Json, paragraph
from report.templating.sections import discover

FORMATS: tuple[Format, ...] = get_args(Format)
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
_CLASS: dict[Lang, list[str]] = {
    "zh": ["-V", "documentclass=ctexart", "-V", "papersize=a4"],
    "en": [
        *("-V", "documentclass=article", "-V", "papersize=a4"),
        # names in Chinese, where it is compiled with XeLaTeX
        *("-V", r"header-includes=\ifPDFTeX\else\usepackage[scheme=plain]{ctex}\fi"),
    ],
}
_NO_PANDOC = (
    "pandoc, which writes Word, LaTeX and Markdown, is not installed; "
    "give .venv/bin/pip install pypandoc_binary, or install pandoc 3 and put it on the PATH"
)


def pandoc() -> str:
    """The path of pandoc: from ``PATH``, or from the package ``pypandoc_binary``.

    Raises:
        ReportError: pandoc is not installed.
    """
    if found := shutil.which("pandoc"):
        return found
    try:
        import pypandoc
    except ImportError:
        raise ReportError(_NO_PANDOC) from None
    try:
        return str(pypandoc.get_pandoc_path())
    except OSError:
        raise ReportError(_NO_PANDOC) from None


@dataclass
class _Pictures:
    """The pictures of a document: figures of the analysis, and the writer's own files."""

    results: Results
    lang: Lang
    form: Format
    found: dict[str, bytes] = field(default_factory=dict)

    def __call__(self, source: str) -> str:
        """Store a picture; returns its address."""
        if source.startswith("data:"):
            return self._own(source)
        kind = "pdf" if self.form == "tex" else "png"
        name = f"{source}.{self.lang}.{kind}"
        self.found[f"figures/{name}"] = (self.results.folder / "figures" / name).read_bytes()
        return f"figures/{name}"

    def _own(self, url: str) -> str:
        head, _, data = url.partition(",")
        content = base64.b64decode(data)
        kind = head.removeprefix("data:image/").partition(";")[0]
        if kind == "svg+xml":
            import resvg_py

            content, kind = bytes(resvg_py.svg_to_bytes(svg_string=content.decode(), zoom=3)), "png"
        elif kind not in ("png", "jpeg"):
            from PIL import Image

            out = io.BytesIO()
            Image.open(io.BytesIO(content)).convert("RGBA").save(out, "png")
            content, kind = out.getvalue(), "png"
        own = sum("picture-" in name for name in self.found) + 1
        address = f"figures/picture-{own}.{self.lang}.{kind.replace('jpeg', 'jpg')}"
        self.found[address] = content
        return address


def write(source: Path, out: Path, form: Format, lang: Lang, templates: Path = TEMPLATES) -> str:
    """Write the report of one language in one format.

    Args:
        source: folder of the results.
        out: folder of the report.
        form: ``docx``, ``tex`` (a folder) or ``md`` (with pictures beside it).
        lang: language.
        templates: folder of the templates.

    Returns:
        The path of the file relative to ``out``.

    Raises:
        ReportError: there is an error in a template, or pandoc is missing or fails.
    """
    program = pandoc()
    results = schema.load(source)
    composed = document.compose(templates, results, discover(templates), lang, pdf=False)
    pictures = _Pictures(results, lang, form)
    parsed = pandoc_document(composed, form, pictures)
    with tempfile.TemporaryDirectory(prefix="handin-") as temporary:
        folder = Path(temporary)
        _save(folder, pictures.found)
        made = folder / f"report.{form}"
        _run(program, folder, parsed, made, _options(form, lang, templates))
        content = made.read_bytes()
    name = f"latex-{lang}/report.tex" if form == "tex" else f"report.{lang}.{form}"
    if form == "tex":
        _save(out / f"latex-{lang}", pictures.found)
        bib = (templates / "references.bib").read_bytes()
        write_atomically(out / f"latex-{lang}/references.bib", bib)
    elif form == "md":
        _save(out, pictures.found)
    write_atomically(out / name, content)
    return name


def _save(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / name, content)


def _options(form: Format, lang: Lang, templates: Path) -> list[str]:
    if form == "docx":
        return [f"--reference-doc={templates / 'style/reference.docx'}"]
    if form == "tex":
        head = ["-V", "geometry:margin=25mm", "-V", f"header-includes={_LATEX_HEAD}"]
        return ["--standalone", "--number-sections", "--toc", *head, *_CLASS[lang]]
    return ["--wrap=none"]


def _run(program: str, folder: Path, parsed: Json, made: Path, options: list[str]) -> None:
    form: Any = made.suffix[1:]
    command = [program, "-f", "json", "-t", _WRITERS[form], "-o", str(made), *options]
    done = subprocess.run(
        command, cwd=folder, input=json.dumps(parsed), text=True, capture_output=True, check=False
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise ReportError(f"pandoc failed: {lines[0]}")


def pandoc_document(composed: Document, form: Format, pictures: _Pictures) -> Json:
    """A document as pandoc's JSON: title, front matter, sections and references."""
    convert = Converter(form, pictures)
    front = composed.front
    meta: Json = {"lang": _text("zh-CN" if composed.lang == "zh" else "en-GB")}
    lines = {key: _inlines(convert, getattr(front, key)) for key in ("title", "author", "date")}
    lines["subtitle"] = _inlines(convert, front.subtitle)
    if front.course:
        line = _inlines(convert, front.course)
        lines["subtitle"] = (
            [*line, {"t": "LineBreak"}, *lines["subtitle"]] if front.subtitle else line
        )
    logo = [convert.logo(front.logo)] if front.logo else []
    blocks: list[Json] = []
    if form == "md":
        blocks += [paragraph(logo)] if logo else []
        blocks.append({"t": "Header", "c": [1, ["", [], []], lines["title"]]})
        blocks += [paragraph(lines[key]) for key in ("subtitle", "author", "date") if lines[key]]
    elif logo:
        lines["title"] = [*logo, {"t": "LineBreak"}, *lines["title"]]
    meta |= {key: {"t": "MetaInlines", "c": line} for key, line in lines.items() if line}
    if front.cover:
        blocks += [convert.cover(front.cover)]
    blocks += convert.part(_front(front.body))
    for part in composed.parts:
        if part.name != "cards":
            blocks += convert.part(part.root)
    if form == "md":
        _deeper(blocks)
    return {"pandoc-api-version": API_VERSION, "meta": meta, "blocks": blocks}


def _front(html: str) -> tree.Element:
    """The front matter without the list of software, which only the page has."""
    root = tree.parsed(html)
    for element in root.xpath("./dl | ./details"):
        root.remove(element)
    return root


def _deeper(blocks: list[Json]) -> None:
    """Move headings one level down, below the title."""
    for block in blocks[1:]:
        if block["t"] == "Header":
            block["c"][0] += 1


def _inlines(convert: Converter, text: str) -> list[Json]:
    return convert.inlines(tree.wrapped("span", "", [text]))


def _text(text: str) -> Json:
    return {"t": "MetaString", "c": text}


def build(source: Path, out: Path, form: str, lang: str | None) -> list[str]:
    """Write one format in one language, or in both.

    Raises:
        ReportError: there is no such format or language.
    """
    forms = [known for known in FORMATS if known == form]
    langs = [known for known in LANGS if lang in (None, known)]
    if not forms or not langs:
        given = f"format {form!r}" if not forms else f"language {lang!r}"
        known = FORMATS if not forms else LANGS
        raise ReportError(f"unknown {given}; expected one of {', '.join(known)}")
    return for_each(lambda each: write(source, out, forms[0], each), langs)
