"""Errors and omissions of the original; the hypothesis is that the original is wrong."""

import math
from itertools import count

from analysis import original
from analysis.constants import CONSTANTS, PAPER_PARAMETERS, SOFTMAX_FLOOR
from analysis.evidence import Evidence, correct
from analysis.findings.base import (
    Result,
    Verdict,
    better,
    difference,
    error_ratio,
    finding,
    negate,
    ratio,
)
from analysis.records import value
from analysis.statistics import ALPHA, mcnemar, ranks, wilson
from analysis.values import Source, Value

RESNET, SOFTMAX = "ResNet18", "ResNet18-softmax"
#: Tolerance for losses, which are stored to five significant digits.
_ROUNDING = 1e-4


@finding("macs-batch-of-four", of_original=True)
def macs_batch_of_four(evidence: Evidence) -> Result:
    """The original's column of MACs is that of a batch of four images (LeNet: of one): our count of
    one image, times four, rounds to each printed figure.

    Arithmetic on torchinfo's counts at 224 px (LeNet: 28), for every network of the original's
    table that was run; supported if all agree.

    Values: for each (``resnet18`` ...) the MACs of one image, ``<name>_batch`` (times four, or
    one) and ``<name>_original`` (as printed); ``batch`` (4), ``checked`` and ``agreeing`` (how many
    networks). Effect: the MACs of one image of ResNet-18, where run.
    """
    values: dict[str, Value | None] = {"batch": Value(4, "integer", ())}
    checked: list[bool] = []
    sources: tuple[Source, ...] = ()
    rows = original.load().network
    variants = evidence.present(tuple(rows))
    if not any(rows[network].macs_images > 1 for network in variants):
        missing = evidence.missing(tuple(rows))
        return Result(variants, "", verdict=Verdict.NOT_TESTABLE, missing=missing)
    for network in variants:
        row, one = rows[network], evidence.size(network, "macs.torchinfo", "macs")
        batch = Value.derived(one.value * row.macs_images, "macs", one)
        name = network.lower()
        values |= {name: one, f"{name}_batch": batch}
        values[f"{name}_original"] = original.figure(network, "macs")
        checked.append(round(batch.value / row.macs_step) == round(row.macs / row.macs_step))
        sources += one.sources
    values["checked"] = Value(len(checked), "integer", sources)
    values["agreeing"] = Value(sum(checked), "integer", sources)
    return Result(
        variants,
        "arithmetic",
        verdict=Verdict.SUPPORTED if all(checked) else Verdict.CONTRADICTED,
        effect=(values.get("resnet18"), None),
        values=values,
    )


@finding("widths-not-paper", needs=("ResNet50", "ResNet101"), of_original=True)
def widths_not_paper(evidence: Evidence) -> Result:
    """The original's ResNet-50 and -101 are not He et al.'s: the networks that have its parameter
    counts differ from the paper's with the same ten-way adaptor.

    Arithmetic: our counts equal the original's and differ from torchvision's plus the adaptor.

    Values: ``params50``, ``params101`` (as run), ``original50``, ``original101``, ``paper50``,
    ``paper101`` (of the recorded ``paper`` variants, else by definition), ``ratio50``, ``ratio101``
    (as run over paper), ``accuracy50``, ``accuracy101``; where the variants were run
    ``paper_accuracy50``, ``paper_accuracy101``, ``difference50``, ``difference101`` (as run less
    paper), ``p50``, ``p101`` (of the difference, not corrected). Effect: ``ratio50``. Facts:
    ``paper_run`` (both variants were).
    """
    values: dict[str, Value | None] = {}
    differ, used = [], []
    for depth in ("50", "101"):
        network, paper = f"ResNet{depth}", f"ResNet{depth}-paper"
        count = evidence.size(network, "parameters", "params")
        theirs = Value(PAPER_PARAMETERS[network], "params", ())
        printed = original.figure(network, "parameters")
        differ.append(count.value == printed.value != PAPER_PARAMETERS[network])
        used.append(network)
        values |= {
            f"params{depth}": count,
            f"original{depth}": Value(printed.value, "params", ()),
            f"accuracy{depth}": evidence.accuracy(network),
        }
        if evidence.runs(paper):
            used.append(paper)
            theirs = evidence.size(paper, "parameters", "params")
            accuracy = evidence.accuracy(paper)
            p = evidence.compare(network, paper).zero.two_sided
            values |= {
                f"paper_accuracy{depth}": accuracy,
                f"difference{depth}": difference(evidence.accuracy(network), accuracy),
                f"p{depth}": Value(p, "p", evidence.sources((network, paper))),
            }
        values |= {f"paper{depth}": theirs, f"ratio{depth}": ratio(count, theirs)}
    return Result(
        used,
        "arithmetic",
        verdict=Verdict.SUPPORTED if all(differ) else Verdict.CONTRADICTED,
        effect=(values["ratio50"], None),
        values=values,
        facts={"paper_run": len(used) == 4},
    )


