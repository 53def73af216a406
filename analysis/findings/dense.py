"""The DenseNet's economy."""

from __future__ import annotations

from analysis.constants import CONSTANTS, MARGIN
from analysis.evidence import Evidence, title
from analysis.findings.model import (
    Result,
    accuracies,
    difference,
    every,
    finding,
    interval,
    ratio,
    weakest_test,
)
from analysis.findings.ranking import DEEP, OPTIONAL, top
from analysis.statistics import OneSided


@finding("dense-efficient", family="dense", needs=DEEP)
def dense_efficient(evidence: Evidence) -> Result:
    """Of the deep networks the DenseNet has the fewest parameters and MACs (counted), and is less
    than the margin (``constants.MARGIN``) below each of them in accuracy (one-sided tests).

    Contradicted if another has as few of either, or is significantly further above.

    Values: ``accuracy``, ``params``, ``macs`` (one image at 224 px) of the DenseNet; ``best``,
    ``best_params``, ``best_macs`` of the most accurate other; ``next_params``, ``next_macs``, the
    fewest among the others; ``params_ratio``, ``macs_ratio`` (those over the DenseNet's);
    ``best_params_ratio``, ``best_macs_ratio``; ``margin``; one accuracy of each network. Effect:
    accuracy less best. Facts: ``best``, ``next_params``, ``next_macs`` (titles), ``fewest``
    (parameters and MACs).
    """
    others = [v for v in (*DEEP, *OPTIONAL) if v != "DenseNet" and evidence.runs(v)]
    variants = ["DenseNet", *others]
    params = {v: evidence.size(v, "parameters", "params") for v in variants}
    macs = {v: evidence.size(v, "macs.torchinfo", "macs") for v in variants}
    small = min(others, key=lambda v: params[v].value)
    cheap = min(others, key=lambda v: macs[v].value)
    best = top(evidence, others)
    fewest = (
        params["DenseNet"].value < params[small].value
        and macs["DenseNet"].value < macs[cheap].value
    )
    contrasts = {other: evidence.compare("DenseNet", other) for other in others}
    p = every([contrast.against(-MARGIN) for contrast in contrasts.values()])
    sources = evidence.sources(variants)
    counts = [source for v in variants for count in (params, macs) for source in count[v].sources]
    accuracy, highest = evidence.accuracy("DenseNet"), evidence.accuracy(best)
    return Result(
        variants,
        "seeds" if weakest_test(list(contrasts.values())) == "seeds" else "margin",
        p=p if fewest else OneSided(1.0, 0.0),
        sources=(*sources, *counts),
        effect=difference(accuracy, highest),
        interval=interval(contrasts[best], evidence.sources(["DenseNet", best])),
        values={
            "accuracy": accuracy,
            "params": params["DenseNet"],
            "macs": macs["DenseNet"],
            "best": highest,
            "best_params": params[best],
            "best_macs": macs[best],
            "next_params": params[small],
            "next_macs": macs[cheap],
            "params_ratio": ratio(params[small], params["DenseNet"]),
            "macs_ratio": ratio(macs[cheap], macs["DenseNet"]),
            "best_params_ratio": ratio(params[best], params["DenseNet"]),
            "best_macs_ratio": ratio(macs[best], macs["DenseNet"]),
            "margin": CONSTANTS["margin"],
            **accuracies(evidence, variants),
        },
        facts={
            "best": title(best),
            "next_params": title(small),
            "next_macs": title(cheap),
            "fewest": fewest,
        },
    )
