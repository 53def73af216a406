"""Markdown with tables and formulas, and emphasis that works beside Chinese punctuation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, MutableMapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from mdit_py_plugins.dollarmath import dollarmath_plugin

from report import formulas

#: ``formula(tex, label)``: the HTML of a formula; ``label`` is None for one in a line, "" for a
#: display without a number.
Formula = Callable[[str, str | None], str]
_NUMBER = re.compile(r"[-+]?\d[\d.]*%?")


def converter(formula: Formula) -> MarkdownIt:
    """A Markdown converter; ``convert.render(text)`` for blocks, ``renderInline`` for a line."""
    convert = MarkdownIt("commonmark", {"html": False, "xhtmlOut": True})
    convert.enable(["table", "strikethrough"])
    convert.use(dollarmath_plugin, allow_labels=True, allow_space=False, double_inline=True)
    convert.inline.ruler.at("emphasis", _emphasis)
    # Raw HTML has been off from the start: what looks like a tag is text.

    def inline(self: RendererHTML, tokens: Sequence[Token], at: int, *rest: Any) -> str:
        number = formulas.plain_number(tokens[at].content)
        return number if number is not None else formula(tokens[at].content, None)

    def block(self: RendererHTML, tokens: Sequence[Token], at: int, *rest: Any) -> str:
        return formula(
            tokens[at].content, tokens[at].info if tokens[at].type == "math_block_label" else ""
        )

    def code(
        self: RendererHTML,
        tokens: Sequence[Token],
        at: int,
        options: OptionsDict,
        env: MutableMapping[str, Any],
    ) -> str:
        content = tokens[at].content
        if _NUMBER.fullmatch(content):  # a definition, not code
            return formulas.plain_number(content.replace("%", r"\%")) or content
        return self.code_inline(tokens, at, options, env)  # type: ignore[no-any-return,unused-ignore]

    convert.add_render_rule("math_inline", inline)
    convert.add_render_rule("math_inline_double", block)
    convert.add_render_rule("math_block", block)
    convert.add_render_rule("math_block_label", block)
    convert.add_render_rule("code_inline", code)
    return convert


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"


def _is_chinese(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF" or character in "“”‘’…—"


def _emphasis(state: StateInline, silent: bool) -> bool:
    """CommonMark's emphasis, with Chinese punctuation taken for letters beside ``*``.

    By the book ``**结论：**然后`` is none: the mark follows punctuation and precedes a letter.
    Otherwise as in ``markdown_it.rules_inline.emphasis``.
    """
    start = state.pos
    marker = state.src[start]
    if silent or marker not in "*_":
        return False
    end = start
    while end < state.posMax and state.src[end] == marker:
        end += 1
    before = state.src[start - 1] if start else " "
    after = state.src[end] if end < state.posMax else " "

    def opens(outer: str, inner: str) -> bool:
        if inner.isspace():
            return False
        plain = not _is_punctuation(inner) or _is_chinese(inner)
        return plain or outer.isspace() or _is_punctuation(outer) or _is_chinese(outer)

    left, right = opens(before, after), opens(after, before)
    word = marker == "*"
    for _ in range(end - start):
        token = state.push("text", "", 0)
        token.content = marker
        state.delimiters.append(
            Delimiter(
                marker=ord(marker),
                length=end - start,
                token=len(state.tokens) - 1,
                end=-1,
                open=left and (word or not right or _is_punctuation(before)),
                close=right and (word or not left or _is_punctuation(after)),
            )
        )
    state.pos = end
    return True
