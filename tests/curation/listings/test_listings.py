"""Reading listings: every form of DATASET gives the same checked table, and what is wrong is said at once."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from curation.errors import ListingsError
from curation.listings import Listings, read_listings
from curation.listings.sources import RUN_COLUMNS

Rows = list[dict[str, Any]]
FIELDS = ["id", "image", "label", "price", "title", "group", "split"]


def good_rows() -> Rows:
    """Ten listings of three classes, one of them called NA; the last two are the test set."""
    return [
        {
            "id": f"{number:03}",
            "image": f"photos/{number}.png",
            "label": ["chair", "NA", "None"][number % 3],
            "price": f"{10.5 + number}",
            "title": f"thing {number}, nearly new" if number % 2 else "",
            "group": "ann" if number < 2 else "",
            "split": "test" if number > 7 else "train",
        }
        for number in range(10)
    ]


def draw(folder: Path, rows: Rows, column: str = "image") -> None:
    for number, row in enumerate(rows):
        photo = folder / row[column]
        photo.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), (number * 20, 0, 0)).save(photo)


def write_csv(path: Path, rows: Rows, fields: list[str] | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, fields or list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def folder_with_table(tmp_path: Path, rows: Rows) -> Path:
    draw(tmp_path, good_rows())
    write_csv(tmp_path / "listings.csv", rows)
    return tmp_path


def change(rows: Rows, number: int, **cells: str) -> Rows:
    """Return the rows with one of them changed."""
    return [{**row, **cells} if place == number else row for place, row in enumerate(rows)]


def declared(folder: Path, rows: Rows) -> Path:
    theirs = {"id": "sku", "image": "file", "label": "category", "price": "SGD", "title": "name"}
    renamed = [{theirs.get(ours, ours): value for ours, value in row.items()} for row in rows]
    write_csv(folder / "table" / "items.csv", renamed)
    draw(folder / "table", rows)
    columns = "\n".join(f'{ours} = "{name}"' for ours, name in theirs.items())
    (folder / "dataset.toml").write_text(
        f'name = "things"\ntable = "table/items.csv"\ncurrency = "SGD"\n[columns]\n{columns}\n'
        "[expected]\nlistings = 10\nclasses = 3\n",
        encoding="utf-8",
    )
    return folder


def bare(folder: Path, rows: Rows) -> Path:
    write_csv(folder / "listings.csv", rows)
    draw(folder, rows)
    return folder


def one_csv(folder: Path, rows: Rows) -> Path:
    draw(folder, rows)
    return write_csv(folder / "things.csv", rows)


def csv_from_a_spreadsheet(folder: Path, rows: Rows) -> Path:
    path = one_csv(folder, rows)
    text = path.read_text(encoding="utf-8").replace("id,image,label", "id , image, label")
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode() + b"\r\n")
    return path


def parquet(folder: Path, rows: Rows) -> Path:
    draw(folder, rows)
    table = pd.DataFrame(rows).astype({"price": float, "label": "category"})
    table.mask(table == "").to_parquet(folder / "things.parquet")
    return folder / "things.parquet"


def filtered_parquet(folder: Path, rows: Rows) -> Path:
    """A table that kept the row numbers of a larger one, as pandas does when rows are dropped."""
    path = parquet(folder, rows)
    table = pd.read_parquet(path)
    table.index = pd.Index([7 * place + 5 for place in range(len(table))])
    table.to_parquet(path)
    return path


def parquet_with_ids_as_index(folder: Path, rows: Rows) -> Path:
    path = parquet(folder, rows)
    pd.read_parquet(path).set_index("id").to_parquet(path)
    return path


def jsonl(folder: Path, rows: Rows) -> Path:
    draw(folder, rows)
    cells = [{k: float(v) if k == "price" else v or None for k, v in row.items()} for row in rows]
    (folder / "things.jsonl").write_text("".join(json.dumps(row) + "\n" for row in cells), encoding="utf-8")
    return folder / "things.jsonl"


def metadata(folder: Path, rows: Rows) -> Path:
    draw(folder, rows)
    write_csv(
        folder / "metadata.csv",
        [{"file_name" if name == "image" else name: value for name, value in row.items()} for row in rows],
    )
    return folder


FORMS = [
    declared,
    bare,
    one_csv,
    csv_from_a_spreadsheet,
    parquet,
    filtered_parquet,
    parquet_with_ids_as_index,
    jsonl,
    metadata,
]


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def cells(listings: Listings) -> Rows:
    """Return the table's cells as Python values, missing ones as None."""
    table = listings.table
    return [
        {name: None if pd.isna(value) else value for name, value in row.items()} for row in table.to_dict("records")
    ]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_every_form_of_a_table_gives_the_same_checked_table(form: Callable[[Path, Rows], Path], tmp_path: Path) -> None:
    rows = good_rows()
    listings = read_listings(form(tmp_path, rows))
    assert list(listings.table.columns) == FIELDS
    expected = [{k: float(v) if k == "price" else v or None for k, v in row.items()} for row in rows]
    assert cells(listings) == expected
    assert listings.classes == ("NA", "None", "chair")
    assert listings.problems.empty
    assert all((listings.source.root / image).is_file() for image in listings.table["image"])


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_reading_leaves_every_input_file_as_it_was(form: Callable[[Path, Rows], Path], tmp_path: Path) -> None:
    dataset = form(tmp_path, good_rows())
    before = hashes(tmp_path)
    read_listings(dataset)
    assert hashes(tmp_path) == before


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_bad_rows_name_the_same_listing_in_every_form(form: Callable[[Path, Rows], Path], tmp_path: Path) -> None:
    rows = change(good_rows(), 6, price="-3")
    problems = read_listings(form(tmp_path, rows)).problems
    assert problems[["id", "column", "why"]].to_numpy().tolist() == [["006", "price", "is negative or infinite"]]


