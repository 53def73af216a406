"""Verdicts follow the records: alter a record, and the finding that rests on it changes."""

import functools
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

import models
from analysis import original
from analysis.constants import CONSTANTS, PAPER_PARAMETERS
from analysis.findings import Verdict, evaluate
from analysis.findings.base import REGISTRY, TESTS
from analysis.records import Records
from analysis.values import Value
from experiments import study
from experiments.record import Record
from tests.analysis.test_tables import NOTHING, made
from tests.analysis.test_tables import check as check_table
from tests.factory import SIZES, Outcome, altered, any_records, make, outcome

S, C, U, N, M = (
    Verdict(name) for name in ("supported", "contradicted", "inconclusive", "not_testable", "mixed")
)


@functools.cache
def _standard():
    return make(profile="standard")


def standard(specs):
    """Findings of the standard profile, in which every finding's networks are planned."""
    base = _standard()
    changed = {name.partition(".")[0] for name in specs}
    kept = [run.config.variant for run in base if run.config.variant not in changed]
    altered = make(profile="standard", specs=specs, without=kept)
    return evaluate(replace(base, by_id=base.by_id | altered.by_id))


def accuracies(**changes):
    return {name: outcome(name, accuracy=accuracy) for name, accuracy in changes.items()}


def changed(*names, **changes):
    return {name: outcome(name, **changes) for name in names}


# --- The whole ----------------------------------------------------------------------------------


def check(records):
    """The findings, of which holds: finite numbers, sources that exist, p and verdict in agreement;
    and their tables."""
    findings = evaluate(records)
    for found in findings.values():
        numbers = [*found.values.values(), *(found.interval or ())]
        numbers += [number for number in (found.effect, found.p) if number is not None]
        for number in numbers:
            assert math.isfinite(number.value), found.id
            for source in number.sources:
                assert source.record in found.runs or number is found.p
                item = records.by_id[source.record]
                for part in source.field.split("."):
                    item = item[int(part)] if part.isdigit() else getattr(item, part)
        if found.p is not None:
            assert (found.p.value < CONSTANTS["alpha"].value) == (found.verdict in (S, C, M))
        if found.verdict is M:
            holds, fails, count = (found.values[name].value for name in ("holds", "fails", "all"))
            assert min(holds, fails) > 0
            assert holds + fails <= count
    found = made(records, findings)
    assert list(found) == list(made(NOTHING))
    for table in found.values():
        check_table(table, records)
    return findings


@pytest.mark.parametrize("profile", ["smoke", "quick", "standard", "full"])
def test_whatever_a_profile_plans_can_be_tested_and_the_rest_names_what_is_missing(profile):
    planned = {run.config.variant for run in study.load().plan(profile)}
    findings = check(make(profile=profile))
    if profile in ("smoke", "quick"):  # which plan no run of the strong recipe
        assert findings.pop("strong-recipe-better").verdict is N
    for found in findings.values():
        missing = tuple(v for v in REGISTRY[found.id].needs if v not in planned)
        assert found.missing == missing
        assert (found.verdict is N) == bool(missing), found.id
        assert missing or (found.test in TESTS and found.effect is not None)


def test_without_records_nothing_is_testable_but_the_originals_figures():
    for found in evaluate(Records(Path("quick"), "quick", {})).values():
        expected = {"digits-not-significant": S, "image-size": S}.get(found.id, N)
        assert (found.verdict, found.runs, bool(found.missing)) == (expected, (), expected is N)


@pytest.mark.parametrize("variant", sorted({v for item in REGISTRY.values() for v in item.needs}))
def test_missing_runs_make_it_not_testable_and_are_named(variant):
    complete = _standard()
    kept = {run.id: run for run in complete if run.config.variant != variant}
    assert len(kept) < len(complete)
    findings = evaluate(replace(complete, by_id=kept))
    for name, item in REGISTRY.items():
        if variant in item.needs:
            assert (findings[name].verdict, findings[name].missing) == (N, (variant,))


