"""The photos of N rows, decoded once: taken from the cache, or read, decoded and added to it."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from training.engine.contract import LOCAL, Engine, Piece, Steps
from training.errors import MachineError
from training.images.cache import PhotoCache
from training.images.decoding import PhotoFacts, Pixels, decode
from training.images.reading import MAX_BYTES, NO_PHOTO, photo_content, why_unreadable
from training.images.shards import CachedPhotos, ShardIndex, bytes_of, files_in, shards_in, write_shard
from training.images.store import PhotoStore, photos_missing
from training.utils.machine import room
from training.utils.parallel import cores, map_ahead
from training.utils.progress import SILENT, Reporter, counted
from training.utils.units import bytes_text, home_as_tilde

__all__ = ["Look", "store_photos"]


class Look(Protocol):
    """Another use of photos while they are read; can be pickled, for other processes."""

    def __call__(self, content: bytes, sha256: str, sides: tuple[int, int]) -> None:
        """Use a photo: bytes of the file, their SHA-256, upright width and height; called by several threads."""

    def flush(self) -> None:
        """Keep for other processes what is not kept yet."""


# another process may trim the cache between the look-up and the end; if it happens more often, it is no accident
_ATTEMPTS = 3
# photos that are read ahead, for each thread
_AHEAD = 4
# of one core for a photo: decoded, and also looked at for text
_SECONDS, _SECONDS_LOOKED_AT = 0.006, 0.04


def store_photos(
    paths: Sequence[Path | None],
    *,
    size: int,
    cache: PhotoCache,
    spare: Path,
    look: Look | None = None,
    max_bytes: int = MAX_BYTES,
    engine: Engine = LOCAL,
    reporter: Reporter = SILENT,
) -> tuple[PhotoStore, list[PhotoFacts]]:
    """Read all photos; decode those that are not in the cache, and add them to it.

    Every file is read and hashed, so a changed photo is never confused with the old one. Memory holds one shard of
    pixels and a few photos for each thread. An interrupted call resumes after the last complete shard.

    Parameters
    ----------
    paths : sequence of Path or None, length N
        None for a listing without a photo.
    size : int
        Side of the squares in pixels.
    cache : PhotoCache
        Gets the photos, and is trimmed to its limit afterwards; the photos of this store stay.
    spare : Path
        A folder for the photos if the cache can't be written or could not hold all of them.
    look : Look, optional
        Another use of the photos, so that their files are opened only once. Called once for each different content
        that can be decoded (again if the photos must be read again): with the bytes of the file, their SHA-256 in
        hexadecimal, and the upright width and height. An engine with several processes calls copies of it.
    max_bytes : int
        A photo in a larger file is not read, and unreadable.
    engine : Engine
        Where photos are read and decoded.
    reporter : Reporter
        Shows how many photos are done, how many came from the cache, and whether `spare` had to be used.

    Returns
    -------
    store : PhotoStore
        The photos; rows of unreadable ones are zeros and must not be used.
    facts : list of PhotoFacts, length N
        `error` says which are unreadable. These are never stored.

    Raises
    ------
    MachineError
        If `spare` can't be written either.
    """
    filling = _Filling(paths, size, cache, spare, look, max_bytes, sum(path is not None for path in paths))
    for _ in range(_ATTEMPTS):
        with reporter.bar("reading photos") as progress:
            on_step = counted(progress, len(paths))
            pieces = list(engine.run(filling, folder=spare.parent, on_step=on_step, reporter=reporter))
        read = _Read(pieces, size)
        if read.store.touch():
            break
    else:
        raise photos_missing(cache.folder)
    cache.trim(keep=read.store.files)
    where = _where(cache, spare, size, in_spare=any(bool(piece["in_spare"]) for piece in pieces))
    reporter.say(f"photos: {read.reused:,} from the cache, {read.decoded:,} decoded; {where}")
    return read.store, read.facts()


@dataclass(frozen=True)
class _Filling:
    """The task of filling the cache with the photos of rows; yields one piece, with where they are.

    Attributes
    ----------
    most : int
        Photos of all rows of the table, which decides whether the cache can hold them.
    """

    paths: Sequence[Path | None]
    size: int
    cache: PhotoCache
    spare: Path
    look: Look | None
    max_bytes: int
    most: int
    cores: int = 1
    gpus: int = 0

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.paths)

    @property
    def seconds(self) -> float:
        """For a photo from a camera, decoded; and looked at."""
        return _SECONDS if self.look is None else _SECONDS_LOOKED_AT

    def part(self, units: range) -> _Filling:
        """Return the task for some rows; other processes have other current folders."""
        paths = [path and path.absolute() for path in self.paths[units.start : units.stop]]
        return replace(self, paths=paths, spare=self.spare.absolute())

    def __call__(self, on_step: Steps, reporter: Reporter) -> Iterator[Piece]:
        """Read the photos."""
        ingest = _Ingest(self, reporter)
        try:
            ingest.read(on_step)
        finally:
            # neither decoded photos nor what was seen in them are lost when someone presses Ctrl-C
            ingest.writer.flush()
            if self.look is not None:
                self.look.flush()
        yield ingest.piece()


class _Read:
    """What was read of all rows.

    Parameters
    ----------
    pieces : sequence of Piece
        Of consecutive rows, in order.
    size : int
        Side of the photos in pixels.

    Attributes
    ----------
    store : PhotoStore
        The photos.
    decoded, reused : int
        How many of them were not in the cache before, and how many were; listings with the same photo count once.
    """

    def __init__(self, pieces: Sequence[Piece], size: int) -> None:
        files: dict[str, int] = {}
        for piece in pieces:
            for file in piece["files"].tolist():
                files.setdefault(file, len(files))
        # the last number is that of no file, which rows without a photo have
        numbers = [np.array([*(files[file] for file in piece["files"].tolist()), -1]) for piece in pieces]
        parts = [own[piece["shard"]] for piece, own in zip(pieces, numbers, strict=True)]
        shard = np.concatenate(parts).astype(np.int32)
        slot = np.concatenate([piece["slot"] for piece in pieces])
        self.store = PhotoStore([Path(file) for file in files], shard, slot, size)
        self.decoded = sum(int(piece["decoded"]) for piece in pieces)
        # a part may find what an earlier one has decoded
        new = {file for piece in pieces for file in piece["written"].tolist()}
        written = np.array([*(file in new for file in files), True])
        of_cache = (shard >= 0) & ~written[shard]
        self.reused = len(np.unique(shard[of_cache].astype(np.int64) << 32 | slot[of_cache]))
        self._pieces = pieces

    def facts(self) -> list[PhotoFacts]:
        """Return the facts about each row."""
        return [fact for piece in self._pieces for fact in _facts(piece)]


def _facts(piece: Piece) -> Iterator[PhotoFacts]:
    errors = dict(zip(piece["bad"].tolist(), piece["errors"].tolist(), strict=True))
    for row, (digest, known, (width, height)) in enumerate(
        zip(piece["sha256"], piece["known"].tolist(), piece["sides"].tolist(), strict=True)
    ):
        sha256 = digest.tobytes().hex() if known else None
        yield PhotoFacts(sha256, error=errors[row]) if row in errors else PhotoFacts(sha256, width, height)


@dataclass(frozen=True)
class _Photo:
    """The result of a thread: the number of a cached photo, or pixels, or an error; none if another row has them."""

    digest: bytes | None = None
    error: str | None = None
    cached: int = -1
    pixels: Pixels | None = None
    sides: tuple[int, int] = (0, 0)


class _Ingest:
    """The rows of a store in the making."""

    def __init__(self, filling: _Filling, reporter: Reporter) -> None:
        paths, size, cache, spare = filling.paths, filling.size, filling.cache, filling.spare
        self.paths, self.size, self.look, self.max_bytes = paths, size, filling.look, filling.max_bytes
        self.cached = CachedPhotos([*shards_in(cache.folder_of(size)), *shards_in(spare / str(size))])
        self.writer = _Writer(size, len(paths), filling.most, cache, spare, reporter)
        rows = len(paths)
        self.shard, self.slot = np.full(rows, -1, dtype=np.int32), np.zeros(rows, dtype=np.int32)
        self.sides = np.zeros((rows, 2), dtype=np.int64)
        self.digests: list[bytes | None] = [None] * rows
        self.errors: dict[int, str] = {}
        # the row that looks at a photo which several rows have
        self.first: dict[bytes, int] = {}

    def read(self, on_step: Steps) -> None:
        repeated = []
        threads = min(32, cores() + 4)  # a few more than cores, as some of them wait for the disk
        # a large photo is no attack here, and Pillow's warnings about odd EXIF do not concern the pixels
        with warnings.catch_warnings(), ThreadPoolExecutor(threads) as pool:
            warnings.simplefilter("ignore")
            # decoding releases the interpreter's lock, so threads use all cores without copying pixels
            for row, photo in enumerate(map_ahead(pool, self._examine, enumerate(self.paths), threads * _AHEAD)):
                if not self._record(row, photo):
                    repeated.append(row)
                on_step(1)
        for row in repeated:
            self._copy(row)

    def _examine(self, item: tuple[int, Path | None]) -> _Photo:
        row, path = item
        if path is None:
            return _Photo(error=NO_PHOTO)
        try:
            with photo_content(path, self.max_bytes) as content:
                return self._read(row, content)
        except Exception as error:  # whatever a path leads to becomes an issue
            return _Photo(error=why_unreadable(error))

    def _read(self, row: int, content: bytes) -> _Photo:
        digest = hashlib.sha256(content).digest()
        cached = self.cached.find(digest)
        # atomic, also between threads: exactly one row looks at the photo
        if self.first.setdefault(digest, row) != row:
            return _Photo(digest)
        if cached >= 0 and self.cached.read(cached) is not None:
            width, height = self.cached.place(cached)[2].tolist()
            self._look(content, digest, (width, height))
            return _Photo(digest, cached=cached)
        try:
            pixels, sides = decode(content, self.size)
        except Exception as error:  # a damaged file can raise anything in a decoder; it becomes an issue
            return _Photo(digest, why_unreadable(error))
        self._look(content, digest, sides)
        return _Photo(digest, pixels=pixels, sides=sides)

    def _look(self, content: bytes, digest: bytes, sides: tuple[int, int]) -> None:
        if self.look is not None:
            self.look(content, digest.hex(), sides)

    def _record(self, row: int, photo: _Photo) -> bool:
        """Record where the photo of a row is; return False if that is known only once another row is done."""
        self.digests[row] = photo.digest
        if photo.error is not None:
            self.errors[row] = photo.error
        elif photo.cached >= 0:
            self.shard[row], self.slot[row], self.sides[row] = self.cached.place(photo.cached)
        elif photo.pixels is not None and photo.digest is not None:
            shard, self.slot[row] = self.writer.add(photo.digest, photo.pixels, photo.sides)
            self.shard[row], self.sides[row] = len(self.cached.paths) + shard, photo.sides
        else:
            return False
        return True

    def _copy(self, row: int) -> None:
        first = self.first[self.digests[row] or b""]
        if first in self.errors:
            self.errors[row] = self.errors[first]
        self.shard[row], self.slot[row], self.sides[row] = self.shard[first], self.slot[first], self.sides[first]

    def piece(self) -> Piece:
        """Return where the photos of the rows are, and the facts about them."""
        files = np.array([str(path) for path in (*self.cached.paths, *self.writer.paths)], dtype=np.str_)
        used, shard = np.unique(self.shard, return_inverse=True)
        # rows without a photo come first, and keep -1
        none = int(len(used) > 0 and used[0] < 0)
        known = np.array([digest is not None for digest in self.digests], dtype=bool)
        hashes = b"".join(digest or bytes(32) for digest in self.digests)
        return {
            "files": files[used[none:]],
            "written": np.array([str(path) for path in self.writer.paths], dtype=np.str_),
            "shard": (shard - none).astype(np.int32),
            "slot": self.slot,
            "sides": self.sides,
            "sha256": np.frombuffer(hashes, dtype=np.uint8).reshape(len(known), 32),
            "known": known,
            "bad": np.array(list(self.errors), dtype=np.int64),
            "errors": np.array(list(self.errors.values()), dtype=np.str_),
            "decoded": np.array(self.writer.added),
            "in_spare": np.array(self.writer.in_spare),
        }


class _Writer:
    """Collects decoded photos and writes each full shard."""

    def __init__(self, size: int, rows: int, most: int, cache: PhotoCache, spare: Path, reporter: Reporter) -> None:
        self.size, self.cache, self.spare, self.reporter = size, cache, spare, reporter
        each = 3 * size * size
        self.capacity = max(1, min(rows, cache.shard_bytes // each))
        self.in_spare = False
        if most * each > cache.limit:
            self._use_spare(
                f"the photos need up to {bytes_text(most * each)}, the photo cache may hold {bytes_text(cache.limit)}",
                "A higher CURATE_CACHE_LIMIT lets later runs use them too",
            )
        self.paths: list[Path] = []
        self.added = 0
        self._digests: list[bytes] = []
        self._sides: list[tuple[int, int]] = []
        self._pixels: Pixels = np.empty((self.capacity, size, size, 3), dtype=np.uint8)

    def add(self, digest: bytes, pixels: Pixels, sides: tuple[int, int]) -> tuple[int, int]:
        """Take a photo; return the number of its shard, among those written here, and its slot there."""
        if len(self._digests) == self.capacity:
            self.flush()
        place = len(self.paths), len(self._digests)
        self._pixels[place[1]] = pixels
        self._digests.append(digest)
        self._sides.append(sides)
        self.added += 1
        return place

    def flush(self) -> None:
        """Write the photos collected so far."""
        count = len(self._digests)
        if not count:
            return
        sha256 = np.frombuffer(b"".join(self._digests), dtype=np.uint8).reshape(count, 32)
        self.paths.append(self._write(ShardIndex(sha256, np.array(self._sides, dtype=np.int64)), self._pixels[:count]))
        self._digests, self._sides = [], []

    def _write(self, index: ShardIndex, pixels: Pixels) -> Path:
        if not self.in_spare:
            try:
                return write_shard(self.cache.folder_of(self.size), index, pixels).pixels
            except OSError as error:
                self._use_spare(
                    f"the photo cache {home_as_tilde(self.cache.folder)} can't be written ({_reason(error)})",
                    "Name another folder with CURATE_CACHE_DIR, or free space there",
                )
        try:
            return write_shard(self.spare / str(self.size), index, pixels).pixels
        except OSError as error:
            wanted = room(error, self.spare)
            raise MachineError(
                f"the photos can't be kept in {self.spare}: {_reason(error)}{f'; wanted {wanted}' if wanted else ''}. "
                "Make room, and run the same command again to resume."
            ) from error

    def _use_spare(self, why: str, fix: str) -> None:
        self.in_spare = True
        self.reporter.say(f"{why}: the photos are kept in {home_as_tilde(self.spare)}. {fix}.")


def _where(cache: PhotoCache, spare: Path, size: int, *, in_spare: bool) -> str:
    """Describe where the photos are and how much space they take."""
    if in_spare:
        used = sum(bytes_of(path) for path in files_in(spare / str(size)))
        return f"{bytes_text(used)} are kept in {home_as_tilde(spare)}"
    used, limit = cache.used(), cache.limit
    return f"the cache holds {bytes_text(used)} of at most {bytes_text(limit)} ({home_as_tilde(cache.folder)})"


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
