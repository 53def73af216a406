"""Verdicts follow the records: alter a record, and the finding that rests on it changes."""

from __future__ import annotations

import json
import math
import random
import time
from dataclasses import replace
from pathlib import Path

import pytest

import models
from analysis import original
from analysis.constants import CONSTANTS, PAPER_PARAMETERS
from analysis.findings import Finding, Verdict, evaluate
from analysis.findings.model import REGISTRY, TESTS
from analysis.labels import labels
from analysis.records import Records, value
from analysis.values import Value
from experiments import study
from experiments.record import Record
from tests.factory import OUTCOMES, Outcome, make, outcome

S, C, M, U, N = (
    Verdict.SUPPORTED,
    Verdict.CONTRADICTED,
    Verdict.MIXED,
    Verdict.INCONCLUSIVE,
    Verdict.NOT_TESTABLE,
)

IDS = [
    "se-best",
    "resnet-dense-close",
    "alexnet-lower",
    "lenet-lowest",
    "dense-second",
    "lenet-under-trained",
    "params-memory",
    "macs-time",
    "resize-augments",
    "deeper-beats-lenet",
    "plain-degrades",
    "degradation-in-training-loss",
    "residual-removes-degradation",
    "sub-equals-add",
    "sub-above-none",
    "mul-much-worse",
    "mul-nan",
    "mul-nobn-fails",
    "bn-helps-plain",
    "plain-gain-grows",
    "gain-add-sub-near-one",
    "branch-gain-small",
    "mul-bn-unstable",
    "mul-nobn-vanishes",
    "features-below-one",
    "dense-efficient",
    "se-weights-differ",
    "se-range-larger-18",
    "se-gain-follows-range",
    "se18-above-resnet18",
    "se34-equals-resnet34",
    "se-weights-dynamic",
    "se-hurts-alexnet",
    "macs-batch-of-four",
    "widths-not-paper",
    "softmax-floor",
    "softmax-slows",
    "softmax-slows-start",
    "digits-not-significant",
    "image-size",
    "strong-recipe-better",
]


def verdict(name: str, **kwargs: object) -> Verdict:
    return evaluate(make(**kwargs))[name].verdict  # type: ignore[arg-type]


def accuracies(**changes: float) -> dict[str, Outcome]:
    return {name: outcome(name, accuracy=accuracy) for name, accuracy in changes.items()}


def swapped(records: Records, first: str, second: str, *, whole: bool = True) -> Records:
    """The records with two runs' evaluations exchanged, or only the accuracies they state."""
    a, b = records.by_id[first], records.by_id[second]

    def evaluated(run: Record, other: Record) -> Record:
        if whole:
            return run.model_copy(update={"test": other.test, "validation": other.validation})
        assert run.test is not None and other.test is not None
        test = run.test.model_copy(update={"accuracy": other.test.accuracy})
        return run.model_copy(update={"test": test})

    return replace(records, by_id=records.by_id | {first: evaluated(a, b), second: evaluated(b, a)})


# --- The whole ----------------------------------------------------------------------------------


def test_every_finding_of_the_design_in_order() -> None:
    assert list(evaluate(make())) == IDS == list(REGISTRY)


@pytest.mark.parametrize("profile", ["smoke", "quick", "standard", "full"])
def test_complete_profiles_are_testable(profile: str) -> None:
    findings = evaluate(make(profile=profile))
    planned = {run.config.variant for run in study.load().plan(profile)}
    if profile in ("smoke", "quick"):  # which plan no run of the strong recipe
        assert findings.pop("strong-recipe-better").verdict is N
    for found in findings.values():
        absent = tuple(name for name in REGISTRY[found.id].needs if name not in planned)
        assert found.missing == absent, found.id
        assert (found.verdict is N) == bool(absent), found.id
        if not absent:
            assert found.test in TESTS
            assert found.effect is not None, found.id
    if profile == "standard":
        assert all(found.verdict is not N for found in findings.values())


def test_no_records_at_all() -> None:
    records = Records(Path("quick"), "quick", {})
    for found in evaluate(records).values():
        expected = {"digits-not-significant": S, "image-size": S}.get(found.id, N)
        assert found.verdict is expected
        assert found.runs == ()
        assert bool(found.missing) == (expected is N)


