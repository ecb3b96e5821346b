"""The review's own MongoDB: nobody else gets in, it is nobody else's, and it ends with its last user."""

from __future__ import annotations

import multiprocessing
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from urllib.parse import unquote

import psutil
import pytest
from pymongo import MongoClient

from curation.errors import ReviewError
from curation.review.database import own
from tests.curation.review.test_review import needs_mongod
from tests.support.waiting import PATIENCE, waited_for

pytestmark = needs_mongod
# a process that has imported what the others need, and forks them
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload([__name__])


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder with a short path, in which a socket may lie."""
    with tempfile.TemporaryDirectory(prefix="t-") as folder:
        yield Path(folder)


@pytest.fixture
def users(tmp_path: Path) -> Iterator[list[BaseProcess]]:
    """Processes that use a database below the test's folder."""
    started: list[BaseProcess] = []
    yield started
    for process in started:
        process.kill()
        process.join()
    assert waited_for(lambda: not mongods(tmp_path)), "a mongod stayed"


def used(users: list[BaseProcess], cache: Path, **more: str) -> str:
    """Start a process that joins the database; return its socket."""
    answer, theirs = SERVER.Pipe()
    users.append(SERVER.Process(target=_use, args=(theirs, {"CURATE_CACHE_DIR": str(cache), **more})))
    users[-1].start()
    assert answer.poll(PATIENCE)
    return unquote(answer.recv().removeprefix("mongodb://"))


def _use(answer: Connection, environment: dict[str, str]) -> None:
    for name in list(os.environ):
        if name.startswith("FIFTYONE_"):
            del os.environ[name]
    os.environ.update(environment)
    tempfile.tempdir = None  # where it was looked up before the fork
    answer.send(own.join())
    time.sleep(600)


