"""The content of ``cleaned/``: the input as its author wrote it, with the decisions applied."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict

import numpy as np
import pandas as pd

from curation.errors import InputError, RunError, closest, some
from curation.fixes.allowance import allowance_of
from curation.fixes.declaration import write_declaration
from curation.fixes.edits import edited, labels_of
from curation.fixes.elsewhere import Elsewhere
from curation.fixes.photos import Photos, folder_splits, outside
from curation.fixes.prices import check_written, decimal_of, require_own_prices
from curation.listings.editing import replaced, texts_of, with_column
from curation.listings.fetch import is_fetched
from curation.listings.headers import normal_name
from curation.listings.label_lists import single_label
from curation.listings.metadata import folder_label
from curation.listings.original import Layout, Original, load_original
from curation.listings.price_cells import Decimal
from curation.listings.recognise import likely_names
from curation.listings.sources import COLUMNS, DECLARATION, RUN_COLUMNS
from curation.listings.tables import held_table
from curation.listings.writing import FORMATS, converted, joined, write_table
from curation.listings.written import WrittenFile, with_spans
from curation.rendering.words import agree, many
from curation.run.damaged import readable
from curation.run.folder import RunFolder

__all__ = ["LAYOUTS", "Cleaned", "require_layout", "write_cleaned"]

#: What `format` may be: tables, and the layouts of folders.
LAYOUTS: tuple[str, ...] = (*FORMATS, "class-folders", "imagefolder")
#: Formats that Hugging Face reads metadata in.
_METADATA = ("csv", "jsonl", "parquet")


@dataclass(frozen=True)
class Cleaned:
    """What was written.

    Attributes
    ----------
    files : tuple of str
        The declaration and the tables, relative to the folder.
    listings : int
        How many listings there are.
    notes : tuple of str
        What a person should know of it: a sentence each.
    """

    files: tuple[str, ...]
    listings: int
    notes: tuple[str, ...]


def write_cleaned(run: RunFolder, changes: pd.DataFrame, folder: Path, form: str | None = None) -> Cleaned:
    """Write the dataset with the changes made, in the shape of the input or in another one.

    Parameters
    ----------
    run : RunFolder
        The run.
    changes : DataFrame
        Of :class:`curation.fixes.Fixes`.
    folder : Path
        An empty folder beside ``cleaned/``, which it becomes.
    form : str, optional
        One of :data:`LAYOUTS`; by default the input's.

    Raises
    ------
    InputError
        If the dataset can't be written so.
    RunError
        If photos that it needs are gone, or are other files now.
    """
    listings = run.listings()
    original = _original(run, listings)
    decimal = decimal_of(run, original, listings)
    stay = changes[changes["action"] != "delete"]
    require_own_prices(original, listings, stay.dropna(subset="new_price")["id"].tolist())
    try:
        changed = edited(original, listings, changes, decimal)
    except ValueError as error:
        raise InputError(
            "a new price can't be written",
            got=str(error),
            wanted="a price that is read again as it is",
            fix="Decide another price for that listing.",
        ) from error
    kept = ~listings["id"].isin(changes.loc[changes["action"] == "delete", "id"]).to_numpy(dtype=bool)
    left = replace(
        changed,
        files=tuple(file.take(np.flatnonzero(kept[span]).tolist()) for file, span in with_spans(changed.files)),
    )
    layout: Layout = original.layout if form is None else "table"
    layout = "class-folders" if form == "class-folders" else "imagefolder" if form == "imagefolder" else layout
    write = {"table": _write_tables, "class-folders": _write_folders, "imagefolder": _write_metadata}[layout]
    lost = _said_of_lost(left.files) if layout != "table" else ()
    repriced = changes.dropna(subset="new_price").set_index("id")["new_price"].astype("float64")
    decided = listings.assign(price=listings["id"].map(repriced).fillna(listings["price"].astype("float64")))
    place = _Place(run, folder, decided[kept].reset_index(drop=True), form, decimal, frozenset(repriced.index))
    try:
        written = write(left, place)
        return replace(written, notes=(*written.notes, *lost))
    except ValueError as error:
        # what a format can't hold
        raise InputError(
            f"the dataset can't be written as {form or 'the input'}",
            got=str(error),
            wanted="a format that can hold it",
            fix=f"Choose another `format`: {', '.join(LAYOUTS)}.",
            parameter="format",
        ) from error


class _Said(TypedDict):
    decimal: Decimal | None
    allow_bad: float | None


@dataclass(frozen=True)
class _Place:
    """Where the dataset goes, with the listings that are left, and how their prices are written."""

    run: RunFolder
    folder: Path
    listings: pd.DataFrame
    form: str | None
    decimal: Decimal
    repriced: Collection[str]

    def check_prices(self, files: Sequence[WrittenFile], original: Original) -> tuple[str, ...]:
        return check_written(files, original.column("price"), self.decimal, self.listings, self.repriced)

    @property
    def said(self) -> _Said:
        """What the declaration says of the listings: what marks the decimals, if there are prices, and what is bad."""
        decimal = self.decimal if self.listings["price"].notna().any() else None
        return {"decimal": decimal, "allow_bad": allowance_of(self.run, self.listings)}


def _said_of_lost(files: Sequence[WrittenFile]) -> Iterator[str]:
    """Yield which rows that are no listings a folder of photos has no place for."""
    totals = sum(file.owners.count(file.cells.num_rows) for file in files)
    if rows := sum(len(file.owners) for file in files) - totals:
        yield (
            f"{many(rows, 'row')} that only {agree(rows, 'adds a photo or variant', 'add photos or variants')} "
            "left out: there is one row each."
        )
    if totals:
        yield f"{many(totals, 'row')} such as {agree(totals, 'a total', 'totals')} left out: there are listings only."


def require_layout(form: str | None) -> None:
    """Refuse a format that there is not.

    Parameters
    ----------
    form : str or None
        One of :data:`LAYOUTS`, or None for the input's.

    Raises
    ------
    InputError
    """
    if form is not None and form not in LAYOUTS:
        raise InputError(
            "there is no such `format`",
            got=form,
            wanted=", ".join(LAYOUTS),
            fix=closest(form, LAYOUTS),
            parameter="format",
        )


def _original(run: RunFolder, listings: pd.DataFrame) -> Original:
    if run.input_folder.exists():
        with readable(run.input_folder):
            original = load_original(run.input_folder)
            if (rows := sum(file.cells.num_rows for file in original.files)) != len(listings):
                raise ValueError(f"{rows:,} rows, and {len(listings):,} in {run.listings_file.name}")
            return original
    # a run of a version that kept the checked table only
    empty = [name for name in COLUMNS if name not in ("id", "label") and listings[name].isna().all()]
    table = listings.drop(columns=[*RUN_COLUMNS, *empty], errors="ignore")
    return Original("table", held_table(table).files, {})


def _write_tables(original: Original, place: _Place) -> Cleaned:
    """Write one table that lies elsewhere than the input: its photos stay where they are."""
    root, files, rows = place.run.photo_root, [], []
    original, said = _apart(original, place.listings)
    key = original.column("image")
    elsewhere = Elsewhere(root, os.path.relpath(root, place.run.cleaned.resolve()))
    for file, span in with_spans(original.files):
        part = place.listings.iloc[span]
        # a row that only adds a photo is no listing
        rows.append(part.reset_index(drop=True).reindex(file.order))
        if original.layout == "imagefolder":
            file = _with_ids(file, original, part)
        files.append(elsewhere.added(elsewhere.moved(file, key, part["image"].tolist()), key).whole())
    price = original.column("price")
    file = joined(files, price=price, decimal=place.decimal)
    form = FORMATS[place.form] if place.form else file.format
    file = converted(file, form, price=price, decimal=place.decimal)
    name = f"listings{form.ending}"
    # the prices of rows that add something, such as variants, are none of a listing
    listed = pd.concat(rows, ignore_index=True).dropna(subset="id")
    own = replace(place, listings=listed.reset_index(drop=True))
    notes = own.check_prices([file.take(listed.index.tolist())], original) + write_table(file, place.folder / name)
    notes = (*notes, *(f"{name} {each}" for each in said))
    sheet = original.files[0].format.sheet
    # a run of an earlier version has no workbook
    if sheet and form.kind == "xlsx" and file.book is None:
        notes = (*notes, f"{name} has the values of the sheet {sheet!r} alone: no other sheets, formats or formulas.")
    boundary = _boundary(place.run, place.listings)
    file = replace(file, name=name)
    write_declaration(place.run, place.folder, original, labels_of(original), file, boundary, **place.said)
    return Cleaned((DECLARATION, name), len(place.listings), notes)


def _apart(original: Original, listings: pd.DataFrame) -> tuple[Original, tuple[str, ...]]:
    """Return tables with a column for ids and one for photos, where one was both, and what a person should know.

    A photo's name changes with the place of its table, and an id does not.
    """
    key = original.column("image")
    if original.layout == "imagefolder" or key != original.column("id"):
        return original, ()
    named: set[str] = {name for file in original.files for name in file.cells.column_names}
    if key not in named:
        return original, ()
    # the column that a person calls ids stays as it is
    is_id = key == "id" or likely_names().get(normal_name(key)) == "id" or normal_name(key).endswith("_id")
    ours = "image" if is_id else "id"
    new = ours
    while new in named:
        new = f"listing_{new}"
    files = tuple(
        with_column(file, new, [None if pd.isna(cell) else cell for cell in listings[ours].iloc[span]])
        for file, span in with_spans(original.files)
    )
    said = f"has a new column {new!r}, for {key!r} named both the listings and their photos, which lie elsewhere."
    return replace(original, files=files, columns={**original.columns, "id": key, "image": key, ours: new}), (said,)


def _with_ids(file: WrittenFile, original: Original, listings: pd.DataFrame) -> WrittenFile:
    """Return a table of metadata with the id and the split that the folders gave its listings."""
    texts = {"id": listings["id"].tolist(), "split": folder_splits(listings["image"], inside=True)}
    for ours, cells in texts.items():
        if original.column(ours) not in file.cells.column_names and any(cells):
            file = with_column(file, ours, cells)
    return file


def _boundary(run: RunFolder, listings: pd.DataFrame) -> Path:
    """Return the folder that all photos lie in: that of the input, or one above it where some lie outside."""
    photos = run.photo_boundary
    images = listings["image"].dropna()
    # the table names fetched photos by URL
    files = images[~images.map(is_fetched).astype(bool)]
    beyond = [path.parent for path in outside(run.photo_root, files, photos)]
    return Path(os.path.commonpath([photos, *beyond])) if beyond else photos


def _write_metadata(original: Original, place: _Place) -> Cleaned:
    """Write photos with metadata files, as Hugging Face's imagefolder has them."""
    photos = Photos(place.run, place.folder)
    if original.layout == "imagefolder":
        files = _as_matched(original, place.listings["image"])
        for image in place.listings["image"].dropna():
            photos.put(image, photos.path_of(image))
    else:
        # the column of photos makes way for that of the metadata
        original, _ = _apart(original, place.listings)
        file = joined(original.files, price=original.column("price"), decimal=place.decimal)
        paths = [None if pd.isna(image) else photos.path_of(image, for_table=True) for image in place.listings["image"]]
        for image, path in zip(place.listings["image"], paths, strict=True):
            if path is not None:
                photos.put(image, path)
        if file.format.kind not in _METADATA:
            file = converted(file, FORMATS["csv"], price=original.column("price"), decimal=place.decimal)
        files = [_with_file_names(file, original.column("image"), paths)]
    photos.require_own()
    notes = list(place.check_prices(files, original))
    if original.layout == "imagefolder":
        notes += _said_of_folders(place.listings["image"], labels_of(original), place.run)
    for file in files:
        target = place.folder / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        notes += write_table(file, target)
    write_declaration(place.run, place.folder, original, labels_of(original), files[0], **place.said)
    names = (DECLARATION, *(file.name for file in files))
    return Cleaned(names, len(place.listings), (*notes, *photos.notes()))