@finding("softmax-floor", needs=(SOFTMAX,))
def softmax_floor(evidence: Evidence) -> Result:
    """With a Softmax in front of a cross-entropy that takes logits, no loss falls below
    -log(e/(e+9)) = 1.4612, and none that we measured did.

    Arithmetic, and every epoch's training and validation loss of ResNet-18 with Softmax.

    Values: ``floor``; ``lowest`` (the least of those losses), ``without`` (training loss of
    ResNet-18 without, last epoch). Effect: lowest. Facts: ``without_below`` (that is below the
    floor).
    """
    found = [
        value(run, f"history.{index}.{field}", "loss")
        for run in evidence.runs(SOFTMAX)
        for index in range(len(run.history))
        for field in ("train_loss", "validation_loss")
    ]
    if not found:
        return Result((SOFTMAX,), "arithmetic", verdict=Verdict.INCONCLUSIVE)
    least = min(found, key=lambda item: item.value)
    lowest = Value.derived(least.value, "loss", found)
    without = evidence.loss(RESNET, "train_loss")
    above = lowest.value >= SOFTMAX_FLOOR - _ROUNDING
    return Result(
        (SOFTMAX, *evidence.present((RESNET,))),
        "arithmetic",
        verdict=Verdict.SUPPORTED if above else Verdict.CONTRADICTED,
        effect=(lowest, None),
        values={"floor": CONSTANTS["softmax_floor"], "lowest": lowest, "without": without},
        facts={"without_below": without is not None and without.value < SOFTMAX_FLOOR},
    )


@finding("softmax-slows", needs=(RESNET, SOFTMAX))
def softmax_slows(evidence: Evidence) -> Result:
    """After the same training ResNet-18 with Softmax is less accurate than without. Exact rank test
    over runs, because a run that never learns a class is an outlier.

    Values: ``with_softmax``, ``without`` (test accuracies), ``with_runs``, ``without_runs``; where
    a run never predicts a class ``unlearnt_runs`` (how many), ``unlearnt_class``, ``unlearnt_seed``
    (of the first). Effect: error rate with over that without. Facts: ``separate`` (every run with
    is below every run without), ``unlearnt``.
    """
    slow, fast = (evidence.scores(variant) for variant in (SOFTMAX, RESNET))
    unlearnt = [
        (run, min(absent))
        for run in evidence.finished(SOFTMAX)
        if run.test and (absent := {*range(10)} - {*map(int, run.test.predictions)})
    ]
    values: dict[str, Value | None] = {
        "with_softmax": evidence.accuracy(SOFTMAX),
        "without": evidence.accuracy(RESNET),
        "with_runs": Value(len(slow), "integer", evidence.sources((SOFTMAX,))),
        "without_runs": Value(len(fast), "integer", evidence.sources((RESNET,))),
    }
    if unlearnt:
        run, digit = unlearnt[0]
        used = (Source(run.id, "test.predictions"),)
        values["unlearnt_runs"] = Value(len(unlearnt), "integer", used)
        values["unlearnt_class"] = Value(digit, "integer", used)
        values["unlearnt_seed"] = value(run, "config.seed", "integer")
    return Result(
        (RESNET, SOFTMAX),
        "ranks",
        p=better(negate(ranks(slow, fast))),
        sources=evidence.sources((RESNET, SOFTMAX)),
        effect=error_ratio(evidence, SOFTMAX, RESNET),
        values=values,
        facts={"separate": max(slow) < min(fast), "unlearnt": bool(unlearnt)},
    )


