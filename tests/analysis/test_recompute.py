"""A second computation of the results, from raw predictions and probes by numpy and scipy alone.

It follows ``analysis/protocol.toml`` and shares no code with the analysis, which runs as a program
of its own. Every accuracy and size of the results table, every p-value before and after Holm's
correction, and every interval of findings and tables is compared.
"""

from __future__ import annotations

import itertools
import json
import math
import sys
import tomllib
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

SE, RES = ["SEResNet18", "SEResNet34"], [f"ResNet{d}" for d in (18, 34, 50, 101)]
DEEP = [*SE, *RES, "DenseNet", "AlexNet"]
#: A p-value of 0 means "decided by rule"; one that a distribution gives is never smaller than this.
LEAST = sys.float_info.min
SUB, MUL, MUL_NOBN = "ResNet18-sub", "ResNet18-mul", "ResNet18-mul-nobn"
RATIOS = ["SEResNet18", "SEResNet18-ratio4", "SEResNet18-ratio8", "SEResNet18-ratio16"]
STRONG = [f"{name}-strong" for name in ("ResNet18", "SEResNet18", "SEResNet34", "DenseNet")]
DEPTHS = (18, 34, 50, 101)

#: Analyses a folder and prints the results, without figures.
PROGRAM = """
import sys
from pathlib import Path
from analysis.records import Records
from analysis.results import summarise
print(summarise(Records.load(Path(sys.argv[1])), {}).model_dump_json())
"""


class Study:
    """The records of a folder, and comparisons of their networks."""

    def __init__(self, folder: Path) -> None:
        self.all: dict[str, list[dict]] = {}
        for path in folder.glob("*.json"):
            run = json.loads(path.read_text(encoding="utf-8"))
            if run["status"] != "failed":
                self.all.setdefault(run["id"].rpartition(".s")[0], []).append(run)
        for runs in self.all.values():
            runs.sort(key=lambda run: run["config"]["seed"])
        self.seeds = {split: self._pooled(split) for split in ("test", "validation")}

    def has(self, *names: str) -> bool:
        return all(name in self.all for name in names)

    def finished(self, name: str) -> list[dict]:
        return [run for run in self.all.get(name, ()) if run["status"] == "finished"]

    def right(self, run: dict, split: str) -> np.ndarray:
        said = run[split]["predictions"]
        truth = LABELS[run["config"]["dataset"]][split]
        return np.array([a == b for a, b in zip(said, truth, strict=False)], dtype=float)

    def table(self, name: str, split: str) -> np.ndarray:
        """Runs by images."""
        return np.stack([self.right(run, split) for run in self.finished(name)])

    def accuracy(self, name: str, split: str = "test") -> float:
        return float(self.table(name, split).mean()) if self.finished(name) else -1.0

    def error(self, name: str, split: str) -> float:
        right = self.table(name, split)
        images = right.shape[1]
        return (images * (1 - right.mean()) + 0.5) / (images + 1)

    def _pooled(self, split: str) -> dict[str, tuple[float, float, bool]]:
        """Variance between seeds of the logit, its degrees of freedom, whether a network's own."""
        squares, learnt, names = {}, [], [name for name in self.all if self.finished(name)]
        for name in names:
            right = self.table(name, split)
            images = right.shape[1]
            wrong = (images - right.sum(axis=1) + 0.5) / (images + 1)
            logits = np.log(1 / wrong - 1)
            if len(logits) > 1:
                squares[name] = (len(logits) - 1) * logits.var(ddof=1), len(logits) - 1
                if right.mean() > 0.5:
                    learnt.append(name)
        if not squares:
            return {}

        def deviance(one, others):
            total, freedom = sum(s for s, _ in others), sum(f for _, f in others)
            if one[0] <= 0 or total <= 0:
                return 1.0 if one[0] <= 0 else 0.0
            return stats.f.sf(one[0] / one[1] / (total / freedom), one[1], freedom)

        members = sorted(learnt or squares)
        while len(members) > 1:
            found = [
                (deviance(squares[n], [squares[m] for m in members if m != n]), n) for n in members
            ]
            least, name = min(found)
            if least >= 0.01:
                break
            members.remove(name)
        total, freedom = (sum(squares[n][i] for n in members) for i in (0, 1))
        result = {}
        for name in names:
            own = squares.get(name)
            apart = own and name not in members and deviance(own, [(total, freedom)]) < 0.01
            alone = own[0] / own[1] if own else 0.0
            result[name] = (
                (alone, own[1], True) if apart else (max(total / freedom, alone), freedom, False)
            )
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
        total = sum(part for part, _ in terms) + by_image
        below = sum(part**2 / degrees for part, degrees in terms)
        return total, total**2 / below if below else math.inf

    def accuracy_interval(self, name: str, split: str) -> list[float]:
        wrong = self.error(name, split)
        variance, freedom = self.spread([name], [1 / (wrong * (1 - wrong))], split)
        reach = stats.t.ppf(0.975, freedom) * math.sqrt(variance)
        return [1 / (1 + math.exp(-(math.log(1 / wrong - 1) + s * reach))) for s in (-1, 1)]

    def versus(self, first: str, second: str, split: str = "test") -> Comparison:
        return self.sum([first, second], [1, -1], split)

    def sum(self, names: list[str], weights: list[int], split: str = "test") -> Comparison:
        """A weighted sum of -log(error rate)."""
        broken = [name for name in names if len(self.finished(name)) < len(self.all[name])]
        if broken:
            return Comparison(self, names, weights, split, broken)
        estimate = -sum(
            w * math.log(self.error(n, split)) for n, w in zip(names, weights, strict=True)
        )
        slopes = [w / self.error(n, split) for n, w in zip(names, weights, strict=True)]
        variance, freedom = self.spread(names, slopes, split)
        return Comparison(self, names, weights, split, [], estimate, math.sqrt(variance), freedom)


