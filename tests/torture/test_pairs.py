"""The quick part of the two-at-once torture."""

from __future__ import annotations

from tests.torture import pairs


def test_what_two_commands_at_once_do_is_what_they_do_one_after_the_other_or_who_is_refused_learns_by_whom() -> None:
    tally = pairs.run(3, seed=5, jobs=1, names=("table", "undo", "decide"))
    assert tally.faults == []
    assert tally.skipped or tally.tried == 3


def test_without_the_lock_of_the_run_two_at_once_are_not_clean() -> None:
    tally = pairs.run(3, seed=1, jobs=1, names=(pairs.WITHOUT_LOCK, "table", "suggestions"))
    assert tally.skipped or tally.losses > 0


def test_every_pair_of_writers_is_among_the_cases_and_each_seed_stops_them_elsewhere() -> None:
    chosen = [pairs.drawn(number, seed=0) for number in range(pairs.COUNT)]
    assert {(case.state, case.commands) for case in chosen} == set(pairs.combinations())
    assert {case.commands for case in chosen} >= {(one, other) for one in pairs.WRITERS for other in pairs.WRITERS}
    assert chosen != [pairs.drawn(number, seed=1) for number in range(pairs.COUNT)]
