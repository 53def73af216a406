"""How numbers are printed, and how they lead home."""

import math

import pytest

from analysis.values import Source, Value
from report.blocks.numbers import NBSP, data_element, printed, signed

SOURCE = (Source("ResNet18.s0", "test.accuracy"),)


@pytest.mark.parametrize(
    ("number", "kind", "en", "zh"),
    [
        (0.98364, "accuracy", "98.36%", "98.36%"),
        (1.0, "accuracy", "100.00%", "100.00%"),
        (-0.0677, "difference", "−6.77~pp", "−6.77~个百分点"),
        (-0.00001, "difference", "0.00~pp", "0.00~个百分点"),
        (11702530, "count", "11,702,530", "11,702,530"),
        (11702530, "params", "11.70~M", "11.70~M"),
        (61706, "params", "61,706", "61,706"),
        (1.8e9, "macs", "1.80~G", "1.80~G"),
        (416520, "macs", "0.42~M", "0.42~M"),
        (1.46115, "loss", "1.461", "1.461"),
        (0.0312, "p", "0.031", "0.031"),
        (1e-9, "p", "<~0.001", "<~0.001"),
        (2.244, "ratio", "2.24×", "2.24~倍"),
        (0.52349, "gain", "0.523", "0.523"),
        (1.234e-7, "gain", "1.23~×~10⁻⁷", "1.23~×~10⁻⁷"),
        (0, "weight", "0", "0"),
        (12345.6, "gain", "12,346", "12,346"),
        (3e-4, "learning_rate", "0.0003", "0.0003"),
        (3e-5, "learning_rate", "3~×~10⁻⁵", "3~×~10⁻⁵"),
        (3.21, "duration", "3.2~s", "3.2~秒"),
        (312, "duration", "5~min~12~s", "5~分~12~秒"),
        (9000, "duration", "2.5~h", "2.5~小时"),
        (588.2, "rate", "588~images/s", "588~张/秒"),
        (1.5 * 2**30, "bytes", "1.50~GiB", "1.50~GiB"),
        (math.nan, "loss", "NaN", "NaN"),
        (math.inf, "loss", "∞", "∞"),
        (-math.inf, "loss", "−∞", "−∞"),
    ],
)
def test_every_kind_prints_in_both_languages(number, kind, en, zh):
    found = [str(printed(Value(number, kind, SOURCE), lang)) for lang in ("en", "zh")]
    assert [text.replace(NBSP, "~") for text in found] == [en, zh]


def test_signs():
    assert signed("4.01", 4.01, True) == "+4.01"
    assert signed("−4.01", -4.01, True) == "−4.01"
    assert signed("−4.01", -4.01, False) == "4.01"
    assert signed("0.00", 0.0, True) == "0.00"


def test_a_number_names_its_sources_and_links_to_the_card_of_the_first():
    both = Value(0.5, "accuracy", (*SOURCE, Source("ResNet18.s1", "test.accuracy")))
    html = data_element(both, "50%", "zh")
    for shown in ("#zh-run-ResNet18", "ResNet18.s0…s1 test.accuracy", "0.5"):
        assert f'="{shown}"' in html
    assert "<a" not in data_element(Value(28, "integer", ()), "28", "en")  # of a definition
