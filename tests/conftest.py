"""What all tests share: the table of faults, and the report that is built once."""

import os
import shutil
import tempfile

from tests import fault_kit


def pytest_configure(config):
    if not hasattr(config, "workerinput"):  # the processes that it starts inherit this
        os.environ["TESTS_SHARED"] = tempfile.mkdtemp(prefix="tests-")
        for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):  # of a `make test`: the tests start make
            os.environ.pop(name, None)  # as a user does


def pytest_unconfigure(config):
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ["TESTS_SHARED"])


def pytest_terminal_summary(terminalreporter):
    if fault_kit.TALLY:
        terminalreporter.section("faults")
        for line in fault_kit.table():
            terminalreporter.write_line(line)
