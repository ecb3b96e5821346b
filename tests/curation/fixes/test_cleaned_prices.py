"""What apply-fixes writes is read again as the prices that were decided, in whatever manner a column is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from curation.errors import DecisionsError
from curation.fixes import apply_fixes, plan_fixes
from curation.fixes.prices import check_written
from curation.listings import Listings, read_listings
from curation.listings.tables import read_raw
from curation.run.decisions import decide
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from tests.support.fixes import decided, run_of
from training.utils.files import read_json, write_json


def german(value: float, places: int) -> str:
    return f"{value:,.{places}f}".translate(str.maketrans(",.", ".,"))


def blanks(value: float, places: int, blank: str) -> str:
    return f"{value:,.{places}f}".replace(",", blank).replace(".", ",")


def lakh(value: float) -> str:
    whole = f"{value:.0f}"
    head, tail = whole[:-3], whole[-3:]
    pairs = [head[max(0, end - 2) : end] for end in range(len(head), 0, -2)][::-1]
    return ",".join([*pairs, tail])


MANNERS: dict[str, Callable[[float], str]] = {
    "whole euros": lambda value: f"{german(value, 0)} €",
    "euros before": lambda value: f"€ {german(value, 0)}",
    "euros with cents": lambda value: f"{german(value, 2)} €",
    "a dash for cents": lambda value: f"{german(value, 0)},-",
    "a Swedish dash": lambda value: f"{blanks(value, 0, ' ')}:-",
    "pounds": lambda value: f"£{value:,.0f}",
    "pounds and pence": lambda value: f"£{value:,.2f}",
    "some in pence": lambda value: f"{value:.0f}p" if value < 90 else f"£{value:,.2f}",
    "German numbers": lambda value: german(value, 0),
    "German numbers with cents": lambda value: german(value, 2) if value < 60 else german(value, 0),
    "English numbers": lambda value: f"{value:,.0f}",
    "plain numbers": lambda value: f"{value:.2f}",
    "plain whole numbers": lambda value: f"{value:.0f}",
    "floats": lambda value: f"{round(value / 7, 3)}",
    "per kilo": lambda value: german(value / 100, 3),
    "per kilo with a dot": lambda value: f"{value / 100:.3f} €",
    "dinars": lambda value: f"KWD {value / 10:,.3f}",
    "rupiah": lambda value: f"Rp {german(value * 1000, 0)}",
    "roubles": lambda value: f"{blanks(value, 0, ' ')} руб.",
    "francs": lambda value: f"CHF {value:,.0f}".replace(",", "'"),
    "francs of a word processor": lambda value: f"CHF {value:,.2f}".replace(",", "’"),
    "French": lambda value: f"{blanks(value, 2, chr(0x202F))} €",
    "thin spaces": lambda value: f"{blanks(value, 0, chr(0x2009))} €",
    "rupees": lambda value: f"₹{lakh(value * 100)}",
    "rupees with a dash": lambda value: f"Rs. {value:.0f}/-",
    "thousands as k": lambda value: f"{value / 1000:.1f}k" if value > 1000 else f"{value:.0f}",
    "a bare dot": lambda value: f"{value:.0f}.",
    "dollars in thousands": lambda value: f"${value / 100:.0f}k" if value > 1000 else f"${value / 100:.1f}k",
    "many lakhs": lambda value: f"Rs {lakh(value * 1000)}",
    "formulas": lambda value: f'="{value:.2f}"',
    "German formulas": lambda value: f'="{german(value, 0)} €"',
    "mixed": lambda value: german(value, 0) if value % 2 < 1 else f"{value:,.0f}",
    "unseen characters": lambda value: f"{german(value, 0)}\u200b €",
}
NEW = [7.25, 0.99, 15.5, 350.0, 1299.0, 1250.5, 12000.0, 1.299, 0.125, 1234567.0]


def shop(folder: Path, cells: list[str], name: str = "shop.csv") -> Path:
    rows = range(len(cells))
    table = pd.DataFrame({"id": [f"L{row:03}" for row in rows], "label": ["lamp", "sofa"] * (len(cells) // 2)})
    folder.mkdir(parents=True, exist_ok=True)
    table.assign(price=cells).to_csv(folder / name, index=False)
    return folder / name


def prices(listings: Listings | pd.DataFrame) -> dict[str, float]:
    table = listings if isinstance(listings, pd.DataFrame) else listings.table
    return dict(zip(table["id"], table["price"].astype(float).fillna(-1), strict=True))


def fixed(run: RunFolder, new: dict[str, float], deleted: list[str], form: str | None = None) -> tuple[str, ...]:
    run.decide(
        [Decision(id, "reprice", None, "ana", "2024-05-01T10:00:00.000+00:00", "app", None, new_price=price)
         for id, price in new.items()]
        + [decided(id, "delete") for id in deleted]
    )  # fmt: skip
    return apply_fixes(run, plan_fixes(run), form).notes


@pytest.mark.parametrize("manner", MANNERS)
@pytest.mark.parametrize("seed", range(4))
def test_every_price_of_a_cleaned_dataset_is_read_as_it_was_decided(manner: str, seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    cells = [MANNERS[manner](value) for value in 10 ** rng.uniform(1, 4.2, 40)]
    # a single cell that proves something, and one that proves the opposite
    cells[:2] = [[cells[0], cells[1]], ["45,50", cells[1]], ["1.200.000", cells[1]], ["45,50", "45.50"]][seed]
    run = run_of(shop(tmp_path, cells), tmp_path / "run", needs_image=False)
    before = prices(run.listings())
    ids = list(before)
    new = {id: NEW[place] for place, id in enumerate(rng.choice(ids[2:], len(NEW), replace=False).tolist())}
    left = [id for id in ids[2:] if id not in new]
    gone = [*ids[:2], *rng.choice(left, rng.integers(0, len(left) - 8), replace=False).tolist()]
    notes = fixed(run, new, gone)
    assert not any("read otherwise" in note for note in notes)
    again = read_listings(run.cleaned, needs_image=False)
    assert prices(again) == {id: price for id, price in (before | new).items() if id not in gone}
    first, later = read_raw(tmp_path / "shop.csv").files[0].cells, read_raw(run.cleaned / "listings.csv").files[0].cells
    texts = dict(zip(first["id"].to_pylist(), first["price"].to_pylist(), strict=True))
    kept = dict(zip(later["id"].to_pylist(), later["price"].to_pylist(), strict=True))
    assert {id: cell for id, cell in kept.items() if id not in new} == {id: texts[id] for id in kept if id not in new}


@pytest.mark.parametrize("manner", ["whole euros", "German numbers with cents", "per kilo", "floats", "mixed"])
def test_what_marks_the_decimals_goes_on_to_the_next_round(manner: str, tmp_path: Path) -> None:
    cells = [MANNERS[manner](value) for value in 10 ** np.random.default_rng(3).uniform(1, 4.2, 40)]
    first = run_of(shop(tmp_path, cells), tmp_path / "run", needs_image=False)
    fixed(first, {"L003": 7.25}, [f"L{row:03}" for row in range(10, 20)])
    second = run_of(first.cleaned, tmp_path / "second", needs_image=False)
    before = prices(second.listings())
    gone = [id for id in before if id != "L003" and before[id] % 2 < 1]
    fixed(second, {}, gone)
    again = prices(read_listings(second.cleaned, needs_image=False))
    assert again == {id: price for id, price in (prices(first.listings()) | {"L003": 7.25}).items() if id in again}


@pytest.mark.parametrize("form", ["csv", "tsv", "xlsx", "parquet", "json", "jsonl"])
@pytest.mark.parametrize("manner", ["German numbers", "floats", "mixed", "German formulas"])
def test_prices_are_the_same_in_every_format(manner: str, form: str, tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    cells = [MANNERS[manner](value) for value in 10 ** np.random.default_rng(1).uniform(1, 4.2, 40)]
    cells[0] = "45,50" if "German" in manner else cells[0]
    run = run_of(shop(tmp_path, cells), tmp_path / "run", needs_image=False)
    before, new = prices(run.listings()), {"L003": 7.25, "L004": 1299.0, "L005": 1.299}
    fixed(run, new, ["L000"], form)
    again = prices(read_listings(run.cleaned, needs_image=False))
    assert again == {id: price for id, price in (before | new).items() if id != "L000"}


@pytest.mark.parametrize("form", ["csv", "parquet", "xlsx"])
def test_numbers_of_a_sheet_beside_german_texts_stay_what_they_are(form: str, tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    cells = [1.299, "1.299 €", 20, "12,50 €", 2.5, "7 €"]
    table = pd.DataFrame({"id": list("abcdef"), "label": ["x", "y"] * 3, "price": cells})
    table.to_excel(tmp_path / "shop.xlsx", index=False)
    run = run_of(tmp_path / "shop.xlsx", tmp_path / "run", needs_image=False)
    fixed(run, {"c": 7.25, "f": 7.25}, ["d"], form)
    again = read_listings(run.cleaned, needs_image=False)
    assert prices(again) == {"a": 1.299, "b": 1299, "c": 7.25, "e": 2.5, "f": 7.25}
    if form == "csv":
        assert pd.read_csv(run.cleaned / "listings.csv")["price"].tolist()[1:] == ["1.299 €", "7.25", "2.5", "7,25 €"]


@pytest.mark.parametrize(
    ("cell", "text"),
    [("20 €", "7,25 €"), ("€ 20", "€ 7,25"), ("15,-", "7,25"), ("15,- €", "7,25 €"), ('="20 €"', '="7,25 €"')],
)
def test_a_new_price_has_the_decimals_of_its_column(cell: str, text: str, tmp_path: Path) -> None:
    cells = [cell, cell.replace("20", "1.020").replace("15", "1.015")] * 3
    run = run_of(shop(tmp_path, cells), tmp_path / "run", needs_image=False)
    fixed(run, {"L000": 7.25}, [])
    assert read_raw(run.cleaned / "listings.csv").files[0].cells["price"].to_pylist() == [text, *cells[1:]]
    assert 'decimal = ","\n' in (run.cleaned / "dataset.toml").read_text()
    assert prices(read_listings(run.cleaned, needs_image=False))["L000"] == 7.25


def test_ids_labels_and_prices_as_formulas_of_excel_are_read_as_texts_and_written_back_as_formulas(
    tmp_path: Path,
) -> None:
    rows = [['="00001"', '="lamp"', '="20.86"'], ['="00002"', '="sofa"', '="5.00"'], ['="00003"', "lamp", '="7.50"']]
    table = pd.DataFrame(rows, columns=['="id"', "label", "price"])
    table.to_csv(tmp_path / "shop.csv", index=False)
    listings = read_listings(tmp_path / "shop.csv", needs_image=False)
    assert prices(listings) == {"00001": 20.86, "00002": 5, "00003": 7.5}
    assert listings.classes == ("lamp", "sofa")
    assert listings.notes == ("shop.csv: 8 cells are texts written as formulas of Excel, e.g. =\"00001\" is '00001'.",)
    run = run_of(tmp_path / "shop.csv", tmp_path / "run", needs_image=False)
    (tmp_path / "mine.csv").write_text('id,decision,new_label,new_price\n"=""00001""",relabel,"=""sofa""","=""9.5"""\n')
    apply_fixes(run, plan_fixes(run, decisions_file=tmp_path / "mine.csv"))
    written = pd.read_csv(run.cleaned / "listings.csv")
    assert list(written.columns) == list(table.columns)
    assert written.to_numpy().tolist() == [['="00001"', '="sofa"', '="9.50"'], *rows[1:]]
    assert prices(read_listings(run.cleaned, needs_image=False)) == {"00001": 9.5, "00002": 5, "00003": 7.5}


