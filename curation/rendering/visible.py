"""Characters without a shape of their own, made visible: what listings hold must neither steer a terminal nor hide."""

from __future__ import annotations

import functools
import json
import re
import unicodedata

__all__ = ["as_json", "visible"]

#: Control characters, what turns the direction of text, what has no width, line and paragraph ends, half characters.
_CATEGORIES = ("Cc", "Cf", "Cs", "Zl", "Zp")
#: Letters and marks that Unicode shows as nothing (Default_Ignorable_Code_Point), and a blank that is no blank.
_BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\uffa0"
_EMOJI = "\u2190-\u2bff\U0001f000-\U0001faff"
#: Arabic, Persian and the scripts of India, which are written with joiners.
_JOINED = "\u0600-\u0dff"


@functools.cache
def _hidden() -> re.Pattern[str]:
    """Match joiners that belong where they are, and as group 1 every character that is made visible."""
    # up to the tags of plane 14; no later character has one of these categories
    signs = (chr(code) for code in (*range(0x1E000), *range(0xE0000, 0xE0100)))
    hidden = "".join(re.escape(sign) for sign in signs if unicodedata.category(sign) in _CATEGORIES)
    # a family of emoji is one sign, and a Persian word needs its joiner
    joiners = f"(?<=[{_EMOJI}\ufe0f])\u200d(?=[{_EMOJI}])|(?<=[{_JOINED}])[\u200c\u200d](?=[{_JOINED}])"
    return re.compile(f"{joiners}|([{hidden}{_BLANK}])")


_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str) -> str:
    r"""Return text in which control characters and characters without a shape are escapes, as Python writes them.

    Joiners stay where writing needs them: within emoji, and within words of Arabic, Persian or the scripts of India.

    Examples
    --------
    >>> print(visible("L1\x1b[2J\nError: all is lost"))
    L1\x1b[2J\nError: all is lost
    >>> print(visible("tv\u200b \u202egpj.exe"), visible("lamp, 20 €"))
    tv\u200b \u202egpj.exe lamp, 20 €
    """
    # most texts of a shop: the search takes longer
    return text if text.isascii() and text.isprintable() else _hidden().sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    if found[1] is None:
        return found[0]
    sign, code = found[1], ord(found[1])
    wide = f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return _SHORT.get(sign, wide)


def as_json(value: object, *, indent: int | None = 2) -> str:
    r"""Return a value as JSON of several lines, in which no character is raw that :func:`visible` would escape.

    Parameters
    ----------
    value
        What JSON can hold.
    indent : int or None
        Spaces of each level; None for one line.

    Examples
    --------
    >>> print(as_json(["é", "\x9b\u202e"]))
    [
      "é",
      "\u009b\u202e"
    ]
    """
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    # JSON's own line ends are outside texts, where everything else is escaped already
    return _hidden().sub(lambda found: found[0] if found[1] in (None, "\n") else json.dumps(found[1])[1:-1], text)
