"""Hugging Face datasets: an imagefolder with metadata and a dataset card out; labels that were changed there back.

It has the labels that hold in the cleaned dataset if there is one, without what was deleted; otherwise the given ones.
Each row has the label as it was exported, too: what differs from it was changed by a person.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from curation.errors import DecisionsError, InputError, some
from curation.interchange.answers import reviewer_of
from curation.interchange.chosen import OF_LABELS, labelled, rows_of
from curation.interchange.contract import Answers, Asked, Exported
from curation.listings.tables import read_raw
from curation.rendering.words import agree, many
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from curation.run.own_photos import OwnPhotos
from training.utils.files import NotReadableError, copy_regular, whole_folder, write_text
from training.utils.progress import SILENT, Reporter
from training.utils.units import now

__all__ = ["METADATA", "NAME", "read", "write"]

NAME = "huggingface"
#: Beside the photos of each split.
METADATA = "metadata.jsonl"
_EXPORTED = "exported_label"
_TEXTS = ("title", "group")


def write(run: RunFolder, folder: Path, *, reporter: Reporter = SILENT) -> Exported:
    """Write a folder that ``datasets.load_dataset("imagefolder", data_dir=...)`` loads.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    folder : Path
        A new or empty folder.
    reporter : Reporter
        Shows progress.

    Raises
    ------
    InputError
        If no listing has a photo that can be read, or the folder can't be written.
    RunError
        If ``cleaned/`` is damaged.
    """
    table, cleaned = labelled(run)
    issues = run.issues().set_index("id")
    photos, left_out = OwnPhotos(run), list[str]()
    splits: dict[str, list[dict[str, Any]]] = {}
    with whole_folder(folder, new=True) as built, reporter.bar("copying photos") as progress:
        for number, row in enumerate(rows_of(table)):
            progress(number, len(table))
            suffix = _suffix(photos, row["image"])
            if suffix is None:
                left_out.append(row["id"])
                continue
            split = "test" if row.get("split") == "test" else "train"
            name = f"{number:06}{suffix}"
            (built / split).mkdir(exist_ok=True)
            copy_regular(photos.path(row["image"]), built / split / name)
            splits.setdefault(split, []).append(_row(name, row, issues.loc[row["id"]]))
        if not splits:
            raise InputError(
                "there is no photo to export",
                got="no listing with a photo that can be read and is as the run read it",
                fix="Say where the photos are with `open_run(photos='DIR')`.",
                parameter="format",
            )
        for split, rows in splits.items():
            lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            write_text(built / split / METADATA, "".join(lines))
        write_text(built / "README.md", _card(run, splits, cleaned=cleaned))
    notes = [
        OF_LABELS[cleaned],
        f"Load it in Python: datasets.load_dataset('imagefolder', data_dir={str(folder)!r})",
    ]
    if left_out:
        was = agree(len(left_out), "has", "have")
        notes.append(
            f"{many(len(left_out), 'listing')} left out, which {was} no photo that can be read and is as the run read "
            f"it: {some(left_out)}."
        )
    return Exported(NAME, folder, sum(map(len, splits.values())), tuple(notes))


def _suffix(photos: OwnPhotos, image: str | None) -> str | None:
    """Return how the name of a photo ends, by its content; None if it is not the one that the run read."""
    if image is None:
        return None
    try:
        if photos.standing(image) != "same":
            return None
        with Image.open(photos.path(image)) as photo:
            return f".{(photo.format or 'png').lower()}"
    except (OSError, NotReadableError):
        return None


def _row(name: str, row: Mapping[Any, Any], issue: pd.Series) -> dict[str, Any]:
    texts = {key: row[key] for key in (*_TEXTS, "price") if row.get(key) is not None}
    score = issue["label_score"]
    return {
        "file_name": name,
        "id": row["id"],
        "label": row["label"],
        _EXPORTED: row["label"],
        # always there: the first rows tell the types of the columns
        "title": texts.pop("title", None),
        **{"group": None, "price": None, **texts},
        "is_label_issue": bool(issue["is_label_issue"]) if pd.notna(issue["is_label_issue"]) else False,
        "label_score": None if pd.isna(score) else float(score),
    }


def _card(run: RunFolder, splits: Mapping[str, list[dict[str, Any]]], *, cleaned: bool) -> str:
    """Return the dataset card."""
    count = sum(map(len, splits.values()))
    name = str(run.record()["dataset"]["name"])
    labels = sorted({row["label"] for rows in splits.values() for row in rows if row["label"] is not None})
    sizes = [f"- {split}: {many(len(rows), 'listing')}" for split, rows in splits.items()]
    size = next((word for limit, word in _SIZES if count < limit), _SIZES[-1][1])
    what = "as corrected by the decisions that were applied" if cleaned else "as given; no decision was applied"
    return "\n".join(
        [
            "---",
            f"pretty_name: {json.dumps(name)}",
            "task_categories:",
            "- image-classification",
            "size_categories:",
            f"- {size}",
            "---",
            "",
            f"# {name}",
            "",
            f"{many(count, 'listing')} of {many(len(labels), 'class', 'classes')}, with labels {what}.",
            "",
            *sizes,
            "",
            "| column | content |",
            "|---|---|",
            "| image | the photo |",
            "| id | of the listing; unique |",
            "| label | the class |",
            f"| {_EXPORTED} | the same, as it was exported: a row whose label differs was changed since |",
            "| title, group, price | of the listing, if it has them |",
            "| is_label_issue, label_score | whether the given label was flagged, and its chance of being right |",
            "",
            "Written by curate.",
            "",
        ]
    )


#: Names of sizes in dataset cards, and below how many rows.
_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)


def read(file: Any, asked: Asked) -> Answers:
    """Read the labels that differ from those that were exported.

    Parameters
    ----------
    file : Path, datasets.Dataset or datasets.DatasetDict
        The folder, one of its metadata files (any table), or the dataset as it was loaded and changed.
    asked : Asked
        What was asked.

    Returns
    -------
    Answers

    Raises
    ------
    DecisionsError
        If it can't be read, has no ``id`` or ``label``, an id twice with different labels, or a label was removed.
    """
    name = file.name if isinstance(file, Path) else "the dataset"
    labels, exported = dict[str, str | None](), dict[str, str | None]()
    for table in _tables(file, name):
        _require_columns(name, table)
        baseline = table[_EXPORTED] if _EXPORTED in table else table["id"].map(lambda id: asked.labels.get(_id(id)))
        for id, label, before in zip(table["id"].map(_id), table["label"], baseline, strict=True):
            if id in labels and labels[id] != _text(label):
                raise DecisionsError(f"{name} has a listing twice, with different labels", got=id, parameter="file")
            labels[id], exported[id] = _text(label), _text(before)
    changed = {id: label for id, label in labels.items() if label != exported[id]}
    bare = [id for id, label in changed.items() if label is None]
    if bare:
        raise DecisionsError(
            f"{name} has {many(len(bare), 'label')} less than was exported",
            got=some(bare),
            wanted="a label of another class, or the exported one",
            fix="To delete listings, decide so in the review.",
            parameter="file",
        )
    reviewer, time = reviewer_of(asked), now()
    decisions = [
        Decision(id, "keep", None, reviewer, time, NAME)
        if label == asked.labels.get(id)
        else Decision(id, "relabel", label, reviewer, time, NAME)
        for id, label in changed.items()
    ]
    return Answers(decisions)


def _id(value: Any) -> str:
    return _text(value) or ""


def _text(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)


def _require_columns(name: str, table: pd.DataFrame) -> None:
    missing = [column for column in ("id", "label") if column not in table]
    if missing:
        raise DecisionsError(
            f"{name} has no column {missing[0]}",
            got=some(table.columns, 12) or "no columns",
            wanted="id and label, as `export('huggingface')` writes them",
            parameter="file",
        )


def _tables(file: Any, name: str) -> Iterator[pd.DataFrame]:
    if not isinstance(file, Path):
        yield from _of_datasets(file)
        return
    files = [file]
    if file.is_dir():
        found = (path for place in (file, *sorted(file.iterdir())) if place.is_dir() for path in place.iterdir())
        files = sorted(path for path in found if path.stem == "metadata")
    if not files or not file.exists():
        raise DecisionsError(
            "there is no metadata file",
            got=str(file),
            wanted=f"{METADATA}, or the folder with it",
            parameter="file",
        )
    for path in files:
        try:
            yield read_raw(path, names=("id", "label", _EXPORTED)).table
        except (OSError, ValueError) as error:
            raise DecisionsError(
                f"{path.name} can't be read", got=str(error).splitlines()[0], parameter="file"
            ) from error


def _of_datasets(given: Any) -> Iterator[pd.DataFrame]:
    """Yield the columns of datasets, without their photos; classes are names."""
    for dataset in given.values() if isinstance(given, dict) else [given]:
        own = [name for name in ("id", "label", _EXPORTED) if name in dataset.column_names]
        columns = {}
        for name in own:
            values, names = dataset.select_columns(name)[:][name], getattr(dataset.features[name], "names", None)
            columns[name] = [value if names is None or value is None else names[value] for value in values]
        yield pd.DataFrame(columns, dtype=object)
