"""The findings at several training budgets: which are stable, and which depend on the budget.

The rungs of the budget ladder (``[ladder]`` of ``study.toml``) differ only in the number of images
seen in training. Their records are in neighbouring folders.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import multimode

from analysis.cross_dataset import elsewhere
from analysis.findings import Finding, Verdict
from analysis.findings.base import REGISTRY
from analysis.records import Records
from analysis.schema import Climb, Ladder, Outcome, Rung, Step
from analysis.values import Source, Value
from experiments import study
from experiments.record import Record

#: Runs of each network at a rung that counts.
LEAST_SEEDS = 2


def budget(record: Record) -> int:
    """Images seen in training: images times epochs."""
    return record.config.train_images * record.config.epochs


def by_rung(records: Records) -> dict[str, Records]:
    """The records of all rungs, ``records`` included, by letter in the order of the ladder.

    Empty if ``records`` are of no rung.
    """
    letters = {profile: letter for letter, profile in study.load().ladder.items()}
    own = letters.get(study.split_name(records.profile)[0])
    if own is None or not records:
        return {}
    found = {**records.rungs, own: records}
    return {letter: found[letter] for letter in letters.values() if letter in found}


def climb(records: Records, findings: Mapping[str, Finding]) -> Ladder:
    """The findings at every rung where each network that they need has at least two runs. With one
    run an interval leaves out the variance between seeds.

    Findings about the original's own figures, or about networks before training, are left out:
    they do not depend on a budget. ``findings``: those of ``records``, which are of one rung.
    """
    found = by_rung(records)
    at = {k: findings if rung is records else elsewhere(rung) for k, rung in found.items()}
    climbs = {}
    for name, hypothesis in REGISTRY.items():
        steps = {
            letter: _step(own[name])
            for letter, own in at.items()
            if own[name].verdict is not Verdict.NOT_TESTABLE and own[name].seeds >= LEAST_SEEDS
        }
        if steps and not (hypothesis.of_original or hypothesis.untrained):
            climbs[name] = Climb(outcome=outcome(list(steps.values())), steps=steps)
    return Ladder(rungs=tuple(_rung(k, v, records) for k, v in found.items()), findings=climbs)


def _rung(letter: str, rung: Records, own: Records) -> Rung:
    folder = "" if rung is own else f"{rung.folder.name}/"
    images = min(multimode(map(budget, rung)))
    sources = tuple(
        Source(f"{folder}{record.id}", f"config.{field}")
        for record in rung
        if budget(record) == images
        for field in ("train_images", "epochs")
    )
    return Rung(
        letter=letter,
        profile=study.load().ladder[letter],
        images=Value(images, "count", tuple(sorted(sources))),
        runs=len(rung),
    )


def _step(finding: Finding) -> Step:
    networks = {run.rpartition("/")[2].rpartition(".s")[0] for run in finding.runs}
    return Step(
        verdict=finding.verdict,
        effect=finding.effect,
        interval=finding.interval,
        values=finding.values,
        facts=finding.facts,
        networks=tuple(sorted(networks)),
    )


def outcome(steps: Sequence[Step]) -> Outcome:
    """The joint outcome of the last two rungs; see ``schema.Climb``."""
    if len(steps) < 2:
        return "single"
    earlier, later = steps[-2:]
    agree = _agree(earlier, later)
    decided = Verdict.INCONCLUSIVE not in (earlier.verdict, later.verdict)
    if agree and not decided:
        return "open"
    same = decided and earlier.verdict is later.verdict
    if agree and same:
        return "stable"
    if earlier.networks != later.networks:
        return "unlike"
    return "extent" if same else "depends"


def _agree(earlier: Step, later: Step) -> bool:
    """Whether two effects differ by at most the root of the sum of squares of their intervals' half
    widths; ratios are compared as logarithms. True if either has no interval."""
    spans = []
    for step in (earlier, later):
        if step.effect is None or step.interval is None:
            return True
        ends = [step.effect.value, *(end.value for end in step.interval)]
        if step.effect.kind == "ratio":
            ends = [math.log(max(end, 1e-300)) for end in ends]
        spans.append(ends)
    apart = abs(spans[0][0] - spans[1][0])
    return apart <= math.hypot(*((high - low) / 2 for _, low, high in spans))
