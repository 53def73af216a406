"""A second computation of the results, from raw predictions and probes by numpy and scipy alone.

It follows ``analysis/protocol.toml`` and shares no code with the analysis, which runs as a program
of its own. Every accuracy and size of the results table, every p-value before and after Holm's
correction, and every interval of findings and tables is compared.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
import sys
import tomllib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from tests import checkout
from tests.checkout import ROOT

RESULTS = ROOT / "experiments" / "results"
LABELS = json.loads((ROOT / "analysis" / "true_labels.json").read_text())
PROTOCOL = tomllib.loads((ROOT / "analysis" / "protocol.toml").read_text(encoding="utf-8"))
ORIGINAL = tomllib.loads((ROOT / "analysis" / "original.toml").read_text(encoding="utf-8"))
MARGIN, TWICE = math.log(1.25), math.log(2.0)
#: A p-value of 0 means "decided by rule"; one that a distribution gives is never smaller than this.
LEAST = sys.float_info.min
#: Score of a run that diverged, below every other.
WORST = -1e9

DEPTHS = (18, 34, 50, 101)
SE, RES = ["SEResNet18", "SEResNet34"], [f"ResNet{depth}" for depth in DEPTHS]
DEEP = [*SE, *RES, "DenseNet", "AlexNet"]
SUB, MUL, MUL_NOBN, SOFTMAX = (f"ResNet18-{tag}" for tag in ("sub", "mul", "mul-nobn", "softmax"))
RATIOS = ["SEResNet18", "SEResNet18-ratio4", "SEResNet18-ratio8", "SEResNet18-ratio16"]
STRONG = [f"{name}-strong" for name in ("ResNet18", "SEResNet18", "SEResNet34", "DenseNet")]
PLAIN, PAIRED = ["PlainNet18", "PlainNet34"], ["PlainNet18", "PlainNet34", "ResNet18", "ResNet34"]
WIDE = ["PlainNet50", "PlainNet101", "ResNet50", "ResNet101"]

#: Analyses a folder and prints the results, without figures.
PROGRAM = """
import sys
from pathlib import Path
from analysis.records import Records
from analysis.results import summarise
print(summarise(Records.load(Path(sys.argv[1])), {}).model_dump_json())
"""


def logit(wrong):
    return np.log(1 / wrong - 1)


def staged(blocks: list[tuple[int, float]]) -> float:
    """Mean over stages of the mean over the blocks of as many channels."""
    widths = {channels for channels, _ in blocks}
    return float(np.mean([np.mean([x for c, x in blocks if c == w]) for w in widths]))


def range_of(probes: dict) -> float:
    return staged([(b["channels"], b["range_of_means"]) for b in probes["se_weights"]])


def smoothed(right):
    """Error rates of runs by images, or of one run, as if half an image more were wrong."""
    images = right.shape[-1]
    return (images - right.sum(axis=-1) + 0.5) / (images + 1)


class Study:
    """The records of a folder, and comparisons of their networks."""

    def __init__(self, folder: Path) -> None:
        self.all: dict[str, list[dict]] = {}
        found = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]
        for run in sorted(found, key=lambda run: run["config"]["seed"]):
            if run["status"] != "failed":
                self.all.setdefault(run["id"].rpartition(".s")[0], []).append(run)
        self.seeds = {split: self._pooled(split) for split in ("test", "validation")}

    def has(self, *names: str) -> bool:
        return all(name in self.all for name in names)

    def finished(self, name: str) -> list[dict]:
        return [run for run in self.all.get(name, ()) if run["status"] == "finished"]

    def right(self, run: dict, split: str = "test") -> np.ndarray:
        labels = LABELS[run["config"]["dataset"]][split]
        pairs = zip(run[split]["predictions"], labels, strict=False)
        return np.array([said == truth for said, truth in pairs], dtype=float)

    def table(self, name: str, split: str) -> np.ndarray:
        """Runs by images."""
        return np.stack([self.right(run, split) for run in self.finished(name)])

    def accuracy(self, name: str, split: str = "test") -> float:
        return float(self.table(name, split).mean()) if self.finished(name) else -1.0

    def error(self, name: str, split: str) -> float:
        return smoothed(self.table(name, split).mean(axis=0))

    def _pooled(self, split: str) -> dict[str, tuple[float, float, bool]]:
        """Variance between seeds of the logit, its degrees of freedom, whether a network's own."""
        squares, learnt, names = {}, [], [name for name in self.all if self.finished(name)]
        for name in names:
            right = self.table(name, split)
            logits = logit(smoothed(right))
            if len(logits) > 1:
                squares[name] = (len(logits) - 1) * logits.var(ddof=1), len(logits) - 1
                if right.mean() > 0.5:
                    learnt.append(name)
        if not squares:
            return {}

        def total(members):
            return np.sum([squares[name] for name in members], axis=0)

        def deviance(name, others):
            (one, degrees), (rest, freedom) = squares[name], total(others)
            if one <= 0 or rest <= 0:
                return 1.0 if one <= 0 else 0.0
            return stats.f.sf(one / degrees / (rest / freedom), degrees, freedom)

        members = sorted(learnt or squares)
        while len(members) > 1:
            least, name = min((deviance(n, [m for m in members if m != n]), n) for n in members)
            if least >= 0.01:
                break
            members.remove(name)
        square, freedom = total(members)
        result = {}
        for name in names:
            own, degrees = squares.get(name, (0.0, 1))
            apart = own and name not in members and deviance(name, members) < 0.01
            pooled = (max(square / freedom, own / degrees), freedom, False)
            result[name] = (own / degrees, degrees, True) if apart else pooled
        return result

    def spread(self, names: list[str], slopes: list[float], split: str) -> tuple[float, float]:
        """Variance of a sum of functions of accuracies with these slopes, and its freedom."""
        pooled, terms, freedom = 0.0, [], 1.0
        score, interaction = 0.0, 0.0
        for name, slope in zip(names, slopes, strict=True):
            right, wrong = self.table(name, split), self.error(name, split)
            runs, images = right.shape
            score = score + slope * right.mean(axis=0)
            if name not in self.seeds[split]:
                continue
            variance, degrees, own = self.seeds[split][name]
            part = (slope * wrong * (1 - wrong)) ** 2 * variance / runs
            if own:
                terms.append((part, degrees))
            else:
                pooled, freedom = pooled + part, degrees
            if runs > 1:
                rest = right - right.mean(axis=0) - right.mean(axis=1)[:, None] + right.mean()
                square = (rest**2).sum() / ((runs - 1) * (images - 1))
                interaction += slope**2 * square / runs
        terms += [(pooled, freedom)] if pooled else []
        least = max(slope**2 for slope in slopes) / images**2
        by_image = max((np.var(score, ddof=1) - interaction) / images, least)
        whole = sum(part for part, _ in terms) + by_image
        below = sum(part**2 / degrees for part, degrees in terms)
        return whole, whole**2 / below if below else math.inf

    def accuracy_interval(self, name: str, split: str) -> list[float]:
        wrong = self.error(name, split)
        variance, freedom = self.spread([name], [1 / (wrong * (1 - wrong))], split)
        reach = stats.t.ppf(0.975, freedom) * math.sqrt(variance)
        return [1 / (1 + math.exp(-(logit(wrong) + sign * reach))) for sign in (-1, 1)]

    def versus(self, first: str, second: str, split: str = "test") -> Comparison:
        return Comparison(self, [first, second], [1, -1], split)

    # Measurements of single runs.

    def losses(self, names: list[str], which: str | None = None) -> list[list[float]]:
        """Of each run its training loss (evaluated where all have it), or the loss named."""
        runs = [run for name in names for run in self.finished(name)]
        evaluated = all(run["train_evaluation"] for run in runs) and which is None

        def loss(run):
            if run["status"] != "finished":
                return math.log(10)
            last = run["history"][-1][which or "train_loss"]
            return run["train_evaluation"]["loss"] if evaluated else last

        return [[loss(run) for run in self.all[name]] for name in names]

    def blocks(self, name: str, moment: str, field: str) -> list[list[float]]:
        """A number of every block, by run, before training ("init") or after ("end")."""
        rows = []
        for run in self.all.get(name, ()):
            probes = run["probes"]["block_gains"]
            probe = probes[0 if moment == "init" else -1] if probes else None
            if probe and (probe["step"] == 0) == (moment == "init"):
                found = [block.get(field) for block in probe["blocks"]]
                if found and None not in found:
                    rows.append(found)
        return rows

    def gains(self, name: str, moment: str = "init", part: str = "gain") -> np.ndarray:
        """log10 of the gain, runs by blocks."""
        rows = self.blocks(name, moment, part)
        return np.array([[math.log10(x) if x > 0 else -12.0 for x in row] for row in rows])

    def below_one(self, name: str) -> list[float]:
        return [np.mean(row) for row in self.blocks(name, "init", "input_below_one")]

    def spreads(self) -> list[list[float]]:
        """Of multiplication and addition: log of the standard deviation of log10 norms, by run."""
        found = []
        for name in (MUL, "ResNet18"):
            norms = [run["probes"]["gradient_norms"]["norms"] for run in self.all[name]]
            rows = [np.log10([row[0] for row in each if row and row[0]]) for each in norms]
            found.append([math.log(np.std(row, ddof=1)) for row in rows if len(row) > 1])
        return found

    def weighed(self, name: str) -> list[dict]:
        """The probes of the runs that measured channel weights."""
        return [run["probes"] for run in self.finished(name) if run["probes"]["se_weights"]]

    def ranges(self, name: str) -> list[float]:
        return [range_of(probes) for probes in self.weighed(name)]

    def changes(self, name: str) -> list[float]:
        """Of each run: range of the channel weights after training less that before."""
        found = []
        for probes in self.weighed(name):
            before: dict[str, tuple[int, float]] = {}
            for block in probes["se_initial"]:
                old = before.get(block["block"], (0, 0.0))[1]
                before[block["block"]] = block["channels"], max(old, block["range_of_means"])
            if before:
                found.append(range_of(probes) - staged(list(before.values())))
        return found

    def dynamic_shares(self, name: str) -> list[float]:
        def share(block):
            within = np.mean(np.minimum(block["std"], 1) ** 2)
            whole = within + np.var(block["mean"])
            return block["channels"], within / whole if whole else 0.0

        return [staged([*map(share, probes["se_weights"])]) for probes in self.weighed(name)]


