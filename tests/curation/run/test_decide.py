"""One decision on several listings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from curation.errors import DecisionsError
from curation.run.decidable import misfit
from curation.run.decisions import decide
from curation.run.folder import RunFolder
from curation.run.journal import reviewer_name
from curation.run.journal_content import Journal
from tests.support.fixes import (
    CLASSES,
    decided,
    make_run,
)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path)


def test_one_decision_on_several_listings_relabels_each_as_suggested_or_all_as_named(run: RunFolder) -> None:
    run.write_table(run.issues_file, run.issues().assign(suggested_confidence=1.0))
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


@pytest.mark.parametrize(
    ("ids", "column", "value", "why"),
    [
        (["00"], "suggested_label", None, "no label is suggested for 1 listing"),
        (["00", "01"], "suggested_label", None, "no label is suggested for 1 listing"),
        (["00", "01"], "suggested_confidence", 0.0, "the suggestion is no likelier than the label for 1 listing"),
    ],
)
def test_what_has_no_suggestion_to_take_is_named_and_nothing_is_recorded(
    run: RunFolder, ids: list[str], column: str, value: object, why: str
) -> None:
    issues = run.issues().assign(suggested_confidence=1.0)
    issues.loc[issues["id"] == "00", column] = value
    run.write_table(run.issues_file, issues)
    with pytest.raises(DecisionsError, match=f"{why}.*00.*label"):
        decide(run, ids, "relabel", reviewer="ana")
    assert run.decisions()[0] == []


def test_one_listing_takes_a_suggestion_that_is_no_likelier_than_its_label(run: RunFolder) -> None:
    run.write_table(run.issues_file, run.issues().assign(suggested_confidence=0.0))
    decide(run, ["00"], "relabel", reviewer="ana")
    assert run.decisions()[0][0].new_label == "desk"


def test_only_a_relabel_to_an_unknown_class_and_an_unknown_action_mean_nothing() -> None:
    assert misfit(decided("00", "keep"), CLASSES, "chair") == ""
    assert misfit(decided("00", "keep"), CLASSES, None) == "no label to keep"
    assert misfit(decided("00", "ambiguous"), CLASSES, None) == ""
    assert misfit(decided("00", "relabel", "desk"), CLASSES, "chair") == ""
    assert misfit(decided("00", "relabel", "sofa"), CLASSES, "chair") == "no class 'sofa'"
    assert misfit(replace(decided("00", "relabel", "sofa"), new_class=True), CLASSES, "chair") == ""
    assert misfit(decided("00", "reprice"), CLASSES, "chair") == "no price"
    assert misfit(decided("00", "relable", "desk"), CLASSES, "chair") == "unknown action 'relable'"


def records(run: RunFolder) -> list[tuple[object, ...]]:
    return [(each.id, *each.meaning, each.new_class) for each in run.decisions()[0]]


@pytest.mark.parametrize("price", [10, 10.0, "10", "S$ 10.00", "$10", "10 SGD", " 10,00 "])
def test_a_price_is_corrected_as_a_number_or_as_sellers_write_it(price: float | str, run: RunFolder) -> None:
    decide(run, ["00", "04"], "reprice", price=price)
    assert records(run) == [("00", "reprice", None, 10.0, False), ("04", "reprice", None, 10.0, False)]


@pytest.mark.parametrize("price", [0, 10**15, "1000000000000000"])
def test_the_least_and_the_largest_price_are_prices(price: float | str, run: RunFolder) -> None:
    decide(run, ["00"], "reprice", price=price)
    assert records(run) == [("00", "reprice", None, float(price), False)]


@pytest.mark.parametrize(
    ("price", "match"),
    [
        (-1, "a new price must be a number from 0 to 1,000,000,000,000,000: got -1"),
        (1e15 + 1, "a new price must be a number from 0 to 1,000,000,000,000,000: got 1000000000000001"),
        (1e308, "a new price must be a number from 0 to 1,000,000,000,000,000: got 1e.308"),
        ("1e26", "a new price must be a number from 0 to 1,000,000,000,000,000: got '1e26'"),
        (float("inf"), "a new price must be a number from 0 to 1,000,000,000,000,000: got inf"),
        (float("nan"), "a new price must be a number from 0 to 1,000,000,000,000,000: got nan"),
        ("inf", "a new price must be a number from 0 to 1,000,000,000,000,000: got 'inf'"),
        ("-3", "got '-3'"),
        ("", "got ''"),
        ("ten", "got 'ten'"),
        ("POA", "got 'POA'"),
        ("\ud8005", r"got '.ud8005'"),
        ("£10", "the prices of this dataset are in SGD: got a new price in GBP"),
        (None, r"listing 00 can't be repriced: got no price; .*so name one"),
    ],
)
def test_what_is_no_price_is_refused(price: float | str | None, match: str, run: RunFolder) -> None:
    with pytest.raises(DecisionsError, match=match):
        decide(run, ["00"], "reprice", price=price)
    assert run.decisions() == ([], [])


@pytest.mark.parametrize("action", ["keep", "delete"])
def test_a_price_beside_another_decision_is_refused(action: str, run: RunFolder) -> None:
    with pytest.raises(DecisionsError, match=f"listing 00 gets no price: got {action} with the price 10; .* reprice"):
        decide(run, ["00"], action, price=10)


def test_a_listing_is_repriced_as_suggested_unless_a_price_is_named(run: RunFolder) -> None:
    issues = run.issues()
    issues.loc[issues["id"] == "00", "suggested_price"] = 95.0
    run.write_table(run.issues_file, issues)
    decide(run, ["00"], "reprice")
    decide(run, ["00"], "reprice", price=90)
    assert [(each.new_price, each.suggested_price) for each in run.decisions()[0]] == [(95.0, 95.0), (90.0, 95.0)]


def test_a_dataset_without_prices_has_none_to_correct(run: RunFolder) -> None:
    run.write_table(run.issues_file, run.issues().assign(price=float("nan")))
    with pytest.raises(DecisionsError, match="listing 00 can't be repriced: this dataset has no prices"):
        decide(run, ["00"], "reprice", price=10)


def test_a_label_and_a_price_are_both_corrected_in_any_order(run: RunFolder) -> None:
    decide(run, ["00"], "relabel", label="desk")
    decide(run, ["00"], "reprice", price=10)
    decide(run, ["01"], "reprice", price=20)
    decide(run, ["01"], "ambiguous")
    decide(run, ["05"], "reprice", price=30)
    decide(run, ["05"], "keep")
    holding = run.holding_decisions().decisions
    assert {id: each.meaning for id, each in holding.items()} == {
        "00": ("relabel", "desk", 10.0),
        "01": ("ambiguous", None, 20.0),
        "05": ("keep", None, None),
    }
    decide(run, ["00", "01"], "undo")
    holding = run.holding_decisions().decisions
    assert [holding[id].meaning for id in ("00", "01")] == [("relabel", "desk", None), ("reprice", None, 20.0)]


def test_what_a_colleague_says_at_the_same_moment_is_joined_and_not_lost(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = RunFolder.judged_journal

    def read_and_then_a_colleague_decides(self: RunFolder) -> Journal:
        journal = read(self)
        monkeypatch.setattr(RunFolder, "judged_journal", read)
        decide(run, ["00"], "reprice", price=10, reviewer="ben")
        return journal

    monkeypatch.setattr(RunFolder, "judged_journal", read_and_then_a_colleague_decides)
    decide(run, ["00"], "relabel", label="desk", reviewer="ana")
    assert run.holding_decisions().decisions["00"].meaning == ("relabel", "desk", 10.0)
    assert len(run.decisions()[0]) == 2


def test_a_new_class_needs_one_confirmation_and_is_then_a_class_as_any_other(run: RunFolder) -> None:
    with pytest.raises(DecisionsError, match=r"00 can't be relabelled: got new_label 'sofa'; .*`new_class=True`"):
        decide(run, ["00"], "relabel", label="sofa")
    decide(run, ["00", "01"], "relabel", label="sofa", new_class=True)
    decide(run, ["05"], "relabel", label="sofa")
    decide(run, ["06"], "relabel", label="desk", new_class=True)
    assert records(run) == [
        ("00", "relabel", "sofa", None, True),
        ("01", "relabel", "sofa", None, True),
        ("05", "relabel", "sofa", None, True),
        ("06", "relabel", "desk", None, False),
    ]


def test_a_new_class_is_gone_when_every_decision_for_it_is_undone(run: RunFolder) -> None:
    decide(run, ["00"], "relabel", label="sofa", new_class=True)
    decide(run, ["00"], "undo")
    with pytest.raises(DecisionsError, match="can't be relabelled"):
        decide(run, ["01"], "relabel", label="sofa")


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("Desk", "'Desk' is no new class: it differs from the class 'desk' only in how it is written: wanted 'desk'"),
        (" desk ", "only in how it is written"),
        ("de\u200bsk", "needs a name that can be shown"),
        ("ｄesk", "only in how it is written"),
        ("Sofa  Bed", "differs from the class 'sofa bed'"),
        ("", "needs its name|needs a name"),
        ("  ", "needs a name that can be shown in one line: got '  '"),
        ("desks", "'desks' is no new class: it differs from the class 'desk'"),
        ("chair|desk", r"needs the name of one class: got 'chair\|desk', which is read as a list of labels"),
        ("chair; desk", "needs the name of one class"),
        ('["lamp"]', "needs the name of one class"),
        ("a\nb", r"needs a name that can be shown in one line: got 'a\\nb'"),
    ],
)
def test_a_bad_name_for_a_new_class_is_refused(name: str, match: str, run: RunFolder) -> None:
    decide(run, ["00"], "relabel", label="sofa bed", new_class=True)
    with pytest.raises(DecisionsError, match=match):
        decide(run, ["01"], "relabel", label=name, new_class=True)
    assert len(run.decisions()[0]) == 1


def test_a_listing_without_a_label_can_not_be_kept(run: RunFolder) -> None:
    with pytest.raises(
        DecisionsError, match=r"1 listing without a label can't be kept: got keep for 04; wanted relabel .* ambiguous"
    ):
        decide(run, ["00", "04"], "keep")
    assert run.decisions() == ([], [])
    decide(run, ["04"], "ambiguous")
    assert records(run) == [("04", "ambiguous", None, None, False)]


@pytest.mark.parametrize("price", ["12³", "①②", "12½", "1৪"])
def test_a_new_price_of_raised_or_circled_digits_is_refused_and_nothing_is_recorded(price: str, run: RunFolder) -> None:
    with pytest.raises(DecisionsError, match=rf"^a new price must be a number .*: got '{price}'"):
        decide(run, ["00"], "reprice", price=price)
    assert not run.journal.exists()
