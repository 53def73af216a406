"""The protocol says of every finding what it tests, and of nothing else."""

import math

import pytest

import analysis.findings
from analysis import protocol
from analysis.constants import ERROR_RATIO, MARGIN
from analysis.findings.base import REGISTRY, Verdict

assert analysis.findings.SECTIONS  # importing the package registers the findings


def test_every_finding_and_verdict_is_explained_and_nothing_else() -> None:
    assert set(protocol.load().finding) == set(REGISTRY)
    assert set(protocol.load().verdict) == {verdict.value for verdict in Verdict}


def test_entries_read_in_both_languages() -> None:
    for name, entry in protocol.load().finding.items():
        assert bool(entry.original) == bool(entry.english), name
        for text in (entry.hypothesis, entry.contradicted):
            assert text.zh and text.en, name


def test_margins_are_the_ones_in_use() -> None:
    assert protocol.ratio("error") == ERROR_RATIO
    assert pytest.approx(math.log(ERROR_RATIO)) == MARGIN
    with pytest.raises(LookupError, match="half"):
        protocol.ratio("half")


def test_entries_name_what_the_protocol_has():
    whole = protocol.load()
    for name, entry in whole.finding.items():
        for table in ("unit", "statistic", "margin", "family", "fixed"):
            assert getattr(entry, table) in getattr(whole, table), (name, table)
