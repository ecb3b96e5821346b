"""The files of a comparison of models: table, out-of-fold answers, TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curation.evidence.probabilities import Probabilities
from curation.models.compare_words import markdown
from curation.models.cross_validate import FoldScores
from curation.models.dataset import Prepared
from curation.models.outputs import spread, told_columns
from training.utils.files import whole_file, write_json

__all__ = ["MODELS_FILE", "write"]

#: All of a comparison, in its folder.
MODELS_FILE = "models.json"
#: Settings that TensorBoard shows beside the scores.
_HPARAMS = (
    "label_smoothing",
    "batch_size",
    "image_size",
    "schedule",
    "balance",
    "augment",
    "loss",
    "use_price",
)


def write(prepared: Prepared, result: Mapping[str, Any], scores: Mapping[str, FoldScores]) -> None:
    """Write all files of a comparison.

    Parameters
    ----------
    prepared : Prepared
        The listings, and the study's folder.
    result : mapping
        What ``models.json`` holds.
    scores : mapping of str to FoldScores
        By candidate.
    """
    folder = prepared.run.folder
    for name, each in scores.items():
        _write_told(prepared, folder, name, each, result["target"])
    for candidate in result["candidates"]:
        _log(prepared.run.training_folder / candidate["name"], candidate, result["settings"])
    with whole_file(folder / "models.csv") as temporary:
        pd.DataFrame([_flat(candidate) for candidate in result["candidates"]]).to_csv(temporary, index=False)
    with whole_file(folder / "models.md") as temporary:
        temporary.write_text(markdown(result) + "\n", encoding="utf-8")
    write_json(folder / MODELS_FILE, result)


def _write_told(prepared: Prepared, folder: Path, name: str, scores: FoldScores, target: str) -> None:
    """Write what a candidate said out-of-fold: probabilities of all listings, or prices."""
    table = prepared.table
    told = spread(scores.told, scores.rows, len(table))
    # the other listings were scored by no fold's model
    fold = np.full(len(table), -1, dtype=np.int64)
    fold[scores.rows] = table["fold"].to_numpy(dtype=np.int64)[scores.rows]
    if target == "label":
        ids = table["id"].to_numpy(dtype=np.str_)
        probabilities = Probabilities(ids, prepared.classes, told.astype(np.float64), fold)
        probabilities.save(folder / f"probabilities-{name}.npz")
        return
    said = pd.DataFrame({"id": table["id"], "fold": fold, "given_price": table["price"]}).reset_index(drop=True)
    said = said.join(told_columns(told, prepared.classes, target))
    with whole_file(folder / f"prices-{name}.csv") as temporary:
        said.to_csv(temporary, index=False)


def _flat(candidate: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a candidate in ``models.csv``."""
    row = {key: candidate[key] for key in ("model", "optimizer")} | candidate["pooled"]
    difference = candidate["behind"] or {"mean": 0.0, "low": None, "high": None}
    row |= {f"behind_{key}": value for key, value in difference.items()}
    row["told_apart"] = candidate["told_apart"]
    for kind in ("mean", "sd"):
        row |= {f"{score}_{kind}": value for score, value in candidate[kind].items()}
    row |= {key: candidate[key] for key in ("parameters", "seconds_per_fold")}
    return {**row, "epochs": float(np.mean(candidate["epochs"])), "command": candidate["command"]}


def _log(folder: Path, candidate: Mapping[str, Any], recipe: Mapping[str, Any]) -> None:
    """Write a candidate's settings and scores for TensorBoard's HPARAMS."""
    # it takes seconds to import
    from torch.utils.tensorboard import SummaryWriter

    hparams = {name: candidate[name] for name in ("model", "optimizer", "learning_rate", "weight_decay")}
    hparams |= {name: recipe[name] for name in _HPARAMS} | {"epochs": float(np.mean(candidate["epochs"]))}
    scores = {f"out_of_fold/{score}": value for score, value in candidate["pooled"].items()}
    scores |= {f"mean_of_folds/{score}": value for score, value in candidate["mean"].items()}
    scores |= {"seconds_per_fold": candidate["seconds_per_fold"], "parameters": float(candidate["parameters"])}
    with SummaryWriter(str(folder)) as log:
        log.add_hparams(hparams, scores, run_name=".")
