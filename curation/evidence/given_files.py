"""Files of numbers with ids that a person made elsewhere: NumPy's, and tables of any form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt
import pandas as pd

from curation.errors import InputError, closest, some
from curation.listings.tables import format_of, read_raw
from training.utils.array_files import ObjectsError, open_arrays, read_array
from training.utils.files import require_regular
from training.utils.parquet_files import read_frame

__all__ = ["ID_NAMES", "GivenKind", "Npz", "check_file", "read_npy", "read_npz", "read_table", "told_in_one_line"]

#: What other tools call the ids in a .npz.
ID_NAMES = ("ids", "listing_id", "listing_ids", "item_id", "item_ids", "sku", "skus")


_FORMS = ".npz, .npy, or a table (csv, tsv, xlsx, parquet, json)"


@dataclass(frozen=True)
class GivenKind:
    """A kind of numbers that a person may bring along.

    Attributes
    ----------
    name : str
        What messages call them, e.g. ``probabilities``.
    values : str
        The name of their array in a ``.npz``, and of a variable in examples.
    columns : str
        What a table has beside the ids.
    error : callable
        Makes the error; takes what :class:`curation.errors.InputError` does.
    parts : mapping of str to tuple of str
        The arrays that a ``.npz`` must have → what other tools call them.
    optional : tuple of str
        Arrays that it may have.
    """

    name: str
    values: str
    columns: str
    error: Callable[..., InputError]
    parts: Mapping[str, tuple[str, ...]]
    optional: tuple[str, ...] = ()

    def texts(self) -> set[str]:
        """Return the parts that are names, all but the numbers."""
        return set(self.parts) - {self.values}


@dataclass(frozen=True)
class Npz:
    """What a ``.npz`` holds.

    Attributes
    ----------
    arrays : dict of str to ndarray
        By part.
    notes : tuple of str
        Which parts were found under other names: a sentence, or nothing.
    """

    arrays: dict[str, npt.NDArray[Any]]
    notes: tuple[str, ...]


def check_file(path: Path, kind: GivenKind) -> None:
    """Refuse a path without a file, and a file that is neither NumPy's nor a table.

    Parameters
    ----------
    path : Path
        What a person named.
    kind : GivenKind
        What is wanted of it.

    Raises
    ------
    InputError
        Of the kind's class.
    """
    require_regular(path, f"the {kind.name}")
    if path.is_dir():
        raise kind.error(f"{path} is a folder, not a file of {kind.name}", wanted=_FORMS, fix=_others(path))
    if not path.is_file():
        raise kind.error(f"there is no such file of {kind.name}", got=str(path), wanted=_FORMS, fix=_others(path))
    suffix = path.suffix.lower()
    if suffix not in (".npz", ".npy") and format_of(path) is None:
        pickled = suffix in (".pkl", ".pickle", ".pt", ".pth", ".joblib")
        raise kind.error(
            f"{path.name} can't be read",
            got=path.suffix or "a name without an ending",
            wanted=_FORMS,
            fix=f"Save it as a table: table.to_csv('{kind.values[0]}.csv', index=False)." if pickled else "",
        )


def _others(path: Path) -> str:
    """Return what to do about a path without a file: name those that are in the folder."""
    folder = path if path.is_dir() else path.parent
    try:
        there = sorted(str(each) for each in folder.iterdir() if _is_given(each))
    except OSError:
        there = []
    near = "" if path.is_dir() else closest(str(path), there)
    return near or (f"There are {some(there)}." if there else "Give the path of the file that you saved.")


def _is_given(path: Path) -> bool:
    return path.suffix.lower() in (".npz", ".npy", ".parquet") and path.is_file()


@contextmanager
def told_in_one_line(path: Path, kind: GivenKind) -> Iterator[None]:
    """Turn what the block finds wrong with a file into an error of the kind.

    Parameters
    ----------
    path : Path
        The file.
    kind : GivenKind
        What is in it.
    """
    try:
        yield
    except (ValueError, OSError) as error:
        # also of archives, whose errors may be empty
        why = next(iter(str(error).splitlines()), type(error).__name__)
        what = f"{path.name} can't be read"
        raise kind.error(what, got=why, wanted=_FORMS, fix="Save it again, or copy it again, whole.") from error


def read_table(path: Path, names: set[str]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read a table, and return what had to be guessed.

    Parameters
    ----------
    path : Path
        Its ending says what it is.
    names : set of str
        Columns that are likely, in lower case.
    """
    if path.suffix.lower() == ".parquet":
        # as it is: an index of ids has no name, and so many numbers take long as text
        return read_frame(path), ()
    raw = read_raw(path, names=names)
    return raw.table, tuple(raw.notes)


