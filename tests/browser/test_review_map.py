"""The map of the live page in a real browser, in front of a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.run.decisions import decide
from curation.run.folder import RunFolder
from tests.browser.test_review_grids import holding, tiles
from tests.support.grids import GROUPS, SOUND, learn_otherwise, make_run
from tests.support.live_page import Live
from tests.support.review_server import Server, start, stop

IDS = [id for names, *_ in GROUPS for id in names] + [id for id, _ in SOUND]


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run whose photos stand on an arc, in the order of the queue, so that each has a point of its own."""
    run = make_run(tmp_path)
    turn = np.linspace(0, 3, len(IDS))
    np.save(run.training_folder / "features-0.npy", np.stack([np.cos(turn), np.sin(turn)], axis=1).astype("f4"))
    return run


@pytest.fixture
def server(run: RunFolder, tmp_path: Path) -> Iterator[Server]:
    server = start(run, tmp_path / "log", "--page", reviewer="ana")
    yield server
    stop(server)


@pytest.fixture
def live(context: Any, server: Server) -> Live:
    return Live(context, server)


def open_map(live: Live, size: int = 59) -> None:
    live.press("m")
    live.tab.wait_for_function("size => drawing.painted === size", arg=size)


def where(live: Live) -> dict[str, tuple[float, float]]:
    """Return where each point is, in pixels of the window."""
    points = live.tab.evaluate(
        "() => { const { left, top } = $('canvas').getBoundingClientRect();"
        " return [...map.shown].map(point =>"
        " [index.ids[map.places[point]], left + across(map.x[point]), top + down(map.y[point])]) }"
    )
    return {id: (x, y) for id, x, y in points}


def drag(live: Live, corners: list[tuple[float, float]]) -> None:
    live.tab.mouse.move(*corners[0])
    live.tab.mouse.down()
    for corner in corners[1:]:
        live.tab.mouse.move(*corner, steps=4)
    live.tab.mouse.up()


def box(points: list[tuple[float, float]], by: float = 5) -> list[tuple[float, float]]:
    """Return the corners of a rectangle around points."""
    xs, ys = zip(*points, strict=True)
    left, right, top, bottom = min(xs) - by, max(xs) + by, min(ys) - by, max(ys) + by
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def lasso(live: Live, names: list[str]) -> set[str]:
    """Draw a rectangle around some listings with Shift; return all whose points lie in it."""
    points = where(live)
    corners = box([points[id] for id in names])
    live.tab.keyboard.down("Shift")
    drag(live, corners)
    live.tab.keyboard.up("Shift")
    (left, top), _, (right, bottom), _ = corners
    return {id for id, (x, y) in points.items() if left <= x <= right and top <= y <= bottom}


def picked(live: Live) -> set[str]:
    return set(live.tab.evaluate("() => grids.here.tiles.map(({ id }) => id)"))


def test_a_lasso_makes_a_grid_of_what_lies_inside_one_key_decides_it_and_undo_takes_it_back(
    live: Live, run: RunFolder
) -> None:
    open_map(live)
    live.wait("map-words", "59 listings")
    inside = lasso(live, [f"a{number:02}" for number in range(14)])
    assert 14 <= len(inside) < 40
    tiles(live, len(inside), "desk → chair")
    assert picked(live) == inside
    live.press("Space a")
    live.wait("message", f"{len(inside) - 1} listings relabelled as chair. 1 listing left out for later.")
    live.wait("grid-title", "No more of what was picked")
    live.saved()
    assert set(holding(run).values()) == {("relabel", "chair")}
    assert len({line.time for line in run.decisions()[0]}) == 1
    live.press("u")
    live.wait("message", f"Undone: {len(inside) - 1} decisions.")
    tiles(live, len(inside), "desk → chair")
    live.saved()
    assert holding(run) == {}
    live.press("m")
    assert live.tab.locator("#map").is_visible()
    assert [error for error in live.errors if "404" not in error] == []


def test_a_grid_of_several_suggestions_takes_each_its_own_and_leaves_out_what_has_none(
    live: Live, run: RunFolder
) -> None:
    open_map(live)
    inside = lasso(live, ["b5", "z4"])
    tiles(live, len(inside), "several labels → each as suggested")
    assert {"b6", "b7", "c0", "c5", "z0", "z1", "z2", "z3"} <= inside
    live.press("a")
    live.wait("message", "1 listing left out for later.")
    live.saved()
    said = holding(run)
    assert (said["b6"], said["z0"], said["z2"]) == (("relabel", "NA"), ("relabel", "desk"), ("relabel", "chair"))
    assert set(said) == inside - {"z4"}
    assert len({line.time for line in run.decisions()[0]}) == 1
    live.press("u")
    live.wait("message", "Undone: ")
    live.saved()
    assert holding(run) == {}


