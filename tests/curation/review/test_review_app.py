"""The review as a person meets it: a process of its own, a browser, a journal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from curation.review.app.dataset import dataset_name
from curation.review.app.thumbnails import copies_of
from curation.review.app.tiles import NO_PHOTO, NOT_FOUND, tile
from tests.cli.test_cli import curate, done
from tests.curation.review.test_review import drop_database, journal_of, make_run, needs_mongod, our_fiftyone
from tests.support.review_server import SERVED, Server, start, stop


@pytest.fixture(scope="module")
def _database() -> Iterator[None]:
    """Drop the servers' database when all is done."""
    yield
    drop_database(SERVED)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, _database: None) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    server = start(make_run(folder), folder / "log")
    yield server
    stop(server)


@needs_mongod
class TestServer:
    def test_the_printed_link_lets_one_browser_in_once(self, server):
        parts = urlsplit(server.printed)
        code = parts.query.partition("&code=")[2]
        assert len(code) == 32
        status, headers, page = server.answer(f"{parts.path}?{parts.query}", Cookie="")
        assert status == 200
        assert b'content="0; url=/datasets/' in page
        assert b"?workspace=review&amp;view=to-review" in page
        assert code.encode() not in page
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(headers["set-cookie"].split("; "))
        cookie = headers["set-cookie"].partition(";")[0]
        assert server.ask(parts.path, Cookie=cookie)[0] == 200
        status, content = server.ask(f"{parts.path}?{parts.query}", Cookie="")
        assert (status, b"This link has been used" in content, b"curate review --link" in content) == (401, True, True)
        # the same browser, reloading
        assert server.ask(f"{parts.path}?{parts.query}", Cookie=cookie)[0] == 200

    def test_another_terminal_prints_a_new_link(self, server):
        link = done("review", "--link", "--run", server.run.folder).stdout.strip()
        assert link.partition("&code=")[0] == server.printed.partition("&code=")[0]
        assert link != server.printed
        assert server.ask(f"/?{urlsplit(link).query}", Cookie="")[0] == 200
        (one,) = json.loads(done("review", "--link", "--json", "--run", server.run.folder).stdout)["links"]
        assert (one["reviewer"], one["port"]) == ("ana", server.port)
        refused = curate("review", "--link", "--port", "1", "--run", server.run.folder)
        assert refused.exit_code == 1
        assert "you have no open review of" in refused.stderr

    def test_a_listing_without_a_photo_and_a_lost_photo_are_sent_as_tiles(self, server):
        run = server.run
        asked = {copies_of(run) / "no photo.webp": NO_PHOTO, run.photo_root / "10.jpg": NOT_FOUND}
        for file, words in asked.items():
            status, headers, content = server.answer(f"/media?filepath={quote(str(file))}")
            assert (status, headers["content-type"]) == (200, "image/webp")
            assert content == tile(words)
        assert server.photo(copies_of(run) / "other.webp") == 403

    def test_our_operators_are_there(self, server):
        body = json.dumps({"dataset_name": dataset_name(server.run)})
        status, content = server.ask("/operators", method="POST", body=body)
        answer = json.loads(content)
        assert status == 200
        assert not answer["errors"]
        ours = {item["uri"] for item in answer["operators"] if item["uri"].startswith("@curate/")}
        assert {f"@curate/review/{name}" for name in ("keep", "accept", "relabel", "delete", "undo")} <= ours

    def test_it_is_silent(self, server):
        lines = server.log.read_text().splitlines()
        assert [line.split()[0] for line in lines] == ["Opening", "Open", "The", "Keys:"]


@needs_mongod
class TestItsDatabase:
    """What the reviewer's browser sends is a decision; what another program writes into the database is none."""

    @pytest.fixture
    def database(self, server: Server) -> Any:
        return our_fiftyone().core.odm.get_db_conn().client[SERVED]

    @pytest.fixture
    def dataset(self, server: Server, database: Any) -> dict[str, Any]:
        return database.datasets.find_one({"name": dataset_name(server.run)})

    def patch(self, server: Server, dataset: dict[str, Any], sample: dict[str, Any], label: str) -> tuple[int, str]:
        """Edit a label as the Annotate tab does."""
        step = {"op": "replace", "path": "/ground_truth/label", "value": label}
        path = f"/dataset/{dataset['_id']}/sample/{sample['_id']}"
        headers = {
            "Content-Type": "application/json-patch+json",
            "If-Match": f'"{sample["last_modified_at"].isoformat()}"',
        }
        status, content = server.ask(path, method="PATCH", body=json.dumps([step]), **headers)
        return status, content.decode() if status != 200 else ""

    def test_an_edit_in_the_annotate_tab_is_in_the_journal_when_it_is_answered(self, server, database, dataset):
        samples = database[dataset["sample_collection_name"]]
        sample = samples.find_one({"listing_id": "L5"})
        before = journal_of(server.run)
        assert self.patch(server, dataset, sample, "chair") == (200, "")
        assert journal_of(server.run) == [*before, ("L5", "relabel", "chair")]
        assert server.run.decisions()[0][-1].reviewer == "ana"
        # the tab has seen an older state: FiftyOne refuses that, and nothing is recorded
        assert self.patch(server, dataset, sample, "desk")[0] == 412
        # it goes on with the state that it got
        assert self.patch(server, dataset, samples.find_one({"listing_id": "L5"}), "desk") == (200, "")
        assert journal_of(server.run) == [*before, ("L5", "relabel", "chair"), ("L5", "relabel", "desk")]

    def test_an_edit_that_can_not_be_recorded_is_not_shown_either(self, server, database, dataset):
        samples = database[dataset["sample_collection_name"]]
        samples.update_one({"listing_id": "L6"}, {"$set": {"title": "another"}})
        before = journal_of(server.run)
        sample = samples.find_one({"listing_id": "L6"})
        status, told = self.patch(server, dataset, sample, "desk")
        assert (status, told.partition(":")[0]) == (409, "nothing was recorded")
        assert samples.find_one({"listing_id": "L6"})["ground_truth"]["label"] == sample["original_label"]
        assert journal_of(server.run) == before

    def test_a_database_that_names_another_run_sends_no_decision_there(self, server, database, dataset, tmp_path):
        sample = database[dataset["sample_collection_name"]].find_one({"listing_id": "L1"})
        other = make_run(tmp_path)
        before = journal_of(server.run)
        database.datasets.update_one({"_id": dataset["_id"]}, {"$set": {"info.curate.run": str(other.folder)}})
        try:
            status, content = server.operate("@curate/review/keep", [str(sample["_id"])])
            assert status == 200
            assert b"Nothing was recorded" in content
        finally:
            info = {"$set": {"info.curate.run": dataset["info"]["curate"]["run"]}}
            database.datasets.update_one({"_id": dataset["_id"]}, info)
        assert (journal_of(other), journal_of(server.run)) == ([], before)
