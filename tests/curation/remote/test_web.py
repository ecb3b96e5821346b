"""Photos from a web server that is slow, fails for the moment or for good, or leads elsewhere."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import curation
from curation.remote.addresses import Allowed, allowed_by
from curation.remote.bounds import NotFetchedError, Patience, Tasks
from curation.remote.web import download
from tests.cli.test_cli import curate
from tests.support.patience import ENDLESS, HURRIED, SILENT, use_patience
from tests.support.photo_server import PhotoServer, photo_bytes, serve_photos
from training.images.cache import open_cache


@pytest.fixture
def server() -> Iterator[PhotoServer]:
    with serve_photos() as photos:
        yield photos


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CURATE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody pause for long."""
    use_patience(monkeypatch, HURRIED)


def table(images: list[str]) -> pd.DataFrame:
    count = range(len(images))
    return pd.DataFrame(
        {"id": [f"L{row}" for row in count], "image": images, "label": ["lamp" if row % 2 else "sofa" for row in count]}
    )


def got(url: str, allowed: Allowed, patience: Patience = HURRIED, most: int = 10**6) -> bytes:
    with Tasks(patience).one() as task:
        return download(url, most, allowed, task)


def anywhere() -> Allowed:
    return allowed_by(["http://127.0.0.1:9", "http://no-such-host.invalid"])


@pytest.mark.usefixtures("_in_a_hurry")
@pytest.mark.parametrize(
    ("name", "number"),
    [("busy", 21), ("reset", 23), ("half", 24), ("wait", 22)],
)
def test_what_fails_for_the_moment_is_asked_for_again(name: str, number: int, server: PhotoServer) -> None:
    images = [f"{server.address}/{name}", *[f"{server.address}/{row}.png" for row in range(5)]]
    begin = time.monotonic()
    listings = curation.read_listings(table(images), fetch=server.address)
    assert Path(listings.table["image"].iloc[0]).read_bytes() == photo_bytes(number)
    assert server.counts[name] == 2
    if name == "wait":
        # as long as the server wants
        assert time.monotonic() - begin >= 1


@pytest.mark.parametrize(
    ("name", "reason", "asked"),
    [
        ("down", "it gives HTTP 503 Service Unavailable", 3),
        ("forbidden", "it gives HTTP 403 Forbidden", 1),
        ("gone", "it gives HTTP 404 Not Found", 1),
        ("silent", "it gives no answer within 2 s", 2),
        ("drip", "it takes longer than 3 s", 2),
        ("cut", "it broke off before its end", 3),
        ("huge", "it is larger than 1 MB", 1),
    ],
)
def test_what_fails_for_good_is_an_unreadable_photo_and_the_others_are_there(
    name: str, reason: str, asked: int, server: PhotoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_patience(monkeypatch, {"silent": SILENT, "drip": ENDLESS}.get(name, HURRIED))
    images = [f"{server.address}/{name}", *[f"{server.address}/{row}.png" for row in range(5)]]
    listings = curation.read_listings(table(images), fetch=server.address, max_photo_mb=1)
    assert listings.table["image"].notna().tolist() == [False, *[True] * 5]
    assert listings.problems["why"].tolist() == [f"can't be fetched: {reason}"]
    assert server.counts[name] == asked


@pytest.mark.usefixtures("_in_a_hurry")
@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("elsewhere", r"http://localhost:\d+/"),
        ("upwards", r"http://127.0.0.1:\d+/private/"),
        ("metadata", "http://169.254.169.254/latest/meta-data/"),
    ],
)
def test_a_redirect_leads_to_nothing_that_is_not_allowed(name: str, where: str, server: PhotoServer) -> None:
    allowed = allowed_by(f"{server.address}/{name}")
    with pytest.raises(NotFetchedError, match=f"is redirected to {where}, which is not allowed"):
        got(f"{server.address}/{name}", allowed)
    assert server.asked == [f"/{name}"]


def test_a_redirect_to_what_is_allowed_is_followed(server: PhotoServer) -> None:
    port = server.address.rpartition(":")[2]
    allowed = allowed_by([server.address, f"http://localhost:{port}"])
    assert got(f"{server.address}/elsewhere", allowed) == photo_bytes(9)


def test_only_public_hosts_are_asked_where_none_is_named(server: PhotoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(NotFetchedError, match="leads to a private address"):
        got(f"{server.address}/1.png", allowed_by("http://"))
    # a name whose address is another one at the second look
    monkeypatch.setattr("curation.remote.web.is_public", lambda host: True)
    with pytest.raises(NotFetchedError, match="leads to a private address"):
        got(f"{server.address}/1.png", allowed_by("http://"))
    assert server.asked == []


def test_a_password_in_a_url_is_not_sent_and_not_shown(server: PhotoServer) -> None:
    host = server.address.removeprefix("http://")
    images = [f"http://me:secret@{host}/gone", *[f"http://me:secret@{host}/{row}.png" for row in range(5)]]
    listings = curation.read_listings(table(images), fetch=server.address)
    assert listings.table["image"].notna().sum() == 5
    kept = [*listings.notes, *listings.problems["value"], *listings.table["fetched_from"]]
    assert not any("secret" in text for text in kept)
    assert listings.table["fetched_from"].iloc[1] == f"{server.address}/0.png"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:9/1.png", r"can't be reached \(Connection refused\)"),
        ("http://no-such-host.invalid/1.png", "names a server that does not exist"),
        ("http:///1.png", "is no address of a photo"),
        ("http://[::1/1.png", "is no address of a photo"),
        ("http://a:b:c/1.png", "is no address of a photo"),
        ("http://127.0.0.1:9/a/../1.png", "is no address of a photo"),
        ("ftp://127.0.0.1/1.png", "is no address of a photo"),
        ("file:///etc/passwd", "is no address of a photo"),
    ],
)
def test_an_address_that_leads_nowhere_has_its_reason(url: str, reason: str) -> None:
    with pytest.raises(NotFetchedError, match=reason):
        got(url, anywhere())


