"""Reading a DATASET: one checked table, joined by id, rows in = rows out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from curation.errors import ListingsError, closest, some
from curation.listings.checks import MAX_BAD_SHARE, bad_rows, check_ids, check_inside, currency_of, number
from curation.listings.sources import COLUMNS, RUN_COLUMNS, Source, find_source, read_table
from training.utils.files import sha256_of_file

__all__ = ["Listings", "read_listings"]


@dataclass(frozen=True)
class Listings:
    """A checked table of listings.

    Attributes
    ----------
    table : DataFrame
        One row per listing, in the order of the input: ``id``, ``image``, ``label``, ``price`` (float64, in
        `source.currency`), ``title``, ``group``, ``split``; then the input's other columns as text. Missing
        values are NA; a bad value is missing here and listed in `problems`.
    classes : tuple of str
        The K given labels, sorted.
    source : Source
        Where it came from.
    columns : dict
        Our column name → the table's own, where they differ.
    problems : DataFrame
        Every bad cell: ``row``, ``id``, ``column``, ``value``, ``why``.
    sha256 : str
        Hash of the table's file (for a folder of class folders: of the list of its photos).
    """

    table: pd.DataFrame
    classes: tuple[str, ...]
    source: Source
    columns: dict[str, str]
    problems: pd.DataFrame
    sha256: str


def read_listings(
    dataset: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    allow_outside: bool = False,
    needs_image: bool = True,
    needs_label: bool = True,
    least_classes: int = 2,
) -> Listings:
    """Read and check a dataset. The input is not modified.

    Parameters
    ----------
    dataset : str or Path
        A folder with ``dataset.toml`` or ``listings.csv``; a ``.csv``, ``.parquet`` or ``.jsonl`` table; a folder of
        class folders (torchvision's ImageFolder); a folder with ``metadata.csv`` (Hugging Face imagefolder).
    columns : mapping of str to str, optional
        Our column name → the table's own, e.g. ``{"label": "category"}``. Goes before the declaration's.
    allow_outside : bool
        Accept image paths that lead out of the dataset's folder.
    needs_image : bool
        Whether every listing must have a photo. False when probabilities are brought along.
    needs_label : bool
        Whether every listing must have a label. False for new listings, which a model is to tell it of: the column may
        be absent, and photos may lie in one folder.
    least_classes : int
        How many different labels there must be. One is enough to look at; nothing can be trained on it.

    Returns
    -------
    Listings

    Raises
    ------
    ListingsError
        If the dataset is missing, empty, lacks a column, has missing or duplicate ids, too few classes, paths outside
        its folder, prices in several currencies, or more than 20 % bad rows.

    Examples
    --------
    >>> import curation
    >>> demo = curation.demo("shop", listings=120)
    >>> listings = curation.read_listings("shop/listings.csv", columns={"label": "label"})
    >>> len(listings.table), len(listings.classes)
    (120, 12)
    """
    source = find_source(Path(dataset))
    raw = read_table(source, needs_label=needs_label)
    mapping = {**source.columns, **(columns or {})}
    table = _with_our_names(raw, mapping, needs_image, needs_label)
    title = source.table.name if source.table else str(source.path)
    check_ids(table, title)
    if not allow_outside:
        check_inside(table, source.root, source.boundary)
    problems = bad_rows(table, root=source.root, needs_image=needs_image, needs_label=needs_label)
    _check_share(problems, len(table), title)
    classes = tuple(sorted(table["label"].dropna().unique()))
    if needs_label and len(classes) < least_classes:
        raise ListingsError(
            f"{title} has one class only", got=some(classes) or "no labels", wanted="at least two different labels"
        )
    source = replace(source, currency=currency_of(table, title, source.currency))
    return Listings(_typed(table), classes, source, mapping, problems, _sha256(source, table))


def _with_our_names(
    raw: pd.DataFrame, columns: Mapping[str, str], needs_image: bool, needs_label: bool
) -> pd.DataFrame:
    """Return the raw table under our column names, the table's other columns after them."""
    unknown = sorted(set(columns) - set(COLUMNS))
    if unknown:
        raise ListingsError(
            "a column is mapped that is not one of ours",
            got=some(unknown),
            wanted=", ".join(COLUMNS),
            fix=closest(unknown[0], COLUMNS),
        )
    required = ["id", *(["image"] if needs_image else []), *(["label"] if needs_label else [])]
    for ours in COLUMNS:
        theirs = columns.get(ours, ours)
        if theirs not in raw.columns and (ours in required or ours in columns):
            raise ListingsError(
                f"the table has no column '{theirs}'",
                got=some(raw.columns, 12),
                wanted=theirs if theirs == ours else f"{theirs} (mapped to {ours})",
                fix=closest(theirs, list(raw.columns)) or f'Map it with `columns={{"{ours}": "NAME"}}`.',
                parameter="columns",
            )
    empty = pd.Series(pd.NA, index=raw.index, dtype="string")
    table = pd.DataFrame({ours: raw.get(columns.get(ours, ours), empty) for ours in COLUMNS})
    used = {columns.get(ours, ours) for ours in COLUMNS}
    for theirs in raw.columns:
        if theirs not in used:
            # e.g. the table's `label` while `label_2` is mapped to it and is the one in use, or a desk's `width`
            table[f"input_{theirs}" if theirs in (*COLUMNS, *RUN_COLUMNS) else theirs] = raw[theirs]
    return table


def _check_share(problems: pd.DataFrame, rows: int, title: str) -> None:
    bad = problems["row"].nunique()
    if bad <= MAX_BAD_SHARE * rows:
        return
    first = problems.iloc[0]
    kinds = (problems["column"] + " " + problems["why"]).value_counts()
    summary = some((f"{kind} ({count})" for kind, count in kinds.items()), 4)
    raise ListingsError(
        f"{title}: {bad} of {rows} rows are bad",
        got=f"{summary}; first: row {first['row']}, {first['column']} {first['value']!r} {first['why']}",
        wanted=f"at most {MAX_BAD_SHARE:.0%} bad rows",
        fix="Correct the table, or map the right columns with `columns`.",
        problems=problems,
    )


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    price = number(table["price"])
    price = price.where((price >= 0) & (price != float("inf")))
    split = table["split"].where(table["split"].isin(["train", "test"]))
    return table.assign(price=price, split=split)


def _sha256(source: Source, table: pd.DataFrame) -> str:
    if source.table is not None:
        return sha256_of_file(source.table)
    return hashlib.sha256("\n".join(table["image"]).encode()).hexdigest()
