"""Cells of a CSV that stand in the file otherwise than a program would write them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from curation.fixes import apply_fixes, plan_fixes
from curation.listings import read_listings
from tests.support.fixes import decided, run_of


def shop(folder: Path, titles: list[str], sign: str = ",") -> Path:
    (folder / "in").mkdir()
    for row in range(len(titles)):
        Image.new("RGB", (4, 4), (row * 40, 0, 0)).save(folder / "in" / f"{row}.png")
    rows = [sign.join([f"L{row}", f"{row}.png", "ab"[row % 2], title]) for row, title in enumerate(titles)]
    (folder / "in" / "shop.csv").write_text("\n".join([sign.join(["id", "image", "label", "title"]), *rows, ""]))
    return folder / "in" / "shop.csv"


def titles_after(source: Path, folder: Path, sign: str = ",") -> list[str]:
    """Return the last cells of the cleaned dataset as they stand there, after one label has changed."""
    run = run_of(source, folder / "run")
    run.decide([decided("L1", "relabel", "a"), decided("L2", "delete")])
    apply_fixes(run, plan_fixes(run))
    lines = (run.cleaned / "listings.csv").read_text().splitlines()
    return [line.split(sign, 3)[3] for line in lines[1:]]


INCHES = ['"15" monitor', '"17" screen', "plain", '"a ""good"" one"', '19" tv', '"needless"']


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_text_behind_a_closing_quote_is_read_and_written_as_it_stands(sign: str, tmp_path: Path) -> None:
    source = shop(tmp_path, INCHES, sign)
    listings = read_listings(source)
    expected = ['"15" monitor', '"17" screen', "plain", 'a "good" one', '19" tv', "needless"]
    assert listings.table["title"].tolist() == expected
    assert (
        "shop.csv: 2 cells have text behind a closing quote, so they are read as they stand: rows 2, 3, e.g. "
        "'\"15\" monitor'." in listings.notes
    )
    assert titles_after(source, tmp_path, sign) == [*INCHES[:2], *INCHES[3:]]


def test_a_changed_cell_in_a_row_with_such_a_text_is_written_like_any_other(tmp_path: Path) -> None:
    source = shop(tmp_path, INCHES)
    run = run_of(source, tmp_path / "run")
    run.decide([replace(decided("L1", "relabel", "lamp, big"), new_class=True)])
    apply_fixes(run, plan_fixes(run))
    line = (run.cleaned / "listings.csv").read_text().splitlines()[2]
    assert line.endswith(',"lamp, big","17" screen')
    assert read_listings(run.cleaned).table["title"].tolist() == read_listings(source).table["title"].tolist()


def test_blanks_behind_a_closing_quote_are_no_text(tmp_path: Path) -> None:
    titles = ['"one" ', '"two"', "three", "four"]
    listings = read_listings(shop(tmp_path, titles))
    assert listings.table["title"].tolist() == ["one", "two", "three", "four"]
    assert not any("closing quote" in note for note in listings.notes)
    assert titles_after(tmp_path / "in" / "shop.csv", tmp_path) == ['"one" ', '"two"', "four"]


def test_rows_that_are_quoted_otherwise_than_most_stay_so(tmp_path: Path) -> None:
    titles = [f'"title {row}"' for row in range(6)]
    assert titles_after(shop(tmp_path, titles), tmp_path) == [*titles[:2], *titles[3:]]


def test_such_a_text_is_quoted_where_the_dataset_becomes_another_table(tmp_path: Path) -> None:
    run = run_of(shop(tmp_path, INCHES), tmp_path / "run")
    run.decide([decided("L1", "relabel", "a")])
    apply_fixes(run, plan_fixes(run), form="tsv")
    assert read_listings(run.cleaned).table["title"].tolist()[0] == '"15" monitor'


BLANKS = [' "x, 1"', ' "a ""good"" one"', " plain", '"y"', ' "z" ', ' "15" tv']


@pytest.mark.parametrize("sign", [",", ";", "|"])
def test_a_blank_before_a_quote_is_no_text_and_stays_where_it_stands(sign: str, tmp_path: Path) -> None:
    titles = [title.replace(",", sign) for title in BLANKS]
    source = shop(tmp_path, titles, sign)
    read = read_listings(source).table["title"].str.strip().tolist()
    assert read == [f"x{sign} 1", 'a "good" one', "plain", "y", "z", '"15" tv']
    assert titles_after(source, tmp_path, sign) == [*titles[:2], *titles[3:]]


def test_cells_behind_blanks_are_names_and_labels_without_quotes_and_are_changed_well_formed(tmp_path: Path) -> None:
    source = shop(tmp_path, ["x"] * 4)
    lines = [f'"L{row}", "{row}.png", "{"ab"[row % 2]}", "x, {row}"' for row in range(4)]
    source.write_text("\n".join(['"id", "image", "label", "title"', *lines, ""]))
    assert read_listings(source).classes == ("a", "b")
    run = run_of(source, tmp_path / "run")
    run.decide([decided("L1", "relabel", "a")])
    apply_fixes(run, plan_fixes(run))
    written = (run.cleaned / "listings.csv").read_text().splitlines()[1:]
    # the photos lie elsewhere from there, so these cells are new, too
    seen = [line.replace(f' "{row}.png"', f"../../in/{row}.png") for row, line in enumerate(lines)]
    assert written == [seen[0], seen[1].replace(' "b"', "a"), *seen[2:]]
    assert read_listings(run.cleaned).table["label"].tolist() == ["a", "a", "a", "b"]
