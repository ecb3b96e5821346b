"""Reading within bounds: what a file claims to hold costs no more memory than the file, and this machine, can justify.

Functions of contents raise ValueError with a short reason, for a caller that knows what it reads and says the rest.
"""

from __future__ import annotations

import json
import math
import os
import re
import resource
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import IO, Any

from training.utils.units import bytes_text

__all__ = ["CELL", "check_claim", "check_depth", "joined", "most_bytes", "parse_json", "parse_toml"]

#: Lists and objects within each other. Python itself gives up at about 1000, here or only later, when it writes them.
_DEEPEST = 100
_DEEP = f"its lists or objects are nested more than {_DEEPEST} levels deep"
_HALF = re.compile("[\ud800-\udfff]")
#: A small file may always hold this much, unpacked; a large one this many times its size. Photos as text, one price
#: for every listing and one-hot probabilities stay far below; bombs hold a thousand times their size and more.
_ALWAYS, _RATIO = 256 << 20, 100
#: Share of the memory that a content may take. The least that is made of a content (its bytes, its text, the text that
#: is read line by line) takes six times its size, so nothing is refused that could have been read.
_SHARE = 4
#: Bytes that a cell of a table takes at least, if only for the place of its value.
CELL = 8
#: Bytes that are unpacked at a time.
_PART = 1 << 20


@cache
def _installed() -> int:
    """Return the memory of this machine, or of the container, in bytes."""
    sizes = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            sizes.append(int(Path(limit).read_text(encoding="ascii")))
        except (OSError, ValueError):  # no such control group, or "max"
            continue
    return min(sizes)


def _memory() -> int:
    """Return the bytes of memory that this process may have at most."""
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return _installed() if soft == resource.RLIM_INFINITY else min(soft, _installed())


def most_bytes() -> int:
    """Return the bytes that a content may take at most, whatever its file holds."""
    return _memory() // _SHARE


def check_claim(claimed: int, held: int, what: str = "it") -> None:
    """Refuse a content that takes more memory than its file, or this machine, can hold.

    Parameters
    ----------
    claimed : int
        Bytes of the content, as the file says or as far as it was unpacked.
    held : int
        Bytes of the file.
    what : str
        What claims them, for the message.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> check_claim(5_000_000_000_000, 128, "the array")
    Traceback (most recent call last):
    ...
    ValueError: the array takes 5 TB, and a file of 128 B may hold 268.4 MB
    >>> check_claim(40_000, 128)
    """
    allowed = max(_ALWAYS, _RATIO * held)
    if claimed > allowed:
        may = f"a file of {bytes_text(held)} may hold {bytes_text(allowed)}"
        raise ValueError(f"{what} takes {bytes_text(claimed)}, and {may}")
    if claimed > most_bytes():
        raise ValueError(
            f"{what} takes {bytes_text(claimed)}, more than a quarter of the memory ({bytes_text(_memory())})"
        )


def joined(stream: IO[bytes], held: int) -> bytes:
    """Return all that a stream unpacks, and stop at what its file can't hold.

    Parameters
    ----------
    stream : file
        Yields the unpacked bytes.
    held : int
        Bytes of the packed file.

    Raises
    ------
    ValueError
    """
    parts, size = [], 0
    while part := stream.read(_PART):
        size += len(part)
        check_claim(size, held, "its unpacked content")
        parts.append(part)
    return b"".join(parts)


def check_depth(value: Any) -> None:
    """Refuse lists and objects that are nested more than 100 levels deep.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> check_depth([{"id": 1, "sizes": [[2, 3]]}])
    """
    level = [value]
    for _ in range(_DEEPEST + 1):
        level = [inner for outer in level for inner in _inside(outer) if isinstance(inner, list | dict)]
        if not level:
            return
    raise ValueError(_DEEP)


def _inside(value: Any) -> Iterator[Any] | list[Any]:
    if isinstance(value, dict):
        return iter(value.values())
    return value if isinstance(value, list) else []


def parse_json(text: str, *, ours: bool = False) -> Any:
    """Return the value of a JSON text.

    Parameters
    ----------
    text : str
        The text.
    ours : bool
        Whether curate wrote it: then it has no NaN, no infinite number and no half of a character either.

    Raises
    ------
    ValueError
        If it is none, is nested too deep, or has a key twice in one object, of which one would be lost.

    Examples
    --------
    >>> parse_json('{"label": "lamp", "label": "sofa"}')
    Traceback (most recent call last):
    ...
    ValueError: an object has the key 'label' twice
    """
    try:
        if not ours:
            value = json.loads(text, object_pairs_hook=_once)
        else:
            value = json.loads(text, object_pairs_hook=_once, parse_constant=_refused, parse_float=_finite)
    except RecursionError:
        raise ValueError(_DEEP) from None
    check_depth(value)
    if ours and "\\ud" in text.lower() and _HALF.search(json.dumps(value, ensure_ascii=False)):
        raise ValueError("it holds half of a character that takes two")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"an object has the key {next(key for key in keys if keys.count(key) > 1)!r} twice")
    return value


def _refused(name: str) -> Any:
    raise ValueError(f"it holds {name}, which JSON does not have")


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _refused(text)


def parse_toml(text: str) -> dict[str, Any]:
    """Return the content of a TOML text.

    Raises
    ------
    ValueError
        If it is none, or nested too deep.
    """
    try:
        content = tomllib.loads(text)
    except RecursionError:
        raise ValueError(_DEEP) from None
    check_depth(content)
    return content
