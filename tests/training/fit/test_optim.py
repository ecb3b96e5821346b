"""Schedules of the learning rate."""

from dataclasses import replace

import pytest
import torch

from training.errors import InputError
from training.fit.optim import check_steps, make_schedule
from training.settings import Recipe


def rates(settings, steps):
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=settings.learning_rate)
    schedule = make_schedule(optimizer, steps, settings)
    values = []
    for _ in range(steps):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return values


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
