"""A review by keys and buttons, in a real browser before the real App; what the database and the journal then hold."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pandas as pd
import pytest
from click.testing import CliRunner

from curation.cli import main
from curation.demo_data import write_demo
from curation.review.app.dataset import dataset_name
from curation.review.table import review_table
from curation.run.folder import RunFolder
from curation.run.journal import Decision, current_decisions
from tests.conftest import find_in_demo
from tests.curation.review.test_review import drop_database, needs_mongod, our_fiftyone
from tests.support.chromium import chromium, patient
from tests.support.review_server import SERVED, Server, start, stop, visit
from tests.support.waiting import waited_for
from training.utils.units import now

pytestmark = needs_mongod
# FiftyOne's own router throws the first when it is asked for a page that still loads, its grid the second when a tile
# is clicked that the next view will not have: both on a busy machine
BUSY = ("entry is loading", "unable to paginate to next sample")
# the card and the photo of each frame in which ours is laid over FiftyOne's
LAID_OVER = """() => { [window.pairs, window.LAID] = [[], "[data-curate=photo]"]; const look = () => {
    const [card, photo] = [document.querySelector("#modal [data-listing]"), document.querySelector(`${LAID} img`)];
    if (card && photo) pairs.push([card.dataset.listing, photo.src]);
    requestAnimationFrame(look); };
    look(); }"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A review of a run of its own, of a demo in which other prices are suggested."""
    folder = tmp_path_factory.mktemp("keys")
    write_demo(folder / "demo", listings=120, seed=1)
    run = find_in_demo(folder / "demo", folder / "run", preset="quick")
    assert run.issues()["suggested_price"].notna().any()
    server = start(run, folder / "log")
    yield server
    stop(server)
    drop_database(SERVED)


class App:
    """The App in a browser, as a person sees it."""

    def __init__(self, page: Any, server: Server) -> None:
        self.page, self.run = page, server.run
        visit(page, server)
        self._ready()

    def _ready(self) -> None:
        self.page.wait_for_selector('[data-item-id="@curate/review/keep"]')

    def close(self) -> None:
        """Close the open photo."""
        # FiftyOne does not hear the key while it loads the photo that was opened last
        photo = self.page.locator("[data-cy=modal]")

        def closed() -> bool:
            return waited_for(lambda: photo.count() == 0 or self.page.keyboard.press("Escape"), 60, every=1)

        if not closed():
            # and seldom never again, until the page is loaded again, as a person would do
            self.page.goto(self.page.url.partition("?")[0])
            self._ready()
            assert closed()

    def begin_again(self) -> None:
        """Show the queue."""
        self.close()
        self.show("to-review")
        left = len(set(queue(self.run)["id"]) - set(held(self.run)))
        assert self.counts(left)

    def open_first(self) -> str:
        tile, photo = self.page.locator("[data-cy=looker]").first, self.page.locator("[data-cy=modal]")

        def opened() -> bool:
            # FiftyOne opens nothing when a tile of the view before is clicked, which it draws a moment longer; and
            # none can be clicked once the photo lies over it
            if photo.count() == 0:
                with suppress(pytest.importorskip("playwright.sync_api").TimeoutError):
                    tile.click(timeout=5000)
            return bool(photo.count() > 0)

        assert waited_for(opened, every=3)
        return self.card("")

    def open_first_of_known(self) -> str:
        """Open the first listing; until the App knows what comes next, a decision waits for that, and is sent later."""
        with self.page.expect_response(lambda response: '"following"' in (response.request.post_data or "")):
            return self.open_first()

    def open_usual_price(self) -> str:
        """Open the first listing without an odd price: a later test decides on all of these."""
        id = self.open_first()
        while "price" in queue(self.run).loc[id, "issues"]:
            id = self.go_on(id)
        return id

    def go_on(self, id: str) -> str:
        """Go on to the next listing by an arrow, which FiftyOne does not hear while it loads a photo."""
        card = self.page.locator("[data-listing]")

        def moved() -> bool:
            self.page.keyboard.press("ArrowRight")
            return waited_for(lambda: card.get_attribute("data-listing") != id, 10)

        assert waited_for(moved)
        return self.card(id)

    def card(self, before: str) -> str:
        """Return the listing whose card stands, once it is another one."""
        script = """before => { const card = document.querySelector('#modal [data-listing]');
            return card && card.dataset.listing !== before && card.dataset.listing }"""
        return str(self.page.wait_for_function(script, arg=before).json_value())

    def press(self, key: str, number: int = 1) -> list[tuple[str, str, str | None]]:
        """Press a key and return the records that it brought, once there are as many."""
        before = len(self.journal)
        self.page.keyboard.press(key)
        assert waited_for(lambda: len(self.journal) >= before + number), key
        return [(record.id, record.action, record.new_label) for record in self.journal[before:]]

    def form(self) -> Any:
        form = self.page.locator("[data-cy=operators-prompt-modal]")
        form.get_by_role("button").last.wait_for()
        return form

    def type(self, words: str) -> None:
        """Type into the line of the form that is open, which has the focus."""
        line = self.page.locator("[data-cy=operators-prompt-modal] input:focus")
        line.wait_for()
        self.page.keyboard.type(words)
        assert waited_for(lambda: line.input_value() == words)

    def show(self, view: str) -> None:
        """Choose a saved view."""
        self.page.locator("[data-cy=saved-views-selection]").click()
        self.page.locator(f"[data-cy=saved-views-{view}-selection-option]").click()

    def counts(self, number: int) -> bool:
        """Return whether the App shows so many photos, once it does."""
        words = self.page.locator("[data-cy=entry-counts]")
        return waited_for(lambda: words.inner_text().replace(",", "").split()[:1] == [str(number)])

    @property
    def journal(self) -> list[Any]:
        return self.run.decisions()[0]


