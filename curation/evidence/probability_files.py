"""Files of probabilities: NumPy's, and tables of any form."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from curation.errors import ProbabilitiesError, closest, some
from curation.evidence.probability_parts import Parts, Wanted, names_of, of_frame
from curation.listings.tables import format_of, read_raw
from training.utils.array_files import ObjectsError, open_arrays, read_array
from training.utils.files import require_regular
from training.utils.parquet_files import read_frame

__all__ = ["parts_of_file"]

#: What other tools call the parts of a .npz.
_ALSO = {
    "probs": ("pred_probs", "probabilities", "proba", "y_proba", "y_prob", "predicted_probabilities", "arr_0"),
    "id": ("ids", "listing_id", "listing_ids", "item_id", "item_ids", "sku", "skus"),
    "classes": ("class_names", "classes_", "class_name", "label_names", "target_names", "categories"),
}


def parts_of_file(path: Path, wanted: Wanted) -> Parts:
    """Read a file of probabilities.

    Parameters
    ----------
    path : Path
        ``.npz`` with ``probs``, ``id``, ``classes`` and, optionally, ``fold``; ``.npy`` with ``probs`` alone; or any
        table that :func:`curation.listings.tables.read_raw` knows, with a column ``id`` and one column per class.
    wanted : Wanted
        The listings and their labels.

    Raises
    ------
    ProbabilitiesError
        If the file can't be read, or lacks a part.
    """
    require_regular(path, "the probabilities")
    if not path.is_file():
        raise ProbabilitiesError("there is no such file of probabilities", got=str(path))
    suffix = path.suffix.lower()
    if suffix not in (".npz", ".npy") and format_of(path) is None:
        raise ProbabilitiesError(
            f"{path.name} can't be read",
            got=path.suffix,
            wanted=".npz, .npy, or a table (csv, tsv, xlsx, parquet, json)",
            fix="Save it as a table: table.to_csv('p.csv', index=False)." if suffix in (".pkl", ".pickle") else "",
        )
    try:
        if suffix == ".npz":
            return _read_npz(path, wanted)
        if suffix == ".npy":
            return _read_npy(path, wanted)
        return _read_table(path, wanted)
    except (ValueError, OSError) as error:
        raise ProbabilitiesError(f"{path.name} can't be read", got=str(error).splitlines()[0]) from error


def _read_table(path: Path, wanted: Wanted) -> Parts:
    if path.suffix.lower() == ".parquet":
        # as it is: an index of ids has no name, and so many numbers take long as text
        return of_frame(read_frame(path), wanted, path.name)
    raw = read_raw(path, names={"id", wanted.id_column.lower(), *(label.lower() for label in wanted.labels)})
    parts = of_frame(raw.table, wanted, path.name)
    return Parts(parts.name, parts.probs, parts.ids, parts.classes, parts.fold, (*raw.notes, *parts.notes))


def _read_npy(path: Path, wanted: Wanted) -> Parts:
    try:
        loaded = read_array(path)
    except ObjectsError as error:
        raise ProbabilitiesError(
            f"{path.name} holds Python objects, which are not opened because they may run code",
            got="an object array",
            wanted="numbers",
            fix=f"Save it with np.save({path.name!r}, probs.astype(float)).",
        ) from error
    if loaded.dtype.names:
        return of_frame(pd.DataFrame(loaded), wanted, path.name)
    return Parts(path.name, loaded)


def _read_npz(path: Path, wanted: Wanted) -> Parts:
    with open_arrays(path) as content:
        keys = _keys(content, wanted)
        missing = [part for part in _ALSO if part not in keys]
        if missing:
            raise ProbabilitiesError(
                f"{path.name} lacks {some(missing)}",
                got=some(content),
                wanted="probs, id, classes",
                fix=closest(missing[0], list(content))
                or f"Save all of it: np.savez({path.name!r}, probs=probs, id=np.array(ids, dtype=str), "
                "classes=np.array(classes, dtype=str)).",
            )
        arrays = _arrays(content, keys, path)
    for part in ("id", "classes"):
        if arrays[part].ndim != 1:
            raise ProbabilitiesError(
                f"{path.name} does not fit together",
                got=f"{part} of shape {arrays[part].shape}",
                wanted="a list of names",
            )
    fold = arrays.get("fold")
    other = [f"{key} as {part}" for part, key in keys.items() if key != part]
    return Parts(
        path.name,
        arrays["probs"],
        names_of(arrays["id"]),
        names_of(arrays["classes"]),
        None if fold is None else np.asarray(fold, dtype=np.float64),
        (f"Parts of {path.name} under other names are read: {', '.join(other)}.",) if other else (),
    )


def _keys(content: Mapping[str, Any], wanted: Wanted) -> dict[str, str]:
    """Return what a .npz calls each part that it has."""
    keys = {}
    for part in (*_ALSO, "fold"):
        own = (wanted.id_column,) if part == "id" else ()
        # a part under its own name goes first
        found = [key for name in (part, *_ALSO.get(part, ()), *own) for key in content if key.lower() == name.lower()]
        if found:
            keys[part] = found[0]
    return keys


def _arrays(content: Mapping[str, Any], keys: dict[str, str], path: Path) -> dict[str, npt.NDArray[Any]]:
    arrays, objects = {}, []
    for part, key in keys.items():
        try:
            arrays[part] = content[key]
        except ObjectsError:
            objects.append(part)
    if objects:
        parts = [f"{part}={_saved(part, part in objects)}" for part in keys]
        raise ProbabilitiesError(
            f"{path.name} holds Python objects, which are not opened because they may run code",
            got=f"{' and '.join(keys[part] for part in objects)} of dtype object",
            wanted="text and numbers",
            fix=f"Save it with np.savez({path.name!r}, {', '.join(parts)}).",
        )
    return arrays


def _saved(part: str, is_object: bool) -> str:
    """Return a part as it is passed on to be saved."""
    name = "ids" if part == "id" else part
    if not is_object:
        return name
    return f"np.array({name}, dtype={'str' if part in ('id', 'classes') else 'float'})"
