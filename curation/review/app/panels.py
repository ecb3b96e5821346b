"""What FiftyOne's own panels show of a run: the plot of all photos, and how well the models know the given labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.utils.arrays import Float32

__all__ = ["EVALUATION", "PLOT", "add_evaluation", "add_plot"]

#: The brain key of the plot.
PLOT = "photos"
#: The evaluation's key, and the field it makes: whether the most probable class is the given label.
EVALUATION = "out_of_fold"


def add_plot(dataset: Any, points: Mapping[str, Float32]) -> None:
    """Give the Embeddings panel its points.

    Parameters
    ----------
    dataset : fiftyone.Dataset
    points : mapping of str to ndarray of float32, shape (2,)
        By listing; samples without are not in the plot. Without any there is no plot.
    """
    import fiftyone.brain as fob

    ids = dict(zip(*dataset.values(["listing_id", "id"]), strict=True))
    placed = {ids[listing]: point for listing, point in points.items() if listing in ids}
    if placed:
        shown = dataset if len(placed) == len(ids) else dataset.select(list(placed))
        fob.compute_visualization(shown, points=placed, brain_key=PLOT)


def add_evaluation(dataset: Any, classes: list[str]) -> None:
    """Give the Model Evaluation panel the out-of-fold predictions against the given labels.

    Listings without a label or a prediction are left out; without any of both there is no evaluation.

    Parameters
    ----------
    dataset : fiftyone.Dataset
        The dataset of a run.
    classes : list of str
        Names of the classes.
    """
    known = dataset.exists("predictions").exists("ground_truth")
    if len(known):
        judged = dataset if len(known) == len(dataset) else known
        judged.evaluate_classifications(
            "predictions", gt_field="ground_truth", eval_key=EVALUATION, classes=classes, progress=False
        )
