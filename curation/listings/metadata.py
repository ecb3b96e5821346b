"""Folders of photos with metadata files, as Hugging Face's imagefolder has them."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from curation.errors import ListingsError, some
from curation.listings.checks import require_own_names
from curation.listings.editing import with_column
from curation.listings.faults import Faults
from curation.listings.junk import is_junk
from curation.listings.recognise import recognise
from curation.listings.splits import is_outer, split_folder, split_of, split_order
from curation.listings.tables import RawTable, read_raw
from curation.listings.written import WrittenFile, with_spans
from curation.remote.addresses import is_remote
from curation.rendering.words import agree, many
from training.utils.files import printable_name

__all__ = ["find_metadata", "folder_label", "has_labels", "read_metadata", "with_labels_of_folders"]

_LEAST_CLASSES = 2
_NAMES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")


def find_metadata(root: Path) -> list[Path]:
    """Return the metadata files of a folder, of the folders in it, and of class folders in its splits.

    Splits may lie in a folder such as ``data``. Its own come first, then those of train, val and test.
    """
    folders = sorted(_folders(root), key=lambda folder: split_order(folder.name))
    around = [inner for folder in folders if is_outer(folder.name) for inner in _folders(folder)]
    inside = sorted((each for each in around if split_of(each.name)), key=lambda folder: split_order(folder.name))
    classes = [inner for folder in (*folders, *inside) if split_of(folder.name) for inner in _folders(folder)]
    return [
        folder / name for folder in (root, *folders, *inside, *classes) for name in _NAMES if (folder / name).is_file()
    ]


def _folders(parent: Path) -> list[Path]:
    return [path for path in sorted(parent.iterdir()) if not is_junk(path.name) and path.is_dir()]


def read_metadata(root: Path, files: Sequence[Path], faults: Faults, encoding: str | None = None) -> RawTable:
    """Read metadata files as one table: ``image`` is the photo's path below `root`, ``split`` the folder's.

    Parameters
    ----------
    root : Path
        The folder.
    files : sequence of Path
        Of :func:`find_metadata`.
    faults : Faults
        Takes the fault that a file names no photos.
    encoding : str, optional
        Of files of text, if it is not to be found out.

    Raises
    ------
    ListingsError
        If a folder has two of them, or two folders name the same photos.
    """
    _require_one_each(files)
    raws = {_below(root, file): _read(root, file, faults, encoding) for file in files}
    _require_other_photos({name: raw.table for name, raw in raws.items()})
    tables = [raw.table for raw in raws.values()]
    if len(raws) > 1:
        # "row 2" could be in any of them
        tables = [
            raw.table.set_axis([f"{row} of {name}" for row in raw.table.index], axis=0) for name, raw in raws.items()
        ]
    notes = dict.fromkeys(note for raw in raws.values() for note in raw.notes)
    return RawTable(pd.concat(tables), tuple(notes), tuple(file for raw in raws.values() for file in raw.files))


def _require_one_each(files: Sequence[Path]) -> None:
    for folder, count in Counter(file.parent for file in files).items():
        if count > 1:
            raise ListingsError(
                f"{folder} has several metadata files",
                got=some(file.name for file in files if file.parent == folder),
                wanted="one",
                fix="Keep the one that describes the photos, and move the others elsewhere.",
            )


def _require_other_photos(tables: Mapping[str, pd.DataFrame]) -> None:
    """Refuse two files that name the same photos, for nothing says which of them holds."""
    seen: dict[str, str] = {}
    for name, table in tables.items():
        images = table.get("image", pd.Series(dtype="string")).dropna()
        # a URL may be in several splits, as rows of one table may name one photo
        photos = {posixpath.normpath(image) for image in images if "://" not in image}
        if twice := sorted(photos & set(seen)):
            raise ListingsError(
                f"{seen[twice[0]]} and {name} describe the same photos",
                got=some(twice, 3),
                wanted="one metadata file for each photo",
                fix="Keep the file that holds, and move the other one elsewhere.",
            )
        seen.update(dict.fromkeys(photos, name))


def _below(root: Path, path: Path) -> str:
    return printable_name(path.relative_to(root).as_posix())


def _read(root: Path, file: Path, faults: Faults, encoding: str | None) -> RawTable:
    """Read a metadata file; its photos are relative to its folder."""
    name = _below(root, file)
    try:
        raw = read_raw(file, unique=False, encoding=encoding)
    except (ValueError, OSError) as error:
        raise ListingsError(f"{name} can't be read", got=str(error).splitlines()[0]) from error
    columns = [str(column) for column in raw.table]
    photos = [column for column in columns if column == "file_name"] or [
        column for column in columns if column.endswith("_file_name")
    ]
    if len(photos) != 1:
        faults.add(
            ListingsError(
                f"{name} names no photos",
                got=some(columns, 12),
                wanted="a column file_name, or one that ends with _file_name",
            )
        )
        return raw
    require_own_names(raw, photos, name, faults)
    called = _called(columns, photos[0])
    folder = file.parent.relative_to(root).as_posix()
    table = _placed(raw.table.rename(columns=called), "" if folder == "." else f"{folder}/")
    written = tuple(_renamed(part, called, file.relative_to(root).as_posix()) for part in raw.files)
    return RawTable(table, (*raw.notes, *_said_of_other_splits(name, table)), written)


def _said_of_other_splits(name: str, table: pd.DataFrame) -> Iterator[str]:
    """Say how many photos lie in the folder of another split than their metadata names."""
    pairs = zip(table["image"].astype(object), table["split"].astype(object), strict=True)
    folders = ((image, split, split_folder(image)) for image, split in pairs if isinstance(split, str))
    other = [
        (image, split)
        for image, split, folder in folders
        if folder and split_of(split) and split_of(split) != split_of(folder)
    ]
    if other:
        image, split = other[0]
        lie = f"{many(len(other), 'photo')} {agree(len(other), 'lies', 'lie')} in the folder of another split"
        yield f"{name}: {lie} than the column split says, which counts, e.g. {image} is of {split!r}."


def _called(columns: Sequence[str], photos: str) -> dict[str, str]:
    """Return new names of columns: that of the photos is ``image``, and another of that name ``input_image``."""
    other = "input_image"
    while other in columns:
        other = f"input_{other}"
    return {photos: "image", **({"image": other} if "image" in columns else {})}


def _placed(table: pd.DataFrame, prefix: str) -> pd.DataFrame:
    """Return a table with paths of photos below the root, their splits, and ids."""
    named = table["image"]
    paths = prefix + named.str.replace("\\", "/", regex=False)
    by_url = pd.Series([not pd.isna(name) and is_remote(name) for name in named], named.index, dtype=bool)
    table = table.assign(image=paths.where(~by_url, named))
    if "split" not in table:
        # metadata at the root names photos in folders of splits
        table["split"] = pd.array([split_folder(path) for path in paths.astype(object)], dtype="string")
    return table if "id" in table else table.assign(id=table["image"])


def _renamed(file: WrittenFile, called: Mapping[str, str], name: str) -> WrittenFile:
    """Return a metadata file whose columns are called as in the table."""
    keys = [called.get(key, key) for key in file.cells.column_names]
    return replace(file, name=name, cells=file.cells.rename_columns(keys))


def with_labels_of_folders(raw: RawTable, mapped: Mapping[str, str], *, nested: bool) -> RawTable:
    """Return metadata without labels, e.g. with captions, with those of the folders that the photos lie in.

    Parameters
    ----------
    raw : RawTable
        Of :func:`read_metadata`.
    mapped : mapping of str to str
        Our column name → the table's own, as far as that is settled.
    nested : bool
        Whether folders in folders are classes; see :func:`curation.listings.folders.read_class_folders`.
    """
    table = raw.table
    if has_labels(raw, mapped) or "image" not in table:
        return raw
    labels = [folder_label(image, nested=nested) for image in table["image"].astype(object)]
    if None in labels or len(set(labels)) < _LEAST_CLASSES:
        return raw
    files = [with_column(file, "label", labels[span]) for file, span in with_spans(raw.files)]
    note = f"There is no column of labels, so the folders of the photos are the classes, e.g. {labels[0]!r}."
    table = table.assign(label=pd.array(labels, dtype="string"))
    return RawTable(table, (*raw.notes, note), tuple(files))


def has_labels(raw: RawTable, mapped: Mapping[str, str]) -> bool:
    """Return whether metadata has a column of labels, or one that may be.

    Parameters
    ----------
    raw : RawTable
        The metadata.
    mapped : mapping of str to str
        Our column name → the table's own, as far as that is settled.
    """
    settled = {ours: theirs for ours, theirs in mapped.items() if theirs}
    known = recognise(raw.table, settled, [ours for ours, theirs in mapped.items() if not theirs])
    return "label" in {*mapped, *raw.table.columns, *known.columns, *known.doubtful}


def folder_label(image: object, *, nested: bool) -> str | None:
    """Return the class folder of a photo; None if it lies in none.

    Parameters
    ----------
    image : str
        Its path relative to the dataset's folder; anything else for a listing without one.
    nested : bool
        Whether folders in folders are classes.
    """
    if not isinstance(image, str) or "://" in image:
        return None
    folders = posixpath.normpath(image).split("/")[:-1]
    if split := split_folder(image):
        folders = folders[folders.index(split) + 1 :]
    if not folders or folders[0] in ("", ".."):
        return None
    return "/".join(folders) if nested else folders[0]
