"""Verdicts follow the records: alter a record, and the finding that rests on it changes."""

from __future__ import annotations

import functools
import math
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest

import models
from analysis import original
from analysis.constants import CONSTANTS, PAPER_PARAMETERS
from analysis.findings import Finding, Verdict, evaluate
from analysis.findings.base import REGISTRY, TESTS
from analysis.records import Records, value
from analysis.values import Value
from experiments import study
from experiments.record import Record
from tests.factory import SIZES, Outcome, any_records, make, outcome

S, C, U, N, M = (
    Verdict.SUPPORTED,
    Verdict.CONTRADICTED,
    Verdict.INCONCLUSIVE,
    Verdict.NOT_TESTABLE,
    Verdict.MIXED,
)


def verdict(name: str, **kwargs: object) -> Verdict:
    return evaluate(make(**kwargs))[name].verdict  # type: ignore[arg-type]


@functools.cache
def _standard() -> Records:
    return make(profile="standard")


def standard(specs: dict[str, Outcome]) -> dict[str, Finding]:
    """Findings of the standard profile, in which every finding's networks are planned."""
    base = _standard()
    changed = {name.partition(".")[0] for name in specs}
    kept = [run.config.variant for run in base if run.config.variant not in changed]
    altered = make(profile="standard", specs=specs, without=kept)
    return evaluate(replace(base, by_id=base.by_id | altered.by_id))


def accuracies(**changes: float) -> dict[str, Outcome]:
    return {name: outcome(name, accuracy=accuracy) for name, accuracy in changes.items()}


def swapped(records: Records, first: str, second: str) -> Records:
    """The records with two runs' evaluations exchanged."""
    a, b = records.by_id[first], records.by_id[second]

    def evaluated(run: Record, other: Record) -> Record:
        return run.model_copy(update={"test": other.test, "validation": other.validation})

    return replace(records, by_id=records.by_id | {first: evaluated(a, b), second: evaluated(b, a)})


# --- The whole ----------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["smoke", "quick", "standard", "full"])
def test_complete_profiles_are_testable(profile: str) -> None:
    """Whatever a profile plans can be tested; the rest names what is missing."""
    planned = {run.config.variant for run in study.load().plan(profile)}
    records = make(profile=profile)
    findings = evaluate(records)
    for found in findings.values():
        check(found, records)
    if profile in ("smoke", "quick"):  # which plan no run of the strong recipe
        assert findings.pop("strong-recipe-better").verdict is N
    for found in findings.values():
        missing = tuple(v for v in REGISTRY[found.id].needs if v not in planned)
        assert found.missing == missing
        if missing:
            assert found.verdict is N
        else:
            assert found.verdict is not N, found.id
            assert found.test in TESTS
            assert found.effect is not None


def test_no_records_at_all() -> None:
    records = Records(Path("quick"), "quick", {})
    for found in evaluate(records).values():
        expected = {"digits-not-significant": S, "image-size": S}.get(found.id, N)
        assert found.verdict is expected
        assert found.runs == ()
        assert bool(found.missing) == (expected is N)


@pytest.mark.parametrize("variant", sorted({v for item in REGISTRY.values() for v in item.needs}))
def test_missing_runs_make_it_not_testable_and_are_named(variant: str) -> None:
    complete = _standard()
    kept = {run.id: run for run in complete if run.config.variant != variant}
    assert len(kept) < len(complete)
    findings = evaluate(replace(complete, by_id=kept))
    for name, item in REGISTRY.items():
        if variant in item.needs:
            assert (findings[name].verdict, findings[name].missing) == (N, (variant,))


@pytest.mark.parametrize("seed", range(12))
def test_whatever_runs_there_are_it_never_fails(seed: int) -> None:
    records = any_records(seed, absent=0.1)
    for found in evaluate(records).values():
        check(found, records)


def test_gains_beyond_every_number_are_no_failure() -> None:
    def huge(record: Record) -> Record:
        text = re.sub(r'"(gain|branch|shortcut)":[^,}]+', r'"\1":1e300', record.model_dump_json())
        return Record.model_validate_json(text)

    made = make()
    records = replace(made, by_id={name: huge(record) for name, record in made.by_id.items()})
    for found in evaluate(records).values():
        check(found, records)