@pytest.mark.usefixtures("_in_a_hurry")
def test_a_server_that_refuses_all_is_told_after_a_few_photos(here: Path, server: PhotoServer) -> None:
    table([f"{server.address}/forbidden-{row}" for row in range(400)]).to_csv("shop.csv", index=False)
    refused = curate("find-issues", "shop.csv", "--fetch", server.address)
    assert refused.exit_code == 2
    assert f"{server.address} gives no photo: 400 of 400 photos are there" in refused.stderr
    assert "got a first photo that gives HTTP 403 Forbidden" in refused.stderr
    assert len(server.asked) == 16
    assert not (here / "runs").exists()


@pytest.mark.usefixtures("_in_a_hurry")
def test_a_server_that_refuses_few_photos_leaves_the_others(server: PhotoServer) -> None:
    images = [f"{server.address}/{row}.png" for row in range(95)]
    nobody = f"http://127.0.0.1:{_free_port()}"
    images += [f"{nobody}/{row}.png" for row in range(5)]
    listings = curation.read_listings(table(images), fetch=[nobody, server.address])
    assert listings.table["image"].notna().sum() == 95
    assert set(listings.problems["why"]) == {"can't be fetched: it can't be reached (Connection refused)"}


@pytest.mark.usefixtures("_in_a_hurry")
def test_missing_photos_are_asked_for_one_by_one_even_if_the_first_are_all_missing(server: PhotoServer) -> None:
    images = [f"{server.address}/gone-{row}" for row in range(100)]
    images += [f"{server.address}/{row}.png" for row in range(20)]
    listings = curation.read_listings(table(images), fetch=server.address, allow_bad=1)
    assert listings.table["image"].notna().sum() == 20
    assert len(server.asked) == 120


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_photos_are_fetched_side_by_side(server: PhotoServer) -> None:
    images = [f"{server.address}/slow-{row}" for row in range(32)]
    curation.read_listings(table(images), fetch=server.address)
    assert server.most_at_once > 4


def test_a_table_at_a_url_is_read_with_photos_relative_to_it(here: Path, server: PhotoServer) -> None:
    listings = curation.read_listings(f"{server.address}/table.csv?key=secret", max_photo_mb=1)
    assert listings.source.name == "table"
    assert listings.source.named == f"{server.address}/table.csv?…"
    assert listings.table["fetched_from"].tolist()[:2] == [
        f"{server.address}/photos/0.png",
        f"{server.address}/photos/1.png",
    ]
    assert [Path(path).read_bytes() for path in listings.table["image"]] == [photo_bytes(row) for row in range(6)]
    assert open_cache(None).fetched_root == here / "cache" / "fetched-v1"


def test_a_redirect_of_a_table_stays_on_its_server(server: PhotoServer) -> None:
    with pytest.raises(
        curation.ListingsError, match=r"is redirected to http://169\.254\.169\.254/latest/meta-data/, which"
    ):
        curation.read_listings(f"{server.address}/metadata-1.csv")


def dead(count: int) -> list[str]:
    """Return the addresses of servers that refuse every connection."""
    return [f"http://127.0.{row // 200 + 1}.{row % 200 + 1}:9" for row in range(count)]


@pytest.mark.usefixtures("_in_a_hurry")
def test_of_many_servers_a_few_are_asked_and_if_none_gives_anything_no_others() -> None:
    servers = dead(900)
    with pytest.raises(curation.CurateError) as refused:
        curation.read_listings(table([f"{each}/1.png" for each in servers]), fetch=servers)
    assert "none of 64 servers and buckets" in str(refused.value)
    assert "836 more were not asked" in str(refused.value)
    assert "whether this machine reaches the internet" in str(refused.value)


@pytest.mark.usefixtures("_in_a_hurry")
def test_many_dead_servers_are_given_up_as_soon_as_too_many_photos_are_lost(server: PhotoServer) -> None:
    servers = dead(300)
    images = [f"{each}/1.png" for each in servers]
    for row in range(0, len(images), 5):
        images[row] = f"{server.address}/{row}.png"
    with pytest.raises(curation.CurateError, match="gives no photo, as do") as refused:
        curation.read_listings(table(images), fetch=[*servers, server.address])
    lost = int(str(refused.value).partition(" of 300 photos are there")[0].rpartition(" ")[2])
    assert 60 < lost < 150


@pytest.mark.usefixtures("_in_a_hurry")
def test_all_of_many_dead_servers_are_asked_if_any_number_may_be_missing(server: PhotoServer) -> None:
    servers = dead(100)
    images = [*[f"{each}/1.png" for each in servers], *[f"{server.address}/{row}.png" for row in range(4)]]
    listings = curation.read_listings(table(images), fetch=[*servers, server.address], allow_bad=1.0)
    assert listings.table["image"].str.startswith("/").sum() == 4
