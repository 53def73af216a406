"""Chinese typesetting: gaps between Han and Latin, quotation marks, meeting punctuation."""

import re

import pytest

from report.base import tree
from report.documents import typography
from report.pdf_engine import glyphs


def typeset(html, *, pdf):
    root = tree.parsed(html)
    typography.typeset(root, "zh", pdf=pdf)
    return tree.inner(root)


def whole_names(html):
    root = tree.parsed(html)
    typography.typeset(root, "en", pdf=False)
    return tree.inner(root)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("使用Adam优化器", "使用 Adam 优化器"),
        ("使用 Adam 优化器", "使用 Adam 优化器"),
        ("约98.36%的", "约 98.36% 的"),
        ("为−3个", "为 −3 个"),
        ("（Adam）", "（Adam）"),
        ("见<a>图3</a>所示", "见<a>图 3</a> 所示"),
        ("为<a><data>+0.35</data></a>个", "为 <a><data>+0.35</data></a> 个"),
        ("（<a>93%</a>），甲乙之差为<a>1</a>", "（<a>93%</a>），甲乙之差为 <a>1</a>"),
        ("用<code>make 甲</code>来", "用 <code>make 甲</code> 来"),
        ("记<math><mi>x</mi></math>为", "记 <math><mi>x</mi></math> 为"),
        ("<pre>甲a乙</pre>", "<pre>甲a乙</pre>"),
        ("甲<p>a</p>", "甲<p>a</p>"),
        ("A&amp;B公司", "A&amp;B 公司"),
        ("English only, no change", "English only, no change"),
    ],
)
def test_gaps(source, shown):
    assert re.sub(r"</?span[^>]*>", "", typeset(source, pdf=True)) == shown
    assert re.sub(r"</?span[^>]*>", "", typeset(source, pdf=False)) == source


def test_apostrophes():
    assert whole_names("the paper's; <a>Holm</a>'s; networks' names") == (
        "the paper’s; <a>Holm</a>’s; networks’ names"
    )
    assert whole_names("<code>it's</code>") == "<code>it's</code>"


def test_a_formula_and_the_mark_behind_it_stay_together():
    math = '<math alttext="x"><mi>x</mi></math>'
    assert f'<span class="whole">{math}，</span>' in typeset(f"记{math}，则", pdf=False)
    assert "whole" not in typeset(f"记{math}为", pdf=False)


def test_quotation_marks_are_chinese_beside_han_only():
    assert 'class="han">“' in typeset("他说“好”", pdf=False)
    assert 'class="han">“' in typeset("用“Adam”和", pdf=False)
    assert "han" not in typeset("a ‘Student’s’ problem", pdf=False)


def test_meeting_punctuation_is_narrowed_in_the_pdf_only():
    assert typeset("甲）。乙", pdf=False) == "甲）。乙"
    assert typeset("甲）。乙", pdf=True) == '甲<span class="half">）</span>。乙'


@pytest.mark.parametrize("name", ["ResNet-18", "SE-ResNets", "ResNet-18-mul-nobn", "DenseNet"])
def test_names_stay_whole(name):
    assert whole_names(f"<p>the {name}, well-known</p>") == (
        f'<p>the <span class="whole">{name}</span>, well-known</p>'
    )
    assert (f'<span class="whole">{name}</span>' in typeset(f"与 {name}。", pdf=True)) == (
        "-" in name
    )
    assert "whole" not in whole_names(f'<code>{name}</code><a title="{name}"/>')


def test_no_paragraph_of_the_pdf_ends_in_a_single_character():
    assert typeset("<p>甲乙丙。</p>", pdf=True) == '<p>甲<span class="whole">乙丙。</span></p>'
    assert "whole" not in typeset("<p>甲乙丙。</p>", pdf=False)


def test_a_character_that_no_font_has_is_named_with_its_place(monkeypatch, tmp_path):
    monkeypatch.setattr(glyphs, "_covered", lambda: (range(0x20, 0x7F), range(0x4E00, 0x9FFF)))
    (tmp_path / "010-a.en.md").write_text("# A\n\nDone \u2705\n", encoding="utf-8")
    missing = glyphs.missing("Done \u2705\n \u56fe")
    assert missing == ["\u2705"]
    said = glyphs.warning(missing, tmp_path)
    assert "U+2705" in said and "010-a.en.md:3" in said and "\n" not in said
