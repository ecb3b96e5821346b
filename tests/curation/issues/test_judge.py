"""Where a label is suggested, which sources are named, and what a given label's score is made of."""

from dataclasses import replace

import numpy as np
import pytest

from curation.evidence.log_odds import softmax, standing_of
from curation.issues.label.chances import chances_wrong, flags_from
from curation.issues.label.judge import judge
from curation.issues.label.noise import find_cut, noise_where_sure, suggestion_confidence
from tests.curation.issues.test_labels import planted, priced, titled


def rich(n=600, **options):
    evidence, true, _ = planted(n, sure=2.0, **options)
    return titled(priced(evidence, true), true)


def test_a_class_is_suggested_where_the_chance_of_a_wrong_label_is_a_tenth_or_more():
    judgement = judge(rich())
    assert np.array_equal(judgement.suggested >= 0, judgement.score <= 0.9)
    # there are listings on either side of it
    assert ((judgement.score > 0.8) & (judgement.score < 0.9)).any()
    assert ((judgement.score > 0.9) & (judgement.score < 0.95)).any()


def test_a_source_is_named_that_makes_a_class_twice_as_likely():
    evidence = rich(1500)
    judgement = judge(evidence)
    suggests = np.flatnonzero((judgement.suggested >= 0) & (evidence.given >= 0))
    by_source = evidence.belief.log_odds(suggests, evidence.given[suggests], judgement.suggested[suggests])
    log_odds = np.concatenate([by_source[name] for name in ("photo", "title", "price")])
    for_it = [name in judgement.supporting[row] for name in ("photo", "title", "price") for row in suggests]
    against = [name in judgement.opposing[row] for name in ("photo", "title", "price") for row in suggests]
    assert np.array_equal(for_it, log_odds > np.log(2))
    assert np.array_equal(against, log_odds < -np.log(2))
    for near in (np.log(1.7), np.log(2.3), -np.log(1.7), -np.log(2.3)):
        assert (np.abs(log_odds - near) < 0.16).any()
    assert judgement.supporting[int(np.flatnonzero(judgement.suggested < 0)[0])] == ()


def test_similar_photos_are_one_voice_with_the_photo():
    evidence = rich()
    similar = replace(evidence, neighbours=evidence.probs.astype(np.float32))
    judgement = judge(similar)
    named = {name for names in [*judgement.supporting, *judgement.opposing] for name in names}
    assert named == {"photo", "title", "price"}
    suggests = np.flatnonzero((judgement.suggested >= 0) & (similar.given >= 0))
    by_source = similar.belief.log_odds(suggests, similar.given[suggests], judgement.suggested[suggests])
    named = ["photo" in judgement.supporting[row] for row in suggests]
    assert named == (by_source["photo"] > np.log(2)).tolist()


def test_the_score_and_the_confidence_are_made_of_the_belief():
    evidence = rich()
    label = evidence.listings["label"].copy()
    label[:4] = None
    evidence = replace(evidence, listings=evidence.listings.assign(label=label))
    belief, given, judgement = evidence.belief, evidence.given, judge(evidence)
    standing = standing_of(belief.logs, np.maximum(given, 0))
    cut = find_cut(standing[belief.learnable])
    labelled = given >= 0
    chances = chances_wrong(standing, belief.learnable)
    wrong = chances.wrong[labelled]
    assert judgement.score[labelled] == pytest.approx(1 - wrong)
    assert np.array_equal(judgement.flagged[labelled], wrong >= flags_from(wrong))
    probs = softmax(belief.logs[:])
    noise = min(cut.share, noise_where_sure(standing[belief.learnable]))
    rows = np.flatnonzero(judgement.suggested >= 0)
    confidence = suggestion_confidence(
        probs[rows], given[rows], judgement.suggested[rows], share=noise, candidates=cut.candidates
    )
    # never more than the chance of a wrong label; of one without a label, that is 1
    assert judgement.confidence[rows] == pytest.approx(np.minimum(confidence, 1 - judgement.score[rows]))
    assert judgement.suggested[:4].tolist() == belief.logs[:][:4].argmax(axis=1).tolist()
    assert (judgement.score[:4] == 0).all()
    assert judgement.flagged[:4].all()
