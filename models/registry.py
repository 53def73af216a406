"""The networks by name, as the families register them.

A family is a module of this package. It registers each of its networks by a decorator of the
function that builds it, as in timm::

    @register("VGG11", title="VGG-11", color="#555555", marker="o", citation="simonyan2015")
    def build(name: str, *, batch_norm: bool) -> nn.Module: ...

The keyword arguments of the function are the network's options. The decorators' arguments are
literals. Both are read from the source text, because importing the modules would import torch,
which analysis and report do not need.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

_Build = TypeVar("_Build", bound=Callable[..., Any])


@dataclass(frozen=True)
class Network:
    """A network's registration: everything that is known before it is built.

    Attributes:
        name: canonical name, used in records and on the command line.
        family: the module of ``models`` that defines it.
        builder: the function of that module that builds it.
        title: the name as the report prints it.
        color, marker: its style in figures (matplotlib's names).
        citation: key of its paper in the report's bibliography.
        options: names of the options that it takes: the builder's keyword arguments.
        input_channels: 1 (grey) or 3.
        min_size: smallest square input in pixels that leaves every layer an output.
        fixed_size: the only input size in pixels that it takes, or None.
    """

    name: str
    family: str
    builder: str
    title: str
    color: str
    marker: str
    citation: str
    options: tuple[str, ...] = ()
    input_channels: int = 3
    min_size: int = 16
    fixed_size: int | None = None


def register(name: str, **registration: Any) -> Callable[[_Build], _Build]:
    """Mark a function as the one that builds a network; the arguments are those of ``Network``."""
    return lambda build: build


#: The order of the families in tables and figures; others follow alphabetically.
_ORDER = ("lenet", "alexnet", "resnet", "densenet", "senet")


def discover() -> dict[str, Network]:
    """Every registered network by name, grouped by family, in the order of registration."""
    order = {family: place for place, family in enumerate(_ORDER)}
    paths = sorted(Path(__file__).parent.glob("[!.]*.py"))
    paths.sort(key=lambda path: order.get(path.stem, len(order)))
    return {network.name: network for path in paths for network in _registered(path)}


def _registered(path: Path) -> Iterator[Network]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.FunctionDef):
            continue
        arguments = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
        options = tuple(each.arg for each, default in arguments if default is None)
        for call in node.decorator_list:
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "register":
                (name,) = map(ast.literal_eval, call.args)
                given = {str(key.arg): ast.literal_eval(key.value) for key in call.keywords}
                yield Network(name, path.stem, node.name, **{"options": options, **given})