@pytest.mark.parametrize("seed", range(12))
def test_whatever_runs_there_are_no_finding_and_no_table_fails(seed):
    check(any_records(seed, absent=0.15))


def test_gains_beyond_every_number_are_no_failure():
    text = ",".join(record.model_dump_json() for record in make())
    huge = json.loads(re.sub(r'"(gain|branch|shortcut)":[^,}]+', r'"\1":1e300', f"[{text}]"))
    check(replace(make(), by_id={each["id"]: Record.model_validate(each) for each in huge}))


# --- Verdicts -----------------------------------------------------------------------------------

GOOD = dict.fromkeys(("ResNet18", "ResNet34", "ResNet50", "ResNet101", "DenseNet"), 0.985)
ORIGINAL = accuracies(
    **GOOD, SEResNet18=0.9913, SEResNet34=0.9888, AlexNet=0.975, SEAlexNet=0.97, LeNet=0.9029
)
CLOSE = accuracies(**dict.fromkeys(GOOD, 0.9885), SEResNet18=0.985, SEResNet34=0.985)
PLAIN = {"PlainNet18": outcome("PlainNet34"), "PlainNet34": outcome("PlainNet18")}
WIDE = {"PlainNet50": outcome("PlainNet101"), "PlainNet101": outcome("PlainNet50")}
SE = ("SEResNet18", "SEResNet34", "SEAlexNet")
RATIO = ("SEResNet18", "SEResNet18-ratio4", "SEResNet18-ratio8", "SEResNet18-ratio16")
SUB, MUL, MUL_NOBN, SOFTMAX = (f"ResNet18-{tag}" for tag in ("sub", "mul", "mul-nobn", "softmax"))
TABLE = ("LeNet", "AlexNet", "SEAlexNet", "DenseNet", *list(GOOD)[:-1], *SE[:2])


def ranged(*accuracies):
    """SE-ResNet-18 by reduction ratio: ranges that fall, with these accuracies."""
    return {
        name: outcome(name, se_range=0.8 - 0.2 * place, accuracy=accuracy)
        for place, (name, accuracy) in enumerate(zip(RATIO, accuracies, strict=True))
    }


def costs(field, order):
    """Memory or rate of the networks of the results table, which rises in this order."""
    return {name: outcome(name, **{field: 10**9 + place}) for place, name in enumerate(order)}


#: Networks by parameters and by multiply-accumulates at 224 px, the largest first.
BY_SIZE, BY_MACS = (sorted(TABLE, key=lambda name: -SIZES[name][i]) for i in (0, 1))
#: Plain networks whose total gain falls with depth and is below the residual ones'.
SHRINKING = {f"PlainNet{d}": gain for d, gain in ((18, 2.0), (34, 1.15), (50, 1.1), (101, 1.02))}
FALLING = {name: outcome(name, branch=gain) for name, gain in SHRINKING.items()}
FALLING |= changed("ResNet18", "ResNet34", "ResNet50", "ResNet101", branch=3.0)
ALIKE = dict.fromkeys(TABLE, Outcome(0.99))

