"""Poor photos: tiny, blank or a narrow strip, and nothing that is as it usually is."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from curation.issues import Evidence, find_issues
from curation.issues.photo_quality import KIND
from curation.photos.near_duplicates import find_similar
from tests.support.photo_facts import nothing_found
from tests.training.images.test_photos import encoded
from training.images import decode

CLASSES = ("chair", "desk")


def evidence(sizes, detail=None, unreadable=()):
    """Return evidence of photos of these sizes, beside 40 usual ones of 640 x 480."""
    n = len(sizes) + 40
    width, height = np.array([*sizes, *[(640, 480)] * 40], dtype=float).T
    listings = pd.DataFrame(
        {
            "id": pd.array([f"L{row:02}" for row in range(n)], dtype="string"),
            "image": pd.array([f"{row}.jpg" for row in range(n)], dtype="string"),
            "label": pd.array([CLASSES[row % 2] for row in range(n)], dtype="string"),
            "price": np.nan,
            "sha256": pd.array([f"{row}" for row in range(n)], dtype="string"),
            **nothing_found(n),
            "width": pd.array(width, dtype="Int64"),
            "height": pd.array(height, dtype="Int64"),
            "detail": pd.array([*(detail or [50.0] * len(sizes)), *[50.0] * 40], dtype="Float64"),
            "unreadable": pd.array([pd.NA] * n, dtype="string"),
        }
    )
    listings.loc[list(unreadable), ["width", "height", "detail"]] = pd.NA
    listings.loc[list(unreadable), "unreadable"] = "not an image"
    return Evidence(listings, CLASSES, np.full((n, 2), 0.5))


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        ((40, 30), "photo is only 40 x 30 pixels"),
        ((1200, 90), "photo is 1,200 x 90 pixels, 13 times as wide as high"),
        ((90, 1200), "photo is 90 x 1,200 pixels, 13 times as high as wide"),
    ],
)
def test_tiny_photos_and_strips_are_flagged_with_their_numbers(size, reason):
    table = KIND.find(evidence([size]))
    assert table["is_photo_quality_issue"].tolist() == [True] + [False] * 40
    assert table["reason"][0] == reason
    assert table["photo_quality_score"][0] < 0.5
    assert (table["photo_quality_score"][1:] == 1).all()


def test_blank_photos_are_flagged_and_noise_is_not_called_one_colour():
    table = KIND.find(evidence([(640, 480)] * 2, detail=[0.0, 3.2]))
    assert table["reason"][:2].tolist() == [
        "photo is blank: one colour",
        "photo is blank: its colours spread by 3.2 of 255",
    ]


def test_a_table_of_small_photos_is_not_flagged_and_a_much_smaller_one_in_it_is():
    small = evidence([(12, 12)])
    sizes = {"width": small.listings["width"].mask(small.listings.index > 0, 32)}
    sizes["height"] = small.listings["height"].mask(small.listings.index > 0, 32)
    table = KIND.find(Evidence(small.listings.assign(**sizes), CLASSES, small.probs))
    assert np.flatnonzero(table["is_photo_quality_issue"]).tolist() == [0]


@pytest.mark.parametrize("size", [(1080, 2340), (1500, 600), (64, 64), (320, 109)])
def test_screenshots_of_phones_and_what_shops_use_are_no_poor_photos(size):
    assert not KIND.find(evidence([size]))["is_photo_quality_issue"].any()


def test_unreadable_photos_are_left_to_their_own_kind():
    table = KIND.find(evidence([(40, 30)], unreadable=[0]))
    assert not table["is_photo_quality_issue"].any()
    assert table["photo_quality_score"].isna().tolist() == [True] + [False] * 40


def test_without_sizes_the_columns_are_there_and_empty():
    given = evidence([(40, 30)])
    issues = find_issues(Evidence(given.listings.drop(columns=["width", "height", "detail"]), CLASSES, given.probs))
    assert issues[["is_photo_quality_issue", "photo_quality_score"]].isna().all(axis=None)


def test_detail_tells_a_wall_and_the_noise_of_the_dark_from_a_photo():
    rng = np.random.default_rng(0)
    scene = rng.integers(0, 255, (12, 16, 3), dtype=np.uint8)
    scenes = [
        Image.new("RGB", (640, 480), "white"),
        Image.fromarray(rng.normal(12, 12, (480, 640, 3)).clip(0, 255).astype(np.uint8)),
        Image.fromarray(scene).resize((640, 480)),
    ]
    photos = np.stack([decode(encoded(image, "JPEG"), 32)[0] for image in scenes])
    one_colour, noise, sound = find_similar(photos, np.arange(3)).detail
    assert one_colour == 0
    assert noise < 2
    assert sound > 30


def test_detail_does_not_depend_on_how_many_photos_are_measured_at_once():
    photos = np.random.default_rng(0).integers(0, 255, (5, 32, 32, 3), dtype=np.uint8)
    together = find_similar(photos, np.arange(5)).detail
    assert np.allclose([find_similar(photos, np.array([row])).detail[0] for row in range(5)], together, atol=1e-4)


@pytest.mark.parametrize(
    ("size", "detail", "score"),
    [
        ((640, 480), 5.0, 0.5),
        ((640, 480), 4.0, 0.4),
        ((640, 480), 7.5, 0.75),
        ((640, 480), 12.0, 1.0),
        ((80, 64), 50.0, 0.5),
        ((80, 32), 50.0, 0.25),
        ((96, 80), 50.0, 0.625),
        ((800, 200), 50.0, 0.5),
        ((200, 1000), 50.0, 0.4),
        ((600, 240), 50.0, 0.8),
    ],
)
def test_the_score_is_half_at_a_limit_and_one_at_twice_as_good(size, detail, score):
    table = KIND.find(evidence([size], detail=[detail]))
    assert table["photo_quality_score"][0] == pytest.approx(score)
    assert table["is_photo_quality_issue"][0] == (score < 0.5)


def test_a_spread_that_only_the_noise_of_saving_makes_is_one_colour():
    reasons = KIND.find(evidence([(640, 480)] * 3, detail=[0.99, 1.0, 1.2]))["reason"]
    assert reasons[:3].str.contains("one colour").tolist() == [True, False, False]


def test_a_photo_is_tiny_below_half_of_what_is_usual_where_that_is_less_than_64():
    small = evidence([(23, 23), (24, 24), (26, 26)])
    sizes = {side: small.listings[side].mask(small.listings.index > 2, 48) for side in ("width", "height")}
    table = KIND.find(Evidence(small.listings.assign(**sizes), CLASSES, small.probs))
    assert table["is_photo_quality_issue"][:4].tolist() == [True, False, False, False]
    assert table["photo_quality_score"][:3].to_numpy() == pytest.approx(np.array([23, 24, 26]) / 48)


def test_two_things_that_are_bad_are_both_said():
    assert KIND.find(evidence([(40, 30)], detail=[0.0]))["reason"][0] == (
        "photo is blank: one colour and only 40 x 30 pixels"
    )