class Comparison:
    """One-sided p-values: of ``above`` a margin, of ``below`` it."""

    def __init__(self, study, names, weights, split, broken, estimate=0.0, error=0.0, freedom=1.0):
        self.study, self.names, self.weights, self.split = study, names, weights, split
        self.broken, self.estimate, self.error, self.freedom = broken, estimate, error, freedom

    def above(self, margin: float = 0.0) -> float:
        if self.broken:
            return self._ranked(margin, 1)
        return max(LEAST, float(stats.t.sf((self.estimate - margin) / self.error, self.freedom)))

    def below(self, margin: float = 0.0) -> float:
        if self.broken:
            return self._ranked(margin, -1)
        return max(LEAST, float(stats.t.cdf((self.estimate - margin) / self.error, self.freedom)))

    def _ranked(self, margin: float, sign: int) -> float:
        """By rank, or by rule where every run of some network diverged and none of the others'."""
        signs = {w > 0 for n, w in zip(self.names, self.weights, strict=True) if n in self.broken}
        if all(not self.study.finished(n) for n in self.broken) and len(signs) == 1:
            worse = signs == {True}
            return float(worse) if sign > 0 else float(not worse)
        if self.weights != [1, -1]:
            return 1.0
        scores = []
        for name in self.names:
            for run in self.study.all[name]:
                if run["status"] != "finished":
                    scores.append(-1e9)
                    continue
                right = self.study.right(run, self.split)
                rate = (len(right) - right.sum() + 0.5) / (len(right) + 1)
                scores.append(-math.log(rate) - (margin if name == self.names[0] else 0))
        return permuted(scores, len(self.study.all[self.names[0]]), sign)

    def ratio(self) -> list[float]:
        """Ratio of error rates with its interval."""
        reach = stats.t.ppf(0.975, self.freedom) * self.error
        return [math.exp(-self.estimate + x) for x in (0, -reach, reach)]


def permuted(scores: list[float], first: int, sign: int) -> float:
    """Exact one-sided rank test by counting out: the first ones are higher (1) or lower (-1)."""
    places = stats.rankdata(scores)
    sums = [sum(x) for x in itertools.combinations(places, first)]
    observed = sum(places[:first])
    return float(np.mean([sign * (s - observed) >= -1e-9 for s in sums]))


# --- The findings -------------------------------------------------------------------------------
# Each returns the p-values of "supported", of "contradicted", and, of sets, of "mixed".


def two(for_: float, against: float) -> tuple[float, float]:
    return min(1.0, 2 * for_), min(1.0, 2 * against)


def all_of(parts: list[tuple[float, float]]) -> tuple[float, float, float]:
    for_, against = zip(*parts, strict=True)
    return max(for_), max(against), min(1.0, max(min(for_), min(against)) * len(parts))


def better(comparison: Comparison) -> tuple[float, float]:
    return two(comparison.above(), comparison.below())


def worse(comparison: Comparison) -> tuple[float, float]:
    return two(comparison.below(), comparison.above())


def one_best(s: Study, group: list[str], others: list[str]) -> tuple[float, float]:
    wins = [max(s.versus(g, o).above() for o in others) for g in group]
    beaten = [max(s.versus(g, o).below() for g in group) for o in others]
    return two(min(1.0, min(wins) * len(wins)), min(1.0, min(beaten) * len(beaten)))


