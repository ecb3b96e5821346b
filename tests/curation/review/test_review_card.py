"""What is shown of one listing, and which photos look like it."""

from __future__ import annotations

import numpy as np
import pytest

from curation.review.card import Cards, cards_of
from curation.review.similar import features_of, nearest
from tests.curation.review.test_review import CLASSES, make_run


def with_probabilities(run, probs):
    ids = run.listings()["id"].to_numpy(dtype=str)
    np.savez(run.probabilities_file, id=ids, classes=np.array(CLASSES), probs=probs, fold=np.zeros(len(ids), int))
    return run


@pytest.fixture
def run(tmp_path):
    probs = np.full((13, 3), [0.5, 0.3, 0.2], dtype=np.float32)
    probs[1] = [0.1, 0.2, 0.7]
    probs[12] = np.nan
    return with_probabilities(make_run(tmp_path), probs)


def with_features(run, features):
    run.training_folder.mkdir()
    run.update(features="features-0.npy")
    np.save(run.training_folder / "features-0.npy", np.asarray(features, dtype=np.float32))
    return run


def test_the_queue_is_what_is_flagged_by_priority(run):
    assert Cards(run).queue == ["L0", "L1", "L2", "L3", "L5", "L8", "L9", "L11"]


def test_a_card_says_what_speaks_for_and_against_the_label(run):
    card = Cards(run).card("L1")
    assert (card.given, card.suggested) == ("desk", "lamp")
    assert card.given_chance == pytest.approx(0.3)
    assert card.suggested_chance == pytest.approx(0.9)
    assert (card.price, card.price_low, card.price_high) == (11.0, 8.0, 30.0)
    assert card.reasons == ("reason 1",)
    assert card.title == "nice thing 1"


def test_classes_go_from_the_suggested_to_the_unlikely(run):
    issues = run.issues()
    issues.loc[issues["id"] == "L0", ["label_score", "suggested_confidence"]] = [0.2, 0.7]
    issues.loc[issues["id"] == "L5", ["label_score", "suggested_label"]] = [0.4, None]
    run.write_table(run.issues_file, issues)
    cards = Cards(run)
    # the photo's model gives the chair 0.5 and all evidence the desk 0.7: such numbers say nothing side by side
    assert cards.card("L0").classes == (("desk", 0.7), ("chair", 0.2), ("lamp", None))
    assert cards.card("L5").classes == (("chair", None), ("desk", None), ("lamp", 0.4))


def test_no_class_has_a_higher_probability_than_the_suggested_one_of_a_wrong_label(run):
    cards = Cards(run)
    for card in map(cards.card, cards.queue):
        numbers = dict(card.classes)
        assert set(numbers) == set(CLASSES)
        assert {name for name, chance in numbers.items() if chance is not None} <= {card.given, card.suggested}
        if "label" in card.issues:
            assert card.classes[0] == (card.suggested, card.suggested_chance)
            assert max(chance for chance in numbers.values() if chance is not None) == card.suggested_chance


def test_classes_without_probabilities_of_models_keep_their_order(tmp_path):
    cards = Cards(make_run(tmp_path))
    assert [name for name, _ in cards.card("L5").classes] == CLASSES
    assert cards.card("L1").classes[0] == ("lamp", cards.card("L1").suggested_chance)
    assert cards.likely_classes(["L5"]) == CLASSES


def test_classes_of_several_listings_go_by_their_mean_probability(run):
    cards = Cards(run)
    assert cards.likely_classes(["L1"]) == ["lamp", "desk", "chair"]
    assert cards.likely_classes(["L0", "L1", "L12"]) == ["lamp", "chair", "desk"]


def test_reposts_name_each_other(run):
    assert Cards(run).card("L8").reposts == ("L9",)
    assert Cards(run).card("L0").reposts == ()


def test_examples_are_the_most_alike_of_the_sound_listings(run):
    # L4 and L7 are sound desks, L6 a sound chair; L1 and L10 are desks too, flagged and missing
    features = np.eye(13)
    features[1, [4, 7]] = 0.5, 0.8
    card = Cards(with_features(run, features)).card("L1")
    assert [example.id for example in card.like_given][:2] == ["L7", "L4"]
    assert "L1" not in [example.id for example in card.like_given]
    assert card.like_given[0].photo.endswith("7.jpg")


def test_a_listing_without_a_suggestion_has_no_examples_of_one(run):
    assert Cards(run).card("L5").like_suggested == ()


def test_probabilities_stand_in_for_features(run):
    features = features_of(run)
    assert features.shape == (13, 3)
    assert features[1] == pytest.approx([0.1, 0.2, 0.7])
    assert not features[12].any()


def test_the_features_are_those_of_the_record_not_the_first_by_name(run):
    with_features(run, np.eye(13))
    np.save(run.training_folder / "features-10.npy", np.zeros((13, 2), dtype=np.float32))
    run.update(features="features-3.npy")
    (run.training_folder / "features-0.npy").rename(run.training_folder / "features-3.npy")
    assert np.array_equal(features_of(run), np.eye(13))


def test_without_features_and_scores_there_are_no_examples(tmp_path):
    run = make_run(tmp_path)
    assert not features_of(run).any()
    assert Cards(run).card("L0").like_given == ()


def test_cards_are_made_anew_when_the_issues_are(run):
    cards = cards_of(run)
    assert cards_of(run) is cards
    run.issues().to_parquet(run.issues_file)
    assert cards_of(run) is not cards


def test_the_nearest_come_first_and_photos_that_look_like_nothing_never():
    features = np.array([[1, 0], [0, 0], [1, 1], [0, 1], [2, 0.1]], dtype=np.float32)
    assert nearest(features, 0, np.array([1, 2, 3, 4]), 3).tolist() == [4, 2, 3]
    assert nearest(features, 1, np.array([0, 2]), 3).tolist() == []
