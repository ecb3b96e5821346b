"""What the columns of a table let suppose, where nothing is certain enough to be used."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence

import pandas as pd

from curation.errors import ListingsError, short_repr, some
from curation.listings.headers import normal_name
from curation.listings.recognise import is_money, names_photo

__all__ = ["no_header", "other_delimiter", "said_of_choices", "said_of_hints", "said_of_one_hot"]

_LEAST_CLASSES = 2

#: Columns whose equal values may be one seller's listings, and those that may mark the test set.
_GROUPS = frozenset(
    {"seller", "seller_id", "seller_name", "vendor", "vendor_id", "shop", "shop_id", "store", "store_id", "merchant"}
    | {"merchant_id", "user_id", "owner", "owner_id", "item_group_id", "parent_id", "parent_sku", "variant_group_id"}
)
_SPLITS = frozenset({"is_test", "istest", "in_test", "test", "is_train", "is_validation", "holdout", "is_holdout"})
#: A longer cell is no price and no name of a photo; looking at one of a million characters would take minutes.
_LONGEST = 255
#: What may stand between the cells of a file that is no usual CSV, and how many rows are looked at.
_SIGNS, _SAMPLE = "^~#: ", 1000


def said_of_hints(raw: pd.DataFrame, columns: Mapping[str, str], unused: Collection[str]) -> Iterator[str]:
    """Say which columns could be the group or the split: to use them changes what is trained on, so a person decides.

    Parameters
    ----------
    raw : DataFrame of str
        The table.
    columns : mapping of str to str
        Our column name → the table's own, where they differ.
    unused : collection of str
        Columns of ours that are not to be used.
    """
    free = [name for name in raw.columns if name not in columns.values()]
    if "group" not in {*raw.columns, *columns, *unused}:
        groups = [name for name in free if normal_name(name) in _GROUPS and 1 < raw[name].nunique() < len(raw)]
        if groups:
            example = {"group": groups[0]}
            yield (
                f"No group is used; {groups[0]} may be one, whose listings stay on one side of the test set: "
                f"`columns={example!r}`."
            )
    if "split" not in {*raw.columns, *columns, *unused}:
        splits = [name for name in free if normal_name(name) in _SPLITS and raw[name].nunique() > 1]
        if splits:
            yield f"No split is used; if {splits[0]} marks the test set, write train and test in a column called split."


def no_header(names: Sequence[str]) -> ListingsError | None:
    """Return the fault that the first row of a table seems to be a listing; None if it may name the columns.

    Parameters
    ----------
    names : sequence of str
        What stands in the first row.
    """
    cells = [name for name in names if not name.startswith("Unnamed: ") and len(name) <= _LONGEST]
    if not any(names_photo(cell) or is_money(cell) or _is_fraction(cell) for cell in cells):
        return None
    return ListingsError(
        "the table has no header: its first row seems to be a listing",
        got=some(cells, 6),
        wanted="a first row with the names of the columns, e.g. id, image, label, price",
        fix="Write one above the listings.",
    )


def other_delimiter(raw: pd.DataFrame) -> ListingsError | None:
    """Return the fault that cells are separated by a sign that CSVs don't use; None if they seem not to be.

    Parameters
    ----------
    raw : DataFrame of str
        The table: a header of one cell, and rows that have the sign as often as the header.
    """
    if raw.shape[1] != 1 or len(str(raw.columns[0])) > _LONGEST:
        return None
    first = str(raw.columns[0])
    sample = raw.iloc[:_SAMPLE, 0].dropna()
    signs = (
        sign for sign in _SIGNS if sign in first and (sample.str.count(re.escape(sign)) == first.count(sign)).all()
    )
    sign = next(signs, None)
    if sign is None or sample.empty:
        return None
    cells = first.split(sign)
    header = "" if no_header(cells) is None else ", and below it one with the names of the columns"
    named = "a blank" if sign == " " else repr(sign)
    return ListingsError(
        f"the table has one column: {named} seems to stand between its cells",
        got=short_repr(first),
        wanted="a comma, a semicolon, a tab or | between cells, or a line that says what else",
        fix=f"Write the line 'sep={sign}' above it{header}, or save it with commas.",
    )


def said_of_choices(raw: pd.DataFrame) -> str:
    """Return which columns hold what annotators of Label Studio chose, and how one is mapped; empty without these.

    Parameters
    ----------
    raw : DataFrame of str
        The table.
    """
    names = [name for name in ("annotations", "completions") if name in raw]
    done = "".join(cell for name in names for cell in raw[name].dropna().head(_SAMPLE))
    asked = [str(name) for name in raw.columns if f'"from_name": {json.dumps(name, ensure_ascii=False)}' in done]
    example = {"label": asked[0]} if asked else {}
    return f"Annotators chose {' and '.join(asked)}, e.g. `columns={example!r}`" if asked else ""


def said_of_one_hot(raw: pd.DataFrame) -> str:
    """Return the line that makes labels of columns with a 1 for the class and a 0 for all others; empty without these.

    Parameters
    ----------
    raw : DataFrame of str
        The table.

    Examples
    --------
    >>> print(said_of_one_hot(pd.DataFrame({"id": ["7", "8"], "lamp": ["1", "0"], "desk": ["0", "1"]})))
    Each class seems to have a column: make one with pandas: table['label'] = table[['lamp', 'desk']].idxmax(axis=1)
    """
    marks = [name for name in raw.columns if raw[name].isin(["0", "1"]).all() and raw[name].nunique() > 1]
    if len(marks) < _LEAST_CLASSES or not (raw[marks].astype(int).sum(axis=1) == 1).all():
        return ""
    return f"Each class seems to have a column: make one with pandas: table['label'] = table[{marks!r}].idxmax(axis=1)"


def _is_fraction(cell: str) -> bool:
    whole, _, part = cell.strip().partition(".")
    return whole.isdecimal() and part.isdecimal()
