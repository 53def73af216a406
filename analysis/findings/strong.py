"""The networks trained by the modern recipe against those trained by the original's."""

from dataclasses import replace

from analysis.evidence import Evidence, title
from analysis.findings.base import Result, Verdict, finding
from analysis.findings.ranking import DEEP, OPTIONAL, ahead, top
from analysis.records import STRONG


@finding("strong-recipe-better", needs=(*DEEP, "LeNet"))
def strong_recipe_better(evidence: Evidence) -> Result:
    """The best network under the modern recipe is better than the best under the original's: at
    least one network trained by it beats every network of the results table (``ranking.ahead``).

    Facts: ``best``, ``rival`` (titles without the recipe), ``same`` (the two are one network).
    """
    strong = evidence.present(tuple(STRONG))
    others = [*DEEP, "LeNet", *evidence.present(OPTIONAL)]
    if not strong:
        planned = {run.rpartition(".s")[0] for run in evidence.records.planned}
        missing = [variant for variant in STRONG if variant in planned] or STRONG
        return Result((), "", verdict=Verdict.NOT_TESTABLE, missing=tuple(missing))
    best, rival = STRONG[top(evidence, strong)], top(evidence, others)
    result = ahead(evidence, strong, others)
    return replace(
        result,
        facts={**result.facts, "best": title(best), "rival": title(rival), "same": best == rival},
    )
