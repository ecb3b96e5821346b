"""The photos that a table names: those of URLs fetched, the others matched with files inside the dataset's folder."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from curation.errors import InputError, ListingsError, about, check_range, short_repr, some
from curation.listings.checks import MISSING, SEVERAL, check_inside
from curation.listings.faults import Faults
from curation.listings.fetch import (
    FETCH_LIMIT,
    NOT_FETCHED,
    FetchedPhotos,
    Fetching,
    fetch_photos,
    find_urls,
    said_of_several,
)
from curation.listings.limits import Limits
from curation.listings.none_words import none_cells
from curation.listings.photo_names import MatchedPhotos, match_photos
from curation.listings.sources import Source
from curation.remote.addresses import allowed_by, prefix_for, shown
from curation.rendering.words import agree, many
from training.images.cache import PhotoCache, open_cache
from training.utils.files import NotReadableError, open_regular, photo_path
from training.utils.progress import Reporter
from training.utils.units import parse_bytes

__all__ = ["FoundPhotos", "choose_fetching", "find_photos"]

#: ``http:/host``, ``https//host``, ``//host.com/`` and ``www.host.com/``.
_HALF_URL = re.compile(
    r"\s*(?:https?:/?[^/\s]|https?//|//[\w-]+(?:\.[\w-]+)+[:/]|www\.[\w-]+\.[\w.-]+[:/])", re.IGNORECASE
)
_EXAMPLES = 3
#: Servers and buckets that a message names.
_PREFIXES = 4


def choose_fetching(
    fetch: str | Iterable[str] | None,
    limit: int | str | None,
    cache: str | Path | PhotoCache | None,
    reporter: Reporter,
    base: str,
) -> Fetching:
    """Return how photos are fetched.

    Parameters
    ----------
    fetch, limit, cache, reporter
        As for :func:`curation.read_listings`.
    base : str
        URL of the folder that a table at a URL lies in, which is allowed; empty for a table of this machine.

    Raises
    ------
    InputError
        If `fetch` has something that is no URL, or `limit` is no size, or has no effect.
    """
    allowed = allowed_by(fetch)
    if base:
        allowed = allowed.also(base)
    if limit is not None and not allowed.prefixes:
        raise InputError("`fetch_limit` has no effect without `fetch`", fix="Leave it out.", parameter="fetch_limit")
    with about("fetch_limit"):
        most = (
            parse_bytes(limit, "`fetch_limit`") if isinstance(limit, str) else FETCH_LIMIT if limit is None else limit
        )
        check_range("fetch_limit", "limit in bytes", most, 1, math.inf)
    return Fetching(allowed, open_cache(cache), most, reporter)


@dataclass(frozen=True)
class FoundPhotos:
    """The photos of a table.

    Attributes
    ----------
    named : Series of str
        What the table names, as it was matched: also where it can't be used.
    images : Series of str
        Paths relative to the dataset's folder, or absolute in the cache; NA for none, one outside, and a URL that was
        not fetched. A file that does not exist keeps its name.
    unusable : Series of str
        Why a photo can't be used; NA where it can, or where none is named.
    urls : Series of str
        What is shown of the URLs; NA where the photo is a file.
    notes : tuple of str
        How names were matched, and what became of URLs.
    fits : str
        See :class:`curation.listings.photo_names.MatchedPhotos`.
    """

    named: pd.Series
    images: pd.Series
    unusable: pd.Series
    urls: pd.Series
    notes: tuple[str, ...]
    fits: str = ""


def find_photos(
    table: pd.DataFrame,
    origin: Source,
    fetching: Fetching,
    limits: Limits,
    *,
    inside: bool,
    needed: bool,
    faults: Faults,
) -> FoundPhotos:
    """Find the photos of a table.

    Parameters
    ----------
    table : DataFrame of str
        With ``id`` and ``image``.
    origin : Source
        Where the table comes from.
    fetching : Fetching
        How photos by URL are fetched; those that it does not allow count as none.
    limits : Limits
        Of photos that may be missing, and of their size.
    inside : bool
        Whether files must lie in the dataset's folder.
    needed : bool
        Whether every listing must have a photo.
    faults : Faults
        Takes paths that lead outside, and URLs that make up too much of the table.

    Raises
    ------
    CurateError
        If photos can't be written to the cache.
    """
    urls = find_urls(table["image"])
    by_url = urls.notna()
    matched = match_photos(table["image"].mask(by_url), origin.root)
    if (unnamed := none_cells(table["image"]) & matched.missing).any():
        table = table.assign(image=table["image"].mask(unnamed))
        matched = match_photos(table["image"].mask(by_url), origin.root)
    unusable = _why_unusable(matched, origin.root)
    half = _half_urls(table["image"]) & matched.missing
    if needed and not limits.allow(int(half.sum()), len(table)):
        faults.add(_too_many_halves(table["image"][half], len(table)))
        needed = False
    outside = by_url & False
    if inside:
        files = table.assign(image=matched.images.mask(half))
        outside = check_inside(files, origin.root, origin.boundary, faults)
        # refused as a whole
        unusable = unusable.mask(outside)
    asked = pd.Series([not pd.isna(url) and fetching.allowed.allows(url) for url in urls], urls.index, dtype=bool)
    refused = by_url & ~asked
    shown_urls = urls.map(shown, na_action="ignore").astype("string")
    fetched = FetchedPhotos(shown_urls, urls.mask(by_url, NOT_FETCHED), ())
    notes = matched.notes + said_of_several(table["image"][by_url])
    if asked.any():
        with faults.noted():
            given = fetch_photos(table["image"], urls.where(asked), fetching, limits)
            fetched = FetchedPhotos(
                fetched.images.mask(asked, given.images), fetched.unusable.mask(asked, given.unusable), given.notes
            )
            notes += given.notes
    if refused.any() and needed and not limits.allow(int(refused.sum()), len(table)):
        faults.add(_too_many_urls(urls[refused], len(table)))
        needed = False
    elif refused.any():
        notes += (_said_of_urls(urls[refused]),)
    named = matched.images.mask(by_url, fetched.images)
    unusable = unusable.mask(by_url, fetched.unusable)
    images = named.mask(outside | (unusable.notna() & by_url))
    if not needed:
        # said, or refused, as a whole
        unusable = unusable.mask(unusable == NOT_FETCHED)
    return FoundPhotos(named, images, unusable, shown_urls, notes, matched.fits)


def _why_unusable(matched: MatchedPhotos, root: Path) -> pd.Series:
    """Return why the photos that are no files can't be used; NA for the others."""
    names = matched.images[matched.missing]
    why = [SEVERAL if row in matched.several else _why_no_file(photo_path(root, image)) for row, image in names.items()]
    return pd.Series(why, matched.images.index[matched.missing], dtype="string").reindex(matched.images.index)