def test_a_grid_of_several_suggestions_leaves_out_those_that_are_less_likely_than_the_label(
    context: Any, run: RunFolder, tmp_path: Path
) -> None:
    issues = run.issues()
    issues.loc[issues["id"].isin(["b6", "b7"]), "label_score"] = 0.9
    run.write_table(run.issues_file, issues)
    server = start(run, tmp_path / "log", "--page", reviewer="ana")
    live = Live(context, server)
    open_map(live)
    inside = lasso(live, ["b5", "z1"])
    tiles(live, len(inside), "several labels → each as suggested")
    assert {"b6", "b7"} <= inside
    assert live.tab.locator(".pick", has_text="nothing likelier").count() == 2
    live.press("a")
    live.wait("message", "2 listings left out for later.")
    live.saved()
    assert set(holding(run)) == inside - {"b6", "b7"}
    stop(server)


def test_more_than_29_come_in_several_grids_or_are_decided_at_once_after_one_question(
    live: Live, run: RunFolder
) -> None:
    open_map(live)
    inside = lasso(live, [f"a{number:02}" for number in range(40)])
    assert len(inside) >= 40
    tiles(live, 24)
    live.wait("grid-words", f"24 of 24 are decided together · {len(inside)} of those picked are left")
    live.tab.click("#all-picked")
    live.wait("all-title", f"Decide all of these {len(inside)}?")
    live.wait("all-filters", "Picked on the map")
    live.tab.select_option("#all-decision", "keep")
    live.wait("decide-all", "Keep ")
    assert holding(run) == {}
    live.tab.select_option("#all-decision", "delete")
    live.tab.click("#decide-all")
    live.wait("message", f"{len(inside)} listings deleted.")
    live.saved()
    assert set(holding(run)) == inside
    live.wait("grid-title", "No more of what was picked")
    live.press("m u")
    live.wait("message", f"Undone: {len(inside)} decisions.")
    live.saved()
    assert holding(run) == {}


def test_all_is_done_with_keys_alone(live: Live, run: RunFolder) -> None:
    open_map(live)
    live.press("ArrowRight")
    first = live.tab.evaluate("() => index.ids[map.places[map.focus]]")
    live.tab.locator("#map-tip", has_text=first).wait_for()
    live.press("ArrowLeft ArrowUp ArrowDown + + - Shift+ArrowLeft 0")
    points = where(live)
    focus = live.tab.evaluate("() => index.ids[map.places[map.focus]]")
    live.press("Enter")
    tiles(live, 24)
    apart = {id: (x - points[focus][0]) ** 2 + (y - points[focus][1]) ** 2 for id, (x, y) in points.items()}
    assert picked(live) == set(sorted(apart, key=lambda id: apart[id])[:24])
    live.press("d")
    live.wait("message", "24 listings deleted.")
    live.saved()
    live.press("m m")
    assert live.tab.locator("#card").is_visible()
    assert len(holding(run)) == 24


def test_what_is_decided_is_said_and_pale_and_not_in_the_grid(live: Live, run: RunFolder) -> None:
    open_map(live)
    decide(run, ["a02", "a03"], "delete", reviewer="ben")
    live.wait("map-words", "2 decided (pale)")
    inside = lasso(live, [f"a{number:02}" for number in range(8)])
    tiles(live, len(inside) - 2)
    assert picked(live) == inside - {"a02", "a03"}
    live.wait("grid-words", "2 picked ones are decided already")
    # what is decided while the grid is on the screen is left out, too
    decide(run, ["a05"], "keep", reviewer="ben")
    live.tab.locator(".pick", has_text="kept by ben").wait_for()
    live.press("a")
    live.saved()
    assert [holding(run)[id][0] for id in ("a02", "a04", "a05")] == ["delete", "relabel", "keep"]
    live.press("m")
    lasso(live, ["a02", "a03"])
    live.wait("message", "All 2 of these are decided already.")


def test_filters_hold_for_the_map_and_for_what_is_picked(live: Live) -> None:
    open_map(live)
    live.tab.fill("#search", "number b")
    live.wait("map-words", "8 listings")
    live.tab.wait_for_function("() => drawing.painted === 8")
    assert set(where(live)) == {f"b{number}" for number in range(8)}
    assert live.tab.locator("#legend li").all_inner_texts() == ["chair\n8"]
    live.tab.locator("#canvas").focus()
    live.press("ArrowUp Enter")
    tiles(live, 8, "chair → NA")


