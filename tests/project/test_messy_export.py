"""What sellers really export goes through the whole loop with one command each, and comes out as it came in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from curation.cli import main
from curation.listings import read_listings

#: The same table, written by different programs.
FORMS = [
    "f.csv.gz", "f.json", "f.jsonl", "f.parquet", "f.tsv", "f.xlsx", "f_bom.csv", "f_cp1252.csv", "f_semi.csv",
    "f_semi_comma.csv", "f_tab.csv", "f_utf16.csv", "f_utf16_tab.csv",
]  # fmt: skip
EXPORTS = ["export.csv", "export_clean.csv", "export_nodup.csv", "export_num.csv", "export_slash.csv"]
LISTINGS = 753
PRICES = 718


@pytest.fixture(scope="module")
def messy(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("messy")
    script = shared.parent / "cases" / "messy_export.py"
    if not script.is_file():
        pytest.skip("the maker of messy exports lies beside the real data")
    source = shared / "gumtree-electronics-dev"
    subprocess.run([sys.executable, str(script), str(source), str(folder)], check=True, capture_output=True)
    return folder


def done(*arguments: str) -> str:
    result = CliRunner().invoke(main, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("name", FORMS + EXPORTS)
def test_every_form_of_an_export_is_read_without_options(name: str, messy: Path) -> None:
    listings = read_listings(messy / "shop" / name)
    assert len(listings.table) == LISTINGS
    assert listings.table["price"].notna().sum() == PRICES
    assert listings.table["title"].notna().all()
    assert not (listings.problems["column"] == "price").any()


@pytest.mark.parametrize(
    ("name", "listings"), [("pcfolders", 553), ("hfimg", 347), ("hfimg_jsonl", 347), ("hfimg_split", 347)]
)
def test_folders_of_the_same_photos_have_the_same_classes(name: str, listings: int, messy: Path) -> None:
    read = read_listings(messy / name)
    assert (len(read.table), len(read.classes)) == (listings, 19)
    assert read.problems.empty


def test_a_sellers_export_comes_out_of_the_loop_with_its_own_columns_and_texts(
    messy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    export = messy / "shop" / "export.csv"
    before = export.read_bytes()
    done("find-issues", str(export), "--preset", "quick", "--no-text", "--no-pretrained")
    done("review", "--html")
    assert (tmp_path / "runs/export/1/review.html").is_file()
    done("apply-fixes", "--accept-suggestions")
    cleaned = tmp_path / "runs/export/1/cleaned"
    own = pd.read_csv(export, dtype=str, keep_default_na=False).drop_duplicates()
    table = pd.read_csv(cleaned / "listings.csv", dtype=str, keep_default_na=False)
    changes = pd.read_csv(cleaned / "changes.csv", dtype=str, keep_default_na=False)
    assert list(table.columns) == list(own.columns)
    assert table["SKU"].tolist() == own["SKU"].tolist()
    assert table["Asking price"].tolist() == own["Asking price"].tolist()
    assert table["Product name"].tolist() == own["Product name"].tolist()
    relabelled = changes.set_index("id")["new_label"]
    expected = [relabelled.get(id, label) for id, label in zip(own["SKU"], own["Category"], strict=True)]
    assert table["Category"].tolist() == expected
    assert len(relabelled) > 0
    again = read_listings(cleaned)
    assert len(again.table) == LISTINGS
    assert (again.problems["why"] == "no such file").sum() <= 13
    assert export.read_bytes() == before