def lowest(s: Study, low: str, others: list[str]):
    return all_of([better(s.versus(other, low)) for other in others])


def close(c: Comparison, margin: float = MARGIN) -> tuple[float, float]:
    return c.above(-margin), c.below(-margin)


def equal(c: Comparison) -> tuple[float, float]:
    return max(c.above(-MARGIN), c.below(MARGIN)), min(
        1.0, 2 * min(c.below(-MARGIN), c.above(MARGIN))
    )


def welch(first, second) -> tuple[float, float]:
    if min(len(first), len(second)) < 2:
        return 1.0, 1.0
    return tuple(
        float(stats.ttest_ind(first, second, equal_var=False, alternative=side).pvalue)
        for side in ("greater", "less")
    )


def student(values, centre: float) -> tuple[float, float]:
    if len(values) < 2:
        return 1.0, 1.0
    return tuple(
        float(stats.ttest_1samp(values, centre, alternative=side).pvalue)
        for side in ("greater", "less")
    )


def losses(s: Study, names: list[str], which: str | None = None) -> list[list[float]]:
    """Of each run its training loss (in evaluation mode where all have it), or the loss named."""
    runs = [run for name in names for run in s.finished(name)]
    evaluated = all(run["train_evaluation"] for run in runs) and which is None
    found = []
    for name in names:
        own = []
        for run in s.all[name]:
            if run["status"] != "finished":
                own.append(math.log(10))
            elif evaluated:
                own.append(run["train_evaluation"]["loss"])
            else:
                own.append(run["history"][-1][which or "train_loss"])
        found.append(own)
    return found


def degradation(s: Study):
    names = ["PlainNet18", "PlainNet34"]
    shallow, deep = losses(s, names)
    if min(len(shallow), len(deep)) < 2:
        return None
    checked = [np.mean(x) for x in losses(s, names, "validation_loss")]
    more = np.mean(deep) - np.mean(shallow)
    shown = s.accuracy(names[1]) < s.accuracy(names[0]) and more >= 0.5 * (checked[1] - checked[0])
    for_, against = two(*welch(np.log(deep), np.log(shallow)))
    return (for_ if shown else 1.0), against


def residual(s: Study):
    pairs = [["PlainNet18", "PlainNet34", "ResNet18", "ResNet34"]]
    stable = [f"{name}-stable" for name in pairs[0]]
    if s.has(*stable):
        pairs = [stable]
    wide = ["PlainNet50", "PlainNet101", "ResNet50", "ResNet101"]
    pairs += [wide] if s.has(*wide) else []
    parts = []
    for plain, plain_deep, res, res_deep in pairs:
        change = s.sum([res_deep, res, plain_deep, plain], [1, -1, -1, 1])
        kept, grown = close(s.versus(res_deep, res))
        shallow, deep = losses(s, [res, res_deep])
        more, less = welch(np.log(deep) - MARGIN, np.log(shallow))
        for_ = max(
            worse(s.versus(plain_deep, plain))[0],
            min(1.0, 2 * min(kept, less)),
            better(change)[0],
        )
        parts.append((for_, min(1.0, 2 * min(max(grown, more), better(change)[1]))))
    return all_of(parts)


def gains(s: Study, name: str, moment: str, part: str = "gain") -> np.ndarray:
    """log10 of the gain, runs by blocks, before or after training."""
    rows = []
    for run in s.all.get(name, ()):
        probes = run["probes"]["block_gains"]
        probe = probes[0 if moment == "init" else -1] if probes else None
        if not probe or (probe["step"] == 0) != (moment == "init"):
            continue
        found = [block[part] for block in probe["blocks"]]
        if found and None not in found:
            rows.append([math.log10(x) if x > 0 else -12.0 for x in found])
    return np.array(rows)


def plain_gain(s: Study):
    depths, sizes, parts = [], [], []
    for depth in DEPTHS:
        plain, other = (gains(s, f"{kind}Net{depth}", "init") for kind in ("Plain", "Res"))
        if len(plain) and len(other):
            plain, other = abs(plain.sum(axis=1)), abs(other.sum(axis=1))
            depths += [depth] * len(plain)
            sizes += list(plain)
            parts.append(two(*welch(plain, other)))
    if not parts:
        return None
    if len(sizes) < 3 or len(set(depths)) < 2:
        return all_of([(1.0, 1.0), *parts])
    line = [stats.linregress(depths, sizes, alternative=a).pvalue for a in ("greater", "less")]
    return all_of([two(*line), *parts])


