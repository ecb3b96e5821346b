"""Pictures inside a workbook, which are no files that a table could name."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable

from curation.errors import ListingsError
from curation.listings.written import WrittenFile
from curation.rendering.words import agree, many

__all__ = ["pictures_inside"]

#: Pictures over cells, and those that are values of cells, in the parts of a workbook.
_PICTURES = {
    re.compile(r"xl/drawings/[^/]+\.xml"): re.compile(rb"<(?:\w+:)?pic[\s>]"),
    re.compile(r"xl/richData/rdrichvalue\.xml"): re.compile(rb"<(?:\w+:)?rv\s"),
}


def pictures_inside(files: Iterable[WrittenFile]) -> ListingsError | None:
    """Return the fault that pictures are inside a workbook, for a table without names of photos; None without any.

    Parameters
    ----------
    files : iterable of WrittenFile
        The tables.
    """
    for file in files:
        if file.book is not None and (count := _pictures(file.book.content)):
            return ListingsError(
                f"{many(count, 'picture')} inside {file.name} {agree(count, 'is', 'are')} not read",
                got="no names of photos in the table",
                wanted="names of files in a column of photos",
                fix="Save the pictures as files beside the workbook, and write their names into that column. A copy of "
                "the workbook that is called .zip has them in its folder xl/media.",
                parameter="source",
            )
    return None


def _pictures(content: bytes) -> int:
    # it has been read before, within its bounds
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return sum(
            len(sign.findall(archive.read(name)))
            for name in archive.namelist()
            for part, sign in _PICTURES.items()
            if part.fullmatch(name)
        )
