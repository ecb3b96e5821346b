"""Recipes, executions and presets."""

from dataclasses import replace

import pytest

from tests.support.synthetic import NETWORKS
from training.errors import InputError
from training.settings import PRESETS, Execution, Recipe, preset_for, preset_today, read_settings


def test_an_unknown_preset_is_refused_with_the_nearest_one():
    with pytest.raises(InputError, match=r"unknown preset: got resnett; .*Did you mean 'resnet'\?"):
        Execution(preset="resnett")


def test_a_preset_that_others_call_otherwise_is_suggested():
    for name, meant in (("fast", "quick"), ("Default", "standard"), ("slow", "resnet"), ("QUICK", "quick")):
        with pytest.raises(InputError, match=rf"unknown preset: got {name}; .*Did you mean '{meant}'\?"):
            Execution(preset=name)


@pytest.mark.parametrize(
    ("field", "value"),
    [("optimizer", "adamm"), ("epochs", -1), ("batch_size", 1), ("image_size", 8), ("learning_rate", 0)],
)  # fmt: skip
def test_settings_out_of_range_are_refused_and_named(field, value):
    with pytest.raises(InputError, match="got") as refused:
        replace(NETWORKS, **{field: value})
    assert refused.value.parameter == field


@pytest.mark.parametrize("limit", [0.5, float("nan")])
def test_a_time_limit_below_a_second_is_refused(limit):
    with pytest.raises(InputError, match="wanted 1 to") as refused:
        Execution(time_limit=limit)
    assert refused.value.parameter == "time_limit"
    assert Execution(time_limit=1).time_limit == 1


def test_settings_are_read_back_from_one_record():
    recipe, execution = Recipe(model="lenet", lr_steps=((5, 1e-3),), schedule="constant"), Execution("cpu", 60, "quick")
    assert read_settings({**recipe.to_dict(), **execution.to_dict()}) == (recipe, execution)


def test_a_preset_decides_what_is_not_said_and_nothing_else():
    assert [Execution(preset=name).complete(Recipe()).size for name in PRESETS] == [32, 48, 64]
    resnet, quick = Execution(preset="resnet"), Execution(preset="quick")
    assert resnet.complete(Recipe(image_size=40)).size == 40
    assert quick.complete(Recipe(epochs=5)).epochs_for(100) == 5
    assert quick.complete(Recipe(iterations=5)).has_network
    assert not resnet.complete(Recipe(epochs=0)).has_network


def test_only_the_resnet_preset_trains_networks_and_few_photos_get_more_epochs_than_many():
    assert [Execution(preset=name).complete(Recipe()).has_network for name in PRESETS] == [False, False, True]
    epochs = [Recipe(pretrained=False).epochs_for(photos) for photos in (1, 100, 400, 100_000)]
    assert epochs == sorted(epochs, reverse=True)
    assert epochs[0] == 60
    assert epochs[1] > epochs[2] > epochs[3] == 12


def test_a_network_that_is_fine_tuned_gets_a_third_of_the_epochs_of_one_from_scratch():
    assert [Recipe().epochs_for(photos) for photos in (1, 16 * 11, 16 * 25, 100_000)] == [20, 18, 8, 4]
    chosen = Recipe(schedule="cosine")
    assert not chosen.is_tuned
    assert chosen.epochs_for(100_000) == 12


@pytest.mark.parametrize(
    ("device", "seconds", "limit", "preset"),
    [
        ("cuda", 599, None, "resnet"),
        ("cuda", 600, None, "standard"),
        ("cuda", 300, 300, "resnet"),
        ("cuda", 301, 300, "standard"),
        ("cuda", 600, 9000, "standard"),
        ("cpu", 1, None, "standard"),
        ("mps", 1, None, "standard"),
    ],
)
def test_networks_are_chosen_on_a_gpu_if_they_take_less_than_ten_minutes_and_keep_the_limit(
    device, seconds, limit, preset
):
    assert preset_for(device, seconds, limit=limit) == preset


def test_a_preset_that_nobody_named_is_as_standard_and_is_not_in_the_record():
    assert Execution().preset == "auto"
    assert Execution().complete(Recipe()) == Execution(preset="standard").complete(Recipe())
    assert "preset" not in Execution().to_dict()
    assert read_settings(Execution().to_dict())[1] == Execution()


def test_the_former_name_of_a_preset_is_refused_with_its_name_of_today_but_read_in_records():
    message = r"another name now: got thorough; wanted resnet\. Use `preset='resnet'`"
    with pytest.raises(InputError, match=message) as refused:
        Execution(preset="thorough")
    assert refused.value.parameter == "preset"
    assert preset_today("thorough") == "resnet"


def test_each_optimizer_has_the_rate_and_the_decay_that_suit_it_unless_told_otherwise():
    adamw = Recipe()
    assert (adamw.rate, adamw.decay) == (1.5e-3, 0.05)
    assert replace(adamw, optimizer="adam").decay == 0, "decay that is not decoupled keeps Adam from learning"
    assert replace(adamw, optimizer="sgd").rate > adamw.rate
    assert replace(adamw, optimizer="sgd", learning_rate=0.5, weight_decay=0.1).rate == 0.5


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
