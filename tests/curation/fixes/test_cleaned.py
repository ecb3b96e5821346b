"""The cleaned dataset has the shape of the input."""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from curation.errors import InputError
from curation.fixes import apply_fixes, plan_fixes
from curation.listings import Listings, read_listings
from curation.listings.tables import read_raw
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from tests.support.fixes import cleaned, decided, files, run_of

SELLERS = pd.DataFrame(
    {
        "SKU": ["00001", "00002", "00003", "00004", "00005", "00006"],
        "Category": ["lamp", "sofa ", "lamp", "sofa ", "NA", "lamp"],
        "Photo": ["photos/1.png", "photos\\2.png", "photos/3.png", "photos/4.png", "photos/5.png", "photos/6.png"],
        "Asking price": ["£1,200", "£35", "POA", "£9.50", "", "£80"],
        "Product name": ['a "nice" lamp', "sofa\rpick up only", "=1+1", "café; new", " two blanks ", "a, b\nc"],
        "Notes": ["", "x", "", "'1", "-", "NA"],
    }
)
SHAPES: dict[str, dict[str, Any]] = {
    "export.csv": {},
    "semicolons.csv": {"sep": ";", "encoding": "utf-8-sig"},
    "tabs.tsv": {"sep": "\t"},
    "wide.csv": {"sep": "\t", "encoding": "utf-16"},
    "western.csv": {"encoding": "cp1252", "lineterminator": "\r\n"},
    "packed.csv.gz": {},
    "packed.csv.zip": {},
    "pipes.csv.xz": {"sep": "|"},
}


