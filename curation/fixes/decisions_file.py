"""Decisions that a person made in a file: a CSV or a sheet, as a spreadsheet leaves it."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from curation.errors import DecisionsError, closest, some
from curation.listings.editing import numbers_of
from curation.listings.price_cells import Decimal
from curation.listings.repeated_headers import header_rows
from curation.listings.tables import read_raw
from curation.rendering.words import many
from curation.run.journal import ACTIONS, NOTE, PRICED, Decision
from curation.run.new_values import check_note, price_cells
from training.utils.csv_files import restored_cells
from training.utils.files import require_regular
from training.utils.formulas import is_formula
from training.utils.units import now

__all__ = ["read_decisions"]

_COLUMNS = ("id", "decision", "new_label", "new_price", "new_class", "reviewer", "time", "note")
#: What people write in the column `new_class`.
_YES, _NO = ("yes", "true", "1", "x", "y"), ("", "no", "false", "0", "n")
#: What a column may be called instead.
_ALSO = {"decision": ("action",)}
#: Beside our columns: whether the new price is a number of a sheet or of JSON, not a text.
_EXACT = "is a number"
#: What only a ``changes.csv`` of apply-fixes has.
_CHANGES = {"id", "action", "old_label", "new_label", "old_price", "new_price", "source"}


def read_decisions(
    path: Path,
    *,
    reviewer: str,
    id_column: str = "id",
    currency: str | None = None,
    decimal: Decimal = ".",
    three_decimals: bool = False,
) -> list[Decision]:
    """Read decisions from a table with ``id``, ``decision`` and, where needed, ``new_label`` and ``new_price``.

    ``new_class`` (yes, where ``new_label`` is to be a new class), ``reviewer``, ``time`` and ``note`` are optional.
    Rows without a decision are skipped, unless they have a note: it is taken as one, which decides nothing. Any table
    file is read that :func:`curation.listings.tables.read_raw` knows; capitals and blanks in the names of columns don't
    matter.

    Parameters
    ----------
    path : Path
        The file.
    reviewer : str
        Who decided, where the file does not say so.
    id_column : str
        What the dataset's own table calls the id: it is accepted, too.
    currency : str, optional
        Of the dataset's prices.
    decimal : str
        What marks the decimals of the dataset's prices.
    three_decimals : bool
        Whether prices such as 1.299 are usual in the dataset.

    Raises
    ------
    DecisionsError
        If the file can't be read, lacks a column, decides nothing, says two things about one listing, has two
        columns of one meaning that differ, a price that is none, a note that is too long, or a label or price that
        nothing becomes of, e.g. one in a row without a decision.
    """
    require_regular(path, "the decisions")
    if not path.is_file():
        raise DecisionsError("no decisions file", got=str(path), wanted="a CSV with id, decision, new_label")
    raw, exact = _raw(path, id_column)
    table = _as_meant(_with_our_names(path, raw, id_column))
    if set(raw.columns) >= _CHANGES:
        # apply-fixes wrote it, with prices as programs write them
        table, decimal = _without_merges(table), "."
    table = table.assign(**{_EXACT: exact.reindex(table.index)})
    every = table.astype(object).where(table.notna(), None).to_dict("records")
    _refuse_undecided(path, [row for row in every if not row["decision"]])
    rows = [
        {**row, "decision": (row["decision"] or NOTE).lower()} for row in every if row["decision"] or row.get("note")
    ]
    _refuse_idle_labels(path, rows)
    prices = _new_prices(path, rows, currency, decimal, three_decimals=three_decimals)
    decisions = [
        Decision(
            id=row["id"] or "",
            action=row["decision"],
            new_label=row.get("new_label") or None,
            reviewer=row.get("reviewer") or reviewer,
            time=row.get("time") or now(),
            source="csv",
            note=check_note(row.get("note"), row["id"] or ""),
            new_price=prices.get(place),
            new_class=row["decision"] == "relabel" and _says_yes(path, row),
        )
        for place, row in enumerate(rows)
    ]
    if all(decision.action == NOTE for decision in decisions):
        raise DecisionsError(
            f"{path.name} has no decision", got="only rows without one", wanted=f"one of {', '.join(ACTIONS)} in a row"
        )
    require_one_meaning(path, decisions)
    return decisions


def _as_meant(table: pd.DataFrame) -> pd.DataFrame:
    """Return the cells without the apostrophes that our files have before what a spreadsheet takes for formulas."""
    names = [name for name in ("id", "new_label") if name in table]
    # our files have one before each of them; in another file, an apostrophe may be part of a name
    theirs = table[names].map(lambda cell: isinstance(cell, str) and is_formula(cell)).to_numpy().any()
    return table if theirs else restored_cells(table)


def _without_merges(changes: pd.DataFrame) -> pd.DataFrame:
    """Return changes as decisions: that a label became another name of its class is none, but a price beside it is."""
    merged = changes["decision"] == "merge"
    changes = changes.assign(
        decision=changes["decision"].mask(merged, "reprice"), new_label=changes["new_label"].mask(merged)
    )
    return changes[~merged | changes["new_price"].notna()]


def _refuse_undecided(path: Path, rows: Sequence[Mapping[Hashable, Any]]) -> None:
    """Refuse rows that say what a listing should become, but not that it should."""
    lost = {row["id"]: value for row in rows if (value := _new_value(path, row))}
    if lost:
        raise DecisionsError(
            f"{path.name} has {many(len(lost), 'row')} with a new value and no decision",
            got=some(f"{id or 'no id'}: {value}" for id, value in lost.items()),
            wanted=f"one of {', '.join(ACTIONS)} in the column decision",
            fix="Write relabel beside a new_label, and reprice beside a new_price alone; otherwise empty the cell.",
        )


def _new_value(path: Path, row: Mapping[Hashable, Any]) -> str:
    names = [name for name in ("new_label", "new_price") if row.get(name)]
    names += ["new_class"] if _says_yes(path, row) else []
    return ", ".join(f"{name} {row[name]!r}" for name in names)


def _refuse_idle_labels(path: Path, rows: Sequence[Mapping[Hashable, Any]]) -> None:
    idle = [row for row in rows if row.get("new_label") and row["decision"] in set(ACTIONS) - {"relabel"}]
    if idle:
        raise DecisionsError(
            f"{path.name} has {many(len(idle), 'new label')} that nothing would become of",
            got=some(f"{row['id']}: {row['decision']} with {row['new_label']!r}" for row in idle),
            wanted="new_label beside relabel only",
            fix="Write relabel to change a label; a new_price may stand beside it. Otherwise empty the cell.",
        )


def _new_prices(
    path: Path,
    rows: Sequence[Mapping[Hashable, Any]],
    currency: str | None,
    decimal: Decimal,
    *,
    three_decimals: bool,
) -> dict[int, float]:
    """Return the new price of each row that has one, by its place."""
    cells = {place: text for place, row in enumerate(rows) if (text := row.get("new_price"))}
    unpriced = set(ACTIONS) - set(PRICED)
    idle = [rows[place] for place in cells if rows[place]["decision"] in unpriced]
    if idle:
        raise DecisionsError(
            f"{path.name} has {many(len(idle), 'new price')} that nothing would become of",
            got=some(f"{row['id']}: {row['decision']} with {row['new_price']!r}" for row in idle),
            wanted=f"new_price beside {', '.join(PRICED)} only",
            fix="Write reprice to change a price; otherwise empty the cell.",
        )
    bare = [row["id"] for place, row in enumerate(rows) if row["decision"] == "reprice" and place not in cells]
    if bare:
        raise DecisionsError(
            f"{path.name} reprices {many(len(bare), 'listing')} without a price",
            got=f"no new_price for {some(bare)}",
            wanted="a price in the column new_price, e.g. 12.50",
        )
    ids = {place: rows[place]["id"] for place in cells}
    # a number of a sheet or of JSON means only one thing
    exact = {place: text for place, text in cells.items() if rows[place][_EXACT]}
    others = {place: text for place, text in cells.items() if place not in exact}
    return price_cells(exact, currency, ids, decimal=".", three_decimals=True) | price_cells(
        others, currency, ids, decimal=decimal, three_decimals=three_decimals
    )


def _says_yes(path: Path, row: Mapping[Hashable, Any]) -> bool:
    word = (row.get("new_class") or "").lower()
    if word not in (*_YES, *_NO):
        raise DecisionsError(
            f"{path.name} has an unknown answer in the column new_class",
            got=f"{row['new_class']!r} for listing {row['id']}",
            wanted="yes, or nothing",
        )
    return word in _YES


def require_one_meaning(path: Path, decisions: Sequence[Decision]) -> None:
    """Refuse two different decisions about one listing."""
    meanings: dict[str, set[tuple[str, str | None, float | None]]] = {}
    for decision in decisions:
        if decision.action != NOTE:
            meanings.setdefault(decision.id, set()).add(decision.meaning)
    twofold = [id for id, different in meanings.items() if len(different) > 1]
    if twofold:
        raise DecisionsError(
            f"{path.name} decides on {many(len(twofold), 'listing')} in two ways",
            got=some(twofold),
            wanted="one row for a listing, or equal ones",
            fix="Keep the right one of each; a relabel may have a new_price, too.",
        )


def _raw(path: Path, id_column: str) -> tuple[pd.DataFrame, pd.Series]:
    """Return the table without headers that stand there again, and in which rows the new price is a number."""
    likely = {name for ours in _COLUMNS for name in _names_of(ours, id_column)}
    try:
        raw = read_raw(path, names=likely | {name.replace("_", " ") for name in likely})
    except pd.errors.EmptyDataError:
        return pd.DataFrame(), pd.Series(dtype=bool)
    except (OSError, ValueError) as error:
        # pandas' own message may have a second line
        raise DecisionsError(
            f"{path.name} can't be read",
            got=str(error).splitlines()[0],
            wanted="a CSV or an Excel sheet with id, decision, new_label",
        ) from error
    table = raw.table.drop(header_rows(raw.table, ()))
    price = _find(path, table, _names_of("new_price", id_column))
    numbers = [numbers_of(file, price or "") for file in raw.files]
    return table, pd.concat(numbers).set_axis(raw.table.index)


def _with_our_names(path: Path, raw: pd.DataFrame, id_column: str) -> pd.DataFrame:
    found = {ours: name for ours in _COLUMNS if (name := _find(path, raw, _names_of(ours, id_column))) is not None}
    table = raw[list(found.values())].set_axis(list(found), axis="columns")
    missing = [ours for ours in ("id", "decision") if ours not in found]
    if not missing and "new_label" not in found and (table["decision"].str.lower() == "relabel").any():
        missing = ["new_label"]
    if missing:
        raise DecisionsError(
            f"{path.name} has no column '{missing[0]}'",
            got=some(raw.columns, 12) or "an empty file",
            wanted=", ".join(" or ".join(_names_of(ours, id_column)) for ours in ("id", "decision", "new_label")),
            fix=closest(missing[0], list(raw.columns)) or f"Call the column that has it {missing[0]}.",
        )
    return table


def _names_of(ours: str, id_column: str) -> list[str]:
    own = (_normal(id_column),) if ours == "id" else ()
    return list(dict.fromkeys([ours, *_ALSO.get(ours, ()), *own]))


def _find(path: Path, raw: pd.DataFrame, names: Sequence[str]) -> str | None:
    """Return the column that has one of the names; of several that say the same, the first."""
    fitting = [str(own) for own in raw.columns if own in names or _normal(own) in names]
    differing = [own for own in fitting[1:] if not raw[own].fillna("").equals(raw[fitting[0]].fillna(""))]
    if differing:
        raise DecisionsError(
            f"{path.name} has two columns for {names[0]} that differ",
            got=f"{fitting[0]!r} and {differing[0]!r}",
            wanted="one of them",
            fix="Remove or rename the other one.",
        )
    return fitting[0] if fitting else None


def _normal(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name).strip("_").lower()