@pytest.fixture(scope="module")
def opened(server: Server) -> Iterator[App]:
    """The App, open for all tests of this file: what is decided stays, as it does for a person."""
    with chromium() as browser:
        page = patient(browser.new_page(viewport={"width": 1600, "height": 900}))
        failures: list[str] = []
        page.on("pageerror", lambda error: failures.append(str(error)))
        yield App(page, server)
    assert [failure for failure in failures if failure not in BUSY] == []


@pytest.fixture
def app(opened: App) -> App:
    """The App with the queue in its grid."""
    opened.begin_again()
    return opened


def mirrored(run: RunFolder) -> dict[str, tuple[str | None, str | None]]:
    """Return what the database shows as decided."""
    fiftyone = our_fiftyone()
    database = fiftyone.core.odm.get_db_conn().client[SERVED]
    samples = database["datasets"].find_one({"name": dataset_name(run)})["sample_collection_name"]
    decided = database[samples].find({"decision": {"$ne": None}})
    return {sample["listing_id"]: (sample["decision"], sample.get("new_label")) for sample in decided}


def held(run: RunFolder) -> dict[str, tuple[str, str | None]]:
    holding = current_decisions(run.decisions()[0])
    return {id: (decision.action, decision.new_label) for id, decision in holding.items()}


def queue(run: RunFolder) -> pd.DataFrame:
    table = review_table(run).set_index("id", drop=False)
    return table[table["issues"].str.len() > 0]


def test_card_and_form_say_one_probability_for_one_class(app):
    id = app.open_first()
    words = app.page.locator("[data-listing]").inner_text()
    app.page.keyboard.press("e")
    form = app.form()
    offered = [label.inner_text().partition(": ")[2] for label in form.locator("label:has(input[type=radio])").all()]
    shown = {name: chance for name, _, chance in (each.partition(", ") for each in offered) if chance}
    # of the others nothing is known that could be compared with these two
    assert set(shown) == set(queue(app.run).loc[id, ["given_label", "suggested_label"]])
    assert all(chance in words for chance in shown.values())
    form.get_by_role("button", name="Cancel").click()


