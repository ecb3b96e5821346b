"""Starting and stopping `curate review`: what is missing is said at once, and nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from curation.review.outcome import outcome_of
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from curation.run.journal_file import append
from curation.run.journal_lines import COMMIT, Step
from curation.run.transactions import begin
from tests.curation.review.test_review import drop_database, make_run, needs_mongod
from tests.support.review_server import ROOT, SERVED, Server, command, environment, launch, start, stop
from tests.support.waiting import PATIENCE, waited_for
from training.utils.units import now

MONGODS = {
    # what the mongod is: a part of what is said
    "missing": "FiftyOne has no MongoDB. Type: pip install 'curate-listings[mongod]'",
    "not downloaded": "FiftyOne has no MongoDB (its download failed: ConnectionError: no network). Type:",
    "not executable": "FiftyOne's MongoDB can't be run. Type: chmod +x ",
    "exiting": "FiftyOne's MongoDB can't be run (Illegal instruction). Type:",
    "without libraries": "It needs Debian's libcurl4 and libssl3. Type:",
    "no program": "FiftyOne's MongoDB can't be run (",
    "hanging": "FiftyOne's MongoDB can't be run (",
}
URIS = [
    "mongodb://127.0.0.1:1",
    "mongodb://",
    "localhost:27017",
    "mongodb://ana:x:y@z",
    "mongodb://192.0.2.1/?ssl=perhaps",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return make_run(tmp_path_factory.mktemp("start"))


def installed(folder: Path, mongod: str) -> Path:
    """Make a FiftyOne with such a mongod; it fails when it is imported."""
    binary = folder / "fiftyone" / "db" / "bin" / "mongod"
    binary.parent.mkdir(parents=True)
    (folder / "fiftyone" / "__init__.py").write_text("raise SystemExit('FiftyOne was imported')")
    scripts = {
        "exiting": "#!/bin/sh\necho Illegal instruction >&2; exit 132",
        "without libraries": "#!/bin/sh\necho 'error while loading shared libraries: libcurl.so.4' >&2; exit 127",
        "hanging": "#!/bin/sh\nexec sleep 3600",
    }
    if mongod == "not downloaded":
        (binary.parent / "exception.txt").write_text("Traceback\n\nConnectionError: no network\n")
    elif mongod != "missing":
        binary.write_text(scripts.get(mongod, "\x7fnothing"))
        binary.chmod(0o644 if mongod == "not executable" else 0o755)
    return folder


def review(run: RunFolder, *options: str, **more: str) -> tuple[subprocess.CompletedProcess[str], float]:
    began = time.monotonic()
    done = subprocess.run(
        command(run, *options), capture_output=True, text=True, check=False, timeout=PATIENCE, env=environment(**more)
    )
    return done, time.monotonic() - began


@pytest.mark.parametrize("mongod", MONGODS)
def test_a_mongod_that_can_not_work_is_told_with_what_to_type(run, tmp_path, mongod):
    path = f"{installed(tmp_path, mongod)}{os.pathsep}{ROOT}"
    done, seconds = review(run, PYTHONPATH=path, FIFTYONE_DATABASE_URI="", FIFTYONE_CONFIG_PATH=str(tmp_path / "none"))
    assert (done.returncode, done.stdout) == (1, "")
    assert MONGODS[mongod] in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "imported" not in done.stderr
    # nothing waits for what hangs
    assert seconds < PATIENCE


@pytest.mark.parametrize("uri", URIS)
def test_a_mongodb_elsewhere_that_can_not_be_reached_is_told(run, tmp_path, uri):
    path = f"{installed(tmp_path, 'missing')}{os.pathsep}{ROOT}"
    done, seconds = review(run, PYTHONPATH=path, FIFTYONE_DATABASE_URI=uri)
    assert (done.returncode, done.stdout) == (1, "")
    assert "correct or unset FIFTYONE_DATABASE_URI" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "imported" not in done.stderr
    # left to itself, pymongo would try for 30 s
    assert seconds < 30


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--reviewer", "  "], "a reviewer needs a name"),
        (["--reviewer", "ana\nben"], "a reviewer needs a name"),
        (["--reviewer", ""], "a reviewer needs a name"),
        (["--port", "70000"], "70000 is not in the range"),
        (["--port", "x"], "not a valid integer"),
        (["--adress", "x"], "No such option"),
    ],
)
def test_wrong_usage_is_told_with_exit_code_two(run, options, message):
    done, _ = review(run, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_help_has_examples(run):
    done, _ = review(run, "--help")
    assert done.returncode == 0
    assert "curate review --port 5152 --reviewer ana" in done.stdout
    assert "ssh -L 5151:localhost:5151" in done.stdout


@pytest.fixture(scope="module")
def _database() -> Iterator[None]:
    yield
    drop_database(SERVED)


def children(server: Server) -> list[psutil.Process]:
    return psutil.Process(server.process.pid).children(recursive=True)


def ended(processes: list[psutil.Process]) -> bool:
    return not any(map(is_alive, processes))


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it ended between the two
        return False


def left_over(temporary: Path) -> list[str]:
    return [path.name for path in temporary.glob(".curate-*")]


@needs_mongod
@pytest.mark.usefixtures("_database")
class TestStopping:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_every_way_to_stop_prints_what_was_decided_and_leaves_nothing(self, run, tmp_path, number):
        (temporary := tmp_path / "tmp").mkdir()
        server = start(run, tmp_path / "log", "--json", TMPDIR=str(temporary))
        started = children(server)
        for _ in range(4):  # somebody who is impatient
            server.process.send_signal(number)
            time.sleep(0.2)
        assert server.process.wait(PATIENCE) == 0
        output = server.log.read_text()
        assert "Traceback" not in output
        result = json.loads(output[output.index("{") :])
        assert result.pop("agreement")["listings"] == 0
        assert result == {"run": str(run.folder), "decisions": {}, "flagged": 8, "undecided": 8}
        assert waited_for(lambda: ended(started))
        assert left_over(temporary) == []
        assert list((run.folder / ".reviews").glob("*.json")) == []

    @pytest.mark.parametrize("wait", [0.0, 1.0, 2.0, 3.0])
    def test_it_can_be_stopped_while_it_opens(self, run, tmp_path, wait):
        (temporary := tmp_path / "tmp").mkdir()
        server = launch(run, tmp_path / "log", TMPDIR=str(temporary))
        try:
            assert waited_for(lambda: "Opening" in server.log.read_text())
            time.sleep(wait)
            started = children(server)
            os.killpg(server.process.pid, signal.SIGINT)  # as a terminal does: to all of the group
            assert server.process.wait(PATIENCE) in (0, 1)
        finally:
            server.process.kill()
        output = server.log.read_text()
        assert "Traceback" not in output
        assert "Interrupted." in output or "Decisions of this session" in output
        assert waited_for(lambda: ended(started))
        assert left_over(temporary) == []

    def test_killed_hard_it_takes_its_mongod_along(self, run, tmp_path):
        server = start(run, tmp_path / "log", CURATE_CACHE_DIR=str(tmp_path / "cache"))
        started = children(server)
        assert any("mongod" in process.name() for process in started)
        os.killpg(server.process.pid, signal.SIGKILL)
        server.process.wait()
        assert waited_for(lambda: ended(started))
        stop(server)


def test_a_session_counts_what_was_said_in_it_whatever_apply_fixes_adds_meanwhile(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    run.decide([Decision("L0", "keep", None, "ana", now(), "app")])
    earlier = run.read_journal().last
    intent = begin("apply_fixes", after=0)
    added = [Decision(id, "relabel", "desk", "curate", now(), "suggestion") for id in ("L1", "L2")]
    append(run.journal, [intent, *added], intent.transaction)
    append(run.journal, [Step(intent.transaction, COMMIT)])
    assert [each.id for each in run.decisions()[0]] == ["L1", "L2", "L0"]
    assert outcome_of(run, ["L1"], reviewer="ana", earlier=earlier, source="app").decisions == {}
    run.decide([Decision("L3", "delete", None, "ana", now(), "app")])
    assert outcome_of(run, ["L1"], reviewer="ana", earlier=earlier, source="app").decisions == {"delete": 1}
