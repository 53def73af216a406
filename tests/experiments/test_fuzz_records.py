"""Bad records: over a thousand of them, each rendered or refused with file and field named."""

import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from experiments.record import Record, read, schema
from tests.fuzz_kit import Bench, compose, damaged, mutated

RUNS = ("SEResNet18.s0", "ResNet18-mul.s0", "LeNet.s0", "DenseNet.s0")
SETTINGS = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def benches(tmp_path_factory):
    return {run: Bench(tmp_path_factory.mktemp("records"), run) for run in RUNS}


#: Fields that others must agree with.
KEPT = {"schema_version", "images", "channels", "input_size", "seed"}
DEFINED = schema()["$defs"]


def pushed(draw, item, rule):
    """Part of a record: numbers at the ends of what the schema admits, or nearly, lists short."""
    rule = DEFINED.get(rule.get("$ref", "").rpartition("/")[2], rule)
    if "anyOf" in rule:
        rule = rule["anyOf"][0]
        if rule.get("type") == "number" and draw(st.booleans()):
            return None
        rule = DEFINED.get(rule.get("$ref", "").rpartition("/")[2], rule)
    if isinstance(item, dict):
        rules = {k: v for k, v in rule.get("properties", {}).items() if k not in KEPT}
        return {k: pushed(draw, v, rules[k]) if k in rules else v for k, v in item.items()}
    if isinstance(item, list) and item:
        if isinstance(item[0], dict):
            item = item[: draw(st.sampled_from([0, 1, len(item)]))]
        elif isinstance(item[0], float | int):
            return [pushed(draw, item[0], rule["items"])] * len(item)
        return [pushed(draw, each, rule["items"]) for each in item]
    if isinstance(item, bool) or not isinstance(item, float | int):
        return item
    low, high = rule.get("minimum", -1e300), rule.get("maximum", 1e300)
    low = 5e-324 if "exclusiveMinimum" in rule else low
    if rule["type"] == "integer":
        return draw(st.sampled_from([low, rule.get("exclusiveMaximum", high + 1) - 1]))
    between = (5e-324, 1e-9, 0.5, 1.0, 1e12)
    return draw(st.sampled_from([low, *(x for x in between if low < x < high), high]))


@st.composite
def extreme(draw, content):
    """A record that the schema admits and that no training would write."""
    made = pushed(draw, content, schema())
    made["status"] = draw(st.sampled_from(["finished", "finished", "diverged", "failed"]))
    made["reason"] = draw(st.text(max_size=50)) if made["status"] == "failed" else None
    if made["status"] == "diverged":
        made["divergence"] = draw(
            st.sampled_from([{"epoch": 1, "step": 0}, {"epoch": 2**63 - 1, "step": 2**62}])
        )
    for split in ("validation", "test"):
        count = draw(st.sampled_from([1, 2, 9, 10_000]))
        digits = draw(st.sampled_from(["7", "0123456789"]) | st.text("0123456789", min_size=1))
        if made["status"] != "finished":
            made[split] = None
        elif made[split]:
            made[split] |= {"images": count, "predictions": (digits * count)[:count]}
    moments = ["2000-01-01T00:00:00-23:59", "2199-12-31T23:59:59Z"]
    made["timing"] |= {key: draw(st.sampled_from(moments)) for key in ("started", "finished")}
    return made


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
