"""PlainNets: training loss by epoch, and accuracy against depth."""

from analysis.evidence import Evidence
from analysis.figures.common import estimates, theme
from analysis.figures.common.curves import training_and_depth
from analysis.figures.common.text import Words

VARIANTS = ("PlainNet18", "PlainNet34", "PlainNet50", "PlainNet101")


def draw(evidence: Evidence, words: Words) -> theme.Sheet:
    """Loss on the left, accuracy on the right."""
    headline = _trend(evidence, words)
    return training_and_depth(evidence, words, VARIANTS, VARIANTS, "training_loss_log", headline)


def _trend(evidence: Evidence, words: Words) -> str:
    """How accuracy changes with depth in each complete pair of networks; empty without any."""
    pairs = []
    for pair in (VARIANTS[:2], VARIANTS[2:]):
        found = [e.mean for variant in pair if (e := estimates.accuracy(evidence, variant))]
        if len(found) < len(pair):
            continue
        first, last = found
        change = "stays" if first == last else "rises" if last > first else "falls"
        names = dict(zip(("first", "last"), map(words.name, pair), strict=True))
        pairs.append(words(f"pair_{change}", **names, first_accuracy=first, last_accuracy=last))
    return words("headline", pairs=words.clauses(pairs)) if pairs else ""
