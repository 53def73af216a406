"""For the tests with bad records: mutations of a good one, and what must hold of each."""

from __future__ import annotations

import copy
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from analysis.records import Records
from analysis.results import as_csv, summarise
from analysis.schema import Results
from experiments.record import Record, RecordError, read
from report import build
from report.base.errors import TEMPLATES
from report.base.labels import Labels
from report.blocks import run_cards
from report.blocks.numbers import LANGS
from report.documents import document
from report.templating.sections import discover
from tests import factory

#: Numbers and what passes for them, as they may stand in JSON.
EXTREMES = (
    *("0", "1", "-1", "0.5", "2", "1e300", "-1e300", "5e-324", "1e999", "-1e999", "-0.0", "1e15"),
    *(str(2**31), str(2**63 - 1), str(2**63), "9" * 400, "9" * 5000, "NaN", "Infinity"),
    *("-Infinity", '"NaN"', '"Infinity"', '"1"', '"0x1"', "true", "null", '""', "[]", "{}", "[[]]"),
)
TEXTS = (
    "../../../etc/passwd",
    "/etc/passwd",
    "..\\..\\x",
    "a/../b.s0",
    "x\x00y",
    "\x1b[31mred",
    "line\nline",
    "\u202egnp.exe",
    "\ud800",
    "\ue0000\ue001",
    "$\\frac{$",
    "<script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "x" * 100_000,
)
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(TEXTS),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children)
    ),
    max_leaves=5,
)
#: Stands for JSON that Python's own values cannot say; replaced after dumping.
_RAW = "\ue010"


class Case:
    """A bad record.

    Args:
        content: of its file.
        fault: what is wrong with it, for whoever reads a failure.
        field: the part of the record that a refusal must name; empty where that may be any.
    """

    def __init__(self, content: bytes, fault: str, field: str = "") -> None:
        self.content, self.fault, self.field = content, fault, field

    def __repr__(self) -> str:
        return f"<{self.fault}>"


@st.composite
def mutated(draw: Any, content: dict[str, Any]) -> Case:
    """A record with one fault in its structure."""
    made = copy.deepcopy(content)
    place: Any = made
    names: list[str] = []
    while True:
        key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        names.append(str(key))
        if (
            not isinstance(place[key], dict | list)
            or not place[key]
            or draw(st.integers(0, 3)) == 0
        ):
            break
        place = place[key]
    raw = ""
    kind = draw(st.sampled_from(("extreme", "extreme", "anything", "anything", "odd")))
    if kind == "odd":
        kind = draw(st.sampled_from(("remove", "add", "deep", "repeat")))
    match kind:
        case "extreme":
            place[key], raw = _RAW, draw(st.sampled_from(EXTREMES))
        case "anything":
            place[key] = draw(anything)
        case "deep":
            depth = draw(st.sampled_from((50, 300, 5_000, 200_000)))
            place[key], raw = _RAW, "[" * depth + "]" * depth
        case "remove":
            del place[key]
        case "repeat" if isinstance(place, list):
            place.extend([place[key]] * draw(st.sampled_from((1, 100, 20_000))))
        case _:
            target = place if isinstance(place, dict) else made
            target[draw(st.text(min_size=1, max_size=9) | st.sampled_from(TEXTS))] = draw(anything)
            names = []
    text = json.dumps(made, ensure_ascii=draw(st.booleans()))
    text = text.replace(json.dumps(_RAW), raw).replace(f'"{_RAW}"', raw)
    where = ".".join(names)
    fault = f"{kind} {where}: {raw or place.get(key) if isinstance(place, dict) else raw!r:.80}"
    return Case(text.encode(errors="surrogatepass"), fault, "".join(names[:1]))


@st.composite
def damaged(draw: Any, whole: bytes) -> Case:
    """A record's bytes, cut, overwritten, doubled or recoded somewhere."""
    start = draw(st.integers(0, len(whole) - 1))
    end = min(len(whole), start + draw(st.integers(1, 200)))
    kind = draw(st.sampled_from(("cut", "flip", "insert", "delete", "double", "recode")))
    head, tail = whole[:start], whole[start:]
    match kind:
        case "cut":
            made = head
        case "flip":
            made = head + bytes([tail[0] ^ draw(st.integers(1, 255))]) + tail[1:]
        case "insert":
            made = head + draw(st.binary(min_size=1, max_size=20)) + tail
        case "delete":
            made = head + whole[end:]
        case "double":
            made = whole[:end] + tail
        case _:
            kind = draw(st.sampled_from(("utf-16", "utf-32", "utf-8-sig", "cp037")))
            made = whole.decode().encode(kind, errors="replace")
    return Case(made, f"{kind} at {start} to {end}")


def replaced(record: Record, **changes: Any) -> Record:
    """A record with some fields changed, by dotted path with ``__`` for the dots."""
    content = record.model_dump(mode="json")
    for path, item in changes.items():
        place: Any = content
        *parts, last = path.split("__")
        for part in parts:
            place = place[part]
        place[last] = item
    return Record.model_validate_json(json.dumps(content), strict=True)


class Bench:
    """A folder of good records, one of which is replaced by whatever comes.

    Args:
        folder: to write into.
        run: id of the record that is replaced.
    """

    def __init__(self, folder: Path, run: str) -> None:
        self.records = factory.make()
        self.good = self.records.by_id[run]
        self.content = self.good.model_dump(mode="json")
        self.whole = json.dumps(self.content, indent=1, ensure_ascii=False).encode()
        self.path = folder / f"{run}.json"

    def check(self, case: Case) -> None:
        """Read and analyse a record, or see that it is refused as it must be."""
        self.path.write_bytes(case.content)
        try:
            record = read(self.path)
        except RecordError as error:
            assert_named(str(error), self.path, case.field)
        else:
            self.render(record)

    def render(self, record: Record) -> None:
        """Analyse the good records with this one among them, and set its card."""
        made = as_read(self.with_record(record))
        for table in made.tables.values():
            as_csv(table).encode()
        for lang in LANGS:
            "".join(run_cards.cards([made.runs[record.id]], Labels(lang))).encode()

    def with_record(self, *records: Record) -> Records:
        """The good records with these among them."""
        by_id = self.records.by_id | {record.id: record for record in records}
        return Records(self.records.folder, "quick", by_id, (), self.records.planned)


def as_read(found: Records) -> Results:
    """Findings, tables and runs, as the report reads them."""
    return Results.model_validate_json(summarise(found, {}).model_dump_json())


def compose(found: Records, folder: Path) -> None:
    """All of the report but the typesetting of its PDFs, from files in a folder of its own."""
    with tempfile.TemporaryDirectory(dir=folder) as results:
        read_again = Records.load(factory.save(found, Path(results)))
    assert read_again.by_id == found.by_id and not read_again.refused
    made = as_read(read_again)
    build.html(made).encode()
    document.compose(TEMPLATES, made, discover(TEMPLATES), "zh", pdf=True)


def assert_named(said: str, path: Path, field: str) -> None:
    """A refusal is one readable line with the file and, where it is of JSON, the field."""
    assert said.startswith(f"{path}: ")
    assert said.isprintable() and len(said) < 1000
    reason = said.removeprefix(f"{path}: ")
    assert field in reason or reason.startswith(("record: ", "not JSON")), (field, reason)
