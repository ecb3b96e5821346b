"""The live page in a real browser, in front of a real server, which is also killed."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from curation.run.decisions import decide
from curation.run.folder import RunFolder
from tests.curation.review.test_review_page import HOSTILE, QUEUE, make_run
from tests.support.chromium import patient
from tests.support.live_page import Live
from tests.support.ports import own_port
from tests.support.review_server import Server, start, stop
from tests.support.waiting import PATIENCE


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path)


Serve = Callable[..., Server]


@pytest.fixture
def serve(run: RunFolder, tmp_path: Path) -> Iterator[Serve]:
    """Start `curate review --page`, as often as a test wants to."""
    started: list[Server] = []

    def serve(*options: str, reviewer: str = "ana") -> Server:
        started.append(start(run, tmp_path / f"log-{len(started)}", "--page", *options, reviewer=reviewer))
        return started[-1]

    yield serve
    for server in started:
        if server.process.poll() is None:
            stop(server)


@pytest.fixture
def live(context: Any, serve: Serve) -> Live:
    return Live(context, serve())


def kill(server: Server) -> None:
    server.process.kill()
    server.process.wait(PATIENCE)


def said(run: RunFolder) -> list[tuple[str, str, str | None]]:
    return [(each.id, each.action, each.new_label) for each in run.decisions()[0]]


def test_keys_decide_and_each_decision_is_in_the_journal_when_the_page_says_so(live: Live, run: RunFolder) -> None:
    assert (live.id, live.text("title")) == ("00", HOSTILE)
    live.press("k")
    live.wait("message", "00: kept.")
    assert said(run) == [("00", "keep", None)]
    live.press("a")
    live.wait("message", "01: relabelled as NA.")
    live.press("e 2")
    live.press("d s o")
    live.saved()
    assert said(run)[1:] == [
        ("01", "relabel", "NA"),
        ("02", "relabel", "NA"),
        ("06", "delete", None),
        ("10", "ambiguous", None),
        ("11", "keep", None),
        ("10", "delete", None),
    ]
    live.wait("counts", "6 of 6 decided")
    live.wait("hint", "Everything is decided. Stop the review with Ctrl-C")
    assert {each.source for each in run.decisions()[0]} == {"page"}


def test_a_key_too_many_after_the_last_decision_changes_nothing_until_one_goes_back(live: Live, run: RunFolder) -> None:
    live.press("d d d d d d")
    live.wait("message", "Nothing is left to decide in this list.")
    last = live.id
    live.press("k s")
    live.wait("message", f"{last} is decided, and nothing is left here")
    live.saved()
    assert [action for _, action, _ in said(run)] == ["delete"] * 6
    live.press("ArrowLeft")
    assert live.id != last
    live.press("ArrowRight s")
    live.saved()
    assert said(run)[6:] == [(last, "ambiguous", None)]


def test_nothing_is_asked_of_others_and_a_hostile_title_is_only_words(live: Live) -> None:
    live.press("j ArrowLeft ? Escape e Escape u")
    live.wait("message", "You have decided nothing in this run that could be undone.")
    assert live.tab.title() == "Review of shop/1"
    assert {url.split("/")[2].split(":")[0] for url in live.requests if not url.startswith("data:")} == {"127.0.0.1"}
    assert [error for error in live.errors if "404" not in error] == []


def test_undo_takes_one_click_back(live: Live, run: RunFolder) -> None:
    live.press("k d u")
    live.wait("message", "Undone: 01.")
    live.press("k u")
    live.wait("message", "Undone: 01.")
    live.press("u")
    live.wait("message", "Undone: 00.")
    live.saved()
    live.wait("counts", "0 of 6 decided")
    assert [action for _, action, _ in said(run)] == ["keep", "delete", "undo", "keep", "undo", "undo"]
    assert live.id == "00"


@pytest.mark.parametrize("mode", ["", "g", "m"], ids=["card", "grid", "map"])
def test_no_key_counts_while_an_undo_is_on_its_way(context: Any, serve: Serve, run: RunFolder, mode: str) -> None:
    server = serve()
    live = Live(context, server)
    live.press("k")
    live.saved()
    live.press(mode)
    live.ready()
    server.process.send_signal(signal.SIGSTOP)
    live.press_at_once("u d d")
    live.wait("message", "Waiting for the undo")
    server.process.send_signal(signal.SIGCONT)
    live.wait("message", "Undone: ")
    live.saved()
    assert [(id, action) for id, action, _ in said(run)] == [("00", "keep"), ("00", "undo")]


def test_what_was_kept_by_the_browser_leaves_later_decisions_as_they_are(
    context: Any, serve: Serve, run: RunFolder
) -> None:
    first = serve()
    live = Live(context, first)
    live.press("k")
    live.saved()
    kill(first)
    live.press("d d u")
    live.tab.wait_for_function("() => outbox.steps.length === 3")
    live.tab.close()
    decide(run, ["01"], "ambiguous", reviewer="ben")
    again = Live(context, serve("--port", str(first.port), reviewer="login"))
    again.wait("warning", "1 decision from before was not recorded, because later ones stand: 01.")
    again.saved()
    assert [(id, action) for id, action, _ in said(run)] == [
        *[("00", "keep"), ("01", "ambiguous"), ("02", "delete"), ("02", "undo")]
    ]
    assert [each.reviewer for each in run.decisions()[0]] == ["ana", "ben", "ana", "ana"]
    again.press("k")
    again.tab.locator("#warning").wait_for(state="hidden")


def test_the_command_to_go_on_is_the_one_that_was_typed(context: Any, serve: Serve) -> None:
    server = serve("--blind", "0.3", "--no-learn")
    live = Live(context, server)
    kill(server)
    live.press("k")
    live.wait("warning", f" --port {server.port} --reviewer ana --no-learn --blind 0.3")


def test_why_a_server_records_nothing_is_on_the_page(live: Live, run: RunFolder) -> None:
    run.write_table(run.issues_file, run.issues().assign(price=1.0))
    live.wait("warning", "have changed")


def test_where_nothing_is_flagged_the_page_says_so(context: Any, serve: Serve, run: RunFolder) -> None:
    run.write_table(run.issues_file, run.issues().assign(is_label_issue=False, is_near_duplicate_issue=False))
    page = patient(context).new_page()
    page.goto(serve().url)
    page.locator("#hint", has_text="Nothing is flagged in this run: there is nothing to decide.").wait_for()
    assert page.locator("#counts").inner_text() == ""


def test_of_reposts_one_stays_and_one_undo_takes_that_back(live: Live, run: RunFolder) -> None:
    live.tab.select_option("#kind", "near_duplicate")
    live.tab.locator("#card").focus()
    live.wait("title", "thing 10")
    live.press("o")
    live.wait("message", "10 stays, 11 deleted.")
    live.wait("counts", "2 of 6 decided · 1 kept · 1 deleted")
    live.press("u")
    live.wait("counts", "0 of 6 decided")


def test_a_new_class_and_a_price_and_a_note_arrive(live: Live, run: RunFolder) -> None:
    live.press("e")
    live.tab.keyboard.type("sofa bed")
    live.press("Enter Enter")
    live.wait("message", "00: relabelled as sofa bed (a new class).")
    live.press("e")
    live.tab.keyboard.type("sofa")
    live.press("Enter")
    live.wait("where", "02")
    live.press("p")
    live.tab.keyboard.type("12,50")
    live.press("Enter")
    live.wait("where", "06")
    live.press("n")
    live.tab.keyboard.type("a leg is broken")
    live.press("Enter")
    live.wait("message", "06: note saved.")
    live.saved()
    decisions = run.decisions()[0]
    assert [(each.id, *each.meaning, each.new_class) for each in decisions[:3]] == [
        ("00", "relabel", "sofa bed", None, True),
        ("01", "relabel", "sofa bed", None, True),
        ("02", "reprice", None, 12.5, False),
    ]
    assert (decisions[3].id, decisions[3].action, decisions[3].note) == ("06", "note", "a leg is broken")


def test_two_windows_two_reviewers_and_python_see_each_other(
    live: Live, context: Any, browser: Any, serve: Serve, run: RunFolder
) -> None:
    elsewhere = browser.new_context()
    ben = Live(elsewhere, serve(reviewer="ben"))
    # who is new changes what comes next
    for one, other in ((live, ben), (ben, live)):
        one.hear_of(other)
    live.press("k")
    ben.wait("counts", "1 of 6 decided · 1 kept")
    ben.tab.fill("#search", "00")
    ben.wait("where", "00")
    ben.tab.locator("#card").focus()
    ben.press("d")
    live.wait("counts", "1 of 6 decided · 1 deleted")
    live.press("ArrowLeft")
    live.wait("decided", "✕ deleted by ben")
    decide(run, ["06"], "ambiguous", reviewer="cleo")
    for window in (live, ben):
        window.wait("counts", "2 of 6 decided · 1 deleted · 1 ambiguous")
    elsewhere.close()


def test_the_list_is_searched_by_the_server_and_filtered_by_kind_and_state(live: Live) -> None:
    live.tab.fill("#search", "THING 1")
    live.wait("matches", "2 of 6 listings")
    live.wait("where", "10")
    live.tab.fill("#search", "")
    live.tab.select_option("#state", "left")
    live.tab.locator("#card").focus()
    live.press("k")
    live.wait("matches", "5 of 6 listings")


def test_a_row_that_is_loaded_later_stands_where_it_stands_on_the_screen(live: Live) -> None:
    items = "() => [...document.querySelectorAll('.item')].map(item => item.title.split('\\n')[0])"
    live.tab.wait_for_function("() => rowsOf.kept.size === 6")
    live.tab.evaluate("redrawRows([1, 3])")
    assert live.tab.evaluate(items) == QUEUE


def test_a_damaged_photo_says_why(live: Live) -> None:
    live.press("j j j")
    live.tab.get_by_text("No photo: 06.png can't be read: not an image").wait_for()
    assert live.tab.locator("#photo svg").is_visible()


def test_after_a_kill_the_page_says_so_and_sends_what_is_left_once(context: Any, serve: Serve, run: RunFolder) -> None:
    port = str(own_port())
    server = serve("--port", port)
    live = Live(context, server)
    live.press("k d")
    live.saved()
    kill(server)
    live.press("s k")
    live.wait("warning", "The server of this review does not answer.")
    live.wait("warning", "2 steps of yours are not saved yet")
    live.wait("warning", f"curate review --page --run {run.folder} --port {port}")
    assert len(said(run)) == 2
    again = serve("--port", port)
    # without a cookie of the new one
    live.wait("warning", "This review has ended. Open the link that the new one printed")
    other = Live(context, again)
    other.saved()
    live.saved()
    assert said(run) == [("00", "keep", None), ("01", "delete", None), ("02", "ambiguous", None), ("06", "keep", None)]
    for window in (live, other):
        window.wait("counts", "4 of 6 decided · 2 kept · 1 deleted · 1 ambiguous")
        window.tab.locator("#warning").wait_for(state="hidden")


def test_a_kill_in_the_middle_loses_nothing_that_was_acknowledged_and_doubles_nothing(
    context: Any, serve: Serve, run: RunFolder
) -> None:
    port = str(own_port())
    server = serve("--port", port)
    live = Live(context, server)
    # what the page was told is saved
    live.tab.evaluate(
        "() => { window.told = []; const delivered = outbox.delivered.bind(outbox);"
        " outbox.delivered = (results) => { told.push(...results.map(({ key }) => key)); delivered(results); } }"
    )
    for number in range(30):
        live.press("k ArrowLeft" if number % 2 else "d ArrowLeft")
        if number == 20:
            server.process.send_signal(signal.SIGKILL)
    server.process.wait(PATIENCE)
    told = set(live.tab.evaluate("() => told"))
    lines = [json.loads(line) for line in run.journal.read_bytes().splitlines()]
    assert told <= {line["time"] for line in lines}
    live.open(serve("--port", port))
    live.saved()
    times = Counter(each.time for each in run.decisions()[0])
    assert (len(times), set(times.values())) == (30, {1})
    assert sorted(times) == list(times)


def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Any, serve: Serve) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    live = Live(context, serve())
    widths = "[document.documentElement, ...document.querySelectorAll('header, main, footer')].map(e => e.scrollWidth)"
    assert max(live.tab.evaluate(widths)) <= 390
    live.tab.click("[data-do=keep]")
    live.wait("counts", "1 of 6 decided")
    live.tab.click("#open-queue")
    live.tab.locator(".item").nth(3).click()
    live.wait("where", QUEUE[3])
    assert live.id == QUEUE[3]
    context.close()


def test_a_clock_that_is_set_back_while_the_page_is_open_holds_up_no_decision(live: Live, run: RunFolder) -> None:
    # the page goes by a server's clock that was an hour ahead
    live.tab.evaluate("() => { stamp.ahead += 3600000; stamp.last = (Date.now() + stamp.ahead) * 1000; }")
    live.tab.wait_for_function("() => stamp.ahead < 60000")
    live.press("k")
    live.saved()
    assert list(run.holding_decisions().decisions) == [QUEUE[0]]
