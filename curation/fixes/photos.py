"""The photos of a cleaned dataset, where it has any of its own: links to those of the input, else copies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from curation.errors import RunError, some
from curation.listings.junk import is_junk
from curation.listings.splits import split_folder, split_of
from curation.rendering.words import agree, many
from curation.run.folder import RunFolder
from curation.run.own_photos import OwnPhotos
from training.utils.boundary import Boundary
from training.utils.files import NotReadableError, copy_regular, photo_path, printable_name

__all__ = ["Photos", "folder_splits", "outside"]

#: Bytes of a folder's name.
_LONGEST = 255


def folder_splits(images: pd.Series, *, inside: bool = False) -> list[str | None]:
    """Return the folder of the split that each photo lies in; None if it lies in none.

    Parameters
    ----------
    images : Series of str
        Paths relative to the dataset's folder; NA for a listing without a photo.
    inside : bool
        Whether folders of splits may lie in another one, such as ``data``.

    Examples
    --------
    >>> folder_splits(pd.Series(["seg_train/cat/a.jpg", "b.jpg"], dtype="string"))
    ['seg_train', None]
    """
    return [split_folder(image, inside=inside) for image in images.astype(object)]


def outside(root: Path, images: pd.Series, folder: Path) -> list[Path]:
    """Return the photos that do not lie in a folder, not even through a link.

    Parameters
    ----------
    root : Path
        The folder that `images` are relative to.
    images : Series of str
        Paths; NA for a listing without a photo.
    folder : Path
        The folder.
    """
    boundary = Boundary(folder)
    paths = [photo_path(root, image) for image in images.dropna() if "\0" not in image]
    return [Path(os.path.realpath(path)) for path in paths if not boundary.holds(path)]


class Photos:
    """Puts photos into a folder.

    Parameters
    ----------
    run : RunFolder
        The run whose photos they are.
    folder : Path
        Where they go.

    Attributes
    ----------
    missing : list of str
        Photos that are no longer there.
    changed : list of str
        Those that are other photos than find-issues read.
    strange : list of str
        Those that are no photos of the run, see :class:`curation.run.own_photos.OwnPhotos`. They are put nowhere.
    """

    def __init__(self, run: RunFolder, folder: Path) -> None:
        self._root = run.photo_root
        self._folder = folder
        # then each level of a label is a folder, as find-issues reads them
        self._nested = (run.record()["dataset"].get("label_separator") or "").strip() == "/"
        self._taken: set[str] = set()
        self._copied = 0
        self._own = OwnPhotos(run)
        self.missing: list[str] = []
        self.changed: list[str] = []
        self.strange: list[str] = []

    def put(self, image: str, path: str) -> None:
        """Put a photo to a path below the folder: a link if the file system has them, a copy otherwise.

        Parameters
        ----------
        image : str
            The photo as the run names it.
        path : str
            Of :meth:`path_of` or one of its siblings.
        """
        source, target = photo_path(self._root, image), self._folder / os.fsdecode(path)
        if ".." in Path(path).parts or Path(path).is_absolute():
            raise ValueError(f"the photo {path!r} would lie outside the folder of the dataset")
        try:
            standing = self._own.standing(image)
        except (OSError, ValueError, NotReadableError):
            self.missing.append(image)
            return
        if standing == "strange":
            self.strange.append(image)
            return
        if standing == "changed":
            self.changed.append(image)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(os.path.realpath(source), target)
        except OSError:
            try:
                copy_regular(source, target)
            except NotReadableError:
                self.missing.append(image)
                return
            self._copied += 1

    def require_own(self) -> None:
        """Refuse a dataset in which a name leads to something else than a photo of the run.

        Raises
        ------
        RunError
        """
        if self.strange:
            count = len(self.strange)
            raise RunError(
                f"{many(count, 'photo')} {agree(count, 'is', 'are')} not what find-issues read, and no other photo of "
                "the dataset's folder",
                got=some(self._led_to(image) for image in self.strange),
                wanted="the files that the run was made of",
                fix=f"Put {agree(count, 'it', 'them')} back, find issues again, or write a table, which names "
                'photos and holds none: `format="csv"`.',
                parameter="format",
            )

    def _led_to(self, image: str) -> str:
        """Return a photo with the file that it leads to, where that has another place."""
        place = os.path.normpath(os.path.realpath(self._root) / Path(image))
        real = os.path.realpath(place)
        return image if real == place else f"{image}, which leads to {real}"

    def notes(self) -> Iterator[str]:
        """Yield what a person should know: a sentence each."""
        if self._copied:
            copies = agree(self._copied, "is a copy", "are copies")
            yield f"{many(self._copied, 'photo')} {copies}, for this file system has no links."
        if count := len(self.changed):
            yield (
                f"{many(count, 'photo')} {agree(count, 'was', 'were')} changed since find-issues read "
                f"{agree(count, 'it', 'them')}, and {agree(count, 'is', 'are')} in the dataset as now: "
                f"{some(self.changed)}. What was decided rests on the earlier {agree(count, 'one', 'ones')}."
            )
        if self.missing:
            yield f"{many(len(self.missing), 'photo')} {agree(len(self.missing), 'is', 'are')} no longer there."

    def path_of(self, image: str, *, for_table: bool = False) -> str:
        """Return a free path for a photo: its own if it lies in the dataset's folder, otherwise one in ``photos/``.

        Parameters
        ----------
        image : str
            The photo as the run names it.
        for_table : bool
            Whether a table names it, which holds no bytes that are no UTF-8 and takes backslashes for slashes.
        """
        relative = os.path.relpath(photo_path(self._root, image), self._root)
        relative = printable_name(relative).replace("\\", "_") if for_table else relative
        inside = not relative.startswith("..") and not Path(image).is_absolute()
        return self._free(relative) if inside else self._free(f"photos/{Path(relative).name}")

    def path_in_class(self, image: str, label: str, has_split: bool) -> str:
        """Return a free path for a photo of class folders, in the folder of a class that may be another one."""
        parts = Path(os.path.relpath(photo_path(self._root, image), self._root)).parts
        above = int(has_split)
        # a .zip may hold seg_train/seg_train/cat
        above += has_split and len(parts) > above + 2 and split_of(parts[above]) == split_of(parts[0])
        inside = parts[above:-1] if self._nested else parts[above : above + 1]
        # another class may have a folder whose name is no UTF-8
        place = above_it = self._root.joinpath(*parts[:above])
        for name in self._folders_of(label):
            place = _with_blanks(photo_path(place, name))
        folder = Path(*inside) if printable_name("/".join(inside)).strip() == label else place.relative_to(above_it)
        return self._free(str(Path(*parts[:above], folder, *parts[above + len(inside) :])))

    def path_of_class(self, image: str, label: str, split: str | None) -> str:
        """Return a free path for any photo in the folder of a class, below that of its split."""
        name = photo_path(self._root, image).name
        above = [_folder_name(split)] if split else []
        return self._free(str(Path(*above, *self._folders_of(label), name)))

    def _folders_of(self, label: str) -> list[str]:
        return [_folder_name(level.strip()) for level in (label.split("/") if self._nested else [label])]

    def _free(self, path: str) -> str:
        place, number = Path(path), 2
        while (key := str(place).casefold()) in self._taken:
            place = Path(path).with_stem(f"{Path(path).stem}-{number}")
            number += 1
        self._taken.add(key)
        return str(place)


def _with_blanks(folder: Path) -> Path:
    """Return the folder of a class, whose name may have blanks around it where none is without."""
    if folder.exists() or not folder.parent.is_dir():
        return folder
    same = sorted(path for path in folder.parent.iterdir() if path.name.strip() == folder.name and path.is_dir())
    return next(iter(same), folder)


def _folder_name(name: str) -> str:
    """Return the name of a class as that of its folder.

    Raises
    ------
    ValueError
        If it can't be one, or would be skipped.
    """
    if not name or "/" in name or "\0" in name or is_junk(name) or len(name.encode()) > _LONGEST:
        raise ValueError(f"{name!r} can't be the name of a folder of photos")
    return name
