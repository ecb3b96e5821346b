"""One decision on several listings."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.errors import DecisionsError
from curation.run.decisions import decide, misfit
from curation.run.folder import RunFolder
from curation.run.journal import reviewer_name
from tests.support.fixes import (
    CLASSES,
    decided,
    make_run,
)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path)


def test_one_decision_on_several_listings_relabels_each_as_suggested_or_all_as_named(run: RunFolder) -> None:
    decide(run, ["00", "01"], "relabel", label=None, reviewer="ana", note="")
    decide(run, ["02", "03"], "relabel", label="NA", reviewer="ben", note="both are lamps")
    decide(run, ["06"], "keep", label=None, reviewer=None, note="")
    records = run.decisions()[0]
    assert [(each.id, each.action, each.new_label, each.suggested_label, each.note) for each in records] == [
        ("00", "relabel", "desk", "desk", None),
        ("01", "relabel", "NA", "NA", None),
        ("02", "relabel", "NA", "chair", "both are lamps"),
        ("03", "relabel", "NA", "chair", "both are lamps"),
        ("06", "keep", None, "desk", None),
    ]
    assert [each.reviewer for each in records] == ["ana", "ana", "ben", "ben", reviewer_name()]
    with pytest.raises(DecisionsError, match="a label has no effect"):
        decide(run, ["00"], "keep", label="desk", reviewer="ana", note="")


def test_only_a_relabel_to_an_unknown_class_and_an_unknown_action_mean_nothing() -> None:
    assert misfit(decided("00", "keep"), CLASSES) == ""
    assert misfit(decided("00", "relabel", "desk"), CLASSES) == ""
    assert misfit(decided("00", "relabel", "sofa"), CLASSES) == "no class 'sofa'"
    assert misfit(decided("00", "relable", "desk"), CLASSES) == "unknown action 'relable'"
