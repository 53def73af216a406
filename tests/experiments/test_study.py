"""The study: every run the write-up needs, once; names, overrides, freshness."""

import sys

import pytest

import models
from experiments import study
from experiments.scheduling import scheduler as engine
from experiments.scheduling.estimates import seconds
from experiments.support import gpu
from experiments.versions import declared, fingerprint, lock

LOAD = study.load()


@pytest.mark.parametrize("profile", ["smoke", "quick", "standard", "full"])
def test_every_profile_has_the_whole_table_and_every_operator(profile):
    variants = {planned.config.variant for planned in LOAD.plan(profile)}
    residual = {f"ResNet18-{tag}" for tag in ("sub", "mul", "mul-nobn", "softmax")}
    assert variants >= {*LOAD.results, *residual, "PlainNet18", "PlainNet34"}
    paper = {"ResNet50-paper", "ResNet101-paper", "PlainNet50", "PlainNet101"}
    assert (paper <= variants) == (profile in ("standard", "full"))


@pytest.mark.parametrize("profile", LOAD.profiles)
def test_an_id_names_its_configuration_whose_time_is_known(profile):
    plan = LOAD.plan(profile)
    assert len({p.id for p in plan}) == len(plan)
    for planned in plan:
        assert LOAD.run_id(profile, planned.config) == planned.id
        assert seconds(planned.config) > 0


def test_the_rungs_of_the_ladder_differ_in_the_images_seen_alone():
    seen = []
    for profile in LOAD.ladder.values():
        configs = {p.config.variant: p.config for p in LOAD.plan(profile) if p.config.seed == 0}
        usual = ("", "epochs", "original")
        own = [c for c in configs.values() if (c.tag, c.stop, c.recipe) == usual]
        ((images, epochs),) = {(c.train_images, c.epochs) for c in own}  # LeNet's too
        seen.append(images * epochs)
        standard = {p.config.variant: p.config for p in LOAD.plan("standard")}
        budget = {"train_images", "validation_images", "epochs", "seed"}
        for variant, config in configs.items():
            base = standard[variant]
            assert config.model_dump(exclude=budget) == base.model_dump(exclude=budget), variant
    assert seen == [32_000, 100_000, 200_000, 500_000]
    for planned in LOAD.plan("rung-c"):
        assert planned.config.validation_images == 10_000


def test_one_input_size_but_for_lenet_and_the_alexnets():
    for profile in LOAD.profiles:
        plan = [p.config for p in LOAD.plan(profile) if not p.config.tag.startswith("px")]
        sizes = {config.network: config.input_size for config in plan}
        assert sizes["LeNet"] == 28
        if profile != "full":
            alexnets = {size for network, size in sizes.items() if "AlexNet" in network}
            assert alexnets <= {models.NETWORKS["AlexNet"].min_size}
            sizes = {k: v for k, v in sizes.items() if "AlexNet" not in k}
        assert len({v for k, v in sizes.items() if k != "LeNet"}) == 1


def test_full_is_the_originals_setting():
    configs = [planned.config for planned in LOAD.plan("full")]
    for config in configs:
        assert config.input_size == (28 if config.network == "LeNet" else 224)
        assert config.train_images == 50_000
        usual = (config.stop, config.recipe) == ("epochs", "original")
        assert config.epochs == 10 or not usual
    stable = {config.network for config in configs if config.stop == "stable"}
    assert stable == {"ResNet18", "ResNet34", "PlainNet18", "PlainNet34"}


def test_an_override_is_another_experiment_and_a_seed_is_not():
    changes = {"epochs": 1, "learning_rate": 0.01}
    for network, options, overrides, run_id in (
        ("se-resnet34", {"ratio": 16}, changes, "SEResNet34-ratio16-e1-lr0.01.s0"),
        ("LeNet", {}, {"seed": 7}, "LeNet.s7"),
        ("LeNet", {}, dict.fromkeys(changes), "LeNet.s0"),
        ("ResNet34", {"residual": "none"}, {}, "PlainNet34.s0"),
    ):
        config = LOAD.config("quick", network, options, **overrides)
        assert LOAD.run_id("quick", config) == run_id


@pytest.mark.parametrize(
    ("network", "options", "overrides", "message"),
    [
        ("ResNet18", {}, {"epochs": 0}, "epochs=0"),
        ("ResNet18", {}, {"learning_rate": -1.0}, "learning_rate=-1.0"),
        ("ResNet18", {}, {"learning_rate": float("nan")}, "learning_rate=nan"),
        ("ResNet18", {}, {"seed": -1}, "seed=-1"),
        ("LeNet", {"residual": "add"}, {}, "no option"),
    ],
)
def test_a_bad_value_is_named_in_one_line(network, options, overrides, message):
    with pytest.raises(models.UsageError, match=message) as caught:
        LOAD.config("quick", network, options, **overrides)
    assert "\n" not in str(caught.value)


def test_every_profile_is_had_on_every_data_set():
    here, there = LOAD.plan("quick"), LOAD.plan("quick-fashionmnist")
    assert [p.id for p in here] == [p.id for p in there]
    assert {p.config.dataset for p in here} == {"MNIST"}
    for one, other in zip(here, there, strict=True):
        assert other.config == one.config.model_copy(update={"dataset": "FashionMNIST"})
        assert fingerprint(other.config) != fingerprint(one.config)
        assert LOAD.run_id("quick-fashionmnist", other.config) == other.id


