"""Near duplicates among decoded photos: what is joined, and what is not."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from curation.photos.alignment import could_be_same, likeness
from curation.photos.hashing import meetings, photo_hashes, small_photos
from curation.photos.near_duplicates import find_similar
from tests.support.engines import InParts
from training.images import decode

SIZE = 48


def photo(seed, width=240, height=200):
    """Return a photo of coloured patches that no other seed has."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


def saved(image, quality=85):
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return decode(stream.getvalue(), SIZE)[0]


def cropped(image, share=0.03):
    width, height = image.size
    return image.crop((round(width * share), 0, width, round(height * (1 - share))))


CHANGES = {
    "saved again": lambda image: saved(image, quality=40),
    "resized": lambda image: saved(image.resize((97, 81))),
    "cropped": lambda image: saved(cropped(image)),
    "brightened": lambda image: saved(ImageEnhance.Brightness(image).enhance(1.08)),
    "all of it": lambda image: saved(ImageEnhance.Brightness(cropped(image)).enhance(0.93).resize((150, 130)), 60),
}


def joined(squares):
    """Return the groups as sets of places."""
    group = find_similar(squares, np.arange(len(squares))).group
    return {frozenset(np.flatnonzero(group == number).tolist()) for number in np.unique(group[group >= 0])}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_photo_that_comes_back_changed_a_little_is_found_among_others(change):
    squares = np.stack([*(saved(photo(seed)) for seed in range(40)), *(change(photo(seed)) for seed in range(20))])
    assert joined(squares) == {frozenset({seed, 40 + seed}) for seed in range(20)}


def test_different_things_on_the_same_background_are_not_joined():
    squares = []
    for seed in range(8):
        image = photo(0)
        place = 40 + 20 * seed
        ImageDraw.Draw(image).ellipse((place, 60, place + 45, 120), fill=(200, 30 * seed, 40))
        squares.append(saved(image))
    assert joined(np.stack(squares)) == set()


def test_another_colour_or_a_mirror_image_is_another_photo():
    image = photo(3)
    red, green, blue = image.split()
    others = [Image.merge("RGB", (blue, green, red)), image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    assert joined(np.stack([saved(image), *(saved(other) for other in others)])) == set()


def test_blank_photos_are_never_joined():
    rng = np.random.default_rng(0)
    blank = rng.integers(245, 256, (30, SIZE, SIZE, 3)).astype(np.uint8)
    assert joined(np.concatenate([blank, np.zeros((2, SIZE, SIZE, 3), dtype=np.uint8)])) == set()


def test_many_copies_of_one_photo_are_one_group():
    rng = np.random.default_rng(0)
    first = saved(photo(1)).astype(np.int64)
    copies = (first + rng.integers(-3, 4, (300, SIZE, SIZE, 3))).clip(0, 255).astype(np.uint8)
    assert joined(copies) == {frozenset(range(300))}


def test_the_groups_and_the_likeness_do_not_depend_on_the_order_of_the_rows():
    squares = np.stack([change(photo(seed)) for seed in range(15) for change in CHANGES.values()])
    order = np.random.default_rng(2).permutation(len(squares))
    plain, mixed = find_similar(squares, np.arange(len(squares))), find_similar(squares, order)
    assert len(np.unique(plain.group)) == 15
    assert len(set(zip(plain.group[order], mixed.group, strict=True))) == 15
    assert np.array_equal(plain.likeness[order], mixed.likeness)


def test_only_the_rows_that_are_asked_for_are_compared():
    squares = np.stack([saved(photo(seed), quality) for quality in (90, 50) for seed in range(4)])
    assert (find_similar(squares, np.array([0, 1, 6, 7])).group == -1).all()
    assert (find_similar(squares, np.array([0, 4])).group == 0).all()


@pytest.mark.parametrize("count", [0, 1])
def test_no_photo_and_one_photo_are_no_group(count):
    similar = find_similar(np.zeros((2, SIZE, SIZE, 3), dtype=np.uint8), np.arange(count))
    assert similar.group.tolist() == [-1] * count


def test_the_more_a_photo_is_changed_the_less_alike_it_is():
    image = photo(5)
    original = np.stack([saved(image, 95)] * 2)
    changed = np.stack([saved(image, 80), saved(cropped(image), 20)])
    slightly, strongly = likeness(original, changed)
    assert 0.94 <= strongly < slightly <= 1


def test_brightness_leaves_the_hash_as_it_is_and_other_photos_have_others():
    squares = np.stack([saved(photo(seed)) for seed in range(30)])
    hashes = photo_hashes(small_photos(squares))
    assert len(np.unique(hashes)) == 30
    darker = photo_hashes(small_photos((squares * 0.9).astype(np.uint8)))
    assert max(int(one ^ other).bit_count() for one, other in zip(hashes, darker, strict=True)) <= 3


def test_hashes_that_differ_in_up_to_three_bits_always_meet():
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**63, 2000).astype(np.uint64)
    changed = hashes.copy()
    for _ in range(3):
        changed ^= np.uint64(1) << rng.integers(0, 64, 2000).astype(np.uint64)
    first, second = meetings(np.concatenate([hashes, changed]))
    assert {(place, 2000 + place) for place in range(2000)} <= set(zip(first.tolist(), second.tolist(), strict=True))


