"""Buckets and other stores that fsspec opens: what a file is there, and its bytes, or why there are none."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import time
from collections.abc import Coroutine
from concurrent.futures import wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.errors import InputError
from curation.remote.bounds import NotFetchedError, Task
from training.utils.units import bytes_text

__all__ = ["Found", "Store", "open_store"]

#: Seconds between two looks whether to stop.
_LOOK = 0.2
#: Hexadecimal digits of the hash of a version, 64 bits.
_VERSION_LENGTH = 16
#: Facts of fsspec's file systems that change with the content; the first that is there counts.
_VERSION = (
    *("ETag", "etag", "md5Hash", "md5", "content_md5", "generation"),
    *("mtime", "LastModified", "last_modified", "created"),
)
#: Errors of servers that may not come again in a moment, as file systems number them (s3fs: 500 and 503).
_AGAIN = frozenset({errno.EBUSY, errno.EREMOTEIO, errno.EIO, errno.EAGAIN, errno.ETIMEDOUT})
#: Errors of other packages that are about all of a store, by their names: nothing of these packages is imported here.
_OF_ALL = {
    "NoCredentialsError": "has no credentials",
    "PartialCredentialsError": "has only a part of the credentials",
    "TokenRetrievalError": "has credentials that have expired",
    "DefaultCredentialsError": "has no credentials",
    "RefreshError": "has credentials that have expired",
    "NoSuchBucket": "names a bucket that does not exist",
    "InvalidAccessKeyId": "has credentials that the server doesn't know",
    "SignatureDoesNotMatch": "has credentials that the server refuses",
    "ExpiredToken": "has credentials that have expired",
}
_EXTRA = {"s3", "s3a", "gs", "gcs"}


@dataclass(frozen=True)
class Found:
    """What a store says of a file.

    Attributes
    ----------
    size : int or None
        Bytes; None if it does not know.
    version : str
        What changes with the content, as letters and figures.
    """

    size: int | None
    version: str


class Store:
    """One of fsspec's file systems; used by several threads.

    Parameters
    ----------
    files : fsspec.AbstractFileSystem
        The file system.
    """

    def __init__(self, files: Any) -> None:
        self.files = files

    def find(self, url: str, task: Task) -> Found:
        """Return the size and version of a file, as the store reports them.

        Raises
        ------
        NotFetchedError
        """
        facts = self.call("info", url, task)
        if facts.get("type") == "directory":
            raise NotFetchedError("is a folder")
        size = facts.get("size")
        # the hash of the content, where it is told, says more than the time
        told = next((str(facts[key]) for key in _VERSION if facts.get(key)), "")
        version = hashlib.sha256(f"{size}\n{told}".encode()).hexdigest()[:_VERSION_LENGTH]
        return Found(None if size is None else int(size), version)

    def read(self, url: str, found: Found, most: int, task: Task) -> bytes:
        """Return the bytes of a file.

        Parameters
        ----------
        url : str
            The file.
        found : Found
            What the store says of it.
        most : int
            Bytes that it may have.
        task : Task
            How long it may take.

        Raises
        ------
        NotFetchedError
        """
        size = most if found.size is None else found.size
        if size > most:
            raise NotFetchedError(f"is larger than {bytes_text(most)}")
        if size == 0:
            return b""
        task.room.grow(size)
        # no more than was said, whatever the file has become
        content = bytes(self.call("cat_file", url, task, expected=size, start=0, end=size))
        if found.size is not None and len(content) != size:
            raise NotFetchedError("broke off before its end", again=True)
        return content

    def save(self, url: str, found: Found, file: Path, task: Task) -> None:
        """Write the bytes of a file to one of this machine; they are not held in memory.

        Parameters
        ----------
        url : str
            The file.
        found : Found
            What the store says of it.
        file : Path
            Where they go.
        task : Task
            How long it may take.

        Raises
        ------
        NotFetchedError
        """
        self.call("get_file", url, task, expected=found.size or 0, lpath=str(file))

    def send(self, file: Path, url: str, task: Task) -> None:
        """Write a file of this machine to a URL; in a bucket, whole or not at all.

        Parameters
        ----------
        file : Path
            The file.
        url : str
            Where it goes; what is there is replaced.
        task : Task
            How long it may take.

        Raises
        ------
        NotFetchedError
        """
        if not getattr(self.files, "async_impl", False):
            # buckets have no folders
            self.call("makedirs", url.rpartition("/")[0], task, exist_ok=True)
        self.call("put_file", url, task, str(file), expected=file.stat().st_size)

    def call(self, name: str, url: str, task: Task, *before: Any, expected: int = 0, **options: Any) -> Any:
        """Return what a method of the file system gives for a URL.

        Parameters
        ----------
        name : str
            Of the method.
        url : str
            What it is about.
        task : Task
            How long it may take.
        *before
            What the method takes before the URL.
        expected : int
            Bytes that it gives.

        Raises
        ------
        NotFetchedError
        """
        path = self.files._strip_protocol(url)
        try:
            if getattr(self.files, "async_impl", False):
                return self._awaited(getattr(self.files, f"_{name}")(*before, path, **options), task, expected)
            return getattr(self.files, name)(*before, path, **options)
        except NotFetchedError:
            raise
        except Exception as error:
            # each file system has errors of its own
            raise _failed(error) from error

    def _awaited(self, work: Coroutine[Any, Any, Any], task: Task, expected: int) -> Any:
        begin, future = time.monotonic(), asyncio.run_coroutine_threadsafe(work, self.files.loop)
        try:
            while not wait([future], _LOOK).done:
                task.check(begin, expected)
            return future.result()
        finally:
            future.cancel()


def _failed(error: Exception) -> NotFetchedError:
    """Return what an error means, without its own words: they may hold what nobody should see."""
    code = ""
    if isinstance(answer := getattr(error.__cause__ or error, "response", None), dict):
        code = str(answer.get("Error", {}).get("Code", ""))
    for name in (code, type(error).__name__):
        if name in _OF_ALL:
            return NotFetchedError(_OF_ALL[name], of_all=True)
    if "bucket does not exist" in str(error):
        return NotFetchedError(_OF_ALL["NoSuchBucket"], of_all=True)
    if isinstance(error, FileNotFoundError):
        return NotFetchedError("does not exist", missing=True)
    if isinstance(error, PermissionError):
        return NotFetchedError("is refused: no permission", of_all=True)
    if isinstance(error, IsADirectoryError):
        return NotFetchedError("is a folder")
    if isinstance(error, TimeoutError):
        return NotFetchedError("gives no answer in time", again=True, of_all=True)
    if isinstance(error, OSError) and not isinstance(error, ConnectionError) and error.errno not in _AGAIN:
        # a name that can't be one, a method that is not allowed
        said = f"{code or errno.errorcode.get(error.errno or 0, type(error).__name__)}"
        return NotFetchedError(f"can't be read ({said})", again=error.errno is None, of_all=True)
    return NotFetchedError(f"can't be reached ({code or type(error).__name__})", again=True, of_all=True)


def open_store(scheme: str) -> Store:
    """Return what opens the URLs of a protocol; its credentials and settings are those that fsspec finds.

    Parameters
    ----------
    scheme : str
        The protocol, e.g. ``"s3"``.

    Raises
    ------
    InputError
        If the protocol is unknown, or its package is missing.
    """
    import fsspec  # slow to import

    try:
        kind = fsspec.get_filesystem_class(scheme)
    except ValueError:
        raise InputError(
            f"{scheme}:// is no protocol of fsspec",
            got=f"{scheme}://",
            wanted="http, https, s3, gs or another protocol of fsspec",
            parameter="fetch",
        ) from None
    except ImportError as error:
        fix = "Install it: pip install 'curate-listings[remote]'." if scheme in _EXTRA else "Install it."
        raise InputError(
            f"{scheme}:// needs a package that is not installed",
            got=str(error).splitlines()[0],
            fix=fix,
            parameter="fetch",
        ) from None
    try:
        # what was listed once may have changed
        files = kind(use_listings_cache=False, skip_instance_cache=True, **_options(scheme))
        files._strip_protocol(f"{scheme}://bucket/name")
    except Exception as error:
        # it wants a server, an archive or another protocol besides
        raise InputError(
            f"{scheme}:// can't be opened by its URLs alone",
            got=f"{type(error).__name__} from the package for it",
            wanted="http, https, s3, gs, or a protocol of fsspec that needs nothing but its settings",
            parameter="fetch",
        ) from error
    if hasattr(files, "retries"):
        # it is asked again here, and nowhere below
        files.retries = 1
    return Store(files)


def _options(scheme: str) -> dict[str, Any]:
    if scheme not in ("s3", "s3a"):
        return {}
    import fsspec.config

    own = fsspec.config.conf.get("s3", {}).get("config_kwargs", {})
    return {"config_kwargs": {"retries": {"max_attempts": 0}, **own}}
