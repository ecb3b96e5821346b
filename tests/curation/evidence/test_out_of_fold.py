"""What the training of a run is planned with."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch

import curation
from curation.comparison.train import settings_of
from curation.demo_data import write_demo
from curation.errors import InputError
from curation.evidence import out_of_fold
from curation.evidence.out_of_fold import FoldTrainer
from curation.listings import read_listings
from curation.run.folder import RunFolder
from tests.support.reporters import Listener
from training.crossval.plan import Plan
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


class TestAutoOnAGpu:
    """As on a GPU: what it would take is measured, here on the CPU."""

    @pytest.fixture
    def shop(self, tmp_path):
        write_demo(tmp_path / "shop", listings=120)
        return read_listings(tmp_path / "shop")

    @pytest.fixture
    def trainer(self, shop, tmp_path, monkeypatch):
        monkeypatch.setattr(out_of_fold, "settled_later", lambda recipe, execution: True)
        recipe, execution = Recipe(model="lenet", features="patches"), Execution(device="cpu")
        return FoldTrainer.checked(recipe, execution, shop.classes, PhotoCache(tmp_path / "cache", 10**9), Listener())

    def test_networks_that_take_too_long_are_left_out(self, shop, trainer):
        listener = Listener()
        plan = trainer.plan(shop, 2, listener)
        # a CPU is never fast enough
        assert (plan.preset, plan.epochs) == ("standard", 0)
        assert listener.lines[0].startswith('`preset="standard"` was chosen: with networks, ')
        assert sum(line.startswith("expected: ") for line in listener.lines) == 1

    def test_networks_that_are_fast_enough_are_trained_and_the_plan_keeps_that(
        self, shop, trainer, tmp_path, monkeypatch
    ):
        asked = []
        monkeypatch.setattr(
            out_of_fold, "preset_for", lambda device, seconds, limit: asked.append((device, limit)) or "resnet"
        )
        listener = Listener()
        plan = trainer.plan(shop, 2, listener)
        assert asked == [("cpu", None)]
        assert (plan.preset, plan.recipe.model, plan.recipe.size) == ("resnet", "lenet", 64)
        assert plan.epochs > 0
        assert [line.split(":")[0] for line in listener.lines[:2]] == ['`preset="resnet"` was chosen', "expected"]
        plan.save(tmp_path / "plan.json")
        loaded = Plan.load(tmp_path / "plan.json")
        assert (loaded.preset, loaded.recipe, loaded.photo_size) == ("resnet", plan.recipe, plan.photo_size)

    def test_nothing_is_downloaded_for_networks_that_nobody_asked_for(self, shop, tmp_path, monkeypatch):
        monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
        monkeypatch.setattr(out_of_fold, "settled_later", lambda recipe, execution: True)
        listener = Listener()
        trainer = FoldTrainer.checked(Recipe(), Execution(device="cpu"), shop.classes, default_cache(), listener)
        assert (trainer.with_networks.recipe.model, trainer.with_networks.recipe.pretrained) == ("resnet18", False)
        assert listener.lines == []


@pytest.mark.parametrize(
    ("execution", "recipe"), [(Execution(device="cpu"), Recipe()), (Execution(), Recipe(epochs=0))]
)
def test_without_a_gpu_or_with_epochs_that_were_named_nothing_is_measured(execution, recipe):
    assert not out_of_fold.settled_later(recipe, execution)


def test_a_preset_that_nobody_named_is_recorded_as_standard(demo, tmp_path):
    recipe, execution = Recipe(features="patches"), Execution(device="cpu")
    listings = read_listings(demo)
    run = curation.find_issues(listings, run=tmp_path / "run", folds=2, text=False, recipe=recipe, execution=execution)
    assert RunFolder(run.folder).record()["settings"]["train"]["preset"] == "standard"


def test_a_comparison_trains_with_the_preset_that_its_run_chose(finished, monkeypatch):
    record = finished.record()
    train = {name: value for name, value in record["settings"]["train"].items() if name not in ("preset", "epochs")}
    settings = {**record["settings"], "train": {**train, "model": "lenet"}}
    for preset, trained in (("resnet", True), ("standard", False)):
        computed = {**record["computed"], "preset": preset}
        monkeypatch.setattr(
            type(finished), "record", lambda self, c=computed: {**record, "settings": settings, "computed": c}
        )
        recipe, execution = settings_of(finished, {})
        assert (execution.preset, recipe.has_network) == (preset, trained)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU")
def test_a_small_shop_gets_networks_on_a_gpu_and_the_run_says_so(demo, tmp_path):
    listener = Listener()
    run = curation.find_issues(read_listings(demo), run=tmp_path / "run", folds=2, text=False, reporter=listener)
    record = RunFolder(run.folder).record()
    assert record["computed"]["preset"] == "resnet"
    assert "preset" not in record["settings"]["train"]
    assert [line for line in listener.lines if line.startswith('`preset="resnet"` was chosen')]
