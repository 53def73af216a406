"""Level and power of the tests, by simulation.

    python -m analysis.simulation [--worlds N]

writes ``simulation.json``, which the report prints. A world is a simulated study: the study's
networks with known error rates. Variation between seeds and the common difficulty of images are as
in the records of profile ``standard``. The findings are evaluated as for real records. Tests of
single measurements are called directly, on values drawn from known distributions.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from analysis import original, protocol
from analysis.constants import ERROR_RATIO, MUCH_WORSE_RATIO
from analysis.evidence import Evidence
from analysis.findings import Verdict, judge, tested, uncorrected
from analysis.findings.base import REGISTRY, better, every
from analysis.findings.ranking import DEEP, RESNETS, SE_RESNETS
from analysis.records import Records
from analysis.schema import SIMULATION, Level, Power, Simulation
from analysis.statistics import (
    ALPHA,
    OneSided,
    accuracy_interval,
    ranks,
    slope,
    spearman,
    student,
    welch,
)
from analysis.true_labels import Split, labels
from experiments import study
from experiments.config import Config
from experiments.record import RESULTS, Evaluation, Record
from experiments.support.files import write_atomically
from models.cli import OneLineParser, run

#: Standard deviation between seeds of the logit of the true accuracy. With the interaction of seeds
#: and images, that of measured accuracies is 0.07, as in the records of ``standard``.
SEED_SD = 0.04
#: Shares of the variance of an image's difficulty: common to all networks, specific to a network.
#: From the tetrachoric correlations of two runs' errors in the records of ``standard``: 0.875
#: between networks, 0.90 within one.
COMMON, OWN = 0.875, 0.025
#: Error rate of a network unless a world specifies another.
USUAL = 0.013
#: Runs per network. With one run the tests do not account for seeds, so the simulated seeds do not
#: differ.
SEEDS = (1, 3, 5)

WRONG = (Verdict.SUPPORTED, Verdict.CONTRADICTED, Verdict.MIXED)


# --- Worlds -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Truth:
    """The truth of a world.

    ``errors``: error rates by variant; ``false``: wrong verdicts by finding; ``spreads``: standard
    deviation between seeds by variant, where not ``SEED_SD``; ``splits``: those that are simulated.
    """

    errors: Mapping[str, float]
    false: Mapping[str, Sequence[Verdict]] = field(default_factory=dict)
    spreads: Mapping[str, float] = field(default_factory=dict)
    splits: Sequence[Split] = ("test", "validation")


def _times(ratios: Mapping[str, float]) -> dict[str, float]:
    return {name: ratio * USUAL for name, ratio in ratios.items()}


_NEAR = 1 / ERROR_RATIO
TRUTHS = {
    # All networks are equal, so any difference found is wrong.
    "equal": Truth(
        {},
        {
            "se-best": WRONG,
            "alexnet-lower": WRONG,
            "lenet-lowest": WRONG,
            "dense-second": WRONG,
            "deeper-beats-lenet": WRONG,
            "plain-degrades": WRONG,
            "residual-removes-degradation": WRONG,
            "sub-above-none": WRONG,
            "bn-helps-plain": WRONG,
            "se-hurts-alexnet": WRONG,
            "softmax-slows": WRONG,
            "strong-recipe-better": WRONG,
            "se18-above-resnet18": (Verdict.SUPPORTED,),
            "resize-augments": (Verdict.SUPPORTED,),
        },
    ),
    # Networks differ by exactly the margin of the test.
    "margins": Truth(
        {
            "LeNet": 1 - original.figure("LeNet", "accuracy").value,
            **_times(dict.fromkeys((*SE_RESNETS, "ResNet50", "ResNet101", "ResNet18-px64"), _NEAR)),
            **_times({"ResNet18-sub": ERROR_RATIO, "ResNet18-mul": MUCH_WORSE_RATIO}),
        },
        {
            "sub-equals-add": (Verdict.SUPPORTED,),
            "se34-equals-resnet34": (Verdict.SUPPORTED,),
            "dense-efficient": (Verdict.SUPPORTED,),
            "se18-above-resnet18": (Verdict.CONTRADICTED,),
            "resize-augments": (Verdict.CONTRADICTED,),
            "mul-much-worse": WRONG,
            "lenet-under-trained": WRONG,
        },
    ),
    # Claims about sets that fail for one member only.
    "exceptions": Truth(
        _times({"ResNet101": ERROR_RATIO, "LeNet": 3, "AlexNet": 3, "PlainNet101": 3}),
        dict.fromkeys(
            ("resnet-dense-close", "deeper-beats-lenet", "plain-degrades"),
            (Verdict.SUPPORTED, Verdict.CONTRADICTED),
        ),
        splits=("test",),
    ),
    # All are equal, but one network varies much more between seeds, as LeNet does.
    "noisy": Truth({}, {"bn-helps-plain": WRONG}, {"PlainNet18-nobn": 0.2}, ("test",)),
}


def _reported() -> Truth:
    """A world with the original's accuracies.

    Where the original shows only a chart, error rates are assumed: those of a plain network are
    ``ERROR_RATIO`` times those of the next shallower one or of the residual one, the same for a
    network without BN against one with it; subtraction equals addition; multiplication guesses.
    """
    errors = {name: 1 - row.accuracy for name, row in original.load().network.items()}
    plain = ERROR_RATIO * errors["ResNet18"]
    errors |= {
        "PlainNet18": plain,
        "PlainNet34": plain * ERROR_RATIO,
        "PlainNet50": ERROR_RATIO * errors["ResNet50"],
        "PlainNet101": ERROR_RATIO**2 * errors["ResNet50"],
        "PlainNet18-nobn": plain * ERROR_RATIO,
        "ResNet18-sub": errors["ResNet18"],
        "ResNet18-mul": 0.9,
        "SEAlexNet": errors["AlexNet"],
    }
    return Truth(errors)


def on_rates() -> list[str]:
    """The claims about error rates that ``_reported`` has, those of the original's table first."""
    claims, tests, rates = original.load().claim, protocol.load().finding, _reported().errors
    found = [
        name
        for name in claims
        if tests[name].family == "confirmatory"
        and tests[name].statistic in ("error-ratio", "error-ratio-set", "equivalence")
        and rates.keys() >= set(REGISTRY[name].needs)
    ]
    return sorted(found, key=lambda name: claims[name].basis != "table")