@pytest.mark.parametrize("name", IDS)
def test_missing_runs_make_it_not_testable_and_are_named(name: str) -> None:
    complete = make(profile="standard", seeds=1)
    for variant in REGISTRY[name].needs:
        kept = {run.id: run for run in complete if run.config.variant != variant}
        found = evaluate(replace(complete, by_id=kept))[name]
        assert found.verdict is N
        assert found.missing == (variant,)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_runs_there_are_it_never_fails(seed: int) -> None:
    rng = random.Random(seed)
    statuses = ("finished", "finished", "diverged", "failed")
    specs = {
        name: outcome(name, status=rng.choice(statuses), accuracy=rng.random()) for name in OUTCOMES
    }
    without = [name for name in OUTCOMES if rng.random() < 0.1]
    records = make(specs=specs, without=without, seeds=rng.choice([1, 2, 3]))
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
    if found.verdict is M:  # shown of some and refuted of others
        assert found.values["holds"].value > 0 < found.values["fails"].value
    if "all" in found.values and "holding" in found.facts:
        counted = found.values["holds"].value + found.values["fails"].value
        names = [found.facts[key] for key in ("holding", "failing", "undecided")]
        assert counted <= found.values["all"].value
        assert sum(len(str(n).split(", ")) for n in names if n) == found.values["all"].value


@pytest.mark.parametrize("profile", ["quick", "standard"])
def test_numbers_have_sources_and_agree_with_the_verdict(profile: str) -> None:
    records = make(profile=profile)
    for found in evaluate(records).values():
        check(found, records)


def test_a_diverged_or_failed_run_is_no_accuracy() -> None:
    specs = {"PlainNet34": outcome("PlainNet34", status="diverged")}
    found = evaluate(make(specs=specs))["plain-degrades"]
    assert found.verdict is S  # it is the worst outcome
    assert "deep" not in found.values
    assert found.effect is None is found.interval
    assert found.facts["deep_diverged"] is True
    specs = {"PlainNet34": outcome("PlainNet34", status="failed")}
    assert verdict("plain-degrades", specs=specs) is N


def test_speed() -> None:
    records = make()
    evaluate(records)
    start = time.perf_counter()
    evaluate(records)
    assert time.perf_counter() - start < 0.5


def test_holm_makes_a_family_harder_to_pass() -> None:
    found = evaluate(make())["plain-degrades"]
    assert found.p is not None
    assert found.p.value >= found.values["raw_p"].value


def test_a_stated_accuracy_that_predictions_belie_counts() -> None:
    """Somebody corrects the accuracy of a record by hand: the verdict follows what it states."""
    records = make()
    altered = swapped(records, "PlainNet18.s0", "PlainNet34.s0", whole=False)
    assert evaluate(records)["plain-degrades"].verdict is S
    assert evaluate(altered)["plain-degrades"].verdict is C


# --- Ranking ------------------------------------------------------------------------------------

GOOD = dict.fromkeys(("ResNet18", "ResNet34", "ResNet50", "ResNet101", "DenseNet"), 0.985)
ORIGINAL = accuracies(
    **GOOD, SEResNet18=0.9913, SEResNet34=0.9888, AlexNet=0.975, SEAlexNet=0.97, LeNet=0.9029
)


def test_the_originals_order_is_supported() -> None:
    findings = evaluate(make(specs=ORIGINAL))
    for name in ("se-best", "alexnet-lower", "lenet-lowest"):
        assert findings[name].verdict is S, name
    assert findings["se-best"].facts["best"] == "SE-ResNet-18"
    assert findings["alexnet-lower"].values["holds"].value == 7


def test_swapping_two_networks_swaps_the_ranking() -> None:
    records = make(specs=ORIGINAL)
    assert evaluate(records)["lenet-lowest"].verdict is S
    records = make(specs=ORIGINAL | accuracies(SEResNet34=0.985))
    after = evaluate(swapped(records, "LeNet.s0", "SEResNet18.s0"))
    assert after["lenet-lowest"].verdict is C
    assert after["se-best"].verdict is C
    assert after["se-best"].facts["top"] == "LeNet"


def test_best_by_a_hair_is_inconclusive() -> None:
    specs = ORIGINAL | accuracies(SEResNet18=0.9862, SEResNet34=0.985)
    assert verdict("se-best", specs=specs) is U


