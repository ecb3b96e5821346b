"""Whether two versions differ: intervals, verdicts, McNemar."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, f1_score

from benchmarks.coverage import World, true_difference
from training.evaluation.bootstrap import Difference, Discordant, Drawn, Resampled, adjusted, mcnemar, resample


def simulated(n=400, classes=4, before=0.6, after=0.6, seeds=1, seed=0):
    """Return test labels, and predictions that are right with the given chances."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)

    def predictions(accuracy):
        wrong = (truth + rng.integers(1, classes, (seeds, n))) % classes
        return np.where(rng.random((seeds, n)) < accuracy, truth, wrong)

    return truth, predictions(before), predictions(after)


def compared(truth, before, after, groups=None, classes=4, resamples=300, **more):
    versions = {"before": before, "after": after, **more}
    groups = np.arange(len(truth)) if groups is None else groups
    return resample(truth, versions, groups, classes=classes, seed=0, resamples=resamples)


def macro(*versions, **options):
    return compared(*versions, **options).macro_f1("after", "before")


def mean_gain(truth, before, after, score):
    return np.mean([score(truth, a) - score(truth, b) for b, a in zip(before, after, strict=True)])


def test_the_mean_difference_is_that_of_scikit_learns_scores():
    versions = simulated(after=0.7, seeds=2)
    resampled = compared(*versions, resamples=50)
    difference = resampled.macro_f1("after", "before")
    expected = mean_gain(*versions, lambda truth, predicted: f1_score(truth, predicted, average="macro"))
    assert difference.mean == pytest.approx(expected)
    assert np.mean([each.mean for each in resampled.class_f1("after", "before")]) == pytest.approx(expected)
    assert resampled.mean_accuracy("after", "before").mean == pytest.approx(mean_gain(*versions, accuracy_score))
    assert difference.low < difference.mean < difference.high


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize(("after", "verdict"), [(0.85, "helped"), (0.35, "hurt"), (0.6, "no difference")])
def test_the_verdict_follows_the_interval(after, verdict, seeds):
    assert macro(*simulated(after=after, seeds=seeds)).verdict == verdict


def test_two_thousand_resamples_of_95_percent_are_the_default():
    truth, before, after = simulated(n=60, after=0.8)
    resampled = resample(truth, {"before": before, "after": after}, np.arange(60), classes=4, seed=0)
    assert resampled.accuracy["after"].drawn.shape == (1, 2000, 1)
    drawn = resampled.accuracy["after"].drawn[0, :, 0] - resampled.accuracy["before"].drawn[0, :, 0]
    difference = resampled.mean_accuracy("after", "before")
    assert (difference.low, difference.high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=1e-6)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.01, 0.2, "helped"), (0.0, 0.2, "no difference"), (-0.2, -0.01, "hurt"), (-0.2, 0.0, "no difference")],
)
def test_a_verdict_needs_the_whole_interval_on_one_side_of_zero(low, high, verdict):
    difference = Difference((low + high) / 2, low, high)
    assert difference.verdict == verdict
    assert difference.could_show == pytest.approx((high - low) / 2)


def test_resamples_draw_whole_groups_as_many_as_there_are_with_replacement():
    # twenty groups of five; all of a group are right or all are wrong
    groups = np.repeat(np.arange(20), 5)
    truth = np.zeros(100, dtype=np.int64)
    predicted = (groups % 4 == 0).astype(np.int64)[None]
    drawn = resample(truth, {"one": predicted}, groups, classes=2, seed=0, resamples=400).accuracy["one"].drawn[0, :, 0]
    assert np.allclose(drawn * 20, np.round(drawn * 20), atol=1e-4)
    assert drawn.mean() == pytest.approx(0.75, abs=0.02)
    assert drawn.std() == pytest.approx(np.sqrt(0.75 * 0.25 / 20), rel=0.15)


def test_the_chance_of_training_is_drawn_from_students_t_with_one_degree_less_than_seeds():
    # every seed is equally right on each of a million listings, so that the test set leaves nothing to chance
    measured = np.array([[0.1], [0.2], [0.3]])
    drawn = Drawn(measured, np.repeat(measured[:, None], 2000, axis=1))
    nothing = Drawn(np.zeros((3, 1)), np.zeros((3, 2000, 1)))
    resampled = Resampled(
        {}, {"after": drawn, "before": nothing}, np.ones(1, dtype=bool), seed=0, concerned=np.array([12])
    )
    difference = resampled.mean_accuracy("after", "before")
    chance = np.random.default_rng(0).standard_t(2, 2000) * np.sqrt(np.var([0.1, 0.2, 0.3], ddof=1) / 3)
    assert difference.mean == pytest.approx(0.2)
    assert (difference.low, difference.high) == pytest.approx(0.2 + np.quantile(chance, [0.025, 0.975]))


