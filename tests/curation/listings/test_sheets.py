"""The sheet of a workbook that a person names is read, remembered and written."""

from __future__ import annotations

import tomllib
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from curation.errors import ListingsError
from curation.fixes import apply_fixes, plan_fixes
from curation.listings import read_listings
from tests.support.fixes import decided, run_of


@pytest.fixture
def shops(tmp_path: Path) -> Path:
    """Return a workbook of two sheets that both hold listings, of a third that is hidden, and of an empty one."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name in ("North", "South", "Old", "Empty"):
        page = book.create_sheet(name)
        for row in () if name == "Empty" else ["", *range(4)]:
            page.append([f"{name}{row}", "ab"[row % 2]] if row != "" else ["id", "label"])
    book["Old"].sheet_state = "hidden"
    book.save(tmp_path / "shops.xlsx")
    return tmp_path / "shops.xlsx"


def test_the_named_sheet_is_read_and_without_a_name_the_first_with_the_advice_to_name_another(shops: Path) -> None:
    usual = read_listings(shops, needs_image=False)
    assert usual.table["id"].tolist()[0] == "North0"
    assert "Another sheet can be named, e.g. with `sheet='South'`." in usual.notes
    for name in ("South", "Old"):
        named = read_listings(shops, needs_image=False, sheet=name)
        assert named.table["id"].tolist() == [f"{name}{row}" for row in range(4)]
        assert not [note for note in named.notes if "can be named" in note]


def test_a_run_remembers_the_sheet_and_writes_it_and_its_cleaned_dataset_reads_it_again(shops: Path) -> None:
    run = run_of(shops, shops.parent / "run", needs_image=False, sheet="South")
    assert run.record()["dataset"]["sheet"] == "South"
    run.decide([decided("South0", "delete"), decided("South1", "relabel", "a")])
    apply_fixes(run, plan_fixes(run))
    book = openpyxl.load_workbook(run.cleaned / "listings.xlsx")
    assert [[cell.value for cell in row] for row in book["South"]] == [
        ["id", "label"],
        ["South1", "a"],
        ["South2", "a"],
        ["South3", "b"],
    ]
    assert book["North"]["A2"].value == "North0"
    assert tomllib.loads((run.cleaned / "dataset.toml").read_text())["sheet"] == "South"
    assert read_listings(run.cleaned, needs_image=False).table["id"].tolist() == ["South1", "South2", "South3"]


@pytest.mark.parametrize("form", ["csv", "xlsx", "json"])
def test_a_cleaned_dataset_of_a_named_sheet_is_read_again_in_every_format(form: str, shops: Path) -> None:
    run = run_of(shops, shops.parent / "run", needs_image=False, sheet="South")
    run.decide([decided("South0", "delete")])
    apply_fixes(run, plan_fixes(run), form)
    assert read_listings(run.cleaned, needs_image=False).table["id"].tolist() == ["South1", "South2", "South3"]


def test_a_declaration_names_the_sheet_and_an_argument_overrides_it(shops: Path) -> None:
    (shops.parent / "dataset.toml").write_text('table = "shops.xlsx"\nsheet = "South"\n')
    for source in (shops.parent, shops):
        assert read_listings(source, needs_image=False).table["id"].tolist()[0] == "South0"
        assert read_listings(source, needs_image=False, sheet="North").table["id"].tolist()[0] == "North0"


def test_a_sheet_that_is_not_there_is_refused_with_the_names_of_those_that_are(shops: Path) -> None:
    said = r"has no such sheet: got 'Soth'; wanted North, South, Empty, Old\. Did you mean 'South'\?"
    with pytest.raises(ListingsError, match=said) as caught:
        read_listings(shops, needs_image=False, sheet="Soth")
    assert caught.value.parameter == "sheet"
    with pytest.raises(ListingsError, match="has no such sheet: got ''"):
        read_listings(shops, needs_image=False, sheet="")
    with pytest.raises(ListingsError, match=r"shops\.xlsx is empty"):
        read_listings(shops, needs_image=False, sheet="Empty")


def test_a_sheet_of_what_has_no_sheets_is_refused_in_one_line(tmp_path: Path) -> None:
    table = pd.DataFrame({"id": ["1", "2"], "label": ["a", "b"]})
    table.to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "photos" / "a").mkdir(parents=True)
    (tmp_path / "photos" / "a" / "1.png").write_bytes(b"")
    for name, said in (("a.csv", r"a\.csv, which has no sheets"), ("photos", "photos and no table")):
        with pytest.raises(ListingsError, match=rf"^`sheet` has no effect on this dataset: got {said}.*Leave it out"):
            read_listings(tmp_path / name, needs_image=False, sheet="South")
    with pytest.raises(ListingsError, match=r"^sheet has no effect on a table in memory: got 'South'"):
        read_listings(table, needs_image=False, sheet="South")


def test_a_number_beyond_the_digits_of_a_float_has_those_that_excel_shows(tmp_path: Path) -> None:
    numbers = [1.23456789012345e17 + 1000 * row for row in range(3)]
    book = openpyxl.Workbook()
    for line in (["id", "label", "price"], *([number, "ab"[row % 2], 5] for row, number in enumerate(numbers))):
        book.active.append(line)
    book.save(tmp_path / "goods.xlsx")
    ids = read_listings(tmp_path / "goods.xlsx", needs_image=False).table["id"].tolist()
    assert ids == ["123456789012345000", "123456789012346000", "123456789012347000"]
