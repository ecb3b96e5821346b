"""Embeddings that are brought along: joined by id, checked, never taken on trust."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from curation.errors import InputError
from curation.evidence.asked_features import take_features
from curation.evidence.embeddings import read_embeddings
from curation.listings import Listings, read_listings
from tests.support.reporters import Listener
from training.settings import Recipe
from training.utils.arrays import Float32

N, W = 120, 6


@pytest.fixture(scope="module")
def listings(demo: Path) -> Listings:
    return read_listings(demo)


@pytest.fixture(scope="module")
def ids(listings: Listings) -> list[str]:
    return list(listings.table["id"])


VALUES = np.random.default_rng(5).standard_normal((N, W)).astype(np.float32)
Form = Callable[[Path, list[str], Float32], Path]


def npz(path: Path, ids: list[str], values: Float32) -> Path:
    np.savez(path.with_suffix(".npz"), embeddings=values, id=np.array(ids))
    return path.with_suffix(".npz")


def table(ids: list[str], values: Float32) -> pd.DataFrame:
    frame = pd.DataFrame(values, columns=[f"e{number}" for number in range(values.shape[1])])
    frame.insert(0, "id", ids)
    return frame


def csv(path: Path, ids: list[str], values: Float32) -> Path:
    table(ids, values).assign(price=5.0, title="a lamp").to_csv(path.with_suffix(".csv"), index=False)
    return path.with_suffix(".csv")


def parquet(path: Path, ids: list[str], values: Float32) -> Path:
    table(ids, values).to_parquet(path.with_suffix(".parquet"))
    return path.with_suffix(".parquet")


def lists(path: Path, ids: list[str], values: Float32) -> Path:
    pd.DataFrame({"embedding": list(values), "id": ids}).to_parquet(path.with_suffix(".parquet"))
    return path.with_suffix(".parquet")


def lists_as_text(path: Path, ids: list[str], values: Float32) -> Path:
    frame = pd.DataFrame({"id": ids, "vector": [str(row.tolist()) for row in values]})
    frame.to_csv(path.with_suffix(".csv"), index=False)
    return path.with_suffix(".csv")


def fields(path: Path, ids: list[str], values: Float32) -> Path:
    array = np.zeros(len(ids), dtype=[("id", "U40"), ("emb", np.float32, (values.shape[1],))])
    array["id"], array["emb"] = ids, values
    np.save(path.with_suffix(".npy"), array)
    return path.with_suffix(".npy")


FORMS = [npz, csv, parquet, lists, lists_as_text, fields]
by_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)


def assert_refused(given: Any, listings: Listings, *parts: str) -> None:
    with pytest.raises(InputError) as caught:
        read_embeddings(given, listings)
    assert "\n" not in str(caught.value)
    assert caught.value.parameter == "features"
    for part in parts:
        assert part in str(caught.value)


@by_form
def test_rows_may_come_in_any_order(form: Form, listings: Listings, ids: list[str], tmp_path: Path) -> None:
    rows = np.random.default_rng(3).permutation(N)
    path = form(tmp_path / "e", [ids[row] for row in rows], VALUES[rows])
    read = read_embeddings(path, listings)
    assert read.ids == ids
    np.testing.assert_array_equal(read.values, VALUES)
    assert read.origin == str(path.resolve())
    np.testing.assert_array_equal(read.in_order(ids[::-1]), VALUES[::-1])


def test_a_plain_array_has_a_row_for_each_listing_in_their_order(
    listings: Listings, ids: list[str], tmp_path: Path
) -> None:
    np.save(tmp_path / "e.npy", VALUES)
    np.testing.assert_array_equal(read_embeddings(tmp_path / "e.npy", listings).values, VALUES)
    np.save(tmp_path / "e.npy", VALUES[1:])
    assert_refused(tmp_path / "e.npy", listings, "another number of rows", "got 119; wanted 120", "np.savez(")


def test_tables_and_arrays_in_memory_are_read_the_same_way(listings: Listings, ids: list[str]) -> None:
    for given in (table(ids, VALUES), table(ids, VALUES).set_index("id"), VALUES.astype(np.float64)):
        np.testing.assert_array_equal(read_embeddings(given, listings).values, VALUES)


@pytest.mark.parametrize("called", ["features", "emb", "arr_0", "Vectors"])
@pytest.mark.parametrize("ids_called", ["ids", "sku", "listing_id"])
def test_parts_of_an_npz_may_have_other_names(
    called: str, ids_called: str, listings: Listings, ids: list[str], tmp_path: Path
) -> None:
    np.savez(tmp_path / "e.npz", **{called: VALUES, ids_called: np.array(ids)})
    lines: list[str] = []
    read_embeddings(tmp_path / "e.npz", listings, Listener(lines.append))
    assert lines == [f"Parts of e.npz under other names are read: {called} as embeddings, {ids_called} as id."]


def test_rows_of_other_listings_are_left_out_and_counted(listings: Listings, ids: list[str], tmp_path: Path) -> None:
    path = npz(tmp_path / "e", ["other", *ids, "another"], np.concatenate([VALUES[:1], VALUES, VALUES[:1]]))
    lines: list[str] = []
    read = read_embeddings(path, listings, Listener(lines.append))
    np.testing.assert_array_equal(read.values, VALUES)
    assert lines == ["Rows of e.npz that are of no listing are left out: 2, e.g. 'other'."]


def test_ids_that_match_no_listing_are_refused(listings: Listings, ids: list[str], tmp_path: Path) -> None:
    path = npz(tmp_path / "e", [f"x{number}" for number in range(N)], VALUES)
    assert_refused(
        path, listings, "don't match the listings: got 120 ids, the first 'x0', 'x1', 'x2'; none of them is a"
    )
    photos = [str(image) for image in listings.table["image"]]
    assert_refused(
        npz(tmp_path / "e", photos, VALUES), listings, "names of photos: give the id of each listing instead, e.g."
    )


def test_listings_with_a_photo_need_a_row_and_others_do_not(
    listings: Listings, ids: list[str], demo: Path, tmp_path: Path
) -> None:
    truth = pd.read_csv(demo / "truth.csv", keep_default_na=False)
    unreadable = truth.loc[truth["issues"].str.contains("unreadable"), "id"].tolist()
    kept = np.array([id not in unreadable for id in ids])
    some = [id for id, keep in zip(ids, kept, strict=True) if keep]
    assert 0 < len(some) < N
    read = read_embeddings(npz(tmp_path / "e", some, VALUES[kept]), listings)
    np.testing.assert_array_equal(np.isnan(read.values).all(axis=1), ~kept)
    assert_refused(npz(tmp_path / "e", some[1:], VALUES[kept][1:]), listings, "e.npz lacks", f"none for {some[0]}")
    # a row of NaN is none
    holed = VALUES.copy()
    holed[kept.argmax()] = np.nan
    assert_refused(npz(tmp_path / "e", ids, holed), listings, f"none for {some[0]} (1 of 120)")


@pytest.mark.parametrize(("number", "shown"), [(np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf"), (1e39, "1e+39")])
def test_numbers_that_are_not_finite_are_refused(
    number: float, shown: str, listings: Listings, ids: list[str], tmp_path: Path
) -> None:
    values = VALUES.astype(np.float64)
    values[4, 2] = values[9, 1] = number
    path = npz(tmp_path / "e", ids, values)  # type: ignore[arg-type]
    assert_refused(path, listings, "missing, infinite or too large", f"got {shown} for id {ids[4]} (2 listings in all)")
    advice = "leave all numbers empty" if np.isnan(number) else "in half precision they overflow"
    assert_refused(path, listings, advice)


def test_duplicate_ids_are_read_once_if_they_agree(listings: Listings, ids: list[str], tmp_path: Path) -> None:
    path = npz(tmp_path / "e", [*ids, ids[3]], np.concatenate([VALUES, VALUES[3:4]]))
    np.testing.assert_array_equal(read_embeddings(path, listings).values, VALUES)
    path = npz(tmp_path / "e", [*ids, ids[3]], np.concatenate([VALUES, VALUES[5:6]]))
    assert_refused(path, listings, f"duplicate ids with different numbers: got {ids[3]} (1 in all)")


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        (VALUES[:, 0], ["does not hold one vector for each listing", "shape (120,)"]),
        (VALUES.reshape(N, 2, 3), ["shape (120, 2, 3)", "embeddings.mean(axis=1)"]),
        (VALUES[:, :1], ["one number for each listing", "wanted at least 2"]),
        (VALUES[:, :0], ["has no numbers"]),
        (np.ones_like(VALUES), ["the same numbers for all listings: got 120 equal rows", "given the photos?"]),
        (VALUES.astype(np.complex64), ["the wrong type: got dtype complex64"]),
        (VALUES.astype(str), ["the wrong type: got dtype <U"]),
    ],
)
def test_arrays_that_are_no_embeddings_are_refused(
    values: Any, parts: list[str], listings: Listings, ids: list[str], tmp_path: Path
) -> None:
    assert_refused(npz(tmp_path / "e", ids, values), listings, "e.npz", *parts)
    assert_refused(values, listings, "features", *parts)


@by_form
def test_embeddings_without_rows_are_refused(form: Form, listings: Listings, tmp_path: Path) -> None:
    path = form(tmp_path / "e", [], VALUES[:0])
    assert_refused(path, listings, f"{path.name} has no rows: got shape (0, ", "wanted a row for each listing. Was")


def test_embeddings_in_memory_without_rows_are_refused(listings: Listings) -> None:
    for given in (VALUES[:0], table([], VALUES[:0]), pd.DataFrame()):
        assert_refused(given, listings, "features has no rows")


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        (
            ["e0", "e1", "e3", "e4"],
            "lacks column e2: got e0 to e4 without it; wanted columns that are numbered without",
        ),
        (["e08", "e09", "e12", "e13"], "lacks column e10: got e08 to e13 without it (2 missing)"),
        (["0", "1", str(10**12)], "lacks column 2: got 0 to 1000000000000 without it (999,999,999,998 missing)"),
        (["e0", "e1", "e1"], "has two columns of one name: got e1. Rename"),
    ],
)
def test_numbered_columns_have_no_gap(numbers: list[str], said: str, listings: Listings, ids: list[str]) -> None:
    frame = pd.DataFrame(VALUES[:, : len(numbers)], columns=numbers, index=ids)
    assert_refused(frame, listings, f"features {said}")


def test_numbered_columns_may_begin_with_any_number(listings: Listings, ids: list[str]) -> None:
    frame = pd.DataFrame(VALUES, columns=[f"e{number}" for number in range(5, 5 + W)], index=ids)
    np.testing.assert_array_equal(read_embeddings(frame, listings).values, VALUES)


@pytest.mark.parametrize("others", [("features",), ("arr_0", "emb")])
def test_an_npz_with_several_embeddings_is_ambiguous(
    others: tuple[str, ...], listings: Listings, ids: list[str], tmp_path: Path
) -> None:
    np.savez(tmp_path / "e.npz", embeddings=VALUES, id=np.array(ids), **dict.fromkeys(others, VALUES))
    assert_refused(tmp_path / "e.npz", listings, "e.npz has several arrays of embeddings: got embeddings", "wanted one")


@pytest.mark.parametrize("scale", [1e-300, 1e-38, 2.0**-110])
def test_the_scale_of_embeddings_does_not_matter(scale: float, listings: Listings, ids: list[str]) -> None:
    values = VALUES.astype(np.float64) * scale
    read = read_embeddings(values, listings).values
    np.testing.assert_allclose(read / read[0, 0], VALUES / VALUES[0, 0], rtol=1e-5)


def test_embeddings_are_not_scaled_where_float32_holds_their_digits(listings: Listings) -> None:
    values = VALUES.astype(np.float64) * 2.0**-90
    np.testing.assert_array_equal(read_embeddings(values, listings).values, values.astype(np.float32))


def test_embeddings_whose_columns_are_the_listings_are_refused_with_the_way_to_turn_them(
    listings: Listings, ids: list[str], tmp_path: Path
) -> None:
    assert_refused(VALUES.T, listings, "got 6; wanted 120, in their order. Its columns are listings: give embeddings.T")
    assert_refused(npz(tmp_path / "e", ids, VALUES.T), listings, "got 120 ids, 6 rows", "give embeddings.T")


def test_two_numbers_for_each_listing_are_enough(listings: Listings, ids: list[str], tmp_path: Path) -> None:
    assert read_embeddings(npz(tmp_path / "e", ids, VALUES[:, :2]), listings).values.shape == (N, 2)


def test_python_objects_are_never_opened(listings: Listings, ids: list[str], tmp_path: Path) -> None:
    np.savez(tmp_path / "e.npz", embeddings=VALUES, id=np.array(ids, dtype=object))
    assert_refused(tmp_path / "e.npz", listings, "may run code", "embeddings=embeddings, id=np.array(ids, dtype=str)")
    np.save(tmp_path / "e.npy", np.array([*VALUES, None], dtype=object)[:-1], allow_pickle=True)
    assert_refused(tmp_path / "e.npy", listings, "may run code", "embeddings.astype(float)")
    pd.DataFrame(VALUES).to_pickle(tmp_path / "e.pkl")
    assert_refused(tmp_path / "e.pkl", listings, "e.pkl can't be read: got .pkl; wanted .npz, .npy, or a table")


def test_files_without_embeddings_are_refused_by_what_they_lack(
    listings: Listings, ids: list[str], tmp_path: Path
) -> None:
    assert_refused(
        tmp_path / "none.npz", listings, "there is no such file of embeddings", "wanted .npz", "Give the path"
    )
    assert_refused(
        tmp_path, listings, "is a folder, not a file of embeddings: wanted .npz", "Give the path of the file"
    )
    np.savez(tmp_path / "e.npz", embeddings=VALUES)
    assert_refused(tmp_path / "e.npz", listings, "e.npz lacks id: got embeddings; wanted embeddings, id")
    (tmp_path / "e.npz").write_bytes(b"no archive")
    assert_refused(
        tmp_path / "e.npz", listings, "e.npz can't be read: got it is no .npz", "wanted .npz", "Save it again"
    )
    assert_refused(tmp_path / "f.npz", listings, "there is no such file", f"Did you mean '{tmp_path / 'e.npz'}'?")
    assert_refused(tmp_path, listings, f"There are {tmp_path / 'e.npz'}.")
    frame = pd.DataFrame({"id": ids, "price": VALUES[:, 0], "width": VALUES[:, 1]})
    assert_refused(
        frame, listings, "does not say which columns are the embeddings: got price, width; wanted columns that"
    )
    two = table(ids, VALUES).join(pd.DataFrame(VALUES).add_prefix("dino_"))
    assert_refused(two, listings, "got e0 to e5, dino_0 to dino_5", "with + between")
    assert_refused(
        pd.DataFrame(VALUES, index=[f"x{n}" for n in range(N)]).reset_index(drop=True), listings, "has no column 'id'"
    )


def test_lists_of_different_lengths_and_shortened_ones_are_refused(listings: Listings, ids: list[str]) -> None:
    rows = [row.tolist() for row in VALUES]
    assert_refused(
        pd.DataFrame({"id": ids, "embedding": [*rows[:-1], rows[-1][1:]]}),
        listings,
        f"are not equally long: got 5 numbers for id {ids[-1]}; wanted 6",
    )
    shortened = [*map(str, rows[:-1]), "[0.1 0.2 ... 0.3]"]
    assert_refused(
        pd.DataFrame({"id": ids, "embedding": shortened}), listings, f"other cells for {ids[-1]}", "shortened when"
    )


# what is asked for


def test_names_and_files_are_told_apart(tmp_path: Path) -> None:
    recipe, given = take_features(Recipe(features="patches"), None)
    assert (recipe.features, given) == ("patches", {})
    recipe, given = take_features(Recipe(features="lite0 + sub/clip.npz+resnet18+dino.csv.gz"), None)
    assert recipe.features == "lite0+embeddings:clip.npz+resnet18+embeddings:dino.csv.gz"
    assert list(given.values()) == [Path("sub/clip.npz"), Path("dino.csv.gz")]
    # as a run records it
    assert take_features(Recipe(features="embeddings:clip.npz"), None)[1] == {"embeddings:clip.npz": Path("clip.npz")}
    recipe, given = take_features(Recipe(), ["lite0", VALUES, table([], VALUES[:0])])
    assert recipe.features == "lite0+embeddings:array+embeddings:table2"
    file = tmp_path / "a+b.npz"
    file.write_bytes(b"")
    assert take_features(Recipe(), str(file))[0].features == "embeddings:a_b.npz"
    (tmp_path / "e+f").mkdir()
    deeper = file.rename(tmp_path / "e+f" / "a+b.npz")
    recipe, given = take_features(Recipe(), f"lite0 + {deeper} +resnet18+other.npz")
    assert recipe.features == "lite0+embeddings:a_b.npz+resnet18+embeddings:other.npz"
    assert list(given.values()) == [deeper, Path("other.npz")]


@pytest.mark.parametrize(
    ("recipe", "asked", "message"),
    [
        (Recipe(features="patches"), "lite0", "features are given twice: got also 'patches' of the recipe"),
        (Recipe(), "a/clip.npz+b/clip.npz", "features have two files of one name: got clip.npz"),
        (Recipe(), [], "features are an empty list"),
    ],
)
def test_what_contradicts_itself_is_refused(recipe: Recipe, asked: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        take_features(recipe, asked)
    assert caught.value.parameter == "features"
