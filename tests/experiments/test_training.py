"""The loop: deterministic, resumable, honest about divergence; the probes measure what they say."""

import copy
import re
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import models
from experiments import study
from experiments.training import device as machine
from experiments.training import loop as training
from experiments.training.callbacks import Callback
from experiments.training.cpu_kernels import accelerate
from experiments.training.optimizer import AdamW, Average
from experiments.training.probes import Subject
from experiments.training.probes.block_gains import block_gains
from experiments.training.probes.se_weights import SEProbe
from experiments.training.run import execute
from experiments.training.state import Job
from experiments.training.transforms import random_warps, to_input, warp
from experiments.versions import fingerprint, in_fp32, is_fresh

pytestmark = pytest.mark.usefixtures("checkpoints")


def job(name, threads=1, **changes):
    """A run of the smoke profile, in the precision that it gets here."""
    config = study.load().config("smoke", name, {}, **changes)
    if not machine.computes_in_bf16(torch.device("cpu")):
        config = in_fp32(config)
    return Job(f"{config.variant}.s{config.seed}", config, "smoke", threads)


def same(record):
    """A record without the fields that may differ between two runs of one configuration."""
    return record.model_dump(exclude={"timing": True, "history": {"__all__": {"seconds"}}})


SMALL = {"train_images": 128, "validation_images": 100, "test_images": 100}


@pytest.mark.pipeline
@pytest.mark.parametrize("name", ["LeNet", "SEResNet18"])  # DenseNet: test_pipeline
def test_the_same_seed_gives_the_same_record_bit_for_bit(mnist, name):
    first, _ = execute(job(name, **SMALL), mnist)
    second, _ = execute(job(name, **SMALL), mnist)
    assert same(first) == same(second)
    other, _ = execute(job(name, seed=1, **SMALL), mnist)
    assert other.history != first.history


@pytest.mark.pipeline
@pytest.mark.parametrize(("able", "precision"), [(True, "bf16"), (False, "fp32")])
def test_a_run_is_in_fp32_where_the_device_has_no_bf16(mnist, monkeypatch, able, precision):
    monkeypatch.setattr("experiments.training.run.computes_in_bf16", lambda _: able)
    asked = Job("LeNet.s0", study.load().config("smoke", "LeNet", {}, **SMALL), "smoke", 1)
    assert asked.config.precision == "bf16"
    record, _ = execute(asked, mnist)
    assert record.config.precision == precision
    assert record.fingerprint == fingerprint(record.config)
    assert is_fresh(record.fingerprint, asked.config)  # on whatever machine
    longer = asked.config.model_copy(update={"epochs": 9})
    assert not is_fresh(record.fingerprint, longer)


@pytest.mark.parametrize(
    ("capabilities", "able"),
    [
        ({"avx2": True, "avx512_f": True, "avx512_bf16": False}, False),
        ({"avx2": True, "avx512_bf16": True}, True),
        ({"avx2": True, "amx_bf16": True}, True),
        ({"neon": True, "bf16": False}, False),
        ({"neon": True, "bf16": True}, True),
        ({}, False),
    ],
)
def test_what_a_cpu_can_do_is_asked_of_pytorch(monkeypatch, capabilities, able):
    cpu = torch.device("cpu")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert machine.computes_in_bf16(cpu) == able
    name = machine.environment(cpu, 1).device
    assert re.fullmatch(rf".+ \(\w+{', bf16' * able}\), \d+ cores", name)
    monkeypatch.delattr(torch.cpu, "get_capabilities")  # older releases
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: able)
    assert machine.computes_in_bf16(cpu) == able


@pytest.mark.pipeline
def test_an_interrupted_run_ends_as_an_uninterrupted_one(mnist):
    asked = job("SEResNet18", epochs=3, **SMALL)
    whole, _ = execute(asked, mnist)

    def interrupt(epoch):
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(asked, mnist, on_epoch=interrupt, checkpoint_seconds=0)
    ended = []
    resumed, _ = execute(asked, mnist, on_epoch=ended.append, checkpoint_seconds=0)
    assert [epoch.epoch for epoch in ended] == [2, 3]  # the first epoch was not done again
    assert same(resumed) == same(whole)


def test_the_learning_rate_cycles():
    config = study.load().config("smoke", "ResNet18", {}, epochs=4)
    rates = [training.learning_rate(config, step, 100, 25) for step in range(100)]
    assert max(rates) == config.learning_rate == rates[24]
    assert rates[0] == pytest.approx(config.learning_rate / 25)
    assert rates[-1] < 0.01 * config.learning_rate
    constant = config.model_copy(update={"schedule": "constant"})
    assert training.learning_rate(constant, 99, 100, 25) == config.learning_rate


