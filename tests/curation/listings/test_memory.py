"""Listings from tables in memory: a DataFrame, or a dataset of Hugging Face."""

from pathlib import Path

import datasets
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from curation.errors import ListingsError
from curation.listings import read_listings


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Six photos in the folder photos/ below the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for row in range(6):
        Image.new("RGB", (8, 8), (row * 8, 100, 20)).save(tmp_path / f"photos/{row}.png")
    return tmp_path / "photos"


def table():
    return pd.DataFrame(
        {
            "id": [f"L{row}" for row in range(6)],
            "image": [f"photos/{row}.png" for row in range(6)],
            "label": pd.Categorical(["lamp", "sofa"] * 3),
            "price": [20.5, 7, np.nan, 3, 0, 12],
        }
    )


def test_a_data_frame_gives_the_listings_that_its_file_gives(photos):
    table().to_csv("shop.csv", index=False)
    of_file, of_frame = read_listings("shop.csv"), read_listings(table())
    pd.testing.assert_frame_equal(of_frame.table, of_file.table)
    assert (of_frame.classes, of_frame.source.name) == (of_file.classes, "listings")


def test_a_data_frame_stays_as_it_was(photos):
    frame = table()
    read_listings(frame)
    pd.testing.assert_frame_equal(frame, table())


def test_row_numbers_of_a_larger_table_and_rows_that_are_joined_are_no_matter(photos):
    expected = read_listings(table()).table
    cut = table().set_index(pd.Index([9, 3, 3, 12, 5, 7]))
    pd.testing.assert_frame_equal(read_listings(cut).table, expected)


def test_an_index_with_a_name_is_a_column(photos):
    pd.testing.assert_frame_equal(read_listings(table().set_index("id")).table, read_listings(table()).table)


def test_an_index_that_may_hold_the_ids_but_has_no_name_is_refused(photos):
    unnamed = table().set_index("id").rename_axis(None)
    with pytest.raises(ListingsError, match=r"index without a name: got 'L0', ….*rename_axis\(\"id\"\)") as caught:
        read_listings(unnamed)
    assert caught.value.parameter == "source"


@pytest.mark.parametrize(
    ("frame", "match", "parameter"),
    [
        (table().drop(columns="label"), "no column 'label': got id, image, price", "columns"),
        (table().assign(id="L1"), "the table has duplicate ids: got L1", "source"),
        (table().assign(id=[None, *table()["id"][1:]]), "the table has missing ids", "source"),
        (table().iloc[:0], r"the table is empty: got shape \(0, 4\)", "source"),
        (table().rename(columns={"price": "label"}), "two columns called 'label'", "source"),
        (table().assign(label="lamp"), "one class only", "source"),
        (table().assign(image="gone.png"), "6 of 6 rows are bad", "source"),
        ([{"id": 1}], "can't be read from this: got list; wanted a path, a DataFrame", "source"),
        (None, "can't be read from this: got NoneType", "source"),
    ],
)
def test_what_is_no_table_of_listings_is_refused_with_the_argument_at_fault(photos, frame, match, parameter):
    with pytest.raises(ListingsError, match=match) as caught:
        read_listings(frame)
    assert caught.value.parameter == parameter


def test_columns_of_a_data_frame_are_mapped(photos):
    other = table().rename(columns={"id": "sku", "label": "category"})
    listings = read_listings(other, columns={"id": "sku", "label": "category"})
    assert listings.table["id"].tolist() == table()["id"].tolist()


