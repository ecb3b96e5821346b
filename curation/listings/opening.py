"""Opening a DATASET: where it comes from, its raw table, and the hash of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pandas as pd

from curation.errors import ListingsError, short_repr
from curation.listings.class_metadata import with_unlisted_photos
from curation.listings.copied import copied, folder_url
from curation.listings.faults import Faults
from curation.listings.fetch import Fetching
from curation.listings.memory import read_held
from curation.listings.metadata import with_labels_of_folders
from curation.listings.sources import Source, check_name, find_source, read_table
from curation.listings.tables import RawTable
from curation.remote.addresses import is_remote, joined, scheme_of, shown
from training.utils.files import sha256_of_file

if TYPE_CHECKING:
    import datasets

__all__ = ["Asked", "base_of", "open_dataset"]


@dataclass(frozen=True)
class Asked:
    """What a person said of a dataset.

    Attributes
    ----------
    root, name
        As for :func:`curation.read_listings`.
    columns : mapping of str to str
        Our column name → the table's own.
    needs_label : bool
        Whether every photo of a folder must lie in a class folder.
    texts : mapping of str to str or None
        ``label_separator``, ``encoding`` and ``sheet``.
    """

    root: str | Path | None
    name: str | None
    columns: Mapping[str, str]
    needs_label: bool
    texts: Mapping[str, str | None]


def base_of(source: object) -> str:
    """Return the URL of the folder that a dataset at a URL lies in; empty for any other.

    Parameters
    ----------
    source : object
        As for :func:`curation.read_listings`.

    Raises
    ------
    ListingsError
        If it is a URL that can't be understood.
    """
    return folder_url(source) if isinstance(source, str) and is_remote(source) else ""


def open_dataset(
    source: str | Path | pd.DataFrame | datasets.Dataset, asked: Asked, fetching: Fetching, faults: Faults
) -> tuple[Source, RawTable, str]:
    """Return the origin of listings, their raw table, and its hash.

    Parameters
    ----------
    source : str, Path, DataFrame or datasets.Dataset
        As for :func:`curation.read_listings`.
    asked : Asked
        What a person said of it.
    fetching : Fetching
        How a dataset at a URL is fetched.
    faults : Faults
        Takes what is wrong with a table that can be read.

    Raises
    ------
    ListingsError
        If nothing can be opened, or something that was said has no effect.
    """
    if not isinstance(source, str | Path):
        return _held(source, asked)
    for parameter, value in (("root", asked.root), ("name", asked.name)):
        if value is not None:
            raise ListingsError(
                f"{parameter} has no effect on a dataset that is read from a path",
                got=str(value),
                fix="Leave it out.",
                parameter=parameter,
            )
    base = base_of(source)
    if not base:
        return _opened(_path_of(source), asked, faults)
    with copied(str(source), fetching) as copy:
        refused: list[ListingsError] = []
        try:
            origin, raw, sha256 = _opened(copy.path, asked, faults)
        except ListingsError as error:
            refused.append(error)
            raise
        finally:
            # the copy is nothing that a person knows
            for fault in (*refused, *faults.found):
                fault.args = (str(fault).replace(str(copy.folder), shown(base).rstrip("/")),)
        # a declaration may name a table in a folder of its own
        inside = origin.root.resolve().relative_to(copy.folder.resolve()).as_posix()
    base = base if inside == "." else joined(base, inside) + "/"
    # photos are found in the cache, by their whole paths
    root = fetching.cache.fetched_root
    return replace(origin, root=root, photos=None, url=shown(str(source)), base=base), raw, sha256


def _path_of(source: str | Path) -> Path:
    """Return the path that a text names, perhaps as a URL of this machine."""
    if isinstance(source, str) and scheme_of(source):
        return Path(unquote(urlsplit(source).path))
    return Path(source)


def _held(source: pd.DataFrame | datasets.Dataset, asked: Asked) -> tuple[Source, RawTable, str]:
    name, root = "listings" if asked.name is None else asked.name, asked.root
    check_name(name, "the name of the dataset", parameter="name")
    image, id = (asked.columns.get(ours, ours) for ours in ("image", "id"))
    held = read_held(source, root=None if root is None else Path(root), name=name, image=image, id=id)
    origin = Source(held.root, held.root, None, name, in_memory=True)
    for parameter in ("encoding", "sheet"):
        if asked.texts[parameter] is not None:
            raise ListingsError(
                f"{parameter} has no effect on a table in memory",
                got=short_repr(asked.texts[parameter]),
                fix="Leave it out.",
                parameter=parameter,
            )
    origin = origin.told(**asked.texts)
    return origin, held.raw, hashlib.sha256(held.raw.table.to_csv(index=False).encode()).hexdigest()


def _opened(path: Path, asked: Asked, faults: Faults) -> tuple[Source, RawTable, str]:
    origin = find_source(path, faults).told(**asked.texts)
    raw = read_table(origin, needs_label=asked.needs_label, faults=faults)
    named = len(raw.table)
    if origin.metadata:
        mapped, nested = {**origin.columns, **asked.columns}, origin.is_nested
        raw = with_unlisted_photos(raw, mapped, origin.root, nested=nested, faults=faults)
        raw = with_labels_of_folders(raw, mapped, nested=nested)
    if len(origin.metadata) > 1 or origin.parts or len(raw.table) > named:
        each = [
            *(sha256_of_file(file) for file in origin.files),
            # the folders of parts may name labels
            *(str(file.relative_to(origin.root)) for file in origin.parts),
            *(raw.table["image"].dropna() if len(raw.table) > named else ()),
        ]
        return origin, raw, hashlib.sha256("\n".join(each).encode()).hexdigest()
    if origin.table is not None:
        return origin, raw, sha256_of_file(origin.table)
    return origin, raw, hashlib.sha256("\n".join(raw.table["image"]).encode()).hexdigest()
