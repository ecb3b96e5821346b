"""The map of a live page, as its server makes it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.review import points
from curation.review.live.learner import Learner
from curation.review.live.photomap import PhotoMap
from curation.review.points import kept_points, points_of
from curation.run.decisions import decide
from curation.run.folder import RunFolder
from tests.curation.review.test_review_grids import FORTY, blind_among, ids, post
from tests.support.grids import learn_otherwise, make_run
from tests.support.live import Live
from tests.support.waiting import waited_for
from training.utils.arrays import Float32


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path)


@pytest.fixture
def live(run: RunFolder) -> Iterator[Live]:
    live = Live(run)
    yield live
    live.session.close()


def clustered(run: RunFolder, number: int, clusters: int) -> tuple[list[str], Float32]:
    """Give a run this many listings, in turn of each cluster; return their ids and features."""
    rng = np.random.default_rng(0)
    table = run.listings()
    table = table.loc[np.arange(number) % len(table)].assign(id=[f"p{row:04}" for row in range(number)])
    run.write_table(run.listings_file, table.reset_index(drop=True))
    centres = rng.normal(size=(clusters, 32))
    features = centres[np.arange(number) % clusters] + 0.3 * rng.normal(size=(number, 32))
    np.save(run.training_folder / "features-0.npy", features.astype(np.float32))
    return list(table["id"]), features.astype(np.float32)


class TestPoints:
    @pytest.mark.parametrize("landmarks", [60, 2000])
    def test_photos_that_look_alike_stand_together(
        self, run: RunFolder, landmarks: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(points, "_LANDMARKS", landmarks)
        named, _ = clustered(run, 300, 6)
        placed = points_of(run)
        where = np.array([placed[id] for id in named], dtype=np.float64)
        apart = np.linalg.norm(where[:, None] - where[None], axis=2)
        np.fill_diagonal(apart, np.inf)
        nearest = np.argsort(apart, axis=1)[:, :5]
        own = np.arange(300) % 6
        assert np.mean(own[nearest] == own[:, None]) > 0.97

    def test_the_order_of_the_rows_changes_no_point(self, run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(points, "_LANDMARKS", 40)
        _, features = clustered(run, 90, 3)
        before = points_of(run)
        run.write_table(run.listings_file, run.listings().iloc[::-1].reset_index(drop=True))
        np.save(run.training_folder / "features-0.npy", features[::-1])
        after = points_of(run)
        assert set(after) == set(before)
        np.testing.assert_allclose([after[id] for id in before], list(before.values()), atol=1e-3)

    def test_listings_without_features_have_no_point(self, run: RunFolder) -> None:
        named, features = clustered(run, 40, 2)
        features[[3, 7]] = 0
        np.save(run.training_folder / "features-0.npy", features)
        assert set(named) - set(points_of(run)) == {named[3], named[7]}

    def test_photos_that_are_all_alike_stand_at_one_point(self, run: RunFolder) -> None:
        named, features = clustered(run, 40, 2)
        np.save(run.training_folder / "features-0.npy", np.ones_like(features))
        assert {tuple(point) for point in points_of(run).values()} == {(0.0, 0.0)}
        assert list(points_of(run)) == named

    def test_they_are_kept_in_the_run_and_made_again_if_they_are_damaged(self, run: RunFolder) -> None:
        assert kept_points(run) is None
        made = points_of(run)
        kept = kept_points(run)
        assert kept is not None
        np.testing.assert_array_equal(list(kept.values()), list(made.values()))
        (run.folder / "review_points.npz").write_bytes(b"PK\x03\x04 no archive")
        assert kept_points(run) is None
        np.testing.assert_allclose(list(points_of(run).values()), list(made.values()), atol=1e-5)

    def test_a_run_that_can_not_be_read_ends_with_a_line_of_why(self, run: RunFolder) -> None:
        (run.training_folder / "features-0.npy").unlink()
        with pytest.raises(SystemExit, match="the map could not be made: "):
            points.main([str(run.folder)])


def made(live: Live) -> dict[str, Any]:
    """Wait until there is a map, or a reason why not."""
    told: list[dict[str, Any]] = []
    assert waited_for(lambda: told.append(post(live, "/map")) or told[-1]["state"] != "making")
    return dict(told[-1])


def ready(live: Live) -> None:
    """Make the map in this process, which is faster than in one of its own."""
    points_of(live.run)
    assert made(live)["state"] == "ready"


def read(live: Live) -> dict[str, Any]:
    """Read the points as the page does: by listing, where each is and its classes."""
    answer = live.ask("/points")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/octet-stream")
    version, size, missing, hidden = np.frombuffer(answer.content, "<i4", 4).tolist()
    places, given, suggested = np.frombuffer(answer.content, "<i4", 3 * size, 16).reshape(3, size)
    where = np.frombuffer(answer.content, "<u2", 2 * size, 16 + 12 * size).reshape(size, 2)
    assert len(answer.content) == 16 + 16 * size
    ids = [live.session.queue.ids[place] for place in places]
    return {
        "version": version, "missing": missing, "hidden": hidden,
        "given": dict(zip(ids, given.tolist(), strict=True)),
        "suggested": dict(zip(ids, suggested.tolist(), strict=True)),
        "where": dict(zip(ids, where.tolist(), strict=True)),
    }  # fmt: skip


class TestMap:
    def test_it_is_made_beside_the_review_and_each_listing_of_the_queue_is_on_it(self, live: Live) -> None:
        first = post(live, "/map")
        assert (first["state"], "The map is being made" in first["why"]) == ("making", True)
        assert live.say("a00", "keep")["ids"] == ["a00"]
        told = made(live)
        assert (told["state"], told["names"]) == ("ready", ["chair", "desk", "NA"])
        seen = read(live)
        assert list(seen["where"]) == live.session.queue.order
        assert (seen["given"]["a00"], seen["suggested"]["a00"]) == (1, 0)
        assert (seen["given"]["z4"], seen["suggested"]["z4"]) == (-1, -1)
        assert {tuple(seen["where"][id]) for id in FORTY[::2]} == {tuple(seen["where"]["a00"])}
        assert seen["where"]["a00"] != seen["where"]["a01"]

    def test_it_fills_a_square_and_keeps_its_proportions(self, live: Live) -> None:
        turn = np.linspace(0, 1, 74)
        np.save(live.run.training_folder / "features-0.npy", np.stack([np.cos(turn), np.sin(turn)], 1).astype("f4"))
        ready(live)
        where = np.array(list(read(live)["where"].values()), dtype=np.float64)
        kept = kept_points(live.run)
        assert kept is not None
        true = np.array([kept[id] for id in read(live)["where"]])
        scale = np.ptp(where, axis=0) / np.ptp(true, axis=0)
        assert scale[0] == pytest.approx(scale[1], rel=0.001)
        everything = np.array(list(kept.values()))
        assert np.ptp(everything, axis=0).max() * scale[0] == pytest.approx(65535, rel=0.001)

    def test_listings_whose_suggestion_is_hidden_are_not_on_it_until_they_are_decided(self, run: RunFolder) -> None:
        live = Live(run, blind=0.3)
        places = list(range(59))
        hidden = {live.session.queue.ids[place] for place in blind_among(live, places)}
        assert 3 < len(hidden) < 40
        ready(live)
        seen = read(live)
        assert hidden.isdisjoint(seen["where"])
        assert (len(seen["where"]), seen["hidden"]) == (59 - len(hidden), len(hidden))
        first = min(hidden)
        live.say(first, "delete")
        assert first in read(live)["where"]

    def test_listings_without_features_are_counted(self, live: Live) -> None:
        looks = np.load(live.run.training_folder / "features-0.npy")
        looks[[0, 73]] = 0  # one of the queue, and a sound one
        np.save(live.run.training_folder / "features-0.npy", looks)
        ready(live)
        seen = read(live)
        assert ("a00" in seen["where"], seen["missing"]) == (False, 1)

    def test_a_run_of_given_probabilities_says_why_it_has_none(self, run: RunFolder) -> None:
        run.update(features=None)
        told = made(Live(run))
        assert (told["state"], "given probabilities" in told["why"]) == ("none", True)
        assert Live(run).ask("/points").content == b""

    def test_a_run_of_two_photos_says_why_it_has_none(self, live: Live) -> None:
        looks = np.load(live.run.training_folder / "features-0.npy")
        looks[2:] = 0
        np.save(live.run.training_folder / "features-0.npy", looks)
        told = made(live)
        assert (told["state"], "Fewer than three" in told["why"]) == ("none", True)

    @pytest.mark.parametrize(
        ("command", "why"),
        [
            ([sys.executable, "-c", "raise SystemExit(3)"], "review.log of the run says why"),
            ([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], "killed by signal 9"),
            ([sys.executable, "-c", ""], "can't be read"),
            (["/no/such/program"], "no process could be started: No such file or directory"),
        ],
    )
    def test_if_it_fails_that_is_said_once_and_asking_again_tries_again(
        self, live: Live, command: list[str], why: str
    ) -> None:
        live.session._map = PhotoMap(live.run, live.session.queue, lambda: subprocess.Popen(command))
        told = made(live)
        assert (told["state"], why in told["why"]) == ("failed", True)
        points_of(live.run)
        assert made(live)["state"] == "ready"

    def test_after_learning_the_points_stay_and_the_labels_are_of_today(self, run: RunFolder) -> None:
        live = Live(run, learner=Learner(run))
        ready(live)
        before = read(live)
        learn_otherwise(run)
        assert waited_for(lambda: live.news()["learnt"] > 0)
        after = read(live)
        assert (before["version"], after["version"]) == (0, 1)
        assert (before["suggested"]["a01"], after["suggested"]["a01"]) == (0, 2)
        both = set(before["where"]) & set(after["where"])
        assert {id: before["where"][id] for id in both} == {id: after["where"][id] for id in both}
        assert ("s00" in before["where"], "s00" in after["where"]) == (False, True)
        live.session.close()


def picked(live: Live, names: list[str], **more: Any) -> list[dict[str, Any]]:
    among = [live.session.queue.place[id] for id in names]
    asked = {"filter": {}, "without": [], "number": 4, "among": among, **more}
    return list(post(live, "/grids", **asked))


class TestPicked:
    def test_what_was_picked_is_one_grid_whatever_its_labels_and_however_few(self, live: Live) -> None:
        (grid,) = picked(live, ["a00", "b0", "z2"])
        assert set(ids(grid)) == {"a00", "b0", "z2"}
        assert (grid["mixed"], grid["several"], grid["suggested"], grid["size"]) == (True, True, None, 3)
        assert {tile["id"]: tile["suggested"] for tile in grid["tiles"]} == {"a00": "chair", "b0": "NA", "z2": "chair"}
        (grid,) = picked(live, ["a00", "z2"])
        assert (grid["mixed"], grid["several"], grid["suggested"]) == (True, False, "chair")

    def test_more_than_29_come_in_several_grids_of_look_alikes(self, live: Live) -> None:
        first, second = picked(live, FORTY)
        assert ([first["size"], second["size"]], len(first["tiles"]), len(second["tiles"])) == ([40, 16], 24, 16)
        assert {int(id[1:]) % 2 for id in ids(first)[:20]} == {0}
        (grid,) = picked(live, FORTY[:29])
        assert len(grid["tiles"]) == 29

    def test_decided_ones_and_those_that_a_filter_keeps_out_are_not_in_it(self, live: Live) -> None:
        decide(live.run, ["a00"], "keep", reviewer="ben")
        (grid,) = picked(live, ["a00", "a01", "a02"])
        assert set(ids(grid)) == {"a01", "a02"}
        assert picked(live, ["a01", "a02"], filter={"words": "number z"}) == []
        assert picked(live, []) == []

    def test_listings_whose_suggestion_is_hidden_are_not_in_it(self, run: RunFolder) -> None:
        live = Live(run, blind=0.3)
        hidden = {live.session.queue.ids[place] for place in blind_among(live, list(range(59)))}
        (*_, grid) = picked(live, [*sorted(hidden), *FORTY])
        assert hidden.isdisjoint(ids(grid))
        assert picked(live, sorted(hidden)) == []

    @pytest.mark.parametrize("among", ["x", {"0": 1}, [-1], [10**6], [0.5], [True], ["0"]])
    def test_what_is_no_list_of_places_is_refused(self, live: Live, among: Any) -> None:
        body = {"filter": {}, "without": [], "number": 1, "among": among}
        assert live.ask("/grids", method="POST", body=body).status == 400