def test_the_card_shows_reasons_price_and_sound_examples(app):
    id = app.open_first()
    card = app.page.locator("[data-listing]")
    words = card.inner_text()
    row = queue(app.run).loc[id]
    assert str(row["title"]) in words
    assert row["reasons"].split("; ")[0] in words
    assert "usually" in words
    pictures = card.locator("img")
    assert pictures.count() >= 3
    assert waited_for(lambda: all(pictures.nth(number).evaluate("img => img.naturalWidth > 0") for number in range(3)))


def test_keys_decide_on_the_open_photo_and_open_the_next_undecided_one(app):
    first = app.open_first()
    suggested = queue(app.run)["suggested_label"]
    assert first == queue(app.run)["id"].iloc[0]
    assert app.press("a") == [(first, "relabel", suggested[first])]
    second = app.card(first)
    assert app.press("d") == [(second, "delete", None)]
    third = app.card(second)
    assert app.press("k") == [(third, "keep", None)]
    fourth = app.card(third)
    assert [first, second, third, fourth] == queue(app.run)["id"].tolist()[:4]
    assert waited_for(lambda: mirrored(app.run) == held(app.run))


def test_a_key_after_an_arrow_right_after_a_decision_is_not_for_the_listing_that_came_up(app):
    first = app.open_first()
    before = len(app.journal)
    app.page.keyboard.press("k")
    second = app.card(first)
    app.page.keyboard.press("ArrowLeft")
    app.page.keyboard.press("d")
    assert waited_for(lambda: app.page.locator("[data-curate=photo]").count() == 0)
    assert app.card("") == second
    assert [(record.id, record.action) for record in app.journal[before:]] == [(first, "keep")]


def test_keys_after_the_last_listing_of_a_view_do_not_apply_to_it_again(app):
    app.show("done")
    assert app.counts(len(held(app.run)))
    id = app.open_first()
    before = len(app.journal)
    app.press("s")
    app.page.get_by_text("several labels fit by ana").first.wait_for()
    for key in "dd":
        app.page.keyboard.press(key)
    app.page.get_by_text("This was the last one").first.wait_for()
    assert app.press("u") == [(id, "undo", None)]
    assert [(record.id, record.action) for record in app.journal[before:]] == [(id, "ambiguous"), (id, "undo")]


def test_no_advertisement_lies_over_the_buttons(app):
    assert app.page.locator("#fo-cta-enterprise-button").count() == 1
    assert waited_for(lambda: app.page.get_by_text("Dismiss").count() == 0)


def test_undo_takes_the_latest_decision_back_and_shows_it_again(app):
    first = app.open_first()
    app.press("k")
    after = app.card(first)
    assert app.press("u") == [(first, "undo", None)]
    assert app.card(after) == first
    assert first not in held(app.run)
    assert waited_for(lambda: mirrored(app.run) == held(app.run))


def test_two_keys_pressed_at_once_decide_on_two_listings(app):
    first = app.open_first()
    left = [id for id in queue(app.run)["id"] if id not in held(app.run)]
    before = len(app.journal)
    app.page.keyboard.press("k")
    app.page.keyboard.press("d")
    assert waited_for(lambda: len(app.journal) == before + 2)
    assert [(record.id, record.action) for record in app.journal[before:]] == [(first, "keep"), (left[1], "delete")]
    assert waited_for(lambda: app.card("") == left[2])
    assert waited_for(lambda: mirrored(app.run) == held(app.run))
    assert app.press("u") == [(left[1], "undo", None)]


def test_a_photo_laid_over_fiftyones_is_that_of_the_card_until_fiftyone_has_opened_it(app):
    first = app.open_first()
    app.page.evaluate(LAID_OVER)
    app.page.keyboard.press("k")
    second = app.card(first)
    assert waited_for(lambda: app.page.evaluate("() => pairs.length > 0 && !document.querySelector(LAID)"))
    photos = queue(app.run)["image"]
    for listing, photo in app.page.evaluate("() => pairs"):
        assert unquote(photo).endswith(photos[listing])
    assert app.card("") == second


