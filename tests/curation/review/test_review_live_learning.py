"""A live review that learns: the order that it shows is that of `learn` on the same journal, whatever becomes of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from curation.learning.background import learn_beside
from curation.learning.learn import Learned, learn
from curation.review.live.blind import Agreement, Blind, agreement
from curation.review.live.learner import EVERY, Learner
from curation.run.decisions import decide
from curation.run.folder import RunFolder
from curation.run.journal import UNDO, Decision
from curation.run.learned import learned_file, read_state, taught
from tests.support.live import Live

Open = Callable[..., Live]


@pytest.fixture
def open_live(run: RunFolder) -> Iterator[Open]:
    """Open live reviews of a copy of the demo's run, which end with the test."""
    opened: list[Live] = []

    def open_live(**more: Any) -> Live:
        opened.append(Live(run, learner=Learner(run), **more))
        return opened[-1]

    yield open_live
    for live in opened:
        live.session.close()


def until(condition: Callable[[], Any]) -> Any:
    """Wait for what another process does."""
    end = time.monotonic() + 600
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.1)
    return found


def learnt(live: Live, version: int = 1) -> Any:
    return until(lambda: (news := live.news())["learnt"] >= version and news)


def decide_on(live: Live, count: int) -> list[str]:
    """Decide on the first of the queue as the demo's truth is not: every third is kept."""
    left = [id for id in live.session.queue.order if live.session.followed.standing(id) is None][:count]
    for number, id in enumerate(left):
        label = live.session.queue.suggested(id)[0]
        given = live.session.queue.given(id)
        if number % 3 == 0 and given is not None:
            live.say(id, "keep")
        elif label is not None and label != given:
            live.say(id, "relabel", label=label)
        else:
            live.say(id, "delete")
    return left


def everything(run: RunFolder) -> Live:
    """Flag every listing with a label, so that there is enough to decide on."""
    issues = run.issues()
    run.write_table(run.issues_file, issues.assign(is_label_issue=issues["given_label"].notna()))
    return Live(run)


def afterwards(run: RunFolder, line: int | None = None) -> Learned:
    return learn(run, taught(run.judged_journal().decisions(line)))


def left_of(learned: Learned) -> list[str]:
    issues = learned.issues.sort_values("priority")
    flags = [name for name in issues if name.startswith("is_") and name.endswith("_issue") and "cleanlab" not in name]
    return list(issues.loc[issues[flags].fillna(False).any(axis=1), "id"])


def test_after_25_decisions_the_order_is_that_of_learning_afterwards(run: RunFolder, open_live: Open) -> None:
    everything(run)
    live = open_live()
    before = live.session.queue.order
    done = decide_on(live, EVERY)
    news = learnt(live)
    learned = afterwards(run)
    order = live.get("/order")
    ids = [live.session.queue.ids[place] for place in order["order"]]
    assert (ids[: len(done)], ids[len(done) :]) == (done, left_of(learned))
    assert ids[len(done) :] != [id for id in before if id not in done]
    expected = learned.expected(left_of(learned))
    assert news["expected"] == pytest.approx(
        {"left": expected.listings, "changes": expected.changes, "low": expected.low, "high": expected.high}
    )
    table = learned.issues.set_index("id")
    place = order["order"][len(done)]
    card = live.get("/cards", places=place)[str(place)]
    assert card["suggestedChance"] == pytest.approx(table.loc[card["id"], "suggested_confidence"], nan_ok=True)
    assert card["worth"] == round(table.loc[card["id"], "change_chance"], 4)
    # another window, another process and a restart have the same order
    again = open_live()
    assert again.session.queue.order == ids
    assert f"Learned from {EVERY} decisions" in again.news()["learning"]


def test_what_was_learned_is_said_without_a_number_that_the_next_decision_makes_wrong(
    run: RunFolder, open_live: Open
) -> None:
    everything(run)
    live = open_live()
    before = len(live.session.queue)
    decide_on(live, EVERY)
    words = learnt(live)["learning"]
    assert words.startswith(f"Learned from {EVERY} decisions: ")
    assert "left" not in words
    # the run and the App have as many as before
    assert words.endswith(f"; {len(live.session.queue)} listings are in the queue, {before} before.")


@pytest.mark.parametrize("part", ["first", "conflicts"])
def test_of_a_part_of_the_queue_nothing_is_said_of_the_whole_one(run: RunFolder, open_live: Open, part: str) -> None:
    everything(run)
    if part == "conflicts":
        one = run.issues()["id"].iloc[-1]
        decide(run, [one], "delete", reviewer="ana")
        decide(run, [one], "ambiguous", reviewer="ben")
    teach = Live(run)
    decide_on(teach, EVERY)
    learn_beside(run, run.judged_journal().last)
    words = open_live(**({"first": 5} if part == "first" else {"conflicts": True})).news()["learning"]
    assert words.startswith("Learned from ")
    assert words.endswith("changed.")


