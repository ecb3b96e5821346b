"""What is in ``cleaned/`` is the journal replayed over the input."""

from __future__ import annotations

import random
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.fixes import make_run
from tests.torture import histories


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    steps=st.lists(st.sampled_from(sorted(set(histories.STEPS))), min_size=4, max_size=10), seed=st.integers(0, 1 << 16)
)
def test_cleaned_is_the_journal_replayed_over_the_input(steps: list[str], seed: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        history, draw = histories.History(make_run(Path(scratch)).folder), random.Random(seed)
        for step in steps:
            history.step(step, draw)


def test_whatever_is_killed_it_never_began_or_has_finished() -> None:
    tally = histories.run(24, seed=1, jobs=1)
    assert tally.clean, tally.faults
    assert tally.tried >= 24


def test_a_version_that_the_journal_does_not_explain_is_noticed(tmp_path: Path) -> None:
    history, draw = histories.History(make_run(tmp_path).folder), random.Random(0)
    history.step("suggestions", draw)
    shutil.rmtree(history.run.cleaned)
    with pytest.raises(AssertionError):
        history.check(history.model)
