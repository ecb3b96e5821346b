"""Reading a dataset into one checked table, with as many rows as the input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from curation.errors import ListingsError, checked, short_repr, some
from curation.listings.added_photos import added_rows
from curation.listings.bad_share import check_share
from curation.listings.checks import (
    bad_rows,
    check_ids,
    check_prices,
    currency_of,
    require_own_names,
)
from curation.listings.columns import sorted_labels
from curation.listings.copied import with_urls
from curation.listings.editing import numbers_of, texts_of
from curation.listings.faults import Faults
from curation.listings.folders import likely_dataset
from curation.listings.held_photos import require_files
from curation.listings.labels import Labels, Merged, settle_labels
from curation.listings.limits import Limits
from curation.listings.mapping import map_columns
from curation.listings.none_words import without_none
from curation.listings.number_formats import with_formats
from curation.listings.opening import Asked, base_of, open_dataset
from curation.listings.photo_files import PhotoFiles
from curation.listings.photo_names import match_photos, name_photos, said_of_naming
from curation.listings.photos import choose_fetching, find_photos
from curation.listings.price_cells import check_decimal
from curation.listings.prices import Prices, read_prices
from curation.listings.recognise import is_shop_export, likely_names
from curation.listings.repeated_headers import header_rows, require_one_order, said_of_headers
from curation.listings.ruled_rows import ruled_rows, said_of_ruled
from curation.listings.sheet_errors import said_of_errors, with_errors
from curation.listings.sheet_pictures import pictures_inside
from curation.listings.sources import COLUMNS, Source
from curation.listings.splits import normal_splits, said_of_large_groups
from curation.listings.summary_tables import find_summary, said_of_summary
from curation.listings.tables import RawTable
from curation.listings.totals import find_totals
from curation.listings.uncalculated import check_calculated
from curation.listings.unnamed import said_of_unnamed
from curation.listings.variations import variation_owners
from curation.rendering.results import Result
from curation.rendering.words import agree, many
from training.images.cache import PhotoCache
from training.utils.progress import SILENT, Reporter

if TYPE_CHECKING:
    import datasets

__all__ = ["Listings", "read_listings"]

_LEAST_CLASSES = 2


@dataclass(frozen=True)
class Listings(Result):
    """A checked table of listings.

    Attributes
    ----------
    table : DataFrame
        One row per listing, in the order of the input: ``id``, ``image``, ``label``, ``price`` (float64, in
        `source.currency`), ``title``, ``group``, ``split``; then the input's other columns as text, and
        ``fetched_from`` if photos are URLs: what is shown of these, as ``image`` has the path of a fetched file.
        Missing values are NA; a bad value is missing here and listed in `problems`.
    classes : tuple of str
        The K given labels, sorted: whole numbers by their value, otherwise as text.
    source : Source
        Where the table comes from.
    columns : dict
        Our column name → the table's own, if they differ.
    problems : DataFrame
        Every bad cell: ``row``, ``id``, ``column``, ``value``, ``why``.
    sha256 : str
        Hash of the table's file (for a folder of class folders: of the list of its photos).
    notes : tuple of str
        How the dataset was read, where that was not certain: a sentence each.
    raw : RawTable
        The same rows as they were written, which `cleaned/` is made from.
    faults : tuple of ListingsError
        What only a look at the data accepts: everything else raises the first one. Empty if read with ``strict``.
    merged : tuple of Merged
        Names of classes that became another: ``old``, ``new``, ``listings``. ``table["unmerged_label"]`` has the old
        label of every listing then.
    limits : Limits
        ``allow_bad`` and ``max_photo_mb``, as they are in force.
    """

    table: pd.DataFrame
    classes: tuple[str, ...]
    source: Source
    columns: dict[str, str]
    problems: pd.DataFrame
    sha256: str
    notes: tuple[str, ...]
    raw: RawTable
    faults: tuple[ListingsError, ...] = ()
    merged: tuple[Merged, ...] = ()
    limits: Limits = Limits()  # noqa: RUF009 (frozen)

    def _shown(self) -> Iterator[tuple[str, Any]]:
        yield "dataset", self.source.name
        yield "listings", len(self.table)
        yield "classes", self.classes
        if self.faults:
            yield "faults", [str(fault) for fault in self.faults]
        yield "problems", self.problems
        yield "table", self.table

    def _photo_root(self) -> Path:
        return self.source.root


@checked
def read_listings(
    source: str | Path | pd.DataFrame | datasets.Dataset,
    *,
    columns: Mapping[str, str] | None = None,
    allow_outside: bool = False,
    root: str | Path | None = None,
    name: str | None = None,
    needs_image: bool = True,
    needs_label: bool = True,
    strict: bool = True,
    fetch: str | Sequence[str] | None = None,
    fetch_limit: int | str | None = None,
    cache: str | Path | PhotoCache | None = None,
    reporter: Reporter = SILENT,
    merge_labels: bool = False,
    label_separator: str | None = None,
    allow_bad: float | None = None,
    max_photo_mb: float | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    decimal: str | None = None,
    usual_decimal: str | None = None,
) -> Listings:
    """Read and check a dataset without modifying it.

    Parameters
    ----------
    source : str, Path, DataFrame or datasets.Dataset
        A path of a folder with ``dataset.toml`` or ``listings.csv``; of a ``.csv``, ``.parquet`` or ``.jsonl`` table;
        of a folder of Parquet files that are one table; of a folder of class folders (torchvision's ImageFolder); of a
        folder with ``metadata.csv`` (Hugging Face imagefolder). Or the URL of a table, or of a folder with one, as
        text: photos are relative to it, too. Or a table in memory.
    columns : mapping of str to str, optional
        Our column name → the table's own, e.g. ``{"label": "category"}``. Overrides the declaration.
    allow_outside : bool
        Whether to accept image paths that lead out of the dataset's folder.
    root : str or Path, optional
        For a table in memory: the folder that image paths are relative to; by default the current one, or the folder
        above all photos if their paths are absolute. Photos inside a ``datasets.Dataset`` are written to it, by default
        to ``<name>-photos``.
    name : str, optional
        For a table in memory: the name of the dataset and of the folder of its runs; by default ``listings``.
    needs_image : bool
        Whether every listing must have a photo. False if you provide probabilities.
    needs_label : bool
        Whether every listing must have a label. False for new listings, whose labels a model predicts: the column may
        be absent, and all photos may be in one folder.
    strict : bool
        Whether to refuse a dataset that nothing can be trained on. If not, what would be refused is in the result's
        ``faults``, and only what can't be opened is refused: enough for :func:`curation.explore`, and for nothing else.
    fetch : str or sequence of str, optional
        Whose photos to fetch into the cache where the table names URLs: what these begin with, e.g.
        ``"https://images.shop.com/"`` or ``"s3://bucket/photos/"``; ``"https://"`` alone for each public host. Others
        count as none.
    fetch_limit : int or str, optional
        Most bytes to fetch in all, or a size such as ``"500MB"``; by default 5 GB.
    cache : str, Path or PhotoCache, optional
        Where fetched photos are kept; by default the user's.
    reporter : Reporter, optional
        Shows the progress of fetching; silent by default.
    merge_labels : bool
        Whether labels that are probably one class, such as "Laptop", "laptop" and "Laptops", become the most frequent
        spelling of it; among equally frequent ones, the one without unseen or decomposed characters, then the first in
        alphabetical order. If not, `notes` names them.
    label_separator : str, optional
        What stands between the levels of labels, e.g. ``">"`` in "Games > Consoles". The labels stay as they are, and
        ``label_parent`` in the table is what is above each. Overrides the declaration.
    allow_bad : float, optional
        The share of rows, and later of photos, that may be bad, 0 to 1; by default 0.2, or what the declaration says.
    max_photo_mb : float, optional
        Largest file of a photo, in MB: a larger one is not read, and counts as unreadable; by default 200, or what the
        declaration says.
    encoding : str, optional
        Of the text of a table or of metadata, e.g. ``"cp1251"``; by default it is found out, or what the declaration
        says. A byte order mark comes first.
    sheet : str, optional
        Name of the sheet of a workbook; by default the first of listings, or what the declaration says.
    decimal : str, optional
        What marks the decimals of prices, ``"."`` or ``","``: it says what 1.299 and 1,299 mean. By default the
        column of prices settles it, or what the declaration says.
    usual_decimal : str, optional
        The same, for where neither does: of listings for a model, its :attr:`curation.Model.decimal`.

    Returns
    -------
    Listings

    Raises
    ------
    ListingsError
        If the dataset does not exist, is empty or lacks a column, or has missing or duplicate ids, too few classes,
        lists of labels, paths outside its folder, prices in several currencies, or more bad rows than
        `allow_bad`; if `encoding` or `sheet` is none, or has no effect.
        ``parameter`` names the argument at fault.
    InputError
        If `fetch` has what is no URL, or needs a package that is missing; if `fetch_limit` is no size, or has no
        effect; if `allow_bad` or `max_photo_mb` is out of range; if `decimal` marks no decimals.
    CurateError
        If photos can't be written to the cache.

    Examples
    --------
    >>> import curation
    >>> demo = curation.demo("shop", listings=120)
    >>> listings = curation.read_listings("shop")
    >>> len(listings.table), len(listings.classes)
    (120, 12)
    >>> table = pd.DataFrame({"sku": ["a", "b"], "label": ["lamp", "sofa"], "price": [9.5, 300]})
    >>> curation.read_listings(table, columns={"id": "sku"}, needs_image=False).classes
    ('lamp', 'sofa')
    """
    given, faults = _checked_columns(columns), Faults(strict=strict)
    fetching = choose_fetching(fetch, fetch_limit, cache, reporter, base_of(source))
    both = {"allow_bad": allow_bad, "max_photo_mb": max_photo_mb}
    asked = {key: value for key, value in both.items() if value is not None}
    # a mistake in what was asked is told before the table is read
    Limits(**asked)
    texts = {"label_separator": label_separator, "encoding": encoding, "sheet": sheet}
    marked = None if decimal is None else check_decimal(decimal)
    usual = None if usual_decimal is None else check_decimal(usual_decimal, parameter="usual_decimal")
    about = Asked(root, name, given, needs_label, texts)
    origin, raw, sha256 = open_dataset(source, about, fetching, faults)
    limits, faults.called = Limits(**{**origin.limits, **asked}), raw.called
    needed = ["id", *(["image"] if needs_image else []), *(["label"] if needs_label else [])]
    ruled = ruled_rows(raw.table)
    headers = header_rows(raw.table.drop(ruled), likely_names())
    below_headers = raw.table.drop(headers.append(ruled))
    with faults.noted():
        require_one_order(below_headers)
    summary = find_summary(below_headers)
    rows, said_of_copies = _without_copies(below_headers.drop(summary), raw)
    totals = find_totals(rows)
    apart = headers.append([ruled, totals.rows, summary])
    listed = rows.drop(totals.rows)
    encoding, files = "" if origin.encoding else raw.guessed, PhotoFiles(origin.root)
    mapped = map_columns(
        listed,
        {**origin.columns, **given},
        needed,
        faults,
        lambda: pictures_inside(raw.files),
        raw.uncalculated,
        lambda names: name_photos(names, files),
        lambda ids: said_of_naming(ids, files),
        encoding,
    )
    raw, mapped = with_urls(raw, mapped, origin.base)
    require_own_names(raw, {mapped.columns.get(ours, ours) for ours in (*COLUMNS, "currency")}, origin.title, faults)
    stated, said_of_none = without_none(mapped.table, mapped.columns)
    mapped = replace(mapped, table=stated)
    with faults.noted():
        require_files(raw.files, mapped.columns.get("image", "image"))
    added = added_rows(
        mapped.table,
        _files_of(raw).reindex(listed.index),
        shop=is_shop_export(raw.table),
        variations=variation_owners(listed),
    )
    further = mapped.table.loc[added.owners.index, "image"]
    mapped = replace(mapped, table=mapped.table.drop(further.index))
    # a column that is not there has been refused, or noted, as a whole
    needs = {name: name in needed and name not in mapped.missing for name in ("id", "image", "label")}
    said_of_formulas = check_calculated(
        raw.uncalculated,
        mapped.columns,
        [ours for ours, needs_it in needs.items() if needs_it],
        rows=len(mapped.table),
        limits=limits,
        title=origin.title,
        faults=faults,
    )
    failed = {ours: mapped.columns.get(ours, ours) for ours in COLUMNS if ours != "price"}
    said_of_failed = said_of_errors(raw.errors, failed, mapped.table.index, origin.title)
    splits, said_of_splits = normal_splits(mapped.table["split"])
    labels = Labels(mapped.table.assign(split=splits), (), ())
    separator = origin.label_separator
    with faults.noted():
        labels = settle_labels(
            labels.table,
            written=_written_labels(raw, mapped.columns.get("label", "label"), labels.table),
            column=mapped.columns.get("label", "label"),
            mapping=origin.labels,
            merge=merge_labels,
            separator=separator,
            faults=faults,
        )
    table = with_errors(labels.table, "price", raw.errors.get(mapped.columns.get("price", "price")))
    title = origin.title
    if needs["id"]:
        with faults.noted():
            check_ids(table, title, raw.errors.get(failed["id"]), raw.called)
    numbers = _held_as_numbers(raw, mapped.columns.get("price", "price")).reindex(table.index)
    decimal = origin.decimal if marked is None else marked
    prices = read_prices(table["price"], decimal, numbers, usual, delimiter=raw.delimiter)
    prices = with_formats(prices, raw.currencies.get(mapped.columns.get("price", "price")), numbers)
    with faults.noted():
        check_prices(table, prices, mapped.columns.get("price", "price"), encoding)
    classes = sorted_labels(table["label"].dropna().unique())
    if needs["label"] and len(classes) < _LEAST_CLASSES:
        faults.add(_too_few(classes, title, origin))
    if needs["image"] and needs["label"] and (table["split"] == "test").sum() == len(table):
        faults.add(
            ListingsError(
                f"{title} has nothing to train on",
                got=f"the split 'test' in {'all ' if len(table) > 1 else ''}{many(len(table), 'row')}",
                wanted="listings of the split 'train', or no split",
                fix="Leave the column out with `columns={'split': ''}`.",
            )
        )
    currency = None
    with faults.noted():
        currency = currency_of(table, prices, title, origin.currency)
    # the last, as it may take long
    photos = find_photos(
        table, origin, fetching, limits, inside=not allow_outside, needed=needs["image"], faults=faults
    )
    named = table.assign(image=photos.named)
    problems = bad_rows(
        named, prices, photos.unusable, needs_image=needs["image"], needs_label=needs["label"] and classes != ()
    )
    problems = problems.assign(row=raw.called(pd.Index(problems["row"])))
    with faults.noted():
        check_share(problems, len(table), limits, title, origin, photos.fits)
    origin = replace(origin, currency=currency, decimal=prices.decimal)
    all_photos = pd.concat([photos.named, match_photos(further, origin.root).images])
    said_of_photos = (*added.notes(), *photos.notes, *said_of_unnamed(all_photos, mapped.table, origin))
    notes = (
        *raw.notes,
        *said_of_formulas,
        *said_of_failed,
        *said_of_copies,
        *said_of_ruled(raw.called(ruled)),
        *said_of_headers(raw.called(headers)),
        *totals.notes(),
        *said_of_summary(raw.called(summary)),
        *mapped.notes,
        *said_of_none,
        *said_of_splits,
        *said_of_large_groups(labels.table),
        *said_of_photos,
        *prices.notes,
        *labels.notes,
    )
    kept = raw.take(np.sort(raw.table.index.get_indexer(table.index.append([further.index, apart]))))
    places = [kept.table.index.get_indexer(pd.Index(each)).tolist() for each in (further.index, added.owners, apart)]
    kept = kept.split({**dict(zip(*places[:2], strict=True)), **dict.fromkeys(places[2])})
    by_url = {"fetched_from": photos.urls} if photos.urls.notna().any() else {}
    table = _typed(table.assign(image=photos.images, **by_url), prices)
    found = tuple(faults.found)
    return Listings(table, classes, origin, mapped.columns, problems, sha256, notes, kept, found, labels.merged, limits)


def _written_labels(raw: RawTable, column: str, table: pd.DataFrame) -> pd.Series:
    """Return the labels of a table with the blanks around them."""
    files = [file for file in raw.files if column in file.cells.column_names]
    if not files or len(files) < len(raw.files):
        return table["label"]
    texts = pd.concat([texts_of(file.format.kind, file.cells[column]) for file in files])
    written: pd.Series = texts.set_axis(raw.table.index).reindex(table.index).astype("string")
    return written


def _held_as_numbers(raw: RawTable, column: str) -> pd.Series:
    """Return which cells of a column are numbers in their file, such as those of a sheet."""
    numbers: pd.Series = pd.concat([numbers_of(file, column) for file in raw.files])
    return numbers.set_axis(raw.table.index)


def _files_of(raw: RawTable) -> pd.Series:
    """Return the number of the file that each row stands in."""
    rows = [file.cells.num_rows for file in raw.files]
    return pd.Series(np.repeat(np.arange(len(rows)), rows), index=raw.table.index)


def _without_copies(table: pd.DataFrame, raw: RawTable) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Keep one of the rows that are equal in every cell, and say so."""
    copies = table.duplicated()
    if not copies.any():
        return table, ()
    count, rows = int(copies.sum()), raw.called(table.index[copies])
    note = f"{many(count, 'row')} {agree(count, 'is a copy', 'are copies')} of another and left out: row"
    return table[~copies], (f"{note}{agree(count, '', 's')} {some(rows, 5)}.",)


def _checked_columns(columns: object) -> dict[str, str]:
    """Return the mapping of columns as text; a DataFrame's columns may be numbered."""
    if columns is None:
        return {}
    if not isinstance(columns, Mapping) or not all(
        isinstance(ours, str) and isinstance(theirs, str | int) for ours, theirs in columns.items()
    ):
        raise ListingsError(
            "`columns` is no mapping of names",
            got=short_repr(columns),
            wanted='our name and the table\'s, e.g. {"label": "category"}',
            parameter="columns",
        )
    return {ours: str(theirs) for ours, theirs in columns.items()}


def _too_few(classes: tuple[str, ...], title: str, origin: Source) -> ListingsError:
    what = f"{title} has {'one class only' if classes else 'no labels'}"
    if origin.is_class_folders:
        got = f"the folder {classes[0]!r}" if classes else "photos in no class folder"
        return ListingsError(
            what,
            got=got,
            wanted="a folder of photos for each of two or more classes",
            fix=likely_dataset(origin.root),
        )
    return ListingsError(
        what,
        got=some(classes),
        wanted="at least two different labels",
        fix="If another column holds the labels, map it with `columns={'label': 'NAME'}`.",
    )


def _typed(table: pd.DataFrame, prices: Prices) -> pd.DataFrame:
    split = table["split"].where(table["split"].isin(["train", "test"]))
    return table.assign(price=prices.usable, split=split).reset_index(drop=True)
