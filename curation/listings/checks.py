"""What a table of listings must be, declared once; all bad rows are found at once."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pandera.pandas as pa

from curation.errors import ListingsError, some

__all__ = ["MAX_BAD_SHARE", "bad_rows", "check_ids", "check_inside", "currency_of", "number"]

#: A run stops when more than this share of the rows is bad: then something is wrong with the table itself.
MAX_BAD_SHARE = 0.2

_HEADER_LINES = 1


def number(text: pd.Series) -> pd.Series:
    """Return the numbers in a column of text as float64; NaN where there is none."""
    return pd.to_numeric(text, errors="coerce").astype("float64")


def _is_number(text: pd.Series) -> pd.Series:
    return number(text).notna()


def _is_finite_and_not_negative(text: pd.Series) -> pd.Series:
    value = number(text)
    # text that is no number at all is the other check's finding
    return value.isna() | ((value >= 0) & (value != float("inf")))


def _schema(needs_image: bool, needs_label: bool) -> pa.DataFrameSchema:
    text = pd.StringDtype()
    return pa.DataFrameSchema(
        {
            "image": pa.Column(text, nullable=not needs_image, required=False),
            "label": pa.Column(text, nullable=not needs_label),
            "price": pa.Column(
                text,
                [
                    pa.Check(_is_number, error="is not a number"),
                    pa.Check(_is_finite_and_not_negative, error="is negative or infinite"),
                ],
                nullable=True,
            ),
            "split": pa.Column(text, pa.Check.isin(["train", "test"], error="is not train or test"), nullable=True),
        }
    )


def bad_rows(table: pd.DataFrame, *, root: Path, needs_image: bool, needs_label: bool = True) -> pd.DataFrame:
    """Find every bad cell of the table.

    Parameters
    ----------
    table : DataFrame of str
        With our column names; missing values are NA.
    root : Path
        The folder image paths are relative to.
    needs_image : bool
        Whether a listing without a photo is a bad row.
    needs_label : bool
        Whether a listing without a label is a bad row.

    Returns
    -------
    DataFrame
        One row per finding: ``row`` (line of the file, the header is line 1), ``id``, ``column``, ``value``, ``why``.
    """
    found = [_failures(table, _schema(needs_image, needs_label)), _missing_files(table, root)]
    cells = pd.concat(found, ignore_index=True)
    return pd.DataFrame(
        {
            "row": cells["index"].to_numpy(dtype=int) + _HEADER_LINES + 1,
            "id": table["id"].to_numpy()[cells["index"].to_numpy(dtype=int)],
            "column": cells["column"],
            "value": cells["value"].astype("string").fillna(""),
            "why": cells["why"],
        }
    ).sort_values(["row", "column"], ignore_index=True)


def _failures(table: pd.DataFrame, schema: pa.DataFrameSchema) -> pd.DataFrame:
    try:
        schema.validate(table, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        why = cases["check"].replace({"not_nullable": "is missing"})
        return pd.DataFrame(
            {"index": cases["index"], "column": cases["column"], "value": cases["failure_case"], "why": why}
        )
    return pd.DataFrame(columns=["index", "column", "value", "why"])


def _missing_files(table: pd.DataFrame, root: Path) -> pd.DataFrame:
    named = table["image"].dropna()
    # not Path.is_file: it raises for a name that is too long, e.g. a title in the wrong column
    missing = named[[not os.path.isfile(root / image) for image in named]]  # noqa: PTH113
    return pd.DataFrame({"index": missing.index, "column": "image", "value": missing, "why": "no such file"})


def check_ids(table: pd.DataFrame, source: str) -> None:
    """Refuse a table whose ids are missing or not unique: nothing could be joined by them.

    Raises
    ------
    ListingsError
        With every offending row in ``problems``.
    """
    missing = table["id"].isna()
    twice = table["id"].duplicated(keep=False) & ~missing
    if not (missing | twice).any():
        return
    rows = pd.DataFrame(
        {
            "row": table.index + _HEADER_LINES + 1,
            "id": table["id"].fillna(""),
            "column": "id",
            "value": table["id"].fillna(""),
            "why": twice.map({True: "is not unique", False: "is missing"}),
        }
    )[missing | twice]
    kind, wrong = ("duplicate", twice) if twice.any() else ("missing", missing)
    lines = some(rows.loc[wrong, "row"])
    names = some(table.loc[wrong, "id"].dropna().unique())
    raise ListingsError(
        f"{source} has {kind} ids",
        got=f"{names} in rows {lines}" if names else f"rows {lines}",
        wanted="a unique id for every listing",
        fix='Give every row its own id, or map another column with `columns={"id": "NAME"}`.',
        problems=rows,
    )


def currency_of(table: pd.DataFrame, source: str, declared: str | None) -> str | None:
    """Return the one currency of the prices, from the declaration or a column ``currency``; None if neither says.

    Raises
    ------
    ListingsError
        If there are several: prices in different currencies can't be compared.
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
    found = str(counts.index[0]) if len(counts) else declared
    if declared is not None and found != declared.strip().upper():
        raise ListingsError(
            f"{source} has prices in another currency than is declared",
            got=f"{found} in its column 'currency'",
            wanted=declared,
            fix="Correct 'currency' in the declaration, or convert the prices.",
        )
    return declared or found


def check_inside(table: pd.DataFrame, root: Path, boundary: Path) -> None:
    """Refuse image paths that lead out of the dataset's folder.

    Parameters
    ----------
    table : DataFrame
        With ``id`` and ``image``, relative to `root`.
    root : Path
        The table's folder.
    boundary : Path
        The folder that photos must lie in.

    Raises
    ------
    ListingsError
        With every offending row in ``problems``.
    """
    base = os.path.join(os.path.realpath(boundary), "")  # noqa: PTH118 - with the separator at its end
    named = table["image"].dropna()
    outside = named[[not _real_path(root / image).startswith(base) for image in named]]
    if outside.empty:
        return
    rows = pd.DataFrame(
        {
            "row": outside.index + _HEADER_LINES + 1,
            "id": table.loc[outside.index, "id"],
            "column": "image",
            "value": outside,
            "why": "is outside the dataset's folder",
        }
    )
    raise ListingsError(
        f"{len(outside)} image paths lead out of the dataset's folder",
        got=some(outside),
        wanted=f"paths below {boundary}",
        fix="Add `allow_outside=True` if you trust this table.",
        parameter="allow_outside",
        problems=rows,
    )


def _real_path(path: Path) -> str:
    # a NUL can't be in the name of a file; it is left for the check that there is one
    return os.path.realpath(str(path).replace("\0", "?"))
