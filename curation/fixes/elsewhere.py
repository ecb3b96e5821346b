"""Names of photos in a table that lies elsewhere than the input, whose photos stay where they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from curation.listings.editing import replaced, texts_of
from curation.listings.photo_files import PhotoFiles
from curation.listings.several_photos import each_name, names_of
from curation.listings.written import WrittenFile

__all__ = ["Elsewhere"]


class Elsewhere:
    """Makes cells lead to the photos that they were matched with.

    Parameters
    ----------
    root : Path
        The folder that the photos of the input are relative to.
    photos : str
        The same, as the new table names it.
    """

    def __init__(self, root: Path, photos: str) -> None:
        self._photos = photos
        self._files = PhotoFiles(root)

    def moved(self, file: WrittenFile, key: str, images: Sequence[Any]) -> WrittenFile:
        """Return a table with names that are found from where it lies.

        Parameters
        ----------
        file : WrittenFile
            The table.
        key : str
            Its column of photos.
        images : sequence of str
            The photo of each row as the run names it; NA for none.
        """
        if key not in file.cells.column_names:
            return file
        texts = {}
        for row, (text, image) in enumerate(zip(texts_of(file.format.kind, file.cells[key]), images, strict=True)):
            if not pd.isna(text) and text.strip():
                texts[row] = self._cell(text, None if pd.isna(image) or image == text.strip() else image)
        return replaced(file, key, {row: text for row, text in texts.items() if text is not None})

    def _cell(self, text: str, image: str | None) -> str | None:
        """Return a cell that leads to a photo, or to nothing where none was found; None if it stays as it is."""
        names = names_of(text)
        if image is None and self._files.is_file(text.strip()):
            names = [text.strip()]
        if len(names) < 2 and (image is not None or names == [text.strip()]):
            return self._name(text.strip(), image)
        found = (name for name in names if image is not None and self._files.find(name) == image)
        first = next(found, None)
        # names before the one that fits fit none, and those behind it may
        reached = False

        def change(name: str) -> str:
            nonlocal reached
            reached |= name == first
            fitting = image if name == first else self._files.find(name) if reached else None
            return self._name(name, fitting) or name

        return each_name(text, change)

    def _name(self, name: str, image: str | None) -> str | None:
        """Return a name that leads to a photo from where the table lies; None if it is the same everywhere."""
        matched = name if image is None else image
        if _stays(matched):
            return None
        path = f"{self._photos}/{matched}"
        # a backslash of the path itself is part of a name
        backwards = "\\" in name and "/" not in name and "\\" not in path
        return path.replace("/", "\\") if backwards else path


def _stays(path: str) -> bool:
    """Return whether a path is the same wherever the table lies: an address, or absolute here or on Windows."""
    return "://" in path or path.startswith(("/", "\\")) or re.match(r"[A-Za-z]:[\\/]", path) is not None
