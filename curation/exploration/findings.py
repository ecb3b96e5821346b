"""Facts about listings before anything is trained: plain tables, the content of ``explore.json``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curation import __version__
from curation.exploration.headers import read_headers, same_content
from curation.exploration.notes import notes
from curation.listings import Listings
from curation.listings.labels import likely_separator
from curation.listings.twins import count_labels, find_twins
from curation.rendering.results import Result
from training.utils.files import photo_path
from training.utils.progress import Progress, Reporter

__all__ = ["MADE_BY", "SIZES", "Exploration", "look_at", "suggested_size", "with_names"]

#: Marks ``explore.json``, so that a later look may take the place of an earlier one.
MADE_BY = "curate explore"
#: Sides that image models usually take; torchvision's take 224 to 320, this project's presets 32 to 64.
SIZES = (32, 48, 64, 96, 128, 160, 192, 224, 299, 320)
#: A class with less than this share of the median class's listings needs balancing.
_RARE = 0.2
#: `find-issues` makes this many folds by default; a smaller class is missing from some of them.
_FOLDS = 5
#: This share of photos may be enlarged by the suggested size.
_ENLARGED = 0.1
_SHOWN = 20
_IDS = 5

_CLASS_RULE = (
    f"A class needs balancing with fewer than {_FOLDS} listings (one for every fold), or with less than a fifth of the "
    "listings of the median class."
)
_SIZE_RULE = (
    f"The largest usual input size ({SIZES[0]} to {SIZES[-1]}) that the shorter side of {1 - _ENLARGED:.0%} of the "
    "photos reaches, so that few photos are enlarged."
)


@dataclass(frozen=True)
class Exploration(Result):
    """What the data looks like, before anything is trained.

    Attributes
    ----------
    listings : Listings
        What was looked at.
    photos : DataFrame
        One row per listing whose photo was looked at, index as in ``listings.table``: ``width``, ``height`` (upright
        pixels; NaN for an unreadable one), ``format``, ``turned``, ``error``.
    findings : dict
        Plain tables, as in ``explore.json``; described in docs/commands.md.
    page : Path or None
        ``explore.html``; None if no page was written.
    """

    listings: Listings
    photos: pd.DataFrame
    findings: dict[str, Any]
    page: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the findings, the content of ``explore.json``."""
        return self.findings

    def _shown(self) -> Iterator[tuple[str, Any]]:
        yield "dataset", self.findings["dataset"]["name"]
        yield "listings", self.findings["listings"]
        yield "suggested_size", self.findings["photos"]["suggested_size"]
        yield "notes", self.findings["notes"]
        for part in ("labels", "prices"):
            if self.findings[part]:
                yield part, pd.DataFrame(self.findings[part]["per_class"])


def look_at(listings: Listings, *, sample: int, seed: int, reporter: Reporter) -> Exploration:
    """Look at the listings.

    Parameters
    ----------
    listings, sample, seed, reporter
        As for :func:`curation.explore`.
    """
    table, most = with_names(listings.table), listings.limits.photo_bytes
    paths = {row: photo_path(listings.source.root, image) for row, image in table["image"].dropna().items()}
    with reporter.bar("reading photo headers") as progress:
        photos = _photos(table, paths, sample, seed, most, progress)
    with reporter.bar("looking for equal photos") as progress:
        groups = _equal_photos([paths.get(row) for row in table.index], most, progress)
    findings: dict[str, Any] = {
        "made_by": MADE_BY,
        "version": __version__,
        "dataset": {
            "name": listings.source.name,
            "path": listings.source.named,
            "currency": listings.source.currency,
            "sha256": listings.sha256,
        },
        "listings": len(table),
        "labels": _labels(listings),
        "photos": {**_photo_sizes(photos), "listings": len(paths), "seed": seed},
        "unreadable": _unreadable(table, photos),
        "duplicates": _duplicates(table.assign(label=_one_spelling(table["label"])), groups),
        "prices": _prices(listings),
        "missing": _missing(listings.table),
        "bad_values": _bad_values(listings.problems),
        "faults": _faults(listings),
        "read_as": list(listings.notes),
    }
    return Exploration(listings, photos, {**findings, "notes": notes(findings)})