def test_what_is_decided_looks_as_it_did_and_can_be_undone(run: RunFolder, open_live: Open) -> None:
    everything(run)
    live = open_live()
    place = int(live.session.queue.places[0])
    before = live.get("/cards", places=place)[str(place)]
    done = decide_on(live, EVERY)
    learnt(live)
    after = live.get("/cards", places=place)[str(place)]
    assert {**after, "learnt": 0, "likeGiven": [], "likeSuggested": []} == {
        **before, "learnt": 0, "likeGiven": [], "likeSuggested": []
    }  # fmt: skip
    live.say([], UNDO)
    assert live.session.followed.standing(done[-1]) is None
    assert done[-1] in live.session.queue.order


def test_the_journal_names_the_suggestion_that_was_shown(run: RunFolder, open_live: Open) -> None:
    live = open_live()
    id = live.session.queue.order[0]
    other = next(name for name in run.classes if name not in (live.session.queue.suggested(id)[0],))
    live.say(id, "keep", shown=[other, None])
    live.say(id, "keep")
    said = [decision.suggested_label for decision in run.decisions()[0]]
    assert said == [other, live.session.queue.suggested(id)[0]]
    assert "no such class to suggest" in live.say(id, "keep", shown=["no class", None])["refused"]


def test_a_learner_that_is_killed_is_told_of_and_the_review_goes_on(run: RunFolder) -> None:
    everything(run)
    started: list[subprocess.Popen[bytes]] = []

    def start(line: int) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]))
        return started[-1]

    live = Live(run, learner=Learner(run, start))
    order = list(live.session.queue.order)
    decide_on(live, EVERY)
    (process,) = until(lambda: live.news() and started)
    os.kill(process.pid, signal.SIGKILL)
    words = until(lambda: live.news()["learning"])
    assert words == (
        "The order stays as it is: learning from the decisions failed (killed by signal 9). l tries again."
    )
    decide_on(live, EVERY)
    assert (live.session.queue.order, len(started), live.news()["learning"]) == (order, 1, words)
    asked = [live.ask("/learn", method="POST", body={}).json["learning"] for _ in range(2)]
    assert asked == ["Learning from the decisions …", "Learning from the decisions is under way already …"]
    assert len(started) == 2
    live.session.close()
    assert started[1].poll() is not None


def test_what_was_learned_of_another_journal_is_ignored(run: RunFolder, open_live: Open) -> None:
    decide(run, run.issues().sort_values("priority")["id"].head(3).tolist(), "delete", reviewer="ana")
    state = learn_beside(run, 3)
    assert read_state(run) == state
    assert open_live().session.news("", 0)["learning"].startswith("Learned from 3 decisions")
    run.journal.unlink()
    assert open_live().session.news("", 0)["learning"] == ""


@pytest.mark.parametrize("damage", ["learned.parquet", "learned.json", "issues"])
def test_a_damaged_file_is_ignored(run: RunFolder, open_live: Open, damage: str) -> None:
    decide(run, run.issues()["id"].head(3).tolist(), "delete", reviewer="ana")
    learn_beside(run, 3)
    if damage == "issues":
        everything(run)
    else:
        (run.folder / damage).write_bytes(b"damaged")
    assert read_state(run) is None
    assert open_live().session.news("", 0)["learning"] == ""


def test_a_run_that_cannot_be_learned_from_says_so_in_one_line(run: RunFolder) -> None:
    (run.folder / "listings.parquet").write_bytes(b"damaged")
    command = [sys.executable, "-m", "curation.learning", str(run.folder), "0"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3])
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "listings.parquet" in ended.stderr
    assert not learned_file(run).exists()


def test_the_server_does_without_torch(run: RunFolder) -> None:
    code = "import sys, curation.review.live.serve; print('torch' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "False\n"


def doubted(live: Live) -> list[str]:
    """Return the listings of the queue whose label should be another one."""
    queue = live.session.queue
    return [id for id in queue.order if queue.given(id) and queue.suggested(id)[0] not in (None, queue.given(id))]


