"""The forms a DATASET may have, each turned into one raw table of strings."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from curation.errors import InputError, ListingsError, check_path, closest, short_repr, some
from curation.listings.decoding import check_encoding
from curation.listings.faults import Faults
from curation.listings.folders import find_table, read_class_folders
from curation.listings.limits import Limits
from curation.listings.metadata import find_metadata, read_metadata
from curation.listings.other_tables import next_step
from curation.listings.parts import find_parts, read_parts, said_of_parts
from curation.listings.price_cells import Decimal, check_decimal
from curation.listings.recognise import likely_names
from curation.listings.tables import ENDINGS, RawTable, read_raw, readable_format
from curation.rendering.words import many
from training.utils.bounded import most_bytes, parse_toml
from training.utils.files import photo_path, printable_name, read_regular, require_regular

__all__ = ["COLUMNS", "DECLARATION", "RUN_COLUMNS", "TABLE", "Source", "check_name", "find_source", "read_table"]

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
    "label_parent",
    "unmerged_label",
    "worth",
    "fetched_from",
)
DECLARATION = "dataset.toml"
_TEXTS: tuple[str, ...] = ("currency", "label_separator", "encoding", "sheet")
_LIMITS = tuple(field.name for field in fields(Limits))
TABLE = "listings.csv"
#: Of a folder's name, in bytes; a cleaned dataset's name is longer.
_LONGEST_NAME = 240
_Value = TypeVar("_Value", str, int)
_FORMS = (
    f"a folder with {DECLARATION}, one table or files of Parquet, a table (csv, tsv, xlsx, parquet, json, jsonl), a "
    "folder of class folders, or a folder with a metadata file"
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
        The table's file, the first of `parts`; None for class folders, whose table is the folder itself.
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
    labels : dict of str to str
        Old name of a class → the new one.
    label_separator : str or None
        What stands between the levels of labels.
    decimal : str or None
        What marks the decimals of prices, see :func:`curation.listings.price_cells.check_decimal`.
    metadata : tuple of Path
        Of a folder as Hugging Face has it: its metadata files, one or one for each split.
    parts : tuple of Path
        Of a folder of Parquet files: those that are one table together.
    limits : dict of str to float
        ``allow_bad`` and ``max_photo_mb``, where the declaration names them.
    encoding : str or None
        Of the table's text, where a person names it.
    sheet : str or None
        The sheet of a workbook, where a person names it.
    url : str
        Of a dataset at a URL: what is shown of it; `path` was a copy that is gone.
    base : str
        Of a dataset at a URL: the URL of the folder that its photos are relative to.
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
    labels: dict[str, str] = field(default_factory=dict)
    label_separator: str | None = None
    decimal: Decimal | None = None
    metadata: tuple[Path, ...] = ()
    parts: tuple[Path, ...] = ()
    limits: dict[str, float] = field(default_factory=dict)
    encoding: str | None = None
    sheet: str | None = None
    url: str = ""
    base: str = ""

    @property
    def named(self) -> str:
        """The dataset as messages and run files name it."""
        return self.url or printable_name(str(self.path))

    def told(self, *, label_separator: str | None, encoding: str | None, sheet: str | None) -> Source:
        """Return the source with what a person said of it, which overrides the declaration."""
        return replace(
            self,
            label_separator=self.label_separator if label_separator is None else label_separator,
            encoding=self.encoding if encoding is None else encoding,
            sheet=self.sheet if sheet is None else sheet,
        )

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that the table stands in; none for class folders, or in memory."""
        return self.metadata or self.parts or (() if self.table is None else (self.table,))

    @property
    def is_class_folders(self) -> bool:
        """Whether the folder itself is the table: its folders are the classes."""
        return self.table is None and not self.in_memory

    @property
    def is_nested(self) -> bool:
        """Whether each level of a label is a folder, where folders are classes: no name of a folder has the sign."""
        return (self.label_separator or "").strip() == "/"

    @property
    def title(self) -> str:
        """What messages call the table."""
        if self.in_memory:
            return "the table"
        if self.metadata:
            return some((file.relative_to(self.root) for file in self.metadata), 4)
        if self.parts:
            return f"{self.url or self.path} ({many(len(self.parts), 'file')} of Parquet)"
        return self.table.name if self.table else str(self.path)

    @property
    def boundary(self) -> Path:
        """The folder that photos must lie in."""
        return self.photos or self.root


