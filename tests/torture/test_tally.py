import sys
import types

import pytest
from click.testing import CliRunner

from tests.torture import __main__ as driver
from tests.torture.tally import Tally


@pytest.fixture
def kind(monkeypatch):
    """A kind of torture whose outcome a test sets."""
    module = types.ModuleType("tests.torture.some_kind")
    module.COUNT = 7
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(driver, "kinds", lambda: ["some_kind"])
    return module


def test_the_driver_prints_a_row_of_counts_and_ends_with_0_where_nothing_went_wrong(kind):
    kind.run = lambda count, seed, jobs: Tally("some_kind", tried=count)
    result = CliRunner().invoke(driver.main, ["some_kind"])
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].split()[:6] == ["some_kind", "7", "0", "0", "0", "0"]


def test_a_fault_is_shown_and_ends_the_driver_with_1(kind):
    def run(count, seed, jobs):
        tally = Tally("some_kind", tried=count)
        tally.fault("losses", "a decision is gone after kill 3")
        return tally

    kind.run = run
    result = CliRunner().invoke(driver.main, ["--count", "5"])
    assert result.exit_code == 1
    assert "losses: a decision is gone after kill 3" in result.stderr
    assert result.stdout.splitlines()[-1].split()[:3] == ["some_kind", "5", "1"]


def test_a_driver_that_fails_is_a_fault_too(kind):
    kind.run = lambda count, seed, jobs: 1 / 0
    result = CliRunner().invoke(driver.main, [])
    assert result.exit_code == 1
    assert "ZeroDivisionError" in result.stderr


def test_an_unknown_kind_is_refused_with_the_names_there_are(kind):
    result = CliRunner().invoke(driver.main, ["kils"])
    assert (result.exit_code, "unknown kind kils; there are some_kind" in result.stderr) == (2, True)


def test_counts_of_parallel_processes_add_up():
    parts = [Tally("x", tried=3), Tally("x", tried=2, hangs=1, faults=["hangs: 2"])]
    total = Tally("x").add(parts)
    assert (total.tried, total.hangs, total.faults, total.clean) == (5, 1, ["hangs: 2"], False)
