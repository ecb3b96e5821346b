"""Odd and bad photo files: find-issues ends well, or says clearly why it can't."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw

from curation.run.folder import RunFolder
from tests.cli.test_cli import curate

CLASSES = ["chair", "desk"]
TRAINED = ("--preset", "quick", "--folds", 2)


def photo(seed: int, colour: int) -> Image.Image:
    """Return a photo with detail, mostly of one of three colours."""
    pixels = np.random.default_rng(seed).integers(0, 90, (8, 8, 3), dtype=np.uint8)
    pixels[..., colour] += 150
    return Image.fromarray(pixels).resize((96, 80), Image.Resampling.NEAREST)


def shop(folder: Path, photos: Sequence[Image.Image | None], labels: list[str] | None = None) -> Path:
    """Write a table of listings with these photos, of two classes in turn."""
    folder.mkdir()
    names = []
    for number, image in enumerate(photos):
        names.append("" if image is None else f"{number}.png")
        if image is not None:
            image.save(folder / names[-1])
    labels = labels or [CLASSES[number % 2] for number in range(len(photos))]
    ids = [f"L{number:03}" for number in range(len(photos))]
    pd.DataFrame({"id": ids, "image": names, "label": labels}).to_csv(folder / "listings.csv", index=False)
    return folder


def coloured(count: int) -> list[Image.Image]:
    return [photo(number, number % 2) for number in range(count)]


def issues_of(dataset: Path, folder: Path, *options: object) -> pd.DataFrame:
    """Find issues as a user does; return them by id."""
    result = curate("find-issues", dataset, "--run", folder, *(options or TRAINED))
    assert result.exit_code == 0, result.output
    return RunFolder(folder).issues().set_index("id")


def refusal(dataset: Path, folder: Path) -> str:
    """Return what is said where nothing can be found."""
    result = curate("find-issues", dataset, "--run", folder, *TRAINED)
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)
    return result.stderr


def test_one_photo_of_500_listings_is_quick_and_its_reason_is_short(tmp_path: Path) -> None:
    photos = coloured(30)
    dataset = shop(tmp_path / "shop", photos)
    table = pd.read_csv(dataset / "listings.csv", dtype=str)
    again = pd.DataFrame({"id": [f"R{n:03}" for n in range(499)], "image": "0.png", "label": "chair"})
    table = pd.concat([table, again])
    table.to_csv(dataset / "listings.csv", index=False)
    probs = pd.DataFrame({"id": table["id"], "chair": 0.6, "desk": 0.4})
    probs.to_csv(tmp_path / "probs.csv", index=False)
    start = time.process_time()
    issues = issues_of(dataset, tmp_path / "run", "--probabilities", tmp_path / "probs.csv")
    assert time.process_time() - start < 10
    reposts = issues[issues["is_near_duplicate_issue"].astype(bool)]
    assert len(reposts) == 500
    assert reposts["near_duplicate_group"].nunique() == 1
    assert reposts["reasons"].str.contains("the same photo as .*497 more|the same photo as .*496 more").all()
    assert reposts["reasons"].str.len().max() < 200


def test_photos_that_are_all_the_same_are_refused_with_the_reason(tmp_path: Path) -> None:
    message = refusal(shop(tmp_path / "shop", [photo(0, 0)] * 12), tmp_path / "run")
    assert "same photo" in message
    assert not (tmp_path / "run" / "issues.parquet").exists()


def test_a_table_of_which_one_listing_has_a_photo_is_refused_with_the_reason(tmp_path: Path) -> None:
    dataset = shop(tmp_path / "shop", [photo(0, 0), *[None] * 11])
    message = refusal(dataset, tmp_path / "run")
    assert "image is missing in 11 rows" in message
    assert "at most 20% bad rows" in message


def test_a_table_of_which_one_photo_can_be_read_is_refused_with_the_reason(tmp_path: Path) -> None:
    dataset = shop(tmp_path / "shop", coloured(12))
    for number in range(1, 12):
        (dataset / f"{number}.png").write_bytes(b"<html>gone</html>")
    message = refusal(dataset, tmp_path / "run")
    assert "11 of 12 photos can't be read: got not an image" in message


@pytest.fixture(scope="module")
def odd_shop(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The issues of 10 sound chairs, 10 desks that are blank, a photo of one pixel, and 20 chairs with one photo."""
    folder = tmp_path_factory.mktemp("odd")
    blank = [Image.new("RGB", (96, 80), (20 * number, 200, 255 - 20 * number)) for number in range(10)]
    photos = [*[photo(number, 0) for number in range(10)], *blank, Image.new("RGB", (1, 1), "red")]
    photos += [photo(99, 0)] * 20
    labels = ["chair"] * 10 + ["desk"] * 10 + ["chair"] * 21
    return issues_of(shop(folder / "shop", photos, labels), folder / "run")


