"""How blocks scale the gradient. The unit of the tests is the run, the quantity its total gain."""

import math
from collections.abc import Sequence
from typing import Literal

from analysis.constants import CONSTANTS, GAIN_BOUND
from analysis.evidence import Evidence, title
from analysis.findings.base import (
    NO_EFFECT,
    Effect,
    Measured,
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
from analysis.statistics import OneSided, difference_interval, mean_interval, slope, student, welch
from analysis.values import Source, Value
from experiments.record import GainProbe, Record

Moment = Literal["init", "end"]
#: Networks with and without shortcuts by depth.
DEPTHS = {depth: (f"PlainNet{depth}", f"ResNet{depth}") for depth in (18, 34, 50, 101)}
#: log10 that represents a gain of 0.
_VANISHED = -12.0


class Gains:
    """The gains of a network's blocks (or the ``part`` through h(x)) before or after training, as
    log10.

    Runs with a gain that is not finite are left out.

    Attributes:
        totals: of each run, log10 of the product over the blocks.
        means: of each run, the mean of log10 over the blocks.
        blocks: of each block, the mean of log10 over the runs.
        sources: the gains' record fields.
    """

    def __init__(
        self, evidence: Evidence, variant: str, moment: Moment, part: str = "gain"
    ) -> None:
        found, self.sources = _measured(evidence, variant, moment, part)
        runs = [[math.log10(gain) if gain > 0 else _VANISHED for gain in own] for own in found]
        self.totals = [sum(logs) for logs in runs]
        self.means = [average(logs) for logs in runs]
        self.blocks = [average(logs) for logs in zip(*runs, strict=False)]

    def values(self, name: str) -> dict[str, Value | None]:
        """``name`` (geometric mean over the blocks), ``name_least``, ``name_most`` (blocks), and
        ``name_total`` (log10 of the total gain, mean over the runs)."""
        if not self.totals:
            return {}
        ends = {"least": min(self.blocks), "most": max(self.blocks)}
        return {
            name: _gain(average(self.means), self.sources),
            **{f"{name}_{end}": _gain(log, self.sources) for end, log in ends.items()},
            f"{name}_total": Value(average(self.totals), "gain", self.sources),
        }


def probe_at(run: Record, moment: Moment) -> tuple[int, GainProbe | None]:
    """The probe before training (``init``), or the last one after training, with its index."""
    probes = run.probes.block_gains
    index = len(probes) - 1 if moment == "end" else 0
    found = bool(probes) and (probes[index].step > 0) == (moment == "end")
    return (index, probes[index]) if found else (0, None)


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
    at initialisation, mean over the runs), ``plain18_end`` ... (after training), ``plain_deepest``,
    ``residual_deepest`` (of the deepest pair recorded, as a factor), ``depth`` (its layers).
    Effect: the deepest pair's difference of log10. Facts: ``explodes`` (the plain networks' gain is
    above 1).
    """
    pairs = {d: [Gains(evidence, v, "init") for v in pair] for d, pair in DEPTHS.items()}
    pairs = {d: pair for d, pair in pairs.items() if all(gains.totals for gains in pair)}
    if not pairs:
        return Result((), "", verdict=Verdict.NOT_TESTABLE, missing=("PlainNet18", "ResNet18"))
    depths = [depth for depth, (plain, _) in pairs.items() for _ in plain.totals]
    sizes = [abs(total) for plain, _ in pairs.values() for total in plain.totals]
    steepness, error, p = slope(depths, sizes)
    parts = {f"PlainNet-{'/'.join(map(str, pairs))}": better(p)}
    values: dict[str, Value | None] = {}
    sources: list[Source] = []
    for depth, pair in pairs.items():
        departures = [[abs(total) for total in gains.totals] for gains in pair]
        parts["/".join(map(title, DEPTHS[depth]))] = better(welch(*departures))
        for name, variant, gains in zip(("plain", "residual"), DEPTHS[depth], pair, strict=True):
            after = Gains(evidence, variant, "end").values(name)
            values[f"{name}{depth}"] = gains.values(name)[f"{name}_total"]
            values[f"{name}{depth}_end"] = after.get(f"{name}_total")
            sources += gains.sources
    plain, residual = pairs[max(pairs)]
    values |= {
        "depth": Value(max(pairs), "integer", ()),
        "plain_deepest": _gain(average(plain.totals), plain.sources),
        "residual_deepest": _gain(average(residual.totals), residual.sources),
    }
    if math.isfinite(error):
        values["slope"] = Value(steepness, "gain", tuple(sources))
    unique = tuple(sorted({*plain.sources, *residual.sources}))
    ends = difference_interval(plain.totals, residual.totals)
    apart = Value(average(plain.totals) - average(residual.totals), "gain", unique)
    return claim_set(
        parts,
        [variant for depth in pairs for variant in DEPTHS[depth]],
        "runs",
        sources,
        (apart, value_pair(ends, "gain", unique)),
        values=values,
        facts={"explodes": average(plain.totals) > 0},
    )


@finding("gain-add-sub-near-one", needs=(ADD, SUB))
def gain_add_sub_near_one(evidence: Evidence) -> Result:
    """With addition and with subtraction the geometric mean gain per block is between 1/2 and 2
    (``constants.GAIN_BOUND``), at initialisation and at the end of training.

    Student's t test over runs of the mean logarithm against either bound, for each operator and
    moment (``claim_set``).

    Values: ``add_init``, ``add_end``, ``sub_init``, ``sub_end`` (geometric means over the blocks),
    for comparison ``none_init``, ``none_end``, each with ``_least``, ``_most`` (blocks) and
    ``_total``; ``bound``. Effect: ``add_end``. Facts: ``none_within`` (the mean without shortcut is
    within the bounds as well).
    """
    moments: tuple[Moment, ...] = ("init", "end")
    networks = {"add": ADD, "sub": SUB, "none": NONE}
    gains = {
        (name, moment): Gains(evidence, variant, moment)
        for name, variant in networks.items()
        for moment in moments
    }
    bound = math.log10(GAIN_BOUND)
    parts = {}
    values: dict[str, Value | None] = {"bound": CONSTANTS["gain_bound"]}
    sources: list[Source] = []
    for (name, moment), gain in gains.items():
        values |= gain.values(f"{name}_{moment}")
        if name != "none" and gain.totals:
            above, below = student(gain.means, -bound), student(gain.means, bound)
            inside = max(above.greater, below.less)
            outside = min(1.0, 2 * min(above.less, below.greater))
            part = f"{title(networks[name])} (t = {'0' if moment == 'init' else 'T'})"
            parts[part] = OneSided(inside, outside)
            sources += gain.sources
    none = [log for moment in moments for log in gains["none", moment].means]
    facts = {"none_within": all(abs(log) <= bound for log in none)}
    end = gains["add", "end"]
    effect = _factor(end.means, end.sources)
    return claim_set(parts, (ADD, SUB), "runs", sources, effect, values=values, facts=facts)


@finding("branch-gain-small", needs=(ADD, NONE), untrained=True)
def branch_gain_small(evidence: Evidence) -> Result:
    """At initialisation the gain through h(x) (geometric mean over the blocks) is below 1, with
    addition and without shortcut (Student over runs, ``claim_set``).

    Values: ``add_init``, ``none_init`` with ``_least``, ``_most``, ``_total``. Effect:
    ``add_init``.
    """
    add, none = (Gains(evidence, variant, "init", "branch") for variant in (ADD, NONE))
    found = {title(v): gain.means for v, gain in ((ADD, add), (NONE, none)) if gain.means}
    return claim_set(
        {name: better(negate(student(means, 0.0))) for name, means in found.items()},
        (ADD, NONE),
        "runs",
        [*add.sources, *none.sources],
        _factor(add.means, add.sources),
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
    totals = Gains(evidence, MUL, "init")
    values: dict[str, Value | None] = {}
    if totals.totals:
        values["mul_least"] = _gain(min(totals.totals), totals.sources)
        values["mul_most"] = _gain(max(totals.totals), totals.sources)
    if not (add.runs and mul.runs):
        return Result((ADD, MUL), "runs", verdict=Verdict.INCONCLUSIVE, values=values)
    for name, spreads in (("add", add), ("mul", mul)):
        values[f"{name}_spread"] = Value(math.exp(average(spreads.runs)), "gain", spreads.sources)
    sources = (*add.sources, *mul.sources)
    return Result(
        (ADD, MUL),
        "runs",
        p=better(welch(mul.runs, add.runs)),
        sources=sources,
        effect=log_ratio(mul.runs, add.runs, sources),
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

    Values: ``add``, ``mul``, ``none`` (shares). Effect: ``mul``. Not testable without the
    measurement.
    """
    networks = {"add": ADD, "mul": MUL, "none": NONE}
    shares = {}
    for name, variant in networks.items():
        found, sources = _measured(evidence, variant, "init", "input_below_one")
        shares[name] = Measured([average(own) for own in found], sources)
    if missing := tuple(networks[name] for name, own in shares.items() if not own.runs):
        return Result((), "", verdict=Verdict.NOT_TESTABLE, missing=missing)
    return claim_set(
        {title(networks[name]): better(student(own.runs, 0.5)) for name, own in shares.items()},
        (ADD, MUL, NONE),
        "runs",
        [source for own in shares.values() for source in own.sources],
        shares["mul"].effect("accuracy"),
        values={name: own.mean("accuracy") for name, own in shares.items()},
    )