def test_best_needs_to_beat_each_other_network() -> None:
    specs = ORIGINAL | accuracies(DenseNet=0.9911)
    assert verdict("se-best", specs=specs) is U


def test_either_se_resnet_may_be_the_best() -> None:
    specs = ORIGINAL | accuracies(SEResNet18=0.98, SEResNet34=0.9913)
    found = evaluate(make(specs=specs))["se-best"]
    assert (found.verdict, found.facts["best"]) == (S, "SE-ResNet-34")


CLOSE = ORIGINAL | accuracies(SEResNet18=0.9852, SEResNet34=0.985)


def test_close_is_a_matter_of_the_margin() -> None:
    """The margin is a ratio of error rates, 1.25."""
    name = "resnet-dense-close"

    def close(**changes: float) -> Finding:
        specs = CLOSE | accuracies(**changes)
        return evaluate(make(specs=specs, seeds=3, seed_sd=0.0003))[name]

    assert close().verdict is S
    some = close(ResNet50=0.97)
    assert (some.verdict, some.facts["failing"]) == (M, "ResNet-50")
    assert some.values["holds"].value == 4
    assert close(**dict.fromkeys(GOOD, 0.97)).verdict is C
    assert close(**dict.fromkeys(GOOD, 0.9815)).verdict is U


def test_a_better_network_is_close_enough() -> None:
    specs = CLOSE | accuracies(DenseNet=0.995)
    assert verdict("resnet-dense-close", specs=specs, seeds=3, seed_sd=0.0003) is S


def test_alexnet_above_one_network_is_counted() -> None:
    found = evaluate(make(specs=ORIGINAL | accuracies(ResNet101=0.95)))["alexnet-lower"]
    assert (found.verdict, found.facts["failing"]) == (M, "ResNet-101")
    assert (found.values["holds"].value, found.values["all"].value) == (6, 7)
    best = ORIGINAL | accuracies(AlexNet=0.999)
    assert verdict("alexnet-lower", specs=best) is C


def test_dense_second() -> None:
    second = CLOSE | accuracies(SEResNet18=0.995, SEResNet34=0.985, DenseNet=0.987)
    found = evaluate(make(specs=second, seeds=3, seed_sd=0.0003))["dense-second"]
    assert (found.verdict, found.values["place"].value) == (S, 2)
    last = CLOSE | accuracies(DenseNet=0.9)
    assert verdict("dense-second", specs=last, seeds=3) is M  # below SE-ResNet-18, and all others


def test_the_originals_lenet() -> None:
    assert verdict("lenet-under-trained", specs=accuracies(LeNet=0.98)) is S
    assert verdict("lenet-under-trained", specs=accuracies(LeNet=0.85)) is C


def test_sizes_and_costs_are_ranked() -> None:
    records = make()
    for run in records:
        timing = run.timing.model_copy(
            update={
                "peak_memory_bytes": run.network.parameters,
                "images_per_second": 1e12 / run.network.macs_at_input.torchinfo,
            }
        )
        records.by_id[run.id] = run.model_copy(update={"timing": timing})
    found = evaluate(records)
    for name in ("params-memory", "macs-time"):
        assert found[name].verdict is S
        effect = found[name].effect
        assert effect is not None and effect.value == pytest.approx(1.0)


def test_enlarging_images() -> None:
    def sizes(small: float, large: float) -> Verdict:
        specs = accuracies(**{"ResNet18-px28": small, "ResNet18-px64": large})
        return verdict("resize-augments", profile="standard", seeds=3, specs=specs)

    assert sizes(0.97, 0.985) is S
    assert sizes(0.985, 0.97) is C
    assert sizes(0.97, 0.97) is C  # shown to gain less than the margin


def test_seeds_are_used_when_there_are_several() -> None:
    findings = evaluate(make(specs=ORIGINAL, seeds=3))
    assert findings["lenet-lowest"].test == "seeds"
    assert findings["lenet-lowest"].seeds == 3
    assert findings["lenet-lowest"].verdict is S
    assert evaluate(make(specs=ORIGINAL))["lenet-lowest"].seeds == 1


