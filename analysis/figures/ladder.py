"""The budget ladder: error rates against images seen, and the findings at every rung."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from analysis import protocol
from analysis.constants import ERROR_RATIO
from analysis.evidence import Evidence
from analysis.figures.common import marks, theme
from analysis.figures.common.axes import log_axis, plain
from analysis.figures.common.estimates import NothingToDraw
from analysis.figures.common.label_placement import End, label_ends
from analysis.figures.common.text import Words, count, number, percent
from analysis.findings import evaluate
from analysis.ladder import budget, by_rung, climb
from analysis.records import Records
from analysis.schema import Climb, Ladder, Step, Verdict
from analysis.tables.results import NETWORKS as RESULTS

NETWORKS = (*RESULTS, "PlainNet18", "PlainNet34", "PlainNet50", "PlainNet101")
#: Statistics of the protocol whose effect is a ratio of two error rates.
_STATISTICS = ("error-ratio", "error-ratio-set", "equivalence", "ranks")
_MARKS = {
    Verdict.SUPPORTED: "^",
    Verdict.CONTRADICTED: "v",
    Verdict.MIXED: "s",
    Verdict.INCONCLUSIVE: "D",
}
#: Inches between the rungs of one row, and between rows.
_PITCH, _GAP = 0.075, 0.13

#: The error rates of a network's runs by number of images seen.
Line = dict[int, list[float]]


def runs(evidence: Evidence) -> tuple[str, ...]:
    """Ids of the records that the figure shows: all, since seed variance is pooled over them."""
    records = evidence.records
    if len(by_rung(records)) < 2:
        return ()
    others = [
        f"{rung.folder.name}/{name}" for rung in records.rungs.values() for name in rung.by_id
    ]
    return (*records.by_id, *others)


def lines(records: Records) -> dict[str, Line]:
    """The networks with finished runs at two rungs or more.

    Raises:
        NothingToDraw: there is none.
    """
    found: dict[str, Line] = {}
    for rung in by_rung(records).values():
        evidence = Evidence(rung)
        for variant in NETWORKS:
            for run in evidence.finished(variant):
                if run.test is not None:
                    line = found.setdefault(variant, {})
                    line.setdefault(budget(run), []).append(1 - run.test.accuracy)
    kept = {variant: dict(sorted(line.items())) for variant, line in found.items() if len(line) > 1}
    if not kept:
        raise NothingToDraw(NETWORKS)
    return kept


def broken(records: Records, shown: Iterable[str]) -> list[tuple[str, int]]:
    """The networks with diverged runs, each with the number of images planned for these runs."""
    evidence = {rung.folder: Evidence(rung) for rung in by_rung(records).values()}
    found = {
        (variant, budget(run))
        for variant in shown
        for own in evidence.values()
        for run in own.runs(variant)
        if run.status == "diverged"
    }
    return sorted(found)


def rows(climbed: Ladder) -> dict[str, Climb]:
    """The findings with a ratio of error rates at two rungs or more."""
    return {
        name: item
        for name, item in climbed.findings.items()
        if protocol.load().finding[name].statistic in _STATISTICS
        and sum(_ratio(step) is not None for step in item.steps.values()) > 1
    }


def _ratio(step: Step) -> float | None:
    """The ratio of error rates if there is a positive one, else None."""
    value = step.effect
    return value.value if value is not None and value.kind == "ratio" and value.value > 0 else None


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """Error rate by images seen on the left, ratios of error rates by finding on the right."""
    records = evidence.records
    found, climbed = lines(records), climb(records, evaluate(records))
    shown = rows(climbed)
    used = {
        letter for item in shown.values() for letter, step in item.steps.items() if _ratio(step)
    }
    letters = [rung.letter for rung in climbed.rungs if rung.letter in used]
    step = _PITCH * len(letters) + _GAP
    height = max(2.2, step * len(shown))
    diverged = broken(records, found)
    notes = [words("marks", rungs=words.listed(letters))] if shown else []
    if diverged:
        named = dict.fromkeys(words.name(variant) for variant, _ in diverged)
        notes.append(words("diverged_marks", networks=words.listed(named)))
    note = words.sentences(notes)
    sheet = theme.sheet(height + 0.75, _headline(climbed, found, words), note)
    axes = theme.panel(sheet, 0.36, 0.32, 1.55 if shown else 4.6, min(height, 3.2))
    theme.heading(axes, words("error"), left=0.3)
    _errors(axes, found, diverged, words)
    if shown:
        axes = theme.panel(sheet, 4.62, 0.32, 1.55, height)
        theme.heading(axes, words("ratio"))
        _ratios(axes, shown, letters, words)
    return sheet


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _errors(
    axes: Axes, found: Mapping[str, Line], diverged: list[tuple[str, int]], words: Words
) -> None:
    theme.hairlines(axes)
    trained = {images for line in found.values() for images in line}
    seen = sorted(trained.union(images for _, images in diverged))
    errors = [error for line in found.values() for own in line.values() for error in own]
    log_axis(axes, [max(error, 1e-5) for error in errors])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: plain(100 * value)))
    log_axis(axes, seen, "x")
    unit = int(words("image_unit"))
    axes.xaxis.set_major_locator(FixedLocator([float(images) for images in seen]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / unit:g}"))
    axes.set_xlabel(words("images"))
    ends = []
    for variant, line in found.items():
        look = theme.look(variant)
        means = [max(_mean(own), 1e-5) for own in line.values()]
        axes.plot(list(line), means, color=look.colour, linewidth=1.1, zorder=2)
        for images, own in line.items():
            places = [images] * len(own), [max(error, 1e-5) for error in own]
            axes.plot(
                *places,
                look.marker,
                color=look.colour,
                markersize=3,
                label=marks.series(words.name(variant), "run"),
            )
        ends.append(End(max(line), means[-1], words.name(variant), look.colour))
    for variant, images in diverged:
        marks.crosses(axes, theme.look(variant), [(images, 1.0)])
    label_ends(axes, ends, reach=10)


def _ratios(axes: Axes, shown: Mapping[str, Climb], letters: list[str], words: Words) -> None:
    height = _PITCH * len(letters) + _GAP
    middles = [height * (row + 0.5) for row in range(len(shown))]
    places = [
        (middle + _PITCH * (index - (len(letters) - 1) / 2), item.steps[letter])
        for middle, item in zip(middles, shown.values(), strict=True)
        for index, letter in enumerate(letters)
        if letter in item.steps and _ratio(item.steps[letter])
    ]
    drawn = [value for _, step in places if (value := _ratio(step))]
    ends = [end.value for _, step in places for end in step.interval or ()]
    theme.hairlines(axes)
    axes.grid(False)
    log_axis(axes, [*drawn, 1 / ERROR_RATIO, ERROR_RATIO], "x", ends=ends)
    axes.set_ylim(height * len(shown), 0)
    axes.axvspan(1 / ERROR_RATIO, ERROR_RATIO, color=theme.NEUTRAL, alpha=0.18, linewidth=0)
    axes.axvline(1, color=theme.INK_2, linewidth=0.6, zorder=1.5)
    axes.set_yticks(middles, [words(f"finding_{name}") for name in shown])
    for (at, step), value in zip(places, drawn, strict=True):
        if step.interval is not None:
            low, high = (end.value for end in step.interval)
            axes.plot([low, high], [at, at], color=theme.ACCENT, linewidth=0.9, zorder=2)
        axes.plot([value], [at], _MARKS[step.verdict], color=theme.ACCENT, markersize=4, zorder=3)


def _headline(climbed: Ladder, found: Mapping[str, Line], words: Words) -> str:
    if tested := climbed.compared:
        return words("headline", all=len(tested), stable=len(climbed.ended("stable")))
    seen = sorted({images for line in found.values() for images in line})
    ends = [(_mean(own[0]), _mean(own[-1])) for own in map(list, map(dict.values, found.values()))]
    return words(
        "headline_networks",
        first=count(seen[0]),
        last=count(seen[-1]),
        down=sum(last < first for first, last in ends),
        all=len(ends),
    )


def alt(evidence: Evidence, words: Words) -> str:
    """What the figure shows, in words."""
    named, records = [], evidence.records
    for variant, line in lines(records).items():
        first, *_, last = (percent(_mean(own)) for own in line.values())
        named.append(words("one", network=words.name(variant), first=first, last=last))
    parts = [words("alt", networks=words.listed(named))]
    said = []
    for name, item in rows(climb(records, evaluate(records))).items():
        ratios = [
            words("at", rung=letter, ratio=number(value))
            for letter, step in item.steps.items()
            if (value := _ratio(step)) is not None
        ]
        said.append(words("verdict", finding=words(f"finding_{name}"), ratios=words.listed(ratios)))
    if said:
        parts.append(words("alt_findings", findings=words.clauses(said)))
    return words.sentences(parts)
