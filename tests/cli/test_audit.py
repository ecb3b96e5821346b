"""`curate audit`: what it prints, and mistakes that write nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curation.auditing.sample import read_sample
from curation.run.folder import RunFolder
from tests.cli.test_cli import assert_refused, curate, done
from tests.curation.review.test_review_page import make_run


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run below the current folder, which is the latest; 11 of its 12 listings have a label."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CURATE_REVIEWER", "ana")
    return make_run(tmp_path)


def keep(run: RunFolder, count: int) -> Path:
    path = run.folder.parents[2] / "decisions.csv"
    ids = read_sample(run).ids[:count]
    path.write_text("id,decision\n" + "".join(f"{id},keep\n" for id in ids))
    return path


def test_a_draw_says_how_it_is_reviewed(run: RunFolder) -> None:
    result = done("audit", "--size", 6)
    assert "Audit of runs/shop/1: 0 of 6 decided\n" in result.stdout
    assert "Page: runs/shop/1/audit.html\n" in result.stdout
    assert "Next: curate audit --run runs/shop/1 --decisions ~/Downloads/decisions.csv\n" in result.stdout


def test_decisions_become_a_table_with_intervals(run: RunFolder) -> None:
    done("audit", "--size", 6)
    half = done("audit", "--decisions", keep(run, 3))
    assert "Audit of runs/shop/1: 3 of 6 decided\n" in half.stdout
    assert "3 listings of the 6 are decided." in half.stderr
    assert "wrong labels of 11" in half.stdout
    whole = done("audit", "--decisions", keep(run, 6)).stdout
    assert "Audit of runs/shop/1: 6 of 6 decided\n" in whole
    assert "Next: curate apply-fixes\n" in whole


def test_it_answers_as_json(run: RunFolder) -> None:
    done("audit", "--size", 6)
    content = json.loads(done("audit", "--decisions", keep(run, 6), "--json").stdout)
    assert content["run"] == "runs/shop/1"
    assert set(content["wrong"]) == {"low", "estimate", "high"}
    assert (content["size"], content["decided"], content["next"]) == (6, 6, None)


def test_a_second_draw_says_what_to_type(run: RunFolder) -> None:
    done("audit", "--size", 6)
    refused = curate("audit", "--size", 6)
    assert refused.exit_code == 2
    assert "Look at it with curate audit. With --again, another one is drawn" in refused.stderr
    done("audit", "--size", 6, "--again")


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ([], "no audit was drawn in runs/shop/1. Draw one with curate audit --size 200."),
        (["--size", 0], "the number of listings is out of range"),
        (["--size", 3, "--seed", -1], "the seed is out of range"),
        (["--seed", 3], "--seed has no effect without --size"),
        (["--again"], "--again has no effect without --size"),
        (["--size", 3, "--decisions", "input/listings.csv"], "--decisions has no effect with --size"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: list[object], match: str, run: RunFolder, tmp_path: Path) -> None:
    assert_refused(tmp_path, "audit", *arguments, match=match)


def test_the_status_names_an_audit_that_is_not_decided_until_it_is_or_the_fixes_are_applied(run: RunFolder) -> None:
    assert "next: curate review\n" in done("status").stdout
    done("audit", "--size", 6)
    assert "next: curate audit\n" in done("status").stdout
    done("audit", "--decisions", keep(run, 3))
    assert "next: curate audit   (or curate apply-fixes, to stop the audit here)\n" in done("status").stdout
    done("audit", "--decisions", keep(run, 6))
    assert "next: curate apply-fixes\n" in done("status").stdout
    done("audit", "--size", 3, "--again")
    done("apply-fixes")
    assert "next: curate retrain --compare\n" in done("status").stdout


def test_the_photos_can_be_named_after_the_sample_was_drawn_without_them(run: RunFolder, tmp_path: Path) -> None:
    photos = run.photo_root
    photos.rename(tmp_path / "moved")
    drawn = done("audit", "--size", 6)
    assert "say where they are with --photos FOLDER. The sample is kept, and once that is mended, curate audit" in (
        drawn.stderr
    )
    assert "Page:" not in drawn.stdout
    # which the run was not made of
    (tmp_path / "moved" / "photos" / "06.png").unlink()
    assert "Page: runs/shop/1/audit.html\n" in done("audit", "--photos", tmp_path / "moved").stdout


def test_where_nothing_is_flagged_an_audit_comes_next(run: RunFolder) -> None:
    issues = run.issues()
    flags = {name: False for name in issues if name.startswith("is_")}
    run.write_table(run.issues_file, issues.assign(**flags))
    assert "next: curate audit --size 11\n" in done("status").stdout
    said = done("review", "--html", "--no-browser").stdout
    assert said.splitlines()[-1] == "Next: curate audit --size 11"
    done("audit", "--size", 11)
    done("audit", "--decisions", keep(run, 11))
    said = done("review", "--html", "--no-browser").stdout
    assert said.splitlines()[-1] == "Next: curate apply-fixes"


def test_more_than_there_are_is_refused(run: RunFolder) -> None:
    refused = curate("audit", "--size", 12)
    assert refused.exit_code == 2
    assert "got 11 labelled listings without a decision; wanted a size of 1 to 11" in refused.stderr
    assert not (run.folder / "audit.json").exists()


def test_a_damaged_file_and_a_file_without_decisions_are_refused(run: RunFolder, tmp_path: Path) -> None:
    done("audit", "--size", 6)
    assert_refused(tmp_path, "audit", "--decisions", "nowhere.csv", match="no decisions file")
    (run.folder / "audit.json").write_text('{"format": 1}')
    assert_refused(tmp_path, "audit", match=r"audit.json is damaged.*curate audit --size 200 --again")
