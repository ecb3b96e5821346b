"""The declaration of a cleaned dataset."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curation.listings.decoding import check_encoding
from curation.listings.original import Original
from curation.listings.price_cells import Decimal
from curation.listings.sources import COLUMNS, DECLARATION
from curation.listings.twins import looks
from curation.listings.written import WrittenFile
from curation.run.folder import RunFolder
from training.utils.files import printable_name, write_text
from training.utils.formulas import text_of_formula

__all__ = ["write_declaration"]

_TEXT = ("csv", "json", "jsonl")


def write_declaration(
    run: RunFolder,
    folder: Path,
    original: Original,
    labels: Sequence[str | None],
    file: WrittenFile | None = None,
    photos: Path | None = None,
    *,
    decimal: Decimal | None = None,
    allow_bad: float | None = None,
) -> None:
    """Write the declaration, with which find-issues reads the dataset as it read the input.

    Parameters
    ----------
    run : RunFolder
        The run.
    folder : Path
        Gets ``dataset.toml``.
    original : Original
        The dataset.
    labels : sequence of str
        The label of each listing that is written; None for one without.
    file : WrittenFile, optional
        Their table, as it is written; class folders have none.
    photos : Path, optional
        The folder of the photos, if it is another one: then the table is not metadata of photos beside it.
    decimal : str, optional
        What marks the decimals of prices; None without prices.
    allow_bad : float, optional
        The share of bad rows to allow, 0 to 1; None for the default.
    """
    dataset: dict[str, Any] = run.record()["dataset"]
    entries = {
        "name": f"{dataset['name']}-cleaned",
        "table": file.name if file and photos else "",
        "photos": os.path.relpath(photos, run.cleaned.resolve()) if photos else "",
        "currency": dataset["currency"],
        "label_separator": dataset.get("label_separator"),
        # of a workbook that was converted, the one sheet is left
        "sheet": file.format.sheet if dataset.get("sheet") and file and file.format.kind == "xlsx" else None,
        # a table that was converted, or lacked a character, is in UTF-8
        "encoding": dataset.get("encoding") if file and _is_in(file, dataset.get("encoding")) else None,
    }
    lines = [f"{key} = {_toml(value)}" for key, value in entries.items() if value]
    lines += [] if decimal is None else [f"decimal = {_toml(decimal)}"]
    limits = {"allow_bad": allow_bad, "max_photo_mb": dataset.get("max_photo_mb")}
    lines += [f"{key} = {value}" for key, value in limits.items() if value is not None]
    columns = _columns(original, file, metadata=photos is None) if file else _unused(original)
    lines += ["", "[columns]"] if columns else []
    lines += [f"{ours} = {_toml(theirs)}" for ours, theirs in columns.items()]
    meant = _labels(original, labels)
    lines += ["", "[labels]"] if meant else []
    lines += [f"{_toml(old)} = {_toml(new)}" for old, new in meant.items()]
    none = {looks(old) for old, new in meant.items() if not new}
    classes = len({label for label in labels if label is not None and looks(label) not in none})
    lines += ["", "[expected]", f"listings = {len(labels)}", f"classes = {classes}", ""]
    write_text(folder / DECLARATION, "\n".join(lines))


def _is_in(file: WrittenFile, encoding: str | None) -> bool:
    """Return whether a file is text of the encoding that a person named."""
    return encoding is not None and file.format.kind in _TEXT and file.format.encoding == check_encoding(encoding)


def _labels(original: Original, labels: Sequence[str | None]) -> dict[str, str]:
    """Return what the declaration said of labels that are still there, most of which got their new names."""
    left = {label for label in labels if label is not None}
    look = {looks(label) for label in left}
    none = {old: "" for old, new in original.labels.items() if not new.strip() and looks(old) in look}
    # to itself: a label with a comma in it is one label
    named = {*original.labels, *(new.strip() for new in original.labels.values())}
    return {**none, **{name: name for name in sorted(named & left - set(none))}}


def _columns(original: Original, file: WrittenFile, *, metadata: bool) -> dict[str, str]:
    """Return the columns of a table that have other names than ours."""
    names = dict(zip(file.cells.column_names, file.header, strict=True))
    used = {ours: original.column(ours) for ours in COLUMNS}
    columns = {ours: text_of_formula(names[key]).strip() or key for ours, key in used.items() if key in names}
    columns |= _unused(original)
    return {ours: theirs for ours, theirs in columns.items() if theirs != ours and not (metadata and ours == "image")}


def _unused(original: Original) -> dict[str, str]:
    """Return our columns that were mapped to none."""
    return {ours: "" for ours, theirs in original.columns.items() if not theirs}


def _toml(text: str) -> str:
    # text in JSON is text in TOML
    return json.dumps(printable_name(text), ensure_ascii=False).replace("\x7f", "\\u007f")
