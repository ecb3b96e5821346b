"""The audit without files: who is drawn, which decisions count, and whether the intervals hold."""

from __future__ import annotations

import numpy as np
import pytest

from curation.auditing.draw import draw
from curation.auditing.estimate import Cells, wrong_in
from curation.auditing.evaluation import BEFORE, Known, count_decisions, estimate
from curation.auditing.recalibration import fit_recalibration, recalibrated

N, SIZE = 2000, 150


def population(seed=0, off=0.0):
    """Return chances, flags, and which labels are wrong: with those chances, but for `off` on the log-odds."""
    random = np.random.default_rng(seed)
    chances = random.beta(0.2, 1.3, N)
    odds = np.log(chances / (1 - chances)) + off
    return chances, chances > 0.5, random.random(N) < 1 / (1 + np.exp(-odds))


def known_of(chances, flagged, wrong, drawn, decided):
    place = np.full(len(chances), -1)
    place[drawn.rows] = np.arange(len(drawn.rows))
    queue = np.argsort(np.argsort(-chances, kind="stable"))
    return Known(chances, flagged, queue, drawn.strata, place, decided, wrong & decided)


def decided_of(drawn, count=None, queued=0, chances=None):
    decided = np.zeros(len(drawn.strata), dtype=bool)
    decided[drawn.rows[:count]] = True
    if queued:
        decided[np.argsort(-chances, kind="stable")[:queued]] = True
    return decided


def audits(chances, flagged, wrong, *, count=None, queued=0, repeats=60):
    for seed in range(repeats):
        drawn = draw(chances, flagged, SIZE, seed)
        known = known_of(chances, flagged, wrong, drawn, decided_of(drawn, count, queued, chances))
        yield known, estimate(known, count_decisions(known), seed=seed, draws=1000)


@pytest.mark.parametrize("off", [0.0, 1.0, -1.0], ids=["right", "too low", "too high"])
@pytest.mark.parametrize(("count", "queued"), [(None, 0), (75, 0), (None, 300), (75, 300)])
def test_the_intervals_hold_whatever_the_chances_are_and_whatever_the_queue_decided(off, count, queued):
    chances, flagged, wrong = population(off=off)
    truth = {"wrong": wrong.sum(), "precision": wrong[flagged].mean(), "recall": flagged[wrong].mean()}
    held = dict.fromkeys([*truth, "left"], 0)
    for known, says in audits(chances, flagged, wrong, count=count, queued=queued):
        for name, value in {**truth, "left": (wrong & ~known.decided).sum()}.items():
            interval = getattr(says, name)
            held[name] += interval.low - 1e-9 <= value <= interval.high + 1e-9
    assert min(held.values()) >= 52


def test_what_the_queue_decided_does_not_move_the_estimate():
    chances, flagged, wrong = population()
    off = [says.wrong.estimate - wrong.sum() for _, says in audits(chances, flagged, wrong, count=75, queued=300)]
    assert abs(np.mean(off)) < 2 * np.std(off) / np.sqrt(len(off)) + 0.03 * wrong.sum()


