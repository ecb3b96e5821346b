"""The training loop and its early stop."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.support.synthetic import CPU, LENET, NETWORKS, PRICES, coloured_photos, priced
from training.errors import DivergedError
from training.evaluation.metrics import classification_scores
from training.fit.loop import Examples, fit, sizes_of
from training.fit.sampling import epoch_size
from training.networks.predict import predict
from training.utils.targets import SoftLabels


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd"])
def test_every_optimizer_learns_what_is_there_to_learn(optimizer):
    photos, labels = coloured_photos(90)
    rate = 3e-3 if optimizer == "sgd" else 1e-3
    settings = replace(NETWORKS, optimizer=optimizer, learning_rate=rate, epochs=5, model="resnet18")
    rows = np.arange(60)
    fitted = fit(Examples(photos, labels), rows, classes=3, recipe=settings, device=CPU, seed=0)
    probs = predict(fitted.model, photos, np.arange(60, 90), CPU)
    assert probs.shape == (30, 3)
    assert np.allclose(probs.sum(axis=1), 1, atol=1e-5)
    assert (probs.argmax(axis=1) == labels[60:]).mean() > 0.8
    assert [result.epoch for result in fitted.history] == [0, 1, 2, 3, 4]


def test_training_is_the_same_for_the_same_seed_and_leaves_the_global_generator_alone():
    photos, labels = coloured_photos()
    rows = np.arange(40)
    state = torch.get_rng_state()
    runs = [
        predict(
            fit(Examples(photos, labels), rows, classes=3, recipe=NETWORKS, device=CPU, seed=seed).model,
            photos,
            rows,
            CPU,
        )
        for seed in (5, 5, 6)
    ]
    assert np.array_equal(runs[0], runs[1])
    assert not np.allclose(runs[0], runs[2])
    assert torch.equal(state, torch.get_rng_state())


def test_a_network_can_be_trained_in_another_layout():
    photos, labels = coloured_photos(90)
    device = replace(CPU, channels_last=True)
    settings = replace(NETWORKS, epochs=3, model="resnet18")
    fitted = fit(Examples(photos, labels), np.arange(60), classes=3, recipe=settings, device=device, seed=0)
    probs = predict(fitted.model, photos, np.arange(60, 90), device)
    assert (probs.argmax(axis=1) == labels[60:]).mean() > 0.8
    assert np.allclose(predict(fitted.model, photos, np.arange(60, 90), CPU), probs, atol=1e-3)


def test_the_first_half_of_one_cycle_sees_smaller_photos_if_the_network_takes_them():
    settings = replace(NETWORKS, image_size=64)
    assert sizes_of(settings, 5) == [42, 42, 64, 64, 64]
    assert sizes_of(replace(settings, image_size=40), 4) == [40] * 4
    assert sizes_of(replace(settings, model="vit_b_16"), 4) == [64] * 4
    assert sizes_of(replace(settings, schedule="constant"), 4) == [64] * 4


def test_a_network_that_saw_smaller_photos_first_learns_as_well():
    photos, labels = coloured_photos(60, size=48)
    settings = replace(NETWORKS, image_size=48, epochs=4, model="resnet18")
    fitted = fit(Examples(photos, labels), np.arange(40), classes=3, recipe=settings, device=CPU, seed=0)
    assert (predict(fitted.model, photos, np.arange(40, 60), CPU).argmax(axis=1) == labels[40:]).mean() > 0.8


def test_a_last_batch_of_one_photo_does_no_harm():
    photos, labels = coloured_photos(17)
    steps = []
    settings = replace(NETWORKS, model="resnet18", epochs=1)
    fit(Examples(photos, labels), np.arange(17), classes=3, recipe=settings, device=CPU, seed=0, on_step=steps.append)
    assert steps == [1, 2]
    assert settings.steps_for(epoch_size(labels[:17], settings)) == 2


@pytest.mark.parametrize("photos", [2, 8, 16, 24, 40])
def test_the_schedule_holds_for_any_number_of_steps(photos):
    pixels, labels = coloured_photos(photos)
    settings = replace(NETWORKS, epochs=1)
    fitted = fit(Examples(pixels, labels), np.arange(photos), classes=3, recipe=settings, device=CPU, seed=0)
    assert 0 < fitted.history[-1].learning_rate <= settings.learning_rate


def test_training_by_iterations_ends_in_the_middle_of_an_epoch():
    photos, labels = coloured_photos(40)
    done = []
    settings = replace(LENET, epochs=None, iterations=12, schedule="constant", lr_steps=((10, 1e-5),))
    fitted = fit(
        Examples(photos, labels), np.arange(40), classes=3, recipe=settings, device=CPU, seed=0, on_step=done.append
    )
    assert done == list(range(1, 13))
    assert [epoch.step for epoch in fitted.history] == [5, 10, 12]
    assert fitted.history[-1].learning_rate == pytest.approx(1e-5)


def test_training_stops_early_with_the_weights_of_the_best_epoch():
    photos, labels = coloured_photos(120)
    # nothing can be learnt, so no epoch is better than the best for long
    labels = np.random.default_rng(1).integers(0, 3, 120)
    rows, validation = np.arange(80), np.arange(80, 120)
    settings = replace(LENET, epochs=60, early_stop=3, schedule="constant")
    examples = Examples(photos, labels)
    fitted = fit(examples, rows, classes=3, recipe=settings, device=CPU, seed=0, validation=validation)
    assert len(fitted.history) < 60
    assert len(fitted.history) - 1 == fitted.best_epoch + 3
    best = max(epoch.validation["macro_f1"] for epoch in fitted.history)
    assert fitted.history[fitted.best_epoch].validation["macro_f1"] == best
    predicted = predict(fitted.model, photos, validation, CPU, mirrored=False).argmax(axis=1)
    assert classification_scores(labels[validation], predicted)["macro_f1"] == pytest.approx(best)


def test_an_early_stop_that_was_interrupted_goes_on_with_the_best_so_far(tmp_path, monkeypatch):
    photos, _, prices = priced(60)
    rows, validation, folder = np.arange(40), np.arange(40, 60), tmp_path
    settings = replace(PRICES, epochs=6, early_stop=4, model="mobilenet_v3_small", augment="trivialaugment")
    options = {"classes": 3, "recipe": settings, "device": CPU, "seed": 0, "validation": validation}
    whole = fit(Examples(photos, prices), rows, **options)
    monkeypatch.setattr("training.fit.state._EVERY", 0.0)

    class Stop(Exception):
        pass

    def stop(result, net):
        if result.epoch == 3:
            raise Stop

    with pytest.raises(Stop):
        fit(Examples(photos, prices), rows, snapshot=folder / "state.pt", watchers=[stop], **options)
    assert (folder / "state.pt").exists()
    resumed = fit(Examples(photos, prices), rows, snapshot=folder / "state.pt", **options)
    assert resumed.best_epoch == whole.best_epoch
    assert resumed.history == whole.history
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[name], tensor), name


def test_a_training_whose_loss_is_no_number_any_more_says_so():
    photos, labels = coloured_photos(40)
    settings = replace(LENET, optimizer="sgd", learning_rate=100.0, schedule="constant", epochs=20)
    with pytest.raises(DivergedError, match="choose a `learning_rate` below 100"):
        fit(Examples(photos, labels), np.arange(40), classes=3, recipe=settings, device=CPU, seed=0)


def test_a_network_learns_from_a_second_label_where_the_first_counts_for_nothing():
    photos, labels = coloured_photos(90)
    wrong = (labels + 1) % 3
    none, fully = np.zeros(90, dtype=np.float32), np.ones(90, dtype=np.float32)
    settings, rows = replace(NETWORKS, epochs=5, model="resnet18"), np.arange(60)
    right = []
    for soft in (SoftLabels(none, labels, fully), SoftLabels(fully, labels, none)):
        examples = Examples(photos, wrong, soft=soft)
        fitted = fit(examples, rows, classes=3, recipe=settings, device=CPU, seed=0)
        right.append((predict(fitted.model, photos, np.arange(60, 90), CPU).argmax(axis=1) == labels[60:]).mean())
    assert right[0] > 0.8
    assert right[1] < 0.2
