"""The user's probabilities for listings whose labels were merged: of the classes as they are, or as they were."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from curation.errors import ProbabilitiesError
from curation.evidence.photo_ids import names_of_photos
from curation.evidence.probabilities import Given, Probabilities, given_probabilities
from curation.listings import Listings
from curation.listings.labels import UNMERGED
from training.utils.progress import SILENT, Reporter

__all__ = ["probabilities_of"]


def probabilities_of(listings: Listings, given: Given, reporter: Reporter = SILENT) -> Probabilities:
    """Return the user's probabilities, in the order of the listings and of the classes as they are used.

    A model that was trained before labels were merged has a column for every old name; those that became one class are
    added up.

    Parameters
    ----------
    listings : Listings
        Perhaps with merged labels.
    given : Path, DataFrame, ndarray or Probabilities
        See :func:`curation.evidence.probabilities.given_probabilities`.
    reporter : Reporter
        Is told how they were read, where that was not certain.

    Raises
    ------
    ProbabilitiesError
        If they fit neither the labels as they are used nor as they were.
    """
    try:
        probabilities = _read(listings, given, "label", reporter)
    except ProbabilitiesError as error:
        if not listings.merged:
            raise
        try:
            probabilities = _read(listings, given, UNMERGED, reporter)
        except ProbabilitiesError:
            raise error from None
    return _added(probabilities, {each.old.strip(): each.new for each in listings.merged})


def _read(listings: Listings, given: Given, labels: str, reporter: Reporter) -> Probabilities:
    table = listings.table
    given_labels = table[labels].str.strip().astype(object).where(table[labels].notna(), None)
    own = listings.columns.get("id", "id")
    photos = names_of_photos(table)
    return given_probabilities(
        given, table["id"].tolist(), given_labels.tolist(), id_column=own, photos=photos, reporter=reporter
    )


def _added(probabilities: Probabilities, names: dict[str, str]) -> Probabilities:
    """Return probabilities with the columns of merged classes added up."""
    if not set(names) & set(probabilities.classes):
        return probabilities
    used = [names.get(name, name) for name in probabilities.classes]
    classes = tuple(dict.fromkeys(used))
    probs = np.zeros((len(probabilities.ids), len(classes)))
    for column, name in enumerate(used):
        probs[:, classes.index(name)] += probabilities.probs[:, column]
    return replace(probabilities, classes=classes, probs=probs)
