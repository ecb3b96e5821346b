"""Files of a run that are a hole of gigabytes, as a power cut or a bad copy leaves them, are named in no time."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from curation import Run
from curation.run.folder import RunFolder
from curation.run.journal_file import append, read_journal
from tests.cli.test_cli import curate
from tests.support.tiny import tiny_run

_HUGE = 2 << 30


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = tiny_run(tmp_path)
    run.decide("L01", "delete", reviewer="ana")
    run.apply_fixes()
    return run


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.parametrize("begin", [True, False])
@pytest.mark.parametrize("name", ["run.json", "health.json", "cleaned/manifest.json", "comparison.json"])
def test_a_json_file_is_named_and_not_read(name: str, begin: bool, run: Run) -> None:
    file = run.folder / name
    if begin or not file.exists():
        file.write_bytes(b"" if begin else b"{}")
    os.truncate(file, _HUGE)
    before = peak()
    assert name.rpartition("/")[2] in curate("verify", run.folder).stdout
    curate("status", run.folder)
    assert peak() - before < 500_000


def test_a_journal_with_a_hole_at_its_end_is_read_and_appended_to(run: Run) -> None:
    journal = RunFolder(run.folder).journal
    os.truncate(journal, _HUGE)
    before = peak()
    (fault,) = read_journal(journal).faults
    assert fault.kind == "torn"
    append(journal, [RunFolder(run.folder).decisions()[0][0]])
    content = read_journal(journal)
    assert [entry.number for entry in content.entries] == [1, 2, 3, 4]
    assert [fault.kind for fault in content.faults] == ["closed"]
    assert peak() - before < 500_000


def test_a_line_that_no_command_writes_costs_that_line_only(run: Run) -> None:
    journal = RunFolder(run.folder).journal
    journal.write_bytes(b"x" * (40 << 20) + b"\n" + journal.read_bytes())
    content = read_journal(journal)
    assert len(content.entries) == 3
    assert [fault.line for fault in content.faults] == [1]