def near_one(s: Study):
    bound, parts = math.log10(2), []
    for name, moment in itertools.product(("ResNet18", SUB), ("init", "end")):
        found = gains(s, name, moment)
        if len(found):
            (above, not_above), (over, below) = (
                student(found.mean(axis=1), x) for x in (-bound, bound)
            )
            parts.append((max(above, below), min(1.0, 2 * min(not_above, over))))
    return all_of(parts) if parts else None


def branch(s: Study):
    found = [gains(s, name, "init", "branch") for name in ("ResNet18", "PlainNet18")]
    parts = [two(*student(x.mean(axis=1), 0)[::-1]) for x in found if len(x)]
    return all_of(parts) if parts else None


def spreads(s: Study) -> list[list[float]]:
    """Of multiplication and addition: log of the standard deviation of log10 norms, by run."""
    found = []
    for name in (MUL, "ResNet18"):
        rows = [
            np.log10([row[0] for row in run["probes"]["gradient_norms"]["norms"] if row and row[0]])
            for run in s.all[name]
        ]
        found.append([math.log(np.std(row, ddof=1)) for row in rows if len(row) > 1])
    return found


def unstable(s: Study):
    return two(*welch(*spreads(s))) if all(spreads(s)) else None


def vanishes(s: Study):
    found = gains(s, MUL_NOBN, "init")
    return two(*student(found.sum(axis=1), 0)[::-1]) if len(found) else None


def shares_below_one(s: Study, name: str) -> list[float]:
    shares = []
    for run in s.all[name]:
        probes = run["probes"]["block_gains"]
        if probes and probes[0]["step"] == 0:
            found = [block.get("input_below_one") for block in probes[0]["blocks"]]
            if found and None not in found:
                shares.append(np.mean(found))
    return shares


def below_one(s: Study):
    found = [shares_below_one(s, name) for name in ("ResNet18", MUL, "PlainNet18")]
    return all_of([two(*student(x, 0.5)) for x in found]) if all(found) else None


def staged(blocks: list[tuple[int, float]]) -> float:
    """Mean over stages of the mean over the blocks of as many channels."""
    return float(
        np.mean([np.mean([x for c, x in blocks if c == w]) for w in {c for c, _ in blocks}])
    )


def ranges(s: Study, name: str) -> list[float]:
    return [
        staged([(b["channels"], b["range_of_means"]) for b in run["probes"]["se_weights"]])
        for run in s.finished(name)
        if run["probes"]["se_weights"]
    ]


def changes(s: Study, name: str) -> list[float]:
    """Of each run: range of the channel weights after training less that before."""
    found = []
    for run in s.finished(name):
        before: dict[str, tuple[int, float]] = {}
        for block in run["probes"]["se_initial"]:
            old = before.get(block["block"], (0, 0.0))[1]
            before[block["block"]] = block["channels"], max(old, block["range_of_means"])
        after = [(b["channels"], b["range_of_means"]) for b in run["probes"]["se_weights"]]
        if before and after:
            found.append(staged(after) - staged(list(before.values())))
    return found


def differ(s: Study):
    found = [changes(s, name) for name in SE]
    return all_of([two(*student(x, 0)) for x in found]) if all(found) else None


def dynamic_shares(s: Study, name: str) -> list[float]:
    shares = []
    for run in s.finished(name):
        blocks = []
        for block in run["probes"]["se_weights"]:
            within = np.mean(np.minimum(block["std"], 1) ** 2)
            whole = within + np.var(block["mean"])
            blocks.append((block["channels"], within / whole if whole else 0.0))
        if blocks:
            shares.append(staged(blocks))
    return shares


def dynamic(s: Study):
    found = [dynamic_shares(s, name) for name in (*SE, "SEAlexNet")]
    parts = [two(*student(x, 0.5)) for x in found if x]
    return all_of(parts) if parts else None


def correlated(x, y) -> tuple[float, float]:
    if len(x) < 4 or len(set(x)) < 2 or len(set(y)) < 2:
        return 1.0, 1.0
    if len(x) <= 8:
        found = stats.permutation_test(
            (y,),
            lambda z: stats.spearmanr(x, z).statistic,
            permutation_type="pairings",
            n_resamples=np.inf,
            alternative="greater",
        )
        less = np.mean(found.null_distribution <= found.statistic + 1e-9)
        return two(np.mean(found.null_distribution >= found.statistic - 1e-9), less)
    least = 1 / math.factorial(len(x))
    sides = [stats.spearmanr(x, y, alternative=side).pvalue for side in ("greater", "less")]
    return two(*(max(float(side), least) for side in sides))


