"""How a block joins h(x) and x. Accuracies are those on validation images, as in the original."""

from dataclasses import replace

from analysis.constants import CHANCE_LOSS, CONSTANTS, LEARNED, MUCH_WORSE, STALLED
from analysis.evidence import Evidence
from analysis.findings.base import (
    Result,
    better,
    by_rule,
    comparison,
    equivalence,
    error_ratio,
    finding,
    negate,
)
from analysis.statistics import most_often
from analysis.values import Source, Value, value

ADD, SUB, MUL, MUL_NOBN = "ResNet18", "ResNet18-sub", "ResNet18-mul", "ResNet18-mul-nobn"
NONE, NONE_NOBN = "PlainNet18", "PlainNet18-nobn"


@finding("sub-equals-add", needs=(ADD, SUB))
def sub_equals_add(evidence: Evidence) -> Result:
    """Subtraction reaches the error rate of addition, within the ratio ``constants.ERROR_RATIO``.

    Equivalence by two one-sided tests; a difference that is not significant would show nothing.
    Against: a ratio that is significantly outside.

    Values: ``add``, ``sub``, ``none`` (validation accuracies), ``difference`` (sub - add),
    ``margin``, ``any_p`` (of any difference, not corrected). Effect: error rate of sub over that of
    add.
    """
    result = equivalence(evidence, SUB, ADD, "validation")
    kinds = {"add": ADD, "sub": SUB, "none": NONE}
    shown = {name: evidence.accuracy(variant, "validation") for name, variant in kinds.items()}
    return replace(result, values={**result.values, **shown})


@finding("sub-above-none", needs=(SUB, NONE))
def sub_above_none(evidence: Evidence) -> Result:
    """Subtraction is more accurate than no shortcut.

    Values: ``sub``, ``none``, ``add`` (validation accuracies), ``difference`` (sub - none). Effect:
    error rate of sub over that of none.
    """
    values = {"add": evidence.accuracy(ADD, "validation")}
    return comparison(evidence, SUB, NONE, names=("sub", "none"), split="validation", values=values)


@finding("mul-much-worse", needs=(ADD, MUL))
def mul_much_worse(evidence: Evidence) -> Result:
    """Multiplication (with BN) makes more than ``constants.MUCH_WORSE_RATIO`` times the errors of
    addition.

    A two-sided test against that margin. Supported by rule if every run with multiplication
    diverged.

    Values: ``add``, ``mul`` (validation accuracies), ``difference`` (mul - add), ``margin``,
    ``chance`` (accuracy of guessing), ``diverged_step`` (the first run's, from 0). Effect: error
    rate of mul over that of add. Facts: ``diverged`` (every run), ``some_diverged``.
    """
    return comparison(
        evidence,
        MUL,
        ADD,
        p=better(negate(evidence.compare(MUL, ADD, "validation").against(-MUCH_WORSE))),
        names=("mul", "add"),
        split="validation",
        values={
            "margin": CONSTANTS["much_worse"],
            "chance": CONSTANTS["chance_accuracy"],
            "diverged_step": divergence_step(evidence, MUL),
        },
        facts={
            "diverged": evidence.diverged(MUL),
            "some_diverged": any(run.status == "diverged" for run in evidence.runs(MUL)),
        },
    )


@finding("mul-nan", needs=(MUL,))
def mul_nan(evidence: Evidence) -> Result:
    """With BN the loss of the multiplying network becomes NaN (or infinite) in training.

    A count: supported if a run diverged. Contradicted if none did and there are enough runs (five)
    to rule out, at the 5 % level, that runs diverge with probability one half. Else inconclusive.

    Values: ``diverged`` (how many runs), ``runs``, ``most`` (exact 95 % upper bound of the share
    that diverges, where none did). Effect: the share.
    """
    runs = evidence.runs(MUL)
    count = sum(run.status == "diverged" for run in runs)
    sources = tuple(Source(run.id, "status") for run in runs)
    most = Value(most_often(len(runs)), "accuracy", sources)
    return Result(
        (MUL,),
        "threshold",
        verdict=by_rule(count > 0, most.value < 0.5),
        sources=sources,
        effect=(Value(count / len(runs), "accuracy", sources), None),
        values={
            "diverged": Value(count, "integer", sources),
            "runs": Value(len(runs), "integer", sources),
            "most": None if count else most,
        },
    )


@finding("mul-nobn-fails", needs=(ADD, MUL_NOBN))
def mul_nobn_fails(evidence: Evidence) -> Result:
    """Multiplication without BN does not train: every run stalls or diverges.

    A run stalls if its last epoch's training loss is above half of the loss of guessing, ln 10
    (``constants.STALLED``); below a quarter (``LEARNED``) it has learned. A rule, not a test:
    contradicted if every run has learned, inconclusive in between.

    Values: ``mul_nobn`` (validation accuracy), ``mul_nobn_loss``, ``first_loss`` (training loss
    after the last and the first epoch), ``chance_loss`` (ln 10), ``diverged_step``. Effect: error
    rate of mul without BN over that of add.
    """
    runs = evidence.runs(MUL_NOBN)
    losses = [
        loss
        for run, loss in zip(runs, evidence.losses(MUL_NOBN, "train_loss"), strict=True)
        if run.status == "finished"
    ]
    stalled = all(loss > STALLED * CHANCE_LOSS for loss in losses)  # true if all runs diverged
    learned = len(losses) == len(runs) and max(losses) < LEARNED * CHANCE_LOSS
    return Result(
        (ADD, MUL_NOBN),
        "threshold" if losses else "diverged",
        verdict=by_rule(stalled, learned),
        effect=(error_ratio(evidence, MUL_NOBN, ADD, "validation")[0], None),
        values={
            "mul_nobn": evidence.accuracy(MUL_NOBN, "validation"),
            "mul_nobn_loss": evidence.loss(MUL_NOBN, "train_loss"),
            "first_loss": evidence.loss(MUL_NOBN, "train_loss", 0),
            "chance_loss": CONSTANTS["chance_loss"],
            "diverged_step": divergence_step(evidence, MUL_NOBN),
        },
    )


def divergence_step(evidence: Evidence, variant: str) -> Value | None:
    """The step at which the first diverged run of a variant diverged."""
    for run in evidence.runs(variant):
        if run.divergence:
            return value(run, "divergence.step", "integer")
    return None


@finding("bn-helps-plain", needs=(NONE, NONE_NOBN))
def bn_helps_plain(evidence: Evidence) -> Result:
    """PlainNet-18 is more accurate with BN than without.

    Values: ``with_bn``, ``without`` (test accuracies), ``difference`` (with - without). Effect:
    error rate with BN over that without.
    """
    return comparison(evidence, NONE, NONE_NOBN, names=("with_bn", "without"))
