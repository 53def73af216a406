"""Depth without residual connections."""

from collections.abc import Sequence

from analysis.constants import LOSS_RATIO
from analysis.evidence import Evidence, title
from analysis.findings.base import (
    Result,
    average,
    better,
    by_rule,
    claim_set,
    error_ratio,
    finding,
    joint_test,
    log_ratio,
    logs,
    negate,
    ratio,
)
from analysis.findings.ranking import below_all
from analysis.statistics import OneSided, welch

#: Shallow and deep network with the same kind of block; 34 and 50 layers differ in more than depth.
BASIC = ("PlainNet18", "PlainNet34")
BOTTLENECK = ("PlainNet50", "PlainNet101")


@finding("deeper-beats-lenet", needs=("LeNet", "AlexNet", *BASIC))
def deeper_beats_lenet(evidence: Evidence) -> Result:
    """AlexNet, PlainNet-18 and PlainNet-34 are each more accurate than LeNet
    (``ranking.below_all``). These are the networks that the original had; it did not study deeper
    plain networks.
    """
    return below_all(evidence, "LeNet", ("AlexNet", *BASIC))


@finding("plain-degrades", needs=BASIC)
def plain_degrades(evidence: Evidence) -> Result:
    """Plain networks lose accuracy with depth: 34 layers against 18 and, where both were run, 101
    against 50 (``claim_set`` over the pairs).

    Values: ``shallow``, ``deep`` (accuracies of 18 and 34 layers), where run
    ``bottleneck_shallow``, ``bottleneck_deep`` (50 and 101). Effect: error rate of 34 layers over
    that of 18. Facts: ``bottleneck`` (whether 50 and 101 were run), ``deep_diverged``.
    """
    bottleneck = not evidence.missing(BOTTLENECK)
    pairs = [BASIC, BOTTLENECK] if bottleneck else [BASIC]
    contrasts = {pair_title(pair): evidence.compare(pair[1], pair[0]) for pair in pairs}
    variants = [variant for pair in pairs for variant in pair]
    names = ("shallow", "deep", "bottleneck_shallow", "bottleneck_deep")
    return claim_set(
        {name: better(negate(contrast.zero)) for name, contrast in contrasts.items()},
        variants,
        joint_test(contrasts.values()),
        evidence.sources(variants),
        error_ratio(evidence, BASIC[1], BASIC[0]),
        values=dict(zip(names, map(evidence.accuracy, variants), strict=False)),
        facts={"bottleneck": bottleneck, "deep_diverged": evidence.diverged("PlainNet34")},
    )


def pair_title(pair: Sequence[str]) -> str:
    """The joint name of a shallow and a deep network: ``PlainNet-18/34``."""
    shallow, deep = (title(variant.removesuffix("-stable")) for variant in pair)
    return f"{shallow}/{deep.rpartition('-')[2]}"


@finding("degradation-in-training-loss", needs=BASIC)
def degradation_in_training_loss(evidence: Evidence) -> Result:
    """The deeper plain network is less accurate and has the higher training loss. With over-fitting
    its training loss would be lower.

    Three conditions: the deep network is less accurate as measured; its training loss
    (``Evidence.losses``) is higher, by Welch's test of the logarithms over runs (with one run each,
    by a factor of ``constants.LOSS_RATIO``; contradicted if it is lower by this factor); and its
    excess training loss is at least half of its excess validation loss.

    Values: ``shallow_loss``, ``deep_loss`` (training), ``shallow_validation_loss``,
    ``deep_validation_loss``. Effect: the ratio of the training losses, deep over shallow. Facts:
    ``less_accurate``, ``excess_in_training``, ``evaluated`` (the loss is that of the training
    images in evaluation mode, not the running mean of the last epoch).
    """
    kind = evidence.loss_kind(BASIC)
    train = [evidence.losses(variant, kind) for variant in BASIC]
    check = [evidence.losses(variant, "validation_loss") for variant in BASIC]
    less_accurate = evidence.score("PlainNet34") < evidence.score("PlainNet18")
    more_training = average(train[1]) - average(train[0])
    in_training = more_training >= 0.5 * (average(check[1]) - average(check[0]))
    degraded = less_accurate and in_training
    shallow, deep = (evidence.training_loss(variant, kind) for variant in BASIC)
    sources = (
        *evidence.sources(BASIC),
        *evidence.loss_sources(BASIC, kind),
        *evidence.loss_sources(BASIC, "validation_loss"),
    )
    p, verdict, ends = None, None, None
    several = min(map(len, train)) > 1
    if several:
        p = better(loss_evidence(train[1], train[0]))
        if not degraded:
            p = p._replace(greater=1.0)
        if all(run.status == "finished" for v in BASIC for run in evidence.runs(v)):
            ends = log_ratio(logs(train[1]), logs(train[0]), sorted(set(sources)))[1]
    else:
        before, after = map(average, train)
        verdict = by_rule(after >= LOSS_RATIO * before and degraded, after * LOSS_RATIO <= before)
    return Result(
        BASIC,
        "runs" if several else "threshold",
        p=p,
        verdict=verdict,
        sources=sources,
        effect=(ratio(deep, shallow), ends),
        values={
            "shallow_loss": shallow,
            "deep_loss": deep,
            "shallow_validation_loss": evidence.loss("PlainNet18", "validation_loss"),
            "deep_validation_loss": evidence.loss("PlainNet34", "validation_loss"),
        },
        facts={
            "less_accurate": less_accurate,
            "excess_in_training": in_training,
            "evaluated": kind == "train_evaluation",
        },
    )


def loss_evidence(first: Sequence[float], second: Sequence[float], margin: float = 0) -> OneSided:
    """Evidence that the first losses are higher by more than a factor of exp(margin), and against
    it: Welch's test of the logarithms over runs."""
    return welch([x - margin for x in logs(first)], logs(second))
