"""Grids and filters of the live page in a real browser, in front of a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curation.run.decisions import decide
from curation.run.folder import RunFolder
from tests.support.grids import learn_otherwise, make_run
from tests.support.live_page import Live
from tests.support.review_server import Server, start, stop


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path)


@pytest.fixture
def server(run: RunFolder, tmp_path: Path) -> Iterator[Server]:
    server = start(run, tmp_path / "log", "--page", reviewer="ana")
    yield server
    stop(server)


@pytest.fixture
def live(context: Any, server: Server) -> Live:
    return Live(context, server)


def tiles(live: Live, number: int, title: str = "") -> None:
    """Wait for a grid of so many tiles."""
    live.tab.wait_for_function(
        "([number, title]) => document.querySelectorAll('.pick').length === number"
        " && document.querySelector('#grid-title').textContent.includes(title)",
        arg=[number, title],
    )


def open_grids(live: Live) -> None:
    live.press("g")
    tiles(live, 24, "desk → chair")


def holding(run: RunFolder) -> dict[str, tuple[str, str | None]]:
    return {id: (each.action, each.new_label) for id, each in run.holding_decisions().decisions.items()}


def test_one_key_decides_a_grid_but_for_the_tiles_that_are_left_out(live: Live, run: RunFolder) -> None:
    open_grids(live)
    live.wait("grid-words", "24 of 24 are decided together · 40 of this kind are left · about 22 need a change")
    # what a number on a tile says is in sight, and what is left out counts no more
    live.wait("grid-words", "%: suggestion right")
    live.press("Space ArrowRight ArrowDown Space")
    live.wait("grid-words", "22 of 24 are decided together · 40 of this kind are left · about 20 need a change")
    live.press("a")
    live.wait("message", "22 listings relabelled as chair. 2 listings left out for later.")
    live.wait("counts", "22 of 59 decided · 22 relabelled")
    assert set(holding(run).values()) == {("relabel", "chair")}
    assert "a00" not in holding(run)
    assert len({line.time for line in run.decisions()[0]}) == 1
    tiles(live, 16, "desk → chair")


def test_what_somebody_else_has_decided_in_a_grid_is_named_beside_what_is_left_out(live: Live, run: RunFolder) -> None:
    open_grids(live)
    shown = live.tab.evaluate("() => grids.here.tiles.map(({ id }) => id)")
    decide(run, shown[3:5], "keep", reviewer="ben")
    live.wait("grid-words", "22 of 24")
    live.press("Space a")
    live.wait(
        "message",
        "21 listings relabelled as chair. 2 listings of this grid were decided before, and stay so. "
        "1 listing left out for later.",
    )


def test_without_any_grid_the_page_says_why(live: Live) -> None:
    live.tab.fill("#search", "z")
    live.tab.locator("#card").focus()
    live.press("g")
    live.wait("grid-title", "No grids")
    live.wait("grid-words", "A grid takes 6 listings or more that are left")
    buttons = live.tab.locator("#actions [data-do=relabel], #actions [data-do=several], #actions [data-do=delete]")
    assert [button.is_disabled() for button in buttons.all()] == [True] * 3
    live.press("g")
    assert [button.is_disabled() for button in buttons.all()] == [False] * 3


def test_undo_takes_a_grid_back_as_one_step_and_shows_it_again(live: Live, run: RunFolder) -> None:
    open_grids(live)
    live.press("Space a")
    tiles(live, 16)
    live.press("d u")
    live.wait("message", "Undone: 16 decisions.")
    tiles(live, 16)
    live.press("u")
    live.wait("message", "Undone: 23 decisions.")
    tiles(live, 24)
    live.wait("grid-words", "23 of 24")
    live.saved()
    assert holding(run) == {}
    assert live.text("counts").startswith("0 of 59 decided")


def test_all_is_done_with_keys_alone_and_what_was_left_out_comes_again(live: Live, run: RunFolder) -> None:
    # what is left of two pairs is too little for a grid of each
    decide(run, ["b0", "b1", "b2", "c0"], "keep", reviewer="ben")
    live.wait("counts", "4 of 59 decided")
    open_grids(live)
    live.press("Space a")
    tiles(live, 16)
    live.press("k")
    tiles(live, 10, "several labels → NA")
    live.press("e")
    live.tab.keyboard.type("desk")
    live.press("Enter")
    live.wait("grid-title", "No more grids")
    live.wait("grid-words", "1 listing left out")
    live.saved()
    said = holding(run)
    # who has the label already keeps it
    assert (said["b3"], said["c1"]) == (("relabel", "desk"), ("keep", None))
    assert len(said) == 53
    live.press("g k g")
    live.wait("grid-title", "No grids")
    live.saved()
    assert holding(run)["a00"] == ("keep", None)


def test_all_is_done_with_the_mouse_alone(live: Live, run: RunFolder) -> None:
    live.tab.click("#mode")
    tiles(live, 24)
    live.tab.click(".pick >> nth=3")
    live.tab.click(".pick >> nth=5")
    live.tab.click(".pick >> nth=5")
    live.wait("grid-words", "23 of 24")
    live.tab.click("#actions [data-do=delete]")
    live.wait("counts", "23 deleted")
    live.tab.click("#actions [data-do=undo]")
    live.wait("counts", "0 of 59 decided")
    live.tab.click("#mode")
    assert live.tab.locator("#card").is_visible()
    assert not live.tab.locator("#grid").is_visible()


def test_what_others_decide_meanwhile_is_left_out_and_said(live: Live, run: RunFolder) -> None:
    open_grids(live)
    decide(run, ["a02"], "delete", reviewer="ben")
    live.tab.locator(".pick", has_text="deleted by ben").wait_for()
    live.wait("grid-words", "23 of 24")
    # the page does not know of this one yet when its key is pressed
    live.tab.evaluate("() => { news.take = () => {} }")
    decide(run, ["a04"], "keep", reviewer="ben")
    live.press("a")
    live.wait(
        "message", "22 listings relabelled as chair. 1 listing was decided meanwhile by somebody else, and left out."
    )
    assert [holding(run)[id][0] for id in ("a00", "a02", "a04")] == ["relabel", "delete", "keep"]


def test_a_grid_stays_as_it_is_while_others_decide(live: Live, run: RunFolder) -> None:
    open_grids(live)
    order = "() => [...document.querySelectorAll('.pick')].map(tile => tile.dataset.place)"
    before = live.tab.evaluate(order)
    decide(run, ["a06", "a08"], "keep", reviewer="ben")
    live.wait("grid-words", "22 of 24")
    assert live.tab.evaluate(order) == before


def test_all_of_a_filter_are_decided_after_one_question_that_names_number_and_decision(
    live: Live, run: RunFolder
) -> None:
    live.tab.click("#further summary")
    live.tab.locator("#pair option", has_text="desk → chair (40)").wait_for(state="attached")
    assert live.tab.locator("#given").inner_text().split("\n") == [
        *("all classes", "(no label) (3)", "chair (10)", "desk (46)")
    ]
    live.tab.select_option("#pair", label="desk → chair (40)")
    live.wait("matches", "40 of 59 listings")
    live.tab.locator("#card").focus()
    live.press("Shift+A")
    live.wait("all-title", "Decide all of these 40?")
    live.wait("all-filters", "desk → chair (40)")
    live.wait("decide-all", "Relabel 40 listings")
    assert holding(run) == {}
    live.press("Enter")
    live.wait("message", "40 listings relabelled as chair.")
    assert len(holding(run)) == 40
    live.press("u")
    live.wait("message", "Undone: 40 decisions.")
    live.saved()
    assert holding(run) == {}


def test_the_question_says_what_stays_undecided(live: Live, run: RunFolder) -> None:
    live.tab.fill("#search", "number z")
    live.wait("matches", "5 of 59 listings")
    live.tab.click("#open-all")
    live.wait("decide-all", "Relabel 4 listings")
    live.wait("all-what", "As desk (2), chair (2). 1 listing with no suggestion that is likelier than the label: left")
    live.tab.select_option("#all-decision", "keep")
    live.wait("decide-all", "Keep 2 listings")
    live.tab.select_option("#all-decision", "delete")
    live.tab.click("#decide-all")
    live.wait("counts", "5 of 59 decided · 5 deleted")


def test_filters_hold_for_cards_and_for_grids(live: Live) -> None:
    live.tab.click("#further summary")
    live.tab.select_option("#seller", "eve")
    live.wait("matches", "2 of 59 listings")
    live.wait("where", "z0")
    live.tab.click("#unfilter")
    live.wait("matches", "59 listings")
    live.tab.fill("#low", "12")
    live.tab.fill("#high", "20")
    live.press("Tab")
    live.wait("matches", "9 of 59 listings")
    live.tab.click("#unfilter")
    live.tab.select_option("#sort", "dear")
    live.wait("where", "z3")
    live.tab.locator("#card").focus()
    live.press("ArrowRight")
    live.wait("where", "z2")
    live.tab.fill("#search", "number a00")
    live.press("Enter g")
    live.wait("grid-title", "No grids")
    live.tab.fill("#search", "number a")
    tiles(live, 24, "desk → chair")
    assert [error for error in live.errors if "404" not in error] == []


def test_on_a_phone_three_tiles_stand_in_a_row_and_nothing_is_wider_than_the_screen(
    browser: Any, server: Server
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    live = Live(context, server)
    live.tab.click("#mode")
    tiles(live, 24)
    tops = live.tab.evaluate("() => [...document.querySelectorAll('.pick')].map(tile => tile.offsetTop)")
    assert tops.count(tops[0]) == 3
    widths = "[document.documentElement, ...document.querySelectorAll('header, #grid, footer')].map(e => e.scrollWidth)"
    assert max(live.tab.evaluate(widths)) <= 390
    context.close()


def test_on_a_phone_messages_name_buttons_and_delete_stands_in_the_row_of_undo(browser: Any, server: Server) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    live = Live(context, server)
    for mode in ("card", "grids"):
        if mode == "grids":
            live.tab.click("#mode")
            tiles(live, 24)
        top = "e => e.offsetTop"
        rows = [live.tab.locator(f"#actions [data-do={name}]").evaluate(top) for name in ("delete", "undo", "next")]
        assert len(set(rows)) == 1
    live.tab.evaluate("act('note')")
    live.wait("message", "This is for a single listing: Grids leaves the grids.")
    live.tab.evaluate("say(noLabel())")
    live.wait("message", "This listing has no label to keep: Relabel, Several fit or Delete.")
    context.close()


def test_each_tile_has_a_name_and_a_state_for_who_does_not_see_it(live: Live) -> None:
    open_grids(live)
    tile = live.tab.get_by_role("button", name="thing number a00, 10, suggestion right: 90 %")
    assert tile.get_attribute("aria-pressed") == "true"
    tile.click()
    out = live.tab.get_by_role("button", name="thing number a00, 10, suggestion right: 90 %, left out")
    assert out.get_attribute("aria-pressed") == "false"


def learned(live: Live) -> None:
    live.tab.wait_for_function("() => news.learnt === 1 && isLoaded()")


def test_a_grid_stays_when_the_page_has_learned_and_the_next_one_is_of_todays_suggestions(
    live: Live, run: RunFolder
) -> None:
    open_grids(live)
    before = live.tab.evaluate("() => grids.here.tiles.map(({ id }) => id)")
    live.press("Space")
    learn_otherwise(run)
    learned(live)
    assert (
        live.tab.evaluate("() => [...document.querySelectorAll('.pick')].map(tile => index.ids[tile.dataset.place])")
        == before
    )
    live.wait("grid-title", "desk → chair")
    live.wait("grid-words", "23 of 24")
    live.press("a")
    tiles(live, 22, "desk → NA")
    live.press("a")
    live.wait("message", "22 listings relabelled as NA.")
    live.saved()
    said = run.decisions()[0]
    assert {(each.new_label, each.suggested_label) for each in said} == {("chair", "chair"), ("NA", "NA")}
    assert {each.id for each in said if each.new_label == "chair"} == set(before[1:])
    assert len({each.time for each in said}) == 2
    live.press("u")
    live.wait("message", "Undone: 22 decisions.")
    tiles(live, 22, "desk → NA")
    live.press("u")
    live.wait("message", "Undone: 23 decisions.")
    tiles(live, 24, "desk → chair")
    assert [error for error in live.errors if "404" not in error] == []


@pytest.mark.parametrize("sort", ["priority", "cheap"])
def test_filters_stay_when_the_page_has_learned_and_so_does_the_card(live: Live, run: RunFolder, sort: str) -> None:
    live.tab.click("#further summary")
    live.tab.locator("#pair option", has_text="desk → chair (40)").wait_for(state="attached")
    live.tab.select_option("#sort", sort)
    live.tab.select_option("#pair", label="desk → chair (40)")
    live.wait("matches", "40 of 59 listings")
    live.tab.locator("#card").focus()
    live.press("j j j")
    live.wait("where", "a03")
    learn_otherwise(run)
    learned(live)
    live.tab.locator("#pair option", has_text="desk → NA (26)").wait_for(state="attached")
    # a03 is no chair any more, but stays until one leaves it
    live.wait("matches", "21 of 52 listings")
    assert live.id == "a03"
    live.press("j")
    # what comes after it is in today's order, from the last to the first
    live.wait("where", "a38" if sort == "priority" else "a04")
    live.press("ArrowLeft ArrowLeft")
    live.wait("where", "a02")
    assert [error for error in live.errors if "404" not in error] == []


def test_all_of_a_filter_are_decided_with_what_was_suggested_of_each(live: Live, run: RunFolder) -> None:
    live.tab.fill("#search", "number z")
    live.wait("matches", "5 of 59 listings")
    live.tab.click("#open-all")
    live.tab.select_option("#all-decision", "delete")
    live.tab.click("#decide-all")
    live.wait("message", "5 listings deleted.")
    live.saved()
    said = {each.id: each.suggested_label for each in run.decisions()[0]}
    assert said == {"z0": "desk", "z1": "desk", "z2": "chair", "z3": "chair", "z4": None}
    live.press("u")
    live.wait("message", "Undone: z0")
    live.saved()
    assert holding(run) == {}
