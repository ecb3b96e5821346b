"""Servers that want to hang, fill or mislead who asks them, and buckets and tables that want to be read elsewhere."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import curation
from curation.listings.copied import folder_url
from curation.remote import web
from curation.remote.addresses import allowed_by, parse_address, shown
from curation.remote.bounds import NotFetchedError, Patience, Room, Task
from curation.remote.connections import is_public
from curation.remote.copies import Copier
from tests.support.patience import HURRIED, use_patience
from tests.support.photo_server import photo_bytes, serve_photos

BRIEF = Patience(tries=1, silence=5.0, duration=0.5)
OK = b"HTTP/1.1 200 OK\r\n"


@contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Answer each connection with raw bytes, while the block runs."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.recv(1 << 16)
                answer(connection)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/1.png"
    finally:
        # wakes accept()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def dripping(start: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(piece)
            time.sleep(0.02)

    return answer


def got(url: str, most: int = 10**6, patience: Patience = BRIEF) -> bytes:
    return web.download(url, most, allowed_by(url), Task(patience, threading.Event(), Room(threading.Lock())))


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"", b"H"),
        (OK + b"X-Long: ", b"x"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    ],
    ids=["status", "header", "continue", "chunk"],
)
def test_a_server_that_drips_ends_in_time_whatever_it_drips(start: bytes, piece: bytes) -> None:
    with serving(dripping(start, piece)) as url, pytest.raises(NotFetchedError, match="takes longer than"):
        got(url)


def test_headers_without_end_are_not_read_to_their_end() -> None:
    flood = b"HTTP/1.1 100 Continue\r\n\r\n" * 1000

    def answer(connection: socket.socket) -> None:
        while True:
            connection.sendall(flood)

    with serving(answer) as url, pytest.raises(NotFetchedError, match="has headers without end"):
        got(url, patience=replace(BRIEF, duration=100.0))


def test_what_follows_a_packed_photo_is_not_read() -> None:
    photo = photo_bytes()

    def answer(connection: socket.socket) -> None:
        connection.sendall(OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(photo))
        while True:
            connection.sendall(bytes(1 << 16))

    with serving(answer) as url:
        assert got(url) == photo


@pytest.mark.parametrize(
    "headers",
    [
        b"503 No\r\nRetry-After: 99999999999999999999 Jan 2001 00:00:00 GMT",
        b"503 No\r\nRetry-After: " + b"9" * 5000,
        b"302 No\r\nLocation: http://evil\x1b[31m.org/",
        b"302 No\r\nLocation: http://evil.org/\x1b[31m/x",
        b"302 No\r\nLocation: http://evil.org/" + b"x" * 30_000 + b"/x",
        b"302 No\r\nLocation: " + b"z" * 30_000 + b"://x",
        b"200 OK\r\nContent-Encoding: \x1b[31mred",
        b"200 OK\r\nContent-Encoding: " + b"x" * 30_000,
    ],
)
def test_words_of_a_server_are_shown_short_and_without_control_characters(headers: bytes) -> None:
    content = b"HTTP/1.1 " + headers + b"\r\nContent-Length: 0\r\n\r\n"
    with serving(lambda connection: connection.sendall(content)) as url, pytest.raises(NotFetchedError) as caught:
        got(url)
    assert caught.value.reason.isprintable()
    assert len(caught.value.reason) < 300


def test_bytes_that_came_in_vain_count_towards_the_limit_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_patience(monkeypatch, HURRIED)
    monkeypatch.setenv("CURATE_CACHE_DIR", str(tmp_path))
    with serve_photos() as server:
        images = [f"{server.address}/huge-{row}" for row in range(200)]
        table = pd.DataFrame({"id": range(200), "image": images, "label": ["a", "b"] * 100})
        listings = curation.read_listings(
            table, fetch=server.address, fetch_limit=8 * 10**6, max_photo_mb=1, allow_bad=1.0
        )
        assert len(server.asked) < 50
    assert any("beyond the limit of 8 MB in all" in note for note in listings.notes)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "127.1",
        "0",
        "::1",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "fec0::1",
        "224.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
    ],
)
def test_a_private_address_is_none_that_is_public_however_it_is_written(host: str) -> None:
    assert not is_public(host)


def test_the_list_of_hosts_without_a_proxy_is_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    # the name seemed to lead to a public address when it was looked up first
    monkeypatch.setattr("curation.remote.web.is_public", lambda host: True)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "example.org")
    task = Task(BRIEF, threading.Event(), Room(threading.Lock()))
    with serve_photos() as server, pytest.raises(NotFetchedError, match="leads to a private address"):
        web.download(f"{server.address}/1.png", 10**6, allowed_by("http://"), task)


@pytest.mark.parametrize("scheme", ["zip", "tar", "github", "sftp", "reference", "simplecache", "dir", "generic"])
def test_a_protocol_that_needs_more_than_a_url_is_refused(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CURATE_CACHE_DIR", str(tmp_path))
    images = [f"{scheme}://host/{row}.jpg" for row in range(4)]
    table = pd.DataFrame({"id": range(4), "image": images, "label": list("abab")})
    asked: list[Callable[[], Any]] = [
        lambda: curation.read_listings(table, fetch=f"{scheme}://host/"),
        lambda: curation.read_listings(f"{scheme}://host/listings.csv"),
    ]
    for ask in asked:
        with pytest.raises(curation.InputError, match=rf"{scheme}:// (can't be opened by its URLs alone|needs a pack)"):
            ask()


@pytest.mark.parametrize("url", ["abfs://secrets@photos/1.jpg", "s3://secrets@photos/1.jpg", "gs://a:b@photos/1.jpg"])
def test_a_container_before_a_bucket_is_part_of_it(url: str) -> None:
    assert not allowed_by(url.partition("://")[0] + "://photos/").allows(url)


def test_a_container_of_azure_is_allowed_by_its_own_name() -> None:
    allowed = allowed_by("abfs://photos@account.dfs.core.windows.net/shop")
    assert allowed.allows("abfss://photos@account.dfs.core.windows.net/shop/1.jpg")
    assert not allowed.allows("abfs://secrets@account.dfs.core.windows.net/shop/1.jpg")


@pytest.mark.parametrize("query", ["%73ig=SECRET", "hdnts=exp=1~hmac=SECRET", "X%2DAmz%2DSignature=SECRET"])
def test_a_signature_is_not_shown_however_it_is_named(query: str) -> None:
    assert shown(f"https://shop.com/1.jpg?{query}") == "https://shop.com/1.jpg?…"


def test_photos_beside_a_table_have_neither_its_password_nor_its_query() -> None:
    base = folder_url("https://me:secret@Shop.com/t/listings.csv?sig=abc#x")
    assert base == "https://shop.com/t/"


@pytest.mark.parametrize("url", ["https://shop.com:99999/1.csv", "https://[::1/1.csv", f"https://{'ü' * 80}.de/1.csv"])
def test_a_host_that_is_not_understood_is_said_in_plain_words(url: str) -> None:
    with pytest.raises(ValueError, match=r"^has no host that is understood$"):
        parse_address(url)


def test_one_photo_that_is_refused_does_not_hide_those_that_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CURATE_CACHE_DIR", str(tmp_path))
    with serve_photos() as server:
        images = [f"{server.address}/{row}.png" for row in range(9)] + [f"{server.address}/forbidden-1"]
        table = pd.DataFrame({"id": range(10), "image": images, "label": ["a", "b"] * 5})
        for _ in range(2):
            listings = curation.read_listings(table, fetch=server.address)
            assert listings.table["image"].notna().sum() == 9


class _Listing:
    """A file system whose folders have names that someone chose."""

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def _strip_protocol(self, url: str) -> str:
        return url.partition("://")[2].rstrip("/")

    def ls(self, path: str, detail: bool) -> list[dict[str, Any]]:
        assert detail
        return [{"name": f"{path}/{name}", "type": "directory"} for name in self.names]


@pytest.mark.parametrize(("names", "said"), [(["..", "a"], "names that go up"), (["a"], "more than 10,000 folders")])
def test_a_bucket_does_not_choose_where_its_copy_goes_nor_ends_in_silence(names: list[str], said: str) -> None:
    copier = Copier("memory://bucket/", 10**6, BRIEF)
    assert copier._store is not None
    copier._store.files = _Listing(names)
    with pytest.raises(NotFetchedError, match=said):
        copier.below("memory://bucket/", lambda path, beside: True)


@pytest.fixture
def _bucket() -> Iterator[None]:
    import fsspec

    files = fsspec.filesystem("memory")
    yield
    files.store.clear()
    files.pseudo_dirs[:] = [""]


@pytest.mark.usefixtures("_bucket")
@pytest.mark.parametrize("url", ["memory://shop/", "memory://shop/listings.csv"])
def test_a_declaration_elsewhere_names_no_table_of_this_machine(tmp_path: Path, url: str) -> None:
    import fsspec

    secret = tmp_path / "private.csv"
    secret.write_text("id,image,label\n1,a.jpg,x\n2,b.jpg,y\n")
    files = fsspec.filesystem("memory")
    files.pipe("/shop/listings.csv", secret.read_bytes())
    files.pipe("/shop/dataset.toml", f'table = "{secret}"\n'.encode())
    with pytest.raises(curation.ListingsError, match="names a table outside of its folder"):
        curation.read_listings(url, needs_image=False)