#: Findings, and by the verdict that the protocol has for it what the records of three seeds show.
CASES = [
    ("lenet-under-trained", {S: {}, C: accuracies(LeNet=0.85)}),
    ("params-memory", {S: {}, C: costs("memory", BY_SIZE)}),
    ("params-memory", {U: costs("memory", TABLE[::2] + TABLE[1::2])}),
    ("macs-time", {S: costs("rate", BY_MACS), C: costs("rate", BY_MACS[::-1])}),
    ("macs-time", {U: costs("rate", BY_MACS[::2] + BY_MACS[::-2])}),
    ("resnet-dense-close", {S: CLOSE, C: CLOSE | accuracies(**dict.fromkeys(GOOD, 0.97))}),
    ("resnet-dense-close", {U: CLOSE | accuracies(ResNet50=0.981)}),
    ("resnet-dense-close", {S: CLOSE | accuracies(DenseNet=0.994)}),  # better is close enough
    ("dense-second", {S: accuracies(SEResNet18=0.99, DenseNet=0.982)}),
    ("dense-second", {M: accuracies(DenseNet=0.95)}),
    ("dense-second", {M: dict.fromkeys(TABLE, Outcome(0.98)) | {"DenseNet": Outcome(0.95)}}),
    ("dense-second", {C: ALIKE | accuracies(SEResNet18=0.95, DenseNet=0.97)}),
    ("resize-augments", {S: accuracies(**{"ResNet18-px28": 0.95, "ResNet18-px64": 0.98})}),
    ("resize-augments", {C: accuracies(**{"ResNet18-px28": 0.98, "ResNet18-px64": 0.95})}),
    ("plain-degrades", {S: {}, C: PLAIN | WIDE, M: PLAIN}),
    ("plain-degrades", {M: accuracies(PlainNet50=0.8, PlainNet101=0.9)}),
    ("degradation-in-training-loss", {S: {}, C: PLAIN | WIDE}),
    ("sub-equals-add", {S: changed(SUB, accuracy=0.5, validation_accuracy=0.9755)}),
    ("sub-equals-add", {C: changed(SUB, accuracy=0.5, validation_accuracy=0.93)}),
    ("sub-equals-add", {U: changed(SUB, accuracy=0.5, validation_accuracy=0.9695)}),
    ("sub-above-none", {S: {}, C: accuracies(**{SUB: 0.93})}),
    ("mul-much-worse", {S: accuracies(**{MUL: 0.97})}),
    ("mul-much-worse", {C: changed(MUL, accuracy=0.97, stalled=False)}),
    ("bn-helps-plain", {S: accuracies(**{"PlainNet18-nobn": 0.9})}),
    ("bn-helps-plain", {C: accuracies(**{"PlainNet18-nobn": 0.99})}),
    ("plain-gain-grows", {S: {}, C: FALLING}),
    ("mul-nan", {C: {}, S: {f"{MUL}.s1": outcome(MUL, status="diverged")}}),
    ("gain-add-sub-near-one", {S: {}, C: changed("ResNet18", SUB, branch=3.0)}),
    ("gain-add-sub-near-one", {M: changed(SUB, branch=3.0)}),
    ("branch-gain-small", {S: {}, C: changed("ResNet18", "PlainNet18", branch=1.4)}),
    ("branch-gain-small", {M: changed("PlainNet18", branch=1.4)}),
    ("mul-bn-unstable", {S: changed(MUL, norm_spread=1.0), C: changed(MUL, norm_spread=0.01)}),
    ("mul-nobn-vanishes", {S: {}, C: changed(MUL_NOBN, branch=3.0)}),
    ("features-below-one", {S: {}, C: changed("ResNet18", MUL, "PlainNet18", below_one=0.3)}),
    ("features-below-one", {M: changed("PlainNet18", below_one=0.3)}),
    ("se-weights-differ", {S: {}, C: changed(*SE, se_range=0.1, se_before=0.4)}),
    ("se-range-larger-18", {S: {}, C: changed("SEResNet18", se_range=0.1)}),
    ("se-gain-follows-range", {S: ranged(0.985, 0.975, 0.965, 0.955)}),
    ("se-gain-follows-range", {C: ranged(0.955, 0.965, 0.975, 0.985)}),
    ("se18-above-resnet18", {S: accuracies(SEResNet18=0.99), C: {}}),
    ("se34-equals-resnet34", {S: {}, C: accuracies(SEResNet34=0.99)}),
    ("se-weights-dynamic", {S: changed(*SE, se_std=0.3), C: {}}),
    ("se-hurts-alexnet", {S: accuracies(SEAlexNet=0.93), C: accuracies(SEAlexNet=0.99)}),
    ("softmax-slows", {S: {}, C: accuracies(**{SOFTMAX: 0.99})}),
    ("softmax-slows-start", {S: {}, C: accuracies(**{SOFTMAX: 0.99})}),
    ("softmax-slows-start", {U: changed("ResNet18", SOFTMAX, accuracy=0.97)}),
    ("dense-efficient", {S: {}, C: accuracies(DenseNet=0.9)}),
]


