"""What the fuzz tries: something that reads, and honest contents for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Reader"]


@dataclass(frozen=True)
class Reader:
    """Something that reads what a person, another program or a colleague's run gives it.

    Attributes
    ----------
    name : str
    honest : list of bytes
        Contents that it reads without a word.
    read : callable
        Reads a content; raises one of our errors where it refuses it.
    """

    name: str
    honest: list[bytes]
    read: Callable[[bytes], object]
