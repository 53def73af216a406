"""Bad records: over a thousand of them, each rendered or refused with file and field named."""

import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from experiments.record import Record, read
from tests.fuzz_kit import Bench, compose, damaged, mutated

RUNS = ("SEResNet18.s0", "ResNet18-mul.s0", "LeNet.s0", "DenseNet.s0")
SETTINGS = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def benches(tmp_path_factory):
    return {run: Bench(tmp_path_factory.mktemp("records"), run) for run in RUNS}


LOSSES = st.sampled_from([0.0, 5e-324, 1e-12, 1.0, 1e6, 1e300, -1e300, -1.0])
FRACTIONS = st.sampled_from([0.0, 1e-12, 0.5, 1.0])
SIZES = st.sampled_from([0.0, 5e-324, 1e-9, 1.0, 1e12, 1e300])
GAINS = st.none() | SIZES


@st.composite
def evaluations(draw, count):
    kind = draw(st.sampled_from(["one digit", "any", "period"]))
    digits = {
        "one digit": draw(st.sampled_from("0123456789")) * count,
        "any": "".join(draw(st.lists(st.sampled_from("0123456789"), min_size=1, max_size=20))),
        "period": "0123456789",
    }[kind]
    return {
        "images": count,
        "loss": draw(LOSSES),
        "accuracy": draw(FRACTIONS),
        "per_class_accuracy": draw(st.lists(FRACTIONS, min_size=10, max_size=10)),
        "predictions": (digits * (count // len(digits) + 1))[:count],
    }


@st.composite
def extreme(draw, content):
    """A record that the schema admits and that no training would write."""
    made = dict(content)
    config = made["config"] = dict(content["config"])
    counts = st.sampled_from([1, 2, 9, 10_000])
    config["test_images"], config["validation_images"] = draw(counts), draw(counts)
    config["train_images"] = draw(st.sampled_from([1, 50_000]))
    config["epochs"] = draw(st.sampled_from([1, 1000]))
    config["batch_size"] = draw(st.sampled_from([2, 8192]))
    config["learning_rate"] = draw(st.sampled_from([5e-324, 10.0]))
    config["weight_decay"] = draw(FRACTIONS)
    made["status"] = draw(st.sampled_from(["finished", "finished", "diverged", "failed"]))
    finished = made["status"] == "finished"
    made["reason"] = draw(st.text(max_size=50)) if made["status"] == "failed" else None
    made["divergence"] = (
        {"epoch": draw(st.sampled_from([1, 2**63 - 1])), "step": draw(st.sampled_from([0, 2**62]))}
        if made["status"] == "diverged"
        else None
    )
    for split in ("validation", "test"):
        count = draw(st.sampled_from([config[f"{split}_images"], 1, 10_000]))
        made[split] = draw(evaluations(count)) if finished else None
    made["history"] = [
        {
            "epoch": draw(st.sampled_from([index + 1, 1, 2**63 - 1])),
            "train_loss": draw(LOSSES),
            "validation_loss": draw(LOSSES),
            "validation_accuracy": draw(FRACTIONS),
            "learning_rate": draw(SIZES),
            "seconds": draw(SIZES),
        }
        for index in range(draw(st.sampled_from([0, 1, 2, 60])))
    ]
    sizes = st.sampled_from([0, 1, 2**63 - 1])
    macs = {"torchinfo": draw(sizes), "thop": draw(sizes)}
    made["network"] = {
        "parameters": draw(sizes),
        "macs": macs,
        "macs_size": draw(sizes),
        "macs_at_input": macs,
        "layers": draw(st.text(max_size=30)),
    }
    made["probes"] = draw(probes(content["probes"]))
    made["timing"] = content["timing"] | {
        "started": draw(st.sampled_from(["2000-01-01T00:00:00Z", "2199-12-31T23:59:59+23:59"])),
        "finished": draw(st.sampled_from(["2000-01-02T00:00:00-23:59", "2199-12-31T23:59:59Z"])),
        "wall_seconds": draw(SIZES),
        "train_seconds": draw(SIZES),
        "images_per_second": draw(SIZES),
        "peak_memory_bytes": draw(sizes),
    }
    return made


@st.composite
def probes(draw, content):
    layers = [f"layer.{index}" for index in range(draw(st.sampled_from([0, 1, 300])))]
    steps = draw(st.lists(st.sampled_from([0, 1, 9, 2**62]), max_size=3))
    row = draw(st.lists(GAINS, min_size=1, max_size=5))
    names = [block["block"] for probe in content["block_gains"][:1] for block in probe["blocks"]]
    names = draw(st.sampled_from([names, names[:1], [], ["x"] * 200, names[::-1]]))
    channels = draw(st.sampled_from([1, 2, 2048]))
    return {
        "gradient_norms": {
            "steps": steps,
            "layers": layers,
            "norms": [(row * (len(layers) // len(row) + 1))[: len(layers)] for _ in steps],
        },
        "block_gains": [
            {
                "step": draw(st.sampled_from([0, 2**62])),
                "epoch": draw(SIZES),
                "blocks": [
                    {
                        "block": name,
                        "projection": draw(st.booleans()),
                        "gain": draw(GAINS),
                        "branch": draw(GAINS),
                        "shortcut": draw(GAINS),
                    }
                    for name in names
                ],
            }
            for _ in range(draw(st.sampled_from([0, 1, 2])))
        ],
        "se_weights": [
            {
                "block": block["block"],
                "channels": channels,
                "mean": [draw(FRACTIONS)] * channels,
                "std": [draw(SIZES)] * channels,
                "range_of_means": draw(FRACTIONS),
                "mean_range": draw(FRACTIONS),
            }
            for block in content["se_weights"][: draw(st.sampled_from([0, 1, 99]))]
        ],
    }


# --- Each rendered or refused -------------------------------------------------------------------


def wrong_field(bench, data):
    bench.check(data.draw(mutated(bench.content)))


def wrong_bytes(bench, data):
    bench.check(data.draw(damaged(bench.whole)))


def extreme_record(bench, data):
    bench.path.write_text(json.dumps(data.draw(extreme(bench.content))))
    bench.render(read(bench.path))


@pytest.mark.parametrize("long", [False, pytest.param(True, marks=pytest.mark.soak)])
@pytest.mark.parametrize(
    ("check", "few", "many"),
    [(wrong_field, 200, 1800), (wrong_bytes, 150, 1200), (extreme_record, 60, 300)],
)
def test_a_bad_record(benches, check, few, many, long):
    """A few cases, the same every time; at length, others every time."""

    @settings(SETTINGS, max_examples=many if long else few, derandomize=not long, print_blob=long)
    @given(st.data())
    def cases(data):
        check(benches[data.draw(st.sampled_from(RUNS))], data)

    cases()


@pytest.mark.soak
@settings(SETTINGS, max_examples=12, print_blob=True, phases=[Phase.generate])
@given(st.data())
def test_folders_of_extremes(benches, data):
    """Most records of a folder at once, through figures, page and what the PDF is made from."""
    bench = benches[RUNS[0]]
    changed = []
    for record in bench.records:
        if data.draw(st.integers(0, 3)):
            case = data.draw(extreme(record.model_dump(mode="json")))
            changed.append(Record.model_validate_json(json.dumps(case), strict=True))
    compose(bench.with_record(*changed), bench.path.parent)
