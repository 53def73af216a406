"""For the tests of the report: results, a small templates folder, the whole report built once."""

import functools
import io
import os
import re
import shutil
import tempfile
from html import unescape
from pathlib import Path

from filelock import FileLock
from PIL import Image

from analysis import results
from analysis.cross_dataset import Transfer, compare
from analysis.figures import figures
from analysis.findings import evaluate
from analysis.records import Records, siblings
from analysis.schema import Figure, Results
from experiments.datasets import DatasetName
from report import build
from report.base.errors import TEMPLATES
from report.blocks.numbers import LANGS
from report.documents import document
from tests import factory

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="453.6pt" height="72pt" viewBox="0 0 453.6 72">'
    '<defs><path id="dot" d="M0 0L5 5"/></defs><use href="#dot"/><text x="9" y="9">x</text></svg>'
)


@functools.cache
def _drawings() -> Path:
    """A folder with the same drawing for every figure."""
    folder = Path(tempfile.mkdtemp(prefix="results-", dir=os.environ["TESTS_SHARED"]))
    (folder / "figures").mkdir()
    out = io.BytesIO()
    Image.new("RGB", (1800, 600), "white").save(out, format="png", dpi=(300, 300))
    for name in figures():
        for lang in LANGS:
            (folder / f"figures/{name}.{lang}.svg").write_text(SVG)
            (folder / f"figures/{name}.{lang}.png").write_bytes(out.getvalue())
    return folder


@functools.cache
def records() -> Records:
    """The quick profile as it might have come out."""
    return factory.make()


def material(found: Records | None = None) -> Results:
    """The results of records, with the same drawing for every figure."""
    return _usual() if found is None else _material(found)


@functools.cache
def _usual() -> Results:
    return _material(records())


def _material(found: Records) -> Results:
    entry = Figure(runs=("LeNet.s0",), code="x.py", alt=dict.fromkeys(LANGS, "A line <rises>"))
    made = results.summarise(found, _beside(found))
    drawn = made.model_copy(update={"figures": dict.fromkeys(figures(), entry)})
    read = Results.model_validate_json(drawn.model_dump_json())  # as the report does
    return read.model_copy(update={"folder": _drawings()})


def compared(found: Records) -> Transfer:
    """These records' findings, and those of the folders beside theirs."""
    return compare(found, evaluate(found), _beside(found))


def _beside(found: Records) -> dict[DatasetName, Records]:
    return {name: Records.load(folder) for name, folder in siblings(found.folder).items()}


def templates(folder: Path, **sections: str) -> Path:
    """A templates folder with the real page and works, and these sections in both languages.

    ``a="# Title\\n..."`` makes ``sections/010-a.zh.md`` and its English twin.
    """
    made = folder / "templates"
    shutil.copytree(TEMPLATES, made, ignore=shutil.ignore_patterns("sections"))
    (made / "sections").mkdir()
    for number, (name, text) in enumerate(sections.items(), 1):
        for lang in LANGS:
            (made / f"sections/{number}0-{name}.{lang}.md").write_text(text, encoding="utf-8")
    return made


def section(
    folder: Path, text: str, found: Results | None = None, lang: str = "en", **options
) -> str:
    """The HTML of one section with this text under a title."""
    made = templates(folder, a=f"# Title\n\n{text}\n")
    found = material() if found is None else found
    composed = document.compose(made, found, lang, **{"pdf": False} | options)
    return composed.drawn(composed.parts[0].html)


def text(html: str) -> str:
    """The words of a part of a page."""
    return unescape(re.sub(r"[ \n]+", " ", re.sub(r"<[^>]*>", "", html)))


def prose(name: str, lang: str) -> str:
    """A section of the report as it is written, to stand under another title."""
    (path,) = (TEMPLATES / "sections").glob(f"*-{name}.{lang}.md")
    return path.read_text(encoding="utf-8").replace("# ", "## ", 1)


@functools.cache
def analysed() -> Path:
    """The analysis of synthetic records, whole, beside its ``records``.

    The processes of a call of pytest share it.
    """
    made = Path(os.environ["TESTS_SHARED"]) / "results"
    with FileLock(made.with_name("lock")):
        if not (made / "results.json").exists():
            inputs = results.Inputs.read(factory.save(factory.make(), made.with_name("records")))
            results.make(inputs, made)
    return made


@functools.cache
def built() -> Path:
    """The real report of it, beside it; shared too."""
    source = analysed()
    out = source.with_name("out")
    with FileLock(source.with_name("lock")):
        if not out.exists():
            build.build(source, out)
    return out
