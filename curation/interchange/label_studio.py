"""Label Studio: tasks with predictions and a labelling configuration out; its exports JSON and JSON-MIN back.

A task asks for the class of a photo. What is suggested is its prediction, so that it is chosen when the task is opened.
A second question has ``delete`` and ``ambiguous``; whoever answers it says nothing of the class.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from curation.errors import DecisionsError, InputError, short_repr, some
from curation.interchange.contract import Answers, Asked, Exported
from curation.rendering.words import many
from curation.run.flags import is_flagged
from curation.run.folder import RunFolder
from curation.run.journal import Decision, check_reviewer, person, reviewer_name
from training.utils.bounded import most_bytes, parse_json
from training.utils.files import read_regular, whole_folder, write_json, write_text
from training.utils.units import now

__all__ = ["CONFIG", "NAME", "TASKS", "read", "write"]

NAME = "label-studio"
#: The files of an export.
TASKS = "tasks.json"
CONFIG = "config.xml"
#: The questions, by their names in the configuration.
_LABEL, _OTHER = "label", "decision"
#: Answers to the second one, which a configuration of one's own may also have among the classes.
_ACTIONS = ("delete", "ambiguous")
#: Where Label Studio serves files of its own disk, below its document root.
_LOCAL = "/data/local-files/?d="
#: Bytes of an export that is read.
_LARGEST = 1 << 30


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
    issues = _chosen(run, top, all=all)
    if issues.empty:
        raise InputError(
            "there is no listing to export",
            got="no flagged listing without a decision",
            fix="Export all with `all=True`.",
            parameter="all",
        )
    urls = _urls(run, photo_prefix)
    photos = bool(urls)
    listings = run.listings(["id", "title", "price"]).set_index("id")
    tasks = [_task(row, listings.loc[row["id"]], urls.get(row["id"], "") if photos else None) for row in _rows(issues)]
    with whole_folder(folder, new=True) as built:
        write_json(built / TASKS, tasks)
        write_text(built / CONFIG, _config(run.classes, photos=photos))
    return Exported(NAME, folder, len(tasks), tuple(_notes(run, folder, tasks, photo_prefix)))


def _chosen(run: RunFolder, top: int | None, *, all: bool) -> pd.DataFrame:
    issues = run.issues().sort_values("priority", kind="stable")
    if not all:
        issues = issues[is_flagged(issues) & ~issues["id"].isin(list(run.holding_decisions().decisions))]
    return issues if top is None else issues.head(top)


def _rows(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    yield from table.astype(object).where(table.notna(), None).to_dict("records")  # type: ignore[misc]


def _urls(run: RunFolder, prefix: str | None) -> dict[str, str]:
    """Return the URL of each photo by the id of its listing; of those that were fetched, where they came from."""
    table = run.listings(["id", "image", "fetched_from"])
    root = (Path.cwd() / run.photo_root).resolve()
    urls = {}
    for row in _rows(table):
        if row["image"] is None:
            continue
        if row.get("fetched_from") and prefix is None:
            urls[row["id"]] = row["fetched_from"]
        elif prefix is not None:
            urls[row["id"]] = f"{prefix}{'' if prefix.endswith(('/', '=')) else '/'}{quote(row['image'])}"
        else:
            # the folder of a storage must lie below the document root, and not be it
            urls[row["id"]] = _LOCAL + quote(f"{root.name}/{row['image']}")
    return urls


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
            *(f'    <Choice value="{action}"/>' for action in _ACTIONS),
            "  </Choices>",
            "</View>",
            "",
        ]
    )


def _notes(run: RunFolder, folder: Path, tasks: list[dict[str, Any]], prefix: str | None) -> Iterator[str]:
    yield f"Paste {folder / CONFIG} as the labelling interface of a project, and import {folder / TASKS} there."
    if prefix is None and any(task["data"].get("image", "").startswith(_LOCAL) for task in tasks):
        root = (Path.cwd() / run.photo_root).resolve()
        yield (
            f"For the photos, start Label Studio with LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true and "
            f"LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT={root.parent}, and add {root} as a local storage. If they are on "
            "a server, say so with `photo_prefix`."
        )
    if bare := sum(task["data"].get("image") == "" for task in tasks):
        yield f"{many(bare, 'listing')} without a photo: such tasks show only text."


def read(file: Path, asked: Asked) -> Answers:
    """Read an export, JSON or JSON-MIN.

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
    wanted = "an export of Label Studio, JSON or JSON-MIN"
    if not file.is_file():
        raise DecisionsError("there is no such file", got=str(file), wanted=wanted, parameter="file")
    try:
        tasks = parse_json(read_regular(file, min(_LARGEST, most_bytes())).decode("utf-8-sig"))
    except ValueError as error:
        raise DecisionsError(
            f"{file.name} is no JSON", got=str(error).splitlines()[0], wanted=wanted, parameter="file"
        ) from None
    if not isinstance(tasks, list) or not tasks or not all(isinstance(task, dict) for task in tasks):
        raise DecisionsError(f"{file.name} has no tasks", got=short_repr(tasks), wanted=wanted, parameter="file")
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
    return {"who": who if isinstance(who, int | str) and who != "" else None, "time": _time(when)}


def _time(text: Any) -> str:
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        return moment.astimezone(UTC).isoformat(timespec="milliseconds")
    except (TypeError, ValueError, OverflowError):
        return now()


def _decision(answer: Mapping[str, Any], asked: Asked) -> Decision | None:
    """Return what an answer decides; None if it holds none."""
    labels, others = answer["chosen"][_LABEL], answer["chosen"][_OTHER]
    # a configuration of one's own may have both among the classes
    others = [*others, *(name for name in labels if name not in asked.classes and name.lower() in _ACTIONS)]
    labels = [name for name in labels if name not in others]
    if others:
        action, label = others[0].lower(), None
    elif len(set(labels)) > 1:
        action, label = "ambiguous", None
    elif labels:
        is_kept = labels[0] == asked.labels.get(answer["id"])
        action, label = ("keep", None) if is_kept else ("relabel", labels[0])
    else:
        return None
    return Decision(answer["id"], action, label, _reviewer(answer["who"], asked), answer["time"], NAME)


def _reviewer(who: str | int | None, asked: Asked) -> str:
    if isinstance(who, str):
        return check_reviewer(who)
    if asked.reviewer is not None:
        return check_reviewer(asked.reviewer)
    return reviewer_name() if who is None else f"annotator {who}"
