"""Networks: labels or prices, with or without the price as a second input."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.support.synthetic import CPU, LENET, NETWORKS, PRICES, coloured_photos, priced
from training.fit.loop import Examples, fit
from training.fit.state import TrainingState
from training.networks.lenet import LeNet
from training.networks.network import build_net
from training.networks.predict import predict
from training.networks.tasks import class_weights
from training.networks.zoo import AUXILIARY
from training.settings import LOSSES

NAN = float("nan")


def test_lenet_learns_what_is_there_to_learn_at_any_size():
    for size in (32, 50):
        photos, labels = coloured_photos(120, size=size)
        fitted = fit(Examples(photos, labels), np.arange(90), classes=3, recipe=LENET, device=CPU, seed=0)
        predicted = predict(fitted.model, photos, np.arange(90, 120), CPU)
        assert (predicted.argmax(axis=1) == labels[90:]).mean() > 0.8
    assert LeNet(7)(torch.zeros(2, 3, 16, 16)).shape == (2, 7)


@pytest.mark.parametrize(("name", "size", "outputs"), [("inception_v3", 75, 1), ("googlenet", 75, 3)])
def test_auxiliary_heads_are_trained_where_the_photos_are_large_enough_for_them(name, size, outputs):
    settings = replace(NETWORKS, model=name, image_size=size)
    labels = np.array([0, 1, 2, 0])
    state = TrainingState.begin(settings, labels, classes=3, steps=10, device=CPU, seed=0)
    photos, target = torch.rand(4, 3, size, size), torch.from_numpy(labels)
    result = state.model.train().outputs(photos)
    assert len(result) == outputs
    main = float(state.model.task.loss(result[0], target).detach())
    others = sum(float(state.model.task.loss(output, target).detach()) for output in result[1:])
    assert float(state.model.loss(result, target).detach()) == pytest.approx(main + AUXILIARY[name] * others, rel=1e-5)
    state.step(photos, target)
    assert state.model.eval()(photos).shape == (4, 3)


def test_inception_has_its_auxiliary_head_at_the_size_that_it_was_made_for():
    recipe = replace(NETWORKS, model="inception_v3", image_size=299)
    state = TrainingState.begin(recipe, np.zeros(2, np.int64), classes=3, steps=10, device=CPU, seed=0)
    with torch.no_grad():
        assert len(state.model.train().outputs(torch.rand(2, 3, 299, 299))) == 2


def test_auxiliary_outputs_of_googlenet_are_handled():
    photos, labels = coloured_photos(12)
    settings = replace(NETWORKS, model="googlenet", epochs=1, batch_size=6)
    fitted = fit(Examples(photos, labels), np.arange(12), classes=3, recipe=settings, device=CPU, seed=0)
    assert predict(fitted.model, photos, np.arange(12), CPU).shape == (12, 3)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_price_model_learns_prices_and_never_tells_one_below_zero(loss):
    photos, _, prices = priced()
    settings = replace(PRICES, loss=loss, epochs=30)
    fitted = fit(Examples(photos, prices), np.arange(90), classes=3, recipe=settings, device=CPU, seed=0)
    predicted = predict(fitted.model, photos, np.arange(90, 120), CPU)
    assert predicted.shape == (30, 1)
    assert (predicted >= 0).all()
    # the mean tells prices of 10, 100 and 1,000 within 420 on average
    assert np.abs(predicted[:, 0] - prices[90:]).mean() < 150
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


def test_a_network_that_sees_the_price_tells_classes_that_look_alike():
    photos, labels = coloured_photos(120, classes=1)
    labels = np.arange(120) % 2
    prices = np.where(labels == 1, 900, 30).astype(np.float32)
    rows, held_out = np.arange(90), np.arange(90, 120)
    settings = replace(LENET, use_price=True, epochs=20)
    fitted = fit(Examples(photos, labels, prices), rows, classes=2, recipe=settings, device=CPU, seed=0)
    predicted = predict(fitted.model, photos, held_out, CPU, prices=prices)
    assert (predicted.argmax(axis=1) == labels[held_out]).all()
    # without a price it says what it can
    without = predict(fitted.model, photos, held_out, CPU, prices=np.full(120, np.nan, dtype=np.float32))
    assert np.allclose(without.sum(axis=1), 1, atol=1e-5)
    assert np.abs(without[:, 0] - 0.5).max() < 0.4


def test_a_missing_price_is_the_same_as_none_and_zero():
    photos, labels, prices = priced(30)
    settings = replace(LENET, use_price=True, epochs=1)
    fitted = fit(Examples(photos, labels, prices), np.arange(30), classes=3, recipe=settings, device=CPU, seed=0)
    predicted = [
        predict(fitted.model, photos, np.arange(5), CPU, prices=np.full(30, nothing, dtype=np.float32))
        for nothing in (NAN, 0.0, -3.0)
    ]
    assert np.array_equal(predicted[0], predicted[1])
    assert np.array_equal(predicted[0], predicted[2])


def test_weights_make_all_classes_count_alike():
    labels = np.array([0] * 6 + [1] * 2)
    weights = class_weights(labels, 3)
    assert weights[2] == 0
    assert np.isclose(6 * weights[0], 2 * weights[1])
    assert np.isclose(weights[labels].mean(), 1)