def cost(s: Study, size, measured, sign: int):
    names = ["LeNet", *DEEP, "SEAlexNet"]

    def kind(run):
        return run["environment"]["device"], run["config"]["precision"], run["config"]["batch_size"]

    runs = [run for name in names for run in s.finished(name)]
    counted = {k: sum(kind(run) == k for run in runs) for k in map(kind, runs)}
    if not counted:
        return None
    usual = min(counted, key=lambda k: (-counted[k], k))
    own = {n: [r for r in s.finished(n) if kind(r) == usual] for n in names}
    own = {n: found for n, found in own.items() if found}
    if len(own) < 5:
        return None
    costs = [sign * np.mean([measured(run) for run in found]) for found in own.values()]
    return correlated([size(found[0]) for found in own.values()], costs)


def by_ratio(s: Study):
    found = [
        (ranges(s, name), [s.right(r, "test").mean() for r in s.finished(name)]) for name in RATIOS
    ]
    return correlated([x for r, _ in found for x in r], [y for _, a in found for y in a])


def softmax(s: Study, first_epoch: bool):
    scores = []
    for name in ("ResNet18-softmax", "ResNet18"):
        for run in s.all[name]:
            if first_epoch:
                scores.append(run["history"][0]["validation_accuracy"] if run["history"] else -1e9)
            else:
                done = run["status"] == "finished"
                scores.append(s.right(run, "test").mean() if done else -1e9)
    count = len(s.all["ResNet18-softmax"])
    return two(permuted(scores, count, -1), permuted(scores, count, 1))


def pairs_plain(s: Study):
    pairs = [("PlainNet34", "PlainNet18")]
    pairs += [("PlainNet101", "PlainNet50")] if s.has("PlainNet50", "PlainNet101") else []
    return all_of([worse(s.versus(*pair)) for pair in pairs])


def near_se(s: Study):
    parts = []
    for name in (*RES, "DenseNet"):
        found = [close(s.versus(name, se)) for se in SE]
        parts.append(two(max(f for f, _ in found), min(1.0, 2 * min(a for _, a in found))))
    return all_of(parts)


def second(s: Study):
    others = [n for n in (*DEEP, "LeNet") if n not in ("SEResNet18", "DenseNet")]
    parts = [better(s.versus("SEResNet18", "DenseNet"))]
    return all_of([*parts, *(two(*close(s.versus("DenseNet", other))) for other in others)])


def efficient(s: Study):
    others = [n for n in (*DEEP, "SEAlexNet") if n != "DenseNet" and s.has(n)]
    sizes = [s.all[n][0]["network"] for n in ("DenseNet", *others)]
    for count in ([x["parameters"] for x in sizes], [x["macs"]["torchinfo"] for x in sizes]):
        if count[0] >= min(count[1:]):
            return None
    return all_of([two(*close(s.versus("DenseNet", other))) for other in others])


def above_margin(c: Comparison) -> tuple[float, float]:
    return min(1.0, 2 * c.above()), c.below(MARGIN)


def lenet(s: Study):
    c = s.sum(["LeNet"], [1])
    stated = -math.log(1 - ORIGINAL["network"]["LeNet"]["accuracy"])
    return None if c.broken else two(c.above(stated), c.below(stated))


def with_alex(s: Study) -> list[str]:
    return ["SEAlexNet"] if s.has("SEAlexNet") else []


