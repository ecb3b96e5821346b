"""Label Studio: tasks with predictions and a labelling configuration out; its exports JSON, JSON-MIN and CSV back.

A task asks for the class of a photo. What is suggested is its prediction, so that it is chosen when the task is opened.
A second question has ``delete`` and ``ambiguous``; whoever answers it says nothing of the class.
"""

from __future__ import annotations

import html
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from curation.errors import DecisionsError, InputError, short_repr, some
from curation.interchange.answers import ACTIONS, decision_of, parse_time, read_bytes, read_json
from curation.interchange.chosen import rows_of, to_review
from curation.interchange.contract import Answers, Asked, Exported
from curation.interchange.markup import require_names
from curation.listings.tables import read_raw
from curation.rendering.words import many
from curation.run.folder import RunFolder
from curation.run.journal import Decision, check_reviewer, person, reviewer_name
from training.utils.bounded import parse_json
from training.utils.files import whole_folder, write_json, write_text

__all__ = ["CONFIG", "NAME", "TASKS", "read", "write"]

NAME = "label-studio"
#: The files of an export.
TASKS = "tasks.json"
CONFIG = "config.xml"
#: The questions, by their names in the configuration.
_LABEL, _OTHER = "label", "decision"
#: Where Label Studio serves files of its own disk, below its document root.
_LOCAL = "/data/local-files/?d="


def write(
    run: RunFolder, folder: Path, *, top: int | None = None, all: bool = False, photo_prefix: str | None = None
) -> Exported:
    """Write tasks of the flagged listings without a decision, most urgent first, and the configuration.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    folder : Path
        A new or empty folder.
    top : int, optional
        Only so many.
    all : bool
        All listings.
    photo_prefix : str, optional
        What the URLs of photos begin with; by default where Label Studio serves files of its own disk.

    Raises
    ------
    InputError
        If no listing is left, or the folder can't be written.
    """
    issues = to_review(run, top, all=all)
    require_names(run.classes)
    urls, root = _urls(run, photo_prefix)
    photos = bool(urls)
    listings = run.listings(["id", "title", "price"]).set_index("id")
    tasks = [
        _task(row, listings.loc[row["id"]], urls.get(row["id"], "") if photos else None) for row in rows_of(issues)
    ]
    with whole_folder(folder, new=True) as built:
        write_json(built / TASKS, tasks)
        write_text(built / CONFIG, _config(run.classes, photos=photos))
    return Exported(NAME, folder, len(tasks), tuple(_notes(root, folder, tasks, photo_prefix)))


def _urls(run: RunFolder, prefix: str | None) -> tuple[dict[str, str], Path]:
    """Return the URL of each photo by the id of its listing, and the folder that they are served from.

    Photos that were fetched have the URL that they came from. The folder is that of the dataset, or one above all
    photos if some lie outside of it.
    """
    table = run.listings(["id", "image", "fetched_from"])
    root = folder = (Path.cwd() / run.photo_root).resolve()
    # where the cache keeps a photo that was fetched, nobody serves it
    own = table[table["fetched_from"].isna()] if "fetched_from" in table else table
    paths = {image: os.path.normpath(root / image) for image in own["image"].dropna()}
    if not all(Path(path).is_relative_to(root) for path in paths.values()):
        folder = _above([root, *paths.values()])
    urls = {}
    for row in rows_of(table):
        if row["image"] is None:
            continue
        if row["image"] not in paths:
            urls[row["id"]] = row["fetched_from"]
            continue
        path = quote(Path(paths[row["image"]]).relative_to(folder).as_posix())
        if prefix is not None:
            urls[row["id"]] = f"{prefix}{'' if prefix.endswith(('/', '=')) else '/'}{path}"
        else:
            # the folder of a storage must lie below the document root, and not be it
            urls[row["id"]] = f"{_LOCAL}{quote(folder.name)}/{path}"
    return urls, folder


def _above(paths: Iterable[str | Path]) -> Path:
    folder = Path(os.path.commonpath(paths))
    if folder == folder.parent:
        raise InputError(
            "the photos lie in folders that have only the root of the disk in common",
            got=str(folder),
            wanted="a folder above all photos",
            fix="Put them below one folder, and find issues there.",
            parameter="format",
        )
    return folder


