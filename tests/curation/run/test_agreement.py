"""How far reviewers agree: kappa and alpha against other sources, and which decisions count."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from curation.run.agreement import agreement_among
from curation.run.journal import Decision
from curation.run.reliability import Coefficient, agreement_of_pair, alpha, kappa


@pytest.mark.parametrize(("noise", "classes"), [(0.0, 3), (0.4, 2), (0.7, 5), (1.0, 12)])
def test_kappa_is_that_of_scikit_learn(noise: float, classes: int) -> None:
    rng = np.random.default_rng(classes)
    one = rng.integers(0, classes, 300)
    other = np.where(rng.random(300) < noise, rng.integers(0, classes, 300), one)
    found = kappa(list(zip(one.tolist(), other.tolist(), strict=True)))
    assert found.value == pytest.approx(cohen_kappa_score(one, other))
    assert found.low <= found.value <= found.high


def test_alpha_is_that_of_krippendorffs_example_of_four_observers_with_missing_values() -> None:
    # Krippendorff 2011, section C: nominal data, any number of observers, missing data
    observers = {
        "A": [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        "B": [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        "C": [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        "D": [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    }
    units = [{who: said[unit] for who, said in observers.items() if said[unit] is not None} for unit in range(12)]
    assert alpha(units).value == pytest.approx(0.743, abs=5e-4)


def test_alpha_is_that_of_krippendorffs_example_of_two_observers() -> None:
    # Krippendorff 2011, section A: binary data
    one, other = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    assert alpha([{"A": a, "B": b} for a, b in zip(one, other, strict=True)]).value == pytest.approx(0.095, abs=5e-4)


def test_the_interval_of_kappa_holds_the_true_one_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    # both say the truth four times in five, else one of four classes by chance
    agree = 0.8 * 0.8 + (1 - 0.8 * 0.8) / 4
    true, hits = (agree - 0.25) / 0.75, 0
    for _ in range(200):
        truth = rng.integers(0, 4, 150)
        one, other = (np.where(rng.random(150) < 0.8, truth, rng.integers(0, 4, 150)) for _ in range(2))
        found = kappa(list(zip(one.tolist(), other.tolist(), strict=True)))
        hits += found.low <= true <= found.high
    assert 180 <= hits <= 198


def test_who_says_the_same_of_all_has_no_kappa_and_of_few_there_is_no_interval() -> None:
    nothing = Coefficient(None, None, None)
    assert kappa([("a", "a")] * 20) == alpha([{"x": "a", "y": "a"}] * 20) == kappa([]) == alpha([]) == nothing
    assert kappa([("a", "a"), ("b", "b"), ("b", "a")]).low is None
    assert agreement_of_pair([("a", "a"), ("a", "b")]) == Coefficient(0.5, None, None)


def said(id: str, by: str, action: str = "keep", label: str | None = None, **more: Any) -> Decision:
    return Decision(id, action, label, by, "2026-01-01", more.pop("source", "page"), **more)


def found(*stacks: list[Decision]) -> list[tuple[tuple[str, str], int, float]]:
    given = {decision.id: "chair" for stack in stacks for decision in stack}
    among = agreement_among(stacks, given, 0)
    return [(pair.reviewers, pair.listings, pair.share.value) for pair in among.pairs]


def test_decisions_that_were_made_in_sight_of_the_other_do_not_count() -> None:
    blind = [said("a", "ana"), said("a", "ben", "delete", saw=False)]
    assert found(blind) == [(("ana", "ben"), 1, 0.0)]
    # who comes round later has said something else before
    assert found([*blind, said("a", "ben", saw=True)]) == [(("ana", "ben"), 1, 0.0)]
    assert found([said("a", "ana"), said("a", "ben", saw=True)]) == []
    # a journal of an earlier version does not say what was in sight
    assert found([said("a", "ana"), said("a", "ben")]) == []


def test_who_corrects_their_own_word_before_they_saw_the_other_counts_with_the_later() -> None:
    assert found([said("a", "ana", "delete"), said("a", "ANA"), said("a", "ben", saw=False)]) == [
        (("ana", "ben"), 1, 1.0)
    ]


def test_to_keep_a_label_and_to_relabel_to_it_is_the_same_answer_and_a_price_is_none() -> None:
    same = [said("a", "ana"), said("a", "ben", "relabel", "chair", saw=False)]
    priced = [said("b", "ana"), said("b", "ben", "reprice", new_price=1.0, saw=False)]
    assert found(same, priced) == [(("ana", "ben"), 1, 1.0)]


def test_conflicts_that_an_earlier_run_left_and_accepted_suggestions_do_not_count() -> None:
    earlier = [said("a", "ana", source="earlier run"), said("a", "ben", "delete", source="earlier run", saw=False)]
    suggested = [said("b", "curate", source="suggestion"), said("b", "ben", saw=False)]
    assert found(earlier, suggested) == []


def test_an_accepted_suggestion_before_them_hides_nobody_s_word() -> None:
    suggested = said("a", "me", "relabel", "desk", source="suggestion")
    assert found([suggested, said("a", "ana"), said("a", "ben", "delete", saw=False)]) == [(("ana", "ben"), 1, 0.0)]


def test_a_word_counts_that_was_taken_back_in_sight_of_the_other_one_and_not_one_from_before() -> None:
    ana, ben = said("a", "ana"), said("a", "ben", "delete", saw=False)
    undo = said("a", "ana", "undo", saw=False)
    apart = [(("ana", "ben"), 1, 0.0)]
    assert found([ana, ben, undo]) == found([ana, ben, undo, said("a", "ana", "delete", saw=True)]) == apart
    # ben has taken his own back since, and has seen hers
    assert found([ana, ben, undo, said("a", "ben", "undo"), said("a", "ben")]) == apart
    assert found([said("a", "ana", "delete"), said("a", "ana", "undo"), ana, ben]) == apart
    assert found([said("a", "ana"), said("a", "ana", "undo"), said("a", "ben", "delete")]) == []


def test_a_table_that_was_withdrawn_is_nobody_s_word() -> None:
    ana, ben = said("a", "ana"), said("a", "ben", "delete", saw=False, source="csv")
    assert found([ana, ben, said("a", "ana", "undo", source="undo")]) == []


def test_three_reviewers_have_a_kappa_for_each_two_and_one_alpha() -> None:
    stacks = [
        [
            said(f"{n}", "ana"),
            *(said(f"{n}", who, "delete" if n % 3 == 0 else "keep", saw=False) for who in ("ben", "cem")),
        ]
        for n in range(12)
    ]
    among = agreement_among(stacks, dict.fromkeys(map(str, range(12)), "chair"), 4)
    assert [(pair.reviewers, round(pair.share.value, 3)) for pair in among.pairs] == [
        (("ana", "ben"), 0.667),
        (("ana", "cem"), 0.667),
        (("ben", "cem"), 1.0),
    ]
    assert (among.reviewers, among.listings, among.conflicts) == (("ana", "ben", "cem"), 12, 4)
    assert among.alpha.low < among.alpha.value < among.alpha.high
    assert "all 3 on 12 listings: alpha" in str(among)
    assert among.to_dict()["pairs"][2]["kappa"]["value"] == 1.0
