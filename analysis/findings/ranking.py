"""The results table: which network is best, close, lower, lowest.

Hypotheses over sets are intersection-union tests of paired comparisons (``model.every``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from analysis.constants import CONSTANTS, MARGIN
from analysis.evidence import Evidence, title
from analysis.findings.model import (
    Result,
    accuracies,
    better,
    difference,
    every,
    finding,
    interval,
    negate,
    some,
    weakest_test,
)
from analysis.statistics import ALPHA, OneSided

RESNETS = ("ResNet18", "ResNet34", "ResNet50", "ResNet101")
SE_RESNETS = ("SEResNet18", "SEResNet34")
#: The deep networks of the original's table, best first as it has them.
DEEP = (*SE_RESNETS, *RESNETS, "DenseNet", "AlexNet")
#: Tested along where there is a run of it: the original gives no figures for it.
OPTIONAL = ("SEAlexNet",)


def top(evidence: Evidence, variants: Sequence[str]) -> str:
    """The variant of the highest mean accuracy (the first of equals)."""
    return max(variants, key=evidence.score)


def ahead(evidence: Evidence, group: Sequence[str], others: Sequence[str]) -> Result:
    """One network of a group is better than each of the others.

    For: one of the group (Bonferroni) beats each other. Against: some other beats the whole group.

    Values: ``best`` and ``rival``, accuracies of the best of the group and of the best other; one
    of each network. Effect: best less rival. Facts: ``best``, ``rival`` (titles).
    """
    best, rival = top(evidence, group), top(evidence, others)
    contrasts = {(g, o): evidence.compare(g, o) for g in group for o in others}
    wins = [every([contrasts[g, o].zero for o in others]) for g in group]
    # "Some other beats all" is no negation of "one beats all others": each side has its own test.
    beaten = some([every([negate(contrasts[g, o].zero) for g in group]) for o in others])
    variants = [*group, *others]
    return Result(
        variants,
        weakest_test(list(contrasts.values())),
        p=better(OneSided(some(wins).greater, beaten.greater)),
        sources=evidence.sources(variants),
        effect=difference(evidence.accuracy(best), evidence.accuracy(rival)),
        interval=interval(contrasts[best, rival], evidence.sources([best, rival])),
        values={
            "best": evidence.accuracy(best),
            "rival": evidence.accuracy(rival),
            **accuracies(evidence, variants),
        },
        facts={"best": title(best), "rival": title(rival)},
    )


@finding("se-best", family="ranking", needs=(*DEEP, "LeNet"))
def se_best(evidence: Evidence) -> Result:
    """One of the SE-ResNets is better than every network without SE blocks, and SE-AlexNet
    (``ahead``).

    Values: also ``top``, the highest accuracy of all. Facts: also ``top`` (title), ``se_on_top``.
    """
    others = [*RESNETS, "DenseNet", "AlexNet", "LeNet", *evidence.present(OPTIONAL)]
    first = top(evidence, [*SE_RESNETS, *others])
    result = ahead(evidence, SE_RESNETS, others)
    return replace(
        result,
        values={**result.values, "top": evidence.accuracy(first)},
        facts={**result.facts, "top": title(first), "se_on_top": first in SE_RESNETS},
    )


@finding("resnet-dense-close", family="ranking", needs=(*SE_RESNETS, *RESNETS, "DenseNet"))
def resnet_dense_close(evidence: Evidence) -> Result:
    """Every ResNet and the DenseNet is less than the margin below both SE-ResNets.

    A claim of closeness is shown by a bound, never by a difference that fails to be significant:
    one-sided tests against the margin of ``constants.MARGIN``. Against: one is further below.

    Values: ``margin``; ``best`` (the better SE-ResNet), ``farthest`` (the least accurate of the
    others), and one of each network. Effect: farthest less best. Facts: ``best``, ``farthest``
    (titles), ``exceptions`` (titles of those further below than the margin as measured, joined
    by commas; may be empty).
    """
    near = (*RESNETS, "DenseNet")
    best = top(evidence, SE_RESNETS)
    farthest = min(near, key=evidence.score)
    contrasts = [evidence.compare(n, s) for n in near for s in SE_RESNETS]
    exceptions = [n for n in near if evidence.compare(n, best).estimate < -MARGIN]
    variants = [*SE_RESNETS, *near]
    return Result(
        variants,
        "seeds" if weakest_test(contrasts) == "seeds" else "margin",
        p=every([contrast.against(-MARGIN) for contrast in contrasts]),
        sources=evidence.sources(variants),
        effect=difference(evidence.accuracy(farthest), evidence.accuracy(best)),
        interval=interval(evidence.compare(farthest, best), evidence.sources([farthest, best])),
        values={
            "margin": CONSTANTS["margin"],
            "best": evidence.accuracy(best),
            "farthest": evidence.accuracy(farthest),
            **accuracies(evidence, variants),
        },
        facts={
            "best": title(best),
            "farthest": title(farthest),
            "exceptions": ", ".join(map(title, exceptions)),
        },
    )


def below_all(evidence: Evidence, low: str, others: Sequence[str]) -> Result:
    """A network is less accurate than each of the others.

    Values: ``accuracy`` of it; ``nearest`` and ``highest``, the least and the most accurate of the
    others; one of each network. Effect: accuracy less nearest. Facts: ``nearest``, ``highest``
    (titles), ``exceptions`` (titles of those significantly below it before correction, joined by
    commas; may be empty).
    """
    contrasts = {other: evidence.compare(other, low) for other in others}
    nearest = min(others, key=evidence.score)
    highest = top(evidence, others)
    lower = [o for o in others if 2 * contrasts[o].zero.less < ALPHA]
    variants = [low, *others]
    return Result(
        variants,
        weakest_test(list(contrasts.values())),
        p=better(every([contrast.zero for contrast in contrasts.values()])),
        sources=evidence.sources(variants),
        effect=difference(evidence.accuracy(low), evidence.accuracy(nearest)),
        interval=interval(evidence.compare(low, nearest), evidence.sources([low, nearest])),
        values={
            "accuracy": evidence.accuracy(low),
            "nearest": evidence.accuracy(nearest),
            "highest": evidence.accuracy(highest),
            **accuracies(evidence, variants),
        },
        facts={
            "nearest": title(nearest),
            "highest": title(highest),
            "exceptions": ", ".join(map(title, lower)),
        },
    )


@finding("alexnet-lower", family="ranking", needs=DEEP)
def alexnet_lower(evidence: Evidence) -> Result:
    """AlexNet is less accurate than every ResNet, SE-ResNet and the DenseNet (``below_all``)."""
    return below_all(evidence, "AlexNet", (*SE_RESNETS, *RESNETS, "DenseNet"))


@finding("lenet-lowest", family="ranking", needs=(*DEEP, "LeNet"))
def lenet_lowest(evidence: Evidence) -> Result:
    """LeNet is less accurate than every other network of the table (``below_all``)."""
    return below_all(evidence, "LeNet", (*DEEP, *evidence.present(OPTIONAL)))