def _spreads(evidence: Evidence, variant: str) -> Measured:
    """Of each run, the logarithm of the standard deviation over steps of log10 of the first layer's
    gradient norm. Runs with fewer than two finite norms, or with equal norms, are left out."""
    found = []
    sources: list[Source] = []
    for run in evidence.runs(variant):
        norms = {at: row[0] for at, row in enumerate(run.probes.gradient_norms.norms) if row}
        sources += [Source(run.id, f"probes.gradient_norms.norms.{at}.0") for at in norms]
        logs = [math.log10(norm) for norm in norms.values() if norm]
        if len(set(logs)) > 1:
            squares = sum((x - average(logs)) ** 2 for x in logs)
            found.append(math.log(math.sqrt(squares / (len(logs) - 1))))
    return Measured(found, tuple(sources))


def _measured(
    evidence: Evidence, variant: str, moment: Moment, field: str
) -> tuple[list[list[float]], tuple[Source, ...]]:
    """A field of all blocks of each run that has it, and the sources."""
    numbers = []
    sources: list[Source] = []
    for run in evidence.runs(variant):
        index, probe = probe_at(run, moment)
        found = [getattr(block, field) for block in probe.blocks] if probe else []
        if found and None not in found:
            start = f"probes.block_gains.{index}.blocks"
            numbers.append(found)
            sources += [Source(run.id, f"{start}.{at}.{field}") for at in range(len(found))]
    return numbers, tuple(sources)


def _power(exponent: float) -> float:
    return float(10 ** max(min(exponent, 300.0), -300.0))


def _gain(log: float, sources: tuple[Source, ...]) -> Value:
    return Value(_power(log), "gain", sources)


def _factor(logs: Sequence[float], sources: tuple[Source, ...]) -> Effect:
    """The geometric mean over runs with Student's interval, from logarithms to base 10."""
    if not logs:
        return NO_EFFECT
    ends = mean_interval(logs)
    limits = ends and (_power(ends[0]), _power(ends[1]))
    return _gain(average(logs), sources), value_pair(limits, "gain", sources)
