"""How a block joins h(x) and x. Accuracies are of the validation images, as in the original."""

from __future__ import annotations

import math
from collections.abc import Sequence

from analysis.constants import (
    CHANCE_LOSS,
    CONSTANTS,
    GAIN_BOUND,
    LEARNED,
    MARGIN,
    MUCH_WORSE,
    STALLED,
)
from analysis.evidence import Evidence
from analysis.findings.model import (
    Result,
    Verdict,
    better,
    difference,
    every,
    finding,
    interval,
    negate,
)
from analysis.statistics import ALPHA, OneSided, student
from analysis.values import Source, Value
from experiments.record import GainProbe, Record

ADD, SUB, MUL, MUL_NOBN, NONE = (
    "ResNet18",
    "ResNet18-sub",
    "ResNet18-mul",
    "ResNet18-mul-nobn",
    "PlainNet18",
)
#: The logarithm that stands for a gain of 0.
_VANISHED = math.log(1e-12)


@finding("sub-equals-add", family="operators", needs=(ADD, SUB))
def sub_equals_add(evidence: Evidence) -> Result:
    """Subtraction reaches the accuracy of addition, within the margin of ``constants.MARGIN``.

    Equivalence by two one-sided tests; a difference that is not significant would show nothing.
    Against: a difference that significantly exceeds the margin.

    Values: ``add``, ``sub`` (validation accuracies), ``add_loss``, ``sub_loss`` (training, last
    epoch), ``margin``, ``mcnemar_p`` (McNemar, or across seeds, for a difference at all; not
    corrected), ``images`` (validation images). Effect: sub less add. Facts: ``sub_diverged``.
    """
    contrast = evidence.compare(SUB, ADD, "validation")
    outside = contrast.against(-MARGIN).less, contrast.against(MARGIN).greater
    sources = evidence.sources((ADD, SUB), "validation")
    add, sub = evidence.accuracy(ADD, "validation"), evidence.accuracy(SUB, "validation")
    return Result(
        (ADD, SUB),
        "seeds" if contrast.test == "seeds" else "equivalence",
        p=OneSided(contrast.equivalent(MARGIN), min(1.0, 2 * min(outside))),
        sources=sources,
        effect=difference(sub, add),
        interval=interval(contrast, sources),
        values={
            "add": add,
            "sub": sub,
            "add_loss": evidence.loss(ADD, "train_loss"),
            "sub_loss": evidence.loss(SUB, "train_loss"),
            "margin": CONSTANTS["margin"],
            "mcnemar_p": Value(contrast.zero.two_sided, "p", sources),
            "images": evidence.mean(ADD, "validation.images", "count"),
        },
        facts={"sub_diverged": evidence.diverged(SUB)},
    )


@finding("mul-much-worse", family="operators", needs=(ADD, MUL))
def mul_much_worse(evidence: Evidence) -> Result:
    """Multiplication (with BN) is worse than addition by more than ``constants.MUCH_WORSE``.

    One-sided tests against that margin. A network all of whose runs diverged supports it outright.

    Values: ``add``, ``mul`` (validation accuracies), ``add_loss``, ``mul_loss`` (training, last
    epoch), ``margin``, ``chance`` (accuracy of guessing), ``diverged_step`` (the first run's, from
    0). Effect: mul less add. Facts: ``diverged`` (every run), ``some_diverged``.
    """
    add, mul = evidence.accuracy(ADD, "validation"), evidence.accuracy(MUL, "validation")
    sources = evidence.sources((ADD, MUL), "validation")
    contrast = evidence.compare(MUL, ADD, "validation")
    against = contrast.against(-MUCH_WORSE)
    diverged = evidence.diverged(MUL) and not evidence.diverged(ADD)
    return Result(
        (ADD, MUL),
        "diverged" if diverged else "seeds" if contrast.test == "seeds" else "margin",
        p=None if diverged else OneSided(against.less, against.greater),
        verdict=Verdict.SUPPORTED if diverged else None,
        sources=sources,
        effect=difference(mul, add),
        interval=None if diverged else interval(contrast, sources),
        values={
            "add": add,
            "mul": mul,
            "add_loss": evidence.loss(ADD, "train_loss"),
            "mul_loss": evidence.loss(MUL, "train_loss"),
            "margin": CONSTANTS["much_worse"],
            "chance": CONSTANTS["chance_accuracy"],
            "diverged_step": divergence_step(evidence, MUL),
        },
        facts={
            "diverged": evidence.diverged(MUL),
            "some_diverged": any(run.status == "diverged" for run in evidence.runs(MUL)),
        },
    )