class Comparison:
    """A weighted sum of -log(error rate) of networks.

    One-sided p-values: of ``above`` a margin, of ``below`` it.
    """

    def __init__(self, study, names, weights, split="test"):
        self.study, self.names, self.weights, self.split = study, names, weights, split
        self.broken = [n for n in names if len(study.finished(n)) < len(study.all[n])]
        if not self.broken:
            errors = [study.error(name, split) for name in names]
            self.estimate = -np.dot(weights, np.log(errors))
            slopes = [weight / error for weight, error in zip(weights, errors, strict=True)]
            variance, self.freedom = study.spread(names, slopes, split)
            self.error = math.sqrt(variance)

    def above(self, margin: float = 0.0) -> float:
        return self._tail(margin, 1)

    def below(self, margin: float = 0.0) -> float:
        return self._tail(margin, -1)

    def _tail(self, margin: float, sign: int) -> float:
        """By rank, or by rule where every run of some network diverged and none of the others'."""
        if not self.broken:
            t = sign * (self.estimate - margin) / self.error
            return max(LEAST, float(stats.t.sf(t, self.freedom)))
        signs = {w > 0 for n, w in zip(self.names, self.weights, strict=True) if n in self.broken}
        if all(not self.study.finished(n) for n in self.broken) and len(signs) == 1:
            return float((signs == {True}) == (sign > 0))
        if self.weights != [1, -1]:
            return 1.0
        scores = []
        for name, shift in zip(self.names, (margin, 0), strict=True):
            for run in self.study.all[name]:
                done = run["status"] == "finished"
                rate = smoothed(self.study.right(run, self.split)) if done else 1.0
                scores.append(-math.log(rate) - shift if done else WORST)
        return permuted(scores, len(self.study.all[self.names[0]]), sign)

    def ratio(self) -> list[float]:
        """Ratio of error rates with its interval."""
        reach = stats.t.ppf(0.975, self.freedom) * self.error
        return [*np.exp([-self.estimate, -self.estimate - reach, -self.estimate + reach])]


