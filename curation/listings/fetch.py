"""Photos that a table names by URL: downloaded into the cache, or counted as none."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock

import pandas as pd

from curation.errors import MachineError, short_repr
from curation.listings.cell_objects import photos_of
from curation.listings.download import MOST_BYTES, NotFetchedError, download, photo_ending
from curation.rendering.words import agree, many
from training.images.cache import FETCHED, PhotoCache
from training.images.shards import delete
from training.utils.files import whole_file
from training.utils.noise import noise_to
from training.utils.parallel import map_ahead
from training.utils.progress import Reporter
from training.utils.units import bytes_text, home_as_tilde

__all__ = ["FETCH_LIMIT", "NOT_FETCHED", "FetchedPhotos", "fetch_photos", "find_urls", "is_fetched", "said_of_several"]

#: Most bytes that one call downloads.
FETCH_LIMIT = 5 * 10**9
#: Why a photo by URL can't be used without fetching.
NOT_FETCHED = "is a URL, and photos are not fetched"
_THREADS = 8
_AHEAD = 64
_EXAMPLES = 3
#: A cell of URLs; JSON has lists of them.
_URL = re.compile(r"[\s\[\"']*(https?://\S.*)", re.IGNORECASE | re.DOTALL)
#: Between several URLs in one cell, and after the last one.
_BETWEEN = re.compile(r"[\s,;|\"']+(?=https?://)", re.IGNORECASE)
_AFTER = ",;|\"'] \n"
#: Hexadecimal digits of a URL's hash in the name of its file, 128 bits.
_HASH_LENGTH = 32


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


def fetch_photos(
    images: pd.Series, urls: pd.Series, cache: PhotoCache, limit: int, reporter: Reporter
) -> FetchedPhotos:
    """Download photos into the cache. What is there already is not asked for again.

    Parameters
    ----------
    images : Series of str
        The column of photos.
    urls : Series of str
        Of :func:`find_urls`.
    cache : PhotoCache
        Keeps the photos, in ``fetched-v1``.
    limit : int
        Most bytes to download; those on their way are still finished.
    reporter : Reporter
        Shows what is to be done, and progress.

    Raises
    ------
    MachineError
        If the cache can't be written to.
    """
    wanted = urls.dropna().unique().tolist()
    there = {path.stem: path for path in cache.fetched_files() if path.is_file()}
    missing = [url for url in wanted if _stem(url) not in there]
    paths: dict[str, Path] = {url: there[_stem(url)] for url in wanted if _stem(url) in there}
    already = len(paths)
    reasons: dict[str, str] = {}
    if missing:
        reporter.say(
            f"fetching {many(len(missing), 'photo')} into {home_as_tilde(cache.fetched_root)}: at most "
            f"{bytes_text(MOST_BYTES)} each and {bytes_text(limit)} in all (`fetch_limit`)"
        )
        for url, result in zip(missing, _fetch(missing, cache.fetched_root, limit, reporter), strict=True):
            if isinstance(result, Path):
                paths[url] = result
            else:
                reasons[url] = result
    fetched = urls.map(lambda url: str(paths[url]) if url in paths else pd.NA, na_action="ignore").astype("string")
    unusable = urls.map(
        lambda url: f"can't be fetched: it {reasons[url]}" if url in reasons else pd.NA, na_action="ignore"
    )
    notes = _notes(len(paths) - already, already, reasons)
    return FetchedPhotos(images.mask(fetched.notna(), fetched), unusable.astype("string"), notes)


def _stem(url: str) -> str:
    return hashlib.sha256(url.encode(errors="surrogatepass")).hexdigest()[:_HASH_LENGTH]


def _fetch(urls: Sequence[str], folder: Path, limit: int, reporter: Reporter) -> list[Path | str]:
    """Return the file of each URL, or the reason why there is none."""
    fetcher = _Fetcher(folder, limit)
    results: list[Path | str] = []
    pool = ThreadPoolExecutor(_THREADS)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # what Pillow notes of odd metadata says nothing of the photos
        with noise_to(), reporter.bar("fetching photos") as progress, warnings.catch_warnings(action="ignore"):
            for result in map_ahead(pool, fetcher, urls, _AHEAD):
                results.append(result)
                progress(len(results), len(urls))
            pool.shutdown()
    except OSError as error:
        raise MachineError(f"photos can't be kept in {home_as_tilde(folder)}: {error.strerror or error}") from error
    finally:
        # after Ctrl-C: what is there stays, and nothing else is begun
        fetcher.stop.set()
        pool.shutdown(cancel_futures=True)
    return results


class _Fetcher:
    """Fetches one photo after the other, in several threads."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.stop = Event()
        self._folder = folder
        self._left = limit
        self._lock = Lock()
        self._limit = limit

    def __call__(self, url: str) -> Path | str:
        """Return the file of a URL, or the reason why there is none."""
        if self._left <= 0:
            return f"is beyond the limit of {bytes_text(self._limit)} in all"
        try:
            content = download(url, self.stop)
            with self._lock:
                self._left -= len(content)
            ending = photo_ending(content)
        except NotFetchedError as error:
            return str(error)
        path = self._folder / f"{_stem(url)}{ending}"
        if path.is_dir():
            # no file can take its place
            delete(path)
        with whole_file(path) as temporary:
            temporary.write_bytes(content)
        return path


def _notes(new: int, already: int, reasons: Mapping[str, str]) -> tuple[str, ...]:
    there = f", {already:,} {agree(already, 'was', 'were')} there already" if already else ""
    notes = [f"{many(new, 'photo')} {agree(new, 'was', 'were')} fetched{there}."] if new or already else []
    for reason, count in Counter(reasons.values()).most_common():
        examples = [short_repr(url) for url, why in reasons.items() if why == reason][:_EXAMPLES]
        more = f", +{count - _EXAMPLES:,} more" if count > _EXAMPLES else ""
        notes.append(f"{many(count, 'URL')} {reason}: {', '.join(examples)}{more}.")
    return tuple(notes)
