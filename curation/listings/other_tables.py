"""Tables of formats that are not read, with what to do, and those that are another one than their name says."""

from __future__ import annotations

import codecs
import io
import re
import shlex
import zipfile
from collections.abc import Collection
from typing import TYPE_CHECKING

from curation.listings.csv_tables import parse_csv
from curation.listings.decoding import decoded
from curation.listings.headers import likely

if TYPE_CHECKING:
    # excel.py imports this module, and is imported by that one
    from curation.listings.written import Kind

__all__ = ["held_kind", "is_old_workbook", "next_step", "other_sheet", "web_page"]

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


#: How JSON of objects begins, and pages of the web, which many programs write where they promise Excel.
_LIST = re.compile(r":\s*\[\s*\{")
_JSON = re.compile(r"\s*(?:\[\s*\{|\{\s*\")")
_PAGE = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?<(?:!doctype html|(?:html|head|meta|style|table|body|div)\b)", re.I
)
_XML_SHEET = "urn:schemas-microsoft-com:office:spreadsheet"
#: How text begins that has zeros in it.
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
#: Characters of a file that are looked at, and likely names that make its first row that of a CSV.
_SAMPLE = 1 << 16
_ENOUGH = 2


def is_old_workbook(content: bytes) -> bool:
    """Return whether a file begins as Excel's old workbooks do, and those with a password."""
    return content.startswith(_OLD)


def held_kind(content: bytes, kind: Kind, names: Collection[str]) -> Kind:
    r"""Return the kind of table that a file holds, where its content is certain; otherwise the one that it is called.

    Parameters
    ----------
    content : bytes
        The file, unpacked.
    kind : str
        What its name says: ``csv``, ``json``, ``jsonl``, ``parquet`` or ``xlsx``.
    names : collection of str
        Columns that are likely, in lower case: they tell a CSV.

    Raises
    ------
    ValueError
        If it is called Excel or Parquet, and is some other text; the message is one line.

    Examples
    --------
    >>> held_kind(b'[{"id": 1}]', "csv", ()), held_kind(b"id;label\n1;lamp", "json", ["id", "label"])
    ('json', 'csv')
    """
    if content.startswith(b"PAR1"):
        return "parquet"
    if content.startswith(b"PK\x03\x04"):
        return "xlsx" if kind == "xlsx" or _is_workbook(content) else kind
    binary = kind in ("parquet", "xlsx")
    start = content[:_SAMPLE]
    if not content or (binary and ((b"\0" in start and not start.startswith(_WIDE)) or other_sheet(content))):
        return kind
    text = decoded(start)[0].rpartition("\n")[0] if len(content) > _SAMPLE else decoded(start)[0]
    if _JSON.match(text):
        first, _, rest = text.strip(" \t\r\n\x1a").partition("\n")
        # no line is a row where one object stands over several, or alone with a list of objects in it
        alone = not rest.strip() and _LIST.search(first) is not None
        return "json" if kind != "jsonl" or text.lstrip()[0] == "[" or first.rstrip()[-1] != "}" or alone else kind
    if kind == "csv" or text.lstrip()[:1] in ("[", "{"):
        return kind
    if not web_page(text) and _is_csv(text, names):
        return "csv"
    if binary:
        no = "no Parquet" if kind == "parquet" else "no Excel file"
        raise ValueError(f"it is {web_page(text) or f'{no} but text: if it is a CSV, give it the ending .csv'}")
    return kind


def _is_workbook(content: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return False


def _is_csv(text: str, names: Collection[str]) -> bool:
    try:
        return likely(parse_csv(text, names).header, names) >= _ENOUGH
    except ValueError:
        return False


def web_page(text: str) -> str:
    """Return what a text of HTML or XML is, with what to do; empty for all others.

    Parameters
    ----------
    text : str
        Its beginning.
    """
    if _PAGE.match(text):
        if "<table" in text.lower():
            return "a web page with a table: open it in Excel or LibreOffice, and save it as .xlsx"
        return "no table but a web page: download the file itself"
    if text.lstrip().startswith("<?xml"):
        if _XML_SHEET in text or "mso-application" in text:
            return "a spreadsheet of XML: open it in Excel or LibreOffice, and save it as .xlsx"
        return "XML: save it as CSV, e.g. with pandas: pandas.read_xml(FILE, dtype=str).to_csv(FILE.csv, index=False)"
    return ""


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
