"""Embeddings of photos that the user provides: checked, and brought into the order of the listings."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from curation.errors import closest, some
from curation.evidence.asked_features import GivenEmbeddings
from curation.evidence.embedding_files import EMBEDDINGS, RawEmbeddings, no_rows, of_file, of_table
from curation.evidence.photo_ids import names_of_photos
from curation.listings import Listings
from curation.listings.meant import find_meant
from training.images import decode
from training.images.reading import photo_content
from training.utils.arrays import Bool, Float32, Int64
from training.utils.files import photo_path, sha256_of_file
from training.utils.progress import SILENT, Reporter

__all__ = ["Embeddings", "describe_embeddings", "read_embeddings"]

_Numbers = npt.NDArray[np.floating[Any]]
#: Side of the photos that are decoded to see whether they can be.
_SMALL = 16
_TURNED = "Its columns are listings: give embeddings.T."
_LARGEST = float(np.finfo(np.float32).max)
#: Where all numbers are smaller, float32 holds few of their digits, or none.
_SMALLEST = 2.0**-100


@dataclass(frozen=True)
class Embeddings:
    """Embeddings of the listings.

    Attributes
    ----------
    origin : str
        Where they were: a path, ``a table`` or ``an array``.
    sha256 : str
        Of their content.
    ids : list of str, length N
        The listings.
    values : ndarray of float32, shape (N, W)
        NaN for listings that have none, whose photo can't be read.
    """

    origin: str
    sha256: str
    ids: list[str]
    values: Float32

    def in_order(self, ids: Sequence[str]) -> Float32:
        """Return the values in the order of `ids`, which are the same listings."""
        return np.asarray(self.values[pd.Index(self.ids).get_indexer(pd.Index(ids))])


def describe_embeddings(embeddings: Mapping[str, Embeddings]) -> dict[str, list[str]]:
    """Return what run.json records of the user's embeddings: where they were, and the SHA-256 of their content."""
    if not embeddings:
        # the settings of older runs have none
        return {}
    return {
        "embeddings": [each.origin for each in embeddings.values()],
        "embeddings_sha256": [each.sha256 for each in embeddings.values()],
    }


def read_embeddings(given: GivenEmbeddings, listings: Listings, reporter: Reporter = SILENT) -> Embeddings:
    """Check the user's embeddings, and bring them into the order of the listings.

    Parameters
    ----------
    given : Path, DataFrame or ndarray
        A file, see :func:`curation.evidence.embedding_files.of_file`; a table with a column ``id``, or ids as its
        index; or an array of numbers, shape (N, W), in the order of ``listings.table``. A row of NaN is a listing
        without embeddings, which only one without a readable photo may be. Rows of other listings are left out.
    listings : Listings
        The checked table.
    reporter : Reporter
        Is told how they were read, where that was not certain.

    Raises
    ------
    InputError
        If ids, shape or type don't match, a listing with a readable photo has none, or numbers are missing, infinite,
        or the same for all.
    """
    ids = listings.table["id"].tolist()
    origin, sha256, raw = _raw(given, ids, listings.columns.get("id", "id"))
    values = _numbers(raw)
    if raw.ids is None:
        if len(values) != len(ids):
            raise EMBEDDINGS.error(
                f"{raw.name} has another number of rows than the listings",
                got=f"{len(values):,}",
                wanted=f"{len(ids):,}, in their order",
                fix=_TURNED
                if values.shape[1] == len(ids)
                else "Save the ids beside them: np.savez('e.npz', embeddings=embeddings, id=np.array(ids, dtype=str)).",
            )
        order, notes = np.arange(len(ids)), list[str]()
    else:
        order, notes = _joined(raw, raw.ids, values, listings)
    used = values[order[order >= 0]]
    _require_finite(raw.name, used, [id for id, row in zip(ids, order, strict=True) if row >= 0])
    ordered = np.full((len(ids), values.shape[1]), np.nan, dtype=np.float32)
    ordered[order >= 0] = _not_too_small(used)
    _require_all(raw.name, np.isnan(ordered[:, 0]), listings)
    _require_different(raw.name, ordered[~np.isnan(ordered[:, 0])])
    for note in (*raw.notes, *notes):
        reporter.say(note)
    return Embeddings(origin, sha256, ids, ordered)