def permuted(scores: list[float], first: int, sign: int) -> float:
    """Exact one-sided rank test by counting out: the first ones are higher (1) or lower (-1)."""
    places = stats.rankdata(scores)
    sums = np.array([sum(x) for x in itertools.combinations(places, first)])
    return float(np.mean(sign * (sums - sum(places[:first])) >= -1e-9))


# --- Evidence -----------------------------------------------------------------------------------
# P-values of "supported", of "contradicted", and, of sets, of "mixed"; effects with intervals.


def once(p: float, times: int = 2) -> float:
    return min(1.0, times * p)


def two(for_: float, against: float) -> tuple[float, float]:
    return once(for_), once(against)


def all_of(parts: list[tuple[float, float]]) -> tuple[float, float, float] | None:
    if not parts:
        return None
    for_, against = zip(*parts, strict=True)
    return max(for_), max(against), once(max(min(for_), min(against)), len(parts))


def better(c: Comparison) -> tuple[float, float]:
    return two(c.above(), c.below())


def worse(c: Comparison) -> tuple[float, float]:
    return two(c.below(), c.above())


def close(c: Comparison, margin: float = MARGIN) -> tuple[float, float]:
    return c.above(-margin), c.below(-margin)


def above_margin(c: Comparison) -> tuple[float, float]:
    return once(c.above()), c.below(MARGIN)


