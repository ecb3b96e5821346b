"""What a live page is told, and what becomes of its decisions: the server in this process, behind its guard."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from PIL import Image

from curation.review.app.thumbnails import copies_of
from curation.review.live.following import Followed
from curation.run.decisions import decide
from curation.run.folder import RunFolder
from curation.run.journal import Decision, current_decisions
from tests.cli.test_cli import done
from tests.curation.review.test_review_page import QUEUE, make_run
from tests.support.live import Live, key, step


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run below the current folder, which is the latest."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CURATE_REVIEWER", "ana")
    return make_run(tmp_path)


@pytest.fixture
def live(run: RunFolder) -> Live:
    return Live(run)


def holding(run: RunFolder) -> dict[str, tuple[str, str | None, float | None]]:
    return {id: decision.meaning for id, decision in run.holding_decisions().decisions.items()}


@contextmanager
def full_disk(run: RunFolder) -> Iterator[None]:
    """Let no file grow beyond the size that the journal has."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (run.journal.stat().st_size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


class TestQueue:
    def test_the_page_brings_the_first_listing_and_its_card(self, live: Live) -> None:
        data = live.session.opening()
        assert (data["size"], data["start"], data["piece"]["ids"]) == (6, 0, QUEUE)
        assert [card["id"] for card in data["cards"].values()] == QUEUE
        assert [kind["name"] for kind in data["kinds"]] == ["label", "near_duplicate"]
        assert data["piece"]["kinds"] == [1, 1, 1, 1, 2, 2]

    def test_it_opens_at_the_first_listing_that_is_not_decided(self, run: RunFolder) -> None:
        decide(run, ["00", "01"], "keep")
        data = Live(run).session.opening()
        assert (data["start"], list(data["cards"])) == (2, [2, 3, 4, 5])
        assert set(data["piece"]["states"]) == {"00", "01"}

    def test_a_card_has_what_the_page_in_a_file_has(self, live: Live) -> None:
        card = live.get("/cards", places="4")["4"]
        assert (card["id"], card["given"], card["reposts"][0]["id"], card["repostCount"]) == ("10", "chair", "11", 1)
        assert card["reposts"][0]["place"] == 5
        assert live.get("/rows", places="0,3")["3"] == {
            **{"id": "06", "title": "thing 06", "price": 15.5, "given": "chair", "suggested": "desk", "learnt": 0}
        }

    def test_titles_and_ids_are_searched_whatever_their_case(self, live: Live) -> None:
        assert live.get("/find", words="THING 1") == [4, 5]
        assert live.get("/find", words="06") == [3]
        assert live.get("/find", words="no such words") == []

    def test_only_the_first_are_shown_if_so_many_are_asked_for(self, run: RunFolder) -> None:
        live = Live(run, first=2)
        assert live.session.queue.order == QUEUE[:2]
        assert live.get("/queue", **{"from": 1})["ids"] == ["01"]

    def test_the_first_are_those_that_nobody_has_decided_on(self, run: RunFolder) -> None:
        decide(run, ["00", "02"], "keep", reviewer="ben")
        assert Live(run, first=2).session.queue.order == ["01", "06"]
        decide(run, QUEUE, "delete", reviewer="ben")
        assert Live(run, first=2).session.queue.order == QUEUE[:2]

    def test_of_the_first_those_that_are_decided_stay_and_the_next_ones_join_them(self, run: RunFolder) -> None:
        queue = Live(run, first=3).session.queue
        # somebody decided on the second of these, and on one that is not among them
        later = queue.again(queue.cards, {"01", "06"})
        assert later.order == ["00", "01", "02"]
        everything = later.again(queue.cards, set(QUEUE))
        assert everything.order == later.order
        assert everything.again(queue.cards, {"01", "06", "00", "02"}).order == later.order

    @pytest.mark.parametrize(
        "path", ["/cards?places=6", "/cards?places=-1", "/cards?places=x", "/queue?from=-1", "/rows"]
    )
    def test_a_place_that_is_none_is_refused(self, live: Live, path: str) -> None:
        assert live.ask(path).status == 400

    def test_a_run_with_nothing_flagged_opens_and_says_so(self, run: RunFolder) -> None:
        run.write_table(run.issues_file, run.issues().assign(is_label_issue=False, is_near_duplicate_issue=False))
        live = Live(run)
        assert live.session.opening()["size"] == 0
        assert live.ask("/").status == 200


