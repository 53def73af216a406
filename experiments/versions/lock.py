"""A lock on the code of each component: the hash of its syntax trees.

The modules of a component are found by following imports from the run's entry and from the
networks' families. Comments, docstrings, formatting, names of modules and of the folders they lie
in do not count.
"""

import ast
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from experiments.versions import declared

ROOT = Path(__file__).parents[2]
LOCK = Path(__file__).with_name("lock.json")
#: The function that trains and measures one run.
ENTRY = "experiments.training.run"
_PACKAGES = ("experiments", "models")


def current() -> dict[str, str]:
    """The hash of the present code of each component, family and probe."""
    versions = declared()
    owner = {module: name for name, modules in versions["modules"].items() for module in modules}
    found: dict[str, list[str]] = {name: [] for name in versions["components"]}
    found |= {name: [] for name in versions["modules"] if name != "irrelevant"}
    for module in sorted({*reached(ENTRY), *owner}):  # data sets are not found by imports
        if not module.startswith("models.") and owner.get(module) != "irrelevant":
            found[owner.get(module, "training")].append(tree(module))
    for family in versions["families"]:
        modules = reached(f"models.{family}")
        found[family] = [tree(each) for each in modules if owner.get(each) != "irrelevant"]
    return {name: _digest("\n".join(sorted(trees))) for name, trees in sorted(found.items())}


def changed() -> dict[str, str]:
    """Components whose code differs from the lock, each with a line that says what to do."""
    locked = json.loads(LOCK.read_text(encoding="utf-8"))
    now = current()
    return {
        name: f"the code of {name} has changed: raise its version in "
        "experiments/versions/components.toml, or show by `make accept` that results are the same"
        for name in {*locked, *now}
        if locked.get(name) != now.get(name)
    }


def renew() -> None:
    """Write the lock of the present code."""
    LOCK.write_text(json.dumps(current(), indent=1) + "\n", encoding="utf-8")


def reached(entry: str) -> list[str]:
    """The project's modules that an entry module imports, directly or not, and the entry itself."""
    seen: set[str] = set()
    waiting = [entry]
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        waiting += [found for found in _imports(module) if found not in seen]
    return sorted(seen)


def tree(module: str) -> str:
    """The hash of a module's normalised syntax tree."""
    return _digest("\n".join(_nodes(_parse(module))))


def _imports(module: str) -> Iterator[str]:
    for node in ast.walk(_parse(module)):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names] + [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        yield from (n for n in names if n.split(".")[0] in _PACKAGES and _file(n) is not None)


def _nodes(node: ast.AST) -> Iterator[str]:
    """The tree as lines, in a form that Python 3.11 to 3.14 share."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
        node.body = node.body[1:]
    if isinstance(node, ast.FunctionDef):  # titles and styles of networks do not affect results
        node.decorator_list = [d for d in node.decorator_list if not _registers(d)]
    yield type(node).__name__
    for name, value in ast.iter_fields(node):
        if name in ("ctx", "kind", "type_comment", "type_params", "type_ignores"):
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, ast.Import | ast.ImportFrom):
                continue  # moving a module changes only imports
            if isinstance(item, ast.AST):
                yield f".{name}"
                yield from _nodes(item)
            elif item is not None:
                yield f".{name}={item!r}"
    yield "end"


def _registers(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "register"


def _parse(module: str) -> ast.Module:
    path = _file(module)
    assert path is not None, module
    return ast.parse(path.read_text(encoding="utf-8"))


def _file(module: str) -> Path | None:
    base = ROOT / module.replace(".", "/")
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
