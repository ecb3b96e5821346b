"""A real PostgreSQL, on a port of its own, for the tests of one module."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PASSWORD = "s3cret:@/%"  # has what a URL must escape


def _program(name: str) -> str | None:
    # Debian keeps them out of the path
    beside = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    return str(beside[-1]) if beside else shutil.which(name)


@contextmanager
def postgres() -> Iterator[int]:
    """Yield the port of a server, with the user `curate` of :data:`PASSWORD` and the database `shop`."""
    initdb, server = _program("initdb"), _program("postgres")
    if initdb is None or server is None:
        pytest.skip("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="curate-pg-"))
    # it refuses to run as root
    user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    try:
        if user:
            shutil.chown(folder, "postgres", "postgres")
        secret = folder / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        data = folder / "data"
        begin = [initdb, "-D", data, "-U", "curate", "-A", "scram-sha-256", "--pwfile", secret, "--no-sync"]
        subprocess.run([*begin, "--encoding", "UTF8"], check=True, capture_output=True, cwd=folder, **user)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        serve = [server, "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", folder, "-c", "fsync=off"]
        log = folder / "log"
        with log.open("wb") as said, subprocess.Popen(serve, stdout=said, stderr=said, cwd=folder, **user) as process:
            try:
                _create(port, process, log)
                yield port
            finally:
                process.terminate()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _create(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    import psycopg

    from tests.support.waiting import waited_for

    def connected() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            with psycopg.connect(
                host="127.0.0.1", port=port, user="curate", password=PASSWORD, dbname="postgres", autocommit=True
            ) as connection:
                connection.execute("CREATE DATABASE shop")
        except psycopg.OperationalError:
            return False
        return True

    assert waited_for(connected), log.read_text()
