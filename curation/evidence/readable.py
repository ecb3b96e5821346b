"""Whether enough photos of a dataset can be read, and which can't."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from curation.errors import ListingsError, some
from curation.listings import Listings
from curation.listings.limits import enough
from curation.run.folder import RunFolder
from training.images import PhotoFacts
from training.utils.csv_files import write_csv

__all__ = ["require_readable"]

_BAD = "can't be read: "
_REASONS = 3
_EXAMPLES = 2


def require_readable(
    run: RunFolder, listings: Listings, facts: Sequence[PhotoFacts], rows: pd.Index, *, among: int | None = None
) -> None:
    """Refuse listings of which too many photos can't be read; each of them is in ``problems.csv`` of the run then.

    Parameters
    ----------
    run : RunFolder
        Gets the file, which keeps it from being thrown away.
    listings : Listings
        N listings.
    facts : sequence of PhotoFacts, length N
        Of their photos.
    rows : Index, length N
        Their numbers, as a person counts the rows of the table; with several tables also which of them, as text.

    among : int, optional
        Of how many listings the unreadable ones are a share, if not only of these.

    Raises
    ------
    ListingsError
    """
    whole = len(facts) if among is None else among
    bad = np.array([fact.error is not None for fact in facts])
    if listings.limits.allow(int(bad.sum()), whole):
        return
    table = listings.table[["id", "image"]].astype("string").fillna("")
    why = [f"{_BAD}{fact.error}" for fact in facts]
    unreadable = pd.DataFrame({"row": rows, "id": table["id"], "column": "image", "value": table["image"], "why": why})
    unreadable = unreadable[bad]
    # what was bad in the table itself is there already
    known = listings.problems[listings.problems["column"] == "image"]["row"]
    problems = pd.concat([listings.problems, unreadable[~unreadable["row"].isin(known)]], ignore_index=True)
    problems = problems.sort_values(["row", "column"], ignore_index=True)
    write_csv(run.problems_file, problems)
    raise ListingsError(
        f"{bad.sum():,} of {whole:,} photos can't be read",
        got=f"{_reasons(unreadable)}; all are in {run.problems_file}",
        wanted=f"at most {listings.limits.allow_bad:.0%}",
        fix="Check that the image column names the photos of this table, or accept that these have none with "
        f"`allow_bad={enough(int(bad.sum()), whole)}`.",
        problems=problems,
    )


def _reasons(unreadable: pd.DataFrame) -> str:
    """Return the most frequent reasons, each with how many photos have it and the names of some."""
    names = unreadable["value"].where(unreadable["value"] != "", "listing " + unreadable["id"])
    groups = sorted(names.groupby(unreadable["why"]), key=lambda group: (-len(group[1]), group[0]))
    said = [f"{why.removeprefix(_BAD)} in {len(photos):,} ({some(photos, _EXAMPLES)})" for why, photos in groups]
    return some(said, _REASONS)
