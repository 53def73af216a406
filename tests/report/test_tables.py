"""Tables as HTML, CSV and LaTeX."""

import csv
import io
from types import SimpleNamespace

import pytest

from analysis.results import as_csv
from analysis.tables import Cell, Column, Table
from analysis.values import Source, Value
from report.base.errors import ReportError
from report.base.labels import Labels
from report.base.placeholders import Slots
from report.blocks.tables import as_latex, html

ACCURACY = Value(0.98366, "accuracy", (Source("A.s0", "test.accuracy"),))
LIMITS = (Value(0.98, "accuracy", ACCURACY.sources), Value(0.987, "accuracy", ACCURACY.sources))
BEST = Cell(ACCURACY, mark="best", note="tied", interval=LIMITS)
TINY = Value(1.2e-7, "gain", ())
FORMULA = Cell("=cmd|'<i>'_50%")
TABLE = Table(
    "t",
    (
        Column("network", "text", head="name", name="Net & co"),
        Column("accuracy", "accuracy"),
        Column("gain", "gain", head="name", name="Gain"),
        Column("status", "word", head="name", name="Status"),
        Column("nothing", "count", head="name", name="Empty"),
    ),
    (
        (Cell("A.s0"), BEST, Cell(Value(0.5231, "gain", ())), Cell("finished"), Cell()),
        (FORMULA, Cell(note="diverged"), Cell(TINY), Cell("diverged"), Cell()),
    ),
    ("A.s0",),
)


def writer(lang="en"):
    """What tables take of a document, which knows one run."""
    texts = {"claim": str, "effect": str, "badge": str}
    known = SimpleNamespace(runs={"A.s0"})
    return SimpleNamespace(lang=lang, labels=Labels(lang), records=known, slots=Slots(), **texts)


def test_html():
    made = html(TABLE, writer())
    assert 'href="#en-run-A"' in made
    assert '<td class="num best">' in made and "98.37" in made
    assert "95% interval" in made and 'data-value="0.98 0.987"' in made
    assert "Empty" not in made  # a column without content is left out
    assert "&lt;i&gt;" in made and "<i>" not in made
    assert "<sup>a</sup> not significantly below" in made
    assert '—<sup class="fn">b</sup>' in made
    assert "diverged" in made and "发散" in html(TABLE, writer("zh"))


def test_a_column_without_a_head_is_an_error_that_says_where():
    table = Table("t", (Column("gain", "gain"),), ((Cell(Value(0.5, "gain", ())),),), ())
    with pytest.raises(ReportError, match=r"has no text 'gain' in en") as error:
        html(table, writer())
    assert error.value.place.file.name == "tables.toml"


def test_csv_is_exact_and_holds_no_formula():
    rows = list(csv.DictReader(io.StringIO(as_csv(TABLE))))
    assert float(rows[0]["accuracy"]) == ACCURACY.value
    assert (rows[0]["accuracy_low"], rows[0]["accuracy_high"]) == ("0.98", "0.987")
    assert rows[1]["network"].startswith("'=")
    assert rows[1]["accuracy"] == "diverged"


def test_latex_is_booktabs_and_escaped():
    made = as_latex(TABLE, writer())
    for rule in ("\\toprule", "\\midrule", "\\bottomrule"):
        assert made.count(rule) == 1
    assert "Net \\& co" in made and "\\_50\\%" in made and "\\textbf{98.37" in made
    assert "1.20~{\\texttimes}~10$^{-7}$" in made
    head, *body = [line for line in made.splitlines() if line.endswith("\\\\")]
    assert {line.count(" & ") for line in (head, *body)} == {head.count(" & ")}
