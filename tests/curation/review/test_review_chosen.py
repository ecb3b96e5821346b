"""A review loads what is worth a look: the most urgent listings, and those with decisions."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.errors import InputError
from curation.review.app.dataset import open_dataset
from curation.review.chosen import TOP, chosen_top, has_left, loaded_of, said_of_rest
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from tests.curation.review.test_review import make_run, needs_mongod
from tests.support.app_dataset import decide, decision_on, sample_of


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path)


def keep(run: RunFolder, *ids: str) -> int:
    """Keep listings; return the number of the journal's last line."""
    run.decide([Decision(id, "keep", None, "ana", "2026-01-02T03:04:05+00:00", "csv") for id in ids])
    return run.read_journal().last


def test_a_run_that_is_no_larger_is_loaded_whole(run: RunFolder) -> None:
    assert loaded_of(run, 13, 0) is None
    assert loaded_of(run, None, 0) is None


def test_the_most_urgent_are_loaded_with_their_reposts(run: RunFolder) -> None:
    loaded = loaded_of(run, 1, 0)
    issues = run.issues().set_index("id")
    assert loaded is not None
    first = issues.sort_values("priority").index[0]
    group = issues["near_duplicate_group"]
    assert first in loaded
    assert loaded - {first} == set(group.index[group == group[first]]) - {first}


def test_the_same_line_of_the_journal_gives_the_same_listings_whatever_is_decided_since(run: RunFolder) -> None:
    line = keep(run, "L12")
    before = loaded_of(run, 2, line)
    keep(run, *sorted(before or ()))
    assert "L12" in (before or ())
    assert loaded_of(run, 2, line) == before
    after = loaded_of(run, 2, run.read_journal().last) or frozenset()
    assert after > (before or frozenset())


def test_others_are_loaded_only_once_nothing_of_these_is_left(run: RunFolder) -> None:
    loaded = loaded_of(run, 2, 0) or frozenset()
    assert has_left(run, loaded)
    keep(run, *sorted(loaded))
    assert not has_left(run, loaded)
    keep(run, *(f"L{number}" for number in range(12)))
    assert has_left(run, loaded)


def test_how_many_are_not_loaded_is_said() -> None:
    assert said_of_rest(5, 5) == ()
    (said,) = said_of_rest(5000, 1_000_000)
    assert said.startswith("The most urgent are loaded: 5,000 of 1,000,000 listings.")
    assert "`review(all=True)`" in said


def test_both_numbers_at_once_are_refused() -> None:
    assert (chosen_top(None, all=False), chosen_top(7, all=False), chosen_top(None, all=True)) == (TOP, 7, None)
    with pytest.raises(InputError, match="`top` has no effect with `all`"):
        chosen_top(7, all=True)
    with pytest.raises(InputError, match="out of range"):
        chosen_top(0, all=False)


@needs_mongod
class TestTheApp:
    def test_shows_what_is_loaded_and_says_so(self, run: RunFolder) -> None:
        opened = open_dataset(run, top=2)
        loaded = loaded_of(run, 2, 0) or frozenset()
        assert set(opened.dataset.values("listing_id")) == loaded
        assert f"{len(loaded)} of 13 listings" in "".join(opened.messages)

    def test_keeps_its_listings_while_some_are_left_and_loses_no_decision_with_the_next(self, run: RunFolder) -> None:
        first = open_dataset(run, top=2).dataset
        ids = first.values("listing_id")
        decide(first, sample_of(first, ids[0]), "keep")
        assert open_dataset(run, top=2).dataset.values("id") == first.values("id")
        keep(run, *ids[1:], "L12")
        after = open_dataset(run, top=2).dataset
        assert set(after.values("listing_id")) > {*ids, "L12"}
        assert {decision_on(after, id)[0] for id in (*ids, "L12")} == {"keep"}

    def test_stays_as_it_is_while_others_look_at_it(self, run: RunFolder) -> None:
        first = open_dataset(run, top=2).dataset
        assert open_dataset(run, keep=True).dataset.values("id") == first.values("id")
        assert len(open_dataset(run).dataset) == 13

    def test_a_decision_on_a_listing_that_is_not_loaded_stays_in_the_journal(self, run: RunFolder) -> None:
        first = open_dataset(run, top=2).dataset
        keep(run, "L12")
        again = open_dataset(run, top=2)
        assert "L12" not in again.dataset.values("listing_id")
        assert run.holding_decisions().decisions["L12"].action == "keep"
        assert first.name == again.dataset.name

    def test_a_sample_that_vanished_comes_back(self, run: RunFolder) -> None:
        dataset = open_dataset(run, top=2).dataset
        gone = dataset.values("listing_id")[0]
        dataset.delete_samples(sample_of(dataset, gone))
        again = open_dataset(run, top=2)
        assert again.put_back.vanished == (gone,)
        assert gone in again.dataset.values("listing_id")
