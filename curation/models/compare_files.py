"""The files of a comparison of models: table, out-of-fold predictions, TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from curation.evidence.probabilities import Probabilities
from curation.models.compare_result import Candidate, ModelComparison
from curation.models.cross_validate import FoldScores
from curation.models.dataset import Prepared
from curation.models.outputs import prediction_columns, spread
from training.utils.csv_files import write_csv
from training.utils.files import whole_file, write_json

__all__ = ["write"]

#: Settings that TensorBoard shows beside the scores.
_HPARAMS = ("label_smoothing", "batch_size", "image_size", "schedule", "balance", "augment", "loss", "use_price")


def write(prepared: Prepared, comparison: ModelComparison, scores: Mapping[str, FoldScores]) -> None:
    """Write all files of a comparison.

    Parameters
    ----------
    prepared : Prepared
        The listings, and the study's folder.
    comparison : ModelComparison
        The content of ``models.json``.
    scores : mapping of str to FoldScores
        By candidate.
    """
    folder = comparison.folder
    for name, each in scores.items():
        _write_predictions(prepared, name, each, comparison.target)
    _log_candidates(prepared, comparison)
    write_csv(folder / "models.csv", comparison.table)
    with whole_file(folder / "models.md") as temporary:
        temporary.write_text(comparison.to_markdown() + "\n", encoding="utf-8")
    write_json(folder / "models.json", comparison.to_dict())


def _write_predictions(prepared: Prepared, name: str, scores: FoldScores, target: str) -> None:
    """Write the out-of-fold predictions of a candidate, in the order of the input: probabilities, or prices."""
    table, folder = prepared.table, prepared.run.folder
    order = prepared.run.input_order(table["id"])
    predictions = spread(scores.predictions, scores.rows, len(table))
    # the other listings were scored by no fold's model
    fold = np.full(len(table), -1, dtype=np.int64)
    fold[scores.rows] = table["fold"].to_numpy(dtype=np.int64)[scores.rows]
    if target == "label":
        ids, probs = table["id"].to_numpy(dtype=np.str_), predictions.astype(np.float64)
        probabilities = Probabilities(ids[order], prepared.classes, probs[order], fold[order])
        probabilities.save(folder / f"probabilities-{name}.npz")
        return
    prices = pd.DataFrame({"id": table["id"], "fold": fold, "given_price": table["price"]}).reset_index(drop=True)
    columns = prediction_columns(predictions, prepared.classes, target)
    write_csv(folder / f"prices-{name}.csv", prices.join(columns).iloc[order])


def _log_candidates(prepared: Prepared, comparison: ModelComparison) -> None:
    """Write the candidates' settings and scores for TensorBoard's HPARAMS."""
    # it takes seconds to import
    from torch.utils.tensorboard import SummaryWriter

    for candidate in comparison.candidates:
        with SummaryWriter(str(prepared.run.training_folder / candidate.name)) as log:
            log.add_hparams(*_hparams(candidate, comparison.settings), run_name=".")


def _hparams(candidate: Candidate, settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, float]]:
    """Return the settings and the scores that TensorBoard shows."""
    hparams = {name: getattr(candidate, name) for name in ("model", "optimizer", "learning_rate", "weight_decay")}
    hparams |= {name: settings[name] for name in _HPARAMS} | {"epochs": float(np.mean(candidate.epochs))}
    scores = {f"out_of_fold/{score}": value for score, value in candidate.pooled.items()}
    scores |= {f"mean_of_folds/{score}": value for score, value in candidate.mean.items()}
    scores |= {"seconds_per_fold": candidate.seconds_per_fold, "parameters": float(candidate.parameters)}
    return hparams, scores
