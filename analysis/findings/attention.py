"""Channel attention: the weights that SE blocks learned, and their effect on accuracy."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analysis.constants import CONSTANTS, MARGIN
from analysis.evidence import Evidence, title
from analysis.findings.base import (
    Measured,
    Result,
    Verdict,
    average,
    better,
    claim_set,
    comparison,
    equivalence,
    finding,
    log_ratio,
    logs,
    negate,
)
from analysis.statistics import OneSided, spearman, student, welch
from analysis.values import Source, Value
from experiments.record import Record, SEWeights

SE18, SE34, PLAIN18, PLAIN34 = "SEResNet18", "SEResNet34", "ResNet18", "ResNet34"
SE_ALEX, ALEX = "SEAlexNet", "AlexNet"
#: SE-ResNet-18 with reduction ratios of 2, 4, 8 and 16.
RATIOS = (SE18, f"{SE18}-ratio4", f"{SE18}-ratio8", f"{SE18}-ratio16")


@dataclass(frozen=True)
class Block:
    """One SE block: its stage (from 1), its channels, and the range of its weights in each run.

    A range is the largest minus the smallest weight, each averaged over the test images.
    ``before``: the range before training, the larger of evaluation mode and batch statistics, as
    the mean over the runs; NaN where it was not measured.
    """

    stage: int
    channels: int
    ranges: tuple[float, ...]
    before: float

    @property
    def mean(self) -> float:
        return average(self.ranges)


def measured(evidence: Evidence, variant: str) -> list[Record]:
    """Runs whose channel weights were measured."""
    return [run for run in evidence.finished(variant) if run.probes.se_weights]


def blocks(runs: Sequence[Record]) -> list[Block]:
    """The SE blocks of a network from input to output; blocks of a stage have equal widths."""
    initial = [untrained(run) for run in runs]
    stages: dict[int, int] = {}
    found = []
    for each in zip(*(run.probes.se_weights for run in runs), strict=False):
        name, channels = each[0].block, each[0].channels
        stage = stages.setdefault(channels, len(stages) + 1)
        ranges = tuple(block.range_of_means for block in each)
        before = [own[name][1] for own in initial if name in own]
        found.append(Block(stage, channels, ranges, average(before) if before else math.nan))
    return found


def fields(runs: Sequence[Record], probe: str, *names: str) -> tuple[Source, ...]:
    """The sources of these fields of every block; ``probe``: ``se_weights`` or ``se_initial``."""
    return tuple(
        Source(run.id, f"probes.{probe}.{index}.{name}")
        for run in runs
        for index in range(len(getattr(run.probes, probe)))
        for name in names
    )


def ranges(runs: Sequence[Record]) -> Measured:
    """The range of the channel weights of each run, averaged over the blocks of a stage (equal
    width) and then over stages, so that every stage counts the same."""
    found = [
        by_stage((block.channels, block.range_of_means) for block in run.probes.se_weights)
        for run in runs
    ]
    return Measured(found, fields(runs, "se_weights", "range_of_means"))


def range_values(name: str, runs: Sequence[Record]) -> dict[str, Value | None]:
    """``name`` (mean over stages and runs), ``name_least`` and ``name_most`` (blocks)."""
    if not runs:
        return {}
    found, means = ranges(runs), [block.mean for block in blocks(runs)]
    numbers = {name: average(found.runs), f"{name}_least": min(means), f"{name}_most": max(means)}
    return {key: Value(number, "weight", found.sources) for key, number in numbers.items()}


def stages(ranges: Iterable[tuple[int, float]]) -> dict[int, float]:
    """The mean over each stage's blocks, by its number of channels.

    ``ranges``: (channels, range) of each block.
    """
    found: dict[int, list[float]] = {}
    for channels, number in ranges:
        found.setdefault(channels, []).append(number)
    return {channels: average(numbers) for channels, numbers in found.items()}


def by_stage(ranges: Iterable[tuple[int, float]]) -> float:
    """The mean over stages of ``stages``."""
    return average([*stages(ranges).values()])


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
    ``_blocks`` (of how many). Effect: ``se18`` - ``se18_before``. Not testable where ranges before
    training were not measured.
    """
    networks = {"se18": SE18, "se34": SE34}
    runs = {
        name: [run for run in measured(evidence, variant) if run.probes.se_initial]
        for name, variant in networks.items()
    }
    if missing := tuple(networks[name] for name, own in runs.items() if not own):
        return Result((), "", verdict=Verdict.NOT_TESTABLE, missing=missing)
    parts: dict[str, OneSided] = {}
    values: dict[str, Value | None] = {}
    sources: list[Source] = []
    changes: dict[str, list[float]] = {}
    for name, own in runs.items():
        after = ranges(own)
        initial = [by_stage(untrained(run).values()) for run in own]
        before = Measured(initial, fields(own, "se_initial", "range_of_means"))
        changes[name] = [b - a for a, b in zip(before.runs, after.runs, strict=True)]
        grown = [block.mean > block.before for block in blocks(own)]
        both = (*after.sources, *before.sources)
        sources += both
        parts[title(networks[name])] = better(student(changes[name], 0.0))
        values |= range_values(name, own)
        values[f"{name}_before"] = before.mean("weight")
        values[f"{name}_above"] = Value(sum(grown), "integer", both)
        values[f"{name}_blocks"] = Value(len(grown), "integer", after.sources)
    unique = tuple(sorted(set(sources)))
    effect = Measured(changes["se18"], unique).effect("weight")
    return claim_set(parts, (SE18, SE34), "runs", unique, effect, values=values)


