"""The macros for writers, which ``templates/README.md`` documents."""

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

from markupsafe import Markup

from analysis.schema import Climb, Finding, Kind, Results, Run, Step, Value, Verdict, value
from report.base.environment import partial, read
from report.base.errors import Place, ReportError, calling_place, unknown
from report.base.placeholders import Token, escape, stand_in
from report.blocks import front_matter, numbers, pictures, settings, tables
from report.blocks.citations import Bibliography
from report.blocks.numbers import Lang, card_id, data_element, link
from report.templating.engine import Engine, Missing
from report.templating.sections import discover, in_language, written

#: Marks of the verdicts; they differ in shape, not only in colour.
MARKS = {
    "supported": "▲",
    "contradicted": "▼",
    "mixed": "■",
    "inconclusive": "◆",
    "not_testable": "○",
}
#: Methods of ``Writer`` that templates may call: numbers, blocks, references.
_MACROS = (
    *("n", "p", "ci", "field", "has", "orig", "const"),
    *("figure", "table", "layers", "finding", "colophon"),
    *("verdict", "outcome", "f", "cite", "ref", "run"),
)
#: The findings that the first screen prints in full, and its figure.
_MAIN_FINDINGS = (
    "se-best",
    "plain-degrades",
    "residual-removes-degradation",
    "mul-much-worse",
    "dense-efficient",
)
_MAIN_FIGURE = "residual"
_Item = TypeVar("_Item")
_SVG = "http://www.w3.org/2000/svg"
#: Maximum number of record groups below a figure; more are collapsed.
_FEW_RUNS = 4


