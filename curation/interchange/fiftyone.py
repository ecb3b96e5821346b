"""FiftyOne: samples of a dataset of one's own as listings, issues as their fields, and edits of them as decisions.

This is the dataset and the database that FiftyOne itself opens, and not those of the review. What an export writes
begins with ``curate_``: fields, a tag, a saved view and a run. All else stays as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from curation.errors import DecisionsError, InputError, closest, some
from curation.interchange.answers import ACTIONS, decision_of, parse_time, reviewer_of
from curation.interchange.chosen import rows_of
from curation.interchange.contract import Answers, Asked, Exported, Given
from curation.rendering.words import agree, joined, many
from curation.review.database.check import check_mongod, mongod_errors
from curation.run.flags import flags_by_kind
from curation.run.folder import RunFolder
from curation.run.journal import Decision

if TYPE_CHECKING:
    import fiftyone as fo

__all__ = ["FLAGGED", "NAME", "give", "read", "write"]

NAME = "fiftyone"
#: The tag of flagged samples, and the saved view of them.
FLAGGED = "curate_flagged"
_OURS = "curate_"
#: What FiftyOne gives each sample.
_ITS_OWN = ("id", "filepath", "tags", "metadata", "created_at", "last_modified_at")
_SPLITS = {"train", "test", "validation", "val"}
#: A tag that says that the label is right.
_KEEP = "keep"


@contextmanager
def _opened(name: str, parameter: str) -> Iterator[fo.Dataset]:
    check_mongod()
    with mongod_errors():
        import fiftyone as fo

        names = fo.list_datasets()
        dataset = fo.load_dataset(name) if name in names else None
    if dataset is None:
        raise InputError(
            "FiftyOne has no such dataset",
            got=repr(name),
            wanted=some(names, 12) or "the name of a dataset; it has none",
            fix=closest(name, names),
            parameter=parameter,
        )
    if dataset.media_type not in ("image", None):
        raise InputError(
            f"{name} has no photos", got=f"a dataset of {dataset.media_type}", wanted="images", parameter=parameter
        )
    with mongod_errors():
        yield dataset


def give(source: str, *, label_field: str | None = None) -> Given:
    """Return the samples of a dataset as listings: ``id``, ``image``, ``label``, and its fields of one value.

    Parameters
    ----------
    source : str
        The name of the dataset.
    label_field : str, optional
        The field with the labels; by default ``ground_truth``, or the only one with classes.

    Raises
    ------
    InputError
        If there is no such dataset or field, or it has no samples.
    ReviewError
        If FiftyOne's database can't be had.
    """
    with _opened(source, "source") as dataset:
        if not dataset:
            raise InputError(f"{source} has no samples", wanted="a dataset of photos", parameter="source")
        field = _label_field(dataset, label_field)
        columns = {
            "id": dataset.values("id"),
            "image": dataset.values("filepath"),
            "label": _labels(dataset, field),
        }
        split = _split(dataset.values("tags"))
        columns |= {"split": split} if split else {}
        left_out = []
        for name in _plain_fields(dataset):
            if name in columns:
                left_out.append(name)
            elif name != field:
                columns[name] = dataset.values(name)
    notes = ["Photos outside of the folder of the table need `allow_outside=True`."]
    if left_out:
        notes.append(f"Left out: {joined(left_out)}, the name of another column.")
    return Given(pa.table(columns), source, tuple(notes))


def _label_field(dataset: fo.Dataset, named: str | None) -> str:
    """Return the field with the labels."""
    import fiftyone as fo

    schema = dataset.get_field_schema(embedded_doc_type=fo.Classification)
    names = [name for name in schema if not name.startswith(_OURS)]
    if named is None:
        if "ground_truth" in names or len(names) == 1:
            return "ground_truth" if "ground_truth" in names else names[0]
        raise InputError(
            f"{dataset.name} has {many(len(names), 'field')} with classes",
            got=some(names, 12),
            wanted="one",
            fix="Say which with `label_field`.",
            parameter="label_field",
        )
    names += list(dataset.get_field_schema(ftype=fo.StringField))
    if named not in names:
        raise InputError(
            f"{dataset.name} has no such field of labels",
            got=repr(named),
            wanted=some(names, 12),
            fix=closest(named, names),
            parameter="label_field",
        )
    return named


def _labels(dataset: fo.Dataset, field: str) -> list[str | None]:
    import fiftyone as fo

    is_text = isinstance(dataset.get_field(field), fo.StringField)
    labels: list[str | None] = dataset.values(field if is_text else f"{field}.label")
    return labels


def _plain_fields(dataset: fo.Dataset) -> list[str]:
    """Return the fields that hold one number, text or truth each."""
    import fiftyone as fo

    kinds = (fo.StringField, fo.IntField, fo.FloatField, fo.BooleanField)
    schema = dataset.get_field_schema(ftype=kinds)
    return [name for name in schema if name not in _ITS_OWN and not name.startswith(_OURS)]


def _split(tags: Iterable[list[str]]) -> list[str]:
    """Return the splits that tags say; empty unless each sample has one."""
    found = [sorted(_SPLITS.intersection(each or ())) for each in tags]
    return [each[0] for each in found] if all(len(each) == 1 for each in found) else []


def write(run: RunFolder, dataset: str) -> Exported:
    """Write the issues of a run into the samples that its listings are.

    A sample is a listing's by its id, or by its file. Fields of an earlier export are replaced, also where the run does
    not have the sample.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    dataset : str
        Its name.

    Raises
    ------
    InputError
        If there is no such dataset, or none of its samples is in the run.
    ReviewError
        If FiftyOne's database can't be had.
    """
    issues = run.issues()
    decided = {id: each.action for id, each in run.holding_decisions().decisions.items()}
    kinds = flags_by_kind(issues.columns)
    listings = {row["id"]: row["image"] for row in rows_of(run.listings(["id", "image"]))}
    with _opened(dataset, "dataset") as samples:
        found = _samples_of(samples, listings, run.photo_root)
        if not found:
            raise InputError(
                f"no sample of {dataset} is in the run",
                got=f"{many(len(samples), 'sample')} and {many(len(issues), 'listing')}",
                wanted="a dataset whose samples have the ids or the files of the listings",
                fix="Check `run`, or take the listings from it with `import_listings('fiftyone', source)`.",
                parameter="dataset",
            )
        rows = {
            sample: {
                **row,
                "issues": [kind for kind, column in kinds.items() if row[column]],
                "decision": decided.get(row["id"]),
            }
            for row in rows_of(issues)
            for sample in found.get(row["id"], ())
        }
        _set(samples, rows)
        _register(samples, run)
    shared = len(issues) - len(found)
    notes = [f"In the App, open the saved view {FLAGGED}: the flagged ones, most urgent first."]
    if shared:
        notes.append(f"{many(shared, 'listing')} of the run {agree(shared, 'is', 'are')} not in it.")
    if bare := len(samples) - len(rows):
        notes.append(f"{many(bare, 'sample')} of it {agree(bare, 'is', 'are')} not in the run.")
    return Exported(NAME, None, len(found), tuple(notes), target=dataset)


def _samples_of(dataset: fo.Dataset, photos: Mapping[str, str | None], root: Path) -> dict[str, list[str]]:
    """Return the ids of the samples of each listing."""
    root = Path.cwd() / root
    ids, files = dataset.values("id"), dataset.values("filepath")
    own = set(ids)
    by_file: dict[str, list[str]] = {}
    for sample, file in zip(ids, files, strict=True):
        by_file.setdefault(str(Path(file).resolve()), []).append(sample)
    found = {}
    for id, photo in photos.items():
        if id in own:
            found[id] = [id]
        elif photo is not None and (same := by_file.get(str((root / photo).resolve()))):
            found[id] = same
    return found


def _set(dataset: fo.Dataset, rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Replace our fields and our tag in all samples."""
    import fiftyone as fo

    def suggestion(row: Mapping[str, Any]) -> fo.Classification | None:
        label, chance = row["suggested_label"], row["suggested_confidence"]
        return None if label is None else fo.Classification(label=label, confidence=chance)

    def number(row: Mapping[str, Any], name: str) -> float | None:
        value = row.get(name)
        return None if value is None or math.isnan(value) else float(value)

    fields: dict[str, tuple[Any, dict[str, Any], Callable[[Mapping[str, Any]], Any]]] = {
        "issues": (fo.ListField, {"subfield": fo.StringField}, lambda row: row["issues"]),
        "priority": (fo.IntField, {}, lambda row: int(row["priority"])),
        "label_score": (fo.FloatField, {}, lambda row: number(row, "label_score")),
        "suggestion": (fo.EmbeddedDocumentField, {"embedded_doc_type": fo.Classification}, suggestion),
        "suggested_price": (fo.FloatField, {}, lambda row: number(row, "suggested_price")),
        "reasons": (fo.StringField, {}, lambda row: row["reasons"] or None),
        "decision": (fo.StringField, {}, lambda row: row["decision"]),
    }
    for name, (kind, options, value) in fields.items():
        field = _OURS + name
        if not dataset.has_field(field):
            dataset.add_sample_field(field, kind, **options)
        else:
            dataset.clear_sample_field(field)
        dataset.set_values(field, {sample: value(row) for sample, row in rows.items()}, key_field="id")
    dataset.untag_samples(FLAGGED)
    flagged = [sample for sample, row in rows.items() if row["issues"]]
    dataset.select(flagged).tag_samples(FLAGGED)


