"""The prices of a cleaned dataset: what marks their decimals, and whether they are read again as they were decided."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd

from curation.errors import InputError, some
from curation.listings.editing import numbers_of, texts_of
from curation.listings.original import Original
from curation.listings.price_cells import DECIMALS, Decimal, known_decimal
from curation.listings.prices import read_prices
from curation.listings.written import WrittenFile, with_spans
from curation.rendering.words import agree, many
from curation.run.folder import RunFolder

__all__ = ["check_written", "decimal_of", "require_own_prices"]


def decimal_of(run: RunFolder, original: Original, listings: pd.DataFrame) -> Decimal:
    """Return what marked the decimals when a run read its prices.

    Parameters
    ----------
    run : RunFolder
        The run; an earlier version did not record it.
    original : Original
        Its dataset.
    listings : DataFrame
        The same rows, as the run has them.
    """
    recorded = known_decimal(run.record()["dataset"].get("decimal"))
    if recorded is not None:
        return recorded
    cells = _cells(original.files, original.column("price"))
    fitting = (each for each in DECIMALS if _misread(cells, each, listings["price"]).empty)
    return next(fitting, read_prices(cells[0], numbers=cells[1]).decimal)


def require_own_prices(original: Original, listings: pd.DataFrame, repriced: Collection[str]) -> None:
    """Refuse a new price of a listing that has none, while its variants have: a shop would not show it.

    Parameters
    ----------
    original : Original
        The dataset.
    listings : DataFrame
        The same rows, as the run has them.
    repriced : collection of str
        Ids of the listings with a new price.

    Raises
    ------
    InputError
    """
    key, without = original.column("price"), list[str]()
    for file, span in with_spans(original.files):
        part = listings.iloc[span]
        if file.further is None or key not in file.further.cells.column_names:
            continue
        priced = texts_of(file.format.kind, file.further.cells[key]).str.strip().fillna("").ne("")
        owners = {owner for owner, has in zip(file.owners, priced, strict=True) if has and owner < len(part)}
        rows = part.iloc[sorted(owners)]
        without += rows["id"][rows["price"].isna() & rows["id"].isin(repriced)].tolist()
    if without:
        raise InputError(
            "listings without a price of their own can't get one",
            got=f"a new price of {some(without)}, whose variants have the prices",
            wanted="new prices of listings that have one",
            fix="Change the prices of the variants in the shop, and decide keep for these listings.",
        )


def check_written(
    files: Sequence[WrittenFile], key: str, decimal: Decimal, listings: pd.DataFrame, changed: Collection[str]
) -> tuple[str, ...]:
    """Read the prices of tables that are about to be written, and compare them with what was decided.

    Parameters
    ----------
    files : sequence of WrittenFile
        The tables.
    key : str
        Their column of prices.
    decimal : str
        What marks the decimals.
    listings : DataFrame
        ``id`` and ``price`` of every row, as decided; NA for a row that is no listing.
    changed : collection of str
        Listings with a new price.

    Returns
    -------
    tuple of str
        A sentence if other prices than the new ones are read otherwise: an earlier version read them so.

    Raises
    ------
    ValueError
        If a new price would be read as another one.
    """
    misread = _misread(_cells(files, key), decimal, listings["price"].reset_index(drop=True))
    # a row below the listings that adds them up is none of them
    misread = misread[listings["id"].notna().to_numpy()[misread.index]]
    if misread.empty:
        return ()
    ids = listings["id"].to_numpy()[misread.index]
    examples = [
        f"{id} is {row.cell!r}, and was {row.decided:g} in the run"
        for id, row in zip(ids, misread.itertuples(), strict=True)
    ]
    if new := [example for id, example in zip(ids, examples, strict=True) if id in changed]:
        raise ValueError(f"the new price of {new[0]}")
    count = len(misread)
    return (
        f"{many(count, 'price')} {agree(count, 'is', 'are')} read otherwise than in the run, which an earlier version "
        f"made: {some(examples, 3)}.",
    )


def _cells(files: Sequence[WrittenFile], key: str) -> tuple[pd.Series, pd.Series]:
    """Return the texts of a column as they are read, and which of its cells are numbers in their file."""
    texts = []
    for file in files:
        there = key in file.cells.column_names
        column = texts_of(file.format.kind, file.cells[key]) if there else pd.Series(pd.NA, range(file.cells.num_rows))
        texts.append(column.astype("string").str.strip())
    whole = pd.concat(texts, ignore_index=True)
    return whole.mask(whole == ""), pd.concat([numbers_of(file, key) for file in files], ignore_index=True)


def _misread(cells: tuple[pd.Series, pd.Series], decimal: Decimal, decided: pd.Series) -> pd.DataFrame:
    """Return the cells that are read as another price than was decided, by their position."""
    texts, numbers = cells
    read = read_prices(texts, decimal, numbers).usable
    wanted = decided.astype("float64").set_axis(read.index)
    other = ~((read == wanted) | (read.isna() & wanted.isna()))
    return pd.DataFrame({"cell": texts[other].fillna(""), "decided": wanted[other]})
