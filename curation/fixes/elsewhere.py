"""Names of photos in a table that lies elsewhere than the input, whose photos stay where they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from curation.listings.cell_objects import photos_of
from curation.listings.editing import replaced, texts_of, values_of
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

    def moved(
        self, file: WrittenFile, key: str, images: Sequence[Any], rows: Collection[int] | None = None
    ) -> WrittenFile:
        """Return a table with names that are found from where it lies.

        Parameters
        ----------
        file : WrittenFile
            The table.
        key : str
            Its column of photos.
        images : sequence of str
            The photo of each row as the run names it; NA for none.
        rows : collection of int, optional
            The rows that name photos; by default all.
        """
        if key not in file.cells.column_names:
            return file
        kind, column = file.format.kind, file.cells[key]
        new = dict[int, str | list[str]]()
        for row, (value, text, image) in enumerate(
            zip(values_of(kind, column), texts_of(kind, column), images, strict=True)
        ):
            if pd.isna(text) or not text.strip() or (rows is not None and row not in rows):
                continue
            if isinstance(value, dict) and not photos_of(text):
                # a photo inside the table
                continue
            if isinstance(value, list) and all(isinstance(name, str) for name in value):
                new[row] = list(map(self._each(value, None if pd.isna(image) else image), value))
            elif cell := self._cell(text, None if pd.isna(image) or image == text.strip() else image):
                new[row] = cell
        return replaced(file, key, new)

    def added(self, file: WrittenFile, key: str) -> WrittenFile:
        """Return a table whose rows that only add something name photos that are found from where it lies.

        Parameters
        ----------
        file, key
            As for :meth:`moved`.
        """
        further = file.further
        if further is None or key not in further.cells.column_names:
            return file
        texts = texts_of(further.format.kind, further.cells[key]).str.strip()
        images = [pd.NA if pd.isna(text) else self._found(text) for text in texts]
        # a total belongs to no listing, and what it has in this column is no photo
        rows = {row for row, owner in enumerate(file.owners) if owner < file.cells.num_rows}
        return replace(file, further=self.moved(further, key, images, rows))

    def _found(self, text: str) -> Any:
        """Return the photo that a cell names, as find-issues would match it; NA if there is none."""
        if self._files.is_file(text):
            return text
        found = self._files.find_first(text)
        return found[1] if found else pd.NA

    def _cell(self, text: str, image: str | None) -> str | None:
        """Return a cell that leads to a photo, or to nothing where none was found; None if it stays as it is."""
        names = names_of(text)
        if photos_of(text):
            return each_name(text, self._each(names, image))
        if image is None and self._files.is_file(text.strip()):
            names = [text.strip()]
        if len(names) < 2 and (image is not None or names == [text.strip()]):
            return self._name(text.strip(), image)
        return each_name(text, self._each(names, image))

    def _each(self, names: Sequence[str], image: str | None) -> Callable[[str], str]:
        """Return what changes each of several names, of which one leads to the photo of the row."""
        found = (name for name in names if image is not None and image in (name, self._files.find(name)))
        first = next(found, None)
        # names before the one that fits fit none, and those behind it may
        reached = False

        def change(name: str) -> str:
            nonlocal reached
            reached |= name == first
            fitting = image if name == first else self._files.find(name) if reached else None
            return self._name(name, fitting) or name

        return change

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
