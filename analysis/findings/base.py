"""Results and registration of findings, and the tests and values that several share."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args

from analysis import protocol, statistics
from analysis.constants import CONSTANTS, MARGIN
from analysis.evidence import Evidence
from analysis.schema import Finding, Verdict
from analysis.statistics import ALPHA, Contrast, OneSided, difference_interval, mean_interval
from analysis.true_labels import Split
from analysis.values import Kind, Source, Value

__all__ = ["Finding", "Verdict"]

#: Keys of the tests: those of ``statistics.Contrast``; ``runs``: t test over runs; ``networks``:
#: rank correlation over networks or runs; ``threshold``: a stated rule on numbers; ``arithmetic``:
#: a count or an identity.
TESTS = (*get_args(statistics.Test), "runs", "networks", "threshold", "arithmetic")

Effect = tuple[Value | None, tuple[Value, Value] | None]
NO_EFFECT: Effect = (None, None)


@dataclass(frozen=True)
class Measured:
    """A number of each run, and the record fields that they depend on."""

    runs: Sequence[float]
    sources: tuple[Source, ...]

    def mean(self, kind: Kind) -> Value:
        """The mean over the runs."""
        return Value(average(self.runs), kind, self.sources)

    def effect(self, kind: Kind) -> Effect:
        """The mean over the runs with Student's interval."""
        return self.mean(kind), value_pair(mean_interval(self.runs), kind, self.sources)


@dataclass(frozen=True)
class Result:
    """The return value of a finding's function.

    It has either ``p`` or ``verdict``. ``p`` is evidence for the hypothesis (``greater``) and
    against it (``less``); the verdict follows after Holm's correction. The p-values are valid at
    level alpha: ``better`` has already doubled those of two-sided tests. ``mixed``: evidence that
    the hypothesis holds of some networks and fails of others. ``missing``: variants of which one
    run, or one measurement, would be enough and none exists. ``effect``: the main number and its
    interval.
    """

    variants: Sequence[str]
    test: str
    p: OneSided | None = None
    mixed: float = 1.0
    verdict: Verdict | None = None
    sources: tuple[Source, ...] = ()
    effect: Effect = NO_EFFECT
    values: Mapping[str, Value | None] = field(default_factory=dict)
    facts: Mapping[str, str | bool] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    @property
    def raw(self) -> float | None:
        """The smallest p-value: that of the outcome with the strongest evidence."""
        return None if self.p is None else min(*self.p, self.mixed)


@dataclass(frozen=True)
class Hypothesis:
    """A registered finding.

    ``needs``: variants that must each have a run, else it is not testable. ``of_original``: it is
    about the original's own figures and does not apply to other data sets. ``untrained``: it is
    about networks before training, so it does not depend on a budget. ``test``: its function.
    """

    id: str
    needs: tuple[str, ...]
    of_original: bool
    untrained: bool
    test: Callable[[Evidence], Result]

    @property
    def family(self) -> str:
        """The family within which Holm's correction is made (``protocol.toml``)."""
        return protocol.load().finding[self.id].family


REGISTRY: dict[str, Hypothesis] = {}

Test = Callable[[Evidence], Result]


def finding(
    name: str, *, needs: Sequence[str] = (), of_original: bool = False, untrained: bool = False
) -> Callable[[Test], Test]:
    """Register a function as the test of the finding ``name``; the rest as in ``Hypothesis``."""

    def register(function: Test) -> Test:
        REGISTRY[name] = Hypothesis(name, tuple(needs), of_original, untrained, function)
        return function

    return register


def better(evidence: OneSided) -> OneSided:
    """Evidence for "A is better than B", two-sided: both p-values are doubled."""
    return OneSided(min(1.0, 2 * evidence.greater), min(1.0, 2 * evidence.less))


