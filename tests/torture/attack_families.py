"""The families of attacks on the review server: each draws any number of them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from curation.review.app.dataset import dataset_name

if TYPE_CHECKING:
    from tests.support.review_server import Server


@dataclass(frozen=True)
class Attack:
    """Bytes to send: with `cookie`, by the browser that was let in; `ends`: cut off, so the server must end it."""

    family: str
    sent: bytes
    cookie: bool = False
    ends: bool = False


Family = Callable[["Target", random.Random], Attack]


@dataclass(frozen=True)
class Target:
    """What is attacked."""

    server: Server
    secret: Path

    @property
    def photo(self) -> str:
        """The path of a photo that is given out."""
        return "/media?filepath=" + quote(str(self.server.run.photo_root / "0.jpg"))

    def request(
        self,
        rng: random.Random,
        path: str,
        *,
        method: str = "GET",
        body: bytes = b"",
        cookie: bool = False,
        **more: str,
    ) -> bytes:
        """Return a request, whose headers come in any order and spelling."""
        port = self.server.port
        headers = {"Host": f"127.0.0.1:{port}", "Connection": "close", **more}
        if cookie:
            headers["Cookie"] = f"curate_review_{port}={self.server.token}"
        if body:
            headers = {"Content-Length": str(len(body)), "Content-Type": "application/json", **headers}
        lines = [f"{rng.choice((name, name.lower(), name.upper()))}: {value}" for name, value in headers.items()]
        rng.shuffle(lines)
        return (
            f"{method} {path} HTTP/1.1\r\n".encode("latin-1", "replace")
            + "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")
            + body
        )


_ROUTES = (
    "/",
    "/fiftyone",
    "/media?filepath=0.jpg",
    "/plugins",
    "/assets/index.js",
    "/graphql",
    "/operators",
    "/operators/execute",
    "/operators/execute/generator",
    "/events",
    "/event",
    "/aggregate",
    "/values",
    "/tag",
    "/sort",
    "/datasets/x",
    "/screenshot/x",
    "/frames",
    "/dataset/0/sample/0",
    "/ontologies",
    "/docs",
    "/.env",
)
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "G\x00T")


def _stranger(target: Target, rng: random.Random) -> Attack:
    port = target.server.port
    cookies = (
        "",
        "x",
        f"curate_review_{port}=",
        f"curate_review_{port}=wrong",
        f"curate_review_{port}",
        ";;;=;",
        f"curate_review_{port + 1}={target.server.token}",
        f"curate_review_{port}={target.server.token[:-1]}",
        f"CURATE_REVIEW_{port}={target.server.token}",
        f"curate_review_{port}=" + "a" * 4000,
    )
    path = rng.choice(_ROUTES)
    path += rng.choice(("", "", "&code=x" if "?" in path else f"?code={rng.randbytes(18).hex()}"))
    more = {"Cookie": rng.choice(cookies), **rng.choice(({}, {"Authorization": f"Bearer {target.server.token}"}))}
    body = rng.choice((b"", b"{}", b"[" * 500))
    return Attack("stranger", target.request(rng, path, method=rng.choice(_METHODS), body=body, **more))


def _other_page(target: Target, rng: random.Random) -> Attack:
    port = target.server.port
    hosts = (
        "evil.example",
        f"evil.example:{port}",
        f"127.0.0.1.evil.example:{port}",
        "0.0.0.0",
        "[::ffff:1.2.3.4]",
        "localhost.",
        f"127.0.0.1@evil.example:{port}",
        f"evil.example#127.0.0.1:{port}",
        "LOCALHOST.EVIL.EXAMPLE",
        "",
        "2130706433",
    )
    origins = (
        "http://evil.example",
        "null",
        f"https://127.0.0.1:{port}",
        "http://127.0.0.1",
        f"http://localhost:{port}",
        "file://",
        f"http://127.0.0.1:{port}.evil.example",
        f"http://127.0.0.1:{port}, http://evil.example",
        " ",
    )
    sites = (
        {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": rng.choice(("image", "empty", "iframe"))}
        for site in ("cross-site", "same-site")
        for mode in ("no-cors", "cors", "navigate")
    )
    more = rng.choice(([{"Host": rng.choice(hosts)}], [{"Origin": rng.choice(origins)}], list(sites)))
    method, body = rng.choice((("GET", b""), ("POST", b'{"operator_uri": "@curate/review/undo"}')))
    path = "/operators/execute" if body else rng.choice(("/", "/fiftyone", target.photo))
    return Attack("other page", target.request(rng, path, method=method, body=body, cookie=True, **rng.choice(more)))


def _file(target: Target, rng: random.Random) -> Attack:
    """Ask for another file, as the reviewer: the guard must not even then give it out."""
    photos = target.server.run.photo_root
    files = [
        "/etc/passwd",
        f"{photos}/../{target.secret.name}",
        str(target.secret),
        f"{photos}/./../{target.secret.name}",
        f"{photos}//../{target.secret.name}",
        f"file://{target.secret}",
        f"/proc/self/root{target.secret}",
        f"/proc/self/cwd/{target.secret.name}",
        "/proc/self/environ",
        f"{photos}/0.jpg\0{target.secret}",
        f"{photos}/0.jpg/../../{target.secret.name}",
        str(target.server.run.record_file),
        f"~/{target.secret.name}",
        f"{photos}\\..\\{target.secret.name}",
        "a" * 5000,
        "../" * 40 + "etc/passwd",
        "/dev/zero",
        "/dev/stdin",
    ]
    spell: tuple[Callable[[str], str], ...] = (
        quote,
        lambda text: quote(text, safe=""),
        lambda text: quote(quote(text)),
        lambda text: text.replace("/", "%2f"),
        lambda text: text.replace("..", "%2e%2e"),
        lambda text: text.replace("..", "%c0%ae%c0%ae"),
        lambda text: "".join(f"%{sign:02x}" for sign in text.encode()),
        lambda text: text.replace(" ", "+"),
    )
    asked = rng.choice(spell)(rng.choice(files)).replace("\0", "%00").replace(" ", "%20")
    photo = target.photo.partition("?")[2]
    query = rng.choice(
        (
            f"filepath={asked}",
            f"{photo}&filepath={asked}",
            f"filepath={asked}&{photo}",
            f"{photo}&FILEPATH={asked}",
            f"file%70ath={asked}&{photo}",
            f"filepath[]={asked}",
            f"{photo};filepath={asked}",
            f"{photo}%00&filepath={asked}",
        )
    )
    path = rng.choice(
        ("/media", "/media/", "/%6dedia", "//media", "/./media", "/media/..%2fmedia", "/MEDIA", "/media%3f", "/media;a")
    )
    plugin = rng.choice(
        (
            "/plugins/../../etc/passwd",
            "/plugins/%2e%2e/%2e%2e/etc/passwd",
            "/assets/..%2f..%2f..%2fetc/passwd",
            "/plugins/curate-review/__init__.py",
            "/plugins/curate-review/reviewer.json",
            "/assets/%252e%252e/x",
        )
    )
    method = rng.choice(("GET", "GET", "GET", "HEAD", "POST"))
    asked = plugin if rng.random() < 0.15 else f"{path}?{query}"
    return Attack(
        "file",
        target.request(rng, asked, method=method, cookie=True, Range=rng.choice(("bytes=0-9", "bytes=9-0", "x"))),
        cookie=True,
    )


def _form(target: Target, rng: random.Random) -> Attack:
    """Requests that two programs may read in two ways, and such as no program writes."""
    port = target.server.port
    host, inner = f"Host: 127.0.0.1:{port}", f"GET /fiftyone HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
    heads = (
        f"POST /events HTTP/1.1\r\n{host}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{inner}",
        f"POST /events HTTP/1.1\r\n{host}\r\nContent-Length: 0\r\nContent-Length: {len(inner)}\r\n\r\n{inner}",
        f"POST /events HTTP/1.1\r\n{host}\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{inner}",
        f"POST /events HTTP/1.1\r\n{host}\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n{inner}",
        f"POST /events HTTP/1.1\r\n{host}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        f"POST /events HTTP/1.1\r\n{host}\r\nContent-Length: -1\r\n\r\n",
        f"POST / HTTP/1.1\r\n{host}\r\nContent-Length: 1e3\r\n\r\n",
        f"GET / HTTP/1.1\r\n{host}\r\nHost: evil.example\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        f"GET http://evil.example/fiftyone HTTP/1.1\r\n{host}\r\n\r\n",
        f"GET /fiftyone\r\n{host}\r\n\r\n",
        f"GET / HTTP/9.9\r\n{host}\r\n\r\n",
        f"GET /\0 HTTP/1.1\r\n{host}\r\n\r\n",
        f"GET /a b HTTP/1.1\r\n{host}\r\n\r\n",
        f"GET / HTTP/1.1\n{host}\n\n",
        f"GET / HTTP/1.1\r{host}\r\r",
        f"GET / HTTP/1.1\r\n{host}\r\n Folded: x\r\n\r\n",
        f"GET / HTTP/1.1\r\n{host}\r\nCookie: a\0b\r\n\r\n",
        f"GET / HTTP/1.1\r\n{host}\r\nX: {'a' * 70000}\r\n\r\n",
        f"GET /{'a' * 70000} HTTP/1.1\r\n{host}\r\n\r\n",
        f"GET / HTTP/1.1\r\n{host}\r\n" + "X: y\r\n" * 3000 + "\r\n",
        f"GET /%0d%0aSet-Cookie:%20x=y?code=%0d%0aX:y HTTP/1.1\r\n{host}\r\n\r\n",
        f"GET * HTTP/1.1\r\n{host}\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
        f"GET / HTTP/1.1\r\n{host}\r\nConnection: Upgrade, HTTP2-Settings\r\n"
        "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
        f"GET /events HTTP/1.1\r\n{host}\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2l4dGVlbiBieXRlcyE=\r\n\r\n",
        "\r\n" * 50,
        "\x16\x03\x01\x02\0\1\0\1\xfc\3\3",
        "EHLO x\r\n",
        "{}",
        inner * 3,
        rng.randbytes(rng.randint(1, 300)).decode("latin-1"),
    )
    return Attack("form", rng.choice(heads).encode("latin-1"), ends=True)


def _body(target: Target, rng: random.Random) -> Attack:
    """Hostile bodies, as the reviewer: nothing of them runs, and no traceback comes back."""
    name = dataset_name(target.server.run)
    marker = str(target.secret.with_name("ran"))
    call = {
        "_cls": rng.choice(
            (
                "subprocess.Popen",
                "os.system",
                "builtins.eval",
                "fiftyone.core.stages.Mongo",
                "fiftyone.core.utils.x",
                "posixpath.join",
                "a" * 3000,
                5,
                None,
                ["x"],
            )
        ),
        "kwargs": [["args", ["touch", marker]]],
    }
    odd = [
        None,
        5,
        -1,
        1e308,
        True,
        "",
        "x",
        "\ud800",
        [],
        [[]],
        {},
        {"$where": "1"},
        call,
        json.dumps(call),
        "a" * 10000,
        10**400,
    ]
    operator = rng.choice(
        (
            "@curate/review/keep",
            "@curate/review/relabel",
            "@curate/review/none",
            "@voxel51/operators/list_files",
            "x",
            "@voxel51/operators/delete_selected_samples",
            "@voxel51/panels/model_evaluation_panel_builtin",
            5,
            None,
        )
    )
    content = {
        "dataset_name": name,
        "dataset": name,
        "operator_uri": operator,
        "view": [],
        "selected": [],
        "params": {},
        "path": "id",
        "aggregations": [],
        "query": "{ version }",
        "variables": {},
        "initializer": None,
        "events": [],
        "subscription": "x",
    }
    for key in rng.sample(sorted(content), rng.randint(1, 4)):
        content[key] = rng.choice(odd)
    if rng.random() < 0.2:
        content["query"] = rng.choice(
            (
                "{",
                "{ a { b } }",
                "{ __schema { types { name } } }",
                "mutation { deleteSavedView }",
                "{" * 3000,
                f'{{ samples(dataset: "{name}", view: 5) {{ __typename }} }}',
                "query Q($v: BSON!) { a }",
            )
        )
    body = json.dumps(content).encode()
    if rng.random() < 0.25:
        body = rng.choice(
            (
                b"",
                b"{",
                b"[" * 100000,
                b'{"a":' * 50000,
                b"\xff\xfe",
                b"9" * 6000,
                b"NaN",
                b'"',
                b"null",
                body[:-1],
                rng.randbytes(200),
                b'{"operator_uri": "\\ud800"}',
                body + body,
                b"\0" * 100,
            )
        )
    routes = (
        "/aggregate",
        "/values",
        "/graphql",
        "/operators",
        "/operators/execute",
        "/operators/execute/generator",
        "/tag",
        "/sort",
        "/operators/resolve-type",
        "/operators/resolve-placements",
        "/tagging",
        "/geo",
        "/embeddings/plot",
        f"/dataset/{'0' * 24}/sample/{'0' * 24}",
    )
    path = rng.choice(routes)
    method = "PATCH" if path.startswith("/dataset/") else "POST"
    return Attack("body", target.request(rng, path, method=method, body=body or b" ", cookie=True), cookie=True)


def _slow(target: Target, rng: random.Random) -> Attack:
    """Requests that never end: the server ends them."""
    port = target.server.port
    whole = target.request(
        rng, rng.choice(_ROUTES), method=rng.choice(("GET", "POST")), body=b"{}", Connection="keep-alive"
    )
    begun = f"POST /events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
    far = f"{begun}Content-Length: {10 ** rng.randint(3, 18)}\r\n\r\n{{".encode()
    chunks = f"{begun}Transfer-Encoding: chunked\r\n\r\n5\r\nab".encode()
    return Attack("slow", rng.choice((whole[: rng.randint(0, len(whole) - 1)], far, chunks)), ends=True)


FAMILIES: tuple[tuple[Family, int], ...] = (
    (_stranger, 5),
    (_other_page, 3),
    (_file, 5),
    (_form, 4),
    (_body, 6),
    (_slow, 1),
)
