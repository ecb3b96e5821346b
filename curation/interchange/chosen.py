"""Which listings an export has, and with which labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from curation.errors import InputError, RunError
from curation.fixes.edits import labels_after
from curation.listings.tables import read_raw
from curation.run.damaged import readable
from curation.run.flags import is_flagged
from curation.run.folder import RunFolder
from curation.run.manifests import call_again
from training.utils.csv_files import restored_cells

__all__ = ["OF_LABELS", "labelled", "rows_of", "to_review"]

#: What an export says of its labels: of those of the cleaned dataset, and of others.
OF_LABELS = {
    True: "Labels are those of the cleaned dataset.",
    False: "Labels are the given ones: nothing was applied yet. For corrected ones, call `apply_fixes()` first.",
}


def to_review(run: RunFolder, top: int | None, *, all: bool) -> pd.DataFrame:
    """Return the issues of listings that a person should look at, most urgent first.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    top : int or None
        Only so many.
    all : bool
        All listings, and not only those that are flagged and undecided.

    Raises
    ------
    InputError
        If there is none.
    """
    issues = run.issues().sort_values("priority", kind="stable")
    if not all:
        issues = issues[is_flagged(issues) & ~issues["id"].isin(list(run.holding_decisions().decisions))]
    if issues.empty:
        raise InputError(
            "there is no listing to export",
            got="no flagged listing without a decision",
            fix="Export all with `all=True`.",
            parameter="all",
        )
    return issues if top is None else issues.head(top)


def labelled(run: RunFolder) -> tuple[pd.DataFrame, bool]:
    """Return the listings with the labels that hold now, and whether those are of the cleaned dataset.

    Parameters
    ----------
    run : RunFolder
        A finished run.

    Returns
    -------
    table : DataFrame
        In the order of the input, without deleted listings. ``image`` is NA where a photo can't be read.
    cleaned : bool
        Whether ``cleaned/`` was written.

    Raises
    ------
    RunError
        If ``cleaned/`` is damaged.
    """
    columns = ["id", "image", "label", "split", "unreadable", "title", "group", "price", "width", "height"]
    listings = run.listings([*columns, "fetched_from"])
    if "unreadable" in listings:
        listings["image"] = listings["image"].mask(listings["unreadable"].notna())
    cleaned = run.standing(run.cleaned)
    if not cleaned.is_dir():
        return listings, False
    file = cleaned / "changes.csv"
    if not file.is_file():
        raise RunError(f"{cleaned} is damaged", got="no changes.csv", fix=f"Write it again with {call_again(cleaned)}.")
    with readable(file, fix=f"Write it again with {call_again(cleaned)}."):
        changes = restored_cells(read_raw(file, names=("id", "action", "new_label")).table)
    deleted = listings["id"].isin(changes.loc[changes["action"] == "delete", "id"])
    listings = listings.assign(label=labels_after(listings, changes))[~deleted].reset_index(drop=True)
    if "price" in listings and "new_price" in changes:
        prices = pd.to_numeric(changes.set_index("id")["new_price"].replace("", None))
        listings["price"] = listings["id"].map(prices).fillna(listings["price"].astype(float))
    return listings, True


def rows_of(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table, with None for what is missing.

    Parameters
    ----------
    table : DataFrame
        Any.
    """
    yield from table.astype(object).where(table.notna(), None).to_dict("records")  # type: ignore[misc]