class Worlds:
    """Draws records with known error rates. ``template`` supplies all fields that are not
    simulated; a variant without records there uses those of the network with default options.
    """

    def __init__(self, template: Records, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)
        self._template = template
        self._runs: dict[str, list[Record]] = {}
        evidence = Evidence(template)
        for planned in study.load().plan(template.profile):
            config = planned.config
            if config.variant not in self._runs and config.stop != "stable":
                self._runs[config.variant] = evidence.finished(config.variant) or [
                    run.model_copy(update={"config": config})
                    for run in evidence.finished(config.network)
                ]

    def draw(self, truth: Truth, seeds: int) -> Records:
        """Draw records with ``seeds`` runs per network."""
        by_id = {}
        hard: dict[Split, NDArray[np.float32]] = {}
        for variant, runs in self._runs.items():
            parts = {
                split: self._correct(runs[0].config, split, truth, seeds, hard)
                for split in truth.splits
            }
            for seed in range(seeds):
                name, config = f"{variant}.s{seed}", runs[0].config
                config = config.model_copy(
                    update={"seed": seed, "validation_images": config.test_images}
                )
                changed: dict[str, object] = {"id": name, "config": config, "validation": None}
                for split, correct in parts.items():
                    changed[split] = evaluation(config, split, correct[seed])
                by_id[name] = runs[seed % len(runs)].model_copy(update=changed)
        return replace(self._template, by_id=by_id, rungs={})

    def _correct(
        self,
        config: Config,
        split: Split,
        truth: Truth,
        seeds: int,
        hard: dict[Split, NDArray[np.float32]],
    ) -> NDArray[np.bool_]:
        """Which images each run gets right, ``(seeds, images)``; both splits have equal sizes."""
        images = config.test_images
        if split not in hard:
            hard[split] = self._normal(images)
        score = math.sqrt(COMMON) * hard[split] + math.sqrt(OWN) * self._normal(images)
        score = score + math.sqrt(1 - COMMON - OWN) * self._normal(seeds, images)
        error = truth.errors.get(config.variant, USUAL)
        spread = truth.spreads.get(config.variant, SEED_SD) if seeds > 1 else 0.0
        logits = math.log((1 - error) / error) + spread * self._rng.standard_normal(seeds)
        limits = [NormalDist().inv_cdf(1 / (1 + math.exp(-logit))) for logit in logits]
        return np.asarray(score < np.array(limits, dtype=np.float32)[:, None])

    def _normal(self, *shape: int) -> NDArray[np.float32]:
        return self._rng.standard_normal(shape, dtype=np.float32)