def much_worse(c: Comparison) -> tuple[float, float]:
    return two(*close(c, TWICE)[::-1])


def equal(c: Comparison) -> tuple[float, float]:
    return max(c.above(-MARGIN), c.below(MARGIN)), once(min(c.below(-MARGIN), c.above(MARGIN)))


def sides(test, *samples, **options) -> tuple[float, float]:
    """P-values of the alternatives that something is larger and that it is smaller."""
    found = [test(*samples, alternative=side, **options) for side in ("greater", "less")]
    return tuple(float(each.pvalue) for each in found)


def welch(first, second) -> tuple[float, float]:
    if min(len(first), len(second)) < 2:
        return 1.0, 1.0
    return sides(stats.ttest_ind, first, second, equal_var=False)


def student(values, centre: float) -> tuple[float, float]:
    return sides(stats.ttest_1samp, values, centre) if len(values) > 1 else (1.0, 1.0)


def correlated(x, y) -> tuple[float, float]:
    if len(x) < 4 or len(set(x)) < 2 or len(set(y)) < 2:
        return 1.0, 1.0
    if len(x) <= 8:
        first, second = stats.rankdata(x), stats.rankdata(y)
        beyond = np.array([*itertools.permutations(second)]) @ first - second @ first
        return two(np.mean(beyond >= -1e-9), np.mean(beyond <= 1e-9))
    least = 1 / math.factorial(len(x))
    return two(*(max(p, least) for p in sides(stats.spearmanr, x, y)))


def average(values) -> np.ndarray:
    """A mean and its interval."""
    found = stats.ttest_1samp(values, 0).confidence_interval()
    return np.array([np.mean(values), found.low, found.high])


def difference(first, second) -> np.ndarray:
    """A difference of means and its interval."""
    found = stats.ttest_ind(first, second, equal_var=False).confidence_interval()
    return np.array([np.mean(first) - np.mean(second), found.low, found.high])


# --- The findings -------------------------------------------------------------------------------


def one_best(s: Study, group: list[str], others: list[str]):
    """Of those that are there."""
    group, others = ([name for name in names if s.has(name)] for names in (group, others))
    wins = [max(s.versus(g, o).above() for o in others) for g in group]
    beaten = [max(s.versus(g, o).below() for g in group) for o in others if group]
    return two(once(min(wins), len(wins)), once(min(beaten), len(beaten))) if wins else None


def lowest(s: Study, low: str, others: list[str]):
    return all_of([better(s.versus(other, low)) for other in others if s.has(other)])


def degradation(s: Study):
    shallow, deep = s.losses(PLAIN)
    if min(len(shallow), len(deep)) < 2:
        return None
    checked = [np.mean(x) for x in s.losses(PLAIN, "validation_loss")]
    more = np.mean(deep) - np.mean(shallow)
    shown = s.accuracy(PLAIN[1]) < s.accuracy(PLAIN[0]) and more >= 0.5 * (checked[1] - checked[0])
    for_, against = two(*welch(np.log(deep), np.log(shallow)))
    return (for_ if shown else 1.0), against


def residual(s: Study):
    stable = [f"{name}-stable" for name in PAIRED]
    pairs = [stable if s.has(*stable) else PAIRED, *([WIDE] if s.has(*WIDE) else [])]
    parts = []
    for plain, plain_deep, res, res_deep in pairs:
        change = better(Comparison(s, [res_deep, res, plain_deep, plain], [1, -1, -1, 1]))
        kept, grown = close(s.versus(res_deep, res))
        shallow, deep = s.losses([res, res_deep])
        more, less = welch(np.log(deep) - MARGIN, np.log(shallow))
        degrades = worse(s.versus(plain_deep, plain))[0]
        for_ = max(degrades, once(min(kept, less)), change[0])
        parts.append((for_, once(min(max(grown, more), change[1]))))
    return all_of(parts)


