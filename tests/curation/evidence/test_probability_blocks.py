"""Probabilities are read, checked and written a block at a time, and come out as if all at once."""

import numpy as np
import pytest

from curation.evidence.probabilities import given_probabilities
from curation.run.probabilities import Probabilities
from training.utils import blocks

IDS = [f"L{row:02}" for row in range(40)]
CLASSES = ["chair", "desk", "lamp"]
LABELS = [CLASSES[row % 3] for row in range(40)]
WAYS = {
    "probabilities": lambda probs: probs,
    "half floats": lambda probs: probs.astype(np.float16),
    "percentages": lambda probs: 100 * probs,
    "rounded percentages": lambda probs: (100 * probs).round(1),
    "log-probabilities": np.log,
    "classes": lambda probs: np.eye(3)[probs.argmax(axis=1)],
}


def probabilities():
    rng = np.random.default_rng(0)
    probs = rng.dirichlet([0.5, 0.5, 0.5], 40) * 0.5
    probs[np.arange(40), np.arange(40) % 3] += 0.5
    probs[[3, 17]] = np.nan
    return probs


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("saved", [np.savez, np.savez_compressed])
def test_blocks_give_what_all_rows_at_once_give(name, saved, tmp_path, monkeypatch):
    order = np.random.default_rng(1).permutation(40)
    values = WAYS[name](probabilities())
    values[[3, 17]] = np.nan
    saved(tmp_path / "p.npz", id=np.array(IDS)[order], classes=np.array(CLASSES), probs=values[order])
    notes, read = {}, {}
    for rows in (100, 7):
        monkeypatch.setattr(blocks, "_ROWS", rows)
        notes[rows] = []
        read[rows] = given_probabilities(tmp_path / "p.npz", IDS, LABELS, reporter=Told(notes[rows]))
    np.testing.assert_array_equal(read[7].probs, read[100].probs)
    assert read[7].probs.dtype == np.float32
    assert np.isnan(read[7].probs[[3, 17]]).all()
    assert notes[7] == notes[100]
    if name not in ("classes", "rounded percentages"):
        assert read[7].probs == pytest.approx(probabilities(), rel=2e-3, nan_ok=True)


class Told:
    """A reporter that keeps what it is told."""

    def __init__(self, notes):
        self.say = notes.append


def test_the_rows_of_a_file_are_written_in_the_order_that_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "_ROWS", 7)
    probs, order = probabilities(), np.random.default_rng(1).permutation(40)
    Probabilities(np.array(IDS), tuple(CLASSES), probs, np.arange(40)).save(tmp_path / "p.npz", order)
    read = Probabilities.load(tmp_path / "p.npz")
    assert read.ids.tolist() == [IDS[row] for row in order]
    assert read.fold.tolist() == order.tolist()
    np.testing.assert_array_equal(read.probs, probs[order].astype(np.float32))


def test_probabilities_that_are_in_order_are_not_copied():
    held = Probabilities(np.array(IDS), tuple(CLASSES), probabilities(), np.arange(40))
    assert held.in_order(IDS, CLASSES) is held
    assert held.in_order(IDS[::-1], CLASSES).ids.tolist() == IDS[::-1]