class TestDecisions:
    def test_a_decision_is_in_the_journal_when_the_answer_comes(self, live: Live) -> None:
        answer = live.send(step("00", "relabel", label="NA"))
        (decision,) = live.run.decisions()[0]
        assert (decision.id, decision.meaning, decision.source) == ("00", ("relabel", "NA", None), "page")
        assert (decision.reviewer, decision.suggested_label) == ("ana", "desk")
        assert answer["changed"]["00"]["new_label"] == "NA"
        assert (answer["stopped"], answer["results"][0]["refused"]) == ("", "")

    def test_many_listings_are_one_step_and_one_undo(self, live: Live) -> None:
        live.say("06", "keep")
        live.say(["00", "01", "02"], "delete")
        assert live.say([], "undo")["ids"] == ["00", "01", "02"]
        assert holding(live.run) == {"06": ("keep", None, None)}
        assert live.say([], "undo")["ids"] == ["06"]
        assert live.say([], "undo")["ids"] == []

    def test_a_step_that_comes_again_is_written_once(self, live: Live) -> None:
        steps = [step("00", "keep"), step(["01", "02"], "delete"), step("10", "only"), step("06", "note", note="why")]
        live.send(*steps)
        size = live.run.journal.stat().st_size
        for session in (live, Live(live.run)):  # the second as after a crash: it knows nothing but the journal
            assert [result["refused"] for result in session.send(*steps)["results"]] == ["", "", "", ""]
        assert live.run.journal.stat().st_size == size

    def test_an_undo_that_comes_again_takes_nothing_else_back(self, live: Live) -> None:
        live.say("00", "keep")
        live.say("01", "keep")
        again = step([], "undo")
        live.send(again)
        Live(live.run).send(again)
        assert holding(live.run) == {"00": ("keep", None, None)}

    def test_of_two_reviewers_each_may_take_a_step_at_the_same_time(self, live: Live) -> None:
        same = step("00", "keep")
        live.send(same)
        Live(live.run, "ben").send(same)
        assert [decision.reviewer for decision in live.run.decisions()[0]] == ["ana", "ben"]

    def test_a_label_and_a_price_stand_beside_each_other(self, live: Live) -> None:
        live.say("00", "relabel", label="desk")
        live.say("00", "reprice", price=20)
        assert holding(live.run)["00"] == ("relabel", "desk", 20.0)
        live.say("00", "reprice", price=21, alone=True)
        assert holding(live.run)["00"] == ("reprice", None, 21.0)

    def test_a_new_class_is_one_for_other_listings_too(self, live: Live) -> None:
        assert "can't be relabelled" in live.say("00", "relabel", label="sofa")["refused"]
        live.say("00", "relabel", label="sofa", new_class=True)
        assert live.say("01", "relabel", label="sofa")["refused"] == ""
        assert [decision.new_class for decision in live.run.decisions()[0]] == [True, True]
        assert live.session.opening()["added"] == ["sofa"]

    @pytest.mark.parametrize(
        ("ids", "action", "more", "why"),
        [
            ("00", "reprice", {"price": -1}, "a new price must be a number"),
            ("nobody", "keep", {}, "this run has no such listing"),
            ("04", "keep", {}, "without a label can't be kept"),
            ("00", "keep", {"note": "x" * 10_001}, "note"),
            ("00", "only", {}, "no other listing shows this photo"),
            ("06", "relabel", {"label": ""}, "can't be relabelled"),
        ],
    )
    def test_what_can_not_be_decided_says_why_and_nothing_is_recorded(
        self, live: Live, ids: str, action: str, more: dict[str, Any], why: str
    ) -> None:
        assert why in live.say(ids, action, **more)["refused"]
        assert not live.run.journal.exists()

    def test_a_listing_keeps_its_note_and_a_note_changes_no_decision(self, live: Live) -> None:
        live.say("00", "note", note="broken leg")
        live.say("00", "delete")
        live.say("00", "note", note="two broken legs")
        (state,) = live.news()["changed"].values()
        assert (state["decision"], state["note"]) == ("delete", "two broken legs")
        assert [decision.note for decision in live.run.decisions()[0]] == ["broken leg"] * 2 + ["two broken legs"]

    def test_of_reposts_one_stays_and_one_undo_takes_that_back(self, live: Live) -> None:
        live.say("10", "only")
        assert holding(live.run) == {"10": ("keep", None, None), "11": ("delete", None, None)}
        live.say([], "undo")
        assert holding(live.run) == {}

    @pytest.mark.parametrize(
        "wrong",
        [
            {"key": "now"}, {"key": "2026-01-01T00:00:00.123+00:00"}, {"key": "2026-13-01T00:00:00.000000+00:00"},
            {"parts": []}, {"parts": [{"ids": ["00"], "action": "dance"}]}, {"parts": [{"ids": [1], "action": "keep"}]},
            {"parts": [{"ids": [], "action": "keep"}]}, {"parts": [{"action": "keep"}]}, {"parts": "keep"},
            {"parts": [{"ids": ["00"], "action": "reprice", "price": True}]},
            {"parts": [{"ids": ["00"], "action": "keep", "source": "app"}]},
            {"reviewer": "a\nb"}, {"reviewer": 1}, {"parts": [{"ids": [], "action": "undo", "takes_back": 1}]},
            {"parts": [{"ids": "00", "action": "keep"}]}, {"parts": [{"ids": {"00": 1}, "action": "keep"}]},
            {"parts": [{"ids": ["00"], "action": "keep", "shown": [None, 10**400]}]},
        ],
    )  # fmt: skip
    def test_what_is_no_step_is_refused(self, live: Live, wrong: dict[str, Any]) -> None:
        body = {"session": live.id, "since": 0, "steps": [{**step("00", "keep"), **wrong}]}
        assert live.ask("/steps", method="POST", body=body).status == 400
        assert not live.run.journal.exists()

    def test_a_step_that_names_a_listing_twice_is_refused(self, live: Live) -> None:
        assert "names a listing once" in live.say(["00", "00"], "keep")["refused"]
        twice = {"key": key(), "parts": [{"ids": ["00"], "action": action} for action in ("keep", "delete")]}
        assert "names a listing once" in live.send(twice)["results"][0]["refused"]
        assert not live.run.journal.exists()

    def test_a_price_below_nothing_is_nothing(self, live: Live) -> None:
        live.say("00", "reprice", price=-0.0)
        assert b'"new_price":0.0' in live.run.journal.read_bytes().replace(b" ", b"")

    @pytest.mark.parametrize("number", ["Infinity", "-Infinity", "NaN", "1e400", "9" * 401, str(2**53 + 1), "true"])
    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/steps", '{"session": "", "since": NUMBER, "steps": []}'),
            ("/steps", '{"session": "", "since": 0, "steps": [{"key": "KEY", "parts": [{"ids": ["00"], "action": '
                       '"reprice", "price": NUMBER}]}]}'),
            ("/grids", '{"filter": {}, "without": [], "number": NUMBER}'),
            ("/grids", '{"filter": {}, "without": [NUMBER], "number": 1}'),
            ("/narrow", '{"filter": {"low": NUMBER}}'),
            ("/suggestions", '{"places": [NUMBER]}'),
        ],
    )  # fmt: skip
    def test_a_number_that_no_page_means_is_refused(self, live: Live, path: str, body: str, number: str) -> None:
        content = body.replace("NUMBER", number).replace("KEY", key()).encode()
        assert live.ask(path, method="POST", body=content).status == 400

    @pytest.mark.parametrize("places", ["1_0", "\u0661", "+1", " 1", "1,", "-0"])
    def test_a_place_is_written_in_digits(self, live: Live, places: str) -> None:
        assert live.ask(f"/cards?{urlencode({'places': places})}").status == 400


