"""Columns without a name, and of one name; and text in an encoding that nobody named."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from curation.errors import ListingsError
from curation.fixes import apply_fixes, plan_fixes
from curation.listings import read_listings
from tests.support.fixes import decided, run_of

TABLE = pd.DataFrame(
    {"image": [f"{row}.jpg" for row in range(6)], "label": ["ab"[row % 2] for row in range(6)], "price": [2.5] * 6}
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for row in range(6):
        (tmp_path / f"{row}.jpg").write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize(
    "ids", [[f"sku-{row}" for row in range(6)], ["10", "11", "12", "13", "14", "15"], [7, 3, 9, 4, 5, 1]]
)
def test_a_first_column_without_a_name_whose_values_differ_holds_the_ids(
    ids: list[object], ending: str, folder: Path
) -> None:
    table = TABLE.set_axis(pd.Index(ids), axis=0)
    file = folder / f"shop.{ending}"
    table.to_csv(file) if ending == "csv" else table.to_parquet(file)
    listings = read_listings(file)
    assert listings.table["id"].tolist() == [str(id) for id in ids]
    first = f"The first column has no name, and its values are all different, e.g. {str(ids[0])!r}: they are the ids."
    assert listings.notes == (first,)
    run = run_of(file, folder / "run")
    run.decide([decided(str(ids[3]), "delete")])
    apply_fixes(run, plan_fixes(run))
    assert read_listings(run.cleaned).table["id"].tolist() == [str(id) for id in (*ids[:3], *ids[4:])]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("rows", [range(6), range(1, 7), [3, 1, 0, 5, 4, 2]])
def test_row_numbers_without_a_name_are_no_ids(rows: range, ending: str, folder: Path) -> None:
    table = TABLE.set_axis(pd.Index(list(rows)), axis=0)
    file = folder / f"shop.{ending}"
    table.to_csv(file) if ending == "csv" else table.to_parquet(file)
    assert read_listings(file).table["id"].tolist() == TABLE["image"].tolist()


def test_values_that_repeat_or_a_column_of_ids_leave_a_first_column_without_a_name_alone(folder: Path) -> None:
    TABLE.set_axis(pd.Index(list("xxyyzz")), axis=0).to_csv(folder / "shop.csv")
    assert read_listings(folder / "shop.csv").table["id"].tolist() == TABLE["image"].tolist()
    TABLE.assign(sku=list("uvwxyz")).set_axis(pd.Index(list("abcdef")), axis=0).to_csv(folder / "shop.csv")
    assert read_listings(folder / "shop.csv").table["id"].tolist() == list("uvwxyz")


def test_columns_of_one_name_that_nobody_uses_stay_as_they_are(tmp_path: Path) -> None:
    header = "id,note,label,note,price"
    rows = [f"L{row},left {row},{'ab'[row % 2]},right {row},{row}.5" for row in range(6)]
    (tmp_path / "shop.csv").write_text("\n".join([header, *rows, ""]))
    run = run_of(tmp_path / "shop.csv", tmp_path / "run", needs_image=False)
    run.decide([decided("L3", "delete")])
    apply_fixes(run, plan_fixes(run))
    assert (run.cleaned / "listings.csv").read_text().splitlines() == [header, *rows[:3], *rows[4:]]


def test_of_two_columns_of_one_name_a_person_may_use_neither(tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text("id,label,price,price\n1,a,2,3\n2,b,4,5\n")
    with pytest.raises(ListingsError, match="two columns called 'price'"):
        read_listings(tmp_path / "shop.csv", needs_image=False)
    assert read_listings(tmp_path / "shop.csv", columns={"price": ""}, needs_image=False).table["price"].isna().all()


@pytest.mark.parametrize("text", ["id,label,price\n1,机,7678円\n2,本,690円\n", "番号,種類,値段\n1,机,7678\n2,本,690\n"])
def test_text_in_an_encoding_that_nobody_named_is_the_likely_cause_of_what_cannot_be_read(
    text: str, tmp_path: Path
) -> None:
    (tmp_path / "shop.csv").write_bytes(text.encode("shift_jis"))
    with pytest.raises(ListingsError, match=r"was read as (cp1252|latin-1): .*`encoding='shift_jis'`"):
        read_listings(tmp_path / "shop.csv", needs_image=False)


def test_a_wrong_column_of_prices_in_plain_letters_says_nothing_of_encodings(tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_bytes("id,label,price\n1,é,cheap\n2,b,dear\n".encode("latin-1"))
    with pytest.raises(ListingsError, match="holds no prices") as error:
        read_listings(tmp_path / "shop.csv", needs_image=False)
    assert "encoding" not in str(error.value)
