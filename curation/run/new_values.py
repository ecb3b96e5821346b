"""What a decision may hold: the name of a class that the run does not have, a price, and a note."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping

import pandas as pd

from curation.errors import DecisionsError, ListingsError, short_repr, some
from curation.listings.currencies import has_thousandths, may_be
from curation.listings.faults import Faults
from curation.listings.label_lists import single_labels
from curation.listings.price_cells import Decimal, parse_price
from curation.listings.price_texts import unmistakable
from curation.listings.prices import MAX_PRICE, read_prices
from curation.listings.twins import match_spellings

__all__ = ["MAX_NOTE", "check_new_class", "check_note", "check_price", "price_cells", "same_name"]


#: Characters of a note at most: words about one listing, some four pages of them.
MAX_NOTE = 10_000


def check_note(note: str | None, id: str = "") -> str | None:
    """Return a note that a person wrote, if it is not too long.

    Notes that are in a journal already are not refused, for earlier versions took longer ones.

    Parameters
    ----------
    note : str or None
        The words; None for no note.
    id : str
        The listing, for the message.

    Raises
    ------
    DecisionsError
        When it has more than :data:`MAX_NOTE` characters.
    """
    if note is not None and len(note) > MAX_NOTE:
        raise DecisionsError(
            f"the note{f' for {short_repr(id)}' if id else ''} is too long",
            got=f"{len(note):,} characters",
            wanted=f"at most {MAX_NOTE:,}",
            fix="Shorten it, or keep the text in a file of its own and name that. Nothing was recorded.",
            parameter="note",
        )
    return note


def check_new_class(name: str, classes: Iterable[str]) -> None:
    """Refuse a name that no class should have.

    Parameters
    ----------
    name : str
        Of a class that does not exist yet.
    classes : iterable of str
        Those that exist.

    Raises
    ------
    DecisionsError
        When it is empty, can't be shown in one line, would be read as a list of labels, or differs from an existing
        class only in how it is written, e.g. in the plural.
    """
    if not name.strip() or not name.isprintable() or not same_name(name):
        raise DecisionsError(
            "a new class needs a name that can be shown in one line",
            got=repr(name),
            wanted="e.g. sofa",
            parameter="label",
        )
    known = list(classes)
    twin = next((each for each in known if same_name(each) == same_name(name)), None)
    twin = match_spellings([name], known).get(name) if twin is None else twin
    if twin is not None:
        raise DecisionsError(
            f"{name!r} is no new class: it differs from the class {twin!r} only in how it is written",
            wanted=repr(twin),
            fix=f"Write {twin!r}, or choose another name.",
            parameter="label",
        )
    others = known if _as_read(known) == known else []
    if _as_read([*others, name]) != [*others, name]:
        raise DecisionsError(
            "a new class needs the name of one class",
            got=f"{name!r}, which is read as a list of labels",
            wanted="e.g. sofa",
            fix="Choose one class; or decide ambiguous if several fit.",
            parameter="label",
        )


def _as_read(names: list[str]) -> list[str] | None:
    """Return names as those of a table are read; None if some are lists of several labels."""
    try:
        label, _ = single_labels(
            pd.Series(names, dtype="string"), column="label", named=(), separator=None, faults=Faults()
        )
    except ListingsError:
        return None
    return label.tolist()


def same_name(name: str) -> str:
    r"""Return what names have in common that differ only by case, blanks or the Unicode form of their letters.

    Examples
    --------
    >>> same_name("Caf\u00e9  Tables\u200b ") == same_name("cafe\u0301 tables")
    True
    """
    seen = "".join(letter for letter in unicodedata.normalize("NFKC", name) if unicodedata.category(letter) != "Cf")
    return re.sub(r"\s+", " ", seen).strip().casefold()


def check_price(
    price: float | str, currency: str | None, decimal: Decimal = ".", *, three_decimals: bool = False
) -> float:
    """Return a price that a person gave.

    Parameters
    ----------
    price : float or str
        A number, or as sellers write it.
    currency : str or None
        Of the dataset.
    decimal : str
        What marks the decimals of the dataset's prices.
    three_decimals : bool
        Whether prices such as 1.299 are usual in the dataset; in some currencies they always are.

    Raises
    ------
    DecisionsError
        When it is no number, below 0, more than :data:`curation.listings.prices.MAX_PRICE`, in another currency, or
        may mean two things.

    Examples
    --------
    >>> check_price("£1,200", "GBP"), check_price(9.5, None), check_price("1.299", "KWD")
    (1200.0, 9.5, 1.299)
    """
    if isinstance(price, str):
        return price_cells({0: price}, currency, decimal=decimal, three_decimals=three_decimals)[0]
    if not 0 <= price <= MAX_PRICE:
        raise _no_price(f"{price}")
    return float(price) + 0.0  # -0.0 is 0


def price_cells(
    cells: Mapping[int, str],
    currency: str | None,
    ids: Mapping[int, str] | None = None,
    *,
    decimal: Decimal = ".",
    three_decimals: bool = False,
) -> dict[int, float]:
    """Return the prices of a column of text: whether a comma or a dot marks the decimals is settled by all of them.

    Parameters
    ----------
    cells : mapping of int to str
        The text of each row that has one.
    currency : str or None
        Of the dataset.
    ids : mapping of int to str, optional
        The listing of each row, for messages.
    decimal : str
        What marks the decimals of the dataset's prices.
    three_decimals : bool
        As for :func:`check_price`.

    Raises
    ------
    DecisionsError
        As for :func:`check_price`.
    """
    if not cells:
        return {}
    # half of a pair of signs, as a form may send it, is no text
    written = [cell.encode(errors="replace").decode() for cell in cells.values()]
    texts = pd.Series(written, dtype="string").str.strip()
    three_decimals |= currency is not None and has_thousandths(currency)
    settled = three_decimals and decimal in (".", ",")
    read = read_prices(texts, decimal if settled else None)
    values = dict(zip(cells, read.values.tolist(), strict=True))
    if not settled:
        _refuse_doubtful(cells, values, decimal, ids)
    wrong = [row for row, price in values.items() if not 0 <= price <= MAX_PRICE]
    if wrong:
        raise _no_price(some(f"{cells[row]!r}{f' for {ids[row]}' if ids else ''}" for row in wrong))
    others = [each for each in read.currencies if currency and not may_be(each, currency.upper())]
    if others:
        raise DecisionsError(
            f"the prices of this dataset are in {currency}",
            got=f"a new price in {', '.join(others)}",
            wanted=f"prices in {currency}",
            fix="Convert them, and write numbers alone.",
            parameter="price",
        )
    return values


def _refuse_doubtful(
    cells: Mapping[int, str], values: Mapping[int, float], decimal: Decimal, ids: Mapping[int, str] | None
) -> None:
    """Refuse 1.299 and the like unless another price, such as 9.99, or the dataset says what it means."""
    parsed = {row: price for row, cell in cells.items() if (price := parse_price(cell))}
    if any(price.decimal for price in parsed.values()) and not any(math.isnan(values[row]) for row in parsed):
        return
    for row, price in parsed.items():
        low, high = sorted(price.value(mark) or 0 for mark in (".", ","))
        # a price of 1.299 is an odd one, also where a dot marks the decimals
        thousands = values[row] == high == price.value(decimal)
        if price.either and not thousands and not (price.three and values[row] == low):
            raise DecisionsError(
                f"the new price {cells[row]!r}{f' for {ids[row]}' if ids else ''} may mean two things",
                got=f"{high:.0f} or {low:g}",
                wanted="a price that can only be read in one way",
                fix=f"Write {unmistakable(high, '.')}, or {unmistakable(low, '.')}.",
                parameter="price",
            )


def _no_price(got: str) -> DecisionsError:
    return DecisionsError(
        f"a new price must be a number from 0 to {MAX_PRICE:,}",
        got=got,
        wanted="e.g. 12.50",
        fix="Write what the listing costs, or decide something else.",
        parameter="price",
    )
