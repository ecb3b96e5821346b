"""Several reviewers on one queue: each is offered other listings, a share goes to two, and nobody is stuck."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import curation
from curation.errors import InputError
from curation.review.live.desk import Desk
from curation.review.live.split import Split, arranged
from curation.run.folder import RunFolder
from curation.run.overlap import Overlap
from tests.support.grids import make_run
from tests.support.live import Live
from tests.support.pages import Page
from tests.support.review_server import Server, start, stop
from tests.support.waiting import PATIENCE, waited_for

FLAGGED = 59
IDS = [f"L{number}" for number in range(4000)]
Serve = Callable[..., Server]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.chdir(tmp_path)
    return make_run(tmp_path)


@pytest.fixture
def serve(run: RunFolder, tmp_path: Path) -> Iterator[Serve]:
    """Start `curate review --page` for a reviewer."""
    started: list[Server] = []

    def serve(reviewer: str, *options: str) -> Server:
        log = tmp_path / f"log-{len(started)}"
        started.append(start(run, log, "--page", "--no-learn", *options, reviewer=reviewer))
        return started[-1]

    yield serve
    for server in started:
        if server.process.poll() is None:
            stop(server)


@pytest.fixture
def team(run: RunFolder) -> Iterator[Callable[..., Live]]:
    """Open pages of several reviewers in this process."""
    opened: list[Live] = []

    def open_page(reviewer: str, *, kind: str = "queue", **more: object) -> Live:
        opened.append(Live(run, reviewer, desk=Desk(run, reviewer, kind), **more))
        return opened[-1]

    yield open_page
    for live in opened:
        live.session.close()


def orders(*lives: Live) -> list[list[str]]:
    """What is offered to each, after all of them have seen who is there."""
    for live in lives:
        live.session._team._looked = 0.0
        live.news()
    return [[live.session.queue.ids[place] for place in live.session.opening()["order"]] for live in lives]


class TestSplit:
    def turns(self, run: RunFolder, me: str, *others: str, share: float | None = None) -> np.ndarray:
        return Split(IDS, "run", Overlap(run, share)).turns(me, others)

    def test_each_listing_is_one_reviewers_and_each_has_about_as_many(self, run: RunFolder) -> None:
        names = ["ana", "ben", "cem"]
        turns = np.array([self.turns(run, me, *names) for me in names])
        assert np.sort(turns, axis=0).tolist() == [[place] * len(IDS) for place in range(3)]
        assert all(1200 < count < 1470 for count in (turns == 0).sum(axis=1))

    def test_who_leaves_leaves_their_part_to_the_others_who_keep_theirs(self, run: RunFolder) -> None:
        three, two = self.turns(run, "ana", "ben", "cem"), self.turns(run, "ana", "ben")
        assert (two[three == 0] == 0).all()
        assert 580 < ((two == 0) & (three != 0)).sum() < 760

    def test_of_a_share_each_listing_is_two_reviewers(self, run: RunFolder) -> None:
        names = ["ana", "ben", "cem"]
        turns = np.array([self.turns(run, me, *names, share=0.2) for me in names])
        owners = Counter((turns == 0).sum(axis=0).tolist())
        assert set(owners) == {1, 2}
        assert 720 < owners[2] < 880

    def test_who_has_none_left_takes_those_of_others_from_the_far_end(self) -> None:
        assert arranged(np.array([1, 0, 2, 1, 0])).tolist() == [1, 4, 3, 0, 2]


class TestPages:
    def test_two_reviewers_begin_with_different_halves_of_the_queue(self, team: Callable[..., Live]) -> None:
        ana, ben = team("ana"), team("ben")
        one, other = orders(ana, ben)
        assert sorted(one) == sorted(other)
        mine = (ana.session._team.turns == 0)[ana.session.queue.places]
        assert set(one[: mine.sum()]).isdisjoint(other[: FLAGGED - mine.sum()])
        assert one[0] != other[0]

    def test_one_person_in_two_windows_is_one_reviewer(self, team: Callable[..., Live]) -> None:
        ana, again = team("ana"), team(" ANA ")
        one, other = orders(ana, again)
        assert one == other == ana.session.queue.order

    def test_what_is_on_the_screen_of_one_is_not_offered_to_who_joins(self, team: Callable[..., Live]) -> None:
        ana = team("ana")
        first = ana.session.opening()["start"]
        ana.session.news(ana.id, 0, [first])
        ben = team("ben")
        assert ben.session.opening()["start"] != first
        assert ben.news()["elsewhere"] == [first]
        assert not ben.session.left()[first]
        ana.say(ana.session.queue.ids[first], "keep")
        assert ben.news()["elsewhere"] == []

    def test_grids_are_of_ones_own_listings_as_long_as_there_are_enough(self, team: Callable[..., Live]) -> None:
        ana, ben = team("ana"), team("ben")
        orders(ana, ben)
        tiles = []
        for live in (ana, ben):
            body = {"filter": {}, "without": [], "number": 4}
            grids = live.ask("/grids", method="POST", body=body).json
            tiles.append({tile["id"] for grid in grids for tile in grid["tiles"]})
        assert all(len(each) >= 12 for each in tiles)
        assert tiles[0].isdisjoint(tiles[1])

    def test_filters_begin_with_ones_own_listings_too(self, team: Callable[..., Live]) -> None:
        ana, ben = team("ana"), team("ben")
        orders(ana, ben)
        found = [live.ask("/narrow", method="POST", body={"filter": {"sort": "cheap"}}).json for live in (ana, ben)]
        assert sorted(found[0]) == sorted(found[1])
        assert found[0][0] != found[1][0]

    def test_pages_of_conflicts_share_nothing_with_those_of_the_queue(self, team: Callable[..., Live]) -> None:
        ana, ben = team("ana"), team("ben", kind="conflicts", conflicts=True)
        assert orders(ana)[0] == ana.session.queue.order
        assert len(ben.session.queue) == 0

    def test_a_page_that_falls_silent_holds_nothing(
        self, team: Callable[..., Live], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("curation.review.live.desk._SILENT", 0.05)
        ana, ben = team("ana"), team("ben")
        ana.session.news(ana.id, 0, [0])
        assert waited_for(lambda: [seat.shown for seat in ben.session._team._desk.others()] == [()])


class TestOverlap:
    def test_the_second_reviewer_does_not_see_the_first_ones_word_before_they_have_decided(
        self, run: RunFolder, team: Callable[..., Live]
    ) -> None:
        Overlap(run, 1.0)
        ana, ben = team("ana"), team("ben")
        ana.say("a00", "keep")
        ana.say("a00", "note", note="a scratch")
        told = ben.news()["changed"]["a00"]
        assert told == {"decision": None, "note": ""}
        assert ben.session.left()[ben.session.queue.place["a00"]]
        assert ana.news()["changed"]["a00"]["decision"] == "keep"
        assert "1 listing waits for a second reviewer" in ana.news()["team"]
        ben.say("a00", "delete")
        for live in (ana, ben):
            assert [word["reviewer"] for word in live.news()["changed"]["a00"]["words"]] == ["ana", "ben"]
        # a third one is not needed, and sees both
        assert team("cem").session.opening()["piece"]["states"]["a00"]["conflict"]
        assert set(run.holding_decisions().conflicts) == {"a00"}

    def test_an_undo_of_the_first_click_leaves_that_of_the_second_reviewer(
        self, run: RunFolder, team: Callable[..., Live]
    ) -> None:
        Overlap(run, 1.0)
        ana, ben = team("ana"), team("ben")
        ana.say("a00", "keep")
        assert ben.say("a00", "undo")["ids"] == []
        assert ben.say([], "undo")["ids"] == []
        ben.say("a00", "delete")
        assert ana.say([], "undo")["ids"] == ["a00"]
        assert {id: each.reviewer for id, each in run.holding_decisions().settled.items()} == {"a00": "ben"}

    def test_the_run_keeps_the_share_and_refuses_another_one(self, run: RunFolder) -> None:
        assert Overlap(run).share == 0
        assert Overlap(run, 0.1).share == Overlap(run).share == Overlap(run, 0.1).share == 0.1
        with pytest.raises(InputError, match=r"same `overlap`: got 0\.2; wanted 0\.1"):
            Overlap(run, 0.2)
        opened = curation.open_run(run.folder)
        with pytest.raises(InputError, match=r"same `overlap`"):
            opened.review(page=True, overlap=0.2)
        with pytest.raises(InputError, match="share of the listings is out of range"):
            opened.review(page=True, overlap=1.5)
        with pytest.raises(InputError, match="no effect in the FiftyOne App"):
            opened.review(overlap=0.1)

    def test_a_share_that_somebody_has_damaged_is_none(self, run: RunFolder) -> None:
        (run.folder / "overlap.json").write_text('{"share": 7}')
        assert Overlap(run).share == 0
        assert Overlap(run, 0.5).share == 0.5

    def test_of_about_so_many_listings_two_decide(self, run: RunFolder) -> None:
        overlap = Overlap(run, 0.1)
        assert 0.085 < sum(map(overlap.doubles, IDS)) / len(IDS) < 0.115


def test_two_reviewers_decide_on_a_whole_queue_each_listing_once_but_for_the_overlap(
    run: RunFolder, serve: Serve
) -> None:
    ana, ben = serve("ana", "--overlap", "0.3"), serve("ben")
    overlap = Overlap(run)
    doubled = {id for id in Live(run).session.queue.order if overlap.doubles(id)}
    assert doubled

    def ana_says(id: str) -> str:
        return "delete" if id.endswith("3") else "ambiguous"

    def ben_says(id: str) -> str:
        return "delete" if id.endswith(("3", "5")) else "ambiguous"

    pages = [(Page(ana), ana_says), (Page(ben), ben_says)]
    for page, _ in pages:
        page.look()
    waiting = [page for page, _ in pages]
    until = time.monotonic() + PATIENCE
    while waiting and time.monotonic() < until:
        # ana is twice as fast, so that she helps ben at the end
        for page, says in (pages[0], pages[0], pages[1]):
            page.look()
            if page.decide(says) is None and page in waiting:
                waiting.remove(page)
    shown = Counter(id for page, _ in pages for id in page.shown)
    assert sorted(shown) == sorted(Live(run).session.queue.order)
    assert {id for id, often in shown.items() if often > 1} == doubled
    assert max(shown.values()) == 2
    among = curation.open_run(run.folder).agreement()
    differ = {id for id in doubled if ana_says(id) != ben_says(id)}
    assert (among.listings, among.waiting, among.conflicts) == (len(doubled), 0, len(differ))
    assert among.pairs[0].share.value == pytest.approx(1 - len(differ) / len(doubled))
    assert {id for id in curation.open_run(run.folder).conflicts()["id"]} == differ
    stop(ana)
    printed = ana.log.read_text()
    assert re.search(rf"Reviewers: ana and ben agree on \d+ % of {len(doubled)} listings, kappa ", printed)
    assert "Left to review: 0 of 59 flagged listings." in printed


def test_when_a_reviewer_is_killed_the_other_one_gets_all_that_is_left(run: RunFolder, serve: Serve) -> None:
    ana, ben = serve("ana"), serve("ben")
    one, other = Page(ana), Page(ben)
    other.look()
    one.look()
    before = one.order
    ben.process.kill()
    ben.process.wait(PATIENCE)

    def has_all() -> bool:
        one.look()
        return one.told["elsewhere"] == [] and one.order != before

    assert waited_for(has_all)
    while one.decide(lambda _: "ambiguous") is not None:
        one.look()
    assert len(set(one.shown)) == FLAGGED
    assert one.order == list(Live(run).session.queue.places)
