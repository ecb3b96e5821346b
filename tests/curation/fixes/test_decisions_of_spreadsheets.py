"""Decisions as spreadsheets leave them: the listing or class that is surely meant, or what the spreadsheet did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from curation.errors import DecisionsError
from curation.find import FindSettings, find
from curation.fixes import Fixes, plan_fixes
from curation.listings import read_listings
from curation.run.folder import RunFolder

CLASSES = ["3-5", "Kabel", "Mäuse"]
IDS = [f"{number:05d}" for number in range(58)] + ["123456789012345678", "12E4"]


def make_run(folder: Path, id_column: str = "id") -> RunFolder:
    given = np.arange(60) % 3
    probs = 0.3 * np.random.default_rng(0).dirichlet(np.ones(3), 60)
    probs[np.arange(60), given] += 0.7
    pd.DataFrame({id_column: IDS, "label": np.array(CLASSES)[given]}).to_csv(folder / "listings.csv", index=False)
    columns = {"id": id_column} if id_column != "id" else None
    listings = read_listings(folder / "listings.csv", needs_image=False, columns=columns)
    own = pd.DataFrame(probs, columns=CLASSES).assign(id=IDS)
    return find(listings, FindSettings(probabilities=own), run_folder=folder / "run")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return make_run(tmp_path_factory.mktemp("excel"))


def planned(run: RunFolder, content: str | bytes, folder: Path) -> Fixes:
    path = folder / "mine.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return plan_fixes(run, decisions_file=path, reviewer="ana")


def decided(fixes: Fixes) -> dict[str, tuple[str, str | None]]:
    return {id: (decision.action, decision.new_label) for id, decision in fixes.decisions.items()}


@pytest.mark.parametrize(
    ("content", "expected", "note"),
    [
        (
            "id,decision,new_label\r\n1,keep,\r\n2,delete,\r\n",
            {"00001": ("keep", None), "00002": ("delete", None)},
            "mine.csv: 2 ids were read as meant: '1' as '00001', '2' as '00002' (a program took them for numbers).",
        ),
        (
            "id,decision,new_label\r\n1.23457E+17,delete,\r\n1.20E+05,delete,\r\n",
            {"123456789012345678": ("delete", None), "12E4": ("delete", None)},
            "'1.23457E+17' as '123456789012345678' (a spreadsheet rounded long numbers)",
        ),
        ("id;decision\r\n1,23457E+17;delete\r\n", {"123456789012345678": ("delete", None)}, "rounded long numbers"),
        ("id,decision\r\n123456789012345000,delete\r\n", {"123456789012345678": ("delete", None)}, "rounded"),
        ("sep=;\r\nid;decision;new_label\r\n00001;keep;\r\n", {"00001": ("keep", None)}, ""),
        ("id,decision,new_label\r\n00001,relabel,Mäuse\r\n".encode("cp1252"), {"00001": ("relabel", "Mäuse")}, ""),
        ("id\tdecision\tnew_label\r\n00001\trelabel\tMäuse\r\n".encode("utf-16"), {"00001": ("relabel", "Mäuse")}, ""),
        (
            "id,decision,new_label\r\n00001,relabel,Kabel\u00a0\r\n\u00a000002,delete,\r\n",
            {"00001": ("relabel", "Kabel"), "00002": ("delete", None)},
            "",
        ),
        (
            "id,decision,new_label\r\n=\"00001\",delete,\r\n'00002,keep,\r\n",
            {"00001": ("delete", None), "00002": ("keep", None)},
            "(a spreadsheet's way to keep text)",
        ),
        (
            "id,decision,new_label\r\n00001,relabel,05. Mrz\r\n",
            {"00001": ("relabel", "3-5")},
            "mine.csv: 1 class was read as meant: '05. Mrz' as '3-5' (a spreadsheet made dates of them).",
        ),
        ("id,decision,new_label\r\n00001,relabel,03-May\r\n", {"00001": ("relabel", "3-5")}, "made dates"),
        ("ID,Decision,New_Label\r\n00001,relabel,Kabel\r\n", {"00001": ("relabel", "Kabel")}, ""),
        ("Id,DECISION,New label\r\n00001,Relabel,kabel\r\n", {"00001": ("relabel", "Kabel")}, "capitals differ"),
        ('id,decision,new_label,note\r\n00001,delete,,"two\rlines"\r\n', {"00001": ("delete", None)}, ""),
    ],
    ids=[
        "zeros", "sci", "sci with a comma", "15 digits", "sepline", "cp1252", "unicode text", "nbsp", "formula",
        "date", "another date", "upper", "capitals", "note_cr",
    ],
)  # fmt: skip
def test_14_decisions_from_excel(
    content: str | bytes, expected: dict[str, Any], note: str, run: RunFolder, tmp_path: Path
) -> None:
    fixes = planned(run, content, tmp_path)
    assert decided(fixes) == expected
    assert any(note in said for said in fixes.notes) if note else not fixes.notes


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("id,decision\n9.99E+20,delete\n", ["names listings that the run", "rounded long numbers (9.99E+20): import"]),
        ("id,decision\n#NAME?,delete\n", ["A spreadsheet took text for formulas (#NAME?)"]),
        ("id,decision\n01-Jan,delete\n", ["A spreadsheet made dates of text (01-Jan): import that column as text"]),
        ("id,decision,new_label\n00001,relabel,07-Aug\n", ["names classes that the run does not have: got 07-Aug"]),
        ("id,decision\n,delete\n00001,keep\n", ["mine.csv has 1 decision without an id: got an empty cell"]),
        ("id,decision\n999,delete\n", ["this run has no listing for 1 decision: got 999"]),
        ("id,decision\n1,delete\n01,keep\n", ["decides on 1 listing in two ways: got 00001"]),
    ],
)
def test_14_what_fits_no_listing_is_refused_with_what_the_spreadsheet_did(
    content: str, parts: list[str], run: RunFolder, tmp_path: Path
) -> None:
    with pytest.raises(DecisionsError) as caught:
        planned(run, content, tmp_path)
    assert [part for part in parts if part not in str(caught.value)] == []
    assert "\n" not in str(caught.value)


def test_14_an_id_that_fits_two_listings_is_refused(tmp_path: Path) -> None:
    table = pd.DataFrame({"id": ["01", "001", "2", "3"], "label": ["lamp", "desk"] * 2})
    table.to_csv(tmp_path / "listings.csv", index=False)
    listings = read_listings(tmp_path / "listings.csv", needs_image=False)
    run = find(listings, FindSettings(probabilities=np.full((4, 2), 0.5)), run_folder=tmp_path / "run")
    with pytest.raises(DecisionsError, match=r"1 id that may be several listings: got '1', which may be '001' or '01'"):
        planned(run, "id,decision\n1,delete\n", tmp_path)


def test_14_a_sheet_of_excel_is_read(run: RunFolder, tmp_path: Path) -> None:
    rows = {"ID": [1, 123456789012345678], "Decision": ["keep", "relabel"], "New label": [None, "Kabel"]}
    pd.DataFrame(rows).to_excel(tmp_path / "mine.xlsx", index=False)
    fixes = plan_fixes(run, decisions_file=tmp_path / "mine.xlsx", reviewer="ana")
    assert decided(fixes) == {"00001": ("keep", None), "123456789012345678": ("relabel", "Kabel")}


def test_14_the_dataset_s_own_name_of_the_ids_is_known(tmp_path: Path) -> None:
    run = make_run(tmp_path, id_column="Artikel Nr")
    assert decided(planned(run, "Artikel Nr;decision\n00001;delete\n", tmp_path)) == {"00001": ("delete", None)}
    assert decided(planned(run, "artikel_nr,decision\n00001,delete\n", tmp_path)) == {"00001": ("delete", None)}
    assert decided(planned(run, "id,decision\n00001,delete\n", tmp_path)) == {"00001": ("delete", None)}


def test_a_class_that_is_new_is_taken_as_it_is_written(run: RunFolder, tmp_path: Path) -> None:
    fixes = planned(run, "id,decision,new_label,new_class\n1,relabel,07-Aug,yes\n2,relabel,07-Aug,\n", tmp_path)
    assert decided(fixes) == {"00001": ("relabel", "07-Aug"), "00002": ("relabel", "07-Aug")}
