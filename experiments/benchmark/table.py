"""The benchmark's tables, for a terminal."""

from __future__ import annotations

from rich import box
from rich.table import Table

from experiments.benchmark.rounds import Cell, Spread, Tally, turns, ways

#: Width of the first column, so that the tables stand in line.
_WIDTH = 25


def ceiling_table(limits: dict[str, Spread]) -> Table:
    """What the machine can do."""
    table = _table("The machine's ceiling, GFLOP/s", "median", "spread")
    products = {"convolution": "3x3 convolution", "matmul": "matrix product"}
    for name, title in products.items():
        for key, passes in ((f"{name}_forward", "forward"), (name, "both")):
            table.add_row(f"{title}, {passes}", *_spread(limits[key], 1e-9))
    table.caption = "both: forward and backward; 256 channels, 28x28; 4096x4096; in bf16, or fp32"
    return table


def table_of(cell: Cell, limit: float) -> Table:
    """Every way on a piece of work; ``limit``: FLOP/s of the convolution, forward and backward."""
    config, best = cell.work.config, cell.best()
    table = _table(
        f"{config.network}, {config.input_size} px, batch {config.batch_size}, "
        f"{cell.work.steps} steps",
        *("images/s", "spread", "ceiling", "memory", "ours is"),
    )
    for way in ways(config):
        tally = cell.tallies[way.name]
        if tally.failed is not None:
            table.add_row(way.title, "failed")
            continue
        table.add_row(
            way.title,
            *_spread(tally.rate, 1),
            f"{cell.share(way.name, limit):.0%}",
            f"{tally.memory / 1e9:.2f} GB",
            "" if way.contestant == "ours" else _ratio(cell, tally),
            style="bold" if best[way.contestant] == way.name else None,
        )
    return table


LEGEND = (
    "images/s: the median, in bold for the best setting of each. spread: greatest less least, of "
    "the median. ceiling: the part used of the convolution's rate, forward and backward, at 6 "
    "FLOPs a multiply-accumulate (torchinfo's count). memory: the peak. ours is: our best median "
    "over this one."
)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("", min_width=_WIDTH, no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def failures(cells: list[Cell]) -> list[str]:
    """One line for each way that failed."""
    return [
        f"{cell.work.config.network}, {cell.work.config.input_size} px, {way.title}: {reason}"
        for cell, way in turns(cells)
        if (reason := cell.tallies[way.name].failed) is not None
    ]


def _ratio(cell: Cell, rival: Tally) -> str:
    best = cell.best()
    if "ours" not in best:
        return ""
    return f"{cell.tallies[best['ours']].rate.median / rival.rate.median:.2f}x"


def _spread(spread: Spread, unit: float) -> tuple[str, str]:
    middle = spread.median * unit
    width = (max(spread.values) - min(spread.values)) / spread.median
    return f"{middle:,.1f}" if middle < 100 else f"{middle:,.0f}", f"{width:.0%}"
