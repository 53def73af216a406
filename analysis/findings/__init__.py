"""The findings: hypotheses that are tested on the records.

Each is one function in the module of its section, registered by ``base.finding``; its docstring
states the hypothesis, the test, the values and the facts. ``evaluate`` runs them all.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Mapping

from analysis.evidence import Evidence
from analysis.findings.base import REGISTRY, Finding, Hypothesis, Result, Verdict
from analysis.records import Records
from analysis.statistics import ALPHA, holm
from analysis.values import Source, Value

__all__ = ["Finding", "Verdict", "evaluate", "judge", "tested", "uncorrected"]

#: The modules in the order of the report's sections; others follow alphabetically. Importing a
#: module registers its findings.
SECTIONS = (
    "ranking",
    "sizes",
    "depth",
    "residual",
    "operators",
    "gradients",
    "dense",
    "attention",
    "overlooked",
    "strong",
)
for _module in dict.fromkeys([*SECTIONS, *(each.name for each in pkgutil.iter_modules(__path__))]):
    importlib.import_module(f"{__name__}.{_module}")


def evaluate(records: Records) -> dict[str, Finding]:
    """Every finding by id, in the order of the report; not testable where runs are missing."""
    evidence = Evidence(records)
    return judge(evidence, tested(evidence, REGISTRY))


def tested(evidence: Evidence, names: Iterable[str]) -> dict[str, Result]:
    """The results of these findings' functions, for the findings whose runs exist."""
    return {
        name: REGISTRY[name].test(evidence)
        for name in names
        if not evidence.missing(REGISTRY[name].needs)
    }


def judge(evidence: Evidence, results: Mapping[str, Result]) -> dict[str, Finding]:
    """Every finding by id: ``results`` after Holm's correction, the others not testable."""
    corrected = _corrected(results)
    return {
        name: _finding(hypothesis, evidence, results.get(name), corrected.get(name))
        for name, hypothesis in REGISTRY.items()
    }


def _corrected(results: Mapping[str, Result]) -> dict[str, Value]:
    """Holm's correction within each family; the protocol determines the family's size.

    A finding that is not testable or decided by rule has no p-value and counts with 1. So the
    verdict of a finding does not depend on whether other findings have runs.
    """
    families: dict[str, list[str]] = {}
    for name, hypothesis in REGISTRY.items():
        families.setdefault(hypothesis.family, []).append(name)
    corrected = {}
    for members in families.values():
        names = [n for n in members if n in results and results[n].raw is not None]
        raw = [results[name].raw or 1.0 for name in names] + [1.0] * (len(members) - len(names))
        sources: set[Source] = set().union(*(results[name].sources for name in names))
        for name, p in zip(names, holm(raw), strict=False):
            if results[name].raw != 0:
                own = set(results[name].sources)  # first, since a number links to its first source
                corrected[name] = Value(p, "p", (*sorted(own), *sorted(sources - own)))
    return corrected


def _finding(
    hypothesis: Hypothesis, evidence: Evidence, result: Result | None, p: Value | None
) -> Finding:
    if result is None:
        missing = evidence.missing(hypothesis.needs)
        return Finding(
            hypothesis.id, Verdict.NOT_TESTABLE, None, None, None, "", {}, (), missing, 0, {}
        )
    values = {name: value for name, value in result.values.items() if value is not None}
    used = set(evidence.ids(result.variants)) | {s.record for s in result.sources}
    used |= {source.record for value in values.values() for source in value.sources}
    seeds = evidence.seeds(result.variants)
    seed_sources = tuple(Source(name, "config.seed") for name in evidence.ids(result.variants))
    values["seeds"] = Value(seeds, "integer", seed_sources)
    effect, interval = result.effect
    if result.raw:
        values["raw_p"] = Value(result.raw, "p", tuple(sorted(set(result.sources))))
    return Finding(
        id=hypothesis.id,
        verdict=_verdict(result, p.value if p else result.raw),
        effect=effect,
        interval=interval if effect is not None else None,
        p=p,
        test=result.test,
        values=values,
        runs=tuple(sorted(used)),
        missing=result.missing,
        seeds=seeds,
        facts=dict(result.facts),
    )


def uncorrected(result: Result) -> Verdict:
    """The verdict of one test alone, without Holm's correction."""
    return _verdict(result, result.raw)


def _verdict(result: Result, p: float | None) -> Verdict:
    if result.verdict is not None:
        return result.verdict
    if result.p is None or p is None or not p < ALPHA:  # NaN, too
        return Verdict.INCONCLUSIVE
    if result.mixed < min(result.p):
        return Verdict.MIXED
    return Verdict.SUPPORTED if result.p.greater < result.p.less else Verdict.CONTRADICTED