def find_source(path: Path, faults: Faults) -> Source:
    """Recognise the form of a DATASET.

    Parameters
    ----------
    path : Path
        Of a file or a folder.
    faults : Faults
        Takes the fault that a declaration has entries that mean nothing.

    Raises
    ------
    ListingsError
        If there is nothing at `path`, or nothing that is a dataset.
    """
    check_path(path, "the path of the dataset", parameter="source")
    if not path.exists():
        raise ListingsError("there is no such dataset", got=str(path), wanted=_FORMS)
    if not path.is_dir():
        require_regular(path)
    form = readable_format(path) if path.is_file() else None
    name = printable_name(path.resolve().name)
    name = name[: -len(form.ending)] if form else name
    if path.is_file():
        if path.name == DECLARATION:
            return _declared(path, faults)
        if form is None:
            unpack = "Unpack it, and name the folder." if path.suffix.lower() == ".zip" else next_step(path.name)
            raise ListingsError(
                f"{path.name} is not a table of listings", got=path.suffix, wanted=", ".join(ENDINGS), fix=unpack
            )
        return _declared_table(path, faults) or Source(path, path.parent, path, name)
    # whatever it is: one that can't be read is not ignored
    if os.path.lexists(path / DECLARATION):
        return _declared(path / DECLARATION, faults)
    if os.path.lexists(path / TABLE):
        return Source(path, path, path / TABLE, name)
    return _folder(path, name)


def _declared(declaration: Path, faults: Faults) -> Source:
    folder = declaration.parent
    try:
        content = _toml(declaration)
    except ValueError as error:
        raise ListingsError(f"{declaration} is not valid TOML", got=str(error), fix="Correct that line.") from error
    except OSError as error:
        raise ListingsError(f"{declaration} can't be read", got=error.strerror or str(error)) from error
    known = [
        "name",
        "table",
        "photos",
        "currency",
        "columns",
        "expected",
        "labels",
        "label_separator",
        "encoding",
        "sheet",
        "decimal",
        *_LIMITS,
    ]
    unknown = sorted(set(content) - set(known))
    if unknown:
        faults.add(
            ListingsError(
                f"{declaration} has entries that mean nothing here",
                got=some(unknown),
                wanted=", ".join(known),
                fix=closest(unknown[0], known),
            )
        )
    table = folder / _path(content, "table", TABLE, declaration)
    if "table" not in content and not table.is_file():
        return _declared_folder(folder, content, declaration)
    if not table.is_file():
        raise ListingsError(
            f"{declaration} names a table that does not exist",
            got=str(table),
            fix="Put the table there or correct 'table'.",
        )
    return replace(
        Source(folder, table.parent, table, ""),
        photos=photo_path(folder, _path(content, "photos", "", declaration)) if "photos" in content else None,
        **_said(folder, content, declaration),
    )


def _said(folder: Path, content: dict[str, Any], declaration: Path) -> dict[str, Any]:
    """Return the entries that a declaration may have, whether it describes a table or a folder."""
    name = _text(content, "name", printable_name(folder.resolve().name), declaration)
    check_name(name, f"{declaration}: 'name'")
    texts = {key: _text(content, key, "", declaration) for key in _TEXTS if key in content}
    entries = {key: _entries(content, key, str, declaration) for key in ("columns", "labels")}
    expected = _entries(content, "expected", int, declaration)
    return {
        "name": name,
        **texts,
        **entries,
        "expected": expected,
        "decimal": _decimal(content, declaration),
        "limits": _limits(content, declaration),
    }


def _toml(path: Path) -> dict[str, Any]:
    return parse_toml(read_regular(path, most_bytes()).decode("utf-8-sig"))


def _declared_table(path: Path, faults: Faults) -> Source | None:
    """Return what a declaration beside a table says of it; None if it is about something else."""
    declaration = path.parent / DECLARATION
    if not os.path.lexists(declaration):
        return None
    try:
        table = _toml(declaration).get("table", TABLE)
    except (ValueError, OSError):
        table = path.name
    about = isinstance(table, str) and (path.parent / table.replace("\0", "")).resolve() == path.resolve()
    return _declared(declaration, faults) if about else None


def _declared_folder(folder: Path, content: dict[str, Any], declaration: Path) -> Source:
    """Return a folder of photos, with metadata or of class folders, that a declaration describes."""
    said = _said(folder, content, declaration)
    return replace(_folder(folder, said["name"]), **said)


