"""The audit of a run: drawn, decided on its page or not at all, and read with whatever a journal holds."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import curation
from curation import InputError, Run, RunError
from curation.auditing.sample import read_sample
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from curation.run.status import AUDIT
from tests.curation.review.test_review_page import data_of
from tests.support.reporters import Listener
from tests.support.tiny import IDS, tiny_run
from training.utils.files import read_json, write_json


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run(tmp_path_factory.mktemp("audit")).folder


@pytest.fixture
def run(found: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CURATE_REVIEWER", "ana")
    return Run(Path(shutil.copytree(found, tmp_path / "run")))


def decide_as_true(run: Run, ids: list[str] | tuple[str, ...]) -> list[str]:
    """Relabel every fourth listing, as its photo says, and keep the others; return the wrong ones."""
    wrong = [id for id in ids if int(id[1:]) % 4 == 0]
    labels = run.issues.set_index("id")["given_label"]
    classes = ["chair", "desk", "lamp"]
    for id in ids:
        right = classes[(classes.index(labels[id]) + 1) % 3]
        run.decide(id, "relabel", label=right) if id in wrong else run.decide(id, "keep")
    return wrong


def sample_of(run: Run) -> tuple[str, ...]:
    return read_sample(RunFolder(run.folder)).ids


def test_an_audit_that_is_drawn_says_nothing_yet(run: Run) -> None:
    drawn = run.audit(6)
    assert (drawn.size, drawn.decided, drawn.listings) == (6, 0, 12)
    assert drawn.wrong is drawn.left is drawn.precision is drawn.recall is drawn.recalibrated is None
    assert len(drawn.confusion) == len(drawn.classes) == 0
    assert drawn.page == run.folder / "audit.html"


def test_its_file_records_each_probability_of_being_drawn(run: Run) -> None:
    run.audit(6, seed=4)
    content = read_json(run.folder / AUDIT)
    assert (content["seed"], len(content["sample"])) == (4, 6)
    for entry in content["sample"]:
        stratum = content["strata"][entry["stratum"]]
        assert entry["inclusion"] == pytest.approx(stratum["drawn"] / stratum["listings"])
    assert sum(stratum["listings"] for stratum in content["strata"]) == 12


def test_the_page_shows_the_sample_and_nothing_that_curate_thinks_of_it(run: Run) -> None:
    drawn = run.audit(6)
    assert drawn.page is not None
    data = data_of(drawn.page)
    assert [listing["id"] for listing in data["listings"]] == list(sample_of(run))
    assert data["kinds"] == []
    for listing in data["listings"]:
        hidden = ("low", "high", "fits", "givenChance", "suggested", "suggestedChance", "worth")
        assert [listing[name] for name in hidden] == [None] * 7
        assert all(place >= len(data["listings"]) for place in listing["likeGiven"])
        assert [listing[name] for name in ("issues", "reasons", "likely", "likeSuggested", "reposts")] == [[]] * 5
    assert data["run"]["command"].startswith("curate audit --run ")
    review = data_of(run.review_page().path)
    assert review["run"]["key"] != data["run"]["key"]


def test_a_decided_audit_counts_what_is_wrong(run: Run) -> None:
    run.audit(12)
    wrong = decide_as_true(run, sample_of(run))
    found = run.audit()
    assert found.decided == 12
    assert found.wrong is not None
    assert (found.wrong.low, found.wrong.high) == (len(wrong), len(wrong))
    assert found.left is not None
    assert found.left.high == 0
    assert found.page is None
    assert found.confusion["listings"].sum() == 12
    off = found.confusion.query("given != true")["listings"].sum()
    assert off == len(wrong)
    assert json.loads(json.dumps(found.to_dict()))["wrong"]["low"] == len(wrong)


def test_an_audit_stopped_half_way_says_what_it_can(run: Run) -> None:
    run.audit(10)
    decide_as_true(run, sample_of(run)[:5])
    found = run.audit()
    assert found.wrong is not None
    assert found.wrong.low < found.wrong.estimate < found.wrong.high
    assert any(note.startswith("5 listings of the 10 are decided.") for note in found.notes)
    assert found.page is not None


def test_decisions_of_a_file_are_recorded_once_and_nothing_is_applied(run: Run, tmp_path: Path) -> None:
    run.audit(4)
    first, second, *_ = sample_of(run)
    file = tmp_path / "decisions.csv"
    file.write_text(f"id,decision,new_label\n{first},keep,\n{second},delete,\n")
    assert run.audit(decisions=file).decided == 2
    assert run.audit(decisions=file).decided == 2
    assert run.decisions()["action"].tolist() == ["keep", "delete"]
    assert len((run.folder / "decisions.jsonl").read_text().splitlines()) == 2
    assert not (run.folder / "cleaned").exists()


def test_an_audit_is_not_begun_twice_by_mistake(run: Run) -> None:
    run.audit(4)
    before = (run.folder / AUDIT).read_bytes()
    with pytest.raises(InputError, match="an audit of 4 listings was drawn"):
        run.audit(5)
    assert (run.folder / AUDIT).read_bytes() == before


def test_another_audit_is_drawn_from_what_is_not_decided(run: Run) -> None:
    run.audit(4)
    first = sample_of(run)
    decide_as_true(run, first)
    assert run.audit(8, again=True).size == 8
    assert not set(first) & set(sample_of(run))
    decide_as_true(run, sample_of(run))
    assert run.audit().wrong.low == 3  # type: ignore[union-attr]


def test_what_everybody_decided_already_needs_no_audit(run: Run) -> None:
    decide_as_true(run, IDS)
    with pytest.raises(InputError, match="every labelled listing is decided"):
        run.audit(3)
    assert not (run.folder / AUDIT).exists()


@pytest.mark.parametrize("size", [13, 0, -1, 10**9])
def test_more_listings_than_there_are_can_not_be_drawn(size: int, run: Run) -> None:
    with pytest.raises(InputError, match=r"no .* listings to draw|out of range"):
        run.audit(size)
    assert not (run.folder / AUDIT).exists()


def test_options_of_the_draw_need_a_size(run: Run, tmp_path: Path) -> None:
    for options in ({"seed": 3}, {"again": True}):
        with pytest.raises(InputError, match="has no effect without `size`"):
            run.audit(**options)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="`decisions` has no effect with `size`"):
        run.audit(3, decisions=tmp_path / "decisions.csv")
    with pytest.raises(RunError, match="no audit was drawn"):
        run.audit()


def test_a_class_whose_every_listing_was_deleted_has_no_right_label(run: Run) -> None:
    run.audit(12)
    chairs = run.issues.query("given_label == 'chair'")["id"].tolist()
    for id in IDS:
        run.decide(id, "delete" if id in chairs else "keep")
    found = run.audit()
    assert found.confusion.query("given == 'chair'")["true"].tolist() == ["(deleted)"]
    assert found.wrong is not None
    assert found.wrong.low == found.wrong.high == len(chairs)


def test_a_repost_that_is_deleted_has_no_wrong_label(run: Run) -> None:
    files = RunFolder(run.folder)
    issues = files.issues()
    files.write_table(files.issues_file, issues.assign(is_near_duplicate_issue=issues["id"] == "L03"))
    run.audit(12)
    run.decide(IDS, "keep")
    run.decide(["L03", "L05"], "delete")
    assert run.audit().wrong.low == 1  # type: ignore[union-attr]


def test_accepted_suggestions_and_decisions_of_other_runs_do_not_count(run: Run) -> None:
    run.audit(12)
    now = "2026-01-01T10:00:00.000+00:00"
    RunFolder(run.folder).decide(
        [
            Decision("L00", "relabel", "desk", "curate", now, "suggestion"),
            Decision("of another run", "keep", None, "bo", now, "app"),
            Decision("L01", "relabel", "a class of another run", "bo", now, "app"),
            Decision("L02", "keep", None, "bo", now, "app"),
        ]
    )
    found = run.audit()
    assert found.decided == 1
    assert any(
        note.startswith("2 decisions of the journal fit no listing or class of this run") for note in found.notes
    )


def test_accepted_suggestions_are_still_to_be_decided_on_the_page(run: Run, tmp_path: Path) -> None:
    now = "2026-01-01T10:00:00.000+00:00"
    RunFolder(run.folder).decide([Decision("L00", "relabel", "desk", "curate", now, "suggestion")])
    run.decide("L01", "keep")
    drawn = run.audit(11)
    assert drawn.decided == 0
    assert drawn.page is not None
    data = data_of(drawn.page)
    assert "L00" in sample_of(run)
    assert "L00" not in data["decided"]
    # whoever says the same as the suggestion is the first person who does
    file = tmp_path / "decisions.csv"
    rows = [f"{id},relabel,desk" if id == "L00" else f"{id},keep," for id in sample_of(run)]
    file.write_text("\n".join(["id,decision,new_label", *rows]))
    found = run.audit(decisions=file)
    assert (found.decided, found.page) == (11, None)


def test_it_is_told_how_many_decisions_of_a_file_are_of_the_audit(run: Run, tmp_path: Path) -> None:
    run.audit(3)
    inside, others = sample_of(run), [id for id in IDS if id not in sample_of(run)]
    file = tmp_path / "decisions.csv"
    for ids, words in [
        ([inside[0], *others[:2]], "3 decisions recorded, 1 on listings of this audit."),
        (list(inside[1:]), "2 decisions recorded, all on listings of this audit."),
        (others[2:4], "2 decisions recorded, none on listings of this audit."),
        (others[2:4], "No decision was recorded: what the file says holds already, or something later does."),
    ]:
        file.write_text("id,decision\n" + "".join(f"{id},keep\n" for id in ids))
        listener = Listener()
        run.audit(decisions=file, reporter=listener)
        assert words in listener.lines


def test_a_file_that_is_given_again_does_not_override_what_was_said_later(run: Run, tmp_path: Path) -> None:
    run.audit(12)
    file = tmp_path / "decisions.csv"
    earlier = "2026-01-01T10:00:00.000+00:00"
    file.write_text(f"id,decision,reviewer,time\nL00,keep,ana,{earlier}\nL01,keep,ana,{earlier}\n")
    run.audit(decisions=file)
    run.decide("L00", "delete")
    file.write_text(f"{file.read_text()}L02,keep,ana,{earlier}\n")
    listener = Listener()
    run.audit(decisions=file, reporter=listener)
    assert run.decisions().set_index("id")["action"].to_dict() == {"L00": "delete", "L01": "keep", "L02": "keep"}
    assert any(
        line.startswith("1 decision of decisions.csv is older than what was said since, which holds: L00: keep (ana,")
        for line in listener.lines
    )


def test_a_listing_without_a_label_is_not_audited(run: Run) -> None:
    files = RunFolder(run.folder)
    issues = files.issues()
    files.write_table(files.issues_file, issues.assign(given_label=issues["given_label"].mask(issues["id"] == "L02")))
    assert run.audit(11).listings == 11
    assert "L02" not in sample_of(run)
    with pytest.raises(InputError, match="11 labelled listings"):
        run.audit(12, again=True)


def test_a_run_without_scores_is_audited_by_chance_alone(run: Run) -> None:
    files = RunFolder(run.folder)
    files.write_table(files.issues_file, files.issues().assign(label_score=np.nan, is_label_issue=False))
    run.audit(8)
    decide_as_true(run, sample_of(run))
    found = run.audit()
    assert found.wrong is not None
    assert found.wrong.low <= 3 <= found.wrong.high
    assert (found.precision, found.recalibrated) == (None, None)


def damaged_files(content: dict) -> dict[str, object]:
    sample = content["sample"]
    return {
        "not JSON": "{",
        "another thing": [1],
        "a later format": {**content, "format": 2},
        "no strata": {**content, "strata": []},
        "a listing twice": {**content, "sample": [*sample[:-1], sample[0]]},
        "fewer listings": {**content, "sample": sample[:-1]},
        "a listing of another run": {**content, "sample": [{**sample[0], "id": "elsewhere"}, *sample[1:]]},
        "another stratum": {**content, "sample": [{**sample[0], "stratum": 77}, *sample[1:]]},
        "text for numbers": {**content, "strata_of_listings": "a b"},
        "a seed that none is": {**content, "seed": -1},
        "a seed that is too large": {**content, "seed": 2**40},
        "no sample": {
            **content,
            "sample": [],
            "strata": [{**stratum, "drawn": 0} for stratum in content.get("strata", ())],
        },
        "other strata": {**content, "strata_of_listings": " ".join(["0"] * 12)},
    }


@pytest.mark.parametrize("kind", ["not JSON", *list(damaged_files({"sample": [{}, {}]}))[1:]])
def test_a_damaged_file_is_refused_and_the_audit_can_be_drawn_again(kind: str, run: Run) -> None:
    run.audit(6)
    decide_as_true(run, sample_of(run)[:2])
    file = run.folder / AUDIT
    damaged = damaged_files(read_json(file))[kind]
    file.write_text(damaged) if isinstance(damaged, str) else write_json(file, damaged)
    for options in ({}, {"size": 3}):
        with pytest.raises(RunError, match=r"audit\.json is damaged.*again=True"):
            run.audit(**options)  # type: ignore[arg-type]
    assert run.audit(6, again=True).size == 6
    assert len(run.decisions()) == 2


def test_an_audit_of_other_issues_is_refused(run: Run) -> None:
    run.audit(6)
    files = RunFolder(run.folder)
    files.write_table(files.issues_file, files.issues().assign(label_score=0.5))
    with pytest.raises(RunError, match="drawn from other issues"):
        run.audit()


def test_a_page_that_is_gone_is_written_again_and_a_missing_photo_is_no_obstacle(tmp_path: Path) -> None:
    run = tiny_run(tmp_path)
    drawn = run.audit(6)
    assert drawn.page is not None
    drawn.page.unlink()
    assert run.audit().page == drawn.page
    drawn.page.unlink()
    (tmp_path / "shop" / "photos").rename(tmp_path / "elsewhere")
    decide_as_true(run, sample_of(run)[:3])
    listener = Listener()
    assert run.audit(reporter=listener).wrong is not None
    assert "The sample is kept, and once that is mended, `audit()` writes the page." in listener.lines[-1]
    (tmp_path / "elsewhere").rename(tmp_path / "shop" / "photos")
    assert run.audit().page == drawn.page


def test_a_page_of_an_earlier_sample_is_never_taken_for_that_of_the_later_one(run: Run) -> None:
    page = run.audit(6).page
    assert page is not None
    earlier = page.read_bytes()
    run.audit(5, seed=1, again=True)
    # as if the command had been killed before it wrote the page
    page.write_bytes(earlier)
    os.utime(page, ns=(0, 0))
    assert [listing["id"] for listing in data_of(run.audit().page or page)["listings"]] == list(sample_of(run))


def test_the_table_of_classes_is_of_given_labels(run: Run) -> None:
    run.audit(12)
    decide_as_true(run, IDS)
    classes = run.audit().classes
    assert list(classes.columns) == ["class", "listings", "audited", "low", "wrong", "high"]
    assert classes["class"].tolist() == ["chair", "desk", "lamp"]
    assert pd.Series(classes["wrong"]).sum() == 3


def test_an_audit_is_a_public_result() -> None:
    assert curation.Audit.__module__ == "curation.auditing.result"
