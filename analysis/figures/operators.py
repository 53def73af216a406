"""The four residual operators, and multiplication without BN: how ResNet-18 trains with each."""

from analysis.evidence import Evidence
from analysis.figures.common import curves, estimates, marks, theme
from analysis.figures.common.probe_data import OPERATORS as VARIANTS
from analysis.figures.common.text import Words, loss, percent


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """Validation accuracy and training loss, one column per operator, the others in grey."""
    accuracies, losses, said = {}, {}, []
    found = estimates.accuracies(evidence, VARIANTS, "validation")
    for variant in evidence.present(VARIANTS):
        name = words.operator(variant)
        last = estimates.last_loss(evidence, variant)
        losses[variant] = "" if last is None else loss(last)
        if variant in found:
            result = percent(found[variant].mean)
            value = losses[variant] or words("unknown")
            said.append(words("one", operator=name, accuracy=result, loss=value))
        else:
            step = estimates.divergences(evidence, variant)[0].step
            result = words("diverged", step=step)
            said.append(words("alt_diverged", operator=name, step=step))
        accuracies[variant] = f"{name}\n{result}"
    best_first = [f"{words.operator(v)} {percent(own.mean)}" for v, own in found.items()]
    sheet = theme.Sheet(
        3.62,
        alt=words("alt", operators=words.clauses(said)),
        headline=words("headline", operators=words.clauses(best_first)) if found else "",
        note=estimates.missing(evidence, VARIANTS, words),
    )
    _row(sheet, 0.56, evidence, words, accuracies, "validation_accuracy", above=28)
    _row(sheet, 2.18, evidence, words, losses, "train_loss", above=17)
    for axes in sheet.axes[len(accuracies) :]:
        axes.set_xlabel(words("epoch"))
    return sheet


def _row(
    sheet: theme.Sheet,
    top: float,
    evidence: Evidence,
    words: Words,
    titles: dict[str, str],
    field: estimates.Field,
    above: float,
) -> None:
    """One panel per variant in ``titles``; ``above``: the distance of the row's title in points."""
    found = {variant: estimates.curve(evidence, variant, field) for variant in titles}
    left, gap, height = 0.4, 0.13, 1.0
    width = (theme.WIDTH - left - 0.04 - gap * (len(found) - 1)) / len(found)
    title = words("training_loss_log" if field == "train_loss" else field)
    for column, (variant, own) in enumerate(found.items()):
        place = left + column * (width + gap), top, width, height
        axes = sheet.panel(*place, "" if column else title, indent=left, above=above)
        curves.set_axes(axes, field, found.values())
        for other, curve in found.items():
            if other != variant:
                epochs = range(1, len(curve.mean) + 1)
                axes.plot(epochs, curve.mean, color=theme.NEUTRAL, linewidth=0.7, zorder=1.8)
        marks.curve(axes, theme.look(variant), own, words.operator(variant))
        axes.set_title(titles[variant], size=theme.SIZE, pad=5, linespacing=1.15)
        axes.tick_params(labelleft=column == 0)