def test_one_network_with_a_single_run_has_the_others_seed_variance() -> None:
    without = ["PlainNet34.s1", "PlainNet34.s2"]
    found = evaluate(make(seeds=3, without=without))["plain-degrades"]
    assert (found.test, found.seeds, found.verdict) == ("seeds", 1, S)
    assert found.interval is not None and found.effect is not None
    low, high = (end.value for end in found.interval)
    assert low < found.effect.value < high


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
    before = evaluate(make(seeds=3))
    specs = {
        "PlainNet18": outcome("PlainNet34"),
        "PlainNet34": outcome("PlainNet18"),
    }
    after = evaluate(make(specs=specs, seeds=3))
    for name in ("plain-degrades", "degradation-in-training-loss"):
        assert (before[name].verdict, after[name].verdict) == (S, C), name
    name = "residual-removes-degradation"
    assert before[name].verdict is S
    assert after[name].verdict is not S


def test_deeper_beats_lenet() -> None:
    found = evaluate(make())["deeper-beats-lenet"]
    assert (found.verdict, found.facts["failing"]) == (M, "PlainNet-34")
    assert verdict("deeper-beats-lenet", specs=accuracies(LeNet=0.85)) is S
    assert verdict("deeper-beats-lenet", specs=accuracies(LeNet=0.9)) is U
    assert verdict("deeper-beats-lenet", specs=accuracies(LeNet=0.999)) is C


def test_bottlenecks_must_degrade_as_well_where_they_were_run() -> None:
    found = evaluate(make(profile="standard"))["plain-degrades"]
    assert (found.verdict, found.facts["bottleneck"]) == (S, True)
    specs = accuracies(PlainNet50=0.8, PlainNet101=0.9)
    assert verdict("plain-degrades", profile="standard", specs=specs) is M
    specs |= accuracies(PlainNet18=0.9, PlainNet34=0.95)
    assert verdict("plain-degrades", profile="standard", specs=specs) is C


def test_overfitting_is_told_from_degradation() -> None:
    overfitted = outcome("PlainNet34", accuracy=0.9, train_loss=0.05, validation_loss=0.5)
    assert verdict("degradation-in-training-loss", specs={"PlainNet34": overfitted}) is C
    both = outcome("PlainNet34", accuracy=0.9, train_loss=0.2, validation_loss=0.9)
    found = evaluate(make(specs={"PlainNet34": both}))["degradation-in-training-loss"]
    assert (found.verdict, found.facts["excess_in_training"]) == (U, False)


def test_training_loss_by_rule_with_one_run_and_by_test_with_several() -> None:
    name = "degradation-in-training-loss"
    one, several = evaluate(make())[name], evaluate(make(seeds=3))[name]
    assert (one.test, one.p, one.verdict) == ("threshold", None, S)
    assert (several.test, several.verdict) == ("runs", S)
    assert several.p is not None
    slight = {"PlainNet34": outcome("PlainNet34", train_loss=0.15)}
    assert verdict(name, specs=slight) is U


def test_residual_networks_that_degrade_too_contradict() -> None:
    name = "residual-removes-degradation"
    worse = {"ResNet34": outcome("ResNet34", accuracy=0.9, train_loss=0.5)}
    assert verdict(name, specs=worse, seeds=3) is C
    assert verdict(name, specs=accuracies(ResNet34=0.968), seeds=3) is not S


def test_overfitting_of_a_residual_network_is_no_degradation() -> None:
    """Less accurate, and no higher a loss on the training images in evaluation mode."""
    fits = {
        name: outcome(name, fit=loss)
        for name, loss in (
            ("PlainNet18", 0.05),
            ("PlainNet34", 0.5),
            ("ResNet18", 0.02),
            ("ResNet34", 0.02),
        )
    }
    name = "residual-removes-degradation"
    overfitted = fits | {"ResNet34": outcome("ResNet34", accuracy=0.96, fit=0.02)}
    found = evaluate(make(specs=overfitted, seeds=3))[name]
    assert found.facts["evaluated"] is True
    assert found.facts["change"] == "over-fitting"
    degraded = fits | {"ResNet34": outcome("ResNet34", accuracy=0.96, fit=0.3)}
    found = evaluate(make(specs=degraded, seeds=3))[name]
    assert found.facts["change"] == "degradation"
    assert evaluate(make(seeds=3))[name].facts["evaluated"] is False


def test_without_degradation_nothing_is_removed() -> None:
    specs = accuracies(PlainNet18=0.97, PlainNet34=0.9695)
    assert verdict("residual-removes-degradation", specs=specs) is U


