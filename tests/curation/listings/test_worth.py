"""What a column says of the worth of listings."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from curation.errors import InputError
from curation.listings import Listings, read_listings
from curation.listings.worth import read_worth, worth_column


def listings_with(**columns: object) -> Listings:
    """Return listings of a table in memory, as long as its columns."""
    n = len(next(iter(columns.values())))  # type: ignore[call-overload]
    table = pd.DataFrame({"id": [f"L{row}" for row in range(n)], "label": (["x", "y"] * n)[:n], **columns})
    return read_listings(table, needs_image=False)


def test_numbers_are_read_as_prices_are() -> None:
    worth = read_worth(listings_with(views=["1,299", "£12.50", "3k", "0", "7", "8"]), "views")
    assert worth.values.tolist() == [1299, 12.5, 3000, 0, 7, 8]
    assert worth.notes == ("views: '1,299' is read as 1,299.",)
    assert (worth.column, worth_column(worth.column)) == ("views", "worth")


def test_where_prices_have_decimal_commas_a_dot_parts_thousands() -> None:
    listings = listings_with(price=["9,50 €", "12,50 €", "3,20 €"], views=["1.299", "2.500", "300"])
    assert read_worth(listings, "views").values.tolist() == [1299, 2500, 300]


def test_it_is_told_where_a_dot_may_part_thousands_and_the_decimal_mark_settles_it() -> None:
    views = ["880", "959", "1.045", "1.139"]
    table = pd.DataFrame({"id": list("abcd"), "label": list("xyxy"), "views": views})
    worth = read_worth(read_listings(table, needs_image=False), "views")
    assert worth.values.tolist() == [880, 959, 1.045, 1.139]
    assert worth.notes == (
        "views: 2 cells such as '1.045' are read with decimals, as 1.045. `decimal=','` says that the dot separates "
        "thousands. It goes for prices, too.",
    )
    settled = read_worth(read_listings(table, needs_image=False, decimal=","), "views")
    assert settled.values.tolist() == [880, 959, 1045, 1139]
    assert settled.notes == ("views: '1.045' is read as 1,045.",)


def test_missing_numbers_are_counted_once_with_the_cells_that_are_none() -> None:
    worth = read_worth(listings_with(views=[None, "n/a", "-4", "many", *map(str, range(20))]), "views")
    assert worth.values.isna().tolist() == [True] * 4 + [False] * 20
    missing = "4 listings have no number in views, and count as the median"
    assert worth.notes == (f"{missing}; some cells are no such number, e.g. '-4', 'many'.",)


def test_the_price_is_called_price_whatever_its_column_is_called() -> None:
    table = pd.DataFrame({"id": list("abc"), "label": ["x", "y", "x"], "asked": ["9.50", "£3", "7"]})
    listings = read_listings(table, columns={"price": "asked"}, needs_image=False)
    for name in ("price", "asked"):
        worth = read_worth(listings, name)
        assert (worth.column, worth_column(worth.column), worth.values.tolist()) == ("price", "price", [9.5, 3, 7])


def test_a_column_with_a_name_of_ours_is_found_by_its_own_name(tmp_path: Path) -> None:
    listings = listings_with(worth=["1", "2", "3"], width=["10", "20", "30"])
    assert [read_worth(listings, name).values.tolist() for name in ("worth", "width")] == [[1, 2, 3], [10, 20, 30]]


def test_values_stay_with_their_listings_where_rows_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "shop.csv"
    file.write_text("id,label,views\na,x,1\na,x,1\nb,y,2\nid,label,views\nc,x,3\nTotal,,6\n")
    listings = read_listings(file, needs_image=False)
    values = dict(zip(listings.table["id"], read_worth(listings, "views").values, strict=True))
    assert values == {"a": 1, "b": 2, "c": 3}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("veiws", "the table has no column 'veiws': got id, label, views; wanted the name of a column of numbers, or "),
        ("veiws", "Did you mean 'views'?"),
        ("label", "6 of 6 cells of label say nothing of what a listing is worth: got 'x', 'y'; wanted numbers of 0 or"),
        ("price", "price says of no listing that it is worth more than another: got no number at all; wanted at least"),
    ],
)
def test_a_column_that_is_no_worth_is_named_with_what_was_wanted(name: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_worth(listings_with(views=list("123456")), name)
    assert said in str(caught.value)
    assert caught.value.parameter == "worth"


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (
            ["-1", "-2", "3", "4"],
            "2 of 4 cells of views say nothing of what a listing is worth: got '-1', '-2'; wanted",
        ),
        (["0"] * 4, "views says of no listing that it is worth more than another: got 0 in 4 rows; wanted at least"),
        ([None, "5", "5", "5"], "got 5 in 3 rows"),
        (["£5", "7 €", "3", "4"], "views has amounts in several currencies: got GBP (1), EUR (1); wanted one currency"),
    ],
)
def test_numbers_that_can_t_order_a_queue_are_refused(cells: list[str | None], said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_worth(listings_with(views=cells), "views")
    assert said in str(caught.value)


def test_numbers_beyond_all_prices_are_none() -> None:
    values = read_worth(listings_with(views=["inf", "1e300", *map(str, range(20))]), "views").values
    assert np.isnan(values[:2]).all()
