"""The samples of a run in FiftyOne: their fields, and how they are written to its database."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from curation.review.app.thumbnails import thumbnail_of, whole_of
from curation.review.table import plain
from curation.run.flags import flags_by_kind

__all__ = ["add_samples", "values_of_samples"]

_TEXTS = ("title", "reasons", "split", "near_duplicate_group")
_NUMBERS = ("price", "price_low", "price_high", "suggested_price", "none_of_these")
_WHOLE = ("priority", "fold", "near_duplicate_order")
_LABELS = {
    # field: (column of the label, column of the confidence)
    "ground_truth": ("given_label", None),
    "suggested": ("suggested_label", "suggested_confidence"),
    "predictions": ("predicted_label", "predicted_confidence"),
}


def add_samples(dataset: Any, table: pd.DataFrame, thumbnails: Path) -> None:
    """Write every row of a table into an empty dataset.

    Parameters
    ----------
    dataset : fiftyone.Dataset
        An empty one.
    table : DataFrame
        From :func:`curation.review.table.review_table`, by priority: FiftyOne keeps the order.
    thumbnails : Path
        The folder of the run's thumbnails.

    Notes
    -----
    ``Dataset.add_samples`` takes about 3 ms for a sample with this many fields, because it creates four objects and
    checks every value; that is minutes for 50,000. So only the first sample is added that way, and FiftyOne itself sets
    up the dataset. The others are written as the documents that it would have made; a test compares them.
    """
    import fiftyone as fo
    import fiftyone.core.odm as odm

    kinds = list(flags_by_kind(table.columns))
    scores = [f"{kind}_score" for kind in kinds if f"{kind}_score" in table]
    _declare(fo, dataset, scores)
    rows = values_of_samples(table, scores, thumbnails)
    first = next(rows)
    labels = {name: fo.Classification(**first.pop(name)) for name in _LABELS if name in first}
    # without a type, FiftyOne guesses it from the name, and a photo may be called 4711 or item.mp4
    dataset.add_samples([fo.Sample(**first, **labels, media_type="image")], dynamic=False)
    odm.insert_documents(_documents(dataset, rows), dataset._sample_collection, ordered=True)


def _declare(fo: Any, dataset: Any, scores: list[str]) -> None:
    """Declare every field, because the App shows declared fields even if all values are empty."""
    texts = ["listing_id", "original_label", *_TEXTS, "thumbnail", "decision", "new_label", "reviewer", "review_note"]
    fields: dict[str, Any] = {name: fo.EmbeddedDocumentField(fo.Classification) for name in _LABELS}
    fields["issues"] = fo.ListField(fo.StringField())
    fields |= {name: fo.StringField() for name in texts}
    fields |= {name: fo.FloatField() for name in (*_NUMBERS, "new_price", *scores)}
    fields |= {name: fo.IntField() for name in _WHOLE}
    fields |= {"reviewed_at": fo.DateTimeField(), "disagreement": fo.BooleanField()}
    # all at once: add_sample_field loads and saves the dataset's document for each field, which takes 2 s in total
    dataset._merge_sample_field_schema(fields)


def values_of_samples(table: pd.DataFrame, scores: list[str], thumbnails: Path) -> Iterator[dict[str, Any]]:
    """Yield the fields of each sample that have a value; each label is a dict.

    Parameters
    ----------
    table, thumbnails
        As for :func:`add_samples`.
    scores : list of str
        The columns of scores to take.
    """
    for record in table.to_dict("records"):
        row = {str(name): plain(value) for name, value in record.items()}
        tags = [*row["issues"], *([row["split"]] if row.get("split") else [])]
        values: dict[str, Any] = {"filepath": whole_of(row["photo"], thumbnails)}
        values |= {"tags": tags, "issues": row["issues"]}
        values |= {"listing_id": row["id"], "original_label": row.get("given_label")}
        values |= {name: _text(row.get(name)) for name in _TEXTS}
        values |= {name: None if row.get(name) is None else float(row[name]) for name in (*_NUMBERS, *scores)}
        values |= {name: None if row.get(name) is None else int(row[name]) for name in _WHOLE}
        values["thumbnail"] = thumbnail_of(row, thumbnails)
        for field, (label, confidence) in _LABELS.items():
            if row.get(label) is not None:
                sure = row.get(confidence) if confidence else None
                values[field] = {"label": str(row[label]), **({} if sure is None else {"confidence": float(sure)})}
        yield {name: value for name, value in values.items() if value is not None}


def _documents(dataset: Any, rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the documents that FiftyOne 1.22 writes to MongoDB for such samples."""
    from bson import ObjectId

    # mixes the order of what is shown; nothing is secret
    shuffle = random.Random(0)  # noqa: S311  # nosec B311
    now = datetime.now(UTC)
    for row in rows:
        labels = {
            name: {"_id": ObjectId(), "_cls": "Classification", "tags": [], **row.pop(name)}
            for name in _LABELS
            if name in row
        }
        yield {
            **row,
            **labels,
            "_media_type": "image",
            "_rand": shuffle.random(),  # FiftyOne draws random samples by this
            "_dataset_id": dataset._doc.id,
            "created_at": now,
            "last_modified_at": now,
        }


def _text(value: Any) -> str | None:
    if isinstance(value, list):
        return "; ".join(str(item) for item in value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a whole number that pandas made a float because other rows have none
    return None if value is None else str(value)