@finding("softmax-slows-start", needs=(RESNET, SOFTMAX))
def softmax_slows_start(evidence: Evidence) -> Result:
    """After the first epoch ResNet-18 with Softmax is less accurate on the validation images: exact
    rank test over runs.

    Values: ``with_first``, ``without_first`` (validation accuracies after the first epoch).
    Effect: their difference.
    """
    field = "history.0.validation_accuracy"
    runs = [evidence.runs(variant) for variant in (SOFTMAX, RESNET)]
    # A run without a first epoch diverged in it: the worst outcome.
    slow, fast = (
        [run.history[0].validation_accuracy if run.history else -math.inf for run in own]
        for own in runs
    )
    sources = tuple(Source(r.id, field if r.history else "status") for own in runs for r in own)
    first, second = (evidence.mean(variant, field, "accuracy") for variant in (SOFTMAX, RESNET))
    return Result(
        (RESNET, SOFTMAX),
        "ranks",
        p=better(negate(ranks(slow, fast))),
        sources=sources,
        effect=(difference(first, second), None),
        values={"with_first": first, "without_first": second},
    )


@finding("digits-not-significant", of_original=True)
def digits_not_significant(evidence: Evidence) -> Result:
    """On 10,000 test images 98.85 % and 98.88 % cannot be told apart.

    A bound that needs no predictions: the accuracies differ by three images. The exact McNemar
    p-value is smallest if only these three images are discordant. That p-value is the effect;
    supported if it exceeds the level.

    Values: ``first``, ``second`` (98.85 %, 98.88 %: the original's ResNet-34 and SE-ResNet-34),
    ``images``, ``images_apart`` (3), ``least_p``, ``needed`` (the fewest images apart that could be
    significant), ``first_low``, ``first_high``, ``second_low``, ``second_high`` (Wilson 95 %); from
    our own first runs of the two, where paired: ``discordant`` (images that exactly one got right)
    and ``detectable`` (the least difference significant with as many discordant).
    """
    first = original.figure("ResNet34", "accuracy")
    second = original.figure("SEResNet34", "accuracy")
    images = 10_000
    apart = round(abs(second.value - first.value) * images)
    least = mcnemar(apart, 0).two_sided
    needed = next(lead for lead in count(1) if mcnemar(lead, 0).two_sided < ALPHA)
    values: dict[str, Value | None] = {
        "first": first,
        "second": second,
        "images": Value(images, "count", ()),
        "images_apart": Value(apart, "integer", ()),
        "least_p": Value(least, "p", ()),
        "needed": Value(needed, "integer", ()),
    }
    for name, figure in (("first", first), ("second", second)):
        low, high = wilson(figure.value, images)
        values[f"{name}_low"] = Value(low, "accuracy", ())
        values[f"{name}_high"] = Value(high, "accuracy", ())
    networks = ("ResNet34", "SEResNet34")
    runs = [run for network in networks for run in evidence.finished(network)[:1]]
    rows = [correct(run, "test") for run in runs]
    paired = len(rows) == 2 and len(rows[0]) == len(rows[1])
    if paired:
        discordant = int((rows[0] ^ rows[1]).sum())
        sources = tuple(Source(run.id, "test.predictions") for run in runs)
        values["discordant"] = Value(discordant, "count", sources)
        share = _significant_lead(discordant, needed) / len(rows[0])
        values["detectable"] = Value(share, "difference", sources)
    return Result(
        networks if paired else (),
        "arithmetic",
        verdict=Verdict.SUPPORTED if least > ALPHA else Verdict.CONTRADICTED,
        effect=(values["least_p"], None),
        values=values,
    )


def _significant_lead(discordant: int, fewest: int) -> int:
    """The smallest difference in images that McNemar's test finds significant among ``discordant``
    images; ``fewest`` without any."""
    for lead in range(discordant % 2, discordant + 1, 2):
        if mcnemar((discordant + lead) // 2, (discordant - lead) // 2).two_sided < ALPHA:
            return lead
    return discordant or fewest


@finding("image-size", of_original=True)
def image_size(evidence: Evidence) -> Result:
    """MNIST's images are 28 x 28 pixels, not 22 x 22 as the original states.

    By the definition of the data set, against which every download is verified. LeNet's runs, the
    only ones without a resize, have this input size.

    Values: ``side`` (28), ``stated`` (22), ``lenet_input`` (of LeNet's run). Effect: side.
    """
    side = CONSTANTS["mnist_size"]
    return Result(
        evidence.present(("LeNet",)),
        "arithmetic",
        verdict=Verdict.SUPPORTED,
        effect=(side, None),
        values={
            "side": side,
            "stated": CONSTANTS["original_size_claim"],
            "lenet_input": evidence.mean("LeNet", "config.input_size", "integer"),
        },
    )
