"""A cleaned dataset is read again by the same commands, whatever was bad in its input."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from curation.errors import ListingsError
from curation.fixes import apply_fixes, plan_fixes
from curation.listings import Listings, read_listings
from curation.listings.problems import report_problems
from curation.run.folder import RunFolder
from tests.support.fixes import decided, run_of
from training.utils.files import read_json, write_json
from training.utils.progress import SILENT


def shop(folder: Path, images: list[str], photos: int = 10) -> Path:
    (folder / "photos").mkdir(parents=True)
    for number in range(photos):
        (folder / "photos" / f"{number}.jpg").write_bytes(b"")
    ids = [f"L{row}" for row in range(len(images))]
    table = pd.DataFrame({"id": ids, "image": images, "label": [f"{'ab'[row % 2]}" for row in range(len(images))]})
    table.to_csv(folder / "listings.csv", index=False)
    return folder


def cleaned(dataset: Path, *deleted: str, allow_bad: float | None = None) -> RunFolder:
    run = run_of(dataset, dataset.parent / "runs" / "1", allow_bad=allow_bad)
    report_problems(run.folder, read_listings(dataset, allow_bad=allow_bad), SILENT)
    if allow_bad is not None:
        write_json(run.record_file, {**read_json(run.record_file), "allow_bad": allow_bad})
    run.decide([decided(id, "delete") for id in deleted])
    apply_fixes(run, plan_fixes(run))
    return run


def found(listings: Listings) -> list[str]:
    """Return the names of the photos that were found."""
    images = listings.table["image"].where(~listings.table["id"].isin(listings.problems["id"]))
    return [Path(image).name for image in images.dropna()]


@pytest.mark.parametrize(
    ("missing", "deleted", "allowed", "written"),
    [(2, 0, None, None), (2, 1, None, 0.23), (2, 5, None, 0.4), (3, 0, 0.3, 0.3), (3, 1, 0.3, 0.34), (1, 1, 0.3, 0.3)],
)
def test_where_good_listings_are_deleted_the_bad_ones_are_allowed_as_before(
    missing: int, deleted: int, allowed: float | None, written: float | None, tmp_path: Path
) -> None:
    images = [f"photos/{row}.jpg" for row in range(10 - missing)] + [f"photos/x{row}.jpg" for row in range(missing)]
    ids = [f"L{row}" for row in range(1, deleted + 1)] or ["L9"]
    run = cleaned(shop(tmp_path / "shop", images), *ids, allow_bad=allowed)
    if deleted:
        lines = (run.cleaned / "dataset.toml").read_text().splitlines()
        assert [line for line in lines if line.startswith("allow_bad")] == (
            [] if written is None else [f"allow_bad = {written}"]
        )
    assert len(read_listings(run.cleaned).table) == 10 - max(deleted, 1)


@pytest.mark.parametrize(
    "cell",
    [
        "photos\\{0}.jpg, photos\\{1}.jpg",
        "C:\\shop\\photos\\{0}.jpg;C:\\shop\\photos\\{1}.jpg",
        "/home/ana/shop/photos/{0}.jpg|/home/ana/shop/photos/{1}.jpg",
        "{0}.jpg, {1}.jpg",
        "PHOTOS/{0}.JPG, photos/{1}.jpg",
        '["photos/{0}.jpg", "{1}.jpg"]',
        "photos/gone.jpg, photos\\{0}.jpg, {1}.jpg",
    ],
)
def test_every_name_in_a_cell_leads_to_the_photo_that_it_was_matched_with(cell: str, tmp_path: Path) -> None:
    dataset = shop(tmp_path / "shop", [cell.format(row, (row + 1) % 10) for row in range(10)])
    assert found(read_listings(dataset)) == [f"{row}.jpg" for row in range(10)]
    again = read_listings(cleaned(dataset, "L0").cleaned)
    assert found(again) == [f"{row}.jpg" for row in range(1, 10)]
    assert all("shop" in cell for cell in again.raw.table["image"])
    (dataset / "photos" / "1.jpg").unlink()
    assert found(read_listings(tmp_path / "runs/1/cleaned"))[0] == "2.jpg"


@pytest.mark.parametrize(
    "cell",
    [
        "photos\\x.jpg, photos\\y.jpg",
        "C:\\shop\\x.jpg",
        "C:\\shop\\x.jpg;C:\\shop\\y.jpg",
        '["photos/x.jpg", "photos/y.jpg"]',
        "photos/x.jpg|photos/y.jpg",
    ],
)
def test_photos_that_are_missing_are_so_again_and_lead_nowhere_else(cell: str, tmp_path: Path) -> None:
    images = [*[f"photos/{row}.jpg" for row in range(10)], cell]
    first = cleaned(shop(tmp_path / "deep" / "er" / "shop", images), "L0")
    again = read_listings(first.cleaned)
    assert again.problems[["id", "why"]].to_numpy().tolist() == [["L10", "no such file"]]
    second = run_of(first.cleaned, tmp_path / "elsewhere" / "second")
    second.decide([decided("L1", "delete")])
    apply_fixes(second, plan_fixes(second))
    assert len(found(read_listings(second.cleaned))) == 8


@pytest.mark.parametrize("cell", ["../x.jpg, z.jpg, ", "photos/x.jpg|../../y.jpg", '["/etc/x.jpg", "y.jpg"]'])
def test_one_of_several_names_that_leads_out_is_refused(cell: str, tmp_path: Path) -> None:
    dataset = shop(tmp_path / "shop", [*[f"photos/{row}.jpg" for row in range(10)], cell])
    with pytest.raises(ListingsError, match="1 image path leads out of the dataset's folder"):
        read_listings(dataset)