def check(found: Finding, records: Records) -> None:
    """What holds of any finding: finite numbers, sources that exist, p and verdict in agreement."""
    numbers = [*found.values.values(), *(found.interval or ())]
    numbers += [number for number in (found.effect, found.p) if number is not None]
    for number in numbers:
        assert math.isfinite(number.value), found.id
        for source in number.sources:
            assert source.record in found.runs or number is found.p
            item: object = records.by_id[source.record]
            for part in source.field.split("."):
                item = item[int(part)] if isinstance(item, list | tuple) else getattr(item, part)
    if found.p is not None and found.verdict in (S, C, M):
        assert found.p.value < CONSTANTS["alpha"].value
    if found.p is not None and found.p.value < CONSTANTS["alpha"].value:
        assert found.verdict in (S, C, M)
    if found.verdict is M:
        holds, fails, count = (found.values[name].value for name in ("holds", "fails", "all"))
        assert min(holds, fails) > 0
        assert holds + fails <= count


def test_a_diverged_or_failed_run_is_no_accuracy() -> None:
    specs = {"PlainNet34": outcome("PlainNet34", status="diverged")}
    found = evaluate(make(specs=specs))["plain-degrades"]
    assert found.verdict is S  # it is the worst outcome
    assert "deep" not in found.values
    assert found.effect is None is found.interval
    assert found.facts["deep_diverged"] is True


def test_speed() -> None:
    records = make()
    evaluate(records)
    start = time.process_time()
    evaluate(records)
    assert time.process_time() - start < 0.5


def test_holm_makes_a_family_harder_to_pass() -> None:
    found = evaluate(make())["plain-degrades"]
    assert found.p is not None
    assert found.p.value >= found.values["raw_p"].value


# --- Ranking ------------------------------------------------------------------------------------

GOOD = dict.fromkeys(("ResNet18", "ResNet34", "ResNet50", "ResNet101", "DenseNet"), 0.985)
ORIGINAL = accuracies(
    **GOOD, SEResNet18=0.9913, SEResNet34=0.9888, AlexNet=0.975, SEAlexNet=0.97, LeNet=0.9029
)


def test_swapping_two_networks_swaps_the_ranking() -> None:
    records = make(specs=ORIGINAL)
    assert evaluate(records)["lenet-lowest"].verdict is S
    records = make(specs=ORIGINAL | accuracies(SEResNet34=0.985))
    after = evaluate(swapped(records, "LeNet.s0", "SEResNet18.s0"))
    assert after["lenet-lowest"].verdict is C
    assert after["se-best"].verdict is C
    assert after["se-best"].facts["top"] == "LeNet"


def test_close_is_a_matter_of_the_margin() -> None:
    close = dict.fromkeys(GOOD, 0.9885)
    best = accuracies(**close, SEResNet18=0.985, SEResNet34=0.985)
    findings = standard(best)
    assert findings["resnet-dense-close"].verdict is S
    far = accuracies(**dict.fromkeys(GOOD, 0.97))
    assert standard(best | far)["resnet-dense-close"].verdict is C
    one = standard(best | accuracies(ResNet50=0.965))["resnet-dense-close"]
    assert (one.verdict, one.facts["failing"]) == (M, "ResNet-50")
    assert (one.values["holds"].value, one.values["fails"].value) == (4, 1)
    unclear = best | accuracies(ResNet50=0.981)
    assert standard(unclear)["resnet-dense-close"].verdict is U


def test_a_better_network_is_close_enough() -> None:
    close = accuracies(**dict.fromkeys(GOOD, 0.9885), SEResNet18=0.985, SEResNet34=0.985)
    assert standard(close | accuracies(DenseNet=0.994))["resnet-dense-close"].verdict is S


def test_seeds_are_used_when_there_are_several() -> None:
    findings = evaluate(make(specs=ORIGINAL, seeds=3))
    assert findings["lenet-lowest"].test == "seeds"
    assert findings["lenet-lowest"].seeds == 3
    assert findings["lenet-lowest"].verdict is S
    assert evaluate(make(specs=ORIGINAL))["lenet-lowest"].seeds == 1


