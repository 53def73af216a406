"""What all tests share: a cache of its own for each process that tests, and the table of faults."""

import os

from tests import fault_kit


def pytest_configure():
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:  # tests look at what is drawn anew: others must not draw into the same folder
        from report import inputs, material

        inputs.CACHE = material.CACHE = inputs.CACHE / worker


def pytest_terminal_summary(terminalreporter):
    if fault_kit.TALLY:
        terminalreporter.section("faults")
        for line in fault_kit.table():
            terminalreporter.write_line(line)