def plain_gain(s: Study):
    depths, sizes, parts = [], [], []
    for depth in DEPTHS:
        plain, other = (s.gains(f"{kind}Net{depth}") for kind in ("Plain", "Res"))
        if len(plain) and len(other):
            plain, other = abs(plain.sum(axis=1)), abs(other.sum(axis=1))
            depths += [depth] * len(plain)
            sizes += list(plain)
            parts.append(two(*welch(plain, other)))
    if not parts:
        return None
    if len(sizes) < 3 or len(set(depths)) < 2:
        return all_of([(1.0, 1.0), *parts])
    return all_of([two(*sides(stats.linregress, depths, sizes)), *parts])


def near_one(s: Study):
    bound, parts = math.log10(2), []
    for name, moment in itertools.product(("ResNet18", SUB), ("init", "end")):
        if len(found := s.gains(name, moment)):
            above, not_above = student(found.mean(axis=1), -bound)
            over, below = student(found.mean(axis=1), bound)
            parts.append((max(above, below), once(min(not_above, over))))
    return all_of(parts)


def each_above(found: list[list[float]], centre: float):
    """Every sample has a mean above this, and each one is there."""
    return all_of([two(*student(x, centre)) for x in found]) if all(found) else None


def each_falls(found: list[list[float]]):
    """Every sample that is there has a mean below 0."""
    return all_of([two(*student(x, 0)[::-1]) for x in found if x])


def cost(s: Study, size, measured, sign: int):
    runs = [s.finished(name) for name in ("LeNet", *DEEP, "SEAlexNet")]

    def kind(run):
        return run["environment"]["device"], run["config"]["precision"], run["config"]["batch_size"]

    counted = Counter(map(kind, itertools.chain(*runs)))
    usual = min(counted, key=lambda k: (-counted[k], k), default=None)
    own = [found for each in runs if (found := [run for run in each if kind(run) == usual])]
    if len(own) < 5:
        return None
    costs = [sign * np.mean([measured(run) for run in found]) for found in own]
    return correlated([size(found[0]) for found in own], costs)


def softmax(s: Study, first_epoch: bool):
    def score(run):
        if first_epoch:
            return run["history"][0]["validation_accuracy"] if run["history"] else WORST
        return s.right(run).mean() if run["status"] == "finished" else WORST

    scores = [score(run) for name in (SOFTMAX, "ResNet18") for run in s.all[name]]
    return two(*(permuted(scores, len(s.all[SOFTMAX]), sign) for sign in (-1, 1)))


def near_se(s: Study):
    parts = []
    for name in (*RES, "DenseNet"):
        for_, against = zip(*(close(s.versus(name, se)) for se in SE), strict=True)
        parts.append(two(max(for_), once(min(against))))
    return all_of(parts)


def near_dense(s: Study, others: list[str]):
    return [two(*close(s.versus("DenseNet", other))) for other in others]


def second(s: Study):
    others = [n for n in (*DEEP, "LeNet") if n not in ("SEResNet18", "DenseNet")]
    return all_of([better(s.versus("SEResNet18", "DenseNet")), *near_dense(s, others)])


def efficient(s: Study):
    others = [n for n in (*DEEP, "SEAlexNet") if n != "DenseNet" and s.has(n)]
    sizes = [s.all[n][0]["network"] for n in ("DenseNet", *others)]
    for count in ([x["parameters"] for x in sizes], [x["macs"]["torchinfo"] for x in sizes]):
        if count[0] >= min(count[1:]):
            return None
    return all_of(near_dense(s, others))


def lenet(s: Study):
    c = Comparison(s, ["LeNet"], [1])
    stated = -math.log(1 - ORIGINAL["network"]["LeNet"]["accuracy"])
    return None if c.broken else two(c.above(stated), c.below(stated))


#: Findings that compare the first network with the second.
PAIRS = {
    "resize-augments": ("ResNet18-px64", "ResNet18-px28", above_margin),
    "sub-equals-add": (SUB, "ResNet18", equal),
    "sub-above-none": (SUB, "PlainNet18", better),
    "mul-much-worse": (MUL, "ResNet18", much_worse),
    "bn-helps-plain": ("PlainNet18", "PlainNet18-nobn", better),
    "se18-above-resnet18": ("SEResNet18", "ResNet18", above_margin),
    "se34-equals-resnet34": ("SEResNet34", "ResNet34", equal),
    "se-hurts-alexnet": ("SEAlexNet", "AlexNet", worse),
}


