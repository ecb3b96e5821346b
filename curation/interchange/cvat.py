"""CVAT: tags of the photos to check and the labels of a task out; its export "CVAT for images 1.1" back.

Each photo has its given label as a tag, with what is suggested as an attribute. CVAT does not tell a tag that is right
from one that was not reviewed, so each tag has a box to tick for that.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET  # nosec B405 (writes XML; what is read is parsed by defusedxml)
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import defusedxml
from defusedxml.ElementTree import fromstring

from curation.errors import DecisionsError, InputError, some
from curation.interchange.answers import ACTIONS, ByPhoto, decision_of, parse_time, read_bytes, reviewer_of
from curation.interchange.chosen import rows_of, to_review
from curation.interchange.contract import Answers, Asked, Exported
from curation.interchange.markup import require_names, without_signs
from curation.rendering.words import many
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from training.utils.files import whole_folder, write_json, write_text

__all__ = ["ANNOTATIONS", "LABELS", "NAME", "PHOTOS", "read", "write"]

NAME = "cvat"
#: The files of an export.
ANNOTATIONS = "annotations.xml"
LABELS = "labels.json"
PHOTOS = "photos.txt"
#: Attributes of each tag.
_RIGHT, _SUGGESTED, _REASONS = "right", "suggested", "reasons"
#: Where a tag comes from that was not touched in CVAT.
_UNTOUCHED = "file"
#: Where the export says when, and by whom: of a task, of a job, of a project.
_PLACES = ("meta/task", "meta/job", "meta/project")
_WANTED = "an export of CVAT in its format CVAT for images 1.1: annotations.xml"


def write(run: RunFolder, folder: Path, *, top: int | None = None, all: bool = False) -> Exported:
    """Write ``annotations.xml``, ``labels.json`` and ``photos.txt``, which names the photos.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    folder : Path
        A new or empty folder.
    top : int, optional
        Only so many listings, the most urgent.
    all : bool
        All listings, and not only those that are flagged and undecided.

    Raises
    ------
    InputError
        If no listing with a photo is left, or the folder can't be written.
    """
    issues = to_review(run, top, all=all)
    sizes = run.listings(["id", "width", "height"]).set_index("id")
    photos = defaultdict[str, list[dict[str, Any]]](list)
    for row in rows_of(issues):
        size = sizes.loc[row["id"]] if "width" in sizes else {}
        if row["image"] is not None and size.get("width", 0) > 0:
            photos[row["image"]].append({**row, "width": int(size["width"]), "height": int(size["height"])})
    if not photos:
        raise InputError(
            "there is no photo to export",
            got=f"{many(len(issues), 'listing')} without a photo that can be read",
            wanted="a run that read its photos",
            parameter="format",
        )
    require_names([*run.classes, *photos])
    labels = [*run.classes, *(action for action in ACTIONS if action not in run.classes)]
    with whole_folder(folder, new=True) as built:
        write_text(built / ANNOTATIONS, _annotations(photos))
        write_json(built / LABELS, [_label(name) for name in labels])
        write_text(built / PHOTOS, "".join(f"{photo}\n" for photo in sorted(photos)))
    return Exported(NAME, folder, sum(map(len, photos.values())), tuple(_notes(run, folder, issues, photos)))


def _annotations(photos: Mapping[str, list[dict[str, Any]]]) -> str:
    """Return the XML: photos in the order that CVAT gives them, each with a tag for its label."""
    root = ET.Element("annotations")
    ET.SubElement(root, "version").text = "1.1"
    for number, name in enumerate(sorted(photos)):
        rows = photos[name]
        size = {side: str(rows[0][side]) for side in ("width", "height")}
        image = ET.SubElement(root, "image", {"id": str(number), "name": name, **size})
        # listings may share a photo
        for label in dict.fromkeys(row["given_label"] for row in rows if row["given_label"] is not None):
            row = next(row for row in rows if row["given_label"] == label)
            tag = ET.SubElement(image, "tag", {"label": label, "source": _UNTOUCHED})
            values = {_RIGHT: "false", _SUGGESTED: row["suggested_label"], _REASONS: row["reasons"]}
            for attribute, value in values.items():
                ET.SubElement(tag, "attribute", {"name": attribute}).text = without_signs(value or "")
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _label(name: str) -> dict[str, Any]:
    """Return a label as the raw constructor of a task takes it."""

    def attribute(name: str, kind: str, values: list[str]) -> dict[str, Any]:
        return {"name": name, "mutable": False, "input_type": kind, "default_value": values[0], "values": values}

    attributes = [
        attribute(_RIGHT, "checkbox", ["false"]),
        attribute(_SUGGESTED, "text", [""]),
        attribute(_REASONS, "text", [""]),
    ]
    return {"name": name, "type": "tag", "attributes": [] if name in ACTIONS else attributes}


def _notes(run: RunFolder, folder: Path, issues: Any, photos: Mapping[str, list[Any]]) -> Iterator[str]:
    root = (Path.cwd() / run.photo_root).resolve()
    yield (
        f"Make a task whose labels are those of {folder / LABELS} (Raw), from the photos that {folder / PHOTOS} names, "
        f"below {root}."
    )
    yield f"Then upload {folder / ANNOTATIONS} to it as annotations, format CVAT 1.1."
    if bare := len(issues) - sum(map(len, photos.values())):
        yield f"{many(bare, 'listing')} left out, without a photo that can be read."


def read(file: Path, asked: Asked) -> Answers:
    """Read an export of a task, a job or a project.

    Parameters
    ----------
    file : Path
        Its ``annotations.xml``, or the folder with it.
    asked : Asked
        What was asked.

    Returns
    -------
    Answers
        A tag with the given label counts if it was ticked or set by a person. Boxes and other shapes don't count.

    Raises
    ------
    DecisionsError
        If it is none, or it is not told which photo is meant.
    """
    root = _parsed(file / ANNOTATIONS if file.is_dir() else file)
    photos, reviewer = ByPhoto(asked.photos), reviewer_of(asked, _first(root, "assignee/username"))
    time = parse_time(_first(root, "updated"))
    decisions, unanswered = dict[str, Decision](), 0
    for image in root.iter("image"):
        name = image.get("name") or ""
        # a photo that the run does not have is one of another dataset
        for id in photos.listings(name) or [name]:
            labels = list(_chosen(image, asked.labels.get(id)))
            decision = decision_of(id, labels, (), asked, reviewer, time, NAME)
            unanswered += decision is None
            if decision is not None and decisions.setdefault(id, decision) != decision:
                raise DecisionsError(f"{file.name} has a photo twice, with different tags", got=name, parameter="file")
    return Answers(list(decisions.values()), unanswered=unanswered)


def _parsed(file: Path) -> ET.Element:
    content = read_bytes(file, _WANTED)
    try:
        root: ET.Element = fromstring(content, forbid_dtd=True)
    except (ET.ParseError, defusedxml.DefusedXmlException, ValueError) as error:
        zipped = content.startswith(b"PK")
        raise DecisionsError(
            f"{file.name} is no XML",
            got="a zip file" if zipped else str(error).splitlines()[0] or type(error).__name__,
            wanted=_WANTED,
            fix="Unpack it, and name the folder." if zipped else "",
            parameter="file",
        ) from None
    if root.tag != "annotations" or root.find("image") is None:
        inside = some(dict.fromkeys(child.tag for child in root)) or "nothing"
        raise DecisionsError(
            f"{file.name} has no images", got=f"{root.tag} with {inside}", wanted=_WANTED, parameter="file"
        )
    return root


def _first(root: ET.Element, name: str) -> str | None:
    """Return what the export says of its task, job or project."""
    found = (root.findtext(f"{place}/{name}") for place in _PLACES)
    return next((text.strip() for text in found if text and text.strip()), None)


def _chosen(image: ET.Element, given: str | None) -> Iterator[str]:
    """Yield the labels that a person chose for a photo; the one that it had counts if it was ticked, or set again."""
    for tag in image.iter("tag"):
        label = tag.get("label") or ""
        ticked = any(each.get("name") == _RIGHT and each.text == "true" for each in tag.iter("attribute"))
        if label and (ticked or label != given or tag.get("source") not in (None, _UNTOUCHED)):
            yield label
