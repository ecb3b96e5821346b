"""Photo names as tables have them, matched with the files that exist."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pandas as pd

from curation.errors import short_repr
from curation.listings.folders import is_junk, is_photo
from curation.listings.several_photos import names_of
from curation.rendering.words import agree, many
from training.utils.files import photo_path, printable_name

__all__ = ["MatchedPhotos", "match_photos"]

#: Folders below the dataset's that are searched for photos named without their folder.
_MOST_FOLDERS = 1000


@dataclass(frozen=True)
class MatchedPhotos:
    """The photos of a table.

    Attributes
    ----------
    images : Series of str
        Paths relative to the dataset's folder; those of no file are as the table has them.
    missing : Series of bool
        True where no file was found; False where the table names no photo.
    notes : tuple of str
        How names were matched that are not those of the files.
    """

    images: pd.Series
    missing: pd.Series
    notes: tuple[str, ...] = ()


def match_photos(images: pd.Series, root: Path) -> MatchedPhotos:
    r"""Match names of photos with files, first as they are, then as other systems and programs write them.

    In this order: backslashes between folders; another case or Unicode form; ``file://`` and ``%20``; a path of
    another computer, of which the end exists here; a name without its folder, or without its ending, that fits one
    photo only. Of several names in a cell, the first that fits counts. A name that fits several files fits none, and a
    file that another listing names fits that one only.

    Parameters
    ----------
    images : Series of str
        Names of photos, relative to `root` or absolute; NA for a listing without one.
    root : Path
        The dataset's folder.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "photos").mkdir()
    ...     _ = (Path(folder) / "photos" / "1.JPG").write_bytes(b"")
    ...     matched = match_photos(pd.Series(["photos\\1.jpg"], dtype="string"), Path(folder))
    >>> matched.images.tolist()
    ['photos/1.JPG']
    >>> matched.notes
    ("1 photo is matched by another spelling of its name, e.g. 'photos\\\\1.jpg' is photos/1.JPG.",)
    """
    # not Path.is_file: it raises for a name that is too long, e.g. a title in the wrong column
    missing = pd.Series(
        [not pd.isna(image) and not os.path.isfile(photo_path(root, image)) for image in images],  # noqa: PTH113
        index=images.index,
        dtype=bool,
    )
    if not missing.any():
        return MatchedPhotos(images, missing)
    files = _Files(root)
    names = images[missing]
    fits = {row: fit for row, image in names.items() if (fit := files.find_first(image))}
    matched = _without_conflicts(
        {row: file for row, (_, file) in fits.items()},
        {row: _plain(_forward(name)) for row, (name, _) in fits.items()},
        set(images[~missing]),
    )
    if not matched:
        return MatchedPhotos(images, missing)
    found = pd.Series(matched, dtype="string")
    named = pd.Series({row: fits[row][0] for row in matched}, dtype="string")
    exact = images.copy()
    exact[found.index] = found
    still = missing.copy()
    still[found.index] = False
    notes = (*_said_of_several(names[found.index]), *_notes(named, found))
    return MatchedPhotos(exact, still, notes)


def _said_of_several(cells: pd.Series) -> Iterator[str]:
    several = [cell for cell in cells if len(names_of(cell)) > 1]
    if several:
        which = f"{many(len(several), 'cell')} {agree(len(several), 'names', 'name')} several photos"
        yield f"{which}; the first that exists counts, e.g. of {short_repr(several[0])}."


def _without_conflicts(
    matched: Mapping[Hashable, str], written: Mapping[Hashable, str], named: Collection[str]
) -> dict[Hashable, str]:
    """Leave out files found by a part of a name that another listing names, or that several names would fit."""
    claims: dict[str, set[str]] = {}
    for row, file in matched.items():
        claims.setdefault(file, set()).add(written[row])
    return {
        row: file
        for row, file in matched.items()
        if written[row] == _plain(file) or (file not in named and len(claims[file]) == 1)
    }


def _notes(written: pd.Series, matched: pd.Series) -> list[str]:
    kinds: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for name, file in zip(written, matched, strict=True):
        if name == file:
            continue
        kind = "by another spelling of its name" if _plain(_forward(name)) == _plain(file) else "by a part of its name"
        kinds[kind] += 1
        examples.setdefault(kind, f"{name!r} is {file}")
    return [
        f"{many(count, 'photo')} {agree(count, 'is', 'are')} matched "
        f"{kind if count == 1 else kind.replace('its name', 'their names')}, e.g. {examples[kind]}."
        for kind, count in kinds.items()
    ]


def _forward(name: str) -> str:
    """Return a name with slashes between its folders, whatever system wrote it."""
    path = name.replace("\\", "/")
    if path[:7].lower() == "file://":
        path = unquote(urlsplit(path).path)
    return path[2:] if path.startswith("./") else path


def _plain(name: str) -> str:
    """Return a name without its case and its Unicode form."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


