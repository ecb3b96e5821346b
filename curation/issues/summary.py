"""What a person wants to know first of a finished run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from curation.issues import KINDS, expected_changes
from curation.run.run import Run

__all__ = ["agreement", "summarise"]

_WORST = 10


def summarise(run: Run, budget: int | None = None) -> dict[str, Any]:
    """Return how many of each kind there are, the worst ones, and how sound the labels are.

    Parameters
    ----------
    run : Run
        Finished.
    budget : int, optional
        How many listings a person is going to look at.

    Returns
    -------
    dict
        Ready for JSON: ``run``, ``listings``, ``flagged``, ``issues`` (number by kind), ``worst`` (rows of the queue),
        ``budget`` (how many of the first so many listings are expected to need a change, and how many of all; None
        without one),
        ``agreement``, ``health`` (None in a run that was made before there was one), ``seconds`` by stage.
    """
    issues, record = run.issues(), run.record()
    # a run of an earlier version was not searched for kinds that are newer
    flags = {kind.name: kind.flag for kind in KINDS if kind.flag in issues}
    counts = {name: int(issues[flag].sum()) for name, flag in flags.items()}
    flagged = issues[list(flags.values())].astype("boolean").fillna(False).any(axis=1)
    worst = issues[flagged].nsmallest(_WORST, "priority")
    columns = ["priority", "id", "given_label", "suggested_label", "suggested_confidence", "price", "reasons"]
    return {
        "run": str(run.folder),
        "listings": len(issues),
        "flagged": int(flagged.sum()),
        "issues": counts,
        "worst": [
            {name: None if pd.isna(value) else value for name, value in row.items()}
            for row in worst[columns].to_dict("records")
        ],
        "budget": None if budget is None else _budget(issues, budget),
        "agreement": agreement(run),
        "health": run.health(),
        "seconds": record["seconds"],
    }


def _budget(issues: pd.DataFrame, budget: int) -> dict[str, float]:
    first = min(budget, len(issues))
    return {
        "listings": first,
        "expected_changes": expected_changes(issues, first),
        "expected_in_all": expected_changes(issues, len(issues)),
    }


def agreement(run: Run) -> dict[str, float | None]:
    """Return how often the out-of-fold model agrees with the given labels.

    Returns
    -------
    dict
        ``with_given_labels``, the share of scored listings whose most probable class is the given one, None if no
        listing was scored; ``largest_class``, the share of the largest class, which a model that only knows
        how often each class occurs would reach.
    """
    with np.load(run.probabilities_file, allow_pickle=False) as content:
        probs, classes = content["probs"], content["classes"]
    given = run.listings()["label"]
    judged = ~np.isnan(probs).any(axis=1) & given.notna().to_numpy()
    same = classes[probs[judged].argmax(axis=1)] == given[judged].to_numpy(dtype=str)
    return {
        "with_given_labels": float(same.mean()) if len(same) else None,
        "largest_class": float(given.value_counts(normalize=True).iloc[0]),
    }
