"""The photo cache: what was made of photos and titles, that later runs use again; its size is bounded.

Its shards (:mod:`training.images.shards`) are in ``<folder>/photos-v1/<side>/``, small photos by which reposts are
found (:mod:`curation.photos.near_duplicates`) in ``<folder>/small-v1/<sides and version>/``, features
(:mod:`training.features.kept`) in ``<folder>/features-v1/<network, side and hardware>/``, those of titles
(:mod:`training.features.sentences`) in ``<folder>/titles-v1/<package, version and hardware>/``, and text
(:mod:`curation.photos.text_cache`) in ``<folder>/text-v1/<recipe>/``. Photos that were fetched from the web
(:mod:`curation.listings.fetch`) are in ``<folder>/fetched-v1/``: originals, so new runs never delete them.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from operator import itemgetter
from pathlib import Path

from training.errors import MachineError, check_path
from training.images.shards import Shard, bytes_of, delete, files_in, shards_in, used_at
from training.utils.flock import locked_folder
from training.utils.units import home_as_tilde, parse_bytes

__all__ = ["DEFAULT_LIMIT", "FETCHED", "SHARD_BYTES", "PhotoCache", "default_cache", "open_cache"]

#: The folder of photos that were fetched from the web.
FETCHED = "fetched-v1"
DEFAULT_LIMIT = 20 * 10**9
# held in memory until written, so a killed process loses at most as much: 5,000 photos of 64 pixels, 400 of 224
SHARD_BYTES = 64 * 10**6
_LEFT_OVER_SECONDS = 24 * 3600


@dataclass(frozen=True)
class PhotoCache:
    """The decoded photos that runs share.

    Attributes
    ----------
    folder : Path
        Made when the first photo is stored.
    limit : int
        Most bytes that it may hold.
    shard_bytes : int
        Most bytes of pixels in one shard, which has at least one photo.
    """

    folder: Path
    limit: int
    shard_bytes: int = SHARD_BYTES

    @property
    def root(self) -> Path:
        """The folder of decoded photos; `folder` itself may hold other things, too."""
        return self.folder / "photos-v1"

    @property
    def features_root(self) -> Path:
        """The folder of features that networks made of photos, a folder for each network, size and hardware."""
        return self.folder / "features-v1"

    @property
    def small_root(self) -> Path:
        """The folder of small photos by which reposts are found, a folder for each size that they are made of."""
        return self.folder / "small-v1"

    @property
    def titles_root(self) -> Path:
        """The folder of features of titles, a folder for each package, version and hardware."""
        return self.folder / "titles-v1"

    @property
    def text_root(self) -> Path:
        """The folder of text read in photos."""
        return self.folder / "text-v1"

    @property
    def fetched_root(self) -> Path:
        """The folder of photos that were fetched."""
        return self.folder / FETCHED

    def fetched_files(self) -> list[Path]:
        """Return the complete photos that were fetched."""
        return [path for path in files_in(self.fetched_root) if not _temporary(path)]

    def fetched_bytes(self) -> int:
        """Return the bytes of the photos that were fetched."""
        return sum(bytes_of(path) for path in files_in(self.fetched_root))

    def text_files(self) -> list[Path]:
        """Return the complete files of text read in photos."""
        return [path for folder in files_in(self.text_root) for path in files_in(folder) if not _temporary(path)]

    def folder_of(self, size: int) -> Path:
        """Return the folder of the photos with sides of `size` pixels."""
        return self.root / str(size)

    def sizes(self) -> dict[int, list[Shard]]:
        """Return the shards of every size."""
        folders = {int(path.name): path for path in files_in(self.root) if path.name.isdecimal()}
        return {size: shards_in(folders[size]) for size in sorted(folders)}

    def features(self) -> list[Shard]:
        """Return the shards of features."""
        return _shards_below(self.features_root)

    def small(self) -> list[Shard]:
        """Return the shards of small photos."""
        return _shards_below(self.small_root)

    def titles(self) -> list[Shard]:
        """Return the shards of features of titles."""
        return _shards_below(self.titles_root)

    def _shards(self) -> list[Shard]:
        return [*chain.from_iterable(self.sizes().values()), *self.small(), *self.features(), *self.titles()]

    def used(self) -> int:
        """Return the bytes of what it can make again: of all its files but the fetched ones."""
        return sum(bytes_of(path) for path in self._files())

    def trim(self, keep: Collection[Path] = (), *, fetched: bool = False) -> int:
        """Delete the least recently used files until the cache is within its limit.

        Parameters
        ----------
        keep : collection of Path
            Pixel files that must stay, whatever the limit.
        fetched : bool
            Whether fetched photos are counted and deleted, too. If not, they are neither.

        Returns
        -------
        int
            Bytes freed.
        """
        # two at once would count the same files, and delete more than they need to
        with locked_folder(self.folder):
            return self._trim(keep, fetched=fetched)

    def _trim(self, keep: Collection[Path], *, fetched: bool) -> int:
        before = used = self.used() + (self.fetched_bytes() if fetched else 0)
        with contextlib.suppress(OSError):
            self._remove_left_overs()
            used = self.used() + (self.fetched_bytes() if fetched else 0)
            parts = [
                (used_at(each.index), each.bytes(), each.remove) for each in self._shards() if each.pixels not in keep
            ]
            parts += [(used_at(path), bytes_of(path), partial(delete, path)) for path in self.text_files()]
            if fetched:
                parts += [(used_at(path), bytes_of(path), partial(delete, path)) for path in self.fetched_files()]
            for _, size, remove in sorted(parts, key=itemgetter(0)):
                if used <= self.limit:
                    break
                remove()
                used -= size
        return before - used

    def clear(self) -> int:
        """Delete everything; return the bytes freed. A run that needs its photos decodes, or fetches, them again.

        Raises
        ------
        MachineError
            If something can't be deleted.
        """
        before = self.used() + self.fetched_bytes()
        try:
            for shard in self._shards():
                shard.remove()
            for path in [*self.text_files(), *self.fetched_files()]:
                delete(path)
            self._remove_left_overs()
        except OSError as error:
            raise MachineError(f"{home_as_tilde(self.root)} can't be cleared: {error.strerror or error}") from error
        return before - self.used() - self.fetched_bytes()

    def _files(self) -> Iterator[Path]:
        roots = (self.root, self.small_root, self.features_root, self.titles_root, self.text_root)
        for folder in chain.from_iterable(map(files_in, roots)):
            yield from (path for path in files_in(folder) if path.is_file())

    def _remove_left_overs(self) -> None:
        """Remove the remains of killed processes: temporary files, and pixels whose index was never written."""
        yesterday = time.time() - _LEFT_OVER_SECONDS
        for path in [*self._files(), *files_in(self.fetched_root)]:
            unfinished = _temporary(path) or (path.suffix == ".npy" and not path.with_suffix(".npz").exists())
            if unfinished and used_at(path) < yesterday:
                path.unlink(missing_ok=True)


def _shards_below(root: Path) -> list[Shard]:
    return [shard for folder in files_in(root) for shard in shards_in(folder)]


def _temporary(path: Path) -> bool:
    return path.name.startswith(".")


def default_cache(folder: Path | None = None) -> PhotoCache:
    """Return the cache in `folder`, by default in the one that the environment names or the system suggests."""
    chosen = folder.expanduser() if folder else default_cache_folder()
    # absolute, as other processes and later commands open its files
    return PhotoCache(chosen.absolute(), default_cache_limit())


def open_cache(cache: PhotoCache | str | Path | None) -> PhotoCache:
    """Return a cache as it is, the one in a folder, or the user's."""
    return cache if isinstance(cache, PhotoCache) else default_cache(None if cache is None else Path(cache))


def default_cache_folder() -> Path:
    """Return ``$CURATE_CACHE_DIR``, else ``$XDG_CACHE_HOME/curate``, else ``~/.cache/curate``."""
    if named := os.environ.get("CURATE_CACHE_DIR"):
        check_path(named, "CURATE_CACHE_DIR")
        return Path(named).expanduser()
    # a relative path there is to be ignored (XDG Base Directory Specification 0.8)
    if (base := Path(os.environ.get("XDG_CACHE_HOME", ""))).is_absolute():
        return base / "curate"
    try:
        return Path.home() / ".cache" / "curate"
    except RuntimeError:
        # a user without a home, as in some containers; nothing can be written there, which is reported later
        return Path("/.cache/curate")


def default_cache_limit() -> int:
    """Return the bytes of ``$CURATE_CACHE_LIMIT``, else 20 GB."""
    named = os.environ.get("CURATE_CACHE_LIMIT")
    return parse_bytes(named, "CURATE_CACHE_LIMIT") if named else DEFAULT_LIMIT
