"""One calibrated belief per listing, combined from all sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from curation.evidence.calibration import temperature
from curation.evidence.fitted import Values
from curation.evidence.log_odds import margins
from curation.evidence.pool import SIZES_FORGOTTEN, fuse, learn_weights
from curation.evidence.rows import Rows
from curation.evidence.sources import PHOTO, Source, class_sizes
from training.utils.arrays import Bool, Float32, Float64, Int64
from training.utils.blocks import finite_rows, row_blocks

if TYPE_CHECKING:
    # evidence.py imports this module
    from curation.evidence.evidence import Evidence

__all__ = ["Belief", "believe"]


#: Weight of the models trained on a listing in the photo's margin; the out-of-fold model has the rest.
IN_FOLD_SHARE = 0.3


@dataclass(frozen=True)
class Belief:
    """What several sources together say about the class of each listing.

    Attributes
    ----------
    logs : Rows of shape (N, K)
        Calibrated log-belief in each class, up to a constant per listing.
    sources : sequence of Source, length E
        The sources.
    weights : ndarray of float64, shape (N, E)
        Weight of each source.
    shift : ndarray of float64, shape (N,)
        What the models trained on the listing add to the photo's support of the given label.
    observed : ndarray of bool, shape (N,)
        Listings about which at least one source says something.
    judged : ndarray of bool, shape (N,)
        Listings whose given label can be judged: observed ones whose class the model was trained on.
    learnable : ndarray of int64
        Row numbers of judged listings that are not in the test set, ordered by id.
    """

    logs: Rows
    sources: Sequence[Source]
    weights: Float64
    shift: Float64
    observed: Bool
    judged: Bool
    learnable: Int64

    def log_odds(self, rows: Int64, given: Int64, suggested: Int64) -> dict[str, Float64]:
        """Return the log-odds of one class against another by source, shape (n,) each.

        Parameters
        ----------
        rows : ndarray of int64, shape (n,)
            Listings.
        given, suggested : ndarray of int64, shape (n,)
            Their given classes, and those to compare with.
        """
        log_odds = {source.name: np.empty(len(rows)) for source in self.sources}
        for block in row_blocks(len(rows)):
            own, each = rows[block], np.arange(len(rows[block]))
            for column, source in enumerate(self.sources):
                says = source.log_likelihood[own]
                log_ratio = says[each, suggested[block]] - says[each, given[block]]
                shift = self.shift[own] if source.name == PHOTO else 0.0
                log_odds[source.name][block] = self.weights[own, column] * log_ratio - shift
        return log_odds


def believe(evidence: Evidence, sources: Sequence[Source]) -> Belief | None:
    """Combine sources of evidence, each with the weight that it has earned.

    Parameters
    ----------
    evidence : Evidence
    sources : sequence of Source
        Some or all of the evidence; :attr:`curation.evidence.evidence.Evidence.belief` combines all of them.

    Returns
    -------
    Belief or None
        None if no given label can be judged.
    """
    if not sources or len(evidence.classes) < 2:
        return None
    given, taught, rows, labelled = evidence.given, evidence.taught, evidence.training_rows, evidence.given_rows
    observed = np.logical_or.reduce([source.observed for source in sources])
    judged = observed & evidence.trained_on_label
    learnable, learned = labelled[judged[labelled]], rows[judged[rows]]
    key = f"belief of {', '.join(source.name for source in sources)}"
    if not evidence.number(f"{key}: any", lambda: bool(len(learnable) and len(learned))):
        return None
    fold, sizes = evidence.fold, class_sizes(evidence)
    fold_weights = evidence.fit(
        f"{key}: weights", lambda: {"weights": learn_weights(sources, sizes, taught, fold, learned)}
    )["weights"]
    fused = fuse(sources, sizes, fold_weights, fold, provided=evidence.provided)
    weights, shift = fold_weights[fold, : len(sources)], np.zeros(len(given))
    if evidence.in_fold is not None and sources[0].name == PHOTO:
        shift = weights[:, 0] * IN_FOLD_SHARE * _in_fold_shift(evidence, evidence.in_fold, sources[0], sizes)
    shifted = Rows(fused.shape, lambda rows: _shifted(fused[rows], np.maximum(given[rows], 0), shift[rows]))
    factor = evidence.number(f"{key}: factor", lambda: temperature(shifted, taught, learned))
    logs = Rows(fused.shape, lambda rows: factor * shifted[rows])
    return Belief(logs, sources, factor * weights, factor * shift, observed, judged, learnable)


def _shifted(logs: Float64, given: Int64, shift: Float64) -> Float64:
    logs[np.arange(len(given)), given] += shift
    return logs


def _in_fold_shift(evidence: Evidence, in_fold: Float32, photo: Source, sizes: Float64) -> Float64:
    """Return by how much in-fold margins, rescaled to centre and spread of out-of-fold ones, exceed those; shape (N,).

    Every model favours a label that it was trained on, so a label that its models favour less than usual is suspicious.
    Listings that trained no model are compared among themselves. What a person decided on a label that is learned from
    would be in its own evidence, as those models learned it, so the shift of such a label is 0.
    """
    label, shift = np.maximum(evidence.given, 0), np.zeros(len(evidence.given))
    labelled = photo.observed & (evidence.given >= 0)
    prior = (1 - SIZES_FORGOTTEN) * sizes
    out_of_fold = margins(Rows(in_fold.shape, lambda rows: photo.log_likelihood[rows] + prior), label)
    own = Rows(in_fold.shape, lambda rows: np.nan_to_num(in_fold[rows].astype(np.float64)) - sizes + prior)
    within = margins(own, label)
    if evidence.known is not None:
        labelled[evidence.known.order] = False
    # new listings with a photo that those models learned have none
    labelled &= finite_rows(in_fold)
    for name, rows in (
        ("trained", labelled & evidence.may_train),
        ("untrained", labelled & ~evidence.may_train),
    ):
        margin, of_others = out_of_fold[rows], within[rows]
        numbers = evidence.fit(f"margins of {name}", partial(_centres_and_spreads, margin, of_others))
        (centre, spread), (centre_within, spread_within) = numbers["out of fold"], numbers["in fold"]
        if spread_within > 0:
            shift[rows] = (of_others - centre_within) * spread / spread_within + centre - margin
    return shift


def _centres_and_spreads(out_of_fold: Float64, in_fold: Float64) -> Values:
    """Return median and median absolute deviation of both; 0 without any listing."""
    # slow to import, and given probabilities need none of it
    from scipy.stats import median_abs_deviation

    return {
        name: np.array([np.median(margin), median_abs_deviation(margin)] if len(margin) else [0.0, 0.0])
        for name, margin in (("out of fold", out_of_fold), ("in fold", in_fold))
    }