def test_a_class_of_blank_photos_is_flagged_as_poor_and_they_are_no_reposts(odd_shop: pd.DataFrame) -> None:
    assert np.flatnonzero(odd_shop["is_photo_quality_issue"]).tolist() == list(range(10, 21))
    assert not odd_shop["is_near_duplicate_issue"][10:20].any()


def test_a_photo_of_one_pixel_is_flagged_and_does_no_harm(odd_shop: pd.DataFrame) -> None:
    assert "photo is blank: one colour and only 1 x 1 pixels" in odd_shop["reasons"]["L020"]


def test_a_photo_that_half_of_the_listings_share_does_not_stop_the_training(odd_shop: pd.DataFrame) -> None:
    assert np.flatnonzero(odd_shop["is_near_duplicate_issue"]).tolist() == list(range(21, 41))


def test_equal_blank_photos_are_poor_and_no_reposts(tmp_path: Path) -> None:
    white = Image.new("RGB", (96, 80), "white")
    empty = Image.new("RGBA", (96, 80), (10, 200, 30, 0))
    photos = [*coloured(16), *[white] * 4, *[empty] * 3]
    issues = issues_of(shop(tmp_path / "shop", photos), tmp_path / "run")
    assert np.flatnonzero(issues["is_photo_quality_issue"]).tolist() == list(range(16, 23))
    assert not issues["is_near_duplicate_issue"].any()
    assert issues["near_duplicate_group"].isna().all()
    assert issues["reasons"]["L016"].endswith("photo is blank: one colour")
    # but they stay together in one fold, so that no model is scored on a photo that it was trained on
    assert RunFolder(tmp_path / "run").listings().set_index("id")["fold"].loc["L016":"L019"].nunique() == 1


def white_drawing(number: int) -> Image.Image:
    """Return one of three white shapes on white that is transparent."""
    image = Image.new("RGBA", (400, 300), (255, 255, 255, 0))
    draw = ImageDraw.Draw(image)
    shape = (draw.ellipse, draw.rectangle, draw.line)[number]
    shape((40 + 30 * number, 40, 300, 200 + 20 * number), fill=(255, 255, 255, 255))
    return image


def ten_bits(number: int) -> Image.Image:
    """Return a grey photo of 10 bits in a file of 16."""
    grey = np.asarray(photo(50 + number, number).convert("L")).astype(np.uint16)
    return Image.fromarray(grey * 4)


def test_18_blank_after_decoding_different_drawings_and_10_bit_photos_are_no_reposts(tmp_path: Path) -> None:
    photos = [
        *coloured(20),
        *(white_drawing(number) for number in range(3)),
        *(ten_bits(number) for number in range(3)),
    ]
    issues = issues_of(shop(tmp_path / "shop", photos), tmp_path / "run")
    assert not issues["is_near_duplicate_issue"].any()
    # a line of one pixel is little to see, and said to be
    assert np.flatnonzero(issues["is_photo_quality_issue"]).tolist() == [22]


def test_a_white_drawing_that_comes_back_resized_is_a_repost(tmp_path: Path) -> None:
    drawings = [white_drawing(number) for number in range(3)]
    photos = [*coloured(20), *drawings, drawings[0].resize((280, 210))]
    issues = issues_of(shop(tmp_path / "shop", photos), tmp_path / "run")
    assert np.flatnonzero(issues["is_near_duplicate_issue"]).tolist() == [20, 23]
