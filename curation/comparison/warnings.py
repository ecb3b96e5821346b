"""What weakens a comparison: a small test set, classes without test listings, doubtful test labels, a single seed."""

from __future__ import annotations

import numpy as np

from curation.comparison.versions import AFTER, Versions
from curation.errors import some
from curation.rendering.words import agree, many

__all__ = ["warnings_of"]

#: Below this, an interval is wider than any effect of cleaning.
_SMALL_TEST_SET, _SMALL_CLASS = 50, 5
#: Share of doubtful test labels from which on they hide what cleaning does.
_DOUBTFUL = 0.05
_SAMPLE = "`review_page(test=True, budget=200)`"


def warnings_of(versions: Versions, seeds: int, *, drawn: bool = False) -> list[str]:
    """Return what weakens a comparison, in plain sentences.

    Parameters
    ----------
    versions : Versions
        What is compared.
    seeds : int
        Number of models of each version.
    drawn : bool
        Whether test listings were drawn for a review.
    """
    classes, warnings = np.array(versions.classes), list(versions.damaged)
    tested = np.bincount(versions.given, minlength=len(classes))
    if len(versions.test) < _SMALL_TEST_SET:
        warnings.append(f"the test set has only {many(len(versions.test), 'listing')}: expect wide intervals")
    if (tested == 0).any():
        warnings.append(f"macro-F1 leaves out classes without test listings: {some(classes[tested == 0])}")
    few = (tested > 0) & (tested < _SMALL_CLASS)
    if few.any():
        warnings.append(
            f"F1 is unreliable with fewer than {_SMALL_CLASS} test listings of a class: {some(classes[few])}"
        )
    before, after = (
        np.bincount(labels[labels >= 0], minlength=len(classes)) for labels in (versions.before, versions.after)
    )
    lost = (before > 0) & (after == 0)
    if AFTER in versions.names and lost.any():
        warnings.append(
            "the models after the fixes can't predict classes without training listings in the cleaned dataset: "
            f"{some(classes[lost])}"
        )
    if versions.doubted > _DOUBTFUL * len(versions.test):
        warnings.append(
            f"{versions.doubted} of {len(versions.test)} test labels {agree(versions.doubted, 'is', 'are')} flagged as "
            "wrong and undecided" + ("" if drawn else f": to compare on true labels, review a sample, with {_SAMPLE}")
        )
    if seeds == 1:
        warnings.append("with one seed the interval covers the randomness of the test set, but not that of training")
    return warnings