def test_one_network_with_a_single_run_is_compared_run_by_run() -> None:
    without = ["PlainNet34.s1", "PlainNet34.s2"]
    found = evaluate(make(seeds=3, without=without))["plain-degrades"]
    assert (found.test, found.seeds, found.verdict) == ("seeds", 1, S)


def test_seeds_that_disagree_are_inconclusive() -> None:
    specs = {
        f"{network}.s{seed}": outcome(network, accuracy=accuracy)
        for network, runs in {
            "PlainNet18": (0.95, 0.90, 0.97),
            "PlainNet34": (0.93, 0.94, 0.88),
        }.items()
        for seed, accuracy in enumerate(runs)
    }
    assert verdict("plain-degrades", specs=specs, seeds=3) is U
    assert verdict("plain-degrades", specs=specs, seeds=1) is S  # as far as one run each goes


# --- Depth and residual connections -------------------------------------------------------------


def test_flipping_the_trend_flips_the_verdicts() -> None:
    plain = {"PlainNet18": outcome("PlainNet34"), "PlainNet34": outcome("PlainNet18")}
    wide = {"PlainNet50": outcome("PlainNet101"), "PlainNet101": outcome("PlainNet50")}
    before, after = standard({}), standard(plain | wide)
    for name in ("plain-degrades", "degradation-in-training-loss"):
        assert (before[name].verdict, after[name].verdict) == (S, C), name
    assert standard(plain)["plain-degrades"].verdict is M


def test_bottlenecks_must_degrade_as_well_where_they_were_run() -> None:
    found = evaluate(make(profile="standard"))["plain-degrades"]
    assert (found.verdict, found.facts["bottleneck"]) == (S, True)
    specs = accuracies(PlainNet50=0.8, PlainNet101=0.9)
    assert verdict("plain-degrades", profile="standard", specs=specs) is M


def test_training_loss_by_rule_with_one_run_and_by_test_with_several() -> None:
    name = "degradation-in-training-loss"
    one, several = evaluate(make())[name], evaluate(make(seeds=3))[name]
    assert (one.test, one.p, one.verdict) == ("threshold", None, S)
    assert (several.test, several.verdict) == ("runs", S)
    assert several.p is not None


def test_residual_networks_that_degrade_too_contradict() -> None:
    name = "residual-removes-degradation"
    good = {"ResNet101": outcome("ResNet101", accuracy=0.9584, train_loss=0.16)}
    assert standard(good)[name].verdict is S
    bad = {
        "ResNet34-stable": outcome("ResNet34", accuracy=0.9, train_loss=0.4),
        "ResNet101": outcome("ResNet101", accuracy=0.9, train_loss=0.5),
    }
    assert standard(bad)[name].verdict is C
    found = standard(good | {"ResNet34-stable": bad["ResNet34-stable"]})[name]
    assert (found.verdict, found.facts["change"]) == (M, "degradation")
    overfitted = {"ResNet101": outcome("ResNet101", train_loss=0.16, validation_loss=0.5)}
    found = standard(overfitted)[name]
    assert (found.verdict, found.facts["wide_change"]) == (S, "over-fitting")


def test_runs_until_stable_are_preferred_for_residual_connections() -> None:
    specs = {
        "PlainNet34-stable": Outcome(accuracy=0.97),
        "PlainNet18-stable": Outcome(accuracy=0.9701),
    }
    found = evaluate(make(profile="full", specs=specs))["residual-removes-degradation"]
    assert (found.verdict, found.facts["stable"]) == (U, True)
    assert "PlainNet34-stable.s0" in found.runs


# --- Operators ----------------------------------------------------------------------------------