@pytest.mark.parametrize(("name", "cases"), CASES)
def test_the_verdict_on_several_runs_a_network(name, cases):
    for expected, specs in cases.items():
        assert standard(specs)[name].verdict is expected


OVERFITTED = outcome("PlainNet34", accuracy=0.9, train_loss=0.05, validation_loss=0.5)
PARTLY = outcome("PlainNet34", accuracy=0.9, train_loss=0.2, validation_loss=0.9)
LEARNS = dict.fromkeys((MUL, MUL_NOBN), Outcome())
SWAPPED = ORIGINAL | accuracies(LeNet=0.9913, SEResNet18=0.9029, SEResNet34=0.985)
SE34_BEST = ORIGINAL | accuracies(SEResNet18=0.98, SEResNet34=0.9913)
#: The same of one run a network, with what the wording is told.
SINGLE = [
    ("se-best", ORIGINAL, S, {"best": "SE-ResNet-18"}),
    ("se-best", ORIGINAL | accuracies(SEResNet18=0.9862, SEResNet34=0.985), U, {}),
    ("se-best", ORIGINAL | accuracies(DenseNet=0.9911), U, {}),  # each must be beaten
    ("se-best", SE34_BEST, S, {"best": "SE-ResNet-34"}),
    ("se-best", SWAPPED, C, {"top": "LeNet"}),
    ("alexnet-lower", ORIGINAL, S, {}),
    ("alexnet-lower", ORIGINAL | accuracies(ResNet101=0.95), M, {"failing": "ResNet-101"}),
    ("lenet-lowest", ORIGINAL, S, {}),
    ("lenet-lowest", SWAPPED, C, {}),
    ("plain-degrades", changed("PlainNet34", status="failed"), N, {}),
    ("deeper-beats-lenet", {}, M, {"failing": "PlainNet-34"}),
    ("deeper-beats-lenet", accuracies(LeNet=0.85), S, {}),
    ("deeper-beats-lenet", accuracies(LeNet=0.99), C, {}),
    ("deeper-beats-lenet", accuracies(LeNet=0.9), U, {}),
    ("degradation-in-training-loss", {"PlainNet34": OVERFITTED}, C, {}),
    ("degradation-in-training-loss", {"PlainNet34": PARTLY}, U, {"excess_in_training": False}),
    ("degradation-in-training-loss", changed("PlainNet34", train_loss=0.15), U, {}),
    ("residual-removes-degradation", accuracies(PlainNet18=0.97, PlainNet34=0.9695), U, {}),
    ("mul-much-worse", LEARNS, C, {}),
    ("mul-nobn-fails", LEARNS, C, {}),
    ("mul-nobn-fails", {MUL_NOBN: Outcome(accuracy=0.8, train_loss=0.8)}, U, {}),
    ("softmax-floor", {}, S, {}),
    ("softmax-floor", changed(SOFTMAX, train_loss=1.3), C, {}),
]


@pytest.mark.parametrize(("name", "specs", "expected", "facts"), SINGLE)
def test_the_verdict_on_one_run_a_network(name, specs, expected, facts):
    found = evaluate(make(specs=specs))[name]
    assert found.verdict is expected
    assert found.facts.items() >= facts.items()


def test_of_several_networks_those_that_fail_are_counted_and_named():
    one = standard(CLOSE | accuracies(ResNet50=0.965))["resnet-dense-close"]
    assert (one.verdict, one.facts["failing"]) == (M, "ResNet-50")
    assert (one.values["holds"].value, one.values["fails"].value) == (4, 1)


