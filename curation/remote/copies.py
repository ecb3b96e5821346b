"""Tables that lie elsewhere: which files there are, and copies of them."""

from __future__ import annotations

import errno
import posixpath
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from curation.errors import MachineError
from curation.remote.addresses import Allowed, is_web, scheme_of, store_of
from curation.remote.bounds import NotFetchedError, Patience, Task, Tasks, patiently
from curation.remote.stores import Store, open_store
from curation.remote.web import download
from training.utils.progress import Reporter, counted

__all__ = ["Copier", "content_at", "store_for"]

_THREADS = 8
_NO_NAME = "has a name that no file of this machine can have"
#: Folders that are looked into.
_MOST_FOLDERS = 10_000


def store_for(url: str) -> Store | None:
    """Return what opens the bucket or other store of a URL; None for a web server.

    Raises
    ------
    InputError
        If the protocol is unknown, or its package is missing.
    """
    return None if is_web(url) else open_store(scheme_of(url))


def content_at(url: str, store: Store | None, most: int, allowed: Allowed, task: Task) -> bytes:
    """Return the bytes of a file.

    Parameters
    ----------
    url : str
        The file.
    store : Store or None
        Of :func:`store_for`.
    most : int
        Bytes that it may have.
    allowed : Allowed
        What may be asked of a web server, redirects included.
    task : Task
        How long it may take.

    Raises
    ------
    NotFetchedError
    """
    if store is None:
        return download(url, most, allowed, task)
    return store.read(url, store.find(url, task), most, task)


class Copier:
    """Copies files of one server or bucket to this machine.

    Parameters
    ----------
    url : str
        Of any file or folder there.
    most : int
        Bytes that a file may have.
    patience : Patience
        How long one waits.

    Raises
    ------
    InputError
        If the protocol is unknown, or its package is missing.
    """

    def __init__(self, url: str, most: int, patience: Patience) -> None:
        self._store: Store | None = store_for(url)
        # a redirect must not lead out of the server
        self._allowed = Allowed().also(store_of(url))
        self._most, self._patience = most, patience

    @property
    def lists(self) -> bool:
        """Whether it can tell which files are in a folder."""
        return self._store is not None

    def copy(self, files: Mapping[str, Path], reporter: Reporter) -> None:
        """Copy files, all or none that counts.

        Parameters
        ----------
        files : mapping of str to Path
            URL → where it goes.
        reporter : Reporter
            Shows progress.

        Raises
        ------
        NotFetchedError
            If one can't be had.
        """
        pool, tasks = ThreadPoolExecutor(_THREADS), Tasks(self._patience)

        def one(url: str, path: Path) -> None:
            content = patiently(lambda: self._content(url, tasks), self._patience, tasks.stop)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            except ValueError:
                raise NotFetchedError(_NO_NAME) from None
            except OSError as error:
                if error.errno == errno.ENAMETOOLONG:
                    raise NotFetchedError(_NO_NAME) from None
                raise MachineError(f"the table can't be copied to {path.parent}: {error.strerror or error}") from error

        try:
            with reporter.bar("fetching the table") as progress:
                step = counted(progress, len(files))
                for _ in pool.map(one, files, files.values()):
                    step(1)
        finally:
            tasks.stop.set()
            pool.shutdown(cancel_futures=True)

    def _content(self, url: str, tasks: Tasks) -> bytes:
        with tasks.one() as task:
            return content_at(url, self._store, self._most, self._allowed, task)

    def names(self, folder: str) -> dict[str, bool]:
        """Return the names in a folder, and whether each is a folder.

        Parameters
        ----------
        folder : str
            Its URL, with a slash at its end.

        Raises
        ------
        NotFetchedError
            If it can't be had, or does not exist.
        """
        store = self._store
        if store is None:
            raise TypeError("a server of web pages lists no folder")

        tasks = Tasks(self._patience)

        def listed() -> dict[str, bool]:
            with tasks.one() as task:
                facts = store.call("ls", folder, task, detail=True)
            named = {posixpath.basename(each["name"].rstrip("/")): each["type"] == "directory" for each in facts}
            # a bucket may have an empty object for the folder itself
            own = posixpath.basename(folder.rstrip("/"))
            if not {".", ".."}.isdisjoint(named):
                # whoever filled the bucket must not choose where a copy goes
                raise NotFetchedError("has names that go up (..)")
            same = {each["name"].rstrip("/") for each in facts} & {store.files._strip_protocol(folder).rstrip("/")}
            return {name: is_folder for name, is_folder in named.items() if name and not (same and name == own)}

        return patiently(listed, self._patience, tasks.stop)

    def below(self, folder: str, enters: Callable[[str, Mapping[str, bool]], bool]) -> dict[str, bool]:
        """Return the paths below a folder, relative to it, and whether each is a folder.

        Parameters
        ----------
        folder : str
            Its URL, with a slash at its end.
        enters : callable
            Whether to look into a folder below, by its path and by the names beside it.

        Raises
        ------
        NotFetchedError
            As for :meth:`names`.
        """
        found: dict[str, bool] = {}
        waiting = [""]
        for _ in range(_MOST_FOLDERS):
            if not waiting:
                return found
            above = waiting.pop()
            names = self.names(folder + above)
            for name, is_folder in names.items():
                found[above + name] = is_folder
                if is_folder and enters(above + name, names):
                    waiting.append(f"{above}{name}/")
        raise NotFetchedError(f"has more than {_MOST_FOLDERS:,} folders")
