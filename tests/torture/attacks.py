"""Attacks on the real review server: what a stranger, another page, or a hostile request gets, does, or breaks."""

from __future__ import annotations

import itertools
import os
import random
import re
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from curation.review.server.links import VALID, Codes
from curation.review.server.team import open_reviews
from tests.torture.attack_families import FAMILIES, Attack, Target
from tests.torture.tally import Tally

if TYPE_CHECKING:
    from tests.support.review_server import Server

COUNT = 480
#: Seconds. On a machine that does nothing else an answer comes far sooner, and a connection that sends nothing more is
#: closed after ten.
_PATIENCE, _IDLE = 180, 60
_SECRET = "the secret of another folder"
_TRACES = re.compile(rb'Traceback \(most recent call last\)|File \\?"/[^"]+\.py')
#: What nobody may get without the cookie, and what is sent to nobody.
_INSIDE, _FORBIDDEN = (
    re.compile(rb"<!doctype html>.*<script|nice thing|\"data\"", re.I | re.S),
    re.compile(rb"root:x:0|" + _SECRET.encode()),
)


def attack(server: Server, count: int, seed: int, jobs: int) -> Tally:
    """Attack a review that is open, which still works afterwards and has decided nothing."""
    secret = server.run.photo_root.parent / f"secret-{seed}.txt"
    secret.write_text(_SECRET)
    target, tally, rng = Target(server, secret), Tally("attacks"), random.Random(seed)
    before, kinds = server.run.journal.read_bytes() if server.run.journal.exists() else b"", Counter[str]()
    weights = [weight for _, weight in FAMILIES]
    attacks = [rng.choices(FAMILIES, weights)[0][0](target, rng) for _ in range(count)]
    start = time.monotonic()
    with ThreadPoolExecutor(2 * jobs) as pool:
        for one, (answer, seconds) in zip(attacks, pool.map(lambda one: _ask(server.port, one), attacks), strict=True):
            tally.tried += 1
            kinds[one.family] += 1
            line = f"{one.family}, seed {seed}: {one.sent[:300]!r} -> {answer[:300]!r} after {seconds:.1f} s"
            for fault in _judge(one, answer, seconds):
                tally.fault(fault, line)
    for fault, line in itertools.chain(_codes(server), _afterwards(target, before)):
        tally.fault(fault, line)
    tally.tried += 5
    secret.unlink()
    tally.notes.append(
        f"{', '.join(f'{many} {kind}' for kind, many in kinds.items())}; {time.monotonic() - start:.1f} s"
    )
    return tally


def _ask(port: int, one: Attack) -> tuple[bytes, float]:
    """Return what comes back until the server ends the connection, and after how many seconds that was."""
    began, answer = time.monotonic(), bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE) as connection:
        try:
            connection.sendall(one.sent)
            while part := connection.recv(1 << 16):
                answer += part
                if time.monotonic() - began > _PATIENCE or len(answer) > 1 << 24:
                    break
        except (ConnectionError, TimeoutError):
            pass
    return bytes(answer), time.monotonic() - began


def _judge(one: Attack, answer: bytes, seconds: float) -> Iterator[str]:
    status = int(found[1]) if (found := re.match(rb"HTTP/1\.[01] (\d{3})", answer)) else 0
    if seconds > (_IDLE if one.ends else _PATIENCE):
        yield "hangs"
    if _TRACES.search(answer):
        yield "tracebacks"
    refused = status in (400, 401, 403, 404, 405, 501)
    # beside other parameters, a photo of the run may be asked for
    photo = one.family == "file" and (status in (307, 416) or b"\r\ncontent-type: image/jpeg" in answer)
    if _FORBIDDEN.search(answer) or (not one.cookie and (200 <= status < 400 or _INSIDE.search(answer))):
        yield "losses"
    elif one.family in ("stranger", "other page", "file") and not (refused or photo):
        yield "unexplained"


def _codes(server: Server) -> Iterator[tuple[str, str]]:
    """Attack the links: each lets one in, once, for a while, and none of them anything but a browser that opens it."""

    def enters(code: str, **headers: str) -> bool:
        method = headers.pop("method", "GET")
        status, given, _ = server.answer(f"/?code={code}", method=method, Cookie="", **headers)
        return status == 200 or "set-cookie" in given

    def code() -> str:
        return server.url.partition("&code=")[2]

    shared, unused = code(), code()
    with ThreadPoolExecutor(8) as pool:
        if (entered := sum(pool.map(lambda _: enters(shared), range(16)))) != 1:
            yield "losses", f"one code let {entered} browsers in"
    for name, headers in {
        "prefetch": {"Sec_Purpose": "prefetch;prerender"},
        "POST": {"method": "POST"},
        "HEAD": {"method": "HEAD"},
        "another page": {"Origin": "http://evil.example"},
        "rebinding": {"Host": "evil.example"},
    }.items():
        if enters(unused, **headers):
            yield "losses", f"a code let {name} in"
    if not enters(unused):
        yield "unexplained", "what did not enter used the code up"
    (review,) = (each for each in open_reviews(server.run) if each.port == server.port)
    old = code()
    for file in Path(review.codes).iterdir():
        if file == Codes(Path(review.codes))._file(old):
            os.utime(file, (time.time() - VALID - 1,) * 2)
    if enters(old):
        yield "losses", "an old code let somebody in"


def _afterwards(target: Target, before: bytes) -> Iterator[tuple[str, str]]:
    server = target.server
    if server.ask(target.photo)[0] != 200 or server.ask("/fiftyone")[0] != 200:
        yield "unexplained", "the review no longer works"
    if (server.run.journal.read_bytes() if server.run.journal.exists() else b"") != before:
        yield "losses", "an attack decided something"
    if target.secret.with_name("ran").exists():
        yield "losses", "an attack ran a command"
    log = server.log.read_text(errors="replace")
    if "Traceback" in log or server.token in log or not all(line.isprintable() for line in log.splitlines()):
        yield "tracebacks", f"the terminal shows what it must not: {log[-1000:]}"


def run(count: int, seed: int, jobs: int) -> Tally:
    """Open a review of a small run, and attack it."""
    # as tests/conftest.py has it for the suite: a database of our own, which the imports read
    os.environ.setdefault("FIFTYONE_DATABASE_NAME", f"curate_torture_{os.getpid()}")
    from tests.curation.review.test_review import NO_MONGOD, drop_database, make_run
    from tests.support.review_server import SERVED, start, stop

    if NO_MONGOD:
        return Tally("attacks", skipped=f"no MongoDB: {NO_MONGOD[:80]}")
    with tempfile.TemporaryDirectory(prefix="attacks-") as folder:
        server = start(make_run(Path(folder)), Path(folder) / "log")
        try:
            return attack(server, count, seed, jobs)
        finally:
            stop(server)
            drop_database(SERVED)
