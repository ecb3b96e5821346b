"""Decisions of the page: kept by the browser, downloaded, imported, and never mixed up."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from curation.fixes.decisions_file import read_decisions
from curation.rendering.visible import visible
from curation.review.page.write import write_page
from curation.run.decidable import Decidable, check_decisions
from curation.run.folder import RunFolder
from curation.run.journal import Decision, current_decisions
from tests.cli.test_cli import done
from tests.curation.review.test_review_page import make_run
from tests.support.review_page import Opened, decided, make_latest
from training.utils.formulas import is_formula, neutral


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    return make_latest(tmp_path, monkeypatch)


def test_a_reload_keeps_decisions_and_notes(opened: Opened, tmp_path: Path) -> None:
    opened.press("a n")
    opened.tab.keyboard.type("mine")
    opened.press("Enter d")
    opened.tab.reload()
    assert (opened.id, opened.text("counts")) == ("02", "2 of 6 decided · 1 relabelled · 1 deleted")
    opened.press("u")
    assert (opened.id, opened.tab.input_value("#note")) == ("01", "mine")
    assert decided(opened.download(tmp_path)) == [("00", "relabel", "desk")]


def test_another_run_does_not_get_them(opened: Opened, run: RunFolder, context: Any, tmp_path: Path) -> None:
    opened.press("k k")
    other = make_run(tmp_path / "other")
    other.folder.rename(other.folder.with_name("2"))
    page = write_page(RunFolder(other.folder.with_name("2"))).path
    assert page is not None
    assert Opened(context, page).text("counts") == "0 of 6 decided"
    # nor the same run when it is searched anew
    run.write_table(run.issues_file, run.issues().assign(price=1.0))
    page = write_page(run).path
    assert page is not None
    assert Opened(context, page).text("counts") == "0 of 6 decided"


def test_two_windows_of_a_page_know_of_each_other(opened: Opened, context: Any, run: RunFolder, tmp_path: Path) -> None:
    other = Opened(context, run.folder / "review.html")
    opened.press("k")
    other.tab.locator("#counts", has_text="1 of 6").wait_for()
    other.press("ArrowRight d")
    opened.tab.locator("#counts", has_text="2 of 6").wait_for()
    assert sorted(decided(opened.download(tmp_path))) == [("00", "keep", None), ("01", "delete", None)]


def test_what_the_journal_says_is_shown_and_only_new_decisions_are_downloaded(
    run: RunFolder, context: Any, tmp_path: Path
) -> None:
    run.decide([Decision("00", "relabel", "desk", "cleo", "2024-05-01T10:00:00.000+00:00", "app", "her words")])
    page = write_page(run).path
    assert page is not None
    opened = Opened(context, page)
    assert (opened.id, opened.text("counts")) == ("01", "1 of 6 decided · 1 relabelled")
    opened.press("ArrowLeft")
    assert opened.text("decided") == "→ relabelled as desk by cleo"
    assert opened.tab.input_value("#note") == "her words"
    opened.press("ArrowRight k")
    assert decided(opened.download(tmp_path)) == [("01", "keep", None)]


def test_what_was_applied_since_is_not_downloaded_again(
    opened: Opened, run: RunFolder, context: Any, tmp_path: Path
) -> None:
    opened.press("k a")
    done("apply-fixes", "--decisions", opened.download(tmp_path))
    page = write_page(run).path
    assert page is not None
    again = Opened(context, page)
    assert again.text("counts") == "2 of 6 decided · 1 kept · 1 relabelled"
    again.press("d")
    assert decided(again.download(tmp_path)) == [("02", "delete", None)]


def test_a_person_goes_on_in_another_browser(opened: Opened, browser: Any, run: RunFolder, tmp_path: Path) -> None:
    opened.press("k a n")
    opened.tab.keyboard.type("why")
    opened.press("Enter d")
    path = opened.download(tmp_path, "Bo")
    elsewhere = browser.new_context()
    other = Opened(elsewhere, run.folder / "review.html")
    other.press("d")  # before the import: newer than what comes in, so it holds
    other.tab.set_input_files("#import-file", path)
    other.tab.locator("#counts", has_text="3 of 6").wait_for()
    assert other.text("message") == "2 decisions imported; 1 already here or older."
    merged = {one.id: one for one in read_decisions(other.download(tmp_path, "Cleo"), reviewer="ana")}
    elsewhere.close()
    assert {id: (one.action, one.reviewer) for id, one in merged.items()} == {
        "00": ("delete", "Cleo"),
        "01": ("relabel", "Bo"),
        "02": ("delete", "Bo"),
    }
    assert merged["02"].note == "why"


def test_an_import_that_does_not_fit_is_told_and_changes_nothing(opened: Opened, tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("id,decision,new_label\nx,keep,\n00,relabel,sofa\n01,dance,\n")
    opened.tab.set_input_files("#import-file", path)
    opened.hear("0 decisions imported; 0 already here or older; 3 do not fit this page")
    path.write_text("name;what\n")
    opened.tab.set_input_files("#import-file", path)
    opened.hear("other.csv can't be read: it has no columns id and decision.")
    assert opened.text("counts") == "0 of 6 decided"


def test_a_browser_that_keeps_nothing_is_told(run: RunFolder, browser: Any, tmp_path: Path) -> None:
    context = browser.new_context()
    context.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('no') } })")
    page = write_page(run).path
    assert page is not None
    opened = Opened(context, page)
    assert opened.text("warning").startswith("This browser can't save the decisions")
    opened.press("k a")
    assert decided(opened.download(tmp_path)) == [("00", "keep", None), ("01", "relabel", "NA")]
    context.close()


def test_leaving_reminds_of_decisions_that_were_not_downloaded(opened: Opened, tmp_path: Path) -> None:
    reminders: list[str] = []
    opened.tab.on("dialog", lambda dialog: (reminders.append(dialog.type), dialog.accept()))
    opened.press("k")
    opened.tab.reload()
    assert reminders == ["beforeunload"]
    opened.download(tmp_path)
    opened.press("j")
    opened.tab.reload()
    assert reminders == ["beforeunload"]


def test_ids_that_look_like_formulas_come_back_as_they_are(run: RunFolder, context: Any, tmp_path: Path) -> None:
    names = {"00": "=1+1", "01": "+49 170", "02": "-5", "06": "'@c", "10": 'd"e,f;=x', "11": "__proto__"}
    issues, listings = run.issues(), run.listings()
    run.write_table(run.issues_file, issues.assign(id=issues["id"].replace(names)))
    run.write_table(run.listings_file, listings.assign(id=listings["id"].replace(names)))
    page = write_page(run).path
    assert page is not None
    opened = Opened(context, page)
    opened.press("k k k k k k")
    opened.tab.reload()
    assert opened.text("counts") == "6 of 6 decided · 6 kept"
    path = opened.download(tmp_path)
    assert not re.search(r'(?m)(^|,)"[=+@]|;=', path.read_text())
    decisions = read_decisions(path, reviewer="ana")
    assert list(current_decisions(decisions)) == list(names.values())
    check_decisions(decisions, Decidable.of(run))
    opened.tab.evaluate("localStorage.clear()")
    opened.tab.reload()
    opened.tab.set_input_files("#import-file", path)
    opened.tab.wait_for_function("document.getElementById('counts').textContent.startsWith('6 of 6')")


def test_the_page_and_the_command_line_agree_on_formulas_and_on_hidden_signs(opened: Opened) -> None:
    marks = [
        "=1",
        "-5",
        "-5e3",
        "'=",
        ";=1",
        "\t=1",
        "\n\t=",
        'a;"=b',
        "\u3000＝1",
        "''-x",
        "\x00@",
        "plain; -",
        "a\r\n+b",
    ]
    asked = "texts => texts.map((text) => [neutral(text), restored(neutral(text)), isFormula(text)])"
    assert opened.tab.evaluate(asked, marks) == [[neutral(text), text, is_formula(text)] for text in marks]
    signs = [
        "a\u200db",
        "👨\u200d👩\u200d👧",
        "می\u200cخواهم",
        "x\x1b[2J\x9b",
        "\u202egpj",
        "\U000e0041",
        "\u2028",
        "é 東京",
    ]
    shown = [visible(text).replace("\\U000", "\\u") for text in signs]
    assert opened.tab.evaluate("texts => texts.map(shown)", signs) == shown