def test_errors_that_come_in_groups_do_no_harm_as_listings_are_drawn_singly():
    chances, _, _ = population()
    chances = np.repeat(chances[: N // 10], 10)
    wrong = np.repeat(np.random.default_rng(1).random(N // 10) < chances[::10], 10)
    intervals = [says.wrong for _, says in audits(chances, chances > 0.5, wrong)]
    assert sum(each.low <= wrong.sum() <= each.high for each in intervals) >= 52


def test_everything_decided_leaves_nothing_to_estimate():
    chances, flagged, wrong = population()
    drawn = draw(chances, flagged, SIZE, 0)
    known = known_of(chances, flagged, wrong, drawn, np.ones(N, dtype=bool))
    says = estimate(known, count_decisions(known))
    assert says.wrong.low == says.wrong.high == wrong.sum()
    assert says.left.high == 0
    assert says.precision.low == says.precision.high == pytest.approx(wrong[flagged].mean())


def test_one_listing_that_nobody_has_decided_on_leaves_one_label_in_doubt():
    chances, flagged, wrong = population()
    drawn = draw(chances, flagged, SIZE, 0)
    decided = np.arange(N) != np.argmax(chances)  # the first of the queue, so that nothing is known to its beginning
    known = known_of(chances, flagged, wrong, drawn, decided)
    says, found = estimate(known, count_decisions(known)), (wrong & decided).sum()
    assert (found, found + 1) == (says.wrong.low, says.wrong.high)
    assert says.left.high == 1


def test_fewer_wrong_labels_than_were_found_are_never_said():
    chances, flagged, wrong = population(off=1.0)
    drawn = draw(chances, flagged, SIZE, 0)
    # one person decides on the most doubtful listings, but for the first
    decided = decided_of(drawn, 10, 600, chances) & (np.arange(N) != np.argmax(chances))
    known = known_of(chances, flagged, wrong, drawn, decided)
    assert estimate(known, count_decisions(known)).wrong.low >= (wrong & decided).sum()


def test_no_flag_has_no_precision_and_no_wrong_label_no_recall():
    chances, nothing = np.full(50, 0.001), np.zeros(50, dtype=bool)
    drawn = draw(chances, nothing, 50, 0)
    known = known_of(chances, nothing, nothing, drawn, np.ones(50, dtype=bool))
    says = estimate(known, count_decisions(known))
    assert (says.precision, says.recall) == (None, None)


def test_a_sample_without_any_wrong_label_does_not_say_that_there_is_none():
    chances, nothing = np.full(1000, 0.01), np.zeros(1000, dtype=bool)
    drawn = draw(chances, nothing, 60, 0)
    known = known_of(chances, nothing, nothing, drawn, decided_of(drawn))
    assert 10 < estimate(known, count_decisions(known)).wrong.high < 100


def test_listings_without_a_chance_are_drawn_and_estimated_too():
    chances, flagged, wrong = population()
    chances = np.where(np.arange(N) < 400, np.nan, chances)
    wrong = np.where(np.isnan(chances), np.arange(N) % 2 == 0, wrong)
    drawn = draw(chances, flagged & ~np.isnan(chances), SIZE, 0)
    assert np.isnan(chances[drawn.rows]).sum() > 20
    known = known_of(chances, flagged & ~np.isnan(chances), wrong, drawn, decided_of(drawn))
    says = estimate(known, count_decisions(known))
    assert says.wrong.low <= wrong.sum() <= says.wrong.high


def test_the_draw_is_that_of_the_seed_and_each_listing_is_drawn_as_often_as_its_probability_says():
    chances, flagged, _ = population()
    assert (draw(chances, flagged, SIZE, 3).rows == draw(chances, flagged, SIZE, 3).rows).all()
    times = np.zeros(N)
    for seed in range(200):
        drawn = draw(chances, flagged, SIZE, seed)
        assert len(set(drawn.rows.tolist())) == SIZE
        times[drawn.rows] += 1
    expected = drawn.inclusion[drawn.strata] * 200
    assert (np.abs(times - expected) < 5 * np.sqrt(expected) + 3).all()


def test_each_beginning_of_the_order_has_some_of_each_stratum():
    chances, flagged, _ = population()
    drawn = draw(chances, flagged, SIZE, 0)
    assert set(drawn.strata[drawn.rows[: SIZE // 2]].tolist()) == set(drawn.strata.tolist())


@pytest.mark.parametrize("size", [1, 2, 7, 99, 100])
def test_as_many_are_drawn_as_asked_from_any_set(size):
    for chances in (np.zeros(100), np.ones(100), np.full(100, np.nan), np.linspace(0, 1, 100)):
        flagged = np.arange(100) % 7 == 0
        assert len(set(draw(chances, flagged, size, 0).rows.tolist())) == size
        assert (np.bincount(draw(chances, flagged, size, 0).strata) > 0).all()


def test_of_an_unfinished_audit_what_the_queue_decided_later_does_not_count():
    chances, flagged, wrong = population()
    drawn = draw(chances, flagged, SIZE, 0)
    decided = decided_of(drawn, 40)
    # somebody decides the most suspect ones but the very first
    decided[np.argsort(-chances)[1:200]] = True
    counted = count_decisions(known_of(chances, flagged, wrong, drawn, decided))
    assert counted.census.sum() == 0
    assert counted.waiting > 0
    last = np.flatnonzero(counted.sample[drawn.rows])[-1]
    assert last < 80


def test_skipped_listings_are_counted_and_do_not_end_the_audit():
    chances, flagged, wrong = population()
    drawn = draw(chances, flagged, SIZE, 0)
    decided = decided_of(drawn)
    decided[drawn.rows[[3, 50]]] = False
    counted = count_decisions(known_of(chances, flagged, wrong, drawn, decided))
    assert (counted.skipped, counted.sample.sum()) == (2, SIZE - 2)


def test_what_was_decided_before_the_draw_is_known_and_unknown_again_once_taken_back():
    chances, flagged, wrong = population()
    drawn = draw(chances, flagged, SIZE, 0)
    before = np.arange(N) < 100
    strata = np.where(before, BEFORE, drawn.strata)
    place = np.full(N, -1)
    place[drawn.rows[~before[drawn.rows]]] = np.arange((~before[drawn.rows]).sum())
    queue = np.argsort(np.argsort(chances, kind="stable"))
    decided = before | (place >= 0)
    widths = []
    for now in (decided, decided & (np.arange(N) >= 50)):
        known = Known(chances, flagged, queue, strata, place, now, wrong & now)
        counted = count_decisions(known)
        assert (counted.census & before).sum() == (now & before).sum()
        says = estimate(known, counted)
        widths.append(says.wrong.high - says.wrong.low)
    assert widths[0] < widths[1]


def test_weights_add_up_to_the_listings_of_all_strata_from_which_something_counts():
    chances, flagged, wrong = population()
    drawn = draw(chances, flagged, SIZE, 0)
    known = known_of(chances, flagged, wrong, drawn, decided_of(drawn, queued=300, chances=chances))
    counted = count_decisions(known)
    reached = counted.census | np.isin(counted.cell, counted.cell[counted.sample])
    assert counted.weights.sum() == pytest.approx(reached.sum())
    assert reached.mean() > 0.99
    assert not (counted.census & counted.sample).any()


def test_a_stratum_that_is_read_as_a_whole_is_certain():
    cells = Cells(np.array([30, 500]), np.array([30, 20]), np.array([12, 1]), np.array([0.5, 0.02]))
    draws = wrong_in(cells, np.random.default_rng(0))
    assert set(draws[0].tolist()) == {12}
    assert draws[1].min() >= 1
    assert draws[1].max() <= 481


def test_recalibrated_chances_expect_what_the_audit_found():
    chances, flagged, wrong = population(off=1.0)
    drawn = draw(chances, flagged, SIZE, 0)
    known = known_of(chances, flagged, wrong, drawn, decided_of(drawn))
    counted = count_decisions(known)
    rows = np.flatnonzero(counted.weights)
    offset, slope = fit_recalibration(chances[rows], wrong[rows], counted.weights[rows])
    assert offset > 0.3
    before, after = chances.sum(), recalibrated(chances, offset, slope).sum()
    assert abs(after - wrong.sum()) < abs(before - wrong.sum()) / 2


def test_nothing_audited_leaves_chances_as_they_are():
    nothing = np.array([])
    assert fit_recalibration(nothing, nothing.astype(bool), nothing) == (0.0, 1.0)
    assert fit_recalibration(np.array([np.nan]), np.array([True]), np.ones(1)) == (0.0, 1.0)
