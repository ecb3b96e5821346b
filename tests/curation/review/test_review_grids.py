"""The grids and the filters of a live page, as its server makes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from curation.review.live.learner import Learner
from curation.run.decisions import decide
from curation.run.folder import RunFolder
from curation.run.probabilities import Probabilities
from tests.support.fixes import make_run as make_plain_run
from tests.support.grids import learn_otherwise, make_run
from tests.support.live import Live
from tests.support.waiting import waited_for


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path)


@pytest.fixture
def live(run: RunFolder) -> Live:
    return Live(run)


FORTY = [f"a{number:02}" for number in range(40)]


def blind_among(live: Live, places: list[int]) -> set[int]:
    """Return those of some places whose suggestion is hidden."""
    rows = live.get("/rows", places=",".join(map(str, places)))
    return {int(place) for place, row in rows.items() if row.get("blind")}


def post(live: Live, path: str, **body: Any) -> Any:
    answer = live.ask(path, method="POST", body=body)
    assert answer.status == 200, answer
    return answer.json


def grids(live: Live, number: int = 4, without: tuple[int, ...] = (), **wanted: Any) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = post(live, "/grids", filter=wanted, without=list(without), number=number)
    return made


def ids(grid: dict[str, Any]) -> list[str]:
    return [tile["id"] for tile in grid["tiles"]]


class TestGrids:
    def test_a_grid_is_of_one_given_and_one_suggested_label(self, live: Live) -> None:
        first, *_ = grids(live)
        assert (first["given"], first["suggested"], first["mixed"], first["kind"]) == (
            "desk",
            "chair",
            False,
            "Wrong labels",
        )
        assert {tile["given"] for tile in first["tiles"]} == {"desk"}
        assert (len(first["tiles"]), first["size"]) == (24, 40)

    def test_the_tiles_are_those_that_look_like_the_likeliest_one(self, live: Live) -> None:
        first, second, *_ = grids(live)
        # of the forty, every other one is of another look
        assert ids(first)[:20] == [f"a{number:02}" for number in range(0, 40, 2)]
        assert len(second["tiles"]) == 16
        assert not set(ids(first)) & set(ids(second))

    def test_what_is_worth_most_comes_first(self, live: Live) -> None:
        made = grids(live)
        worths = [sum(tile["worth"] for tile in grid["tiles"]) for grid in made]
        assert worths == sorted(worths, reverse=True)
        assert worths[0] == pytest.approx(24 * 0.9)

    def test_groups_that_are_too_small_are_joined_by_what_is_suggested(self, live: Live) -> None:
        live.say(["b0", "b1", "b2", "c0"], "keep")
        (mixed,) = [grid for grid in grids(live) if grid["mixed"]]
        assert mixed["suggested"] == "NA"
        assert sorted({tile["given"] for tile in mixed["tiles"]}) == ["chair", "desk"]
        assert len(mixed["tiles"]) == 10

    def test_what_is_left_of_small_groups_comes_in_no_grid(self, live: Live) -> None:
        made = grids(live)
        assert [len(grid["tiles"]) for grid in made] == [24, 16, 8, 6]
        assert not [id for grid in made for id in ids(grid) if id.startswith("z")]

    @pytest.mark.parametrize("kind", ["price", "near_duplicate"])
    def test_what_needs_a_decision_of_its_own_comes_in_no_grid(self, run: RunFolder, kind: str) -> None:
        issues = run.issues()
        alone = issues["id"].str.startswith("a") & (issues["priority"] > 12)
        flags = {
            "is_label_issue": issues["is_label_issue"] & ~alone,
            f"is_{kind}_issue": issues["id"].str.startswith("a"),
        }
        run.write_table(run.issues_file, issues.assign(**flags, suggested_label=issues["suggested_label"].mask(alone)))
        live = Live(run)
        first = next(grid for grid in grids(live) if ids(grid)[0].startswith("a"))
        # those whose label is doubted, too, are still one
        assert sorted(ids(first)) == FORTY[:12]
        assert first["kind"] == "Wrong labels"
        picked = [live.session.queue.place[id] for id in FORTY]
        (lasso,) = post(live, "/grids", filter={}, without=[], number=1, among=picked)
        assert (lasso["size"], lasso["mixed"]) == (40, False)

    def test_a_rest_that_is_too_small_for_a_grid_comes_with_the_one_before(self, live: Live) -> None:
        live.say([f"a{number:02}" for number in range(11)], "keep")
        assert len(grids(live)[0]["tiles"]) == 29

    def test_decided_listings_and_those_the_page_has_are_left_out(self, live: Live) -> None:
        first = grids(live, 1)[0]
        live.say(ids(first)[:2], "relabel", label="chair")
        shown = tuple(tile["place"] for tile in first["tiles"][2:])
        assert not set(ids(first)) & {id for grid in grids(live, 4, shown) for id in ids(grid)}
        live.say([], "undo")
        assert ids(grids(live, 1)[0]) == ids(first)

    def test_listings_that_are_shown_without_suggestions_come_in_no_grid(self, live: Live) -> None:
        blind = Live(live.run, blind=0.5)
        hidden = blind_among(blind, list(range(40)))
        assert 0 < len(hidden) < 40
        assert not hidden & {tile["place"] for grid in grids(blind) for tile in grid["tiles"]}
        nothing: dict[str, Any] = {"labels": [], "none": [], "unlabelled": [], "shown": []}
        assert post(blind, "/suggestions", places=sorted(hidden)) == nothing
        assert hidden <= set(post(blind, "/narrow", filter={"given": 1}))
        assert not hidden & set(post(blind, "/narrow", filter={"suggested": 0}))
        for kind in blind.session.queue.kinds:
            assert not hidden & set(post(blind, "/narrow", filter={"kind": kind["name"]}))
        # nor does an order tell the suggestion: they are first, whatever it is
        order = post(blind, "/narrow", filter={"given": 1, "sort": "class"})
        veiled = blind_among(blind, order)
        assert set(order[: len(veiled)]) == veiled
        # what is decided is no secret any more
        for place in hidden:
            blind.say(blind.session.queue.ids[place], "keep")
        assert hidden <= set(post(blind, "/narrow", filter={"suggested": 0}))

    def test_sound_look_alikes_of_both_classes_stand_beside_them(self, live: Live) -> None:
        first = grids(live)[0]
        assert {example["given"] for example in first["likeGiven"]} == {"desk"}
        assert {example["given"] for example in first["likeSuggested"]} == {"chair"}
        assert first["likeGiven"][0]["place"] == -1

    def test_a_run_without_photos_has_grids_in_the_order_of_the_queue(self, run: RunFolder) -> None:
        file = run.training_folder / "features-0.npy"
        np.save(file, np.zeros_like(np.load(file)))
        assert ids(grids(Live(run))[0]) == [f"a{number:02}" for number in range(24)]


class TestFilters:
    def test_classes_and_pairs_are_counted_among_what_is_left(self, live: Live) -> None:
        counts = live.get("/counts")
        assert [[name, count] for _, name, count in counts["given"]] == [[None, 3], ["chair", 10], ["desk", 46]]
        assert counts["pairs"][0] == [1, 0, "desk", "chair", 40]
        live.say("a00", "keep")
        assert live.get("/counts")["pairs"][0][4] == 39

    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            ({}, 59),
            ({"given": -1}, 3),
            ({"given": 1, "suggested": 0}, 40),
            ({"low": 10, "high": 12}, 3),
            ({"words": "A1"}, 10),
            ({"kind": "price"}, 0),
            ({"kind": "label", "words": "z"}, 5),
            ({"seller": "eve"}, 2),
            ({"seller": "nobody"}, 0),
        ],
    )
    def test_listings_are_narrowed(self, live: Live, wanted: dict[str, Any], expected: int) -> None:
        assert len(post(live, "/narrow", filter=wanted)) == expected

    def test_listings_are_sorted_and_those_without_a_price_come_last(self, live: Live) -> None:
        order = live.session.queue.order
        cheap = [order[place] for place in post(live, "/narrow", filter={"sort": "cheap"})]
        dear = [order[place] for place in post(live, "/narrow", filter={"sort": "dear"})]
        assert (cheap[0], dear[0]) == ("a00", cheap[-2])
        assert cheap[-1] == dear[-1] == "z4"
        given = [live.session.queue.given(order[place]) for place in post(live, "/narrow", filter={"sort": "class"})]
        assert list(dict.fromkeys(given)) == [None, "chair", "desk"]

    def test_grids_are_narrowed_too(self, live: Live) -> None:
        assert {grid["suggested"] for grid in grids(live, suggested=2)} == {"NA"}
        assert grids(live, words="no such words") == []

    def test_sellers_are_counted_where_the_listings_name_them(self, live: Live, tmp_path: Path) -> None:
        assert live.get("/counts")["sellers"] == [["bob", 57], ["eve", 2]]
        other = tmp_path / "other"
        other.mkdir()
        assert Live(make_plain_run_with_probabilities(other)).get("/counts")["sellers"] is None

    def test_what_is_suggested_for_many_is_told_by_label(self, live: Live) -> None:
        place = live.session.queue.place
        asked = [place[id] for id in ("a00", "b0", "z4", "a02")]
        live.say("a02", "keep")
        assert post(live, "/suggestions", places=asked) == {
            **{"labels": [["chair", [place["a00"]]], ["NA", [place["b0"]]]], "none": [place["z4"]]},
            "unlabelled": [place["z4"]],
            "shown": [["chair", None, [place["a00"]]], ["NA", None, [place["b0"]]], [None, None, [place["z4"]]]],
        }

    def test_a_suggestion_that_is_no_likelier_than_the_label_is_not_taken_for_many(self, run: RunFolder) -> None:
        issues = run.issues()
        issues.loc[issues["id"] == "b0", "label_score"] = 0.5
        run.write_table(run.issues_file, issues)
        live = Live(run)
        place = live.session.queue.place
        plan = post(live, "/suggestions", places=[place["a00"], place["b0"], place["z2"]])
        assert plan["labels"] == [["chair", [place["a00"], place["z2"]]]]  # z2 has no label
        assert plan["none"] == [place["b0"]]
        assert plan["shown"][1] == ["NA", None, [place["b0"]]]
        (grid,) = post(live, "/grids", filter={}, without=[], among=[place["b0"], place["z0"]], number=1)
        assert {tile["id"]: tile["likelier"] for tile in grid["tiles"]} == {"b0": False, "z0": True}

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/narrow", {}), ("/narrow", {"filter": {"colour": 1}}), ("/narrow", {"filter": {"given": "desk"}}),
            ("/narrow", {"filter": {"given": True}}), ("/narrow", {"filter": {"low": "1"}}),
            ("/narrow", {"filter": {"sort": "random"}}), ("/narrow", {"filter": {"seller": 1}}),
            ("/narrow", {"filter": [1]}), ("/suggestions", {"places": [-1]}), ("/suggestions", {"places": [74]}),
            ("/suggestions", {"places": 3}), ("/suggestions", {"places": [True]}),
            ("/grids", {"filter": {}, "without": [], "number": "many"}), ("/grids", {"filter": {}, "number": 1}),
        ],
    )  # fmt: skip
    def test_what_is_no_filter_is_refused(self, live: Live, path: str, body: dict[str, Any]) -> None:
        assert live.ask(path, method="POST", body=body).status == 400


class TestManyAtOnce:
    def test_a_listing_that_was_decided_meanwhile_is_left_out(self, live: Live) -> None:
        decide(live.run, ["a02"], "delete", reviewer="ben")
        answer = live.say(["a00", "a02", "a04"], "relabel", label="chair", undecided=True)
        assert (answer["ids"], answer["refused"]) == (["a00", "a04"], "")
        holding = live.run.holding_decisions().decisions
        assert {id: (each.action, each.reviewer) for id, each in holding.items()} == {
            **{"a00": ("relabel", "ana"), "a02": ("delete", "ben"), "a04": ("relabel", "ana")}
        }

    def test_if_all_were_decided_meanwhile_nothing_is_recorded(self, live: Live) -> None:
        decide(live.run, ["a00"], "delete", reviewer="ben")
        assert live.say(["a00"], "keep", undecided=True)["ids"] == []
        assert len(live.run.decisions()[0]) == 1

    def test_a_grid_of_two_labels_is_one_step_and_one_undo(self, live: Live) -> None:
        key = "2026-01-01T00:00:00.000001+00:00"
        parts = [
            {"ids": ["a00", "a02"], "action": "relabel", "label": "chair", "undecided": True},
            {"ids": ["b0"], "action": "relabel", "label": "NA", "undecided": True},
        ]
        live.send({"key": key, "parts": parts})
        assert len(live.run.holding_decisions().decisions) == 3
        assert live.say([], "undo")["ids"] == ["a00", "a02", "b0"]


class TestLearned:
    @pytest.fixture
    def learning(self, run: RunFolder) -> Iterator[Live]:
        live = Live(run, learner=Learner(run))
        grids(live)
        learn_otherwise(run)
        assert waited_for(lambda: live.news()["learnt"] >= 1)
        yield live
        live.session.close()

    def test_grids_are_of_what_is_suggested_today(self, learning: Live) -> None:
        made = {(grid["given"], grid["suggested"]): sorted(ids(grid)) for grid in grids(learning)}
        assert made == {
            ("desk", "chair"): FORTY[::2],
            ("desk", "NA"): [*FORTY[1::2], *(f"c{number}" for number in range(6))],
        }

    def test_filters_and_counts_know_what_is_suggested_and_doubted_today(self, learning: Live) -> None:
        chair, desk, none = 0, 1, 2
        found = [learning.session.queue.ids[place] for place in post(learning, "/narrow", filter={"given": chair})]
        # in today's order
        assert found == ["s00", "z1", "z0"]
        assert len(post(learning, "/narrow", filter={"given": desk, "suggested": none})) == 26
        assert [pair[:2] + pair[4:] for pair in learning.get("/counts")["pairs"]][:2] == [
            *([desk, none, 26], [desk, chair, 20])
        ]

    def test_what_is_no_longer_doubted_is_in_no_decision_on_many(self, learning: Live) -> None:
        place = learning.session.queue.place
        plan = post(learning, "/suggestions", places=[place["b0"], place["a01"], place["s00"]])
        assert plan["labels"] == [["NA", [place["a01"]]], ["desk", [place["s00"]]]]
        # the page may not know of that yet
        assert len(grids(learning, without=(place["b0"],))) == 2

    def test_the_journal_names_what_was_suggested_when_the_grid_was_made(self, learning: Live) -> None:
        learning.say(["a01"], "relabel", label="chair", shown=["chair", None], undecided=True)
        learning.say(["a03"], "relabel", label="chair", undecided=True)
        said = {decision.id: decision.suggested_label for decision in learning.run.decisions()[0]}
        assert said == {"a01": "chair", "a03": "NA"}


def make_plain_run_with_probabilities(folder: Path) -> RunFolder:
    run = make_plain_run(folder)
    listings: pd.DataFrame = run.listings()
    nothing = np.full((len(listings), len(run.classes)), np.nan)
    folds = np.full(len(listings), -1)
    Probabilities(listings["id"].to_numpy(dtype=str), tuple(run.classes), nothing, folds).save(run.probabilities_file)
    return run