def test_a_form_opened_right_after_a_decision_is_about_the_listing_on_the_screen(app):
    first = app.open_first()
    app.page.keyboard.press("k")
    app.page.keyboard.press("n")
    second = app.card(first)
    app.form()
    app.type("seen")
    assert app.press("Enter") == [(second, "note", None)]


def test_a_decision_that_does_not_arrive_is_told_and_comes_back(app):
    first = app.open_first_of_known()
    before = len(app.journal)
    app.page.context.set_offline(True)
    try:
        app.page.keyboard.press("k")
        app.page.get_by_role("alert").first.wait_for()
        assert waited_for(lambda: app.card("") == first)
        assert waited_for(lambda: app.page.locator("[data-curate=photo]").count() == 0)
    finally:
        app.page.context.set_offline(False)
    assert len(app.journal) == before
    # right after it has moved by itself, the App takes no keys
    assert waited_for(lambda: len(app.journal) > before or app.page.keyboard.press("s"), every=1)
    assert (app.journal[before].id, app.journal[before].action) == (first, "ambiguous")


def test_no_key_counts_between_the_key_of_a_form_and_the_form_which_is_about_what_was_shown(app):
    first = app.open_first()
    before = len(app.journal)
    for key in "knk":
        app.page.keyboard.press(key)
    second = app.card(first)
    app.type("seen")
    app.page.keyboard.press("Enter")
    assert waited_for(lambda: len(app.journal) >= before + 2)
    assert [(record.id, record.action) for record in app.journal[before:]] == [(first, "keep"), (second, "note")]
    assert app.card("") == second


def test_keys_after_an_undo_wait_until_its_listing_is_shown(app):
    first = app.open_first_of_known()
    before = len(app.journal)
    for key in "duk":
        app.page.keyboard.press(key)
    assert waited_for(lambda: len(app.journal) >= before + 2 and app.card("") == first)
    assert app.press("s") == [(first, "ambiguous", None)]
    made = [(record.id, record.action) for record in app.journal[before:]]
    assert made == [(first, "delete"), (first, "undo"), (first, "ambiguous")]


def test_an_undo_takes_a_decision_back_that_still_waits_for_what_comes_next(app):
    asked: list[Any] = []
    released: list[bool] = []

    def hold(route: Any) -> None:
        if not released and '"following"' in (route.request.post_data or ""):
            asked.append(route)
        else:
            route.continue_()

    app.page.route("**/operators/execute", hold)
    first = app.open_first()
    before = len(app.journal)
    for key in "du":
        app.page.keyboard.press(key)
    released.append(True)
    for route in asked:
        route.continue_()
    # a route is served only while the page is asked for something, and what follows waits for the journal
    app.page.unroute("**/operators/execute", hold)
    assert waited_for(lambda: len(app.journal) >= before + 2 and app.card("") == first)
    assert [(record.id, record.action) for record in app.journal[before:]] == [(first, "delete"), (first, "undo")]


def test_an_undo_leaves_a_decision_that_a_colleague_made_out_of_sight(app):
    first = app.open_first()
    app.press("k")
    second = app.card(first)
    ben = Decision(second, "delete", None, "ben", now(), "page")
    app.run.decide(lambda: [ben])
    assert app.press("u") == [(first, "undo", None)]
    assert app.card(second) == first
    assert held(app.run)[second] == ("delete", None)
    app.run.decide(lambda: [replace(ben, action="undo", time=now())])


def test_a_decision_that_can_not_be_written_comes_back_and_its_keys_never_reach_the_grid(app):
    decided = app.open_first()
    app.press("k")
    first = app.card(decided)
    journal, kept = app.run.journal, app.run.journal.with_name("kept.jsonl")
    before = len(app.journal)
    journal.rename(kept)
    journal.mkdir()
    try:
        for key in "dkd":
            app.page.keyboard.press(key)
        app.page.get_by_role("alert").first.wait_for()
        assert waited_for(lambda: app.card("") == first)
        app.page.keyboard.press("d")
        assert app.page.locator("[data-cy=operators-prompt-modal]").count() == 0
    finally:
        journal.rmdir()
        kept.rename(journal)
    assert len(app.journal) == before


