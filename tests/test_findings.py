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
from experiments.record import Record
from tests.factory import OUTCOMES, Outcome, make, outcome

S, C, U, N = (
    Verdict.SUPPORTED,
    Verdict.CONTRADICTED,
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
    if profile in ("smoke", "quick"):  # which plan no run of the strong recipe
        assert findings.pop("strong-recipe-better").verdict is N
    for found in findings.values():
        assert found.verdict is not N, found.id
        assert found.test in TESTS
        assert found.missing == ()
        assert found.effect is not None


def test_no_records_at_all() -> None:
    records = Records(Path("quick"), "quick", {})
    for found in evaluate(records).values():
        expected = {"digits-not-significant": S, "image-size": S}.get(found.id, N)
        assert found.verdict is expected
        assert found.runs == ()
        assert bool(found.missing) == (expected is N)


@pytest.mark.parametrize("name", IDS)
def test_missing_runs_make_it_not_testable_and_are_named(name: str) -> None:
    complete = make()
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
    if found.p is not None and found.verdict in (S, C):
        assert found.p.value < CONSTANTS["alpha"].value
    if found.p is not None and found.p.value < CONSTANTS["alpha"].value:
        assert found.verdict in (S, C)


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


def test_a_stated_accuracy_that_predictions_belie_counts_but_is_not_paired() -> None:
    """Somebody corrects the accuracy of a record by hand: the verdict follows what it states."""
    records = make()
    before = evaluate(records)["plain-degrades"]
    altered = swapped(records, "PlainNet18.s0", "PlainNet34.s0", whole=False)
    after = evaluate(altered)["plain-degrades"]
    assert (before.verdict, before.test) == (S, "mcnemar")
    assert (after.verdict, after.test) == (C, "proportions")


# --- Ranking ------------------------------------------------------------------------------------

GOOD = dict.fromkeys(("ResNet18", "ResNet34", "ResNet50", "ResNet101", "DenseNet"), 0.985)
ORIGINAL = accuracies(
    **GOOD, SEResNet18=0.9913, SEResNet34=0.9888, AlexNet=0.975, SEAlexNet=0.97, LeNet=0.9029
)


def test_the_originals_order_is_supported() -> None:
    findings = evaluate(make(specs=ORIGINAL))
    for name in ("se-best", "resnet-dense-close", "alexnet-lower", "lenet-lowest"):
        assert findings[name].verdict is S, name
    assert findings["se-best"].facts["best"] == "SE-ResNet-18"


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


def test_close_is_a_matter_of_the_margin() -> None:
    assert verdict("resnet-dense-close", specs=ORIGINAL | accuracies(ResNet50=0.965)) is C
    assert verdict("resnet-dense-close", specs=ORIGINAL | accuracies(ResNet50=0.9815)) is U


def test_a_better_network_is_close_enough() -> None:
    specs = ORIGINAL | accuracies(DenseNet=0.999)
    assert verdict("resnet-dense-close", specs=specs) is S


def test_alexnet_above_one_network_contradicts() -> None:
    found = evaluate(make(specs=ORIGINAL | accuracies(ResNet101=0.95)))["alexnet-lower"]
    assert (found.verdict, found.facts["exceptions"]) == (C, "ResNet-101")


def test_seeds_are_used_when_there_are_several() -> None:
    findings = evaluate(make(specs=ORIGINAL, seeds=3))
    assert findings["lenet-lowest"].test == "seeds"
    assert findings["lenet-lowest"].seeds == 3
    assert findings["lenet-lowest"].verdict is S
    assert evaluate(make(specs=ORIGINAL))["lenet-lowest"].seeds == 1


def test_one_network_with_a_single_run_is_compared_run_by_run() -> None:
    without = ["PlainNet34.s1", "PlainNet34.s2"]
    found = evaluate(make(seeds=3, without=without))["plain-degrades"]
    assert (found.test, found.seeds, found.verdict) == ("mcnemar", 1, S)


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
    records = make()
    before = evaluate(records)
    specs = {
        "PlainNet18": outcome("PlainNet34"),
        "PlainNet34": outcome("PlainNet18"),
    }
    after = evaluate(make(specs=specs))
    for name in (
        "plain-degrades",
        "degradation-in-training-loss",
        "residual-removes-degradation",
    ):
        assert (before[name].verdict, after[name].verdict) == (S, C), name


def test_deeper_beats_lenet() -> None:
    assert verdict("deeper-beats-lenet") is C  # PlainNet-34 is below LeNet there
    assert verdict("deeper-beats-lenet", specs=accuracies(LeNet=0.85)) is S
    assert verdict("deeper-beats-lenet", specs=accuracies(LeNet=0.9)) is U


def test_bottlenecks_must_degrade_as_well_where_they_were_run() -> None:
    found = evaluate(make(profile="standard"))["plain-degrades"]
    assert (found.verdict, found.facts["bottleneck"]) == (S, True)
    specs = accuracies(PlainNet50=0.8, PlainNet101=0.9)
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
    assert (several.test, several.verdict) == ("seeds", S)
    assert several.p is not None
    slight = {"PlainNet34": outcome("PlainNet34", train_loss=0.15)}
    assert verdict(name, specs=slight) is U


def test_residual_networks_that_degrade_too_contradict() -> None:
    assert verdict("residual-removes-degradation", specs=accuracies(ResNet34=0.9)) is C
    assert verdict("residual-removes-degradation", specs=accuracies(ResNet34=0.968)) is U


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
    many = accuracies(**{"ResNet18-sub": 0.5})
    specs = {"ResNet18-sub": replace(many["ResNet18-sub"], validation_accuracy=0.9755)}
    assert verdict("sub-equals-add", specs=specs) is S
    worse = {"ResNet18-sub": outcome("ResNet18-sub", validation_accuracy=0.93)}
    assert verdict("sub-equals-add", specs=worse) is C
    unclear = {"ResNet18-sub": outcome("ResNet18-sub", validation_accuracy=0.967)}
    assert verdict("sub-equals-add", specs=unclear) is U


def test_mul_diverging_is_evidence() -> None:
    specs = {
        name: outcome(name, status="diverged") for name in ("ResNet18-mul", "ResNet18-mul-nobn")
    }
    findings = evaluate(make(specs=specs))
    for name in ("mul-much-worse", "mul-nobn-fails"):
        found = findings[name]
        assert (found.verdict, found.test, found.effect) == (S, "diverged", None)
        assert found.values["diverged_step"].value == 17
    assert findings["gain-none-mul-shrinks"].verdict is S  # measured at initialisation


def test_mul_that_learns_contradicts() -> None:
    fine = Outcome(accuracy=0.97, train_loss=0.1)
    specs = {"ResNet18-mul": fine, "ResNet18-mul-nobn": fine}
    findings = evaluate(make(specs=specs))
    assert findings["mul-much-worse"].verdict is C
    assert findings["mul-nobn-fails"].verdict is C
    slow = {"ResNet18-mul-nobn": Outcome(accuracy=0.8, train_loss=0.8)}
    assert verdict("mul-nobn-fails", specs=slow) is U


def test_some_runs_diverging_are_counted_as_the_worst() -> None:
    specs = {f"ResNet18-mul.s{seed}": outcome("ResNet18-mul") for seed in (0, 1)}
    specs["ResNet18-mul.s2"] = outcome("ResNet18-mul", status="diverged")
    found = evaluate(make(specs=specs, seeds=3))["mul-much-worse"]
    assert (found.verdict, found.test) == (S, "seeds")
    assert found.facts["some_diverged"] is True
    assert found.facts["diverged"] is False


def test_gains_decide_by_operator() -> None:
    wide = {"ResNet18-sub": outcome("ResNet18-sub", branch=3.0)}
    assert verdict("gain-add-sub-near-one", specs=wide) is C
    above = {"PlainNet18": outcome("PlainNet18", branch=1.4)}
    found = evaluate(make(specs=above))["gain-none-mul-shrinks"]
    assert found.verdict is C
    assert found.facts["none_init_direction"] == "above"
    assert found.facts["mul_nobn_init_direction"] == "below"
    assert found.values["none_init"].value > 1 > found.values["mul_init"].value


def test_vanished_gains_are_below_one() -> None:
    gone = {"ResNet18-mul": outcome("ResNet18-mul", branch=0.0, shortcut=0.0)}
    found = evaluate(make(specs=gone))["gain-none-mul-shrinks"]
    assert found.verdict is S


# --- Dense connections and attention ------------------------------------------------------------


def test_dense_efficiency_falls_with_accuracy_or_size() -> None:
    assert verdict("dense-efficient") is S
    assert verdict("dense-efficient", specs=accuracies(DenseNet=0.95)) is C
    assert verdict("dense-efficient", specs=accuracies(DenseNet=0.968)) is U
    records = make()
    dense = records.by_id["DenseNet.s0"]
    fat = dense.network.model_copy(update={"parameters": 60_000_000})
    records.by_id["DenseNet.s0"] = dense.model_copy(update={"network": fat})
    assert evaluate(records)["dense-efficient"].verdict is C


def test_se_ranges() -> None:
    flat = {name: outcome(name, se_range=0.1) for name in ("SEResNet18", "SEResNet34")}
    found = evaluate(make(specs=flat))["se-weights-differ"]
    assert (found.verdict, found.values["se18_above"].value) == (C, 0)
    assert (found.values["se18_blocks"].value, found.values["se34_blocks"].value) == (8, 16)
    swapped_ranges = {
        "SEResNet18": outcome("SEResNet18", se_range=0.3),
        "SEResNet34": outcome("SEResNet34", se_range=0.45),
    }
    assert verdict("se-range-larger-18") is S
    found = evaluate(make(specs=swapped_ranges))["se-range-larger-18"]
    assert (found.verdict, found.facts["larger"]) == (C, "SE-ResNet-34")
    assert evaluate(make(seeds=3))["se-range-larger-18"].test == "seeds"


def test_gain_follows_range_when_both_orders_are_clear() -> None:
    name = "se-gain-follows-range"
    gaining = accuracies(SEResNet18=0.99, SEResNet34=0.974)
    agreeing = {"SEResNet18": replace(gaining["SEResNet18"], se_range=0.45)}
    assert verdict(name, specs=agreeing) is S
    opposed = {
        "SEResNet18": outcome("SEResNet18", accuracy=0.974),
        "SEResNet34": outcome("SEResNet34", accuracy=0.99),
    }
    found = evaluate(make(specs=opposed))[name]
    assert (found.verdict, found.facts["orders_agree"]) == (C, False)
    assert verdict(name) is U


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
    findings = evaluate(make())
    assert findings["softmax-floor"].verdict is S
    assert findings["softmax-slows"].verdict is S
    below = {"ResNet18-softmax": outcome("ResNet18-softmax", train_loss=1.3)}
    assert verdict("softmax-floor", specs=below) is C
    better = accuracies(**{"ResNet18-softmax": 0.99})
    assert verdict("softmax-slows", specs=better) is C


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


def test_effects_are_the_printed_accuracies_differences() -> None:
    records = make()
    found = evaluate(records)["softmax-slows"]
    one, other = (
        value(records.by_id[name], "test.accuracy", "accuracy")
        for name in ("ResNet18-softmax.s0", "ResNet18.s0")
    )
    assert found.effect is not None
    assert found.effect.value == pytest.approx(one.value - other.value)


def test_networks_that_all_diverged_are_not_found_equal() -> None:
    names = ("ResNet18", "ResNet18-sub", "DenseNet", "SEResNet18", "SEResNet34", "ResNet34")
    names += ("ResNet50", "ResNet101", "AlexNet")
    found = evaluate(make(specs={name: outcome(name, status="diverged") for name in names}))
    for claim in ("sub-equals-add", "resnet-dense-close", "dense-efficient"):
        assert found[claim].verdict != S
        assert found[claim].interval is None
