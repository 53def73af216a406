"""Read ``study.toml``: the runs that the write-up needs, in each profile. Imports no torch."""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

import models
from experiments.config import Config, OptionValue
from experiments.datasets import BY_SLUG, USUAL, DatasetName, resolve
from experiments.support.gpu import has_gpu
from models.errors import UsageError

STUDY_FILE = Path(__file__).with_name("study.toml")


def default_profile() -> str:
    """``full`` where torch can use a GPU, else ``quick``."""
    return "full" if has_gpu() else "quick"


def profile_name(profile: str | None, dataset: str | None) -> str:
    """The name of a profile (by default the machine's) on a data set: ``quick-fashionmnist``.

    Raises:
        UsageError: no such data set, or the profile's name contains another.
    """
    name = profile or default_profile()
    if dataset is None:
        return name
    asked = resolve(dataset)
    base, of = split_name(name)
    if of not in (USUAL, asked.name):
        raise UsageError(f"profile {name!r} is of {of}, not of {asked.name}.")
    return base if asked.name == USUAL else f"{base}-{asked.slug}"


def split_name(profile: str) -> tuple[str, DatasetName]:
    """A profile's name without the data set, and the data set: ``quick``, ``FashionMNIST``."""
    base, _, slug = profile.rpartition("-")
    return (base, BY_SLUG[slug].name) if base and slug in BY_SLUG else (profile, USUAL)


class RunEntry(BaseModel):
    """One ``[[run]]`` of the study: a network with options, and where it is used."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    network: str
    options: dict[str, OptionValue] = {}
    in_results: bool = False
    profiles: tuple[str, ...] | None = None
    stop: str = "epochs"
    recipe: str = "original"
    epochs: int | None = None
    input_size: int | None = None
    tag: str = ""


@dataclass(frozen=True)
class Planned:
    """A run of a profile: its id (the record's file name) and its configuration."""

    id: str
    config: Config


class Study:
    """The content of ``study.toml``.

    Every profile exists for every data set: ``quick`` is of MNIST, ``quick-fashionmnist`` trains
    the same runs in the same way on Fashion-MNIST.

    Attributes:
        profiles: names of the profiles, without a data set.
        results: names of the networks of the results table, in the table's order.
        ladder: the profiles of the budget ladder by the rung's letter. They differ only in the
            number of images seen in training.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._profiles = _inherited(data["profile"])
        self._runs = [RunEntry.model_validate(run) for run in data["run"]]
        self.profiles = tuple(self._profiles)
        self.results = tuple(run.network for run in self._runs if run.in_results)
        self.ladder: dict[str, str] = data["ladder"]

    def has(self, profile: str) -> bool:
        """Whether there is a profile of this name, with a data set or without."""
        return split_name(profile)[0] in self._profiles

    def profile(self, name: str) -> dict[str, Any]:
        """The profile's defaults.

        Raises:
            UsageError: no such profile.
        """
        base, dataset = split_name(name)
        if base not in self._profiles:
            known = ", ".join(self._profiles)
            raise UsageError(f"unknown profile {name!r}; expected one of {known}.")
        return {"dataset": dataset, **self._profiles[base]}

    def _settings(self, profile: str, network: str, variant: str) -> dict[str, Any]:
        defaults = self.profile(profile)
        networks = defaults.pop("network")
        return defaults | networks.get(network, {}) | networks.get(variant, {})

    def config(
        self, profile: str, name: str, options: Mapping[str, OptionValue], **overrides: Any
    ) -> Config:
        """The configuration of a network in a profile, seed 0 unless overridden.

        Raises:
            UsageError: unknown profile, network, option or a value out of range; one line.
        """
        network = models.resolve(name)
        options = models.check_options(network, dict(options))
        if options.get("residual") == "none":  # h(x) alone is the plain network
            plain = "Plain" + network.name.removeprefix("Res")
            if plain in models.NETWORKS:
                network = models.resolve(plain)
                options = {key: options[key] for key in network.options}
        changes = {key: value for key, value in overrides.items() if value is not None}
        first = self._validated(
            network.name, options, {**self._settings(profile, network.name, ""), **changes}
        )
        variant = self._settings(profile, network.name, first.variant)
        return self._validated(network.name, options, {**variant, **changes})

    @staticmethod
    def _validated(network: str, options: Mapping[str, Any], settings: dict[str, Any]) -> Config:
        settings = {key: value for key, value in settings.items() if key not in ("runs", "seeds")}
        try:
            return Config(network=network, options=dict(options), **settings)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            what = f"{field}={first['input']!r}: " if field else ""
            raise UsageError(f"{what}{first['msg']}.") from None

    def plan(self, profile: str) -> list[Planned]:
        """Every run of a profile, one entry per seed, in the order of the profile's ``runs`` (names
        of variants) if it has them, else of the file. More important runs come first.

        Raises:
            UsageError: unknown profile.
        """
        order = self.profile(profile).get("runs")
        base, _ = split_name(profile)
        planned = []
        for run in self._runs:
            if not (order or run.profiles is None or base in run.profiles):
                continue
            extra = run.model_dump(include={"epochs", "recipe", "input_size", "tag"})
            if run.stop == "stable":
                extra |= {"stop": "stable", "schedule": "constant"}
            first = self.config(profile, run.network, run.options, **extra)
            for seed in self._settings(profile, first.network, first.variant)["seeds"]:
                config = first.model_copy(update={"seed": seed})
                planned.append(Planned(f"{config.variant}.s{seed}", config))
        if order:
            planned = [p for p in planned if p.config.variant in order]
            planned.sort(key=lambda p: order.index(p.config.variant))
        return planned

    def run_id(self, profile: str, config: Config) -> str:
        """The id of a run, with tags for epochs and learning rate where they are not the study's.

        ``SEResNet34.s0`` is a run of the study; ``SEResNet34-e3-lr0.01.s0`` has 3 epochs at 0.01.
        """
        kind = config.model_dump(include={"stop", "schedule", "recipe", "tag"})
        usual = self.config(profile, config.network, config.options, **kind)
        tags = [config.variant]
        if config.stop == "epochs" and config.epochs != usual.epochs:
            tags.append(f"e{config.epochs}")
        if config.learning_rate != usual.learning_rate:
            tags.append(f"lr{config.learning_rate:g}")
        return f"{'-'.join(tags)}.s{config.seed}"


def _inherited(profiles: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The profiles, each completed by the settings of the profile that it is ``like``."""
    resolved: dict[str, dict[str, Any]] = {}
    for name, own in profiles.items():
        rest = {key: value for key, value in own.items() if key != "like"}
        base = resolved[own["like"]] if "like" in own else {}
        networks = dict(base.get("network", {}))
        for network, settings in rest.get("network", {}).items():
            networks[network] = networks.get(network, {}) | settings
        resolved[name] = {**base, **rest, "network": networks}
    return resolved


@functools.cache
def load() -> Study:
    """The study of ``study.toml``."""
    return Study(tomllib.loads(STUDY_FILE.read_text(encoding="utf-8")))
