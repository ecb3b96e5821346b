"""The photo cache: how full it is, and making room in it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from curation.errors import InputError, about, check_range, checked
from curation.rendering.results import Result
from training.images.cache import open_cache
from training.utils.units import parse_bytes

__all__ = ["CacheSize", "CacheState", "cache"]


@dataclass(frozen=True)
class CacheSize:
    """How many ``photos`` of one ``size`` (side in pixels) the cache holds, and their ``bytes``."""

    size: int
    photos: int
    bytes: int


@dataclass(frozen=True)
class CacheState(Result):
    """What the photo cache holds.

    Attributes
    ----------
    folder : Path
    bytes, limit : int
        What its files take, and what new runs let them take, without the fetched photos.
    sizes : tuple of CacheSize
        Smallest first.
    small : int
        Photos of which small ones are kept, by which reposts are found, once for each of their sizes.
    small_bytes : int
        What these take, of ``bytes``.
    features : int
        Photos whose features are kept, once for each network, size and hardware.
    features_bytes : int
        What these take, of ``bytes``.
    fetched : int
        Photos that were fetched from the web.
    fetched_bytes : int
        What they take, beside ``bytes``. New runs delete none of them.
    freed : int or None
        Bytes that this call deleted; None if it was not asked to.
    """

    folder: Path
    bytes: int
    limit: int
    sizes: tuple[CacheSize, ...]
    small: int
    small_bytes: int
    features: int
    features_bytes: int
    fetched: int
    fetched_bytes: int
    freed: int | None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields; ``freed`` only if room was made."""
        content = super().to_dict()
        return content if self.freed is not None else {key: value for key, value in content.items() if key != "freed"}


@checked
def cache(folder: str | Path | None = None, *, limit: int | str | None = None, clear: bool = False) -> CacheState:
    """Show the photo cache, or make room in it.

    Runs share their decoded photos, what was made of them, and the text that was read in them. Deleting these loses
    nothing: a run that needs its photos decodes the originals again. Photos that were fetched from the web are the
    originals: without them, a run has no photos until they are fetched again.

    Parameters
    ----------
    folder : str or Path, optional
        The cache; by default the user's.
    limit : int or str, optional
        Delete down to this many bytes, or to a size such as ``"5GB"``, the least recently used first.
    clear : bool
        Delete everything in it.

    Raises
    ------
    InputError
        If `folder` is a file, `limit` is no size, or `limit` and `clear` are both given.
    CurateError
        If something can't be deleted.

    Examples
    --------
    >>> import curation
    >>> state = curation.cache("no/such/cache", limit="5GB")
    >>> state.bytes, state.freed, state.sizes
    (0, 0, ())
    """
    photos = open_cache(folder)
    if photos.folder.exists() and not photos.folder.is_dir():
        raise InputError(f"{photos.folder} is not a folder", fix="Name another one.", parameter="folder")
    if clear and limit is not None:
        raise InputError(
            "`limit` has no effect with `clear`: everything is deleted", fix="Leave one of them out.", parameter="limit"
        )
    freed = None
    if clear:
        freed = photos.clear()
    elif limit is not None:
        with about("limit"):
            most = parse_bytes(limit, "`limit`") if isinstance(limit, str) else limit
            check_range("limit", "limit in bytes", most, 0, math.inf)
        freed = replace(photos, limit=most).trim(fetched=True)
    fetched = photos.fetched_files()
    sizes = tuple(
        CacheSize(size, sum(shard.photos() for shard in shards), sum(shard.bytes() for shard in shards))
        for size, shards in photos.sizes().items()
        if shards
    )
    small, features = photos.small(), photos.features()
    return CacheState(
        photos.folder,
        photos.used(),
        photos.limit,
        sizes,
        sum(shard.photos() for shard in small),
        sum(shard.bytes() for shard in small),
        sum(shard.photos() for shard in features),
        sum(shard.bytes() for shard in features),
        len(fetched),
        photos.fetched_bytes(),
        freed,
    )
