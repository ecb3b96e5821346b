"""Photo names as tables have them, matched with the files that exist."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pandas as pd

from curation.errors import short_repr, some
from curation.listings.folders import is_photo
from curation.listings.photo_files import PhotoFiles, forward, plain
from curation.listings.several_photos import names_of
from curation.rendering.words import agree, many
from training.utils.files import photo_path

__all__ = ["MatchedPhotos", "match_photos", "name_photos", "said_of_naming"]

#: Share of the cells that must name a photo for a column of another name to be that of the photos.
_MOSTLY = 0.8
#: How photos are named by ids, and how pandas writes the same: as they are, filled up with zeros, or with a number.
_NAMED_BY: tuple[tuple[str, str, Callable[[str], str]], ...] = (
    ("", "", str),
    *((f".str.zfill({width})", "", partial(lambda width, id: id.zfill(width), width)) for width in range(2, 13)),
    *(("", end, partial(lambda end, id: id + end, end)) for end in ("_1", "-1", "_01", "_0", "-0")),
)
_TRIED = 100


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
    several : mapping of row to sequence of str
        The files that a name fits, of names that fit several, and so none.
    fits : str
        The first of these names, with its files.
    """

    images: pd.Series
    missing: pd.Series
    notes: tuple[str, ...] = ()
    several: Mapping[Hashable, Sequence[str]] = field(default_factory=dict)
    fits: str = ""


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
        [not pd.isna(image) and not os.path.isfile(photo_path(root, image)) for image in images.to_numpy(dtype=object)],  # noqa: PTH113
        index=images.index,
        dtype=bool,
    )
    if not missing.any():
        return MatchedPhotos(images, missing)
    files = PhotoFiles(root)
    names = images[missing]
    fits = {row: fit for row, image in names.items() if (fit := files.find_first(image))}
    matched = _without_conflicts(
        {row: file for row, (_, file) in fits.items()},
        {row: plain(forward(name)) for row, (name, _) in fits.items()},
        set(images[~missing]),
    )
    several = {row: fitting for row, name in names.items() if row not in fits and (fitting := _several(files, name))}
    fit_several = next((f"{names.to_dict()[row]!r} fits {some(each, 3)}" for row, each in several.items()), "")
    if not matched:
        return MatchedPhotos(images, missing, _said_of_fitting(several, fit_several), several, fit_several)
    found = pd.Series(matched, dtype="string")
    named = pd.Series({row: fits[row][0] for row in matched}, dtype="string")
    exact = images.copy()
    exact[found.index] = found
    still = missing.copy()
    still[found.index] = False
    notes = (*_said_of_several(names[found.index]), *_notes(named, found), *_said_of_fitting(several, fit_several))
    return MatchedPhotos(exact, still, notes, several, fit_several)


def name_photos(names: pd.Series, files: PhotoFiles) -> bool:
    """Return whether most cells of a column fit one photo each, as :func:`match_photos` would match them.

    Parameters
    ----------
    names : Series of str
        The cells.
    files : PhotoFiles
        Those of the dataset's folder.
    """
    given = names.dropna()
    found = [file for name in given.unique() if (file := name if files.is_file(name) else files.find(name))]
    photos = set(filter(is_photo, found))
    return len(photos) >= max(1.0, _MOSTLY * len(given))


def said_of_naming(ids: pd.Series, files: PhotoFiles) -> str:
    """Return how the photos of ids seem to be named, with the line that makes a column of them; empty if they don't.

    Parameters
    ----------
    ids : Series of str
        The ids, by the name of their column.
    files : PhotoFiles
        Those of the dataset's folder.
    """
    given = ids.dropna().unique()[:_TRIED]
    for change, end, name in _NAMED_BY:
        fitting = [files.fitting(name(id)) for id in given]
        if sum(map(bool, fitting)) < max(1.0, _MOSTLY * len(given)):
            continue
        first = next(filter(None, fitting))
        ending, folder = Path(first[0]).suffix, first[0].rpartition("/")[0]
        line = f"table['image'] = {f'{folder}/' if folder else ''!r} + table[{ids.name!r}]{change} + {end + ending!r}"
        which = f"{given[0]!r} fits {some(first, 3)}" if len(first) > 1 else f"{given[0]!r} seems to be {first[0]}"
        return f"Of {ids.name}, {which}: add a column with pandas (read with dtype=str): {line}"
    return ""


def _several(files: PhotoFiles, cell: str) -> list[str]:
    """Return the files that the first name in a cell fits, if these are several."""
    each = map(files.fitting, names_of(cell))
    return next((fitting for fitting in each if len(fitting) > 1), [])


def _said_of_fitting(several: Collection[Hashable], example: str) -> tuple[str, ...]:
    count = len(several)
    fit = f"{many(count, 'name')} of photos {agree(count, 'fits', 'fit')} several files, so none of these is taken"
    return (f"{fit}: {example}.",) if several else ()


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
        if written[row] == plain(file) or (file not in named and len(claims[file]) == 1)
    }


def _notes(written: pd.Series, matched: pd.Series) -> list[str]:
    kinds: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for name, file in zip(written, matched, strict=True):
        if name == file:
            continue
        kind = "by another spelling of its name" if plain(forward(name)) == plain(file) else "by a part of its name"
        kinds[kind] += 1
        examples.setdefault(kind, f"{name!r} is {file}")
    return [
        f"{many(count, 'photo')} {agree(count, 'is', 'are')} matched "
        f"{kind if count == 1 else kind.replace('its name', 'their names')}, e.g. {examples[kind]}."
        for kind, count in kinds.items()
    ]