def split_of(finding: str) -> str:
    return "validation" if finding.startswith(("sub", "mul")) else "test"


#: The other findings: the networks that each needs, and its p-values.
FINDINGS = {
    "se-best": ([*DEEP, "LeNet"], lambda s: one_best(
        s, SE, [*RES, "DenseNet", "AlexNet", "LeNet", "SEAlexNet"])),
    "resnet-dense-close": ([*SE, *RES, "DenseNet"], near_se),
    "alexnet-lower": (DEEP, lambda s: lowest(s, "AlexNet", [*SE, *RES, "DenseNet"])),
    "lenet-lowest": ([*DEEP, "LeNet"], lambda s: lowest(s, "LeNet", [*DEEP, "SEAlexNet"])),
    "dense-second": ([*DEEP, "LeNet"], second),
    "lenet-under-trained": (["LeNet"], lenet),
    "params-memory": ([], lambda s: cost(
        s, lambda r: r["network"]["parameters"], lambda r: r["timing"]["peak_memory_bytes"], 1)),
    "macs-time": ([], lambda s: cost(
        s, lambda r: r["network"]["macs_at_input"]["torchinfo"],
        lambda r: r["timing"]["images_per_second"], -1)),
    "deeper-beats-lenet": (["LeNet", "AlexNet", *PLAIN],
                           lambda s: lowest(s, "LeNet", ["AlexNet", *PLAIN])),
    "plain-degrades": (PLAIN, lambda s: all_of([
        worse(s.versus(deep, flat)) for flat, deep in (PLAIN, WIDE[:2]) if s.has(flat, deep)
    ])),
    "degradation-in-training-loss": (PLAIN, degradation),
    "residual-removes-degradation": (PAIRED, residual),
    "plain-gain-grows": (PAIRED, plain_gain),
    "gain-add-sub-near-one": (["ResNet18", SUB], near_one),
    "branch-gain-small": (["ResNet18", "PlainNet18"], lambda s: each_falls(
        [[*map(np.mean, s.gains(name, part="branch"))] for name in ("ResNet18", "PlainNet18")])),
    "mul-bn-unstable": (["ResNet18", MUL], lambda s: (
        two(*welch(*s.spreads())) if all(s.spreads()) else None)),
    "mul-nobn-vanishes": ([MUL_NOBN], lambda s: each_falls([[*map(np.sum, s.gains(MUL_NOBN))]])),
    "features-below-one": (["ResNet18", MUL, "PlainNet18"], lambda s: each_above(
        [s.below_one(name) for name in ("ResNet18", MUL, "PlainNet18")], 0.5)),
    "dense-efficient": (DEEP, efficient),
    "se-weights-differ": (SE, lambda s: each_above([s.changes(name) for name in SE], 0)),
    "se-range-larger-18": (SE, lambda s: two(*welch(*(np.log(s.ranges(n)) for n in SE)))),
    "se-gain-follows-range": (RATIOS, lambda s: correlated(
        [x for name in RATIOS for x in s.ranges(name)],
        [s.right(run).mean() for name in RATIOS for run in s.finished(name)])),
    "se-weights-dynamic": (SE, lambda s: each_above(
        [x for name in (*SE, "SEAlexNet") if (x := s.dynamic_shares(name))], 0.5)),
    "softmax-slows": (["ResNet18", SOFTMAX], lambda s: softmax(s, first_epoch=False)),
    "softmax-slows-start": (["ResNet18", SOFTMAX], lambda s: softmax(s, first_epoch=True)),
    "strong-recipe-better": ([*DEEP, "LeNet"], lambda s: one_best(
        s, STRONG, [*DEEP, "LeNet", "SEAlexNet"])),
}  # fmt: skip


# --- The comparison -----------------------------------------------------------------------------


OTHERS = [
    pytest.param(name, marks=pytest.mark.pipeline) for name in ("rung-b", "standard-fashionmnist")
]


@pytest.fixture(scope="module", params=["standard", *OTHERS])
def both(request):
    """Raw records of a folder, and what the analysis says of them."""
    folder = RESULTS / request.param
    if not folder.is_dir():
        pytest.fail(f"no records of {request.param}")
    return Study(folder), json.loads(checkout.run(ROOT, "-c", PROGRAM, folder).stdout)


near = functools.partial(pytest.approx, rel=1e-6, abs=1e-300)


def ends(pair) -> list[float]:
    return [end["value"] for end in pair]


