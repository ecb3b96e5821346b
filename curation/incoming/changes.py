"""What differs between the listings of a finished run and a newer table of them."""

from __future__ import annotations

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pandas as pd

from curation.errors import InputError, RunError, some
from curation.incoming.model import RunModel
from curation.listings import Listings
from curation.listings.worth import WORTH, read_worth
from curation.rendering.words import agree, many
from curation.run.folder import RunFolder
from training.images.reading import photo_content
from training.utils.arrays import Bool, Int64
from training.utils.files import NotReadableError, photo_path
from training.utils.parallel import cores, map_ahead
from training.utils.progress import Reporter

__all__ = ["Changes", "find_changes", "require_worth"]

#: What a listing is judged by, beside its photo.
_COMPARED = ("label", "price", "title", "group", WORTH)
_AHEAD = 64


@dataclass(frozen=True)
class Changes:
    """What is new in a table.

    Attributes
    ----------
    before : ndarray of int64, shape (N,)
        The row of the run of each listing; -1 for a new one.
    changed : ndarray of bool, shape (N,)
        Known listings whose photo, label, price, title, group or worth is another.
    photos : int
        How many of these have another photo.
    removed : list of str
        The ids of the run that the table does not have.
    """

    before: Int64
    changed: Bool
    photos: int
    removed: list[str]

    @property
    def judged(self) -> Bool:
        """Listings that are judged: the new and the changed ones, shape (N,)."""
        return np.asarray((self.before < 0) | self.changed)

    def __str__(self) -> str:
        """Return it as one line."""
        new, changed, removed = int((self.before < 0).sum()), int(self.changed.sum()), len(self.removed)
        kept = len(self.before) - new - changed
        others = f"{kept:,} {agree(kept, 'is', 'are')} as {agree(kept, 'it was', 'they were')}"
        photos = f" ({self.photos:,} with another photo)" if self.photos else ""
        left_out = f"{removed:,} {agree(removed, 'is', 'are')} gone and left out ({some(self.removed)})"
        gone = f"; {left_out}" if removed else ""
        return f"{many(new, 'listing')} {agree(new, 'is', 'are')} new, {changed:,} changed{photos}, {others}{gone}"


def find_changes(model: RunModel, listings: Listings, table: pd.DataFrame, reporter: Reporter) -> Changes:
    """Compare a table with the listings of a run. Every photo is read and hashed: its name says nothing.

    Parameters
    ----------
    model : RunModel
        The run.
    listings : Listings
        Where the photos are.
    table : DataFrame
        The newer table, in any order.
    reporter : Reporter
        Shows how many photos are read.

    Raises
    ------
    RunError
        If no listing of the run is in the table, or the table lacks a column that the run judged.
    """
    _require_columns(model, table)
    _require_currency(model, listings)
    before = np.array([model.place.get(str(id), -1) for id in table["id"].tolist()], dtype=np.int64)
    if (before < 0).all():
        raise RunError(
            f"no listing of {model.run.folder} is in {listings.source.path}",
            got=f"ids such as {some(table['id'].astype(str).tolist(), 3)}",
            wanted=f"ids such as {some(model.table['id'].astype(str).tolist(), 3)}",
            fix="Give the whole table, old listings and new ones, with the ids that it had. "
            "New listings alone are judged by `check(listing)`.",
            parameter="since",
        )
    known = np.flatnonzero(before >= 0)
    old = model.table.iloc[before[known]].reset_index(drop=True)
    now = table.iloc[known].reset_index(drop=True)
    other = np.zeros(len(known), dtype=bool)
    for name in _COMPARED:
        if name in now or name in old:
            other |= _differ(_column(now, name), _column(old, name))
    # a listing that is moved to the test set; none is moved out of it, as others would be judged by what it says
    other |= ((now["split"] == "test").fillna(False) & (old["split"] != "test")).to_numpy(dtype=bool)
    contents = _contents(listings, now["image"], model.photo_bytes, reporter)
    # of a file that can't be read, nothing is known
    photos = _differ(pd.Series(contents, dtype="string"), old["sha256"])
    changed = np.zeros(len(table), dtype=bool)
    changed[known] = other | photos
    ids = set(table["id"].astype(str).tolist())
    removed = [id for id in model.place if id not in ids]
    _tell_other_spellings(table["id"].astype(str)[before < 0].tolist(), removed, reporter)
    return Changes(before, changed, int(photos.sum()), removed)


