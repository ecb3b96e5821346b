"""Features that are joined of several parts: networks, patches, and embeddings that were made elsewhere."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.support.reporters import Listener
from tests.support.synthetic import CPU, HEADS, coloured_photos, plan_of, prepared
from training.crossval.plan import Work, _features
from training.errors import InputError
from training.features.choice import sized, with_features
from training.features.extract import compute_features
from training.features.source import Joined, OfArray
from training.images.cache import PhotoCache
from training.images.ingest import store_photos
from training.settings import Execution, Recipe
from training.utils.progress import SILENT

CLIP = "embeddings:clip.npz"
ROWS = np.arange(40)


def vectors(width, seed=0, n=40):
    return np.random.default_rng(seed).standard_normal((n, width)).astype(np.float32)


def projected(path, *parts, rows=ROWS):
    sources = [OfArray(part, rows) for part in parts]
    source = sources[0] if len(sources) == 1 else Joined(sources)
    compute_features(source, rows, path, total=40, key="k", seed=0, device=CPU.device, evened=0.0)
    return np.load(path)


def distances(features):
    return torch.cdist(torch.from_numpy(features), torch.from_numpy(features)).numpy()


def test_a_wide_part_counts_as_much_as_a_narrow_one(tmp_path):
    # twice, because the last of all directions is left out
    narrow, wide = np.tile(vectors(3), 2), np.tile(vectors(7, seed=1), 2)
    once = projected(tmp_path / "once.npy", narrow, wide)
    # the same numbers ten times are ten times as wide
    tenfold = projected(tmp_path / "tenfold.npy", narrow, np.tile(wide, 10))
    lengths = distances(once)[0, 1:] / distances(tenfold)[0, 1:]
    assert np.ptp(lengths) < 1e-3 * lengths.mean()
    # side by side, the wide one would hide the narrow one
    piled = projected(tmp_path / "piled.npy", np.concatenate([narrow, np.tile(wide, 10)], axis=1))
    lengths = distances(once)[0, 1:] / distances(piled)[0, 1:]
    assert np.ptp(lengths) > 0.1 * lengths.mean()


@pytest.mark.parametrize(("factor", "offset"), [(1e-8, 0.0), (1e8, 0.0), (1.0, 1e3)])
def test_the_scale_and_the_offset_of_embeddings_do_not_matter(tmp_path, factor, offset):
    values = vectors(12)
    plain = distances(projected(tmp_path / "plain.npy", values))
    other = distances(projected(tmp_path / "other.npy", (values * factor + offset).astype(np.float32)))
    np.testing.assert_allclose(other, plain, rtol=1e-2, atol=1e-2)


def test_numbers_that_are_the_same_for_all_change_nothing(tmp_path):
    values = np.tile(vectors(12), 2)
    constant = np.concatenate([values, np.full((40, 5), 7, dtype=np.float32)], axis=1)
    first = distances(projected(tmp_path / "a.npy", values, vectors(4, seed=2)))
    second = distances(projected(tmp_path / "b.npy", constant, vectors(4, seed=2)))
    np.testing.assert_allclose(second / second.mean(), first / first.mean(), rtol=1e-3, atol=1e-3)


def test_rows_without_a_photo_may_have_none(tmp_path):
    values = vectors(12)
    values[7] = np.nan
    features = projected(tmp_path / "f.npy", values, rows=np.delete(ROWS, 7))
    assert np.isfinite(features).all()
    assert not features[7].any()


def test_features_are_made_again_if_the_embeddings_are_others(tmp_path):
    photos, _ = coloured_photos(40)
    recipe, lines = replace(HEADS, features=CLIP), []
    options = {"photos_key": "photos", "reporter": Listener(lines.append)}
    first = prepared(tmp_path, photos, plan_of(40), recipe, given={CLIP: vectors(12)}, **options)
    made = first.features.read_bytes()
    assert lines == ["features: clip.npz, 12 numbers for each photo"]
    assert prepared(tmp_path, photos, plan_of(40), recipe, given={CLIP: vectors(12)}, **options).key == first.key
    assert len(lines) == 1
    other = prepared(tmp_path, photos, plan_of(40), recipe, given={CLIP: vectors(12, seed=1)}, **options)
    assert other.key != first.key
    assert len(lines) == 2
    assert other.features.read_bytes() != made


def test_features_of_one_part_have_the_key_that_earlier_versions_gave_them(tmp_path):
    photos, _ = coloured_photos(12)
    patches = prepared(tmp_path, photos, plan_of(12), replace(HEADS, seed=3), photos_key="photos")
    size = photos.shape[1]
    assert (patches.key, patches.features.name) == (f"photos {size} 3 False", "features-3.npy")
    network = prepared(tmp_path, photos, plan_of(12), replace(HEADS, features="lite0", seed=3), photos_key="photos")
    assert (network.key, network.features.name) == (f"photos {size} 0 lite0", "features-0.npy")


def test_only_what_is_drawn_at_random_hangs_on_the_seed(tmp_path):
    photos, _ = coloured_photos(40)
    given = {CLIP: vectors(12)}
    for features, same in (("lite0+" + CLIP, True), ("patches+" + CLIP, False)):
        recipes = [replace(HEADS, features=features, seed=seed) for seed in (0, 7)]
        one, other = (prepared(tmp_path, photos, plan_of(40), recipe, given=given) for recipe in recipes)
        assert (one.features == other.features) is same


def test_a_network_in_a_join_takes_the_features_that_earlier_runs_kept(tmp_path, monkeypatch):
    from PIL import Image

    cache = PhotoCache(tmp_path / "cache", limit=10**9)
    paths = [tmp_path / f"{number}.png" for number in range(12)]
    for number, path in enumerate(paths):
        pixels = np.random.default_rng(number).integers(0, 256, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    photos = store_photos(paths, size=32, cache=cache, spare=tmp_path / "spare")[0]
    recipe = replace(HEADS, features="lite0")
    prepared(tmp_path / "alone", photos, plan_of(12), recipe, kept=cache.features_root)

    def made_again(self, pixels):
        raise AssertionError("features were made again")

    monkeypatch.setattr("training.features.extract.NetworkFeatures.__call__", made_again)
    joined, given = replace(recipe, features=f"lite0+{CLIP}"), {CLIP: vectors(4, n=12)}
    data = prepared(tmp_path / "join", photos, plan_of(12), joined, kept=cache.features_root, given=given)
    assert np.isfinite(np.load(data.features)).all()


# names, sizes, time


def test_each_part_is_settled():
    recipe = with_features(Recipe(features="auto + patches"), SILENT)
    assert recipe.features == "lite0+patches"
    assert with_features(Recipe(features=f"lite0+{CLIP}"), SILENT).features == f"lite0+{CLIP}"


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ("lite0+auto", "features name a part twice: got lite0. Leave one of them out."),
        ("lite0+resnet_18", "unknown features: got resnet_18; wanted .* Did you mean 'resnet18'?"),
        ("lite0+", "unknown features: got nothing before or after a \\+"),
    ],
)
def test_a_join_that_makes_no_sense_is_refused(features, message):
    with pytest.raises(InputError, match=message) as caught:
        with_features(Recipe(features=features), SILENT)
    assert caught.value.parameter == "features"


def test_photos_are_as_large_as_the_part_with_the_largest_wants_them():
    alone = Recipe(epochs=0)
    assert sized(replace(alone, features=f"patches+{CLIP}"), Execution())[1] == 48
    assert sized(replace(alone, features=f"{CLIP}+lite0"), Execution())[1] == 224


def test_embeddings_take_no_time_to_make():
    work = Work(40, 30, 10, 3, 1, photo_size=32)
    assert _features(replace(HEADS, features=CLIP), CPU, work) == 0
    assert _features(replace(HEADS, features=f"{CLIP}+patches"), CPU, work) > 0
