"""Columns under other names: recognised where one is meant, asked for all at once where none is."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from curation.cli.spelling import spelled
from curation.errors import ListingsError
from curation.listings import read_listings
from curation.listings.faults import Faults
from curation.listings.mapping import Mapped
from curation.listings.mapping import map_columns as map_columns_to
from curation.listings.recognise import recognise


def map_columns(raw: pd.DataFrame, given: dict[str, str], needed: list[str]) -> Mapped:
    return map_columns_to(raw, given, needed, Faults())


def table(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(columns, dtype="string")


ONE = {"id": ["1", "2"], "image": ["1.jpg", "2.jpg"], "label": ["a", "b"]}


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("sku", "id"), ("SKU", "id"), ("listing_id", "id"), ("Listing ID", "id"), ("listingId", "id"),
        ("item-id", "id"),
        ("category", "label"), ("Category", "label"), ("class", "label"), ("Product category", "label"),
        ("photo", "image"), ("Photo", "image"), ("image_url", "image"), ("file", "image"), ("file_name", "image"),
        ("filename", "image"), ("price_gbp", "price"), ("asking price", "price"), ("Price (GBP)", "price"),
        ("name", "title"), ("description", "title"), ("Product name", "title"), ("subset", "split"),
    ],
)  # fmt: skip
def test_common_names_are_recognised(name: str, ours: str) -> None:
    columns = {theirs: cells for theirs, cells in ONE.items() if theirs != ours}
    cells = ["train", "test"] if ours == "split" else ["x", "y"]
    assert recognise(table(**columns, **{name: cells}), {}).columns == {ours: name}


def test_a_set_that_holds_no_splits_and_a_price_of_no_currency_are_other_columns() -> None:
    assert recognise(table(**ONE, set=["red", "blue"]), {}).columns == {}
    assert recognise(table(**ONE, price_old=["1", "2"]), {}).columns == {}


def test_a_surer_name_wins_and_equally_sure_ones_are_left_to_the_person() -> None:
    assert recognise(table(**ONE, title=["x", "y"], name=["p", "q"]), {}).columns == {}
    assert recognise(table(**ONE, product_name=["x", "y"], name=["p", "q"]), {}).columns == {"title": "product_name"}
    both = recognise(table(**ONE, item_name=["x", "y"], product_name=["p", "q"]), {})
    assert (both.columns, both.doubtful) == ({}, {"title": ["item_name", "product_name"]})


@pytest.mark.parametrize(
    ("names", "ours", "meant"),
    [
        (["main_image_url", "other_image_url1", "other_image_url2"], "image", "main_image_url"),
        (["other_image_url1", "Main Image URL"], "image", "Main Image URL"),
        (["IMAGE1", "IMAGE2", "IMAGE3"], "image", "IMAGE1"),
        (["Photo 2", "Photo 1"], "image", "Photo 1"),
        (["base_image", "small_image", "thumbnail_image"], "image", "base_image"),
        (["main_image_url", "image_1"], "image", "main_image_url"),
        (["item_sku", "external_product_id"], "id", "item_sku"),
        (["seller-sku", "asin1", "listing-id", "product-id"], "id", "listing-id"),
        (["seller-sku", "asin1"], "id", "seller-sku"),
        (["asin1", "asin2"], "id", "asin1"),
    ],
)
def test_of_the_columns_of_a_shop_the_first_photo_and_the_id_of_the_listing_are_meant(
    names: list[str], ours: str, meant: str
) -> None:
    columns = {theirs: cells for theirs, cells in ONE.items() if theirs != ours}
    others = {name: [f"https://x.org/{name}-{row}.jpg" for row in range(2)] for name in names}
    found = recognise(table(**columns, **others), {})
    assert (found.columns, found.doubtful) == ({ours: meant}, {})


def test_two_ids_of_one_rank_are_left_to_the_person_and_an_empty_photo_is_none() -> None:
    rows = {"image": ONE["image"], "label": ONE["label"]}
    both = recognise(table(**rows, item_sku=["x", "y"], sku=["p", "q"]), {})
    assert (both.columns, both.doubtful) == ({}, {"id": ["item_sku", "sku"]})
    rows = {"id": ONE["id"], "label": ONE["label"]}
    other = recognise(table(**rows, main_image_url=[None, None], other_image_url1=ONE["image"]), {})
    assert other.columns == {"image": "other_image_url1"}


def test_what_the_user_maps_is_never_recognised_as_something_else() -> None:
    mapped = map_columns(table(**ONE, name=["x", "y"]), {"group": "name"}, ["id"])
    assert mapped.columns == {"group": "name"}


@pytest.mark.parametrize(("photos", "recognised"), [(8, True), (7, False)])
def test_a_column_holds_photos_when_four_fifths_of_its_cells_do(photos: int, recognised: bool) -> None:
    cells = [f"{number}.jpg" for number in range(photos)] + ["none"] * (10 - photos)
    found = recognise(table(id=range(10), label=["a", "b"] * 5, Bild=cells), {}).columns
    assert (found == {"image": "Bild"}) == recognised


def test_a_column_of_amounts_of_money_is_the_price() -> None:
    assert recognise(table(**ONE, Preis=["12,50 €", "1.200 €"]), {}).columns == {"price": "Preis"}
    assert recognise(table(**ONE, weight=["12", "1200"]), {}).columns == {}


def test_what_was_recognised_can_be_pasted_as_options() -> None:
    renamed = table(SKU=["1", "2"], Photo=["1.jpg", "2.jpg"], Category=["a", "b"], **{"Asking price": ["1", "2"]})
    (note,) = map_columns(renamed, {}, ["id", "image", "label"]).notes
    assert spelled(note) == (
        "Columns recognised by their names: --column id=SKU --column image=Photo --column label=Category "
        "--column 'price=Asking price'"
    )


def test_all_missing_columns_are_asked_for_at_once() -> None:
    with pytest.raises(ListingsError) as caught:
        map_columns(table(a=["1"], b=["2"]), {}, ["id", "image", "label"])
    assert str(caught.value).startswith("the table has no columns 'id' and 'image' and 'label': got a, b")
    assert spelled(str(caught.value)).endswith(
        "Map them with --column id=NAME --column image=NAME --column label=NAME."
    )


def test_columns_that_could_be_a_price_or_a_title_are_mentioned() -> None:
    (note,) = map_columns(table(**ONE, Preis=["1", "2"]), {}, ["id"]).notes
    assert spelled(note) == (
        "No price and no title is used; other columns are Preis. "
        "Map them with --column price=NAME --column title=NAME if one is there."
    )
    assert map_columns(table(**ONE), {}, ["id"]).notes == ()
    assert map_columns(table(**ONE, x=["1", "2"]), {"price": "", "title": ""}, ["id"]).notes == ()


def test_a_column_that_is_switched_off_is_kept_under_another_name() -> None:
    mapped = map_columns(table(**ONE, price=["1", "2"]), {"price": ""}, ["id"])
    assert mapped.table["price"].isna().all()
    assert mapped.table["input_price"].tolist() == ["1", "2"]
    assert mapped.columns == {"price": ""}


def test_photos_without_ids_are_named_by_their_files(tmp_path: Path) -> None:
    rows = table(image=["1.jpg", "2.jpg"], label=["a", "b"])
    mapped = map_columns(rows, {}, ["id", "label"])
    assert mapped.table["id"].tolist() == ["1.jpg", "2.jpg"]
    assert mapped.columns == {"id": "image"}
    for twice in (["1.jpg", "1.jpg"], ["1.jpg", None]):
        with pytest.raises(ListingsError, match="no column 'id'"):
            map_columns(rows.assign(image=twice), {}, ["id", "label"])


@pytest.mark.parametrize(("empty", "photos_are_ids"), [(2, False), (3, True), (4, True)])
@pytest.mark.parametrize("name", ["id", "SKU"])
def test_a_column_of_ids_that_most_listings_lack_is_none(name: str, empty: int, photos_are_ids: bool) -> None:
    ids = [None if row < empty else f"s{row}" for row in range(4)]
    images = [f"{row}.jpg" for row in range(4)]
    mapped = map_columns(table(**{name: ids, "image": images, "label": list("abab")}), {}, ["id", "image", "label"])
    assert mapped.table["id"].fillna("").tolist() == (images if photos_are_ids else [id or "" for id in ids])
    said = f"Most listings have no {name}: the names in image are the ids."
    assert (said in mapped.notes) == photos_are_ids
    chosen = map_columns(table(**{name: ids, "image": images, "label": list("abab")}), {"id": name}, ["id"])
    assert chosen.table["id"].isna().sum() == empty


def test_ids_are_those_of_listings_also_where_most_rows_only_add_a_photo() -> None:
    rows = table(id=["1", None, None, "2"], image=["1.jpg", "2.jpg", "3.jpg", "4.jpg"], label=["a", None, None, "b"])
    assert map_columns(rows.iloc[:3], {}, ["id"]).table["id"].tolist()[0] == "1"


def test_copies_of_a_row_count_once_and_problems_keep_the_numbers_of_their_rows(tmp_path: Path) -> None:
    rows = pd.DataFrame({"id": list("abcdeab"), "label": ["x", "y", "x", "y", "x", "x", "y"], "price": 5})
    rows["price"] = ["5", "6", "7", "8", "cheap", "5", "6"]
    rows.to_csv(tmp_path / "shop.csv", index=False)
    listings = read_listings(tmp_path / "shop.csv", needs_image=False)
    assert listings.table["id"].tolist() == list("abcde")
    assert listings.table.index.tolist() == list(range(5))
    assert "2 rows are copies of another and left out: rows 7, 8." in listings.notes
    assert listings.problems[["row", "id"]].to_numpy().tolist() == [[6, "e"]]


def test_the_same_id_with_another_content_is_refused_with_both_rows(tmp_path: Path) -> None:
    rows = pd.DataFrame({"id": ["a", "b", "a"], "label": ["x", "y", "y"]})
    rows.to_csv(tmp_path / "shop.csv", index=False)
    with pytest.raises(ListingsError, match=r"duplicate ids: got a in row 2 \(label 'x'\), row 4 \(label 'y'\)"):
        read_listings(tmp_path / "shop.csv", needs_image=False)


@pytest.mark.parametrize(
    ("name", "content", "row"),
    [
        ("shop.csv", "id,label,price\na,x,1\n\nb,y,cheap\n", 4),
        ("shop.csv", "sep=,\nid,label,price\na,x,1\nb,y,cheap\n", 4),
        ("shop.csv", "id,label,price\n,,\na,x,1\nb,y,cheap\n", 4),
        ("shop.jsonl", '{"id":"a","label":"x","price":1}\n{"id":"b","label":"y","price":"cheap"}\n', 2),
    ],
)
def test_a_bad_row_has_the_number_that_an_editor_shows(name: str, content: str, row: int, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    assert read_listings(tmp_path / name, needs_image=False).problems["row"].tolist() == [row]


def test_a_bad_row_of_a_dataframe_has_its_place() -> None:
    frame = pd.DataFrame({"id": ["a", "b"], "label": ["x", "y"], "price": ["1", "cheap"]})
    assert read_listings(frame, needs_image=False).problems["row"].tolist() == [1]


def test_a_first_row_that_is_a_listing_is_told_and_no_column_is_suggested(tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text("L1,photos/1.jpg,label lamp,20.86\nL2,photos/2.jpg,sofa,9\n")
    with pytest.raises(ListingsError, match="the table has no header: its first row seems to be a listing") as caught:
        read_listings(tmp_path / "shop.csv")
    assert str(caught.value).endswith("e.g. id, image, label, price. Write one above the listings.")
    for row in (["a", "19.99"], ["a", "£5"], ["https://a.com/1.jpg?x=1", "b"]):
        with pytest.raises(ListingsError, match="no header"):
            map_columns(table(**{name: ["1", "2"] for name in row}), {}, ["label"])
    with pytest.raises(ListingsError, match="no column 'label'"):
        map_columns(table(**{"0": ["1"], "1": ["2"], "v1.2 name": ["3"]}), {}, ["label"])


@pytest.mark.parametrize("name", ["seller", "Seller ID", "vendor", "shopId"])
def test_a_column_that_could_be_the_group_is_named_and_not_used(name: str) -> None:
    raw = table(id=["1", "2", "3"], label=["a", "b", "a"], **{name: ["x", "x", "y"]})
    mapped = map_columns(raw, {}, ["id"])
    said = f"No group is used; {name} may be one, whose listings stay on one side of the test set: "
    assert [note for note in mapped.notes if "group" in note] == [f"{said}`columns={{'group': {name!r}}}`."]
    assert mapped.table["group"].isna().all()
    assert not [note for note in map_columns(raw, {"group": ""}, ["id"]).notes if "group" in note]
    each_its_own = raw.assign(**{name: ["x", "y", "z"]})
    assert not [note for note in map_columns(each_its_own, {}, ["id"]).notes if "group" in note]


def test_a_column_that_could_be_the_split_is_named_and_not_used() -> None:
    raw = table(id=["1", "2"], label=["a", "b"], is_test=["0", "1"])
    mapped = map_columns(raw, {}, ["id"])
    said = "No split is used; if is_test marks the test set, write train and test in a column called split."
    assert said in mapped.notes
    assert mapped.table["split"].isna().all()


def test_the_choice_of_label_studio_is_the_label_where_nothing_surer_is() -> None:
    table = pd.DataFrame({"id": ["1"], "image": ["a.jpg"], "choice": ["lamp"]}, dtype="string")
    assert recognise(table, {}).columns == {"label": "choice"}
    assert recognise(table.assign(Category="x"), {}).columns == {"label": "Category"}