class TestLateSteps:
    """A browser has kept them while it could not send them."""

    def test_what_was_decided_later_stays_and_the_page_says_where(self, live: Live) -> None:
        kept = [step(["00", "01"], "delete"), step("02", "delete")]
        Live(live.run, "ben").say("00", "relabel", label="NA")
        live.say("02", "keep")  # in another window
        many, one = live.send(*kept)["results"]
        assert (many["ids"], many["late"], one["ids"], one["late"]) == (["01"], ["00"], [], ["02"])
        assert holding(live.run) == {
            **{"00": ("relabel", "NA", None), "01": ("delete", None, None), "02": ("keep", None, None)}
        }

    def test_of_reposts_none_is_deleted_where_the_one_to_stay_was_deleted_later(self, live: Live) -> None:
        kept = step("10", "only")
        Live(live.run, "ben").say("10", "delete")
        assert live.send(kept)["results"][0]["late"] == ["10"]
        assert holding(live.run) == {"10": ("delete", None, None)}

    def test_an_undo_takes_the_step_back_that_it_names(self, live: Live) -> None:
        live.say("00", "keep")
        kept = step([], "undo", takes_back=live.news()["latest"])
        live.say("01", "delete")  # in another window
        assert live.send(kept)["results"][0]["ids"] == ["00"]
        assert holding(live.run) == {"01": ("delete", None, None)}

    def test_an_undo_of_what_was_decided_again_since_takes_nothing_back(self, live: Live) -> None:
        live.say("00", "keep")
        kept = step([], "undo", takes_back=live.news()["latest"])
        ben = Live(live.run, "ben")
        ben.say("00", "delete", saw={"00": ben.session.followed.mark("00")})
        (result,) = live.send(kept)["results"]
        assert (result["ids"], result["late"]) == ([], ["00"])
        assert holding(live.run) == {"00": ("delete", None, None)}

    def test_an_undo_takes_back_ones_own_word_where_somebody_decided_without_knowing_it(self, live: Live) -> None:
        live.say("00", "keep")
        kept = step([], "undo", takes_back=live.news()["latest"])
        Live(live.run, "ben").say("00", "delete")
        assert live.send(kept)["results"][0]["ids"] == ["00"]
        assert holding(live.run) == {"00": ("delete", None, None)}

    def test_an_undo_that_names_no_step_takes_nothing_back_that_is_later(self, live: Live) -> None:
        kept = step([], "undo")
        live.say("00", "keep")
        assert live.send(kept)["results"][0]["late"] == ["00"]
        assert holding(live.run) == {"00": ("keep", None, None)}

    def test_the_step_to_take_back_is_told_and_it_is_ones_own(self, live: Live) -> None:
        assert live.session.opening()["latest"] == ""
        kept = step("00", "keep")
        live.send(kept)
        Live(live.run, "ben").say("01", "keep")
        assert live.news()["latest"] == kept["key"]
        live.say([], "undo", takes_back=kept["key"])
        assert live.news()["latest"] == ""

    def test_a_click_that_an_undo_of_somebody_else_brings_back_is_the_latest_again(self, live: Live) -> None:
        clicks = [step(id, "keep") for id in ("00", "01")]
        live.send(*clicks)
        ben = Live(live.run, "ben")
        ben.say("01", "delete", saw={"01": ben.session.followed.mark("01")})
        assert live.news()["latest"] == clicks[0]["key"]
        ben.say(["01"], "undo")
        assert live.news()["latest"] == clicks[1]["key"]

    def test_a_later_note_stays_and_a_decision_leaves_room_for_a_note(self, live: Live) -> None:
        kept = [step("00", "note", note="old"), step("01", "note", note="old")]
        live.say("00", "note", note="new")
        live.say("01", "keep")
        assert [result["late"] for result in live.send(*kept)["results"]] == [["00"], []]
        assert (live.session.followed.note("00"), live.session.followed.note("01")) == ("new", "old")

    def test_a_clock_that_is_ahead_keeps_nobody_from_deciding(self, live: Live) -> None:
        live.run.decide([Decision("00", "delete", None, "ben", "2999-01-01T00:00:00+00:00", "api")])
        assert live.say("00", "keep")["ids"] == ["00"]

    def test_a_step_whose_time_is_still_to_come_is_refused_and_holds_up_no_other(self, live: Live) -> None:
        ahead = {**step("00", "keep"), "key": "2999-01-01T00:00:00.000000+00:00"}
        results = live.send(ahead, step("01", "keep"))["results"]
        assert ["still to come" in result["refused"] for result in results] == [True, False]
        assert list(holding(live.run)) == ["01"]

    def test_a_step_is_of_who_made_it_whoever_the_server_was_started_for(self, live: Live) -> None:
        kept = [{**step(id, "keep"), "reviewer": "ana"} for id in ("00", "01")]
        live.send(kept[0])
        Live(live.run, "login").send(*kept)
        assert [(each.id, each.reviewer) for each in live.run.decisions()[0]] == [("00", "ana"), ("01", "ana")]


