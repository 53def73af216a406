"""Depth without residual connections."""

from __future__ import annotations

from analysis.constants import CONSTANTS, LOSS_RATIO
from analysis.evidence import Evidence
from analysis.findings.model import (
    Result,
    Verdict,
    better,
    difference,
    every,
    finding,
    interval,
    negate,
    ratio,
    weakest_test,
)
from analysis.findings.ranking import below_all
from analysis.statistics import welch
from analysis.values import Value

#: Shallow and deep of the same kind of block; 34 and 50 layers differ in more than depth.
BASIC = ("PlainNet18", "PlainNet34")
BOTTLENECK = ("PlainNet50", "PlainNet101")


@finding("deeper-beats-lenet", family="depth", needs=("LeNet", "AlexNet", *BASIC))
def deeper_beats_lenet(evidence: Evidence) -> Result:
    """AlexNet and each plain network (50 and 101 layers where run) is more accurate than LeNet.

    Values and facts: ``ranking.below_all`` of LeNet; ``exceptions`` are those below LeNet.
    """
    return below_all(evidence, "LeNet", ["AlexNet", *BASIC, *evidence.present(BOTTLENECK)])


@finding("plain-degrades", family="depth", needs=BASIC)
def plain_degrades(evidence: Evidence) -> Result:
    """Plain networks lose accuracy with depth: 34 layers against 18 and, where both were run, 101
    against 50; each must fall (intersection-union), and one that rises contradicts.

    Values: ``shallow``, ``deep`` (accuracies of 18 and 34 layers), ``shallow_loss``,
    ``deep_loss`` (last epoch's training loss); where run ``bottleneck_shallow``,
    ``bottleneck_deep``, ``bottleneck_difference`` (50 and 101). Effect: deep less shallow. Facts:
    ``bottleneck`` (whether 50 and 101 were run), ``deep_diverged``.
    """
    bottleneck = not evidence.missing(BOTTLENECK)
    pairs = [BASIC, BOTTLENECK] if bottleneck else [BASIC]
    contrasts = [evidence.compare(deep, shallow) for shallow, deep in pairs]
    variants = [variant for pair in pairs for variant in pair]
    shallow, deep = (evidence.accuracy(variant) for variant in BASIC)
    wide, wider = (evidence.accuracy(variant) for variant in BOTTLENECK)
    return Result(
        variants,
        weakest_test(contrasts),
        p=better(every([negate(contrast.zero) for contrast in contrasts])),
        sources=evidence.sources(variants),
        effect=difference(deep, shallow),
        interval=interval(contrasts[0], evidence.sources(BASIC)),
        values={
            "shallow": shallow,
            "deep": deep,
            "shallow_loss": evidence.loss("PlainNet18", "train_loss"),
            "deep_loss": evidence.loss("PlainNet34", "train_loss"),
            "bottleneck_shallow": wide if bottleneck else None,
            "bottleneck_deep": wider if bottleneck else None,
            "bottleneck_difference": difference(wider, wide) if bottleneck else None,
        },
        facts={"bottleneck": bottleneck, "deep_diverged": evidence.diverged("PlainNet34")},
    )


@finding("degradation-in-training-loss", family="depth", needs=BASIC)
def degradation_in_training_loss(evidence: Evidence) -> Result:
    """The deeper plain network, less accurate, also ends with the higher training loss; an
    overfitted one would have a lower.

    Three things are asked: the deep network is less accurate as measured; its last epoch's
    training loss is higher; and at least half of its excess validation loss is there in training.
    The losses of one run have no sampling distribution: with one run a side the second is a stated
    rule, a factor of ``constants.LOSS_RATIO`` (contradicted if it is as much lower); with several
    it is Welch's test across seeds.

    Values: ``shallow_loss``, ``deep_loss`` (training), ``shallow_validation_loss``,
    ``deep_validation_loss``, ``loss_ratio`` (deep over shallow), ``threshold`` (the factor),
    ``shallow_gap``, ``deep_gap`` (validation less training loss), ``shallow``, ``deep``
    (accuracies). Effect: the ratio. Facts: ``less_accurate``, ``excess_in_training``,
    ``deep_diverged``.
    """
    train = [evidence.losses(variant, "train_loss") for variant in BASIC]
    validation = [evidence.losses(variant, "validation_loss") for variant in BASIC]
    less_accurate = evidence.score("PlainNet34") < evidence.score("PlainNet18")
    more_training = _mean(train[1]) - _mean(train[0])
    more_validation = _mean(validation[1]) - _mean(validation[0])
    in_training = more_training >= 0.5 * more_validation
    shallow, deep = (evidence.loss(variant, "train_loss") for variant in BASIC)
    checks = (evidence.loss(variant, "validation_loss") for variant in BASIC)
    shallow_validation, deep_validation = checks
    several = evidence.seeds(BASIC) >= 2
    p, verdict = None, None
    if several:
        p = better(welch(train[1], train[0]))
        if not (less_accurate and in_training):
            p = p._replace(greater=1.0)
    else:
        verdict = _verdict(_mean(train[0]), _mean(train[1]), less_accurate and in_training)
    return Result(
        BASIC,
        "seeds" if several else "threshold",
        p=p,
        verdict=verdict,
        sources=(
            *evidence.sources(BASIC),
            *evidence.last_epoch(BASIC, "train_loss"),
            *evidence.last_epoch(BASIC, "validation_loss"),
        ),
        effect=ratio(deep, shallow),
        values={
            "shallow_loss": shallow,
            "deep_loss": deep,
            "shallow_validation_loss": shallow_validation,
            "deep_validation_loss": deep_validation,
            "loss_ratio": ratio(deep, shallow),
            "threshold": CONSTANTS["loss_ratio"],
            "shallow_gap": _gap(shallow_validation, shallow),
            "deep_gap": _gap(deep_validation, deep),
            "shallow": evidence.accuracy("PlainNet18"),
            "deep": evidence.accuracy("PlainNet34"),
        },
        facts={
            "less_accurate": less_accurate,
            "excess_in_training": in_training,
            "deep_diverged": evidence.diverged("PlainNet34"),
        },
    )


def _verdict(shallow: float, deep: float, degraded: bool) -> Verdict:
    if deep >= LOSS_RATIO * shallow and degraded:
        return Verdict.SUPPORTED
    if deep * LOSS_RATIO <= shallow:
        return Verdict.CONTRADICTED
    return Verdict.INCONCLUSIVE


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _gap(validation: Value | None, train: Value | None) -> Value | None:
    if validation is None or train is None:
        return None
    return Value.derived(validation.value - train.value, "loss", validation, train)
