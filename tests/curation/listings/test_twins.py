"""Names of classes that differ only in how they are written."""

from __future__ import annotations

import itertools
from pathlib import Path

import pandas as pd
import pytest

from curation.listings.twins import count_labels, find_twins, match_spellings, spelt_out, twins_in_words

DATA = Path(__file__).parents[4] / "shared" / "data"


def groups(*names: str) -> list[set[str]]:
    return [set(twins.spellings) for twins in find_twins(dict.fromkeys(names, 1))]


@pytest.mark.parametrize(
    "names",
    [
        ("Mouse", "mouse", "MOUSE"),
        ("Games Console", "games_console", "games-console", " games  console "),
        ("smart phone", "smartphone", "Smart – Phone"),
        ("C\u00e2ble", "Ca\u0302ble"),
        ("laptop", "\uff2c\uff41\uff50\uff54\uff4f\uff50"),
        ("Router", "Router\u200b", "\ufeffRouter", "Rou\u00adter"),
        ("Laptop", "Laptops"),
        ("battery", "Batteries"),
        ("watch", "watches"),
        ("lens", "lenses"),
        ("movie", "movies"),
        ("Games Console", "Game Consoles"),
        ("Men's shoes", "Mens Shoes", "Men\u2019s shoe"),
        ("TV", "TVs"),
        ("mouse", "mice"),
        ("Games > Consoles", "Games>Consoles"),
        ("iPhone 12", "iphone12"),
        ("Straße", "STRASSE"),
        ("Phones & Tablets", "phones &amp; tablets"),
    ],
)
def test_spellings_of_one_name_are_twins(names):
    assert groups(*names, "something else") == [set(names)]


@pytest.mark.parametrize(
    "names",
    [
        ("glass", "glas", "glasses"),
        ("lens", "len"),
        ("bus", "bu"),
        ("new", "news"),
        ("a", "A"),
        ("1", "-1", "1.5", "01", "10", "1.000"),
        ("12", "1 2"),
        ("level 1", "level -1"),
        ("A", "A-", "A+"),
        ("C", "C++", "C#"),
        ("iPhone 6", "iPhone 6s"),
        ("Model S", "Model"),
        ("pie", "py"),
        ("schon", "sch\u00f6n"),
        ("-", "_"),
        # the flags of England and of Scotland, told apart by characters that nobody sees
        ("\U0001f3f4\U000e0067\U000e0062\U000e0065", "\U0001f3f4\U000e0067\U000e0062\U000e0073"),
        ("princess", "princes"),
        ("Cables, adapters", "Cables"),
    ],
)
def test_names_that_mean_something_else_are_no_twins(names):
    assert groups(*names) == []


@pytest.mark.parametrize("columns", ["label", "true_label", "label_aggre"])
def test_the_class_names_of_real_data_have_no_twins(columns):
    tables = sorted(DATA.glob("*/listings.csv"))
    if not tables:
        pytest.skip("shared/data is absent")
    for table in tables:
        cells = pd.read_csv(table, dtype=str)
        if columns in cells:
            assert find_twins(count_labels(cells[columns])) == ()


def test_a_thousand_classes_of_imagenet_have_the_two_pairs_that_differ_in_case_and_plural():
    from torchvision.models._meta import _IMAGENET_CATEGORIES

    assert groups(*_IMAGENET_CATEGORIES) == [{"Cardigan", "cardigan"}, {"sunglass", "sunglasses"}]


def test_the_most_frequent_spelling_names_the_class():
    (twins,) = find_twins({"laptop": 3, "LAPTOP": 2, "Laptops": 5})
    assert (twins.name, twins.others) == ("Laptops", ("laptop", "LAPTOP"))


def test_among_equally_frequent_spellings_a_plain_one_then_the_first_names_the_class():
    assert find_twins({"Ca\u0302ble": 2, "Câble": 2})[0].name == "Câble"
    assert find_twins({"\u200bApple": 2, "apple": 2})[0].name == "apple"
    assert find_twins({"mouse": 2, "Mouse": 2})[0].name == "Mouse"


def test_the_order_of_the_names_changes_nothing():
    counts = {"mouse": 2, "Mouse": 2, "mice": 1, "Router": 4, "router ": 4, "cookie": 1, "cookies": 3}
    found = find_twins(counts)
    assert len(found) == 3
    for order in itertools.islice(itertools.permutations(counts), 0, 5040, 97):
        assert find_twins({name: counts[name] for name in order}) == found


def test_what_nobody_sees_is_written_out():
    assert spelt_out("Router\u200b") == "Router\\u200b"
    (twins,) = find_twins({"Router": 48, "Router\u200b": 24})
    assert twins_in_words([twins]) == "Router (48) and Router\\u200b (24)"


def test_a_name_is_matched_with_the_one_class_that_it_spells():
    names = ["mouse", "Mouse", "MICE", "laptops", "desk"]
    assert match_spellings(names, ["Mouse", "Laptop", "LAPTOP"]) == {"mouse": "Mouse", "MICE": "Mouse"}
    assert match_spellings([], ["Mouse"]) == {}


def test_whole_numbers_written_as_fractions_are_twins_of_them():
    assert groups("1", "1.0", "1,00", "-1", "2", "-1.0", "0.5", "TRUE", "true", "True") == [
        {"-1", "-1.0"},
        {"1", "1.0", "1,00"},
        {"TRUE", "true", "True"},
    ]
