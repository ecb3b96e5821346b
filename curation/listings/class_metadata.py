"""Metadata without labels inside class folders: photos that it does not name are listings of their classes, too."""

from __future__ import annotations

import posixpath
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from curation.errors import ListingsError, some
from curation.listings.editing import with_rows
from curation.listings.faults import Faults
from curation.listings.folders import read_class_folders
from curation.listings.metadata import has_labels
from curation.listings.several_photos import names_of
from curation.listings.splits import split_folder, split_of
from curation.listings.tables import RawTable
from curation.listings.written import TableFormat, WrittenFile, with_spans
from curation.rendering.words import agree, many

__all__ = ["with_unlisted_photos"]

_LEAST_CLASSES = 2
_SHOWN = 3


def with_unlisted_photos(
    raw: RawTable, mapped: Mapping[str, str], root: Path, *, nested: bool, faults: Faults
) -> RawTable:
    """Return metadata that lies in class folders, with a row for each photo of these that it does not name.

    Metadata beside the class folders, or with labels, is what it says: nothing is added.

    Parameters
    ----------
    raw : RawTable
        Of :func:`curation.listings.metadata.read_metadata`.
    mapped : mapping of str to str
        Our column name → the table's own, as far as that is settled.
    root : Path
        The dataset's folder.
    nested : bool
        Whether folders in folders are classes.
    faults : Faults
        Takes the fault that a class folder has no photo.
    """
    above = [posixpath.dirname(file.name) for file in raw.files]
    if any(not folder or _is_split(folder) for folder in above) or has_labels(raw, mapped) or "image" not in raw.table:
        return raw
    photos, found = _in_classes(root, nested=nested)
    extra = photos[~_is_listed(photos["image"], raw.table["image"].dropna())]
    if photos["label"].nunique() < _LEAST_CLASSES or extra.empty:
        return raw
    for fault in found:
        faults.add(fault)
    of_folder: dict[str, list[dict[Any, Any]]] = defaultdict(list)
    for row in extra.to_dict("records"):
        of_folder[next((each for each in above if row["image"].startswith(f"{each}/")), _folder(row["image"]))].append(
            row
        )
    tables, files = [], []
    for folder, (file, span) in zip(above, with_spans(raw.files), strict=True):
        part = raw.table.iloc[span]
        rows = of_folder.pop(folder, [])
        # whoever reads "row 2" needs to know of which file
        named = part if len(raw.files) > 1 else part.set_axis([f"{row} of {file.name}" for row in part.index], axis=0)
        tables += [named, _table(rows, raw.table.columns, mapped)]
        files.append(with_rows(file, _cells(rows, folder, file, mapped)))
    for folder, rows in sorted(of_folder.items()):
        tables.append(_table(rows, raw.table.columns, mapped))
        names = _cells(rows, folder, None, mapped)["image"]
        cells = pa.table({"image": pa.array(names, pa.string())})
        files.append(WrittenFile(f"{folder}/metadata.csv", TableFormat("csv", ".csv"), ("file_name",), cells))
    table = pd.concat([each for each in tables if len(each)])
    return RawTable(table, (*raw.notes, _said(extra["image"])), tuple(files))


def _is_split(folder: str) -> bool:
    return split_folder(f"{folder}/") == posixpath.basename(folder)


def _in_classes(root: Path, *, nested: bool) -> tuple[pd.DataFrame, Sequence[ListingsError]]:
    """Return the photos of the class folders, and what is wrong with these."""
    faults = Faults(strict=False)
    try:
        return read_class_folders(root, needs_label=True, forms="", faults=faults, nested=nested).table, faults.found
    except ListingsError:
        # no photos at all: the metadata may name addresses
        return pd.DataFrame(columns=["id", "image", "label", "split"], dtype="string"), ()


def _folder(image: str) -> str:
    """Return the class folder of a photo: the outermost folder that is no split."""
    folders = posixpath.dirname(image).split("/")
    return "/".join(folders[: 2 if len(folders) > 1 and split_of(folders[0]) else 1])


def _is_listed(photos: pd.Series, images: Iterable[str]) -> pd.Series:
    """Return which photos a row names: exactly, or as photos are matched where none is called so."""
    there, rows = set(photos), {posixpath.normpath(name) for image in images for name in (image, *_beside(image))}
    loose = {_key(name) for name in rows - there}
    # in another case or without its ending, below a folder that is not there, by the name alone
    names = Counter(_key(Path(photo).name) for photo in there)
    ends = {end for name in loose for end in _ends(name)}
    alone = {name for name in map(posixpath.basename, loose) if names[name] == 1}

    def listed(photo: str) -> bool:
        key = _key(photo)
        return photo in rows or not ends.isdisjoint((key, posixpath.splitext(key)[0])) or Path(key).name in alone

    return photos.map(listed).astype(bool)


def _ends(path: str) -> list[str]:
    """Return a path and what it ends with, as long as a folder is in it."""
    parts = path.split("/")
    return ["/".join(parts[start:]) for start in range(max(1, len(parts) - 1))]


def _beside(image: str) -> list[str]:
    """Return the names in a cell that names several photos, which the folder stands before but once."""
    folder = posixpath.dirname(names_of(image)[0]) if names_of(image) else ""
    return [posixpath.join(folder, posixpath.basename(name)) for name in names_of(image)]


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _table(rows: Sequence[Mapping[Any, Any]], columns: pd.Index, mapped: Mapping[str, str]) -> pd.DataFrame:
    """Return rows of photos as those of the metadata, numbered by the photos."""
    frame = pd.DataFrame(rows, columns=["id", "image", "label", "split"], dtype="string")
    frame = frame.set_axis(frame["image"].astype(object), axis=0).rename_axis(None)
    if own := mapped.get("id"):
        frame[own] = frame["id"]
    return frame.reindex(columns=columns).astype("string")


def _cells(
    rows: Sequence[Mapping[Any, Any]], folder: str, file: WrittenFile | None, mapped: Mapping[str, str]
) -> dict[str, list[str]]:
    """Return what is written for photos: their names below the folder, and their ids where the file has any."""
    cells = {"image": [posixpath.relpath(row["image"], folder) for row in rows]}
    id = mapped.get("id") or "id"
    if file is not None and id in file.cells.column_names and id != "image":
        cells[id] = [row["id"] for row in rows]
    return cells


def _said(images: pd.Series) -> str:
    count = len(images)
    has = agree(count, "has no row in the metadata: it has", "have no row in the metadata: they have")
    photos = f"{many(count, 'photo')} in class folders"
    return f"{photos} {has} the label of the folder, and nothing else: {some(images, _SHOWN)}."
