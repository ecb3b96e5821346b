"""`verify` looks at the files of a comparison, and `status` calls nothing compared that can't be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from curation import Run
from tests.support.tiny import tiny_run

_SCORES = {"before": {"macro_f1": 0.5}, "after": {"macro_f1": 0.6}, "difference": {"mean": 0.1, "low": 0, "high": 0.2}}
_FACTS = {"verdict": "better", "test_listings": 2, "seeds": [0], "model": "resnet18"}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = tiny_run(tmp_path)
    run.decide("L01", "delete", reviewer="ana")
    run.apply_fixes()
    write(run.folder)
    return run


def write(folder: Path) -> None:
    (folder / "comparison.json").write_text(json.dumps({**_SCORES, **_FACTS}))
    arrays = {"id": ["L02", "L03"], "classes": ["chair", "desk"], "before": [[0, 1]], "after": [[1, 1]]}
    np.savez_compressed(folder / "predictions.npz", **{name: np.array(value) for name, value in arrays.items()})


def test_a_sound_comparison_is_compared(run: Run) -> None:
    assert run.verify().ok
    assert run.status().compared


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"after": 1e999}', b"\0" * 100])
def test_a_comparison_that_can_not_be_read_is_named_and_not_called_compared(content: bytes, run: Run) -> None:
    (run.folder / "comparison.json").write_bytes(content)
    (flaw,) = run.verify().faults
    assert flaw.where == "comparison.json"
    assert "`retrain(compare=True)`" in flaw.fix
    assert (run.status().compared, run.status().step) == (False, "retrain")


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:100])


@pytest.mark.parametrize("harm", [_cut, Path.unlink, lambda file: file.write_bytes(b"")])
def test_predictions_that_are_damaged_or_gone_are_named(harm: Callable[[Path], object], run: Run) -> None:
    harm(run.folder / "predictions.npz")
    assert [flaw.where for flaw in run.verify().faults] == ["predictions.npz"]


def test_predictions_of_other_listings_or_classes_are_named(run: Run) -> None:
    arrays = {"id": ["L02"], "classes": ["chair"], "before": [[0, 1]], "after": [[1, 1]]}
    np.savez_compressed(run.folder / "predictions.npz", **{name: np.array(value) for name, value in arrays.items()})
    (flaw,) = run.verify().faults
    assert flaw.what == "is damaged: before has the shape (1, 2), for 1 ids"


def test_the_comparison_of_an_earlier_version_is_looked_at_too(run: Run) -> None:
    run.apply_fixes()
    assert run.verify().ok
    (run.folder / "versions/0001/comparison.json").write_text("{")
    assert [flaw.where for flaw in run.verify().faults] == ["versions/0001/comparison.json"]
