"""A real web server of photos that also misbehaves, for the tests of fetching."""

from __future__ import annotations

import gzip
import io
import socket
import struct
import threading
import time
from collections import Counter
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
        #: How often each name was asked for, and the most that were asked for at once.
        self.counts: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.at_once = self.most_at_once = 0


class _Handler(BaseHTTPRequestHandler):
    photos: PhotoServer

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.photos.asked.append(self.path)
        name = unquote(self.path).strip("/").partition("?")[0]
        with self.photos.lock:
            self.photos.counts[name] += 1
            self.first = self.photos.counts[name] == 1
        if name.endswith(".csv") and not name.startswith("metadata"):
            rows = (f"L{row},photos/{row}.png,{'ab'[row % 2]}" for row in range(6))
            self._send("\n".join(("id,image,label", *rows)).encode())
            return
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

    def _busy(self, name: str) -> None:
        """Answer 500, and the second time with a photo."""
        self._send(b"try later", 500) if self.first else self._send(photo_bytes(21))

    def _slow(self, name: str) -> None:
        """Answer after a moment, and count who waits at once."""
        with self.photos.lock:
            self.photos.at_once += 1
            self.photos.most_at_once = max(self.photos.most_at_once, self.photos.at_once)
        time.sleep(0.2)
        with self.photos.lock:
            self.photos.at_once -= 1
        self._send(photo_bytes(int(name.rpartition("-")[2])))

    def _wait(self, name: str) -> None:
        self._send(b"slowly", 429, Retry_After="1") if self.first else self._send(photo_bytes(22))

    def _reset(self, name: str) -> None:
        """Reset the connection, and answer the second time with a photo."""
        if self.first:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        else:
            self._send(photo_bytes(23))

    def _half(self, name: str) -> None:
        """Send half of a photo, and the second time all of it."""
        content = photo_bytes(24)
        self._send(content[:60] if self.first else content, Content_Length=str(len(content)))

    def _down(self, name: str) -> None:
        self._send(b"out of order", 503)

    def _forbidden(self, name: str) -> None:
        self._send(b"not for you", 403)

    def _elsewhere(self, name: str) -> None:
        """Redirect to another host, which is this one by another name."""
        port = self.server.server_address[1]
        self._send(b"", 302, Location=f"http://localhost:{port}/9.png")

    def _upwards(self, name: str) -> None:
        self._send(b"", 302, Location="/private/9.png")

    def _metadata(self, name: str) -> None:
        self._send(b"", 302, Location="http://169.254.169.254/latest/meta-data/")

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
