"""Photos that a table names by URL: fetched into the cache, or counted as none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import PIL.Image

from curation.errors import ListingsError, short_repr
from curation.listings.cell_objects import photos_of
from curation.listings.folders import photo_formats
from curation.listings.limits import Limits
from curation.remote.addresses import Allowed, is_remote, shown, store_of
from curation.remote.bounds import NotFetchedError, Patience
from curation.remote.fetch import Bounds, Fetcher
from curation.rendering.words import agree, many
from training.images.bounds import open_photo
from training.images.cache import FETCHED, PhotoCache
from training.images.decoding import check_photo
from training.images.reading import BadPhotoError
from training.utils.progress import Reporter

__all__ = [
    "FETCH_LIMIT",
    "NOT_FETCHED",
    "FetchedPhotos",
    "Fetching",
    "fetch_photos",
    "find_urls",
    "is_fetched",
    "photo_ending",
    "said_of_several",
    "why_not_fetched",
]

#: Most bytes that one call fetches.
FETCH_LIMIT = 5 * 10**9
#: Why a photo by URL can't be used that is not fetched.
NOT_FETCHED = "is a URL that is not allowed to be fetched"
_WHY = "can't be fetched: "
_EXAMPLES = 3
#: A cell of URLs; JSON has lists of them.
_URL = re.compile(r"[\s\[\"']*([a-z][a-z0-9+.-]+://\S.*)", re.IGNORECASE | re.DOTALL)
#: Between several URLs in one cell, and after the last one.
_BETWEEN = re.compile(r"[\s,;|\"']+(?=[a-z][a-z0-9+.-]+://)", re.IGNORECASE)
_AFTER = ",;|\"'] \n"


@dataclass(frozen=True)
class Fetching:
    """How photos are fetched.

    Attributes
    ----------
    allowed : Allowed
        What may be asked.
    cache : PhotoCache
        Keeps the photos, in ``fetched-v1``.
    limit : int
        Most bytes to fetch in all; those on their way are still finished.
    reporter : Reporter
        Shows what is to be done, and progress.
    patience : Patience
        How long one waits.
    """

    allowed: Allowed
    cache: PhotoCache
    limit: int
    reporter: Reporter
    patience: Patience = Patience()  # noqa: RUF009 (frozen)


@dataclass(frozen=True)
class FetchedPhotos:
    """What became of the URLs in a column of photos.

    Attributes
    ----------
    images : Series of str
        The column, with the absolute path of the file where a photo was fetched.
    unusable : Series of str
        Why the others were not; NA where there is no URL.
    notes : tuple of str
        What was fetched, and what was not.
    """

    images: pd.Series
    unusable: pd.Series
    notes: tuple[str, ...]


def find_urls(images: pd.Series) -> pd.Series:
    """Return the URL in each cell, the first one if there are several; NA where there is none.

    Examples
    --------
    >>> find_urls(pd.Series(["https://a.com/1.jpg, https://a.com/2.jpg", "1.jpg"], dtype="string")).tolist()
    ['https://a.com/1.jpg', <NA>]
    """
    found = [None if pd.isna(cell) else _URL.fullmatch(_written(cell)) for cell in images.to_numpy(dtype=object)]
    urls = [_BETWEEN.split(match[1].strip())[0].rstrip(_AFTER) if match else None for match in found]
    # files of this machine are found by their names
    urls = [url if url and is_remote(url) else None for url in urls]
    return pd.Series(urls, index=images.index, dtype="string")


def said_of_several(urls: pd.Series) -> tuple[str, ...]:
    """Say how many cells of URLs hold several, of which only the first one counts.

    Examples
    --------
    >>> said_of_several(pd.Series(["https://a.com/1.jpg, https://a.com/2.jpg", "https://a.com/3.jpg"]))
    ('1 cell holds several URLs; the first one is the photo.',)
    """
    count = sum(_BETWEEN.search(_written(cell)) is not None for cell in urls)
    which = f"{many(count, 'cell')} {agree(count, 'holds', 'hold')} several URLs"
    return (f"{which}; the first one{agree(count, '', ' of each')} is the photo.",) if count else ()


def _written(cell: str) -> str:
    """Return a cell of objects as one of their URLs alone."""
    return "\n".join(photos_of(cell)) or cell


def is_fetched(image: str) -> bool:
    """Return whether a photo of a checked table lies in a cache, since the table names it by URL.

    Examples
    --------
    >>> is_fetched("/home/me/.cache/curate/fetched-v1/0a1b.jpg"), is_fetched("photos/1.jpg")
    (True, False)
    """
    path = Path(image)
    return path.is_absolute() and path.parent.name == FETCHED


def fetch_photos(images: pd.Series, urls: pd.Series, fetching: Fetching, limits: Limits) -> FetchedPhotos:
    """Fetch photos into the cache. What is there already is not fetched again.

    Parameters
    ----------
    images : Series of str
        The column of photos.
    urls : Series of str
        Those to fetch, all allowed; NA elsewhere.
    fetching : Fetching
        How.
    limits : Limits
        How large a photo may be, and how many may be missing of a server or bucket that gives none.

    Raises
    ------
    ListingsError
        If servers or buckets with too many of the photos give none at all: it is known after a few of them.
    InputError
        If a protocol is unknown, or its package is missing.
    MachineError
        If the cache can't be written to.
    """
    stores: list[pd.Series] = []

    def enough(refusing: Mapping[str, str], given: Collection[str], unasked: int) -> None:
        if not stores:
            stores.append(urls.map(store_of, na_action="ignore"))
        lost = urls[stores[0].isin(list(refusing)) & ~urls.isin(list(given))]
        if not limits.allow(len(lost), len(images)):
            raise _refusing(refusing, len(lost), len(images), unasked)

    bounds = Bounds(limits.photo_bytes, fetching.limit)
    fetcher = Fetcher(fetching.cache.fetched_root, fetching.allowed, bounds, _ending, fetching.patience)
    done = fetcher.fetch(urls.dropna().unique().tolist(), fetching.reporter, enough=enough)
    paths = {url: str(given.path) for url, given in done.given.items()}
    reasons = {url: f"{_WHY}it {reason}" for url, reason in done.reasons.items()}
    fetched, unusable = (urls.map(found, na_action="ignore").astype("string") for found in (paths, reasons))
    named = images.mask(urls.notna(), urls.map(shown, na_action="ignore").astype("string"))
    new = sum(given.new for given in done.given.values())
    return FetchedPhotos(
        named.mask(fetched.notna(), fetched), unusable, _notes(new, len(done.given) - new, done.reasons)
    )


def why_not_fetched(problems: pd.DataFrame) -> dict[str, str]:
    """Return why photos by URL can't be read, by the ids of their listings, in words that follow a colon.

    Parameters
    ----------
    problems : DataFrame
        Of :class:`curation.listings.Listings`.
    """
    if not len(problems):
        return {}
    images = problems[problems["column"] == "image"]
    pairs = zip(images["id"], images["why"], strict=True)
    return {
        id: f"it {why}" if why == NOT_FETCHED else why.removeprefix(_WHY)
        for id, why in pairs
        if why == NOT_FETCHED or why.startswith(_WHY)
    }


def _refusing(refusing: Mapping[str, str], lost: int, rows: int, unasked: int) -> ListingsError:
    (store, reason), *others = refusing.items()
    if unasked:
        return ListingsError(
            f"none of {len(refusing) - unasked:,} servers and buckets from all over the table gives its first photo; "
            f"{unasked:,} more were not asked",
            got=f"{store}, whose first photo {reason}",
            wanted="photos that can be read there",
            fix="Check the URLs, and whether this machine reaches the internet.",
            parameter="fetch",
        )
    more = f", as do {many(len(others), 'other server or bucket', 'other servers and buckets')}" if others else ""
    return ListingsError(
        f"{store} gives no photo{more}: {lost:,} of {many(rows, 'photo')} {agree(lost, 'is', 'are')} there",
        got=f"a first photo that {reason}",
        wanted="photos that can be read there",
        fix="Check the URLs, and the credentials that fsspec finds for them.",
        parameter="fetch",
    )


def photo_ending(content: bytes) -> str:
    """Return the ending of a photo's name, as its content has it.

    Raises
    ------
    NotFetchedError
        If it is no photo, or a damaged one.

    Examples
    --------
    >>> import io
    >>> photo = io.BytesIO()
    >>> PIL.Image.new("RGB", (2, 2)).save(photo, "PNG")
    >>> photo_ending(photo.getvalue())
    '.png'
    """
    if not content:
        raise NotFetchedError("is no photo")
    formats = photo_formats()
    try:
        return formats[check_photo(content, list(formats))]
    except PIL.UnidentifiedImageError:
        start = content[:1024].lstrip().lower()
        page = start.startswith((b"<!doctype html", b"<html", b"<head", b"<body"))
        raise NotFetchedError("is no photo but a web page" if page else "is no photo") from None
    except BadPhotoError as error:
        raise NotFetchedError(f"is no usable photo: {error}") from error
    except Exception as error:
        # decoders raise anything for damaged files
        raise NotFetchedError("is a damaged photo") from error


def _ending(content: bytes, web: bool) -> str:
    if web:
        return photo_ending(content)
    # a bucket gives the file itself, and never a page in its place: if it is damaged, so it would be on this machine
    try:
        with open_photo(content, list(formats := photo_formats())) as opened:
            return formats[str(opened.format)]
    except Exception:  # a damaged file can raise anything in a decoder
        return ""


def _notes(new: int, already: int, reasons: Mapping[str, str]) -> tuple[str, ...]:
    there = f", {already:,} {agree(already, 'was', 'were')} there already" if already else ""
    notes = [f"{many(new, 'photo')} {agree(new, 'was', 'were')} fetched{there}."] if new or already else []
    for reason, count in Counter(reasons.values()).most_common():
        examples = [short_repr(shown(url)) for url, why in reasons.items() if why == reason][:_EXAMPLES]
        more = f", +{count - _EXAMPLES:,} more" if count > _EXAMPLES else ""
        which = "1 URL" if count == 1 else f"Each of {count:,} URLs"
        notes.append(f"{which} {reason}: {', '.join(examples)}{more}.")
    return tuple(notes)
