"""The networks are the original write-up's, to the last parameter and every printed digit."""

import pytest
import torch
import torchvision

import models
from analysis import original
from models.complexity import count
from models.resnet import Block
from models.senet import SEBlock

ORIGINAL = original.load().network


@pytest.mark.parametrize("name", ORIGINAL)
def test_parameters_and_macs_equal_the_originals_to_the_last_printed_digit(name):
    stated, counted = ORIGINAL[name], count(name)
    built = models.build(name)
    assert sum(p.numel() for p in built.parameters()) == counted.parameters == stated.parameters
    shown = stated.macs_images * counted.macs_torchinfo  # of a batch of four but for LeNet's
    assert round(shown / stated.macs_step) == round(stated.macs / stated.macs_step)


@pytest.mark.parametrize("name", ["ResNet50", "ResNet101"])
def test_paper_variant_is_torchvisions_plus_adaptor(name):
    theirs = getattr(torchvision.models, name.lower())()
    ours = models.build(name, variant="paper")
    adaptor = 1000 * 10 + 10
    number = sum(p.numel() for p in theirs.parameters())
    assert sum(p.numel() for p in ours.parameters()) == number + adaptor
    # The same weights give the same outputs: the structure is equal, not only the count.
    state = dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=False))
    kept = {k: v for k, v in ours.state_dict().items() if k.startswith("adaptor")}
    # Both register stem, then per block convolutions before the projection, in forward order but
    # for the projection, which torchvision registers last too.
    ours.load_state_dict(state | kept)
    ours.eval(), theirs.eval()
    x = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        expected = theirs(x)
        got = ours.classifier(ours.pool(ours.stages(ours.stem(x))))
    torch.testing.assert_close(got, expected)


@pytest.mark.parametrize("name", models.NETWORKS)
def test_every_network_maps_images_to_ten_logits_at_its_least_size(name):
    network = models.NETWORKS[name]
    net = models.build(name).eval()
    size = network.min_size
    with torch.inference_mode():
        out = net(torch.randn(2, network.input_channels, size, size))
    assert out.shape == (2, 10)
    if network.fixed_size is None:
        with pytest.raises(RuntimeError), torch.inference_mode():
            net(torch.randn(2, 3, 1, 1))  # too small a size leaves a layer nothing


def test_usual_spellings_are_known_and_others_get_the_list_and_the_nearest():
    for spelling in ("SE-ResNet34", "seresnet34", "SE_ResNet_34", "SEResNet34"):
        assert models.resolve(spelling).name == "SEResNet34"
    with pytest.raises(models.UsageError, match=r"Did you mean ResNet18\?.*LeNet, AlexNet"):
        models.resolve("ResNte18")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("SEResNet18", {"ratio": 0}, "ratio=0: expected a whole number from 1"),
        ("DenseNet", {"growth_rate": -1}, "growth_rate=-1: expected a whole number from 1"),
        ("ResNet18", {"residual": "div"}, "residual='div': expected one of add, sub, mul, none"),
        ("LeNet", {"ratio": 2}, "LeNet has no option 'ratio'"),
        ("ResNet50", {"variant": "torch"}, "expected one of original, paper"),
    ],
)
def test_bad_options_name_the_option_and_what_was_expected(name, options, message):
    with pytest.raises(models.UsageError, match=message):
        models.build(name, **options)


@pytest.mark.parametrize("operator", models.OPERATORS)
def test_operators_compute_what_they_say(operator):
    net = models.build("ResNet18", residual=operator).eval()
    block = next(m for m in net.modules() if isinstance(m, Block))
    x = torch.randn(2, 64, 5, 5)
    h = block.residual(x)
    expected = {"add": h + x, "sub": h - x, "mul": h * x, "none": h}[operator]
    torch.testing.assert_close(block(x), expected.relu())


def test_plain_network_is_the_operator_none_without_the_dead_projections():
    plain, none = models.build("PlainNet18"), models.build("ResNet18", residual="none")
    assert [p.shape for p in plain.parameters()] == [p.shape for p in none.parameters()]
    projections = sum(a * b + b for a, b in ((64, 128), (128, 256), (256, 512)))
    difference = ORIGINAL["ResNet18"].parameters - sum(p.numel() for p in plain.parameters())
    assert difference == projections


def test_options_change_what_they_say():
    net = models.build("ResNet34", residual="mul", batch_norm=False)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in net.modules())
    blocks = [m for m in models.build("SEAlexNet").modules() if isinstance(m, SEBlock)]
    assert len(blocks) == 5  # one after each convolution
    out = models.build("ResNet18", softmax=True).eval()(torch.randn(2, 3, 36, 36))
    torch.testing.assert_close(out.sum(dim=1), torch.ones(2))


@pytest.mark.parametrize(("ratio", "squeezed"), [(1, 64), (2, 32), (16, 4), (64, 1)])
def test_reduction_ratio(ratio, squeezed):
    net = models.build("SEResNet18", ratio=ratio)
    block = next(m for m in net.modules() if isinstance(m, SEBlock))
    assert block.excite[0].out_features == squeezed
    weights = block.excite(torch.randn(3, 64))
    assert ((weights > 0) & (weights < 1)).all()


@pytest.mark.parametrize("growth_rate", [12, 32])
def test_growth_rate(growth_rate):
    net = models.build("DenseNet", growth_rate=growth_rate)
    convolutions = [m for m in net.modules() if isinstance(m, torch.nn.Conv2d)]
    assert sum(c.out_channels == growth_rate and c.kernel_size == (3, 3) for c in convolutions) == 8