def evaluation(config: Config, split: Split, correct: NDArray[np.bool_]) -> Evaluation:
    """An evaluation whose predictions are right where ``correct`` is true, else the next digit."""
    truth = labels(config.dataset, split)[: len(correct)]
    digits = np.where(correct, truth, (truth + 1) % 10).astype(np.uint8) + ord("0")
    return Evaluation.model_construct(
        images=len(correct),
        loss=0.1,
        accuracy=float(correct.mean()),
        per_class_accuracy=[],
        predictions=digits.tobytes().decode("ascii"),
    )


# --- Levels -------------------------------------------------------------------------------------


def levels(worlds: Worlds, count: int, seeds: int) -> Iterator[Level]:
    """How often findings are decided wrongly at the level of one test, how often intervals miss the
    truth, and how often the family has a wrong decision after Holm's correction."""
    for name, truth in TRUTHS.items():
        wrong: Counter[str] = Counter()
        for _ in range(count):
            evidence = Evidence(worlds.draw(truth, seeds))
            results = tested(evidence, truth.false)
            wrong.update(k for k, r in results.items() if uncorrected(r) in truth.false[k])
            if name == "equal":
                wrong.update(_misses(evidence))
                judged = judge(evidence, results)
                wrong["family"] += any(
                    judged[k].verdict in truth.false[k]
                    for k in results
                    if REGISTRY[k].family == "confirmatory"
                )
        extra = ("interval-ratio", "interval-accuracy", "family") if name == "equal" else ()
        for key in (*results, *extra):
            yield Level(test=key, truth=name, runs=seeds, worlds=count, wrong=wrong[key])


def _misses(evidence: Evidence) -> list[str]:
    """The intervals that miss the truth in a world of equal networks."""
    low, high = evidence.compare("ResNet18", "SEResNet18").interval()
    missed = [] if low <= 0 <= high else ["interval-ratio"]
    low, high = accuracy_interval(evidence.sample("ResNet18"))
    return missed if low <= 1 - USUAL <= high else [*missed, "interval-accuracy"]


Draw = Callable[[np.random.Generator, int], OneSided]


def _normal(rng: np.random.Generator, runs: int, spread: float = 1.0) -> list[float]:
    return [float(x) for x in spread * rng.standard_normal(runs)]


def _ranks_diverged(rng: np.random.Generator, runs: int) -> OneSided:
    """Every run of both networks diverges with probability one half."""
    drawn = [-math.inf if rng.random() < 0.5 else x for x in _normal(rng, 2 * runs)]
    return better(ranks(drawn[:runs], drawn[runs:]))


def _gain_depth(rng: np.random.Generator, runs: int) -> OneSided:
    """The plain networks' gains are larger than the residual ones' but do not grow with depth."""
    depths = [depth for depth in (18, 34, 50, 101) for _ in range(runs)]
    sizes = [10 + x for x in _normal(rng, len(depths))]
    pairs = [welch(sizes[i : i + runs], _normal(rng, runs)) for i in range(0, len(sizes), runs)]
    return every([better(slope(depths, sizes)[2]), *map(better, pairs)])


def _spearman_ratios(rng: np.random.Generator, runs: int) -> OneSided:
    """Four reduction ratios with different ranges and equal accuracies."""
    ranges = [place + 0.1 * x for place in range(4) for x in _normal(rng, runs)]
    return better(spearman(ranges, _normal(rng, len(ranges)))[1])