def test_the_interaction_of_seeds_and_listings_counts_once():
    # two of three seeds swing with the listings drawn: seven tenths of how seeds differ are of listings anyway
    measured = np.array([[0.0], [0.3], [0.6]])
    swing = np.array([-0.1, 0.1, -0.2, 0.2] * 500)
    after = Drawn(measured, (measured + np.stack([swing, -swing, np.zeros(2000)]))[:, :, None])
    before = Drawn(np.zeros((3, 1)), np.zeros((3, 2000, 1)))
    difference = Resampled(
        {}, {"after": after, "before": before}, np.ones(1, dtype=bool), 7, np.array([12])
    ).mean_accuracy("after", "before")
    # the mean of the three never moves, so all the variance of the resamples, 2/3 of 0.025, is interaction
    training = (0.09 - 0.025 * 2 / 3 * 3 / 2) / 3
    noise = np.random.default_rng(7).standard_t(2, 2000) * np.sqrt(training)
    assert (difference.low, difference.high) == pytest.approx(0.3 + np.quantile(noise, [0.025, 0.975]))


def test_two_seeds_that_differ_widen_the_interval():
    measured = np.array([[0.1], [0.3]])
    after = Drawn(measured, np.repeat(measured[:, None], 2000, axis=1))
    before = Drawn(np.zeros((2, 1)), np.zeros((2, 2000, 1)))
    difference = Resampled(
        {}, {"after": after, "before": before}, np.ones(1, dtype=bool), 0, np.array([12])
    ).mean_accuracy("after", "before")
    noise = np.random.default_rng(0).standard_t(1, 2000) * 0.1
    assert (difference.low, difference.high) == pytest.approx(0.2 + np.quantile(noise, [0.025, 0.975]))


@pytest.mark.parametrize("resamples", [1, 100, 101, 250])
def test_every_resample_is_scored(resamples):
    truth, _, _ = simulated(40)
    resampled = resample(truth, {"all right": truth[None]}, np.arange(40), classes=4, seed=0, resamples=resamples)
    assert resampled.accuracy["all right"].drawn.shape == (1, resamples, 1)
    assert (resampled.accuracy["all right"].drawn == 1).all()


def test_a_class_with_one_test_listing_counts_and_a_resample_without_it_scores_zero():
    truth = np.array([0] * 9 + [1])
    resampled = resample(truth, {"all right": truth[None]}, np.arange(10), classes=3, seed=0, resamples=200)
    assert resampled.present.tolist() == [True, True, False]
    assert set(resampled.f1["all right"].drawn[0, :, 1]) == {0, 1}


@pytest.mark.parametrize(
    ("result", "field"),
    [
        (Difference(0.1, 0.0, 0.2), "mean"),
        (Discordant(3, 1, 0.5), "p"),
        (Drawn(np.zeros((1, 1)), np.zeros((1, 1, 1))), "drawn"),
        (Resampled({}, {}, np.ones(1, dtype=bool), 0, np.array([12])), "seed"),
    ],
)
def test_results_can_not_be_changed(result, field):
    with pytest.raises(FrozenInstanceError):
        setattr(result, field, 0)


def test_equal_predictions_make_a_difference_of_exactly_zero():
    truth, before, _ = simulated(seeds=3)
    difference = macro(truth, before, before, resamples=100)
    assert (difference.mean, difference.low, difference.high) == (0, 0, 0)
    assert difference.verdict == "no difference"


@pytest.mark.parametrize(("seeds", "spread"), [(1, 0.0), (3, 0.0), (5, 0.1)])
def test_the_interval_covers_the_true_difference_about_as_often_as_it_says(seeds, spread):
    world = World(classes=6, listings=250, seeds=seeds, gain=0.3, seed_spread=spread)
    rng = np.random.default_rng(0)
    true = true_difference(world, rng)
    covered = 0
    for _ in range(120):
        truth, groups, hard = world.test_set(rng, world.listings)
        difference = macro(truth, *world.answers(rng, truth, groups, hard, seeds), groups, classes=6, resamples=200)
        covered += difference.low <= true <= difference.high
    assert 0.88 <= covered / 120 <= 0.99


def test_seeds_that_disagree_widen_the_interval_and_three_more_than_six():
    truth, before, _ = simulated(2000, seeds=6)
    # every second model is much better after, every other one much worse
    after = np.stack([simulated(2000, after=0.8 if number % 2 else 0.45, seed=0)[2][0] for number in range(6)])
    alike = np.stack([simulated(2000, after=0.63, seed=0)[2][0] for _ in range(6)])
    many, few = macro(truth, before, after).could_show, macro(truth, before[:3], after[:3]).could_show
    assert few > many > 3 * macro(truth, before, alike).could_show


def test_groups_that_move_together_widen_the_interval():
    many = [np.repeat(part, 8, axis=-1) for part in simulated(100, after=0.75)]
    alone, together = macro(*many), macro(*many, np.repeat(np.arange(100), 8))
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_a_class_without_test_listings_has_no_difference():
    per_class = compared(*simulated(), classes=6, resamples=50).class_f1("after", "before")
    assert per_class[4] is None
    assert per_class[5] is None