def test_photos_are_looked_for_below_the_root_that_is_named(photos, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    with pytest.raises(ListingsError, match="6 of 6 rows are bad"):
        read_listings(table())
    assert read_listings(table(), root=str(photos.parent), name="shop").source.name == "shop"


def test_photos_that_are_elsewhere_are_refused_with_the_folder_that_was_searched(photos):
    moved = table().assign(image=[f"{row}.png" for row in range(6)])
    Path("some").mkdir()
    photos.rename("some/photos")
    with pytest.raises(
        ListingsError, match=r"photos were looked for in .*; wanted .*pass the folder of the photos as root"
    ):
        read_listings(moved)
    assert read_listings(moved, root="some/photos").problems.empty


def test_absolute_paths_of_photos_need_no_root(photos, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    absolute = table().assign(image=[str(photos / f"{row}.png") for row in range(6)])
    assert read_listings(absolute).source.root == photos


@pytest.mark.parametrize("parameter", ["root", "name"])
def test_what_is_for_tables_in_memory_is_refused_with_a_path(photos, parameter):
    table().to_csv("shop.csv", index=False)
    with pytest.raises(ListingsError, match=f"{parameter} has no effect") as caught:
        read_listings("shop.csv", **{parameter: "x"})
    assert caught.value.parameter == parameter


def test_a_dataset_of_hugging_face_gives_its_class_names_and_paths(photos):
    features = datasets.Features(
        {
            "id": datasets.Value("string"),
            "image": datasets.Image(),
            "label": datasets.ClassLabel(names=["lamp", "sofa"]),
            "price": datasets.Value("float64"),
        }
    )
    rows = table().assign(label=[0, 1, 0, 1, -1, 1], image=[str(photos / f"{row}.png") for row in range(6)])
    given = datasets.Dataset.from_pandas(rows, features=features)
    listings = read_listings(given)
    assert listings.classes == ("lamp", "sofa")
    assert listings.table["label"].isna().tolist() == [False] * 4 + [True, False]
    assert [Path(image).name for image in listings.table["image"]] == [f"{row}.png" for row in range(6)]


def holding(images, **columns):
    """Return a dataset that holds its photos."""
    count = len(images)
    columns = {"label": ["lamp", "sofa"] * (count // 2), **columns}
    features = {name: datasets.Value("string") for name in columns} | {"image": datasets.Image()}
    given = datasets.Dataset.from_dict({"image": images, **columns}, features=datasets.Features(features))
    # as it comes from a hub: the files' content is in the table
    return given.map(lambda row: row, batched=True) if count else given


def test_photos_that_a_dataset_holds_are_written_once_and_keep_their_bytes(photos):
    images = [Image.new("RGB", (8, 8), (row * 8, 0, 0)) for row in range(4)]
    given = holding(images)
    stored = [photo["bytes"] for photo in given.cast_column("image", datasets.Image(decode=False))["image"]]
    listings = read_listings(given)
    folder = photos.parent / "listings-photos"
    assert [(folder / name).read_bytes() for name in listings.table["image"]] == stored
    assert listings.source.root == Path("listings-photos")
    written = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert len(written) == 4
    again = read_listings(given.shuffle(seed=1), root="listings-photos")
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == written
    assert set(again.table["image"]) == set(listings.table["image"])


def test_rows_of_a_dataset_without_ids_are_numbered(photos):
    images = [Image.new("RGB", (8, 8), (row * 8, 0, 0)) for row in range(4)]
    assert read_listings(holding(images)).table["id"].tolist() == ["0", "1", "2", "3"]
    given = holding(images, id=["a", "b", "c", "d"], sku=["e", "f", "g", "h"])
    assert read_listings(given).table["id"].tolist() == ["a", "b", "c", "d"]
    assert read_listings(given, columns={"id": "sku"}).table["id"].tolist() == ["e", "f", "g", "h"]


def test_photos_of_a_dataset_under_another_name_in_another_folder(photos):
    images = [*(Image.new("RGB", (8, 8), (row * 8, 0, 0)) for row in range(5)), None]
    given = holding(images).rename_column("image", "photo")
    listings = read_listings(given, columns={"image": "photo"}, root=Path("kept"), name="shop")
    assert [(Path("kept") / name).is_file() for name in listings.table["image"][:5]] == [True] * 5
    assert listings.problems[["id", "column", "why"]].values.tolist() == [["5", "image", "is missing"]]


def test_a_photo_of_a_dataset_that_is_none_is_a_listing_like_others(photos):
    given = datasets.Dataset.from_dict(
        {"image": [{"bytes": b"no photo", "path": None}, {"bytes": b"", "path": "x.jpg"}], "label": ["lamp", "sofa"]},
        features=datasets.Features({"image": datasets.Image(), "label": datasets.Value("string")}),
    )
    names = read_listings(given).table["image"]
    assert [(Path("listings-photos") / name).read_bytes() for name in names] == [b"no photo", b""]
    assert Path(names[1]).suffix == ".jpg"


def test_photos_that_can_not_be_written_are_refused_with_the_folder(photos):
    Path("taken").write_text("a file")
    with pytest.raises(ListingsError, match="the photos of the dataset can't be written: got taken") as caught:
        read_listings(holding([Image.new("RGB", (8, 8))] * 2), root="taken")
    assert caught.value.parameter == "root"


def test_a_dictionary_of_splits_is_refused_with_the_way_to_take_one(photos):
    splits = datasets.DatasetDict({"train": datasets.Dataset.from_dict({"id": ["a"]})})
    with pytest.raises(ListingsError, match=r"a dictionary of splits.*dataset\[\"train\"\]"):
        read_listings(splits)
