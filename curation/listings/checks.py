"""Checks of a table of listings; they report all bad rows at once."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import pandas as pd

from curation.errors import ListingsError, short_repr, some
from curation.listings.currencies import is_shared, may_be
from curation.listings.decoding import other_encoding
from curation.listings.faults import Faults
from curation.listings.prices import MAX_PRICE, Prices
from curation.listings.several_photos import names_of
from curation.listings.tables import RawTable
from curation.listings.twins import spelt_out
from curation.rendering.words import agree, many
from training.utils.boundary import Boundary
from training.utils.files import photo_path

__all__ = [
    "MISSING",
    "SEVERAL",
    "bad_rows",
    "check_ids",
    "check_inside",
    "check_prices",
    "currency_of",
    "require_own_names",
]

#: Why a photo can't be used.
MISSING = "no such file"
SEVERAL = "fits several files"

#: Share of a column's cells that must be prices; with fewer, it is another column.
_MOSTLY_PRICES = 0.5
_EXAMPLES = 3
#: A drive of Windows, and where Label Studio's server keeps photos.
_DRIVE = re.compile(r"[A-Za-z]:[\\/]|/data/(?:upload/|local-files/\?d=)")


def bad_rows(
    table: pd.DataFrame, prices: Prices, unusable: pd.Series, *, needs_image: bool, needs_label: bool = True
) -> pd.DataFrame:
    """Find every bad cell of the table.

    Parameters
    ----------
    table : DataFrame of str
        With our column names; missing values are NA. The index numbers the rows as a person does.
    prices : Prices
        Its prices.
    unusable : Series of str
        Why a photo that the table names can't be used; NA where it can, or where none is named.
    needs_image : bool
        Whether a listing without a photo is a bad row.
    needs_label : bool
        Whether a listing without a label is a bad row.

    Returns
    -------
    DataFrame
        One row per bad cell: ``row`` (of a file with a header, row 2 is the first one below it), ``id``, ``column``,
        ``value``, ``why``.
    """
    problems = pd.concat(_bad_cells(table, prices, unusable, needs_image, needs_label), ignore_index=True)
    return problems.sort_values(["row", "column"], ignore_index=True)


def _bad_cells(
    table: pd.DataFrame, prices: Prices, unusable: pd.Series, needs_image: bool, needs_label: bool
) -> Iterator[pd.DataFrame]:
    for column, needed in (("image", needs_image), ("label", needs_label)):
        if needed:
            yield _problems(table, column, table[column].isna(), "is missing")
    yield _problems(table, "price", prices.unread & ~prices.doubtful, "is not a price")
    yield _problems(table, "price", prices.doubtful, "may mean two things")
    infinite = (prices.values < 0) | (prices.values == float("inf"))
    yield _problems(table, "price", infinite, "is negative or infinite")
    yield _problems(table, "price", (prices.values > MAX_PRICE) & ~infinite, f"is more than {MAX_PRICE:,}")
    split = table["split"]
    yield _problems(table, "split", split.notna() & ~split.isin(["train", "test"]), "is not train or test")
    for why in unusable.dropna().unique():
        yield _problems(table, "image", unusable == why, why)


def _problems(table: pd.DataFrame, column: str, bad: pd.Series, why: str) -> pd.DataFrame:
    """Return the bad cells of a column."""
    cells = table[bad]
    return pd.DataFrame(
        {
            "row": cells.index,
            "id": cells["id"].fillna(""),
            "column": column,
            "value": cells[column].astype("string").fillna(""),
            "why": why,
        }
    )


def check_prices(table: pd.DataFrame, prices: Prices, column: str, encoding: str = "") -> None:
    """Refuse a column of prices that mostly holds something else.

    Parameters
    ----------
    table : DataFrame
        With ``price`` as text.
    prices : Prices
        What was read of it.
    column : str
        What the table calls it.
    encoding : str
        The encoding that was guessed of the file; empty if none was.

    Raises
    ------
    ListingsError
    """
    given, none = int(table["price"].notna().sum()), prices.unread & ~prices.doubtful
    if none.sum() <= _MOSTLY_PRICES * given:
        return
    garbled = bool(encoding) and not all(map(str.isascii, table["price"][none].tolist()))
    raise ListingsError(
        f"the column {column!r} holds no prices",
        got=f"{some(map(spelt_out, table['price'][none].unique()), _EXAMPLES)}, in {none.sum():,} of {given:,} cells",
        wanted='numbers, or prices such as "£1,200"',
        fix=f"{other_encoding(encoding)} Otherwise, leave prices out with `columns={{'price': ''}}`." * garbled
        or "Map another column with `columns={'price': 'NAME'}`, or none with `columns={'price': ''}`.",
        problems=_problems(table, "price", none, "is not a price"),
    )


def require_own_names(raw: RawTable, used: Collection[str], name: str, faults: Faults) -> None:
    """Refuse columns of one name if one of them is used: nothing says which. Others stay as they are.

    Parameters
    ----------
    raw : RawTable
        The table.
    used : collection of str
        Names of the columns that are used.
    name : str
        What the error calls the table.
    faults : Faults
        Takes the fault.
    """
    if twice := [column for column in raw.repeated if column in used]:
        faults.add(
            ListingsError(
                f"{name} has two columns called {twice[0]!r}",
                got=some([column.strip() for file in raw.files for column in file.header], 12),
                wanted="a name of its own for every column that is used",
                fix="Rename or delete one of them.",
            )
        )


def check_ids(
    table: pd.DataFrame,
    source: str,
    errors: pd.Series | None = None,
    called: Callable[[pd.Index], pd.Index] = lambda rows: rows,
) -> None:
    """Refuse a table with missing or duplicate ids, because everything is joined by id.

    Parameters
    ----------
    table : DataFrame
        With a column ``id``.
    source : str
        Name of the table, for the message.
    errors : Series of str, optional
        What cells of a sheet show whose formula failed, by the labels of rows; they are missing here.
    called : callable
        Index of rows → what a person calls them.

    Raises
    ------
    ListingsError
        With every bad row in ``problems``.
    """
    missing = table["id"].isna()
    twice = table["id"].duplicated(keep=False) & ~missing
    if not (missing | twice).any():
        return
    kinds = (_problems(table, "id", twice, "is not unique"), _problems(table, "id", missing, "is missing"))
    failed = [] if errors is None else errors.reindex(table.index[missing]).dropna().tolist()
    shown = f", where the sheet shows {failed[0]}" if failed else ""
    raise ListingsError(
        f"{source} has {'duplicate' if twice.any() else 'missing'} ids",
        got=_differing_rows(table[twice], called)
        if twice.any()
        else f"rows {some(called(pd.Index(kinds[1]['row'])))}{shown}",
        wanted="a unique id for every listing",
        fix='Give every row its own id, or map another column with `columns={"id": "NAME"}`.',
        problems=pd.concat(kinds).sort_values("row"),
    )


def _differing_rows(twice: pd.DataFrame, called: Callable[[pd.Index], pd.Index]) -> str:
    """Say of each id how its rows differ."""
    twice = twice.set_axis(called(twice.index), axis=0)
    said = []
    for id, rows in twice.groupby("id", sort=False):
        differing = [name for name in rows.columns if rows[name].nunique(dropna=False) > 1]
        each = [
            f"row {row}" + (f" ({differing[0]} {short_repr(cells[differing[0]])})" if differing else "")
            for row, cells in rows.astype(object).where(rows.notna(), "").iterrows()
        ]
        said.append(f"{id} in {some(each, 3)}")
    return some(said, _EXAMPLES)


def currency_of(table: pd.DataFrame, prices: Prices, source: str, declared: str | None) -> str | None:
    """Return the currency of the prices, from the declaration, a column ``currency`` or the signs beside the prices.

    Parameters
    ----------
    table : DataFrame
        With ``price`` and perhaps ``currency``.
    prices : Prices
        Its prices.
    source : str
        Name of the table, for the message.
    declared : str or None
        The currency that the declaration of the dataset names.

    Raises
    ------
    ListingsError
        If there are several currencies, since their prices can't be compared.
    """
    named = table["currency"].where(table["price"].notna()).str.strip().str.upper() if "currency" in table else None
    counts = {} if named is None else named[named != ""].value_counts().to_dict()
    where = "in its column 'currency'" if counts else "in its prices"
    # a sign such as $ says less than the column or the declaration
    counts = counts or {name: count for name, count in prices.currencies.items() if not (declared and is_shared(name))}
    if len(counts) > 1:
        raise ListingsError(
            f"{source} has prices in {len(counts)} currencies",
            got=some(f"{name} ({many(count, 'listing')})" for name, count in counts.items()),
            wanted="one currency",
            fix="Convert them to one, or split the table by its column 'currency', with pandas: for name, part in "
            "table.groupby('currency'): part.to_csv(f'listings-{name}.csv', index=False)"
            if named is not None
            else "Convert them to one, or leave prices out with `columns={'price': ''}`.",
        )
    currency = str(next(iter(counts))) if counts else declared
    if declared is not None and currency != declared.strip().upper() and counts:
        raise ListingsError(
            f"{source} has prices in another currency than the declaration says",
            got=f"{currency} {where}",
            wanted=declared,
            fix="Correct 'currency' in the declaration, or convert the prices.",
        )
    if currency and (others := [name for name in prices.currencies if not may_be(name, currency.strip().upper())]):
        place = "declaration" if declared else "column currency"
        raise ListingsError(
            f"{source} has prices in another currency than it says",
            got=f"{some(others)} in its prices, and {currency} in its {place}",
            wanted="one currency",
            fix="Correct the one that is wrong, or leave prices out with `columns={'price': ''}`.",
        )
    return declared or currency


def check_inside(table: pd.DataFrame, root: Path, boundary: Path, faults: Faults) -> pd.Series:
    """Refuse image paths that lead out of the dataset's folder; return which do.

    Parameters
    ----------
    table : DataFrame
        With ``id`` and ``image``, relative to `root`.
    root : Path
        The table's folder.
    boundary : Path
        The folder that photos must be in.
    faults : Faults
        Takes the fault, with every bad row in its ``problems``.
    """
    limit = Boundary(boundary)
    named = table["image"].dropna()
    inside = [all(_leads_into(limit, root, name) for name in _names(root, image)) for image in named]
    away = ~pd.Series(inside, index=named.index, dtype=bool).reindex(table.index, fill_value=True)
    rows = _problems(table, "image", away, "is outside the dataset's folder")
    if not rows.empty:
        faults.add(
            ListingsError(
                f"{many(len(rows), 'image path')} {agree(len(rows), 'leads', 'lead')} out of the dataset's folder",
                got=some(rows["value"]),
                wanted=f"paths below {boundary}",
                fix="Add `allow_outside=True` if you trust this table.",
                parameter="allow_outside",
                problems=rows,
            )
        )
    return away


def _names(root: Path, image: str) -> list[str]:
    """Return the paths in a cell: several only where none of them was found."""
    return [image] if os.path.lexists(photo_path(root, image)) else names_of(image) or [image]


def _leads_into(limit: Boundary, root: Path, image: str) -> bool:
    # a drive of Windows, or a server's folder, is no place here, wherever the table lies
    return limit.holds(_path(root, image)) or (
        _DRIVE.match(image) is not None and not os.path.lexists(photo_path(root, image))
    )


def _path(root: Path, image: str) -> Path:
    path = photo_path(root, image)
    if "\\" in image and not os.path.lexists(path):
        # no file here: as Windows, which wrote it, would look for it
        return root / image.replace("\\", "/")
    return path
