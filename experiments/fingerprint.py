"""Fresh or stale: a record is fresh while its configuration, the data and the code that determines
the result are what they were. Times never matter; nor do comments, docstrings and blank lines.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import io
import json
import tokenize
from pathlib import Path

import models
from experiments.config import Config
from experiments.datasets import DATASETS

ROOT = Path(__file__).parent.parent

#: The code that determines every run's result, besides the network's own family.
TRAINING_CODE = (
    "models/layers.py",
    "experiments/convolutions.py",
    "experiments/data.py",
    "experiments/images.py",
    "experiments/optimizer.py",
    "experiments/training.py",
    "experiments/evaluation.py",
    "experiments/probes.py",
)


def fingerprint(config: Config) -> str:
    """SHA-256 (hex) of the configuration, the data and the code that determines its result."""
    digest = hashlib.sha256(config.model_dump_json().encode())
    digest.update(json.dumps(dict(DATASETS[config.dataset].sha256)).encode())
    family = f"models/{models.NETWORKS[config.network].family}.py"
    for path in sorted({*TRAINING_CODE, *_with_imports(family)}):
        digest.update(f"\n{path}\n{_essence(ROOT / path)}".encode())
    return digest.hexdigest()


def in_fp32(config: Config) -> Config:
    """The same run on a device without bf16 arithmetic."""
    return config.model_copy(update={"precision": "fp32"})


def is_fresh(found: str, config: Config) -> bool:
    """Whether a record with this fingerprint is what the configuration asks for; it may have been
    made in fp32, on another device."""
    return found in (fingerprint(config), fingerprint(in_fp32(config)))


@functools.cache
def _with_imports(path: str) -> frozenset[str]:
    """A file of ``models/`` and those of ``models/`` that it imports."""
    found = {path}
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("models."):
            found |= _with_imports(str(node.module).replace(".", "/") + ".py")
    return frozenset(found)


@functools.cache
def _essence(path: Path) -> str:
    return essence(path.read_text(encoding="utf-8"))


def essence(source: str) -> str:
    """Python source without comments, docstrings, blank lines and trailing blanks.

    Works on the text, not on a dumped syntax tree, whose form changes between Python versions.
    """
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            continue
        first = node.body[0] if node.body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            for row in range(first.lineno - 1, first.end_lineno or first.lineno):
                lines[row] = ""
    return "\n".join(line.rstrip() for line in lines if line.strip())
