"""Folders of photos: class folders, and splits above them."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import PIL.Image

from curation.errors import ListingsError, some
from curation.listings.faults import Faults
from curation.listings.junk import holds_runs, is_junk
from curation.listings.other_tables import next_step
from curation.listings.splits import split_of, split_order
from curation.listings.tables import RawTable, held_table, readable_format
from curation.rendering.words import agree, many
from training.utils.files import printable_name

__all__ = [
    "find_table",
    "has_class_folders",
    "is_photo",
    "likely_dataset",
    "photo_formats",
    "read_class_folders",
]

#: Formats that Pillow recognises, and that hold no photo or can't be decoded without another program.
_NO_PHOTOS = frozenset({"BUFR", "EPS", "FITS", "FLI", "GBR", "GRIB", "HDF5", "IPTC", "MPEG", "WMF", "XPM", "XVTHUMB"})
_LEAST_CLASSES = 2
_BESIDE = frozenset({"changes.csv", "manifest.json"})


def is_photo(name: str) -> bool:
    """Return whether a file has an ending that Pillow opens here."""
    PIL.Image.init()
    kind = PIL.Image.registered_extensions().get(os.path.splitext(name)[1].lower())  # noqa: PTH122 - asked very often
    return kind is not None and _opens(kind)


def photo_formats() -> dict[str, str]:
    """Return the formats of photos that Pillow opens here, each with the usual ending of its files.

    Examples
    --------
    >>> photo_formats()["JPEG"], photo_formats()["PNG"]
    ('.jpg', '.png')
    """
    PIL.Image.init()
    formats: dict[str, str] = {}
    for ending, kind in PIL.Image.registered_extensions().items():
        if _opens(kind):
            formats.setdefault(kind, ending)
    return {**formats, "JPEG": ".jpg", "PNG": ".png"}


def _opens(kind: str) -> bool:
    return kind in PIL.Image.OPEN and kind not in _NO_PHOTOS


@dataclass
class _Found:
    """What a walk through folders finds."""

    rows: list[dict[str, str | None]] = field(default_factory=list)
    #: folder of a class → endings of its files that are no photos
    others: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    junk: Counter[str] = field(default_factory=Counter)
    #: folder of a class → photos in each of the folders inside it
    inner: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    #: folders of photos that belong to no class
    classless: Counter[str] = field(default_factory=Counter)
    #: links to a folder that they lie in
    loops: list[Path] = field(default_factory=list)
    #: folders of runs, which hold photos, too
    runs: list[Path] = field(default_factory=list)

    def notes(self) -> Iterator[str]:
        if self.junk:
            kinds = some((f"{name} ({count:,})" for name, count in self.junk.most_common()), 4)
            yield f"{many(self.junk.total(), 'file')} of the system skipped: {kinds}."
        others = {label: endings for label, endings in self.others.items() if endings}
        if others:
            kinds = some(
                (
                    f"{label}: {', '.join(f'{count:,} {ending}' for ending, count in endings.most_common(3))}"
                    for label, endings in sorted(others.items())
                ),
                4,
            )
            total = sum(endings.total() for endings in others.values())
            yield f"{many(total, 'file')} left out, for {'they are' if total > 1 else 'it is'} no photo here: {kinds}."
        yield from _said_of_inner(self.inner)
        if self.loops:
            names = some((printable_name(str(path)) for path in self.loops), 4)
            yield f"{many(len(self.loops), 'link')} to a folder above skipped: {names}."
        yield from (f"{printable_name(str(path))} left out, for it holds runs of curate." for path in self.runs)
        for folder, count in self.classless.items():
            if count:
                why = f"{agree(count, 'it lies', 'they lie')} in no class folder"
                yield f"{many(count, 'photo')} in {printable_name(folder)} left out, for {why}."


def _said_of_inner(inner: dict[str, Counter[str]]) -> Iterator[str]:
    """Say which folders inside class folders are no classes, where they might be."""
    if not inner:
        return
    count = sum(photos.total() for photos in inner.values())
    named = (
        f"{label}: {some((f'{name} ({photos:,})' for name, photos in folders.most_common()), 4)}"
        for label, folders in sorted(inner.items())
    )
    first = min(inner)
    example = f"{first}/{inner[first].most_common(1)[0][0]}"
    yield (
        f"{many(count, 'photo')} {agree(count, 'lies', 'lie')} in folders inside the class folders, whose names are "
        f"not used: {some(named, 4)}. With `label_separator='/'` each folder is a class, e.g. {example!r}."
    )


def read_class_folders(root: Path, *, needs_label: bool, forms: str, faults: Faults, nested: bool = False) -> RawTable:
    """List a folder of class folders as torchvision's ImageFolder does; folders of splits may lie above them.

    Parameters
    ----------
    root : Path
        The folder.
    needs_label : bool
        Whether photos must lie in a class folder; without, also those beside class folders are listed. Where there
        are no class folders, these are listed without labels in any case.
    forms : str
        What a dataset may be, for the message.
    faults : Faults
        Takes the fault that a class folder has no photo that can be opened.
    nested : bool
        Whether folders inside class folders are classes, too, e.g. ``games/consoles``. Without, the outermost folder
        is the class.

    Raises
    ------
    ListingsError
        If there are no photos.
    """
    found = _Found()
    loose = []
    # in a hierarchy, parents may well have classes of one name
    for parent, split in _parents(root, found, Faults(strict=False) if nested else faults):
        for path in _entries(parent, found):
            if path.is_dir():
                _add_class(root, path, split, found, nested=nested)
            elif is_photo(path.name):
                loose.append((path, split))
    if not needs_label or not found.rows:
        found.rows += [_row(root, path, None, split) for path, split in loose]
    else:
        found.classless.update(path.parent.relative_to(root).as_posix() for path, _ in loose)
    if count := found.classless.pop(".", 0):
        found.classless[root.resolve().name] += count
    _require_photos(root, found, forms, faults, needs_label=needs_label)
    notes = list(found.notes())
    if tables := _tables(root):
        read = f"{some((path.name for path in tables), 3)} {agree(len(tables), 'is', 'are')} not read"
        notes.append(f"The classes are the folders; {read}.")
    # an encoding that every name fits into: pandas keeps no bytes that are no UTF-8
    table = pd.DataFrame(found.rows, dtype="string")
    files = held_table(table.dropna(axis=1, how="all")).files
    # as in a table: blanks around a class are no part of it; its folder keeps them
    label = table["label"].str.strip()
    return RawTable(table.assign(label=label.mask(label == "")), tuple(notes), files)


def _parents(root: Path, found: _Found, faults: Faults) -> list[tuple[Path, str | None]]:
    """Return the folders above the class folders, with their splits."""
    top = _folders(root, _Found())
    classes = {path: _classes(path) for path in top}
    above = sorted((path for path in top if split_of(path.name)), key=lambda path: split_order(path.name))
    below = set().union(*(classes[path] for path in above))
    others = [path for path in top if path not in above]
    if not above or (others and len(below) < (_LEAST_CLASSES if len(above) == 1 else 1)):
        _refuse_parts(classes, faults)
        return [(root, None)]
    for path in others:
        if classes[path] and (len(above) == 1 or classes[path] & below):
            faults.add(_unclear(path, above, classes[path]))
    # for its junk and loose photos: the folders of the classes are below
    outer = [root, *(path for path in above if _inner(path) != path)]
    for folder in outer:
        inside = [path.name for path in _entries(folder, found) if not path.is_dir()]
        found.classless[folder.relative_to(root).as_posix()] += sum(map(is_photo, inside))
    for path in others:
        found.classless[path.name] += sum(1 for file in _files(path, _Found()) if is_photo(file.name))
    # .zip files of Kaggle hold seg_train/seg_train/<class>
    return [(_inner(path), path.name) for path in above]


def _classes(folder: Path) -> set[str]:
    """Return the names of the folders in a folder that hold photos."""
    inside = _folders(_inner(folder), _Found())
    return {path.name for path in inside if any(is_photo(file.name) for file in _files(path, _Found()))}


def _unclear(folder: Path, above: list[Path], classes: set[str]) -> ListingsError:
    splits = " and ".join(path.name for path in above)
    return ListingsError(
        f"the folder {folder.name!r} is no split, and no class beside {splits}",
        got=f"folders of photos in it: {some(sorted(classes), 4)}",
        wanted="top folders that are all splits, or all classes",
        fix=f"Move its photos into {above[0].name}, or the folder elsewhere.",
    )


def _refuse_parts(classes: dict[Path, set[str]], faults: Faults) -> None:
    """Refuse top folders that all hold the same folders: parts of a dataset, such as folds, are no classes."""
    filled = [path for path in classes if any(is_photo(file.name) for file in _files(path, _Found()))]
    shared = set.intersection(*(classes[path] for path in filled)) if filled else set()
    if len(filled) > 1 and len(shared) >= _LEAST_CLASSES:
        faults.add(
            ListingsError(
                "the top folders hold the same folders, so they seem to be no classes",
                got=f"{some(sorted(shared), 4)} in each of {some((path.name for path in filled), 4)}",
                wanted="class folders, or folders of splits above them: train, val, test",
                fix="Call them so, or name one of them. If they are classes, list the photos in a table; "
                "`label_separator='/'` makes a class of each folder in them.",
            )
        )


def _inner(folder: Path) -> Path:
    inside = _folders(folder, _Found())
    split = split_of(folder.name)
    return inside[0] if split and len(inside) == 1 and split_of(inside[0].name) == split else folder


def _add_class(root: Path, folder: Path, split: str | None, found: _Found, *, nested: bool) -> None:
    name = printable_name(folder.name)
    for path in _files(folder, found):
        inside = "" if path.parent == folder else printable_name(path.parent.relative_to(folder).as_posix())
        label = f"{name}/{inside}" if nested and inside else name
        if not is_photo(path.name):
            found.others[label][path.suffix.lower() or "without ending"] += 1
            continue
        found.rows.append(_row(root, path, label, split))
        if inside and not nested:
            found.inner[name][inside] += 1
    for path in _innermost(folder) if nested else [folder]:
        # a class without a photo here; those of the other splits may have some
        found.others[printable_name(path.relative_to(folder.parent).as_posix())] += Counter()


def _innermost(folder: Path) -> Iterable[Path]:
    """Yield the folders below a folder, or itself, that hold no others."""
    inside = _folders(folder, _Found())
    for path in inside:
        yield from _innermost(path)
    if not inside:
        yield folder


def _row(root: Path, path: Path, label: str | None, split: str | None) -> dict[str, str | None]:
    image = printable_name(path.relative_to(root).as_posix())
    return {"id": image, "image": image, "label": label, "split": split}


def _require_photos(root: Path, found: _Found, forms: str, faults: Faults, *, needs_label: bool) -> None:
    labels = {row["label"] for row in found.rows}
    # without labels, an empty folder is no class that is lost
    empty = {label: ends for label, ends in found.others.items() if label not in labels and (ends or needs_label)}
    if empty and labels - {None}:
        label, endings = min(empty.items(), key=lambda each: each[0])
        held = ", ".join(f"{count:,} {ending}" for ending, count in endings.most_common(3))
        faults.add(
            ListingsError(
                f"the class {label!r} would vanish: its folder has no photo that can be opened",
                got=held or "an empty folder",
                wanted="photos as .jpg, .png, .webp or another ending that Pillow opens",
                fix="Convert them, or move the folder elsewhere." if held else "Put them there, or remove the folder.",
            )
        )
    if not found.rows:
        tables = _tables(root)
        others = [f"{path.name}: {step}" for path in _entries(root, found) if (step := next_step(path.name))]
        raise ListingsError(
            f"{root} holds no listings",
            got="no photos in class folders",
            wanted=forms,
            fix=f"Name one of its tables: {some(tables, 3)}." if tables else "; ".join(others[:1]),
        )


def _files(folder: Path, found: _Found) -> Iterable[Path]:
    """Yield all files below a folder, also pipes and links to nothing, by their names, without junk."""
    for path in _entries(folder, found):
        if path.is_dir():
            yield from _files(path, found)
        else:
            yield path


def _folders(parent: Path, found: _Found) -> list[Path]:
    return [path for path in _entries(parent, found) if path.is_dir()]


def _entries(folder: Path, found: _Found) -> list[Path]:
    entries = []
    for path in sorted(folder.iterdir()):
        if is_junk(path.name):
            name = "._*" if path.name.startswith("._") else path.name
            found.junk[name] += sum(len(files) for _, _, files in os.walk(path)) if path.is_dir() else 1
        elif path.is_symlink() and path.is_dir() and _leads_up(path):
            found.loops.append(path)
        elif holds_runs(path):
            found.runs.append(path)
        else:
            entries.append(path)
    return entries


def _leads_up(link: Path) -> bool:
    """Whether a link leads to a folder that it lies in, perhaps through other links: a walk would never end."""
    target = Path(os.path.realpath(link))
    return any(Path(os.path.realpath(parent)).is_relative_to(target) for parent in link.parents)


def find_table(root: Path) -> Path | None:
    """Return the only table of a folder that has no class folders; None if there are several, or classes."""
    tables = _tables(root)
    return tables[0] if len(tables) == 1 and not has_class_folders(root) else None


def has_class_folders(root: Path) -> bool:
    """Return whether two folders in a folder, or in those of its splits, hold photos."""
    classes = {
        folder.name
        for parent, _ in _parents(root, _Found(), Faults(strict=False))
        for folder in _folders(parent, _Found())
        if any(is_photo(path.name) for path in _files(folder, _Found()))
    }
    return len(classes) >= _LEAST_CLASSES


def likely_dataset(root: Path) -> str:
    """Return what may be meant instead of a folder that has one class: its tables, or the only folder in it."""
    if tables := _tables(root):
        return f"Name its table: {' or '.join(map(str, tables[:3]))}."
    inside = _folders(root, _Found())
    if len(inside) == 1 and (_tables(inside[0]) or len(_folders(inside[0], _Found())) > 1):
        return f"Did you mean {inside[0]}?"
    return ""


def _tables(root: Path) -> list[Path]:
    # a .txt file is rarely a table, unless it is named as one
    tables = [
        path for path in _entries(root, _Found()) if path.is_file() and readable_format(path) and path.suffix != ".txt"
    ]
    # what apply-fixes puts beside the dataset
    ours = _BESIDE if {path.name for path in tables} >= _BESIDE else frozenset()
    return [path for path in tables if path.name not in ours]
