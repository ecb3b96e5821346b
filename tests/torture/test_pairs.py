"""The quick part of the two-at-once torture."""

from __future__ import annotations

from tests.torture import pairs


def test_what_two_or_three_commands_at_once_acknowledge_is_kept_and_who_is_refused_learns_by_whom() -> None:
    tally = pairs.run(8, seed=5, jobs=2)
    assert tally.tried == 8
    assert tally.faults == []


def test_every_pair_of_commands_is_among_the_cases_and_each_seed_tries_others() -> None:
    chosen = pairs.cases(pairs.COUNT, seed=0)
    tried = {(case.state, tuple(sorted(case.commands))) for case in chosen}
    assert {(state, tuple(sorted(commands))) for state, commands in pairs._OTHERS} <= tried
    assert ("applied", ("table", "undo")) in tried
    assert any(len(case.commands) == 3 for case in chosen)
    assert chosen == pairs.cases(pairs.COUNT, seed=0)
    assert chosen != pairs.cases(pairs.COUNT, seed=1)
