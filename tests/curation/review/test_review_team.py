"""Two reviewers of one run: two processes, one MongoDB, one journal."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pymongo
import pytest

from curation.review.app.dataset import dataset_name
from curation.review.server.team import Colleague, opening, present
from curation.run.folder import RunFolder
from tests.curation.review.test_review import journal_of, make_run, needs_mongod
from tests.support.review_server import SERVED, Server, launch, mongod, stop
from tests.support.waiting import PATIENCE, waited_for

HOLD = (
    "import sys, time; from pathlib import Path; from curation.run.folder import RunFolder\n"
    "from curation.review.server.team import present\n"
    "with present(RunFolder(Path(sys.argv[1])), 'ben', 5152): print('open', flush=True); time.sleep(3600)"
)


@dataclass(frozen=True)
class Team:
    """Ana and Ben review the same run."""

    run: RunFolder
    ana: Server
    ben: Server
    samples: Any
    mongod: subprocess.Popen[bytes]

    def id_of(self, listing: str) -> str:
        return str(self.samples.find_one({"listing_id": listing})["_id"])

    def in_database(self, listing: str) -> tuple[str | None, str | None]:
        sample = self.samples.find_one({"listing_id": listing})
        return sample.get("decision"), sample.get("reviewer")


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("team")
    run = make_run(folder)
    process, uri = mongod(folder / "db")
    servers: list[Server] = []
    try:
        servers += [
            launch(run, folder / f"{name}.log", reviewer=name, FIFTYONE_DATABASE_URI=uri) for name in ("ana", "ben")
        ]
        assert waited_for(lambda: all(server.printed for server in servers)), [s.log.read_text() for s in servers]
        with pymongo.MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=5_000) as client:
            database = client[SERVED]
            made = list(database["datasets"].find({"name": dataset_name(run)}))
            assert len(made) == 1  # both started at once, and made one dataset
            yield Team(run, *servers, database[made[0]["sample_collection_name"]], process)
    finally:
        for server in servers:
            stop(server)
        process.kill()
        process.wait()


@needs_mongod
class TestTeam:
    def test_each_learns_of_the_other_whoever_came_first(self, team):
        outputs = [server.log.read_text() for server in (team.ana, team.ben)]
        assert "ben is also reviewing this run" in outputs[0] or "ana is also reviewing this run" in outputs[1]
        for server, other, text in ((team.ana, team.ben, outputs[0]), (team.ben, team.ana, outputs[1])):
            for port in re.findall(r"on port (\d+)\.", text):
                assert int(port) == other.port != server.port

    def test_both_decisions_are_in_one_journal_and_in_the_database(self, team):
        for server, listing, operator in ((team.ana, "L0", "keep"), (team.ben, "L1", "accept")):
            status, content = server.operate(f"@curate/review/{operator}", [team.id_of(listing)])
            assert status == 200
            assert json.loads(content)["result"]["changed"] == 1
        decisions, damaged = team.run.decisions()
        assert [(decision.id, decision.action, decision.reviewer) for decision in decisions] == [
            ("L0", "keep", "ana"),
            ("L1", "relabel", "ben"),
        ]
        assert damaged == []
        assert team.in_database("L0") == ("keep", "ana")
        assert team.in_database("L1") == ("relabel", "ben")

    def test_what_one_decided_the_other_can_take_back(self, team):
        team.ana.operate("@curate/review/delete", [team.id_of("L2")])
        team.ben.operate("@curate/review/undo", [team.id_of("L2")])
        assert team.in_database("L2") == (None, None)

    def test_neither_lets_the_other_s_token_in(self, team):
        assert team.ana.ask("/", Cookie=f"curate_review_{team.ana.port}={team.ben.token}")[0] == 401
        assert team.ana.ask(f"/?{urlsplit(team.ben.url).query}", Cookie="")[0] == 401

    def test_the_same_name_twice_is_said(self, team, tmp_path):
        third = launch(
            team.run, tmp_path / "log", reviewer="ana", FIFTYONE_DATABASE_URI="mongodb://" + self.address(team)
        )
        try:
            message = f"ana is already reviewing this run, on port {team.ana.port}."
            assert waited_for(lambda: message in third.log.read_text()), third.log.read_text()
            assert f"ben is also reviewing this run, on port {team.ben.port}." in third.log.read_text()
        finally:
            stop(third)

    def address(self, team: Team) -> str:
        host, port = team.samples.database.client.address
        return f"{host}:{port}"

    def test_a_mongodb_that_dies_costs_no_decision_and_nobody_waits_for_long(self, team):
        # last: it takes the MongoDB away
        sample, before = team.id_of("L3"), journal_of(team.run)
        team.mongod.kill()
        team.mongod.wait()
        began = time.monotonic()
        status, content = team.ana.operate("@curate/review/keep", [sample])
        # left to itself, pymongo would try for 30 s
        assert time.monotonic() - began < 30
        assert status == 500 or json.loads(content).get("error")
        assert journal_of(team.run) == before
        team.ana.process.terminate()
        assert team.ana.process.wait(PATIENCE) == 0
        output = team.ana.log.read_text()
        assert "MongoDB does not answer" in output
        assert "Decisions of this session: 1 keep, 1 delete." in output
        assert "Traceback" not in output


def test_a_killed_review_leaves_no_trace(tmp_path):
    run = make_run(tmp_path)
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(run.folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    with present(run, "ana", 5151) as others:
        assert [(other.reviewer, other.port) for other in others] == [("ben", 5152)]
    process.kill()
    process.wait()
    process.stdout.close()
    with present(run, "ana", 5151) as others:
        assert others == []
        assert len(list((run.folder / ".reviews").glob("*.json"))) == 1
    assert list((run.folder / ".reviews").iterdir()) == []


def test_a_note_that_is_not_ours_is_no_colleague(tmp_path):
    run = make_run(tmp_path)
    with present(run, "ana", 1), present(run, "ben", 2) as others:
        assert [type(other) for other in others] == [Colleague]
        (run.folder / ".reviews" / "x.json").write_text("no note")
        with present(run, "eva", 3) as now:
            assert [other.reviewer for other in now] == ["ana", "ben"]


def test_datasets_are_opened_one_at_a_time(tmp_path):
    run = make_run(tmp_path)
    code = HOLD.replace("present(RunFolder(Path(sys.argv[1])), 'ben', 5152)", "opening(RunFolder(Path(sys.argv[1])))")
    code = code.replace("import present", "import opening")
    code = code.replace("time.sleep(3600)", "time.sleep(1); Path(sys.argv[1], 'closed').touch()")
    process = subprocess.Popen([sys.executable, "-c", code, str(run.folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    with opening(run):
        assert (run.folder / "closed").exists()
    process.wait()
    process.stdout.close()


def test_a_run_folder_that_can_not_be_written_is_told(tmp_path):
    run = make_run(tmp_path)
    (run.folder / ".reviews").write_text("in the way")
    with pytest.raises(Exception, match="decisions could not be saved"), present(run, "ana", 1):
        pass