def read_npy(path: Path, kind: GivenKind) -> npt.NDArray[Any]:
    """Read a ``.npy`` without Python objects in it.

    Parameters
    ----------
    path : Path
        The file.
    kind : GivenKind
        What is in it.

    Raises
    ------
    InputError
        Of the kind's class, if it holds objects.
    """
    try:
        return read_array(path)
    except ObjectsError as error:
        raise kind.error(
            f"{path.name} holds Python objects, which are not opened because they may run code",
            got="an object array",
            wanted="numbers",
            fix=f"Save it with np.save({path.name!r}, {kind.values}.astype(float)).",
        ) from error


def read_npz(path: Path, kind: GivenKind, id_column: str) -> Npz:
    """Read the parts of a ``.npz``, under any of their names.

    Parameters
    ----------
    path : Path
        The file.
    kind : GivenKind
        Which parts there are.
    id_column : str
        What the dataset's own table calls the ids.

    Raises
    ------
    InputError
        Of the kind's class, if a part is missing, the numbers are there twice, a part holds objects, or names are no
        list.
    """
    with open_arrays(path) as content:
        keys = _keys(content, kind, id_column, path)
        missing = [part for part in kind.parts if part not in keys]
        if missing:
            saved = ", ".join(_argument(part, kind, cast=part in kind.texts()) for part in kind.parts)
            raise kind.error(
                f"{path.name} lacks {some(missing)}",
                got=some(content),
                wanted=", ".join(kind.parts),
                fix=closest(missing[0], list(content)) or f"Save all of it: np.savez({path.name!r}, {saved}).",
            )
        arrays = _arrays(content, keys, path, kind)
    for part in kind.texts():
        if arrays[part].ndim != 1:
            raise kind.error(
                f"{path.name} does not fit together",
                got=f"{part} of shape {arrays[part].shape}",
                wanted="a list of names",
            )
    other = [f"{key} as {part}" for part, key in keys.items() if key != part]
    notes = (f"Parts of {path.name} under other names are read: {', '.join(other)}.",) if other else ()
    return Npz(arrays, notes)


def _keys(content: Mapping[str, Any], kind: GivenKind, id_column: str, path: Path) -> dict[str, str]:
    """Return what a .npz calls each part that it has."""
    keys = {}
    for part in (*kind.parts, *kind.optional):
        own = (id_column,) if part == "id" else ()
        # a part under its own name goes first
        names = (part, *kind.parts.get(part, ()), *own)
        found = list(dict.fromkeys(key for name in names for key in content if key.lower() == name.lower()))
        if part == kind.values and len(found) > 1:
            saved = ", ".join(_argument(each, kind, cast=each in kind.texts()) for each in kind.parts)
            raise kind.error(
                f"{path.name} has several arrays of {kind.name}",
                got=some(found),
                wanted="one of them",
                fix=f"Save the one that is meant without the others: np.savez({path.name!r}, {saved}).",
            )
        if found:
            keys[part] = found[0]
    return keys


def _arrays(
    content: Mapping[str, Any], keys: dict[str, str], path: Path, kind: GivenKind
) -> dict[str, npt.NDArray[Any]]:
    arrays, objects = {}, []
    for part, key in keys.items():
        try:
            arrays[part] = content[key]
        except ObjectsError:
            objects.append(part)
    if objects:
        saved = ", ".join(_argument(part, kind, cast=part in objects) for part in keys)
        raise kind.error(
            f"{path.name} holds Python objects, which are not opened because they may run code",
            got=f"{' and '.join(keys[part] for part in objects)} of dtype object",
            wanted="text and numbers",
            fix=f"Save it with np.savez({path.name!r}, {saved}).",
        )
    return arrays


def _argument(part: str, kind: GivenKind, *, cast: bool) -> str:
    """Return a part as it is passed on to be saved; `cast`: as an array of another type."""
    name = "ids" if part == "id" else part
    dtype = "str" if part in kind.texts() else "float"
    return f"{part}=np.array({name}, dtype={dtype})" if cast else f"{part}={name}"