def test_mul_diverging_is_evidence_by_rule() -> None:
    """A rule has no p-value, and lowers none of the others."""
    specs = {
        name: outcome(name, status="diverged") for name in ("ResNet18-mul", "ResNet18-mul-nobn")
    }
    before, findings = standard({}), standard(specs)
    for name in ("mul-much-worse", "mul-nobn-fails"):
        found = findings[name]
        assert (found.verdict, found.test, found.effect) == (S, "diverged", None)
        assert (found.p, "raw_p" in found.values) == (None, False)
        assert found.values["diverged_step"].value == 17
    assert findings["mul-nan"].verdict is S
    assert findings["mul-nobn-vanishes"].verdict is S  # measured at initialisation
    weakest = "plain-gain-grows"
    now, then = findings[weakest].p, before[weakest].p
    assert now is not None
    assert then is not None
    assert now.value >= then.value


def test_some_runs_diverging_are_counted_as_the_worst() -> None:
    """Three runs a side order themselves in 20 ways: no p-value below 2/20."""
    specs = {f"ResNet18-mul.s{seed}": outcome("ResNet18-mul") for seed in (0, 1)}
    specs["ResNet18-mul.s2"] = outcome("ResNet18-mul", status="diverged")
    found = evaluate(make(specs=specs, seeds=3))["mul-much-worse"]
    assert (found.verdict, found.test) == (U, "ranks")
    assert found.values["raw_p"].value == pytest.approx(2 / 20)
    assert found.facts["some_diverged"] is True
    assert found.facts["diverged"] is False


SE = ("SEResNet18", "SEResNet34", "SEAlexNet")
PLAIN = ("PlainNet18", "PlainNet34", "PlainNet50", "PlainNet101")
RATIO = ("SEResNet18", "SEResNet18-ratio4", "SEResNet18-ratio8", "SEResNet18-ratio16")
OPERATORS = ("ResNet18", "ResNet18-mul", "PlainNet18")
SUB = ("ResNet18-sub",)


def changed(names: tuple[str, ...], **changes: object) -> dict[str, Outcome]:
    return {name: outcome(name, **changes) for name in names}


def ranged(*accuracies: float) -> dict[str, Outcome]:
    """SE-ResNet-18 by reduction ratio: ranges that fall, with these accuracies."""
    return {
        name: outcome(name, se_range=0.8 - 0.2 * place, accuracy=accuracy)
        for place, (name, accuracy) in enumerate(zip(RATIO, accuracies, strict=True))
    }


TABLE = ("LeNet", "AlexNet", "SEAlexNet", "DenseNet", "ResNet18", "ResNet34", "ResNet50")
TABLE += ("ResNet101", "SEResNet18", "SEResNet34")


def costs(field: str, order: tuple[str, ...]) -> dict[str, Outcome]:
    """Memory or rate of the networks of the results table, which rises in this order."""
    return {name: outcome(name, **{field: 10**9 + place}) for place, name in enumerate(order)}


def by_size(index: int) -> tuple[str, ...]:
    """Networks by parameters (0) or multiply-accumulates (1) at 224 px, the largest first."""
    return tuple(sorted(TABLE, key=lambda name: -SIZES[name][index]))


#: Plain networks whose total gain falls with depth and is below the residual ones'.
SHRINKING = {f"PlainNet{d}": gain for d, gain in ((18, 2.0), (34, 1.15), (50, 1.1), (101, 1.02))}
FALLING = {name: outcome(name, branch=gain) for name, gain in SHRINKING.items()}
FALLING |= changed(("ResNet18", "ResNet34", "ResNet50", "ResNet101"), branch=3.0)