class _Files:
    """The files below a folder, each folder of which is listed once, when it is asked for."""

    def __init__(self, root: Path) -> None:
        self._root = root
        # instances are few and short-lived
        self._listed = cache(self._list)
        self._stems = cache(self._list_stems)
        self._folders = cache(self._folders_below)

    def find_first(self, cell: str) -> tuple[str, str] | None:
        """Return a name in a cell and the file that it fits: that of the cell as a whole, or of the first that fits."""
        for name in dict.fromkeys((cell, *names_of(cell))):
            if file := self.find(name):
                return name, file
        return None

    def find(self, image: str) -> str | None:
        """Return the path of the one file that a name fits, relative to the root; None if none or several fit."""
        file = self._fitting(_forward(image))
        return None if file is None else printable_name(file)

    def _fitting(self, path: str) -> str | None:
        if "\0" in path or path.lower().startswith(("http://", "https://")):
            return None
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if not parts or ".." in parts:
            # up and down again: only as it is written
            return path if parts and os.path.isfile(self._root / path) else None  # noqa: PTH113
        absolute = path.startswith("/") or parts[0].endswith(":")
        decoded = [unquote(part) for part in parts]
        for spelled in [parts, decoded] if decoded != parts else [parts]:
            # a path of another computer: its longest end that exists here, with a folder, for many have a 1.jpg
            for start in range(max(1, len(spelled) - 1)):
                if found := self._walk(spelled[start:]):
                    return found
            if (absolute or len(spelled) == 1) and (found := self._elsewhere(spelled[-1])):
                return found
        return None

    def _walk(self, parts: list[str]) -> str | None:
        """Return the file that a path fits but for its case and its Unicode form."""
        here = ""
        for part in parts:
            fitting = self._listed(here).get(_plain(part), [])
            exact = [name for name in fitting if name == part]
            if len(exact or fitting) != 1:
                return None
            here = os.path.join(here, (exact or fitting)[0])  # noqa: PTH118 - text, relative
        return here if os.path.isfile(self._root / here) else None  # noqa: PTH113

    def _elsewhere(self, name: str) -> str | None:
        """Return the one photo of that name in the folder or right below it, also without its ending."""
        plain = _plain(name)
        fitting = [
            os.path.join(folder, file)  # noqa: PTH118
            for folder in ("", *self._folders())
            for file in self._listed(folder).get(plain, [])
            + ([] if is_photo(name) else self._stems(folder).get(plain, []))
        ]
        files = [file for file in fitting if os.path.isfile(self._root / file)]  # noqa: PTH113
        return files[0] if len(files) == 1 else None

    def _folders_below(self) -> list[str]:
        names = [name for names in self._listed("").values() for name in names]
        folders = [name for name in names if os.path.isdir(self._root / name)]  # noqa: PTH112
        return sorted(folders)[:_MOST_FOLDERS]

    def _list(self, folder: str) -> dict[str, list[str]]:
        """Return the names in a folder by how they look without case and Unicode form."""
        names: dict[str, list[str]] = {}
        try:
            entries = os.listdir(self._root / folder)  # noqa: PTH208
        except OSError:
            return names
        for name in entries:
            if not is_junk(name):
                names.setdefault(_plain(name), []).append(name)
        return names

    def _list_stems(self, folder: str) -> dict[str, list[str]]:
        stems: dict[str, list[str]] = {}
        for names in self._listed(folder).values():
            for name in names:
                if is_photo(name):
                    stems.setdefault(_plain(Path(name).stem), []).append(name)
        return stems