def every(parts: Sequence[OneSided]) -> OneSided:
    """Evidence for "each of these holds": intersection-union test (Berger 1982), the largest p.

    Against: "at least one fails", the smallest p with Bonferroni's correction.
    """
    against = min(part.less for part in parts) * len(parts)
    return OneSided(max(part.greater for part in parts), min(1.0, against))


def some(parts: Sequence[OneSided]) -> OneSided:
    """Evidence for "at least one of these holds" (Bonferroni); against: "each fails"."""
    return negate(every([negate(part) for part in parts]))


def negate(evidence: OneSided) -> OneSided:
    """Evidence for the opposite."""
    return OneSided(evidence.less, evidence.greater)


def both(parts: Sequence[OneSided]) -> float:
    """p-value for "some hold and some fail": the larger of the smallest p of each side, with
    Bonferroni's correction."""
    holds, fails = min(part.greater for part in parts), min(part.less for part in parts)
    return min(1.0, max(holds, fails) * len(parts))


def by_rule(holds: bool, fails: bool) -> Verdict:
    """The verdict of a stated rule; inconclusive if it neither holds nor fails."""
    if holds:
        return Verdict.SUPPORTED
    return Verdict.CONTRADICTED if fails else Verdict.INCONCLUSIVE


def claim_set(
    parts: Mapping[str, OneSided],
    variants: Sequence[str],
    test: str,
    sources: Sequence[Source],
    effect: Effect = NO_EFFECT,
    *,
    values: Mapping[str, Value | None] = {},
    facts: Mapping[str, str | bool] = {},
) -> Result:
    """A claim about several networks or pairs: evidence for all, none and some; inconclusive
    without any part.

    Args:
        parts: evidence by the name of the network or pair, each at the level of one test.
        variants: as in ``Result``.
        test: as in ``Result``.
        sources: sources of all parts.
        effect: as in ``Result``.
        values: added are ``holds`` and ``fails`` (at the level of one test), of ``all``. The
            docstrings of findings that name this function do not list what it adds.
        facts: added are their names, joined by commas: ``holding``, ``failing``, ``undecided``; and
            the part with the largest p-value, ``weakest`` for and ``weakest_against``.
    """
    if not parts:
        return Result(variants, test, verdict=Verdict.INCONCLUSIVE, values=values, facts=facts)
    holds = [name for name, part in parts.items() if part.greater < ALPHA]
    fails = [name for name, part in parts.items() if part.less < ALPHA]
    left = [name for name in parts if name not in holds and name not in fails]
    weakest = max(parts, key=lambda name: parts[name].greater)
    weakest_against = max(parts, key=lambda name: parts[name].less)
    unique = tuple(sorted(set(sources)))
    counts = {"holds": len(holds), "fails": len(fails), "all": len(parts)}
    return Result(
        variants,
        test,
        p=OneSided(parts[weakest].greater, parts[weakest_against].less),
        mixed=both([*parts.values()]),
        sources=unique,
        effect=effect,
        values={**values, **{key: Value(n, "integer", unique) for key, n in counts.items()}},
        facts={
            **facts,
            "holding": ", ".join(holds),
            "failing": ", ".join(fails),
            "undecided": ", ".join(left),
            "weakest": weakest,
            "weakest_against": weakest_against,
        },
    )


def joint_test(contrasts: Iterable[Contrast]) -> str:
    """The test to name for several contrasts: the first of the keys below that occurs."""
    found = {item.test for item in contrasts}
    return next(
        name for name in ("untested", "ranks", "images", "seeds", "diverged") if name in found
    )


def error_ratio(evidence: Evidence, first: str, second: str, split: Split = "test") -> Effect:
    """Error rate of the first over that of the second, with its interval.

    Both are None if all runs of a network diverged. If only some did, the rate is that of the
    others and there is no interval.
    """
    if not (evidence.finished(first) and evidence.finished(second)):
        return NO_EFFECT
    sources = evidence.sources((first, second), split)
    rates = [evidence.sample(variant, split).error for variant in (first, second)]
    value = Value(rates[0] / rates[1], "ratio", sources)
    return value, interval(evidence.compare(first, second, split), sources)


