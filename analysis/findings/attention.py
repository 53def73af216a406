"""Channel attention: the weights that SE blocks learned, and their effect on accuracy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from analysis.constants import CONSTANTS, MARGIN
from analysis.evidence import Evidence, title
from analysis.findings.base import (
    Result,
    Verdict,
    average,
    better,
    claim_set,
    comparison,
    equivalence,
    finding,
    log_ratio,
    mean_effect,
    negate,
    value_pair,
)
from analysis.statistics import (
    OneSided,
    mean_interval,
    spearman,
    student,
    welch,
)
from analysis.values import Source, Value
from experiments.record import Record, SEWeights

SE18, SE34, PLAIN18, PLAIN34 = "SEResNet18", "SEResNet34", "ResNet18", "ResNet34"
SE_ALEX, ALEX = "SEAlexNet", "AlexNet"
#: SE-ResNet-18 by reduction ratio.
RATIOS = {2: SE18, 4: f"{SE18}-ratio4", 8: f"{SE18}-ratio8", 16: f"{SE18}-ratio16"}


class Ranges:
    """Ranges of the channel weights of a network's SE blocks after training.

    A range is the largest minus the smallest weight, each averaged over the test images.

    Attributes:
        blocks: range of each block, averaged over the runs, input to output.
        runs: range of each run, averaged over the blocks of a stage (equal width) and then over
            stages, so that every stage counts the same.
        stages: range by number of channels, averaged over blocks and runs.
    """

    def __init__(self, evidence: Evidence, variant: str) -> None:
        found: dict[str, list[float]] = {}
        widths: dict[int, list[float]] = {}
        self.runs = []
        sources = []
        for run in evidence.finished(variant):
            weights = run.probes.se_weights
            if not weights:
                continue
            self.runs.append(
                by_stage([(block.channels, block.range_of_means) for block in weights])
            )
            for index, block in enumerate(weights):
                found.setdefault(block.block, []).append(block.range_of_means)
                widths.setdefault(block.channels, []).append(block.range_of_means)
                sources.append(Source(run.id, f"probes.se_weights.{index}.range_of_means"))
        self.blocks = [sum(values) / len(values) for values in found.values()]
        self.stages = {width: sum(values) / len(values) for width, values in widths.items()}
        self.sources = tuple(sources)

    def values(self, name: str) -> dict[str, Value | None]:
        """``name`` (mean over stages and runs), ``name_least`` and ``name_most`` (blocks)."""
        if not self.blocks:
            return {}
        return {
            name: self.value(sum(self.runs) / len(self.runs)),
            f"{name}_least": self.value(min(self.blocks)),
            f"{name}_most": self.value(max(self.blocks)),
        }

    def value(self, number: float) -> Value:
        return Value(number, "weight", self.sources)


def by_stage(measured: Iterable[tuple[int, float]]) -> float:
    """The mean over stages of the mean over each stage's blocks.

    ``measured``: (channels, measure) of each block.
    """
    stages: dict[int, list[float]] = {}
    for channels, number in measured:
        stages.setdefault(channels, []).append(number)
    return average([average(numbers) for numbers in stages.values()])


def untrained(run: Record) -> dict[str, tuple[int, float]]:
    """(channels, range) of each SE block before training, the larger of evaluation and batch mode;
    empty if it was not measured."""
    ranges: dict[str, tuple[int, float]] = {}
    for block in run.probes.se_initial:
        before = ranges.get(block.block, (block.channels, 0.0))[1]
        ranges[block.block] = block.channels, max(before, block.range_of_means)
    return ranges


@finding("se-weights-differ", needs=(SE18, SE34))
def se_weights_differ(evidence: Evidence) -> Result:
    """Training widens the range of the channel weights: in either SE-ResNet it exceeds that of the
    same network before training (Student over runs of the difference, stages averaged first;
    ``claim_set``).

    Before training the range is the larger of those in evaluation and in batch mode
    (``untrained``). A range shows that weights differ, not that the differences are useful.

    Values: ``se18``, ``se34`` (after training; mean over stages and runs), each with ``_least``,
    ``_most`` (blocks), ``_before``, ``_above`` (blocks whose range grew, averaged over runs) and
    ``_blocks`` (of how many); those of ``claim_set``. Effect: ``se18`` - ``se18_before``. Facts: of
    ``claim_set``. Not testable where ranges before training were not measured.
    """
    parts: dict[str, OneSided] = {}
    values: dict[str, Value | None] = {}
    sources: list[Source] = []
    missing = []
    changes: dict[str, list[float]] = {}
    for name, variant in (("se18", SE18), ("se34", SE34)):
        runs = [r for r in evidence.finished(variant) if r.probes.se_weights and untrained(r)]
        if not runs:
            missing.append(variant)
            continue
        ranges = Ranges(evidence, variant)
        before = [by_stage(untrained(run).values()) for run in runs]
        after = [
            by_stage([(b.channels, b.range_of_means) for b in run.probes.se_weights])
            for run in runs
        ]
        changes[name] = [b - a for a, b in zip(before, after, strict=True)]
        initial = tuple(
            Source(run.id, f"probes.se_initial.{index}.range_of_means")
            for run in runs
            for index in range(len(run.probes.se_initial))
        )
        sources += [*ranges.sources, *initial]
        parts[title(variant)] = better(student(changes[name], 0.0))
        values |= ranges.values(name)
        values[f"{name}_before"] = Value(sum(before) / len(before), "weight", initial)
        grown, blocks = _grown(runs)
        values[f"{name}_above"] = Value(grown, "integer", (*ranges.sources, *initial))
        values[f"{name}_blocks"] = Value(blocks, "integer", ranges.sources)
    if missing:
        return Result((), "", verdict=Verdict.NOT_TESTABLE, missing=tuple(missing))
    effect = mean_effect(changes["se18"], "weight", sources)
    return claim_set(parts, (SE18, SE34), "runs", sources, effect, values=values)


def _grown(runs: Sequence[Record]) -> tuple[int, int]:
    """Number of blocks whose range, averaged over the runs, grew in training; number of blocks."""
    changes: dict[str, list[float]] = {}
    for run in runs:
        before = untrained(run)
        for block in run.probes.se_weights:
            if block.block in before:
                change = block.range_of_means - before[block.block][1]
                changes.setdefault(block.block, []).append(change)
    return sum(average(found) > 0 for found in changes.values()), len(changes)


@finding("se-range-larger-18", needs=(SE18, SE34))
def se_range_larger_18(evidence: Evidence) -> Result:
    """The range of the channel weights is larger in SE-ResNet-18 than in SE-ResNet-34: Welch's test
    over runs of the logarithm, stages averaged first.

    Values: ``se18``, ``se34`` (mean over stages and runs), each with ``_least`` and ``_most``
    (blocks), ``difference`` (se18 - se34). Effect: the ratio of the geometric means. Facts:
    ``stages_agree`` (the same one is larger in every stage), ``larger`` (title).
    """
    first, second = Ranges(evidence, SE18), Ranges(evidence, SE34)
    values = first.values("se18") | second.values("se34")
    if not (first.blocks and second.blocks):
        missing = tuple(v for v, r in ((SE18, first), (SE34, second)) if not r.blocks)
        return Result((), "", verdict=Verdict.NOT_TESTABLE, missing=missing)
    logs = [[math.log(max(x, 1e-9)) for x in item.runs] for item in (first, second)]
    high, low = values["se18"], values["se34"]
    assert low is not None and high is not None
    values["difference"] = Value.derived(high.value - low.value, "weight", high, low)
    sources = (*first.sources, *second.sources)
    common = first.stages.keys() & second.stages.keys()
    signs = {first.stages[width] > second.stages[width] for width in common}
    return Result(
        (SE18, SE34),
        "runs",
        p=better(welch(*logs)),
        sources=sources,
        effect=log_ratio(logs[0], logs[1], sources),
        values=values,
        facts={
            "stages_agree": len(signs) == 1,
            "larger": title(SE18 if high.value > low.value else SE34),
        },
    )


@finding("se-gain-follows-range", needs=tuple(RATIOS.values()))
def se_gain_follows_range(evidence: Evidence) -> Result:
    """Among runs of SE-ResNet-18 with reduction ratios 2, 4, 8 and 16 those of larger range have
    the lower error rate: Spearman's correlation of range and accuracy over runs.

    Values: ``range2`` ... ``range16``, ``accuracy2`` ... ``accuracy16``, ``accuracy_resnet18``
    (without SE), ``runs``. Effect: the correlation of range and accuracy.
    """
    ranges: list[float] = []
    scores: list[float] = []
    values: dict[str, Value | None] = {"accuracy_resnet18": evidence.accuracy(PLAIN18)}
    sources: list[Source] = []
    for ratio, variant in RATIOS.items():
        found = Ranges(evidence, variant)
        values[f"range{ratio}"] = found.values("range").get("range")
        values[f"accuracy{ratio}"] = evidence.accuracy(variant)
        runs = [run for run in evidence.finished(variant) if run.probes.se_weights and run.test]
        ranges += found.runs
        scores += [run.test.accuracy for run in runs if run.test]
        sources += [*found.sources, *evidence.sources((variant,))]
    unique = tuple(sorted(set(sources)))
    correlation, p = spearman(ranges, scores)
    values["runs"] = Value(len(scores), "integer", unique)
    return Result(
        tuple(RATIOS.values()),
        "networks",
        p=better(p),
        sources=unique,
        effect=(Value(correlation, "gain", unique), None),
        values=values,
    )


@finding("se18-above-resnet18", needs=(SE18, PLAIN18))
def se18_above_resnet18(evidence: Evidence) -> Result:
    """SE-ResNet-18 is more accurate than ResNet-18.

    Against: less accurate, or its error rate is shown to be above 1/``constants.ERROR_RATIO`` of
    ResNet-18's: an improvement smaller than any that the original stresses.

    Values: ``first``, ``second`` (accuracies of SE-ResNet-18 and ResNet-18), ``difference``,
    ``margin``, ``equal_p`` (of equivalence, not corrected). Effect: error rate of SE-ResNet-18 over
    that of ResNet-18.
    """
    contrast = evidence.compare(SE18, PLAIN18)
    equal_p = Value(contrast.equivalent(MARGIN), "p", evidence.sources((SE18, PLAIN18)))
    return comparison(
        evidence,
        SE18,
        PLAIN18,
        p=OneSided(better(contrast.zero).greater, contrast.against(MARGIN).less),
        values={"margin": CONSTANTS["margin"], "equal_p": equal_p},
    )


@finding("se34-equals-resnet34", needs=(SE34, PLAIN34))
def se34_equals_resnet34(evidence: Evidence) -> Result:
    """The error rates of SE-ResNet-34 and ResNet-34 are within ``constants.ERROR_RATIO``
    (``base.equivalence``)."""
    return equivalence(evidence, SE34, PLAIN34)


@finding("se-weights-dynamic", needs=(SE18, SE34))
def se_weights_dynamic(evidence: Evidence) -> Result:
    """The channel weights depend on the image: more than half of the variance of a trained
    network's weights lies between images, not in constant differences between channels (Student
    over runs against one half, stages averaged first; ``claim_set`` over the SE-ResNets and, where
    run, SE-AlexNet).

    Values: ``se18``, ``se34``, ``sealexnet`` (shares), ``se18_first``, ``se18_last`` (the first and
    the last stage's share), those of ``claim_set``. Effect: ``se18``. Facts: of ``claim_set``.
    """
    parts: dict[str, OneSided] = {}
    values: dict[str, Value | None] = {}
    sources: list[Source] = []
    own: list[float] = []
    for name, variant in (("se18", SE18), ("se34", SE34), ("sealexnet", SE_ALEX)):
        runs = [run for run in evidence.finished(variant) if run.probes.se_weights]
        if not runs:
            continue
        shares = [
            by_stage([(b.channels, dynamic_share(b)) for b in run.probes.se_weights])
            for run in runs
        ]
        used = tuple(
            Source(run.id, f"probes.se_weights.{index}.{field}")
            for run in runs
            for index in range(len(run.probes.se_weights))
            for field in ("mean", "std")
        )
        parts[title(variant)] = better(student(shares, 0.5))
        values[name] = Value(average(shares), "accuracy", used)
        for where, index in (("first", 0), ("last", -1)):
            ends = [dynamic_share(run.probes.se_weights[index]) for run in runs]
            values[f"{name}_{where}"] = Value(average(ends), "accuracy", used)
        sources += used
        own = own or shares
    if not parts:
        return Result((SE18, SE34), "runs", verdict=Verdict.INCONCLUSIVE)
    first = next(v for v in values.values() if v is not None)
    effect = first, value_pair(mean_interval(own), "accuracy", first.sources)
    variants = (SE18, SE34, *evidence.present((SE_ALEX,)))
    return claim_set(parts, variants, "runs", sources, effect, values=values)


def dynamic_share(block: SEWeights) -> float:
    """Share of the variance of a block's weights over images and channels that lies between images;
    0 if all weights are equal."""
    # Weights are between 0 and 1, so larger standard deviations are invalid.
    within = sum(min(std, 1.0) ** 2 for std in block.std) / block.channels
    centre = sum(block.mean) / block.channels
    between = sum((mean - centre) ** 2 for mean in block.mean) / block.channels
    return within / (within + between) if within + between > 0 else 0.0


@finding("se-hurts-alexnet", needs=(SE_ALEX, ALEX))
def se_hurts_alexnet(evidence: Evidence) -> Result:
    """SE-AlexNet is less accurate than AlexNet.

    Values: ``first``, ``second`` (accuracies of SE-AlexNet and AlexNet), ``difference``,
    ``epochs``, ``other_epochs``. Effect: error rate of SE-AlexNet over that of AlexNet.
    """
    result = equivalence(evidence, SE_ALEX, ALEX)
    contrast = evidence.compare(SE_ALEX, ALEX)
    return replace(
        result,
        p=better(negate(contrast.zero)),
        values={
            **result.values,
            "epochs": evidence.mean(SE_ALEX, "config.epochs", "integer"),
            "other_epochs": evidence.mean(ALEX, "config.epochs", "integer"),
        },
    )
