"""Effects of size: parameters on memory, multiply-accumulates on time, pixels on accuracy."""

from statistics import multimode

from analysis.constants import CONSTANTS, MARGIN
from analysis.evidence import Evidence
from analysis.findings.base import Result, Verdict, better, comparison, finding
from analysis.findings.ranking import DEEP, OPTIONAL
from analysis.records import mean, value
from analysis.statistics import OneSided, spearman
from analysis.values import Value
from experiments.record import Record

#: Networks over which sizes and costs are correlated.
NETWORKS = ("LeNet", *DEEP, *OPTIONAL)
SMALL, LARGE = "ResNet18-px28", "ResNet18-px64"
#: Minimum number of networks for a rank correlation.
_FEWEST = 5


def comparable(evidence: Evidence) -> dict[str, list[Record]]:
    """Finished runs by network, with the most frequent device, precision and batch size."""

    def kind(run: Record) -> tuple[str, str, int]:
        return run.environment.device, run.config.precision, run.config.batch_size

    runs = {network: evidence.finished(network) for network in NETWORKS}
    usual = min(multimode(kind(run) for found in runs.values() for run in found), default=None)
    return {n: own for n, found in runs.items() if (own := [r for r in found if kind(r) == usual])}


def ranked(evidence: Evidence, size: str, cost: str) -> Result:
    """A size of the networks and a cost of their runs are positively correlated.

    Values: ``networks`` (how many). Effect: Spearman's rank correlation. Facts: ``device``.
    """
    chosen = comparable(evidence)
    if len(chosen) < _FEWEST:
        missing = tuple(n for n in NETWORKS if n not in chosen)
        return Result((), "", verdict=Verdict.NOT_TESTABLE, missing=missing)
    # Only the numbers are ranked: their kinds do not matter.
    sizes = [value(runs[0], size, "count") for runs in chosen.values()]
    costs = [mean([value(run, cost, "gain") for run in runs]) for runs in chosen.values()]
    sign = -1 if cost == "timing.images_per_second" else 1
    found, p = spearman([item.value for item in sizes], [sign * item.value for item in costs])
    effect = Value.derived(found, "gain", sizes, costs)
    return Result(
        tuple(chosen),
        "networks",
        p=better(p),
        sources=effect.sources,
        effect=(effect, None),
        values={"networks": Value(len(chosen), "integer", effect.sources)},
        facts={"device": next(iter(chosen.values()))[0].environment.device},
    )


@finding("params-memory")
def params_memory(evidence: Evidence) -> Result:
    """Networks of more parameters take more memory in training (``ranked``)."""
    return ranked(evidence, "network.parameters", "timing.peak_memory_bytes")


@finding("macs-time")
def macs_time(evidence: Evidence) -> Result:
    """Networks of more multiply-accumulates at the trained input size take longer per image
    (``ranked``)."""
    return ranked(evidence, "network.macs_at_input.torchinfo", "timing.images_per_second")


@finding("resize-augments", needs=(SMALL, LARGE))
def resize_augments(evidence: Evidence) -> Result:
    """ResNet-18 is more accurate on images enlarged to 64 px than on images of 28 px.

    Against: less accurate, or more by less than the margin.

    Values: ``small``, ``large`` (accuracies), ``usual`` (at the profile's size), ``difference``
    (large - small), ``margin``. Effect: error rate at 64 px over that at 28 px.
    """
    contrast = evidence.compare(LARGE, SMALL)
    return comparison(
        evidence,
        LARGE,
        SMALL,
        p=OneSided(better(contrast.zero).greater, contrast.against(MARGIN).less),
        names=("large", "small"),
        values={"usual": evidence.accuracy("ResNet18"), "margin": CONSTANTS["margin"]},
    )