#: Tests of measurements of single runs, by name.
SINGLE: dict[str, Draw] = {
    "welch-log": lambda rng, runs: better(welch(_normal(rng, runs), _normal(rng, runs))),
    "welch-log-unequal": lambda rng, runs: better(welch(_normal(rng, runs), _normal(rng, runs, 5))),
    "student": lambda rng, runs: better(student(_normal(rng, runs), 0.0)),
    "ranks": lambda rng, runs: better(ranks(_normal(rng, runs), _normal(rng, runs))),
    "ranks-diverged": _ranks_diverged,
    "gain-depth": _gain_depth,
    # Ten networks; the number of runs does not matter.
    "spearman": lambda rng, _: better(spearman(_normal(rng, 10), _normal(rng, 10))[1]),
    "spearman-ratios": _spearman_ratios,
}


def single_levels(rng: np.random.Generator, count: int, seeds: int) -> Iterator[Level]:
    """How often tests of single measurements find an effect when there is none."""
    for name, draw in SINGLE.items():
        wrong = sum(min(draw(rng, seeds)) < ALPHA for _ in range(count))
        yield Level(test=name, truth="single", runs=seeds, worlds=count, wrong=wrong)


# --- Power --------------------------------------------------------------------------------------


def powers(worlds: Worlds, count: int, seeds: int) -> Iterator[Power]:
    """How often claims are supported after Holm's correction if the original is right."""
    truth, shown = _reported(), Counter[str]()
    for _ in range(count):
        evidence = Evidence(worlds.draw(truth, seeds))
        found = judge(evidence, tested(evidence, REGISTRY))
        shown.update(k for k, f in found.items() if f.verdict is Verdict.SUPPORTED)
    for name in on_rates():
        if found[name].verdict is not Verdict.NOT_TESTABLE:
            yield Power(finding=name, runs=seeds, worlds=count, supported=shown[name])


#: Claims that the error rates of some networks are within the margin of those of others.
_CLOSE: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "resnet-dense-close": ((*RESNETS, "DenseNet"), SE_RESNETS),
    "dense-efficient": (("DenseNet",), DEEP),
    "residual-removes-degradation": (("ResNet101",), ("ResNet50",)),
}


def holds(name: str) -> bool:
    """Whether a claim with a margin is true of the original's own error rates."""
    errors = _reported().errors
    networks, others = _CLOSE.get(name, ((), ()))
    return all(errors[v] <= ERROR_RATIO * errors[w] for v in networks for w in others)


def simulate(template: Records, worlds: int) -> Simulation:
    """All levels and powers.

    Levels of findings use ``worlds`` worlds, single tests four times as many, powers a quarter.
    """
    with ProcessPoolExecutor() as pool:
        found = list(pool.map(partial(_with_runs, template, worlds), SEEDS))
    return Simulation(
        levels=tuple(level for levels, _ in found for level in levels),
        powers=tuple(power for _, powers in found for power in powers),
    )


def _with_runs(template: Records, worlds: int, seeds: int) -> tuple[list[Level], list[Power]]:
    source, rng = Worlds(template, seeds), np.random.default_rng(seeds)
    found = list(levels(source, worlds, seeds))
    if seeds == 1:
        return found, []
    found += single_levels(rng, 4 * worlds, seeds)
    return found, list(powers(source, max(worlds // 4, 1), seeds))


def main() -> int:
    """Parse the command line and simulate; returns the exit status."""
    parser = OneLineParser(prog="python -m analysis.simulation", description=__doc__)
    parser.add_argument("--worlds", type=int, default=1000)
    arguments = parser.parse_args()
    template = Records.load(RESULTS / "standard")
    found = simulate(replace(template, rungs={}), arguments.worlds)
    write_atomically(SIMULATION, found.model_dump_json(indent=1) + "\n")
    print(f"{len(found.levels)} levels, {len(found.powers)} powers -> {SIMULATION}")
    return 0


if __name__ == "__main__":
    run(main)
