"""Signs that XML can't hold."""

from __future__ import annotations

import re
from collections.abc import Iterable

from curation.errors import InputError, short_repr, some

__all__ = ["require_names", "without_signs"]

#: All that is no character of XML 1.0: https://www.w3.org/TR/xml/#charsets.
_SIGNS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def require_names(names: Iterable[str]) -> None:
    """Refuse names that XML can't hold.

    Parameters
    ----------
    names : iterable of str
        Of classes and photos.

    Raises
    ------
    InputError
        If there are such.
    """
    if odd := [short_repr(name) for name in names if _SIGNS.search(name)]:
        raise InputError(
            "that format is XML, which can't hold some names of classes or photos",
            got=some(odd),
            wanted="names without control characters",
            fix="Rename them, and find issues again.",
            parameter="format",
        )


def without_signs(text: str) -> str:
    r"""Return a text without the signs that XML can't hold.

    Parameters
    ----------
    text : str
        Any.

    Examples
    --------
    >>> without_signs("a\x08b")
    'ab'
    """
    return _SIGNS.sub("", text)