def _said_of_folders(images: pd.Series, labels: Sequence[str | None], run: RunFolder) -> Iterator[str]:
    """Say how many photos lie in the folder of another class than theirs, which their metadata names."""
    nested = (run.record()["dataset"].get("label_separator") or "").strip() == "/"
    classes = set(labels)
    folders = [folder_label(image, nested=nested) for image in images.astype(object)]
    count = sum(
        folder in classes and label not in (None, folder) for folder, label in zip(folders, labels, strict=True)
    )
    if count:
        photos, they = many(count, "photo"), agree(count, "its label is", "their labels are")
        yield f"{photos} {agree(count, 'stays', 'stay')} in the folder of another class: {they} in the metadata."


def _as_matched(original: Original, images: pd.Series) -> list[WrittenFile]:
    """Return the tables of metadata with the names that the photos have, where they were matched by another one."""
    key, files = original.column("image"), []
    for file, span in with_spans(original.files):
        above, texts = Path(file.name).parent, {}
        names = texts_of(file.format.kind, file.cells[key])
        for row, (text, image) in enumerate(zip(names, images.iloc[span], strict=True)):
            if pd.isna(image) or Path(image).is_absolute():
                continue
            if os.path.normpath(above / text.strip()) != os.path.normpath(image):
                texts[row] = os.path.relpath(image, above)
        files.append(replaced(file, key, texts))
    return files


