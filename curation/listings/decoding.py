"""The bytes of a table's file as text, and text as bytes: compression and encoding."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any

from curation.errors import ListingsError, short_repr, some
from curation.listings.junk import is_junk
from curation.rendering.words import many
from training.utils.bounded import joined

__all__ = ["MARKS", "PACKED", "check_encoding", "decoded", "held_packing", "other_encoding", "pack", "unpacked"]

#: What is looked at to tell the encoding.
_SAMPLE = 1 << 16
#: What the name of a compressed file ends with, and how it is opened.
PACKED: dict[str, Callable[[IO[bytes]], Any]] = {
    ".gz": lambda packed: gzip.GzipFile(fileobj=packed, mode="rb"),
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
    ".zip": lambda packed: _only_member(packed),
}
#: Bytes of a text that are ASCII where its header stands.
_PLAIN = 64
#: How they begin; a zip archive may be a workbook.
_PACKED_STARTS = {".gz": b"\x1f\x8b", ".bz2": b"BZh", ".xz": b"\xfd7zXZ\0"}
#: What is raised for one that is damaged, or packed in an unusual way.
_DAMAGED = (
    EOFError,
    OSError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    RuntimeError,
    OverflowError,
    MemoryError,
    struct.error,
)
#: Byte order marks. Those of UTF-32 begin like those of UTF-16.
MARKS = {
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-8": codecs.BOM_UTF8,
}
#: What Python can do with text that is no encoding of its characters: parts of addresses, and its own source.
_FOR_PROGRAMS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "charmap"})


def check_encoding(name: str) -> str:
    """Return an encoding as Python calls it.

    Raises
    ------
    ListingsError
        If it is none of text.
    """
    try:
        found = codecs.lookup(name.strip())
        "".encode(found.name)
        if found.name.replace("-", "_") in _FOR_PROGRAMS:
            raise LookupError(found.name)
    except (LookupError, ValueError):
        raise ListingsError(
            "there is no such encoding of text",
            got=short_repr(name),
            wanted="e.g. cp1251, cp1250, shift_jis, gb18030, utf-8",
            parameter="encoding",
        ) from None
    return found.name


def decoded(content: bytes, given: str | None = None) -> tuple[str, str, bool]:
    """Return the text of a file, its encoding, and whether a mark at its start names that.

    Parameters
    ----------
    content : bytes
        The file.
    given : str, optional
        The encoding that a person named; a mark is surer.

    Raises
    ------
    ValueError
        If the file is not in the given encoding.
    """
    for encoding, mark in MARKS.items():
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding), encoding, True
    if given is None:
        return (*next(_readings(content)), False)
    try:
        return content.decode(given), given, False
    except UnicodeError as error:
        where = f": byte {error.start + 1:,} is none of it" if isinstance(error, UnicodeDecodeError) else ""
        raise ValueError(f"it is not in {given}{where}") from None


def other_encoding(guessed: str) -> str:
    """Return what to do where text that was read in a guessed encoding looks wrong."""
    return (
        f"The text is not UTF-8 and was read as {guessed}: if it looks wrong, name its encoding, e.g. with "
        "`encoding='shift_jis'`, 'gb18030', 'euc_kr' or 'cp1251'."
    )


def _readings(content: bytes) -> Iterator[tuple[str, str]]:
    """Yield the text in the likeliest encoding first; every file can be read in the last one."""
    start = content[:_SAMPLE]
    odd, even = start[1::2].count(0), start[::2].count(0)
    wide = ["utf-16-le"] if odd > len(start) / 8 and not even else []
    wide += ["utf-16-be"] if even > len(start) / 8 and not odd else []
    for encoding in (*wide, "utf-8", "cp1252", "latin-1"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        yield text, encoding


def held_packing(content: bytes, ending: str) -> str:
    r"""Return how a file is compressed, where that is certain; otherwise as its name says.

    Parameters
    ----------
    content : bytes
        The file as it is.
    ending : str
        What its name says: one of :data:`PACKED`, or an empty text.

    Examples
    --------
    >>> held_packing(b"id,label\n1,lamp", ".gz"), held_packing(gzip.compress(b"id,label"), "")
    ('', '.gz')
    """
    found = next((each for each, start in _PACKED_STARTS.items() if content.startswith(start)), "")
    if found == ".bz2" and content[4:10] != b"1AY&SY":
        return ending
    start = content[:_SAMPLE]
    is_text = b"\n" in start and start[:_PLAIN].isascii() and min(start) >= ord("\t")
    return found if found or (ending in _PACKED_STARTS and is_text) else ending


def unpacked(content: bytes, ending: str) -> bytes:
    """Return the content of a compressed file.

    Parameters
    ----------
    content : bytes
        The file as it is.
    ending : str
        One of :data:`PACKED`, or an empty text: then nothing is compressed.

    Raises
    ------
    ValueError
        If it can't be unpacked, or holds far more than a file of its size should.
    """
    if not ending:
        return content
    try:
        with PACKED[ending](io.BytesIO(content)) as stream:
            return joined(stream, len(content))
    except _DAMAGED as error:
        raise ValueError(f"it can't be unpacked: {error}") from None


def _only_member(packed: IO[bytes]) -> IO[bytes]:
    archive = zipfile.ZipFile(packed)
    members = [
        member.filename
        for member in archive.infolist()
        # is_dir() takes a damaged name, which is empty, for one that has a last character
        if member.filename and not member.is_dir() and not any(map(is_junk, member.filename.split("/")))
    ]
    if len(members) != 1:
        raise ValueError(f"it holds {many(len(members), 'file')} ({some(members, 3)}) where one table was wanted")
    return archive.open(members[0])


def pack(content: bytes, ending: str, member: str) -> bytes:
    """Compress the content of a file; the same content gives the same bytes at any time.

    Parameters
    ----------
    content : bytes
        The content.
    ending : str
        One of :data:`PACKED`, or an empty text: then nothing is compressed.
    member : str
        The name of the file within a .zip.
    """
    if ending == ".gz":
        return gzip.compress(content, mtime=0)
    if ending == ".bz2":
        return bz2.compress(content)
    if ending == ".xz":
        return lzma.compress(content)
    if ending != ".zip":
        return content
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(member), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
