"""The page's appendix of runs, to which numbers link: one card per network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Any, Literal

from markupsafe import Markup

from analysis.schema import Epoch, Kind, Run, Value, value
from report.base.environment import partial
from report.base.labels import Labels
from report.base.placeholders import escape
from report.blocks import numbers
from report.blocks.numbers import Lang, card_id

_WIDTH, _HEIGHT, _MARGIN = 132, 30, 2.5
#: Number of characters of a fingerprint that is printed.
_FINGERPRINT = 10

#: Columns of a card's table of runs, with the kinds of their numbers.
_COLUMNS: dict[str, Kind] = {
    "test.accuracy": "accuracy",
    "test.loss": "loss",
    "validation.accuracy": "accuracy",
    "validation.loss": "loss",
    "timing.train_seconds": "duration",
    "timing.images_per_second": "rate",
    "timing.peak_memory_bytes": "bytes",
}
#: Rows of a card: label, then its fields with their kinds (or "" for text).
_ROWS: dict[str, dict[str, Kind | Literal[""]]] = {
    "card_size": {
        "network.parameters": "count",
        "network.macs.torchinfo": "macs",
        "network.macs.thop": "macs",
    },
    "card_images": {
        "config.train_images": "count",
        "config.validation_images": "count",
        "config.test_images": "count",
    },
    "card_input": {
        "config.input_size": "integer",
        "config.batch_size": "integer",
        "config.precision": "",
    },
    "card_training": {
        "config.epochs": "integer",
        "config.learning_rate": "learning_rate",
        "config.weight_decay": "learning_rate",
        "config.schedule": "",
        "config.stop": "",
        "config.recipe": "",
    },
    "card_device": {"environment.device": "", "environment.threads": "integer"},
    "card_software": {
        "environment.platform": "",
        "environment.python": "",
        "environment.torch": "",
        "environment.torchvision": "",
    },
}


def cards(runs: Iterable[Run], lang: Lang, labels: Labels) -> Iterator[Markup]:
    """A card for each network; the page builds its content when the reader opens it."""
    semicolon = Markup(escape(labels("list_semicolon")))
    for name, found in _by_network(runs).items():
        rows = [dict(_rows(run, labels, lang)) for run in found]
        yield partial(
            "card",
            id=card_id(found[0].id, lang),
            name=name,
            title=labels.with_runs(found[0].title, len(found)),
            curves=_curves(found, labels, lang),
            table=_table(found, labels, lang),
            rows=[  # the different contents over the runs
                (key, semicolon.join(dict.fromkeys(row[key] for row in rows if key in row)))
                for key in rows[0]
            ],
            commands="\n".join(run.command for run in found),
            history=_history(found),
            label=labels,
        )


def _by_network(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """The runs by id without the seed, each list in the order of seeds."""
    found: dict[str, list[Run]] = {}
    for run in sorted(runs, key=lambda run: run.config.seed):
        found.setdefault(numbers.network_of(run.id), []).append(run)
    return dict(sorted(found.items()))


def _table(runs: list[Run], labels: Labels, lang: Lang) -> Markup:
    return partial(
        "run-table",
        head=[labels("column_" + path.replace(".", "_")) for path in _COLUMNS],
        runs=[
            {
                "name": run.id,
                "status": _status(run, labels),
                "numbers": [
                    (f"{run.id} {path}", found.value, numbers.printed(found, lang))
                    if (found := _number(run, path, kind))
                    else None
                    for path, kind in _COLUMNS.items()
                ],
                "fingerprint": run.fingerprint[:_FINGERPRINT],
            }
            for run in runs
        ],
        label=labels,
    )


def _status(run: Run, labels: Labels) -> str:
    """How a run ended; empty if it finished."""
    if run.status == "finished":
        return ""
    told = [labels(f"status_{run.status}")]
    if run.divergence is not None:
        told.append(labels("card_diverged_at", **run.divergence.model_dump()))
    if run.reason is not None:
        told.append(run.reason)
    return labels("separator").join(told)


def _rows(run: Run, labels: Labels, lang: Lang) -> Iterator[tuple[str, Markup]]:
    """The rows of a card besides results: name, and text with numbers."""
    options = [f"{name} = {_option(item)}" for name, item in run.config.options.items()]
    if options:
        yield labels("card_options"), Markup(escape(", ".join(options)))
    for label, fields in _ROWS.items():
        parts = [_field(run, path, kind, labels, lang) for path, kind in fields.items()]
        yield labels(label), Markup(escape(labels("separator").join(filter(None, parts))))
    yield labels("card_date"), Markup(f"{run.timing.finished:%Y-%m-%d}")
    commit = run.environment.git_commit or labels("unknown")
    dirty = labels("dirty") if run.environment.git_dirty else ""
    yield labels("card_commit"), Markup(f"<code>{escape(commit)}</code>{escape(dirty)}")


def _option(item: Any) -> str:
    return str(item).lower() if isinstance(item, bool) else str(item)


def _field(run: Run, path: str, kind: Kind | Literal[""], labels: Labels, lang: Lang) -> str:
    """A field with its name; empty if the run lacks the number."""
    if kind:
        number = _number(run, path, kind)
        if number is None:
            return ""
        shown: object = numbers.printed(number, lang)
    else:
        shown = attrgetter(path)(run)
    return f"{labels('field_' + path.replace('.', '_'))} {shown}".strip()


def _number(run: Run, path: str, kind: Kind) -> Value | None:
    """A number of a run; None if the run lacks it."""
    item: Any = run
    for part in path.split("."):
        item = getattr(item, part) if item is not None else None
    return None if item is None else value(run, path, kind)


def _history(runs: Iterable[Run]) -> str:
    """Every epoch of the runs as comma-separated values, one per line."""
    lines = [",".join(("run", *Epoch.model_fields))]
    for run in runs:
        for epoch in run.history:
            lines.append(",".join((run.id, *map(str, epoch.model_dump().values()))))
    return "\n".join(lines)


def _curves(runs: Iterable[Run], labels: Labels, lang: Lang) -> list[dict[str, object]]:
    """The curves of loss and accuracy over epochs, if a run has several."""
    histories = [run.history for run in runs if len(run.history) > 1]
    curves: dict[Kind, list[list[float]]] = {
        "loss": [[epoch.train_loss for epoch in history] for history in histories],
        "accuracy": [[epoch.validation_accuracy for epoch in history] for history in histories],
    }
    return [
        _curve(lines, labels(f"curve_{kind}"), kind, lang)
        for kind, lines in curves.items()
        if lines
    ]


def _curve(runs: list[list[float]], name: str, kind: Kind, lang: Lang) -> dict[str, object]:
    """One curve per run, without axes; ``ends`` are the ranges of first and last values."""
    low, high = min(map(min, runs)), max(map(max, runs))
    span = (high - low) or 1.0
    width, height = _WIDTH - 2 * _MARGIN, _HEIGHT - 2 * _MARGIN
    lines = [
        [
            (_MARGIN + index * width / (len(run) - 1), _MARGIN + height * (1 - (item - low) / span))
            for index, item in enumerate(run)
        ]
        for run in runs
    ]
    ends = " → ".join(_range([values[end] for values in runs], kind, lang) for end in (0, -1))
    return {"name": name, "ends": ends, "width": _WIDTH, "height": _HEIGHT, "lines": lines}


def _range(values: list[float], kind: Kind, lang: Lang) -> str:
    ends = (str(numbers.printed(Value(end(values), kind, ()), lang)) for end in (min, max))
    return "–".join(dict.fromkeys(ends))
