"""Copies of the finished run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from curation.run.folder import RunFolder
from tests.support.runs import Place


@pytest.fixture
def place(finished: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Copy the finished run to runs/<dataset>/<number> of a new current folder."""
    monkeypatch.chdir(tmp_path)

    def copy(number: object, dataset: str = "demo", **record: Any) -> RunFolder:
        run = RunFolder(Path("runs") / dataset / str(number))
        shutil.copytree(finished.folder, run.folder, ignore=shutil.ignore_patterns("training", "*.html"))
        run.update(started=f"2026-03-{int(str(number)):02}T10:00:00.000+00:00", **record)
        return run

    return copy