def _task(issue: Mapping[str, Any], listing: pd.Series, url: str | None) -> dict[str, Any]:
    words = [
        None if pd.isna(listing.get("title")) else str(listing["title"]),
        None if pd.isna(listing.get("price")) else f"Price: {listing['price']:,.10g}",
        f"Given label: {issue['given_label'] or 'none'}",
        issue["reasons"] or None,
    ]
    data = {
        "listing_id": issue["id"],
        "given_label": issue["given_label"],
        "text": "\n".join(word for word in words if word),
    }
    if url is not None:
        data["image"] = url
    return {"data": data, "predictions": list(_predictions(issue, "text" if url is None else "image"))}


def _predictions(issue: Mapping[str, Any], to_name: str) -> Iterator[dict[str, Any]]:
    if issue["suggested_label"] is None:
        return
    choice = {"choices": [issue["suggested_label"]]}
    region = {"id": "suggested", "from_name": _LABEL, "to_name": to_name, "type": "choices", "value": choice}
    yield {"model_version": "curate", "score": issue["suggested_confidence"], "result": [region]}


def _config(classes: list[str], *, photos: bool) -> str:
    """Return the labelling configuration."""
    asked = "image" if photos else "text"
    image = ['  <Image name="image" value="$image"/>'] if photos else []
    return "\n".join(
        [
            "<View>",
            '  <Text name="text" value="$text"/>',
            *image,
            f'  <Choices name="{_LABEL}" toName="{asked}" choice="single" showInline="true">',
            *(f'    <Choice value="{html.escape(name)}"/>' for name in classes),
            "  </Choices>",
            f'  <Choices name="{_OTHER}" toName="{asked}" choice="single" showInline="true">',
            *(f'    <Choice value="{action}"/>' for action in ACTIONS),
            "  </Choices>",
            "</View>",
            "",
        ]
    )


def _notes(root: Path, folder: Path, tasks: list[dict[str, Any]], prefix: str | None) -> Iterator[str]:
    yield f"Paste {folder / CONFIG} as the labelling interface of a project, and import {folder / TASKS} there."
    if prefix is None and any(task["data"].get("image", "").startswith(_LOCAL) for task in tasks):
        yield (
            f"For the photos, start Label Studio with LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true and "
            f"LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT={root.parent}, and add {root} as a local storage. If they are on "
            "a server, say so with `photo_prefix`."
        )
    elif prefix is not None and any(task["data"].get("image", "").startswith(prefix) for task in tasks):
        yield f"Photos are served as {prefix} and their path from {root}."
    if bare := sum(task["data"].get("image") == "" for task in tasks):
        yield f"{many(bare, 'listing')} without a photo: such tasks show only text."


def read(file: Path, asked: Asked) -> Answers:
    """Read an export: JSON, JSON-MIN, CSV or TSV.

    Parameters
    ----------
    file : Path
        The file.
    asked : Asked
        What was asked.

    Returns
    -------
    Answers

    Raises
    ------
    DecisionsError
        If it is none, or of tasks that were not exported by curate, or from another dataset.
    """
    tasks = _tasks(file)
    _require_ours(file, tasks, asked)
    answers = [answer for task in tasks for answer in _answers(task)]
    numbers = {who for each in answers if isinstance(who := each["who"], int)}
    if asked.reviewer is not None and len(numbers) > 1:
        raise DecisionsError(
            f"{file.name} has answers of {many(len(numbers), 'annotator')}",
            got="one name for all of them",
            fix="Leave out `reviewer`: they are told apart by their numbers.",
            parameter="reviewer",
        )
    latest: dict[tuple[str, str], Decision] = {}
    skipped, said = 0, set[str]()
    for answer in sorted(answers, key=lambda each: each["time"]):
        if answer["cancelled"]:
            skipped += 1
        elif (decision := _decision(answer, asked)) is not None:
            said.add(decision.id)
            key = decision.id, person(decision.reviewer)
            latest.pop(key, None)
            latest[key] = decision
    unanswered = len({_cell(task, "listing_id") for task in tasks} - said)
    return Answers(list(latest.values()), skipped, unanswered)


def _tasks(file: Path) -> list[dict[str, Any]]:
    wanted = "an export of Label Studio: JSON, JSON-MIN, CSV or TSV"
    tasks = _of_table(file, wanted) if file.suffix.lower() in (".csv", ".tsv") else read_json(file, wanted)
    if not isinstance(tasks, list) or not tasks or not all(isinstance(task, dict) for task in tasks):
        raise DecisionsError(f"{file.name} has no tasks", got=short_repr(tasks), wanted=wanted, parameter="file")
    return tasks


