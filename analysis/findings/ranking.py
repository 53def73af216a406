"""Claims about the results table: which network is best, close, second, lower, lowest.

Claims about sets are intersection-union tests of comparisons; all have the values and facts of
``base.claim_set``, such as for how many networks a claim holds.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from analysis import original
from analysis.constants import CONSTANTS, MARGIN
from analysis.evidence import Evidence, title
from analysis.findings.base import (
    Result,
    Verdict,
    better,
    claim_set,
    error_ratio,
    every,
    finding,
    joint_test,
    negate,
    some,
    value_pair,
)
from analysis.statistics import OneSided
from analysis.values import Value

RESNETS = ("ResNet18", "ResNet34", "ResNet50", "ResNet101")
SE_RESNETS = ("SEResNet18", "SEResNet34")
#: The deep networks of the original's table, in its order of accuracy.
DEEP = (*SE_RESNETS, *RESNETS, "DenseNet", "AlexNet")
#: Included where there is a run; the original gives no figures for it.
OPTIONAL = ("SEAlexNet",)


def top(evidence: Evidence, variants: Sequence[str]) -> str:
    """The variant with the highest mean accuracy (the first of equals)."""
    return max(variants, key=evidence.score)


def ahead(evidence: Evidence, group: Sequence[str], others: Sequence[str]) -> Result:
    """One network of a group is more accurate than each of the others.

    For: at least one of the group beats every other (Bonferroni). Against: some other beats the
    whole group.

    Values: ``best`` and ``rival``, accuracies of the best of the group and of the best other;
    ``holds``, ``fails``, ``all``: of how many others the best of the group is shown to be above or
    below. Effect: error rate of the best over that of the rival. Facts: ``best``, ``rival``
    (titles).
    """
    best, rival = top(evidence, group), top(evidence, others)
    contrasts = {(g, o): evidence.compare(g, o) for g in group for o in others}
    wins = [every([contrasts[g, o].zero for o in others]) for g in group]
    # "Some other beats all" does not negate "one beats all others": each side has its own test.
    beaten = some([every([negate(contrasts[g, o].zero) for g in group]) for o in others])
    variants = [*group, *others]
    result = claim_set(
        {title(o): better(contrasts[best, o].zero) for o in others},
        variants,
        joint_test(contrasts.values()),
        evidence.sources(variants),
        error_ratio(evidence, best, rival),
        values={"best": evidence.accuracy(best), "rival": evidence.accuracy(rival)},
        facts={"best": title(best), "rival": title(rival)},
    )
    p = better(OneSided(some(wins).greater, beaten.greater))
    return replace(result, p=p, mixed=1.0)


@finding("se-best", needs=(*DEEP, "LeNet"))
def se_best(evidence: Evidence) -> Result:
    """One of the SE-ResNets is more accurate than every network without SE blocks, and SE-AlexNet
    (``ahead``).

    Facts: also ``top``, the most accurate of all (title).
    """
    others = [*RESNETS, "DenseNet", "AlexNet", "LeNet", *evidence.present(OPTIONAL)]
    result = ahead(evidence, SE_RESNETS, others)
    first = title(top(evidence, [*SE_RESNETS, *others]))
    return replace(result, facts={**result.facts, "top": first})


@finding("resnet-dense-close", needs=(*SE_RESNETS, *RESNETS, "DenseNet"))
def resnet_dense_close(evidence: Evidence) -> Result:
    """The error rate of each ResNet and of the DenseNet is at most ``constants.ERROR_RATIO`` times
    that of either SE-ResNet.

    Tests against the margin, each side at half the level: a difference that is not significant
    does not show closeness.

    Values: ``margin``; ``best`` (the better SE-ResNet), ``farthest`` (the least accurate of the
    others). Effect: error rate of the farthest over that of the best. Facts: ``best``, ``farthest``
    (titles).
    """
    near = (*RESNETS, "DenseNet")
    best = top(evidence, SE_RESNETS)
    farthest = min(near, key=evidence.score)
    parts = {
        title(n): better(every([evidence.compare(n, s).against(-MARGIN) for s in SE_RESNETS]))
        for n in near
    }
    variants = [*SE_RESNETS, *near]
    return claim_set(
        parts,
        variants,
        joint_test(evidence.compare(n, s) for n in near for s in SE_RESNETS),
        evidence.sources(variants),
        error_ratio(evidence, farthest, best),
        values={
            "margin": CONSTANTS["margin"],
            "best": evidence.accuracy(best),
            "farthest": evidence.accuracy(farthest),
        },
        facts={"best": title(best), "farthest": title(farthest)},
    )


def below_all(evidence: Evidence, low: str, others: Sequence[str]) -> Result:
    """A network is less accurate than each of the others.

    Values: ``accuracy`` of it; ``nearest`` and ``highest``, the least and the most accurate of the
    others; where it had more epochs than all others ``epochs`` and ``other_epochs``. Effect: its
    error rate over that of the nearest. Facts: ``nearest``, ``highest`` (titles).
    """
    contrasts = {other: evidence.compare(other, low) for other in others}
    nearest = min(others, key=evidence.score)
    highest = top(evidence, others)
    variants = [low, *others]
    return claim_set(
        {title(other): better(contrast.zero) for other, contrast in contrasts.items()},
        variants,
        joint_test(contrasts.values()),
        evidence.sources(variants),
        error_ratio(evidence, low, nearest),
        values={
            "accuracy": evidence.accuracy(low),
            "nearest": evidence.accuracy(nearest),
            "highest": evidence.accuracy(highest),
            **epochs(evidence, low, others),
        },
        facts={"nearest": title(nearest), "highest": title(highest)},
    )


def epochs(evidence: Evidence, low: str, others: Sequence[str]) -> dict[str, Value | None]:
    """``epochs`` of a network and ``other_epochs``, the most of another, if its own are more; else
    empty."""
    own, *theirs = (evidence.mean(v, "config.epochs", "integer") for v in (low, *others))
    most = max(filter(None, theirs), key=lambda item: item.value, default=None)
    if own is None or most is None or own.value <= most.value:
        return {}
    return {"epochs": own, "other_epochs": most}


@finding("alexnet-lower", needs=DEEP)
def alexnet_lower(evidence: Evidence) -> Result:
    """AlexNet is less accurate than every ResNet, SE-ResNet and the DenseNet (``below_all``)."""
    return below_all(evidence, "AlexNet", (*SE_RESNETS, *RESNETS, "DenseNet"))


@finding("lenet-lowest", needs=(*DEEP, "LeNet"))
def lenet_lowest(evidence: Evidence) -> Result:
    """LeNet is less accurate than every other network of the table (``below_all``)."""
    return below_all(evidence, "LeNet", (*DEEP, *evidence.present(OPTIONAL)))


@finding("dense-second", needs=(*DEEP, "LeNet"))
def dense_second(evidence: Evidence) -> Result:
    """DenseNet is less accurate than SE-ResNet-18, and no other network of the original's table is
    more accurate than it by more than the margin.

    Values: ``dense``, ``best`` (accuracies of DenseNet and SE-ResNet-18), ``place`` (DenseNet's
    among all by mean accuracy). Effect: error rate of DenseNet over that of SE-ResNet-18.
    """
    best, dense = "SEResNet18", "DenseNet"
    others = [v for v in (*DEEP, "LeNet") if v not in (best, dense)]
    parts = {title(best): better(evidence.compare(best, dense).zero)}
    parts |= {title(o): better(evidence.compare(dense, o).against(-MARGIN)) for o in others}
    variants = [dense, best, *others]
    sources = evidence.sources(variants)
    place = 1 + sum(evidence.score(o) > evidence.score(dense) for o in (best, *others))
    return claim_set(
        parts,
        variants,
        joint_test(evidence.compare(dense, o) for o in (best, *others)),
        sources,
        error_ratio(evidence, dense, best),
        values={
            "dense": evidence.accuracy(dense),
            "best": evidence.accuracy(best),
            "place": Value(place, "integer", sources),
        },
    )


@finding("lenet-under-trained", needs=("LeNet",), of_original=True)
def lenet_under_trained(evidence: Evidence) -> Result:
    """Our LeNet is more accurate than the original's.

    Values: ``accuracy``, ``original`` (accuracies), ``epochs``, ``images`` (of training). Effect:
    our error rate over the original's.
    """
    stated = original.figure("LeNet", "accuracy")
    sources = evidence.sources(("LeNet",))
    measured = evidence.accuracy("LeNet")
    if measured is None:
        return Result((), "", verdict=Verdict.NOT_TESTABLE, missing=("LeNet",))
    ours = evidence.contrast(("LeNet",), (1,))
    rate = 1 - stated.value
    ends = None
    if math.isfinite(ours.error):
        high, low = (math.exp(-end) / rate for end in ours.interval())
        ends = value_pair((low, high), "ratio", sources)
    effect = Value(evidence.sample("LeNet").error / rate, "ratio", sources)
    p = better(ours.against(-math.log(rate)))
    values = {
        "accuracy": measured,
        "original": stated,
        "epochs": evidence.mean("LeNet", "config.epochs", "integer"),
        "images": evidence.mean("LeNet", "config.train_images", "count"),
    }
    return Result(("LeNet",), ours.test, p=p, sources=sources, effect=(effect, ends), values=values)