def photos(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shade = zlib.crc32(os.fsencode("/".join(folder.parts[-2:]))) % 256
    for number, name in enumerate(names):
        Image.new("RGB", (4, 4), (number * 30 % 256, shade, 10)).save(folder / name)


def shop(folder: Path) -> Path:
    photos(folder / "photos", *(f"{number}.png" for number in range(1, 7)))
    return folder


def repriced(id: str, price: float) -> Decision:
    return Decision(id, "reprice", None, "ana", "2024-05-01T10:00:00.000+00:00", "app", None, new_price=price)


def fixed(run: RunFolder, *decisions: Decision, form: str | None = None) -> tuple[str, ...]:
    run.decide(list(decisions))
    return apply_fixes(run, plan_fixes(run), form).notes


def read_again(run: RunFolder) -> Listings:
    """Read the cleaned dataset as find-issues does, without options."""
    listings = cleaned(run)
    assert listings.source.expected["listings"] == len(listings.table)
    assert listings.source.expected["classes"] == len(listings.classes)
    return listings


@pytest.mark.parametrize(("name", "options"), SHAPES.items(), ids=SHAPES)
def test_a_table_comes_out_in_its_own_shape(name: str, options: dict[str, Any], tmp_path: Path) -> None:
    SELLERS.to_csv(shop(tmp_path / "in") / name, index=False, **options)
    run = run_of(tmp_path / "in" / name, tmp_path / "run")
    fixed(run, decided("00001", "relabel", "NA"), decided("00004", "delete"), repriced("00002", 350))
    ending = name[name.index(".") :]
    before, after = read_raw(tmp_path / "in" / name).files[0], read_raw(run.cleaned / f"listings{ending}").files[0]
    assert (after.format, after.header) == (before.format, before.header)
    expected = before.cells.to_pandas().drop(index=3).reset_index(drop=True)
    expected.loc[0, "Category"] = "NA"
    expected.loc[1, "Asking price"] = "£350"
    got = after.cells.to_pandas()
    pd.testing.assert_frame_equal(got.drop(columns="Photo"), expected.drop(columns="Photo"))
    assert got["Photo"][0] == "../../in/photos/1.png"
    # as it was written, on Windows
    assert got["Photo"][1] == "..\\..\\in\\photos\\2.png"
    listings = read_again(run)
    assert listings.table["image"].tolist() == [f"../../in/photos/{number}.png" for number in (1, 2, 3, 5, 6)]
    assert listings.problems.empty
    assert listings.source.currency == "GBP"
    assert listings.table["price"].tolist()[:2] == [1200, 350]
    assert run.record()["dataset"]["name"] == name[: name.index(".")]


def test_case_07_a_carriage_return_in_a_title_makes_no_other_row(tmp_path: Path) -> None:
    shop(tmp_path / "in")
    rows = [
        {"id": f"L{n}", "image": f"photos/{n}.png", "label": "cable" if n % 2 else "mouse", "price": 10 + n}
        | {"title": f"nice cable\rpick up only {n}" if n % 3 == 1 else "as new"}
        for n in range(1, 7)
    ]
    (tmp_path / "in" / "listings.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    run = run_of(tmp_path / "in" / "listings.jsonl", tmp_path / "run")
    fixed(run, decided("L1", "relabel", "mouse"), form="csv")
    table = pd.read_csv(run.cleaned / "listings.csv")
    assert table["title"].tolist() == [row["title"] for row in rows]
    assert read_again(run).table["title"].tolist() == [row["title"] for row in rows]
    fixed(run)
    assert [json.loads(line) for line in (run.cleaned / "listings.jsonl").read_text().splitlines()] == [
        row | {"label": "mouse" if row["id"] == "L1" else row["label"], "image": f"../../in/{row['image']}"}
        for row in rows
    ]


WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    "csv": lambda table, path: table.to_csv(path, index=False),
    "xlsx": lambda table, path: table.to_excel(path, index=False),
    "parquet": lambda table, path: table.to_parquet(path),
    "json": lambda table, path: table.to_json(path, orient="records"),
    "jsonl": lambda table, path: table.to_json(path, orient="records", lines=True),
}


@pytest.mark.parametrize("ending", ["xlsx", "parquet", "json", "jsonl"])
def test_numbers_stay_numbers_in_files_that_know_them(ending: str, tmp_path: Path) -> None:
    table = SELLERS.assign(**{"Asking price": [1200, 35, None, 9.5, 7, 80], "stock": [1, 2, 3, 4, 5, 6]})
    WRITERS[ending](table, shop(tmp_path / "in") / f"export.{ending}")
    run = run_of(tmp_path / "in" / f"export.{ending}", tmp_path / "run")
    notes = fixed(run, decided("00001", "relabel", "NA"), decided("00004", "delete"), repriced("00002", 350.5))
    assert not [note for note in notes if "alone" in note]
    out = run.cleaned / f"listings.{ending}"
    readers: dict[str, Callable[[Path], pd.DataFrame]] = {
        "xlsx": lambda path: pd.read_excel(path, dtype={"SKU": str}, keep_default_na=False, na_values=[""]),
        "parquet": pd.read_parquet,
        "json": lambda path: pd.read_json(path, dtype=False),
        "jsonl": lambda path: pd.read_json(path, lines=True, dtype=False),
    }
    got, before = readers[ending](out), readers[ending](tmp_path / "in" / f"export.{ending}")
    assert got.columns.tolist() == before.columns.tolist()
    assert got["Asking price"].astype(float).fillna(-1).tolist() == [1200, 350.5, -1, 7, 80]
    assert got["Category"].tolist() == ["NA", "sofa ", "lamp", "NA", "lamp"]
    rest = ["SKU", "Product name", "stock"]
    pd.testing.assert_frame_equal(got[rest], before[rest].drop(index=3).reset_index(drop=True))
    assert len(read_again(run).table) == 5


def test_a_run_without_its_workbook_writes_the_values_of_the_sheet_and_says_so(tmp_path: Path) -> None:
    SELLERS.to_excel(shop(tmp_path / "in") / "export.xlsx", index=False)
    run = run_of(tmp_path / "in" / "export.xlsx", tmp_path / "run")
    (run.input_folder / "0.xlsx").unlink()
    facts = json.loads((run.input_folder / "input.json").read_text())
    # as earlier versions wrote it
    facts["files"] = [{key: each[key] for key in ("name", "format", "header")} for each in facts["files"]]
    del facts["files"][0]["format"]["above"]
    (run.input_folder / "input.json").write_text(json.dumps(facts))
    notes = fixed(run, decided("00001", "relabel", "NA"))
    assert "listings.xlsx has the values of the sheet 'Sheet1' alone: no other sheets, formats or formulas." in notes
    assert len(read_again(run).table) == 6


def test_the_dataset_comes_out_although_its_table_is_gone(tmp_path: Path) -> None:
    SELLERS.to_csv(shop(tmp_path / "in") / "export.csv", index=False)
    run = run_of(tmp_path / "in" / "export.csv", tmp_path / "run")
    (tmp_path / "in" / "export.csv").unlink()
    fixed(run, decided("00001", "relabel", "NA"))
    assert read_again(run).table["id"].tolist() == SELLERS["SKU"].tolist()


def test_the_input_is_not_touched(tmp_path: Path) -> None:
    SELLERS.to_csv(shop(tmp_path / "in") / "export.csv", index=False)
    before = files(tmp_path / "in")
    fixed(run_of(tmp_path / "in" / "export.csv", tmp_path / "run"), decided("00001", "delete"))
    assert files(tmp_path / "in") == before


def test_copied_rows_are_there_once_and_the_rows_keep_their_order(tmp_path: Path) -> None:
    table = pd.concat([SELLERS, SELLERS.iloc[[1, 0]]])
    table.to_csv(shop(tmp_path / "in") / "export.csv", index=False)
    run = run_of(tmp_path / "in" / "export.csv", tmp_path / "run")
    fixed(run, decided("00003", "delete"))
    out = pd.read_csv(run.cleaned / "listings.csv", dtype=str, keep_default_na=False)
    assert out["SKU"].tolist() == ["00001", "00002", "00004", "00005", "00006"]


def test_addresses_and_absolute_paths_stay_as_they_are(tmp_path: Path) -> None:
    images = [
        str(tmp_path / "in" / "photos" / "1.png"),
        "https://a.example/2.png",
        "photos/3.png",
        "photos/4.png",
        "",
        "",
    ]
    shop(tmp_path / "in")
    table = SELLERS.assign(Photo=images)
    table.to_csv(tmp_path / "in" / "export.csv", index=False)
    run = run_of(tmp_path / "in" / "export.csv", tmp_path / "run", needs_image=False)
    fixed(run, decided("00004", "delete"))
    out = pd.read_csv(run.cleaned / "listings.csv", dtype=str, keep_default_na=False)
    assert out["Photo"].tolist() == [*images[:2], "../../in/photos/3.png", "", ""]


def test_a_cell_leads_to_the_photo_that_it_was_matched_with(tmp_path: Path) -> None:
    (shop(tmp_path / "in") / "photos" / "3.png").rename(tmp_path / "in" / "photos" / "a b.PNG")
    odd = os.fsdecode(b"caf\xe9.png")
    (tmp_path / "in" / "photos" / "6.png").rename(tmp_path / "in" / "photos" / odd)
    images = ["1.png", "C:\\u\\photos\\2.png", "photos/a%20b.png", "4", "PHOTOS\\5.PNG", "photos/caf\\xe9.png"]
    SELLERS.assign(Photo=images).to_csv(tmp_path / "in" / "export.csv", index=False)
    run = run_of(tmp_path / "in" / "export.csv", tmp_path / "run")
    fixed(run, decided("00001", "relabel", "NA"))
    assert pd.read_csv(run.cleaned / "listings.csv", dtype=str)["Photo"].tolist() == [
        "../../in/photos/1.png",
        "..\\..\\in\\photos\\2.png",
        "../../in/photos/a b.PNG",
        "../../in/photos/4.png",
        "..\\..\\in\\photos\\5.png",
        "../../in/photos/caf\\xe9.png",
    ]
    assert read_again(run).problems.empty


def test_a_backslash_in_the_name_of_a_photo_stays(tmp_path: Path) -> None:
    (shop(tmp_path / "in") / "photos" / "1.png").rename(tmp_path / "in" / "front\\1.png")
    images = ["front\\1.png", *(f"photos\\{number}.png" for number in range(2, 7))]
    SELLERS.assign(Photo=images).to_csv(tmp_path / "in" / "export.csv", index=False)
    run = run_of(tmp_path / "in" / "export.csv", tmp_path / "run")
    fixed(run, decided("00004", "delete"))
    assert read_again(run).problems.empty


def test_photos_outside_of_the_input_need_no_option_again(tmp_path: Path) -> None:
    shop(tmp_path / "shop")
    (tmp_path / "in").mkdir()
    table = SELLERS.assign(Photo=[f"../shop/photos/{number}.png" for number in range(1, 7)])
    table.to_csv(tmp_path / "in" / "export.csv", index=False)
    run = run_of(tmp_path / "in" / "export.csv", tmp_path / "run", allow_outside=True)
    fixed(run, decided("00004", "delete"))
    assert len(read_again(run).table) == 5


def test_a_column_that_was_not_to_be_used_is_not_used_again(tmp_path: Path) -> None:
    SELLERS.to_csv(shop(tmp_path / "in") / "export.csv", index=False)
    run = run_of(tmp_path / "in" / "export.csv", tmp_path / "run", columns={"price": ""})
    fixed(run, decided("00004", "delete"))
    assert read_again(run).table["price"].isna().all()


def test_a_new_price_goes_into_a_missing_cell_and_into_a_new_column(tmp_path: Path) -> None:
    SELLERS.to_csv(shop(tmp_path / "in") / "export.csv", index=False)
    run = run_of(tmp_path / "in" / "export.csv", tmp_path / "run")
    fixed(run, repriced("00003", 1350), repriced("00005", 4))
    assert pd.read_csv(run.cleaned / "listings.csv")["Asking price"].tolist()[2:5] == ["£1,350", "£9.50", "£4"]


def test_merged_labels_are_changes_and_the_other_spellings_are_gone(tmp_path: Path) -> None:
    table = SELLERS.assign(Category=["lamp", "sofa", "Lamp", "sofa", "sofas", "lamp"])
    table.to_csv(shop(tmp_path / "in") / "export.csv", index=False)
    run = run_of(tmp_path / "in" / "export.csv", tmp_path / "run", merge_labels=True)
    fixed(run, decided("00001", "relabel", "sofa"))
    out = pd.read_csv(run.cleaned / "listings.csv", dtype=str)
    assert out["Category"].tolist() == ["sofa", "sofa", "lamp", "sofa", "sofa", "lamp"]
    changes = pd.read_csv(run.cleaned / "changes.csv", dtype=str)
    assert changes[["id", "action", "old_label", "new_label"]].to_numpy().tolist() == [
        ["00001", "relabel", "lamp", "sofa"],
        ["00003", "merge", "Lamp", "lamp"],
        ["00005", "merge", "sofas", "sofa"],
    ]
    assert read_again(run).classes == ("lamp", "sofa")


def test_labels_that_a_declaration_names_are_read_again(tmp_path: Path) -> None:
    names = ["Cables, adapters", "lamp", "Cables, adapters", "lamp", "Cables, adapters", "lamp"]
    SELLERS.assign(Category=names).to_csv(shop(tmp_path / "in") / "listings.csv", index=False)
    declared = '[labels]\n"Cables, adapters" = "Cables, adapters"\n'
    (tmp_path / "in" / "dataset.toml").write_text(declared)
    run = run_of(tmp_path / "in", tmp_path / "run")
    fixed(run, decided("00004", "delete"))
    assert read_again(run).classes == ("Cables, adapters", "lamp")


def test_a_table_in_memory_comes_out_as_csv(tmp_path: Path) -> None:
    run = run_of(SELLERS, tmp_path / "run", root=shop(tmp_path / "in"))
    fixed(run, decided("00004", "delete"))
    out = pd.read_csv(run.cleaned / "listings.csv", dtype=str, keep_default_na=False)
    rest = [name for name in SELLERS if name != "Photo"]
    pd.testing.assert_frame_equal(out[rest], SELLERS[rest].drop(index=3).reset_index(drop=True), check_dtype=False)
    assert len(read_again(run).table) == 5


@pytest.mark.parametrize("form", ['["{}"]', "['{}']"])
def test_a_new_label_is_a_list_where_the_cells_are_lists(form: str, tmp_path: Path) -> None:
    names = [form.format(name) for name in ("lamp", "sofa", "lamp", "sofa", "lamp")]
    SELLERS.assign(Category=[*names, ""]).to_csv(shop(tmp_path / "in") / "export.csv", index=False)
    run = run_of(tmp_path / "in" / "export.csv", tmp_path / "run")
    fixed(run, decided("00001", "relabel", "sofa"), decided("00006", "relabel", "lamp"))
    out = pd.read_csv(run.cleaned / "listings.csv", dtype=str)["Category"].tolist()
    assert out == [names[1], *names[1:], names[0]]
    assert cleaned(run).classes == ("lamp", "sofa")


def test_a_price_with_three_decimals_is_read_again_as_it_is(tmp_path: Path) -> None:
    prices = ["10 €", "20 €", "30 €", "", "40 €", "50 €"]
    SELLERS.assign(**{"Asking price": prices}).to_csv(shop(tmp_path / "in") / "export.csv", index=False)
    run = run_of(tmp_path / "in" / "export.csv", tmp_path / "run")
    fixed(run, repriced("00001", 1.299))
    assert read_again(run).table["price"][0] == 1.299


def test_a_run_that_recorded_no_names_of_labels_is_cleaned(tmp_path: Path) -> None:
    SELLERS.to_csv(shop(tmp_path / "in") / "export.csv", index=False)
    run = run_of(tmp_path / "in" / "export.csv", tmp_path / "run")
    facts = json.loads((run.input_folder / "input.json").read_text(encoding="utf-8"))
    del facts["labels"]
    (run.input_folder / "input.json").write_text(json.dumps(facts), encoding="utf-8")
    fixed(run, decided("00004", "delete"))
    assert len(read_again(run).table) == 5


FORMATS = ["csv", "tsv", "xlsx", "parquet", "json", "jsonl", "imagefolder"]


@pytest.mark.parametrize("form", FORMATS)
def test_a_table_can_be_written_as_another(form: str, tmp_path: Path) -> None:
    SELLERS.to_csv(shop(tmp_path / "in") / "export.csv", index=False)
    run = run_of(tmp_path / "in" / "export.csv", tmp_path / "run")
    fixed(run, decided("00004", "delete"), form=form)
    listings, left = read_again(run), run.listings().drop(index=3)
    for name in ("id", "label", "price", "title"):
        texts = [table[name].astype("string").fillna("").tolist() for table in (listings.table, left)]
        assert texts[0] == texts[1]
    assert listings.problems.empty


def test_an_unknown_format_is_refused_with_the_nearest(tmp_path: Path) -> None:
    SELLERS.to_csv(shop(tmp_path / "in") / "export.csv", index=False)
    run = run_of(tmp_path / "in" / "export.csv", tmp_path / "run")
    with pytest.raises(InputError, match=r"no such `format`: got xslx; wanted csv, tsv.*Did you mean 'xlsx'\?"):
        fixed(run, decided("00004", "delete"), form="xslx")


def test_a_run_that_kept_no_input_is_cleaned_from_its_own_table(tmp_path: Path) -> None:
    SELLERS.to_csv(shop(tmp_path / "in") / "export.csv", index=False)
    run = run_of(tmp_path / "in" / "export.csv", tmp_path / "run")
    shutil.rmtree(run.input_folder)
    fixed(run, decided("00004", "delete"))
    assert read_again(run).table["id"].tolist() == ["00001", "00002", "00003", "00005", "00006"]


def test_cleaning_what_was_cleaned_changes_nothing_else(tmp_path: Path) -> None:
    SELLERS.to_csv(shop(tmp_path / "in") / "export.csv", index=False, sep=";")
    run = run_of(tmp_path / "in" / "export.csv", tmp_path / "one")
    fixed(run, decided("00004", "delete"))
    again = run_of(run.cleaned, tmp_path / "two")
    fixed(again, decided("00003", "delete"))
    first = pd.read_csv(run.cleaned / "listings.csv", sep=";", dtype=str, keep_default_na=False)
    second = pd.read_csv(again.cleaned / "listings.csv", sep=";", dtype=str, keep_default_na=False)
    rest = [name for name in SELLERS if name != "Photo"]
    pd.testing.assert_frame_equal(second[rest], first[rest].drop(index=2).reset_index(drop=True))
    assert read_again(again).problems.empty
    assert read_listings(again.cleaned).source.name == "export-cleaned-cleaned"


def test_a_name_that_stands_for_no_label_does_so_again(tmp_path: Path) -> None:
    names = ["lamp", "sofa", "N/A", "sofa", "lamp", "lamp"]
    SELLERS.assign(Category=names).to_csv(shop(tmp_path / "in") / "listings.csv", index=False)
    (tmp_path / "in" / "dataset.toml").write_text('[labels]\n"N/A" = ""\n')
    run = run_of(tmp_path / "in", tmp_path / "run")
    fixed(run, decided("00004", "delete"))
    assert read_again(run).classes == ("lamp", "sofa")


@pytest.mark.parametrize("form", [None, "csv", "imagefolder"])
def test_names_that_are_no_utf_8_come_out(form: str | None, tmp_path: Path) -> None:
    odd = os.fsdecode(b"caf\xe9")
    photos(tmp_path / "in" / odd, "1.png", f"{odd}.png")
    photos(tmp_path / "in" / "dog", "1.png", f"{odd}.png", "3.png")
    run = run_of(tmp_path / "in", tmp_path / "run")
    fixed(run, decided("dog/1.png", "relabel", "caf\\xe9"), decided("dog/3.png", "delete"), form=form)
    listings = read_again(run)
    assert sorted(listings.table["label"]) == ["caf\\xe9"] * 3 + ["dog"]
    assert listings.problems.empty
    if form is None:
        folders = sorted(path.name for path in run.cleaned.iterdir() if path.is_dir())
        assert folders == sorted([odd, "dog"])


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_rows_that_only_add_a_photo_come_back_and_go_with_their_listing(ending: str, tmp_path: Path) -> None:
    names = "abcdef"
    for number, name in enumerate([*names, "a2", "a3", "c2"]):
        path = tmp_path / "in" / "photos" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), (number * 20, 0, 0)).save(path)
    rows = [(name, name.upper(), "lamp" if name in "ace" else "desk", 5, f"photos/{name}.png", 1) for name in names]
    rows[3:3] = [("c", None, None, None, "photos/c2.png", 2)]
    rows[1:1] = [("a", None, None, None, f"photos/a{number}.png", number) for number in (2, 3)]
    columns = ["Handle", "Title", "Product Category", "Variant Price", "Image Src", "Image Position"]
    WRITERS[ending](pd.DataFrame(rows, columns=columns), tmp_path / "in" / f"shop.{ending}")
    listings = read_listings(tmp_path / "in")
    assert listings.table["id"].tolist() == list(names)
    said = "3 rows only add photos to their listings; the first photo of a listing is the one that counts."
    assert said in listings.notes
    assert not [note for note in listings.notes if "left out" in note]
    run = run_of(tmp_path / "in" / f"shop.{ending}", tmp_path / "run")
    fixed(run, decided("c", "delete"), decided("e", "relabel", "desk"))
    table = read_raw(run.cleaned / f"listings.{ending}").table
    assert table["Handle"].tolist() == ["a", "a", "a", "b", "d", "e", "f"]
    assert table["Product Category"].tolist()[4:6] == ["desk", "desk"]
    assert table["Image Position"].tolist() == ["1", "2", "3", "1", "1", "1", "1"]
    assert all((run.cleaned / image).is_file() for image in table["Image Src"])
    assert read_again(run).table["id"].tolist() == ["a", "b", "d", "e", "f"]
    (note,) = [note for note in fixed(run, decided("b", "keep"), form="class-folders") if "left out" in note]
    assert note == "2 rows that only add photos or variants left out: there is one row each."


def test_further_photos_of_a_cell_stay_beside_the_first(tmp_path: Path) -> None:
    source = shop(tmp_path / "in")
    names = sorted(path.relative_to(source).as_posix() for path in source.rglob("*.*"))[:4]
    table = pd.DataFrame(
        {"ID": [*"abcd"], "Categories": [*"xyxy"], "Images": [f"{name}, {names[0]}" for name in names]}
    )
    table.to_csv(source / "shop.csv", index=False)
    run = run_of(source / "shop.csv", tmp_path / "run")
    fixed(run, decided("a", "relabel", "y"))
    cells = read_raw(run.cleaned / "listings.csv").table["Images"]
    assert [len([(run.cleaned / name).is_file() for name in cell.split(", ")]) for cell in cells] == [2] * 4
    assert all((run.cleaned / name).is_file() for cell in cells for name in cell.split(", "))
