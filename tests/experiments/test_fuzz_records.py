"""Bad records: over a thousand of them, each rendered or refused with file and field named."""

import copy
import functools
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from analysis.records import Records
from analysis.results import as_csv, summarise
from analysis.schema import Results
from experiments.record import Record, RecordError, read, schema
from report import build
from report.base.errors import TEMPLATES
from report.base.labels import Labels
from report.blocks import run_cards
from report.blocks.numbers import LANGS
from report.documents import document
from tests import factory

RUNS = ("SEResNet18.s0", "ResNet18-mul.s0", "LeNet.s0", "DenseNet.s0")
SETTINGS = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
#: JSON that is extreme, or passes for a number.
EXTREMES = (
    *("0", "1", "-1", "0.5", "2", "1e300", "-1e300", "5e-324", "1e999", "-1e999", "-0.0", "1e15"),
    *(str(2**31), str(2**63 - 1), str(2**63), "9" * 400, "9" * 5000, "NaN", "Infinity"),
    *("-Infinity", '"NaN"', '"Infinity"', '"1"', '"0x1"', "true", "null", '""', "[]", "{}"),
    *("[" * depth + "]" * depth for depth in (2, 50, 300, 5_000, 200_000)),
)
TEXTS = (
    *("../../../etc/passwd", "/etc/passwd", "..\\..\\x", "a/../b.s0", "x\x00y", "\x1b[31mred"),
    *("line\nline", "\u202egnp.exe", "\ud800", "\ue0000\ue001", "$\\frac{$", "{{ 7 * 7 }}"),
    *("<script>alert(1)</script>", "x" * 100_000),
)
scalars = st.none() | st.booleans() | st.integers() | st.floats()
anything = st.recursive(
    scalars | st.text(max_size=20) | st.sampled_from(TEXTS),
    lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=5), some),
    max_leaves=5,
)
#: Stands for JSON that Python's own values cannot say; replaced after dumping.
RAW = "\ue010"


@st.composite
def mutated(draw, content):
    """A record with one fault in its structure, and the field that a refusal must name."""
    made = copy.deepcopy(content)
    place, key = made, draw(st.sampled_from(sorted(made)))
    field, raw = key, ""
    while isinstance(place[key], dict | list) and place[key] and draw(st.integers(0, 3)):
        place = place[key]
        key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
    kinds = [*["extreme", "anything"] * 4, "remove", "add", "repeat"]
    match draw(st.sampled_from(kinds)):
        case "extreme":
            place[key], raw = RAW, draw(st.sampled_from(EXTREMES))
        case "anything":
            place[key] = draw(anything)
        case "remove":
            del place[key]
        case "repeat" if isinstance(place, list):
            place.extend([place[key]] * draw(st.sampled_from((1, 100, 20_000))))
        case _:
            target = place if isinstance(place, dict) else made
            target[draw(st.text(min_size=1, max_size=9) | st.sampled_from(TEXTS))] = draw(anything)
            field = ""
    text = json.dumps(made, ensure_ascii=draw(st.booleans()))
    text = text.replace(json.dumps(RAW), raw).replace(f'"{RAW}"', raw)
    return text.encode(errors="surrogatepass"), field


@st.composite
def damaged(draw, content):
    """A record's bytes, cut, overwritten, doubled or recoded somewhere; no field to be named."""
    whole = json.dumps(content, indent=1, ensure_ascii=False).encode()
    start = draw(st.integers(0, len(whole) - 1))
    end = start + draw(st.integers(1, 200))
    head, part, tail = whole[:start], whole[start:end], whole[end:]
    new, text = st.binary(min_size=1, max_size=20), whole.decode()
    encodings = st.sampled_from(("utf-16", "utf-32", "utf-8-sig", "cp037"))
    return draw(
        st.sampled_from([head, head + tail, head + part + part + tail])
        | new.map(lambda other: head + other + whole[start + len(other) :])
        | new.map(lambda more: head + more + part + tail)
        | encodings.map(lambda name: text.encode(name, errors="replace"))
    ), ""


#: Fields that others must agree with.
KEPT = {"schema_version", "images", "channels", "input_size", "seed"}
DEFINED = schema()["$defs"]


