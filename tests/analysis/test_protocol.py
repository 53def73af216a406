"""The protocol says of every finding what it tests, and of nothing else."""

from __future__ import annotations

import math

import pytest

import analysis.findings
from analysis import protocol
from analysis.findings.base import REGISTRY, Verdict

assert analysis.findings.SECTIONS  # importing the package registers the findings


def test_every_finding_has_its_entry_and_every_entry_its_finding() -> None:
    assert set(protocol.load().finding) == set(REGISTRY)


def test_every_verdict_is_explained() -> None:
    assert set(protocol.load().verdict) == {verdict.value for verdict in Verdict}


@pytest.mark.parametrize("name", list(protocol.load().finding))
def test_an_entry_reads_in_both_languages(name: str) -> None:
    entry = protocol.load().finding[name]
    assert bool(entry.original) == bool(entry.english)
    for text in (entry.hypothesis, entry.contradicted):
        assert text.zh
        assert text.en


def test_margins_are_the_ones_in_use() -> None:
    from analysis.constants import ERROR_RATIO, MARGIN

    assert protocol.ratio("error") == ERROR_RATIO
    assert pytest.approx(math.log(ERROR_RATIO)) == MARGIN
    with pytest.raises(LookupError, match="half"):
        protocol.ratio("half")
