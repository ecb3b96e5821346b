"""What a review loads of a run: the listings most worth a look, and those with decisions."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from curation.errors import InputError, check_range
from curation.rendering.words import many
from curation.review.card import cards_of
from curation.review.journal_state import standing_of
from curation.run.folder import RunFolder
from curation.run.journal import Decision

__all__ = ["TOP", "chosen_top", "has_left", "loaded_of", "said_of_rest"]

#: Listings that a review loads unless it is told otherwise: more than a person decides on in a day.
TOP = 5000
#: Reposts of a listing that come with it: a photo of a catalogue may be in thousands.
_REPOSTS = 40


def chosen_top(top: int | None, *, all: bool) -> int | None:
    """Return how many listings to load; None for all.

    Parameters
    ----------
    top : int or None
        As a person said, 1 or more; None for the usual number.
    all : bool
        Whether to load all.

    Raises
    ------
    InputError
        If both are given, or `top` is no such number.
    """
    if all and top is not None:
        raise InputError("`top` has no effect with `all`", fix="Leave one of them out.", parameter="top")
    check_range("top", "number of listings", top, 1, math.inf)
    return None if all else TOP if top is None else top


def loaded_of(run: RunFolder, top: int | None, line: int) -> frozenset[str] | None:
    """Return the listings that a review loads; None for all.

    These are the most urgent ones that were left, those with a decision, and the reposts of either. The same arguments
    give the same listings, whatever was decided since.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    top : int or None
        How many of those left; None for all.
    line : int
        Number of the journal's last line by then.
    """
    return _loaded(run, top, line, run.issues_file.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _loaded(run: RunFolder, top: int | None, line: int, _changed: int) -> frozenset[str] | None:
    cards = cards_of(run)
    if top is None or len(cards.ids) <= top:
        return None
    entries = run.read_journal().entries if line else ()
    said = (entry.content for entry in entries if entry.number <= line)
    decided = {each.id for each in said if isinstance(each, Decision) and each.id in cards}
    # the flagged ones come first, each part by its urgency
    by_urgency = (cards.ids[row] for row in np.argsort(~cards.flagged, kind="stable").tolist())
    chosen = list(decided)
    for id in by_urgency:
        if len(chosen) == len(decided) + top:
            break
        if id not in decided:
            chosen.append(id)
    return frozenset(chosen).union(*(cards.reposts(id)[:_REPOSTS] for id in chosen))


def has_left(run: RunFolder, loaded: frozenset[str] | None) -> bool:
    """Return whether anything that was loaded is left to decide on, or nothing else is.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    loaded : frozenset of str or None
        Of :func:`loaded_of`.
    """
    if loaded is None:
        return True
    holding = standing_of(run).holding
    left = [id for id in cards_of(run).queue if id not in holding]
    return not left or any(id in loaded for id in left)


def said_of_rest(shown: int, every: int, what: str = "listing", again: str = "review(all=True)") -> tuple[str, ...]:
    """Say how many listings are not loaded, and how they are.

    Parameters
    ----------
    shown, every : int
        How many are, of how many.
    what : str
        What these are called.
    again : str
        The call that loads all.
    """
    if shown >= every:
        return ()
    return (
        f"The most urgent are loaded: {shown:,} of {many(every, what)}. The next review loads more once these are "
        f"decided; `{again}` loads all.",
    )
