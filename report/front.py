"""The front matter: title, date, and what the report can be taken for."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from analysis.schema import Results, Run, Setting, Value
from report import numbers, settings
from report.labels import Labels
from report.numbers import Lang, data_element
from report.slots import escape

_COVERED = ("input_size", "epochs", "train_images", "test_images")
#: For each other value of a field the networks that have it.
Others = tuple[tuple[Value, tuple[str, ...]], ...]
_UNITS = {"input_size": "px", "epochs": "", "train_images": "", "test_images": ""}
#: More missing runs than these are folded away.
_FEW = 12


@dataclass(frozen=True)
class Front:
    """Title and the like as text; ``body`` is HTML; ``date`` is empty without records."""

    title: str
    subtitle: str
    author: str
    course: str
    date: str
    stamp: str
    body: str


def matter(folder: Path, profile: Setting, records: Results, lang: Lang) -> Front:
    """The front matter of a language; its texts are those of ``templates/report.toml``.

    Raises:
        ReportError: ``report.toml`` is at fault.
    """
    labels = Labels(lang)
    texts = settings.read(folder / "report.toml", lang, labels("list_comma"))
    day = texts.get("date") or newest(records)  # a date, or the writer's own text
    return Front(
        title=_filled(texts, "title", records),
        subtitle=_filled(texts, "subtitle", records),
        author=_filled(texts, "author", records),
        course=_filled(texts, "course", records),
        date=_date(day, lang) if isinstance(day, date) else day or "",
        stamp=day.isoformat() if isinstance(day, date) else "",
        body="".join(
            (
                _banner(profile, labels),
                _colophon(profile, records, labels),
                _coverage(profile, records, lang, labels),
                _gaps(records, labels),
            )
        ),
    )


def _filled(texts: Mapping[str, object], key: str, records: Results) -> str:
    """A text of ``report.toml``, with the name of the data set filled in; empty without it."""
    return str(texts.get(key, "")).replace("{dataset}", records.dataset.title)


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


def tally(runs: Iterable[Run], what: Callable[[Run], str]) -> list[tuple[str, int]]:
    """How many runs have each text, the most frequent first."""
    return sorted(Counter(map(what, runs)).items(), key=lambda item: (-item[1], item[0]))


def _banner(profile: Setting, labels: Labels) -> str:
    """A report that is not the full study says so before anything else."""
    if not profile.seeds:
        return f'<p class="banner">{escape(labels("banner_empty"))}</p>'
    if profile.original_setting:
        return ""
    head = escape(labels("banner_part_head", profile=profile.name))
    return f'<p class="banner"><strong>{head}</strong> {escape(labels("banner_part"))}</p>'


def _colophon(profile: Setting, records: Results, labels: Labels) -> str:
    runs = list(records.runs.values())
    counted = [
        labels(f"count_{status}", count=count) for status, count in tally(runs, lambda r: r.status)
    ]
    if records.missing:
        counted.append(labels("count_missing", count=len(records.missing)))
    comma = labels("list_comma")
    rows = [
        ("colophon_profile", profile.name),
        ("colophon_runs", comma.join(counted)),
        ("colophon_seeds", str(profile.seeds) if runs else ""),
        ("colophon_device", _counted((r.environment.device for r in runs), labels)),
        ("colophon_software", _counted((f"PyTorch {r.environment.torch}" for r in runs), labels)),
        (
            "colophon_commit",
            _counted(
                (_commit(r.environment.git_commit, r.environment.git_dirty, labels) for r in runs),
                labels,
            ),
        ),
    ]
    cells = [f"<dt>{escape(labels(key))}</dt><dd>{escape(text)}</dd>" for key, text in rows if text]
    half = (len(cells) + 1) // 2  # of two columns on paper
    columns = (f"<div>{''.join(part)}</div>" for part in (cells[:half], cells[half:]))
    return f'<dl class="colophon">{"".join(columns)}</dl>'


def _commit(commit: str | None, dirty: bool | None, labels: Labels) -> str:
    if commit is None:
        return labels("unknown")
    return commit[:10] + (labels("dirty") if dirty else "")


def _counted(texts: Iterable[str], labels: Labels) -> str:
    """Different texts, each with the number of runs where there is more than one."""
    found: dict[str, int] = {}
    for text in texts:
        found[text] = found.get(text, 0) + 1
    if len(found) == 1:
        return next(iter(found))
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return labels("list_semicolon").join(
        labels("with_runs", text=text, count=count) for text, count in ordered
    )


def _coverage(profile: Setting, records: Results, lang: Lang, labels: Labels) -> str:
    """How much of the original's setting these runs cover."""
    rows = []
    if not records.dataset.original:
        rows.append(
            f'<tr><th scope="row">{escape(labels("setting_dataset"))}</th>'
            f"<td>{escape(records.original.dataset)}</td>"
            f"<td>{escape(records.dataset.title)}</td><td>—</td></tr>"
        )
    for field in _COVERED:
        usual = getattr(profile, field)
        if usual is None:
            return ""
        unit = f"{numbers.NBSP}{_UNITS[field]}" if _UNITS[field] else ""
        original = data_element(
            records.original.setting[field],
            str(numbers.printed(records.original.setting[field], lang)) + unit,
            lang,
        )
        here = data_element(usual, str(numbers.printed(usual, lang)) + unit, lang)
        rows.append(
            f'<tr><th scope="row">{escape(labels("setting_" + field))}</th><td>{original}</td>'
            f"<td>{here}</td><td>{_others(profile.others[field], unit, lang, labels)}</td></tr>"
        )
    head = "".join(
        f'<th scope="col">{escape(labels(key))}</th>'
        for key in ("coverage_setting", "coverage_original", "coverage_here", "coverage_others")
    )
    caption = f"<caption>{escape(labels('coverage'))}</caption>"
    return (
        f'<div class="scroll"><table class="coverage">{caption}'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _others(others: Others, unit: str, lang: Lang, labels: Labels) -> str:
    parts = []
    for value, variants in others:
        shown = data_element(value, str(numbers.printed(value, lang)) + unit, lang)
        names = labels("list_comma").join(variants)
        parts.append(shown + escape(labels("parenthesis", text=names)))
    return escape(labels("list_semicolon")).join(parts) or "—"


def _gaps(records: Results, labels: Labels) -> str:
    """Missing runs and refused files."""
    notes = []
    if records.missing:
        names = ", ".join(f"<code>{escape(name)}</code>" for name in records.missing)
        notes.append(
            _note(labels("missing_runs", count=len(records.missing)), names, len(records.missing))
        )
    if records.refused:
        lines = "<br/>".join(f"<code>{escape(line)}</code>" for line in records.refused)
        notes.append(
            _note(labels("refused", count=len(records.refused)), lines, len(records.refused))
        )
    return "".join(notes)


def _note(head: str, body: str, count: int) -> str:
    if count <= _FEW:
        return f'<div class="note"><p><strong>{escape(head)}</strong> {body}</p></div>'
    return f'<details class="note"><summary>{escape(head)}</summary><p>{body}</p></details>'
