"""The review as one page: decided in by keys in a browser, applied by the command line."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.fixes.decisions_file import read_decisions
from curation.review.page.write import write_page
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from curation.run.probabilities import Probabilities
from tests.cli.test_cli import done
from tests.curation.review.test_review_page import HOSTILE, make_run
from tests.support.review_page import Opened, decided, make_latest


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    return make_latest(tmp_path, monkeypatch)


def test_nothing_leaves_the_page_and_a_hostile_title_is_only_words(opened: Opened) -> None:
    assert opened.text("title") == HOSTILE
    opened.press("k a e")
    opened.press("Escape ? Escape d u j ArrowLeft")
    opened.tab.wait_for_timeout(100)
    assert opened.tab.title() == "Review of shop/1"
    assert [url for url in opened.requests if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in opened.requests if url.startswith("file:")]) == 1
    assert opened.errors == []


def test_keys_decide_and_apply_fixes_takes_what_was_downloaded(opened: Opened, run: RunFolder, tmp_path: Path) -> None:
    assert opened.id == "00"
    opened.press("k")
    assert opened.id == "01"
    opened.press("a")
    opened.press("e")
    assert opened.tab.locator("#class-list .name").all_inner_texts() == ["chair", "NA", "desk"]
    opened.tab.keyboard.type("na")
    opened.press("Enter")
    assert opened.id == "06"
    opened.press("e 2")
    opened.press("d d")
    assert opened.text("hint") == "Everything is decided. Download decisions.csv."
    opened.press("u u k d")
    assert opened.text("counts") == "6 of 6 decided · 2 kept · 3 relabelled · 1 deleted"
    path = opened.download(tmp_path, "Bo")
    # of 06 the second class was chosen, after desk, which is suggested
    expected = [("00", "keep", None), ("01", "relabel", "NA"), ("02", "relabel", "NA"), ("06", "relabel", "NA")]
    expected += [("10", "keep", None), ("11", "delete", None)]
    assert decided(path) == expected

    # the same decisions in the journal of the same run elsewhere
    twin = make_run(tmp_path / "twin")
    twin.decide([Decision(*one, "Bo", "2024-05-01T10:00:00.000+00:00", "app") for one in expected])
    done("apply-fixes", "--run", twin.folder)
    done("apply-fixes", "--run", run.folder, "--decisions", path)
    cleaned = (run.cleaned / "listings.csv").read_text(encoding="utf-8")
    assert cleaned == (twin.cleaned / "listings.csv").read_text(encoding="utf-8")
    rows = {row["id"]: row["label"] for row in csv.DictReader(io.StringIO(cleaned))}
    given = run.listings().set_index("id")["label"].fillna("").to_dict()
    del given["11"]
    assert rows == {**given, "01": "NA", "02": "NA", "06": "NA"}
    assert {decision.reviewer for decision in run.decisions()[0]} == {"Bo"}


def test_undo_takes_the_last_decision_back_and_goes_to_it(opened: Opened) -> None:
    opened.press("k d")
    assert opened.id == "02"
    opened.press("u")
    assert (opened.id, opened.text("counts")) == ("01", "1 of 6 decided · 1 kept")
    opened.press("u u")
    assert (opened.id, opened.text("counts")) == ("00", "0 of 6 decided")
    assert opened.text("message") == "Nothing has been decided in this page."


def test_an_undo_leads_back_to_the_decision_before_it(opened: Opened) -> None:
    opened.press("k ArrowLeft d u")
    assert opened.text("decided") == "✓ kept"


def test_a_key_held_down_decides_once(opened: Opened) -> None:
    opened.tab.keyboard.down("k")
    for _ in range(4):
        opened.tab.keyboard.down("k")
    assert opened.text("counts") == "1 of 6 decided · 1 kept"


def test_relabelling_to_the_given_class_is_a_keep(opened: Opened, tmp_path: Path) -> None:
    opened.press("e")
    opened.tab.keyboard.type("chair")
    opened.press("Enter")
    assert decided(opened.download(tmp_path)) == [("00", "keep", None)]


def test_escape_leaves_the_class_list_without_a_decision(opened: Opened) -> None:
    opened.press("e Escape")
    assert opened.text("counts") == "0 of 6 decided"
    opened.press("k")
    assert opened.text("counts") == "1 of 6 decided · 1 kept"


def test_keys_do_nothing_while_one_types(opened: Opened) -> None:
    opened.press("n")
    opened.tab.keyboard.type("kade u")
    opened.press("Enter /")
    opened.tab.keyboard.type("kd")
    opened.press("Escape")
    assert opened.text("counts") == "0 of 6 decided"
    assert opened.tab.input_value("#note") == "kade u"
    assert opened.tab.get_attribute("#note", "maxlength") == "10000"


def test_a_note_and_the_name_are_in_the_records_as_from_a_csv_by_hand(
    opened: Opened, run: RunFolder, tmp_path: Path
) -> None:
    words = '=a "note", of; two'
    opened.press("n")
    opened.tab.keyboard.type(words)
    opened.press("Enter a")
    path = opened.download(tmp_path, "Bo")
    by_hand = tmp_path / "hand.csv"
    time = read_decisions(path, reviewer="ana")[0].time
    by_hand.write_text(f'id;decision;new_label;note;reviewer;time\n00;relabel;desk;"=a ""note"", of; two";Bo;{time}\n')
    assert read_decisions(path, reviewer="ana") == read_decisions(by_hand, reviewer="ana")
    done("apply-fixes", "--decisions", path)
    assert run.decisions()[0] == [Decision("00", "relabel", "desk", "Bo", time, "csv", words, "desk")]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", time)


def test_without_a_name_it_is_that_of_whoever_applies(opened: Opened, run: RunFolder, tmp_path: Path) -> None:
    opened.press("k")
    done("apply-fixes", "--decisions", opened.download(tmp_path, ""))
    assert [decision.reviewer for decision in run.decisions()[0]] == ["ana"]


def test_of_reposts_only_one_stays_and_one_undo_takes_that_back(opened: Opened, tmp_path: Path) -> None:
    opened.tab.select_option("#kind", "near_duplicate")
    assert opened.id == "10"
    opened.tab.locator("#card").focus()
    assert "11" in opened.tab.locator(".reposts .tile").inner_text()
    opened.press("o")
    assert opened.text("counts") == "2 of 6 decided · 1 kept · 1 deleted"
    opened.press("u")
    assert (opened.id, opened.text("counts")) == ("10", "0 of 6 decided")
    opened.press("ArrowRight o")
    assert sorted(decided(opened.download(tmp_path))) == [("10", "delete", None), ("11", "keep", None)]


def test_the_queue_is_filtered_by_kind_state_and_words(opened: Opened) -> None:
    assert opened.rows == 6
    opened.tab.select_option("#kind", "label")
    assert opened.rows == 4
    opened.tab.locator("#card").focus()
    opened.press("k")
    opened.tab.select_option("#state", "left")
    assert (opened.rows, opened.text("matches")) == (3, "3 of 6 listings")
    opened.tab.select_option("#state", "done")
    assert (opened.rows, opened.id) == (1, "00")
    opened.tab.select_option("#kind", "")
    opened.tab.select_option("#state", "all")
    opened.tab.fill("#search", "THING 1")
    assert (opened.rows, opened.id) == (2, "10")


def test_a_filter_on_what_is_left_goes_on_to_the_next(opened: Opened) -> None:
    opened.tab.select_option("#state", "left")
    opened.tab.locator("#card").focus()
    opened.press("k k d")
    assert (opened.rows, opened.id) == (3, "06")


def test_a_damaged_photo_is_a_placeholder_with_the_reason(opened: Opened) -> None:
    assert opened.tab.locator("#photo img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 6
    opened.press("j j j")
    assert opened.id == "06"
    assert opened.text("photo") == "No photo: 06.png can't be read: not an image"


def test_the_page_says_how_much_is_left_and_when_to_stop(opened: Opened) -> None:
    assert opened.text("expected") == "· about 3 of the 6 left need a change"
    opened.press("k k")
    assert not opened.tab.locator("#hint").is_visible()
    opened.press("k")
    assert opened.text("hint").startswith(
        "You can stop here: of the next 3 listings, less than one is expected to need a change"
    )


def test_on_a_phone_nothing_is_wider_than_the_screen(run: RunFolder, browser: Any) -> None:
    page = write_page(run).path
    assert page is not None
    context = browser.new_context(viewport={"width": 390, "height": 844})
    opened = Opened(context, page)
    widths = "[document.documentElement, ...document.querySelectorAll('header, main, footer')].map(e => e.scrollWidth)"
    assert max(opened.tab.evaluate(widths)) <= 390
    opened.tab.click("[data-do=keep]")
    opened.tab.click("#open-queue")
    opened.tab.locator(".item").nth(3).click()
    assert opened.id == "06"
    context.close()


@pytest.mark.parametrize("width", [320, 360, 390])
def test_no_word_on_a_button_of_a_phone_is_cut_off(run: RunFolder, browser: Any, width: int) -> None:
    page = write_page(run).path
    assert page is not None
    context = browser.new_context(viewport={"width": width, "height": 640})
    opened = Opened(context, page)
    wider = "buttons => buttons.filter(e => e.scrollWidth > e.clientWidth).map(e => e.textContent)"
    assert opened.tab.locator("footer button").evaluate_all(wider) == []
    context.close()


def test_a_page_without_suggestions_offers_neither_to_accept_nor_to_choose_a_kind(run: RunFolder, context: Any) -> None:
    page = write_page(run, only=["00", "01"], drawn="test listings, drawn at random").path
    assert page is not None
    opened = Opened(context, page)
    assert not opened.tab.locator("[data-do=accept]").is_visible()
    assert not opened.tab.locator("#kind").is_visible()
    assert opened.text("expected") == "· test listings, drawn at random"
    opened.press("a k")
    assert opened.text("counts") == "1 of 2 decided · 1 kept"
    assert opened.errors == []


def test_one_class_has_one_probability_on_the_screen(run: RunFolder, context: Any) -> None:
    ids, probs = run.listings()["id"].to_numpy(dtype=str), np.full((12, 3), [0.5, 0.3, 0.2])
    Probabilities(ids, tuple(run.classes), probs, np.arange(12) % 3).save(run.probabilities_file)
    page = write_page(run).path
    assert page is not None
    opened = Opened(context, page)
    assert opened.tab.locator("#labels .chance").all_inner_texts() == ["3 %", "97 %"]
    opened.press("e")
    # the model gives NA 0.5, which can't be compared with 97 %: it has a place, and no number
    shown = [text.strip() for text in opened.tab.locator("#class-list li").all_inner_texts()]
    assert shown == ["1\ndesk\n97 %", "2\nNA", "3\nchair\ngiven · 3 %"]


def test_a_photo_that_is_not_there_is_drawn(opened: Opened) -> None:
    opened.press("j j j")
    assert opened.tab.locator("#photo svg").is_visible()
    assert opened.tab.locator(".item svg").count() == 1
