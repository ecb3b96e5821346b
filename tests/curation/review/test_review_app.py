"""The review as a person meets it: a process of its own, a browser, a journal."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import pytest

from curation.review.app.dataset import dataset_name
from curation.review.app.thumbnails import copies_of
from curation.review.app.tiles import NO_PHOTO, NOT_FOUND, tile
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
    def test_the_printed_address_lets_in_and_hides_its_token(self, server):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        parts = urlsplit(server.url)
        connection.request("GET", f"{parts.path}?{parts.query}")
        answer = connection.getresponse()
        assert answer.status == 303
        assert server.token not in answer.headers["Location"]
        assert answer.headers["Location"].endswith("?workspace=review&view=to-review")
        assert "HttpOnly" in answer.headers["Set-Cookie"]
        connection.close()
        assert server.ask(parts.path)[0] == 200

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
        assert [line.split()[0] for line in lines] == ["Opening", "Open", "Keys:"]
