"""A folder of many Parquet files is one table, and never half of one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

import curation
from curation.errors import ListingsError
from curation.listings import read_listings
from curation.listings.parts import find_parts


def _rows(first: int, count: int, **more: object) -> pd.DataFrame:
    numbers = range(first, first + count)
    labels = [("lamp", "sofa")[place % 2] for place in range(count)]
    return pd.DataFrame({"id": [f"{number:03}" for number in numbers], "label": labels, "price": 9.5, **more})


def _write(folder: Path, **frames: pd.DataFrame) -> Path:
    for name, frame in frames.items():
        path = folder / f"{name.replace('__', '/').replace('_', '-')}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.to_parquet(path, index=False)
    return folder


def _read(folder: Path) -> curation.Listings:
    return read_listings(folder, needs_image=False)


def test_files_are_one_table_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    folder = _write(tmp_path, part_10=_rows(4, 2), part_2=_rows(2, 2), part_0=_rows(0, 2))
    listings = _read(folder)
    assert listings.table["id"].tolist() == ["000", "001", "002", "003", "004", "005"]
    assert listings.notes[0] == "3 Parquet files are read as one table, part-0.parquet to part-10.parquet."


def test_a_folder_of_parts_reads_as_one_file_of_the_same_rows_does(tmp_path: Path) -> None:
    whole = pd.concat([_rows(0, 3), _rows(3, 3, price=10.0)], ignore_index=True)
    whole["group"] = [1.0, 2.0, 3.0, 4.5, 5.0, 6.0]
    one = _write(tmp_path / "one", shop=whole) / "shop.parquet"
    many = _write(tmp_path / "many", a=whole[:3], b=whole[3:])
    expected, read = _read(one), _read(many)
    pd.testing.assert_frame_equal(read.table, expected.table)
    # 1.0 beside a 4.5 in another file stays 1.0
    assert read.raw.table["group"].tolist() == expected.raw.table["group"].tolist()


def test_the_names_of_folders_give_columns_of_text_as_they_stand(tmp_path: Path) -> None:
    rows = _rows(0, 2).drop(columns="label")
    for place, label in enumerate(("007", "a%2Fb", "__HIVE_DEFAULT_PARTITION__", "desk")):
        _write(tmp_path / f"label={label}", part_0=rows.assign(id=[f"{place}a", f"{place}b"]))
    (tmp_path / "_SUCCESS").touch()
    labels = read_listings(tmp_path, needs_image=False, allow_bad=0.5).table["label"].astype(object)
    assert labels.where(labels.notna(), None).tolist() == ["007"] * 2 + [None] * 2 + ["a/b"] * 2 + ["desk"] * 2


def test_photos_are_relative_to_the_folder(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}.png").write_bytes(b"a photo")
    images = [f"{number}.png" for number in range(4)]
    _write(tmp_path / "label=lamp", a=_rows(0, 2, image=images[:2]).drop(columns="label"))
    _write(tmp_path / "label=sofa", a=_rows(2, 2, image=images[2:]).drop(columns="label"))
    listings = read_listings(tmp_path)
    assert listings.table["image"].tolist() == images
    assert listings.problems.empty
    assert not any("left out" in note for note in listings.notes)


@pytest.mark.parametrize("names", [("train-00000-of-00001", "test-00000-of-00001"), ("train/a", "test/a")])
def test_files_that_are_called_after_splits_have_a_split(tmp_path: Path, names: tuple[str, str]) -> None:
    for place, name in enumerate(names):
        path = tmp_path / "data" / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        _rows(2 * place, 2).to_parquet(path)
    splits = _read(tmp_path).table.set_index("id")["split"]
    assert splits.to_dict() == {"000": "train", "001": "train", "002": "test", "003": "test"}


def test_a_file_with_other_columns_is_named_with_them(tmp_path: Path) -> None:
    folder = _write(tmp_path, a=_rows(0, 2), b=_rows(2, 2).drop(columns="price"), c=_rows(4, 2, cost=1))
    with pytest.raises(ListingsError, match=r"differ in their columns: a\.parquet has id, label, price") as caught:
        _read(folder)
    assert "b.parquet has no 'price', c.parquet has also 'cost'" in str(caught.value)


def test_a_file_with_another_type_is_named_with_both(tmp_path: Path) -> None:
    folder = _write(tmp_path, a=_rows(0, 2), b=_rows(2, 2, price="9.50"))
    with pytest.raises(ListingsError, match="differ in the type of the column 'price'") as caught:
        _read(folder)
    assert "double in a.parquet" in str(caught.value)
    assert "string in b.parquet" in str(caught.value)


def test_types_that_hold_the_same_values_are_one(tmp_path: Path) -> None:
    other = _rows(4, 2).astype({"label": "category"})
    folder = _write(tmp_path, a=_rows(0, 2, price=None), b=_rows(2, 2, price=[7, 8]), c=other)
    table = _read(folder).table
    assert table["price"].isna().tolist() == [True, True, False, False, False, False]
    assert table["price"].tolist()[2:] == [7.0, 8.0, 9.5, 9.5]


def test_a_whole_number_that_would_become_another_one_is_refused(tmp_path: Path) -> None:
    folder = _write(tmp_path, a=_rows(0, 2, group=[2**60 + 1, 1]), b=_rows(2, 2, group=[0.5, 1.0]))
    with pytest.raises(ListingsError, match="differ in the type of the column 'group'"):
        _read(folder)


def test_a_file_without_rows_adds_none(tmp_path: Path) -> None:
    folder = _write(tmp_path, a=_rows(0, 2), b=_rows(2, 0))
    assert len(_read(folder).table) == 2


@pytest.mark.parametrize("content", [b"", b"PAR1 and no more", b"id,label\n1,lamp\n"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    folder = _write(tmp_path, a=_rows(0, 2), c=_rows(2, 2))
    (folder / "b.parquet").write_bytes(content)
    with pytest.raises(ListingsError, match=r"b\.parquet can't be read"):
        _read(folder)


def test_hidden_files_are_ignored_and_others_are_named(tmp_path: Path) -> None:
    folder = _write(tmp_path, a=_rows(0, 2), b=_rows(2, 2))
    for name in ("_SUCCESS", ".a.parquet.crc", "_metadata", "README.md"):
        (folder / name).write_text("no table", encoding="utf-8")
    assert _read(folder).notes[1] == "1 file among them is not read: README.md."


def test_a_table_of_another_kind_among_them_is_refused(tmp_path: Path) -> None:
    folder = _write(tmp_path / "data", a=_rows(0, 2), b=_rows(2, 2))
    (folder / "c.csv").write_text("id,label\n1,lamp\n", encoding="utf-8")
    with pytest.raises(ListingsError, match="tables of several kinds") as caught:
        _read(tmp_path)
    assert "data/c.csv" in str(caught.value)


@pytest.mark.parametrize("managed", ["_delta_log", ".hoodie", "_temporary"])
def test_files_that_also_hold_deleted_rows_are_refused(tmp_path: Path, managed: str) -> None:
    folder = _write(tmp_path, a=_rows(0, 2), b=_rows(2, 2))
    (folder / managed).mkdir()
    with pytest.raises(ListingsError, match=f"got a folder {managed}"):
        _read(folder)


def test_an_id_in_two_files_is_named_with_both(tmp_path: Path) -> None:
    folder = _write(tmp_path, a=_rows(0, 2), b=_rows(1, 2, price=3.0))
    with pytest.raises(ListingsError, match="duplicate ids") as caught:
        _read(folder)
    assert caught.value.problems["row"].tolist() == ["1 of a.parquet", "0 of b.parquet"]
    assert "1 of a.parquet" in str(caught.value)
    assert "0 of b.parquet" in str(caught.value)


def test_class_folders_stay_class_folders(tmp_path: Path) -> None:
    for label in ("lamp", "sofa"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.jpg").write_bytes(b"a photo")
        _write(tmp_path / label, a=_rows(0, 2))
    assert find_parts(tmp_path) == ()


def test_one_table_of_a_folder_stays_the_table(tmp_path: Path) -> None:
    _write(tmp_path, shop=_rows(0, 2), old__shop=_rows(0, 1))
    assert find_parts(tmp_path) == ()


def test_a_stored_index_that_only_numbers_the_rows_of_its_file_is_no_column(tmp_path: Path) -> None:
    for name, first in (("a", 0), ("b", 2)):
        rows = _rows(first, 2).rename(columns={"id": "sku"})
        rows.index = pd.Index([1, 0])
        rows.to_parquet(tmp_path / f"{name}.parquet")
    assert read_listings(tmp_path, columns={"id": "sku"}, needs_image=False).raw.table.columns.tolist() == [
        "sku",
        "label",
        "price",
    ]


def test_the_order_of_columns_may_differ_between_files(tmp_path: Path) -> None:
    folder = _write(tmp_path, a=_rows(0, 2), b=_rows(2, 2)[["price", "id", "label"]])
    assert _read(folder).table["label"].tolist() == ["lamp", "sofa", "lamp", "sofa"]


def test_a_run_on_parts_is_applied_as_one_file(tmp_path: Path) -> None:
    folder = _write(tmp_path / "shop", a=_rows(0, 5), b=_rows(5, 5))
    probs = np.tile([0.9, 0.1], (10, 1))
    run = curation.find_issues(_read(folder), run=tmp_path / "run", probabilities=probs, text=False)
    run.decide(["001"], "relabel", label="lamp", reviewer="ana")
    run.apply_fixes()
    cleaned = pyarrow.parquet.read_table(tmp_path / "run" / "cleaned" / "listings.parquet")
    assert cleaned.schema.field("price").type == pa.float64()
    assert cleaned["id"].to_pylist() == [f"{number:03}" for number in range(10)]
    assert cleaned["label"].to_pylist()[:3] == ["lamp", "lamp", "lamp"]
