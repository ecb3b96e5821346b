"""Files of NumPy, read without running code in them, and within what they can hold."""

from __future__ import annotations

import ast
import math
import os
import weakref
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from training.utils.arrays import Int64
from training.utils.bounded import check_claim
from training.utils.files import open_regular, sound
from training.utils.units import bytes_text

__all__ = ["Arrays", "ObjectsError", "Parts", "Rows", "map_array", "open_arrays", "read_array", "write_arrays"]

_MAGIC, _ZIP = b"\x93NUMPY", b"PK\x03\x04"
#: By the version of the format: bytes that hold the length of the line that describes the array, and its encoding.
_VERSIONS = {(1, 0): (2, "latin-1"), (2, 0): (4, "latin-1"), (3, 0): (4, "utf-8")}
#: Characters of that line; NumPy's own limit.
_LONGEST = 10_000
_ENDING = ".npy"
#: Bytes that are read at a time: they fit into the cache of a processor.
_PART = 1 << 18
#: What zipfile raises for an archive that is damaged, packed with a password or in an unusual way.
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OverflowError, OSError)


class ObjectsError(ValueError):
    """An array holds Python objects, which are not opened because they may run code."""

    def __init__(self) -> None:
        super().__init__("it holds Python objects, which are not opened because they may run code")


class Arrays(Mapping[str, npt.NDArray[Any]]):
    """The arrays of a ``.npz``, each read when it is asked for; see :func:`open_arrays`."""

    def __init__(self, archive: zipfile.ZipFile, held: int) -> None:
        self._archive, self._held, self._claimed = archive, held, 0
        self._members = {member.filename.removesuffix(_ENDING): member for member in archive.infolist()}

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """Read one array.

        Raises
        ------
        ValueError
            If it is damaged, or claims more than the file can hold; :class:`ObjectsError` if it holds objects.
        """
        member = self._members[name]
        self._claimed += member.file_size
        check_claim(self._claimed, self._held, f"array {name!r}")
        try:
            with self._archive.open(member) as stream:
                return _read(stream, member.file_size)
        except ObjectsError:
            raise
        except (ValueError, *_DAMAGED) as error:
            raise ValueError(f"array {name!r}: {error}") from None

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the arrays."""
        return iter(self._members)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._members)


@contextmanager
def open_arrays(path: Path) -> Iterator[Arrays]:
    """Open a ``.npz`` while the block runs.

    Raises
    ------
    ValueError
        If it is none, or damaged.
    OSError
        If the file can't be read.
    """
    with open_regular(path) as stream:
        if stream.read(len(_MAGIC)) == _MAGIC:
            raise ValueError("it holds an array alone, which is a .npy")
        try:
            archive = zipfile.ZipFile(stream)
        except _DAMAGED as error:
            raise ValueError(f"it is no .npz: {error}") from None
        with archive:
            yield Arrays(archive, os.fstat(stream.fileno()).st_size)


@dataclass(frozen=True)
class Parts:
    """An array that is written in parts, because the whole would take too much memory.

    Attributes
    ----------
    shape : tuple of int
        Of the whole array.
    dtype : dtype
        Of the numbers.
    parts : iterable of ndarray
        Its rows, in order.
    """

    shape: tuple[int, ...]
    dtype: npt.DTypeLike
    parts: Iterable[npt.NDArray[Any]]


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any] | Parts]) -> None:
    """Write a ``.npz`` as :func:`numpy.savez` does, not compressed: that takes long, and hardly shrinks probabilities.

    Parameters
    ----------
    path : Path
        A temporary file; see :func:`training.utils.files.whole_file`.
    arrays : mapping of str to ndarray or Parts
        By name.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            whole = array if isinstance(array, Parts) else Parts(array.shape, array.dtype, [array])
            header = {"descr": npy.dtype_to_descr(np.dtype(whole.dtype)), "fortran_order": False, "shape": whole.shape}
            # a size that is not known yet may need more than 32 bits; the time of a member would make files differ
            with archive.open(zipfile.ZipInfo(name + _ENDING), "w", force_zip64=True) as stream:
                npy.write_array_header_1_0(stream, header)
                for part in whole.parts:
                    stream.write(np.ascontiguousarray(part, dtype=whole.dtype).data.cast("B"))


def read_array(path: Path) -> npt.NDArray[Any]:
    """Read a ``.npy``.

    Raises
    ------
    ValueError
        If it is none, is damaged, or claims more than it holds; :class:`ObjectsError` if it holds objects.
    OSError
        If the file can't be read.
    """
    with open_regular(path) as stream:
        if stream.read(len(_ZIP)) == _ZIP:
            raise ValueError("it holds several arrays, which is a .npz")
        stream.seek(0)
        return _read(stream, os.fstat(stream.fileno()).st_size)


def map_array(path: Path) -> npt.NDArray[Any]:
    """Map a ``.npy`` that curate wrote into memory, to be read only where it is used.

    Raises
    ------
    DamagedError
        If it is none, is damaged, claims more than it holds, or holds objects.
    OSError
        If the file can't be read.
    """
    with open_regular(path) as stream:
        with sound(path):
            dtype, shape, order = _described(stream, os.fstat(stream.fileno()).st_size)
        if not math.prod(shape):
            return np.empty(shape, dtype)
        return np.memmap(stream, dtype, "r", stream.tell(), shape, order)


