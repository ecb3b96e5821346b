"""Networks: labels or prices, with or without the price beside the photo, and how they are trained."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.support.synthetic import CPU, NETWORKS, coloured_photos
from training.errors import DivergedError, InputError
from training.evaluation.metrics import classification_scores
from training.fit.augment import turn_and_mirror, varied
from training.fit.loop import Examples, fit, sizes_of
from training.fit.optim import check_steps, make_schedule
from training.fit.sampling import epoch_rows, epoch_size
from training.fit.state import TrainingState
from training.networks.lenet import LeNet
from training.networks.network import build_net
from training.networks.predict import predict
from training.networks.tasks import class_weights
from training.networks.zoo import AUXILIARY, build_model, least_size
from training.settings import AUGMENTS, BALANCES, LOSSES, Recipe

LENET = replace(NETWORKS, model="lenet", epochs=8, learning_rate=3e-3)
PRICES = replace(LENET, target="price", label_smoothing=0.0)
NAN = float("nan")


def priced(n=120, seed=0):
    """Return coloured photos, their labels, and prices that go with the colour: 10, 100, 1,000, each up to 20 % off."""
    photos, labels = coloured_photos(n, seed=seed)
    prices = 10.0 ** (labels + 1) * np.random.default_rng(seed).uniform(0.8, 1.2, n)
    return photos, labels, prices.astype(np.float32)


# labels


def test_lenet_learns_what_is_there_to_learn_at_any_size():
    for size in (32, 50):
        photos, labels = coloured_photos(120, size=size)
        fitted = fit(Examples(photos, labels), np.arange(90), classes=3, recipe=LENET, device=CPU, seed=0)
        told = predict(fitted.model, photos, np.arange(90, 120), CPU)
        assert (told.argmax(axis=1) == labels[90:]).mean() > 0.8
    assert LeNet(7)(torch.zeros(2, 3, 16, 16)).shape == (2, 7)


def test_the_least_size_of_a_model_is_where_it_begins_to_work():
    assert least_size("inception_v3") == 75
    build_model("inception_v3", classes=2, image_size=75, pretrained=False)
    with pytest.raises(InputError, match="wanted an `image_size` of 75 pixels or more"):
        build_model("inception_v3", classes=2, image_size=74, pretrained=False)


@pytest.mark.parametrize(("name", "size", "outputs"), [("inception_v3", 75, 1), ("googlenet", 75, 3)])
def test_auxiliary_heads_are_trained_where_the_photos_are_large_enough_for_them(name, size, outputs):
    settings = replace(NETWORKS, model=name, image_size=size)
    labels = np.array([0, 1, 2, 0])
    state = TrainingState.begin(settings, labels, classes=3, steps=10, device=CPU, seed=0)
    photos, target = torch.rand(4, 3, size, size), torch.from_numpy(labels)
    said = state.model.train().outputs(photos)
    assert len(said) == outputs
    main = float(state.model.task.loss(said[0], target).detach())
    others = sum(float(state.model.task.loss(output, target).detach()) for output in said[1:])
    assert float(state.model.loss(said, target).detach()) == pytest.approx(main + AUXILIARY[name] * others, rel=1e-5)
    state.step(photos, target)
    assert state.model.eval()(photos).shape == (4, 3)


def test_inception_has_its_auxiliary_head_at_the_size_that_it_was_made_for():
    recipe = replace(NETWORKS, model="inception_v3", image_size=299)
    state = TrainingState.begin(recipe, np.zeros(2, np.int64), classes=3, steps=10, device=CPU, seed=0)
    with torch.no_grad():
        assert len(state.model.train().outputs(torch.rand(2, 3, 299, 299))) == 2


# prices


@pytest.mark.parametrize("loss", LOSSES)
def test_a_price_model_learns_prices_and_never_tells_one_below_zero(loss):
    photos, _, prices = priced()
    settings = replace(PRICES, loss=loss, epochs=30)
    fitted = fit(Examples(photos, prices), np.arange(90), classes=3, recipe=settings, device=CPU, seed=0)
    told = predict(fitted.model, photos, np.arange(90, 120), CPU)
    assert told.shape == (30, 1)
    assert (told >= 0).all()
    # the mean tells prices of 10, 100 and 1,000 within 420 on average
    assert np.abs(told[:, 0] - prices[90:]).mean() < 150
    assert set(fitted.history[-1].scores) == {"mae", "median_ae"}
    assert fitted.history[-1].scores["mae"] < fitted.history[0].scores["mae"]


def test_huber_hardly_heeds_a_price_that_is_far_off_and_the_squared_error_does():
    off = {}
    for loss in ("huber", "mse"):
        photos, _, prices = priced()
        wrong = prices.copy()
        wrong[:90:9] *= 100
        settings = replace(PRICES, loss=loss, epochs=20)
        fitted = fit(Examples(photos, wrong), np.arange(90), classes=3, recipe=settings, device=CPU, seed=0)
        off[loss] = np.abs(predict(fitted.model, photos, np.arange(90, 120), CPU)[:, 0] - prices[90:]).mean()
    assert off["huber"] < off["mse"] / 3


def test_a_price_model_starts_from_the_median_price():
    net = build_net(PRICES, 3, np.array([5.0, 20.0, 4000.0], dtype=np.float32))
    zero = torch.zeros(1, 1)
    assert float(net.task.answer(zero)) == pytest.approx(20)
    logs = build_net(replace(PRICES, loss="log-huber"), 3, np.array([5.0, 20.0, 4000.0], dtype=np.float32))
    assert float(logs.task.answer(zero)) == pytest.approx(20, rel=1e-5)


# the price beside the photo


def test_a_network_that_sees_the_price_tells_classes_that_look_alike():
    photos, labels = coloured_photos(120, classes=1)
    labels = np.arange(120) % 2
    prices = np.where(labels == 1, 900, 30).astype(np.float32)
    rows, asked = np.arange(90), np.arange(90, 120)
    settings = replace(LENET, use_price=True, epochs=20)
    fitted = fit(Examples(photos, labels, prices), rows, classes=2, recipe=settings, device=CPU, seed=0)
    told = predict(fitted.model, photos, asked, CPU, prices=prices)
    assert (told.argmax(axis=1) == labels[asked]).all()
    # without a price it says what it can
    without = predict(fitted.model, photos, asked, CPU, prices=np.full(120, np.nan, dtype=np.float32))
    assert np.allclose(without.sum(axis=1), 1, atol=1e-5)
    assert np.abs(without[:, 0] - 0.5).max() < 0.4


def test_a_missing_price_is_the_same_as_none_and_zero():
    photos, labels, prices = priced(30)
    settings = replace(LENET, use_price=True, epochs=1)
    fitted = fit(Examples(photos, labels, prices), np.arange(30), classes=3, recipe=settings, device=CPU, seed=0)
    told = [
        predict(fitted.model, photos, np.arange(5), CPU, prices=np.full(30, nothing, dtype=np.float32))
        for nothing in (NAN, 0.0, -3.0)
    ]
    assert np.array_equal(told[0], told[1])
    assert np.array_equal(told[0], told[2])


# balance


def test_balanced_epochs_have_every_row_and_as_many_of_each_class():
    rows, labels = np.arange(100, 111), np.array([0] * 7 + [1] * 3 + [2])
    for how in BALANCES:
        drawn, copies = epoch_rows(rows, labels, Recipe(balance=how), torch.Generator().manual_seed(0))
        assert len(drawn) == epoch_size(labels, Recipe(balance=how)) == (21 if how in ("oversample", "augment") else 11)
        assert set(drawn) == set(rows)
        assert np.array_equal(drawn[~copies], rows)
    counts = np.bincount(labels[drawn - 100]) if how == "none" else None
    assert counts is None or counts.tolist() == [7, 3, 1]
    drawn, _ = epoch_rows(rows, labels, Recipe(balance="oversample"), torch.Generator().manual_seed(0))
    assert np.bincount(labels[drawn - 100]).tolist() == [7, 7, 7]
    # no copy comes a second time before all others came once
    assert sorted(np.bincount(drawn - 100)[7:10].tolist()) == [2, 2, 3]


def test_weights_make_all_classes_count_alike():
    labels = np.array([0] * 6 + [1] * 2)
    weights = class_weights(labels, 3)
    assert weights[2] == 0
    assert np.isclose(6 * weights[0], 2 * weights[1])
    assert np.isclose(weights[labels].mean(), 1)


@pytest.mark.parametrize("balance", BALANCES)
def test_a_rare_class_is_learnt_with_every_way_to_balance(balance):
    photos, labels = coloured_photos(120)
    rows = np.concatenate([np.flatnonzero(labels[:90] == 0), np.flatnonzero(labels[:90] > 0)[::5]])
    settings = replace(LENET, balance=balance, epochs=12)
    fitted = fit(Examples(photos, labels), rows, classes=3, recipe=settings, device=CPU, seed=0)
    told = predict(fitted.model, photos, np.arange(90, 120), CPU).argmax(axis=1)
    assert fitted.history[-1].step == settings.steps_for(epoch_size(labels[rows], settings))
    assert classification_scores(labels[90:], told)["macro_f1"] > 0.6


# augmentation


@pytest.mark.parametrize("how", AUGMENTS)
def test_every_way_to_vary_photos_keeps_their_shape_and_is_the_same_for_the_same_seed(how):
    photos, _ = coloured_photos(6)
    batches = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        batches.append(varied(photos, how, torch.Generator().manual_seed(seed), CPU, size=24))
    assert batches[0].shape == (6, 3, 24, 24)
    assert torch.equal(batches[0], batches[1])
    assert torch.equal(batches[0], batches[2]) == (how == "none")


def test_only_copies_are_turned_and_mirrored_where_small_classes_are():
    photos, _ = coloured_photos(4)
    copies = np.array([True, False, True, False])
    plain = varied(photos, "none", torch.Generator(), CPU)
    batch = varied(photos, "none", torch.Generator().manual_seed(3), CPU, turned=copies)
    assert torch.equal(batch[~torch.from_numpy(copies)], plain[~torch.from_numpy(copies)])
    assert not torch.equal(batch[0], plain[0])


def test_turning_and_mirroring_keeps_the_middle_of_a_photo():
    batch = torch.zeros(8, 3, 33, 33)
    batch[:, :, 14:19, 14:19] = 1
    turned = turn_and_mirror(batch, torch.Generator().manual_seed(0))
    assert torch.allclose(turned[:, :, 16, 16], torch.ones(8, 3))
    assert torch.allclose(turned.mean(), batch.mean(), atol=0.003)


# schedules


def rates(settings, steps):
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=settings.learning_rate)
    schedule = make_schedule(optimizer, steps, settings)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


def test_the_stepwise_schedule_changes_at_its_iterations():
    settings = Recipe(learning_rate=5e-5, schedule="constant", lr_steps=((4, 1e-6), (6, 1e-7)), iterations=8)
    assert rates(settings, 8) == pytest.approx([5e-5] * 4 + [1e-6] * 2 + [1e-7] * 2)


def test_cosine_falls_from_the_highest_rate_and_one_cycle_rises_first():
    cosine = rates(Recipe(learning_rate=0.1, schedule="cosine"), 20)
    assert cosine[0] == pytest.approx(0.1)
    assert cosine == sorted(cosine, reverse=True)
    assert cosine[-1] < 0.01
    cycle = rates(Recipe(learning_rate=0.1), 20)
    assert 0 < cycle.index(max(cycle)) < 10


def test_a_learning_rate_after_the_end_of_training_is_refused():
    settings = Recipe(schedule="constant", lr_steps=((20000, 1e-6),), epochs=3)
    with pytest.raises(InputError, match="begins at iteration 20000, after the end of training: got 18 iterations"):
        check_steps(settings, 90)
    check_steps(replace(settings, epochs=None, iterations=40000), 90)


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


def test_only_one_cycle_begins_with_smaller_photos():
    one_cycle = Recipe(image_size=64)
    assert sizes_of(one_cycle, 4) == [42, 42, 64, 64]
    assert sizes_of(replace(one_cycle, schedule="constant"), 4) == [64] * 4


def test_each_optimizer_has_the_rate_and_the_decay_that_suit_it_unless_told_otherwise():
    adamw = Recipe()
    assert (adamw.rate, adamw.decay) == (1.5e-3, 0.05)
    assert replace(adamw, optimizer="adam").decay == 0, "decay that is not decoupled keeps Adam from learning"
    assert replace(adamw, optimizer="sgd").rate > adamw.rate
    assert replace(adamw, optimizer="sgd", learning_rate=0.5, weight_decay=0.1).rate == 0.5


# early stop


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
    told = predict(fitted.model, photos, validation, CPU, mirrored=False).argmax(axis=1)
    assert classification_scores(labels[validation], told)["macro_f1"] == pytest.approx(best)


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


# settings


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer": "adm"}, "unknown optimizer: got adm.*Did you mean 'adam'"),
        ({"balance": "oversampled"}, "unknown way to balance.*Did you mean 'oversample'"),
        ({"augment": "randaug"}, "unknown way to augment.*Did you mean 'randaugment'"),
        ({"schedule": "cosin"}, "unknown schedule.*Did you mean 'cosine'"),
        ({"loss": "hubert"}, "unknown loss.*Did you mean 'huber'"),
        ({"target": "prices"}, "unknown target.*Did you mean 'price'"),
        ({"epochs": 3, "iterations": 9}, "epochs and iterations can't both be given"),
        ({"lr_steps": ((5, 1e-3),)}, "need a constant schedule"),
        ({"schedule": "constant", "lr_steps": ((5, 1e-3), (5, 1e-4))}, "must rise"),
        ({"schedule": "constant", "lr_steps": ((0, 1e-3),)}, "must rise, from 1 on"),
        ({"schedule": "constant", "lr_steps": ((5, 0.0),)}, "a learning rate is out of range: got 0.0"),
        ({"target": "price", "balance": "weights"}, "balancing classes has no effect on a price model"),
        ({"target": "price", "use_price": True}, "the price beside the photo has no effect on a price model"),
        ({"iterations": 0}, "number of iterations is out of range"),
        ({"label_smoothing": 1.0}, "the label smoothing is out of range"),
        ({"weight_decay": -0.1}, "the weight decay is out of range"),
        ({"early_stop": 0}, "epochs without progress is out of range"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        Recipe(**changes)


def test_settings_that_were_written_and_read_again_are_equal():
    settings = Recipe(schedule="constant", lr_steps=((20000, 1e-6),), balance="augment", augment="augmix")
    assert Recipe(**settings.to_dict()) == settings
