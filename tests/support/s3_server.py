"""A real S3 server (moto's), and one before it that is slow or fails, for the tests of what lies in buckets."""

from __future__ import annotations

import http.client
import logging
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

__all__ = ["BucketServer", "Unreliable", "serve_buckets", "serve_unreliably"]


class BucketServer:
    """A server of buckets on this machine.

    Attributes
    ----------
    address : str
        Where it listens.
    """

    def __init__(self, address: str) -> None:
        import boto3

        self.address = address
        self.client: Any = boto3.client(
            "s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )

    def environment(self, address: str = "") -> dict[str, str]:
        """Return what lets every program find it, or what listens at another address before it."""
        return {
            "AWS_ENDPOINT_URL_S3": address or self.address,
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def put(self, bucket: str, key: str, content: bytes) -> None:
        """Put an object into a bucket."""
        self.client.put_object(Bucket=bucket, Key=key, Body=content)

    def make(self, bucket: str, objects: dict[str, bytes]) -> None:
        """Make a bucket of objects."""
        self.client.create_bucket(Bucket=bucket)
        for key, content in objects.items():
            self.put(bucket, key, content)

    def upload(self, bucket: str, folder: Path) -> None:
        """Put all files below a folder into a new bucket."""
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        self.make(bucket, {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths})

    def forget(self) -> None:
        """Delete all buckets."""
        url = urlsplit(self.address)
        connection = http.client.HTTPConnection(url.hostname or "", url.port)
        connection.request("POST", "/moto-api/reset")
        assert connection.getresponse().status == 200
        connection.close()


@contextmanager
def serve_buckets() -> Iterator[BucketServer]:
    """Serve buckets on this machine while the block runs; skip the test where the packages for it are missing."""
    pytest.importorskip("s3fs", reason="s3fs is not installed")
    moto = pytest.importorskip("moto.server", reason="moto, the S3 server of the tests, is not installed")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield BucketServer(f"http://{host}:{port}")
    finally:
        server.stop()


class Unreliable:
    """A server before another one that fails as it is told.

    Attributes
    ----------
    address : str
        Where it listens.
    asked : Counter
        How often each method and path was asked for.
    rule : callable
        Of a method, a path and how often it was asked for before: ``"500"``, ``"503"`` or ``"403"``, ``"reset"``,
        ``"half"``, ``"slow"``, ``"silent"``, or nothing.
    ended : Event
        Set when the server ends.
    """

    def __init__(self, behind: str) -> None:
        self.address = ""
        self.behind = urlsplit(behind)
        self.asked: Counter[str] = Counter()
        self.rule: Callable[[str, str, int], str] = lambda method, path, before: ""
        self.ended = threading.Event()
        self.lock = threading.Lock()


class _Between(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: Unreliable

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        path, ours = self.path.partition("?")[0], self.server_of
        with ours.lock:
            before = ours.asked[f"{self.command} {path}"]
            ours.asked[f"{self.command} {path}"] += 1
        how = ours.rule(self.command, path, before)
        if how == "silent":
            ours.ended.wait()
            return
        if how == "slow":
            time.sleep(0.1)
        if how == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        if how.isdecimal():
            code = {"403": "AccessDenied", "500": "InternalError", "503": "SlowDown"}[how]
            content = f"<Error><Code>{code}</Code><Message>no secret here</Message></Error>".encode()
            self._send(int(how), {"Content-Type": "application/xml", "Content-Length": str(len(content))}, content)
            return
        connection = http.client.HTTPConnection(ours.behind.hostname or "", ours.behind.port)
        connection.request(self.command, self.path, headers=dict(self.headers))
        response = connection.getresponse()
        content = response.read()
        headers = {key: value for key, value in response.getheaders() if key.lower() != "connection"}
        connection.close()
        self._send(response.status, headers, content[: len(content) // 2] if how == "half" else content)
        if how == "half":
            self.close_connection = True

    def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response_only(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = _answer


@contextmanager
def serve_unreliably(behind: str) -> Iterator[Unreliable]:
    """Serve what another server has, as a rule wants it, while the block runs."""
    ours = Unreliable(behind)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Between", (_Between,), {"server_of": ours}))
    server.daemon_threads = True
    ours.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield ours
    finally:
        ours.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
