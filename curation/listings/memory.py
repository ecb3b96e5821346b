"""Tables in memory as listings: a DataFrame, or a dataset of Hugging Face."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd

from curation.errors import ListingsError
from curation.listings.sources import as_text

__all__ = ["root_of", "table_of"]

_WANTED = "a path, a DataFrame, or a datasets.Dataset"


def table_of(source: Any) -> pd.DataFrame:
    """Return a table in memory as a raw table: a new one, every column as text, missing = NA.

    Parameters
    ----------
    source : DataFrame or datasets.Dataset
        An index with a name counts as a column; one without is left out. Of a dataset, the names of class labels and
        the paths of images are taken.

    Raises
    ------
    ListingsError
        If it is something else, has no rows or two columns of one name, or its photos lie in no files.
    """
    frame = source if isinstance(source, pd.DataFrame) else _frame_of(source)
    if frame.empty:
        raise ListingsError("the table is empty", got=f"shape {frame.shape}", wanted="one row per listing")
    if "id" not in frame and frame.index.name is None and not isinstance(frame.index, pd.RangeIndex):
        # whoever sets an index usually means the ids by it; guessing would join by the wrong ones
        frame = _checked_index(frame)
    try:
        return as_text(frame)
    except ValueError as error:
        raise ListingsError("the table can't be read", got=str(error)) from None


def _checked_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Refuse an index without a name that looks like ids; row numbers of a larger table are none."""
    if pd.api.types.is_integer_dtype(frame.index.dtype):
        return frame
    raise ListingsError(
        "the table has an index without a name",
        got=f"{frame.index[0]!r}, …",
        wanted="ids in a column, or in an index that has a name",
        fix='If the index holds the ids, name it: frame.rename_axis("id"); otherwise: frame.reset_index(drop=True).',
    )


def root_of(table: pd.DataFrame, image: str) -> Path:
    """Return the folder of the photos: the current one, or the one above all of them if their paths are absolute.

    Parameters
    ----------
    table : DataFrame
        Of :func:`table_of`.
    image : str
        The column of the paths; it may be absent.
    """
    paths = table[image].dropna().tolist() if image in table else []
    if paths and all(Path(path).is_absolute() for path in paths):
        return Path(os.path.commonpath([Path(path).parent for path in paths]))
    return Path.cwd()


def _frame_of(dataset: Any) -> pd.DataFrame:
    """Return a dataset of Hugging Face as a table."""
    try:
        import datasets
    except ImportError:
        datasets = None
    if datasets is None or not isinstance(dataset, datasets.Dataset):
        kind = "a dictionary of splits" if isinstance(dataset, dict) else type(dataset).__name__
        fix = 'Take one split, e.g. dataset["train"].' if isinstance(dataset, dict) else ""
        raise ListingsError("listings can't be read from this", got=kind, wanted=_WANTED, fix=fix)
    images = [name for name, feature in dataset.features.items() if isinstance(feature, datasets.Image)]
    for name in images:
        dataset = dataset.cast_column(name, datasets.Image(decode=False))
    frame: pd.DataFrame = dataset.to_pandas()
    for name in images:
        frame[name] = [_path_of(photo, name) for photo in frame[name]]
    for name, feature in dataset.features.items():
        if isinstance(feature, datasets.ClassLabel):
            frame[name] = [
                None if pd.isna(number) or number < 0 else feature.int2str(int(number)) for number in frame[name]
            ]
    return frame


def _path_of(photo: Any, column: str) -> str | None:
    if photo is None or isinstance(photo, str):
        return photo
    if photo.get("bytes") is not None:
        raise ListingsError(
            f"the photos in column '{column}' lie in no files",
            got="images inside of the dataset",
            wanted="paths of photos",
            fix="Save them, and put their paths into a column of text.",
        )
    path: str | None = photo.get("path")
    return path