def _not_too_small(values: _Numbers) -> _Numbers:
    """Return values that float32 can hold, as their scale means nothing; a power of 2 changes no digit."""
    largest = float(np.fmax.reduce(np.abs(values), axis=None, initial=0.0))
    return np.ldexp(values, -math.frexp(largest)[1]) if 0 < largest < _SMALLEST else values


def _raw(given: GivenEmbeddings, ids: list[str], id_column: str) -> tuple[str, str, RawEmbeddings]:
    """Return where embeddings were, the hash of their content, and them."""
    if isinstance(given, Path):
        raw = of_file(given, ids, id_column)
        return str(given.resolve()), sha256_of_file(given), raw
    if isinstance(given, pd.DataFrame):
        raw = of_table(given, ids, id_column, "features")
        content = [*(raw.ids or []), raw.values.shape]
        digest = hashlib.sha256(repr(content).encode() + np.ascontiguousarray(raw.values).tobytes())
        return "a table", digest.hexdigest(), raw
    if isinstance(given, np.ndarray):
        return (
            "an array",
            hashlib.sha256(np.ascontiguousarray(given).tobytes()).hexdigest(),
            RawEmbeddings("features", given),
        )
    raise EMBEDDINGS.error(
        "features are neither names nor embeddings",
        got=type(given).__name__,
        wanted="a name, a file, a DataFrame, an ndarray of shape (N, W), or a list of these",
    )


def _numbers(raw: RawEmbeddings) -> _Numbers:
    """Return the numbers of embeddings, shape (n, W)."""
    values, name = raw.values, raw.name
    if values.ndim and not len(values):
        raise no_rows(name, values.shape)
    if values.ndim != 2:
        raise EMBEDDINGS.error(
            f"{name} does not hold one vector for each listing",
            got=f"embeddings of shape {values.shape}",
            wanted="two dimensions, listings by numbers",
            fix="Of several vectors for a photo, take the mean: embeddings.mean(axis=1)." if values.ndim > 2 else "",
        )
    if values.dtype.kind not in "fiu":
        raise EMBEDDINGS.error(
            f"{name} has the wrong type",
            got=f"dtype {values.dtype}",
            wanted="real numbers",
            fix="Turn it into numbers first: embeddings.astype(float).",
        )
    if values.shape[1] < 2:
        raise EMBEDDINGS.error(
            f"{name} has one number for each listing" if values.shape[1] else f"{name} has no numbers",
            got=f"embeddings of shape {values.shape}",
            wanted="at least 2 for each",
        )
    if raw.ids is not None and len(raw.ids) != len(values):
        raise EMBEDDINGS.error(
            f"{name} does not fit together",
            got=f"{len(raw.ids):,} ids, {len(values):,} rows",
            wanted="one id for each row",
            fix=_TURNED if values.shape[1] == len(raw.ids) else "",
        )
    # half precision is as exact in float32, which takes half of the memory
    small = values.dtype.kind == "f" and values.dtype.itemsize <= 4
    return values.astype(np.float32 if small else np.float64)


