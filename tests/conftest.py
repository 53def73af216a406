"""What all tests share: the table of faults."""

from tests import fault_kit


def pytest_terminal_summary(terminalreporter):
    if fault_kit.TALLY:
        terminalreporter.section("faults")
        for line in fault_kit.table():
            terminalreporter.write_line(line)
