"""A record is fresh while its configuration, its data and the versions of the components that
determine its result are unchanged; else it is stale.

``components.toml`` declares the versions. The source text does not count: a file may be renamed or
rewritten. ``lock`` detects that a component's code has changed and asks for a new version, or for
proof (``python -m experiments.versions accept``) that results are the same to the last bit. The
versions of Python, torch and numpy do not count either; the record states them.
"""

import functools
import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

import models
from experiments.config import Config
from experiments.datasets import DATASETS

COMPONENTS = Path(__file__).with_name("components.toml")


@functools.cache
def declared() -> dict[str, Any]:
    """The content of ``components.toml``."""
    return tomllib.loads(COMPONENTS.read_text(encoding="utf-8"))


def probe_versions() -> dict[str, int]:
    """The version of each probe, by the probe's name."""
    return dict(declared()["probes"])


def fingerprint(config: Config) -> str:
    """SHA-256 (hex) of the configuration, the data set's hashes and the versions that apply."""
    versions = declared()
    family = models.NETWORKS[config.network].family
    parts = [
        config.model_dump_json(),
        json.dumps(dict(DATASETS[config.dataset].sha256), sort_keys=True),
        json.dumps(versions["components"], sort_keys=True),
        f"{family} {versions['families'].get(family, 1)}",
    ]
    if config.stop in versions["stops"]:
        parts.append(f"{config.stop} {versions['stops'][config.stop]}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def in_fp32(config: Config) -> Config:
    """The same run on a device without bf16 arithmetic."""
    return config.model_copy(update={"precision": "fp32"})


def is_fresh(found: str, config: Config) -> bool:
    """Whether a fingerprint is that of the configuration, in its own precision or in fp32."""
    return found in (fingerprint(config), fingerprint(in_fp32(config)))
