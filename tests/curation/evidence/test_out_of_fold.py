"""What the training of a run is planned with."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

import curation
from curation.demo_data import write_demo
from curation.errors import InputError
from curation.evidence import out_of_fold
from curation.evidence.out_of_fold import FoldTrainer
from curation.listings import read_listings
from tests.support.reporters import Listener
from training.images import decode
from training.images.cache import PhotoCache, default_cache
from training.images.shards import CachedPhotos, ShardIndex, write_shard
from training.networks.embedded import has_weights
from training.settings import Execution, Recipe

needs_weights = pytest.mark.skipif(not has_weights("lite0"), reason="the weights of lite0 are not installed")


@pytest.mark.parametrize(("photos", "read"), [(5, 5), (16, 16), (40, 16), (100, 16)])
def test_the_speed_of_reading_is_measured_on_sixteen_photos_at_most(photos, read, tmp_path, monkeypatch):
    for number in range(photos):
        (tmp_path / f"{number}.jpg").write_bytes(b"photo")
    rows = "".join(f"{number},{number}.jpg,{'ab'[number % 2]}\n" for number in range(photos))
    (tmp_path / "listings.csv").write_text("id,image,label\n" + rows)
    sizes = []
    monkeypatch.setattr(out_of_fold, "decode", lambda content, size: sizes.append(size) or decode(content, size))
    # files that are no photos take their time, too, and stop nothing
    seconds, hashes = out_of_fold._read_some(read_listings(tmp_path / "listings.csv"), CachedPhotos([]), 32)
    assert seconds > 0
    assert sizes == [32] * read
    assert set(hashes) == {hashlib.sha256(b"photo").digest()}
    # those that are in the cache are not decoded again
    index = ShardIndex(np.frombuffer(hashes[0], np.uint8).reshape(1, 32), np.array([[1, 1]]))
    cached = CachedPhotos([write_shard(tmp_path / "cache", index, np.zeros((1, 32, 32, 3), np.uint8))])
    assert out_of_fold._read_some(read_listings(tmp_path / "listings.csv"), cached, 32)[1] == hashes
    assert len(sizes) == read


@needs_weights
def test_the_expected_time_does_not_count_what_is_in_the_cache(tmp_path):
    write_demo(tmp_path / "shop", listings=120)
    listings, cache = read_listings(tmp_path / "shop"), PhotoCache(tmp_path / "cache", 10**9)
    settings = {"recipe": Recipe(), "execution": Execution(preset="quick", device="cpu"), "cache": cache}

    def planned():
        recipe, execution = settings["recipe"], settings["execution"]
        trainer = FoldTrainer.checked(recipe, execution, listings.classes, cache, Listener())
        return trainer.plan(listings, 2, Listener()).seconds

    before = planned()
    curation.find_issues(listings, run=tmp_path / "run", folds=2, text=False, **settings)
    # what is left is finding the main directions
    assert planned()["features"] < before["features"] / 2


@pytest.mark.parametrize(("preset", "said"), [("quick", False), ("standard", False), ("resnet", True)])
def test_starting_from_scratch_is_said_only_where_a_network_is_trained(preset, said):
    listener = Listener()
    FoldTrainer.checked(
        Recipe(model="lenet"), Execution(preset=preset, device="cpu"), ["a", "b"], default_cache(), listener
    )
    wanted = "lenet starts from scratch: there are no weights for it"
    others = "; `model='lite0'` has weights that are installed" if has_weights("lite0") else ""
    assert listener.lines == ([wanted + others] if said else [])


@needs_weights
def test_a_network_without_weights_stands_beside_the_same_features_as_without_it():
    # lenet has none anywhere, and lite0, of the features, has its own
    recipe, execution = Recipe(model="lenet"), Execution(preset="resnet", device="cpu")
    trainer = FoldTrainer.checked(recipe, execution, ["a", "b"], default_cache(), Listener())
    assert (trainer.recipe.pretrained, trainer.recipe.features) == (False, "lite0")
    assert (trainer.recipe.size, trainer.photo_size) == (64, 224)
    asked = FoldTrainer.checked(replace(recipe, pretrained=False), execution, ["a", "b"], default_cache(), Listener())
    assert (asked.recipe.features, asked.photo_size) == ("patches", 64)


@pytest.mark.parametrize(("features", "size"), [("patches", 48), ("lite0", 224)])
def test_photos_are_as_large_as_features_want_them(features, size):
    recipe, execution = Recipe(model="lenet", features=features), Execution(device="cpu")
    trainer = FoldTrainer.checked(recipe, execution, ["a", "b"], default_cache(), Listener())
    assert (trainer.photo_size, trainer.recipe.size, trainer.recipe.features) == (size, 48, features)


def test_photos_of_a_size_that_the_features_cant_be_made_of_are_refused(monkeypatch):
    # as if its weights were there
    monkeypatch.setattr("training.networks.zoo._weights", lambda name: ({}, "pretrained"))
    recipe, execution = Recipe(features="vit_b_16", image_size=100), Execution(device="cpu")
    with pytest.raises(InputError, match="vit_b_16 can't take photos of 100 pixels"):
        FoldTrainer.checked(recipe, execution, ["a", "b"], default_cache(), Listener())
