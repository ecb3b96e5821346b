"""Evidence made by hand: a few listings of which a test says what it needs."""

from typing import Any

import numpy as np
import pandas as pd

from curation.evidence.evidence import Evidence
from tests.support.photo_facts import nothing_found
from training.utils.arrays import Float64

CLASSES = ("cable", "laptop", "mouse")


def evidence_of(labels: list[str | None], classes: tuple[str, ...] = CLASSES, **given: Any) -> Evidence:
    """Return evidence of listings L000, L001 and so on, in folds 0 and 1 in turn.

    What is not given is missing, the probabilities too. Arrays of the evidence (``probs``, ``features`` ...) are taken
    as such; anything else is a column.
    """
    n = len(labels)
    own = {name: given.pop(name) for name in list(given) if name in Evidence.__dataclass_fields__}
    listings = pd.DataFrame(
        {
            "id": pd.array([f"L{row:03}" for row in range(n)], dtype="string"),
            "image": pd.array([f"{row}.jpg" for row in range(n)], dtype="string"),
            "label": pd.array(labels, dtype="string"),
            "price": np.nan,
            "title": pd.array([pd.NA] * n, dtype="string"),
            "group": pd.array([pd.NA] * n, dtype="string"),
            "split": pd.array(["train"] * n, dtype="string"),
            "fold": np.arange(n) % 2,
            "sha256": pd.array([f"hash {row}" for row in range(n)], dtype="string"),
            "unreadable": pd.array([pd.NA] * n, dtype="string"),
            **nothing_found(n),
        }
    )
    own.setdefault("probs", np.full((n, len(classes)), np.nan))
    own.setdefault("trained", np.ones((n, len(classes)), dtype=bool))
    return Evidence(listings.assign(**given), classes, **own)


def sure_of(numbers: list[int], chance: float = 0.8, classes: int = 3) -> Float64:
    """Return probabilities: this chance for each number, the rest in equal parts."""
    probs = np.full((len(numbers), classes), (1 - chance) / (classes - 1))
    probs[np.arange(len(numbers)), numbers] = chance
    return probs