def test_every_p_value(both):
    """Before Holm's correction and after it, with the verdict that follows."""
    study, said = both
    found = {}
    for name, (needs, test) in FINDINGS.items():
        if study.has(*needs) and (p := test(study)) is not None:
            found[name] = p
    for name, (*pair, rule) in PAIRS.items():
        if study.has(*pair):
            found[name] = rule(study.versus(*pair, split_of(name)))
    families: dict[str, list[tuple[float, str]]] = {}
    sizes = Counter(entry["family"] for entry in PROTOCOL["finding"].values())
    for name, entry in PROTOCOL["finding"].items():
        if name in found and min(found[name]) > 0:
            families.setdefault(entry["family"], []).append((min(found[name]), name))
    corrected = {}
    for family, members in families.items():
        highest = 0.0
        for place, (p, name) in enumerate(sorted(members)):
            highest = max(highest, once(p, sizes[family] - place))
            corrected[name] = highest
    theirs = {n: f for n, f in said["findings"].items() if f["p"] is not None}
    assert set(theirs) == set(corrected)
    for name, finding in theirs.items():
        assert finding["values"]["raw_p"]["value"] == near(min(found[name])), name
        assert finding["p"]["value"] == near(corrected[name]), name
        verdict = ("supported", "contradicted", "mixed")[int(np.argmin(found[name]))]
        shown = verdict if corrected[name] < 0.05 else "inconclusive"
        assert finding["verdict"] == shown, name


#: Further findings whose effect is a ratio of error rates, the first over the second: networks, or
#: the fact of the finding that holds the title.
RATES = {
    "alexnet-lower": ("AlexNet", "nearest"),
    "lenet-lowest": ("LeNet", "nearest"),
    "deeper-beats-lenet": ("LeNet", "nearest"),
    "dense-second": ("DenseNet", "SEResNet18"),
    "dense-efficient": ("DenseNet", "best"),
    "se-best": ("best", "rival"),
    "resnet-dense-close": ("farthest", "best"),
    "plain-degrades": ("PlainNet34", "PlainNet18"),
    "softmax-slows": (SOFTMAX, "ResNet18"),
    "strong-recipe-better": ("best", "rival"),
} | {name: pair for name, (*pair, _) in PAIRS.items()}


def deepest(s: Study) -> list[np.ndarray]:
    """Total gains of the deepest plain network and its residual twin that were measured."""
    pairs = [[s.gains(f"{kind}Net{depth}") for kind in ("Plain", "Res")] for depth in DEPTHS]
    measured = [pair for pair in pairs if all(map(len, pair))]
    return [found.sum(axis=1) for found in measured[-1]]


def loss_ratio(s: Study) -> list[float]:
    shallow, deep = s.losses(PLAIN)
    _, *interval = difference(np.log(deep), np.log(shallow))
    return [np.mean(deep) / np.mean(shallow), *np.exp(interval)]


#: Effects of findings about measurements of single runs.
MEASURED = {
    "features-below-one": lambda s: average(s.below_one(MUL)),
    "se-weights-differ": lambda s: average(s.changes(SE[0])),
    "se-weights-dynamic": lambda s: average(s.dynamic_shares(SE[0])),
    "mul-bn-unstable": lambda s: np.exp(difference(*s.spreads())),
    "degradation-in-training-loss": loss_ratio,
    "plain-gain-grows": lambda s: difference(*deepest(s)),
    "gain-add-sub-near-one": lambda s: 10 ** average(s.gains("ResNet18", "end").mean(axis=1)),
    "branch-gain-small": lambda s: 10 ** average(s.gains("ResNet18", part="branch").mean(axis=1)),
    "mul-nobn-vanishes": lambda s: 10 ** average(s.gains(MUL_NOBN).sum(axis=1)),
    "se-range-larger-18": lambda s: np.exp(difference(*(np.log(s.ranges(name)) for name in SE))),
}


def effect(study: Study, name: str, facts: dict) -> list[float]:
    """Effect and interval of a finding."""
    if name in RATES:
        pair = [facts[each].replace("-", "") if each in facts else each for each in RATES[name]]
        if name == "strong-recipe-better":
            pair[0] += "-strong"
        return study.versus(*pair, split_of(name)).ratio()
    if name == "lenet-under-trained":
        rate = 1 - ORIGINAL["network"]["LeNet"]["accuracy"]
        return [x / rate for x in Comparison(study, ["LeNet"], [1]).ratio()]
    if name == "residual-removes-degradation":
        names = [f"{name}-stable" if facts["stable"] else name for name in reversed(PAIRED)]
        return Comparison(study, names, [1, -1, -1, 1]).ratio()
    return MEASURED[name](study)