def _with_file_names(file: WrittenFile, key: str, paths: list[str | None]) -> WrittenFile:
    keys = file.cells.column_names
    if key in keys:
        place = keys.index(key)
        header = [*file.header[:place], *file.header[place + 1 :]]
        file = replace(file, header=tuple(header), cells=file.cells.drop_columns([key]))
    # a column of that name would be a second one
    free = replace(file, name=f"metadata{file.format.ending}")
    return with_column(free, "file_name", paths)


def _write_folders(original: Original, place: _Place) -> Cleaned:
    """Write a folder of photos for each class, below a folder for each split if the input has splits."""
    photos = Photos(place.run, place.folder)
    given = _given_splits(original, place.listings)
    named = {*original.labels, *original.labels.values()}
    written = labels_of(original)
    labels = [label if label is None or label in named else single_label(label) for label in written]
    held, left_out = list[str | None](), list[str]()
    rows = zip(place.listings["id"], place.listings["image"], labels, given, strict=True)
    for id, image, label, split in rows:
        if pd.isna(image) or label is None:
            left_out.append(str(id))
            continue
        held.append(label)
        if original.layout == "class-folders":
            photos.put(image, photos.path_in_class(image, label, given is not None and split is not None))
        else:
            photos.put(image, photos.path_of_class(image, label, split))
    photos.require_own()
    if photos.missing:
        raise RunError(
            f"{many(len(photos.missing), 'photo')} {agree(len(photos.missing), 'is', 'are')} no longer there",
            got=some(photos.missing),
            wanted=f"the files below {place.run.photo_root}",
            fix="Put them back, say where they are with `photos='FOLDER'`, or write a table: `format=\"csv\"`.",
            parameter="format",
        )
    kept = place.listings[~place.listings["id"].isin(left_out)]
    write_declaration(place.run, place.folder, original, held, allow_bad=allowance_of(place.run, kept))
    notes = []
    if left_out:
        count = len(left_out)
        notes.append(
            f"{many(count, 'listing')} without a photo or a label {agree(count, 'is', 'are')} left out, for class "
            f"folders can't hold {agree(count, 'it', 'them')}: {some(left_out)}."
        )
    if original.layout != "class-folders":
        notes.append("Class folders hold photos and labels only: prices, titles and ids are not in them.")
    return Cleaned((DECLARATION,), len(held), (*notes, *photos.notes()))


def _given_splits(original: Original, listings: pd.DataFrame) -> list[str | None]:
    """Return the split of each listing as the input has it; None for those without."""
    key = original.column("split")
    if all(key in file.cells.column_names for file in original.files):
        texts = pd.concat([texts_of(file.format.kind, file.cells[key]) for file in original.files]).str.strip()
        splits = [None if pd.isna(text) or not text else str(text) for text in texts]
    else:
        splits = folder_splits(listings["image"], inside=original.layout == "imagefolder")
    return [split or "train" for split in splits] if any(splits) else splits