def test_runs_until_stable_are_preferred_for_residual_connections() -> None:
    specs = {
        "PlainNet34-stable": Outcome(accuracy=0.97),
        "PlainNet18-stable": Outcome(accuracy=0.9701),
    }
    found = evaluate(make(profile="full", specs=specs))["residual-removes-degradation"]
    assert (found.verdict, found.facts["stable"]) == (U, True)
    assert "PlainNet34-stable.s0" in found.runs


# --- Operators ----------------------------------------------------------------------------------


def test_sub_equals_add_is_judged_on_validation() -> None:
    def equal(accuracy: float) -> Verdict:
        many = accuracies(**{"ResNet18-sub": 0.5})
        specs = {"ResNet18-sub": replace(many["ResNet18-sub"], validation_accuracy=accuracy)}
        specs["ResNet18"] = outcome("ResNet18", validation_accuracy=0.9756)
        return verdict("sub-equals-add", profile="full", specs=specs, seeds=3)

    assert equal(0.9755) is S
    assert equal(0.93) is C
    assert equal(0.9700) is U


def test_sub_against_no_shortcut() -> None:
    name = "sub-above-none"
    assert verdict(name, seeds=3) is S
    assert verdict(name, seeds=3, specs=accuracies(PlainNet18=0.99)) is C


def test_batch_normalisation_helps_plain_networks() -> None:
    name = "bn-helps-plain"
    assert verdict(name, profile="standard", seeds=3) is S
    specs = accuracies(**{"PlainNet18-nobn": 0.99})
    assert verdict(name, profile="standard", seeds=3, specs=specs) is C
    gone = {"PlainNet18-nobn": outcome("PlainNet18-nobn", status="diverged")}
    found = evaluate(make(profile="standard", seeds=3, specs=gone))[name]
    assert (found.verdict, found.facts["without_diverged"]) == (S, True)


def test_mul_diverging_is_evidence() -> None:
    specs = {
        name: outcome(name, status="diverged") for name in ("ResNet18-mul", "ResNet18-mul-nobn")
    }
    findings = evaluate(make(specs=specs))
    for name in ("mul-much-worse", "mul-nobn-fails"):
        found = findings[name]
        assert (found.verdict, found.test, found.effect) == (S, "diverged", None)
        assert found.values["diverged_step"].value == 17
    assert findings["mul-nan"].verdict is S
    assert verdict("mul-nan", seeds=3) is U  # none of three does not rule it out
    assert verdict("mul-nan", seeds=5) is C


def test_mul_that_learns_contradicts() -> None:
    fine = Outcome(accuracy=0.97, train_loss=0.1)
    specs = {"ResNet18-mul": fine, "ResNet18-mul-nobn": fine}
    findings = evaluate(make(specs=specs))
    assert findings["mul-much-worse"].verdict is C
    assert findings["mul-nobn-fails"].verdict is C
    slow = {"ResNet18-mul-nobn": Outcome(accuracy=0.8, train_loss=0.8)}
    assert verdict("mul-nobn-fails", specs=slow) is U


def test_some_runs_diverging_are_counted_as_the_worst() -> None:
    """By ranks: three runs a side cannot reach the level, five can."""

    def mixed(seeds: int) -> Finding:
        specs = {f"ResNet18-mul.s{seed}": outcome("ResNet18-mul") for seed in range(seeds)}
        specs["ResNet18-mul.s0"] = outcome("ResNet18-mul", status="diverged")
        return evaluate(make(specs=specs, seeds=seeds))["mul-much-worse"]

    few, many = mixed(3), mixed(6)
    assert (few.verdict, few.test) == (U, "ranks")
    assert (many.verdict, many.test) == (S, "ranks")
    assert many.facts["some_diverged"] is True
    assert many.facts["diverged"] is False


def test_gains_decide_by_operator() -> None:
    wide = {"ResNet18-sub": outcome("ResNet18-sub", branch=3.0)}
    name = "gain-add-sub-near-one"
    assert verdict(name, seeds=3) is S
    assert verdict(name, seeds=3, specs=wide) is M
    wide["ResNet18"] = outcome("ResNet18", branch=3.0)
    assert verdict(name, seeds=3, specs=wide) is C
    assert verdict(name) is U  # a run is the unit


def _plain(branch: float) -> dict[str, Outcome]:
    return {n: outcome(n, branch=branch) for n in ("PlainNet18", "PlainNet34")}


