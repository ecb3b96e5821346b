"""The columns of a table under our names: as the user maps them, and as they are recognised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from curation.errors import ListingsError, closest, some
from curation.listings.recognise import recognise
from curation.listings.sources import COLUMNS, RUN_COLUMNS
from curation.rendering.words import agree

__all__ = ["Mapped", "map_columns"]


@dataclass(frozen=True)
class Mapped:
    """A raw table with our column names.

    Attributes
    ----------
    table : DataFrame of str
        Our columns, and then the table's others.
    columns : dict of str to str
        Our column name → the table's own, where they differ.
    notes : tuple of str
        Which columns were recognised, and which could not be told apart.
    """

    table: pd.DataFrame
    columns: dict[str, str]
    notes: tuple[str, ...]


def map_columns(raw: pd.DataFrame, given: Mapping[str, str], needed: Sequence[str]) -> Mapped:
    """Give the columns of a raw table our names.

    Parameters
    ----------
    raw : DataFrame of str
        The table.
    given : mapping of str to str
        Our column name → the table's own.
    needed : sequence of str
        Columns of ours that must be there.

    Raises
    ------
    ListingsError
        If an unknown column is mapped, or columns are missing: all of them at once.
    """
    unknown = sorted(set(given) - set(COLUMNS))
    if unknown:
        raise ListingsError(
            "an unknown column is mapped",
            got=some(unknown),
            wanted=", ".join(COLUMNS),
            fix=closest(unknown[0], COLUMNS),
            parameter="columns",
        )
    recognised = recognise(raw, given)
    columns = {**given, **recognised.columns}
    missing = [ours for ours in COLUMNS if columns.get(ours, ours) not in raw and (ours in needed or ours in given)]
    if missing:
        raise _missing(raw, missing, columns, recognised.doubtful)
    notes = []
    if recognised.columns:
        notes.append(f"Columns recognised by their names: `columns={recognised.columns!r}`")
    for ours, names in recognised.doubtful.items():
        notes.append(f"No {ours} is used: {' and '.join(names)} are equally likely. Choose one with `columns`.")
    return Mapped(_renamed(raw, columns), columns, tuple(notes))


def _missing(
    raw: pd.DataFrame, missing: Sequence[str], columns: Mapping[str, str], doubtful: Mapping[str, Sequence[str]]
) -> ListingsError:
    wanted = [f"'{columns.get(ours, ours)}'" for ours in missing]
    likely = [f"{ours} may be {' or '.join(doubtful[ours])}" for ours in missing if ours in doubtful]
    near = closest(columns.get(missing[0], missing[0]), list(raw.columns)) if len(missing) == 1 and not likely else ""
    example = {ours: "NAME" for ours in missing}
    return ListingsError(
        f"the table has no {agree(len(missing), 'column', 'columns')} {' and '.join(wanted)}",
        got=some(raw.columns, 12),
        wanted=", ".join(
            f"{name} (mapped to {ours})" if (name := columns.get(ours, ours)) != ours else ours for ours in missing
        ),
        fix=". ".join([*likely, near or f"Map {agree(len(missing), 'it', 'them')} with `columns={example!r}`."]),
        parameter="columns",
    )


def _renamed(raw: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    empty = pd.Series(pd.NA, index=raw.index, dtype="string")
    table = pd.DataFrame({ours: raw.get(columns.get(ours, ours), empty) for ours in COLUMNS})
    used = {columns.get(ours, ours) for ours in COLUMNS}
    for theirs in raw.columns:
        if theirs not in used:
            # e.g. the table's own `label` if `label_2` is mapped to it, or a desk's `width`
            table[f"input_{theirs}" if theirs in (*COLUMNS, *RUN_COLUMNS) else theirs] = raw[theirs]
    return table
