"""What a finding is, and how functions become findings."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from analysis.evidence import Evidence
from analysis.schema import Finding, Verdict
from analysis.statistics import Contrast, OneSided
from analysis.values import Source, Value

__all__ = ["Finding", "Verdict"]


#: Keys of the tests. Of single runs: ``mcnemar`` exact McNemar on paired images; ``images`` normal
#: test of a contrast over images; ``proportions`` the same unpaired; ``margin`` and
#: ``equivalence`` one-sided tests over images against a stated margin. ``seeds``: the same
#: questions asked across seeds. ``blocks``: a test with the blocks of a network as units.
#: ``threshold``: a stated rule on numbers that have no sampling distribution. ``diverged``: decided
#: by divergence. ``arithmetic``: a count or an identity.
TESTS = (
    "mcnemar",
    "images",
    "proportions",
    "margin",
    "equivalence",
    "seeds",
    "blocks",
    "threshold",
    "diverged",
    "arithmetic",
)


@dataclass(frozen=True)
class Result:
    """What the function of a finding returns.

    Either ``p``, evidence for the hypothesis (``greater``) and against it (``less``), from which
    the verdict follows after Holm's correction, or ``verdict``. The p-values are of level alpha as
    they stand: ``better`` has doubled what is two-sided. ``missing``: where none of several
    variants, any of which would do, was run.
    """

    variants: Sequence[str]
    test: str
    p: OneSided | None = None
    verdict: Verdict | None = None
    sources: tuple[Source, ...] = ()
    effect: Value | None = None
    interval: tuple[Value, Value] | None = None
    values: Mapping[str, Value | None] = field(default_factory=dict)
    facts: Mapping[str, str | bool] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hypothesis:
    """A registered finding: its function, its family, and the variants it cannot do without.

    ``of_original``: it is about the original's own figures, and not asked of another data set.
    """

    id: str
    family: str
    needs: tuple[str, ...]
    of_original: bool
    test: Callable[[Evidence], Result]


REGISTRY: dict[str, Hypothesis] = {}

Test = Callable[[Evidence], Result]


def finding(
    name: str, *, family: str, needs: Sequence[str] = (), of_original: bool = False
) -> Callable[[Test], Test]:
    """Register a function as the test of a finding.

    Args:
        name: the finding's id.
        family: findings of one family share Holm's correction.
        needs: without a run of each of these variants it is not testable.
        of_original: it is about the original's own figures, whatever the networks are trained on.
    """

    def register(function: Test) -> Test:
        REGISTRY[name] = Hypothesis(name, family, tuple(needs), of_original, function)
        return function

    return register


def better(evidence: OneSided) -> OneSided:
    """For a hypothesis "A is better than B": two-sided, as a tie refutes it as well."""
    return OneSided(min(1.0, 2 * evidence.greater), min(1.0, 2 * evidence.less))


def every(parts: Sequence[OneSided]) -> OneSided:
    """For "each of these holds" (intersection-union test, Berger 1982): as strong as the weakest.

    Against it speaks one that fails, found among several: Bonferroni.
    """
    against = min(part.less for part in parts) * len(parts)
    return OneSided(max(part.greater for part in parts), min(1.0, against))


def some(parts: Sequence[OneSided]) -> OneSided:
    """For "one of these holds": the strongest, Bonferroni; against it, that each fails."""
    return negate(every([negate(part) for part in parts]))


def negate(evidence: OneSided) -> OneSided:
    """Evidence for the opposite."""
    return OneSided(evidence.less, evidence.greater)


def weakest_test(contrasts: Sequence[Contrast]) -> str:
    """The test to name for several contrasts: across seeds only if all were."""
    found = {item.test for item in contrasts}
    order = ("proportions", "mcnemar", "images", "seeds")
    return next(name for name in order if name in found)


def interval(contrast: Contrast, sources: Sequence[Source]) -> tuple[Value, Value] | None:
    """The 95 % interval of a contrast as values.

    None where nothing can be said, or where some runs diverged: the printed accuracies are those of
    the others, while the contrast counts a run that diverged as zero.
    """
    if math.isinf(contrast.error) or any(source.field == "status" for source in sources):
        return None
    low, high = contrast.interval()
    return (
        Value(low, "difference", tuple(sources)),
        Value(high, "difference", tuple(sources)),
    )


def difference(first: Value | None, second: Value | None) -> Value | None:
    """First less second in fractions; None if one is missing."""
    if first is None or second is None:
        return None
    return Value.derived(first.value - second.value, "difference", first, second)


def ratio(first: Value | None, second: Value | None) -> Value | None:
    """First over second; None if one is missing or the second is 0."""
    if first is None or second is None or second.value == 0:
        return None
    return Value.derived(first.value / second.value, "ratio", first, second)


def key(variant: str) -> str:
    """The name of a variant among a finding's values: ``ResNet18-mul`` is ``resnet18_mul``."""
    return variant.lower().replace("-", "_")


def accuracies(evidence: Evidence, variants: Sequence[str]) -> dict[str, Value | None]:
    """Test accuracies by the names of ``key``."""
    return {key(variant): evidence.accuracy(variant) for variant in variants}