#: What the records show, and the verdict by the protocol.
CASES: list[tuple[str, dict[str, Outcome], Verdict]] = [
    ("lenet-under-trained", {}, S),
    ("lenet-under-trained", accuracies(LeNet=0.85), C),
    ("params-memory", {}, S),
    ("params-memory", costs("memory", by_size(0)), C),
    ("params-memory", costs("memory", TABLE[::2] + TABLE[1::2]), U),
    ("macs-time", costs("rate", by_size(1)), S),
    ("macs-time", costs("rate", by_size(1)[::-1]), C),
    ("macs-time", costs("rate", by_size(1)[::2] + by_size(1)[::-2]), U),
    ("dense-second", accuracies(DenseNet=0.95), M),
    ("dense-second", accuracies(SEResNet18=0.99, DenseNet=0.982), S),
    ("dense-second", dict.fromkeys(TABLE, Outcome(0.98)) | {"DenseNet": Outcome(0.95)}, M),
    (
        "dense-second",
        dict.fromkeys(TABLE, Outcome(0.99)) | accuracies(SEResNet18=0.95, DenseNet=0.97),
        C,
    ),
    ("resize-augments", accuracies(**{"ResNet18-px28": 0.95, "ResNet18-px64": 0.98}), S),
    ("resize-augments", accuracies(**{"ResNet18-px28": 0.98, "ResNet18-px64": 0.95}), C),
    ("sub-equals-add", changed(SUB, accuracy=0.5, validation_accuracy=0.9755), S),
    ("sub-equals-add", changed(SUB, accuracy=0.5, validation_accuracy=0.93), C),
    ("sub-equals-add", changed(SUB, accuracy=0.5, validation_accuracy=0.9695), U),
    ("sub-above-none", {}, S),
    ("sub-above-none", accuracies(**{"ResNet18-sub": 0.93}), C),
    ("mul-much-worse", accuracies(**{"ResNet18-mul": 0.97}), S),
    ("mul-much-worse", changed(("ResNet18-mul",), accuracy=0.97, stalled=False), C),
    ("bn-helps-plain", accuracies(**{"PlainNet18-nobn": 0.9}), S),
    ("bn-helps-plain", accuracies(**{"PlainNet18-nobn": 0.99}), C),
    ("plain-gain-grows", {}, S),
    ("plain-gain-grows", FALLING, C),
    ("mul-nan", {}, C),
    ("mul-nan", {"ResNet18-mul.s1": outcome("ResNet18-mul", status="diverged")}, S),
    ("gain-add-sub-near-one", {}, S),
    ("gain-add-sub-near-one", changed(("ResNet18", "ResNet18-sub"), branch=3.0), C),
    ("gain-add-sub-near-one", changed(SUB, branch=3.0), M),
    ("branch-gain-small", {}, S),
    ("branch-gain-small", changed(("ResNet18", "PlainNet18"), branch=1.4), C),
    ("branch-gain-small", changed(("PlainNet18",), branch=1.4), M),
    ("mul-bn-unstable", changed(("ResNet18-mul",), norm_spread=1.0), S),
    ("mul-bn-unstable", changed(("ResNet18-mul",), norm_spread=0.01), C),
    ("mul-nobn-vanishes", {}, S),
    ("mul-nobn-vanishes", changed(("ResNet18-mul-nobn",), branch=3.0), C),
    ("features-below-one", {}, S),
    ("features-below-one", changed(OPERATORS, below_one=0.3), C),
    ("features-below-one", changed(("PlainNet18",), below_one=0.3), M),
    ("se-weights-differ", {}, S),
    ("se-weights-differ", changed(SE, se_range=0.1, se_before=0.4), C),
    ("se-range-larger-18", {}, S),
    ("se-range-larger-18", changed(("SEResNet18",), se_range=0.1), C),
    ("se-gain-follows-range", ranged(0.985, 0.975, 0.965, 0.955), S),
    ("se-gain-follows-range", ranged(0.955, 0.965, 0.975, 0.985), C),
    ("se18-above-resnet18", accuracies(SEResNet18=0.99), S),
    ("se18-above-resnet18", {}, C),
    ("se34-equals-resnet34", {}, S),
    ("se34-equals-resnet34", accuracies(SEResNet34=0.99), C),
    ("se-weights-dynamic", changed(SE, se_std=0.3), S),
    ("se-weights-dynamic", {}, C),
    ("se-hurts-alexnet", accuracies(SEAlexNet=0.93), S),
    ("se-hurts-alexnet", accuracies(SEAlexNet=0.99), C),
    ("softmax-slows", {}, S),
    ("softmax-slows", accuracies(**{"ResNet18-softmax": 0.99}), C),
    ("softmax-slows-start", {}, S),
    ("softmax-slows-start", accuracies(**{"ResNet18-softmax": 0.99}), C),
    ("softmax-slows-start", changed(("ResNet18", "ResNet18-softmax"), accuracy=0.97), U),
    ("dense-efficient", {}, S),
    ("dense-efficient", accuracies(DenseNet=0.9), C),
]