class Rows:
    """The rows of a ``.npy`` that curate wrote, read where they are asked for, by several threads at once.

    Pages of a mapped file count as memory of the process once they were read. These do not, and a file that becomes
    shorter is an error instead of the end of the process.

    Parameters
    ----------
    path : Path
        Stays open, also if it is deleted, until this object is gone.

    Attributes
    ----------
    shape : tuple of int
        (n, ...).
    dtype : dtype
        Of the numbers.

    Raises
    ------
    DamagedError
        If it is none, is damaged, claims more than it holds, or holds objects.
    OSError
        If the file can't be read.
    """

    def __init__(self, path: Path) -> None:
        with open_regular(path) as stream:
            with sound(path):
                self.dtype, self.shape, columns_first = _described(stream, os.fstat(stream.fileno()).st_size)
                if not self.shape or columns_first == "F":
                    raise ValueError("it has no rows, one after the other")
            self._start, self._file = stream.tell(), os.dup(stream.fileno())
        weakref.finalize(self, os.close, self._file)
        self._bytes = math.prod(self.shape[1:]) * self.dtype.itemsize

    def __len__(self) -> int:
        """Return how many rows there are."""
        return int(self.shape[0])

    def __getitem__(self, places: Int64, /) -> npt.NDArray[Any]:
        """Return the rows at `places`, shape (m,), as a new array of shape (m, ...).

        Raises
        ------
        IndexError
            If there is no such row.
        ValueError
            If the file has become shorter.
        OSError
            If it can't be read.
        """
        values = np.empty((len(places), *self.shape[1:]), self.dtype)
        into = values.reshape(-1).view(np.uint8).reshape(len(places), self._bytes)
        for row, place in enumerate(places.tolist()):
            if not 0 <= place < len(self):
                raise IndexError(f"row {place:,} of {len(self):,}")
            content = os.pread(self._file, self._bytes, self._start + place * self._bytes)
            if len(content) != self._bytes:
                raise ValueError(f"row {place:,} ends {bytes_text(self._bytes - len(content))} too early")
            into[row] = np.frombuffer(content, np.uint8)
        return values


def _read(stream: IO[bytes], held: int) -> npt.NDArray[Any]:
    """Read the one array of a stream of `held` bytes."""
    dtype, shape, order = _described(stream, held)
    content = np.empty(math.prod(shape) * dtype.itemsize, dtype=np.uint8)
    # files and members of archives are both buffered, which the types of the library don't say
    rest, buffered = content.data, cast(BufferedIOBase, stream)
    while count := buffered.readinto(rest[:_PART]):
        rest = rest[count:]
    if rest:
        raise ValueError(f"it ends {bytes_text(len(rest))} too early")
    # also lets zipfile compare the checksum
    if stream.read(1):
        raise ValueError("more than one array is in it")
    array: npt.NDArray[Any] = content.view(dtype).reshape(shape, order=order)
    _require_text(array)
    return array


def _described(stream: IO[bytes], held: int) -> tuple[np.dtype[Any], tuple[int, ...], Any]:
    """Read what an array says of itself: its type, shape and order; its numbers come next."""
    begin = stream.read(len(_MAGIC) + 2)
    if begin[: len(_MAGIC)] != _MAGIC:
        raise ValueError("it is no array of NumPy")
    if (version := tuple(begin[len(_MAGIC) :])) not in _VERSIONS:
        raise ValueError(f"it has version {'.'.join(map(str, version))} of the format of arrays, which is unknown")
    digits, encoding = _VERSIONS[version]
    length = int.from_bytes(stream.read(digits), "little")
    if length > _LONGEST:
        raise ValueError(f"its header claims {length:,} characters, at most {_LONGEST:,} are read")
    try:
        header = ast.literal_eval(stream.read(length).decode(encoding).strip())
        dtype, shape, columns_first = npy.descr_to_dtype(header["descr"]), header["shape"], header["fortran_order"]
        whole = isinstance(shape, tuple) and all(type(side) is int and side >= 0 for side in shape)
        if not whole or type(columns_first) is not bool or dtype.subdtype is not None:
            raise ValueError
    # whatever a damaged line makes Python's parser or NumPy's types say
    except Exception:
        raise ValueError("its header is damaged") from None
    if dtype.hasobject:
        raise ObjectsError
    claimed, rest = math.prod(shape) * dtype.itemsize, held - len(begin) - digits - length
    # values of no bytes, of which any number would fit
    if claimed > rest or (math.prod(shape) and not dtype.itemsize):
        sides = " × ".join(f"{side:,}" for side in shape)
        raise ValueError(f"it claims {sides} values, {bytes_text(claimed)}, and holds {bytes_text(max(rest, 0))}")
    return dtype, shape, "F" if columns_first else "C"


def _require_text(array: npt.NDArray[Any]) -> None:
    """Refuse text with numbers in it that stand for no character, or for half of one."""
    for name in array.dtype.names or ():
        _require_text(array[name])
    if array.dtype.kind != "U" or not array.size:
        return
    signs = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="), copy=False)).view(np.uint32)
    if ((signs >= 0xD800) & (signs < 0xE000) | (signs > 0x10FFFF)).any():
        raise ValueError("its text holds what is no character: half of one that takes two, or a damaged one")
