"""Test accuracy of a person's own experiments, below the planned runs of the same network."""

from itertools import groupby
from textwrap import shorten
from typing import NamedTuple

from analysis.evidence import Evidence
from analysis.figures.common import estimates, marks, theme
from analysis.figures.common.curves import accuracy_rows, write_beside
from analysis.figures.common.estimates import Estimate
from analysis.figures.common.text import Words
from analysis.tables.study import changes, configuration, own_runs, written
from experiments.record import Record

#: Height of a row in inches, and the gap between two networks in rows.
ROW, GAP = 0.205, 0.6
#: Maximum number of rows, so that the figure fits a page; the table has all.
MOST = 36
#: Maximum length of a label in characters.
LONGEST = 40
OWN, PLANNED = theme.Look(theme.ACCENT, "o"), theme.Look(theme.NEUTRAL, "o")


class Row(NamedTuple):
    """The runs of one setting. ``accuracy`` is None if none finished."""

    label: str
    runs: list[Record]
    planned: bool
    accuracy: Estimate | None


def runs(evidence: Evidence) -> tuple[str, ...]:
    """Ids of the records that the figure shows."""
    if not evidence.records.extra:
        return ()
    groups = _groups(evidence, Words("own-experiments", "en"))
    return tuple(run.id for rows in groups for row in rows for run in row.runs)


def _groups(evidence: Evidence, words: Words) -> list[list[Row]]:
    """The settings of each network; that of the planned runs comes first.

    Raises:
        NothingToDraw: there are no own experiments.
    """
    found = [
        (run.config.network, other.config.variant if other else "", run, other)
        for run, other in own_runs(evidence)
        if run.status != "failed"
    ]
    own = {run.id for run in evidence.records.extra}
    groups = []
    for (_, variant), tried in groupby(estimates.require(found), lambda each: each[:2]):
        settings: dict[str, list[Record]] = {}
        varied: dict[str, None] = {}
        for *_, run, other in tried:
            changed = changes(run, other) if other else {}
            varied |= dict.fromkeys(changed)
            settings.setdefault(written(changed) or run.id.rpartition(".s")[0], []).append(run)
        rows = [_row(evidence, label, runs) for label, runs in settings.items()]
        if planned := [run for run in evidence.runs(variant) if run.id not in own]:
            usual = written({key: configuration(planned[0]).get(key) for key in varied})
            key = "planned_at" if len(varied) == 1 else "planned"
            label = words(key, network=words.name(variant), setting=usual)
            rows.insert(0, _row(evidence, label, planned, planned=True))
        groups.append(rows)
    return groups


def _row(evidence: Evidence, label: str, runs: list[Record], *, planned: bool = False) -> Row:
    finished = [run for run in runs if run.status == "finished"]
    accuracy = estimates.of(evidence.of(finished)) if finished else None
    return Row(label, runs, planned, accuracy)


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """One row per setting, grouped by network; the planned runs are grey."""
    groups = _groups(evidence, words)
    every = [(number, row) for number, rows in enumerate(groups) for row in rows]
    places = {at + GAP * number: row for at, (number, row) in enumerate(every[:MOST])}
    note = words("more", count=len(every) - MOST) if len(every) > MOST else ""
    height = ROW * (max(places) + 1)
    alt, headline = _alt(groups, words), _headline(groups, words)
    sheet = theme.Sheet(height + 0.45, alt=alt, headline=headline, note=note)
    axes = sheet.panel(2.4, 0.05, 3.3, height)
    labels = {at: shorten(row.label, LONGEST, placeholder="…") for at, row in places.items()}
    accuracy_rows(axes, labels, [row.accuracy for row in places.values() if row.accuracy], words)
    for at, row in places.items():
        if row.accuracy:
            look = PLANNED if row.planned else OWN
            marks.estimate(axes, look, at, row.accuracy, row.label, level=True)
            write_beside(axes, at, 8, f"{100 * row.accuracy.mean:.2f}")
        else:
            write_beside(axes, at, 8, words("diverged_all"), color=theme.INK_2)
    return sheet


def _headline(groups: list[list[Row]], words: Words) -> str:
    """How many settings are more accurate than the planned one of their network."""
    pairs = [
        (row.accuracy.mean, first.accuracy.mean)
        for first, *rest in groups
        for row in rest
        if first.planned and first.accuracy and row.accuracy
    ]
    above = sum(own > planned for own, planned in pairs)
    return words("headline", above=above, count=len(pairs)) if pairs else ""


def _alt(groups: list[list[Row]], words: Words) -> str:
    networks = [words.listed(_told(row, words) for row in rows) for rows in groups]
    return words("alt", networks=words.clauses(networks))


def _told(row: Row, words: Words) -> str:
    if row.accuracy is None:
        return words("one_diverged", setting=row.label)
    return words("one", setting=row.label, accuracy=row.accuracy.mean)
