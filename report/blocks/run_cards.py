"""The page's appendix of runs, to which numbers link: one card per network."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter

from markupsafe import Markup

from analysis.schema import Epoch, Kind, Run, Value, value
from report.base.environment import partial
from report.base.labels import Labels
from report.base.placeholders import escape
from report.blocks import numbers
from report.blocks.numbers import card_id, network_of

_WIDTH, _HEIGHT, _MARGIN = 132, 30, 2.5
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
#: Rows of a card: label, then its fields.
_ROWS = {
    "card_size": ("network.parameters", "network.macs.torchinfo", "network.macs.thop"),
    "card_images": ("config.train_images", "config.validation_images", "config.test_images"),
    "card_input": ("config.input_size", "config.batch_size", "config.precision"),
    "card_training": (
        *("config.epochs", "config.learning_rate", "config.weight_decay"),
        *("config.schedule", "config.stop", "config.recipe"),
    ),
    "card_device": ("environment.device", "environment.threads"),
    "card_software": (
        *("environment.platform", "environment.python"),
        *("environment.torch", "environment.torchvision"),
    ),
}
#: Kinds of the numbers in these rows that are not counts.
_KINDS: dict[str, Kind] = {
    "network.macs.torchinfo": "macs",
    "network.macs.thop": "macs",
    "config.learning_rate": "learning_rate",
    "config.weight_decay": "learning_rate",
}


def cards(runs: Iterable[Run], labels: Labels) -> Iterator[Markup]:
    """A card for each network; the page builds its content when the reader opens it."""
    semicolon = Markup(escape(labels("list_semicolon")))
    ordered = sorted(runs, key=lambda run: (network_of(run.id), run.config.seed))
    for name, group in groupby(ordered, key=lambda run: network_of(run.id)):
        found = list(group)
        rows = [dict(_rows(run, labels)) for run in found]
        yield partial(
            "card",
            id=card_id(found[0].id, labels.lang),
            name=name,
            title=labels.with_runs(found[0].title, len(found)),
            curves=list(_curves(found, labels)),
            columns=_COLUMNS,
            runs=found,
            number=_number,
            printed=lambda number: numbers.printed(number, labels.lang),
            rows=[  # the different contents over the runs
                (key, semicolon.join(dict.fromkeys(row[key] for row in rows if key in row)))
                for key in rows[0]
            ],
            commands="\n".join(run.command for run in found),
            history=_history(found),
            label=labels,
        )


def _rows(run: Run, labels: Labels) -> Iterator[tuple[str, Markup]]:
    """The rows of a card besides results: name, and text with numbers."""
    options = [
        f"{name} = {str(item).lower() if isinstance(item, bool) else item}"
        for name, item in run.config.options.items()
    ]
    if options:
        yield labels("card_options"), Markup(escape(", ".join(options)))
    for label, fields in _ROWS.items():
        parts = (_field(run, path, labels) for path in fields)
        yield labels(label), Markup(escape(labels("separator").join(parts)))
    yield labels("card_date"), Markup(f"{run.timing.finished:%Y-%m-%d}")
    commit = run.environment.git_commit or labels("unknown")
    dirty = labels("dirty") if run.environment.git_dirty else ""
    yield labels("card_commit"), Markup(f"<code>{escape(commit)}</code>{escape(dirty)}")


def _field(run: Run, path: str, labels: Labels) -> str:
    """A text or number of a run, after its name."""
    item: object = attrgetter(path)(run)
    if not isinstance(item, str):
        item = numbers.printed(value(run, path, _KINDS.get(path, "count")), labels.lang)
    return f"{labels('field_' + path.replace('.', '_'))} {item}".strip()


def _number(run: Run, path: str, kind: Kind) -> Value | None:
    """A number of a run; None if it belongs to an evaluation that the run lacks."""
    lacking = getattr(run, path.partition(".")[0]) is None
    return None if lacking else value(run, path, kind)


def _history(runs: Iterable[Run]) -> str:
    """Every epoch of the runs as comma-separated values, one per line."""
    lines = [",".join(("run", *Epoch.model_fields))]
    for run in runs:
        for epoch in run.history:
            lines.append(",".join((run.id, *map(str, epoch.model_dump().values()))))
    return "\n".join(lines)


def _curves(runs: Iterable[Run], labels: Labels) -> Iterator[dict[str, object]]:
    """The curves of loss and accuracy over epochs, one per run with several, without axes.

    ``ends`` are the ranges of first and last values.
    """
    histories = [run.history for run in runs if len(run.history) > 1]
    fields: dict[Kind, str] = {"loss": "train_loss", "accuracy": "validation_accuracy"}
    for kind, field in fields.items() if histories else ():
        curves = [[getattr(epoch, field) for epoch in history] for history in histories]
        low, high = min(map(min, curves)), max(map(max, curves))
        scale = (_HEIGHT - 2 * _MARGIN) / ((high - low) or 1.0)
        lines = []
        for curve in curves:
            step = (_WIDTH - 2 * _MARGIN) / (len(curve) - 1)
            lines.append(
                [(_MARGIN + i * step, _MARGIN + (high - y) * scale) for i, y in enumerate(curve)]
            )
        ranges = []
        for values in ([curve[end] for curve in curves] for end in (0, -1)):
            ends = (Value(end(values), kind, ()) for end in (min, max))
            shown = (str(numbers.printed(end, labels.lang)) for end in ends)
            ranges.append("–".join(dict.fromkeys(shown)))
        yield {
            "name": labels(f"curve_{kind}"),
            "ends": " → ".join(ranges),
            "width": _WIDTH,
            "height": _HEIGHT,
            "lines": lines,
        }