def test_the_rule_for_a_stable_loss():
    assert not training.is_stable([1.0] * 5)  # two windows are needed
    assert training.is_stable([1.0] * 6)
    assert not training.is_stable([1.0, 0.9, 0.8, 0.7, 0.6, 0.5])
    assert training.is_stable([0.1, 0.1, 0.1, 0.097, 0.097, 0.097])
    assert not training.is_stable([0.05, 0.05, 0.04, 0.04, 0.04, 0.4])  # a sudden rise


@pytest.mark.pipeline
def test_a_stable_run_ends_before_its_epochs_do(mnist):
    flat = job("LeNet", epochs=30, stop="stable", schedule="constant", learning_rate=1e-6, **SMALL)
    record, _ = execute(flat, mnist)
    assert len(record.history) == 2 * training.STABLE_WINDOW


def test_gradient_norms_are_those_of_autograd(mnist):
    record, _ = execute(job("LeNet", **SMALL), mnist)
    norms = record.probes.gradient_norms
    assert norms.layers == ["conv1", "conv2", "fc1", "fc2", "fc3"]
    assert norms.steps == list(range(len(norms.norms)))
    # The first step again, by hand.
    config = job("LeNet", **SMALL).config
    torch.manual_seed(config.seed)
    net = models.build("LeNet")
    order = torch.randperm(128, generator=torch.Generator().manual_seed(1))[: config.batch_size]
    x = torch.from_numpy(mnist.train_images[:128].copy())[order][:, None].float() / 127.5 - 1
    y = torch.from_numpy(mnist.train_labels[:128].astype("int64"))[order]
    F.cross_entropy(net(x), y).backward()
    expected = [float(net.get_submodule(layer).weight.grad.norm()) for layer in norms.layers]
    assert norms.norms[0] == pytest.approx(expected, rel=0.05)  # bf16 against fp32


@pytest.mark.parametrize("operator", models.OPERATORS)
def test_block_gains_agree_with_autograd(mnist, operator):
    torch.manual_seed(0)
    net = models.build("ResNet18", residual=operator)
    images = torch.from_numpy(mnist.validation_images[:8].copy())
    labels = torch.from_numpy(mnist.validation_labels[:8].astype("int64"))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    gains = block_gains(net, images, labels, 36)
    assert len(gains) == 8
    torch.testing.assert_close(dict(net.state_dict()), before, rtol=0, atol=0)  # no trace is left
    assert all(p.grad is None for p in net.parameters())
    # Gradient of the loss at a block's input over that at its output, straight from autograd.
    net.train()
    kept = []
    for block in net.stages.modules():
        if hasattr(block, "join"):
            block.register_forward_hook(lambda _m, args, out: kept.append((args[0], out)))
    loss = F.cross_entropy(net(to_input(images, 36, 3)), labels)
    for (x, y), gain in zip(kept, gains, strict=True):
        gx, gy = torch.autograd.grad(loss, [x, y], retain_graph=True)
        assert gain.gain == pytest.approx(float(gx.norm() / gy.norm()), rel=1e-3)
        if operator == "none":
            assert (gain.shortcut, gain.gain) == (0, gain.branch)
        if operator in ("add", "sub") and not gain.projection:
            assert 0.3 < gain.shortcut <= 1  # the identity, through ReLU


def test_se_weights_are_those_of_the_blocks():
    net = models.build("SEResNet18").eval()
    probe = SEProbe(Subject(net, None, None, None))
    probe.before_test()
    with torch.inference_mode():
        net(torch.randn(6, 3, 36, 36))
        net(torch.randn(4, 3, 36, 36))
    probe.after_test()
    blocks = probe.result()
    assert [b.channels for b in blocks] == [64, 64, 128, 128, 256, 256, 512, 512]
    for block in blocks:
        assert block.range_of_means == pytest.approx(max(block.mean) - min(block.mean), abs=1e-3)
        assert block.mean_range >= block.range_of_means - 1e-3
    assert not any(module._forward_hooks for module in net.modules())


@pytest.mark.parametrize(
    ("channels", "size", "stride", "kernel"),
    [(32, 1, 1, 3), (32, 2, 1, 3), (32, 2, 2, 3), (16, 2, 1, 1), (16, 2, 2, 1), (8, 1, 1, 5)],
)
@pytest.mark.parametrize("bias", [True, False])
def test_small_maps_give_the_convolutions_numbers(channels, size, stride, kernel, bias):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(channels, 24, kernel, stride, kernel // 2, bias=bias))
    net.to(memory_format=torch.channels_last)
    x = torch.randn(5, channels, size, size, requires_grad=True)
    g = torch.randn_like(net(x))
    wanted = [x, *net.parameters()]
    expected_out = net(x)
    expected = torch.autograd.grad(expected_out, wanted, g)
    accelerate(net, channels, size)
    for times in (1, 1, 2):  # the gradient's buffer is used again; of parts of a batch they add up
        if times == 1:
            for tensor in wanted:
                tensor.grad = None
        out = net(x)
        torch.testing.assert_close(out, expected_out)
        out.backward(g)
        for tensor, want in zip(wanted, expected, strict=True):
            torch.testing.assert_close(tensor.grad, times * want, rtol=1e-4, atol=1e-5)
    nn.Sequential(net, nn.ReLU(inplace=True))(x).sum().backward()  # it may work in place


def test_large_maps_are_left_alone():
    net = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1))
    x = torch.randn(2, 4, 9, 9)
    expected = net(x)
    accelerate(net, 4, 9)
    assert torch.equal(net(x), expected)