def test_the_declaration_gives_name_currency_and_expected_counts(tmp_path: Path) -> None:
    folder = declared(tmp_path, good_rows())
    source = read_listings(folder).source
    assert (source.name, source.currency) == ("things", "SGD")
    assert source.expected == {"listings": 10, "classes": 3}
    assert read_listings(folder / "dataset.toml").source == source


@pytest.mark.parametrize(("parents", "splits"), [(["."], [None]), (["train", "test"], ["train", "test"])])
def test_class_folders_give_a_row_per_photo_and_their_split(
    parents: list[str], splits: list[str | None], tmp_path: Path
) -> None:
    expected = []
    for parent, split in zip(parents, splits, strict=True):
        for label in ["NA", "chair"]:
            for name in ["a.png", "deep/b.PNG"]:
                image = (Path(parent) / label / name).as_posix()
                expected.append({"id": image, "image": image, "label": label, "split": split})
    draw(tmp_path, expected)
    (tmp_path / "README.txt").write_text("not a photo")
    (tmp_path / ".cache").mkdir()
    before = hashes(tmp_path)
    listings = read_listings(tmp_path)
    assert listings.classes == ("NA", "chair")
    assert [{name: row[name] for name in ("id", "image", "label", "split")} for row in cells(listings)] == expected
    assert listings.table[["price", "title", "group"]].isna().all(axis=None)
    assert hashes(tmp_path) == before


def test_metadata_without_ids_takes_the_file_name_for_the_id(tmp_path: Path) -> None:
    rows = [{"file_name": f"{number}.png", "label": "ab"[number % 2]} for number in range(4)]
    draw(tmp_path, rows, "file_name")
    write_csv(tmp_path / "metadata.csv", rows)
    table = read_listings(tmp_path).table
    assert table["id"].tolist() == table["image"].tolist() == ["0.png", "1.png", "2.png", "3.png"]


def test_a_mapped_label_goes_before_the_column_called_label(tmp_path: Path) -> None:
    rows = [{**row, "label_2": "lamp" if row["label"] == "NA" else row["label"]} for row in good_rows()]
    table = read_listings(folder_with_table(tmp_path, rows), columns={"label": "label_2"}).table
    assert table["label"].tolist() == [row["label_2"] for row in rows]
    assert table["input_label"].tolist() == [row["label"] for row in rows]
    assert "label_2" not in table


def test_a_mapping_on_the_command_line_goes_before_the_declared_one(tmp_path: Path) -> None:
    folder = declared(tmp_path, good_rows())
    table = read_listings(folder, columns={"title": "category"}).table
    labels = [row["label"] for row in good_rows()]
    assert table["label"].tolist() == labels
    # a title is never called NA
    assert table["title"].fillna("").tolist() == [label if label == "chair" else "" for label in labels]
    assert table["name"].notna().any()


def test_other_columns_are_kept_as_text(tmp_path: Path) -> None:
    rows = [{**row, "colour": "red", "weight": "007"} for row in good_rows()]
    table = read_listings(folder_with_table(tmp_path, rows)).table
    assert list(table.columns) == [*FIELDS, "colour", "weight"]
    assert set(table["weight"]) == {"007"}


@pytest.mark.parametrize("name", RUN_COLUMNS)
def test_a_column_that_has_a_name_of_the_run_s_own_columns_is_kept_beside_them(name: str, tmp_path: Path) -> None:
    rows = [{**row, name: "40 cm"} for row in good_rows()]
    table = read_listings(folder_with_table(tmp_path, rows)).table
    assert set(table[f"input_{name}"]) == {"40 cm"}
    assert name not in table


def test_reading_twice_gives_the_same_hash_and_another_cell_another_one(tmp_path: Path) -> None:
    folder = bare(tmp_path, good_rows())
    first = read_listings(folder)
    assert (
        first.sha256
        == read_listings(folder).sha256
        == hashlib.sha256((folder / "listings.csv").read_bytes()).hexdigest()
    )
    write_csv(folder / "listings.csv", change(good_rows(), 0, price="11"))
    assert read_listings(folder).sha256 != first.sha256


