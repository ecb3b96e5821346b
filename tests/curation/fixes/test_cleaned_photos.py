"""Cells of the cleaned table lead to the photos that the input names: lists of several, and rows that add one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from curation.fixes import apply_fixes, plan_fixes
from curation.listings import read_listings
from curation.listings.editing import values_of
from curation.listings.several_photos import names_of
from curation.listings.tables import read_raw
from curation.run.folder import RunFolder
from tests.support.fixes import decided, run_of

WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    "json": lambda table, path: table.to_json(path, orient="records"),
    "jsonl": lambda table, path: table.to_json(path, orient="records", lines=True),
    "parquet": lambda table, path: table.to_parquet(path),
    "csv": lambda table, path: table.to_csv(path, index=False),
}


def shop(folder: Path, photos: int = 8) -> Path:
    (folder / "photos").mkdir(parents=True)
    for number in range(photos):
        (folder / "photos" / f"{number}.jpg").write_bytes(b"")
    return folder


def applied(table: Path, *deleted: str, form: str | None = None) -> RunFolder:
    run = run_of(table, table.parent.parent / "runs" / "1")
    run.decide([decided(id, "delete") for id in deleted])
    apply_fixes(run, plan_fixes(run), form)
    return run


def image_cells(path: Path, column: str) -> list[Any]:
    (file,) = read_raw(path).files
    return values_of(file.format.kind, file.cells[column])


def leads(run: RunFolder, name: str) -> str:
    """Return the name of the photo that a name in the cleaned table leads to."""
    assert (run.cleaned / name).is_file(), name
    return os.path.basename(name)  # noqa: PTH119


LISTS = [["photos/0.jpg", "photos/1.jpg"], ["photos/gone.jpg", "2.jpg"], ["photos/3.jpg"], ["photos/4.jpg"], None]


def with_lists(folder: Path, ending: str) -> Path:
    table = pd.DataFrame({"id": list("abcde"), "images": LISTS, "label": ["lamp", "desk", "lamp", "desk", "desk"]})
    path = shop(folder) / f"export.{ending}"
    WRITERS[ending](table, path)
    return path


@pytest.mark.parametrize("ending", ["json", "jsonl", "parquet"])
def test_each_photo_of_a_list_leads_to_its_file_and_the_list_stays_one(ending: str, tmp_path: Path) -> None:
    run = applied(with_lists(tmp_path / "in", ending), "d")
    first, second, third, none = image_cells(run.cleaned / f"listings.{ending}", "images")
    assert [leads(run, name) for name in first] == ["0.jpg", "1.jpg"]
    assert [leads(run, name) for name in (second[1], *third)] == ["2.jpg", "3.jpg"]
    assert not (run.cleaned / second[0]).exists()
    assert none is None
    again = read_listings(run.cleaned, allow_bad=0.5).table["image"].dropna()
    assert [leads(run, name) for name in again] == ["0.jpg", "2.jpg", "3.jpg"]


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl", "json", "parquet"])
def test_a_list_of_photos_in_another_format_leads_to_its_files(form: str, tmp_path: Path) -> None:
    run = applied(with_lists(tmp_path / "in", "json"), "d", form=form)
    cell = image_cells(run.cleaned / f"listings.{form}", "images")[0]
    names = cell if isinstance(cell, list) else names_of(cell)
    assert isinstance(cell, list) == (form not in ("csv", "xlsx"))
    assert [leads(run, name) for name in names] == ["0.jpg", "1.jpg"]


@pytest.mark.parametrize(
    "further", ["5.jpg", "photos/5.JPG", "C:\\shop\\photos\\5.jpg", "photos/5.jpg", "5.jpg, 6.jpg"]
)
def test_a_row_that_adds_a_photo_leads_to_it_as_its_listing_does(further: str, tmp_path: Path) -> None:
    rows = [["a", "0.jpg", "lamp"], ["a", further, None], ["b", "1.jpg", "desk"], ["c", "2.jpg", "desk"]]
    path = shop(tmp_path / "in") / "listings.csv"
    pd.DataFrame(rows, columns=["id", "image", "label"]).to_csv(path, index=False)
    run = applied(path, "c")
    cells = image_cells(run.cleaned / "listings.csv", "image")
    names = [name.replace("\\", "/") for cell in cells for name in names_of(cell)]
    assert [leads(run, name) for name in names] == [
        "0.jpg",
        *(["5.jpg", "6.jpg"] if "6" in further else ["5.jpg"]),
        "1.jpg",
    ]


def test_the_photos_of_rows_that_add_one_are_not_counted_as_left_out(tmp_path: Path) -> None:
    rows = [["a", "0.jpg", "lamp"], ["a", "2.jpg", None], ["b", "1.jpg", "desk"]]
    path = shop(tmp_path / "in", 4) / "listings.csv"
    pd.DataFrame(rows, columns=["id", "image", "label"]).to_csv(path, index=False)
    notes = read_listings(path.parent).notes
    assert "1 photo is left out, for no row names it: photos/3.jpg." in notes
