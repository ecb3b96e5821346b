"""The comparison before and after the fixes in FiftyOne's Model Evaluation panel."""

from __future__ import annotations

from typing import Any

from curation.review.app.environment import load_fiftyone
from curation.run.folder import RunFolder
from training.evaluation.metrics import most_predicted
from training.utils.files import sha256_of_file

__all__ = ["COMPARED", "PREDICTED", "show_comparison"]

#: The field of the predictions by the key of the evaluation. The evaluation itself adds a field with the name of the
#: key: whether the prediction equals the given label.
PREDICTED = {"before": "predicted_before", "after": "predicted_after"}
#: All fields of the comparison, in the order in which people read them.
COMPARED = ("predicted_before", "before", "predicted_after", "after")
_WHAT = "the class that most models trained {} the fixes predict; confidence is the share of models that do"
# set until everything is written, so that an interrupted opening is repeated
_UNFINISHED = "unfinished"


def show_comparison(dataset: Any, run: RunFolder) -> None:
    """Update the evaluations ``before`` and ``after`` from the run's comparison; does nothing if they are current.

    Parameters
    ----------
    dataset : fiftyone.Dataset
        Its ``ground_truth`` has the given labels, because edits of the Annotate tab have been put back. FiftyOne keeps
        the labels that it evaluated, so later edits don't change the evaluation.
    run : RunFolder
        Without a comparison, or after its undo, there are no evaluations.
    """
    compared = run.comparison_file.exists() and run.predictions_file.exists()
    version = sha256_of_file(run.predictions_file) if compared else None
    if dataset.info["curate"].get("comparison") == version:
        return
    _remember(dataset, _UNFINISHED)
    _remove(dataset)
    if compared:
        _add(dataset, run)
    _remember(dataset, version)


def _remember(dataset: Any, version: str | None) -> None:
    dataset.info["curate"] = {**dataset.info["curate"], "comparison": version}
    dataset.save()


def _remove(dataset: Any) -> None:
    for field in PREDICTED.values():
        for key in dataset.list_evaluations(pred_field=field):  # the panel may have renamed it
            dataset.delete_evaluation(key)
        if dataset.has_sample_field(field):
            dataset.delete_sample_field(field)


def _add(dataset: Any, run: RunFolder) -> None:
    fo = load_fiftyone()
    predictions = run.predictions()
    listings, classes = predictions["id"].tolist(), predictions["classes"].tolist()
    samples = dict(zip(*dataset.values(["listing_id", "id"]), strict=True))
    for key, field in PREDICTED.items():
        named, share = (each.tolist() for each in most_predicted(predictions[key]))
        labels = {
            samples[listing]: fo.Classification(label=classes[number], confidence=sure)
            for listing, number, sure in zip(listings, named, share, strict=True)
        }
        dataset.add_sample_field(
            field,
            fo.EmbeddedDocumentField,
            embedded_doc_type=fo.Classification,
            description=_WHAT.format(key),
        )
        dataset.set_values(field, labels, key_field="id")
        dataset.exists(field).evaluate_classifications(
            field, gt_field="ground_truth", eval_key=key, classes=classes, progress=False
        )