@pytest.mark.parametrize(("name", "specs", "expected"), CASES)
def test_verdict(name: str, specs: dict[str, Outcome], expected: Verdict) -> None:
    assert standard(specs)[name].verdict is expected


OVERFITTED = outcome("PlainNet34", accuracy=0.9, train_loss=0.05, validation_loss=0.5)
PARTLY = outcome("PlainNet34", accuracy=0.9, train_loss=0.2, validation_loss=0.9)
LEARNS = dict.fromkeys(("ResNet18-mul", "ResNet18-mul-nobn"), Outcome())
SLOW = {"ResNet18-mul-nobn": Outcome(accuracy=0.8, train_loss=0.8)}
#: The same of one run a network, with what the wording is told.
SINGLE: list[tuple[str, dict[str, Outcome], Verdict, dict[str, object]]] = [
    ("se-best", ORIGINAL, S, {"best": "SE-ResNet-18"}),
    ("alexnet-lower", ORIGINAL, S, {}),
    ("lenet-lowest", ORIGINAL, S, {}),
    ("se-best", ORIGINAL | accuracies(SEResNet18=0.9862, SEResNet34=0.985), U, {}),
    ("se-best", ORIGINAL | accuracies(DenseNet=0.9911), U, {}),  # each must be beaten
    (
        "se-best",
        ORIGINAL | accuracies(SEResNet18=0.98, SEResNet34=0.9913),
        S,
        {"best": "SE-ResNet-34"},
    ),
    ("alexnet-lower", ORIGINAL | accuracies(ResNet101=0.95), M, {"failing": "ResNet-101"}),
    ("plain-degrades", {"PlainNet34": outcome("PlainNet34", status="failed")}, N, {}),
    ("deeper-beats-lenet", {}, M, {"failing": "PlainNet-34"}),
    ("deeper-beats-lenet", accuracies(LeNet=0.85), S, {}),
    ("deeper-beats-lenet", accuracies(LeNet=0.99), C, {}),
    ("deeper-beats-lenet", accuracies(LeNet=0.9), U, {}),
    ("degradation-in-training-loss", {"PlainNet34": OVERFITTED}, C, {}),
    ("degradation-in-training-loss", {"PlainNet34": PARTLY}, U, {"excess_in_training": False}),
    ("degradation-in-training-loss", changed(("PlainNet34",), train_loss=0.15), U, {}),
    ("residual-removes-degradation", accuracies(PlainNet18=0.97, PlainNet34=0.9695), U, {}),
    ("mul-much-worse", LEARNS, C, {}),
    ("mul-nobn-fails", LEARNS, C, {}),
    ("mul-nobn-fails", SLOW, U, {}),
    ("softmax-floor", {}, S, {}),
    ("softmax-floor", changed(("ResNet18-softmax",), train_loss=1.3), C, {}),
]


@pytest.mark.parametrize(("name", "specs", "expected", "facts"), SINGLE)
def test_verdict_of_single_runs(
    name: str, specs: dict[str, Outcome], expected: Verdict, facts: dict[str, object]
) -> None:
    found = evaluate(make(specs=specs))[name]
    assert found.verdict is expected
    assert found.facts.items() >= facts.items()


def test_three_runs_that_do_not_diverge_rule_out_nothing() -> None:
    assert verdict("mul-nan", seeds=3) is U


def test_vanished_gains_are_below_one_as_far_as_the_runs_show() -> None:
    """Gains of 0 have no spread: three runs show no more than their signs do."""
    gone = {"ResNet18-mul-nobn": outcome("ResNet18-mul-nobn", branch=0.0, shortcut=0.0)}
    found = standard(gone)["mul-nobn-vanishes"]
    assert found.verdict is U
    assert found.values["raw_p"].value == 2 * 0.5**found.seeds


# --- Dense connections and attention ------------------------------------------------------------


