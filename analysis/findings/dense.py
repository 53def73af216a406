"""The size and cost of the DenseNet relative to its accuracy."""

from dataclasses import replace

from analysis.constants import CONSTANTS, MARGIN
from analysis.evidence import Evidence, title
from analysis.findings.base import (
    Result,
    Verdict,
    better,
    claim_set,
    error_ratio,
    finding,
    joint_test,
)
from analysis.findings.ranking import DEEP, OPTIONAL, top


@finding("dense-efficient", needs=DEEP)
def dense_efficient(evidence: Evidence) -> Result:
    """Of the deep networks the DenseNet has the fewest parameters and MACs (counted), and its error
    rate is at most ``constants.ERROR_RATIO`` times that of each of them (``claim_set``).

    Contradicted if another has as few of either, or its error rate is above that of each.

    Values: ``accuracy``, ``params``, ``macs`` (one image at 224 px) of the DenseNet; ``best``, the
    accuracy of the most accurate other; ``next_params``, ``next_macs``, the fewest among the
    others; ``margin``. Effect: its error rate over that of the best. Facts: ``best``,
    ``next_params``, ``next_macs`` (titles), ``fewest`` (parameters and MACs).
    """
    others = [v for v in (*DEEP, *OPTIONAL) if v != "DenseNet" and evidence.runs(v)]
    variants = ["DenseNet", *others]
    params = {v: evidence.size(v, "parameters", "params") for v in variants}
    macs = {v: evidence.size(v, "macs.torchinfo", "macs") for v in variants}
    small = min(others, key=lambda v: params[v].value)
    cheap = min(others, key=lambda v: macs[v].value)
    best = top(evidence, others)
    fewer = params["DenseNet"].value < params[small].value
    fewest = fewer and macs["DenseNet"].value < macs[cheap].value
    contrasts = {other: evidence.compare("DenseNet", other) for other in others}
    sources = evidence.sources(variants)
    counts = [source for v in variants for count in (params, macs) for source in count[v].sources]
    result = claim_set(
        {title(other): better(c.against(-MARGIN)) for other, c in contrasts.items()},
        variants,
        joint_test(contrasts.values()),
        sources,
        error_ratio(evidence, "DenseNet", best),
        values={
            "accuracy": evidence.accuracy("DenseNet"),
            "params": params["DenseNet"],
            "macs": macs["DenseNet"],
            "best": evidence.accuracy(best),
            "next_params": params[small],
            "next_macs": macs[cheap],
            "margin": CONSTANTS["margin"],
        },
        facts={
            "best": title(best),
            "next_params": title(small),
            "next_macs": title(cheap),
            "fewest": fewest,
        },
    )
    result = replace(result, sources=(*sources, *counts))
    if fewest:
        return result
    return replace(result, test="arithmetic", p=None, mixed=1.0, verdict=Verdict.CONTRADICTED)