@finding("mul-nobn-fails", family="operators", needs=(ADD, MUL_NOBN))
def mul_nobn_fails(evidence: Evidence) -> Result:
    """Multiplication without BN does not train: every run stalls or diverges.

    A run stalls if its last epoch's training loss is above half of the loss of guessing, ln 10
    (``constants.STALLED``); below a quarter (``LEARNED``) it has learned. A rule, not a test:
    contradicted if every run has learned, inconclusive in between.

    Values: ``mul_nobn``, ``add`` (validation accuracies), ``mul_nobn_loss``, ``add_loss``
    (training, last epoch), ``first_loss`` (first epoch's training loss of mul without BN),
    ``chance_loss`` (ln 10), ``threshold``, ``diverged_step``. Effect: mul without BN less add.
    Facts: ``diverged`` (every run), ``some_diverged``, ``stalled`` (every run that did not
    diverge).
    """
    runs = evidence.runs(MUL_NOBN)
    losses = [
        loss
        for run, loss in zip(runs, evidence.losses(MUL_NOBN, "train_loss"), strict=True)
        if run.status == "finished"
    ]
    stalled = [loss > STALLED * CHANCE_LOSS for loss in losses]
    verdict = Verdict.INCONCLUSIVE
    if all(stalled):  # of all that did not diverge, if any
        verdict = Verdict.SUPPORTED
    elif len(losses) == len(runs) and max(losses) < LEARNED * CHANCE_LOSS:
        verdict = Verdict.CONTRADICTED
    add, mul = evidence.accuracy(ADD, "validation"), evidence.accuracy(MUL_NOBN, "validation")
    return Result(
        (ADD, MUL_NOBN),
        "threshold" if losses else "diverged",
        verdict=verdict,
        effect=difference(mul, add),
        values={
            "mul_nobn": mul,
            "add": add,
            "mul_nobn_loss": evidence.loss(MUL_NOBN, "train_loss"),
            "add_loss": evidence.loss(ADD, "train_loss"),
            "first_loss": evidence.loss(MUL_NOBN, "train_loss", 0),
            "chance_loss": CONSTANTS["chance_loss"],
            "threshold": CONSTANTS["stalled_loss"],
            "diverged_step": divergence_step(evidence, MUL_NOBN),
        },
        facts={
            "diverged": not losses,
            "some_diverged": len(losses) < len(runs),
            "stalled": bool(losses) and all(stalled),
        },
    )


def divergence_step(evidence: Evidence, variant: str) -> Value | None:
    """The step at which the first diverged run of a variant diverged."""
    for run in evidence.runs(variant):
        if run.divergence:
            source = Source(run.id, "divergence.step")
            return Value(run.divergence.step, "integer", (source,))
    return None


class Gains:
    """The gains of an operator's blocks, at initialisation or at the end of training.

    ``logs``: the logarithm of each block's gain, averaged over the runs; blocks without a finite
    gain are left out.
    """

    def __init__(self, evidence: Evidence, variant: str, *, end: bool) -> None:
        blocks: dict[str, list[float]] = {}
        sources = []
        for run in evidence.runs(variant):
            index, probe = _probe(run, end=end)
            if probe is None:
                continue
            for position, block in enumerate(probe.blocks):
                if block.gain is not None:
                    log = math.log(block.gain) if block.gain > 0 else _VANISHED
                    blocks.setdefault(block.block, []).append(log)
                    field = f"probes.block_gains.{index}.blocks.{position}.gain"
                    sources.append(Source(run.id, field))
        self.logs = [sum(logs) / len(logs) for logs in blocks.values()]
        self.sources = tuple(sources)

    def value(self, number: float) -> Value:
        """A gain from its logarithm."""
        return Value(math.exp(number), "gain", self.sources)

    def values(self, name: str) -> dict[str, Value | None]:
        """``name`` (geometric mean over the blocks), ``name_least`` and ``name_most``."""
        if not self.logs:
            return {}
        return {
            name: self.value(sum(self.logs) / len(self.logs)),
            f"{name}_least": self.value(min(self.logs)),
            f"{name}_most": self.value(max(self.logs)),
        }