def test_a_profile_is_named_with_its_data_set(monkeypatch):
    monkeypatch.setattr(study, "has_gpu", lambda: False)
    for profile, dataset, name in (
        (None, None, "quick"),
        ("smoke", "MNIST", "smoke"),
        ("smoke", "fashion-mnist", "smoke-fashionmnist"),
        ("smoke-fashionmnist", "FashionMNIST", "smoke-fashionmnist"),
    ):
        assert study.profile_name(profile, dataset) == name
    assert study.split_name("smoke-fashionmnist") == ("smoke", "FashionMNIST")
    assert study.split_name("smoke") == ("smoke", "MNIST")
    assert LOAD.has("smoke-kmnist") and not LOAD.has("fast-kmnist")
    with pytest.raises(models.UsageError, match="is of FashionMNIST, not of KMNIST"):
        study.profile_name("smoke-fashionmnist", "KMNIST")
    with pytest.raises(models.UsageError, match="unknown dataset 'cifar10'"):
        study.profile_name(None, "cifar10")


@pytest.mark.parametrize(
    ("driver", "torch", "expected", "notes"),
    [(True, True, "full", 0), (True, False, "quick", 1), (False, False, "quick", 0)],
)
def test_the_default_profile_follows_what_torch_can_use(
    monkeypatch, capsys, driver, torch, expected, notes
):
    answers = {"nvidia-smi": driver, sys.executable: torch}
    monkeypatch.setattr(gpu, "_DRIVERS", ())
    monkeypatch.setattr(gpu, "_succeeds", lambda command, *_: answers[command])
    gpu.has_gpu.cache_clear()
    try:
        assert study.default_profile() == study.default_profile() == expected
    finally:
        gpu.has_gpu.cache_clear()
    assert len(capsys.readouterr().err.splitlines()) == notes


def test_the_fingerprint_follows_configuration_and_versions(monkeypatch):
    resnet, dense = (LOAD.config("quick", name, {}) for name in ("ResNet18", "DenseNet"))
    base, other = fingerprint(resnet), fingerprint(dense)
    assert fingerprint(resnet) == base
    for change in ({"epochs": 9}, {"tag": "long"}):
        assert fingerprint(resnet.model_copy(update=change)) != base
    usual = declared()
    for table, name, stale in (
        ("families", "resnet", (True, False)),
        ("probes", "se_weights", (False, False)),  # a probe makes no run stale
        ("components", "training", (True, True)),
        ("stops", "stable", (False, False)),  # neither of the two is ended by it
    ):
        raised = usual | {table: usual[table] | {name: 99}}
        monkeypatch.setattr("experiments.versions.declared", lambda raised=raised: raised)
        assert (fingerprint(resnet) != base, fingerprint(dense) != other) == stale
    settled = resnet.model_copy(update={"stop": "stable"})
    monkeypatch.setattr("experiments.versions.declared", lambda: usual)
    before = fingerprint(settled)
    monkeypatch.setattr("experiments.versions.declared", lambda: usual | {"stops": {"stable": 99}})
    assert fingerprint(settled) != before


def test_the_code_is_that_of_the_lock_and_every_module_that_a_run_reaches_is_in_a_component():
    assert lock.changed() == {}
    reached = lock.reached(lock.ENTRY)
    assert {"experiments.record", "experiments.training.device"} <= set(reached)
    named = {m for modules in declared()["modules"].values() for m in modules}
    assert {name for name in named if lock._file(name) is None} == set()  # none has moved away
    families = {network.family for network in models.NETWORKS.values()}
    assert families == set(declared()["families"])


@pytest.mark.parametrize(
    ("change", "noticed"),
    [
        (lambda s: s.replace("x + 1  # so", "x + 1"), False),
        (lambda s: s.replace('"""Doc."""', '"""Other\n    words."""\n'), False),
        (lambda s: "from experiments.elsewhere import y\n" + s, False),
        (lambda s: s.replace("return x + 1", "return (\n        x + 1\n    )"), False),
        (lambda s: s.replace("x + 1", "x + 2"), True),
        (lambda s: s.replace("'# not'", "'# other'"), True),
        (lambda s: s.replace("f(x)", "f(x=0)"), True),
    ],
)
def test_the_lock_sees_code_and_not_its_looks(monkeypatch, tmp_path, change, noticed):
    source = 'def f(x):\n    """Doc."""\n    # why\n    return x + 1  # so\n\ns = \'# not\'\n'
    (tmp_path / "one.py").write_text(source)
    (tmp_path / "two.py").write_text(change(source))
    monkeypatch.setattr(lock, "ROOT", tmp_path)
    assert (lock.tree("one") != lock.tree("two")) == noticed


def test_runs_share_the_machine(monkeypatch):
    plan = LOAD.plan("full")
    large, small = (next(p for p in plan if p.id == id) for id in ("ResNet101.s0", "LeNet.s0"))
    monkeypatch.setattr(engine, "has_gpu", lambda: False)
    monkeypatch.setattr(engine, "cores", lambda: 3)
    assert engine.next_that_fits(plan, [large, small]) is plan[0]
    assert engine.next_that_fits(plan, [large, small, small]) is None  # a core each
    monkeypatch.setattr(engine, "has_gpu", lambda: True)
    assert engine.next_that_fits([small], [large]) is None  # it fills the GPU
    assert engine.next_that_fits([large, small], [small]) is small
    assert engine.next_that_fits([small], [small] * 7) is small
    assert engine.next_that_fits([small], [small] * 8) is None