def _decimal(content: dict[str, Any], declaration: Path) -> Decimal | None:
    if "decimal" not in content:
        return None
    try:
        return check_decimal(content["decimal"])
    except InputError:
        raise ListingsError(
            f"{declaration}: 'decimal' must be what marks the decimals of prices",
            got=repr(content["decimal"]),
            wanted="'.' or ','",
        ) from None


def _limits(content: dict[str, Any], declaration: Path) -> dict[str, float]:
    limits = {key: content[key] for key in _LIMITS if key in content}
    for key, value in limits.items():
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ListingsError(f"{declaration}: '{key}' must be a number", got=repr(value))
    return limits


def _folder(path: Path, name: str) -> Source:
    """Return a folder of photos, with metadata or of class folders, or of one table."""
    if metadata := find_metadata(path):
        return Source(path, path, metadata[0], name, metadata=tuple(metadata))
    if parts := find_parts(path):
        return Source(path, path, parts[0], name, parts=parts)
    return Source(path, path, find_table(path), name)


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


def _path(content: dict[str, Any], key: str, default: str, declaration: Path) -> str:
    path = _text(content, key, default, declaration)
    check_path(declaration.parent / path, f"{declaration}: '{key}'")
    return path


def _entries(content: dict[str, Any], key: str, kind: type[_Value], declaration: Path) -> dict[str, _Value]:
    entries = content.get(key, {})
    if not isinstance(entries, dict) or not all(isinstance(value, kind) for value in entries.values()):
        wanted = {str: "text", int: "whole numbers"}[kind]
        raise ListingsError(f"{declaration}: '{key}' must be a table of {wanted}", got=repr(entries))
    return entries


def read_table(source: Source, *, needs_label: bool = True, faults: Faults) -> RawTable:
    """Read the raw table: every column as text (missing = NA), in the order of the file.

    Parameters
    ----------
    source : Source
        Where the listings are.
    needs_label : bool
        Whether every photo of a folder must lie in a class folder. If not, photos beside the class folders count, too.
    faults : Faults
        Takes what is wrong with a table, or a folder, that can be read.

    Raises
    ------
    ListingsError
        If the file can't be read as what its name says, or has no rows.
    """
    encoding = None if source.encoding is None else check_encoding(source.encoding)
    if source.table is None:
        _require_effect(source, [])
        return read_class_folders(
            source.root, needs_label=needs_label, forms=_FORMS, faults=faults, nested=source.is_nested
        )
    if source.metadata:
        raw = read_metadata(source.root, list(source.metadata), faults, encoding)
    elif source.parts:
        raw = read_parts(source.root, source.parts)
        raw = replace(raw, notes=(*said_of_parts(source.root, source.parts), *raw.notes))
    else:
        try:
            raw = read_raw(source.table, names=likely_names(), unique=False, encoding=encoding, sheet=source.sheet)
        except (ValueError, OSError) as error:
            # pandas' and Arrow's parsing errors are ValueErrors
            raise ListingsError(
                f"{source.table.name} can't be read",
                got=str(error).splitlines()[0],
                wanted="a whole file of the kind that its name says",
                fix="Save it again, or as CSV.",
            ) from error
    _require_effect(source, [file.format.kind for file in raw.files])
    if encoding is None and any(file.format.encoding in ("cp1252", "latin-1") for file in raw.files):
        raw = replace(raw, notes=(*raw.notes, "Another encoding can be named, e.g. with `encoding='cp1251'`."))
    if source.sheet is None and raw.sheets:
        raw = replace(raw, notes=(*raw.notes, f"Another sheet can be named, e.g. with `sheet={raw.sheets[0]!r}`."))
    if raw.table.empty:
        raise ListingsError(f"{source.title} is empty", got="no rows", wanted="one row per listing")
    return raw


def _require_effect(source: Source, kinds: Sequence[str]) -> None:
    """Refuse an encoding where no file is text, and a sheet where none is a workbook."""
    if source.encoding is not None and not {*kinds} & {"csv", "json", "jsonl"}:
        raise ListingsError(
            "`encoding` has no effect on this dataset",
            got=f"{source.title}, which names its own encoding" if kinds else "photos and no table",
            wanted="a CSV or JSON",
            fix="Leave it out.",
            parameter="encoding",
        )
    if source.sheet is not None and "xlsx" not in kinds:
        raise ListingsError(
            "`sheet` has no effect on this dataset",
            got=f"{source.title}, which has no sheets" if kinds else "photos and no table",
            wanted="an .xlsx",
            fix="Leave it out.",
            parameter="sheet",
        )
