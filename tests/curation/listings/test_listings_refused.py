"""Datasets that are refused, each with what, got, wanted and the next step."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from curation.errors import ListingsError
from curation.listings import read_listings
from tests.curation.listings.test_listings import (
    FIELDS,
    Rows,
    bare,
    change,
    declared,
    draw,
    folder_with_table,
    good_rows,
    jsonl,
    parquet,
    write_csv,
)


@pytest.mark.parametrize("name", ["nothing.csv", "nothing", "nothing.parquet"])
def test_a_missing_table_is_refused_with_the_forms_there_are(name: str, tmp_path: Path) -> None:
    with pytest.raises(ListingsError, match=r"there is no such dataset: got .*nothing.*class folders"):
        read_listings(tmp_path / name)


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "things.docx").write_bytes(b"PK")
    with pytest.raises(ListingsError, match=r"got \.docx; wanted \.csv, \.tsv, \.txt, \.parquet, \.jsonl"):
        read_listings(tmp_path / "things.docx")


def test_a_file_that_is_not_what_its_ending_says_is_refused(tmp_path: Path) -> None:
    (tmp_path / "things.xlsx").write_bytes(b"PK")
    with pytest.raises(ListingsError, match=r"things\.xlsx can't be read: got it is no Excel file"):
        read_listings(tmp_path / "things.xlsx")


def test_a_folder_without_table_or_photos_is_refused(tmp_path: Path) -> None:
    (tmp_path / "chair").mkdir()
    with pytest.raises(ListingsError, match="holds no listings: got no photos in class folders"):
        read_listings(tmp_path)


def test_a_missing_column_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    rows = [{"labl" if name == "label" else name: value for name, value in row.items()} for row in good_rows()]
    with pytest.raises(ListingsError, match=r"the table has no column 'label'.*Did you mean 'labl'\?"):
        read_listings(folder_with_table(tmp_path, rows))


def test_a_missing_column_that_resembles_none_is_refused_with_the_argument_that_maps_one(tmp_path: Path) -> None:
    rows = [{"kategorie" if name == "label" else name: value for name, value in row.items()} for row in good_rows()]
    with pytest.raises(ListingsError, match=r"Map it with `columns=\{'label': 'NAME'\}`") as caught:
        read_listings(folder_with_table(tmp_path, rows))
    assert "kategorie" in str(caught.value)


def test_a_column_of_true_labels_is_not_suggested_as_the_given_ones(tmp_path: Path) -> None:
    rows = [{"true_label" if name == "label" else name: value for name, value in row.items()} for row in good_rows()]
    with pytest.raises(ListingsError, match=r"Map it with `columns=\{'label': 'NAME'\}`") as caught:
        read_listings(folder_with_table(tmp_path, rows))
    assert "Did you mean" not in str(caught.value)


def test_a_mapping_to_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ListingsError, match=r"no column 'pricee'.*\(mapped to price\).*Did you mean 'price'\?"):
        read_listings(folder_with_table(tmp_path, good_rows()), columns={"price": "pricee"})


def test_a_mapping_of_a_column_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ListingsError, match=r"got labell.*Did you mean 'label'\?"):
        read_listings(folder_with_table(tmp_path, good_rows()), columns={"labell": "label"})


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    folder = folder_with_table(tmp_path, good_rows())
    table = folder / "listings.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("title", " label", 1), encoding="utf-8")
    with pytest.raises(ListingsError, match="two columns called 'label'"):
        read_listings(folder)


def test_duplicate_ids_are_refused_with_all_their_rows(tmp_path: Path) -> None:
    rows = change(change(good_rows(), 4, id="001"), 9, id="008")
    with pytest.raises(
        ListingsError,
        match=r"duplicate ids: got 001 in row 3 \(image 'photos/1\.png'\), row 6 \(image 'photos/4\.png'\), 008 in row",
    ):
        read_listings(folder_with_table(tmp_path, rows))


def test_ids_that_differ_in_leading_zeros_only_are_different(tmp_path: Path) -> None:
    table = read_listings(folder_with_table(tmp_path, change(good_rows(), 1, id="0000"))).table
    assert table["id"].tolist()[:2] == ["000", "0000"]


def test_missing_ids_are_refused_with_all_their_rows(tmp_path: Path) -> None:
    rows = change(change(good_rows(), 2, id=""), 5, id="  ")
    with pytest.raises(ListingsError, match=r"has missing ids: got rows 4, 7; wanted a unique id") as caught:
        read_listings(folder_with_table(tmp_path, rows))
    assert caught.value.problems[["row", "column", "why"]].to_numpy().tolist() == [
        [4, "id", "is missing"],
        [7, "id", "is missing"],
    ]


def test_an_empty_table_is_refused(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "things.csv", [], FIELDS)
    with pytest.raises(ListingsError, match=r"things\.csv is empty: got no rows"):
        read_listings(path)


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_a_file_of_no_bytes_is_refused(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"things.{suffix}"
    path.touch()
    with pytest.raises(ListingsError, match=rf"things\.{suffix} (can't be read|is empty)"):
        read_listings(path)


def test_one_class_only_is_refused(tmp_path: Path) -> None:
    rows = [{**row, "label": "chair"} for row in good_rows()]
    with pytest.raises(ListingsError, match="has one class only: got chair; wanted at least two"):
        read_listings(folder_with_table(tmp_path, rows))


def test_a_table_whose_labels_are_all_missing_is_refused(tmp_path: Path) -> None:
    rows = [{**row, "label": ""} for row in good_rows()]
    with pytest.raises(ListingsError, match="has no labels: wanted at least two different labels"):
        read_listings(folder_with_table(tmp_path, rows))


def outside(tmp_path: Path, how: str) -> tuple[Path, str]:
    """Return a dataset whose fourth photo lies outside its folder, and the path in its table."""
    folder = folder_with_table(tmp_path / "shop", good_rows())
    secret = tmp_path / "shop-secret.png"
    Image.new("RGB", (4, 4)).save(secret)
    image = {"absolute": str(secret), "dots": "photos/../../shop-secret.png"}.get(how, "link.png")
    if how == "link":
        (folder / "link.png").symlink_to(secret)
    if how == "link to a folder":
        (folder / "elsewhere").symlink_to(tmp_path)
        image = "elsewhere/shop-secret.png"
    write_csv(folder / "listings.csv", change(good_rows(), 3, image=image))
    return folder, image


@pytest.mark.parametrize("how", ["absolute", "dots", "link", "link to a folder"])
def test_image_paths_that_lead_out_of_the_folder_are_refused_unless_allowed(how: str, tmp_path: Path) -> None:
    folder, image = outside(tmp_path, how)
    with pytest.raises(ListingsError, match=r"1 image path leads out.*Add `allow_outside=True`") as caught:
        read_listings(folder)
    assert caught.value.problems.to_numpy().tolist() == [[5, "003", "image", image, "is outside the dataset's folder"]]
    listings = read_listings(folder, allow_outside=True)
    assert listings.table["image"][3] == image
    assert listings.problems.empty


def test_class_folders_that_are_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    rows = [{"image": f"{label}/{number}.png"} for label in "ab" for number in range(2)]
    draw(tmp_path / "shop", rows)
    draw(tmp_path / "other", rows)
    (tmp_path / "shop" / "c").symlink_to(tmp_path / "other" / "a")
    with pytest.raises(ListingsError, match="lead out"):
        read_listings(tmp_path / "shop")
    assert read_listings(tmp_path / "shop", allow_outside=True).classes == ("a", "b", "c")


def test_a_dataset_that_is_named_through_a_link_is_inside_its_own_folder(tmp_path: Path) -> None:
    folder_with_table(tmp_path / "disk", good_rows())
    (tmp_path / "shop").symlink_to(tmp_path / "disk")
    assert len(read_listings(tmp_path / "shop").table) == 10


def test_an_unknown_entry_of_the_declaration_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    folder = declared(tmp_path, good_rows())
    (folder / "dataset.toml").write_text('tabel = "table/items.csv"\n')
    with pytest.raises(ListingsError, match=r"dataset\.toml has entries.*got tabel.*Did you mean 'table'\?"):
        read_listings(folder)


@pytest.mark.parametrize("content", [b'name = "x', b"\xff\xfe", b"name = x"])
def test_a_declaration_that_is_not_toml_is_refused(content: bytes, tmp_path: Path) -> None:
    folder = declared(tmp_path, good_rows())
    (folder / "dataset.toml").write_bytes(content)
    with pytest.raises(ListingsError, match=r"dataset\.toml is not valid TOML"):
        read_listings(folder)


@pytest.mark.parametrize(
    "content",
    ["name = 3", 'table = ""', 'columns = "label"', "columns = {label = 3}", "expected = 10", "currency = 5",
     'expected = {listings = "ten"}'],
)  # fmt: skip
def test_an_entry_of_the_wrong_type_is_refused_with_its_name(content: str, tmp_path: Path) -> None:
    folder = bare(tmp_path, good_rows())
    (folder / "dataset.toml").write_text(content)
    with pytest.raises(ListingsError, match=rf"dataset\.toml: '{content.split()[0]}"):
        read_listings(folder)


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "..", "a/b"])
def test_a_declared_name_that_is_a_path_is_refused_since_runs_are_kept_under_it(name: str, tmp_path: Path) -> None:
    folder = bare(tmp_path, good_rows())
    (folder / "dataset.toml").write_text(f'name = "{name}"')
    with pytest.raises(ListingsError, match=r"dataset\.toml: 'name'"):
        read_listings(folder)


def test_a_declared_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dataset.toml").write_text('table = "items.csv"')
    with pytest.raises(ListingsError, match=r"names a table that does not exist: got .*items\.csv"):
        read_listings(tmp_path)


@pytest.mark.parametrize("form", [parquet, jsonl], ids=lambda form: form.__name__)
def test_a_damaged_table_is_refused_in_one_line(form: Callable[[Path, Rows], Path], tmp_path: Path) -> None:
    path = form(tmp_path, good_rows())
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ListingsError, match=rf"{path.name} can't be read") as caught:
        read_listings(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        b"id,image,label\n1,photos/1.png,chair\n2,photos/2.png,desk,1,2\n",
        b"id,image,label\n1,photos/1.png,chair,sofa\n2,photos/2.png,desk,lamp\n",
        b'id,image,label\n1,photos/1.png,"desk, used"\n2,photos/2.png,"chair\n',
    ],
    ids=["a longer row", "a cell without a name in every row", "an open quote"],
)
def test_a_csv_that_can_not_be_read_is_refused_in_one_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "things.csv"
    draw(tmp_path, good_rows())
    path.write_bytes(content)
    with pytest.raises(ListingsError, match=r"things\.csv can't be read") as caught:
        read_listings(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00"])
def test_damaged_metadata_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_bytes(content)
    with pytest.raises(ListingsError, match=r"metadata\.csv can't be read"):
        read_listings(tmp_path)


def test_an_image_name_that_no_file_can_have_is_a_bad_row(tmp_path: Path) -> None:
    listings = read_listings(jsonl(tmp_path, good_rows()))
    lines = listings.source.path.read_text().splitlines()
    lines[3] = lines[3].replace("photos/3.png", "photos/3\\u0000.png")
    (tmp_path / "things.jsonl").write_text("\n".join(lines))
    problems = read_listings(tmp_path / "things.jsonl").problems
    assert problems[["id", "column", "why"]].to_numpy().tolist() == [["003", "image", "no such file"]]


def test_numbers_of_a_jsonl_keep_their_digits_beside_missing_ones(tmp_path: Path) -> None:
    rows = [{"id": 9007199254740993 + number, "label": "ab"[number % 2], "lot": number or None} for number in range(6)]
    (tmp_path / "things.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    table = read_listings(tmp_path / "things.jsonl", needs_image=False).table
    assert table["id"].tolist() == [str(row["id"]) for row in rows]
    assert table["lot"].tolist()[1:] == ["1", "2", "3", "4", "5"]
    assert pd.isna(table["lot"][0])


@pytest.mark.parametrize(("line", "why"), [("[1]", "line 3 is not a JSON object"), ("{", "line 3: Expecting")])
def test_a_bad_line_of_a_jsonl_is_named(line: str, why: str, tmp_path: Path) -> None:
    path = jsonl(tmp_path, good_rows())
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:2], line, *lines[3:]]))
    with pytest.raises(ListingsError, match=f"things.jsonl can't be read: got {why}"):
        read_listings(path)


def _in_currencies(names: list[str]) -> Rows:
    return [{**row, "currency": names[place % len(names)]} for place, row in enumerate(good_rows())]


def test_prices_in_several_currencies_are_refused_with_the_way_to_split_them(tmp_path: Path) -> None:
    with pytest.raises(ListingsError, match=r"prices in 2 currencies: got SGD \(\d+ listings\), USD .*groupby"):
        read_listings(folder_with_table(tmp_path, _in_currencies(["SGD", "USD"])))


def test_another_currency_than_the_declared_one_is_refused(tmp_path: Path) -> None:
    folder = folder_with_table(tmp_path, _in_currencies(["USD"]))
    (folder / "dataset.toml").write_text('currency = "SGD"\n', encoding="utf-8")
    with pytest.raises(ListingsError, match=r"another currency than the declaration says: got USD .*wanted SGD"):
        read_listings(folder)


def test_the_currency_of_the_table_is_that_of_its_prices_however_it_is_written(tmp_path: Path) -> None:
    assert read_listings(folder_with_table(tmp_path, _in_currencies(["usd ", "USD", ""]))).source.currency == "USD"


def test_where_no_photo_is_found_it_is_told_where_they_were_looked_for_and_not_to_accept_that(tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text("id,image,label\n1,a.jpg,lamp\n2,b.jpg,sofa\n")
    with pytest.raises(ListingsError) as caught:
        read_listings(tmp_path / "shop.csv")
    assert f"photos were looked for in {tmp_path}; wanted photos at these paths, or with" in str(caught.value)
    assert "allow_bad" not in str(caught.value)
