"""The front matter: title, date, cover, and the banner of a partial study."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from markupsafe import Markup

from analysis.schema import Results
from report.base.environment import partial
from report.base.errors import Place, ReportError
from report.base.labels import Labels
from report.blocks import pictures, settings
from report.blocks.numbers import Lang, printed

#: More missing runs than this are collapsed.
_FEW = 12


@dataclass(frozen=True)
class Front:
    """The front matter. ``body`` is HTML, the rest is text; ``date`` may be empty.

    Attributes:
        stamp: the date in ISO format; empty if it is free text or missing.
        cover: free rows, names with texts, such as a student's number.
        logo: a picture as a ``data:`` address, or empty.
    """

    title: str
    subtitle: str
    author: str
    course: str
    date: str
    stamp: str
    body: Markup
    cover: Mapping[str, str]
    logo: str


def matter(folder: Path, records: Results, labels: Labels) -> Front:
    """The front matter of a language; its texts are those of ``templates/report.toml``.

    Raises:
        ReportError: there is an error in ``report.toml``.
    """
    path = folder / "report.toml"
    texts = settings.read(path, labels.lang, labels("list_comma"))
    day = texts.get("date") or newest(records)  # a date, or the writer's own text
    title, subtitle, author, course = (
        texts.get(key, "").replace("{dataset}", records.dataset.title)
        for key in ("title", "subtitle", "author", "course")
    )
    try:
        logo = pictures.address(folder / texts["logo"]) if texts.get("logo") else ""
    except pictures.PictureError as error:
        raise ReportError(f"logo {texts['logo']}: {error}", Place(path, 1)) from None
    return Front(
        title=title,
        subtitle=subtitle,
        author=author,
        course=course,
        date=_date(day, labels.lang) if isinstance(day, date) else day or "",
        stamp=day.isoformat() if isinstance(day, date) else "",
        body=partial(
            "front",
            label=labels,
            profile=records.setting,
            printed=lambda value: printed(value, labels.lang),
            gaps={"missing_runs": records.missing, "refused": records.refused},
            few=_FEW,
        ),
        cover=texts["cover"],
        logo=logo,
    )


def newest(records: Results) -> date | None:
    """The day of the newest record, or of SOURCE_DATE_EPOCH; None without either."""
    stamp = os.environ.get("SOURCE_DATE_EPOCH", "")
    if stamp:
        return datetime.fromtimestamp(int(stamp), UTC).date()
    days = (run.timing.finished.astimezone(UTC).date() for run in records.runs.values())
    return max(days, default=None)


def _date(day: date, lang: Lang) -> str:
    if lang == "zh":
        return f"{day.year} 年 {day.month} 月 {day.day} 日"
    return f"{day.day} {day:%B} {day.year}"


def tally(texts: Iterable[str]) -> list[tuple[str, int]]:
    """Different texts with their counts, the most frequent first."""
    return sorted(Counter(texts).items(), key=lambda item: (-item[1], item[0]))


def counted_runs(records: Results, labels: Labels) -> str:
    """The numbers of runs by how they ended, and of missing ones."""
    counted = [
        labels(f"count_{status}", count=count)
        for status, count in tally(run.status for run in records.runs.values())
    ]
    if records.missing:
        counted.append(labels("count_missing", count=len(records.missing)))
    return labels("list_comma").join(counted)


def colophon(records: Results, labels: Labels) -> Markup:
    """The runs, machines, software and commits behind the records, in two columns."""
    runs = [run.environment for run in records.runs.values()]
    commits = (
        f"{run.git_commit[:10]}{labels('dirty') if run.git_dirty else ''}"
        if run.git_commit
        else labels("unknown")
        for run in runs
    )
    rows = {
        "profile": records.setting.name,
        "runs": counted_runs(records, labels),
        "seeds": str(records.setting.seeds) if runs else "",
        "device": _counted((run.device for run in runs), labels),
        "software": _counted((f"PyTorch {run.torch}" for run in runs), labels),
        "commit": _counted(commits, labels),
    }
    told = [(f"colophon_{key}", text) for key, text in rows.items() if text]
    half = (len(told) + 1) // 2
    return partial("colophon", label=labels, colophon=(told[:half], told[half:]))


def _counted(texts: Iterable[str], labels: Labels) -> str:
    """Different texts, with their numbers of runs if there are several."""
    found = tally(texts)
    if len(found) == 1:
        return found[0][0]
    return labels("list_semicolon").join(labels.with_runs(text, count) for text, count in found)