class TestNews:
    def test_what_others_decide_is_news_within_one_look(self, live: Live) -> None:
        decide(live.run, ["00"], "delete", reviewer="ben")
        other = Live(live.run, "cleo")
        other.say("01", "keep")
        changed = live.news()["changed"]
        assert {id: (state["decision"], state["reviewer"]) for id, state in changed.items()} == {
            **{"00": ("delete", "ben"), "01": ("keep", "cleo")}
        }
        assert live.news(since=2)["changed"] == {}

    def test_an_undo_takes_what_was_decided_in_the_app_back_too(self, live: Live) -> None:
        live.run.decide([Decision("01", "delete", None, "ana", key(), "app")])
        live.run.decide([Decision("02", "delete", None, "ben", key(), "app")])
        assert live.say([], "undo")["ids"] == ["01"]

    def test_another_process_is_noticed_and_so_are_events_that_never_were(self, live: Live) -> None:
        assert live.get("/changes", session="of before", since=0)["reset"] is True
        assert live.news(since=7)["reset"] is True

    def test_a_decision_that_does_not_fit_the_run_is_not_shown(self, live: Live) -> None:
        live.run.decide([Decision("00", "relabel", "no class", "ben", key(), "api")])
        assert live.news()["changed"]["00"]["decision"] is None


