"""A few cases of each kind that disturbs commands; `make torture` tries hundreds."""

import pytest

from tests.torture import crash_states, disk_full, file_faults, kills


@pytest.mark.parametrize("kind", [kills, file_faults, disk_full], ids=lambda kind: kind.__name__.rpartition(".")[2])
def test_nothing_is_lost_and_every_command_goes_on(kind):
    tally = kind.run(4, 0, 1, ("apply", "undo"))
    if tally.skipped:
        pytest.skip(tally.skipped)
    assert (tally.faults, tally.tried) == ([], 4)


def test_no_state_that_a_power_cut_may_leave_is_torn():
    tally = crash_states.run(40, 0, 1)
    if tally.skipped:
        pytest.skip(tally.skipped)
    assert (tally.faults, tally.tried) == ([], 40)