def test_seeds_are_used_when_there_are_several():
    findings = evaluate(make(specs=ORIGINAL, seeds=3))
    found = findings["lenet-lowest"]
    assert (found.test, found.seeds, found.verdict) == ("seeds", 3, S)
    assert evaluate(make(specs=ORIGINAL))["lenet-lowest"].seeds == 1
    assert findings["mul-nan"].verdict is U  # three that do not diverge rule out nothing
    records = make(seeds=3, without=["PlainNet34.s1", "PlainNet34.s2"])
    found = evaluate(records)["plain-degrades"]  # a single run is compared with several
    assert (found.test, found.seeds, found.verdict) == ("seeds", 1, S)
    assert records.extra == []  # further seeds are no own experiments


def test_seeds_that_disagree_are_inconclusive():
    runs = {"PlainNet18": (0.95, 0.90, 0.97), "PlainNet34": (0.93, 0.94, 0.88)}
    specs = {
        f"{network}.s{seed}": outcome(network, accuracy=accuracy)
        for network, found in runs.items()
        for seed, accuracy in enumerate(found)
    }
    for seeds, expected in ((3, U), (1, S)):  # as far as one run each goes
        assert evaluate(make(specs=specs, seeds=seeds))["plain-degrades"].verdict is expected


# --- Depth and residual connections -------------------------------------------------------------


def test_training_loss_by_rule_with_one_run_and_by_test_with_several():
    name = "degradation-in-training-loss"
    one, several = (evaluate(make(seeds=seeds))[name] for seeds in (None, 3))
    assert (one.test, one.p, one.verdict) == ("threshold", None, S)
    assert (several.test, several.p is None, several.verdict) == ("runs", False, S)


def test_residual_networks_that_degrade_too_contradict():
    good = {"ResNet101": outcome("ResNet101", accuracy=0.9584, train_loss=0.16)}
    bad = {"ResNet34-stable": outcome("ResNet34", accuracy=0.9, train_loss=0.4)}
    wide = {"ResNet101": outcome("ResNet101", accuracy=0.9, train_loss=0.5)}
    overfitted = {"ResNet101": outcome("ResNet101", train_loss=0.16, validation_loss=0.5)}
    alike = accuracies(**{"PlainNet34-stable": 0.97, "PlainNet18-stable": 0.9701})
    for specs, expected, facts in (
        (good, S, {}),
        (bad | wide, C, {}),
        (good | bad, M, {"change": "degradation"}),
        (overfitted, S, {"wide_change": "over-fitting"}),
        (alike, U, {"stable": True}),
    ):
        found = standard(specs)["residual-removes-degradation"]
        assert found.verdict is expected
        assert found.facts.items() >= facts.items()
    assert "PlainNet34-stable.s0" in found.runs  # runs until stable are preferred
    values = {name: value.value for name, value in found.values.items()}
    plain, deep_plain, residual, deep_residual = (
        1 - outcome(name).accuracy for name in ("PlainNet18", "PlainNet34", "ResNet18", "ResNet34")
    )
    fixed = (deep_residual / residual) / (deep_plain / plain)
    assert values["fixed"] == pytest.approx(fixed, rel=0.1)
    assert values["fixed_low"] < values["fixed"] < values["fixed_high"] < 1
    assert values["least"] <= values["plain_deep"] <= values["most"]
    assert found.facts["fixed_removes"] is True
    stable = [run for run in standard({})["residual-removes-degradation"].runs if "stable" in run]
    assert values["runs"] == len(stable)
    assert values["shortest"] <= values["longest"] <= values["limit"] == 40
    assert standard({})["plain-degrades"].facts["bottleneck"] is True  # which must degrade as well


# --- Runs that diverged -------------------------------------------------------------------------


def test_a_diverged_run_is_the_worst_outcome_and_no_accuracy():
    found = evaluate(make(specs=changed("PlainNet34", status="diverged")))["plain-degrades"]
    assert (found.verdict, found.effect, found.interval) == (S, None, None)
    assert "deep" not in found.values and found.facts["deep_diverged"] is True