def test_a_grey_image_goes_through_the_stem_as_one_channel():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 8, 7, 2, 3)).to(memory_format=torch.channels_last)
    x = to_input(torch.randint(0, 256, (4, 28, 28), dtype=torch.uint8), 36, 3)
    expected_out = net(x)
    g = torch.randn_like(expected_out)
    expected = torch.autograd.grad(expected_out, list(net.parameters()), g)
    accelerate(net, 3, 36)
    out = net(x)
    assert out.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(out, expected_out, rtol=1e-4, atol=1e-5)
    got = torch.autograd.grad(out, list(net.parameters()), g)
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.pipeline
def test_a_batch_in_parts_has_the_gradient_of_the_whole(mnist):
    losses, nets, callback = [], [], Callback()
    callback.on_trained = nets.append
    for pieces in (1, 4):
        asked = replace(job("LeNet", **SMALL), micro_batches=pieces)
        record, _ = execute(asked, mnist, callbacks=[callback])
        assert record.batch_pieces == pieces
        losses.append(record.history[0].train_loss)
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)
    weights = [torch.cat([p.flatten() for p in net.parameters()]) for net in nets]
    assert torch.allclose(*weights, atol=2e-3)


@pytest.mark.pipeline
def test_a_run_short_of_memory_splits_its_batches_and_says_so(mnist, monkeypatch):
    said = "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: you …"

    def short(*args, micro_batches, **settings):
        if micro_batches < 4:
            raise RuntimeError(said)
        return training.train(*args, micro_batches=micro_batches, **settings)

    monkeypatch.setattr("experiments.training.run.train", short)
    record, _ = execute(job("ResNet18", **SMALL), mnist)
    assert (record.status, record.batch_pieces) == ("finished", 4)
    monkeypatch.setattr("experiments.training.run.train", lambda *_, **__: short(micro_batches=1))
    record, _ = execute(job("ResNet18", **SMALL), mnist)
    assert record.status == "failed"
    assert "in 32 parts" in record.reason and said in record.reason


def test_the_strong_recipe_warps_images(mnist):
    record, usual = (
        execute(job("LeNet", recipe=recipe, **SMALL), mnist)[0] for recipe in ("strong", "original")
    )
    assert record.id == "LeNet-strong.s0"
    assert record.history[0].train_loss != usual.history[0].train_loss
    images = torch.from_numpy(mnist.train_images[:50].copy())
    still = torch.tensor([[1.0, 0, 0], [0, 1, 0]]).expand(50, 2, 3)
    assert torch.equal(warp(images, still).round(), images.float())
    maps = random_warps(50, torch.Generator().manual_seed(0))
    warped = warp(images, maps)
    assert 0 <= float(warped.min()) <= float(warped.max()) <= 255
    assert 5 < float((warped - images).abs().mean()) < 60  # moved, and still near


def test_weights_are_averaged_as_a_recipe_says():
    net = models.build("LeNet")
    average = Average(net, steps=100)  # looks back over five steps
    before = [p.detach().clone() for p in net.parameters()]
    with torch.no_grad():
        for p in net.parameters():
            p.add_(1)
    average.update()
    with average.applied():
        now = [*net.parameters()]
        torch.testing.assert_close(now, [old + 0.2 for old in before], rtol=0, atol=1e-6)
    torch.testing.assert_close([*net.parameters()], [old + 1 for old in before], rtol=0, atol=0)


def test_the_optimizer_updates_as_torch_does_whatever_the_layout():
    net = models.build("ResNet18").to(memory_format=torch.channels_last)
    pairs = list(zip(net.parameters(), copy.deepcopy(net).parameters(), strict=True))
    ours = AdamW(net, study.load().config("smoke", "ResNet18", {}))
    decayed, others = ([p for _, p in pairs if (p.dim() >= 2) == many] for many in (True, False))
    groups = [{"params": decayed}, {"params": others, "weight_decay": 0.0}]
    theirs = torch.optim.AdamW(groups, lr=1e-2, weight_decay=0.01)
    for _ in range(3):
        for one, other in pairs:
            one.grad = torch.randn_like(one)
            other.grad = one.grad.clone()
        ours.update(1e-2)
        theirs.step()
    for one, other in pairs:
        assert torch.allclose(one, other, atol=1e-6)
        assert one.grad is None
