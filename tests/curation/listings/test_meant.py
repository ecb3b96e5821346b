"""Names that another program changed are the only ones that they can come from, or none."""

from __future__ import annotations

import pytest

from curation.listings.meant import changed_by_a_spreadsheet, find_meant

IDS = [f"{number:05}" for number in range(58)] + ["123456789012345678", "12E4"]


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("1", "00001"),
        ("1.0", "00001"),
        ("1,0", "00001"),
        ("1.23457E+17", "123456789012345678"),
        ("1,23457E+17", "123456789012345678"),
        ("1.2345678901234568e+17", "123456789012345678"),
        ("123456789012345000", "123456789012345678"),
        ("123456789012345696", "123456789012345678"),
        ("123456789012345680", "123456789012345678"),
        ("1.20E+05", "12E4"),
        ("120000", "12E4"),
        ('="00003"', "00003"),
        ("'00002", "00002"),
        ("00005\N{ZERO WIDTH SPACE}", "00005"),
        ("00006\N{NO-BREAK SPACE}", "00006"),
        ("12e4", "12E4"),
    ],
)
def test_an_id_is_the_one_that_it_can_come_from(written: str, known: str) -> None:
    meant = find_meant([written], IDS)
    assert meant.names == {written: known}
    assert len(meant.notes) == 1


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("05-Mar", "3-5"),
        ("05. Mrz", "3-5"),
        ("3. Mai", "3-5"),
        ("5 mars", "3-5"),
        ("05/03/2026", "3-5"),
        ("2026-03-05 00:00:00", "3-5"),
        ("02-Sep", "SEPT2"),
        ("1-Mar", "MARCH1"),
        ("Okt 05", "10/2005"),
        ("04.07.1999", "4-7-99"),
    ],
)
def test_a_date_is_the_name_that_a_spreadsheet_made_it_of(written: str, known: str) -> None:
    assert find_meant([written], ["3-5", "SEPT2", "MARCH1", "10/2005", "4-7-99", "lamp"]).names == {written: known}


def test_what_fits_several_names_is_doubtful_and_not_chosen() -> None:
    assert find_meant(["1"], ["01", "001"]).doubtful == {"1": ["01", "001"]}
    assert find_meant(["05-Mar"], ["3-5", "5-3"]).doubtful == {"05-Mar": ["3-5", "5-3"]}
    assert find_meant(["1.23457E+17"], ["123456789012345678", "123456789012345679"]).names == {}
    assert find_meant(["DESK"], ["desk", "Desk"]).names == {}


def test_a_name_that_is_known_is_doubtful_if_others_lost_their_zeros() -> None:
    known = ["1", "01", "02"]
    assert find_meant(["1"], known).doubtful == {}
    meant = find_meant(["1", "2"], known)
    assert (meant.names, meant.doubtful) == ({"2": "02"}, {"1": ["1", "01"]})


def test_a_name_that_is_there_as_it_should_be_is_not_meant_by_another() -> None:
    assert find_meant(["01", "1"], ["01", "02"]).names == {}


@pytest.mark.parametrize("written", ["5", "lamps", "", "1-2-3-4", "1E5", "=", "'", "٣", "²", "1" * 400, "9E9999"])
def test_another_name_is_not_meant(written: str) -> None:
    meant = find_meant([written], ["00001", "3-5", "lamp", "x" * 400])
    assert (meant.names, meant.doubtful) == ({}, {})


def test_equal_numbers_of_any_length_are_told_apart() -> None:
    long = "1234567890123456789012345678901234567890"
    assert find_meant([f"{long}.0"], [long, f"{long[:-1]}1"]).names == {f"{long}.0": long}


def test_the_note_counts_and_gives_examples() -> None:
    (note,) = find_meant(["1", "2", "3", "4"], IDS).notes
    assert note == (
        "4 ids were read as meant: '1' as '00001', '2' as '00002', '3' as '00003', +1 more "
        "(a program took them for numbers)."
    )
    assert find_meant(["Desk"], ["desk"], what="class").notes == (
        "1 class was read as meant: 'Desk' as 'desk' (capitals differ).",
    )


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("1.2E+17", "A spreadsheet rounded long numbers (1.2E+17)"),
        ("05-Mar", "A spreadsheet made dates of text (05-Mar)"),
        ("#NAME?", "A spreadsheet took text for formulas (#NAME?)"),
    ],
)
def test_what_a_spreadsheet_did_is_told(name: str, reason: str) -> None:
    assert changed_by_a_spreadsheet(["L1", name]).startswith(reason)
    assert changed_by_a_spreadsheet(["L1", "lamp", "3-5-x"]) == ""


def test_another_spelling_of_one_class_is_that_class():
    assert find_meant(["pc component"], ["pc_component", "desk"], what="class").names == {
        "pc component": "pc_component"
    }
    assert find_meant(["a b-c"], ["a_b_c"]).names == {}


ANGSTROM, LETTER, MARKED = "\u212b1", "\u00c51", "A\u030a1"


def test_a_name_in_another_unicode_form_is_meant_and_the_note_tells_them_apart() -> None:
    meant = find_meant([ANGSTROM], [LETTER, "B"])
    assert meant.names == {ANGSTROM: LETTER}
    assert meant.notes == (
        f"1 id was read as meant: '{ANGSTROM}' (U+212B) as '{LETTER}' (U+00C5) (they are in another Unicode form).",
    )


def test_a_name_in_another_unicode_form_than_several_is_doubtful_and_no_spreadsheet_is_blamed() -> None:
    meant = find_meant([ANGSTROM], [LETTER, MARKED])
    assert meant.doubtful == {ANGSTROM: [LETTER, MARKED]}
    assert meant.first_doubt() == (
        f"'{ANGSTROM}' (U+212B), which may be '{LETTER}' (U+00C5) or '{MARKED}' (U+0041 U+030A)"
    )
    assert meant.advice("A spreadsheet did it.") == (
        "They are in another Unicode form: write them as the listings have them."
    )


def test_the_advice_says_what_differs_and_names_a_spreadsheet_only_where_one_rewrites() -> None:
    assert find_meant(["1"], ["01", "001"]).advice("A spreadsheet did it.") == "A spreadsheet did it."
    assert find_meant(["l 1"], ["L 1", "L  1"]).advice("").startswith("Capitals differ: ")
    assert find_meant(["l 1"], ["l  1", "l\u200b 1"]).advice("").startswith("Blanks or invisible characters differ: ")
