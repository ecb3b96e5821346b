"""Single listings checked by a finished run, as fast as a seller's form needs it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from curation.errors import InputError
from curation.incoming.judge import judge_new, repost_columns
from curation.incoming.model import RunModel
from curation.incoming.records import FACTS, FIELDS, Record, id_of, read_record
from curation.incoming.reposts import Placed, find_known, placed
from curation.issues import KINDS
from curation.issues.near_duplicate import KIND as REPOSTS
from curation.listings.worth import WORTH
from curation.photos.hashing import small_photos
from curation.photos.text import TextFinder
from curation.run.folder import RunFolder
from training.errors import CurateError
from training.images.cache import PhotoCache, default_cache
from training.utils.boundary import Boundary

__all__ = ["CHECKED", "Checker"]

#: Known listings with the same photo that an answer names at most.
_NAMED = 20
#: Columns of the answers as a table, beside the flags and scores of all kinds.
CHECKED = ("id", "error", "is_flagged", "suggested_label", "suggested_confidence", "none_of_these")


class Checker:
    """Checks single listings by the models of a finished run, which stay in memory.

    Parameters
    ----------
    run : RunFolder
        The run.
    cache : PhotoCache, optional
        Keeps the text in photos; by default the user's.
    allow_outside : bool
        Whether paths of photos may lead out of the folder that they start from. Whoever writes the listings names the
        files that are read.

    Raises
    ------
    RunError
        If the run has no models that judge new listings.
    """

    def __init__(self, run: RunFolder, cache: PhotoCache | None = None, *, allow_outside: bool = False) -> None:
        self._allow_outside = allow_outside
        self._model, self._cache = RunModel.of(run), cache or default_cache()
        self._open = ExitStack()
        with_text = self._model.text and bool(self._model.table["image"].notna().any())
        self._finder = self._open.enter_context(TextFinder(self._cache)) if with_text else None

    def __enter__(self) -> Self:
        """Judge once, so that everything is in memory, and return itself."""
        self._open.enter_context(threadpool_limits(1, "blas"))
        self._judged([self._known()])
        return self

    def _known(self) -> Record:
        """Return a listing of the run, if possible with a photo: judging it loads, and tries, all that is needed."""
        table = self._model.table
        shown = np.flatnonzero(table["sha256"].notna() & table["unreadable"].isna())
        known = table.iloc[shown[0] if len(shown) else 0]
        values = {
            name: None if name not in known or pd.isna(known[name]) else known[name] for name in (*FIELDS, *FACTS)
        }
        values["price"] = 1.0 if values["price"] is None else float(values["price"])
        size = self._model.size
        pixels = np.zeros((size, size, 3), dtype=np.uint8)
        return Record(values, pixels, small_photos(pixels[None])[0])

    def __exit__(self, *_: object) -> None:
        """Keep the text that was read in photos."""
        self._open.close()

    def __call__(self, listings: Sequence[Any], root: Path = Path()) -> list[dict[str, Any]]:
        """Check listings, each by itself.

        Parameters
        ----------
        listings : sequence of mapping
            Fields by the names of the dataset's columns: a photo's path, label, price, title, and perhaps id and group.
        root : Path
            The folder that relative paths of photos start from.

        Returns
        -------
        list of dict
            For each: ``id``; ``is_flagged``; ``issues``, for each kind ``flagged`` and ``score``; ``suggested_label``
            and ``suggested_confidence``; ``none_of_these``; ``price`` with ``low``, ``high``, ``suggested`` and
            ``currency``; ``reasons``; ``reposts``, the ids of known listings with the same photo, at most 20. None for
            what is not known. A listing that can't be read has ``error`` instead.
        """
        listings = list(listings)
        answers: list[dict[str, Any]] = [{} for _ in listings]
        inside = None if self._allow_outside else Boundary(root)
        records: list[tuple[int, Record]] = []
        for number, said in enumerate(listings):
            try:
                records.append((number, read_record(said, self._model, root, self._finder, inside)))
            except InputError as error:
                answers[number] = {"id": id_of(said, self._model), "error": str(error)}
        if records:
            try:
                judged = self._judged([record for _, record in records])
            except CurateError as error:
                judged = [{"id": record.values["id"], "error": str(error)} for _, record in records]
            for (number, _), answer in zip(records, judged, strict=True):
                answers[number] = answer
        return answers

    def _judged(self, records: Sequence[Record]) -> list[dict[str, Any]]:
        model = self._model
        table = self._table(records)
        photos = np.stack([record.pixels for record in records])
        small = np.stack([record.small for record in records])
        found = find_known(model, table, photos, small)
        # a listing of the run that is sent again does not count as its own repost
        own = [model.place.get(str(record.values["id"])) for record in records]
        place = placed(model, table, found, frozenset(row for row in own if row is not None), own)
        table, reposts, others = self._with_reposts(table, found, place, own)
        judged = judge_new(model, table, photos, place, reposts, titles_root=self._cache.titles_root)
        columns = {str(name): judged.issues[name].tolist() for name in judged.issues}
        rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        return [
            self._answer(record, issues, names) for record, issues, names in zip(records, rows, others, strict=True)
        ]

    def _table(self, records: Sequence[Record]) -> pd.DataFrame:
        """Return the listings as the run has them; whoever has no id gets one that the run does not have."""
        columns = self._model.table
        ids = [record.values["id"] or f"\0{number}" for number, record in enumerate(records)]
        values: dict[str, Any] = {"id": pd.array(ids, dtype="string")}
        for name in records[0].values:
            if name != "id" and name in columns:
                own: Any = [pd.NA if record.values[name] is None else record.values[name] for record in records]
                dtype: Any = columns[name].dtype
                values[name] = pd.array(own, dtype="Float64" if str(dtype) == "float64" else dtype)
        table = pd.DataFrame(values)
        table["price"] = table["price"].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
        return table.assign(**{WORTH: np.nan}) if self._model.worth == WORTH else table

    def _with_reposts(
        self, table: pd.DataFrame, found: list[dict[int, float]], place: Placed, own: Sequence[int | None]
    ) -> tuple[pd.DataFrame, pd.DataFrame, list[list[str]]]:
        """Return the listings with how much their photos are like known ones, and what that says of reposts."""
        model, parts, names, likeness = self._model, [], [], np.full(len(table), np.nan)
        for row, rows in enumerate(found):
            members = [other for other in place.members[row] if other != own[row]]
            near = max((value for other, value in rows.items() if other != own[row]), default=np.nan)
            alone = table.iloc[[row]]
            if members:
                likeness[row] = near
                known = model.table.iloc[members]
                both = pd.concat([known[list(alone.columns.intersection(known.columns))], alone], ignore_index=True)
                both["near_group"] = pd.array([0] * len(both), dtype="Int64")
                both.loc[len(both) - 1, "near_likeness"] = near
                said = repost_columns(both, model).iloc[[-1]].reset_index(drop=True)
            else:
                said = _shown_once(alone)
            # which number a group has says nothing of a single listing
            parts.append(said.assign(near_duplicate_group=pd.array([pd.NA], dtype="Int64")))
            names.append(model.table["id"].iloc[members[:_NAMED]].astype(str).tolist())
        table = table.assign(near_likeness=pd.array(likeness, dtype="Float64"))
        return table, pd.concat(parts, ignore_index=True), names

    def _answer(self, record: Record, issues: dict[str, Any], others: list[str]) -> dict[str, Any]:
        flags = {kind.name: bool(issues[kind.flag]) if pd.notna(issues[kind.flag]) else None for kind in KINDS}
        scores = {kind.name: _number(issues.get(kind.score)) for kind in KINDS}
        label = record.values["label"]
        answer: dict[str, Any] = {
            "id": record.values["id"],
            "is_flagged": any(flags.values()),
            "issues": {name: {"flagged": flags[name], "score": scores[name]} for name in flags},
            "suggested_label": _text(issues["suggested_label"]),
            "suggested_confidence": _number(issues["suggested_confidence"]),
            "none_of_these": _number(issues["none_of_these"]),
            "price": {
                "low": _number(issues["price_low"]),
                "high": _number(issues["price_high"]),
                "suggested": _number(issues["suggested_price"]),
                "currency": self._model.record["dataset"].get("currency"),
            },
            "reasons": _text(issues["reasons"]) or "",
            "reposts": others,
        }
        if label is not None and label not in self._model.classes:
            meant = self._model.spellings_of([label]).get(label)
            unknown = f"the run knows nothing of the class {label}: its label is not judged"
            answer["note"] = unknown if meant is None else f"{label} is judged as the class {meant}"
        return answer

    def table(self, listings: Sequence[Any], root: Path = Path()) -> pd.DataFrame:
        """Check listings, and return the answers as a table.

        Parameters
        ----------
        listings, root
            As for calling it.

        Returns
        -------
        DataFrame
            One row for each: `CHECKED`, the flag and score of each kind, ``price_low``, ``price_high``,
            ``suggested_price``, ``reasons`` and ``reposts``.
        """
        return pd.DataFrame([_flat(answer) for answer in self(listings, root)], columns=_columns())


def _shown_once(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of a photo that no known listing shows."""
    score = 1.0 if table["unreadable"].isna().all() and table["sha256"].notna().all() else np.nan
    return pd.DataFrame({REPOSTS.flag: [False], REPOSTS.score: [score], "reason": [""]})


def _columns() -> list[str]:
    kinds = [column for kind in KINDS for column in (kind.flag, kind.score)]
    kinds = [column for column in kinds if column != "unreadable_score"]
    return [*CHECKED, *kinds, "price_low", "price_high", "suggested_price", "reasons", "reposts"]


def _flat(answer: dict[str, Any]) -> dict[str, Any]:
    row = {name: answer.get(name) for name in (*CHECKED, "reasons", "reposts")}
    for kind in KINDS:
        said = answer.get("issues", {}).get(kind.name, {})
        row |= {kind.flag: said.get("flagged"), kind.score: said.get("score")}
    price = answer.get("price", {})
    usual = {"price_low": price.get("low"), "price_high": price.get("high")}
    return {**row, **usual, "suggested_price": price.get("suggested")}


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)


def _text(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)
