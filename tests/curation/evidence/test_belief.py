"""One belief per listing, fused from all sources."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import median_abs_deviation

from curation.evidence import evidence as module
from curation.evidence.log_odds import margins
from curation.issues import find_issues
from tests.curation.issues.test_issues import marketplace
from tests.support.listings import CLASSES, evidence_of

GATHER = module.gather


def test_all_kinds_share_sources_that_are_gathered_once(monkeypatch):
    gathered = []
    monkeypatch.setattr(module, "gather", lambda evidence: gathered.append(evidence) or GATHER(evidence))
    evidence, _ = marketplace(150)
    find_issues(evidence)
    assert len(gathered) == 1


def test_the_belief_is_that_of_all_sources_and_is_made_once():
    evidence, _ = marketplace(150)
    assert evidence.belief is evidence.belief
    assert [source.name for source in evidence.belief.sources] == [source.name for source in evidence.sources]
    assert np.isfinite(evidence.belief.logs[:]).all()


def watched(n=60, **columns):
    """Return evidence of three equally large classes, the logs of both kinds of predictions, and the given classes."""
    rng = np.random.default_rng(0)
    given = np.arange(n) % 3
    logs = rng.normal(0, 1, (n, 3))
    logs[np.arange(n), given] += 1.5
    in_fold = 2 * logs + rng.normal(0, 1, (n, 3))
    logs, in_fold = (each - np.log(np.exp(each).sum(axis=1, keepdims=True)) for each in (logs, in_fold))
    labels = [CLASSES[k] for k in given]
    return evidence_of(labels, probs=np.exp(logs), in_fold=in_fold.astype(np.float32), **columns), logs, in_fold, given


def brought_to(values, others):
    """Return values with the median and the median deviation of others."""
    spread = median_abs_deviation(others) / median_abs_deviation(values)
    return (values - np.median(values)) * spread + np.median(others)


def test_models_that_saw_the_label_make_three_tenths_of_the_photos_margin():
    evidence, logs, in_fold, given = watched()
    belief = evidence.belief
    out, within = margins(logs, given), margins(in_fold.astype(np.float32).astype(float), given)
    shift = 0.3 * belief.weights[:, 0] * (brought_to(within, out) - out)
    assert belief.shift == pytest.approx(shift, abs=1e-6)
    without = replace(evidence, in_fold=None).belief
    # both are calibrated, each by its own factor
    factor = belief.weights[0, 0] / without.weights[0, 0]
    each = np.arange(len(given))
    assert belief.logs[:][each, given] == pytest.approx(factor * without.logs[:][each, given] + belief.shift, abs=1e-6)
    other = (given + 1) % 3
    assert belief.logs[:][each, other] == pytest.approx(factor * without.logs[:][each, other], abs=1e-6)
    # and the photo answers for all of it
    log_odds = belief.weights[:, 0] * (
        belief.sources[0].log_likelihood[:][each, other] - belief.sources[0].log_likelihood[:][each, given]
    )
    assert belief.log_odds(each, given, other)["photo"] == pytest.approx(log_odds - belief.shift)


def test_listings_of_the_test_set_are_compared_among_themselves():
    test = np.arange(60) % 5 == 0
    evidence, logs, in_fold, given = watched(split=np.where(test, "test", "train"))
    assert np.bincount(given[~test]).tolist() == [16] * 3
    out, within = margins(logs, given), margins(in_fold.astype(np.float32).astype(float), given)
    for rows in (test, ~test):
        shift = 0.3 * evidence.belief.weights[rows, 0] * (brought_to(within[rows], out[rows]) - out[rows])
        assert evidence.belief.shift[rows] == pytest.approx(shift, abs=1e-6)


def test_a_listing_without_a_label_or_a_photo_gets_no_such_shift():
    evidence, _, _, _ = watched()
    label, probs = evidence.listings["label"].copy(), evidence.probs.copy()
    label[3], probs[7] = None, np.nan
    shift = replace(evidence, listings=evidence.listings.assign(label=label), probs=probs).belief.shift
    assert np.flatnonzero(shift == 0).tolist() == [3, 7]


def test_models_that_all_say_the_same_of_their_own_labels_shift_nothing():
    evidence, _, _, given = watched()
    in_fold = np.full((60, 3), np.log(0.1))
    in_fold[np.arange(60), given] = np.log(0.8)
    assert not replace(evidence, in_fold=in_fold.astype(np.float32)).belief.shift.any()


def test_labels_are_judged_whose_class_the_model_had_seen_and_learnt_from_unless_they_are_of_the_test_set():
    trained = np.ones((60, 3), dtype=bool)
    trained[4, 1] = False
    evidence, _, _, _ = watched(trained=trained, split=["test"] * 2 + ["train"] * 58)
    belief = evidence.belief
    assert np.flatnonzero(~belief.judged).tolist() == [4]
    assert belief.observed.all()
    assert belief.learnable.tolist() == [2, 3, *range(5, 60)]
    # in the order of the ids, whatever that of the rows
    turned = replace(
        evidence,
        listings=evidence.listings.iloc[::-1].reset_index(drop=True),
        probs=evidence.probs[::-1],
        trained=trained[::-1],
        in_fold=evidence.in_fold[::-1],
    )
    assert turned.belief.learnable.tolist() == [59 - row for row in belief.learnable]


def test_nothing_is_believed_without_sources_or_labels_or_another_class():
    evidence, _, _, _ = watched()
    nothing = evidence.listings["label"].where(evidence.given < 0)
    assert replace(evidence, listings=evidence.listings.assign(label=nothing)).belief is None
    assert evidence_of(["cable"] * 4).belief is None
    assert evidence_of(["cable"] * 4, ("cable",), probs=np.ones((4, 1))).belief is None


def test_listings_without_folds_are_dealt_out_by_their_ids_into_five():
    evidence = evidence_of(["cable"] * 40, fold=-1)
    fold = evidence.fold
    assert set(fold) == set(range(5))
    turned = replace(evidence, listings=evidence.listings.iloc[::-1])
    assert np.array_equal(turned.fold, fold[::-1])
    some = replace(evidence, listings=evidence.listings.assign(fold=[-1, *[0] * 39]))
    assert np.array_equal(some.fold, fold)
