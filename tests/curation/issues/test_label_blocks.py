"""Labels are judged block by block, and come out as if all had been judged at once."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.evidence.log_odds import softmax, standing_of
from curation.issues import find_issues
from curation.issues.label import second_opinion as opinions
from curation.issues.label.chances import chances_wrong, flags_from
from curation.issues.label.judge import judge
from curation.issues.label.noise import suggestion_confidence
from curation.issues.label.second_opinion import second_opinion
from tests.curation.issues.test_labels import planted, priced, titled
from tests.support.photo_facts import nothing_found
from training.utils import blocks

SIZES = st.tuples(st.integers(1, 60), st.integers(1, 7))


def plainly(logs, label):
    """Return margin, best other class, best class and its probability, by the plain formula of whole arrays."""
    each, others = np.arange(len(logs)), logs.copy()
    others[each, label] = -np.inf
    other = others.argmax(axis=1)
    probs = softmax(logs)
    return logs[each, label] - logs[each, other], other, logs.argmax(axis=1), probs.max(axis=1)


@settings(max_examples=200, deadline=None)
@given(size=SIZES, seed=st.integers(0, 2**32 - 1), coarse=st.booleans(), rows=st.sampled_from([1, 7, 8_192]))
def test_the_standing_of_labels_is_that_of_the_whole_table(size, seed, coarse, rows):
    chance = np.random.default_rng(seed)
    logs = chance.normal(0, 3, size)
    # whole numbers are often equal
    logs = logs.round() if coarse else logs
    label = chance.integers(0, size[1], size[0])
    before = logs.copy()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_ROWS", rows)
        standing = standing_of(logs, label)
    margin, other, best, sure = plainly(logs, label)
    assert np.array_equal(standing.margin, margin)
    assert np.array_equal(standing.other, other)
    assert np.array_equal(standing.best, best)
    assert standing.sure == pytest.approx(sure, abs=1e-12)
    assert np.array_equal(standing.differs, best != label)
    assert np.array_equal(logs, before)


def judged_plainly(evidence):
    """Return score, flags, suggestions and their confidence, with every number of the dataset at hand at once."""
    belief, label = evidence.belief, evidence.given
    logs = belief.logs[:]
    probs = softmax(logs)
    found = chances_wrong(standing_of(logs, label), belief.learnable)
    flagged = belief.judged & (found.wrong >= flags_from(found.wrong[belief.judged]))
    suggests = flagged | (belief.judged & (found.wrong >= 0.1))
    _, other, _, _ = plainly(logs, label)
    confidence = suggestion_confidence(probs, label, other, share=found.noise, candidates=found.candidates)
    confidence = np.minimum(confidence, found.wrong)
    return 1 - found.wrong, flagged, np.where(suggests, other, -1), np.where(suggests, confidence, np.nan)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("with_titles", [False, True])
def test_judgements_in_blocks_are_those_of_the_whole_table(monkeypatch, seed, with_titles):
    evidence, true, _ = planted(300, classes=5, sure=2.5, seed=seed)
    evidence = priced(evidence, true)
    evidence = titled(evidence, true) if with_titles else evidence
    score, flagged, suggested, confidence = judged_plainly(evidence)
    monkeypatch.setattr(blocks, "_ROWS", 7)
    judgement = judge(replace(evidence))
    assert judgement.score == pytest.approx(score, abs=1e-9)
    assert judgement.flagged.tolist() == flagged.tolist()
    assert judgement.suggested.tolist() == suggested.tolist()
    assert judgement.confidence == pytest.approx(confidence, abs=1e-9, nan_ok=True)
    assert flagged.any()


@pytest.mark.parametrize("seed", range(3))
def test_the_whole_table_of_issues_is_the_same_in_blocks_of_any_size(monkeypatch, seed):
    evidence, true, _ = planted(240, sure=2.0, seed=seed)
    evidence = titled(priced(evidence, true), true)
    # the same photos again, some of them with another label
    photos = [f"{row % 200:064x}" for row in range(240)]
    listings = evidence.listings.assign(**nothing_found(240))
    listings = listings.assign(
        sha256=pd.array(photos, dtype="string"), unreadable=pd.array([pd.NA] * 240, dtype="string")
    )
    neighbours = evidence.probs.astype(np.float32)
    evidence = replace(evidence, listings=listings, neighbours=neighbours, in_fold=np.log(neighbours))
    whole = find_issues(replace(evidence))
    for rows in (7, 239):
        monkeypatch.setattr(blocks, "_ROWS", rows)
        pd.testing.assert_frame_equal(find_issues(replace(evidence)), whole, rtol=0, atol=1e-9)


@pytest.mark.parametrize("listings", [1, 60, 100_000])
@pytest.mark.parametrize("sizes", [None, [0.9, 0.06, 0.03, 0.01], [0.01, 0.03, 0.06, 0.9]])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_cleanlab_says_class_by_class_what_it_says_of_all_at_once(monkeypatch, listings, sizes, kind):
    evidence, _, _ = planted(500, noise=0.2, sure=2.0, sizes=sizes)
    probs = evidence.probs.astype(kind)
    probs /= probs.sum(axis=1, keepdims=True)
    monkeypatch.setattr(opinions, "_LISTINGS", listings)
    opinion = second_opinion(replace(evidence, probs=probs))
    probs = probs / probs.sum(axis=1, keepdims=True)
    assert opinion.flagged.tolist() == find_label_issues(evidence.given, probs).tolist()
    assert np.array_equal(opinion.score, get_label_quality_scores(evidence.given, probs))
