"""Which class is predicted for which label, before and after: matrices for a few classes, the worst pairs for many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from curation.comparison.scored import Confused
from curation.rendering.words import number, signed
from training.utils.arrays import Bool, Float64

__all__ = ["confusion"]


#: Nobody can read a larger matrix.
MOST_CLASSES = 25
_PAIRS = 20
#: The darkest cell: text on it stays readable on a light and on a dark page.
_DEEPEST = 0.7


def confusion(pairs: Sequence[Confused], classes: Sequence[str]) -> dict[str, Any] | None:
    """Return what the template shows of the confusion.

    Parameters
    ----------
    pairs : sequence of Confused
        Of the comparison.
    classes : sequence of str
        The order of the classes; classes that do not occur are left out.

    Returns
    -------
    dict or None
        ``classes``, their number; ``matrices`` (``title``, ``names``, ``rows``) for up to 25 classes, else empty;
        ``pairs``, the worst ones, for more, else empty. None without any pair.
    """
    if not pairs:
        return None
    occurring = {name for pair in pairs for name in (pair.label, pair.predicted)}
    names = [name for name in classes if name in occurring] + sorted(occurring - set(classes))
    few = len(names) <= MOST_CLASSES
    return {
        "classes": len(names),
        "matrices": _matrices(pairs, names) if few else [],
        "pairs": [] if few else _worst(pairs),
    }


def _matrices(pairs: Sequence[Confused], names: Sequence[str]) -> list[dict[str, Any]]:
    place = {name: row for row, name in enumerate(names)}
    before, after = np.zeros((2, len(names), len(names)))
    for pair in pairs:
        cell = place[pair.label], place[pair.predicted]
        before[cell], after[cell] = pair.before, pair.after
    change = after - before
    right = np.eye(len(names), dtype=bool)
    # more right predictions are good, more wrong ones are bad
    better = (change > 0) == right
    return [
        {"title": "Before", "names": names, "rows": _rows(names, before, _shares(before), right, number)},
        {"title": "After", "names": names, "rows": _rows(names, after, _shares(after), right, number)},
        {
            "title": "Difference",
            "names": names,
            "rows": _rows(names, change, np.abs(change) / max(np.abs(change).max(), 1e-9), better, _change),
        },
    ]


def _shares(counts: Float64) -> Float64:
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-9))


def _rows(names: Sequence[str], counts: Float64, shares: Float64, good: Bool, write: Any) -> list[dict[str, Any]]:
    # the square root, so that a few errors among many right predictions still have a colour
    depth = _DEEPEST * np.sqrt(shares)
    return [
        {
            "name": name,
            "cells": [
                {
                    "text": write(counts[row, column]) if round(float(counts[row, column]), 1) else "",
                    "good": bool(good[row, column]),
                    "depth": f"{depth[row, column]:.2f}",
                }
                for column in range(len(names))
            ],
        }
        for row, name in enumerate(names)
    ]


def _change(value: float) -> str:
    return signed(value, 0 if round(value, 1) == round(value) else 1)


def _worst(pairs: Sequence[Confused]) -> list[dict[str, str]]:
    wrong = [pair for pair in pairs if pair.label != pair.predicted]
    wrong.sort(key=lambda pair: (-max(pair.before, pair.after), pair.label, pair.predicted))
    return [
        {
            "label": pair.label,
            "predicted": pair.predicted,
            "before": number(pair.before),
            "after": number(pair.after),
            "difference": _change(pair.after - pair.before),
        }
        for pair in wrong[:_PAIRS]
    ]