def test_relabel_offers_the_likely_classes_first_and_takes_a_digit_and_enter(app):
    id = app.open_first()
    app.page.keyboard.press("e")
    form = app.form()
    offered = [label.inner_text() for label in form.locator("label:has(input[type=radio])").all()]
    assert offered[0].startswith(f"1: {queue(app.run)['suggested_label'][id]}, ")
    assert len(offered) == len(app.run.classes)
    # a relabel to the given class would be recorded as a keep
    given = queue(app.run)["given_label"][id]
    digit, chosen = next(
        (str(place), words.removeprefix(f"{place}: ").partition(",")[0])
        for place, words in enumerate(offered, start=1)
        if place > 1 and not words.removeprefix(f"{place}: ").startswith(f"{given},")
    )
    app.page.keyboard.press(digit)
    assert app.press("Enter") == [(id, "relabel", chosen)]
    assert app.card(id) != id


def test_a_class_that_does_not_exist_yet_takes_one_confirmation_and_is_offered_from_then_on(app):
    id = app.open_usual_price()
    app.page.keyboard.press("e")
    app.form().locator("input:not([type=radio])").first.fill("Bunk bed")
    app.page.keyboard.press("Enter")
    app.page.get_by_text("No class is called “Bunk bed”").wait_for()
    app.form()
    assert app.press("Enter") == [(id, "relabel", "Bunk bed")]
    app.card(id)
    app.page.keyboard.press("e")
    app.form().get_by_text("13: Bunk bed").wait_for()
    app.form().get_by_role("button", name="Cancel").click()
    assert waited_for(lambda: mirrored(app.run) == held(app.run))


def test_the_price_that_would_fit_is_one_key_away_and_another_one_is_typed(app):
    suggested = app.run.issues().set_index("id")["suggested_price"].dropna()
    id = app.open_first()
    for _ in range(len(queue(app.run))):
        if id in suggested:
            break
        id = app.go_on(id)
    app.page.get_by_text("would fit").first.wait_for()
    assert app.press("f") == [(id, "reprice", None)]
    assert app.journal[-1].new_price == suggested[id]
    after = app.card(id)
    app.page.keyboard.press("p")
    app.form()
    app.page.keyboard.press("ControlOrMeta+a")
    app.type("1,234.50")
    assert app.press("Enter") == [(after, "reprice", None)]
    assert app.journal[-1].new_price == 1234.5
    assert waited_for(lambda: mirrored(app.run) == held(app.run))


def test_that_several_labels_fit_is_a_decision_and_is_taken_back_as_any_other(app):
    id = app.open_usual_price()
    assert app.press("s") == [(id, "ambiguous", None)]
    after = app.card(id)
    assert app.press("u") == [(id, "undo", None)]
    assert app.card(after) == id
    assert app.press("s") == [(id, "ambiguous", None)]
    app.card(id)


def test_a_note_decides_nothing_and_keys_typed_into_it_do_nothing_else(app):
    id = app.open_first()
    before = held(app.run)
    app.page.keyboard.press("n")
    app.form()
    app.type("ask, k d a u")
    app.press("Enter")
    record = app.journal[-1]
    assert (record.id, record.action, record.note) == (id, "note", "ask, k d a u")
    assert held(app.run) == before
    app.page.get_by_text("“ask, k d a u”").wait_for()
    app.press("d")
    assert app.journal[-1].note == "ask, k d a u"
    app.card(id)


