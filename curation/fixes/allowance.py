"""The share of bad rows that a cleaned dataset is read with."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from curation.listings.limits import ALLOW_BAD
from curation.run.folder import RunFolder
from training.utils.csv_files import restored_cells

__all__ = ["allowance_of"]


def allowance_of(run: RunFolder, listings: pd.DataFrame) -> float | None:
    """Return the share of bad rows with which find-issues reads a cleaned dataset as it read the input.

    Of fewer listings, the same bad ones are a larger share.

    Parameters
    ----------
    run : RunFolder
        The run.
    listings : DataFrame
        Those that are left: ``id`` and ``unreadable``.

    Returns
    -------
    float or None
        0 to 1: what the run was made with, or the next percent that lets all its bad rows in; None for the default.
    """
    asked = run.record().get("allow_bad")
    bad = listings["id"].isin(_bad_ids(run))
    if "unreadable" in listings:
        bad |= listings["unreadable"].notna()
    rows = max(len(listings), 1)
    if bad.sum() / rows <= (ALLOW_BAD if asked is None else asked):
        return asked
    return float(-(-100 * int(bad.sum()) // rows) / 100)


def _bad_ids(run: RunFolder) -> Collection[str]:
    """Return the listings with a bad cell, as the run noted them for people, who may have changed the file since."""
    try:
        problems = restored_cells(pd.read_csv(run.problems_file, dtype="string", keep_default_na=False))
        # a listing without a price is a listing
        return set(problems.loc[problems["column"] != "price", "id"])
    except (OSError, ValueError, LookupError):
        return ()
