"""Photos of a dataset's folder that its table does not name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote

import pandas as pd

from curation.errors import some
from curation.listings.folders import is_photo
from curation.listings.junk import is_junk
from curation.listings.photo_files import PhotoFiles, forward, plain
from curation.listings.several_photos import names_of
from curation.listings.sources import COLUMNS, Source
from curation.rendering.words import agree, many
from training.utils.files import photo_path, printable_name

__all__ = ["said_of_unnamed"]

_EXAMPLES = 3
#: What stands around the paths of photos in a cell.
_AROUND = re.compile(r"""[\s,;|"'\[\]{}]+""")


def said_of_unnamed(images: pd.Series, table: pd.DataFrame, origin: Source) -> tuple[str, ...]:
    """Say how many photos beside those of a table are in none of its rows.

    A table alone is what it says. Of a folder, a person expects all photos: those are counted that lie beside a named
    one, in the folder of the table, or right below either.

    Parameters
    ----------
    images : Series of str
        The photos as matched.
    table : DataFrame of str
        All rows as the table has them, with ``image``. A photo that another column names, or that is one of several in
        a cell, is not counted.
    origin : Source
        Where the table comes from.

    Returns
    -------
    tuple of str
        At most one sentence.
    """
    if origin.table is None or origin.photos is not None or not origin.path.is_dir():
        return ()
    root = origin.root
    named = {os.path.normpath(photo_path(root, image)) for image in images.dropna()}
    # the paths of photos begin in the folder of all parts
    tops = {os.path.normpath(folder) for folder in ([root] if origin.parts else [file.parent for file in origin.files])}
    beside = {os.path.dirname(path) for path in named}  # noqa: PTH120
    tops |= {folder for folder in beside if not os.path.relpath(folder or ".", root).startswith("..")}
    left = sorted({photo for folder in tops for photo in _photos(Path(folder))} - named)
    if left:
        elsewhere = _named_elsewhere(table, origin, left)
        left = [photo for photo in left if photo not in elsewhere]
    if not left:
        return ()
    names = some((printable_name(os.path.relpath(photo, root)) for photo in left), _EXAMPLES)
    count = len(left)
    them = agree(count, "it", "them")
    return (f"{many(count, 'photo')} {agree(count, 'is', 'are')} left out, for no row names {them}: {names}.",)


def _photos(folder: Path) -> Iterator[str]:
    """Yield the photos in a folder and in the folders right below it."""
    for path in _listed(folder):
        if is_photo(path.name):
            yield os.path.normpath(path)
        elif path.is_dir():
            yield from (os.path.normpath(inner) for inner in _listed(path) if is_photo(inner.name))


def _listed(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if not is_junk(path.name)]
    except OSError:
        return []


def _named_elsewhere(table: pd.DataFrame, origin: Source, left: Sequence[str]) -> set[str]:
    """Return the photos that cells of several name, and those in other columns than that of the photos, e.g. masks.

    A name alone is no proof: the folders of many datasets have a 1.jpg each. So it is followed as that of a photo is,
    and in other columns also from where the photo of its row lies, and from the table.
    """
    sought = {plain(form) for photo in left for form in (Path(photo).name, Path(photo).stem)}
    files, found = PhotoFiles(origin.root), set[str]()

    def follow(name: str, folders: Iterable[str]) -> None:
        if plain(unquote(forward(name)).rpartition("/")[2]) not in sought:
            return
        beside = (os.path.normpath(photo_path(Path(folder), forward(name))) for folder in folders)
        path = next((path for path in beside if os.path.isfile(path)), None) or files.find(name)  # noqa: PTH113
        if path is not None:
            found.add(os.path.normpath(photo_path(origin.root, path)))

    images = table["image"].astype(object).where(table["image"].notna(), "")
    for cell in images[images != ""].unique():
        for name in names if len(names := names_of(cell)) > 1 else ():
            follow(name, ())
    above = [str(file.parent) for file in origin.files]
    for column in table.columns.difference(list(COLUMNS)):
        for image, cell in zip(images, table[column], strict=True):
            if pd.isna(cell) or "." not in (text := str(cell)):
                continue
            here = os.path.dirname(photo_path(origin.root, forward(image)))  # noqa: PTH120
            for name in {name for name in (*names_of(text), *_AROUND.split(text)) if is_photo(name)}:
                follow(name, (here, *above))
    return found
