"""A run whose photos lie elsewhere than when it was made: a colleague's, or of a dataset that was moved."""

import json
import shutil
from pathlib import Path

import pytest

import curation
from curation import RunError
from curation.run.folder import RunFolder
from tests.cli.test_cli import assert_refused, curate, done
from tests.support.fixes import files


@pytest.fixture
def moved(run, demo, tmp_path):
    """A run of a dataset that is now in another place, and that place."""
    shutil.copytree(demo, tmp_path / "here" / "demo")
    record = run.record()
    gone = {"root": "/home/ana/demo", "photos": "/home/ana/demo", "path": "/home/ana/demo"}
    run.update(dataset={**record["dataset"], **gone})
    return run, tmp_path / "here" / "demo"


def test_commands_that_need_photos_name_the_option(moved):
    run, _ = moved
    ended = curate("review", run.folder, "--html", "--no-browser")
    assert ended.exit_code == 1
    assert "there is no folder /home/ana/demo. Move it back, or say where they are with --photos FOLDER" in ended.stderr


@pytest.mark.parametrize("below", [".", "images"])
def test_the_folder_is_kept_in_the_record_and_nothing_else_changes(moved, below):
    run, place = moved
    before, record = files(run.folder), run.record()
    opened = curation.open_run(run.folder, photos=place / below)
    assert run.photo_root == run.photo_boundary == place
    assert run.record() == {**record, "photo_root": str(place)}
    after = files(run.folder)
    assert {name for name in after if after[name] != before.get(name)} == {"run.json"}
    # later commands know it
    page = opened.review_page()
    assert page.listings > 0
    assert curation.open_run(run.folder)._files.photo_root == place


def test_a_dataset_written_before_and_one_written_after_are_both_what_the_journal_gives(moved):
    run, place = moved
    opened = curation.open_run(run.folder)
    opened.apply_fixes(accept_suggestions=True)
    before = (run.cleaned / "dataset.toml").read_text()
    done("apply-fixes", run.folder, "--photos", place)
    assert (run.cleaned / "dataset.toml").read_text() != before
    assert curation.read_listings(run.cleaned).table["image"].notna().any()
    assert opened.verify().faults == ()


def test_folders_of_photos_get_them_from_where_they_are_now(moved):
    run, place = moved
    opened = curation.open_run(run.folder, photos=place)
    opened.apply_fixes(accept_suggestions=True, format="class-folders")
    other = place.rename(place.with_name("there"))
    assert curation.open_run(run.folder, photos=other).verify().faults == ()


def test_photos_that_are_decoded_again_are_read_there(moved, monkeypatch, tmp_path):
    run, place = moved
    monkeypatch.setenv("CURATE_CACHE_DIR", str(tmp_path / "empty"))
    for file in run.training_folder.glob("photos*"):
        file.unlink()
    done("apply-fixes", run.folder, "--accept-suggestions")
    ended = curate("retrain", run.folder, "--seeds", 1)
    assert ended.exit_code == 2
    assert "say where they are with --photos FOLDER" in ended.stderr
    done("retrain", run.folder, "--seeds", 1, "--photos", place)


def test_a_folder_without_the_photos_or_with_others_is_refused_and_not_kept(moved, tmp_path):
    run, place = moved
    for folder, match in ((tmp_path / "no", "there is no such folder"), (run.folder, "are not in")):
        with pytest.raises(RunError, match=match) as caught:
            curation.open_run(run.folder, photos=folder)
        assert caught.value.parameter == "photos"
    image = run.listings().dropna(subset=["sha256"])["image"].iloc[0]
    (place / image).write_bytes(b"another")
    with pytest.raises(RunError, match=f"other photos are in {place} under .*: got 1 of .*: {image}"):
        curation.open_run(run.folder, photos=place)
    assert "photo_root" not in json.loads(run.record_file.read_text())


def test_every_photo_is_compared_not_only_the_first_ones(moved):
    run, place = moved
    photos = run.listings().dropna(subset=["sha256"])["image"].drop_duplicates()
    assert len(photos) > 20
    (place / photos.iloc[-1]).write_bytes(b"another")
    with pytest.raises(RunError, match=f"got 1 of {len(photos)} photos: {photos.iloc[-1]}; wanted"):
        curation.open_run(run.folder, photos=place)
    assert "photo_root" not in json.loads(run.record_file.read_text())


def test_what_would_have_no_effect_is_refused(moved):
    run, place = moved
    assert_refused(
        place, "apply-fixes", run.folder, "--dry-run", "--photos", place, match="--photos has no effect with"
    )
    assert_refused(place, "review", run.folder, "--link", "--photos", place, match="--photos has no effect with --link")


def test_a_damaged_record_of_the_folder_is_refused(run):
    run.update(photo_root=3)
    with pytest.raises(RunError, match="is damaged"):
        RunFolder(Path(run.folder)).photo_root.exists()
