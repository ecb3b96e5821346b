"""What listings are worth to their shop: a column of the table, such as views or stock, or the price."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from curation.errors import InputError, closest, short_repr, some
from curation.listings.editing import numbers_of
from curation.listings.none_words import none_cells
from curation.listings.prices import read_prices
from curation.listings.read import Listings
from curation.rendering.words import agree, many
from training.utils.progress import Reporter

__all__ = ["PRICE", "WORTH", "Worth", "read_worth", "with_worth", "worth_column"]

#: The column of the run's table that has what the listings are worth, where that is not the price.
WORTH = "worth"
#: What the price is called, whatever its column is.
PRICE = "price"
_EXAMPLES = 3
#: What a note on prices has in it where their numbers may well mean something else.
_ASKS = ("read with decimals", "may mean two things")
_WANTED = "numbers of 0 or more, with or without thousands separators and currency signs"


@dataclass(frozen=True)
class Worth:
    """What listings are worth.

    Attributes
    ----------
    column : str
        The name of the column in the table, or ``price``.
    values : Series of float64, length N
        In the order of the listings, from 0 on; NaN where the cell is empty or holds no such number.
    notes : tuple of str
        How the column was read, where that was not certain: a sentence each.
    """

    column: str
    values: pd.Series
    notes: tuple[str, ...]


def worth_column(name: str | None) -> str | None:
    """Return the column of a run's table that says what listings are worth; None for none.

    Parameters
    ----------
    name : str or None
        What the worth is called: :attr:`Worth.column`.
    """
    return name if name in (None, PRICE) else WORTH


def read_worth(listings: Listings, column: str) -> Worth:
    """Read what the listings are worth.

    Parameters
    ----------
    listings : Listings
        The dataset.
    column : str
        A column by its own name in the table, or ``price``, which is the price whatever its column is called.

    Returns
    -------
    Worth
        At least two different values.

    Raises
    ------
    InputError
        If there is no such column, more of its cells than the listings' ``allow_bad`` are negative or no numbers, it
        has amounts in several currencies, or all listings are worth the same.
    """
    own = listings.raw.table
    if not isinstance(column, str) or column not in {PRICE, *own.columns}:
        names = [str(name) for name in own.columns]
        raise InputError(
            f"the table has no column {column if isinstance(column, str) else short_repr(column)!r}",
            got=some(names, 12),
            wanted="the name of a column of numbers, or price",
            fix=closest(str(column), [*names, PRICE]),
            parameter="worth",
        )
    if column in (PRICE, listings.columns.get(PRICE, PRICE)):
        values, bad, notes = listings.table["price"].astype("float64"), pd.Series(dtype="string"), list[str]()
        column = PRICE
    else:
        values, bad, notes = _read(listings, column)
    limits, rows = listings.limits, len(values)
    if not limits.allow(len(bad), rows):
        raise InputError(
            f"{len(bad):,} of {many(rows, 'cell')} of {column} say nothing of what a listing is worth",
            got=_examples(bad),
            wanted=_WANTED,
            fix="Name another column.",
            parameter="worth",
        )
    if values.nunique() < 2:
        known = values.dropna()
        raise InputError(
            f"{column} says of no listing that it is worth more than another",
            got=f"{known.iloc[0]:,.10g} in {many(len(known), 'row')}" if len(known) else "no number at all",
            wanted="at least two different numbers",
            fix="Leave it out, or name another column.",
            parameter="worth",
        )
    if count := int(values.isna().sum()):
        have, counts = agree(count, "has", "have"), agree(count, "counts", "count")
        unread = f"; some cells are no such number, e.g. {_examples(bad)}" if len(bad) else ""
        notes.append(f"{many(count, 'listing')} {have} no number in {column}, and {counts} as the median{unread}.")
    return Worth(column, values, tuple(notes))


def with_worth(listings: Listings, column: str, reporter: Reporter) -> tuple[Listings, str]:
    """Return listings with what each is worth, unless that is their price, and the name of the column that says it.

    Parameters
    ----------
    listings : Listings
        The dataset as read.
    column : str
        As for :func:`read_worth`.
    reporter : Reporter
        Is told what a person should know of the column.

    Raises
    ------
    InputError
        As for :func:`read_worth`.
    """
    worth = read_worth(listings, column)
    for note in worth.notes:
        reporter.say(note)
    if worth_column(worth.column) == WORTH:
        listings = replace(listings, table=listings.table.assign(**{WORTH: worth.values}))
    return listings, worth.column


def _examples(cells: pd.Series) -> str:
    return some(map(short_repr, cells.unique()), _EXAMPLES)


def _read(listings: Listings, column: str) -> tuple[pd.Series, pd.Series, list[str]]:
    """Return the numbers of a column, its cells that are no such numbers, and how it was read."""
    raw = listings.raw
    text = raw.table[column].astype("string")
    numbers = pd.Series(np.concatenate([numbers_of(file, column).to_numpy() for file in raw.files]), text.index)
    # where its own cells do not say what a dot means, prices with decimal commas do
    decimal = listings.source.decimal
    usual = decimal if decimal and decimal.startswith(",") else None
    prices = read_prices(text, numbers=numbers, usual=usual, delimiter=raw.delimiter)
    if len(prices.currencies) > 1:
        raise InputError(
            f"{column} has amounts in several currencies",
            got=some(f"{currency} ({count:,})" for currency, count in prices.currencies.items()),
            wanted="one currency, so that they can be compared",
            parameter="worth",
        )
    values = prices.usable
    bad = text[text.notna() & values.isna() & ~none_cells(text) & (prices.unread | prices.values.notna())]
    written = text[values.notna() & pd.to_numeric(text, errors="coerce").astype("float64").ne(values)]
    notes = [
        f"{column}: {note.replace('price', 'cell')} It goes for prices, too."
        for note in prices.notes
        if any(words in note for words in _ASKS)
    ]
    if len(written) and not notes:
        notes.append(f"{column}: {short_repr(written.iloc[0])} is read as {values[written.index[0]]:,.10g}.")
    return values.reset_index(drop=True), bad, notes
