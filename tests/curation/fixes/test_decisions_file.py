"""Decisions from a file that a person made."""

from __future__ import annotations

import re
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from PIL import Image

from curation.errors import DecisionsError
from curation.fixes import plan_fixes
from curation.fixes.decisions_file import read_decisions
from curation.fixes.known_names import with_known_names
from curation.listings.price_cells import Decimal, parse_price
from curation.run.decidable import Decidable, check_decisions
from curation.run.journal import current_decisions
from curation.run.new_values import price_cells
from tests.support.fixes import decide_csv, run_of
from training.utils.csv_files import write_csv

CLASSES = ["NA", "chair", "desk"]


@pytest.mark.parametrize("text", ["", "\ufeff"])
def test_a_csv_is_read_with_spaces_and_a_byte_order_mark(text: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(f"{text} id , decision ,new_label, note\n 1 , Relabel , desk , looks wrong \n2,KEEP,,\n", "utf-8")
    first, second = read_decisions(path, reviewer="ana")
    assert (first.id, first.action, first.new_label, first.note) == ("1", "relabel", "desk", "looks wrong")
    assert (second.id, second.action, second.new_label, second.note) == ("2", "keep", None, None)
    assert {first.source, second.source} == {"csv"}
    assert {first.reviewer, second.reviewer} == {"ana"}


def test_a_csv_s_own_reviewer_and_time_go_first(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("id,decision,reviewer,time\n1,keep,bo,2024-01-01\n2,keep,,\n")
    first, second = read_decisions(path, reviewer="ana")
    assert (first.reviewer, first.time) == ("bo", "2024-01-01")
    assert second.reviewer == "ana"
    assert second.time > "2024-01-01"


def test_the_column_may_be_called_action(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("id,action\n1,delete\n")
    assert [(d.id, d.action) for d in read_decisions(path, reviewer="ana")] == [("1", "delete")]


def test_a_row_without_a_decision_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("id,decision,new_label,reviewer,new_class\n1,,,bo,no\n2,  ,\n3\n\n4,keep,\n")
    assert [decision.id for decision in read_decisions(path, reviewer="ana")] == ["4"]


@pytest.mark.parametrize("decision", ["", "   ", "\u00a0"])
@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("desk,,", "2: new_label 'desk'"),
        (",5,", "2: new_price '5'"),
        ("desk,5,", "2: new_label 'desk', new_price '5'"),
        (",,yes", "2: new_class 'yes'"),
    ],
)
def test_a_new_value_without_a_decision_is_refused_whatever_other_rows_decide(
    decision: str, value: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(f"id,decision,new_label,new_price,new_class\n1,keep,,,\n2,{decision},{value}\n", "utf-8")
    with pytest.raises(DecisionsError, match="has 1 row with a new value and no decision: got") as caught:
        read_decisions(path, reviewer="ana")
    assert f"got {said}; wanted" in str(caught.value)


def test_a_note_without_a_decision_is_taken_as_a_note(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("id,decision,new_label,note\n1,,,ask Bo\n2,delete,,\n2,,,twice\n")
    taken = read_decisions(path, reviewer="ana")
    assert [(each.id, each.action, each.note) for each in taken] == [
        ("1", "note", "ask Bo"),
        ("2", "delete", None),
        ("2", "note", "twice"),
    ]
    decidable = Decidable(("desk",), {"1": "desk", "2": "desk"}, {}, {}, priced=False, currency=None)
    assert check_decisions(taken, decidable) == taken
    assert list(current_decisions(taken)) == ["2"]


@pytest.mark.parametrize("mark", [";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_a_spreadsheet_saves_is_read(mark: str, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    lines = [["id", "decision", "new_label", "note"], ["é1", "relabel", "desk", '"one, two; three"']]
    path.write_text("\r\n".join(mark.join(line) for line in lines), encoding)
    (decision,) = read_decisions(path, reviewer="ana")
    assert (decision.id, decision.new_label, decision.note) == ("é1", "desk", "one, two; three")


def test_the_same_decision_twice_is_one_and_two_different_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("id,decision,new_label,note\n1,relabel,desk,\n1,relabel,desk,sure\n")
    assert current_decisions(read_decisions(path, reviewer="ana"))["1"].note == "sure"
    path.write_text("id,decision,new_label\n1,relabel,desk\n2,keep,\n1,relabel,chair\n")
    with pytest.raises(DecisionsError, match=r"mine\.csv decides on 1 listing in two ways: got 1; wanted one row"):
        read_decisions(path, reviewer="ana")


@pytest.mark.parametrize("content", ["id,decision\n", "id,decision\n1,\n2, \n", "id,decision,note\n1,,later\n"])
def test_a_csv_that_decides_nothing_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(content)
    with pytest.raises(DecisionsError, match=r"mine\.csv has no decision: got only rows without one; wanted one of"):
        read_decisions(tmp_path / "mine.csv", reviewer="ana")


@pytest.mark.parametrize("id", ["=1+1", "+1", "-1", "@a", "'1", '"1"', "a,b", "a;b", "a\nb"])
def test_an_id_comes_back_as_it_is_written(id: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    quoted = id.replace('"', '""')
    path.write_text(f'"id","decision"\r\n"{quoted}","keep"\r\n', newline="")
    assert [decision.id for decision in read_decisions(path, reviewer="ana")] == [id]


@pytest.mark.parametrize("decision", ["keep", "delete", "reprice", "ambiguous"])
def test_a_label_beside_another_decision_than_relabel_is_refused(decision: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(f"id;decision;new_label;new_price\n1;{decision};desk;{6 if decision == 'reprice' else ''}\n")
    with pytest.raises(DecisionsError, match=rf"1 new label .*got 1: {decision} with 'desk'; .*Write relabel"):
        read_decisions(path, reviewer="ana")


@pytest.mark.parametrize(
    ("header", "both"),
    [
        ("id,Decision,new_label,decision", "'Decision' and 'decision'"),
        ("id,Action,new_label,Decision", "'Action' and 'Decision'"),
        ("id,decision,New label,new_label", "'New label' and 'new_label'"),
        ("sku,decision,new_label,id", "'sku' and 'id'"),
    ],
)
def test_two_columns_of_one_meaning_are_refused_unless_they_say_the_same(
    header: str, both: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(f"{header}\n1,relabel,desk,other\n")
    with pytest.raises(DecisionsError, match=f"that differ: got {both}; wanted one of them"):
        read_decisions(path, reviewer="ana", id_column="sku")
    twin = {"d": "relabel", "n": "desk", "i": "1"}[header.split(",")[3][0].lower()]
    path.write_text(f"{header}\n1,relabel,desk,{twin}\n")
    assert read_decisions(path, reviewer="ana", id_column="sku")[0].meaning == ("relabel", "desk", None)


def test_decisions_on_an_imagefolder_may_call_the_ids_file_name(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / "in").mkdir(exist_ok=True)
        Image.new("RGB", (4, 4), (number * 30, 0, 0)).save(tmp_path / "in" / f"{number}.png")
    (tmp_path / "in" / "metadata.csv").write_text("file_name,label\n0.png,cat\n1.png,dog\n2.png,cat\n")
    run = run_of(tmp_path / "in", tmp_path / "run")
    mine = tmp_path / "mine.csv"
    mine.write_text("file_name,decision,new_label\n0.png,relabel,dog\n")
    fixes = plan_fixes(run, decisions_file=mine)
    assert fixes.changes[["id", "new_label"]].to_numpy().tolist() == [["0.png", "dog"]]
    mine.write_text("photo,decision,new_label\n0.png,relabel,dog\n")
    said = r"no column 'id': .*wanted id or file_name, decision or action, new_label\. Call the column that has it id\."
    with pytest.raises(DecisionsError, match=said):
        plan_fixes(run, decisions_file=mine)


def test_a_class_called_na_can_be_given(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("id,decision,new_label\nNA,relabel,NA\n")
    decisions = read_decisions(path, reviewer="ana")
    assert [(decision.id, decision.new_label) for decision in decisions] == [("NA", "NA")]
    chair = {"NA": "chair"}
    check_decisions(decisions, Decidable(tuple(CLASSES), chair, {"NA": None}, {"NA": None}, True, "SGD"))


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("id,decison\n1,keep\n", r"mine\.csv has no column 'decision': got id, decison.*Did you mean 'decison'\?"),
        ("listing,decision\n1,keep\n", r"mine\.csv has no column 'id': got listing, decision"),
        ("", r"mine\.csv has no column 'id': got an empty file"),
        ("1;keep\n", r"mine\.csv has no column 'id': got 1, keep"),
        ("id,action,label\n1,relabel,Lamp\n", r"mine\.csv has no column 'new_label': got id, action, label"),
    ],
)
def test_a_csv_without_a_needed_column_is_refused(content: str, match: str, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(content)
    with pytest.raises(DecisionsError, match=match):
        read_decisions(tmp_path / "mine.csv", reviewer="ana")


@pytest.mark.parametrize("content", [b"id,decision\n1,keep,more,and more\n", b"id,decision,id\n1,keep,2"])
def test_a_csv_that_can_not_be_read_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_bytes(content)
    with pytest.raises(DecisionsError, match=r"mine\.csv can't be read"):
        read_decisions(tmp_path / "mine.csv", reviewer="ana")


def test_a_missing_csv_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DecisionsError, match=r"no decisions file: got .*none\.csv; wanted a CSV with id, decision"):
        read_decisions(tmp_path / "none.csv", reviewer="ana")


@pytest.mark.parametrize(
    ("cells", "prices"),
    [
        (["10", "9.99"], [10.0, 9.99]),
        (["S$ 1,200", "45"], [1200.0, 45.0]),
        (["1.299,00 €", "45 €"], [1299.0, 45.0]),
        (["12,50", "1.250"], [12.5, 1250.0]),
        (["1k", "0"], [1000.0, 0.0]),
    ],
)
def test_new_prices_of_a_csv_are_read_as_sellers_write_them(
    cells: list[str], prices: list[float], tmp_path: Path
) -> None:
    path = tmp_path / "mine.csv"
    lines = [f'{number},reprice,"{cell}"' for number, cell in enumerate(cells)]
    path.write_text("\n".join(["id,decision,new_price", *lines]), encoding="utf-8")
    assert [decision.new_price for decision in read_decisions(path, reviewer="ana")] == prices


@pytest.mark.parametrize("cells", [["1.299"], ["12.500", "7"], ["1.299", "2.500", "3.200"]])
def test_a_price_that_may_mean_thousands_or_decimals_is_refused(cells: list[str], tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    lines = [f'{number},reprice,"{cell}"' for number, cell in enumerate(cells)]
    path.write_text("\n".join(["id,decision,new_price", *lines]), encoding="utf-8")
    with pytest.raises(
        DecisionsError,
        match=r"the new price '1.*' for 0 may mean two things: got 1\d+ or 1\d?\.\d+; .*Write 1\d+, or 1",
    ):
        read_decisions(path, reviewer="ana")


@pytest.mark.parametrize(
    ("cells", "prices"),
    [(["1.299", "9.99"], [1.299, 9.99]), (["1.2990"], [1.299]), (["0.125"], [0.125]), (["1,299"], [1299.0])],
)
def test_a_price_with_three_decimals_is_read_where_only_that_can_be_meant(
    cells: list[str], prices: list[float], tmp_path: Path
) -> None:
    path = tmp_path / "mine.csv"
    lines = [f'{number},reprice,"{cell}"' for number, cell in enumerate(cells)]
    path.write_text("\n".join(["id,decision,new_price", *lines]), encoding="utf-8")
    assert [decision.new_price for decision in read_decisions(path, reviewer="ana")] == prices


@pytest.mark.parametrize("cell", ["1.299", "12.500", "1.200", "999.999", "1.001", "1.299 €", "1.299k", "100.000"])
def test_a_price_that_may_mean_two_things_is_refused_with_two_ways_that_are_read_as_these(cell: str) -> None:
    parsed = parse_price(cell)
    assert parsed is not None
    with pytest.raises(DecisionsError, match="may mean two things") as refused:
        price_cells({0: cell}, "EUR")
    texts = re.findall(r"Write (\S+), or (\S+)\.", str(refused.value))[0]
    read = [price_cells({0: text}, "EUR", decimal=mark)[0] for text in texts for mark in (".", ",")]
    assert read == [parsed.value(","), parsed.value(","), parsed.value("."), parsed.value(".")]


@pytest.mark.parametrize(
    ("cell", "currency", "decimal", "price"),
    [
        ("1.299", "KWD", ".", 1.299),
        ("1.299", "kwd", ",", 1299),
        ("1,299", "BHD", ",", 1.299),
        ("1,299", "JOD", ".", 1299),
        ("KWD 1.299", None, ".", 1.299),
        ("1,299.500", "OMR", ".", 1299.5),
    ],
)
def test_in_a_currency_of_three_decimals_a_price_is_what_it_says(
    cell: str, currency: str | None, decimal: Decimal, price: float
) -> None:
    assert price_cells({0: cell}, currency, decimal=decimal) == {0: price}


def test_where_the_decimals_of_such_a_currency_are_not_settled_a_price_is_refused() -> None:
    with pytest.raises(DecisionsError, match=r"Write 1299, or 1\.2990"):
        price_cells({0: "1,299"}, "KWD", decimal="")


@pytest.mark.parametrize(
    ("row", "match"),
    [
        ("1,reprice,,POA,", "a new price must be a number from 0 to 1,000,000,000,000,000: got 'POA' for 1"),
        ("1,reprice,,-5,", "got '-5' for 1"),
        ("1,reprice,,£5,", "the prices of this dataset are in SGD: got a new price in GBP"),
        ("1,reprice,,,", r"mine\.csv reprices 1 listing without a price: got no new_price for 1"),
        (
            "1,keep,,5,",
            r"mine\.csv has 1 new price that nothing would become of: got 1: keep with '5'; .*Write reprice",
        ),
        ("1,delete,,5,", "1: delete with '5'"),
        ("1,relabel,sofa,,perhaps", "unknown answer in the column new_class: got 'perhaps' for listing 1"),
    ],
)
def test_a_row_that_sets_no_price_and_no_class_is_refused(row: str, match: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(f"id,decision,new_label,new_price,new_class\n{row}\n", encoding="utf-8")
    with pytest.raises(DecisionsError, match=match):
        read_decisions(path, reviewer="ana", currency="SGD")


def test_a_relabel_may_have_a_price_and_a_new_class(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("id,decision,new_label,new_price,new_class\n1,relabel,sofa,5,yes\n2,ambiguous,,,\n3,reprice,,7,\n")
    read = read_decisions(path, reviewer="ana")
    assert [(*each.meaning, each.new_class) for each in read] == [
        ("relabel", "sofa", 5.0, True),
        ("ambiguous", None, None, False),
        ("reprice", None, 7.0, False),
    ]


def test_two_prices_for_one_listing_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("id,decision,new_price\n1,reprice,5\n1,reprice,6\n")
    with pytest.raises(DecisionsError, match="decides on 1 listing in two ways"):
        read_decisions(path, reviewer="ana")


def test_names_that_our_files_keep_from_being_formulas_are_read_as_they_are(tmp_path):
    names = ["=1+1", "-5", "+49 170", "@user", "'=x", "a;=b", "\t=tab", "plain"]
    decided = pd.DataFrame({"id": names, "decision": "relabel", "new_label": "-old", "note": "=why"})
    write_csv(tmp_path / "issues.csv", decided)
    decisions = read_decisions(tmp_path / "issues.csv", reviewer="ana")
    assert [decision.id for decision in decisions] == names
    assert {(decision.new_label, decision.note) for decision in decisions} == {("-old", "=why")}


def test_names_of_a_file_by_hand_are_read_as_they_are_too(tmp_path):
    (tmp_path / "mine.csv").write_text("id,decision\n=1+1,keep\n'=x,keep\n-5,keep\n")
    assert [decision.id for decision in read_decisions(tmp_path / "mine.csv", reviewer="ana")] == ["=1+1", "'=x", "-5"]
    (tmp_path / "mine.csv").write_text("id,decision\n'=x,keep\n")
    decisions = read_decisions(tmp_path / "mine.csv", reviewer="ana")
    # only the run can tell
    for ids in (["'=x", "a"], ["=x", "a"]):
        named, notes = with_known_names(tmp_path / "mine.csv", decisions, ids, [])
        assert ([decision.id for decision in named], notes) == (ids[:1], ())


def test_a_price_that_a_sheet_holds_as_a_number_is_that_number(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in [
        ("id", "decision", "New price"),
        ("a", "reprice", 1.299),
        ("b", "reprice", 1299),
        ("c", "reprice", "1.299,00"),
    ]:
        book.active.append(row)
    book.save(tmp_path / "mine.xlsx")
    for decimal in (".", ","):
        decisions = read_decisions(tmp_path / "mine.xlsx", reviewer="ana", decimal=decimal)
        assert [decision.new_price for decision in decisions] == [1.299, 1299, 1299]


def test_a_header_that_stands_again_among_the_decisions_is_left_out(tmp_path: Path) -> None:
    again = "\ufeffID,Decision,New_Label"
    (tmp_path / "mine.csv").write_text(f"id,decision,new_label\na,delete,\n{again}\nb,relabel,desk\n", encoding="utf-8")
    decisions = read_decisions(tmp_path / "mine.csv", reviewer="ana")
    assert [(decision.id, decision.action) for decision in decisions] == [("a", "delete"), ("b", "relabel")]


def test_ids_in_another_unicode_form_are_shown_with_their_code_points(tmp_path: Path) -> None:
    path = decide_csv(tmp_path, "\u212b1,keep,")
    decisions = read_decisions(path, reviewer="ana")
    with pytest.raises(
        DecisionsError, match=r"\(U\+212B\), which may be .*They are in another Unicode form"
    ) as refused:
        with_known_names(path, decisions, ["\u00c51", "A\u030a1"], ["lamp"])
    assert "spreadsheet" not in str(refused.value)
    (named,), (note,) = with_known_names(path, decisions, ["\u00c51"], ["lamp"])
    assert named.id == "\u00c51"
    assert "(U+212B) as" in note