@pytest.mark.parametrize(
    ("colour", "legend"),
    [
        ("given", ["desk\n46", "chair\n10", "(no label)\n3"]),
        ("suggested", ["chair\n42", "NA\n14", "desk\n2", "(no suggestion)\n1"]),
        ("kind", ["Wrong labels\n59"]),
        ("chance", ["10 to 30 %\n1", "30 to 50 %\n4", "50 to 80 %\n14", "above 80 %\n40"]),
    ],
)
def test_points_are_coloured_by(live: Live, colour: str, legend: list[str]) -> None:
    open_map(live)
    live.tab.select_option("#colour", colour)
    live.tab.wait_for_function("() => !drawing.asked")  # the picture follows
    shown = live.tab.locator("#legend li").all_inner_texts()
    assert sorted(shown) == sorted(legend)
    # the colour of the legend is the colour of the points
    rgb = live.tab.evaluate(
        "() => { const at = map.shown.find(point => index.ids[map.places[point]] === 'a20');"
        " const sharp = $('canvas').width / $('canvas').clientWidth;"
        " const [x, y] = [across(map.x[at]) * sharp, down(map.y[at]) * sharp].map(Math.round);"
        " return [...$('canvas').getContext('2d').getImageData(x, y, 1, 1).data].slice(0, 3) }"
    )
    name = {"given": "desk", "suggested": "chair", "kind": "Wrong labels", "chance": "above 80 %"}[colour]
    dot = live.tab.locator("#legend li", has_text=name).locator(".dot").evaluate("dot => dot.style.background")
    assert dot == f"rgb({rgb[0]}, {rgb[1]}, {rgb[2]})"


def test_the_map_stays_when_the_page_has_learned_and_shows_the_labels_of_today(live: Live, run: RunFolder) -> None:
    open_map(live)
    live.press("+ +")
    before = where(live)
    learn_otherwise(run)
    live.tab.wait_for_function("() => news.learnt === 1 && isLoaded() && drawing.painted === 52")
    live.tab.select_option("#colour", "suggested")
    live.tab.locator("#legend li", has_text="NA").locator(".quiet", has_text="26").wait_for()
    after = where(live)
    both = [id for id in before if id in after]
    # the line of what was learned moves the whole map down
    [was, now] = [np.array([each[id] for id in both]) for each in (before, after)]
    np.testing.assert_allclose(now - now[0], was - was[0], atol=1)
    assert [error for error in live.errors if "404" not in error] == []


def test_a_point_on_a_side_or_a_corner_is_inside(live: Live) -> None:
    # a square of 4 with a notch from above down to its middle
    notched = [0, 0, 4, 0, 4, 4, 2, 2, 0, 4]
    inside = [(1, 1), (0, 0), (4, 0), (2, 0), (0, 2), (4, 4), (2, 2), (3, 3), (1, 3), (3.999, 3.998)]
    outside = [(2, 3), (-1, 0), (5, 0), (5, 4), (2, -0.001), (-0.001, 2), (-1, 4), (4.001, 4), (2, 2.001)]
    for points, told in ((inside, True), (outside, False)):
        script = "([line, points]) => points.map(([x, y]) => isInside(line, x, y))"
        assert live.tab.evaluate(script, [notched, points]) == [told] * len(points)


def test_what_a_crossed_line_goes_around_twice_is_outside(live: Live) -> None:
    bow = [0, 0, 4, 4, 4, 0, 0, 4]
    twice = [0, 0, 4, 0, 4, 4, 0, 4, 0, 0, 1, 1, 3, 1, 3, 3, 1, 3, 1, 1]
    asked = [[bow, 1, 2], [bow, 3, 2], [bow, 2, 1], [bow, 2, 2], [twice, 0.5, 2], [twice, 2, 2]]
    told = live.tab.evaluate("asked => asked.map(([line, x, y]) => isInside(line, x, y))", asked)
    assert told == [True, True, False, True, True, False]


def test_a_drag_moves_the_map_the_wheel_enlarges_it_and_a_double_click_opens_a_listing(live: Live) -> None:
    open_map(live)
    before = where(live)
    x, y = before["a10"]
    live.tab.mouse.move(x, y)
    live.tab.locator("#map-tip", has_text="thing number a10").wait_for()
    live.tab.mouse.wheel(0, -400)
    live.tab.wait_for_function("() => map.view !== null")
    closer = where(live)
    assert closer["a10"] == pytest.approx((x, y), abs=1)
    assert abs(closer["a00"][0] - closer["a39"][0]) > 1.5 * abs(before["a00"][0] - before["a39"][0])
    drag(live, [(x + 30, y + 30), (x + 90, y + 50)])
    assert where(live)["a10"] == pytest.approx((x + 60, y + 20), abs=1)
    live.tab.mouse.dblclick(*where(live)["a10"])
    live.wait("where", "a10")
    assert live.tab.locator("#card").is_visible()