def _of_table(file: Path, wanted: str) -> list[dict[str, Any]]:
    """Return the rows of CSV or TSV as JSON-MIN has them; several choices are JSON in a cell."""
    read_bytes(file, wanted)
    try:
        table = read_raw(file, names=("listing_id", "given_label", _LABEL, _OTHER)).table
    except (OSError, ValueError) as error:
        raise DecisionsError(
            f"{file.name} can't be read", got=str(error).splitlines()[0], wanted=wanted, parameter="file"
        ) from error
    tasks = list(rows_of(table.replace("", None)))
    for task in tasks:
        for name in (_LABEL, _OTHER):
            cell = task.get(name)
            if isinstance(cell, str) and cell.startswith('{"choices"'):
                with suppress(ValueError):
                    task[name] = parse_json(cell)
    return tasks


def _cell(task: Mapping[str, Any], name: str) -> Any:
    """Return what curate wrote into a task; JSON-MIN has it beside the answers."""
    data = task.get("data")
    return data.get(name) if isinstance(data, dict) else task.get(name)


def _require_ours(file: Path, tasks: list[dict[str, Any]], asked: Asked) -> None:
    """Refuse an export of another project: of tasks of somebody else, or of listings with other labels."""
    alien = [task for task in tasks if not isinstance(_cell(task, "listing_id"), str)]
    if alien:
        raise DecisionsError(
            f"{file.name} has {many(len(alien), 'task')} that curate did not write",
            got="no listing_id in task " + some(task.get("id") for task in alien),
            wanted="an export of the project that the tasks of this run were imported into",
            fix="Choose that project, or write its tasks with `export('label-studio')`.",
            parameter="file",
        )
    ids = {_cell(task, "listing_id"): _cell(task, "given_label") for task in tasks}
    other = [id for id, label in ids.items() if id in asked.labels and asked.labels[id] != label]
    if other:
        told = (f"{id}: {short_repr(ids[id])}, in the run {short_repr(asked.labels[id])}" for id in other)
        raise DecisionsError(
            f"{file.name} is of another dataset: {many(len(other), 'listing')} had another label",
            got=some(told, 3),
            wanted="tasks of this run, or of one of the same listings",
            fix="Check `run`.",
            parameter="file",
        )


def _answers(task: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield who answered what, and when: each annotation of a task, or the only one of JSON-MIN."""
    common = {"id": _cell(task, "listing_id")}
    if "data" not in task:
        if "annotation_id" in task:
            chosen = {name: _texts(task.get(name)) for name in (_LABEL, _OTHER)}
            yield {**common, "chosen": chosen, **_by(task, task.get("annotator")), "cancelled": False}
        return
    annotations = task.get("annotations", task.get("completions"))
    for annotation in annotations if isinstance(annotations, list) else ():
        if not isinstance(annotation, dict):
            continue
        result = annotation.get("result")
        regions = [each for each in (result if isinstance(result, list) else ()) if isinstance(each, dict)]
        chosen = {
            name: [text for each in regions if each.get("from_name") == name for text in _texts(each.get("value"))]
            for name in (_LABEL, _OTHER)
        }
        cancelled = bool(annotation.get("was_cancelled") or annotation.get("skipped"))
        yield {
            **common,
            "chosen": chosen,
            **_by(annotation, annotation.get("completed_by")),
            "cancelled": cancelled,
        }


def _texts(value: Any) -> list[str]:
    """Return the choices in a value: a text, several, or as regions have them."""
    if isinstance(value, dict):
        value = value.get("choices")
    if isinstance(value, str):
        return [value] if value else []
    return [text for each in value for text in _texts(each)] if isinstance(value, list) else []


def _by(annotation: Mapping[str, Any], who: Any) -> dict[str, Any]:
    """Return who answered, a name or a number, and when."""
    if isinstance(who, dict):
        full = " ".join(str(who[name]) for name in ("first_name", "last_name") if who.get(name))
        who = who.get("email") or full or who.get("id")
    if isinstance(who, str) and who.isdecimal():
        who = int(who)
    when = annotation.get("updated_at") or annotation.get("created_at")
    return {"who": who if isinstance(who, int | str) and who != "" else None, "time": parse_time(when)}


def _decision(answer: Mapping[str, Any], asked: Asked) -> Decision | None:
    labels, others = answer["chosen"][_LABEL], answer["chosen"][_OTHER]
    return decision_of(answer["id"], labels, others, asked, _reviewer(answer["who"], asked), answer["time"], NAME)


def _reviewer(who: str | int | None, asked: Asked) -> str:
    if isinstance(who, str):
        return check_reviewer(who)
    if asked.reviewer is not None:
        return check_reviewer(asked.reviewer)
    return reviewer_name() if who is None else f"annotator {who}"
