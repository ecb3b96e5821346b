"""Many files from elsewhere: fetched in parallel, with patience, into a folder that keeps them."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from curation.errors import MachineError
from curation.remote.addresses import Allowed, is_web, scheme_of, store_of
from curation.remote.bounds import NotFetchedError, Patience, Task, Tasks, patiently
from curation.remote.stores import Found, Store, open_store
from curation.remote.web import download
from curation.rendering.words import many
from training.images.shards import delete, files_in
from training.utils.files import whole_file
from training.utils.machine import room
from training.utils.noise import noise_to
from training.utils.parallel import map_ahead
from training.utils.progress import Reporter, counted
from training.utils.units import bytes_text, home_as_tilde

__all__ = ["Bounds", "Fetched", "Fetcher", "Given"]

_THREADS = 16
_AHEAD = 64
#: Files of a store that are asked for first, from all over the list: if it gives none of them, it gives none.
_SAMPLE = 16
#: Servers and buckets that are asked for one file first, if there are more than that.
_FIRST_STORES = 64
#: Failures in a row, for reasons that are about all of a store, after which it is not asked any more.
_MOST_FAILURES = 64
#: Hexadecimal digits of a URL's hash in the name of its file, 128 bits.
_HASH_LENGTH = 32
Enough = Callable[[Mapping[str, str], Collection[str], int], None]
#: Parts of a query that are new whenever a link is signed: the same object has the same name.
_SIGNED = re.compile(r"(?<=[?&])X-(?:Amz|Goog)-[^&]*&?", re.IGNORECASE)


@dataclass(frozen=True)
class Bounds:
    """How much is fetched: ``file`` bytes of one at most, and ``all`` bytes of all together."""

    file: int
    all: int


@dataclass(frozen=True)
class Given:
    """What was fetched, or was there.

    Attributes
    ----------
    path : Path
        The file.
    new : bool
        Whether it was fetched now.
    """

    path: Path
    new: bool


@dataclass(frozen=True)
class Fetched:
    """What became of URLs.

    Attributes
    ----------
    given : dict of str to Given
        By their URLs.
    reasons : dict of str to str
        Why the others gave nothing, as the end of a sentence about the URL.
    refusing : dict of str to str
        Servers and buckets that gave nothing at all, by what is shown of them, and why.
    """

    given: dict[str, Given] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    refusing: dict[str, str] = field(default_factory=dict)


class Fetcher:
    """Fetches files into a folder, each once in each of its versions.

    Parameters
    ----------
    folder : Path
        Where they are kept, named by the hash of their URL, and of their version where a store tells it.
    allowed : Allowed
        What may be asked, redirects included.
    limits : Bounds
        How much of it.
    ending : callable
        Returns the ending of a file's name by its content; raises NotFetchedError for what is none that is wanted. It
        is called with the content, and with whether it comes from the web, where anything may be in its place.
    patience : Patience
        How long one waits.

    Raises
    ------
    InputError
        In :meth:`fetch`, if a protocol is unknown, or its package is missing.
    """

    def __init__(
        self,
        folder: Path,
        allowed: Allowed,
        limits: Bounds,
        ending: Callable[[bytes, bool], str],
        patience: Patience = Patience(),  # noqa: B008 (frozen)
    ) -> None:
        self._folder, self._allowed, self._limits, self._ending = folder, allowed, limits, ending
        self._patience, self._tasks = patience, Tasks(patience)
        self._left, self._lock = limits.all, Lock()
        self._stores: dict[str, Store] = {}
        self._there: dict[str, list[Path]] = defaultdict(list)
        self._failures: dict[str, int] = defaultdict(int)
        self._refusing: dict[str, str] = {}
        self._about_all: dict[str, str] = {}

    def fetch(self, urls: Sequence[str], reporter: Reporter, *, enough: Enough) -> Fetched:
        """Fetch what is not there, or not in the version that its store has now.

        What is on its way when the limit of all is reached is finished. After Ctrl-C, what is there stays.

        Parameters
        ----------
        urls : sequence of str
            Each once, and allowed.
        reporter : Reporter
            Shows progress.
        enough : callable
            Called with the servers and buckets that give nothing, and why, with the URLs of what is there, and with how
            many of these servers and buckets were not asked, as soon as that is known; may raise.

        Raises
        ------
        MachineError
            If the folder can't be written to.
        """
        for path in files_in(self._folder):
            if not path.name.startswith("."):
                self._there[path.stem.partition("-")[0]].append(path)
        fetched = Fetched(refusing=self._refusing)
        asked = []
        for url in urls:
            kept = self._kept(url, None) if is_web(url) else None
            if kept is None:
                asked.append(url)
            else:
                fetched.given[url] = Given(kept, new=False)
        for scheme in sorted({scheme_of(url) for url in asked if not is_web(url)}):
            self._stores[scheme] = open_store(scheme)
        if asked:
            self._fetch(asked, fetched, reporter, enough)
        return fetched

    def _fetch(self, urls: Sequence[str], fetched: Fetched, reporter: Reporter, enough: Enough) -> None:
        pool = ThreadPoolExecutor(_THREADS)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            most = f"{bytes_text(self._limits.file)} each and {bytes_text(self._limits.all)} in all (`fetch_limit`)"
            reporter.say(
                f"fetching {many(len(urls), 'photo')} into {home_as_tilde(self._folder)}: at most {most}; "
                "what is there already is not fetched again"
            )
            # what Pillow notes of odd metadata says nothing of the photos
            with noise_to(), reporter.bar("fetching photos") as progress, warnings.catch_warnings(action="ignore"):
                step = counted(progress, len(urls))
                first = _samples(urls)
                stores = _by_store(first)
                few = _of_few(stores)
                self._ask_few(pool, few, stores, fetched, step, enough)
                told = 0
                rest = [url for url in first if url not in few]
                for start in range(0, len(rest), _FIRST_STORES):
                    part = rest[start : start + _FIRST_STORES]
                    self._give(pool, part, fetched, step)
                    self._find_refusing({store_of(url) for url in part}, stores)
                    if len(self._refusing) > told:
                        told = len(self._refusing)
                        enough(self._refusing, fetched.given, 0)
                self._give(pool, [url for url in urls if url not in first], fetched, step)
                pool.shutdown()
        except OSError as error:
            where = home_as_tilde(self._folder)
            wanted = room(error, self._folder)
            fix = "Make room there, or choose" if wanted else "Choose"
            raise MachineError(
                f"photos can't be kept in {where}: {error.strerror or error}{f'; wanted {wanted}' if wanted else ''}. "
                f"{fix} another `cache`; what is there is not fetched again."
            ) from error
        finally:
            # after Ctrl-C: what is there stays, and nothing else is begun
            self._tasks.stop.set()
            pool.shutdown(cancel_futures=True)

    def _give(
        self, pool: ThreadPoolExecutor, urls: Collection[str], fetched: Fetched, step: Callable[[int], None]
    ) -> None:
        """Fetch some files."""
        for url, result in zip(urls, map_ahead(pool, self._tried, urls, _AHEAD), strict=True):
            if isinstance(result, Given):
                fetched.given[url] = result
            else:
                fetched.reasons[url] = result.reason
                if result.of_all:
                    self._about_all[url] = result.reason
            step(1)

    def _ask_few(
        self,
        pool: ThreadPoolExecutor,
        few: Collection[str],
        stores: Mapping[str, Sequence[str]],
        fetched: Fetched,
        step: Callable[[int], None],
        enough: Enough,
    ) -> None:
        """Ask a few of many servers: if none of them gives anything, none is likely to, and to ask all takes hours."""
        self._give(pool, few, fetched, step)
        if few and all(url in self._about_all for url in few):
            whys = {store_of(url): self._about_all[url] for url in few}
            enough({**whys, **dict.fromkeys(stores.keys() - whys.keys(), "")}, {}, len(stores) - len(few))

    def _find_refusing(self, asked: Collection[str], stores: Mapping[str, Sequence[str]]) -> None:
        """Note the stores that gave none of the files that were asked for first, for reasons that are about all."""
        for store in sorted(asked):
            if all(url in self._about_all for url in stores[store]):
                self._refusing.setdefault(store, self._about_all[stores[store][0]])

    def _tried(self, url: str) -> Given | NotFetchedError:
        store = store_of(url)
        if store in self._refusing:
            return NotFetchedError(f"was not asked for, as {store} gives nothing", of_all=True)
        try:
            given = patiently(lambda: self._once(url), self._patience, self._tasks.stop)
        except NotFetchedError as error:
            self._note(store, error)
            return error
        self._note(store, None)
        return given

    def _note(self, store: str, why: NotFetchedError | None) -> None:
        """Count failures in a row of a store that gave something before, and may be down."""
        with self._lock:
            down = why is not None and why.again and why.of_all
            self._failures[store] = self._failures[store] + 1 if down else 0
            if self._failures[store] >= _MOST_FAILURES:
                self._refusing.setdefault(store, str(why))

    def _once(self, url: str) -> Given:
        found = None
        with self._tasks.one() as task:
            if is_web(url):
                content = self._counted(task, lambda: download(url, self._limits.file, self._allowed, task))
            else:
                store = self._stores[scheme_of(url)]
                found = store.find(url, task)
                if kept := self._kept(url, found):
                    return Given(kept, new=False)
                content = self._counted(task, lambda: store.read(url, found, self._limits.file, task))
            path = self._folder / f"{_name(url, found)}{self._ending(content, found is None)}"
            if path.is_dir():
                # no file can take its place
                delete(path)
            with whole_file(path) as temporary:
                temporary.write_bytes(content)
        return Given(path, new=True)

    def _counted(self, task: Task, work: Callable[[], bytes]) -> bytes:
        """Return the bytes of a file, and count all that came: those that were in vain, too."""
        if self._left <= 0:
            raise NotFetchedError(f"is beyond the limit of {bytes_text(self._limits.all)} in all")
        content = b""
        try:
            content = work()
        finally:
            with self._lock:
                self._left -= max(task.received, len(content))
        return content

    def _kept(self, url: str, found: Found | None) -> Path | None:
        """Return the file of a URL that is there, in the version that was found."""
        name = _name(url, found)
        kept = (path for path in self._there.get(name.partition("-")[0], ()) if path.stem == name and path.is_file())
        return next(kept, None)


def _samples(urls: Sequence[str]) -> dict[str, None]:
    """Return a few URLs of each store, from all over the list, in its order."""
    chosen: set[str] = set()
    for each in _by_store(urls).values():
        count = min(_SAMPLE, len(each))
        chosen.update(each[place * len(each) // count] for place in range(count))
    return dict.fromkeys(url for url in urls if url in chosen)


def _by_store(urls: Collection[str]) -> dict[str, list[str]]:
    stores: dict[str, list[str]] = defaultdict(list)
    for url in urls:
        stores[store_of(url)].append(url)
    return stores


def _of_few(stores: Mapping[str, Sequence[str]]) -> list[str]:
    """Return one URL of each of a few servers from all over the list; none, if there are only a few."""
    first, count = [urls[0] for urls in stores.values()], len(stores)
    return [first[place * count // _FIRST_STORES] for place in range(_FIRST_STORES)] if count > _FIRST_STORES else []


def _name(url: str, found: Found | None) -> str:
    digest = hashlib.sha256(_SIGNED.sub("", url).encode(errors="surrogatepass")).hexdigest()[:_HASH_LENGTH]
    return digest if found is None else f"{digest}-{found.version}"
