"""Wrong labels: given labels that photo, title, text in photo, price and reposts together contradict."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from curation.evidence.evidence import CLEANLAB, Evidence
from curation.evidence.sources import PHOTO
from curation.issues.base import IssueKind
from curation.issues.label.judge import Judgement, judge
from curation.issues.label.none_of_these import none_of_these
from curation.issues.label.second_opinion import SecondOpinion, second_opinion
from curation.rendering.words import agree
from curation.run.flags import TITLES

__all__ = ["KIND"]


def find(evidence: Evidence) -> pd.DataFrame:
    """Flag listings whose given label is probably wrong, or those that cleanlab flags.

    Parameters
    ----------
    evidence : Evidence
        With any of probabilities, titles and prices.

    Returns
    -------
    DataFrame
        ``is_label_issue``; ``label_score``, the probability that the given label is right (low = bad; 0 without a
        label, NaN without evidence); ``suggested_label``, the best other class if the probability of a wrong label,
        before it was anchored to decisions, is at least 0.1 or the label is flagged, else NA;
        ``suggested_confidence``, the probability that it is the true one; ``is_cleanlab_issue`` and
        ``cleanlab_score``, cleanlab's own flag and score; ``none_of_these``, the probability that the listing belongs
        to none of the classes; ``reason``.
    """
    opinion = second_opinion(evidence)
    judgement = judge(evidence, opinion.flagged if evidence.flags == CLEANLAB else None)
    none = none_of_these(evidence, judgement.score, judgement.confidence)
    names = np.array([*evidence.classes, None], dtype=object)
    table = pd.DataFrame(
        {
            "is_label_issue": judgement.flagged,
            "label_score": judgement.score,
            "suggested_label": pd.array(names[judgement.suggested], dtype="string"),
            "suggested_confidence": judgement.confidence,
            "is_cleanlab_issue": _flags_of(opinion, evidence).array,
            "cleanlab_score": opinion.score,
            "none_of_these": none,
        },
        index=evidence.listings.index,
    )
    reasons, given = np.full(len(table), "", dtype=object), evidence.listings["label"].to_numpy(dtype=object)
    for row in np.flatnonzero(judgement.flagged).tolist():
        reasons[row] = _reason(given[row], judgement, row, evidence) + _or_none(none[row], judgement.confidence[row])
    return table.assign(reason=reasons)


def _flags_of(opinion: SecondOpinion, evidence: Evidence) -> pd.Series:
    # without evidence for any listing, the column is empty
    flags = pd.Series(opinion.flagged, dtype="boolean")
    scored = evidence.number("scored by cleanlab", lambda: bool(np.isfinite(opinion.score).any()))
    return flags if scored else pd.Series(pd.NA, flags.index, dtype="boolean")


def _reason(given: object, judgement: Judgement, row: int, evidence: Evidence) -> str:
    what = "no label given" if pd.isna(given) else f"given {given}"  # type: ignore[call-overload]
    better = evidence.classes[judgement.suggested[row]]
    step = "" if pd.isna(given) else evidence.hierarchy.step(str(given), better)  # type: ignore[call-overload]
    suggested = f"{better} ({judgement.confidence[row]:.2f})" + (f", {step}" if step else "")
    sides = [
        f"{_enumerated([_name(source, evidence) for source in names])} {agree(len(names), 'says', 'say')} {statement}"
        for names, statement in ((judgement.supporting[row], "so"), (judgement.opposing[row], "otherwise"))
        if names
    ]
    return f"{what}, looks like {suggested}" + (f": {', '.join(sides)}" if sides else "")


def _or_none(none: float, confidence: float) -> str:
    """Return a reason of its own, if it is likelier that no class fits than that the suggested one does."""
    return f"; perhaps none of the classes ({none:.2f})" if none > confidence else ""


def _name(source: str, evidence: Evidence) -> str:
    # nobody knows what the user's own model has seen
    return "your model" if source == PHOTO and evidence.provided else source


def _enumerated(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


KIND = IssueKind(
    name="label",
    order=1,
    title=TITLES["label"],
    help="Photo, title and price together fit another class better than the given label.",
    columns={
        "is_label_issue": "boolean",
        "label_score": "float64",
        "suggested_label": "string",
        "suggested_confidence": "float64",
        "is_cleanlab_issue": "boolean",
        "cleanlab_score": "float64",
        "none_of_these": "float64",
    },
    worth=None,
    find=find,
)
