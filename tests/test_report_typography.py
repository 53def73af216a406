"""Chinese typesetting: gaps between Han and Latin, quotation marks, meeting punctuation."""

import re

import pytest

from report.typography import typeset


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
        ("甲<p>a", "甲<p>a"),
        ("A&amp;B公司", "A&amp;B 公司"),
        ("English only, no change", "English only, no change"),
    ],
)
@pytest.mark.parametrize("pdf", [False, True])
def test_gaps(source, shown, pdf):
    assert re.sub(r"</?span[^>]*>", "", typeset(source, pdf=pdf)) == shown


def test_quotation_marks_are_chinese_beside_han_only():
    assert 'class="han">“' in typeset("他说“好”", pdf=False)
    assert 'class="han">“' in typeset("用“Adam”和", pdf=False)
    assert "han" not in typeset("a ‘Student’s’ problem", pdf=False)


def test_meeting_punctuation_is_narrowed_in_the_pdf_only():
    assert typeset("甲）。乙", pdf=False) == "甲）。乙"
    assert typeset("甲）。乙", pdf=True) == '甲<span class="half">）</span>。乙'
