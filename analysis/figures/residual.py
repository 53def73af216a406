"""Plain against residual networks: training loss by epoch, accuracy by depth."""

from analysis.evidence import Evidence
from analysis.figures.common import estimates, theme
from analysis.figures.common.curves import training_and_depth
from analysis.figures.common.estimates import require
from analysis.figures.common.text import Words
from analysis.findings.residual import networks

DEEPER = ("PlainNet50", "PlainNet101", "ResNet50", "ResNet101")


def runs(evidence: Evidence) -> tuple[str, ...]:
    """Ids of the records that the figure shows."""
    return evidence.ids((*networks(evidence), *DEEPER))


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """Loss of the networks with 18 and 34 layers on the left, accuracy of all on the right."""
    pairs = networks(evidence)
    variants = (*pairs, *DEEPER)
    require(evidence.present(variants))
    title = "loss_stable" if pairs[0].endswith("-stable") else "training_loss_log"
    return training_and_depth(evidence, words, variants, pairs, title, _change(evidence, words))


def _change(evidence: Evidence, words: Words) -> str:
    """How accuracy changes from 18 to 34 layers without and with shortcuts; empty if one of the
    four networks is missing."""
    means = {
        variant.partition("-")[0]: accuracy.mean
        for variant in networks(evidence)
        if (accuracy := estimates.accuracy(evidence, variant)) is not None
    }
    if not {"PlainNet18", "PlainNet34", "ResNet18", "ResNet34"} <= means.keys():
        return ""
    gain = {f: 100 * (means[f"{f}34"] - means[f"{f}18"]) for f in ("PlainNet", "ResNet")}
    plain, residual = (f"{points:+.2f}".replace("-", "−") for points in gain.values())
    return words("headline", plain=plain, residual=residual)