def test_on_a_phone_a_button_makes_one_finger_draw_the_lasso(browser: Any, server: Server, run: RunFolder) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    live = Live(context, server)
    live.tab.tap("#to-map")
    live.tab.wait_for_function("() => drawing.painted === 59")
    widths = "[document.documentElement, ...document.querySelectorAll('header, #map, footer')].map(e => e.scrollWidth)"
    assert max(live.tab.evaluate(widths)) <= 390
    live.tab.tap("#lasso")
    points = where(live)
    corners = box([points[f"a{number:02}"] for number in range(10)])
    finger = context.new_cdp_session(live.tab)
    touch = [{"x": x, "y": y} for x, y in corners]
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": touch[:1]})
    for at in touch[1:]:
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [at]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    (left, top), _, (right, bottom), _ = corners
    inside = {id for id, (x, y) in points.items() if left <= x <= right and top <= y <= bottom}
    tiles(live, len(inside))
    assert picked(live) == inside
    context.close()


def test_two_fingers_enlarge_the_map_and_one_moves_it(browser: Any, server: Server) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    live = Live(context, server)
    live.tab.tap("#to-map")
    live.tab.wait_for_function("() => drawing.painted === 59")
    before = live.tab.evaluate("() => viewed().scale")
    left, top = live.tab.evaluate("() => { const at = $('canvas').getBoundingClientRect(); return [at.left, at.top] }")
    finger = context.new_cdp_session(live.tab)

    def touch(kind: str, *at: tuple[float, float]) -> None:
        points = [{"x": left + x, "y": top + y, "id": number} for number, (x, y) in enumerate(at)]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (150, 200), (210, 200))
    touch("touchMove", (120, 200), (240, 200))
    touch("touchEnd")
    assert live.tab.evaluate("() => viewed().scale") == pytest.approx(2 * before, rel=0.05)
    points = where(live)
    touch("touchStart", (60, 60))
    touch("touchMove", (100, 90))
    touch("touchEnd")
    x, y = points["a00"]
    assert where(live)["a00"] == pytest.approx((x + 40, y + 30), abs=1)
    context.close()


def test_a_run_without_a_map_says_why(context: Any, run: RunFolder, tmp_path: Path) -> None:
    run.update(features=None)
    server = start(run, tmp_path / "log", "--page", reviewer="ana")
    live = Live(context, server)
    live.press("m")
    live.wait("map-why", "This run was made from given probabilities")
    assert live.tab.locator("#lasso").is_disabled()
    corner = live.tab.locator("#canvas").bounding_box()
    live.tab.keyboard.down("Shift")
    x, y = corner["x"] + 20, corner["y"] + 20
    drag(live, [(x, y), (x + 60, y), (x + 60, y + 60)])
    live.tab.keyboard.up("Shift")
    assert live.text("message") == ""
    live.press("ArrowRight Enter m")
    assert live.tab.locator("#card").is_visible()
    assert live.errors == [] or all("404" in error for error in live.errors)
    stop(server)


@pytest.mark.parametrize("by", ["?", "click"])
def test_the_help_opens_at_its_beginning_also_where_it_is_longer_than_the_screen(live: Live, by: str) -> None:
    live.tab.set_viewport_size({"width": 390, "height": 500})
    if by == "click":
        live.tab.click("#help")
    else:
        live.press(by)
    # the dialog itself does not scroll: a bar would square off its corners
    text = live.tab.locator("#keys .scroll")
    assert text.evaluate("e => [e.scrollTop, e.scrollHeight > e.clientHeight]") == [0, True]
    live.press("Escape")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_message_covers_neither_the_map_nor_its_legend(live: Live, width: int) -> None:
    live.tab.set_viewport_size({"width": width, "height": 800})
    open_map(live)
    before = live.tab.evaluate("$('actions').offsetHeight")
    live.tab.evaluate("act('keep')")
    live.tab.locator("#message:not(:empty)").wait_for()
    edges = "[$('legend').getBoundingClientRect().bottom, $('message').getBoundingClientRect().top]"
    below, above = live.tab.evaluate(edges)
    assert below <= above
    assert live.tab.evaluate("$('actions').offsetHeight") == before


def test_where_no_listing_passes_the_filters_the_map_says_so(live: Live) -> None:
    open_map(live)
    live.tab.fill("#search", "no such words")
    live.wait("map-why", "No listing passes the filters.")
    live.wait("map-words", "0 listings")
    assert "not on the map" not in live.text("map-words")
    live.tab.fill("#search", "a0")
    live.tab.wait_for_function("() => drawing.painted === filtered.length && filtered.length > 0")
    assert live.tab.text_content("#map-why") == ""
