"""``python -m models``: the table of parameters and MACs; ``python -m models NAME``: its layers."""

from typing import Any

from rich.console import Console
from rich.table import Table

import models
from models.cli import OneLineParser, run
from models.complexity import count
from models.errors import UsageError


def main() -> int:
    """Print the table of all networks, or the layer table of one."""
    parser = OneLineParser(prog="python -m models", description=__doc__)
    parser.add_argument("network", nargs="?", help="print this network's layer table")
    parser.add_argument("--size", type=int, help="input size in pixels (224)")
    parser.add_argument("--residual", metavar="OPERATOR", help=", ".join(models.OPERATORS))
    parser.add_argument("--variant", help=", ".join(models.VARIANTS))
    parser.add_argument("--gr", type=int, dest="growth_rate", help="growth rate (DenseNet)")
    parser.add_argument("--ratio", type=int, help="reduction ratio (SE networks)")
    given = {key: value for key, value in vars(parser.parse_args()).items() if value is not None}
    name, size = given.pop("network", None), given.pop("size", None)
    if name is None:
        print_all()
        return 0
    network = models.resolve(name)
    if size is not None and size < network.min_size:
        raise UsageError(f"{network.name} needs at least {network.min_size} px.")
    print(count(name, size, **given).layers)
    return 0


def print_all() -> None:
    """Print parameters and MACs of one image, 224 px (LeNet 28 px), of every network."""
    table = Table(title="MACs of one image at 224 px (LeNet: 28 px)", title_justify="left")
    for heading in ("Network", "Variant", "Parameters", "MACs (torchinfo)", "MACs (thop)"):
        table.add_column(heading, justify="left" if heading in ("Network", "Variant") else "right")
    for network in models.NETWORKS.values():
        for variant in models.VARIANTS if "variant" in network.options else ("original",):
            options: dict[str, Any] = {"variant": variant} if "variant" in network.options else {}
            counts = count(network.name, **options)
            numbers = (counts.parameters, counts.macs_torchinfo, counts.macs_thop)
            table.add_row(network.title, variant, *(f"{number:,}" for number in numbers))
    Console().print(table)


if __name__ == "__main__":
    run(main)
