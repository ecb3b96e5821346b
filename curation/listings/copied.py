"""A DATASET at a URL: its table, or all files of its table, copied to this machine for as long as they are read."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from curation.errors import ListingsError, short_repr, some
from curation.listings.editing import replaced, texts_of
from curation.listings.fetch import Fetching
from curation.listings.folders import is_photo
from curation.listings.junk import is_junk
from curation.listings.mapping import Mapped
from curation.listings.none_words import none_cells
from curation.listings.original import leads_outside
from curation.listings.photo_files import forward
from curation.listings.several_photos import names_of
from curation.listings.sources import DECLARATION
from curation.listings.tables import ENDINGS, RawTable, format_of
from curation.remote.addresses import is_remote, joined, parse_address, scheme_of, shown
from curation.remote.bounds import NotFetchedError
from curation.remote.copies import Copier
from training.utils.bounded import most_bytes, parse_toml

__all__ = ["copied", "folder_url", "with_urls"]

#: What the URLs of databases begin with.
_DATABASES = frozenset(
    ("bigquery", "duckdb", "mariadb", "mssql", "mysql", "oracle", "postgres", "postgresql", "snowflake", "sqlite")
)


def folder_url(url: str) -> str:
    """Return the URL of the folder that a table lies in, or of a folder itself, with a slash at its end.

    Parameters
    ----------
    url : str
        Of a DATASET.

    Raises
    ------
    ListingsError
        If it is no URL that is understood.

    Examples
    --------
    >>> folder_url("s3://shop/2026/listings.csv"), folder_url("s3://shop/parts")
    ('s3://shop/2026/', 's3://shop/parts/')
    """
    scheme = scheme_of(url)
    if scheme.partition("+")[0] in _DATABASES:
        raise ListingsError(
            "a database is no dataset",
            # there may be a password in the rest
            got=f"{scheme}://",
            wanted="a table",
            fix="Take the listings into one: `import_listings('sql', 'URL', query='SELECT ...')`.",
        )
    try:
        address = parse_address(url)
    except (ValueError, UnicodeError) as error:
        raise ListingsError("the URL of the dataset can't be understood", got=f"one that {error}") from None
    if not address.host:
        raise ListingsError("the URL of the dataset names no host or bucket", got=shown(url))
    plain = url.strip()
    if address.scheme in ("http", "https"):
        # names and passwords are not sent, and must not get into the table
        path = re.split("[?#]", plain.partition("://")[2], maxsplit=1)[0].partition("/")[2]
        plain = f"{address.store}/{path}"
    folder = plain.rpartition("/")[0] if _is_table(plain) and address.parts else plain.rstrip("/")
    return f"{folder}/"


def _is_table(name: str) -> bool:
    return format_of(Path(name)) is not None


@dataclass(frozen=True)
class _Copy:
    """Where the copy of a DATASET is, and the folder that stands for that of the URL."""

    path: Path
    folder: Path


@contextmanager
def copied(url: str, fetching: Fetching) -> Iterator[_Copy]:
    """Copy a DATASET at a URL, but for its photos; the copy is there while the block runs.

    Parameters
    ----------
    url : str
        Of a table, or of a folder with one, or with the Parquet files of one.
    fetching : Fetching
        How.

    Raises
    ------
    ListingsError
        If nothing is there that is a dataset, or it can't be had.
    """
    copier = Copier(url, most_bytes(), fetching.patience)
    base, name = folder_url(url), _last(url)
    with tempfile.TemporaryDirectory(prefix="curate-") as scratch:
        # runs are named after it
        folder = Path(scratch, _last(base.rstrip("/")) or "listings")
        folder.mkdir()
        try:
            if _is_table(name):
                _copy_declaration(copier, base, folder, fetching)
                _declared_table(folder, base)
                copier.copy({url: folder / name}, fetching.reporter)
                yield _Copy(folder / name, folder)
            else:
                _copy_folder(copier, base, folder, fetching)
                yield _Copy(folder, folder)
        except NotFetchedError as error:
            raise ListingsError(
                f"{shown(url)} can't be read",
                got=f"a URL that {error.reason}",
                wanted="a table, or a folder with one",
                fix="Check the URL, and the credentials that fsspec finds for it." if error.of_all else "",
            ) from error


def _last(url: str) -> str:
    address = parse_address(url)
    return address.parts[-1] if address.parts else address.host


def _copy_declaration(copier: Copier, base: str, folder: Path, fetching: Fetching) -> None:
    """Copy what stands beside a table, if it is there."""
    file = folder / DECLARATION
    try:
        copier.copy({base + DECLARATION: file}, fetching.reporter)
        if not copier.lists:
            # a web server may give a page in its place
            parse_toml(file.read_text("utf-8-sig"))
    except NotFetchedError as error:
        if error.again:
            raise
    except ValueError:
        file.unlink()


def _copy_folder(copier: Copier, base: str, folder: Path, fetching: Fetching) -> None:
    if not copier.lists:
        raise ListingsError(
            f"{shown(base)} is no table",
            got="a URL of a web server, which does not say which files it has",
            wanted=f"the URL of a table, which ends with {', '.join(ENDINGS)}",
        )
    found = copier.below(base, _enters)
    tables = [path for path, is_folder in found.items() if not is_folder and _is_wanted(path)]
    if not tables:
        raise ListingsError(
            f"{shown(base)} has no table",
            got=some(sorted(found), 4) if found else "no files",
            wanted="a table, or files of Parquet",
            fix="A dataset that is photos in class folders must be copied to this machine first.",
        )
    files = {base + path: folder / path for path in tables}
    copier.copy(files, fetching.reporter)
    for path, is_folder in found.items():
        if is_folder and not is_photo(path):
            # what tells tables that other programs manage
            (folder / path).mkdir(parents=True, exist_ok=True)
    named = _declared_table(folder, base)
    if named and not (folder / named).exists():
        copier.copy({base + named: folder / named}, fetching.reporter)


def _declared_table(folder: Path, base: str) -> str:
    """Return the table that a copied declaration names; whoever wrote it must not choose a file of this machine."""
    try:
        named = parse_toml((folder / DECLARATION).read_text("utf-8-sig")).get("table")
    except (OSError, ValueError):
        # refused with the dataset, or not there
        return ""
    if not isinstance(named, str):
        return ""
    if leads_outside(named):
        raise ListingsError(
            f"{shown(base)}{DECLARATION} names a table outside of its folder",
            got=short_repr(named),
            wanted="a path below the folder",
            fix="Name the URL of the table itself.",
        )
    return named


def _is_wanted(path: str) -> bool:
    name = path.rpartition("/")[2]
    above = "/" in path
    return name == DECLARATION or (_is_table(name) and not is_junk(name) and (not above or name.endswith(".parquet")))


def _enters(path: str, beside: Mapping[str, bool]) -> bool:
    """Return whether Parquet files below may be of the table, as in :func:`curation.listings.parts.find_parts`."""
    name = path.rpartition("/")[2]
    if name.startswith("_") or is_junk(name) or any(is_photo(each) for each, folder in beside.items() if not folder):
        return False
    return "=" in name or not any(_is_table(each) for each, folder in beside.items() if not folder)


def with_urls(raw: RawTable, mapped: Mapped, base: str) -> tuple[RawTable, Mapped]:
    """Return a table whose names of photos, which are relative to a URL, are URLs.

    Parameters
    ----------
    raw : RawTable
        The table.
    mapped : Mapped
        The same, with our columns.
    base : str
        URL of the folder that it lies in; empty for a table of this machine.
    """
    if not base:
        return raw, mapped
    key, files = mapped.columns.get("image", "image"), []
    for file in raw.files:
        if key in file.cells.column_names:
            urls = _urls(texts_of(file.format.kind, file.cells[key]), base)
            file = replaced(file, key, {row: url for row, url in enumerate(urls) if not pd.isna(url)})
        files.append(file)
    images = mapped.table["image"]
    images = _urls(images, base).fillna(images)
    return replace(raw, files=tuple(files)), replace(mapped, table=mapped.table.assign(image=images))


def _urls(cells: pd.Series, base: str) -> pd.Series:
    """Return the URL of the first photo that each cell names relative to a URL; NA where it names none."""
    named = cells.mask(none_cells(cells))
    urls = [None if pd.isna(cell) or not cell.strip() else _url(base, cell) for cell in named]
    return pd.Series(urls, index=cells.index, dtype="string")


def _url(base: str, cell: str) -> str | None:
    name = next(iter(names_of(cell)), cell).strip()
    return None if is_remote(name) else joined(base, forward(name))
