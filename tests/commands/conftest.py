"""What the tests of faults, short and long, strike at."""

import pytest

from tests.fault_kit import ANALYSE, REPORT, Building, Training, with_records


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    return Training(tmp_path_factory.mktemp("training"))


@pytest.fixture(scope="module")
def building(tmp_path_factory):
    """The analysis and the report of one copy."""
    checkout = with_records(tmp_path_factory.mktemp("building"))
    return {command: Building(checkout, command) for command in (ANALYSE, REPORT)}
