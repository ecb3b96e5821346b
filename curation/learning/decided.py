"""What the decisions of a run say of its labels and prices, in the order of its listings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from curation.evidence.known import Known
from curation.issues import KINDS
from curation.run.folder import RunFolder
from curation.run.journal import PRICED, Decision
from training.utils.arrays import Bool, Float64

__all__ = ["known_of", "with_prices"]


def known_of(run: RunFolder, table: pd.DataFrame, decisions: Mapping[str, Decision]) -> Known:
    """Return what decisions say of the labels.

    A label that was kept or given counts as the truth. A deleted listing teaches nothing, and one to which several
    labels fit no more than before. The test set teaches nothing, whatever is decided about it.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    table : DataFrame
        Its listings, of :meth:`curation.run.folder.RunFolder.training_table`.
    decisions : mapping of str to Decision
        Those that hold, in the order in which they were made.

    Returns
    -------
    Known
    """
    row = {id: place for place, id in enumerate(table["id"].astype(str))}
    given = [None if pd.isna(label) else str(label) for label in table["label"]]
    test, alone = (table["split"] == "test").to_numpy(dtype=bool), _label_alone(run, table)
    labels, (decided, sure) = list(given), (np.zeros(len(table), dtype=bool) for _ in range(2))
    wrong, order = np.full(len(table), np.nan), []
    for id, decision in decisions.items():
        place = row.get(id)
        if place is None:
            continue
        decided[place] = True
        if test[place]:
            continue
        labels[place], sure[place], wrong[place] = _said(decision, given[place], alone=bool(alone[place]))
        if np.isfinite(wrong[place]):
            order.append(place)
    # a class that the run does not have can't be learned before there is a model of it
    classes = set(run.classes)
    known = [label if label in classes else None for label in labels]
    names = pd.Series(known, table.index, dtype="string")
    return Known(names, decided, sure, wrong, np.array(order, dtype=np.int64))


def _said(decision: Decision, given: str | None, *, alone: bool) -> tuple[str | None, bool, float]:
    """Return which label a decision teaches, whether that one is sure, and whether the given one is wrong (or NaN).

    `alone`: nothing but the label was flagged.
    """
    if decision.action == "delete":
        return None, False, 1.0 if alone and given is not None else np.nan
    if decision.action == "relabel":
        return decision.new_label, True, float(decision.new_label != given) if given is not None else np.nan
    # where several labels fit, the given one is not wrong, and not the only one
    return given, decision.action != "ambiguous", 0.0 if given is not None else np.nan


def with_prices(table: pd.DataFrame, decisions: Mapping[str, Decision]) -> pd.DataFrame:
    """Return the listings with the prices that people corrected, and without the photos of those that were deleted.

    Parameters
    ----------
    table : DataFrame
        The listings.
    decisions : mapping of str to Decision
        Those that hold.

    Returns
    -------
    DataFrame
        As long as `table`. A deleted listing has no repost any more.
    """
    ids = table["id"].astype(str)
    prices = {
        id: decision.new_price
        for id, decision in decisions.items()
        if decision.action in PRICED and decision.new_price is not None
    }
    changed = table.assign(price=ids.map(prices).astype("float64").fillna(table["price"]))
    deleted = ids.isin([id for id, decision in decisions.items() if decision.action == "delete"])
    for name in ("sha256", "near_group"):
        if name in changed:
            changed[name] = changed[name].mask(deleted)
    return changed


def _label_alone(run: RunFolder, table: pd.DataFrame) -> Bool:
    """Return the listings of which nothing but the label was flagged, so that who deletes one means its label."""
    issues = run.issues().set_index("id").reindex(table["id"])
    others = [kind.flag for kind in KINDS if kind.name != "label" and kind.flag in issues]
    flagged: Bool = issues[others].astype("boolean").fillna(False).any(axis=1).to_numpy(dtype=bool)
    doubted: Float64 = issues["label_score"].to_numpy(dtype=np.float64, na_value=np.nan)
    return ~flagged & np.isfinite(doubted)