#: By finding: the networks that it needs, and its p-values.
FINDINGS = {
    "se-best": ([*DEEP, "LeNet"], lambda s: one_best(
        s, SE, [*RES, "DenseNet", "AlexNet", "LeNet", *with_alex(s)])),
    "resnet-dense-close": ([*SE, *RES, "DenseNet"], near_se),
    "alexnet-lower": (DEEP, lambda s: lowest(s, "AlexNet", [*SE, *RES, "DenseNet"])),
    "lenet-lowest": ([*DEEP, "LeNet"], lambda s: lowest(s, "LeNet", [*DEEP, *with_alex(s)])),
    "dense-second": ([*DEEP, "LeNet"], second),
    "lenet-under-trained": (["LeNet"], lenet),
    "params-memory": ([], lambda s: cost(
        s, lambda r: r["network"]["parameters"], lambda r: r["timing"]["peak_memory_bytes"], 1)),
    "macs-time": ([], lambda s: cost(
        s, lambda r: r["network"]["macs_at_input"]["torchinfo"],
        lambda r: r["timing"]["images_per_second"], -1)),
    "resize-augments": (["ResNet18-px28", "ResNet18-px64"],
                        lambda s: above_margin(s.versus("ResNet18-px64", "ResNet18-px28"))),
    "deeper-beats-lenet": (["LeNet", "AlexNet", "PlainNet18", "PlainNet34"],
                           lambda s: lowest(s, "LeNet", ["AlexNet", "PlainNet18", "PlainNet34"])),
    "plain-degrades": (["PlainNet18", "PlainNet34"], pairs_plain),
    "degradation-in-training-loss": (["PlainNet18", "PlainNet34"], degradation),
    "residual-removes-degradation": (
        ["PlainNet18", "PlainNet34", "ResNet18", "ResNet34"], residual),
    "sub-equals-add": (["ResNet18", SUB], lambda s: equal(s.versus(SUB, "ResNet18", "validation"))),
    "sub-above-none": ([SUB, "PlainNet18"],
                       lambda s: better(s.versus(SUB, "PlainNet18", "validation"))),
    "mul-much-worse": (["ResNet18", MUL],
                       lambda s: two(*close(s.versus(MUL, "ResNet18", "validation"), TWICE)[::-1])),
    "bn-helps-plain": (["PlainNet18", "PlainNet18-nobn"],
                       lambda s: better(s.versus("PlainNet18", "PlainNet18-nobn"))),
    "plain-gain-grows": (["PlainNet18", "PlainNet34", "ResNet18", "ResNet34"], plain_gain),
    "gain-add-sub-near-one": (["ResNet18", SUB], near_one),
    "branch-gain-small": (["ResNet18", "PlainNet18"], branch),
    "mul-bn-unstable": (["ResNet18", MUL], unstable),
    "mul-nobn-vanishes": ([MUL_NOBN], vanishes),
    "features-below-one": (["ResNet18", MUL, "PlainNet18"], below_one),
    "dense-efficient": (DEEP, efficient),
    "se-weights-differ": (SE, differ),
    "se-range-larger-18": (SE, lambda s: two(*welch(*(np.log(ranges(s, n)) for n in SE)))),
    "se-gain-follows-range": (RATIOS, by_ratio),
    "se18-above-resnet18": (["SEResNet18", "ResNet18"],
                            lambda s: above_margin(s.versus("SEResNet18", "ResNet18"))),
    "se34-equals-resnet34": (["SEResNet34", "ResNet34"],
                             lambda s: equal(s.versus("SEResNet34", "ResNet34"))),
    "se-weights-dynamic": (SE, dynamic),
    "se-hurts-alexnet": (["SEAlexNet", "AlexNet"],
                         lambda s: worse(s.versus("SEAlexNet", "AlexNet"))),
    "softmax-slows": (["ResNet18", "ResNet18-softmax"], lambda s: softmax(s, first_epoch=False)),
    "softmax-slows-start": (["ResNet18", "ResNet18-softmax"],
                            lambda s: softmax(s, first_epoch=True)),
    "strong-recipe-better": ([*DEEP, "LeNet"], lambda s: one_best(
        s, [n for n in STRONG if s.has(n)], [*DEEP, "LeNet", *with_alex(s)])
        if any(s.has(n) for n in STRONG) else None),
}  # fmt: skip


# --- The comparison -----------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["standard", "rung-b", "standard-fashionmnist"])
def both(request):
    """Raw records of a folder, and what the analysis says of them."""
    folder = RESULTS / request.param
    if not folder.is_dir():
        pytest.fail(f"no records of {request.param}")
    return Study(folder), json.loads(checkout.run(ROOT, "-c", PROGRAM, folder).stdout)


def near(value: float):
    return pytest.approx(value, rel=1e-6, abs=1e-300)


def ends(pair) -> list[float]:
    return [end["value"] for end in pair]


def test_every_p_value(both):
    """Before Holm's correction and after it, with the verdict that follows."""
    study, said = both
    found = {}
    for name, (needs, test) in FINDINGS.items():
        if study.has(*needs) and (p := test(study)) is not None:
            found[name] = p
    families: dict[str, list[tuple[float, str]]] = {}
    sizes = {}
    for name, entry in PROTOCOL["finding"].items():
        sizes[entry["family"]] = sizes.get(entry["family"], 0) + 1
        if name in found and min(found[name]) > 0:
            families.setdefault(entry["family"], []).append((min(found[name]), name))
    corrected = {}
    for family, members in families.items():
        highest = 0.0
        for place, (p, name) in enumerate(sorted(members)):
            highest = max(highest, min(1.0, p * (sizes[family] - place)))
            corrected[name] = highest
    theirs = {n: f for n, f in said["findings"].items() if f["p"] is not None}
    assert set(theirs) == set(corrected)
    for name, finding in theirs.items():
        assert finding["values"]["raw_p"]["value"] == near(min(found[name])), name
        assert finding["p"]["value"] == near(corrected[name]), name
        verdict = ("supported", "contradicted", "mixed")[int(np.argmin(found[name]))]
        shown = verdict if corrected[name] < 0.05 else "inconclusive"
        assert finding["verdict"] == shown, name


