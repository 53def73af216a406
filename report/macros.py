"""The writer's macros: everything that ``templates/README.md`` documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from jinja2 import Undefined

import models
from analysis import original
from analysis.constants import CONSTANTS
from analysis.evidence import title
from analysis.records import mean, value
from analysis.values import Kind, Value
from experiments import study
from experiments.datasets import DATASETS
from experiments.record import Record
from report import numbers, svg, tables
from report.citations import Bibliography
from report.engine import Engine, Missing
from report.errors import ReportError, calling_place, unknown
from report.material import Art, Material
from report.numbers import Lang, card_id, data_element
from report.profile import Profile
from report.sections import SectionFile
from report.slots import Token, escape

if TYPE_CHECKING:
    from analysis.findings import Finding

Split = Literal["test", "validation"]
#: The verdicts' marks differ in shape, not in colour alone.
MARKS = {
    "supported": "▲",
    "contradicted": "▼",
    "mixed": "■",
    "inconclusive": "◆",
    "not_testable": "○",
}
#: So many records are named below a figure; more are folded away.
_FEW_RUNS = 4


class Writer(Engine):
    """The macros of one language and target, and what they have numbered and cited.

    Args:
        folder: of the templates.
        lang: language.
        pdf: for the PDF.
        material: records and what was made of them.
        sections: of the report, in order.
    """

    def __init__(
        self,
        folder: Path,
        lang: Lang,
        *,
        pdf: bool,
        material: Material,
        sections: list[SectionFile],
    ) -> None:
        super().__init__(folder, lang, pdf=pdf)
        self.material = material
        self.records = material.records
        self.profile = Profile(self.records)
        self.works = Bibliography(folder / "references.bib", lang)
        self.assets: dict[str, str] = {}
        self._addresses: dict[str, str] = {}
        self.figure_numbers: dict[str, int] = {}
        self.table_numbers: dict[str, int] = {}
        self._sections = {section.name: section.number for section in sections}
        self._findings_shown: set[str] = set()
        self.environment.globals |= {
            "n": self.n,
            "p": self.p,
            "ci": self.ci,
            "field": self.field,
            "acc": lambda variant: self._mean(variant, "test.accuracy", "accuracy"),
            "val_acc": lambda variant: self._mean(variant, "validation.accuracy", "accuracy"),
            "params": lambda variant: self._mean(variant, "network.parameters", "params"),
            "macs": lambda variant: self._mean(variant, "network.macs.torchinfo", "macs"),
            "has": self.has,
            "title": lambda variant: title(self._known(variant)),
            "orig": self.orig,
            "const": self.const,
            "figure": self.figure,
            "table": self.table,
            "layers": self.layers,
            "finding": self.finding,
            "verdict": self.verdict,
            "claim": self.claim_text,
            "f": self.f,
            "cite": self.cite,
            "ref": self.ref,
            "run": self.run,
            "profile": self.profile,
            "records": self.records,
            "dataset": DATASETS[self.records.dataset],
            "transfer": material.transfer,
            "study": study.load(),
            "lang": lang,
        }

    # --- numbers ------------------------------------------------------------------------------

    def number(self, value: Value) -> Token:
        """A number with its default format."""
        return self.n(value)

    def n(
        self,
        value: Value | Missing,
        *,
        digits: int | None = None,
        unit: bool = True,
        sign: bool | None = None,
    ) -> Token:
        """A number with its provenance.

        Args:
            value: what to print.
            digits: after the point, instead of the kind's own; significant ones for gain, weight.
            unit: False leaves the unit out.
            sign: True shows a plus, False no sign at all.
        """
        if isinstance(value, Missing):
            return self.missing(value)
        if not isinstance(value, Value):
            raise ReportError(f"n() takes a Value, not {_kind_of(value)}", calling_place())
        shown = numbers.printed(value, self.lang, digits)
        text = numbers.signed(shown.text, value.value, sign)
        shown = numbers.Printed(text, shown.unit if unit else "", shown.space)
        return self.slots.add(data_element(value, str(shown), self.lang))

    def p(self, value: Value | Missing) -> Token:
        """A p-value: ``p = 0.003``, ``p < 0.001``."""
        if isinstance(value, Missing):
            return self.missing(value)
        if not isinstance(value, Value):
            raise ReportError(f"p() takes a Value, not {_kind_of(value)}", calling_place())
        text = numbers.printed(value, self.lang).text
        sign = "" if text.startswith("<") else f"={numbers.NBSP}"
        data = data_element(value, sign + text, self.lang)
        return self.slots.add(f'<span class="p"><i class="var">p</i>{numbers.NBSP}{data}</span>')

    def ci(
        self,
        interval: tuple[Value, Value] | Missing,
        *,
        digits: int | None = None,
        unit: bool = True,
    ) -> Token:
        """An interval: ``[97.1, 98.2]%``."""
        if isinstance(interval, Missing):
            return self.missing(interval)
        if not (isinstance(interval, tuple) and len(interval) == 2):
            raise ReportError(f"ci() takes an interval, not {_kind_of(interval)}", calling_place())
        return self.slots.add(tables.interval(interval, self.lang, digits, unit=unit))

    def field(self, record: str, path: str, kind: Kind) -> Value | Missing:
        """A field of a record: ``field("ResNet18.s0", "test.accuracy", "accuracy")``."""
        if kind not in numbers.DIGITS:
            raise unknown("kind", kind, numbers.DIGITS, calling_place())
        found = self._record(record)
        if found is None:
            return Missing(record)
        part = path.partition(".")[0]
        if part in ("test", "validation", "divergence") and getattr(found, part) is None:
            return Missing(f"{record} {path}")
        try:
            return value(found, path, kind)
        except (LookupError, ValueError) as error:
            raise ReportError(str(error.args[0]), _place(path)) from None

    def _record(self, record: str) -> Record | None:
        """A record; None where the study plans it, in some profile, but it is not here."""
        if record not in self.records.by_id and record not in self._planned:
            known = [*self.records.by_id, *sorted(self._planned)]
            raise unknown("record", record, known, calling_place())
        return self.records.by_id.get(record)

    @cached_property
    def _planned(self) -> frozenset[str]:
        plan = study.load()
        return frozenset(run.id for name in plan.profiles for run in plan.plan(name))

    @cached_property
    def _variants(self) -> frozenset[str]:
        """What can be named: a study that leaves a network out still has findings that miss it."""
        planned = {run.rpartition(".s")[0] for run in self._planned}
        recorded = {record.config.variant for record in self.records}
        missed = {name for found in self.material.findings.values() for name in found.missing}
        return frozenset(planned | recorded | missed | set(models.NETWORKS))

    def _known(self, variant: str) -> str:
        if variant not in self._variants:
            raise unknown("network", variant, sorted(self._variants), calling_place())
        return variant

    def _mean(self, variant: str, path: str, kind: Kind) -> Value | Missing:
        runs = self.records.of(self._known(variant), finished=not path.startswith("network."))
        if not runs:
            return Missing(variant)
        if path.startswith("network."):
            return value(runs[0], path, kind)
        return mean([value(run, path, kind) for run in runs])

    def has(self, variant: str, *, any: bool = False) -> bool:
        """Whether a network has a finished run; with ``any``, a run of whatever status."""
        return bool(self.records.of(self._known(variant), finished=not any))

    def orig(self, network: str, field: str) -> Value:
        """A figure of the original write-up's results table."""
        try:
            return original.figure(network, field)
        except (LookupError, models.UsageError) as error:
            raise ReportError(str(error.args[0]), _place(network)) from None

    def const(self, name: str) -> Value:
        """A number that follows from definitions."""
        if name not in CONSTANTS:
            raise unknown("constant", name, CONSTANTS, calling_place())
        return CONSTANTS[name]

    # --- figures and tables -------------------------------------------------------------------

    def asset(self, svg: str) -> str:
        """Keep a drawing for the PDF; the address that it has there."""
        address = self._addresses.setdefault(svg, f"asset:{len(self._addresses)}.svg")
        self.assets[address] = svg
        return address

    def figure(self, name: str, *, caller: Callable[[], str] | None = None) -> Token:
        """A figure with its number, its caption and the records behind it."""
        place = calling_place()
        if name not in self.material.figures:
            raise unknown("figure", name, self.material.figures, place)
        if name in self.figure_numbers:
            raise ReportError(f"figure {name!r} is there twice", _place(name))
        self.figure_numbers[name] = len(self.figure_numbers) + 1
        art = self.material.figures[name]
        drawing = self._drawing(name, art)
        label = escape(self.labels("figure_number", number=self.figure_numbers[name]))
        text = self._caption(caller)
        data = self._data_line(art.runs, art.code)
        return self.slots.add(
            f'<figure id="{self.lang}-fig-{escape(name)}" class="figure">{drawing}'
            f'<figcaption><span class="label">{label}</span> {text}{data}</figcaption></figure>',
            block=True,
            place=place,
        )

    def _drawing(self, name: str, art: Art) -> str:
        if not art.svg:
            return f'<p class="nothing">{escape(self.labels("nothing_to_draw"))}</p>'
        alt = escape(art.alt[self.lang])
        if self.pdf:
            address = self.asset(art.svg[self.lang])
            return f'<img class="art" src="{address}" alt="{alt}"/>'
        drawing = svg.for_page(art.svg[self.lang], f"{self.lang}-{name}")
        return f'<div class="art">{_labelled(drawing, alt)}</div>'

    def table(self, name: str, *, caller: Callable[[], str] | None = None) -> Token:
        """A table with its number, its caption and the records behind it."""
        place = calling_place()
        if name not in self.material.tables:
            raise unknown("table", name, self.material.tables, place)
        if name in self.table_numbers:
            raise ReportError(f"table {name!r} is there twice", _place(name))
        self.table_numbers[name] = len(self.table_numbers) + 1
        label = escape(self.labels("table_number", number=self.table_numbers[name]))
        text = self._caption(caller)
        found = self.material.tables[name]
        body = tables.html(found, self.context)
        data = self._data_line(found.runs, "")
        return self.slots.add(
            f'<figure id="{self.lang}-tab-{escape(name)}" class="table table-{escape(name)}">'
            f'<figcaption><span class="label">{label}</span> {text}</figcaption>'
            f'<div class="scroll">{body}</div>{data}</figure>',
            block=True,
            place=place,
        )

    @cached_property
    def context(self) -> tables.Context:
        """What the cells of tables need of this document."""
        return tables.Context(
            self.lang,
            self.labels,
            self.claim,
            lambda name: self._short(name, "effect"),
            self.badge,
            frozenset(self.records.by_id),
        )

    def _caption(self, caller: Callable[[], str] | None) -> str:
        """The text between ``{% call figure(...) %}`` and ``{% endcall %}``."""
        place = calling_place()
        return self.caption(caller(), place.file if place else self.folder) if caller else ""

    def _data_line(self, runs: Iterable[str], code: str) -> str:
        """The records behind a figure or table, and the command that draws it."""
        known = [run for run in runs if run in self.records.by_id]
        if not known:
            return ""
        names = (
            numbers.folded(known)
            if len(known) > numbers.MANY
            else dict(zip(known, known, strict=True))
        )
        links = ", ".join(self._link(first, name) for name, first in names.items())
        count = escape(self.labels("data_runs", count=len(known)))
        prefix = escape(self.labels("data"))
        drawn = f" · <code>{escape(code)}</code>" if code else ""
        if self.pdf:
            return f'<p class="data">{prefix}{links if len(known) <= _FEW_RUNS else count}</p>'
        if len(known) <= _FEW_RUNS:
            return f'<p class="data">{prefix}{links}{drawn}</p>'
        return (
            f'<details class="data"><summary>{prefix}{count}</summary>'
            f"<p>{links}{drawn}</p></details>"
        )

    def layers(self, variant: str) -> Token:
        """torchinfo's table of a network's layers, of its first run."""
        place = calling_place()
        runs = self.records.of(self._known(variant), finished=False)
        if not runs:
            return self.missing(Missing(variant))
        run = runs[0]
        label = escape(self.labels("layers_of", network=variant))
        return self.slots.add(
            f'<pre class="layers" tabindex="0" role="region" aria-label="{label}" '
            f'data-source="{escape(run.id)} network.layers">{escape(run.network.layers)}</pre>',
            block=True,
            place=place,
        )

    # --- findings -----------------------------------------------------------------------------

    def f(self, name: str) -> Finding:
        """A finding, for conditions: ``{% if f("se-best").verdict == "supported" %}``."""
        found = self.material.findings.get(name)
        if found is None:
            raise unknown("finding", name, self.material.findings, calling_place())
        return found

    def finding(self, name: str) -> Token:
        """The wording of a finding's verdict, under its claim and a badge."""
        place = calling_place()
        found = self.f(name)
        file = f"findings/{name}.{self.lang}.md"
        text = self.html(self._wording(found, found.verdict.value), self.folder / file)
        if name in self._findings_shown:
            raise ReportError(f"finding {name!r} is there twice", _place(name))
        self._findings_shown.add(name)
        verdict = found.verdict.value
        return self.slots.add(
            f'<div class="finding {verdict}" id="{self.lang}-finding-{escape(name)}" '
            f'data-finding="{escape(name)}" data-verdict="{verdict}">'
            f'<p class="claim">{self.badge(verdict)} <strong>{self.claim(name)}</strong></p>'
            f"{text}{self._evidence(found)}</div>",
            block=True,
            place=place,
        )

    def _evidence(self, found: Finding) -> str:
        """How it was tested, and on how many runs."""
        if not found.test:
            return ""
        text = self.labels(f"test_{found.test}")
        if found.test == "arithmetic":
            pass  # no matter how often
        elif found.seeds == 1:
            text += self.labels("one_run")
        elif found.seeds > 1:
            text += self.labels("several_runs", count=found.seeds)
        return f'<p class="evidence">{escape(text)}</p>'

    def _wording(self, found: Finding, block: str) -> str:
        scope = {**self._phrases, "f": found}
        return self.render(f"findings/{found.id}.{self.lang}.md", scope, block)

    @cached_property
    def _phrases(self) -> Mapping[str, Any]:
        """The macros that the wordings share (``findings/_phrases.<lang>.md``)."""
        name = f"findings/_phrases.{self.lang}.md"
        if not (self.folder / name).is_file():
            return {}
        return vars(self.template(name).make_module())

    def claim(self, name: str) -> str:
        """The short text of a finding's claim, with placeholders."""
        return self._short(name, "claim")

    def _short(self, name: str, block: str) -> str:
        file = self.folder / f"findings/{name}.{self.lang}.md"
        return self.caption(self._wording(self.f(name), block), file)

    def claim_text(self, name: str) -> Token:
        """The short text of a finding's claim."""
        return self.slots.add(self.claim(name))

    def badge(self, verdict: str) -> str:
        """A verdict as a badge of word and shape."""
        word = escape(self.labels(f"verdict_{verdict}"))
        return (
            f'<span class="badge {verdict}"><span class="mark" aria-hidden="true">'
            f"{MARKS[verdict]}</span>{numbers.NBSP}{word}</span>"
        )

    def verdict(self, name: str) -> Token:
        """The verdict's word alone, leading to the finding."""
        found = self.f(name)
        word = escape(self.labels(f"verdict_{found.verdict.value}"))

        def link() -> str:
            if name not in self._findings_shown:
                return word
            return f'<a class="ref" href="#{self.lang}-finding-{escape(name)}">{word}</a>'

        return self.slots.add(link)

    # --- references ---------------------------------------------------------------------------

    def cite(self, *keys: str) -> Token:
        """Works of ``references.bib`` by number."""
        place = calling_place()
        if not keys:
            raise ReportError("cite() needs a key", place)
        found = sorted((self.works.number(key, place), key) for key in keys)
        links = [
            f'<a class="cite" href="#{self.lang}-work-{escape(key)}">{number}</a>'
            for number, key in found
        ]
        if self.lang == "zh":
            return self.slots.add(f"<sup>[{','.join(links)}]</sup>")
        return self.slots.add(", ".join(f"[{link}]" for link in links))

    def ref(self, target: str) -> Token:
        """A figure, table, section or equation by number: ``ref("fig:depth")``."""
        place = calling_place()
        kind, _, name = target.partition(":")
        numbered: dict[str, Mapping[str, int]] = {
            "fig": self.figure_numbers,
            "tab": self.table_numbers,
            "sec": self._sections,
            "eq": self.equations,
        }
        if kind not in numbered:
            raise unknown("kind of reference", kind, numbered, place)

        def link() -> str:  # once everything has its number
            if name not in numbered[kind]:
                known = [f"{kind}:{each}" for each in numbered[kind]]
                raise unknown("reference", target, known, place)
            text = self.labels(f"ref_{kind}", number=numbered[kind][name])
            return f'<a class="ref" href="#{self.lang}-{kind}-{escape(name)}">{escape(text)}</a>'

        return self.slots.add(link)

    def run(self, record: str) -> Token:
        """A link to a run card."""
        if self._record(record) is None:
            return self.slots.add(f'<span class="run">{escape(record)}</span>')
        return self.slots.add(self._link(record, record))

    def _link(self, record: str, text: str) -> str:
        return f'<a class="run" href="#{escape(card_id(record, self.lang))}">{escape(text)}</a>'


def _labelled(svg: str, alt: str) -> str:
    """An SVG that says what it shows."""
    return re.sub(r"<svg\b", f'<svg role="img" aria-label="{alt}"', svg, count=1)


def _kind_of(item: Any) -> str:
    if isinstance(item, Undefined):
        str(item)  # raises, naming what is undefined
    return "nothing (None)" if item is None else f"a {type(item).__name__}"


def _place(word: str) -> Any:
    place = calling_place()
    return place.at(word) if place else None
