"""Labels as they are used: one for each listing, spellings merged, and their place in a hierarchy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from curation.errors import ListingsError, closest, some
from curation.listings.faults import Faults
from curation.listings.label_lists import single_labels
from curation.listings.none_words import says_error, says_none
from curation.listings.twins import count_labels, find_twins, looks, spelt_out, twins_in_words
from curation.rendering.words import agree, many

__all__ = ["PARENT", "UNMERGED", "Labels", "Merged", "likely_separator", "settle_labels"]

#: Columns of the run's table: what is above the label in a hierarchy, and the label before it was merged.
PARENT = "label_parent"
UNMERGED = "unmerged_label"
#: What people write between the levels of a hierarchy.
_SEPARATORS = (">", "/", "|", "::", "»", "→", "\\", " - ", ":")


@dataclass(frozen=True)
class Merged:
    """A name of a class that was merged with another one.

    Attributes
    ----------
    old, new : str
        The names.
    listings : int
        How many had the old one.
    """

    old: str
    new: str
    listings: int


@dataclass(frozen=True)
class Labels:
    """The labels of a table, as they are used.

    Attributes
    ----------
    table : DataFrame
        With the labels that are used; also with ``unmerged_label`` if any was merged, and with ``label_parent`` if the
        labels are a hierarchy.
    merged : tuple of Merged
        By old name.
    notes : tuple of str
        What was done, and what may be one class.
    """

    table: pd.DataFrame
    merged: tuple[Merged, ...]
    notes: tuple[str, ...]


def settle_labels(
    table: pd.DataFrame,
    *,
    written: pd.Series,
    column: str,
    mapping: Mapping[str, str],
    merge: bool,
    separator: str | None,
    faults: Faults,
) -> Labels:
    """Settle which label each listing has.

    Parameters
    ----------
    table : DataFrame of str
        With ``label``.
    written : Series of str
        The same labels with the blanks around them, by the index of the table.
    column : str
        What the user's table calls it, for messages.
    mapping : mapping of str to str
        Old name of a class → its new name; an empty one if it stands for no label.
    merge : bool
        Whether names that are probably one class become their most frequent spelling; see
        :func:`curation.listings.twins.find_twins`.
    separator : str or None
        What stands between the levels of a hierarchy.
    faults : Faults
        Takes the fault that a listing has several labels.

    Raises
    ------
    ListingsError
        If a listing has several labels, `mapping` names a class that does not exist or is not one step, or no label
        holds `separator`.
    """
    seen = table["label"].mask(table["label"].isin([name for name in count_labels(table["label"]) if not looks(name)]))
    label, notes = single_labels(
        seen, column=column, named={*mapping, *mapping.values()}, separator=separator, faults=faults
    )
    given = label
    if label.notna().any():
        label = label.replace(_checked_mapping(mapping, count_labels(label)))
        # a name that the mapping calls nothing says that there is no label
        label = label.mask(label == "")
        notes = (*notes, *_placeholders(count_labels(label), mapping, separator))
    blank = (written != label) & (written.str.strip() == label)
    spelt = label.mask(blank.fillna(False).astype(bool), written)
    # names with blanks are spellings, too, though they are read without
    seen_twins = find_twins(count_labels(spelt))
    given = given.mask(spelt.isin([name for each in seen_twins for name in each.spellings]) & (spelt != label), spelt)
    twins = find_twins(count_labels(label))
    if merge:
        label = label.replace({other: each.name for each in twins for other in each.others})
    merged = _merged(given, label) if merge else _merged(given.str.strip(), label)
    if merged:
        table = table.assign(**{UNMERGED: given})
        notes = (*notes, _merged_in_words(merged))
    elif merge:
        notes = (*notes, "No two labels are spellings of one name, so nothing was merged.")
    if seen_twins and not merge:
        notes = (*notes, _twins_note(len(seen_twins), twins_in_words(seen_twins)))
    table = table.assign(label=label)
    if separator is not None:
        table = table.assign(**{PARENT: _parents(label, separator)})
    return Labels(table, merged, notes)


def _checked_mapping(mapping: Mapping[str, str], counts: Mapping[str, int]) -> dict[str, str]:
    """Return the mapping from names as the table has them."""
    by_look = {looks(name): name for name in counts}
    names = {old: old if old in counts else by_look.get(looks(old), "") for old in mapping}
    if unknown := sorted(old for old, name in names.items() if not name):
        near = closest(unknown[0], list(counts))
        raise ListingsError(
            f"[labels] names {agree(len(unknown), 'a label', 'labels')} that no listing has",
            got=some(map(repr, unknown)),
            wanted=some(sorted(counts)),
            fix=near or "Correct the name, or take the line out.",
        )
    for old, new in mapping.items():
        # a name that stays is written as it is: "Cables, adapters" = "Cables, adapters"
        if new in mapping and mapping[new] != new and new != old:
            raise ListingsError(
                "[labels] is not one step",
                got=f"{old!r} = {new!r} and {new!r} = {mapping[new]!r}",
                wanted="names on the right that stay as they are",
                fix=f"Write {old!r} = {mapping[new]!r}." if mapping[new] != old else "Take one of the two lines out.",
            )
    return {names[old]: new.strip() for old, new in mapping.items()}


def _placeholders(counts: Mapping[str, int], mapping: Mapping[str, str], separator: str | None) -> Iterator[str]:
    """Say which labels may stand for none, or end with a level that does."""
    last = {name: name.rpartition((separator or "").strip() or ">")[2] or name for name in counts}
    likely = [name for name in counts if (says_none(last[name]) or says_error(last[name])) and name not in mapping]
    if likely:
        listings = sum(counts[name] for name in likely)
        named = some(f"{name} ({counts[name]:,})" for name in likely)
        yield (
            f"{many(listings, 'listing')} {agree(listings, 'has', 'have')} a label that may stand for none: {named}. "
            f'If so, write "{likely[0]}" = "" below [labels] in the dataset.toml beside the table, and name the '
            "folder as the dataset; otherwise it is a class."
        )


def _merged(given: pd.Series, label: pd.Series) -> tuple[Merged, ...]:
    changed = (given != label).fillna(False)
    counts = Counter(zip(given[changed], label[changed], strict=True))
    return tuple(Merged(old, new, count) for (old, new), count in sorted(counts.items()))


def _merged_in_words(merged: tuple[Merged, ...]) -> str:
    most = sorted(merged, key=lambda each: (-each.listings, each.old))
    named = some(f"{spelt_out(each.old)} → {spelt_out(each.new)} ({each.listings:,})" for each in most)
    listings = sum(each.listings for each in merged)
    return f"Labels merged: {named}; {many(listings, 'listing')} in all."


def _twins_note(count: int, named: str) -> str:
    classes = f"{many(count, 'class', 'classes')} {agree(count, 'is', 'are')}"
    return (
        f"{classes} probably written in several ways: {named}. Merge them with `merge_labels=True`; until then they "
        "count as one class where labels are judged, and none is suggested for another."
    )


def _parents(label: pd.Series, separator: str) -> pd.Series:
    """Return what is above each label; NA at the top."""
    sign = separator.strip()
    if not sign:
        raise ListingsError(
            "`label_separator` is blank", got=repr(separator), wanted="e.g. '>'", parameter="label_separator"
        )
    parents = label.str.rpartition(sign)[0].str.strip()
    parents = parents.mask(parents == "").astype("string")
    if label.notna().any() and parents.isna().all():
        classes = sorted(label.dropna().unique())
        likely = likely_separator(classes)
        raise ListingsError(
            "no label holds the separator",
            got=repr(separator),
            wanted=f"what stands between the levels of labels such as {some(map(repr, classes), 3)}",
            fix=f"Try `label_separator={likely[0]!r}`." if likely else "Leave `label_separator` out.",
            parameter="label_separator",
        )
    return parents


def likely_separator(classes: Iterable[str]) -> tuple[str, int] | None:
    """Return what stands between the levels of most classes, and in how many; None if they are no hierarchy.

    Examples
    --------
    >>> likely_separator(["Games > Consoles", "Games > Video games", "Phones"])
    ('>', 2)
    >>> likely_separator(["TV/Video", "Phones", "Laptops"])
    """
    names = list(classes)
    for separator in _SEPARATORS:
        above = [name.rpartition(separator)[0].strip() for name in names if name.rpartition(separator)[2].strip()]
        above = [parent for parent in above if parent]
        # a hierarchy has at least two classes below one
        if 2 * len(above) > len(names) and len(set(above)) < len(above):
            return separator.strip(), len(above)
    return None
