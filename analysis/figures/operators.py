"""The four residual operators, and multiplication without BN: how ResNet-18 trains with each."""

from __future__ import annotations

from matplotlib.axes import Axes

from analysis.evidence import Evidence
from analysis.figures.common import curves, estimates, marks, theme
from analysis.figures.common.probe_data import OPERATORS as VARIANTS
from analysis.figures.common.text import Words, loss, percent


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """Validation accuracy and training loss, one column per operator, the others in grey."""
    shown = evidence.present(VARIANTS)
    note = words.missing(estimates.missing(evidence, VARIANTS))
    sheet = theme.sheet(3.62, _headline(evidence, words), note)
    ends = {v: estimates.accuracy(evidence, v, "validation") for v in shown}
    last = {v: percent(e.mean) if e else "" for v, e in ends.items()}
    texts = {v: f"{words.operator(v)}\n{last[v] or _broken(evidence, v, words)}" for v in shown}
    heading = words("validation_accuracy")
    _row(sheet, 0.56, evidence, texts, "validation_accuracy", heading)
    lasts = {v: estimates.last_loss(evidence, v) for v in shown}
    texts = {v: loss(e.mean) if e else "" for v, e in lasts.items()}
    heading = words("training_loss_log")
    for axes in _row(sheet, 2.18, evidence, texts, "train_loss", heading):
        axes.set_xlabel(words("epoch"))
    return sheet


def _row(
    sheet: theme.Sheet,
    top: float,
    evidence: Evidence,
    texts: dict[str, str],
    field: curves.Field,
    heading: str,
) -> list[Axes]:
    """One panel per variant in ``texts``, whose values are the panels' titles."""
    found = {variant: estimates.curve(evidence, variant, field) for variant in texts}
    left, gap, height = 0.4, 0.13, 1.0
    width = (theme.WIDTH - left - 0.04 - gap * (len(found) - 1)) / len(found)
    panels = []
    for column, (variant, own) in enumerate(found.items()):
        axes = theme.panel(sheet, left + column * (width + gap), top, width, height)
        panels.append(axes)
        theme.hairlines(axes)
        curves.epochs(axes, found.values())
        guess = curves.value_axis(axes, field, found.values())
        if guess is not None:
            marks.reference(axes, guess, dashed=True)
        for other, curve in found.items():
            if other != variant:
                axes.plot(curve.epochs, curve.mean, color=theme.NEUTRAL, linewidth=0.7, zorder=1.8)
        marks.curve(axes, theme.look(variant), own, texts[variant])
        places = [(moment, curves.WORST[field]) for _, moment in own.broken]
        marks.crosses(axes, theme.look(variant), places)
        axes.set_title(texts[variant], size=theme.SIZE, pad=5, linespacing=1.15)
        if column:
            axes.tick_params(labelleft=False)
        else:
            above = 28 if "\n" in texts[variant] else 17
            theme.heading(axes, heading, left=left).set_position((-72 * left, above))
    return panels


def _broken(evidence: Evidence, variant: str, words: Words) -> str:
    step = estimates.broken_off(evidence, variant)
    return "" if step is None else words("diverged", step=step)


def _headline(evidence: Evidence, words: Words) -> str:
    ends = estimates.accuracies(evidence, VARIANTS, "validation")
    named = [f"{words.operator(v)} {percent(e.mean)}" for v, e in ends.items()]
    return words("headline", operators=words.clauses(named)) if named else ""


def alt(evidence: Evidence, words: Words) -> str:
    """What the figure shows, in words."""
    parts = []
    for variant in evidence.present(VARIANTS):
        name = words.operator(variant)
        step = estimates.broken_off(evidence, variant)
        accuracy = estimates.accuracy(evidence, variant, "validation")
        last = estimates.last_loss(evidence, variant)
        if step is not None:
            parts.append(words("alt_diverged", operator=name, step=step))
        elif accuracy is not None:
            value = words("unknown") if last is None else loss(last.mean)
            parts.append(words("one", operator=name, accuracy=percent(accuracy.mean), loss=value))
    return words("alt", operators=words.clauses(parts))