def test_all_bad_cells_are_found_at_once_with_row_id_column_value_and_why(tmp_path: Path) -> None:
    rows = good_rows() + [{**row, "id": f"1{row['id']}"} for row in good_rows()]
    rows = change(rows, 0, price="-1", split="trains")
    rows = change(rows, 5, label="")
    rows = change(rows, 7, image="photos/none.png", price="cheap")
    rows = change(rows, 19, price="inf")
    listings = read_listings(folder_with_table(tmp_path, rows))
    assert list(listings.problems.columns) == ["row", "id", "column", "value", "why"]
    assert listings.problems.to_numpy().tolist() == [
        [2, "000", "price", "-1", "is negative or infinite"],
        [2, "000", "split", "trains", "is not train or test"],
        [7, "005", "label", "", "is missing"],
        [9, "007", "image", "photos/none.png", "no such file"],
        [9, "007", "price", "cheap", "is not a price"],
        [21, "1009", "price", "inf", "is negative or infinite"],
    ]
    lines = (tmp_path / "listings.csv").read_text(encoding="utf-8").splitlines()
    assert lines[21 - 1].startswith("1009,")


def test_up_to_a_fifth_of_bad_rows_is_accepted_and_their_values_are_missing(tmp_path: Path) -> None:
    rows = change(change(good_rows(), 1, price="free", split="part"), 2, label="")
    listings = read_listings(folder_with_table(tmp_path, rows))
    assert len(listings.table) == len(rows)
    assert listings.table["id"].tolist() == [row["id"] for row in rows]
    assert listings.table["price"].isna().tolist() == [number == 1 for number in range(10)]
    assert listings.table["split"].isna().tolist() == [number == 1 for number in range(10)]
    assert listings.table["label"].isna().tolist() == [number == 2 for number in range(10)]


def test_more_than_a_fifth_of_bad_rows_is_refused_with_all_of_them(tmp_path: Path) -> None:
    rows = good_rows()
    for number in (1, 4, 9):
        rows = change(rows, number, label="")
    with pytest.raises(
        ListingsError, match=r"listings\.csv: 3 of 10 rows are bad.*label is missing in 3 rows: row 3, .*at most 20%"
    ) as caught:
        read_listings(folder_with_table(tmp_path, rows))
    assert caught.value.problems["row"].tolist() == [3, 6, 11]


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ({"price": "-0.01"}, "is negative or infinite"),
        ({"price": "1e999"}, "is negative or infinite"),
        ({"price": "1e308"}, "is more than 1,000,000,000,000,000"),
        ({"price": "1000000000000001"}, "is more than 1,000,000,000,000,000"),
        ({"price": "-inf"}, "is negative or infinite"),
        ({"price": "2 for 20"}, "is not a price"),
        ({"split": "Tests"}, "is not train or test"),
        ({"label": " "}, "is missing"),
        ({"image": ""}, "is missing"),
        ({"image": "photos"}, "is a folder, not a file"),
        ({"image": "https://example.org/1.png"}, "is a URL that is not allowed to be fetched"),
        ({"image": "a photo of " + "x" * 300}, "no such file"),
    ],
)
def test_a_bad_cell_is_one_finding_that_says_why(cell: dict[str, str], why: str, tmp_path: Path) -> None:
    listings = read_listings(folder_with_table(tmp_path, change(good_rows(), 3, **cell)))
    assert listings.problems[["row", "why"]].to_numpy().tolist() == [[5, why]]
    assert listings.problems["column"].tolist() == list(cell)
    assert len(listings.table) == 10


@pytest.mark.parametrize("price", ["0", "1e-3", "123456", " 7 "])
def test_odd_prices_are_not_bad_rows(price: str, tmp_path: Path) -> None:
    listings = read_listings(folder_with_table(tmp_path, change(good_rows(), 3, price=price)))
    assert listings.problems.empty
    assert listings.table["price"][3] == float(price)


def test_a_photo_that_can_not_be_decoded_is_a_good_row(tmp_path: Path) -> None:
    folder = folder_with_table(tmp_path, good_rows())
    (folder / "photos/3.png").write_bytes(b"")
    listings = read_listings(folder)
    assert listings.problems.empty
    assert listings.table["image"][3] == "photos/3.png"


@pytest.mark.parametrize("with_column", [True, False])
def test_photos_may_be_absent_where_they_are_not_needed(with_column: bool, tmp_path: Path) -> None:
    rows = [{**row, "image": ""} for row in good_rows()]
    if not with_column:
        rows = [{name: value for name, value in row.items() if name != "image"} for row in rows]
    listings = read_listings(write_csv(tmp_path / "things.csv", rows), needs_image=False)
    assert listings.table["image"].isna().all()
    assert listings.problems.empty
    with pytest.raises(ListingsError, match="image"):
        read_listings(tmp_path / "things.csv")


def test_no_listing_is_lost_or_moved_among_a_thousand_rows(tmp_path: Path) -> None:
    rows = [{"id": f"{(number * 7919) % 1000}", "label": "ab"[number % 2]} for number in range(1000)]
    table = read_listings(write_csv(tmp_path / "things.csv", rows), needs_image=False).table
    assert table["id"].tolist() == [row["id"] for row in rows]
    assert table["label"].tolist() == [row["label"] for row in rows]


def test_a_declaration_saved_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    folder = declared(tmp_path, good_rows())
    path = folder / "dataset.toml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_listings(folder).source.name == "things"