def _tell_other_spellings(new: list[str], removed: list[str], reporter: Reporter) -> None:
    """Warn of ids that are only written in another way, as a spreadsheet does with 007."""
    gone = {_bare(id): id for id in removed}
    pairs = [f"{gone[_bare(id)]} is now {id}" for id in new if _bare(id) in gone]
    if pairs:
        reporter.say(
            f"warning: {many(len(pairs), 'id')} may only be written in another way ({some(pairs, 3)}): "
            f"{agree(len(pairs), 'it counts as a new listing', 'they count as new listings')}, and what was decided of "
            f"the old {agree(len(pairs), 'one', 'ones')} is left out."
        )


def _bare(id: str) -> str:
    return re.sub(r"\.0+$", "", id.strip().casefold()).lstrip("0")


def _require_columns(model: RunModel, table: pd.DataFrame) -> None:
    """Refuse a table without what the run judged: its models would see nothing in its place."""
    missing = [
        name
        for name in ("image", "price", "title", "group")
        if name in model.table and model.table[name].notna().any() and not (name in table and table[name].notna().any())
    ]
    if missing:
        raise RunError(
            f"the table has other columns than that of {model.run.folder}",
            got=f"no {' and no '.join(missing)}",
            wanted="the columns that the run judged",
            fix="Name other columns with `columns={'price': 'NAME'}`, or train again without `since`.",
            parameter="since",
        )


def require_worth(listings: Listings, run: RunFolder, worth: str) -> None:
    """Refuse a table that does not say what the listings of a run are worth by.

    Parameters
    ----------
    listings : Listings
        The newer table.
    run : RunFolder
        The earlier run.
    worth : str
        What its queue goes by.

    Raises
    ------
    RunError
        If there is no such column, or it says nothing.
    """
    try:
        read_worth(listings, worth)
    except InputError as error:
        raise RunError(
            f"{run.folder} has its queue by {worth}, which the table does not say",
            got=str(error).partition("; wanted ")[0],
            wanted="the column that the run went by",
            fix="Add it to the table, or find the issues again without `since`.",
            parameter="since",
        ) from error


def _require_currency(model: RunModel, listings: Listings) -> None:
    """Refuse prices in another currency than those that the run judged: the numbers mean something else."""
    if model.other_currency(listings.source.currency) and listings.table["price"].notna().any():
        raise RunError(
            f"the table has prices in another currency than {model.run.folder} judged",
            got=str(listings.source.currency),
            wanted=str(model.currency),
            fix="Convert the prices, or train again without `since`.",
            parameter="since",
        )


def _column(table: pd.DataFrame, name: str) -> pd.Series:
    return table[name] if name in table else pd.Series(pd.NA, table.index, dtype="string")


def _differ(one: pd.Series, other: pd.Series) -> Bool:
    """Return where two columns differ; two missing values don't."""
    one, other = one.reset_index(drop=True).astype(object), other.reset_index(drop=True).astype(object)
    present, there = one.notna().to_numpy(dtype=bool), other.notna().to_numpy(dtype=bool)
    equal = (one.where(present, None) == other.where(there, None)).to_numpy(dtype=bool)
    return np.asarray((present != there) | (present & there & ~equal))


def _contents(listings: Listings, images: pd.Series, max_bytes: int, reporter: Reporter) -> list[str | None]:
    """Return the SHA-256 of each photo's file; None where it can't be read, or there is none."""
    root = listings.source.root

    def digest(image: object) -> str | None:
        # a file that can't be read becomes an issue later
        with (
            suppress(OSError, NotReadableError, ValueError),
            photo_content(photo_path(root, str(image)), max_bytes) as content,
        ):
            return hashlib.sha256(content).hexdigest()
        return None

    named = images.dropna()
    found: dict[int, str | None] = {}
    with ThreadPoolExecutor(cores()) as pool, reporter.bar("comparing photos") as progress:
        for row, sha256 in zip(named.index, map_ahead(pool, digest, named.tolist(), _AHEAD), strict=True):
            found[int(row)] = sha256
            progress(len(found), len(named))
    return [found.get(row) for row in range(len(images))]
