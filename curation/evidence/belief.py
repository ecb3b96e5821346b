"""One calibrated belief per listing, fused from all sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.stats import median_abs_deviation

from curation.evidence.calibration import temperature
from curation.evidence.log_odds import margins
from curation.evidence.pool import SIZES_FORGOTTEN, fuse, learn_weights
from curation.evidence.sources import PHOTO, Source, class_sizes

if TYPE_CHECKING:
    # which builds its belief with this module
    from curation.evidence.evidence import Evidence

__all__ = ["Belief", "believe"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

#: How much of the photo's margin is that of the models which were trained on the listing.
IN_FOLD_SHARE = 0.3


@dataclass(frozen=True)
class Belief:
    """What all sources together believe.

    Attributes
    ----------
    logs : ndarray of float64, shape (N, K)
        Calibrated log-belief in each class, up to a number per listing.
    sources : sequence of Source, length E
        Who believes.
    weights : ndarray of float64, shape (N, E)
        How much each counts.
    shift : ndarray of float64, shape (N,)
        What in-fold evidence adds to the photo's word for the given label.
    known : ndarray of bool, shape (N,)
        Listings of which any source has seen something.
    judged : ndarray of bool, shape (N,)
        Listings whose given label can be judged: known ones with a label of a class that their model has seen.
    learnt : ndarray of int64
        Judged listings whose label may be learnt from, in the order of their ids.
    """

    logs: Floats
    sources: Sequence[Source]
    weights: Floats
    shift: Floats
    known: Mask
    judged: Mask
    learnt: Integers

    def says(self, given: Integers, suggested: Integers) -> dict[str, Floats]:
        """Return by how much each source prefers the suggested class to the given one; log-odds, shape (N,)."""
        each = np.arange(len(given))
        said = {
            source.name: self.weights[:, place] * (source.says[each, suggested] - source.says[each, given])
            for place, source in enumerate(self.sources)
        }
        return {name: log_odds - self.shift if name == PHOTO else log_odds for name, log_odds in said.items()}


def believe(evidence: Evidence, sources: Sequence[Source]) -> Belief | None:
    """Fuse some or all sources of the evidence.

    Parameters
    ----------
    evidence : Evidence
    sources : sequence of Source
        Those of the evidence that have a say; see :attr:`curation.evidence.evidence.Evidence.belief` for that of all.

    Returns
    -------
    Belief or None
        None where no given label can be judged.
    """
    if not sources or len(evidence.classes) < 2:
        return None
    given, rows = evidence.given, evidence.rows_to_learn_from
    known = np.logical_or.reduce([source.known for source in sources])
    judged = known & evidence.class_seen
    learnt = rows[judged[rows]]
    if not len(learnt):
        return None
    fold, sizes = evidence.fold, class_sizes(evidence)
    weights = learn_weights(sources, sizes, given, fold, learnt)
    logs = fuse(sources, sizes, weights, fold, brought=evidence.brought)
    counts, shift = weights[fold, : len(sources)], np.zeros(len(given))
    if evidence.in_fold is not None and sources[0].name == PHOTO:
        shift = counts[:, 0] * IN_FOLD_SHARE * _in_fold_shift(evidence, evidence.in_fold, sources[0], sizes)
        logs[np.arange(len(given)), np.maximum(given, 0)] += shift
    factor = temperature(logs[learnt], given[learnt])
    # in place: with many classes, these are the largest arrays there are
    logs *= factor
    return Belief(logs, sources, factor * counts, factor * shift, known, judged, learnt)


def _in_fold_shift(evidence: Evidence, in_fold: npt.NDArray[np.float32], photo: Source, sizes: Floats) -> Floats:
    """Return how in-fold margins differ from out-of-fold ones, brought to the same centre and spread; shape (N,).

    Every model believes a label that it was trained on a little more; what tells is how much less than others. Listings
    that trained no model are compared among themselves.
    """
    label, shift = np.maximum(evidence.given, 0), np.zeros(len(evidence.given))
    known = photo.known & (evidence.given >= 0)
    left = (1 - SIZES_FORGOTTEN) * sizes
    out = margins(photo.says + left, label)
    within = margins(np.nan_to_num(in_fold.astype(np.float64)) - sizes + left, label)
    for rows in (known & evidence.may_train, known & ~evidence.may_train):
        if not rows.any():
            continue
        spread, spread_within = median_abs_deviation(out[rows]), median_abs_deviation(within[rows])
        if spread_within > 0:
            centred = within[rows] - np.median(within[rows])
            shift[rows] = centred * spread / spread_within + np.median(out[rows]) - out[rows]
    return shift
