"""Listings from a table in memory: a DataFrame, or a dataset of Hugging Face."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import PIL.Image

from curation.errors import ListingsError
from curation.listings.tables import RawTable, held_table
from training.utils.files import whole_file

if TYPE_CHECKING:
    import datasets

__all__ = ["Held", "read_held"]

_WANTED = "a path, a DataFrame, or a datasets.Dataset"
#: Number of photos in memory at a time.
_BATCH = 64
#: Hexadecimal digits of a photo's hash in its file name, 128 bits.
_HASH_LENGTH = 32


@dataclass(frozen=True)
class Held:
    """The content of a table in memory.

    Attributes
    ----------
    raw : RawTable
        A new table with every column as text; missing values are NA.
    root : Path
        The folder that image paths are relative to.
    """

    raw: RawTable
    root: Path


def read_held(source: Any, *, root: Path | None, name: str, image: str, id: str) -> Held:
    """Read a table in memory.

    An index with a name becomes a column; one without is ignored. In a dataset of Hugging Face, class labels become
    their names, and images their paths. Images inside the dataset are written to `root`, named by the hash of their
    content, so reading it again writes nothing. Rows of a dataset without ids are numbered from 0.

    Parameters
    ----------
    source : DataFrame or datasets.Dataset
        The table.
    root : Path, optional
        The folder of the photos; by default the current one, the folder above all photos if their paths are
        absolute, or ``<name>-photos`` if the dataset contains the photos.
    name : str
        Name of the dataset.
    image, id : str
        The columns of the photos and of the ids.

    Raises
    ------
    ListingsError
        If `source` is something else, has no rows or two columns with the same name, or its photos can't be written.
    """
    if isinstance(source, pd.DataFrame):
        frame = source
    else:
        dataset = _checked_dataset(source)
        if image in dataset.features and _holds_photos(dataset, image):
            root = Path(f"{name}-photos") if root is None else root
            dataset = _with_photos_in(root, dataset, image)
        frame = _frame_of(dataset)
        if id == "id" and id not in frame:
            frame = frame.assign(id=range(len(frame)))
    raw = _as_raw(frame)
    return Held(raw, _root_of(raw.table, image) if root is None else root)


def _as_raw(frame: pd.DataFrame) -> RawTable:
    if frame.empty:
        raise ListingsError("the table is empty", got=f"shape {frame.shape}", wanted="one row per listing")
    if "id" not in frame and frame.index.name is None and not isinstance(frame.index, pd.RangeIndex):
        # an index usually holds the ids, but a guess could join by the wrong ones
        frame = _checked_index(frame)
    try:
        return held_table(frame)
    except ValueError as error:
        raise ListingsError("the table can't be read", got=str(error)) from None


def _checked_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Refuse an index without a name that looks like ids; row numbers of a larger table do not."""
    if pd.api.types.is_integer_dtype(frame.index.dtype):
        return frame
    raise ListingsError(
        "the table has an index without a name",
        got=f"{frame.index[0]!r}, …",
        wanted="ids in a column, or in an index that has a name",
        fix='If the index holds the ids, name it: frame.rename_axis("id"); otherwise: frame.reset_index(drop=True).',
    )


def _root_of(table: pd.DataFrame, image: str) -> Path:
    """Return the current folder, or the one above all photos if their paths are absolute."""
    paths = table[image].dropna().tolist() if image in table else []
    if paths and all(Path(path).is_absolute() for path in paths):
        return Path(os.path.commonpath([Path(path).parent for path in paths]))
    return Path.cwd()


def _checked_dataset(dataset: Any) -> datasets.Dataset:
    """Return a dataset of Hugging Face whose images aren't decoded."""
    try:
        import datasets
    except ImportError:
        datasets = None
    if datasets is None or not isinstance(dataset, datasets.Dataset):
        kind = "a dictionary of splits" if isinstance(dataset, dict) else type(dataset).__name__
        fix = 'Take one split, e.g. dataset["train"].' if isinstance(dataset, dict) else ""
        raise ListingsError("listings can't be read from this", got=kind, wanted=_WANTED, fix=fix)
    for name, feature in dataset.features.items():
        if isinstance(feature, datasets.Image):
            dataset = dataset.cast_column(name, datasets.Image(decode=False))
    return dataset


def _frame_of(dataset: datasets.Dataset) -> pd.DataFrame:
    import datasets

    frame: pd.DataFrame = dataset.to_pandas()
    for name, feature in dataset.features.items():
        if isinstance(feature, datasets.Image):
            frame[name] = [photo if photo is None or isinstance(photo, str) else photo["path"] for photo in frame[name]]
        if isinstance(feature, datasets.ClassLabel):
            frame[name] = [
                None if pd.isna(number) or number < 0 else feature.int2str(int(number)) for number in frame[name]
            ]
    return frame


def _holds_photos(dataset: datasets.Dataset, image: str) -> bool:
    import datasets

    if not isinstance(dataset.features[image], datasets.Image):
        return False
    return any(photo is not None and photo["bytes"] is not None for photo in _photos(dataset, image))


def _photos(dataset: datasets.Dataset, image: str) -> Iterator[dict[str, Any] | None]:
    """Yield the undecoded images, a few at a time, because all of them may not fit into memory."""
    column = dataset.select_columns(image)
    for first in range(0, len(column), _BATCH):
        yield from column[first : first + _BATCH][image]


def _with_photos_in(root: Path, dataset: datasets.Dataset, image: str) -> datasets.Dataset:
    """Write the photos of a dataset to `root`; return the dataset with their file names instead."""
    try:
        names = [_written(photo, root) for photo in _photos(dataset, image)]
    except OSError as error:
        raise ListingsError(
            "the photos of the dataset can't be written",
            got=f"{root}: {error.strerror or error}",
            fix="Name another folder in the argument root.",
            parameter="root",
        ) from error
    return dataset.remove_columns(image).add_column(image, names)


def _written(photo: dict[str, Any] | None, root: Path) -> str | None:
    if photo is None or photo["bytes"] is None:
        return None if photo is None or photo["path"] is None else str(Path(photo["path"]).absolute())
    content: bytes = photo["bytes"]
    ending = Path(photo["path"] or "").suffix or _ending_of(content)
    path = root / f"{hashlib.sha256(content).hexdigest()[:_HASH_LENGTH]}{ending}"
    if not path.exists():
        with whole_file(path) as temporary:
            temporary.write_bytes(content)
    return path.name


def _ending_of(content: bytes) -> str:
    try:
        with PIL.Image.open(io.BytesIO(content)) as photo:
            return f".{(photo.format or '').lower()}"
    except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError):
        # reading the photo later reports what is wrong with it
        return ""
