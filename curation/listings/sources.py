"""The forms a DATASET may have, each turned into one raw table of strings."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from curation.errors import ListingsError, closest, short_repr, some

__all__ = [
    "COLUMNS",
    "DECLARATION",
    "RUN_COLUMNS",
    "TABLE",
    "Source",
    "as_text",
    "check_name",
    "find_source",
    "read_table",
]

COLUMNS = ("id", "image", "label", "price", "title", "group", "split")
#: What a run adds to the table.
RUN_COLUMNS = (
    "fold",
    "sha256",
    "width",
    "height",
    "unreadable",
    "detail",
    "near_group",
    "near_likeness",
    "text_share",
    "text",
)
DECLARATION = "dataset.toml"
TABLE = "listings.csv"
_FORMATS = (".csv", ".parquet", ".jsonl")
_PHOTOS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm")
_SPLITS = ("train", "test")
#: Of a folder's name, in bytes; a cleaned dataset's name is longer.
_LONGEST_NAME = 240
_Value = TypeVar("_Value", str, int)
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
    photos : Path or None
        Folder that photos must lie in, if it is not `root`: a cleaned dataset uses the photos of its input.
    in_memory : bool
        Whether the table is no file but an object of the program, e.g. a DataFrame.
    """

    path: Path
    root: Path
    table: Path | None
    name: str
    currency: str | None = None
    columns: dict[str, str] = field(default_factory=dict)
    expected: dict[str, int] = field(default_factory=dict)
    photos: Path | None = None
    in_memory: bool = False

    @property
    def is_class_folders(self) -> bool:
        """Whether the folder itself is the table: its folders are the classes."""
        return self.table is None and not self.in_memory

    @property
    def boundary(self) -> Path:
        """The folder that photos must lie in."""
        return self.photos or self.root


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
        header = read_table(Source(path, path, path / "metadata.csv", name)).columns
        columns = {"image": "file_name"} | ({} if "id" in header else {"id": "file_name"})
        return Source(path, path, path / "metadata.csv", name, columns=columns)
    return Source(path, path, None, name)


def _declared(declaration: Path) -> Source:
    folder = declaration.parent
    try:
        content = tomllib.loads(declaration.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ListingsError(f"{declaration} is not valid TOML", got=str(error), fix="Correct that line.") from error
    known = ["name", "table", "photos", "currency", "columns", "expected"]
    unknown = sorted(set(content) - set(known))
    if unknown:
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
    name = _text(content, "name", folder.resolve().name, declaration)
    check_name(name, f"{declaration}: 'name'")
    return Source(
        path=folder,
        root=table.parent,
        table=table,
        name=name,
        currency=_text(content, "currency", "", declaration) if "currency" in content else None,
        columns=_entries(content, "columns", str, declaration),
        expected=_entries(content, "expected", int, declaration),
        photos=folder / _text(content, "photos", "", declaration) if "photos" in content else None,
    )


def check_name(name: str, what: str, *, parameter: str = "source") -> None:
    """Refuse a name of a dataset that can't be a folder's, for that is where its runs are kept.

    Parameters
    ----------
    name : str
        The name.
    what : str
        Where it stands, for the message.
    parameter : str
        The argument at fault.

    Raises
    ------
    ListingsError
    """
    if not name or "/" in name or "\0" in name or name in (".", "..") or len(name.encode()) > _LONGEST_NAME:
        raise ListingsError(
            f"{what} can't be the name of a folder",
            got=short_repr(name),
            wanted=f"a name without /, of at most {_LONGEST_NAME} bytes",
            parameter=parameter,
        )


def _text(content: dict[str, Any], key: str, default: str, declaration: Path) -> str:
    value = content.get(key, default)
    if not isinstance(value, str) or not value:
        raise ListingsError(f"{declaration}: '{key}' must be text", got=repr(value))
    return value


def _entries(content: dict[str, Any], key: str, kind: type[_Value], declaration: Path) -> dict[str, _Value]:
    entries = content.get(key, {})
    if not isinstance(entries, dict) or not all(isinstance(value, kind) for value in entries.values()):
        wanted = {str: "text", int: "whole numbers"}[kind]
        raise ListingsError(f"{declaration}: '{key}' must be a table of {wanted}", got=repr(entries))
    return entries


def read_table(source: Source, *, needs_label: bool = True) -> pd.DataFrame:
    """Read the raw table: every column as text (missing = NA), in the order of the file.

    Without a need of labels, a folder may also hold photos that lie in no class folder.

    Parameters
    ----------
    source : Source
        Where the listings are.
    needs_label : bool
        Whether every photo of a folder must lie in a class folder.

    Raises
    ------
    ListingsError
        If the file can't be read as what its name says, or has no rows.
    """
    if source.table is None:
        return _class_folders(source.root, needs_label)
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
        raw = _read_csv(table)
    elif table.suffix.lower() == ".parquet":
        raw = pd.read_parquet(table)
    else:
        raw = _read_jsonl(table)
    return as_text(raw)


def as_text(raw: pd.DataFrame) -> pd.DataFrame:
    """Return a new table with every column as text without blanks around it; what is empty is NA.

    Raises
    ------
    ValueError
        If two columns have the same name.
    """
    # an index with a name is a column; one without holds the row numbers of whatever table this was cut from
    named = [name for name in raw.index.names if name is not None and not _repeats_a_column(raw, name)]
    raw = raw.reset_index(level=named).reset_index(drop=True) if named else raw.reset_index(drop=True)
    raw.columns = [str(name).strip() for name in raw.columns]
    if not raw.columns.is_unique:
        raise ValueError(f"two columns called {raw.columns[raw.columns.duplicated()][0]!r}")
    text = {name: raw[name].astype("string").str.strip() for name in raw.columns}
    return pd.DataFrame({name: column.mask(column == "") for name, column in text.items()})


def _repeats_a_column(raw: pd.DataFrame, name: Hashable) -> bool:
    """Whether an index is also a column, as after ``frame.set_index("id", drop=False)``."""
    if name not in raw:
        return False
    if not raw.index.get_level_values(raw.index.names.index(name)).equals(pd.Index(raw[name])):
        raise ListingsError("the table has a column and an index of one name that differ", got=repr(name))
    return True


def _read_csv(table: Path) -> pd.DataFrame:
    # empty cells are missing; "NA", "None" or "null" may well be the name of a class
    raw = pd.read_csv(table, dtype="string", keep_default_na=False, na_values=[""], encoding="utf-8-sig")
    if not isinstance(raw.index, pd.RangeIndex):
        # pandas takes the first cells for row names and moves the others to the left
        raise ValueError("rows have more cells than the header has names")
    return raw


def _read_jsonl(table: Path) -> pd.DataFrame:
    rows = []
    with table.open(encoding="utf-8-sig") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from None
            if not isinstance(row, dict):
                raise ValueError(f"line {number} is not a JSON object")
            rows.append(row)
    # as objects: a number stays as it was written, also in a column where others are missing
    return pd.DataFrame(rows, dtype=object)


def _class_folders(root: Path, needs_label: bool) -> pd.DataFrame:
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
    if not needs_label:
        loose = [path.name for path in sorted(root.iterdir()) if path.suffix.lower() in _PHOTOS and path.is_file()]
        rows += [{"id": name, "image": name, "label": None, "split": None} for name in loose]
    if not rows:
        raise ListingsError(f"{root} holds no listings", got="no photos in class folders", wanted=_FORMS)
    return pd.DataFrame(rows, dtype="string")


def _folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir() and not path.name.startswith("."))
