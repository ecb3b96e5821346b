"""How far each label of the cleaned dataset is to be believed, and the best other one: ``label_weights.csv``."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pandas as pd

from curation.errors import RunError, some
from curation.fixes.edits import labels_after
from curation.listings.tables import read_raw
from curation.run.damaged import readable
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from curation.run.manifests import is_soft
from training.utils.csv_files import restored_cells

__all__ = ["LABEL_WEIGHTS", "label_weights", "read_label_weights", "require_chances", "weights_left_out"]

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


def weights_left_out(run: RunFolder) -> list[str]:
    """Return a sentence that the next version has no chances of its labels, where the one before it has them.

    Parameters
    ----------
    run : RunFolder
        The run.
    """
    if not is_soft(run.standing(run.cleaned)):
        return []
    return [f"The version before has {LABEL_WEIGHTS}, and this one does not: `apply_fixes(soft=True)` writes it."]


def read_label_weights(run: RunFolder, labels: pd.Series, classes: Collection[str]) -> pd.DataFrame | None:
    """Return the chances of ``cleaned/``, as :func:`label_weights` made them; None if it has none.

    Parameters
    ----------
    run : RunFolder
        The run.
    labels : Series of str
        The label of each listing that ``cleaned/`` has, NA for none, by id.
    classes : collection of str
        That a second label may be.

    Raises
    ------
    RunError
        If the file is missing or damaged, or does not fit the listings: another id or label, a chance that is missing
        or not from 0 to 1, a second label that is no class.
    """
    file = run.cleaned / LABEL_WEIGHTS
    soft = is_soft(run.cleaned)
    if not soft and not file.exists():
        return None
    # what is damaged would become an earlier version, and stay damaged
    with readable(file, fix="Move cleaned/ out of the run by hand, then write it again with `apply_fixes(soft=True)`."):
        table = restored_cells(read_raw(file, names=("id", *_COLUMNS)).table).reset_index(drop=True)
        for name in ("label_weight", "second_weight"):
            table[name] = table[name].astype("float64")
        if fault := _fault(table, labels, classes):
            raise ValueError(fault)
        return table


def _fault(table: pd.DataFrame, labels: pd.Series, classes: Collection[str]) -> str:
    """Return what is wrong with chances, in words; empty if nothing is."""
    for name in ("label_weight", "second_weight"):
        if not table[name].dropna().between(0, 1).all():
            return f"a {name} is not from 0 to 1"
    ids = table["id"]
    for what, wrong in (
        ("two rows for", ids[ids.duplicated()]),
        ("rows for what is not in the cleaned dataset,", ids[~ids.isin(labels.index)]),
        ("no row for", labels.index[~labels.index.isin(ids)].to_series()),
    ):
        if len(wrong):
            return f"{what} {some(wrong.astype(str))}"
    label = labels.reindex(ids).reset_index(drop=True)
    second = table["second_label"]
    for what, rows in (
        ("another label than the cleaned dataset for", (table["label"].fillna("") != label.fillna("")).fillna(True)),
        ("no label_weight for", label.notna() & table["label_weight"].isna()),
        ("a second_label that is no class for", second.notna() & ~second.isin(classes)),
        ("only one of second_label and second_weight for", second.notna() != table["second_weight"].notna()),
    ):
        if rows.any():
            return f"{what} {some(ids[rows.to_numpy(dtype=bool)].astype(str))}"
    return ""