def _why_no_file(path: Path) -> str:
    try:
        open_regular(path).close()
    except NotReadableError as error:
        return error.reason
    except (OSError, ValueError):
        pass
    return MISSING


def _half_urls(images: pd.Series) -> pd.Series:
    """Return which cells seem to be URLs whose protocol is not there, or not whole, as some shops export them."""
    cells = images.to_numpy(dtype=object)
    return pd.Series(
        [not pd.isna(cell) and _HALF_URL.match(cell) is not None for cell in cells], images.index, dtype=bool
    )


def _too_many_halves(cells: pd.Series, rows: int) -> ListingsError:
    seem = agree(len(cells), "seems to be a URL", "seem to be URLs")
    return ListingsError(
        f"{len(cells):,} of {many(rows, 'photo')} {seem} without a whole protocol, and no file has such a name",
        got=_examples(cells),
        wanted="http:// or https:// before each",
        fix="Write it there in a copy of the table, and name that place with `fetch`.",
        parameter="fetch",
    )


def _too_many_urls(urls: pd.Series, rows: int) -> ListingsError:
    are = agree(len(urls), "is a URL", "are URLs")
    return ListingsError(
        f"{len(urls):,} of {many(rows, 'photo')} {are} that `fetch` does not allow",
        got=_examples(urls),
        wanted="files, or leave to fetch photos",
        fix=_leave(urls),
        parameter="fetch",
    )


def _said_of_urls(urls: pd.Series) -> str:
    count = len(urls)
    are, they = agree(count, "is a URL", "are URLs"), agree(count, "counts", "count")
    which = f"{many(count, 'photo')} {are} that `fetch` does not allow and {they} as none"
    return f"{which}: {_examples(urls)}. {_leave(urls)}"


def _examples(urls: pd.Series) -> str:
    return some([short_repr(shown(url)) for url in urls], _EXAMPLES)


def _leave(urls: pd.Series) -> str:
    """Say what allows URLs to be fetched."""
    prefixes = prefix_for(urls.tolist())
    if not prefixes:
        return "None of them can be fetched."
    named = prefixes[:_PREFIXES]
    more = len(prefixes) - len(named)
    also = f"; there are {more:,} more servers, and `fetch='https://'` allows each public one" if more else ""
    places = agree(len(named), "that place", "these places")
    value = repr(named[0] if len(named) == 1 else named)
    return f"If you trust {places}, add `fetch={value}` to fetch from there{also}."
