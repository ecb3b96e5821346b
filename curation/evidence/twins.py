"""Twins as one class: what is known about several spellings of a name, added up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from curation.evidence.fitted import Values
from curation.listings.twins import count_labels, find_twins

if TYPE_CHECKING:
    # evidence.py imports this module
    from curation.evidence.evidence import Evidence

__all__ = ["twins_as_one"]


def twins_as_one(evidence: Evidence) -> Evidence:
    """Return the evidence with one class for all spellings of a name; without twins, the evidence itself.

    A model can't tell "Laptop" from "laptop", so it splits its belief between them, and each looks like an error for
    the other. See :func:`curation.listings.twins.find_twins` for what counts as a spelling. The table of listings stays
    as it is.
    """
    spellings = {**evidence.spellings, **_spellings(evidence)}
    if not spellings:
        return evidence
    classes = tuple(name for name in evidence.classes if name not in spellings)
    number = {name: place for place, name in enumerate(classes)}
    members: list[list[int]] = [[] for _ in classes]
    # by name: the last digits of a sum depend on its order
    for column, name in sorted(enumerate(evidence.classes), key=lambda pair: pair[1]):
        members[number[spellings.get(name, name)]].append(column)

    def added(values: npt.NDArray[Any] | None, add: Callable[..., Any]) -> Any:
        if values is None:
            return None
        result = values[:, [columns[0] for columns in members]].copy()
        for place, columns in enumerate(members):
            if len(columns) > 1:
                result[:, place] = add(values[:, columns], axis=1)
        return result

    return replace(
        evidence,
        classes=classes,
        probs=added(evidence.probs, np.sum),
        trained=added(evidence.trained, np.any),
        in_fold=added(evidence.in_fold, logsumexp),
        neighbours=added(evidence.neighbours, np.sum),
        refitted=added(evidence.refitted, np.sum),
        posted=added(evidence.posted, np.sum),
        spellings=spellings,
    )


def _spellings(evidence: Evidence) -> dict[str, str]:
    """Return the labels that are other spellings of a class, and the class of each."""

    def learn() -> Values:
        counts = count_labels(evidence.listings["label"], evidence.classes)
        twins = find_twins({name: counts[name] for name in evidence.classes})
        pairs = [(other, each.name) for each in twins for other in each.others]
        return {"of": np.array([pair for names in pairs for pair in names], dtype=np.str_)}

    names = evidence.fit("spellings", learn)["of"].tolist()
    return dict(zip(names[::2], names[1::2], strict=True))