#: Findings whose effect is a ratio of error rates, the first over the second: networks, or the fact
#: of the finding that holds the title.
EFFECTS = {
    "alexnet-lower": ("AlexNet", "nearest"),
    "lenet-lowest": ("LeNet", "nearest"),
    "deeper-beats-lenet": ("LeNet", "nearest"),
    "dense-second": ("DenseNet", "SEResNet18"),
    "dense-efficient": ("DenseNet", "best"),
    "se-best": ("best", "rival"),
    "resnet-dense-close": ("farthest", "best"),
    "plain-degrades": ("PlainNet34", "PlainNet18"),
    "resize-augments": ("ResNet18-px64", "ResNet18-px28"),
    "bn-helps-plain": ("PlainNet18", "PlainNet18-nobn"),
    "se18-above-resnet18": ("SEResNet18", "ResNet18"),
    "se34-equals-resnet34": ("SEResNet34", "ResNet34"),
    "se-hurts-alexnet": ("SEAlexNet", "AlexNet"),
    "softmax-slows": ("ResNet18-softmax", "ResNet18"),
    "sub-equals-add": (SUB, "ResNet18"),
    "sub-above-none": (SUB, "PlainNet18"),
    "mul-much-worse": (MUL, "ResNet18"),
    "strong-recipe-better": ("best", "rival"),
}


def effect(study: Study, name: str, facts: dict) -> list[float]:
    """Effect and interval of a finding."""
    if name in EFFECTS:
        pair = []
        for which in EFFECTS[name]:
            variant = facts[which].replace("-", "") if which in facts else which
            strong = name == "strong-recipe-better" and which == "best"
            pair.append(f"{variant}-strong" if strong else variant)
        split = "validation" if name.startswith(("sub", "mul")) else "test"
        return study.versus(*pair, split).ratio()
    if name == "lenet-under-trained":
        rate = 1 - ORIGINAL["network"]["LeNet"]["accuracy"]
        return [x / rate for x in study.sum(["LeNet"], [1]).ratio()]
    if name == "residual-removes-degradation":
        tail = "-stable" if facts["stable"] else ""
        names = ["ResNet34", "ResNet18", "PlainNet34", "PlainNet18"]
        return study.sum([n + tail for n in names], [1, -1, -1, 1]).ratio()
    return single(study, name)


def single(study: Study, name: str) -> list[float]:
    """The same of findings about measurements of single runs."""
    means = {
        "features-below-one": lambda: shares_below_one(study, MUL),
        "se-weights-differ": lambda: changes(study, SE[0]),
        "se-weights-dynamic": lambda: dynamic_shares(study, SE[0]),
    }
    if name in means:
        found = means[name]()
        return [np.mean(found), *mean_interval(found)]
    if name == "mul-bn-unstable":
        mul, add = spreads(study)
        return list(np.exp([np.mean(mul) - np.mean(add), *welch_interval(mul, add)]))
    if name == "degradation-in-training-loss":
        shallow, deep = losses(study, ["PlainNet18", "PlainNet34"])
        return [
            np.mean(deep) / np.mean(shallow),
            *np.exp(welch_interval(np.log(deep), np.log(shallow))),
        ]
    if name == "plain-gain-grows":
        pairs = [[gains(study, f"{k}Net{d}", "init") for k in ("Plain", "Res")] for d in DEPTHS]
        pair = [x.sum(axis=1) for x in [pair for pair in pairs if all(map(len, pair))][-1]]
        return [pair[0].mean() - pair[1].mean(), *welch_interval(*pair)]
    if name in ("gain-add-sub-near-one", "branch-gain-small"):
        part = "branch" if name.startswith("branch") else "gain"
        found = gains(study, "ResNet18", "init", part).mean(axis=1)
        return list(10 ** np.array([found.mean(), *mean_interval(found)]))
    if name == "mul-nobn-vanishes":
        found = gains(study, MUL_NOBN, "init").sum(axis=1)
        return list(10 ** np.array([found.mean(), *mean_interval(found)]))
    if name == "se-range-larger-18":
        logs = [np.log(ranges(study, network)) for network in SE]
        return list(np.exp([logs[0].mean() - logs[1].mean(), *welch_interval(*logs)]))
    raise LookupError(name)


