"""Decisions that a person made in a file: a CSV or a sheet, as a spreadsheet leaves it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from curation.errors import DecisionsError, closest, some
from curation.listings.tables import read_raw
from curation.rendering.words import many
from curation.run.journal import ACTIONS, Decision
from training.utils.units import now

__all__ = ["read_decisions"]

_COLUMNS = ("id", "decision", "new_label", "reviewer", "time", "note")
#: What a column may be called instead.
_ALSO = {"decision": ("action",)}


def read_decisions(path: Path, *, reviewer: str, id_column: str = "id") -> list[Decision]:
    """Read decisions from a table with ``id``, ``decision`` and, for relabels, ``new_label``.

    ``reviewer``, ``time`` and ``note`` are optional. Rows without a decision are skipped. Any table file is read that
    :func:`curation.listings.tables.read_raw` knows; capitals and blanks in the names of columns don't matter.

    Parameters
    ----------
    path : Path
        The file.
    reviewer : str
        Who decided, where the file does not say so.
    id_column : str
        What the dataset's own table calls the id: it is accepted, too.

    Raises
    ------
    DecisionsError
        If the file can't be read, lacks a column, decides nothing, or says two things about one listing.
    """
    if not path.is_file():
        raise DecisionsError("no decisions file", got=str(path), wanted="a CSV with id, decision, new_label")
    table = _with_our_names(path, _raw(path, id_column), id_column)
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    decisions = [
        Decision(
            id=row["id"] or "",
            action=row["decision"].lower(),
            new_label=row.get("new_label") if row["decision"].lower() == "relabel" else None,
            reviewer=row.get("reviewer") or reviewer,
            time=row.get("time") or now(),
            source="csv",
            note=row.get("note"),
        )
        for row in rows
        if row["decision"]
    ]
    if not decisions:
        raise DecisionsError(
            f"{path.name} has no decision", got="only rows without one", wanted=f"one of {', '.join(ACTIONS)} in a row"
        )
    require_one_meaning(path, decisions)
    return decisions


def require_one_meaning(path: Path, decisions: Sequence[Decision]) -> None:
    """Refuse two different decisions about one listing."""
    meanings: dict[str, set[tuple[str, str | None]]] = {}
    for decision in decisions:
        meanings.setdefault(decision.id, set()).add((decision.action, decision.new_label))
    twofold = [id for id, different in meanings.items() if len(different) > 1]
    if twofold:
        raise DecisionsError(
            f"{path.name} decides on {many(len(twofold), 'listing')} in two ways",
            got=some(twofold),
            wanted="one row for a listing, or equal ones",
            fix="Keep the right one of each.",
        )


def _raw(path: Path, id_column: str) -> pd.DataFrame:
    likely = {name for ours in _COLUMNS for name in _names_of(ours, id_column)}
    try:
        return read_raw(path, names=likely | {name.replace("_", " ") for name in likely}).table
    except pd.errors.EmptyDataError:
        return pd.DataFrame()
    except (OSError, ValueError) as error:
        # pandas' own message may have a second line
        raise DecisionsError(
            f"{path.name} can't be read",
            got=str(error).splitlines()[0],
            wanted="a CSV or an Excel sheet with id, decision, new_label",
        ) from error


def _with_our_names(path: Path, raw: pd.DataFrame, id_column: str) -> pd.DataFrame:
    found = {ours: name for ours in _COLUMNS if (name := _find(raw, _names_of(ours, id_column))) is not None}
    table = raw[list(found.values())].set_axis(list(found), axis="columns")
    missing = [ours for ours in ("id", "decision") if ours not in found]
    if not missing and "new_label" not in found and (table["decision"].str.lower() == "relabel").any():
        missing = ["new_label"]
    if missing:
        raise DecisionsError(
            f"{path.name} has no column '{missing[0]}'",
            got=some(raw.columns, 12) or "an empty file",
            wanted="id, decision, new_label",
            fix=closest(missing[0], list(raw.columns)),
        )
    return table


def _names_of(ours: str, id_column: str) -> list[str]:
    own = (_normal(id_column),) if ours == "id" else ()
    return [ours, *_ALSO.get(ours, ()), *own]


def _find(raw: pd.DataFrame, names: Sequence[str]) -> str | None:
    """Return the column that has one of the names; the earlier name, and the exact one, goes first."""
    for name in names:
        for exact in (True, False):
            fitting = [own for own in raw.columns if (own if exact else _normal(own)) == name]
            if fitting:
                return str(fitting[0])
    return None


def _normal(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name).strip("_").lower()