def suggested_size(shorter_sides: pd.Series) -> int | None:
    """Return the input size that the photos suggest; None without photos.

    Parameters
    ----------
    shorter_sides : Series of float64
        In pixels.

    Examples
    --------
    >>> suggested_size(pd.Series([400.0] * 90 + [100.0] * 10))
    320
    >>> suggested_size(pd.Series([400.0] * 80 + [100.0] * 20))
    96
    """
    if shorter_sides.empty:
        return None
    reached = shorter_sides.quantile(_ENLARGED, interpolation="higher")
    return max((size for size in SIZES if size <= reached), default=SIZES[0])


def with_names(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with a listing's place where its id is missing."""
    places = pd.Series([f"listing {place}" for place in range(1, len(table) + 1)], index=table.index, dtype="string")
    return table.assign(id=table["id"].fillna(places))


def _photos(
    table: pd.DataFrame, paths: dict[Any, Path], sample: int, seed: int, most: int, progress: Progress
) -> pd.DataFrame:
    rows = list(paths)
    if len(rows) > sample:
        # by id: the same photos whatever the order of the rows
        by_id = table.loc[rows, "id"].sort_values(kind="stable").index.to_numpy()
        rows = sorted(np.random.default_rng(seed).choice(by_id, sample, replace=False).tolist())
    headers = read_headers([paths[row] for row in rows], progress, most)
    photos = pd.DataFrame(
        [(head.width, head.height, head.format, head.turned, head.error) for head in headers],
        index=pd.Index(rows, dtype=table.index.dtype),
        columns=["width", "height", "format", "turned", "error"],
    )
    return photos.astype({"width": "float64", "height": "float64", "format": "string", "error": "string"})


def _equal_photos(paths: list[Path | None], most: int, progress: Progress) -> list[list[int]]:
    groups = same_content(paths, progress, most)
    # equal files that are no photos say nothing of the listings; they are among the unreadable ones
    heads = read_headers([paths[group[0]] for group in groups], progress, most)
    return [group for group, head in zip(groups, heads, strict=True) if head.error is None]


def _labels(listings: Listings) -> dict[str, Any]:
    label = listings.table["label"]
    counts = label.value_counts().reindex(listings.classes).astype(int)
    median = float(counts.median()) if len(counts) else 0.0
    rows = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
    return {
        "classes": len(counts),
        "without_label": int(label.isna().sum()),
        "median": median,
        "rule": _CLASS_RULE,
        "per_class": [
            {"class": name, "listings": count, "share": count / len(label), "hint": _hint(count, median)}
            for name, count in rows
        ],
        "twins": [twins.spellings for twins in find_twins(count_labels(label))],
        "separator": _separator(listings),
    }


def _one_spelling(label: pd.Series) -> pd.Series:
    """Return labels with one name for all spellings of a class."""
    twins = find_twins(count_labels(label))
    return label.replace({other: each.name for each in twins for other in each.others})


def _separator(listings: Listings) -> dict[str, Any] | None:
    """Return what stands between the levels of most classes, and in how many; None if it is known, or there is none."""
    likely = likely_separator(listings.classes) if listings.source.label_separator is None else None
    return None if likely is None else {"text": likely[0], "classes": likely[1]}


def _hint(count: int, median: float) -> str:
    if count < _FOLDS:
        return f"fewer than {_FOLDS} listings"
    return "less than a fifth of the median class" if count < _RARE * median else ""


def _photo_sizes(photos: pd.DataFrame) -> dict[str, Any]:
    sound = photos[photos["error"].isna()]
    shorter = sound[["width", "height"]].min(axis=1)
    size = suggested_size(shorter)
    return {
        "looked_at": len(photos),
        "width": _spread(sound["width"], 0),
        "height": _spread(sound["height"], 0),
        "aspect": _spread(sound["width"] / sound["height"], 3),
        "formats": _counts(sound["format"]),
        "turned": int(sound["turned"].sum()),
        "suggested_size": size,
        "enlarged": None if size is None else float((shorter < size).mean()),
        "rule": _SIZE_RULE,
    }


def _spread(values: pd.Series, digits: int) -> dict[str, float] | None:
    if values.empty:
        return None
    names = {"least": 0.0, "p5": 0.05, "median": 0.5, "p95": 0.95, "most": 1.0}
    return {name: round(float(values.quantile(share)), digits) for name, share in names.items()}


def _counts(values: pd.Series) -> dict[str, int]:
    return {str(name): int(count) for name, count in values.value_counts().items()}


def _unreadable(table: pd.DataFrame, photos: pd.DataFrame) -> dict[str, Any]:
    broken = photos[photos["error"].notna()]
    examples = table.loc[broken.index[:_SHOWN], ["id", "image"]].assign(why=broken["error"])
    # what a decoder says may hold numbers that differ from file to file
    reasons = broken["error"].str.replace(r"\d[\d,]*", "…", regex=True)
    return {"listings": len(broken), "reasons": _counts(reasons), "shown": examples.to_dict("records")}


def _duplicates(table: pd.DataFrame, groups: list[list[int]]) -> dict[str, Any]:
    ids, labels, images = (table[name].to_numpy(dtype=object) for name in ("id", "label", "image"))
    rows = []
    for group in groups:
        names = sorted({str(labels[place]) for place in group if not pd.isna(labels[place])})
        rows.append({"ids": [str(ids[place]) for place in group], "labels": names, "image": str(images[group[0]])})
    several = sum(len(row["labels"]) > 1 for row in rows)
    # the same photo under two labels: at least one of them is wrong, or the classes overlap
    rows.sort(key=lambda row: (len(row["labels"]) < 2, -len(row["ids"])))
    return {
        "groups": len(groups),
        "listings": sum(len(group) for group in groups),
        "with_different_labels": several,
        "shown": [
            {
                "listings": len(row["ids"]),
                "ids": row["ids"][:_IDS],
                "labels": row["labels"][:_IDS],
                "image": row["image"],
            }
            for row in rows[:_SHOWN]
        ],
    }


def _prices(listings: Listings) -> dict[str, Any] | None:
    """Describe the prices of each class; None where there are none. Zeros are counted, and no part of the rest."""
    price, label = listings.table["price"], listings.table["label"]
    if price.notna().sum() == 0:
        return None
    positive = price.where(price > 0)
    shares = {"p5": 0.05, "q1": 0.25, "median": 0.5, "q3": 0.75, "p95": 0.95}
    grouped = positive.groupby(label)
    classes = pd.DataFrame({name: grouped.quantile(share) for name, share in shares.items()})
    classes = classes.assign(least=grouped.min(), most=grouped.max(), priced=price.groupby(label).count())
    classes = classes.assign(zero=(price == 0).groupby(label).sum()).reindex(listings.classes)
    return {
        "priced": int(price.notna().sum()),
        "zero": int((price == 0).sum()),
        "missing": int(price.isna().sum()),
        "median": _number(positive.median()),
        "per_class": [
            {
                "class": name,
                "priced": int(row["priced"]),
                "zero": int(row["zero"]),
                **{key: _number(row[key]) for key in ("least", *shares, "most")},
            }
            for name, row in classes.iterrows()
        ],
    }


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else round(float(value), 4)


def _missing(table: pd.DataFrame) -> list[dict[str, Any]]:
    counts = table.isna().sum()
    return [
        {"column": str(name), "missing": int(count), "share": float(count) / len(table)}
        for name, count in counts.items()
    ]


def _bad_values(problems: pd.DataFrame) -> list[dict[str, Any]]:
    named = problems["id"].where(problems["id"] != "", "row " + problems["row"].astype(str))
    return [
        {"column": column, "why": why, "rows": len(ids), "ids": [str(name) for name in ids[:_IDS]]}
        for (column, why), ids in named.groupby([problems["column"], problems["why"]])
    ]


def _faults(listings: Listings) -> list[dict[str, Any]]:
    """Return what everything but a look refuses, in the order in which it is refused."""
    faults = []
    for fault in listings.faults:
        rows = fault.problems["row"] if "row" in fault.problems else pd.Series(dtype="int64")
        faults.append({"fault": str(fault), "rows": int(rows.nunique()), "first_rows": rows.unique()[:_IDS].tolist()})
    return faults