class TestBlind:
    def test_a_name_in_another_case_is_the_same_reviewer(self, run: RunFolder) -> None:
        first, second = (Live(run, name, blind=1).session._blind.periods for name in ("Ana", "ana "))
        assert first == second

    def test_what_was_hidden_is_kept_of_two_who_start_at_once(self, run: RunFolder) -> None:
        names = [f"reviewer {number}" for number in range(12)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda name: Blind(run, 0.5, name, "2026-01-01T00:00:00.000000+00:00"), names))
        assert set(json.loads((run.folder / "blind.json").read_text())) == set(names)

    def test_a_blind_listing_is_shown_without_suggestion_until_it_is_decided(self, run: RunFolder) -> None:
        live = Live(run, blind=1)
        place, id = int(live.session.queue.places[0]), live.session.queue.order[0]
        label = live.session.queue.suggested(id)[0]
        opening = live.session.opening()
        assert all(card["blind"] and card["suggested"] is None for card in opening["cards"].values())
        assert set(opening["piece"]["kinds"]) == {0}
        assert set(opening["piece"]["worth"]) == {None}
        row, card = (live.get(path, places=place)[str(place)] for path in ("/rows", "/cards"))
        assert row["suggested"] is card["suggested"] is card["suggestedChance"] is card["givenChance"] is None
        assert (card["reasons"], card["issues"], card["likely"]) == ([], [], [])
        live.say(id, "delete")
        assert live.get("/cards", places=place)[str(place)]["suggested"] == label
        assert live.run.decisions()[0][0].suggested_label == label

    def test_the_share_is_the_same_listings_in_each_process(self, run: RunFolder) -> None:
        ids = [f"L{number}" for number in range(10_000)]
        one, two = (Live(run, blind=0.1).session._blind for _ in range(2))
        hidden = [id for id in ids if one.hides(id)]
        assert hidden == [id for id in ids if two.hides(id)]
        assert 850 < len(hidden) < 1150

    def test_agreement_is_told_with_and_without_the_suggestion(self) -> None:
        assert str(Agreement(0, 0, 0, 0)) == ""
        assert str(Agreement(120, 101, 0, 0)) == "with suggestion 84 % of 120 agree"
        few, many = Agreement(120, 101, 7, 5), Agreement(120, 101, 14, 10)
        assert (str(few), few.difference) == ("with suggestion 84 % of 120 agree, without 71 % of 7", None)
        assert str(many).startswith(
            "with suggestion 84 % of 120 agree, without 71 % of 14; difference +13 points, 95 %"
        )
        assert many.difference is not None
        change, low, high = many.difference
        assert low < 0 < change < high

    def test_only_labels_for_which_another_was_suggested_count(self, run: RunFolder) -> None:
        live = Live(run, blind=0.5)
        label, other = run.classes[:2]
        said = [("keep", None), ("relabel", label), ("relabel", other), ("delete", None), ("ambiguous", None)]
        ids = live.session.queue.order[:1] * len(said)
        time = datetime.now(UTC).isoformat(timespec="microseconds")
        made = [
            Decision(id, what, to, "ana", time, "page", suggested_label=label)
            for id, (what, to) in zip(ids, said, strict=True)
        ]
        counts = agreement([(each, other) for each in made], live.session._blind)
        side = live.session._blind.hides(ids[0])
        assert counts == Agreement(*((0, 0, 3, 1) if side else (3, 1, 0, 0)))
        assert agreement([(each, label) for each in made], live.session._blind) == Agreement(0, 0, 0, 0)

    def test_only_the_first_word_counts_which_was_said_before_the_suggestion_was_ever_shown(
        self, run: RunFolder
    ) -> None:
        live, ben = Live(run, blind=1), Live(run, "ben", blind=1)
        first, second, third = doubted(live)[:3]
        label = live.session.queue.suggested(first)[0]
        live.say(first, "keep")
        # the suggestion is in sight now
        live.say([], "undo")
        live.say(first, "relabel", label=label)
        ben.say(first, "note", note="why?")
        ben.say(first, "relabel", label=label, saw={first: ben.session.followed.mark(first)})
        ben.say(second, "note", note="hm")
        ben.say(third, "keep")
        assert live.news()["agreement"] == "without 0 % of 1 agree"
        assert ben.news()["agreement"] == "without 0 % of 1 agree"

    def test_what_was_shown_in_between_is_blind_no_more(self, run: RunFolder) -> None:
        first, second, third = doubted(Live(run, blind=1))[:3]
        between = Live(run)
        between.get("/cards", places=between.session.queue.place[first])
        between.get("/rows", places=between.session.queue.place[second])
        again = Live(run, blind=1)
        for id in (first, second, third):
            again.say(id, "keep")
        assert again.news()["agreement"] == "without 0 % of 1 agree"

    def test_a_review_that_hides_nothing_keeps_no_list_of_what_it_showed(self, run: RunFolder) -> None:
        live = Live(run)
        live.session.opening()
        assert not list(run.folder.glob("blind*"))

    def test_a_review_without_it_in_between_loses_no_blind_decision(self, run: RunFolder) -> None:
        for blind in (1, 0, 1):
            live = Live(run, blind=blind)
            live.say(next(id for id in doubted(live) if live.session.followed.standing(id) is None), "keep")
        assert live.news()["agreement"] == "without 0 % of 2 agree"

    def test_decisions_before_are_not_counted_as_blind(self, run: RunFolder) -> None:
        live = Live(run)
        id = next(id for id in live.session.queue.order if live.session.queue.suggested(id)[0] is not None)
        label = live.session.queue.suggested(id)[0]
        live.say(id, "relabel", label=label)
        assert Live(run, blind=1).news()["agreement"] == ""