def test_every_effect_and_interval_of_findings(both):
    study, said = both
    for name, finding in said["findings"].items():
        if finding["interval"] is not None:
            own = effect(study, name, finding["facts"])
            assert [finding["effect"]["value"], *ends(finding["interval"])] == near([*own]), name


def rows(table: dict, study: Study):
    """The variant of every row, by its printed title, with the cells."""
    keys = [column["key"] for column in table["columns"]]
    known = {name.replace("-", "").lower(): name for name in study.all}
    for row in table["rows"]:
        cells = dict(zip(keys, row, strict=True))
        title = str(cells["network"]["value"]).replace("-", "").lower()
        yield known.get(title, title), cells


def test_every_number_of_the_results_table(both):
    study, said = both
    for name, row in rows(said["tables"]["results"], study):
        if not study.has(name):
            assert row["accuracy"]["value"] is None, name
            continue
        network = study.all[name][0]["network"]
        assert row["parameters"]["value"]["value"] == network["parameters"]
        assert row["macs"]["value"]["value"] == network["macs"]["torchinfo"]
        assert row["seeds"]["value"]["value"] == len(study.all[name])
        assert row["accuracy"]["value"]["value"] == near(study.accuracy(name))
        assert ends(row["accuracy"]["interval"]) == near(study.accuracy_interval(name, "test"))
        stated = ORIGINAL["network"].get(name)
        if stated and row["original_accuracy"]["value"]:
            for key in ("parameters", "macs", "accuracy"):
                assert row[f"original_{key}"]["value"]["value"] == stated[key]


BASES = {
    "operators": dict.fromkeys((SUB, MUL, MUL_NOBN, "PlainNet18"), "ResNet18"),
    "attention": {"SEResNet18": "ResNet18", "SEResNet34": "ResNet34", "SEAlexNet": "AlexNet"},
    "widths": {"ResNet50": "ResNet50-paper", "ResNet101": "ResNet101-paper"},
    "strong": {name.removesuffix("-strong"): name for name in STRONG},
}


@pytest.mark.parametrize("name", BASES)
def test_every_accuracy_ratio_and_p_value_of_other_tables(both, name):
    study, said = both
    split = "validation" if name == "operators" else "test"
    checked = 0
    for variant, row in rows(said["tables"][name], study):
        paper = name == "widths" and row["widths"]["value"] == "paper"
        first = f"{variant}-paper" if paper else variant
        base = None if paper else BASES[name].get(variant)
        if name == "strong":
            first, base = base, first
        if study.has(first) and study.finished(first) and row["accuracy"]["interval"]:
            assert row["accuracy"]["value"]["value"] == near(study.accuracy(first, split))
            pair = study.accuracy_interval(first, split)
            assert ends(row["accuracy"]["interval"]) == near(pair), variant
        if base and study.has(first, base) and row["ratio"]["value"]:
            comparison = study.versus(first, base, split)
            ratio = [row["ratio"]["value"]["value"], *ends(row["ratio"]["interval"])]
            assert ratio == near(comparison.ratio()), variant
            assert row["p"]["value"]["value"] == near(min(better(comparison))), variant
            checked += 1
    there = [pair for pair in BASES[name].items() if all(map(study.finished, pair))]
    assert checked == len(there)


def test_machines(both):
    """Networks that ran on two kinds of machine, and the shift between these."""
    study, said = both
    found = said["machines"]

    def kind(run):
        return run["environment"]["device"], run["config"]["precision"]

    counted = Counter(kind(run) for name in study.all for run in study.finished(name))
    listed = {(k["device"], k["precision"]): k["runs"] for k in found["kinds"]}
    assert listed == counted
    logs = []
    for name in sorted(study.all):
        runs = study.finished(name)
        parts = [[study.right(r).mean() for r in runs if kind(r) == k] for k in [*listed][:2]]
        learnt = len(parts) == 2 and all(parts) and min(map(np.mean, parts)) > 0.5
        if learnt and not study.seeds["test"][name][2]:
            wrong = [(1 - np.mean(x)) * 10_000 + 0.5 for x in parts]
            logs.append(math.log(wrong[1] / wrong[0]))
    assert [math.log(s["ratio"]["value"]) for s in found["shifts"]] == near(logs)
    if logs:
        assert found["ratio"]["value"] == near(math.exp(np.mean(logs)))
