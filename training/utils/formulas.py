"""Cells that a spreadsheet would run as formulas: an apostrophe before them keeps them text, and is taken off again.

A title ``=HYPERLINK(...)`` in a CSV becomes a formula in Excel, LibreOffice and Google Sheets, and a formula can send
what stands beside it to a stranger. :func:`neutral` and :func:`restored` are exact opposites; the page of the review
has the same two in JavaScript (``curation/review/page/values.js``).
"""

from __future__ import annotations

import re

__all__ = ["is_formula", "is_text_formula", "neutral", "restored", "text_formula", "text_of_formula"]

#: What a formula begins with; full-width signs, too, for programs of East Asia.
_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
#: What may stand before the sign: quotes, blanks, and characters that nobody sees.
_BEFORE = (
    '[ "\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\xa0\\u1680\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u2064\\u3000\\ufeff]*'
)
#: A cell begins at its start, and for a program that splits at other signs than commas, after these.
_BEGINS = r"(?:\A(?='*(?:{before}[{signs}]|[\t\r\n]))|(?<=[;\t\r\n])(?='*{before}[{signs}]))"
_BEGIN = re.compile(_BEGINS.format(before=_BEFORE, signs=_SIGNS))
_MARKED = re.compile(_BEGINS.replace("(?='*", "'(?='*").format(before=_BEFORE, signs=_SIGNS))
_UNMARKED = re.compile(_BEGINS.replace("(?='*", "(?=").format(before=_BEFORE, signs=_SIGNS))
_SUSPECT = re.compile(f"[{_SIGNS}\\t\\r\\n]")
#: A formula that is nothing but a text: so programs keep the zeros of "00001" in a CSV for Excel.
_TEXT = re.compile(r'=\s*"((?:[^"]|"")*)"')
_NUMBER = re.compile(r"-\d+(?:\.\d+)?(?:e[+-]?\d+)?", re.IGNORECASE | re.ASCII)


def neutral(text: str) -> str:
    """Return the text of a cell so that no spreadsheet runs it; a negative number stays a number.

    Examples
    --------
    >>> neutral("=1+1"), neutral("-5"), neutral("'=1+1"), neutral("lamp;@SUM(A1)"), neutral("10 - 20 cm")
    ("'=1+1", '-5', "''=1+1", "lamp;'@SUM(A1)", '10 - 20 cm')
    """
    if not _SUSPECT.search(text) or _NUMBER.fullmatch(text):
        return text
    return _BEGIN.sub("'", text)


def restored(text: str) -> str:
    """Return the text that :func:`neutral` made another of.

    Examples
    --------
    >>> restored("'=1+1"), restored("'tis"), restored("-5")
    ('=1+1', "'tis", '-5')
    """
    return _MARKED.sub("", text) if "'" in text else text


def is_formula(text: str) -> bool:
    """Return whether a spreadsheet may run the text of a cell, or a part of it: there is no apostrophe before it.

    Examples
    --------
    >>> is_formula("=1+1"), is_formula("'=1+1"), is_formula("-5")
    (True, False, False)
    """
    return _SUSPECT.search(text) is not None and not _NUMBER.fullmatch(text) and _UNMARKED.search(text) is not None


def is_text_formula(cell: str) -> bool:
    """Return whether a cell is a formula that is nothing but a text, such as ``="00001"``.

    Examples
    --------
    >>> is_text_formula('="00001"'), is_text_formula('="a"&"b"'), is_text_formula("00001")
    (True, False, False)
    """
    return cell.startswith("=") and _TEXT.fullmatch(cell) is not None


def text_of_formula(cell: str) -> str:
    """Return the text that a spreadsheet shows for a formula that is nothing but a text; other cells as they are.

    Examples
    --------
    >>> text_of_formula('="00001"'), text_of_formula('="24"" screen"'), text_of_formula("=A1"), text_of_formula("desk")
    ('00001', '24" screen', '=A1', 'desk')
    """
    match = _TEXT.fullmatch(cell) if cell.startswith("=") else None
    return cell if match is None else match[1].replace('""', '"')


def text_formula(text: str) -> str:
    """Return the formula that a spreadsheet shows a text for: the opposite of :func:`text_of_formula`.

    Examples
    --------
    >>> text_formula('24" screen')
    '="24"" screen"'
    """
    quoted = text.replace('"', '""')
    return f'="{quoted}"'
