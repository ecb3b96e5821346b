"""The review as a person meets it: a process of its own, a browser, a journal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import pytest

from curation.review.app.dataset import dataset_name
from curation.review.app.thumbnails import copies_of
from curation.review.app.tiles import NO_PHOTO, NOT_FOUND, tile
from tests.cli.test_cli import curate, done
from tests.curation.review.test_review import drop_database, make_run, needs_mongod
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