def test_the_share_of_the_possible_gain_is_that_of_the_means():
    truth, before, after = simulated(2000, after=0.7)
    best = simulated(2000, after=0.8)[2]
    resampled = compared(truth, before, after, best=best)
    share = resampled.share("after", "best", "before")
    expected = resampled.macro_f1("after", "before").mean / resampled.macro_f1("best", "before").mean
    assert share.mean == pytest.approx(expected)
    assert share.low < expected < share.high


def test_nothing_is_a_share_of_a_gain_that_can_not_be_shown():
    truth, before, after = simulated(after=0.7)
    assert compared(truth, before, after, best=before).share("after", "best", "before") is None


def test_a_thousand_classes_and_many_listings_are_compared_without_matrices_of_both():
    truth, before, after = simulated(20_000, classes=1000, after=0.8)
    assert macro(truth, before, after, classes=1000, resamples=20).verdict == "helped"


def test_mcnemar_counts_answers_that_changed_and_is_the_usual_test_without_groups():
    truth, before, after = simulated(after=0.68)
    test = mcnemar(truth, before, after, np.arange(400))
    assert test.to_right == ((after == truth) & (before != truth)).sum()
    assert test.to_wrong == ((before == truth) & (after != truth)).sum()
    exact = binomtest(test.to_right, test.to_right + test.to_wrong).pvalue
    assert test.p == pytest.approx(exact, abs=0.02)


def test_mcnemar_does_not_take_repeated_answers_for_more_evidence():
    truth, before, after = simulated(60, after=0.7, seed=4)
    once = mcnemar(truth, before, after, np.arange(60))
    repeated = [np.repeat(part, 20, axis=-1) for part in (truth, before, after)]
    assert mcnemar(*repeated, np.repeat(np.arange(60), 20)).p == pytest.approx(once.p)
    seeds = mcnemar(truth, np.repeat(before, 5, axis=0), np.repeat(after, 5, axis=0), np.arange(60))
    assert seeds.to_right == 5 * once.to_right
    assert seeds.p == pytest.approx(once.p)


def test_mcnemar_finds_nothing_where_nothing_changed():
    truth, before, _ = simulated()
    assert mcnemar(truth, before, before, np.arange(400)).p == 1


def classes_of_twelve(gained):
    """Return versions of twelve classes of twelve listings each; the first one has so many more right after."""
    truth = np.repeat(np.arange(12), 12)
    before = truth.copy()
    # two thirds are right, and in the other classes as many become wrong as become right
    before[np.arange(144) % 12 >= 8] = (truth[np.arange(144) % 12 >= 8] + 1) % 12
    after = before.copy()
    right, wrong = np.arange(144) % 12 == 8, np.arange(144) % 12 == 0
    after[right] = truth[right]
    after[wrong] = (truth[wrong] + 1) % 12
    first = np.arange(12)
    before[:12], after[:12] = np.where(first < 1, 0, 1), np.where(first < 1 + gained, 0, 1)
    return truth, before[None], after[None]


def claimed(versions):
    resampled = compared(*versions, classes=12, resamples=2000)
    return [p <= 0.05 for p in adjusted(resampled.class_p("after", "before"))]


def test_a_slight_effect_in_one_of_twelve_classes_is_no_claim_though_its_own_interval_is_above_zero():
    versions = classes_of_twelve(gained=4)
    assert compared(*versions, classes=12, resamples=2000).class_f1("after", "before")[0].verdict == "helped"
    assert not any(claimed(versions))


def test_a_strong_effect_in_one_of_twelve_classes_is_a_claim_and_the_others_are_none():
    assert claimed(classes_of_twelve(gained=11)) == [True] + [False] * 11


def test_the_p_value_of_one_class_is_that_of_mcnemars_test_where_nothing_else_varies():
    # nine of twelve listings become right; no other class is predicted
    truth, before, after = np.zeros(400, int), np.ones((1, 400), int), np.ones((1, 400), int)
    after[0, :9] = 0
    p = compared(truth, before, after, classes=2, resamples=4000).class_p("after", "before")
    assert p[0] == pytest.approx(mcnemar(truth, before, after, np.arange(400)).p, rel=0.5)
    assert p[1] is None


def test_seeds_that_differ_make_a_p_value_larger():
    measured = np.array([[0.1], [0.3]])
    swing = np.random.default_rng(0).normal(0, 0.02, 2000)
    nothing = Drawn(np.zeros((2, 1)), np.zeros((2, 2000, 1)))

    def p(measured):
        after = Drawn(measured, (measured + swing)[:, :, None])
        resampled = Resampled(
            {"after": after, "before": nothing}, {}, np.ones(1, dtype=bool), 0, concerned=np.array([400])
        )
        return resampled.class_p("after", "before")[0]

    assert p(np.array([[0.2], [0.2]])) < 1e-12
    assert 0.2 < p(measured) < 0.5


def test_p_values_are_adjusted_for_their_number_under_any_dependence():
    p = [0.001, 0.02, None, 0.5]
    harmonic = 1 + 1 / 2 + 1 / 3
    assert adjusted(p) == [
        pytest.approx(0.003 * harmonic),
        pytest.approx(0.03 * harmonic),
        None,
        pytest.approx(0.5 * harmonic),
    ]
    assert adjusted([None]) == [None]
