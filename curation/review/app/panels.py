"""The content of FiftyOne's own panels: the plot of all photos, and the evaluation of the out-of-fold predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.utils.arrays import Float32

__all__ = ["EVALUATION", "PLOT", "add_evaluation", "add_plot"]

#: The brain key of the plot.
PLOT = "photos"
#: The key of the evaluation, and the field it adds: whether the most probable class is the given label.
EVALUATION = "out_of_fold"


def add_plot(dataset: Any, points: Mapping[str, Float32]) -> None:
    """Give the Embeddings panel its points.

    Parameters
    ----------
    dataset : fiftyone.Dataset
    points : mapping of str to ndarray of float32, shape (2,)
        By listing. Samples without a point are left out; without points there is no plot.
    """
    import fiftyone.brain as fob

    ids = dict(zip(*dataset.values(["listing_id", "id"]), strict=True))
    placed = {ids[listing]: point for listing, point in points.items() if listing in ids}
    if placed:
        view = dataset if len(placed) == len(ids) else dataset.select(list(placed))
        fob.compute_visualization(view, points=placed, brain_key=PLOT)


def add_evaluation(dataset: Any, classes: list[str]) -> None:
    """Give the Model Evaluation panel the out-of-fold predictions against the given labels.

    Listings without a label or a prediction are left out; if none has both, there is no evaluation.

    Parameters
    ----------
    dataset : fiftyone.Dataset
        The dataset of a run.
    classes : list of str
        Names of the classes.
    """
    predicted = dataset.exists("predictions").exists("ground_truth")
    if len(predicted):
        view = dataset if len(predicted) == len(dataset) else predicted
        view.evaluate_classifications(
            "predictions", gt_field="ground_truth", eval_key=EVALUATION, classes=classes, progress=False
        )
