"""Decisions of an earlier run, taken over into a new one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from curation.run.carry_over import EARLIER, carry_over
from curation.run.conflicts import conflicts
from curation.run.folder import RunFolder
from curation.run.journal import UNDO, Decision, current_decisions
from curation.run.journal_file import append
from training.utils.files import write_json

TIME = "2026-01-02T03:04:05.000+00:00"


def make(folder: Path, number: int, **changes: Any) -> RunFolder:
    """Write a run of five listings that find-issues would have made `number` days into the year."""
    run = RunFolder(folder / "runs" / "shop" / str(number))
    run.folder.mkdir(parents=True)
    table = pd.DataFrame(
        {"id": list("abcde"), "label": ["chair", "desk", "lamp", "chair", None], "sha256": ["1", "2", "3", "4", None]}
    )
    for column in ("id", "label", "sha256"):
        table[column] = changes.get(column, table[column])
    table.to_parquet(run.listings_file)
    dataset = {
        "name": changes.get("name", "shop"),
        "path": changes.get("path", str(folder / "shop")),
        "classes": changes.get("classes", ["chair", "desk", "lamp"]),
    }
    record = {"format": 1, "status": "finished", "started": f"2026-01-{number:02d}", "dataset": dataset}
    write_json(run.record_file, record)
    return run


def decided(id: str, action: str = "keep", new_label: str | None = None, **other: str) -> Decision:
    return Decision(id, action, new_label, other.get("by", "ana"), TIME, other.get("source", "app"), other.get("note"))


@pytest.fixture
def first(tmp_path: Path) -> RunFolder:
    run = make(tmp_path, 1)
    run.decide(
        [decided("a", note="sure"), decided("b", "relabel", "lamp"), decided("c", "delete"), decided("e", "ambiguous")]
    )
    return run


def test_what_still_applies_is_taken_over_with_reviewer_time_and_note(first, tmp_path):
    run = make(tmp_path, 2)
    result = carry_over(run)
    taken, _ = run.decisions()
    assert [decision.id for decision in taken] == ["a", "b", "c", "e"]
    assert taken[0] == Decision("a", "keep", None, "ana", TIME, EARLIER, "sure")
    assert result is not None
    assert tuple(taken) == result.taken
    assert result.left == {}
    assert "4 decisions of" in str(result)
    assert run.record()["carried_over"] == {"from": str(first.folder), "taken": 4, "left": {}}


def test_what_no_longer_applies_stays_behind_with_its_reason(first, tmp_path):
    run = make(tmp_path, 2, label=["chair", "desk", "desk", "chair", None], sha256=["9", "2", "3", "4", None])
    result = carry_over(run)
    assert result is not None
    assert [decision.id for decision in run.decisions()[0]] == ["b", "e"]
    assert result.left == {"a": "another photo", "c": "another given label"}
    assert "2 decisions of" in str(result)
    assert "2 do not: another photo (a); another given label (c)." in str(result)
    assert "\n" not in str(result)


def test_decisions_on_missing_listings_and_classes_stay_behind(first, tmp_path):
    run = make(tmp_path, 2, id=list("zbcde"), classes=["chair", "desk"])
    result = carry_over(run)
    assert result is not None
    assert result.left == {"a": "the listing no longer exists", "b": "no class 'lamp'"}


def test_it_happens_once_also_after_everything_was_undone(first, tmp_path):
    run = make(tmp_path, 2)
    assert carry_over(run) is not None
    run.decide([decided(id, UNDO) for id in "abce"])
    assert carry_over(run) is None
    assert current_decisions(run.decisions()[0]) == {}


def test_two_reviewers_who_open_a_run_at_once_take_over_once(first, tmp_path):
    run = make(tmp_path, 2)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: carry_over(run), range(8)))
    assert len(run.decisions()[0]) == 4


def test_what_somebody_says_in_the_new_run_meanwhile_is_the_later_word(first, tmp_path, monkeypatch):
    run = make(tmp_path, 2)
    read = RunFolder.listings

    def read_and_then_a_colleague_decides(self):
        if self == run:
            append(run.journal, [decided("a", "delete")])
        return read(self)

    monkeypatch.setattr(RunFolder, "listings", read_and_then_a_colleague_decides)
    assert carry_over(run) is None
    assert [(each.id, each.action) for each in run.decisions()[0]] == [("a", "delete")]


def test_an_undone_decision_leaves_its_listing_undecided_in_the_new_run(first, tmp_path):
    first.decide([decided("a", "delete")])
    run = make(tmp_path, 2)
    carry_over(run)
    run.decide([decided("a", UNDO)])
    assert current_decisions(run.decisions()[0]).keys() == {"b", "c", "e"}


def test_what_was_undone_or_accepted_unseen_is_not_taken(first, tmp_path):
    first.decide([decided("a", UNDO), decided("d", "relabel", "desk", source="suggestion")])
    run = make(tmp_path, 2)
    result = carry_over(run)
    assert result is not None
    assert [decision.id for decision in result.taken] == ["b", "c", "e"]
    assert result.left == {"d": "accepted without a review"}


def test_the_latest_run_that_has_decisions_counts(first, tmp_path):
    make(tmp_path, 2).decide([decided("d")])
    make(tmp_path, 3)
    run = make(tmp_path, 10)
    result = carry_over(run)
    assert result is not None
    assert result.earlier.name == "2"
    assert [decision.id for decision in result.taken] == ["d"]


@pytest.mark.parametrize(("name", "path", "taken"), [("shop", "/elsewhere", 4), ("other", "/elsewhere", 0)])
def test_another_dataset_gives_nothing(first, tmp_path, name, path, taken):
    result = carry_over(make(tmp_path, 2, name=name, path=path))
    assert (len(result.taken) if result else 0) == taken


def test_a_later_run_a_damaged_one_and_one_without_a_table_give_nothing(first, tmp_path):
    run = make(tmp_path, 2)
    make(tmp_path, 3).decide([decided("d")])
    broken = tmp_path / "runs" / "shop" / "4"
    broken.mkdir()
    (broken / "run.json").write_text("{")
    first.listings_file.unlink()
    result = carry_over(run)
    assert result is not None
    assert (result.earlier, result.taken) == (first.folder, ())
    assert set(result.left.values()) == {"the earlier run does not know the listing"}
    assert not run.journal.exists()


def test_a_run_with_a_journal_is_left_alone_also_when_its_lines_are_damaged(first, tmp_path):
    run = make(tmp_path, 2)
    run.journal.write_text("no record\n")
    assert carry_over(run) is None
    assert run.journal.read_text() == "no record\n"


def test_reviewers_disagree_while_their_latest_standing_words_differ():
    ana, ben = decided("a"), decided("a", "relabel", "desk", by="ben")
    assert conflicts([ana, ben]).keys() == {"a"}
    assert conflicts([ana, decided("b", "delete", by="ben")]) == {}
    assert conflicts([ana, decided("a", "delete")]) == {}  # one person may change their mind
    assert conflicts([ana, ben, decided("a", "relabel", "lamp", by="ben")]).keys() == {"a"}
    assert conflicts([ana, ben, decided("a", by="ben")]) == {}
    assert conflicts([ana, ben, decided("a", UNDO, by="ben")]) == {}


def test_a_price_is_taken_over_unless_it_has_changed_and_a_new_class_becomes_one_of_the_run(tmp_path: Path) -> None:
    prices = pd.Series([1.0, 2.0, 3.0, 4.0, None])
    earlier, later = (
        make(tmp_path, number, classes=classes) for number, classes in ((1, ["chair"]), (2, ["chair", "sofa"]))
    )
    earlier.write_table(earlier.listings_file, earlier.listings().assign(price=prices))
    later.write_table(later.listings_file, later.listings().assign(price=prices.replace(2.0, 2.5)))
    sofa, bed = (replace(decided(id, "relabel", name), new_class=True) for id, name in (("c", "sofa"), ("d", "bed")))
    repriced = [replace(decided(id, "reprice"), new_price=9.0) for id in "ab"]
    earlier.decide([*repriced, sofa, bed, decided("e", "keep")])
    carried = carry_over(later)
    assert [(each.id, *each.meaning, each.new_class) for each in carried.taken] == [
        ("a", "reprice", None, 9.0, False),
        ("c", "relabel", "sofa", None, False),
        ("d", "relabel", "bed", None, True),
    ]
    assert carried.left == {"b": "another price", "e": "no label to keep"}


def test_reviewers_who_name_two_prices_disagree() -> None:
    ana, ben = (
        replace(decided("a", "reprice", by=name), new_price=price) for name, price in (("ana", 1.0), ("ben", 2.0))
    )
    assert conflicts([ana, ben]).keys() == {"a"}
    assert conflicts([ana, replace(ben, new_price=1.0)]) == {}


def test_what_reviewers_disagree_on_is_taken_over_with_each_ones_word(tmp_path: Path) -> None:
    earlier, later = make(tmp_path, 1), make(tmp_path, 2)
    earlier.decide([decided("a"), decided("b", "delete"), replace(decided("a", "delete", by="ben"), saw=False)])
    carried = carry_over(later)
    assert [(each.id, each.reviewer, each.action) for each in carried.taken] == [
        ("a", "ana", "keep"),
        ("a", "ben", "delete"),
        ("b", "ana", "delete"),
    ]
    assert later.holding_decisions().conflicts.keys() == {"a"}
