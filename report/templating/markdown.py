"""GitHub's Markdown with formulas, and with emphasis and line breaks that work beside Chinese.

Tables, footnotes, task lists, call-outs (``> [!NOTE]``) and bare addresses are supported. HTML is
limited to comments, which are left out, and a few tags without attributes.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from html import unescape
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote

from lxml import etree
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline, emphasis
from markdown_it.token import Token
from markupsafe import Markup
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.gfm_autolink import gfm_autolink_plugin

from report.base import tree
from report.base.environment import partial
from report.base.errors import Place, ReportError, lines
from report.base.placeholders import IN_ADDRESS, Slots, escape
from report.blocks import formulas, pictures
from report.blocks.numbers import Lang

_DEFAULT = RendererHTML()
_NUMBER = re.compile(r"[-+]?\d[\d.]*%?")
_COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)
_NOTE = re.compile(r"\[\^[^\]\s]+\]")
#: Tags that a writer may use, without attributes.
_TAGS = re.compile(r"</?(?:sub|sup|kbd|mark|u|ins)>|<br ?/?>|</?(?:details|summary)>")
#: Control characters, which HTML does not allow.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


class Converter:
    """From the Markdown of one document to HTML, both with placeholders.

    Args:
        folder: folder of the templates, where pictures may be.
        lang: language.
        slots: the placeholders.
    """

    def __init__(self, folder: Path, lang: Lang, slots: Slots) -> None:
        self.equations: dict[str, int] = {}
        self._folder, self._lang, self._slots = folder, lang, slots
        self._file = folder  # the file whose Markdown is being converted
        self._convert = MarkdownIt("commonmark", {"html": True, "xhtmlOut": True})
        self._convert.enable(["table", "strikethrough"])
        self._convert.options["tasklists"] = self._convert.options["alerts"] = True
        self._convert.use(
            dollarmath_plugin, allow_labels=True, allow_space=False, double_inline=True
        )
        self._convert.use(footnote_plugin, inline=False)
        self._convert.use(gfm_autolink_plugin)
        self._convert.inline.ruler.at("emphasis", _emphasis)
        self._convert.add_render_rule("list_item_open", _item)
        self._convert.add_render_rule("softbreak", _line_break)
        rules: dict[str, Callable[[Token], str]] = {
            "text": self._text,
            "code_inline": self._code,
            "fence": self._fence,
            "html_inline": self._tag,
            "html_block": self._tag,
            "image": self._picture,
            # the same number for repeated references to a note
            "footnote_caption": lambda token: f"[{token.meta['id'] + 1}]",
            "math_inline": self._inline_formula,
            "math_inline_double": lambda token: self._formula(token.content, ""),
            "math_block": lambda token: self._formula(token.content, ""),
            "math_block_label": lambda token: self._formula(token.content, token.info),
        }
        for name, rule in rules.items():
            self._convert.add_render_rule(name, _of_token(rule))

    def html(self, text: str, file: Path, *, inline: bool = False) -> str:
        """Convert the Markdown of a file; ``inline``: without a paragraph around it.

        Raises:
            ReportError: there is an error in a formula, a picture, a tag or a link's address.
        """
        self._file = file
        if control := _CONTROL.search(text):
            code = f"U+{ord(control[0]):04X}"
            raise ReportError(f"the character {code} cannot be printed", self._place(control[0]))
        convert = self._convert.renderInline if inline else self._convert.render
        # Footnotes are numbered by section.
        html: str = convert(text, {"docId": f"{self._lang}-{file.name.partition('.')[0]}"})
        try:
            tree.parsed(html)
        except etree.XMLSyntaxError as error:
            raise ReportError(f"an HTML tag is left open ({error.msg})", Place(file, 1)) from None
        if IN_ADDRESS in html:
            raise ReportError("an expression stands in a link's address", self._place("]({{"))
        return html

    def _place(self, text: str) -> Place:
        """The first line of the file that contains a text; its first line if none does."""
        for number, line in enumerate(lines(self._file), 1):
            if text and text in line:
                return Place(self._file, number, line.index(text) + 1)
        return Place(self._file, 1)

    def _refuse(self, text: str, why: str) -> NoReturn:
        line = text.splitlines()[0]
        raise ReportError(f"{line} {why}", self._place(line))

    # --- the HTML of tokens -------------------------------------------------------------------

    def _text(self, token: Token) -> str:
        if note := _NOTE.search(token.content):
            self._refuse(note[0], "is a footnote without its text, or one in a caption")
        return escapeHtml(token.content)

    def _code(self, token: Token) -> str:
        if _NUMBER.fullmatch(token.content):  # a definition, not code
            return formulas.plain_number(token.content.replace("%", r"\%")) or token.content
        return _DEFAULT.code_inline([token], 0, self._convert.options, {})

    def _fence(self, token: Token) -> str:
        if token.info.strip() == "math":
            return self._formula(token.content, "")
        return _DEFAULT.fence([token], 0, self._convert.options, {})

    def _tag(self, token: Token) -> str:
        html = _COMMENT.sub("", token.content)
        unknown = _TAGS.sub("", html).strip()
        if unknown and token.content.startswith("<!--"):
            self._refuse(unknown, "is in the line of a comment, which must stand alone")
        if "<" in unknown:
            self._refuse(unknown, "is HTML that is not known; write Markdown, or \\< for the sign")
        html = re.sub(r"&(#?\w+;)?", lambda sign: escape(unescape(sign[0])), html)
        return html.replace("<br>", "<br/>")

    def _picture(self, token: Token) -> str:
        """A picture in the templates folder."""
        address = unquote(str(token.attrs["src"]))
        what, place = f"picture {address}", self._place(address)
        if re.match("[a-z]+:|//", address):
            raise ReportError(f"{what} is elsewhere: put the file into the templates folder", place)
        if not token.content.strip():
            raise ReportError(f"{what} has no text: ![what it shows]({address})", place)
        beside, above = self._file.parent / address, self._folder / address
        file = above if above.is_file() and not beside.is_file() else beside
        try:
            data = pictures.address(file)
        except pictures.PictureError as error:
            raise ReportError(f"{what}: {error}", place) from None
        return f'<img class="picture" src="{data}" alt="{escape(token.content)}"/>'

    def _inline_formula(self, token: Token) -> str:
        return formulas.plain_number(token.content) or self._formula(token.content, None)

    def _formula(self, tex: str, label: str | None) -> str:
        """A formula; the label is None in a line, "" for a displayed one without a number."""
        display = label is not None
        place = self._place(tex.strip().splitlines()[0].partition("\ue000")[0])
        try:
            parts = self._slots.parts(tex, place)
            parts[1::2] = map(formulas.number_tex, parts[1::2])
            math = formulas.mathml("".join(parts), display=display)
        except formulas.FormulaError as error:
            column = place.column and place.column + error.at
            raise ReportError(str(error), Place(place.file, place.line, column)) from None
        if not display:
            return math
        number = 0
        if label:
            if label in self.equations:
                raise ReportError(f"equation {label!r} is there twice", self._place(f"({label})"))
            number = self.equations[label] = len(self.equations) + 1
        return partial("equation", lang=self._lang, label=label, number=number, math=Markup(math))


def _of_token(rule: Callable[[Token], str]) -> Callable[..., str]:
    """A rule of the renderer that looks at its token only."""
    return lambda self, tokens, at, *_: rule(tokens[at])


def _item(self: RendererHTML, tokens: Sequence[Token], at: int, *rest: Any) -> str:
    """A list item, with the box of a task."""
    box = {"True": "☑ ", "False": "☐ "}.get(str(tokens[at].meta.get("checked")), "")
    return self.renderToken(tokens, at, *rest) + box


def _line_break(self: RendererHTML, tokens: Sequence[Token], at: int, *rest: Any) -> str:
    """A line break within a paragraph; nothing beside a Chinese character."""
    beside = "".join(token.content for token in tokens[:at])[-1:]
    beside += "".join(token.content for token in tokens[at + 1 :])[:1]
    # Not _is_chinese: English has those quotation marks too.
    return "" if any(unicodedata.east_asian_width(one) in "WF" for one in beside) else "\n"


def _is_chinese(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF" or character in "“”‘’…—"


def _emphasis(state: StateInline, silent: bool) -> bool:
    """CommonMark's emphasis, which a Chinese character beside ``*`` does not prevent.

    By CommonMark ``**结论：**然后`` is not emphasis: the closing mark follows punctuation and
    precedes a letter.
    """
    start, known = state.pos, len(state.delimiters)
    if not emphasis.tokenize(state, silent):
        return False
    before = state.src[start - 1] if start else " "
    after = state.src[state.pos] if state.pos < state.posMax else " "
    if state.src[start] == "*" and (_is_chinese(before) or _is_chinese(after)):
        for mark in state.delimiters[known:]:
            mark.open, mark.close = not after.isspace(), not before.isspace()
    return True
