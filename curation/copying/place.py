"""A folder at a URL that holds the copy of a run: its files, read and written with patience."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from curation.copying.manifest import Entry
from curation.errors import InputError, RunError, short_repr
from curation.remote.addresses import Allowed, joined, parse_address, shown
from curation.remote.bounds import NotFetchedError, Patience, Tasks, patiently
from curation.remote.copies import content_at, store_for
from curation.remote.stores import Store
from curation.remote.web import download
from training.utils.files import sha256_of_file
from training.utils.progress import Reporter, counted

__all__ = ["Place"]

Result = TypeVar("Result")
_THREADS = 8


class Place:
    """The folder of a copy.

    Parameters
    ----------
    url : str
        Of the folder.
    patience : Patience
        How long one waits.

    Attributes
    ----------
    shown : str
        The URL, without what a message must not show.

    Raises
    ------
    InputError
        If the URL can't be understood, its protocol is unknown, or the package for it is missing.
    """

    def __init__(self, url: str, patience: Patience = Patience()) -> None:  # noqa: B008 (frozen)
        self.shown = shown(url)
        try:
            address = parse_address(url)
        except (ValueError, UnicodeError) as error:
            raise InputError(f"{self.shown} can't be the URL of a run", got=f"one that {error}") from None
        if not address.host or "?" in url or "#" in url:
            raise InputError(
                f"{self.shown} can't be the URL of a run",
                got="no server or bucket" if not address.host else "one with a query",
                wanted="the URL of a folder, e.g. s3://bucket/runs/1",
            )
        self._base = f"{url.strip().rstrip('/')}/"
        self._store = store_for(url)
        self._allowed = Allowed().also(url)
        self._patience = patience

    def require_writable(self) -> None:
        """Refuse a web server, which only gives.

        Raises
        ------
        InputError
        """
        if self._store is None:
            raise InputError(
                f"nothing can be written to {self.shown}",
                got="a URL of a web server",
                wanted="that of a bucket, e.g. s3://bucket/runs/1",
            )

    def is_empty(self) -> bool:
        """Return whether nothing is below the URL.

        Raises
        ------
        RunError
            If that can't be told.
        """
        with self._telling("read"):
            try:
                return not self._patiently(lambda store, tasks: self._names(store, tasks))
            except NotFetchedError as error:
                if error.missing:
                    return True
                raise

    def _names(self, store: Store, tasks: Tasks) -> list[str]:
        with tasks.one() as task:
            found: list[str] = store.call("ls", self._base, task, detail=False)
        own = store.files._strip_protocol(self._base).rstrip("/")
        return [name for name in found if name.rstrip("/") != own]

    def read(self, name: str, most: int) -> bytes | None:
        """Return a small file, or None if it does not exist.

        Parameters
        ----------
        name : str
            Its path below the folder.
        most : int
            Bytes that it may have.

        Raises
        ------
        RunError
            If it can't be had.
        """
        url, tasks = joined(self._base, name), Tasks(self._patience)

        def once() -> bytes:
            with tasks.one() as task:
                return content_at(url, self._store, most, self._allowed, task)

        with self._telling("read"):
            try:
                return patiently(once, self._patience, tasks.stop)
            except NotFetchedError as error:
                if error.missing:
                    return None
                raise

    def write(self, name: str, content: bytes) -> None:
        """Write a small file.

        Raises
        ------
        RunError
            If it can't be written.
        """
        with tempfile.TemporaryDirectory(prefix="curate-") as scratch:
            file = Path(scratch, "content")
            file.write_bytes(content)
            with self._telling("written to"):
                self._patiently(lambda store, tasks: self._send(store, tasks, file, name))

    def _send(self, store: Store, tasks: Tasks, file: Path, name: str) -> None:
        with tasks.one() as task:
            store.send(file, joined(self._base, name), task)

    def delete(self, name: str) -> None:
        """Delete a file, unless it is gone.

        Raises
        ------
        RunError
            If it can't be deleted.
        """
        with self._telling("written to"):
            try:
                self._patiently(lambda store, tasks: self._delete(store, tasks, name))
            except NotFetchedError as error:
                if not error.missing:
                    raise

    def _delete(self, store: Store, tasks: Tasks, name: str) -> None:
        with tasks.one() as task:
            store.call("rm_file", joined(self._base, name), task)

    def send_all(
        self, folder: Path, names: Mapping[str, Entry], sent: Callable[[str], None], reporter: Reporter
    ) -> None:
        """Send files of this machine.

        Parameters
        ----------
        folder : Path
            Where they are.
        names : mapping of str to Entry
            By their paths below it.
        sent : callable
            Called with each path once it is there, one at a time.
        reporter : Reporter
            Shows progress.

        Raises
        ------
        RunError
            If one can't be written.
        """

        def one(name: str, tasks: Tasks) -> str:
            store = self._writable()
            patiently(lambda: self._send(store, tasks, folder / name, name), self._patience, tasks.stop)
            return name

        with self._telling("written to"):
            for name in self._each(one, names, "sending the run", reporter):
                sent(name)

    def fetch_all(self, names: Mapping[str, Entry], folder: Path, reporter: Reporter) -> None:
        """Fetch files to this machine, and check each.

        Parameters
        ----------
        names : mapping of str to Entry
            By their paths.
        folder : Path
            Where they go.
        reporter : Reporter
            Shows progress.

        Raises
        ------
        RunError
            If one can't be had, or is another than it should be.
        """

        def one(name: str, tasks: Tasks) -> str:
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            patiently(lambda: self._fetch(name, names[name], file, tasks), self._patience, tasks.stop)
            return name

        with self._telling("read"):
            for _ in self._each(one, names, "fetching the run", reporter):
                pass

    def _fetch(self, name: str, entry: Entry, file: Path, tasks: Tasks) -> None:
        url = joined(self._base, name)
        with tasks.one() as task:
            if self._store is None:
                file.write_bytes(download(url, entry.size, self._allowed, task))
            else:
                found = self._store.find(url, task)
                if found.size != entry.size:
                    raise _other(name)
                self._store.save(url, found, file, task)
        if file.stat().st_size != entry.size or sha256_of_file(file) != entry.sha256:
            raise _other(name)

    def _each(
        self, one: Callable[[str, Tasks], str], names: Mapping[str, Entry], what: str, reporter: Reporter
    ) -> Iterator[str]:
        pool, tasks = ThreadPoolExecutor(_THREADS), Tasks(self._patience)
        try:
            with reporter.bar(what) as progress:
                step = counted(progress, len(names))
                for name in pool.map(lambda name: one(name, tasks), names):
                    yield name
                    step(1)
        finally:
            tasks.stop.set()
            pool.shutdown(cancel_futures=True)

    def _writable(self) -> Store:
        if self._store is None:
            raise TypeError("a web server only gives")
        return self._store

    def _patiently(self, work: Callable[[Store, Tasks], Result]) -> Result:
        store, tasks = self._writable(), Tasks(self._patience)
        return patiently(lambda: work(store, tasks), self._patience, tasks.stop)

    @contextmanager
    def _telling(self, done: str) -> Iterator[None]:
        try:
            yield
        except NotFetchedError as error:
            fix = "Check the URL, and the credentials that fsspec finds for it." if error.of_all else ""
            raise RunError(f"{self.shown} can't be {done}", got=f"a URL that {error.reason}", fix=fix) from error


def _other(name: str) -> RunError:
    return RunError(
        f"{short_repr(name)} of the copy is another file than it should be",
        got="a copy that is being renewed, or was damaged",
        fix="Try again; if that does not help, copy the run there again from where it is whole.",
    )