def mongods(folder: Path) -> list[psutil.Process]:
    """Return the programs that run for a database below a folder: mongod, and what ends it."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if any(str(folder) in word for word in words) and process.info["status"] != psutil.STATUS_ZOMBIE:
            found += [process] if any("mongod" in word for word in words) else []
    return found


def connected(socket: str) -> MongoClient:
    return MongoClient(f"mongodb://{socket.replace('/', '%2F')}", serverSelectionTimeoutMS=1000 * PATIENCE)


def test_only_its_owner_can_reach_it_and_it_listens_on_no_port(users, tmp_path):
    socket = Path(used(users, tmp_path / "cache"))
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    with connected(str(socket)) as client:
        assert client.admin.command("ping")["ok"] == 1
    for process in mongods(tmp_path):
        assert [link for link in process.net_connections("inet") if link.status == psutil.CONN_LISTEN] == []
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 30e6


def test_two_at_once_share_it_and_the_last_one_killed_ends_it(users, tmp_path):
    first = used(users, tmp_path / "cache")
    assert used(users, tmp_path / "cache") == first
    assert len(mongods(tmp_path)) == 2  # mongod, and what ends it
    users[0].kill()
    users[0].join()
    time.sleep(1)
    with connected(first) as client:
        client.db.things.insert_one({"kept": True})
    users[1].kill()
    assert waited_for(lambda: not mongods(tmp_path))
    # and the next one finds what was written
    with connected(used(users, tmp_path / "cache")) as client:
        assert client.db.things.count_documents({"kept": True}) == 1


def test_one_that_comes_while_mongod_stops_waits_and_starts_it_again(users, tmp_path):
    for _ in range(2):
        with connected(used(users, tmp_path / "cache")) as client:
            assert client.admin.command("ping")["ok"] == 1
        users[-1].kill()


def test_mongod_ends_when_its_keeper_is_killed_and_the_next_review_starts_another(users, tmp_path):
    used(users, tmp_path / "cache")
    keeper = next(each for each in mongods(tmp_path) if "keeper.py" in " ".join(each.cmdline()))
    keeper.kill()
    assert waited_for(lambda: not mongods(tmp_path))
    with connected(used(users, tmp_path / "cache")) as client:
        assert client.admin.command("ping")["ok"] == 1


def test_a_killed_mongod_leaves_a_socket_file_that_does_not_mislead_the_next_review(users, tmp_path):
    socket = used(users, tmp_path / "cache")
    with connected(socket) as client:
        client.db.command({"insert": "things", "documents": [{"kept": True}], "writeConcern": {"j": True}})
    next(each for each in mongods(tmp_path) if "keeper.py" not in " ".join(each.cmdline())).kill()
    assert waited_for(lambda: not mongods(tmp_path))
    assert Path(socket).exists()
    with connected(used(users, tmp_path / "cache")) as client:
        assert client.db.things.count_documents({"kept": True}) == 1


def test_each_folder_has_a_mongod_of_its_own(users, tmp_path):
    first = used(users, tmp_path / "one")
    named = used(users, tmp_path / "one", FIFTYONE_DATABASE_DIR=str(tmp_path / "two"))
    assert Path(first).is_relative_to(tmp_path / "one")
    assert Path(named).is_relative_to(tmp_path / "two")
    with connected(first) as client, connected(named) as other:
        client.db.things.insert_one({})
        assert "db" not in other.list_database_names()


@pytest.mark.parametrize("name", ["x" * 150, "with, comma"])
def test_a_path_that_no_socket_takes_gets_a_short_one_that_is_as_private(users, tmp_path, name):
    socket = Path(used(users, tmp_path / name, TMPDIR=str(tmp_path)))
    # as long as the one that is made
    short = tmp_path / f"curate-{os.geteuid()}-0123456789ab"
    assert socket.parent.parent == (tmp_path if own._fits(short) else Path("/tmp"))
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    with connected(str(socket)) as client:
        assert client.admin.command("ping")["ok"] == 1
    users[-1].kill()
    assert waited_for(lambda: not mongods(tmp_path) and not socket.parent.exists()), "its folder stayed"


class TestRefused:
    @pytest.fixture(autouse=True)
    def cache(self, monkeypatch, tmp_path):
        for name in list(os.environ):
            if name.startswith("FIFTYONE_DATABASE"):
                monkeypatch.delenv(name)
        monkeypatch.setenv("CURATE_CACHE_DIR", str(tmp_path / "cache"))
        return tmp_path / "cache"

    def test_a_folder_that_leads_elsewhere_is_not_used(self, cache, tmp_path):
        cache.mkdir()
        (tmp_path / "elsewhere").mkdir()
        own.database_folder(own.installed_mongod()[1]).symlink_to(tmp_path / "elsewhere")
        with pytest.raises(ReviewError, match="is not a folder of yours"):
            own.join()
        assert list((tmp_path / "elsewhere").iterdir()) == []

    def test_a_folder_open_to_others_is_closed_to_them(self, users, cache):
        folder = own.database_folder(own.installed_mongod()[1])
        folder.mkdir(parents=True)
        folder.chmod(0o777)
        used(users, cache)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    def test_damaged_files_are_told_with_what_to_type_and_nothing_stays(self, cache, tmp_path):
        folder = own.database_folder(own.installed_mongod()[1])
        (folder / "db").mkdir(parents=True)
        (folder / "db" / "WiredTiger").write_text("no database")
        (folder / "db" / "WiredTiger.turtle").write_text("no database")
        with pytest.raises(ReviewError, match=rf"could not be started \(.*rm -r {folder}"):
            own.join()
        assert waited_for(lambda: not mongods(tmp_path))

    def test_a_folder_that_another_mongod_has_is_not_joined(self, users, cache, tmp_path):
        socket = used(users, cache)
        Path(socket).unlink()
        with pytest.raises(ReviewError, match="in use by another mongod"):
            own.join()

    def test_a_file_where_the_cache_should_be_is_told(self, cache):
        cache.write_text("")
        with pytest.raises(ReviewError, match=r"can't be kept in .*CURATE_CACHE_DIR"):
            own.join()
