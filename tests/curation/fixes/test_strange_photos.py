"""Files that are no photos of a run don't get into its cleaned dataset, whatever leads to them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from curation.errors import RunError
from curation.fixes import apply_fixes, plan_fixes
from curation.run.folder import RunFolder
from curation.run.own_photos import OwnPhotos
from tests.support.fixes import decided, run_of

SECRET = b"a secret\n"


@pytest.fixture
def folders(tmp_path: Path) -> RunFolder:
    """Return a run of six photos in the folders of two classes, of which one is relabelled."""
    for name in ("lamp/1.png", "lamp/2.png", "lamp/3.png", "sofa/4.png", "sofa/5.png", "sofa/6.png"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        draw(path, int(path.stem))
    (tmp_path / "secret.txt").write_bytes(SECRET)
    draw(tmp_path / "mine.png", 77)
    run = run_of(tmp_path / "in", tmp_path / "run")
    run.decide([decided("lamp/1.png", "relabel", "sofa")])
    return run


@pytest.fixture
def table(tmp_path: Path) -> RunFolder:
    """Return a run of a table whose second photo lies outside, which was allowed."""
    (tmp_path / "in" / "photos").mkdir(parents=True)
    for number in range(1, 4):
        draw(tmp_path / "in" / "photos" / f"{number}.png", number)
    draw(tmp_path / "mine.png", 77)
    (tmp_path / "secret.txt").write_bytes(SECRET)
    images = ["photos/1.png", "../mine.png", "photos/3.png"]
    listings = pd.DataFrame({"id": list("abc"), "image": images, "label": ["lamp", "sofa", "lamp"]})
    listings.to_csv(tmp_path / "in" / "shop.csv", index=False)
    run = run_of(tmp_path / "in" / "shop.csv", tmp_path / "run", allow_outside=True)
    run.decide([decided("a", "relabel", "sofa")])
    return run


def draw(path: Path, grey: int) -> None:
    Image.new("RGB", (4, 4), (grey, 9, 9)).save(path)


def applied(run: RunFolder, form: str | None = None) -> tuple[str, ...]:
    return apply_fixes(run, plan_fixes(run), form).notes


def contents(run: RunFolder) -> list[bytes]:
    return [path.read_bytes() for path in run.cleaned.rglob("*") if path.suffix in (".png", ".txt")]


def require_nothing_written(run: RunFolder) -> None:
    assert not run.cleaned.exists()
    assert not [path.name for path in run.folder.iterdir() if path.name.startswith(".cleaned")]


def put_link(photo: Path, target: str) -> None:
    photo.unlink()
    photo.symlink_to(target)


REPLACED: dict[str, Callable[[Path], object]] = {
    "a link to a text": lambda photo: put_link(photo, "../../secret.txt"),
    "a link to another photo": lambda photo: put_link(photo, "../../mine.png"),
    "a text": lambda photo: photo.write_bytes(SECRET),
    "nothing": lambda photo: photo.write_bytes(b""),
}


@pytest.mark.parametrize("form", [None, "imagefolder"])
@pytest.mark.parametrize("how", REPLACED)
def test_a_photo_that_became_another_file_is_refused_and_nothing_is_written(
    how: str, form: str | None, folders: RunFolder, tmp_path: Path
) -> None:
    REPLACED[how](tmp_path / "in" / "lamp" / "2.png")
    where = rf", which leads to {tmp_path}/" if "link" in how else ";"
    with pytest.raises(
        RunError, match=rf"^1 photo is not what find-issues read.*: got lamp/2\.png{where}.*find issues"
    ):
        applied(folders, form)
    require_nothing_written(folders)


def test_a_pipe_in_place_of_a_photo_is_refused_and_not_waited_for(folders: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "in" / "lamp" / "2.png").unlink()
    os.mkfifo(tmp_path / "in" / "lamp" / "2.png")
    with pytest.raises(RunError, match=r"^1 photo is no longer there: got lamp/2\.png"):
        applied(folders)
    require_nothing_written(folders)


@pytest.mark.parametrize("name", ["../secret.txt", "../mine.png", "{folder}/secret.txt", "photos/../../secret.txt"])
def test_a_stranger_s_run_that_names_other_files_is_refused_and_nothing_is_written(
    name: str, table: RunFolder, tmp_path: Path
) -> None:
    named = table.listings()
    named["image"] = named["image"].replace("photos/1.png", name.format(folder=tmp_path))
    table.write_table(table.listings_file, named.assign(sha256="0" * 64))
    with pytest.raises(RunError, match="not what find-issues read"):
        applied(table, "imagefolder")
    require_nothing_written(table)


def test_a_stranger_s_run_whose_root_is_a_folder_of_mine_gets_photos_at_most(table: RunFolder, tmp_path: Path) -> None:
    table.update(photo_root=str(tmp_path))
    named = table.listings()
    table.write_table(table.listings_file, named.assign(image="secret.txt", sha256=pd.NA))
    with pytest.raises(RunError, match=r"^3 photos are not what find-issues read.*: got secret\.txt"):
        applied(table, "imagefolder")
    require_nothing_written(table)


def test_a_photo_that_was_edited_in_place_is_taken_and_it_is_said(folders: RunFolder, tmp_path: Path) -> None:
    draw(tmp_path / "in" / "lamp" / "2.png", 200)
    (note,) = applied(folders)
    assert note == (
        "1 photo was changed since find-issues read it, and is in the dataset as now: lamp/2.png. What was decided "
        "rests on the earlier one."
    )
    assert (tmp_path / "in" / "lamp" / "2.png").read_bytes() in contents(folders)


def test_a_photo_that_moved_elsewhere_is_taken_through_a_link_as_it_has_the_same_content(
    folders: RunFolder, tmp_path: Path
) -> None:
    (tmp_path / "in" / "lamp" / "2.png").rename(tmp_path / "moved.png")
    (tmp_path / "in" / "lamp" / "2.png").symlink_to(tmp_path / "moved.png")
    assert applied(folders) == ()
    assert len(contents(folders)) == 6
    assert not any(path.is_symlink() for path in folders.cleaned.rglob("*"))


def test_a_photo_outside_that_was_allowed_is_taken_as_long_as_it_is_the_same(table: RunFolder, tmp_path: Path) -> None:
    assert not [note for note in applied(table, "imagefolder") if "photo" in note]
    assert (tmp_path / "mine.png").read_bytes() in contents(table)
    draw(tmp_path / "mine.png", 78)
    with pytest.raises(RunError, match=r"^1 photo is not what find-issues read.*: got \.\./mine\.png"):
        applied(table, "imagefolder")
    assert not [note for note in applied(table, "csv") if "photo" in note]


def test_only_what_find_issues_may_have_read_is_shown(table: RunFolder, tmp_path: Path) -> None:
    photos = OwnPhotos(table)
    assert all(map(photos.may_be_shown, ("photos/1.png", str(tmp_path / "in" / "photos" / "1.png"), "../mine.png")))
    assert not photos.may_be_shown("../secret.txt")
    put_link(tmp_path / "in" / "photos" / "1.png", "../../mine.png")
    assert not photos.may_be_shown("photos/1.png")