@finding("se-range-larger-18", needs=(SE18, SE34))
def se_range_larger_18(evidence: Evidence) -> Result:
    """The range of the channel weights is larger in SE-ResNet-18 than in SE-ResNet-34: Welch's test
    over runs of the logarithm, stages averaged first.

    Values: ``se18``, ``se34`` (mean over stages and runs), each with ``_least`` and ``_most``
    (blocks). Effect: the ratio of the geometric means. Facts: ``stages_agree`` (the same one is
    larger in every stage).
    """
    runs = {variant: measured(evidence, variant) for variant in (SE18, SE34)}
    if missing := tuple(variant for variant, own in runs.items() if not own):
        return Result((), "", verdict=Verdict.NOT_TESTABLE, missing=missing)
    first, second = (ranges(own) for own in runs.values())
    sizes = logs(first.runs), logs(second.runs)
    sources = (*first.sources, *second.sources)
    own, other = (stages((b.channels, b.mean) for b in blocks(r)) for r in runs.values())
    signs = {own[width] > other[width] for width in own.keys() & other.keys()}
    return Result(
        (SE18, SE34),
        "runs",
        p=better(welch(*sizes)),
        sources=sources,
        effect=log_ratio(*sizes, sources),
        values=range_values("se18", runs[SE18]) | range_values("se34", runs[SE34]),
        facts={"stages_agree": len(signs) == 1},
    )


@finding("se-gain-follows-range", needs=RATIOS)
def se_gain_follows_range(evidence: Evidence) -> Result:
    """Among runs of SE-ResNet-18 with reduction ratios 2, 4, 8 and 16 those of larger range have
    the lower error rate: Spearman's correlation of range and accuracy over runs.

    Values: ``accuracy_resnet18`` (without SE), ``runs``. Effect: the correlation of range and
    accuracy.
    """
    runs = [run for variant in RATIOS for run in measured(evidence, variant)]
    found = ranges(runs)
    correlation, p = spearman(found.runs, [run.test.accuracy for run in runs if run.test])
    sources = tuple(sorted({*found.sources, *evidence.sources(RATIOS)}))
    return Result(
        RATIOS,
        "networks",
        p=better(p),
        sources=sources,
        effect=(Value(correlation, "gain", sources), None),
        values={
            "accuracy_resnet18": evidence.accuracy(PLAIN18),
            "runs": Value(len(runs), "integer", sources),
        },
    )


@finding("se18-above-resnet18", needs=(SE18, PLAIN18))
def se18_above_resnet18(evidence: Evidence) -> Result:
    """SE-ResNet-18 is more accurate than ResNet-18.

    Against: less accurate, or its error rate is shown to be above 1/``constants.ERROR_RATIO`` of
    ResNet-18's: an improvement smaller than any that the original stresses.

    Values: ``first``, ``second`` (accuracies of SE-ResNet-18 and ResNet-18), ``difference``,
    ``margin``. Effect: error rate of SE-ResNet-18 over that of ResNet-18.
    """
    contrast = evidence.compare(SE18, PLAIN18)
    return comparison(
        evidence,
        SE18,
        PLAIN18,
        p=OneSided(better(contrast.zero).greater, contrast.against(MARGIN).less),
        values={"margin": CONSTANTS["margin"]},
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

    Values: ``se18``, ``se34``, ``sealexnet`` (shares), ``se18_last`` ... (the last block's share).
    Effect: ``se18``.
    """
    parts: dict[str, OneSided] = {}
    values: dict[str, Value | None] = {}
    found: list[Measured] = []
    for name, variant in (("se18", SE18), ("se34", SE34), ("sealexnet", SE_ALEX)):
        runs = measured(evidence, variant)
        if not runs:
            continue
        used = fields(runs, "se_weights", "mean", "std")
        each = [[(b.channels, dynamic_share(b)) for b in run.probes.se_weights] for run in runs]
        shares = Measured([by_stage(own) for own in each], used)
        found.append(shares)
        parts[title(variant)] = better(student(shares.runs, 0.5))
        values[name] = shares.mean("accuracy")
        values[f"{name}_last"] = Measured([own[-1][1] for own in each], used).mean("accuracy")
    if not found:
        return Result((SE18, SE34), "runs", verdict=Verdict.INCONCLUSIVE)
    variants = (SE18, SE34, *evidence.present((SE_ALEX,)))
    sources = [source for shares in found for source in shares.sources]
    return claim_set(parts, variants, "runs", sources, found[0].effect("accuracy"), values=values)


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
    return comparison(
        evidence,
        SE_ALEX,
        ALEX,
        p=better(negate(evidence.compare(SE_ALEX, ALEX).zero)),
        values={
            "epochs": evidence.mean(SE_ALEX, "config.epochs", "integer"),
            "other_epochs": evidence.mean(ALEX, "config.epochs", "integer"),
        },
    )
