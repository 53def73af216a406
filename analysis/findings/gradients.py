"""How blocks scale the gradient. The unit of the tests is the run, the quantity its total gain."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Literal

from analysis.constants import CONSTANTS, GAIN_BOUND
from analysis.evidence import Evidence, title
from analysis.findings.base import (
    NO_EFFECT,
    Effect,
    Result,
    Verdict,
    average,
    better,
    claim_set,
    finding,
    log_ratio,
    negate,
    value_pair,
)
from analysis.findings.operators import ADD, MUL, MUL_NOBN, NONE, SUB
from analysis.statistics import (
    OneSided,
    difference_interval,
    mean_interval,
    slope,
    student,
    welch,
)
from analysis.values import Source, Value
from experiments.record import GainProbe, Record

Moment = Literal["init", "end"]
Part = Literal["gain", "branch"]
#: Networks with and without shortcuts by depth.
DEPTHS = {
    18: ("PlainNet18", "ResNet18"),
    34: ("PlainNet34", "ResNet34"),
    50: ("PlainNet50", "ResNet50"),
    101: ("PlainNet101", "ResNet101"),
}
#: log10 that represents a gain of 0.
_VANISHED = -12.0


class Gains:
    """The gains of a network's blocks, before or after training, as log10.

    Runs with a gain that is not finite are left out.

    Attributes:
        totals: of each run, log10 of the product over the blocks.
        blocks: of each run, the mean of log10 over the blocks.
        least, most: smallest and largest log10 of a block, averaged over the runs; 0 without runs.
        sources: the gains' record fields.
    """

    def __init__(
        self, evidence: Evidence, variant: str, moment: Moment, part: Part = "gain"
    ) -> None:
        self.totals: list[float] = []
        self.blocks: list[float] = []
        sources: list[Source] = []
        each: list[list[float]] = []
        for found, used in _measured(evidence, variant, moment, part):
            logs = [math.log10(gain) if gain > 0 else _VANISHED for gain in found]
            self.totals.append(sum(logs))
            self.blocks.append(sum(logs) / len(logs))
            each.append(logs)
            sources += used
        means = [sum(logs) / len(logs) for logs in zip(*each, strict=False)]
        ends: tuple[float, float] = (min(means), max(means)) if means else (0.0, 0.0)
        self.least, self.most = ends
        self.sources = tuple(sources)

    def values(self, name: str) -> dict[str, Value | None]:
        """``name`` (geometric mean over the blocks), ``name_least``, ``name_most`` (blocks), and
        ``name_total`` (log10 of the total gain, mean over the runs)."""
        if not self.totals:
            return {}
        return {
            name: Value(_power(average(self.blocks)), "gain", self.sources),
            f"{name}_least": Value(_power(self.least), "gain", self.sources),
            f"{name}_most": Value(_power(self.most), "gain", self.sources),
            f"{name}_total": Value(average(self.totals), "gain", self.sources),
        }


def probe_at(run: Record, moment: Moment) -> tuple[int, GainProbe | None]:
    """The probe before training (``init``), or the last one after training, with its index."""
    probes = run.probes.block_gains
    if moment == "end":
        last = len(probes) - 1
        return (last, probes[last]) if probes and probes[last].step > 0 else (0, None)
    return (0, probes[0]) if probes and probes[0].step == 0 else (0, None)


@finding(
    "plain-gain-grows",
    needs=("PlainNet18", "PlainNet34", "ResNet18", "ResNet34"),
    untrained=True,
)
def plain_gain_grows(evidence: Evidence) -> Result:
    """At initialisation the total gain of plain networks departs from 1 exponentially with depth,
    and at each depth by more than that of residual networks.

    The outcome is |log10 of the total gain|. Its slope on the number of layers is above 0 (t test
    over the plain networks' runs), and at each recorded depth it is larger without shortcuts
    (Welch); ``claim_set`` combines these tests.

    Values: ``slope`` (of log10 a layer), ``plain18`` ... ``residual101`` (log10 of the total gain
    at initialisation, mean over the runs), ``plain18_end`` ... (after training),
    ``plain_deepest``, ``residual_deepest`` (of the deepest pair recorded, as a factor), ``depth``
    (its layers), and those of ``claim_set``. Effect: the deepest pair's difference of log10. Facts:
    ``explodes`` (the plain networks' gain is above 1), and those of ``claim_set``.
    """
    depths: list[float] = []
    sizes: list[float] = []
    parts: dict[str, OneSided] = {}
    values: dict[str, Value | None] = {}
    sources: list[Source] = []
    used: list[str] = []
    explodes = True
    deepest: tuple[Gains, Gains] | None = None
    for depth, pair in DEPTHS.items():
        plain, residual = (Gains(evidence, variant, "init") for variant in pair)
        if not (plain.totals and residual.totals):
            continue
        used += pair
        deepest = plain, residual
        explodes = average(plain.totals) > 0
        depths += [float(depth)] * len(plain.totals)
        sizes += [abs(total) for total in plain.totals]
        parts[f"{title(pair[0])}/{title(pair[1])}"] = better(
            welch([abs(x) for x in plain.totals], [abs(x) for x in residual.totals])
        )
        values["depth"] = Value(depth, "integer", ())
        for name, gains, variant in zip(
            ("plain", "residual"), (plain, residual), pair, strict=True
        ):
            values[f"{name}{depth}"] = gains.values(name)[f"{name}_total"]
            after = Gains(evidence, variant, "end").values(name)
            values[f"{name}{depth}_end"] = after.get(f"{name}_total")
            values[f"{name}_deepest"] = Value(_power(average(gains.totals)), "gain", gains.sources)
            sources += gains.sources
    if deepest is None:
        return Result((), "", verdict=Verdict.NOT_TESTABLE, missing=("PlainNet18", "ResNet18"))
    found, error, p = slope(depths, sizes)
    parts = {
        f"PlainNet-{'/'.join(f'{depth:g}' for depth in dict.fromkeys(depths))}": better(p),
        **parts,
    }
    plain, residual = deepest
    unique = tuple(sorted({*plain.sources, *residual.sources}))
    ends = difference_interval(plain.totals, residual.totals)
    if math.isfinite(error):
        values["slope"] = Value(found, "gain", tuple(sources))
    return claim_set(
        parts,
        used,
        "runs",
        sources,
        (
            Value(average(plain.totals) - average(residual.totals), "gain", unique),
            value_pair(ends, "gain", unique),
        ),
        values=values,
        facts={"explodes": explodes},
    )


@finding("gain-add-sub-near-one", needs=(ADD, SUB))
def gain_add_sub_near_one(evidence: Evidence) -> Result:
    """With addition and with subtraction the geometric mean gain per block is between 1/2 and 2
    (``constants.GAIN_BOUND``), at initialisation and at the end of training.

    Student's t test over runs of the mean logarithm against either bound, for each operator and
    moment (``claim_set``).

    Values: ``add_init``, ``add_end``, ``sub_init``, ``sub_end`` (geometric means over the blocks),
    for comparison ``none_init``, ``none_end``, each with ``_least``, ``_most`` (blocks) and
    ``_total``; ``bound``, and those of ``claim_set``. Effect: ``add_end``. Facts: ``none_within``
    (the mean without shortcut is within the bounds as well).
    """
    measured = gains(evidence, (("add", ADD), ("sub", SUB)))
    plain = gains(evidence, (("none", NONE),))
    bound = math.log10(GAIN_BOUND)
    names = {"add": title(ADD), "sub": title(SUB), "init": "t = 0", "end": "t = T"}
    parts = {}
    for name, gain in measured.items():
        above, below = student(gain.blocks, -bound), student(gain.blocks, bound)
        inside = max(above.greater, below.less)
        operator, moment = (names[part] for part in name.split("_"))
        outside = min(1.0, 2 * min(above.less, below.greater))
        parts[f"{operator} ({moment})"] = OneSided(inside, outside)
    values: dict[str, Value | None] = {"bound": CONSTANTS["gain_bound"]}
    for name, gain in (measured | plain).items():
        values |= gain.values(name)
    facts = {"none_within": all(abs(x) <= bound for g in plain.values() for x in g.blocks)}
    sources = [source for gain in measured.values() for source in gain.sources]
    end = measured.get("add_end")
    effect = _factor(end.blocks, end.sources) if end else NO_EFFECT
    return claim_set(parts, (ADD, SUB), "runs", sources, effect, values=values, facts=facts)


@finding("branch-gain-small", needs=(ADD, NONE), untrained=True)
def branch_gain_small(evidence: Evidence) -> Result:
    """At initialisation the gain through h(x) (geometric mean over the blocks) is below 1, with
    addition and without shortcut (Student over runs, ``claim_set``).

    Values: ``add_init``, ``none_init`` with ``_least``, ``_most``, ``_total``; those of
    ``claim_set``. Effect: ``add_init``. Facts: of ``claim_set``.
    """
    add, none = (Gains(evidence, variant, "init", "branch") for variant in (ADD, NONE))
    measured = {title(v): gain for v, gain in ((ADD, add), (NONE, none)) if gain.totals}
    return claim_set(
        {name: better(negate(student(gain.blocks, 0.0))) for name, gain in measured.items()},
        (ADD, NONE),
        "runs",
        [*add.sources, *none.sources],
        _factor(add.blocks, add.sources) if add.totals else NO_EFFECT,
        values=add.values("add_init") | none.values("none_init"),
    )


@finding("mul-bn-unstable", needs=(ADD, MUL))
def mul_bn_unstable(evidence: Evidence) -> Result:
    """With BN the gradient of the first layer fluctuates more with multiplication than with
    addition. The outcome is the standard deviation, over the first steps, of log10 of its norm;
    Welch's test of its logarithm over runs.

    Values: ``add_spread``, ``mul_spread`` (geometric means over the runs), ``mul_least``,
    ``mul_most`` (total gain at initialisation of the runs). Effect: ratio of the spreads. Facts:
    ``explodes`` (the total gain of every run with multiplication is above 1).
    """
    add, mul = (_spreads(evidence, variant) for variant in (ADD, MUL))
    used = {"add": _norm_sources(evidence, ADD), "mul": _norm_sources(evidence, MUL)}
    sources = (*used["add"], *used["mul"])
    totals = Gains(evidence, MUL, "init")
    values: dict[str, Value | None] = {}
    if totals.totals:
        values |= {
            "mul_least": Value(_power(min(totals.totals)), "gain", totals.sources),
            "mul_most": Value(_power(max(totals.totals)), "gain", totals.sources),
        }
    if not (add and mul):
        return Result((ADD, MUL), "runs", verdict=Verdict.INCONCLUSIVE, values=values)
    for name, item in (("add", add), ("mul", mul)):
        values[f"{name}_spread"] = Value(math.exp(average(item)), "gain", used[name])
    return Result(
        (ADD, MUL),
        "runs",
        p=better(welch(mul, add)),
        sources=sources,
        effect=log_ratio(mul, add, sources),
        values=values,
        facts={"explodes": bool(totals.totals) and min(totals.totals) > 0},
    )


@finding("mul-nobn-vanishes", needs=(MUL_NOBN,), untrained=True)
def mul_nobn_vanishes(evidence: Evidence) -> Result:
    """Without BN the multiplying network's total gain at initialisation is below 1 (Student over
    runs of its logarithm).

    Values: ``mul_nobn_init`` with ``_least``, ``_most``, ``_total``. Effect: the total gain.
    """
    gain = Gains(evidence, MUL_NOBN, "init")
    if not gain.totals:
        return Result((MUL_NOBN,), "runs", verdict=Verdict.INCONCLUSIVE)
    return Result(
        (MUL_NOBN,),
        "runs",
        p=better(negate(student(gain.totals, 0.0))),
        sources=gain.sources,
        effect=_factor(gain.totals, gain.sources),
        values=gain.values("mul_nobn_init"),
    )


@finding("features-below-one", needs=(ADD, MUL, NONE), untrained=True)
def features_below_one(evidence: Evidence) -> Result:
    """In networks with BN more than half of the elements of a block's input have absolute values
    below 1: with addition, multiplication and no shortcut, before training (Student's t test over
    runs of the mean over blocks, against one half; ``claim_set``).

    Values: ``add``, ``mul``, ``none`` (shares), those of ``claim_set``. Effect: ``mul``. Facts: of
    ``claim_set``. Not testable without the measurement.
    """
    networks = {"add": ADD, "mul": MUL, "none": NONE}
    found = {k: [*_measured(evidence, v, "init", "input_below_one")] for k, v in networks.items()}
    if missing := tuple(networks[name] for name, runs in found.items() if not runs):
        return Result((), "", verdict=Verdict.NOT_TESTABLE, missing=missing)
    shares = {name: [average(run) for run, _ in runs] for name, runs in found.items()}
    used = {name: tuple(s for _, own in runs for s in own) for name, runs in found.items()}
    values = {k: Value(average(own), "accuracy", used[k]) for k, own in shares.items()}
    return claim_set(
        {title(networks[name]): better(student(own, 0.5)) for name, own in shares.items()},
        (ADD, MUL, NONE),
        "runs",
        [source for own in used.values() for source in own],
        (values["mul"], value_pair(mean_interval(shares["mul"]), "accuracy", used["mul"])),
        values=values,
    )


def gains(evidence: Evidence, operators: Sequence[tuple[str, str]]) -> dict[str, Gains]:
    """``add_init``, ``add_end``, ... for (name, variant) pairs, where gains were measured."""
    moments: tuple[Moment, Moment] = ("init", "end")
    found = {
        f"{name}_{moment}": Gains(evidence, variant, moment)
        for name, variant in operators
        for moment in moments
    }
    return {name: gain for name, gain in found.items() if gain.totals}


def _spreads(evidence: Evidence, variant: str) -> list[float]:
    """Of each run, the logarithm of the standard deviation over steps of log10 of the first layer's
    gradient norm. Runs with fewer than two finite norms, or with equal norms, are left out."""
    found = []
    for run in evidence.runs(variant):
        norms = [row[0] for row in run.probes.gradient_norms.norms if row]
        logs = [math.log10(norm) for norm in norms if norm]
        if len(logs) >= 2:
            centre = average(logs)
            spread = math.sqrt(sum((x - centre) ** 2 for x in logs) / (len(logs) - 1))
            if spread > 0:
                found.append(math.log(spread))
    return found


def _norm_sources(evidence: Evidence, variant: str) -> tuple[Source, ...]:
    return tuple(
        Source(run.id, f"probes.gradient_norms.norms.{step}.0")
        for run in evidence.runs(variant)
        for step, row in enumerate(run.probes.gradient_norms.norms)
        if row
    )


def _measured(
    evidence: Evidence, variant: str, moment: Moment, field: str
) -> Iterator[tuple[list[float], list[Source]]]:
    """A field of all blocks, with its sources, of each run that has it."""
    for run in evidence.runs(variant):
        index, probe = probe_at(run, moment)
        found = [getattr(block, field) for block in probe.blocks] if probe else []
        if found and all(number is not None for number in found):
            start = f"probes.block_gains.{index}.blocks"
            yield found, [Source(run.id, f"{start}.{at}.{field}") for at in range(len(found))]


def _power(exponent: float) -> float:
    return float(10 ** max(min(exponent, 300.0), -300.0))


def _factor(logs: Sequence[float], sources: tuple[Source, ...]) -> Effect:
    """The geometric mean over runs with Student's interval, from logarithms to base 10."""
    ends = mean_interval(logs)
    limits = ends and (_power(ends[0]), _power(ends[1]))
    return Value(_power(average(logs)), "gain", sources), value_pair(limits, "gain", sources)
