"""The budget ladder: error rates against images seen, and the findings at every rung."""

from collections.abc import Iterable, Mapping
from statistics import fmean

from matplotlib.axes import Axes

from analysis import protocol
from analysis.constants import ERROR_RATIO
from analysis.evidence import Evidence
from analysis.figures.common import marks, theme
from analysis.figures.common.axes import LEAST_ERROR, log_axis, per_cent
from analysis.figures.common.estimates import require
from analysis.figures.common.marks import End, label_ends
from analysis.figures.common.text import Words, number
from analysis.findings import evaluate
from analysis.ladder import budget, by_rung, climb
from analysis.records import Records
from analysis.schema import Ladder, Step, Verdict
from analysis.tables.results import NETWORKS as RESULTS
from experiments.record import Record

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
_PITCH, _GAP = 0.057, 0.09

#: The error rates of a network's runs by number of images seen.
Line = dict[int, list[float]]
#: By rung, the ratio of error rates that a finding has there.
Ratios = dict[str, tuple[float, Step]]


def runs(evidence: Evidence) -> tuple[str, ...]:
    """Ids of the records that the figure shows: all, since seed variance is pooled over them."""
    records = evidence.records
    if len(by_rung(records)) < 2:
        return ()
    others = [f"{rung.folder.name}/{run.id}" for rung in records.rungs.values() for run in rung]
    return (*records.by_id, *others)


def lines(records: Records) -> dict[str, Line]:
    """The networks with finished runs at two rungs or more.

    Raises:
        NothingToDraw: there is none.
    """
    found: dict[str, Line] = {}
    for variant in NETWORKS:
        line: Line = {}
        for run in _at_all_rungs(records, variant):
            if run.test is not None:
                line.setdefault(budget(run), []).append(1 - run.test.accuracy)
        if len(line) > 1:
            found[variant] = line
    return require(found)


def _at_all_rungs(records: Records, variant: str) -> list[Record]:
    every = [run for rung in by_rung(records).values() for run in rung.of(variant)]
    return sorted(every, key=budget)


def broken(records: Records, shown: Iterable[str]) -> list[tuple[str, int]]:
    """The networks with diverged runs, each with the number of images planned for these runs."""
    found = {
        (variant, budget(run))
        for variant in shown
        for run in _at_all_rungs(records, variant)
        if run.status == "diverged"
    }
    return sorted(found)


def rows(climbed: Ladder) -> dict[str, Ratios]:
    """The findings with a positive ratio of error rates at two rungs or more."""
    ratios: dict[str, Ratios] = {
        name: {
            letter: (effect.value, step)
            for letter, step in item.steps.items()
            if (effect := step.effect) and effect.kind == "ratio" and effect.value > 0
        }
        for name, item in climbed.findings.items()
        if protocol.load().finding[name].statistic in _STATISTICS
    }
    return {name: own for name, own in ratios.items() if len(own) > 1}


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """Error rate by images seen on the left, ratios of error rates by finding on the right."""
    records = evidence.records
    found, climbed = lines(records), climb(records, evaluate(records))
    shown, diverged = rows(climbed), broken(records, found)
    used = {letter for ratios in shown.values() for letter in ratios}
    letters = [rung.letter for rung in climbed.rungs if rung.letter in used]
    height = max(2.2, (_PITCH * len(letters) + _GAP) * len(shown))
    tested, stable = len(climbed.compared), len(climbed.ended("stable"))
    headline = words("headline", all=tested, stable=stable) if tested else ""
    notes = [words("marks", rungs=words.listed(letters))] if shown else []
    if diverged:
        named = dict.fromkeys(words.name(variant) for variant, _ in diverged)
        notes.append(words("diverged_marks", networks=words.listed(named)))
    alt, note = _alt(found, shown, words), words.sentences(notes)
    sheet = theme.Sheet(height + 0.75, alt=alt, headline=headline, note=note)
    axes = sheet.panel(
        0.36, 0.32, 1.55 if shown else 4.6, min(height, 3.2), words("error"), indent=0.3
    )
    _errors(axes, found, diverged, words)
    if shown:
        axes = sheet.panel(4.62, 0.32, 1.55, height, words("ratio"))
        _ratios(axes, shown, letters, words)
    return sheet


def _errors(
    axes: Axes, found: Mapping[str, Line], diverged: list[tuple[str, int]], words: Words
) -> None:
    seen = sorted({*(i for line in found.values() for i in line), *(i for _, i in diverged)})
    unit = int(words("image_unit"))
    every = [error for line in found.values() for own in line.values() for error in own]
    log_axis(axes, [max(e, LEAST_ERROR) for e in every], form=per_cent)
    log_axis(axes, seen, axis="x", ticks=seen, form=lambda images: f"{images / unit:g}")
    axes.set_xlabel(words("images"))
    ends = []
    for variant, line in found.items():
        (colour, marker), name = theme.look(variant), words.name(variant)
        means = [max(fmean(own), LEAST_ERROR) for own in line.values()]
        axes.plot([*line], means, color=colour, linewidth=1.1, zorder=2)
        ends.append(End(max(line), means[-1], name, colour))
        label = marks.series(name, "run")
        for images, own in line.items():
            places = [images] * len(own), [max(error, LEAST_ERROR) for error in own]
            axes.plot(*places, marker, color=colour, markersize=3, label=label)
    for variant, images in diverged:
        marks.cross(axes, theme.look(variant), images, 1.0)
    label_ends(axes, ends, reach=10)


def _ratios(axes: Axes, shown: Mapping[str, Ratios], letters: list[str], words: Words) -> None:
    height = _PITCH * len(letters) + _GAP
    steps = [each for ratios in shown.values() for each in ratios.values()]
    ends = [end.value for _, step in steps for end in step.interval or ()]
    values = [value for value, _ in steps]
    log_axis(axes, [*values, 1 / ERROR_RATIO, ERROR_RATIO], ends, "x")
    axes.grid(False)
    axes.set_ylim(height * len(shown), 0)
    axes.axvspan(1 / ERROR_RATIO, ERROR_RATIO, color=theme.NEUTRAL, alpha=0.18, linewidth=0)
    axes.axvline(1, color=theme.INK_2, linewidth=0.6, zorder=1.5)
    middles = [height * (row + 0.5) for row in range(len(shown))]
    axes.set_yticks(middles, [words(f"finding_{name}") for name in shown])
    for middle, ratios in zip(middles, shown.values(), strict=True):
        for letter, (value, step) in ratios.items():
            at = middle + _PITCH * (letters.index(letter) - (len(letters) - 1) / 2)
            interval = [end.value for end in step.interval or ()]
            axes.plot(interval, [at] * len(interval), color=theme.ACCENT, linewidth=0.9, zorder=3)
            mark = _MARKS[step.verdict]
            axes.plot(value, at, mark, color=theme.ACCENT, markersize=4, zorder=3)


def _alt(found: Mapping[str, Line], shown: Mapping[str, Ratios], words: Words) -> str:
    named = []
    for variant, line in found.items():
        first, *_, last = map(fmean, line.values())
        named.append(words("one", network=words.name(variant), first=first, last=last))
    parts = [words("alt", networks=words.listed(named))]
    said = []
    for name, ratios in shown.items():
        each = [words("at", rung=k, ratio=number(value)) for k, (value, _) in ratios.items()]
        said.append(words("verdict", finding=words(f"finding_{name}"), ratios=words.listed(each)))
    if said:
        parts.append(words("alt_findings", findings=words.clauses(said)))
    return words.sentences(parts)
