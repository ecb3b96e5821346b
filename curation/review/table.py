"""The table that a review shows: one row per listing, from ``issues.parquet`` and ``listings.parquet``."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curation.errors import ReviewError
from curation.run.flags import flags_by_kind
from curation.run.folder import RunFolder
from training.utils.files import photo_path

__all__ = ["missing_photos", "photo_at", "photo_folder", "plain", "require_photos", "review_table"]

_FROM_LISTINGS = ("title", "split", "fold", "sha256", "width", "height", "unreadable")


def review_table(run: RunFolder, only: Collection[str] | None = None) -> pd.DataFrame:
    """Return listings of a run, by priority.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    only : collection of str, optional
        The listings; by default all.

    Returns
    -------
    DataFrame
        The columns of ``issues.parquet`` and ``title``, ``split``, ``fold``, ``sha256``, ``width``, ``height`` and
        ``unreadable`` of the listings; ``photo`` (absolute path; None for a listing without a photo), ``issues`` (list
        of the flagged kinds), ``near_duplicate_order`` (rank of the listing's repost group, 1 is the worst),
        ``predicted_label`` and ``predicted_confidence`` (the class with the highest out-of-fold probability).

    Raises
    ------
    ReviewError
        If the folder of the photos does not exist.
    """
    issues, listings = run.issues(), run.listings()
    for table in (issues, listings):
        table["id"] = table["id"].astype(str)
    issues["near_duplicate_order"] = _order_of_groups(issues)
    if only is not None:
        wanted = list(only)
        issues, listings = (table[table["id"].isin(wanted)].reset_index(drop=True) for table in (issues, listings))
    added = [name for name in _FROM_LISTINGS if name in listings and name not in issues]
    table = issues.merge(listings[["id", *added]], on="id", how="left", validate="one_to_one")
    images = table["image"] if "image" in table else pd.Series(None, index=table.index, dtype=object)
    has_photo = images.notna() & (images.astype(str).str.strip() != "")
    folder = photo_folder(run, needed=bool(has_photo.any()))
    photos = [photo_at(folder, str(image)) if there else None for image, there in zip(images, has_photo, strict=True)]
    # objects: text of pandas can't hold names that are no UTF-8
    table["photo"] = pd.Series(photos, index=table.index, dtype=object)
    columns = flags_by_kind(table.columns)
    flags = {kind: table[column].fillna(False).astype(bool).tolist() for kind, column in columns.items()}
    table["issues"] = [[kind for kind in flags if flags[kind][row]] for row in range(len(table))]
    table = table.merge(_predictions(run, only), on="id", how="left")
    return table.sort_values("priority", kind="stable").reset_index(drop=True)


def photo_folder(run: RunFolder, *, needed: bool) -> Path:
    """Return the folder that the photos' names begin from.

    Parameters
    ----------
    run : RunFolder
        The run.
    needed : bool
        Whether any listing has a photo.

    Raises
    ------
    ReviewError
        If it is needed and not there.
    """
    root = run.photo_root
    if needed and not root.is_dir():
        raise ReviewError(
            f"the photos of run {run.folder} are gone: there is no folder {root}. Move it back, or say where they are "
            "with `photos='FOLDER'`"
        )
    # not resolved: a photo behind a link keeps the name the listing gives it
    return Path.cwd() / root


def photo_at(folder: Path, image: str) -> str:
    """Return the absolute path of a photo.

    Parameters
    ----------
    folder : Path
        Of :func:`photo_folder`.
    image : str
        The photo's name in the listings.
    """
    return os.path.normpath(photo_path(folder, image))


def missing_photos(table: pd.DataFrame) -> list[str]:
    """Return the listings whose photo has disappeared since the run was made, by priority.

    Parameters
    ----------
    table : DataFrame
        From :func:`review_table`.

    Raises
    ------
    ReviewError
        If the listings have photos, and none of them exists.
    """
    photos = table["photo"].dropna()
    require_photos(photos.tolist())
    exists = photos.map(lambda photo: Path(photo).is_file()).astype(bool)
    if "sha256" not in table:
        return []
    gone = table.loc[photos.index[~exists]]
    return gone["id"][gone["sha256"].notna()].tolist()


def require_photos(photos: Sequence[str]) -> None:
    """Refuse a review of which no photo is there any more.

    Parameters
    ----------
    photos : sequence of str
        Paths of those that are to be shown.

    Raises
    ------
    ReviewError
        If there are some, and none of them exists.
    """
    if photos and not any(Path(photo).is_file() for photo in photos):
        raise ReviewError(
            f"none of the {len(photos):,} photos of this run exists: there is no file {photos[0]}. Move "
            "them back, or say where they are with `photos='FOLDER'`"
        )


def _order_of_groups(table: pd.DataFrame) -> pd.Series:
    """Return the rank of each listing's repost group, the one with the worst score first; NA without a group."""
    if "near_duplicate_group" not in table:
        return pd.Series(pd.NA, index=table.index, dtype="Int64")
    columns = ["near_duplicate_score", "priority"]
    worst = table.groupby("near_duplicate_group")[columns].min().sort_values(columns, kind="stable")
    places = dict(zip(worst.index, range(1, len(worst) + 1), strict=True))
    return table["near_duplicate_group"].map(places).astype("Int64")


def _predictions(run: RunFolder, only: Collection[str] | None) -> pd.DataFrame:
    """Return the most probable class of each listing that was scored."""
    probabilities = run.probabilities()
    scored, classes = probabilities.scored, np.array(probabilities.classes)
    if only is not None:
        scored = scored & pd.Index(probabilities.ids.astype(str)).isin(list(only))
    probs = probabilities.probs[scored]
    return pd.DataFrame(
        {
            "id": probabilities.ids[scored].astype(str),
            "predicted_label": classes[probs.argmax(axis=1)],
            "predicted_confidence": probs.max(axis=1),
        }
    )


def plain(value: Any) -> Any:
    """Return a value of a table as MongoDB accepts it: a Python object, None if it is missing."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    if pd.isna(value):
        return None
    return value.item() if isinstance(value, np.generic) else value
