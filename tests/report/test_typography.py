"""Chinese typesetting: gaps between Han and Latin, quotation marks, meeting punctuation."""

import re

import pytest

from report.base import tree
from report.documents import typography
from report.pdf_engine import glyphs


def typeset(html, lang="zh", *, pdf=False):
    root = tree.parsed(html)
    typography.typeset(root, lang, pdf=pdf)
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
    assert re.sub(r"</?span[^>]*>", "", typeset(source)) == source


def test_apostrophes():
    shown = "the paper’s; <a>Holm</a>’s; networks’ names"
    assert typeset("the paper's; <a>Holm</a>'s; networks' names", "en") == shown
    assert typeset("<code>it's</code>", "en") == "<code>it's</code>"


def test_a_formula_and_the_mark_behind_it_stay_together():
    math = '<math alttext="x"><mi>x</mi></math>'
    assert f'<span class="whole">{math}，</span>' in typeset(f"记{math}，则")
    assert "whole" not in typeset(f"记{math}为")


def test_quotation_marks_are_chinese_beside_han_only():
    for source in ("他说“好”", "用“Adam”和"):
        assert 'class="han">“' in typeset(source)
    assert "han" not in typeset("a ‘Student’s’ problem")


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        # meeting punctuation is narrowed; no line is a single character
        ("甲）。乙", '甲<span class="half">）</span>。乙'),
        ("<p>甲乙丙。</p>", '<p>甲<span class="whole">乙丙。</span></p>'),
    ],
)
def test_lines_of_the_pdf_alone_are_set_with_care(source, shown):
    assert typeset(source, pdf=True) == shown
    assert typeset(source) == source


@pytest.mark.parametrize("name", ["ResNet-18", "SE-ResNets", "ResNet-18-mul-nobn", "DenseNet"])
def test_names_stay_whole(name):
    whole = f'<span class="whole">{name}</span>'
    assert typeset(f"<p>the {name}, well-known</p>", "en") == f"<p>the {whole}, well-known</p>"
    assert (whole in typeset(f"与 {name}。", pdf=True)) == ("-" in name)
    assert "whole" not in typeset(f'<code>{name}</code><a title="{name}"/>', "en")


def test_a_character_that_no_font_has_is_named_with_its_place(monkeypatch, tmp_path):
    monkeypatch.setattr(glyphs, "_covered", lambda: (range(0x20, 0x7F), range(0x4E00, 0x9FFF)))
    (tmp_path / "010-a.en.md").write_text("# A\n\nDone \u2705\n", encoding="utf-8")
    missing = glyphs.missing("Done \u2705\n \u56fe")
    assert missing == ["\u2705"]
    said = glyphs.warning(missing, tmp_path)
    assert "U+2705" in said and "010-a.en.md:3" in said and "\n" not in said