def test_the_plain_gain_departs_from_one_with_depth() -> None:
    name = "plain-gain-grows"
    grows = evaluate(make(seeds=3, specs=_plain(1.4)))[name]
    assert (grows.verdict, grows.facts["explodes"]) == (S, True)
    shrinks = evaluate(make(seeds=3, specs=_plain(0.5)))[name]
    assert (shrinks.verdict, shrinks.facts["explodes"]) == (S, False)
    residual = {n: outcome(n, branch=3.0) for n in ("ResNet18", "ResNet34")}
    assert verdict(name, seeds=3, specs=_plain(1.0) | residual) is not S


def test_gains_through_the_branch() -> None:
    small = evaluate(make(seeds=3))["branch-gain-small"]
    assert small.verdict is S
    large = _plain(2.0) | {"ResNet18": outcome("ResNet18", branch=2.0)}
    assert verdict("branch-gain-small", seeds=3, specs=large) is C


def test_without_bn_multiplication_vanishes() -> None:
    name = "mul-nobn-vanishes"
    assert verdict(name, seeds=3) is S
    grows = {"ResNet18-mul-nobn": outcome("ResNet18-mul-nobn", branch=2.0)}
    assert verdict(name, seeds=3, specs=grows) is C
    gone = {"ResNet18-mul-nobn": outcome("ResNet18-mul-nobn", branch=0.0, shortcut=0.0)}
    check(evaluate(make(seeds=3, specs=gone))[name], make(seeds=3, specs=gone))


def test_features_below_one() -> None:
    name = "features-below-one"
    assert verdict(name, seeds=3) is S
    large = {n: outcome(n, below_one=0.2) for n in ("ResNet18", "ResNet18-mul", "PlainNet18")}
    assert verdict(name, seeds=3, specs=large) is C


# --- Dense connections and attention ------------------------------------------------------------


def test_dense_efficiency_falls_with_accuracy_or_size() -> None:
    name = "dense-efficient"
    assert verdict(name, seeds=3) is S
    assert verdict(name, seeds=3, specs=accuracies(DenseNet=0.8)) is C
    assert verdict(name, seeds=3, specs=accuracies(DenseNet=0.95)) is M
    records = make(seeds=3)
    fat = {
        run.id: run.model_copy(
            update={"network": run.network.model_copy(update={"parameters": 60_000_000})}
        )
        for run in records
        if run.config.network == "DenseNet"
    }
    altered = replace(records, by_id=records.by_id | fat)
    assert evaluate(altered)[name].verdict is C


def test_se_ranges() -> None:
    name = "se-weights-differ"
    grown = evaluate(make(seeds=5))[name]
    assert grown.verdict is S
    assert (grown.values["se18_blocks"].value, grown.values["se34_blocks"].value) == (8, 16)
    flat = {n: outcome(n, se_range=0.05, se_before=0.2) for n in ("SEResNet18", "SEResNet34")}
    assert verdict(name, seeds=5, specs=flat) is C
    old = make(seeds=3)
    for run in list(old):
        probes = run.probes.model_copy(update={"se_initial": []})
        old.by_id[run.id] = run.model_copy(update={"probes": probes})
    assert evaluate(old)[name].verdict is N  # ranges before training were not measured
    swapped_ranges = {
        "SEResNet18": outcome("SEResNet18", se_range=0.3),
        "SEResNet34": outcome("SEResNet34", se_range=0.6),
    }
    assert verdict("se-range-larger-18", seeds=5) is S
    found = evaluate(make(specs=swapped_ranges, seeds=5))["se-range-larger-18"]
    assert (found.verdict, found.facts["larger"]) == (C, "SE-ResNet-34")


def test_attention_or_constant_scaling() -> None:
    name = "se-weights-dynamic"
    assert verdict(name, seeds=3) is C
    networks = ("SEResNet18", "SEResNet34", "SEAlexNet")
    moving = {n: outcome(n, se_range=0.05, se_dynamic=0.3) for n in networks}
    assert verdict(name, seeds=3, specs=moving) is S


