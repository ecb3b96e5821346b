"""Which commands are given at once; test_torture.py tries a few of them."""

from __future__ import annotations

from tests.torture import pairs


def test_every_pair_of_writers_is_among_the_cases_and_each_seed_stops_them_elsewhere() -> None:
    chosen = [pairs.drawn(number, seed=0) for number in range(pairs.COUNT)]
    assert {(case.state, case.commands) for case in chosen} == set(pairs.combinations())
    assert {case.commands for case in chosen} >= {(one, other) for one in pairs.WRITERS for other in pairs.WRITERS}
    assert chosen != [pairs.drawn(number, seed=1) for number in range(pairs.COUNT)]
