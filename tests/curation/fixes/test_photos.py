"""The photos of a cleaned dataset lie in its folder, whatever a run says of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from curation.errors import InputError
from curation.fixes import apply_fixes, plan_fixes
from curation.fixes.photos import Photos
from curation.listings import read_listings
from curation.run.folder import RunFolder
from tests.support.fixes import decided, run_of


@pytest.fixture
def shop(tmp_path: Path) -> RunFolder:
    """Return a run of six photos in the folders of two classes."""
    for name in ("lamp/1.png", "lamp/2.png", "lamp/3.png", "sofa/4.png", "sofa/5.png", "sofa/6.png"):
        path = tmp_path / "shops" / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), (int(path.stem) * 30, 9, 9)).save(path)
    return run_of(tmp_path / "shops" / "in", tmp_path / "run")


@pytest.mark.parametrize("path", ["../2.png", "lamp/../../2.png", "..", "lamp/..", "{folder}/2.png"])
def test_a_path_that_leads_outside_the_folder_is_refused_and_nothing_is_put_there(
    path: str, shop: RunFolder, tmp_path: Path
) -> None:
    folder = tmp_path / "new" / "cleaned"
    folder.mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    photos = Photos(shop, folder)
    with pytest.raises(ValueError, match=r"^the photo '.*' would lie outside the folder of the dataset$"):
        photos.put("lamp/1.png", path.format(folder=tmp_path))
    assert sorted(tmp_path.rglob("*")) == before
    assert photos.missing == []


def test_a_name_that_only_looks_like_one_above_is_a_name(shop: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "cleaned").mkdir()
    Photos(shop, tmp_path / "cleaned").put("lamp/1.png", "..lamp/1..png")
    assert (tmp_path / "cleaned" / "..lamp" / "1..png").samefile(tmp_path / "shops" / "in" / "lamp" / "1.png")


def test_a_run_that_was_changed_to_lead_outside_is_refused_and_nothing_is_written(
    shop: RunFolder, tmp_path: Path
) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "mine.png")
    shop.decide([decided(shop.listings()["id"][0], "relabel", "sofa")])
    table = shop.listings()
    shop.write_table(shop.listings_file, table.assign(image=table["image"].replace("lamp/2.png", "../../mine.png")))
    before = sorted(tmp_path.rglob("*.png"))
    with pytest.raises(
        InputError, match=r"got the photo 'lamp/\.\./mine\.png' would lie outside the folder of the data"
    ):
        apply_fixes(shop, plan_fixes(shop))
    assert sorted(tmp_path.rglob("*.png")) == before
    assert not shop.cleaned.exists()


@pytest.mark.parametrize("prefix", ["", "train/"])
def test_classes_of_nested_folders_come_out_nested_and_are_read_again(prefix: str, tmp_path: Path) -> None:
    places = [f"{prefix}{name}/1.png" for name in ("elec/mouse", "elec/router", "acc/cable")] + [f"{prefix}elec/2.png"]
    for number, place in enumerate(places):
        path = tmp_path / "in" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), (number * 30, 9, 9)).save(path)
    run = run_of(tmp_path / "in", tmp_path / "run", label_separator="/")
    run.decide([decided(f"{prefix}elec/mouse/1.png", "relabel", "acc/cable")])
    apply_fixes(run, plan_fixes(run))
    cleaned = read_listings(run.cleaned)
    moved = f"{prefix}acc/cable/1-2.png"
    assert sorted(cleaned.table["image"]) == sorted([*places[1:], moved])
    assert cleaned.table.set_index("image")["label"][moved] == "acc/cable"
