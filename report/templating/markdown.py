"""GitHub's Markdown with formulas, and with emphasis and line breaks that work beside Chinese.

Tables, footnotes, task lists, call-outs (``> [!NOTE]``) and bare addresses are supported. HTML is
limited to comments, which are left out, and a few tags without attributes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline, emphasis
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.gfm_autolink import gfm_autolink_plugin

from report.blocks import formulas

_NUMBER = re.compile(r"[-+]?\d[\d.]*%?")
_COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)
_NOTE = re.compile(r"\[\^[^\]\s]+\]")
#: Tags that a writer may use, without attributes.
_TAGS = re.compile(r"</?(?:sub|sup|kbd|mark|u|ins)>|<br ?/?>|</?(?:details|summary)>")


def converter(
    formula: Callable[[str, str | None], str],
    picture: Callable[[str, str], str],
    refuse: Callable[[str, str], NoReturn],
) -> MarkdownIt:
    """A Markdown converter; ``convert.render(text)`` returns HTML.

    Args:
        formula: returns the HTML of a formula, given its TeX and its label: None for an inline
            formula, "" for a displayed one without a number.
        picture: returns the HTML of a picture, given its address and text alternative.
        refuse: raises an error, given the refused text and the advice what to write.
    """
    convert = MarkdownIt("commonmark", {"html": True, "xhtmlOut": True})
    convert.enable(["table", "strikethrough"])
    convert.options["tasklists"] = convert.options["alerts"] = True
    convert.use(dollarmath_plugin, allow_labels=True, allow_space=False, double_inline=True)
    convert.use(footnote_plugin, inline=False)
    convert.use(gfm_autolink_plugin)
    convert.inline.ruler.at("emphasis", _emphasis)

    def inline(self: RendererHTML, tokens: Sequence[Token], at: int, *rest: Any) -> str:
        number = formulas.plain_number(tokens[at].content)
        return number if number is not None else formula(tokens[at].content, None)

    def block(self: RendererHTML, tokens: Sequence[Token], at: int, *rest: Any) -> str:
        label = tokens[at].info if tokens[at].type == "math_block_label" else ""
        return formula(tokens[at].content, label)

    def code(self: RendererHTML, tokens: Sequence[Token], at: int, *rest: Any) -> str:
        content = tokens[at].content
        if _NUMBER.fullmatch(content):  # a definition, not code
            return formulas.plain_number(content.replace("%", r"\%")) or content
        return RendererHTML.code_inline(self, tokens, at, *rest)

    def image(self: RendererHTML, tokens: Sequence[Token], at: int, *rest: Any) -> str:
        return picture(str(tokens[at].attrs["src"]), tokens[at].content)

    def tag(self: RendererHTML, tokens: Sequence[Token], at: int, *rest: Any) -> str:
        html = _COMMENT.sub("", tokens[at].content)
        unknown = _TAGS.sub("", html).strip()
        if unknown and tokens[at].content.startswith("<!--"):
            refuse(unknown, "is in the line of a comment, which must stand alone")
        if "<" in unknown:
            refuse(unknown, "is HTML that is not known; write Markdown, or \\< for the sign")
        return html.replace("<br>", "<br/>")

    def text(self: RendererHTML, tokens: Sequence[Token], at: int, *rest: Any) -> str:
        if note := _NOTE.search(tokens[at].content):
            refuse(note[0], "is a footnote without its text, or one in a caption")
        return escapeHtml(tokens[at].content)

    def fence(self: RendererHTML, tokens: Sequence[Token], at: int, *rest: Any) -> str:
        if tokens[at].info.strip() == "math":
            return formula(tokens[at].content, "")
        return RendererHTML.fence(self, tokens, at, *rest)

    def softbreak(self: RendererHTML, tokens: Sequence[Token], at: int, *rest: Any) -> str:
        beside = "".join(token.content for token in tokens[:at])[-1:]
        beside += "".join(token.content for token in tokens[at + 1 :])[:1]
        # Not _is_chinese: English has those quotation marks too.
        return "" if any(unicodedata.east_asian_width(one) in "WF" for one in beside) else "\n"

    def mark(self: RendererHTML, tokens: Sequence[Token], at: int, *rest: Any) -> str:
        return f"[{tokens[at].meta['id'] + 1}]"  # the same for repeated references to a note

    def item(self: RendererHTML, tokens: Sequence[Token], at: int, *rest: Any) -> str:
        box = {"True": "☑ ", "False": "☐ "}.get(str(tokens[at].meta.get("checked")), "")
        return self.renderToken(tokens, at, *rest) + box

    rules = {
        "text": text,
        "softbreak": softbreak,
        "fence": fence,
        "footnote_caption": mark,
        "list_item_open": item,
        "math_inline": inline,
        **dict.fromkeys(("math_inline_double", "math_block", "math_block_label"), block),
        "code_inline": code,
        "image": image,
        "html_inline": tag,
        "html_block": tag,
    }
    for name, rule in rules.items():
        convert.add_render_rule(name, rule)
    return convert


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