class Writer(Engine):
    """The macros of one language and target, and their numbers and citations; see ``Engine``."""

    def __init__(self, folder: Path, lang: Lang, *, pdf: bool, results: Results) -> None:
        super().__init__(folder, lang, pdf=pdf)
        self.records = results
        self.profile = results.setting
        self.works = Bibliography(folder / "references.bib", lang)
        self.drawings: dict[str, str] = {}
        self._numbers: dict[str, dict[str, int]] = {"figure": {}, "table": {}, "finding": {}}
        sections = discover(folder)
        self.sections = in_language(sections, lang)
        self._numbered_sections = {each.name: each.number for each in self.sections if each.number}
        names = {section.name for section in self.sections}
        self._left_out = [section.name for section in sections if section.name not in names]
        self._short = cache(self._said)
        self.environment.globals |= {name: getattr(self, name) for name in _MACROS}
        self.environment.globals |= {
            "acc": functools.partial(self._quantity, "accuracy"),
            "val_acc": functools.partial(self._quantity, "validation_accuracy"),
            "params": functools.partial(self._quantity, "parameters"),
            "macs": functools.partial(self._quantity, "macs"),
            "claim": lambda name: self.slots.add(self.claim(name)),
            "title": lambda variant: _known("network", variant, self.records.networks).title,
            "preset": settings.preset(folder / "report.toml"),
            "shown": lambda section: section in names,
            "profile": self.profile,
            "records": self.records,
            "dataset": results.dataset,
            "transfer": results.cross_dataset,
            "ladder": results.ladder,
            "lang": lang,
            "paper": pdf,
        }

    # --- numbers ------------------------------------------------------------------------------

    def p(self, value: Value | Missing) -> Token:
        """A p-value: ``p = 0.003``, ``p < 0.001``."""
        if not isinstance(value, Value):
            return self.no_number(value, "p() takes a Value")
        text = numbers.printed(value, self.lang).text
        sign = "" if text.startswith("<") else f"={numbers.NBSP}"
        number = data_element(value, sign + text, self.lang)
        return self.slots.add(partial("p-value", number=number))

    def ci(self, interval: tuple[Value, Value] | Missing) -> Token:
        """An interval: ``[97.1, 98.2]%``."""
        if not (isinstance(interval, tuple) and len(interval) == 2):
            return self.no_number(interval, "ci() takes an interval")
        return self.slots.add(tables.interval(interval, self.lang))

    def field(self, record: str, path: str, kind: Kind) -> Value | Missing:
        """A field of a record: ``field("ResNet18.s0", "test.accuracy", "accuracy")``."""
        _known("kind", kind, numbers.KINDS)
        found = self._record(record)
        if found is None:
            return Missing(record)
        part = path.partition(".")[0]
        if part in ("test", "validation", "divergence") and getattr(found, part) is None:
            return Missing(f"{record} {path}")
        try:
            return value(found, path, kind)
        except (LookupError, ValueError) as error:
            raise ReportError(str(error.args[0]), calling_place(path)) from None

    def _record(self, record: str) -> Run | None:
        """A record; None if it is not here but the study plans it in some profile."""
        return _known("record", record, dict.fromkeys(self.records.planned) | self.records.runs)

    def _quantity(self, field: str, variant: str) -> Value | Missing:
        found: Value | None = getattr(_known("network", variant, self.records.networks), field)
        return found or Missing(variant)

    def has(self, variant: str, *, any: bool = False) -> bool:
        """Whether a network has a finished run; with ``any``, a run of any status."""
        network = _known("network", variant, self.records.networks)
        return bool(network.runs if any else network.finished)

    def orig(self, network: str, field: str) -> Value:
        """A figure of the original write-up's results table."""
        figures = self.records.original.figures
        row = _known("network of the original's table", network, figures)
        return _known("figure of the original's table", field, row)

    def const(self, name: str) -> Value:
        """A number that follows from definitions."""
        return _known("constant", name, self.records.constants)

    # --- figures and tables -------------------------------------------------------------------

    def _numbered(self, kind: str, name: str) -> int:
        """Give a figure, table or finding its number."""
        numbered = self._numbers[kind]
        if name in numbered:
            raise ReportError(f"{kind} {name!r} is there twice", calling_place(name))
        numbered[name] = len(numbered) + 1
        return numbered[name]

    def _float(
        self,
        kind: str,
        name: str,
        caller: Callable[[], str] | None,
        runs: Iterable[str],
        **content: object,
    ) -> Token:
        """A figure or table with its number, its caption and the records behind it."""
        place, number = calling_place(), self._numbered(kind, name)
        # the text between {% call figure(...) %} and {% endcall %}
        caption = self.html(caller().strip(), place.file, inline=True) if caller and place else ""
        known = tuple(run for run in runs if run in self.records.runs)
        names = numbers.folded(known)
        html = partial(
            kind,
            lang=self.lang,
            name=name,
            label=self.labels,
            number=number,
            caption=Markup(caption),
            runs=[(card_id(first, self.lang), joined) for joined, first in names.items()],
            few=len(names) <= _FEW_RUNS,
            count=len(known),
            paper=self.pdf,
            **content,
        )
        return self.slots.add(html, block=True)

    def figure(self, name: str, *, caller: Callable[[], str] | None = None) -> Token:
        """A figure with its number, its caption and the records behind it."""
        art = _known("figure", name, self.records.figures)
        alt = art.alt.get(self.lang, "")
        kinds = (f"{self.lang}.svg", f"{self.lang}.png", f"{self.lang}.pdf", "csv")
        files = [f"figures/{name}.{kind}" for kind in kinds]
        return self._float(
            "figure",
            name,
            caller,
            art.runs,
            drawing=self._drawing(name, alt) if alt else "",
            alt=alt,
            files=[file for file in files if file in self.records.files],
            command=self._command(name),
            explorer=name == "confusion" and bool(self.records.misread.networks),
        )

    def _drawing(self, name: str, alt: str) -> str:
        """A figure's address in the PDF, or its element in the page."""
        source = self.records.svg(name, self.lang)
        if self.pdf:
            return pictures.embedded(source)
        key = f"{self.lang}-{name}"
        drawing = pictures.for_page(source, key, self.records.inks)
        head, _, body = drawing.replace(f' xmlns="{_SVG}"', "", 1).partition(">")
        self.drawings[key] = body.removesuffix("</svg>")
        # The tree contains only the drawing's outer element.
        attributes = f'id="{key}-drawing" role="img" aria-label="{escape(alt)}"'
        return Markup(f"{head} {attributes}>{stand_in(key)}</svg>")

    def table(self, name: str, *, caller: Callable[[], str] | None = None) -> Token:
        """A table with its number, its caption and the records behind it."""
        found = _known("table", name, self.records.tables)
        files = [f"tables/{name}.csv", f"tables/{name}.{self.lang}.tex"]
        body = tables.html(found, self)
        return self._float("table", name, caller, found.runs, body=body, files=files, command="")

    def _command(self, figure: str) -> str:
        """The command that draws a figure; empty if the profile is not the study's."""
        if not self.profile.planned:
            return ""
        dataset = self.records.dataset
        rest = "" if dataset.original else f" DATASET={dataset.name}"
        return f"make figure NAME={figure} PROFILE={self.profile.base}{rest}"

    def layers(self, variant: str) -> Token:
        """torchinfo's layer table of a network; in the PDF without the sums below it."""
        index = _known("network", variant, self.records.networks).layers
        if index is None:
            return self.n(Missing(variant))
        table = self.records.layers[index]
        text = table.text.partition("Total params")[0].rstrip() if self.pdf else table.text
        label = self.labels("layers_of", network=variant)
        html = partial("layers", label=label, source=table.source, text=text)
        return self.slots.add(html, block=True)

    # --- findings -----------------------------------------------------------------------------

    def f(self, name: str) -> Finding:
        """A finding, for conditions: ``{% if f("se-best").verdict == "supported" %}``."""
        return _known("finding", name, self.records.findings)

    def finding(self, name: str) -> Token:
        """A finding: its outcome as a heading in the text, numbers, and details of the test."""
        found = self.f(name)
        self._numbered("finding", name)
        verdict = found.verdict.value
        html = partial(
            "finding",
            lang=self.lang,
            name=name,
            verdict=verdict,
            mark=MARKS[verdict],
            **self._outcome(found),
            details=Markup(self.labels("list_semicolon")).join(self._details(found)),
            label=self.labels,
            paper=self.pdf,
        )
        return self.slots.add(html, block=True)

    def _outcome(self, found: Finding, more: str = "") -> dict[str, Markup]:
        """The head and the text of a finding; in the head, ``more`` in brackets, and whether a
        decision depends on the budget."""
        if found.verdict is Verdict.NOT_TESTABLE:
            head = self.labels("not_tested", claim=self.claim(found.id))
            return {"outcome": Markup(head), "text": self.printed(self._phrases["absent"](found))}
        head = self._short(found.id, found.verdict.value)
        told = [more] if more else []
        if found.verdict is not Verdict.INCONCLUSIVE and (climb := self._moving(found)):
            told.append(self.labels(f"word_{climb.outcome}"))
        if told:
            text = self.labels("list_semicolon").join(told)
            head = head[:-1] + self.labels("parenthesis", text=text) + head[-1]
        return {"outcome": Markup(head), "text": Markup(self._short(found.id, "numbers"))}

    def _details(self, found: Finding) -> Iterator[str]:
        """The details of the test: claim, test, runs, effect and p-value."""
        if found.verdict is Verdict.NOT_TESTABLE:
            return
        if found.verdict is not Verdict.SUPPORTED:  # then the head is not the claim
            verdict = self.labels(f"verdict_{found.verdict.value}").lower()
            claim = self.claim(found.id)
            yield Markup(self.labels("tested_claim", claim=claim, verdict=verdict))
        if climb := self._moving(found):
            rungs = [self._rung(letter, step) for letter, step in climb.steps.items()]
            each = self.labels("list_comma").join(rungs)
            yield self.labels("over_rungs", word=self.labels(f"word_{climb.outcome}"), rungs=each)
        if not found.test:
            return
        yield self.labels(f"test_{found.test}")
        if found.test == "arithmetic":
            return  # the number of runs does not matter
        if found.seeds:
            yield self.labels("one_run" if found.seeds == 1 else "several_runs", count=found.seeds)
        runs = [self.records.runs[run] for run in found.runs if run in self.records.runs]
        if found.effect and any(run.status == "diverged" for run in runs):
            yield self.labels("finished_only")
        if found.effect and found.interval:
            yield partial(
                "effect",
                what=Markup(self.effect(found.id)),
                number=self.n(found.effect),
                between=f"{self.labels('list_comma')}{self.labels('interval')} ",
                interval=self.ci(found.interval),
            )
        if found.p:
            told = f"{self.labels('corrected')} " + self.p(found.p)
            if "all" in found.values and found.verdict is not Verdict.MIXED:
                # of a claim about several networks, the largest p-value was corrected
                opposed = found.verdict is Verdict.CONTRADICTED
                name = found.facts["weakest_against" if opposed else "weakest"]
                count = self.n(found.values["all"])
                told += Markup(self.labels("largest_p", count=count, name=name))
            yield told

    def _moving(self, found: Finding) -> Climb | None:
        """A finding over the rungs of the ladder; None if it does not depend on the budget."""
        climb = self.records.ladder.findings.get(found.id)
        return climb if climb and climb.outcome in ("depends", "extent") else None

    def _rung(self, letter: str, step: Step) -> str:
        """The verdict and the effect of a finding on a rung of the ladder."""
        verdict = self.labels(f"verdict_{step.verdict.value}").lower()
        effect = self.labels("parenthesis", text=self.n(step.effect)) if step.effect else ""
        return self.labels("on_rung", letter=letter, verdict=verdict) + effect

    def colophon(self) -> Token:
        """The runs, machines, software and commits behind the records."""
        return self.slots.add(front_matter.colophon(self.records, self.labels), block=True)

    def summary(self) -> Markup:
        """The first screen of the page: marks of all findings shown, the main ones in words."""
        findings = [self.f(name) for name in self._numbers["finding"]]
        if not self.records.runs or not findings:
            return Markup()
        number = self._numbers["figure"].get(_MAIN_FIGURE, 0)
        alt = self.records.figures[_MAIN_FIGURE].alt if number else {}
        svg = self.records.svg(_MAIN_FIGURE, self.lang) if alt else ""
        box = re.search(r'viewBox="([^"]*)"', svg)
        return partial(
            "summary",
            lang=self.lang,
            label=self.labels,
            marks=MARKS,
            tally=Counter(found.verdict.value for found in findings),
            findings=findings,
            outcomes={found.id: self._outcome(found)["outcome"] for found in findings},
            plain=self.slots.plain,
            own=sum(found.id not in self.records.original.claims for found in findings),
            main=_MAIN_FINDINGS,
            alt=alt.get(self.lang, ""),
            box=box[1] if box else "",
            figure=_MAIN_FIGURE,
            number=number,
        )

    @cached_property
    def _phrases(self) -> Mapping[str, Any]:
        """The macros that the wordings share (``findings/_phrases.<lang>.md``)."""
        with self.template(f"findings/_phrases.{self.lang}.md") as template:
            return vars(template.make_module())

    def claim(self, name: str) -> str:
        """The short text of a finding's claim, with placeholders."""
        return self._short(name, "claim")

    def effect(self, name: str) -> str:
        """What the effect of a finding is, with placeholders."""
        return self._short(name, "effect")

    def _said(self, name: str, block: str) -> str:
        """A block of a finding's wording (``findings/<name>.<lang>.md``) as HTML."""
        file = f"findings/{name}.{self.lang}.md"
        text = self.render(file, {**self._phrases, "f": self.f(name)}, block)
        return self.html(text.strip(), self.folder / file, inline=True)

    def outcome(self, name: str, more: str = "") -> Token:
        """A finding's outcome as a sentence, with ``more`` in brackets before the full stop."""
        return self.slots.add(self._outcome(self.f(name), more)["outcome"])

    def badge(self, verdict: str) -> Markup:
        """A verdict as a badge of word and shape."""
        word = self.labels(f"verdict_{verdict}")
        return partial("badge", verdict=verdict, mark=MARKS[verdict], word=word)

    def verdict(self, name: str, *, last: bool = False) -> Token:
        """The verdict's word as a link to the finding; with ``last``, that on the ladder's last
        rung."""
        found = self.f(name)
        verdict = self.records.ladder.findings[name].final.verdict if last else found.verdict
        word = self.labels(f"verdict_{verdict.value}")

        def leading() -> str:
            shown = name in self._numbers["finding"]
            return link("ref", f"{self.lang}-finding-{name}", word) if shown else escape(word)

        return self.slots.add(leading)

    # --- references ---------------------------------------------------------------------------

    def cite(self, *keys: str) -> Token:
        """Works of ``references.bib`` by number."""
        if not keys:
            raise ReportError("cite() needs a key")
        found = sorted((self.works.number(key, calling_place()), key) for key in keys)
        works = [(f"{self.lang}-work-{key}", number) for number, key in found]
        return self.slots.add(partial("citation", works=works, raised=self.lang == "zh"))

    def ref(self, target: str) -> Token:
        """A figure, table, section or equation by number: ``ref("fig:depth")``."""
        place = calling_place()
        kind, _, name = target.partition(":")
        numbered: dict[str, Mapping[str, int | str]] = {
            "fig": self._numbers["figure"],
            "tab": self._numbers["table"],
            "sec": self._numbered_sections,
            "eq": self.markdown.equations,
        }
        known = _known("kind of reference", kind, numbered)

        def leading() -> str:  # once everything has its number
            if name not in known:
                self._refuse_left_out(target, place)
                raise unknown("reference", target, [f"{kind}:{each}" for each in known], place)
            number = known[name]
            appendix = kind == "sec" and not str(number)[0].isdigit()
            text = self.labels("ref_appendix" if appendix else f"ref_{kind}", number=number)
            return link("ref", f"{self.lang}-{kind}-{name}", text)

        return self.slots.add(leading)

    def _refuse_left_out(self, target: str, place: Place | None) -> None:
        """Raise an error if the target of a reference is in a section that is left out."""
        kind, _, name = target.partition(":")
        macros = {"fig": f'figure("{name}")', "tab": f'table("{name}")', "eq": f"$$ ({name})"}
        for section in self._left_out:
            files = written(self.folder / "sections", f"*-{section}.{self.lang}.md")
            inside = kind != "sec" and any(macros[kind] in read(file) for file in files)
            if inside or target == f"sec:{section}":
                raise ReportError(
                    f"{target} is in the section {section!r}, which report.toml leaves out: show "
                    f"the section, or put the reference into {{% if shown({section!r}) %}}",
                    place,
                )

    def run(self, record: str) -> Token:
        """A link to a run card."""
        if self._record(record) is None:
            return self.slots.add(partial("run", name=record))
        return self.slots.add(link("run", card_id(record, self.lang), record))


def _known(kind: str, name: str, known: Mapping[Any, _Item]) -> _Item:
    """The item of a name; an error if there is no such name."""
    if name not in known:
        raise unknown(kind, name, known, calling_place())
    return known[name]