def _joined(raw: RawEmbeddings, written: list[str], values: _Numbers, listings: Listings) -> tuple[Int64, list[str]]:
    """Return the row of each listing, -1 for none, and notes."""
    ids, name = listings.table["id"].tolist(), raw.name
    meant = find_meant(written, ids)
    if meant.doubtful:
        raise EMBEDDINGS.error(
            f"{name} has ids that fit several",
            got=meant.first_doubt(),
            wanted="the id as the listings have it",
            fix=meant.advice("Keep them as text, e.g. with pd.read_csv(..., dtype=str)."),
        )
    notes = [f"{name}: {note}" for note in meant.notes]
    index = pd.Index([meant.names.get(id, id) for id in written])
    known = index.isin(ids)
    if not known.any():
        raise EMBEDDINGS.error(
            f"the ids of {name} don't match the listings",
            got=f"{len(index):,} ids, the first {some(map(repr, index[:3]))}; none of them is a listing",
            wanted=f"ids such as {some(map(repr, ids[:3]))}",
            fix=_way_to_ids(list(index), listings),
        )
    if not known.all():
        others = index[~known]
        notes.append(f"Rows of {name} that are of no listing are left out: {len(others):,}, e.g. {others[0]!r}.")
    rows = np.flatnonzero(known)
    twice = index[rows].duplicated(keep=False)
    if twice.any():
        first = pd.DataFrame(values[rows[twice]]).groupby(index[rows[twice]]).nunique(dropna=False).max(axis=1)
        if (different := first[first > 1]).size:
            raise EMBEDDINGS.error(
                f"{name} has duplicate ids with different numbers",
                got=f"{some(different.index)} ({different.size:,} in all)",
                wanted="one row for each listing",
                fix="Of several photos, keep the row of the one that the listing has.",
            )
        notes.append(f"Copied rows of {name} are read once: {some(index[rows[twice]].unique())}.")
    once = rows[~index[rows].duplicated()]
    found = index[once].get_indexer(pd.Index(ids))
    return np.where(found >= 0, once[found], -1).astype(np.int64), notes


def _way_to_ids(written: list[str], listings: Listings) -> str:
    """Return what to do where no id matches."""
    table = listings.table
    images = {Path(name).stem: id for id, name in names_of_photos(table).items()}
    if id := next((images[stem] for stem in map(_stem, written) if stem in images), None):
        return f"They are names of photos: give the id of each listing instead, e.g. {id!r}."
    return closest(written[0], table["id"].tolist())


def _stem(name: str) -> str:
    return Path(name).stem


def _require_finite(name: str, values: _Numbers, ids: Sequence[str]) -> None:
    # a row of NaN alone is a listing without embeddings
    bad = ~(np.abs(values) <= _LARGEST).all(axis=1) & ~np.isnan(values).all(axis=1)
    if bad.any():
        first = int(np.argmax(bad))
        number = values[first][~(np.abs(values[first]) <= _LARGEST)][0]
        raise EMBEDDINGS.error(
            f"{name} has numbers that are missing, infinite or too large",
            got=f"{number:g} for id {ids[first]} ({int(bad.sum()):,} listings in all)",
            wanted="finite numbers",
            fix="Make these embeddings again; leave all numbers empty for a listing whose photo can't be read."
            if np.isnan(number)
            else "Make these embeddings again; in half precision they overflow.",
        )


def _require_all(name: str, missing: Bool, listings: Listings) -> None:
    """Refuse embeddings that lack a listing whose photo can be read."""
    table = listings.table[missing & listings.table["image"].notna().to_numpy()]
    if not len(table) or not any(_is_readable(listings, image) for image in table["image"]):
        return
    raise EMBEDDINGS.error(
        f"{name} lacks listings that have a photo",
        got=f"none for {some(table['id'])} ({len(table):,} of {len(listings.table):,})",
        wanted="a row for each",
        fix="Make the embeddings of these, too, or leave the listings out.",
    )


def _is_readable(listings: Listings, image: str) -> bool:
    # a decoder may raise anything for a damaged photo
    with suppress(Exception):
        path = photo_path(listings.source.root, image)
        with photo_content(path, listings.limits.photo_bytes) as content:
            decode(content, _SMALL)
        return True
    return False


def _require_different(name: str, values: Float32) -> None:
    if len(values) > 1 and (values == values[0]).all():
        raise EMBEDDINGS.error(
            f"{name} has the same numbers for all listings",
            got=f"{len(values):,} equal rows",
            wanted="embeddings that tell photos apart",
            fix="Was the model given the photos?",
        )