def test_a_run_of_an_earlier_version_records_what_marked_its_decimals(tmp_path: Path) -> None:
    run = run_of(shop(tmp_path, ["45,50", "1.020", "20", "1.050"]), tmp_path / "run", needs_image=False)
    record = read_json(run.record_file)
    assert record["dataset"].pop("decimal") == ","
    write_json(run.record_file, record)
    fixed(run, {}, ["L000"])
    assert prices(read_listings(run.cleaned, needs_image=False)) == {"L001": 1020, "L002": 20, "L003": 1050}


def test_prices_that_an_earlier_version_misread_are_named(tmp_path: Path) -> None:
    run = run_of(shop(tmp_path, ["0,500", "1,250", "2,000", "7"]), tmp_path / "run", needs_image=False)
    table = run.listings()
    run.write_table(run.listings_file, table.assign(price=[0.5, 1250.0, 2000.0, 7.0]))
    notes = fixed(run, {"L003": 8.0}, [])
    said = "2 prices are read otherwise than in the run, which an earlier version made: L001 is '1,250', and was 1250"
    assert any(note.startswith(said) for note in notes)


def test_a_new_price_that_would_be_read_as_another_is_never_written(tmp_path: Path) -> None:
    file = read_raw(shop(tmp_path, ["1.020", "20"])).files
    decided_prices = pd.DataFrame({"id": ["a", "b"], "price": [1020.0, 20.0]})
    assert check_written(file, "price", ",", decided_prices, ["a"]) == ()
    with pytest.raises(ValueError, match=r"the new price of a is '1\.020', and was 1020"):
        check_written(file, "price", ".", decided_prices, ["a"])


@pytest.mark.parametrize(
    ("cells", "price"),
    [
        (["1.250", "2.125", "3.500"], 1.299),
        (["KWD 1.250", "KWD 2", "KWD 3"], 1.299),
        (["1.255", *["1.25"] * 9], 1.299),
        (["1.255", *["1.25"] * 10, "2.5"], None),
        (["1.25", "2.12", "3.5"], None),
    ],
)
def test_a_new_price_of_three_decimals_is_what_it_says_where_others_have_three(
    cells: list[str], price: float | None, tmp_path: Path
) -> None:
    run = run_of(shop(tmp_path, cells + ["7"] * (len(cells) % 2)), tmp_path / "run", needs_image=False)
    if price is None:
        with pytest.raises(DecisionsError, match=r"Write 1299, or 1\.2990"):
            decide(run, ["L001"], "reprice", price="1.299")
        return
    decide(run, ["L001"], "reprice", price="1.299")
    apply_fixes(run, plan_fixes(run))
    assert prices(read_listings(run.cleaned, needs_image=False))["L001"] == price
