"""The front matter: title, date, and what the report can be taken for."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from markupsafe import Markup

import models
from analysis.records import Records
from analysis.values import Value
from experiments.datasets import DATASETS, USUAL
from experiments.text import printable
from report import numbers
from report.errors import Place, ReportError
from report.labels import Labels, load_toml
from report.numbers import Lang, data_element
from report.partials import partial
from report.profile import ORIGINAL, Profile, tally

_COVERED = ("input_size", "epochs", "train_images", "test_images")
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
    body: Markup


def matter(folder: Path, profile: Profile, records: Records, lang: Lang) -> Front:
    """The front matter of a language; its texts are those of ``templates/report.toml``.

    Raises:
        ReportError: ``report.toml`` is at fault.
    """
    path = folder / "report.toml"
    settings = load_toml(path)
    table = settings.get(lang)
    if not isinstance(table, dict) or not isinstance(table.get("title"), str):
        raise ReportError(f"expected a table [{lang}] with a title", Place(path, 1))
    texts = {key: printable(str(text)) for key, text in table.items()}
    labels = Labels(lang)
    day = newest(records)
    shown = texts.get("date") or (_date(day, lang) if day else "")
    return Front(
        title=_filled(texts["title"], records),
        subtitle=_filled(texts.get("subtitle", ""), records),
        author=texts.get("author", ""),
        course=texts.get("course", ""),
        date=shown,
        stamp=day.isoformat() if day else "",
        body=partial(
            "front",
            label=labels,
            **_banner(profile, labels),
            colophon=_colophon(profile, records, labels),
            coverage=_coverage(profile, records, lang, labels),
            notes=_gaps(records, labels),
        ),
    )


def _filled(text: str, records: Records) -> str:
    """The name of the data set in a text of ``report.toml``."""
    return text.replace("{dataset}", DATASETS[records.dataset].title)


def newest(records: Records) -> date | None:
    """The day of the newest record, or of SOURCE_DATE_EPOCH; None without either."""
    stamp = os.environ.get("SOURCE_DATE_EPOCH", "")
    if stamp:
        return datetime.fromtimestamp(int(stamp), UTC).date()
    return max((record.timing.finished.astimezone(UTC).date() for record in records), default=None)


def _date(day: date, lang: Lang) -> str:
    if lang == "zh":
        return f"{day.year} 年 {day.month} 月 {day.day} 日"
    return f"{day.day} {day:%B} {day.year}"


def _banner(profile: Profile, labels: Labels) -> dict[str, str]:
    """A report that is not the full study says so before anything else."""
    if not profile.runs:
        return {"banner_head": "", "banner": labels("banner_empty")}
    if profile.original_setting:
        return {"banner_head": "", "banner": ""}
    head = labels("banner_part_head", profile=profile.name)
    return {"banner_head": head, "banner": labels("banner_part")}


def _colophon(
    profile: Profile, records: Records, labels: Labels
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Keys of labels with their texts, in two columns."""
    runs = list(records)
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
    told = [(key, text) for key, text in rows if text]
    half = (len(told) + 1) // 2
    return told[:half], told[half:]


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


def _coverage(
    profile: Profile, records: Records, lang: Lang, labels: Labels
) -> list[dict[str, Any]]:
    """How much of the original's setting these runs cover: a row for each setting."""
    rows: list[dict[str, Any]] = []
    if records.dataset != USUAL:
        titles = (DATASETS[USUAL].title, DATASETS[records.dataset].title)
        rows.append({"setting": "dataset", "original": titles[0], "here": titles[1], "others": []})
    for field in _COVERED:
        setting = profile.settings[field]
        if setting is None:
            return []
        unit = f"{numbers.NBSP}{_UNITS[field]}" if _UNITS[field] else ""
        original = Value(ORIGINAL[field], setting.usual.kind, ())
        rows.append(
            {
                "setting": field,
                "original": data_element(original, numbers.grouped(original.value) + unit, lang),
                "here": _setting(setting.usual, unit, lang),
                "others": [
                    (
                        _setting(value, unit, lang),
                        labels("list_comma").join(_title(variant) for variant in variants),
                    )
                    for value, variants in setting.others
                ],
            }
        )
    return rows


def _setting(value: Value, unit: str, lang: Lang) -> Markup:
    return data_element(value, str(numbers.printed(value, lang)) + unit, lang)


def _title(variant: str) -> str:
    network, dash, rest = variant.partition("-")
    return models.NETWORKS[network].title + dash + rest


def _gaps(records: Records, labels: Labels) -> list[dict[str, Any]]:
    """Missing runs and refused files."""
    folder = f"{records.folder}{os.sep}"
    found = (
        ("missing_runs", list(records.missing)),
        ("refused", [line.removeprefix(folder) for line in records.refused]),
    )
    return [
        {
            "head": labels(key, count=len(texts)),
            "texts": texts,
            "lines": key == "refused",
            "folded": len(texts) > _FEW,
        }
        for key, texts in found
        if texts
    ]