def test_dense_efficiency_falls_with_size() -> None:
    records = make()
    dense = records.by_id["DenseNet.s0"]
    fat = dense.network.model_copy(update={"parameters": 60_000_000})
    records.by_id["DenseNet.s0"] = dense.model_copy(update={"network": fat})
    assert evaluate(records)["dense-efficient"].verdict is C


def test_se_ranges() -> None:
    found = standard({})["se-weights-differ"]
    assert (found.values["se18_above"].value, found.values["se34_above"].value) == (8, 16)
    assert (found.values["se18_blocks"].value, found.values["se34_blocks"].value) == (8, 16)
    unmeasured = make(without=["SEResNet34"])
    assert evaluate(unmeasured)["se-range-larger-18"].verdict is N


# --- What the original overlooked ---------------------------------------------------------------


def test_macs_column_is_a_batch_of_four_to_every_printed_digit() -> None:
    found = evaluate(make())["macs-batch-of-four"]
    assert found.verdict is S
    assert found.values["checked"].value == found.values["agreeing"].value == 9
    assert found.values["lenet_batch"].value == found.values["lenet"].value
    records = make()
    run = records.by_id["ResNet34.s0"]
    macs = run.network.macs.model_copy(update={"torchinfo": 3_600_000_000})
    network = run.network.model_copy(update={"macs": macs})
    records.by_id[run.id] = run.model_copy(update={"network": network})
    after = evaluate(records)["macs-batch-of-four"]
    assert (after.verdict, after.values["agreeing"].value) == (C, 8)


def test_widths() -> None:
    alone = evaluate(make())["widths-not-paper"]
    assert (alone.verdict, alone.facts["paper_run"]) == (S, False)
    assert alone.values["paper50"].value == PAPER_PARAMETERS["ResNet50"] == 25_567_042
    both = evaluate(make(profile="standard"))["widths-not-paper"]
    assert both.facts["paper_run"] is True
    assert both.values["paper50"].sources
    assert both.values["p50"].kind == "p"


def test_three_images_apart_are_never_significant() -> None:
    found = evaluate(make())["digits-not-significant"]
    assert found.values["images_apart"].value == 3
    assert found.values["least_p"].value == 0.25
    assert found.values["needed"].value == 6
    assert found.values["detectable"].value * 10_000 > 6
    assert found.values["discordant"].value > 0


# --- Original, constants, labels ----------------------------------------------------------------


def test_original_covers_the_registry_and_every_claim_is_a_finding() -> None:
    loaded = original.load()
    assert set(loaded.network) <= set(models.NETWORKS)
    assert set(loaded.claim) <= set(REGISTRY)
    for claim in loaded.claim.values():
        assert all(isinstance(number, Value) for number in claim.values())
    assert original.figure("SEResNet18", "accuracy").value == 0.9913


def test_constants() -> None:
    assert CONSTANTS["softmax_floor"].value == pytest.approx(1.4612, abs=5e-5)
    assert CONSTANTS["chance_loss"].value == pytest.approx(2.3026, abs=5e-5)


def test_further_seeds_are_no_own_experiments() -> None:
    assert make(seeds=3).extra == []


def test_effects_are_ratios_of_error_rates() -> None:
    records = make()
    found = evaluate(records)["softmax-slows"]
    one, other = (
        value(records.by_id[name], "test.accuracy", "accuracy")
        for name in ("ResNet18-softmax.s0", "ResNet18.s0")
    )
    assert found.effect is not None
    assert found.effect.value == pytest.approx((1 - one.value) / (1 - other.value), rel=1e-2)


def test_networks_that_all_diverged_are_not_found_equal() -> None:
    names = ("ResNet18", "ResNet18-sub", "DenseNet", "SEResNet18", "SEResNet34", "ResNet34")
    names += ("ResNet50", "ResNet101", "AlexNet")
    found = evaluate(make(specs={name: outcome(name, status="diverged") for name in names}))
    for claim in ("sub-equals-add", "resnet-dense-close", "dense-efficient"):
        assert found[claim].verdict != S
        assert found[claim].interval is None
