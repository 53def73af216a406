"""The appendix of run cards: one for each record, where every number of the report leads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from markupsafe import Markup

from analysis.schema import Epoch, Kind, Run, Value, value
from report.base.labels import Labels
from report.base.partials import partial
from report.base.placeholders import escape
from report.blocks import numbers
from report.blocks.numbers import Lang, card_id

#: Keeps a drawing, and returns its address.
Asset = Callable[[str], str]
#: So many seeds of a network have a card each, in the page and on paper.
_FEW, _FEW_PRINTED = 5, 1
_SOURCE = re.compile(' data-source="[^"]*"')
#: Characters in a line of a card on paper.
_LINE = 118
_WIDTH, _HEIGHT, _MARGIN = 132, 30, 2.5

#: Rows of a card: label, then the fields with their kinds (or None for text).
_ROWS: tuple[tuple[str, tuple[tuple[str, Kind | None], ...]], ...] = (
    ("card_result", (("test.accuracy", "accuracy"), ("test.loss", "loss"))),
    ("card_validation", (("validation.accuracy", "accuracy"), ("validation.loss", "loss"))),
    (
        "card_size",
        (
            ("network.parameters", "count"),
            ("network.macs.torchinfo", "macs"),
            ("network.macs.thop", "macs"),
        ),
    ),
    (
        "card_images",
        (
            ("config.train_images", "count"),
            ("config.validation_images", "count"),
            ("config.test_images", "count"),
        ),
    ),
    (
        "card_input",
        (
            ("config.input_size", "integer"),
            ("config.batch_size", "integer"),
            ("config.precision", None),
        ),
    ),
    (
        "card_training",
        (
            ("config.epochs", "integer"),
            ("config.learning_rate", "learning_rate"),
            ("config.weight_decay", "learning_rate"),
            ("config.schedule", None),
            ("config.stop", None),
            ("config.recipe", None),
        ),
    ),
    ("card_device", (("environment.device", None), ("environment.threads", "integer"))),
    (
        "card_software",
        (
            ("environment.platform", None),
            ("environment.python", None),
            ("environment.torch", None),
            ("environment.torchvision", None),
        ),
    ),
    (
        "card_time",
        (
            ("timing.train_seconds", "duration"),
            ("timing.images_per_second", "rate"),
            ("timing.peak_memory_bytes", "bytes"),
        ),
    ),
)


def cards(
    records: Iterable[Run], lang: Lang, labels: Labels, asset: Asset | None
) -> Iterator[Markup]:
    """The run cards as HTML: one a run or, where a network has many seeds, one for all of them.

    Args:
        records: of the report.
        lang: its language.
        labels: in that language.
        asset: for the PDF: keeps a drawing, and returns its address.
    """
    groups: dict[str, list[Run]] = {}
    for record in records:
        groups.setdefault(record.id.rpartition(".s")[0] or record.id, []).append(record)
    for name, runs in groups.items():
        if len(runs) > (_FEW_PRINTED if asset else _FEW):
            yield _joint(name, runs, lang, labels, asset)
        else:
            yield from (_card(record, lang, labels, asset) for record in runs)


def _joint(name: str, runs: list[Run], lang: Lang, labels: Labels, asset: Asset | None) -> Markup:
    """One card for many runs: what they have in common said once, and a line for each run."""
    runs = sorted(runs, key=lambda record: record.config.seed)
    rows = [dict(_rows(record, lang, labels)) for record in runs]
    told = [{key: _SOURCE.sub("", text) for key, text in row.items()} for row in rows]
    common = [key for key in rows[0] if all(row.get(key) == told[0][key] for row in told)]
    title = runs[0].title
    shared = [(key, rows[0][key]) for key in common]
    return partial(
        "card",
        id="",
        name=name,
        title=title + labels("separator") + labels("data_runs", count=len(runs)),
        word="",
        curves=_curves(runs, lang, labels, asset),
        lines=_lines(shared) if asset else [],
        rows=shared,
        runs=[
            {
                "id": card_id(record.id, lang),
                "name": record.id,
                "word": _status(record, labels),
                "rows": [(key, text) for key, text in row.items() if key not in common],
            }
            for record, row in zip(runs, rows, strict=True)
        ],
        history="" if asset else _histories(runs, labels),
    )


def _shown(html: str) -> str:
    return Markup(html).striptags()


def _histories(runs: list[Run], labels: Labels) -> Markup:
    """Every epoch of many runs, one a line, folded away."""
    lines = [",".join(("run", *Epoch.model_fields))]
    for record in runs:
        for epoch in record.history:
            lines.append(",".join((record.id, *map(str, epoch.model_dump().values()))))
    return partial("histories", label=labels, text="\n".join(lines))


def _card(record: Run, lang: Lang, labels: Labels, asset: Asset | None) -> Markup:
    rows = list(_rows(record, lang, labels))
    return partial(
        "card",
        id=card_id(record.id, lang),
        name=record.id,
        title=record.title,
        word=_status(record, labels),
        curves=_curves([record], lang, labels, asset),
        lines=_lines(rows) if asset else [],
        rows=rows,
        runs=[],
        history="" if asset else _history(record, lang, labels),
    )


def _lines(rows: Iterable[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """On paper: as many rows a line as fit, which saves half the room and the time to set it."""
    lines: list[list[tuple[str, str]]] = []
    room = 0
    for key, text in rows:
        shown = key + _shown(text)
        width = 3 + sum(2 if character > "\u2e7f" else 1 for character in shown)
        if width > room:
            lines.append([])
            room = _LINE
        room -= width
        lines[-1].append((key, text))
    return lines


def _status(record: Run, labels: Labels) -> str:
    return "" if record.status == "finished" else labels(f"status_{record.status}")


def _rows(record: Run, lang: Lang, labels: Labels) -> Iterator[tuple[str, str]]:
    """What a card says: names, and texts or HTML (``Markup``)."""
    if record.divergence is not None:
        epoch, step = record.divergence.epoch, record.divergence.step
        yield labels("card_diverged"), labels("card_diverged_at", epoch=epoch, step=step)
    if record.reason is not None:
        yield labels("card_reason"), record.reason
    options = [f"{name} = {_option(item)}" for name, item in record.config.options.items()]
    if options:
        yield labels("card_options"), ", ".join(options)
    for label, fields in _ROWS:
        parts = [_field(record, path, kind, lang, labels) for path, kind in fields]
        if shown := [part for part in parts if part]:
            yield labels(label), Markup(escape(labels("separator"))).join(shown)
    yield (
        labels("card_date"),
        f"{record.timing.finished:%Y-%m-%d %H:%M} UTC{record.timing.finished:%z}".replace(
            "UTC+0000", "UTC"
        ),
    )
    commit = record.environment.git_commit or labels("unknown")
    dirty = labels("dirty") if record.environment.git_dirty else ""
    yield labels("card_commit"), _code([commit], tail=dirty)
    yield labels("card_fingerprint"), _code(re.findall(".{16}", record.fingerprint), "hash")
    yield labels("card_repeat"), _code([record.command], "command")


def _code(parts: list[str], css: str = "", tail: str = "") -> Markup:
    return partial("card-code", parts=parts, css=css, tail=tail)


def _option(item: Any) -> str:
    return str(item).lower() if isinstance(item, bool) else str(item)


def _field(record: Run, path: str, kind: Kind | None, lang: Lang, labels: Labels) -> Markup:
    name = labels("field_" + path.replace(".", "_"))
    if kind is None:
        item: Any = record
        for part in path.split("."):
            item = getattr(item, part)
        return Markup(escape(f"{name} {item}".strip()))
    if path.partition(".")[0] in ("test", "validation") and record.test is None:
        return Markup()
    number = _number(value(record, path, kind), lang)
    return Markup(f"{escape(name)} {number}") if name else number


def _number(found: Value, lang: Lang) -> Markup:
    """A number within its own card: with its source, without a link."""
    return partial(
        "card-number",
        value=repr(found.value),
        source=numbers.sources_text(found),
        text=str(numbers.printed(found, lang)),
    )


def _curves(
    runs: Iterable[Run], lang: Lang, labels: Labels, asset: Asset | None
) -> list[dict[str, str]]:
    histories = [record.history for record in runs if len(record.history) > 1]
    if not histories:
        return []
    losses = [[epoch.train_loss for epoch in history] for history in histories]
    accuracies = [[epoch.validation_accuracy for epoch in history] for history in histories]
    return [
        _curve(losses, labels("curve_loss"), "loss", lang, asset),
        _curve(accuracies, labels("curve_accuracy"), "accuracy", lang, asset),
    ]


def _curve(
    runs: list[list[float]], name: str, kind: Kind, lang: Lang, asset: Asset | None
) -> dict[str, str]:
    """A curve for each run, without axes; their first and last values beside them."""
    low, high = min(map(min, runs)), max(map(max, runs))
    span = (high - low) or 1.0
    inner = _HEIGHT - 2 * _MARGIN
    lines = [
        [
            (
                _MARGIN + index * (_WIDTH - 2 * _MARGIN) / (len(values) - 1),
                _MARGIN + inner * (1 - (item - low) / span),
            )
            for index, item in enumerate(values)
        ]
        for values in runs
    ]
    ends = " → ".join(_range([values[end] for values in runs], kind, lang) for end in (0, -1))
    alt = f"{name}: {ends}"
    drawing = partial(
        "curve", paper=asset is not None, alt=alt, width=_WIDTH, height=_HEIGHT, lines=lines
    )
    # on paper as a file: read faster than one that stands in the text
    address = asset(drawing) if asset else ""
    return {"name": name, "ends": ends, "alt": alt, "drawing": drawing, "address": address}


def _range(values: list[float], kind: Kind, lang: Lang) -> str:
    ends = (str(numbers.printed(Value(end(values), kind, ()), lang)) for end in (min, max))
    return "–".join(dict.fromkeys(ends))


def _history(record: Run, lang: Lang, labels: Labels) -> str:
    """Every epoch's numbers, folded away."""
    if not record.history:
        return ""
    columns: tuple[tuple[str, Kind], ...] = (
        ("train_loss", "loss"),
        ("validation_loss", "loss"),
        ("validation_accuracy", "accuracy"),
        ("learning_rate", "learning_rate"),
        ("seconds", "duration"),
    )
    return partial(
        "history",
        label=labels,
        names=("epoch", *(name for name, _ in columns)),
        epochs=[
            (
                epoch.epoch,
                [
                    _number(value(record, f"history.{index}.{name}", kind), lang)
                    for name, kind in columns
                ],
            )
            for index, epoch in enumerate(record.history)
        ],
    )
