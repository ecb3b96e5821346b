"""Checks of a table of listings; they report all bad rows at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from curation.errors import ListingsError, some
from curation.rendering.words import agree, many

__all__ = ["MAX_BAD_SHARE", "bad_rows", "check_ids", "check_inside", "currency_of", "number"]

#: A run stops if more than this share of the rows is bad, because then the table itself is wrong.
MAX_BAD_SHARE = 0.2

_HEADER_LINES = 1


def number(text: pd.Series) -> pd.Series:
    """Return a column of text as float64; NaN where the text is not a number."""
    return pd.to_numeric(text, errors="coerce").astype("float64")


def bad_rows(table: pd.DataFrame, *, root: Path, needs_image: bool, needs_label: bool = True) -> pd.DataFrame:
    """Find every bad cell of the table.

    Parameters
    ----------
    table : DataFrame of str
        With our column names; missing values are NA.
    root : Path
        The folder that image paths are relative to.
    needs_image : bool
        Whether a listing without a photo is a bad row.
    needs_label : bool
        Whether a listing without a label is a bad row.

    Returns
    -------
    DataFrame
        One row per bad cell: ``row`` (line of the file, the header is line 1), ``id``, ``column``, ``value``, ``why``.
    """
    problems = pd.concat(_bad_cells(table, root, needs_image, needs_label), ignore_index=True)
    return problems.sort_values(["row", "column"], ignore_index=True)


def _bad_cells(table: pd.DataFrame, root: Path, needs_image: bool, needs_label: bool) -> Iterator[pd.DataFrame]:
    for column, needed in (("image", needs_image), ("label", needs_label)):
        if needed:
            yield _problems(table, column, table[column].isna(), "is missing")
    price, value = table["price"], number(table["price"])
    yield _problems(table, "price", price.notna() & value.isna(), "is not a number")
    yield _problems(table, "price", (value < 0) | (value == float("inf")), "is negative or infinite")
    split = table["split"]
    yield _problems(table, "split", split.notna() & ~split.isin(["train", "test"]), "is not train or test")
    # not Path.is_file: it raises for a name that is too long, e.g. a title in the wrong column
    missing = [not pd.isna(image) and not os.path.isfile(root / image) for image in table["image"]]  # noqa: PTH113
    yield _problems(table, "image", pd.Series(missing, index=table.index), "no such file")


def _problems(table: pd.DataFrame, column: str, bad: pd.Series, why: str) -> pd.DataFrame:
    """Return the bad cells of a column."""
    cells = table[bad]
    return pd.DataFrame(
        {
            "row": cells.index + _HEADER_LINES + 1,
            "id": cells["id"].fillna(""),
            "column": column,
            "value": cells[column].astype("string").fillna(""),
            "why": why,
        }
    )


def check_ids(table: pd.DataFrame, source: str) -> None:
    """Refuse a table with missing or duplicate ids, because everything is joined by id.

    Parameters
    ----------
    table : DataFrame
        With a column ``id``.
    source : str
        Name of the table, for the message.

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
    kind, wrong = ("duplicate", kinds[0]) if twice.any() else ("missing", kinds[1])
    lines = some(wrong["row"])
    names = some(name for name in wrong["id"].unique() if name)
    raise ListingsError(
        f"{source} has {kind} ids",
        got=f"{names} in rows {lines}" if names else f"rows {lines}",
        wanted="a unique id for every listing",
        fix='Give every row its own id, or map another column with `columns={"id": "NAME"}`.',
        problems=pd.concat(kinds).sort_values("row"),
    )


def currency_of(table: pd.DataFrame, source: str, declared: str | None) -> str | None:
    """Return the currency of the prices, from the declaration or a column ``currency``; None if neither names one.

    Parameters
    ----------
    table : DataFrame
        With ``price`` and perhaps ``currency``.
    source : str
        Name of the table, for the message.
    declared : str or None
        The currency that the declaration of the dataset names.

    Raises
    ------
    ListingsError
        If there are several currencies, since their prices can't be compared.
    """
    if "currency" not in table or table["price"].isna().all():
        return declared
    named = table["currency"].where(table["price"].notna()).str.strip().str.upper()
    counts = named[named != ""].value_counts()
    if len(counts) > 1:
        raise ListingsError(
            f"{source} has prices in {len(counts)} currencies",
            got=some(f"{name} ({count} listings)" for name, count in counts.items()),
            wanted="one currency",
            fix="Convert them to one, or split the table by its column 'currency', with pandas: for name, part in "
            "table.groupby('currency'): part.to_csv(f'listings-{name}.csv', index=False)",
        )
    currency = str(counts.index[0]) if len(counts) else declared
    if declared is not None and currency != declared.strip().upper():
        raise ListingsError(
            f"{source} has prices in another currency than the declaration says",
            got=f"{currency} in its column 'currency'",
            wanted=declared,
            fix="Correct 'currency' in the declaration, or convert the prices.",
        )
    return declared or currency


def check_inside(table: pd.DataFrame, root: Path, boundary: Path) -> None:
    """Refuse image paths that lead out of the dataset's folder.

    Parameters
    ----------
    table : DataFrame
        With ``id`` and ``image``, relative to `root`.
    root : Path
        The table's folder.
    boundary : Path
        The folder that photos must be in.

    Raises
    ------
    ListingsError
        With every bad row in ``problems``.
    """
    base = os.path.join(os.path.realpath(boundary), "")  # noqa: PTH118 - ends with a separator
    outside = [not pd.isna(image) and not _real_path(root / image).startswith(base) for image in table["image"]]
    rows = _problems(table, "image", pd.Series(outside, index=table.index), "is outside the dataset's folder")
    if rows.empty:
        return
    raise ListingsError(
        f"{many(len(rows), 'image path')} {agree(len(rows), 'leads', 'lead')} out of the dataset's folder",
        got=some(rows["value"]),
        wanted=f"paths below {boundary}",
        fix="Add `allow_outside=True` if you trust this table.",
        parameter="allow_outside",
        problems=rows,
    )


def _real_path(path: Path) -> str:
    # a file name can't contain a NUL; the check for missing files reports it
    return os.path.realpath(str(path).replace("\0", "?"))
