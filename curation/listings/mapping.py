"""The columns of a table under our names: as the user maps them, and as they are recognised."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from curation.errors import ListingsError, closest, short_repr, some
from curation.listings.decoding import other_encoding
from curation.listings.faults import Faults
from curation.listings.headers import NAMELESS, NAMELESS_INDEX, are_row_numbers, normal_name
from curation.listings.hints import no_header, other_delimiter, said_of_choices, said_of_hints, said_of_one_hot
from curation.listings.money_columns import money_first, said_of_money
from curation.listings.recognise import recognise
from curation.listings.sources import COLUMNS, RUN_COLUMNS
from curation.rendering.words import agree

__all__ = ["Mapped", "map_columns"]


#: Share of the rows without an id beyond which a column holds no ids.
_HOLLOW = 0.5
#: Words in names of columns that hold other labels than the given ones.
_NOT_GIVEN = frozenset({"true", "truth", "gold", "correct", "corrected", "suggested", "predicted"})


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
    missing : tuple of str
        Columns of ours that must be there and are not; they are empty here.
    """

    table: pd.DataFrame
    columns: dict[str, str]
    notes: tuple[str, ...]
    missing: tuple[str, ...]


def map_columns(
    raw: pd.DataFrame,
    given: Mapping[str, str],
    needed: Sequence[str],
    faults: Faults,
    inside: Callable[[], ListingsError | None] = lambda: None,
    uncalculated: Collection[str] = (),
    names_photos: Callable[[pd.Series], bool] = lambda _: False,
    naming: Callable[[pd.Series], str] = lambda _: "",
    encoding: str = "",
) -> Mapped:
    """Give the columns of a raw table our names.

    Parameters
    ----------
    raw : DataFrame of str
        The table.
    given : mapping of str to str
        Our column name → the table's own; an empty one says that the table's is not to be used.
    needed : sequence of str
        Columns of ours that must be there.
    faults : Faults
        Takes the fault that columns are missing: all of them at once.
    inside : callable
        Returns what is wrong where no photo is named at all, such as pictures inside a workbook; None if nothing is.
    uncalculated : collection of str
        Columns that look empty because they have formulas without a stored value.
    names_photos : callable
        Whether the cells of a column are the names of photos in the dataset's folder, with or without their endings.
    naming : callable
        Returns how photos in the dataset's folder seem to be named by a column of ids; empty if they don't.
    encoding : str
        The encoding that was guessed of the file; empty if none was.

    Raises
    ------
    ListingsError
        If an unknown column is mapped, no photo is named, or columns are missing: all of them at once.
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
    unused = {ours for ours, theirs in given.items() if not theirs}
    if both := unused.intersection(needed):
        raise ListingsError(
            f"{min(both)} can't be left out",
            got=f"no name for {min(both)}",
            wanted="the name of the table's column",
            parameter="columns",
        )
    named = {ours: theirs for ours, theirs in given.items() if theirs}
    recognised = recognise(raw, named, unused)
    columns = {**named, **recognised.columns}
    notes = list[str]()
    found = dict(recognised.columns)
    if "id" in needed and "id" not in {*columns, *raw} and (first := _nameless_ids(raw, columns)):
        columns["id"] = first
        sample = short_repr(raw[first].iloc[0])
        notes.append(
            f"The first column has no name, and its values are all different, e.g. {sample}: they are the ids."
        )
    ids = columns.get("id", "id")
    photos = columns.get("image", "image")
    unnamed = photos not in raw or (photos not in uncalculated and raw[photos].isna().all())
    # pictures in a workbook may be others than those beside it
    if "image" in needed and "image" not in recognised.doubtful and unnamed and inside() is None:
        named_by = _naming_photos(raw, ids, set(columns.values()), names_photos)
        if "image" not in named and named_by:
            columns["image"] = named_by
            notes.append(f"No column of photos: their names, which may lack endings, are in {named_by}.")
    hollow = ids in raw and ids not in uncalculated and _is_hollow(raw, ids, columns.get("image", "image"))
    if "id" in needed and "id" not in named and (ids not in raw or hollow) and _names_every_row(raw, columns):
        # listings of one photo each, as most tables of photos are
        columns["id"] = columns.get("image", "image")
        found.pop("id", None)
        why = f"Most listings have no {ids}" if ids in raw else "No column of ids"
        notes.append(f"{why}: the names in {columns['id']} are the ids.")
    notes[:0] = _said_of_recognised(found, recognised.by_content)
    missing = [ours for ours in COLUMNS if columns.get(ours, ours) not in raw and (ours in needed or ours in named)]
    images = columns.get("image", "image")
    unnamed = "image" in needed and (images not in raw or raw[images].isna().all())
    if (unnamed and (fault := inside())) or (
        missing and (fault := other_delimiter(raw) or no_header(list(raw.columns)))
    ):
        faults.add(fault)
    elif missing:
        by_ids = naming(raw[ids]) if "image" in missing and ids in raw and "image" not in named else ""
        garbled = bool(encoding) and not all(map(str.isascii, raw.columns))
        step = other_encoding(encoding) if garbled else ""
        faults.add(_missing(raw, missing, columns, recognised.doubtful, by_ids, step))
    table = _renamed(raw, columns, unused)
    for ours, names in recognised.doubtful.items():
        notes.append(f"No {ours} is used: {' and '.join(names)} are equally likely. Choose one with `columns`.")
    notes += _unused_columns(raw, columns, unused.union(recognised.doubtful))
    notes += said_of_money(raw, columns.get("price", "price"), recognised="price" in recognised.columns)
    notes += said_of_hints(raw, columns, unused)
    return Mapped(table, {**columns, **dict.fromkeys(unused, "")}, tuple(notes), tuple(missing))


def _said_of_recognised(found: Mapping[str, str], by_content: Collection[str]) -> Iterator[str]:
    for how, which in (("their names", set(found) - set(by_content)), ("what they hold", set(found) & set(by_content))):
        if which:
            columns = {ours: theirs for ours, theirs in found.items() if ours in which}
            yield f"Columns recognised by {how}: `columns={columns!r}`"


def _naming_photos(
    raw: pd.DataFrame, ids: str, taken: Collection[str], names_photos: Callable[[pd.Series], bool]
) -> str:
    """Return the column that names a photo for each row: that of the ids, or the only other one; empty if none does."""
    if ids in raw and names_photos(raw[ids]):
        return ids
    others = [name for name in raw.columns if name not in taken and raw[name].notna().all() and raw[name].is_unique]
    fitting = [name for name in others if names_photos(raw[name])]
    return fitting[0] if len(fitting) == 1 else ""


def _names_every_row(raw: pd.DataFrame, columns: Mapping[str, str]) -> bool:
    images = raw.get(columns.get("image", "image"))
    return images is not None and bool(images.notna().all()) and images.is_unique


def _nameless_ids(raw: pd.DataFrame, columns: Mapping[str, str]) -> str:
    """Return the first column if it has no name and holds ids; empty otherwise."""
    first = next((name for name in raw.columns if name in (NAMELESS, NAMELESS_INDEX)), "")
    if not first or first in columns.values() or first not in (raw.columns[0], NAMELESS_INDEX):
        return ""
    cells = raw[first]
    return first if cells.notna().all() and cells.is_unique and not are_row_numbers(cells) else ""


def _is_hollow(raw: pd.DataFrame, ids: str, image: str) -> bool:
    """Return whether most listings have no id; a row that has nothing but a photo is none."""
    others = raw.drop(columns=[name for name in (ids, image) if name in raw])
    return bool(raw.loc[others.notna().any(axis=1), ids].isna().mean() > _HOLLOW)


def _unused_columns(raw: pd.DataFrame, columns: Mapping[str, str], settled: Collection[str]) -> Iterator[str]:
    """Say which columns are there for a price or a title that the table seems to lack."""
    used = {columns.get(ours, ours) for ours in COLUMNS}
    others = [name for name in raw.columns if name not in used and raw[name].notna().any()]
    lacking = [ours for ours in ("price", "title") if columns.get(ours, ours) not in raw and ours not in settled]
    if others and lacking:
        example = {ours: "NAME" for ours in lacking}
        others = money_first(others) if "price" in lacking else others
        yield (
            f"No {' and no '.join(lacking)} is used; other columns are {some(others, 8)}. "
            f"Map {agree(len(lacking), 'it', 'them')} with `columns={example!r}` if one is there."
        )


def _missing(
    raw: pd.DataFrame,
    missing: Sequence[str],
    columns: Mapping[str, str],
    doubtful: Mapping[str, Sequence[str]],
    by_ids: str,
    step: str,
) -> ListingsError:
    wanted = [f"'{columns.get(ours, ours)}'" for ours in missing]
    likely = [f"{ours} may be {' or '.join(doubtful[ours])}" for ours in missing if ours in doubtful]
    likely += [by_ids] if by_ids else []
    likely += [chosen] if "label" in missing and (chosen := said_of_choices(raw)) else []
    likely += [one_hot] if "label" in missing and (one_hot := said_of_one_hot(raw)) else []
    names = [str(name) for name in raw.columns if not _NOT_GIVEN & set(normal_name(str(name)).split("_"))]
    near = closest(columns.get(missing[0], missing[0]), names) if len(missing) == 1 and not likely else ""
    example = {ours: "NAME" for ours in missing}
    map_it = f"Map {agree(len(missing), 'it', 'them')} with `columns={example!r}`."
    return ListingsError(
        f"the table has no {agree(len(missing), 'column', 'columns')} {' and '.join(wanted)}",
        got=some(raw.columns, 12),
        wanted=", ".join(
            f"{name} (mapped to {ours})" if (name := columns.get(ours, ours)) != ours else ours for ours in missing
        ),
        fix=f"{step} " * bool(step) + ". ".join([*likely, f"{near} {map_it}".strip()]),
        parameter="columns",
    )


def _renamed(raw: pd.DataFrame, columns: Mapping[str, str], unused: Collection[str]) -> pd.DataFrame:
    empty = pd.Series(pd.NA, index=raw.index, dtype="string")
    names = {ours: columns.get(ours, ours) for ours in COLUMNS if ours not in unused}
    table = pd.DataFrame({ours: raw[names[ours]] if names.get(ours) in raw else empty for ours in COLUMNS})
    used = set(names.values())
    for theirs in raw.columns:
        if theirs not in used:
            # e.g. the table's own `label` if `label_2` is mapped to it, or a desk's `width`
            table[f"input_{theirs}" if theirs in (*COLUMNS, *RUN_COLUMNS) else theirs] = raw[theirs]
    return table