def test_a_repost_is_kept_and_the_others_deleted_with_one_key_and_one_undo(app):
    groups = queue(app.run).dropna(subset=["near_duplicate_group"]).groupby("near_duplicate_group")["id"].agg(list)
    app.show("near-duplicate-issues")
    assert app.counts(sum(map(len, groups)))
    id = app.open_first()
    group = next(ids for ids in groups if id in ids)
    standing = held(app.run)
    keeps = [] if standing.get(id, ("delete",))[0] != "delete" else [(id, "keep", None)]
    others = [(other, "delete", None) for other in group if other != id]
    assert sorted(app.press("o", len(keeps + others))) == sorted(keeps + others)
    after = app.card(id)
    assert sorted(app.press("u", len(keeps + others))) == sorted((record[0], "undo", None) for record in keeps + others)
    assert app.card(after) == id
    assert held(app.run) == standing
    assert waited_for(lambda: mirrored(app.run) == held(app.run))


def test_ten_selected_photos_are_decided_on_together(app):
    tiles = app.page.locator("[data-cy=looker]")
    for number in range(10):
        tiles.nth(number).hover()
        tiles.nth(number).locator("xpath=..").locator("label[data-cy^=looker-checkbox]").first.click()
    left = [id for id in queue(app.run)["id"] if id not in held(app.run)]
    assert app.press("d", 10) == [(id, "delete", None) for id in left[:10]]
    assert waited_for(lambda: mirrored(app.run) == held(app.run))
    assert app.counts(len(left) - 10)
    assert app.press("u", 10) == [(id, "undo", None) for id in left[:10]]


def test_a_whole_view_is_decided_on_after_a_question_with_its_number(app):
    app.show("price-issues")
    prices = [id for id, row in queue(app.run).iterrows() if "price" in row["issues"]]
    assert app.counts(len(prices))
    app.page.keyboard.press("k")
    form = app.form()
    assert f"every photo shown ({len(prices)})" in form.inner_text()
    records = app.press("Enter", len(prices))
    assert sorted(records) == sorted((id, "keep", None) for id in prices)
    assert waited_for(lambda: mirrored(app.run) == held(app.run))


def test_decided_listings_leave_the_queue_when_the_photo_is_closed(app):
    left = queue(app.run)["id"][~queue(app.run)["id"].isin(list(held(app.run)))]
    assert app.counts(len(left))
    id = app.open_first()
    assert id == left.iloc[0]
    app.press("k")
    app.card(id)
    app.close()
    assert app.counts(len(left) - 1)


def test_a_photo_closed_right_after_a_decision_stays_closed(app):
    left = len(queue(app.run)) - len(set(held(app.run)) & set(queue(app.run)["id"]))
    app.open_first()
    app.page.keyboard.press("k")
    # again if FiftyOne did not hear the first
    app.close()
    assert app.counts(left - 1)
    assert app.page.locator("[data-listing]").count() == 0


def test_the_progress_panel_counts_what_was_decided(app):
    done = len(set(held(app.run)) & set(queue(app.run)["id"]))
    counts = app.page.get_by_text(f"{done} of {len(queue(app.run))} done")
    counts.wait_for()
    assert counts.is_visible()


def test_then_apply_fixes_gives_exactly_that_table(server, tmp_path):
    decided = held(server.run)
    assert {action for action, _ in decided.values()} >= {"keep", "relabel", "ambiguous", "delete"}
    run = RunFolder(shutil.copytree(server.run.folder, tmp_path / "run"))
    done = CliRunner().invoke(main, ["apply-fixes", "--run", str(run.folder), "--json"])
    assert done.exit_code == 0, done.output
    before = server.run.listings().set_index("id")["label"]
    expected = before.drop([id for id, (action, _) in decided.items() if action == "delete"]).to_dict()
    expected |= {id: label for id, (action, label) in decided.items() if action == "relabel"}
    cleaned = pd.read_csv(run.cleaned / "listings.csv", dtype=str).set_index("id")
    assert cleaned["label"].to_dict() == expected
    assert "Bunk bed" in expected.values()
    assert json.loads((run.cleaned / "manifest.json").read_text())
