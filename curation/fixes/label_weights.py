"""How far each label of the cleaned dataset is to be believed, and the best other one: ``label_weights.csv``."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from curation.errors import RunError
from curation.fixes.edits import labels_after
from curation.listings.tables import read_raw
from curation.run.damaged import readable
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from training.utils.csv_files import restored_cells

__all__ = ["LABEL_WEIGHTS", "label_weights", "read_label_weights", "require_chances"]

#: The file in ``cleaned/``.
LABEL_WEIGHTS = "label_weights.csv"
_COLUMNS = ("label", "label_weight", "second_label", "second_weight")
#: What a person says of a label, rather than of the price, or that several labels fit.
_ON_LABELS = ("keep", "relabel")


def require_chances(run: RunFolder) -> None:
    """Refuse a run that has no chances of any label.

    Parameters
    ----------
    run : RunFolder
        A finished run.

    Raises
    ------
    RunError
    """
    if run.issues()["label_score"].isna().all():
        raise RunError(
            f"{run.folder} has no chances of its labels",
            got="no listing with a score of its label",
            wanted="labels that find-issues scored",
            fix="Leave `soft` out.",
        )


def label_weights(run: RunFolder, decisions: Mapping[str, Decision], changes: pd.DataFrame) -> pd.DataFrame:
    """Return the chances of the labels of all listings that the fixes leave.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    decisions : mapping of str to Decision
        What holds for each decided listing.
    changes : DataFrame
        Of :class:`curation.fixes.plan.Fixes`.

    Returns
    -------
    DataFrame
        In the order of the listings: ``id``; ``label``, as it is after the fixes; ``label_weight``, the chance that it
        is right, in [0, 1], low = bad, 1 if a person decided on it or nothing is known; ``second_label`` and
        ``second_weight``, the best other label and its chance, in [0, 1]. A listing without a label has the id alone.
    """
    issues = run.issues()[["id", "label_score", "suggested_label", "suggested_confidence"]].set_index("id")
    table = run.listings()[["id", "label"]]
    table = table.assign(new=labels_after(table, changes))
    table = table[~table["id"].isin(changes.loc[changes["action"] == "delete", "id"])].reset_index(drop=True)
    given, label, known = table["label"], table["new"], issues.reindex(table["id"]).reset_index(drop=True)
    source = table["id"].map({id: each.source for id, each in decisions.items() if each.action in _ON_LABELS})
    accepted = (source == "suggestion").fillna(False).to_numpy(dtype=bool)
    decided = source.notna().to_numpy(dtype=bool) & ~accepted
    score, confidence = known["label_score"].astype("float64"), known["suggested_confidence"].astype("float64")
    # what was accepted without a person has the chance of the suggestion, and the label that it replaced may be right
    weight = score.fillna(1.0).where(~accepted, confidence)
    second = known["suggested_label"].where(~accepted, given)
    second_weight = confidence.where(~accepted, score)
    return pd.DataFrame(
        {
            "id": table["id"],
            "label": label,
            "label_weight": weight.mask(decided, 1.0).where(label.notna()).astype("Float64"),
            "second_label": second.mask(decided | second_weight.isna() | label.isna()).astype("string"),
            "second_weight": second_weight.mask(decided | second.isna() | label.isna()).astype("Float64"),
        }
    )


def read_label_weights(run: RunFolder) -> pd.DataFrame | None:
    """Return the chances of ``cleaned/``, as :func:`label_weights` made them; None if it has none.

    Parameters
    ----------
    run : RunFolder
        The run.

    Raises
    ------
    RunError
        If the file is damaged, or a weight is not from 0 to 1.
    """
    file = run.cleaned / LABEL_WEIGHTS
    if not file.exists():
        return None
    with readable(file, fix="Write it again with `apply_fixes(soft=True)`."):
        table = restored_cells(read_raw(file, names=("id", *_COLUMNS)).table)
        for name in ("label_weight", "second_weight"):
            table[name] = table[name].astype("float64")
            if not table[name].dropna().between(0, 1).all():
                raise ValueError(f"a {name} is not from 0 to 1")
        return table
