"""The files below a folder, found by names as other systems and programs write them."""

from __future__ import annotations

import itertools
import os
import re
import unicodedata
from collections import defaultdict
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from curation.listings.folders import is_photo
from curation.listings.junk import is_junk
from curation.listings.several_photos import names_of
from training.images.bounds import open_photo
from training.utils.files import open_regular, photo_path, printable_name

__all__ = ["PhotoFiles", "begins_as_photo", "forward", "plain"]

#: Folders below the dataset's that are searched for photos named without their folder.
_MOST_FOLDERS = 1000
_SEVERAL = 2
#: Where Label Studio keeps photos: those of its server's disk, and those that were uploaded, with a code before each.
_SERVED = "/data/local-files/?d="
_UPLOADED = re.compile(r"/data/upload/(?:\d+/)?(?:[0-9a-f]{8}-)?([^/]+)")


def begins_as_photo(file: Path) -> bool:
    """Return whether a file begins as photos do; how large it is, and whether all of it is sound, doesn't matter."""
    try:
        with open_regular(file) as stream, open_photo(stream):
            return True
    except Exception:  # a damaged file can raise anything in a decoder
        return False


def forward(name: str) -> str:
    """Return a name with slashes between its folders, whatever system or program wrote it."""
    path = name.replace("\\", "/")
    if path[:7].lower() == "file://":
        path = unquote(urlsplit(path).path)
    if path.startswith(_SERVED):
        # the name alone is one of another folder
        path = f"/{unquote(path[len(_SERVED) :]).lstrip('/')}"
    return path[2:] if path.startswith("./") else path


def plain(name: str) -> str:
    """Return a name without its case and its Unicode form."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


class PhotoFiles:
    """The files below a folder, each folder of which is listed once, when it is asked for."""

    def __init__(self, root: Path) -> None:
        self._root = root
        # instances are few and short-lived
        self._listed = cache(self._list)
        self._index = cache(self._index_all)
        self._alone = cache(self._only)

    def is_file(self, name: str) -> bool:
        """Return whether there is a file of that very name."""
        return os.path.isfile(photo_path(self._root, name))  # noqa: PTH113 - Path.is_file raises for a name too long

    def find_first(self, cell: str) -> tuple[str, str] | None:
        """Return a name in a cell and the file that it fits: that of the cell as a whole, or of the first that fits."""
        names = names_of(cell)
        # the end of several paths is that of the last one
        if file := self._find(cell, ends=len(names) < _SEVERAL):
            return cell, file
        return next(((name, file) for name in names if name != cell and (file := self.find(name))), None)

    def find(self, image: str) -> str | None:
        """Return the path of the one file that a name fits, relative to the root; None if none or several fit."""
        return self._find(image, ends=True)

    def fitting(self, image: str) -> list[str]:
        """Return the files that a name fits but for case, Unicode form and, where it has none, ending and folder."""
        parts = [part for part in forward(image).split("/") if part not in ("", ".")]
        if not parts or ".." in parts or "\0" in image or "://" in image:
            return []
        names, stems = self._index()
        key = plain(parts[-1])
        files = (*names.get(key, ()), *(() if is_photo(parts[-1]) else stems.get(key, ())))
        if parts[1:] and not forward(image).startswith("/") and not parts[0].endswith(":"):
            files = tuple(file for file in files if plain(file) == plain("/".join(parts)))
        return sorted(printable_name(file) for file in files if os.path.isfile(self._root / file))  # noqa: PTH113

    def _find(self, image: str, *, ends: bool) -> str | None:
        file = self._fitting(forward(image), ends=ends)
        return None if file is None else printable_name(file)

    def _fitting(self, path: str, *, ends: bool) -> str | None:
        if "\0" in path or path.lower().startswith(("http://", "https://")):
            return None
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if not parts or ".." in parts:
            # up and down again: only as it is written
            return path if parts and os.path.isfile(self._root / path) else None  # noqa: PTH113
        absolute = path.startswith("/") or parts[0].endswith(":")
        decoded = [unquote(part) for part in parts]
        uploaded = _UPLOADED.fullmatch(path)
        others = [decoded] if decoded != parts else []
        others += [[*parts[:-1], unquote(uploaded[1])]] if uploaded else []
        for spelled in (parts, *others):
            # a path of another computer: its longest end that exists here, with a folder, for many have a 1.jpg
            for start in range(max(1, len(spelled) - 1) if ends else 1):
                if found := self._walk(spelled[start:]):
                    return found
            if ((absolute and ends) or len(spelled) == 1) and (found := self._alone(spelled[-1])):
                return found
        return None

    def _walk(self, parts: list[str]) -> str | None:
        """Return the file that a path fits but for its case and its Unicode form."""
        here = ""
        for part in parts:
            fitting = self._listed(here).get(plain(part), [])
            exact = [name for name in fitting if name == part]
            if len(exact or fitting) != 1:
                return None
            here = os.path.join(here, (exact or fitting)[0])  # noqa: PTH118 - text, relative
        return here if os.path.isfile(self._root / here) else None  # noqa: PTH113

    def _only(self, name: str) -> str | None:
        """Return the one photo of that name in the folder or right below it, also without its ending."""
        names, stems = self._index()
        key = plain(name)
        fitting = (*names.get(key, ()), *(() if is_photo(name) else stems.get(key, ())))
        files = itertools.islice((file for file in fitting if os.path.isfile(self._root / file)), 2)  # noqa: PTH113
        first, second = next(files, None), next(files, None)
        return first if second is None else None

    def _index_all(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """Return the paths in the folder and right below it by their plain names, and those of photos by their stems.

        Made once: to look into each folder for each name would take minutes where many photos are missing.
        """
        names, stems = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
        for folder in ("", *self._folders_below()):
            for key, alike in self._listed(folder).items():
                for name in alike:
                    path = os.path.join(folder, name)  # noqa: PTH118 - text, relative
                    names[key].append(path)
                    if is_photo(name):
                        stems[plain(Path(name).stem)].append(path)
        return dict(names), dict(stems)

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
                names.setdefault(plain(name), []).append(name)
        return names