class TestTrouble:
    def test_on_a_full_disk_a_step_is_not_acknowledged_and_may_come_again(self, live: Live) -> None:
        live.say("00", "keep")
        later = [step("01", "delete"), step("02", "delete")]
        with full_disk(live.run):
            answer = live.send(*later)
        assert answer["results"] == []
        assert "decisions.jsonl can't be written" in answer["stopped"]
        assert list(holding(live.run)) == ["00"]
        live.send(*later)
        assert list(holding(live.run)) == ["00", "01", "02"]

    def test_a_damaged_journal_is_told_and_decisions_go_on(self, live: Live) -> None:
        live.say(["00", "01"], "keep")
        lines = live.run.journal.read_bytes().splitlines(keepends=True)
        live.run.journal.write_bytes(lines[0].replace(b"keep", b"kelp") + lines[1])
        assert "decisions.jsonl line 1" in live.news()["said"][0]
        live.say("02", "delete")
        assert holding(live.run) == {"01": ("keep", None, None), "02": ("delete", None, None)}
        assert live.news()["changed"]["00"]["decision"] is None

    def test_a_torn_line_is_closed_by_the_next_decision(self, live: Live) -> None:
        live.say("00", "keep")
        with live.run.journal.open("ab") as stream:
            stream.write(b'{"id": "01", "act')
        assert "torn" in live.news()["said"][0] or "cut short" in live.news()["said"][0]
        live.say("02", "delete")
        assert list(holding(live.run)) == ["00", "02"]
        assert live.news()["said"] == []

    def test_fixes_that_are_applied_meanwhile_change_nothing_of_it(self, live: Live) -> None:
        live.say("00", "relabel", label="desk")
        Path("mine.csv").write_text("id,decision\n02,delete\n")
        done("apply-fixes", "--decisions", "mine.csv", "--reviewer", "ben")
        assert live.news()["changed"]["02"]["reviewer"] == "ben"
        live.say("06", "delete")
        done("undo")
        assert set(holding(live.run)) == {"00", "06"}
        assert live.news()["changed"]["02"]["decision"] is None
        live.say([], "undo")
        assert set(holding(live.run)) == {"00"}

    def test_a_run_whose_issues_have_changed_is_decided_on_no_more(self, live: Live) -> None:
        live.run.write_table(live.run.issues_file, live.run.issues().assign(price=1.0))
        answer = live.send(step("00", "keep"))
        assert (answer["results"], "have changed" in answer["stopped"]) == ([], True)
        assert not live.run.journal.exists()
        assert live.ask("/changes?session=x&since=0").status == 503

    def test_where_the_journal_is_gone_nothing_is_recorded_until_it_is_back(self, live: Live) -> None:
        live.say("00", "keep")
        away = live.run.journal.rename("away.jsonl")
        answer = live.send(step("01", "keep"))
        assert (answer["results"], "is gone. Put it back" in answer["stopped"]) == ([], True)
        assert "is gone" in live.ask("/changes?session=x&since=0").json["stopped"]
        assert not live.run.journal.exists()
        away.rename(live.run.journal)
        live.say("01", "keep")
        assert set(holding(live.run)) == {"00", "01"}

    def test_the_journal_of_another_run_is_not_taken_for_this_one(self, live: Live) -> None:
        live.say("00", "keep")
        own = live.run.journal.rename("own.jsonl")
        live.run.decide([Decision(id, "delete", None, "ben", key(), "api") for id in QUEUE])
        content = live.run.journal.read_bytes()
        answer = live.send(step("01", "keep"))
        assert (answer["results"], "is another one" in answer["stopped"]) == ([], True)
        assert live.run.journal.read_bytes() == content
        # a copy that is put back is the same journal
        live.run.journal.write_bytes(own.read_bytes())
        assert live.say("01", "keep")["refused"] == ""

    def test_another_journal_holds_for_a_review_that_begins_with_it(self, live: Live) -> None:
        live.say("00", "keep")
        live.run.journal.unlink()
        assert Live(live.run).say("01", "keep")["refused"] == ""

    @pytest.mark.parametrize("made", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
    def test_where_the_journal_is_no_file_that_is_said(self, live: Live, made: Callable[[Path], None]) -> None:
        live.say("00", "keep")
        away = live.run.journal.rename("away.jsonl")
        made(live.run.journal)
        answer = live.send(step("01", "keep"))
        assert (answer["results"], "can't be read" in answer["stopped"]) == ([], True)
        assert live.ask("/changes?session=x&since=0").status == 503
        (live.run.journal.rmdir if live.run.journal.is_dir() else live.run.journal.unlink)()
        away.rename(live.run.journal)
        assert live.say("01", "keep")["refused"] == ""

    def test_following_a_journal_finds_what_reading_it_finds(self, run: RunFolder) -> None:
        followed = Followed(run, dict.fromkeys(QUEUE, "chair").__getitem__)
        for number in range(60):
            action = ("keep", "delete", "undo", "note", "relabel")[number * 7 % 5]
            label = "desk" if action == "relabel" else None
            run.decide([Decision(QUEUE[number * 5 % 6], action, label, "ana", key(), "app")])
            if number % 3 == 0:
                followed.catch_up()
                expected = current_decisions(run.decisions()[0])
                assert {each.id: each for each in followed.holding()} == expected


class TestPhotos:
    def test_copies_are_small_and_kept_in_the_run(self, live: Live) -> None:
        photo = live.run.photo_root / "photos" / "00.png"
        Image.new("RGB", (2000, 1000), (9, 90, 200)).save(photo)
        for side in (480, 160):
            answer = live.ask(f"/photo?id=00&side={side}")
            assert (answer.status, answer.headers["content-type"]) == (200, "image/webp")
        live.session.photos.close()
        assert len(list(copies_of(live.run).glob("*-480.webp"))) == 1

    def test_why_there_is_no_photo_is_said(self, live: Live) -> None:
        assert live.ask("/photo?id=06&side=480").content == b"06.png can't be read: not an image"
        assert live.ask("/photo?id=09&side=480")[::2] == (404, b"this listing has none")

    @pytest.mark.parametrize(
        "query", ["id=nobody&side=480", "id=00&side=481", "id=00", "id=../00&side=160", "side=480"]
    )
    def test_nothing_else_is_sent(self, live: Live, query: str) -> None:
        assert live.ask(f"/photo?{query}").status in (400, 404)

    def test_a_photo_that_leads_out_of_its_folder_is_not_shown(self, live: Live, tmp_path: Path) -> None:
        Image.new("RGB", (8, 8)).save(tmp_path / "mine.png")
        photo = live.run.photo_root / "photos" / "01.png"
        photo.unlink()
        photo.symlink_to(tmp_path / "mine.png")
        answer = live.ask("/photo?id=01&side=480")
        assert (answer.status, b"no photo of this run" in answer.content) == (404, True)


class TestWhoMayEnter:
    PATHS = (
        "/",
        "/assets/page.js",
        "/queue?from=0",
        "/cards?places=0",
        "/changes?session=x&since=0",
        "/photo?id=00&side=480",
        "/points",
    )

    @pytest.mark.parametrize(
        "cookie", ["", "curate_review_5151=wrong", "curate_review_5151=", "curate_review_1=secret"]
    )
    def test_nobody_without_the_token_reads_or_decides(self, live: Live, cookie: str) -> None:
        assert {live.ask(path, cookie=cookie).status for path in self.PATHS} == {401}
        body = {"session": live.id, "since": 0, "steps": [step("00", "keep")]}
        assert {live.ask(path, method="POST", body=body, cookie=cookie).status for path in ("/steps", "/map")} == {401}
        assert not live.run.journal.exists()

    @pytest.mark.parametrize(
        "headers",
        [
            {"host": "evil.example"}, {"host": "192.0.2.1"}, {"origin": "http://evil.example"}, {"origin": "null"},
            {"origin": "http://127.0.0.1:1"}, {"sec_fetch_site": "cross-site"}, {"sec_fetch_site": "same-site"},
        ],
    )  # fmt: skip
    def test_no_other_page_reads_or_decides(self, live: Live, headers: dict[str, str]) -> None:
        assert {live.ask(path, **headers).status for path in self.PATHS} == {403}
        body = {"session": live.id, "since": 0, "steps": [step("00", "keep")]}
        assert {live.ask(path, method="POST", body=body, **headers).status for path in ("/steps", "/map")} == {403}
        assert not live.run.journal.exists()

    def test_the_link_lets_in_and_the_page_is_kept_from_others(self, live: Live) -> None:
        entered = live.ask("/?code=once", cookie="")
        assert (entered.status, "HttpOnly; SameSite=Strict" in entered.headers["set-cookie"]) == (200, True)
        page = live.ask("/")
        assert "default-src 'none'; script-src 'self'" in page.headers["content-security-policy"]
        assert page.headers["x-frame-options"] == "DENY"

    @pytest.mark.parametrize(
        "path", ["/media", "/graphql", "/assets/../page.py", "/assets/server.js", "/steps/", "//", "/%2e"]
    )
    def test_there_is_nothing_else(self, live: Live, path: str) -> None:
        assert live.ask(path).status in (403, 404)
        assert live.ask(path, method="POST", body={}).status in (403, 404)

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
    def test_steps_are_only_posted(self, live: Live, method: str) -> None:
        assert {live.ask(path, method=method, body={}).status for path in ("/steps", "/map")} == {403}

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000, b"{}", b'{"steps": 1}'])
    def test_a_body_that_is_no_step_is_malformed(self, live: Live, body: bytes) -> None:
        assert live.ask("/steps", method="POST", body=body).status == 400

    def test_a_hostile_title_is_only_text_in_the_page(self, live: Live) -> None:
        page = live.ask("/").content.decode()
        assert page.count("<script") == 2
        assert "<img" not in page


def test_the_page_opens_without_what_takes_seconds_to_import(run: RunFolder) -> None:
    code = (
        "import sys; from pathlib import Path; import curation\n"
        "import curation.review.live.serve; from curation.review.live.session import Session\n"
        "run = curation.open_run(sys.argv[1]); session = Session(run._files, 'ana', port=1)\n"
        "session.opening(); session.photos.copy('00', 480)\n"
        "print([name for name in ('torch', 'fiftyone', 'sklearn', 'scipy', 'pymongo') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(run.folder)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"