def test_the_pairs_stay_few_when_all_hashes_are_equal():
    first, _ = meetings(np.zeros(2000, dtype=np.uint64))
    assert 2000 <= len(first) <= 2000 * 32


def bottle(seed):
    """Return a product shot: the same bottle on the same white background, with a label of its own."""
    image = Image.new("RGB", (160, 160), "white")
    ImageDraw.Draw(image).rectangle((52, 20, 108, 148), fill=(40, 70, 60))
    label = Image.fromarray(np.random.default_rng(seed).integers(0, 256, (4, 3, 3), dtype=np.uint8))
    image.paste(label.resize((56, 64), Image.Resampling.NEAREST), (52, 64))
    return image


@pytest.fixture(scope="module")
def bottles():
    return np.stack([saved(bottle(seed)) for seed in range(1000)])


def test_product_shots_that_differ_in_their_labels_alone_are_not_joined(bottles):
    assert joined(bottles[:300]) == set()


def test_a_repost_among_a_thousand_look_alikes_is_found(bottles):
    again = [CHANGES["all of it"](bottle(500)), CHANGES["saved again"](bottle(20))]
    assert joined(np.stack([*bottles, *again])) == {frozenset({500, 1000}), frozenset({20, 1001})}


def test_hardly_any_look_alike_needs_the_slow_comparison(bottles):
    small = small_photos(bottles[:200])
    first, second = np.triu_indices(len(small), 1)
    some = np.random.default_rng(0).permutation(len(first))[:3000]
    assert could_be_same(small[first[some]], small[second[some]]).mean() < 0.05


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_no_changed_photo_is_ruled_out_before_the_slow_comparison(change):
    images = [photo(seed) for seed in range(40)] + [bottle(seed) for seed in range(40)]
    before, after = (small_photos(np.stack([save(image) for image in images])) for save in (saved, change))
    assert could_be_same(before, after).all()
    assert could_be_same(after, before).all()


def test_groups_are_the_same_when_small_photos_and_pairs_are_computed_in_parts(tmp_path):
    squares = np.stack([saved(photo(row % 30), quality=95 - row // 30 * 4) for row in range(300)])
    rows = np.arange(len(squares))
    whole = find_similar(squares, rows)
    engine = InParts(1)
    parts = find_similar(squares, rows, engine=engine, folder=tmp_path)
    # two blocks of photos, and several of pairs
    assert engine.parts > 3
    for name in ("group", "likeness", "detail", "small"):
        assert np.array_equal(getattr(parts, name), getattr(whole, name))
    assert len(np.unique(whole.group)) == 30
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_search_left_behind_is_not_taken_for_its_pairs(tmp_path):
    squares = np.stack([saved(photo(row % 2), quality=95 - 2 * row) for row in range(8)])
    (tmp_path / "pairs").mkdir()
    np.save(tmp_path / "pairs" / "first.npy", np.zeros(1, dtype=np.int64))
    found = find_similar(squares, np.arange(8), engine=InParts(1), folder=tmp_path)
    assert (found.group == find_similar(squares, np.arange(8)).group).all()
