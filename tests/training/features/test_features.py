"""Features of photos: what they depend on, and what they do not."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.support.reporters import Listener
from tests.support.synthetic import CPU, HEADS, coloured_photos, plan_of, prepared, put_weights
from training.features.extract import choose_extractor, compute_features, has_features
from training.features.patches import PatchBank
from training.features.source import OfPhotos
from training.fit.state import TrainingState
from training.images.shrunk import Shrunk
from training.networks import zoo as models

PRETRAINED = replace(HEADS, features="resnet18")


def textures(n, seed=0, size=24):
    """Return photos without two that are alike."""
    return np.random.default_rng(seed).integers(0, 256, (n, size, size, 3), dtype=np.uint8)


def bank(photos, seed=0):
    return PatchBank(photos, np.arange(len(photos)), seed=seed, device=torch.device("cpu"))


def features_of(folder, photos, rows=None, seed=0):
    rows = np.arange(len(photos)) if rows is None else rows
    extract, _ = choose_extractor(photos, rows, HEADS, CPU)
    computed(photos, rows, extract, folder / "features.npy", seed=seed)
    return np.load(folder / "features.npy")


def computed(photos, rows, extract, path, seed=0, **options):
    source = OfPhotos(photos, extract, PatchBank.width)
    compute_features(source, rows, path, total=len(photos), key="k", seed=seed, device=CPU.device, **options)


def test_the_same_seed_draws_the_same_patches_and_another_seed_others():
    photos = textures(20)
    first = bank(photos)(photos)
    assert first.shape == (20, PatchBank.width)
    assert (first >= 0).all()
    assert torch.isfinite(first).all()
    assert torch.equal(first, bank(photos)(photos))
    assert not torch.allclose(first, bank(photos, seed=1)(photos))


def test_a_photo_and_its_mirror_image_have_the_same_features_and_another_photo_has_others():
    photos = textures(6)
    extract = bank(photos)
    features = extract(photos)
    assert torch.allclose(extract(np.ascontiguousarray(photos[:, :, ::-1])), features, atol=1e-4)
    assert not torch.allclose(extract(np.ascontiguousarray(photos[:, ::-1])), features, atol=1e-2)


def test_the_features_of_a_photo_do_not_depend_on_the_photos_beside_it():
    photos = textures(11)
    extract = bank(photos)
    alone = torch.cat([extract(photos[row : row + 1]) for row in range(11)])
    assert torch.allclose(extract(photos), alone, atol=1e-4)


def test_large_photos_are_shrunk_so_that_a_patch_shows_enough_of_them():
    photos = textures(3, size=200)
    assert bank(photos)(photos).shape == (3, PatchBank.width)


def test_photos_of_one_colour_have_finite_features():
    photos = np.zeros((4, 16, 16, 3), dtype=np.uint8) + np.array([0, 90, 90, 255], dtype=np.uint8)[:, None, None, None]
    features = bank(photos)(photos)
    assert torch.isfinite(features).all()
    assert torch.allclose(features[1], features[2])


@pytest.mark.parametrize(("n", "width"), [(2, 1), (3, 2), (30, 29)])
def test_few_photos_have_few_features(n, width, tmp_path):
    features = features_of(tmp_path, textures(n))
    assert features.shape == (n, width)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()


def test_many_photos_have_at_most_512_features_and_are_read_a_few_at_a_time(tmp_path):
    photos = textures(600, size=16)

    class Counted:
        most, shape = 0, photos.shape

        def __len__(self):
            return len(photos)

        def __getitem__(self, rows):
            self.most = max(self.most, len(rows))
            return photos[rows]

    counted = Counted()
    assert features_of(tmp_path, counted).shape == (600, 512)
    assert 0 < counted.most <= 256


def test_unreadable_photos_have_features_of_zero_and_change_no_others(tmp_path):
    photos = textures(30)
    readable = np.delete(np.arange(30), [4, 20])
    features = features_of(tmp_path, photos, readable)
    assert not features[[4, 20]].any()
    assert features[readable].any(axis=1).all()
    photos[[4, 20]] = 255
    assert np.array_equal(features_of(tmp_path, photos, readable), features)


def test_equal_photos_have_equal_features_also_outside_of_the_sample_for_the_projection(tmp_path, monkeypatch):
    monkeypatch.setattr("training.features.extract.SAMPLE", 20)
    photos = textures(60)
    photos[30:] = photos[:30]
    features = features_of(tmp_path, photos)
    assert features.shape == (60, 19)
    assert np.allclose(features[:30], features[30:], atol=1e-3)
    assert np.linalg.norm(features[0] - features[1]) > 0.1


def test_the_projection_leaves_the_global_generator_alone(tmp_path):
    state = torch.get_rng_state()
    features_of(tmp_path, textures(20))
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("other", [{"photos_key": "b"}, {"size": 40}], ids=["photos", "size"])
def test_features_are_read_back_for_the_same_question_only(other, tmp_path):
    lines = []

    def prepare(photos_key="a", size=32):
        photos, _ = coloured_photos(12, size=size)
        prepared(tmp_path, photos, plan_of(12), HEADS, photos_key=photos_key, reporter=Listener(lines.append))

    prepare()
    written = (tmp_path / "features-0.npy").stat().st_mtime_ns
    prepare()
    assert lines == ["features: patches of the photos"]
    assert (tmp_path / "features-0.npy").stat().st_mtime_ns == written
    prepare(**other)
    assert len(lines) == 2
    assert (tmp_path / "features-0.npy").stat().st_mtime_ns > written


def test_features_that_were_cut_off_half_way_are_computed_again(tmp_path):
    photos = textures(300, size=16)
    whole = features_of(tmp_path, photos)

    class Stop(Exception):
        pass

    def stop(done, total):
        if done > 256:
            raise Stop

    with pytest.raises(Stop):
        prepared(tmp_path, photos, plan_of(300), HEADS, reporter=Listener(progress=stop))
    assert not list(tmp_path.glob(".*"))
    data = prepared(tmp_path, photos, plan_of(300), HEADS)
    assert np.array_equal(np.load(data.features), whole)


# pretrained weights


def test_a_pretrained_network_that_can_be_had_makes_the_features_and_starts_the_folds(torch_home, tmp_path):
    source = put_weights(torch_home, "resnet18")
    photos, _ = coloured_photos(24)
    lines = []
    data = prepared(tmp_path, photos, plan_of(24), PRETRAINED, reporter=Listener(lines.append))
    assert lines == ["features: pretrained resnet18, photos of 32 pixels"]
    settings = replace(PRETRAINED, model="resnet18", pretrained=True)
    state = TrainingState.begin(settings, np.zeros(3, dtype=np.int64), classes=3, steps=10, device=CPU, seed=0)
    assert torch.equal(state.model.body.conv1.weight, source.conv1.weight)
    patches = prepared(tmp_path / "patches", photos, plan_of(24), HEADS, reporter=Listener(lines.append))
    assert lines[-1] == "features: patches of the photos"
    assert data.key != patches.key
    assert not np.allclose(np.load(data.features), np.load(patches.features), atol=0.1)


def test_features_of_a_pretrained_network_are_what_its_last_layer_gets(torch_home):
    put_weights(torch_home, "resnet18")
    photos, _ = coloured_photos(40)
    extract, _ = choose_extractor(photos, np.arange(40), PRETRAINED, CPU)
    features = extract(photos)
    assert features.shape == (40, 512)
    mirrored = extract(np.ascontiguousarray(photos[:, :, ::-1]))
    assert torch.allclose(mirrored, features, atol=1e-4)
    assert features.std(0).max() > 0


def test_all_seeds_share_the_features_of_a_pretrained_network(torch_home, tmp_path):
    put_weights(torch_home, "resnet18")
    photos, _ = coloured_photos(12)
    one, other = (prepared(tmp_path, photos, plan_of(12), replace(PRETRAINED, seed=seed)) for seed in (0, 7))
    assert (one.features, one.key) == (other.features, other.key)
    one, other = (prepared(tmp_path, photos, plan_of(12), replace(HEADS, seed=seed)) for seed in (0, 7))
    assert one.features != other.features


def test_weights_of_another_training_are_other_features(torch_home, tmp_path):
    photos, _ = coloured_photos(12)
    features = []
    for seed in (0, 1):
        put_weights(torch_home, "resnet18", seed)
        models._weights.cache_clear()
        extract, _ = choose_extractor(photos, np.arange(12), PRETRAINED, CPU)
        features.append(extract(photos))
    assert not torch.allclose(*features)


def test_a_network_sees_photos_at_its_own_size_where_features_are_made_of_larger_ones(tmp_path):
    photos, _ = coloured_photos(12, size=48)
    data = prepared(tmp_path, photos, plan_of(12), replace(HEADS, image_size=32))
    assert data.photos.shape == (12, 32, 32, 3)
    assert np.array_equal(data.photos[np.array([3])], Shrunk(photos, 32)[np.array([3])])
    assert data.key.split()[0] == "48"


def test_features_whose_maker_is_open_are_a_mistake_of_the_program():
    photos, _ = coloured_photos(12)
    with pytest.raises(ValueError, match="auto makes no features of photos"):
        choose_extractor(photos, np.arange(12), replace(HEADS, features="auto"), CPU)


def test_features_that_were_interrupted_go_on_and_end_as_undisturbed_ones(tmp_path, monkeypatch):
    monkeypatch.setattr("training.features.extract.SAMPLE", 10)
    monkeypatch.setattr("training.features.extract._BLOCK", 5)
    monkeypatch.setattr("training.features.extract._EVERY", 0)
    photos = textures(60)
    rows = np.arange(60)
    extract, _ = choose_extractor(photos, rows, HEADS, CPU)
    whole, killed = tmp_path / "whole.npy", tmp_path / "killed.npy"
    computed(photos, rows, extract, whole)
    done = []

    def until_half(so_far, total):
        done.append(so_far)
        if so_far >= 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        computed(photos, rows, extract, killed, reporter=Listener(progress=until_half))
    assert not has_features(killed, "k", 60)
    counted = Counted(extract)
    computed(photos, rows, counted, killed)
    # the sample for the projection is small and computed again; of the others, only those that were left
    assert counted.photos <= 10 + (60 - 35)
    assert np.array_equal(np.load(whole), np.load(killed))
    files = ("-projection.npz", ".json", ".npy")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"{name}{end}" for name in ("killed", "whole") for end in files
    ]


class Counted:
    def __init__(self, extract):
        self.extract, self.photos = extract, 0

    def __call__(self, pixels):
        self.photos += len(pixels)
        return self.extract(pixels)
