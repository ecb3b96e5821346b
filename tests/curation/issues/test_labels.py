"""Wrong labels that several sources together find, on listings with planted noise."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from curation.evidence.calibration import temperature
from curation.evidence.evidence import Evidence
from curation.evidence.log_odds import margins, softmax, standing_of
from curation.evidence.pool import learn_weights
from curation.evidence.sources import Source, class_sizes
from curation.issues import find_issues
from curation.issues.label.chances import flags_from
from curation.issues.label.judge import judge
from curation.issues.label.noise import choose_cut, confusions, noise_where_sure, suggestion_confidence
from tests.support.photo_facts import nothing_found

WORDS = ("cable", "laptop", "mouse", "printer", "tablet", "webcam")


def planted(n=600, classes=4, noise=0.1, sure=3.0, seed=0, sizes=None):
    """Return evidence as a run has it, the true classes, and which given labels are wrong; the photo alone tells."""
    rng = np.random.default_rng(seed)
    true = rng.choice(classes, n, p=sizes)
    wrong = rng.random(n) < noise
    given = np.where(wrong, (true + rng.integers(1, classes, n)) % classes, true)
    names = tuple(f"{WORDS[k % len(WORDS)]} {k}" for k in range(classes))
    logits = rng.normal(0, 1, (n, classes))
    logits[np.arange(n), true] += sure
    # a model that has learnt from labels with noise is not surer than they allow
    probs = (1 - noise) * softmax(logits) + noise / classes
    listings = pd.DataFrame(
        {
            "id": pd.array([f"L{i:05d}" for i in rng.permutation(n)], dtype="string"),
            "image": pd.array([f"{i}.jpg" for i in range(n)], dtype="string"),
            "label": pd.array([names[k] for k in given], dtype="string"),
            "title": pd.array([pd.NA] * n, dtype="string"),
            "price": np.full(n, np.nan),
            "fold": rng.integers(0, 5, n),
            "split": pd.array(["train"] * n, dtype="string"),
        }
    )
    return Evidence(listings, names, probs, np.ones((n, classes), dtype=bool)), true, wrong


def priced(evidence, true, seed=1, spread=0.6):
    """Return the evidence with prices that tell the classes apart, more or less."""
    chance = np.random.default_rng(seed).normal(0, spread, len(true))
    return replace(evidence, listings=evidence.listings.assign(price=10.0 * 4.0**true * np.exp(chance)))


def titled(evidence, true, seed=1, share=0.7):
    """Return the evidence with titles, most of which name what is sold."""
    says = np.random.default_rng(seed).random(len(true)) < share
    titles = [
        f"good {evidence.classes[k]} for sale" if tells else "for sale" for k, tells in zip(true, says, strict=True)
    ]
    return replace(evidence, listings=evidence.listings.assign(title=pd.array(titles, dtype="string")))


def blind(evidence):
    """Return the evidence with a photo model that knows nothing."""
    return replace(evidence, probs=np.full_like(evidence.probs, 1 / len(evidence.classes)))


def precision_and_recall(judgement, wrong):
    """Return the share of wrong labels among the flagged ones, and the share of them that is flagged."""
    return wrong[judgement.flagged].mean(), judgement.flagged[wrong].mean()


@pytest.mark.parametrize(("classes", "noise"), [(2, 0.1), (4, 0.02), (4, 0.1), (4, 0.4), (30, 0.1)])
def test_planted_wrong_labels_are_flagged_and_few_others(classes, noise):
    evidence, _, wrong = planted(1500, classes, noise, sure=5.0)
    precision, recall = precision_and_recall(judge(evidence), wrong)
    assert precision > 0.75
    assert recall > 0.75


def test_labels_that_are_all_right_get_few_flags():
    evidence, _, _ = planted(noise=0.0, sure=5.0)
    assert judge(evidence).flagged.mean() < 0.03


@pytest.mark.parametrize(("extra", "options"), [(priced, {"spread": 0.3}), (titled, {})], ids=["price", "title"])
def test_each_source_finds_wrong_labels_by_itself(extra, options):
    evidence, true, wrong = planted()
    precision, recall = precision_and_recall(judge(extra(blind(evidence), true, **options)), wrong)
    assert precision > 0.6
    assert recall > 0.5


@pytest.mark.parametrize("noise", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("share", [0.5, 0.7, 0.9])
def test_what_says_nothing_is_not_flagged_and_hides_no_wrong_label(share, noise):
    evidence, true, wrong = planted(noise=noise)
    evidence = titled(blind(evidence), true, share=share)
    says = evidence.listings["title"].str.startswith("good").to_numpy()
    flagged = judge(evidence).flagged
    assert wrong[flagged].mean() > 0.4
    assert flagged[wrong & says].mean() > 0.9


def test_sources_together_find_more_than_each_alone():
    evidence, true, wrong = planted(1500, sure=2.0)
    n = wrong.sum()

    def first(evidence):
        return wrong[np.argsort(judge(evidence).score, kind="stable")[:n]].mean()

    alone = [first(evidence), first(priced(blind(evidence), true)), first(titled(blind(evidence), true))]
    assert first(titled(priced(evidence, true), true)) > max(alone) + 0.02


def test_suggestions_name_the_true_class_and_sure_ones_are_right():
    evidence, true, wrong = planted(2000)
    judgement = judge(priced(evidence, true))
    sure = judgement.confidence >= 0.9
    assert sure.sum() > 50
    assert (judgement.suggested[sure] == true[sure]).mean() > 0.9
    assert (judgement.suggested[wrong] == true[wrong]).mean() > 0.8


def test_the_score_is_the_chance_that_the_label_is_right_and_decides_the_flags():
    judgement = judge(planted()[0])
    assert ((judgement.score >= 0) & (judgement.score <= 1)).all()
    assert np.array_equal(judgement.flagged, 1 - judgement.score >= flags_from(1 - judgement.score))


def test_a_flag_always_comes_with_a_suggestion_that_is_another_class():
    evidence, _, _ = planted()
    judgement = judge(evidence)
    assert (judgement.suggested[judgement.flagged] >= 0).all()
    assert (judgement.suggested != evidence.given).all()
    assert np.isnan(judgement.confidence[judgement.suggested < 0]).all()


def test_shuffled_rows_give_the_same_judgement_by_id():
    evidence, true, _ = planted()
    evidence = titled(priced(evidence, true), true)
    order = np.random.default_rng(1).permutation(len(true))
    shuffled = replace(
        evidence, listings=evidence.listings.iloc[order], probs=evidence.probs[order], trained=evidence.trained[order]
    )
    first, second = judge(evidence), judge(shuffled)
    assert np.allclose(first.score[order], second.score, atol=1e-6)
    assert np.array_equal(first.flagged[order], second.flagged)
    assert np.array_equal(first.suggested[order], second.suggested)


def test_the_same_evidence_gives_the_same_judgement():
    evidence, true, _ = planted()
    evidence = titled(priced(evidence, true), true)
    first, second = judge(evidence), judge(evidence)
    assert np.array_equal(first.score, second.score)
    assert np.array_equal(first.confidence, second.confidence, equal_nan=True)


def test_listings_without_a_label_change_nothing_for_the_others():
    evidence, _, _ = planted()
    label = evidence.listings["label"].copy()
    more = pd.concat([evidence.listings, evidence.listings.iloc[:50].assign(id=[f"M{i}" for i in range(50)])])
    more["label"] = pd.array([*label, *[pd.NA] * 50], dtype="string")
    rows = np.concatenate([np.arange(len(label)), np.arange(50)])
    both = judge(replace(evidence, listings=more, probs=evidence.probs[rows], trained=evidence.trained[rows]))
    alone = judge(evidence)
    assert np.array_equal(both.score[: len(label)], alone.score)
    assert (both.score[len(label) :] == 0).all()
    assert both.flagged[len(label) :].all()


def test_the_labels_of_the_test_set_have_no_say():
    evidence, _, _ = planted()
    test = np.arange(len(evidence.given)) % 5 == 0
    listings = evidence.listings.assign(split=pd.array(np.where(test, "test", "train"), dtype="string"))
    other = listings["label"].where(~test, evidence.classes[0])
    first = judge(replace(evidence, listings=listings))
    second = judge(replace(evidence, listings=listings.assign(label=other)))
    assert np.array_equal(first.score[~test], second.score[~test])


def test_a_missing_price_or_title_lowers_nothing():
    evidence, true, _ = planted()
    rich = titled(priced(evidence, true), true)
    missing = np.arange(len(true)) % 2 == 0
    listings = rich.listings.assign(
        price=rich.listings["price"].where(~missing), title=rich.listings["title"].where(~missing)
    )
    judgement, photo = judge(replace(rich, listings=listings)), judge(evidence)
    sound = evidence.given == true
    assert np.isfinite(judgement.score).all()
    # half of the listings have the photo alone, and are judged about as before
    assert abs(judgement.score[missing & sound].mean() - photo.score[missing & sound].mean()) < 0.05


def test_listings_without_a_photo_are_judged_by_the_rest_and_without_anything_not_at_all():
    evidence, true, _ = planted()
    probs = evidence.probs.copy()
    probs[:20] = np.nan
    rich = replace(priced(evidence, true), probs=probs)
    rich.listings.loc[:4, "price"] = np.nan
    judgement = judge(rich)
    assert np.isnan(judgement.score[:5]).all()
    assert not judgement.flagged[:5].any()
    assert np.isfinite(judgement.score[5:]).all()


def test_reasons_say_which_sources_spoke():
    evidence, true, wrong = planted()
    rich = titled(priced(evidence, true), true)
    reasons = find_issues(with_photo_columns(rich))["reasons"]
    flagged = reasons[wrong & judge(rich).flagged]
    assert flagged.str.contains("photo, title and price say so").mean() > 0.3


def with_photo_columns(evidence):
    n = len(evidence.listings)
    return replace(
        evidence,
        listings=evidence.listings.assign(
            sha256=pd.array([str(i) for i in range(n)], dtype="string"),
            **nothing_found(n),
            unreadable=pd.array([pd.NA] * n, dtype="string"),
        ),
    )


def test_a_repost_under_another_label_speaks_for_that_label_and_counts_for_nothing_where_all_agree():
    evidence = planted(noise=0)[0]
    label, near = evidence.listings["label"].copy(), pd.Series(pd.NA, evidence.listings.index, dtype="Int64")
    for group, rows in enumerate(np.arange(60).reshape(20, 3)):
        near.iloc[rows] = group
        label.iloc[rows] = label.iloc[rows[0]]
    other = next(name for name in evidence.classes if name != label[0])
    label[0] = other
    listings = evidence.listings.assign(label=label, near_group=near, sha256=evidence.listings["id"], unreadable=pd.NA)
    source = replace(evidence, listings=listings).sources[-1]
    assert source.name == "reposts"
    assert np.flatnonzero(source.observed).tolist() == list(range(60))
    classes = list(evidence.classes)
    # the first is outvoted by two; of the second, one says this and one says that
    assert classes[source.log_likelihood[:][0].argmax()] == label[1]
    assert source.log_likelihood[:][1, classes.index(other)] == pytest.approx(
        source.log_likelihood[:][1, classes.index(label[1])]
    )
    assert classes[source.log_likelihood[:][4].argmax()] == label[4]


def test_labels_of_reposts_in_the_test_set_have_no_vote():
    evidence = planted(noise=0)[0]
    near = pd.Series(pd.NA, evidence.listings.index, dtype="Int64")
    near.iloc[:6] = [0, 0, 0, 1, 1, 1]
    split = pd.Series("train", evidence.listings.index)
    split.iloc[:3] = "test"
    listings = evidence.listings.assign(near_group=near, sha256=evidence.listings["id"], unreadable=pd.NA, split=split)
    source = replace(evidence, listings=listings).sources[-1]
    assert np.flatnonzero(source.observed).tolist() == [3, 4, 5]


def test_reasons_say_which_sources_spoke_against_it():
    evidence, true, wrong = planted(sure=6.0)
    odd = np.flatnonzero(wrong)[:5]
    rich = priced(evidence, true, spread=0.9)
    # the price that sellers of what it is given as would ask
    rich.listings.loc[odd, "price"] = 10.0 * 4.0 ** evidence.given[odd]
    reasons = find_issues(with_photo_columns(rich))["reasons"]
    assert reasons[odd].str.contains("photo says so, price says otherwise").any()


def test_a_stray_price_does_not_overrule_a_sure_photo():
    evidence, true, _ = planted(noise=0.05, sure=6.0)
    rich = priced(evidence, true)
    row = int(np.flatnonzero(evidence.given == true)[0])
    rich.listings.loc[row, "price"] = 123456.0
    assert judge(rich).score[row] > 0.5


def test_a_rare_class_is_neither_flagged_wholesale_nor_ignored():
    sizes = np.array([0.49, 0.4, 0.1, 0.01])
    evidence, true, _ = planted(1500, noise=0.0, sure=4.0, sizes=sizes / sizes.sum())
    rare = np.flatnonzero(true == 3)
    assert 8 <= len(rare) <= 25
    # five others are given as the rare class, and five of it as another
    label = evidence.listings["label"].copy()
    common, strays = np.flatnonzero(true == 0)[:5], rare[:5]
    label.iloc[common], label.iloc[strays] = evidence.classes[3], evidence.classes[0]
    judgement = judge(replace(evidence, listings=evidence.listings.assign(label=label)))
    assert judgement.flagged[np.r_[common, strays]].sum() >= 8
    assert judgement.flagged[rare[5:]].mean() < 0.25


def test_in_fold_evidence_finds_labels_that_even_their_own_models_doubt():
    evidence, _, wrong = planted(sure=1.5)
    given, n = evidence.given, len(wrong)
    # models that were trained on the label believe it more, wrong ones less so
    logs = np.log(evidence.probs)
    logs[np.arange(n), given] += np.where(wrong, 0.5, 2.0)
    helped = replace(evidence, in_fold=np.log(softmax(logs)).astype(np.float32))

    def first(evidence):
        return wrong[np.argsort(judge(evidence).score, kind="stable")[: wrong.sum()]].mean()

    assert first(helped) > first(evidence)


def test_probabilities_that_were_brought_are_ranked_by_their_margin():
    evidence, _, _ = planted()
    judgement = judge(replace(evidence, trained=None))
    margin = margins(np.log(evidence.probs), evidence.given)
    assert np.array_equal(np.argsort(judgement.score, kind="stable"), np.argsort(margin, kind="stable"))


def test_listings_without_folds_get_some_and_what_must_stay_together_does():
    evidence, _, _ = planted(300)
    group = pd.array([f"seller {i // 3}" if i < 60 else pd.NA for i in range(300)], dtype="string")
    photo = pd.array([f"photo {i // 2}" for i in range(300)], dtype="string")
    listings = evidence.listings.drop(columns="fold").assign(group=group, sha256=photo, **nothing_found(300))
    fold = replace(evidence, listings=listings, trained=None).fold
    assert set(fold) == {0, 1, 2, 3, 4}
    assert (fold[::2] == fold[1::2]).all()
    assert (fold[0:60:3] == fold[1:60:3]).all()


@pytest.mark.parametrize("n", [2, 30])
def test_few_listings_are_judged(n):
    evidence, true, _ = planted(n, classes=2)
    assert np.isfinite(judge(titled(priced(evidence, true), true)).score).all()


def test_a_thousand_classes_are_judged():
    evidence, _, wrong = planted(1500, classes=1000, sure=9.0)
    precision, recall = precision_and_recall(judge(evidence), wrong)
    assert precision > 0.7
    assert recall > 0.7


def test_a_class_that_is_absent_from_a_fold_is_judged_elsewhere():
    evidence, true, _ = planted()
    fold = evidence.listings["fold"].where(evidence.given != 2, 0)
    trained = evidence.trained.copy()
    trained[(fold == 0).to_numpy(), 2] = False
    rich = titled(priced(replace(evidence, listings=evidence.listings.assign(fold=fold), trained=trained), true), true)
    judgement = judge(rich)
    assert np.isnan(judgement.score[evidence.given == 2]).all()
    assert np.isfinite(judgement.score[evidence.given != 2]).all()


def test_identical_rows_are_judged_alike():
    evidence, _, _ = planted(60)
    same = np.tile([0.4, 0.3, 0.2, 0.1], (60, 1))
    judgement = judge(replace(evidence, probs=same, in_fold=np.log(same).astype(np.float32)))
    for k in range(4):
        assert np.ptp(judgement.score[evidence.given == k]) < 1e-9


def test_one_class_alone_can_not_be_wrong():
    evidence, _, _ = planted(30, classes=2)
    one = replace(
        evidence,
        listings=evidence.listings.assign(label=pd.array(["cable 0"] * 30, dtype="string")),
        classes=("cable 0",),
        probs=np.ones((30, 1)),
        trained=np.ones((30, 1), dtype=bool),
    )
    assert not judge(one).flagged.any()


def test_no_evidence_at_all_judges_nobody():
    evidence, _, _ = planted(30)
    judgement = judge(replace(evidence, probs=np.full_like(evidence.probs, np.nan)))
    assert np.isnan(judgement.score).all()
    assert not judgement.flagged.any()


def test_a_source_that_knows_nothing_gets_no_weight():
    evidence, _, _ = planted(1500)
    chance = np.random.default_rng(0).normal(0, 1, evidence.probs.shape)
    sources = [*evidence.sources, Source("title", chance, np.ones(1500, dtype=bool))]
    weights = learn_weights(sources, class_sizes(evidence), evidence.given, evidence.fold, np.arange(1500))
    assert (weights[:, 0] > 0.8).all()
    assert (weights[:, 1] < 0.1).all()


def test_weights_of_a_fold_do_not_depend_on_its_own_labels():
    evidence, true, _ = planted()
    rich = titled(evidence, true)
    sources, sizes, rows = rich.sources, class_sizes(rich), np.arange(len(true))
    first = learn_weights(sources, sizes, rich.given, rich.fold, rows)
    second = learn_weights(sources, sizes, np.where(rich.fold == 2, 0, rich.given), rich.fold, rows)
    assert np.array_equal(first[2], second[2])
    assert not np.array_equal(first[1], second[1])


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_beliefs_that_are_too_sure_or_not_sure_enough_are_calibrated(factor):
    rng = np.random.default_rng(0)
    logs = rng.normal(0, 2, (5000, 3))
    labels = np.array([rng.choice(3, p=row) for row in softmax(logs)])
    assert temperature(logs / factor, labels) == pytest.approx(factor, rel=0.1)


def test_the_cut_flags_a_share_that_fits_itself():
    rng = np.random.default_rng(0)
    many = choose_cut(np.r_[rng.normal(-3, 1, 400), rng.normal(3, 1, 600)], 2.0)
    few = choose_cut(np.r_[rng.normal(-3, 1, 20), rng.normal(3, 1, 980)], 2.0)
    assert few < many <= 0
    assert choose_cut(np.empty(0), 1.0) <= 0


def test_wrong_labels_that_spread_over_more_classes_need_stronger_evidence():
    margin = np.random.default_rng(0).normal(1, 2, 1000)
    assert choose_cut(margin, 5.0) < choose_cut(margin, 2.0)


def test_labels_spread_over_as_many_classes_as_there_are_confusions():
    best = np.repeat([0, 1], 30)
    assert confusions(np.repeat([1, 0], 30), best, 4) == pytest.approx(1)
    assert confusions(np.r_[np.tile([1, 2, 3], 10), np.tile([0, 2, 3], 10)], best, 4) == pytest.approx(3)
    assert confusions(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), 4) == 1


def test_more_noise_among_sure_listings_makes_suggestions_surer():
    probs = np.array([[0.1, 0.8, 0.1]])
    given, suggested = np.array([0]), np.array([1])
    low, high = (
        suggestion_confidence(probs, given, suggested, share=share, candidates=2.0)[0] for share in (0.02, 0.2)
    )
    assert 0 < low < high < 1
    unlabelled = suggestion_confidence(probs, np.array([-1]), suggested, share=0.02, candidates=2.0)[0]
    assert unlabelled == pytest.approx(0.8, abs=0.02)


def test_noise_is_measured_where_the_model_is_sure():
    probs = np.r_[np.tile([0.99, 0.01], (100, 1)), np.tile([0.5, 0.5], (900, 1))]
    given = np.r_[np.ones(10), np.zeros(90), np.ones(900)].astype(np.int64)
    assert noise_where_sure(standing_of(np.log(probs), given)) == pytest.approx(0.1, abs=0.01)