def welch_interval(first, second) -> list[float]:
    found = stats.ttest_ind(first, second, equal_var=False).confidence_interval()
    return [found.low, found.high]


def mean_interval(values) -> list[float]:
    found = stats.ttest_1samp(values, 0).confidence_interval()
    return [found.low, found.high]


def test_every_effect_and_interval_of_findings(both):
    study, said = both
    for name, finding in said["findings"].items():
        if finding["interval"] is None:
            continue
        own = effect(study, name, finding["facts"])
        assert [finding["effect"]["value"], *ends(finding["interval"])] == near_all(own), name


def near_all(values):
    return [near(float(value)) for value in values]


def variants(table: dict, study: Study) -> list[str]:
    """The variant of every row, by its printed title."""
    known = {name.replace("-", "").lower(): name for name in study.all}
    column = [c["key"] for c in table["columns"]].index("network")
    found = []
    for row in table["rows"]:
        title = str(row[column]["value"]).replace("-", "").lower()
        found.append(known.get(title, title))
    return found


def cells(table: dict, index: int) -> dict[str, dict]:
    keys = [column["key"] for column in table["columns"]]
    return dict(zip(keys, table["rows"][index], strict=True))


def test_every_number_of_the_results_table(both):
    study, said = both
    table = said["tables"]["results"]
    for index, name in enumerate(variants(table, study)):
        row = cells(table, index)
        if not study.has(name):
            assert row["accuracy"]["value"] is None, name
            continue
        network = study.all[name][0]["network"]
        assert row["parameters"]["value"]["value"] == network["parameters"]
        assert row["macs"]["value"]["value"] == network["macs"]["torchinfo"]
        assert row["seeds"]["value"]["value"] == len(study.all[name])
        assert row["accuracy"]["value"]["value"] == near(study.accuracy(name))
        assert ends(row["accuracy"]["interval"]) == near_all(study.accuracy_interval(name, "test"))
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
    table, split = said["tables"][name], "validation" if name == "operators" else "test"
    places = [c["key"] for c in table["columns"]].index("accuracy")
    checked = 0
    for index, variant in enumerate(variants(table, study)):
        row = cells(table, index)
        paper = name == "widths" and row["widths"]["value"] == "paper"
        first, base = f"{variant}-paper" if paper else variant, BASES[name].get(variant)
        if paper:
            base = None
        if name == "strong":
            first, base = base, first
        if study.has(first) and study.finished(first) and table["rows"][index][places]["interval"]:
            assert row["accuracy"]["value"]["value"] == near(study.accuracy(first, split))
            pair = study.accuracy_interval(first, split)
            assert ends(row["accuracy"]["interval"]) == near_all(pair), variant
        if base and study.has(first, base) and row["ratio"]["value"]:
            comparison = study.versus(first, base, split)
            ratio = [row["ratio"]["value"]["value"], *ends(row["ratio"]["interval"])]
            assert ratio == near_all(comparison.ratio()), variant
            p = min(1.0, 2 * min(comparison.above(), comparison.below()))
            assert row["p"]["value"]["value"] == near(p), variant
            checked += 1
    there = [pair for pair in BASES[name].items() if all(map(study.finished, pair))]
    assert checked == len(there)


def test_machines(both):
    """Networks that ran on two kinds of machine, and the shift between these."""
    study, said = both
    found = said["machines"]
    runs = [run for name in study.all for run in study.finished(name)]

    def kind(run):
        return run["environment"]["device"], run["config"]["precision"]

    counted = {k: sum(kind(run) == k for run in runs) for k in map(kind, runs)}
    listed = {(k["device"], k["precision"]): k["runs"] for k in found["kinds"]}
    assert listed == counted
    kinds = [(k["device"], k["precision"]) for k in found["kinds"][:2]]
    logs = []
    for name in sorted(study.all):
        parts = [[r for r in study.finished(name) if kind(r) == k] for k in kinds]
        if len(parts) < 2 or not all(parts):
            continue
        means = [[study.right(r, "test").mean() for r in part] for part in parts]
        if min(map(np.mean, means)) > 0.5 and not study.seeds["test"][name][2]:
            wrong = [(1 - np.mean(x)) * 10_000 + 0.5 for x in means]
            logs.append(math.log(wrong[1] / wrong[0]))
    assert [math.log(s["ratio"]["value"]) for s in found["shifts"]] == near_all(logs)
    if logs:
        assert found["ratio"]["value"] == near(math.exp(np.mean(logs)))
