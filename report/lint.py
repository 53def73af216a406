"""``make lint``: no result is typed into the prose, and both languages have the same structure.

A number in the text of a template is refused unless it is printed by an expression, is in code or
a formula (a definition), belongs to a name (ResNet-18), or matches ``templates/definitions.txt``.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from jinja2 import Environment, TemplateSyntaxError, nodes

from report.base.environment import read
from report.base.errors import TEMPLATES, Place, ReportError, syntax_error
from report.blocks import bibtex
from report.blocks.numbers import LANGS
from report.templating.sections import discover, written

DEFINITIONS = "definitions.txt"
#: Macros that must have the same order in both languages.
_ORDERED = ("figure", "table", "finding", "cite", "layers")
#: Parts that are not checked for unknown Markdown: code, and formulas with their labels.
_VERBATIM = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]+`|\$\$.*?\$\$(?:\s*\([\w-]+\))?"
    r"|(?<!\\)\$(?![\s$])[^$]*?(?<![\s\\])\$(?!\d)",
    re.DOTALL,
)
#: Further parts of Markdown in which numbers are allowed: addresses of links, numbered lists.
_NUMBERED = re.compile(r"\]\([^)\n]*\)|<https?://[^>\n]*>|^\s*\d+[.)]\s", re.MULTILINE)
_NUMBER = re.compile(r"(?<![A-Za-z0-9_.])(?<![A-Za-z]-)\d(?:[\d,.]*\d)?%?")
#: Expressions, statements and comments of Jinja.
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
#: An expression that prints a number without a macro: ``{{ "98.36" }}``, ``{{ 98.36 }}``.
_CONSTANT = re.compile(r"\{\{[^(\[{}=<>]*(?<!\w)\d[^(\[{}=<>]*\}\}")
_FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_FOOTNOTE = re.compile(r"\[\^[^\]\s]+\]")
_HEADING = re.compile(r"^(#{1,6}) ", re.MULTILINE)
_EQUATION = re.compile(r"\$\$.*?\$\$\s*\(([\w-]+)\)", re.DOTALL)


Problem = tuple[Place, str]

#: Patterns of unknown markup, which is printed unchanged, with the advice what to write.
_UNKNOWN = {
    r"｛｛|｝｝|｛%|%｝": "full-width braces are text: write {{ ... }}",
    r"^(?:#{1,6}(?=[^#\s])|＃+|#{1,6}\u3000).*": "no heading: write '## Title', one space",
    r"==[^=\n]+==": "no emphasis: write *text* or <mark>text</mark>",
    r"(?<!~)~[^~\s]{1,20}~(?!~)": "no subscript: write H<sub>2</sub>O",
    r"\^[^\s^\[\]]{1,20}\^": "no superscript: write x<sup>2</sup>",
    r"(?<![\w:]):(?:[a-z]\w*|[+-]1):(?!\w)": "no emoji: write the character itself",
    r"^: \S.*": "definition lists are not known: write a list",
    r"\^\[[^\]\n]+\]": "no footnote: write [^name], and [^name]: text in a line of its own",
    r"^\*\[[^\]\n]+\]:": "abbreviations are not known",
    r"^\[\[?(?i:toc)\]\]?$": "the contents are made by themselves",
    r"^>\s*\[!(?!(?:NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*$).*": "no call-out: write > [!NOTE], "
    "TIP, IMPORTANT, WARNING or CAUTION, alone in its line",
    r"(?<!\\)\$(?!\d)": "no formula: no spaces beside it within the $s; \\$ is the sign",
    r"\\[(\[]": "no formula: write $...$ or $$...$$",
    r"\\(?:cite|ref|eqref|label|text\w+|emph|begin|item|section|footnote|url)\b": "TeX is known in "
    "formulas only",
    r"\[@\w+": 'no citation: write {{ cite("key") }}',
    r"!?\[[^\]\n]*\]\([^()<>\n]* [^()<>\"\n]*\)": "no link: an address with spaces is <written so>",
    r"(?<![{\w])\{ ?\w+\(.*?\) ?\}(?!\})": "single braces are text: write {{ ... }}",
    r"^\d{3,}[.)]\s": "begins a list; write \\. for the full stop",
    r"(?<![\s(<\"'*_~=|])https?://[^\s<>)]+": "no link: put a space in front, or <...> around it",
}


def lint(folder: Path = TEMPLATES) -> int:
    """Print every problem as ``file:line: what``; returns the exit status, 1 if there are any."""
    kinds = (_numbers, _unknown, _parity, _works)
    problems = _lines(problem for kind in kinds for problem in kind(folder))
    for line in problems:
        print(line, file=sys.stderr)
    return 1 if problems else 0


def unsupported(folder: Path = TEMPLATES) -> list[str]:
    """Unknown markup in the templates, one line each."""
    return _lines(_unknown(folder))


def _lines(problems: Iterable[Problem]) -> list[str]:
    """The problems by place, one line each."""
    ordered = sorted(problems, key=lambda each: (str(each[0].file), each[0].line))
    return [f"{place}: {message}" for place, message in ordered]


def _templates(folder: Path) -> list[Path]:
    readmes = written(folder, "readme.*.md")
    return [*readmes, *written(folder / "sections", "*.md"), *written(folder / "findings", "*.md")]


def _numbers(folder: Path) -> Iterator[Problem]:
    """Numbers typed into a text or an expression."""
    allowed = _definitions(folder)
    for path in _templates(folder):
        bare = _prose(path)
        for pattern in (_VERBATIM, _NUMBERED, _FOOTNOTE, allowed):
            bare = _blanked(pattern, bare)
        for match in _NUMBER.finditer(bare):
            what = "print a result by n(...); put a definition into `code`, a $formula$ or"
            yield _place(path, match), f"{match[0]!r} is typed: {what} {DEFINITIONS}"
        for match in _CONSTANT.finditer(_blanked(_COMMENT, read(path))):
            yield _place(path, match), f"{match[0]} is typed in an expression"


def _unknown(folder: Path) -> Iterator[Problem]:
    """Unknown markup."""
    for path in _templates(folder):
        bare = _blanked(_VERBATIM, _prose(path))
        for pattern, message in _UNKNOWN.items():
            for match in re.finditer(pattern, bare, re.MULTILINE):
                yield _place(path, match), f"{match[0].strip()[:40]!r}: {message}"


def _place(path: Path, match: re.Match[str]) -> Place:
    line = match.string.count("\n", 0, match.start()) + 1
    return Place(path, line, match.start() - match.string.rfind("\n", 0, match.start()))


def _blanked(pattern: re.Pattern[str], text: str) -> str:
    """Replace matches by spaces, so that lines and columns stay."""
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def _prose(path: Path) -> str:
    """A template with spaces instead of expressions, statements and comments."""
    return _blanked(_JINJA, read(path))


def _definitions(folder: Path) -> re.Pattern[str]:
    """The regular expressions of ``definitions.txt``, one a line."""
    path = folder / DEFINITIONS
    patterns = []
    for number, line in enumerate(read(path).splitlines(), 1):
        text = line.partition(" #")[0].strip()
        if text and not text.startswith("#"):
            try:
                re.compile(text)
            except re.error as error:
                raise ReportError(f"no regular expression: {error}", Place(path, number)) from None
            patterns.append(f"(?:{text})")
    return re.compile("|".join(patterns) or "(?!)")


def _works(folder: Path) -> Iterator[Problem]:
    """Entries of the ``.bib`` that cannot be read, cited or not."""
    path = folder / "references.bib"
    for fault in bibtex.read(path).faults:
        yield fault.place or Place(path, 1), fault.message


def _parity(folder: Path) -> Iterator[Problem]:
    """Differences in structure between the languages of a section or finding."""
    pairs = [section.files for section in discover(folder) if len(section.files) == len(LANGS)]
    for path in written(folder / "findings", "*.*.md"):
        stem, lang, _ = path.name.rsplit(".", 2)
        if lang not in LANGS:
            continue
        other = path.with_name(f"{stem}.{'en' if lang == 'zh' else 'zh'}.md")
        if not other.is_file():
            yield Place(path, 1), f"has no counterpart {other.name}"
        elif lang == "zh":
            pairs.append({"zh": path, "en": other})
    for files in pairs:
        outlines = {lang: _outline(files[lang]) for lang in LANGS}
        for what, ours in outlines["zh"].items():
            theirs = outlines["en"][what]
            if ours != theirs:
                shown = " / ".join(" ".join(items) or "none" for items in (ours, theirs))
                yield Place(files["zh"], 1), f"{what} differ from {files['en'].name}: {shown}"


def _outline(path: Path) -> dict[str, list[str]]:
    text = _blanked(_FENCED, _prose(path))
    found: dict[str, list[str]] = {
        "headings": _HEADING.findall(text),
        "equations": _EQUATION.findall(text),
    }
    try:
        tree = Environment().parse(read(path))
    except TemplateSyntaxError as error:
        raise syntax_error(error.message or "", path, error.lineno) from None
    for macro in _ORDERED:
        found[f"{macro}s"] = [
            ",".join(str(a.value) for a in call.args if isinstance(a, nodes.Const))
            for call in tree.find_all(nodes.Call)
            if isinstance(call.node, nodes.Name) and call.node.name == macro
        ]
    found["blocks"] = sorted(block.name for block in tree.find_all(nodes.Block))
    return found
