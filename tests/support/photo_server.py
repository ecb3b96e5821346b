"""A real web server of photos that also misbehaves, for the tests of fetching."""

from __future__ import annotations

import gzip
import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from PIL import Image

__all__ = ["PhotoServer", "photo_bytes", "serve_photos"]


def photo_bytes(number: int = 0, *, kind: str = "PNG") -> bytes:
    """Return a photo of its own for every number."""
    stream = io.BytesIO()
    Image.new("RGB", (40, 60), (number % 256, number // 256, 90)).save(stream, kind)
    return stream.getvalue()


class PhotoServer:
    """What was asked for, and how to stop waiting answers."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.asked: list[str] = []
        self.ended = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    photos: PhotoServer

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.photos.asked.append(self.path)
        name = unquote(self.path).strip("/").partition("?")[0]
        answer = getattr(self, f"_{name.partition('-')[0]}", None)
        if answer is not None:
            answer(name)
        else:
            number = int("".join(filter(str.isdigit, name)) or 0)
            self._send(photo_bytes(number, kind="JPEG" if name.endswith(".jpg") else "PNG"))

    def _send(self, content: bytes, code: int = 200, **headers: str) -> None:
        self.send_response(code)
        for key, value in {"Content_Length": str(len(content)), **headers}.items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def _gone(self, name: str) -> None:
        self._send(b"<html>gone", 404)

    def _page(self, name: str) -> None:
        self._send(b"<!DOCTYPE html><html>Log in first", Content_Type="image/jpeg")

    def _text(self, name: str) -> None:
        self._send(b"quota exceeded")

    def _gzip(self, name: str) -> None:
        self._send(gzip.compress(photo_bytes(7)), Content_Encoding="gzip")

    def _bomb(self, name: str) -> None:
        self._send(gzip.compress(bytes(40 * 10**6)), Content_Encoding="gzip")

    def _brotli(self, name: str) -> None:
        self._send(photo_bytes(), Content_Encoding="br")

    def _loop(self, name: str) -> None:
        self._send(b"", 302, Location="/loop")

    def _moved(self, name: str) -> None:
        self._send(b"", 301, Location="/9.png")

    def _ftp(self, name: str) -> None:
        self._send(b"", 302, Location="ftp://127.0.0.1/1.png")

    def _file(self, name: str) -> None:
        self._send(b"", 302, Location="file:///etc/passwd")

    def _cut(self, name: str) -> None:
        content = photo_bytes(3)
        self._send(content[: len(content) // 2], Content_Length=str(len(content)))

    def _damaged(self, name: str) -> None:
        self._send(photo_bytes(3)[:60])

    def _empty(self, name: str) -> None:
        self._send(b"")

    def _huge(self, name: str) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(bytes(1 << 20))
        except OSError:
            pass

    def _drip(self, name: str) -> None:
        """Send a byte at a time, for ever."""
        self.send_response(200)
        self.end_headers()
        try:
            while not self.photos.ended.is_set():
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.02)
        except OSError:
            pass

    def _silent(self, name: str) -> None:
        self.photos.ended.wait()


@contextmanager
def serve_photos() -> Iterator[PhotoServer]:
    """Serve photos on this machine while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    photos = PhotoServer(f"http://127.0.0.1:{server.server_address[1]}")
    server.RequestHandlerClass = type("Handler", (_Handler,), {"photos": photos})
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield photos
    finally:
        photos.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
