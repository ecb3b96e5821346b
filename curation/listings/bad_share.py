"""How much of a table may be bad."""

from __future__ import annotations

import pandas as pd

from curation.errors import ListingsError
from curation.listings.checks import MISSING
from curation.listings.limits import Limits, enough
from curation.listings.sources import Source
from curation.rendering.problems import problem_lines
from curation.rendering.words import agree, many

__all__ = ["check_share"]


def check_share(problems: pd.DataFrame, rows: int, limits: Limits, title: str, origin: Source, fits: str = "") -> None:
    """Refuse a table of too many bad rows.

    Parameters
    ----------
    problems : DataFrame
        Its bad cells, see :class:`curation.listings.Listings`.
    rows : int
        How many rows it has.
    limits : Limits
        How many of them may be bad.
    title : str
        What the table is called.
    origin : Source
        Where it comes from.
    fits : str
        Which files the name of a photo fits, where it fits several.

    Raises
    ------
    ListingsError
    """
    # a listing without a price is a listing
    counted = problems[problems["column"] != "price"]
    bad = counted["row"].nunique()
    if limits.allow(bad, rows):
        return
    gone = counted[counted["why"] == MISSING]
    root = "pass the folder of the photos as root, " if len(gone) and origin.in_memory else ""
    none = gone["row"].nunique() == rows
    accept = f", or accept the rows as they are with `allow_bad={enough(bad, rows)}`"
    raise ListingsError(
        f"{title}: {bad} of {many(rows, 'row')} {agree(bad, 'is', 'are')} bad",
        got=next(problem_lines(counted.sort_values("why", key=lambda why: -why.map(why.value_counts()), kind="stable")))
        + (f"; {fits}" if fits else "")
        + (f"; photos were looked for in {origin.root}" if len(gone) else ""),
        wanted="photos at these paths, or with these names alone in that folder or right below it"
        if none
        else f"at most {limits.allow_bad:.0%} bad rows",
        fix=f"Correct the table, {root}{'or ' if none else ''}map the right columns with `columns`"
        f"{'' if none else accept}.",
        problems=problems,
    )
