"""Spreadsheets of formats that are not read, and what a person does to have them as one that is."""

from __future__ import annotations

import shlex

__all__ = ["next_step", "other_sheet"]

#: Ending → with what it opens, and what saving it leaves out.
_OPENED = {
    ".xls": ("Excel or LibreOffice", ""),
    ".xlsm": ("Excel or LibreOffice", ", without its macros"),
    ".xlsb": ("Excel or LibreOffice", ""),
    ".xlt": ("Excel or LibreOffice", ""),
    ".xltx": ("Excel or LibreOffice", ""),
    ".ods": ("LibreOffice or Excel", ""),
    ".fods": ("LibreOffice", ""),
}
#: What only the program that wrote it opens.
_EXPORTED = {
    ".numbers": "In Numbers, choose File > Export To > Excel, and name the .xlsx.",
    ".gsheet": "It is only a link: in Google Sheets, choose File > Download > Microsoft Excel, and name the .xlsx.",
}
#: How old workbooks begin, and workbooks with a password.
_OLD = b"\xd0\xcf\x11\xe0"
#: How the archives of OpenDocument begin, behind the head of their first member.
_OPEN_DOCUMENT = b"mimetypeapplication/vnd.oasis"


def next_step(name: str) -> str:
    """Return how a spreadsheet of a format that is not read becomes one that is; empty for all other files.

    Parameters
    ----------
    name : str
        The file's name.

    Examples
    --------
    >>> print(next_step("goods.xlsb"))
    Open it in Excel or LibreOffice and save it as .xlsx, or run: libreoffice --headless --convert-to xlsx goods.xlsb
    >>> next_step("goods.pdf")
    ''
    """
    stem, dot, ending = name.rpartition(".")
    ending = dot + ending.lower()
    if ending in _EXPORTED:
        return _EXPORTED[ending]
    if ending not in _OPENED or not stem:
        return ""
    program, lost = _OPENED[ending]
    run = f"libreoffice --headless --convert-to xlsx {shlex.quote(name)}"
    return f"Open it in {program} and save it as .xlsx{lost}, or run: {run}"


def other_sheet(content: bytes) -> str:
    """Return what a file that is called .xlsx is instead, with what to do; empty if it may well be one.

    Parameters
    ----------
    content : bytes
        The file.
    """
    if content.startswith(_OLD):
        return "an old Excel workbook, or one with a password: open it in Excel, and save it as .xlsx without one"
    if _OPEN_DOCUMENT in content[:100]:
        return "an OpenDocument spreadsheet: open it in LibreOffice, and save it as .xlsx"
    return ""
