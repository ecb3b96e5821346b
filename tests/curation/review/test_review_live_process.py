"""`curate review --page` as a process: how it starts, who is let in, and how it ends."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

import curation
from curation.errors import InputError
from curation.run.folder import RunFolder
from tests.cli.test_cli import curate
from tests.curation.review.test_review_page import make_run
from tests.support.live import step
from tests.support.review_server import Server, start, stop
from tests.support.waiting import PATIENCE


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run below the current folder, which is the latest."""
    monkeypatch.chdir(tmp_path)
    return make_run(tmp_path)


@pytest.fixture
def server(run: RunFolder, tmp_path: Path) -> Iterator[Server]:
    server = start(run, tmp_path / "log", "--page")
    yield server
    if server.process.poll() is None:
        stop(server)


def decide(server: Server, id: str, action: str) -> None:
    status, _ = server.post("/steps", {"session": "", "since": 0, "steps": [step(id, action)]})
    assert status == 200


def ended(server: Server) -> str:
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(PATIENCE) == 0
    return server.log.read_text()


def test_ctrl_c_ends_it_with_what_was_decided_and_what_comes_next(server: Server) -> None:
    for id, action in (("00", "keep"), ("01", "delete"), ("02", "delete")):
        decide(server, id, action)
    printed = ended(server)
    assert "Decisions of this session: 1 keep, 2 delete. Left to review: 3 of 6 flagged listings." in printed
    # it is the latest run, which needs no name
    again = "curate review --page --port 0 --reviewer ana"
    assert f"Next: {again}  go on with those that are left\n      curate apply-fixes " in printed


def test_the_command_to_continue_has_all_that_was_typed(run: RunFolder, tmp_path: Path) -> None:
    server = start(run, tmp_path / "log", "--page", "--blind", "0.2", "--top", "4", "--no-learn")
    assert "--top 4 --no-learn --blind 0.2  go on with" in ended(server)


def test_where_nothing_is_flagged_it_ends_without_advice(run: RunFolder, tmp_path: Path) -> None:
    run.write_table(run.issues_file, run.issues().assign(is_label_issue=False, is_near_duplicate_issue=False))
    printed = ended(start(run, tmp_path / "log", "--page"))
    assert "Nothing is flagged: there is nothing to review." in printed
    assert "Next: curate audit" in printed


def test_as_json_it_ends_with_the_counts(run: RunFolder, tmp_path: Path) -> None:
    server = start(run, tmp_path / "log", "--page", "--top", "4", "--json")
    decide(server, "00", "keep")
    printed = ended(server)
    told = json.loads(printed[printed.index("{") :])
    assert told.pop("agreement")["listings"] == 0
    assert told == {"run": str(run.folder), "decisions": {"keep": 1}, "flagged": 4, "undecided": 3}


def test_a_link_works_once_and_a_new_one_is_there_for_who_asks(server: Server) -> None:
    path = server.printed.partition(str(server.port))[2]
    assert server.ask(path, Cookie="")[0] == 200
    assert server.ask(path, Cookie="")[0] == 401
    assert server.ask(server.url.partition(str(server.port))[2], Cookie="")[0] == 200
    assert server.ask("/", Cookie=f"curate_review_{server.port}={server.token}")[0] == 200


def test_what_was_acknowledged_before_a_kill_is_in_the_journal(server: Server) -> None:
    for number in range(10):
        decide(server, f"0{number % 3}", "delete")
    server.process.kill()
    server.process.wait(PATIENCE)
    assert len(server.run.decisions()[0]) == 10
    assert server.run.read_journal().faults == ()


@pytest.mark.usefixtures("run")
def test_a_port_that_is_in_use_is_said_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = curate("review", "--page", "--no-browser", "--port", port)
    assert (result.exit_code, f"port {port} is in use" in result.stderr) == (1, True)


def test_what_means_nothing_in_the_app_is_refused(run: RunFolder) -> None:
    opened = curation.open_run(run.folder)
    with pytest.raises(InputError, match="`top` has no effect with `all`"):
        opened.review(top=3, all=True)
    with pytest.raises(InputError, match="the number of listings is out of range"):
        opened.review(top=0, page=True)
    with pytest.raises(InputError, match="`learn` has no effect in the FiftyOne App"):
        opened.review(learn=False)
    with pytest.raises(InputError, match="the share of the listings is out of range"):
        opened.review(blind=1.5, page=True)


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("option", [["--no-learn"], ["--blind", "0.1"]])
def test_options_of_the_page_mean_nothing_without_it(option: list[str]) -> None:
    result = curate("review", *option)
    assert (result.exit_code, "has no effect without --page" in result.stderr) == (2, True)