def _register(dataset: fo.Dataset, run: RunFolder) -> None:
    """Save the view of what is flagged, and say which run it was."""
    view = dataset.match_tags(FLAGGED).sort_by(f"{_OURS}priority")
    dataset.save_view(FLAGGED, view, description="Flagged by curate, most urgent first", overwrite=True)
    config = dataset.init_run(method="curate", run=f"{run.folder.parent.name}/{run.folder.name}")
    dataset.register_run("curate", config, overwrite=True)


def read(file: Any, asked: Asked, *, label_field: str | None = None) -> Answers:
    """Read what people changed in a dataset: labels that differ from the given ones, and the tags of decisions.

    Parameters
    ----------
    file : Path
        The name of the dataset.
    asked : Asked
        What was asked.
    label_field : str, optional
        As for :func:`give`.

    Returns
    -------
    Answers

    Raises
    ------
    DecisionsError
        If two samples of one listing say different things.
    InputError
        If there is no such dataset or field.
    ReviewError
        If FiftyOne's database can't be had.
    """
    reviewer = reviewer_of(asked)
    with _opened(str(file), "file") as dataset:
        found = _samples_of(dataset, asked.photos, asked.root)
        ids, tags = dataset.values("id"), dataset.values("tags")
        labels, times = _labels(dataset, _label_field(dataset, label_field)), dataset.values("last_modified_at")
    said = dict(zip(ids, zip(labels, tags, times, strict=True), strict=True))
    decisions, unanswered = list[Decision](), 0
    for id, samples in found.items():
        words = {}
        for sample in samples:
            label, own, time = said[sample]
            # of both, the one that loses nothing
            others = sorted(set(own or ()).intersection(ACTIONS))
            changed = label != asked.labels.get(id)
            chosen = [label] if label is not None and (changed or _KEEP in (own or ())) else []
            when = parse_time(time.replace(tzinfo=UTC).isoformat() if time else None)
            if (decision := decision_of(id, chosen, others, asked, reviewer, when, NAME)) is not None:
                words[decision.action, decision.new_label] = decision
        if len(words) > 1:
            raise DecisionsError(f"{file} has a listing twice, with different labels or tags", got=id, parameter="file")
        unanswered += not words
        decisions += words.values()
    return Answers(decisions, unanswered=unanswered)