def test_divergence_is_evidence_by_rule():
    """A rule has no p-value, and lowers none of the others."""
    before, findings = standard({}), standard(changed(MUL, MUL_NOBN, status="diverged"))
    for name in ("mul-much-worse", "mul-nobn-fails"):
        found = findings[name]
        assert (found.verdict, found.test, found.effect) == (S, "diverged", None)
        assert (found.p, "raw_p" in found.values) == (None, False)
        assert found.values["diverged_step"].value == 17
    assert findings["mul-nan"].verdict is S
    assert findings["mul-nobn-vanishes"].verdict is S  # measured at initialisation
    assert findings["plain-gain-grows"].p.value >= before["plain-gain-grows"].p.value


def test_some_runs_diverging_are_counted_as_the_worst():
    """Three runs a side order themselves in 20 ways: no p-value below 2/20."""
    specs = {f"{MUL}.s2": outcome(MUL, status="diverged")}
    found = evaluate(make(specs=specs | {MUL: outcome(MUL)}, seeds=3))["mul-much-worse"]
    assert (found.verdict, found.test) == (U, "ranks")
    assert found.values["raw_p"].value == pytest.approx(2 / 20)
    assert (found.facts["some_diverged"], found.facts["diverged"]) == (True, False)


def test_networks_that_all_diverged_are_not_found_equal():
    names = (*GOOD, SUB, *SE[:2], "AlexNet")
    found = evaluate(make(specs=changed(*names, status="diverged")))
    for claim in ("sub-equals-add", "resnet-dense-close", "dense-efficient"):
        assert found[claim].verdict != S
        assert found[claim].interval is None


# --- Measurements -------------------------------------------------------------------------------


def test_vanished_gains_are_below_one_as_far_as_the_runs_show():
    """Gains of 0 have no spread: three runs show no more than their signs do."""
    found = standard(changed(MUL_NOBN, branch=0.0, shortcut=0.0))["mul-nobn-vanishes"]
    assert found.verdict is U
    assert found.values["raw_p"].value == 2 * 0.5**found.seeds


def test_dense_efficiency_falls_with_size():
    records = altered(make(), "DenseNet.s0", network__parameters=60_000_000)
    assert evaluate(records)["dense-efficient"].verdict is C


def test_se_blocks_are_counted():
    found = standard({})["se-weights-differ"].values
    names = ("se18_above", "se18_blocks", "se34_above", "se34_blocks")
    assert [found[name].value for name in names] == [8, 8, 16, 16]


# --- What the original overlooked ---------------------------------------------------------------


def test_macs_column_is_a_batch_of_four_to_every_printed_digit():
    found = evaluate(make())["macs-batch-of-four"]
    assert found.verdict is S
    assert found.values["checked"].value == found.values["agreeing"].value == 9
    assert found.values["lenet_batch"].value == found.values["lenet"].value
    records = altered(make(), "ResNet34.s0", network__macs__torchinfo=3_600_000_000)
    after = evaluate(records)["macs-batch-of-four"]
    assert (after.verdict, after.values["agreeing"].value) == (C, 8)


def test_widths():
    alone = evaluate(make())["widths-not-paper"]
    assert (alone.verdict, alone.facts["paper_run"]) == (S, False)
    assert alone.values["paper50"].value == PAPER_PARAMETERS["ResNet50"] == 25_567_042
    both = standard({})["widths-not-paper"]
    assert both.facts["paper_run"] is True
    assert both.values["paper50"].sources
    assert both.values["p50"].kind == "p"


def test_three_images_apart_are_never_significant():
    found = evaluate(make())["digits-not-significant"].values
    assert [found[name].value for name in ("images_apart", "least_p", "needed")] == [3, 0.25, 6]
    assert found["detectable"].value * 10_000 > 6
    assert found["discordant"].value > 0


def test_original_covers_the_registry_and_every_claim_is_a_finding():
    loaded = original.load()
    assert set(loaded.network) <= set(models.NETWORKS)
    assert set(loaded.claim) <= set(REGISTRY)
    for claim in loaded.claim.values():
        assert all(isinstance(number, Value) for number in claim.values())
    assert original.figure("SEResNet18", "accuracy").value == 0.9913