def resolved(rule):
    return DEFINED.get(rule.get("$ref", "").rpartition("/")[2], rule)


def pushed(draw, item, rule):
    """Part of a record: numbers at the ends of what the schema admits, or nearly, lists short."""
    rule = resolved(rule)
    if "anyOf" in rule:
        rule = resolved(rule["anyOf"][0])
        if rule.get("type") == "number" and draw(st.booleans()):
            return None
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
    status = made["status"] = draw(st.sampled_from(["finished", "finished", "diverged", "failed"]))
    made["reason"] = draw(st.text(max_size=50)) if status == "failed" else None
    if status == "diverged":
        ends = [{"epoch": 1, "step": 0}, {"epoch": 2**63 - 1, "step": 2**62}]
        made["divergence"] = draw(st.sampled_from(ends))
    for split in ("validation", "test"):
        count = draw(st.sampled_from([1, 2, 9, 10_000]))
        digits = draw(st.sampled_from(["7", "0123456789"]) | st.text("0123456789", min_size=1))
        if status != "finished":
            made[split] = None
        elif made[split]:
            made[split] |= {"images": count, "predictions": (digits * count)[:count]}
    moments = ["2000-01-01T00:00:00-23:59", "2199-12-31T23:59:59Z"]
    made["timing"] |= {key: draw(st.sampled_from(moments)) for key in ("started", "finished")}
    return made


def as_read(found):
    """Findings, tables and runs, as the report reads them."""
    return Results.model_validate_json(summarise(found, {}).model_dump_json())


def extreme_bytes(content):
    """They must be read: no field of theirs is wrong."""
    return extreme(content).map(lambda made: (json.dumps(made).encode(), None))


@functools.cache
def good():
    return factory.make()


def among_good(*records):
    return replace(good(), by_id=good().by_id | {record.id: record for record in records})


def check(path, content, field):
    """Analyse the good records with this one among them and set its card, or see that it is refused
    in one readable line with the file and, where it is of JSON, the field."""
    path.write_bytes(content)
    try:
        record = read(path)
    except RecordError as error:
        place, _, reason = str(error).partition(": ")
        assert field is not None and place == str(path)
        assert reason.isprintable() and len(str(error)) < 1000
        assert field in reason or reason.startswith(("record: ", "not JSON")), (field, reason)
        return
    made = as_read(among_good(record))
    for table in made.tables.values():
        as_csv(table).encode()
    for lang in LANGS:
        "".join(run_cards.cards([made.runs[record.id]], Labels(lang))).encode()


@pytest.mark.pipeline
@pytest.mark.parametrize("long", [False, pytest.param(True, marks=pytest.mark.soak)])
@pytest.mark.parametrize(
    ("bad", "few", "many"), [(mutated, 100, 1800), (damaged, 75, 1200), (extreme_bytes, 40, 300)]
)
def test_a_bad_record_is_rendered_or_refused(tmp_path, bad, few, many, long):
    """A few cases, the same every time; at length, others every time."""
    contents = {run: good().by_id[run].model_dump(mode="json") for run in RUNS}

    @settings(SETTINGS, max_examples=many if long else few, derandomize=not long, print_blob=long)
    @given(st.data())
    def cases(data):
        run = data.draw(st.sampled_from(RUNS))
        check(tmp_path / f"{run}.json", *data.draw(bad(contents[run])))

    cases()


@pytest.mark.soak
@settings(SETTINGS, max_examples=12, print_blob=True, phases=[Phase.generate])
@given(st.data())
def test_folders_of_extremes(data):
    """Most records of a folder at once, through figures, page and what the PDF is made from."""
    changed = []
    for record in good():
        if data.draw(st.integers(0, 3)):
            case = data.draw(extreme(record.model_dump(mode="json")))
            changed.append(Record.model_validate_json(json.dumps(case), strict=True))
    found = among_good(*changed)
    with tempfile.TemporaryDirectory() as results:
        read_again = Records.load(factory.save(found, Path(results)))
    assert read_again.by_id == found.by_id and not read_again.refused
    made = as_read(read_again)
    build.html(made).encode()
    document.compose(TEMPLATES, made, "zh", pdf=True)