def _probe(run: Record, *, end: bool) -> tuple[int, GainProbe | None]:
    """The first probe, before training, or the last, after some; with its index."""
    probes = run.probes.block_gains
    if end:
        last = len(probes) - 1
        return (last, probes[last]) if probes and probes[last].step > 0 else (0, None)
    return (0, probes[0]) if probes and probes[0].step == 0 else (0, None)


def gains(evidence: Evidence, operators: Sequence[tuple[str, str]]) -> dict[str, Gains]:
    """``add_init``, ``add_end``, ... for (name, variant) pairs, where gains were measured."""
    found = {
        f"{name}_{moment}": Gains(evidence, variant, end=moment == "end")
        for name, variant in operators
        for moment in ("init", "end")
    }
    return {name: gain for name, gain in found.items() if gain.logs}


@finding("gain-add-sub-near-one", family="gains", needs=(ADD, SUB))
def gain_add_sub_near_one(evidence: Evidence) -> Result:
    """With addition and with subtraction the blocks pass the gradient on at a gain near 1: their
    geometric mean is from 1/2 to 2 (``constants.GAIN_BOUND``), at initialisation and at the end
    of training.

    The blocks of the network are the units: Student's t test of the logarithms against either
    bound, for each operator and moment, joined as equivalence tests (intersection-union). Blocks of
    one network are not independent, so this describes these networks, not all.

    Values: ``add_init``, ``add_end``, ``sub_init``, ``sub_end`` (geometric means over the blocks),
    each with ``_least`` and ``_most``; ``bound``. Effect: ``add_init``. Facts: ``all_within``
    (every single block is within the bounds).
    """
    measured = gains(evidence, (("add", ADD), ("sub", SUB)))
    bound = math.log(GAIN_BOUND)
    parts = []
    for gain in measured.values():
        above, below = student(gain.logs, -bound), student(gain.logs, bound)
        inside = max(above.greater, below.less)
        parts.append(OneSided(inside, min(1.0, 2 * min(above.less, below.greater))))
    values: dict[str, Value | None] = {"bound": CONSTANTS["gain_bound"]}
    for name, gain in measured.items():
        values |= gain.values(name)
    return Result(
        (ADD, SUB),
        "blocks",
        p=every(parts) if parts else None,
        verdict=None if parts else Verdict.INCONCLUSIVE,
        sources=_sources(measured),
        effect=values.get("add_init"),
        values=values,
        facts={"all_within": all(abs(x) <= bound for g in measured.values() for x in g.logs)},
    )


@finding("gain-none-mul-shrinks", family="gains", needs=(NONE, MUL))
def gain_none_mul_shrinks(evidence: Evidence) -> Result:
    """Without shortcut and with multiplication (with BN and, where run, without) the blocks shrink
    the gradient: the geometric mean of their gains is below 1, at initialisation and at the end.

    The blocks are the units: Student's t test of the logarithms against 0, two-sided, for each
    operator and moment; each must be below (intersection-union). Against: one of them is above.
    Gains that are not finite (diverged) are left out.

    Values: ``none_init``, ``none_end``, ``mul_init``, ``mul_end``, ``mul_nobn_init``,
    ``mul_nobn_end`` (geometric means), each with ``_least`` and ``_most``; for comparison
    ``add_init``, ``add_end`` likewise. Effect: ``none_init``. Facts: for each of the six
    ``<name>_direction``: ``below``, ``above`` or ``unclear`` at the level before correction.
    """
    measured = gains(evidence, (("none", NONE), ("mul", MUL), ("mul_nobn", MUL_NOBN)))
    parts = {name: negate(student(gain.logs, 0.0)) for name, gain in measured.items()}
    values: dict[str, Value | None] = {}
    for name, gain in (measured | gains(evidence, [("add", ADD)])).items():
        values |= gain.values(name)
    return Result(
        [NONE, MUL, *evidence.present([MUL_NOBN])],
        "blocks",
        p=better(every(list(parts.values()))) if parts else None,
        verdict=None if parts else Verdict.INCONCLUSIVE,
        sources=_sources(measured),
        effect=values.get("none_init"),
        values=values,
        facts={f"{name}_direction": direction(part) for name, part in parts.items()},
    )


def direction(below: OneSided) -> str:
    """Where the gains lie, from evidence for them to be below 1."""
    if 2 * below.greater < ALPHA:
        return "below"
    return "above" if 2 * below.less < ALPHA else "unclear"


def _sources(measured: dict[str, Gains]) -> tuple[Source, ...]:
    return tuple(sorted({source for gain in measured.values() for source in gain.sources}))