def comparison(
    evidence: Evidence,
    first: str,
    second: str,
    *,
    p: OneSided | None = None,
    names: tuple[str, str] = ("first", "second"),
    split: Split = "test",
    values: Mapping[str, Value | None] = {},
    facts: Mapping[str, str | bool] = {},
) -> Result:
    """The first network is more accurate than the second; ``p``: evidence, if it is another claim.

    Values: the accuracies by ``names``, their ``difference``, and ``values``. Effect: error rate of
    the first over that of the second.
    """
    contrast = evidence.compare(first, second, split)
    one, other = evidence.accuracy(first, split), evidence.accuracy(second, split)
    return Result(
        (first, second),
        contrast.test,
        p=p or better(contrast.zero),
        sources=evidence.sources((first, second), split),
        effect=error_ratio(evidence, first, second, split),
        values={names[0]: one, names[1]: other, "difference": difference(one, other), **values},
        facts=facts,
    )


def equivalence(evidence: Evidence, first: str, second: str, split: Split = "test") -> Result:
    """The error rates of two networks are within the ratio ``constants.ERROR_RATIO``: two one-sided
    tests. Against: significantly outside (two-sided).

    Values: ``first``, ``second`` (accuracies), ``difference`` (first - second), ``margin``,
    ``any_p`` (of any difference, not corrected). Effect: error rate of the first over that of the
    second.
    """
    contrast = evidence.compare(first, second, split)
    outside = contrast.against(-MARGIN).less, contrast.against(MARGIN).greater
    any_p = Value(contrast.zero.two_sided, "p", evidence.sources((first, second), split))
    return comparison(
        evidence,
        first,
        second,
        p=OneSided(contrast.equivalent(MARGIN), min(1.0, 2 * min(outside))),
        split=split,
        values={"margin": CONSTANTS["margin"], "any_p": any_p},
    )


def interval(contrast: Contrast, sources: Sequence[Source]) -> tuple[Value, Value] | None:
    """The 95 % interval of a contrast as a ratio of error rates; None if it has none."""
    if math.isinf(contrast.error):
        return None
    low, high = contrast.interval()
    return value_pair((math.exp(-high), math.exp(-low)), "ratio", sources)


def value_pair(
    ends: tuple[float, float] | None, kind: Kind, sources: Sequence[Source]
) -> tuple[Value, Value] | None:
    """The ends of an interval as values; None without an interval."""
    if ends is None:
        return None
    return Value(ends[0], kind, tuple(sources)), Value(ends[1], kind, tuple(sources))


def log_ratio(first: Sequence[float], second: Sequence[float], sources: Sequence[Source]) -> Effect:
    """The ratio of two geometric means over runs with Welch's interval, from natural logarithms."""
    ends = difference_interval(first, second)
    limits = ends and (math.exp(ends[0]), math.exp(ends[1]))
    value = Value(math.exp(average(first) - average(second)), "ratio", tuple(sources))
    return value, value_pair(limits, "ratio", sources)


def logs(values: Sequence[float]) -> list[float]:
    """Natural logarithms, finite for 0."""
    return [math.log(max(value, 1e-9)) for value in values]


def average(values: Sequence[float]) -> float:
    """Arithmetic mean."""
    return sum(values) / len(values)


def difference(first: Value | None, second: Value | None) -> Value | None:
    """First minus second; None if one is missing."""
    if first is None or second is None:
        return None
    return Value.derived(first.value - second.value, "difference", first, second)


def ratio(first: Value | None, second: Value | None) -> Value | None:
    """First over second; None if one is missing or the second is 0."""
    if first is None or second is None or second.value == 0:
        return None
    return Value.derived(first.value / second.value, "ratio", first, second)
