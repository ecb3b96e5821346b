"""Which tables of issues a run has: of very many listings no CSV, unless it is asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import curation
from curation.issues import written
from tests.cli.test_cli import done

N = 60


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table of more listings than a CSV has unless it is asked for, and probabilities."""
    monkeypatch.setattr(written, "CSV_LISTINGS", N - 1)
    monkeypatch.chdir(tmp_path)
    ids, labels = [f"L{number:02}" for number in range(N)], np.array(["mouse", "router"])
    pd.DataFrame({"id": ids, "label": labels[np.arange(N) % 2]}).to_csv("listings.csv", index=False)
    probs = np.random.default_rng(0).dirichlet(np.ones(2), N)
    np.savez("probs.npz", id=ids, classes=labels, probs=probs)
    return tmp_path


def test_of_more_listings_than_the_limit_issues_parquet_alone_is_written(table: Path) -> None:
    result = done("find-issues", "listings.csv", "--probabilities", "probs.npz", "--run", "run")
    assert "issues.csv is left out" in result.stderr
    assert "--csv writes both" in " ".join(result.stderr.split())
    assert f"All of them: {Path('run', 'issues.parquet')}" in result.stdout
    assert not Path("run", "issues.csv").exists()
    assert len(curation.open_run("run").issues) == N


def test_a_csv_that_is_asked_for_is_written_for_any_number_of_listings(table: Path) -> None:
    result = done("find-issues", "listings.csv", "--probabilities", "probs.npz", "--run", "run", "--csv")
    assert "issues.csv is left out" not in result.stderr
    assert f"All of them: {Path('run', 'issues.csv')}" in result.stdout
    assert len(pd.read_csv("run/issues.csv")) == N


def test_up_to_the_limit_asking_for_the_csv_changes_nothing_in_it(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "CSV_LISTINGS", N)
    for folder, asked in (("plain", []), ("asked", ["--csv"])):
        done("find-issues", "listings.csv", "--probabilities", "probs.npz", "--run", folder, *asked)
    assert Path("plain", "issues.csv").read_bytes() == Path("asked", "issues.csv").read_bytes()


def test_a_run_without_a_csv_is_decided_on_and_applied(table: Path) -> None:
    done("find-issues", "listings.csv", "--probabilities", "probs.npz", "--run", "run")
    run = curation.open_run("run")
    first = run.issues.nsmallest(1, "priority")["id"].tolist()
    run.decide(first, "keep", reviewer="ana")
    run.apply_fixes()
    assert run.decisions()["id"].tolist() == first
    assert run.verify().ok
