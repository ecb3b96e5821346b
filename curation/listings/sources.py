"""The forms a DATASET may have, each turned into one raw table of strings."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from curation.errors import ListingsError, closest, some

__all__ = ["COLUMNS", "DECLARATION", "Source", "find_source", "read_table"]

COLUMNS = ("id", "image", "label", "price", "title", "group", "split")
DECLARATION = "dataset.toml"
TABLE = "listings.csv"
_FORMATS = (".csv", ".parquet", ".jsonl")
_PHOTOS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm")
_SPLITS = ("train", "test")
_FORMS = (
    f"a folder with {DECLARATION} or {TABLE}, a .csv / .parquet / .jsonl table, a folder of class folders, "
    "or a folder with metadata.csv"
)


@dataclass(frozen=True)
class Source:
    """Where the listings come from, before anything is checked.

    Attributes
    ----------
    path : Path
        The dataset as it was named.
    root : Path
        The folder that image paths are relative to.
    table : Path or None
        The table's file; None for a folder of class folders, whose table is the folder itself.
    name : str
        The dataset's name; runs are kept under it.
    currency : str or None
        Currency of all prices, e.g. ``"SGD"``.
    columns : dict
        Our column name → the table's own.
    expected : dict
        What the declaration says must be there, e.g. ``{"listings": 600, "classes": 12}``.
    """

    path: Path
    root: Path
    table: Path | None
    name: str
    currency: str | None = None
    columns: dict[str, str] = field(default_factory=dict)
    expected: dict[str, int] = field(default_factory=dict)


def find_source(path: Path) -> Source:
    """Recognise the form of a DATASET.

    Raises
    ------
    ListingsError
        If there is nothing at `path`, or nothing that is a dataset.
    """
    if not path.exists():
        raise ListingsError("there is no such dataset", got=str(path), wanted=_FORMS)
    name = path.resolve().stem if path.is_file() else path.resolve().name
    if path.is_file():
        if path.name == DECLARATION:
            return _declared(path)
        if path.suffix.lower() not in _FORMATS:
            raise ListingsError(f"{path.name} is not a table of listings", got=path.suffix, wanted=", ".join(_FORMATS))
        return Source(path, path.parent, path, name)
    if (path / DECLARATION).is_file():
        return _declared(path / DECLARATION)
    if (path / TABLE).is_file():
        return Source(path, path, path / TABLE, name)
    if (path / "metadata.csv").is_file():
        # Hugging Face imagefolder: the file name is the key, unless the table has ids of its own
        header = pd.read_csv(path / "metadata.csv", nrows=0).columns
        columns = {"image": "file_name"} | ({} if "id" in header else {"id": "file_name"})
        return Source(path, path, path / "metadata.csv", name, columns=columns)
    return Source(path, path, None, name)


def _declared(declaration: Path) -> Source:
    folder = declaration.parent
    try:
        content = tomllib.loads(declaration.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ListingsError(f"{declaration} is not valid TOML", got=str(error), fix="Correct that line.") from error
    unknown = sorted(set(content) - {"name", "table", "currency", "columns", "expected"})
    if unknown:
        known = ["name", "table", "currency", "columns", "expected"]
        raise ListingsError(
            f"{declaration} has entries that mean nothing here",
            got=some(unknown),
            wanted=", ".join(known),
            fix=closest(unknown[0], known),
        )
    table = folder / _text(content, "table", TABLE, declaration)
    if not table.is_file():
        raise ListingsError(
            f"{declaration} names a table that does not exist",
            got=str(table),
            fix="Put the table there or correct 'table'.",
        )
    columns = {str(ours): str(theirs) for ours, theirs in content.get("columns", {}).items()}
    return Source(
        path=folder,
        root=table.parent,
        table=table,
        name=_text(content, "name", folder.resolve().name, declaration),
        currency=content.get("currency"),
        columns=columns,
        expected=content.get("expected", {}),
    )


def _text(content: dict[str, Any], key: str, default: str, declaration: Path) -> str:
    value = content.get(key, default)
    if not isinstance(value, str) or not value:
        raise ListingsError(f"{declaration}: '{key}' must be text", got=repr(value))
    return value


def read_table(source: Source) -> pd.DataFrame:
    """Read the raw table: every column as text (missing = NA), in the order of the file.

    Raises
    ------
    ListingsError
        If the file can't be read as what its name says, or has no rows.
    """
    if source.table is None:
        return _class_folders(source.root)
    try:
        raw = _read(source.table)
    except (ValueError, UnicodeDecodeError, OSError) as error:
        # pandas' and Arrow's parsing errors are ValueErrors
        raise ListingsError(f"{source.table.name} can't be read", got=str(error).splitlines()[0]) from error
    if raw.empty:
        raise ListingsError(f"{source.table.name} is empty", got="no rows", wanted="one row per listing")
    return raw


def _read(table: Path) -> pd.DataFrame:
    if table.suffix.lower() == ".csv":
        # empty cells are missing; "NA", "None" or "null" may well be the name of a class
        raw = pd.read_csv(table, dtype="string", keep_default_na=False, na_values=[""], encoding="utf-8-sig")
    elif table.suffix.lower() == ".parquet":
        raw = pd.read_parquet(table)
    else:
        raw = pd.read_json(table, lines=True, dtype=False, convert_dates=False)
    raw.columns = [str(name).strip() for name in raw.columns]
    text = {name: raw[name].astype("string").str.strip() for name in raw.columns}
    return pd.DataFrame({name: column.mask(column == "") for name, column in text.items()})


def _class_folders(root: Path) -> pd.DataFrame:
    """List a folder of class folders as torchvision's ImageFolder does; train/ and test/ above them are splits."""
    splits = {path.name for path in _folders(root)}
    parents: list[tuple[Path, str | None]] = [(root, None)]
    if splits and splits <= set(_SPLITS):
        parents = [(root / split, split) for split in _SPLITS if split in splits]
    rows = []
    for parent, split in parents:
        for folder in _folders(parent):
            for photo in sorted(folder.rglob("*")):
                if photo.suffix.lower() in _PHOTOS and photo.is_file():
                    image = photo.relative_to(root).as_posix()
                    rows.append({"id": image, "image": image, "label": folder.name, "split": split})
    if not rows:
        raise ListingsError(f"{root} holds no listings", got="no photos in class folders", wanted=_FORMS)
    return pd.DataFrame(rows, dtype="string")


def _folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir() and not path.name.startswith("."))
