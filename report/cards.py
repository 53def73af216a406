"""The appendix of run cards: one for each record, where every number of the report leads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from analysis.schema import Epoch, Kind, Run, Value, value
from report import numbers
from report.labels import Labels
from report.numbers import Lang, card_id
from report.slots import escape

#: Keeps a drawing, and returns its address.
Asset = Callable[[str], str]
#: So many seeds of a network have a card each, in the page and on paper.
_FEW, _FEW_PRINTED = 5, 1
_SOURCE = re.compile(r' data-source="[^"]*"')
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


def cards(records: Iterable[Run], lang: Lang, labels: Labels, asset: Asset | None) -> Iterator[str]:
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


def _joint(name: str, runs: list[Run], lang: Lang, labels: Labels, asset: Asset | None) -> str:
    """One card for many runs: what they have in common said once, and a line for each run."""
    runs = sorted(runs, key=lambda record: record.config.seed)
    rows = [dict(_rows(record, lang, labels)) for record in runs]
    told = [{key: _sourceless(text) for key, text in row.items()} for row in rows]
    common = [key for key in rows[0] if all(row.get(key) == told[0][key] for row in told)]
    title = runs[0].title
    count = escape(labels("data_runs", count=len(runs)))
    head = (
        f'<h3 class="run-id"><span class="run-name">{escape(name)}</span> '
        f'<span class="run-title">{escape(title)}{escape(labels("separator"))}{count}</span></h3>'
    )
    shared = [(key, rows[0][key]) for key in common]
    lines = []
    for record, row in zip(runs, rows, strict=True):
        own = " \N{MIDDLE DOT} ".join(
            f"{escape(key)} {text}" for key, text in row.items() if key not in common
        )
        lines.append(
            f'<p class="rows" id="{escape(card_id(record.id, lang))}">'
            f'<span class="run-name">{escape(record.id)}</span>{_status(record, labels)} {own}</p>'
        )
    body = _curves(runs, lang, labels, asset) + (_lines(shared) if asset else _list(shared))
    epochs = "" if asset else _histories(runs, labels)
    return f'<article class="card joint">{head}{body}{"".join(lines)}{epochs}</article>'


def _sourceless(text: str) -> str:
    return _SOURCE.sub("", text)


def _histories(runs: list[Run], labels: Labels) -> str:
    """Every epoch of many runs, one a line, folded away."""
    lines = [",".join(("run", *Epoch.model_fields))]
    for record in runs:
        for epoch in record.history:
            lines.append(",".join((record.id, *map(str, epoch.model_dump().values()))))
    return (
        f'<details class="history"><summary>{escape(labels("history"))}</summary>'
        f'<pre tabindex="0">{escape(chr(10).join(lines))}</pre></details>'
    )


def _card(record: Run, lang: Lang, labels: Labels, asset: Asset | None) -> str:
    title = record.title
    head = (
        f'<h3 class="run-id"><span class="run-name">{escape(record.id)}</span>'
        f' <span class="run-title">{escape(title)}</span>{_status(record, labels)}</h3>'
    )
    rows = list(_rows(record, lang, labels))
    body = _lines(rows) if asset else _list(rows) + _history(record.history, record, lang, labels)
    return (
        f'<article class="card" id="{escape(card_id(record.id, lang))}">{head}'
        f"{_curves([record], lang, labels, asset)}{body}</article>"
    )


def _list(rows: Iterable[tuple[str, str]]) -> str:
    pairs = "".join(f"<dt>{escape(key)}</dt><dd>{text}</dd>" for key, text in rows)
    return f"<dl>{pairs}</dl>"


def _lines(rows: Iterable[tuple[str, str]]) -> str:
    """On paper: as many rows a line as fit, which saves half the room and the time to set it."""
    lines: list[list[str]] = []
    room = 0
    for key, text in rows:
        shown = re.sub(r"<[^>]*>", "", key + text)
        width = 3 + sum(2 if character > "\u2e7f" else 1 for character in shown)
        if width > room:
            lines.append([])
            room = _LINE
        room -= width
        lines[-1].append(f'<span class="key">{escape(key)}</span> {text}')
    joined = "<br/>".join(" \N{MIDDLE DOT} ".join(line) for line in lines)
    return f'<p class="rows">{joined}</p>'


def _status(record: Run, labels: Labels) -> str:
    if record.status == "finished":
        return ""
    word = escape(labels(f"status_{record.status}"))
    return f' <span class="status">{word}</span>'


def _rows(record: Run, lang: Lang, labels: Labels) -> Iterator[tuple[str, str]]:
    if record.divergence is not None:
        epoch, step = record.divergence.epoch, record.divergence.step
        yield labels("card_diverged"), escape(labels("card_diverged_at", epoch=epoch, step=step))
    if record.reason is not None:
        yield labels("card_reason"), escape(record.reason)
    options = [f"{name} = {_option(item)}" for name, item in record.config.options.items()]
    if options:
        yield labels("card_options"), escape(", ".join(options))
    for label, fields in _ROWS:
        parts = [_field(record, path, kind, lang, labels) for path, kind in fields]
        if shown := [part for part in parts if part]:
            yield labels(label), escape(labels("separator")).join(shown)
    yield (
        labels("card_date"),
        f"{record.timing.finished:%Y-%m-%d %H:%M} UTC{record.timing.finished:%z}".replace(
            "UTC+0000", "UTC"
        ),
    )
    commit = record.environment.git_commit or labels("unknown")
    dirty = labels("dirty") if record.environment.git_dirty else ""
    yield labels("card_commit"), f"<code>{escape(commit)}</code>{escape(dirty)}"
    broken = "<wbr/>".join(re.findall(".{16}", record.fingerprint))
    yield labels("card_fingerprint"), f'<code class="hash">{broken}</code>'
    yield labels("card_repeat"), f'<code class="command">{escape(record.command)}</code>'


def _option(item: Any) -> str:
    return str(item).lower() if isinstance(item, bool) else str(item)


def _field(record: Run, path: str, kind: Kind | None, lang: Lang, labels: Labels) -> str:
    name = escape(labels("field_" + path.replace(".", "_")))
    if kind is None:
        item: Any = record
        for part in path.split("."):
            item = getattr(item, part)
        return f"{name} {escape(str(item))}".strip()
    if path.partition(".")[0] in ("test", "validation") and record.test is None:
        return ""
    found = value(record, path, kind)
    return f"{name} {_number(found, lang)}".strip()


def _number(found: Value, lang: Lang) -> str:
    """A number within its own card: with its source, without a link."""
    text = escape(str(numbers.printed(found, lang)))
    source = escape(numbers.sources_text(found))
    return f'<data value="{found.value!r}" data-source="{source}">{text}</data>'


def _curves(runs: Iterable[Run], lang: Lang, labels: Labels, asset: Asset | None) -> str:
    histories = [record.history for record in runs if len(record.history) > 1]
    if not histories:
        return ""
    losses = [[epoch.train_loss for epoch in history] for history in histories]
    accuracies = [[epoch.validation_accuracy for epoch in history] for history in histories]
    return (
        '<div class="curves">'
        + _curve(losses, labels("curve_loss"), "loss", lang, asset)
        + _curve(accuracies, labels("curve_accuracy"), "accuracy", lang, asset)
        + "</div>"
    )


def _curve(runs: list[list[float]], name: str, kind: Kind, lang: Lang, asset: Asset | None) -> str:
    """A curve for each run, without axes; their first and last values beside them."""
    low, high = min(map(min, runs)), max(map(max, runs))
    span = (high - low) or 1.0
    inner = _HEIGHT - 2 * _MARGIN
    lines = dots = ""
    for values in runs:
        points = [
            (
                _MARGIN + index * (_WIDTH - 2 * _MARGIN) / (len(values) - 1),
                _MARGIN + inner * (1 - (item - low) / span),
            )
            for index, item in enumerate(values)
        ]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        x, y = points[-1]
        lines += f'<polyline points="{line}"/>'
        dots += f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2"/>'
    marks = (
        f'<g fill="none" stroke="#1b4f7c" stroke-width="1.3">{lines}</g>'
        f'<g fill="#1b4f7c">{dots}</g>'
    )
    first, last = (_range([values[end] for values in runs], kind, lang) for end in (0, -1))
    alt = escape(f"{name}: {first} → {last}")
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}"'
    if asset:  # read faster than one that stands in the text
        address = asset(f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{marks}</svg>')
        drawing = f'<img src="{address}" alt="{alt}"/>'
    else:
        drawing = f'<svg role="img" aria-label="{alt}" {size}><title>{alt}</title>{marks}</svg>'
    return (
        f'<figure class="curve">{drawing}'
        f"<figcaption>{escape(name)} <span>{first} → {last}</span></figcaption></figure>"
    )


def _range(values: list[float], kind: Kind, lang: Lang) -> str:
    ends = (str(numbers.printed(Value(end(values), kind, ()), lang)) for end in (min, max))
    return "–".join(dict.fromkeys(ends))


def _history(history: Sequence[Epoch], record: Run, lang: Lang, labels: Labels) -> str:
    """Every epoch's numbers, folded away."""
    if not history:
        return ""
    columns: tuple[tuple[str, Kind], ...] = (
        ("train_loss", "loss"),
        ("validation_loss", "loss"),
        ("validation_accuracy", "accuracy"),
        ("learning_rate", "learning_rate"),
        ("seconds", "duration"),
    )
    names = ("epoch", *(name for name, _ in columns))
    head = "".join(f'<th scope="col">{escape(labels("history_" + name))}</th>' for name in names)
    rows = []
    for index, epoch in enumerate(history):
        cells = "".join(
            f"<td>{_number(value(record, f'history.{index}.{name}', kind), lang)}</td>"
            for name, kind in columns
        )
        rows.append(f'<tr><th scope="row">{epoch.epoch}</th>{cells}</tr>')
    return (
        f'<details class="history"><summary>{escape(labels("history"))}</summary>'
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></details>"
    )
