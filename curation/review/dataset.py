"""The FiftyOne dataset of a run: made once, opened again, and kept in step with the journal."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from curation.decisions import Decision, current_decisions, noted
from curation.review.edits import record_edits
from curation.review.environment import load_fiftyone
from curation.review.look import set_look
from curation.review.mirror import DECISION_FIELDS, fields_of, mirror
from curation.review.table import issue_kinds, plain, review_table
from curation.runs import Run
from training.files import sha256_of_file

__all__ = ["Collected", "Opened", "collect_decisions", "dataset_name", "open_dataset"]

# Raise it when the fields change, and datasets made by an older version are made anew.
_LAYOUT = 1
_TEXTS = ("title", "reasons", "split", "near_duplicate_group")
_NUMBERS = ("price", "price_low", "price_high")
_WHOLE = ("priority", "fold")
_LABELS = {
    # field: (column of the label, column of the confidence)
    "ground_truth": ("given_label", None),
    "suggested": ("suggested_label", "suggested_confidence"),
    "predictions": ("predicted_label", "predicted_confidence"),
}


@dataclass(frozen=True)
class Collected:
    """What was found in FiftyOne that was not in the journal.

    Attributes
    ----------
    decisions : tuple of Decision
        Labels edited in the Annotate tab, now in the journal.
    unusable : tuple of str
        Listings whose label was removed there, or is no class of the run. No decision; the label is as given again.
    vanished : tuple of str
        Listings whose sample was removed from FiftyOne. No decision; it comes back when the run is opened again.
    """

    decisions: tuple[Decision, ...] = ()
    unusable: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()


@dataclass(frozen=True)
class Opened:
    """A run that is open in FiftyOne.

    Attributes
    ----------
    dataset : fiftyone.Dataset
    photos : tuple of str
        The paths of its photos, by priority.
    collected : Collected
        What an earlier session had left in FiftyOne.
    damaged : tuple of str
        One message for each line of the journal that can't be read.
    """

    dataset: Any
    photos: tuple[str, ...]
    collected: Collected
    damaged: tuple[str, ...]


def dataset_name(run: Run) -> str:
    """Return the name of a run's dataset in FiftyOne, e.g. ``curate-furniture-3-1f0c77aa``.

    The last part is made from the folder's full path: two checkouts may both have a run 3.
    """
    folder = run.folder.resolve()
    path = hashlib.sha256(str(folder).encode()).hexdigest()[:8]
    name = f"{run.record()['dataset']['name']}-{folder.name}"
    return f"curate-{re.sub(r'[^A-Za-z0-9_.]+', '-', name)[:80]}-{path}"


def open_dataset(run: Run) -> Opened:
    """Make the FiftyOne dataset of a run, or open the one made before, with all decisions of the journal.

    A dataset is made anew when the run was, or when samples of it were removed. Decisions survive that: they are in
    the journal.

    Raises
    ------
    ReviewError
        When the run has no photos, or their folder is gone.
    """
    run.require_finished()
    table = review_table(run)
    fo = load_fiftyone()
    name = dataset_name(run)
    made_from = _fingerprint(run)
    collected = Collected()
    if name in fo.list_datasets():
        dataset = fo.load_dataset(name)
        current = (dataset.info.get("curate") or {}).get("made_from") == made_from
        if current:
            collected = _collect(dataset, run, table["id"])
        if not current or collected.vanished:
            fo.delete_dataset(name)
    if name not in fo.list_datasets():
        dataset = _make(fo, name, run, table, made_from)
    set_look(dataset, issue_kinds(list(table.columns)), run.classes)
    decisions, damaged = run.decisions()
    _mirror_all(dataset, {**noted(decisions), **current_decisions(decisions)})
    return Opened(dataset, tuple(table["photo"]), collected, tuple(damaged))


def collect_decisions(run: Run) -> Collected:
    """Bring what was edited in FiftyOne's own Annotate tab into the journal of the run.

    An edited ``ground_truth`` becomes a relabel. A sample that was removed from FiftyOne is no decision; it is
    reported. A run that was never opened in FiftyOne has nothing to collect.
    """
    fo = load_fiftyone()
    name = dataset_name(run)
    if name not in fo.list_datasets():
        return Collected()
    dataset = fo.load_dataset(name)
    if (dataset.info.get("curate") or {}).get("made_from") != _fingerprint(run):
        return Collected()  # of an earlier run in this folder: its edits are not about these listings
    return _collect(dataset, run, review_table(run)["id"])


def _collect(dataset: Any, run: Run, ids: pd.Series) -> Collected:
    decisions, unusable = record_edits(dataset, run)
    present = set(dataset.values("listing_id"))
    vanished = [id for id in ids if id not in present]
    return Collected(tuple(decisions), tuple(unusable), tuple(vanished))


def _fingerprint(run: Run) -> str:
    parts = [str(_LAYOUT), str(run.photo_root), *run.classes]
    parts += [sha256_of_file(path) for path in (run.issues_file, run.listings_file)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _make(fo: Any, name: str, run: Run, table: pd.DataFrame, made_from: str) -> Any:
    dataset = fo.Dataset(name, persistent=True)
    try:
        kinds = issue_kinds(list(table.columns))
        _declare(fo, dataset, kinds, table)
        dataset.add_samples(_samples(fo, table, kinds), num_samples=len(table), dynamic=False)
        for field in ("listing_id", "original_label"):
            declared = dataset.get_field(field)
            declared.read_only = True
            declared.save()
        dataset.create_index("listing_id", unique=True)
        dataset.create_index("priority")
        dataset.default_classes = run.classes
        # written last: with it the dataset counts as whole
        dataset.info["curate"] = {"run": str(run.folder.resolve()), "made_from": made_from}
        dataset.save()
    except BaseException:
        fo.delete_dataset(name)
        raise
    return dataset


def _declare(fo: Any, dataset: Any, kinds: list[str], table: pd.DataFrame) -> None:
    """Declare every field: the App shows what is declared, also where all values are still empty."""
    texts = ["listing_id", "original_label", *_TEXTS, "decision", "new_label", "reviewer", "review_note"]
    numbers = [*_NUMBERS, *_scores(kinds, table)]
    for field in _LABELS:
        dataset.add_sample_field(field, fo.EmbeddedDocumentField, embedded_doc_type=fo.Classification)
    dataset.add_sample_field("issues", fo.ListField, subfield=fo.StringField)
    for field in texts:
        dataset.add_sample_field(field, fo.StringField)
    for field in numbers:
        dataset.add_sample_field(field, fo.FloatField)
    for field in _WHOLE:
        dataset.add_sample_field(field, fo.IntField)
    dataset.add_sample_field("reviewed_at", fo.DateTimeField)


def _samples(fo: Any, table: pd.DataFrame, kinds: list[str]) -> Iterator[Any]:
    numbers = [*_NUMBERS, *_scores(kinds, table)]
    for record in table.to_dict("records"):
        row = {str(name): plain(value) for name, value in record.items()}
        values: dict[str, Any] = {"listing_id": row["id"], "original_label": row.get("given_label")}
        values |= {name: _text(row.get(name)) for name in _TEXTS}
        values |= {name: None if row.get(name) is None else float(row[name]) for name in numbers}
        values |= {name: None if row.get(name) is None else int(row[name]) for name in _WHOLE}
        for field, (label, confidence) in _LABELS.items():
            if row.get(label) is not None:
                sure = row.get(confidence) if confidence else None
                values[field] = fo.Classification(label=str(row[label]), confidence=sure)
        tags = [*row["issues"], *([row["split"]] if row.get("split") else [])]
        # the type is said, not guessed from the name: a photo may be called 4711 or item.mp4
        yield fo.Sample(filepath=row["photo"], media_type="image", tags=tags, issues=row["issues"], **values)


def _scores(kinds: list[str], table: pd.DataFrame) -> list[str]:
    return [f"{kind}_score" for kind in kinds if f"{kind}_score" in table]


def _text(value: Any) -> str | None:
    if isinstance(value, list):
        return "; ".join(str(item) for item in value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a number that pandas made a float because other rows have none
    return None if value is None else str(value)


def _mirror_all(dataset: Any, holding: dict[str, Decision]) -> None:
    """Bring the decision fields of all samples in step with the journal, touching only those that differ."""
    columns = dataset.values(["id", "listing_id", *DECISION_FIELDS])
    wrong = {}
    for sample, listing, *shown in zip(*columns, strict=True):
        decision = holding.get(listing)
        *before, time, note = shown
        # MongoDB gives times back without their zone
        time = time.replace(tzinfo=UTC) if isinstance(time, datetime) else None
        if (*before, time, note) != fields_of(decision):
            wrong[sample] = decision
    mirror(dataset, wrong)
