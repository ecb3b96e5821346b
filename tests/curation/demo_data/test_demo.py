"""The demo: truth.csv says what is planted, and nothing else gives it away."""

from __future__ import annotations

import csv
import filecmp
import itertools
import json
import tomllib
from collections import Counter
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from PIL import Image

from curation.demo_data import DemoSummary, write_demo
from curation.errors import InputError
from tests.support.reporters import Listener

Rows = dict[str, dict[str, str]]

KINDS = {"label", "price", "indirect_image", "near_duplicate", "unreadable"}


def read(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as stream:
        return {row["id"]: row for row in csv.DictReader(stream)}


def decodes(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            image.load()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> DemoSummary:
    return write_demo(tmp_path_factory.mktemp("demo") / "shop", listings=120, seed=3)


@pytest.fixture(scope="module")
def folder(summary: DemoSummary) -> Path:
    return summary.folder


@pytest.fixture(scope="module")
def listings(folder: Path) -> Rows:
    return read(folder / "listings.csv")


@pytest.fixture(scope="module")
def truth(folder: Path) -> Rows:
    return read(folder / "truth.csv")


def test_every_listing_has_a_row_in_both_tables_and_one_photo(folder: Path, listings: Rows, truth: Rows) -> None:
    assert len(listings) == 120
    assert list(listings) == list(truth)
    files = {f"images/{path.name}" for path in (folder / "images").iterdir()}
    assert files == {row["image"] for row in listings.values()}


def test_the_declaration_states_the_counts_of_the_table(folder: Path, listings: Rows) -> None:
    declared = tomllib.loads((folder / "dataset.toml").read_text(encoding="utf-8"))
    assert declared["name"] == "demo"
    assert declared["table"] == "listings.csv"
    assert declared["currency"] == "SGD"
    labels = {row["label"] for row in listings.values()}
    assert declared["expected"] == {"listings": len(listings), "classes": len(labels)}
    assert len(labels) == 12


def test_what_a_killed_demo_left_in_its_folder_is_no_content(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / ".shop-a1234567" / "whole").mkdir(parents=True)
    write_demo(tmp_path / "shop", listings=120)
    assert not list((tmp_path / "shop").glob(".*"))


def test_only_the_demo_is_left_in_its_folder_and_beside_it(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {
        "README.md", "dataset.toml", "images", "listings.csv", "truth.csv",
    }  # fmt: skip
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_same_seed_gives_the_same_files_even_in_an_empty_folder_that_exists(folder: Path, tmp_path: Path) -> None:
    done: list[tuple[int, int]] = []
    again = write_demo(
        tmp_path, listings=120, seed=3, reporter=Listener(progress=lambda *step: done.append(step))
    ).folder
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    same, different, missing = filecmp.cmpfiles(folder, again, names, shallow=False)
    assert (len(same), different, missing) == (124, [], [])
    assert {path.relative_to(again).as_posix() for path in again.rglob("*") if path.is_file()} == set(names)
    assert done == [(step, 120) for step in range(1, 121)]


def test_another_seed_gives_another_shop(folder: Path, tmp_path: Path) -> None:
    other = write_demo(tmp_path / "other", listings=120, seed=4).folder
    for name in ("listings.csv", "truth.csv"):
        assert (folder / name).read_bytes() != (other / name).read_bytes()
    names = [path.name for path in (folder / "images").iterdir()]
    same, _, missing = filecmp.cmpfiles(folder / "images", other / "images", names, shallow=False)
    assert not missing
    assert all((folder / "images" / name).stat().st_size < 100 for name in same)


def test_every_kind_is_planted_and_counted(summary: DemoSummary, truth: Rows) -> None:
    counts = Counter(kind for row in truth.values() for kind in row["issues"].split(";") if kind)
    assert dict(counts) == summary.planted
    assert set(counts) == KINDS
    assert min(counts.values()) >= 3


def test_the_summary_can_be_written_as_json_and_not_changed(summary: DemoSummary, folder: Path) -> None:
    assert json.loads(json.dumps(summary.to_dict())) == {
        "folder": str(folder), "listings": 120, "planted": summary.planted,
    }  # fmt: skip
    with pytest.raises(FrozenInstanceError):
        summary.listings = 0  # type: ignore[misc]


def test_most_listings_are_sound(truth: Rows) -> None:
    assert sum(not row["issues"] for row in truth.values()) > 120 * 0.6


def test_a_label_issue_is_a_label_that_is_not_true(listings: Rows, truth: Rows) -> None:
    wrong = {id_ for id_, row in truth.items() if row["true_label"] != listings[id_]["label"]}
    assert wrong == {id_ for id_, row in truth.items() if "label" in row["issues"].split(";")}


def test_a_price_issue_is_a_price_that_is_not_true(listings: Rows, truth: Rows) -> None:
    wrong = {id_ for id_, row in truth.items() if float(row["true_price"]) != float(listings[id_]["price"])}
    assert wrong == {id_ for id_, row in truth.items() if "price" in row["issues"].split(";")}
    assert all(float(row["true_price"]) > 0 for row in truth.values())


def test_price_issues_are_factors_of_ten_or_placeholders(listings: Rows, truth: Rows) -> None:
    given = [
        (float(listings[id_]["price"]), float(row["true_price"]))
        for id_, row in truth.items()
        if row["issues"] == "price"
    ]
    slips = [(price, true) for price, true in given if price not in (0, 1, 123456)]
    assert {price for price, _ in given} >= {0, 1, 123456}
    for price, true in slips:
        # prices are written in cents
        assert any(price == pytest.approx(true * factor, abs=0.006) for factor in (0.01, 0.1, 10, 100))


def test_toys_and_cheap_accessories_are_listed_as_laptops(listings: Rows, truth: Rows) -> None:
    cheap = {id_: row for id_, row in truth.items() if row["note"].endswith("listed as a laptop")}
    assert "other" in {row["true_label"] for row in cheap.values()}
    assert len({row["true_label"] for row in cheap.values()}) > 1
    for id_ in cheap:
        assert listings[id_]["label"] == "Laptops & Notebooks"
        assert 5 <= float(listings[id_]["price"]) <= 30


def test_indirect_images_are_laptops_under_the_right_label(listings: Rows, truth: Rows) -> None:
    sheets = [id_ for id_, row in truth.items() if row["issues"] == "indirect_image"]
    assert {listings[id_]["label"] for id_ in sheets} == {"Laptops & Notebooks"}


def test_a_repost_shows_a_sound_listing_again(folder: Path, listings: Rows, truth: Rows) -> None:
    reposts = {id_: row["duplicate_of"] for id_, row in truth.items() if row["duplicate_of"]}
    assert set(reposts) == {id_ for id_, row in truth.items() if "near_duplicate" in row["issues"].split(";")}
    copies = 0
    for repost, original in reposts.items():
        assert truth[original]["issues"] == ""
        assert truth[repost]["true_label"] == truth[original]["true_label"]
        assert listings[repost]["title"] != listings[original]["title"]
        assert float(listings[repost]["price"]) == pytest.approx(float(listings[original]["price"]), rel=0.15)
        copies += filecmp.cmp(folder / listings[repost]["image"], folder / listings[original]["image"], shallow=False)
    assert 2 <= copies < len(reposts)
    assert {truth[repost]["issues"] for repost in reposts} == {"near_duplicate", "label;near_duplicate"}


def test_unreadable_files_do_not_decode_and_all_others_do(folder: Path, listings: Rows, truth: Rows) -> None:
    broken = {id_ for id_, row in listings.items() if not decodes(folder / row["image"])}
    assert broken == {id_ for id_, row in truth.items() if row["issues"] == "unreadable"}


def test_office_printers_are_expensive_and_sound(listings: Rows, truth: Rows) -> None:
    office = [id_ for id_, row in truth.items() if row["note"] == "genuine office printer"]
    assert len(office) >= 3
    for id_ in office:
        assert truth[id_]["issues"] == ""
        assert listings[id_]["label"] == "Printers Scanners & Copiers"
        assert 2500 <= float(listings[id_]["price"]) <= 9000


def test_neither_ids_nor_the_order_of_rows_reveal_the_class(listings: Rows) -> None:
    in_rows = [row["label"] for row in listings.values()]
    by_id = [listings[id_]["label"] for id_ in sorted(listings)]
    for labels in (in_rows, by_id):
        neighbours = sum(one == other for one, other in itertools.pairwise(labels))
        # sorted by class, about 108 of the 119 neighbours would be the same; in random order about 12
        assert neighbours < 30
    assert list(listings) != sorted(listings)
    assert sorted(listings) == [f"L{number:05d}" for number in range(1, 121)]


def test_a_folder_that_holds_something_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match=r"holds 'mine\.txt'; wanted a new or empty folder"):
        write_demo(tmp_path / "shop", listings=120)
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == ["shop", "shop/mine.txt"]


@pytest.mark.parametrize(("wrong", "message"), [({"listings": 119}, "got 119; wanted 120"), ({"seed": -1}, "got -1")])
def test_impossible_numbers_are_refused_before_anything_is_written(
    wrong: dict[str, int], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        write_demo(tmp_path / "shop", **wrong)
    assert not list(tmp_path.iterdir())


def test_an_interrupted_demo_leaves_nothing_behind(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_demo(tmp_path / "shop", listings=120, reporter=Listener(progress=stop))
    assert not list(tmp_path.iterdir())
