"""A few cases of each kind that disturbs commands; `make torture` tries hundreds."""

from tests.torture._preloaded import in_parallel
from tests.torture._quick import COUNTS


def test_nothing_is_lost_and_every_command_goes_on_after_kills_faults_full_disks_and_power_cuts():
    (tallies,) = in_parallel("tests.torture._quick:cases", 1, 0, 1)
    *tallies, without_lock = tallies
    assert [tally.faults for tally in tallies] == [[]] * len(COUNTS)
    for tally, count in zip(tallies, COUNTS.values(), strict=True):
        assert tally.skipped or tally.tried == count
    # a check that can't fail shows nothing
    assert without_lock.skipped or without_lock.losses
