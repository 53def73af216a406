"""The kinds of machine of the runs, and their effect on the error rate."""

import math
from collections import Counter

from analysis.evidence import Evidence, title
from analysis.findings.base import interval
from analysis.schema import Machine, Machines, Shift
from analysis.statistics import Sample, contrast
from analysis.values import Source, Value
from experiments.record import Record

#: Device and precision.
Key = tuple[str, str]


def kind(run: Record) -> Key:
    """The kind of machine of a run; runs on the same kind are computed alike."""
    return run.environment.device, run.config.precision


def machines(evidence: Evidence) -> Machines:
    """The kinds of machine of the finished runs, the most frequent first.

    For each network with runs on the two most frequent kinds: error rate on the second over that on
    the first, and the geometric mean of these ratios. The uncertainty comes from seeds and images,
    as in every comparison. Networks that have not learnt, or whose seeds vary more than those of
    the others, are left out.
    """
    variants = sorted({run.config.variant for run in evidence.records})
    runs = {variant: evidence.finished(variant) for variant in variants}
    counted = Counter(kind(run) for found in runs.values() for run in found)
    kinds = sorted(counted, key=lambda each: (-counted[each], each))
    found = tuple(
        Machine(device=device, precision=precision, runs=counted[device, precision])
        for device, precision in kinds
    )
    shifts: list[Shift] = []
    pairs: list[Sample] = []
    sources: list[Source] = []
    for variant, own in runs.items():
        parts = [[run for run in own if kind(run) == each] for each in kinds[:2]]
        if len(parts) < 2 or not all(parts):
            continue
        samples = [evidence.of(part) for part in parts]
        if min(s.mean for s in samples) <= 0.5 or any(s.seeds and s.seeds.own for s in samples):
            continue
        used = evidence.sources((variant,))
        ratio = contrast(samples, (-1, 1))
        shifts.append(
            Shift(
                network=title(variant),
                runs=tuple(Value(len(part), "integer", used) for part in parts),
                accuracies=tuple(Value(s.mean, "accuracy", used) for s in samples),
                ratio=Value(math.exp(-ratio.estimate), "ratio", used),
                interval=interval(ratio, used),
            )
        )
        pairs += samples
        sources += used
    if not shifts:
        return Machines(kinds=found)
    weights = [sign / len(shifts) for _ in shifts for sign in (-1, 1)]
    mean = contrast(pairs, weights)
    used = tuple(sorted(set(sources)))
    return Machines(
        kinds=found,
        shifts=tuple(shifts),
        ratio=Value(math.exp(-mean.estimate), "ratio", used),
        interval=interval(mean, used),
        p=Value(mean.zero.two_sided, "p", used),
    )
