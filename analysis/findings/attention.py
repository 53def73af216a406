"""Channel attention: what the SE blocks learned, and what they gain."""

from __future__ import annotations

from analysis.constants import CONSTANTS, RANGE_BOUND
from analysis.evidence import Evidence, title
from analysis.findings.model import (
    Result,
    Verdict,
    better,
    difference,
    every,
    finding,
    interval,
    negate,
    some,
)
from analysis.statistics import OneSided, rank_sum, signed_rank, welch
from analysis.values import Source, Value

SE18, SE34, PLAIN18, PLAIN34 = "SEResNet18", "SEResNet34", "ResNet18", "ResNet34"


class Ranges:
    """The ranges (largest less smallest channel weight, averaged over the test images first) of a
    network's SE blocks.

    Attributes:
        blocks: of each block, averaged over the runs, input to output.
        runs: of each run, averaged over the blocks.
        stages: by number of channels, averaged over blocks and runs.
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
            self.runs.append(sum(block.range_of_means for block in weights) / len(weights))
            for index, block in enumerate(weights):
                found.setdefault(block.block, []).append(block.range_of_means)
                widths.setdefault(block.channels, []).append(block.range_of_means)
                sources.append(Source(run.id, f"probes.se_weights.{index}.range_of_means"))
        self.blocks = [sum(values) / len(values) for values in found.values()]
        self.stages = {width: sum(values) / len(values) for width, values in widths.items()}
        self.sources = tuple(sources)

    def values(self, name: str) -> dict[str, Value | None]:
        """``name`` (mean over the blocks), ``name_least`` and ``name_most``."""
        if not self.blocks:
            return {}
        return {
            name: self.value(sum(self.blocks) / len(self.blocks)),
            f"{name}_least": self.value(min(self.blocks)),
            f"{name}_most": self.value(max(self.blocks)),
        }

    def value(self, number: float) -> Value:
        return Value(number, "weight", self.sources)


def compare_ranges(first: Ranges, second: Ranges) -> tuple[OneSided, str, bool]:
    """Evidence for the first network's ranges to be larger; the test; whether stages agree.

    With two or more runs a side: Welch's test of the runs' mean ranges. With one the blocks are
    the units (Mann-Whitney). Blocks of one network are not independent, and the deeper network has
    other shares of wide and narrow blocks, so caution: evidence counts only in a direction in
    which every stage (blocks of equal width) differs.
    """
    common = first.stages.keys() & second.stages.keys()
    signs = [first.stages[width] - second.stages[width] for width in common]
    up, down = all(sign > 0 for sign in signs), all(sign < 0 for sign in signs)
    if min(len(first.runs), len(second.runs)) >= 2:
        return welch(first.runs, second.runs), "seeds", up or down
    p = rank_sum(first.blocks, second.blocks)
    guarded = OneSided(p.greater if up else 1.0, p.less if down else 1.0)
    return guarded, "blocks", up or down


@finding("se-weights-differ", family="attention", needs=(SE18, SE34))
def se_weights_differ(evidence: Evidence) -> Result:
    """The SE blocks of either trained SE-ResNet weight channels differently: their ranges exceed
    ``constants.RANGE_BOUND``, which no block of an untrained one does.

    Wilcoxon's signed-rank test over the blocks, for both networks (intersection-union): supported
    if most blocks exceed the bound, contradicted if most of one network's fall short, though some
    may exceed it. A range shows that weights differ, not that the differences are of use.

    Values: ``se18``, ``se34`` (mean range over the blocks), each with ``_least``, ``_most``,
    ``_above`` (how many blocks exceed the bound) and ``_blocks`` (of how many); ``bound``. Effect:
    ``se18``. Facts: ``all_above`` (every block of both).
    """
    ranges = {"se18": Ranges(evidence, SE18), "se34": Ranges(evidence, SE34)}
    measured = all(item.blocks for item in ranges.values())
    values: dict[str, Value | None] = {"bound": CONSTANTS["range_bound"]}
    for name, item in ranges.items():
        values |= item.values(name)
        if item.blocks:
            above = sum(size > RANGE_BOUND for size in item.blocks)
            values[f"{name}_above"] = Value(above, "integer", item.sources)
            values[f"{name}_blocks"] = Value(len(item.blocks), "integer", item.sources)
    tests = [signed_rank(item.blocks, RANGE_BOUND) for item in ranges.values() if item.blocks]
    return Result(
        (SE18, SE34),
        "blocks",
        p=every(tests) if measured else None,
        verdict=None if measured else Verdict.INCONCLUSIVE,
        sources=tuple(source for item in ranges.values() for source in item.sources),
        effect=values.get("se18"),
        values=values,
        facts={
            "all_above": all(x > RANGE_BOUND for item in ranges.values() for x in item.blocks),
        },
    )


@finding("se-range-larger-18", family="attention", needs=(SE18, SE34))
def se_range_larger_18(evidence: Evidence) -> Result:
    """The ranges of channel weights are larger in SE-ResNet-18 than in SE-ResNet-34.

    The test is that of ``compare_ranges``: across seeds, or over blocks with caution.

    Values: ``se18``, ``se34`` (mean range over the blocks), each with ``_least`` and ``_most``.
    Effect: se18 less se34 (kind ``weight``). Facts: ``stages_agree``, ``larger`` (title of the one
    whose mean range is larger).
    """
    first, second = Ranges(evidence, SE18), Ranges(evidence, SE34)
    values = first.values("se18") | second.values("se34")
    if not (first.blocks and second.blocks):
        return Result((SE18, SE34), "blocks", verdict=Verdict.INCONCLUSIVE, values=values)
    p, test, agree = compare_ranges(first, second)
    low, high = values["se34"], values["se18"]
    assert low is not None and high is not None
    return Result(
        (SE18, SE34),
        test,
        p=better(p),
        sources=(*first.sources, *second.sources),
        effect=Value.derived(high.value - low.value, "weight", high, low),
        values=values,
        facts={
            "stages_agree": agree,
            "larger": title(SE18 if high.value > low.value else SE34),
        },
    )


@finding("se-gain-follows-range", family="attention", needs=(SE18, SE34, PLAIN18, PLAIN34))
def se_gain_follows_range(evidence: Evidence) -> Result:
    """Of the two SE-ResNets the one with the larger ranges gains more over the network without SE.

    Two networks can show no more than that the orders agree. Both orders must be established: that
    of the ranges (``compare_ranges``), and that of the gains as a difference of differences of
    accuracies over paired images or seeds; either direction counts (hence two-sided). Against: both
    are established and disagree.

    Values: ``gain18``, ``gain34`` (accuracy with SE less without), ``accuracy_se18``,
    ``accuracy_se34``, ``accuracy_resnet18``, ``accuracy_resnet34``, ``range18``, ``range34`` (mean
    over the blocks), ``gain18_p``, ``gain34_p`` (of either gain alone, not corrected). Effect:
    gain18 less gain34. Facts: ``larger_range``, ``larger_gain`` (titles), ``orders_agree`` (as
    measured), ``stages_agree``.
    """
    first, second = Ranges(evidence, SE18), Ranges(evidence, SE34)
    variants = (SE18, PLAIN18, SE34, PLAIN34)
    gains = evidence.contrast(variants, (1, -1, -1, 1))
    ordered = OneSided(1.0, 1.0)
    agree = False
    if first.blocks and second.blocks:
        ordered, _, agree = compare_ranges(first, second)
    same = some([every([ordered, gains.zero]), every([negate(ordered), negate(gains.zero)])])
    opposed = some([every([ordered, negate(gains.zero)]), every([negate(ordered), gains.zero])])
    sources = (*evidence.sources(variants), *first.sources, *second.sources)
    accuracy = {variant: evidence.accuracy(variant) for variant in variants}
    gain18 = difference(accuracy[SE18], accuracy[PLAIN18])
    gain34 = difference(accuracy[SE34], accuracy[PLAIN34])
    effect = None
    if gain18 and gain34:
        effect = Value.derived(gain18.value - gain34.value, "difference", gain18, gain34)
    ranges = [sum(r.blocks) / len(r.blocks) if r.blocks else 0.0 for r in (first, second)]
    return Result(
        variants,
        gains.test,
        p=OneSided(same.greater, opposed.greater),
        sources=sources,
        effect=effect,
        interval=interval(gains, evidence.sources(variants)),
        values={
            "gain18": gain18,
            "gain34": gain34,
            "accuracy_se18": accuracy[SE18],
            "accuracy_se34": accuracy[SE34],
            "accuracy_resnet18": accuracy[PLAIN18],
            "accuracy_resnet34": accuracy[PLAIN34],
            "range18": first.values("range").get("range"),
            "range34": second.values("range").get("range"),
            "gain18_p": _p(evidence, SE18, PLAIN18),
            "gain34_p": _p(evidence, SE34, PLAIN34),
        },
        facts={
            "larger_range": title(SE18 if ranges[0] > ranges[1] else SE34),
            "larger_gain": title(SE18 if gains.estimate > 0 else SE34),
            "orders_agree": (ranges[0] > ranges[1]) == (gains.estimate > 0),
            "stages_agree": agree,
        },
    )


def _p(evidence: Evidence, first: str, second: str) -> Value:
    p = evidence.compare(first, second).zero.two_sided
    return Value(p, "p", evidence.sources((first, second)))
