"""The decisions in the cells of the dataset as its author wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from curation.listings.cell_objects import money_of
from curation.listings.editing import is_number, replaced, texts_of, values_of, with_column
from curation.listings.original import Original
from curation.listings.price_cells import Decimal
from curation.listings.price_texts import price_texts
from curation.listings.written import WrittenFile, with_spans

__all__ = ["edited", "labels_after", "labels_of"]


def edited(original: Original, listings: pd.DataFrame, changes: pd.DataFrame, decimal: Decimal = ".") -> Original:
    """Return the dataset with new labels and prices in the cells that change.

    Parameters
    ----------
    original : Original
        The dataset.
    listings : DataFrame
        The same rows, as the run has them.
    changes : DataFrame
        Of :class:`curation.fixes.Fixes`.
    decimal : str
        What marks the decimals of prices.
    """
    rows = pd.Series(np.arange(len(listings)), index=listings["id"])
    left = changes[changes["action"] != "delete"]
    relabelled = left.dropna(subset="new_label")
    labels = dict(zip(rows[relabelled["id"]].tolist(), relabelled["new_label"].tolist(), strict=True))
    repriced = left.dropna(subset="new_price")
    new = repriced["new_price"].astype(float).tolist()
    prices = dict(zip(rows[repriced["id"]].tolist(), new, strict=True))
    files = []
    for file, span in with_spans(original.files):
        part, here = listings.iloc[span].reset_index(drop=True), range(span.start, span.stop)
        key = original.column("label")
        file = _changed(file, key, {row - span.start: label for row, label in labels.items() if row in here})
        new_prices = {row - span.start: price for row, price in prices.items() if row in here}
        files.append(_repriced(file, original.column("price"), part, new_prices, decimal))
    return replace(original, files=tuple(files))


def labels_after(table: pd.DataFrame, changes: pd.DataFrame) -> pd.Series:
    """Return the labels of listings after the fixes; NA for one that was deleted, or has none.

    Parameters
    ----------
    table : DataFrame
        With ``id`` and ``label``, as given.
    changes : DataFrame
        With ``id``, ``action`` and ``new_label``; of :class:`curation.fixes.Fixes`.
    """
    deleted = changes["action"] == "delete"
    new = changes[~deleted].dropna(subset="new_label").set_index("id")["new_label"]
    labels = table["id"].map(new).astype("string").fillna(table["label"])
    return labels.mask(table["id"].isin(changes.loc[deleted, "id"]))


def _changed(file: WrittenFile, key: str, texts: Mapping[int, str]) -> WrittenFile:
    if key in file.cells.column_names or not texts:
        return replaced(file, key, texts)
    return with_column(file, key, [texts.get(row) for row in range(file.cells.num_rows)])


def _repriced(
    file: WrittenFile, key: str, listings: pd.DataFrame, new: Mapping[int, float], decimal: Decimal
) -> WrittenFile:
    plain = {row: str(int(price)) if price.is_integer() else repr(price) for row, price in new.items()}
    if key not in file.cells.column_names or not new:
        return _changed(file, key, plain)
    column = file.cells[key]
    values = values_of(file.format.kind, column)
    if all(value is None or is_number(value) for value in values):
        return replaced(file, key, plain)
    written = texts_of(file.format.kind, column).str.strip()
    texts = written.mask(written == "")
    # a number among texts stays one, and so does the amount of an object
    numbers = {row: text for row, text in plain.items() if is_number(values[row]) or money_of(values[row])}
    if any(map(money_of, values)):
        numbers |= {row: text for row, text in plain.items() if values[row] is None}
    others = {row: price for row, price in new.items() if row not in numbers}
    prices = listings["price"].astype(float).tolist()
    return replaced(file, key, numbers | price_texts(texts, prices, others, decimal))


def labels_of(original: Original) -> list[str | None]:
    """Return the label in each row of a dataset; None where it is missing.

    Parameters
    ----------
    original : Original
        The dataset.
    """
    key = original.column("label")
    texts = pd.concat([texts_of(file.format.kind, file.cells[key]) for file in original.files]).str.strip()
    return [None if pd.isna(text) or not text else str(text) for text in texts]