def test_what_se_blocks_are_good_for() -> None:
    def judged(name: str, **changes: float) -> Verdict:
        return verdict(name, seeds=3, seed_sd=0.0003, specs=accuracies(**changes))

    assert judged("se18-above-resnet18", SEResNet18=0.99) is S
    assert judged("se18-above-resnet18", SEResNet18=0.97) is C
    assert judged("se34-equals-resnet34") is S
    assert judged("se34-equals-resnet34", SEResNet34=0.99) is C
    assert judged("se-hurts-alexnet", SEAlexNet=0.95) is S
    assert judged("se-hurts-alexnet", SEAlexNet=0.98) is C


def test_accuracy_follows_range_over_reduction_ratios() -> None:
    name = "se-gain-follows-range"

    def ratios(falling: bool) -> dict[str, Outcome]:
        variants = ("SEResNet18", "SEResNet18-ratio4", "SEResNet18-ratio8", "SEResNet18-ratio16")
        scores = (0.99, 0.98, 0.97, 0.96)
        ranges = (0.9, 0.6, 0.3, 0.1) if falling else (0.1, 0.3, 0.6, 0.9)
        return {
            v: outcome(v, accuracy=a, se_range=r)
            for v, a, r in zip(variants, scores, ranges, strict=True)
        }

    for falling, expected in ((True, S), (False, C)):
        specs = ratios(falling)
        found = evaluate(make(profile="standard", seeds=3, specs=specs))[name]
        assert found.verdict is expected
        assert found.values["runs"].value == 12


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


def test_softmax() -> None:
    assert verdict("softmax-floor") is S
    below = {"ResNet18-softmax": outcome("ResNet18-softmax", train_loss=1.3)}
    assert verdict("softmax-floor", specs=below) is C
    for name in ("softmax-slows", "softmax-slows-start"):
        assert verdict(name, seeds=3) is U  # exact ranks of three a side cannot reach the level
        assert verdict(name, seeds=6) is S
    better = accuracies(**{"ResNet18-softmax": 0.99})
    assert verdict("softmax-slows", seeds=6, specs=better) is C


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
    assert set(loaded.claim) <= set(IDS)
    for claim in loaded.claim.values():
        assert all(isinstance(number, Value) for number in claim.values())
    assert original.figure("SE-ResNet18", "accuracy").value == 0.9913
    with pytest.raises(LookupError, match="no SEAlexNet"):
        original.figure("SEAlexNet", "accuracy")
    with pytest.raises(LookupError, match="parameters, macs, accuracy"):
        original.figure("LeNet", "loss")


def test_constants() -> None:
    assert CONSTANTS["softmax_floor"].value == pytest.approx(1.4612, abs=5e-5)
    assert CONSTANTS["chance_loss"].value == pytest.approx(2.3026, abs=5e-5)


def test_labels_are_mnists() -> None:
    assert list(labels("MNIST", "test")[:10]) == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert len(labels("MNIST", "test")) == len(labels("MNIST", "validation")) == 10_000
    counts = [int((labels("MNIST", "test") == digit).sum()) for digit in range(10)]
    assert counts == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_records_round_trip_through_files(tmp_path: Path) -> None:
    from tests.factory import save

    records = make()
    loaded = Records.load(save(records, tmp_path))
    assert loaded.refused == ()
    assert loaded.missing == ()
    assert evaluate(loaded) == evaluate(records)
    assert json.loads((tmp_path / "LeNet.s0.json").read_text())["profile"] == "quick"


def test_further_seeds_are_no_own_experiments() -> None:
    assert make(seeds=3).extra == []


def test_effects_are_ratios_of_the_printed_error_rates() -> None:
    records = make()
    found = evaluate(records)["softmax-slows"]
    one, other = (
        value(records.by_id[name], "test.accuracy", "accuracy")
        for name in ("ResNet18-softmax.s0", "ResNet18.s0")
    )
    assert found.effect is not None
    assert found.effect.value == pytest.approx((1 - one.value) / (1 - other.value), rel=0.01)


def test_networks_that_all_diverged_are_not_found_equal() -> None:
    names = ("ResNet18", "ResNet18-sub", "DenseNet", "SEResNet18", "SEResNet34", "ResNet34")
    names += ("ResNet50", "ResNet101", "AlexNet")
    found = evaluate(make(specs={name: outcome(name, status="diverged") for name in names}))
    for claim in ("sub-equals-add", "resnet-dense-close", "dense-efficient"):
        assert found[claim].verdict != S
        assert found[claim].interval is None
