"""What a search came to: its trials from the best on, the gain, the command that uses it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curation.models.command_line import command_line
from curation.models.dataset import Prepared
from curation.models.search_space import with_parameters
from curation.models.trials import Trials, Tried
from training.fit.loop import steps_of
from training.utils.files import whole_file, write_json

__all__ = ["TUNE", "tune_result", "write_tune", "written"]

#: The outcome, in the study's folder.
TUNE = "tune.json"
_STATES = ("complete", "unfinished", "pruned", "diverged", "failed")


def tune_result(prepared: Prepared, trials: Trials, *, folds: int, dataset: Sequence[str]) -> dict[str, Any]:
    """Return the content of ``tune.json``.

    Parameters
    ----------
    prepared : Prepared
        What was trained on.
    trials : Trials
    folds : int
        Number of folds.
    dataset : sequence of str
        DATASET with its options, as they were typed.
    """
    tried, best, start = trials.all(), trials.best(), trials.start
    lower_is_better = start.target == "price"
    if best is None:
        recipe, following = None, None
    else:
        rows, _ = prepared.divided(prepared.train, start)
        chosen = with_parameters(start, best.parameters, steps_of(prepared.labels[rows], start))
        recipe, following = chosen.to_dict(), command_line(chosen, *dataset)
    gain = None if best is None else _gain(tried[0], best, lower_is_better=lower_is_better)
    return {
        "folder": str(prepared.run.folder),
        "target": start.target,
        "currency": prepared.currency,
        "score": trials.score,
        "lower_is_better": lower_is_better,
        "folds": folds,
        "listings": {"searched": len(prepared.train), "test": len(prepared.test), "all": len(prepared.table)},
        "settings": start.to_dict(),
        "space": trials.space.to_dict(),
        "counts": {state: sum(each.state == state for each in tried) for state in _STATES},
        "seconds": round(sum(each.seconds for each in tried), 1),
        "trials": [each.to_dict() for each in sorted(tried, key=lambda each: _rank(each, lower_is_better))],
        "best": None if best is None else best.number,
        "best_settings": recipe,
        "gain": gain,
        "importances": trials.importances(),
        "warnings": list(prepared.warnings),
        "cautions": _cautions(tried, best, gain),
        "next": following,
    }


def _rank(tried: Tried, lower_is_better: bool) -> tuple[int, int, float]:
    """Return what trials are ordered by: complete ones from the best on, then those that came far."""
    value = tried.mean or 0.0
    return _STATES.index(tried.state), -len(tried.folds), value if lower_is_better else -value


def _gain(first: Tried, best: Tried, *, lower_is_better: bool) -> dict[str, float] | None:
    """Return how much better than the start the best trial is, fold by fold; None if the start is not complete."""
    if first.state != "complete":
        return None
    better = np.subtract(best.scores, first.scores) * (-1 if lower_is_better else 1)
    return {"mean": float(better.mean()), "sd": float(better.std(ddof=1))}


def _cautions(tried: list[Tried], best: Tried | None, gain: dict[str, float] | None) -> list[str]:
    """Return in plain words why the best score is not to be believed as it is."""
    compared = sum(each.state in ("complete", "pruned") for each in tried)
    if best is None:
        return []
    found = []
    if compared > 1:
        found.append(
            f"the best of {compared} trials looks better than it is, because its score chose it; "
            "the test set, which had no say, tells what it is worth: train it and look there"
        )
    if gain is not None and best.number > 1 and gain["mean"] <= gain["sd"]:
        found.append("the gain is no larger than its spread over the folds: it may be chance")
    if tried[0].state == "diverged":
        found.append("the settings as given diverge: there is no gain over them to tell")
    return found


def written(score: str, value: float) -> str:
    """Return a score with its name, for people.

    Parameters
    ----------
    score : str
        ``"mae"`` or ``"macro_f1"``.
    value : float
        MAE in the currency; macro-F1 in [0, 1].
    """
    return f"MAE {value:,.2f}" if score == "mae" else f"macro-F1 {value:.3f}"


def write_tune(folder: Path, result: dict[str, Any]) -> None:
    """Write ``tune.json`` and ``trials.csv``.

    Parameters
    ----------
    folder : Path
        Gets the files.
    result : dict
        Content of ``tune.json``.
    """
    rows = []
    for trial in result["trials"]:
        scores = {f"fold_{number}": fold[result["score"]] for number, fold in enumerate(trial["folds"], 1)}
        plain = {name: trial[name] for name in ("number", "state", "mean", "sd")}
        rows.append({**plain, **trial["parameters"], **scores, "seconds": trial["seconds"]})
    with whole_file(folder / "trials.csv") as temporary:
        pd.DataFrame(rows).to_csv(temporary, index=False)
    write_json(folder / TUNE, result)
