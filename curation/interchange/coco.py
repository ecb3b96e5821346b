"""COCO: a file of images, each with its class as the category of one annotation that covers it; changed ones back.

COCO knows boxes in photos and no classes of whole ones; its readers take a box of the size of the photo for that. The
labels are those of :func:`curation.interchange.chosen.labelled`. Photos are not copied: ``file_name`` is where they lie
in the folder of the dataset.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from curation.errors import DecisionsError, InputError, short_repr, some
from curation.interchange.answers import ByPhoto, decision_of, read_json, reviewer_of
from curation.interchange.chosen import OF_LABELS, labelled, rows_of
from curation.interchange.contract import Answers, Asked, Exported
from curation.rendering.words import agree, many
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from training.utils.files import whole_folder, write_json
from training.utils.units import now

__all__ = ["NAME", "read", "write"]

NAME = "coco"
_EXPORTED = "exported_label"
_WANTED = "a file of COCO: images, annotations and categories"


def write(run: RunFolder, folder: Path) -> Exported:
    """Write ``train.json`` and, with a test set, ``test.json``.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    folder : Path
        A new or empty folder.

    Raises
    ------
    InputError
        If no listing has a photo that can be read, or the folder can't be written.
    RunError
        If ``cleaned/`` is damaged.
    """
    table, cleaned = labelled(run)
    table["label_score"] = table["id"].map(run.issues().set_index("id")["label_score"])
    shown, left_out = list[dict[str, Any]](), list[str]()
    for row in rows_of(table):
        if row["image"] is not None and row.get("width") and row.get("height"):
            shown.append(row)
        else:
            left_out.append(row["id"])
    if not shown:
        raise InputError(
            "there is no photo to export",
            got="no listing with a photo that can be read",
            wanted="a run that read its photos",
            parameter="format",
        )
    names = sorted({*run.classes, *(row["label"] for row in shown if row["label"] is not None)})
    categories = {name: number for number, name in enumerate(names, 1)}
    splits = defaultdict[str, list[dict[str, Any]]](list)
    for row in shown:
        splits["test" if row.get("split") == "test" else "train"].append(row)
    with whole_folder(folder, new=True) as built:
        for split, chosen in splits.items():
            write_json(built / f"{split}.json", _file(chosen, categories))
    root = (Path.cwd() / run.photo_root).resolve()
    notes = [OF_LABELS[cleaned], f"The photos stay where they are: file_name is their path from {root}."]
    if left_out:
        have = agree(len(left_out), "has", "have")
        which = f"{many(len(left_out), 'listing')} left out, which {have} no photo that can be read"
        notes.append(f"{which}: {some(left_out)}.")
    return Exported(NAME, folder, len(shown), tuple(notes))


def _file(rows: Iterable[Mapping[str, Any]], categories: Mapping[str, int]) -> dict[str, Any]:
    images, annotations = list[dict[str, Any]](), list[dict[str, Any]]()
    for number, row in enumerate(rows, 1):
        width, height = int(row["width"]), int(row["height"])
        image = {
            "id": number,
            "file_name": row["image"],
            "width": width,
            "height": height,
            "listing_id": row["id"],
            _EXPORTED: row["label"],
            "label_score": row["label_score"],
        }
        if row.get("fetched_from"):
            image["coco_url"] = row["fetched_from"]
        images.append(image)
        if row["label"] is not None:
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": categories[row["label"]],
                    "bbox": [0, 0, width, height],
                    "area": width * height,
                    "segmentation": [],
                    "iscrowd": 0,
                }
            )
    return {
        "info": {"description": "Labels of whole photos. Written by curate."},
        "images": images,
        "annotations": annotations,
        "categories": [{"id": number, "name": name, "supercategory": ""} for name, number in categories.items()],
    }


def read(file: Path, asked: Asked) -> Answers:
    """Read the categories that differ from those that were exported.

    Parameters
    ----------
    file : Path
        The file, or the folder of an export.
    asked : Asked
        What was asked.

    Returns
    -------
    Answers
        An image with annotations of several categories is ambiguous, and one without an annotation has no answer.

    Raises
    ------
    DecisionsError
        If it is no file of COCO, a listing is in it twice with different categories, or it is not told which photo is
        meant.
    """
    files = sorted(file.glob("*.json")) if file.is_dir() else [file]
    if not files:
        raise DecisionsError("there is no file of JSON", got=str(file), wanted=_WANTED, parameter="file")
    reviewer, time, photos = reviewer_of(asked), now(), ByPhoto(asked.photos)
    found, unanswered = dict[str, tuple[str, ...]](), 0
    decisions = dict[str, Decision]()
    for path in files:
        for image, labels in _images(path):
            for id in _ids(path, image, photos):
                if found.setdefault(id, labels) != labels:
                    raise DecisionsError(
                        f"{path.name} has a listing twice, with different categories", got=id, parameter="file"
                    )
                unanswered += not labels
                before = image.get(_EXPORTED, asked.labels.get(id))
                if labels != (before,) and (decision := decision_of(id, labels, (), asked, reviewer, time, NAME)):
                    decisions[id] = decision
    return Answers(list(decisions.values()), unanswered=unanswered)


def _images(file: Path) -> list[tuple[Mapping[str, Any], tuple[str, ...]]]:
    """Return the images of a file, with the names of their categories."""
    given = read_json(file, _WANTED)
    images, annotations, categories = (_part(file, given, name) for name in ("images", "annotations", "categories"))
    names = {each.get("id"): each.get("name") for each in categories}
    chosen = defaultdict[Any, set[str]](set)
    known = {each.get("id") for each in images}
    for each in annotations:
        name, image = names.get(each.get("category_id")), each.get("image_id")
        if not isinstance(name, str) or image not in known:
            raise DecisionsError(
                f"{file.name} is damaged",
                got=f"annotation {each.get('id')} of category {each.get('category_id')} and image {image}",
                wanted="a category and an image of the file",
                parameter="file",
            )
        chosen[image].add(name)
    return [(image, tuple(sorted(chosen[image.get("id")]))) for image in images]


def _part(file: Path, given: Any, name: str) -> list[dict[str, Any]]:
    part = given.get(name) if isinstance(given, dict) else None
    if not isinstance(part, list) or not all(isinstance(each, dict) for each in part):
        raise DecisionsError(
            f"{file.name} has no {name} as COCO has them", got=short_repr(given), wanted=_WANTED, parameter="file"
        )
    return part


def _ids(file: Path, image: Mapping[str, Any], photos: ByPhoto) -> list[str]:
    """Return the listings of an image; some tools keep only the name of its file."""
    id, name = image.get("listing_id"), image.get("file_name")
    if isinstance(id, str):
        return [id]
    if not isinstance(name, str):
        raise DecisionsError(
            f"{file.name} has an image without a name", got=short_repr(image), wanted="file_name", parameter="file"
        )
    # a photo that the run does not have is one of another dataset
    return photos.listings(name) or [name]
