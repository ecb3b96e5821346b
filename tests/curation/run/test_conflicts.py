"""Listings on which reviewers disagree: what is a conflict, what settles it, and what holds meanwhile."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from curation.run.conflicts import conflicts, disputed, settled, spoken, take_back, with_note
from curation.run.journal import NOTE, PRICED, UNDO, Decision, current_decisions, holds, stacks_of, words_of
from curation.run.journal_lines import decoded, encoded
from curation.run.learned import taught


def said(action: str, by: str, label: str | None = None, price: float | None = None, **more: Any) -> Decision:
    return Decision(
        "a", action, label, by, more.pop("time", "2026-01-01"), more.pop("source", "page"), new_price=price, **more
    )


def journal(*decisions: tuple[Decision, bool | None]) -> list[Decision]:
    """Record decisions one after the other, each with whether the others' were in sight."""
    lines: list[Decision] = []
    for decision, saw in decisions:
        stack = stacks_of(lines).get("a", [])
        lines.append(take_back(decision, stack) if decision.action == UNDO else spoken(decision, stack, saw=saw))
    return lines


KEPT, DELETED = said("keep", "ana"), said("delete", "ben")


def test_who_decides_in_sight_of_the_other_settles_it_and_who_does_not_makes_a_conflict() -> None:
    assert conflicts(journal((KEPT, False), (DELETED, False))).keys() == {"a"}
    assert settled(journal((KEPT, False), (DELETED, False))) == {}
    after = journal((KEPT, False), (DELETED, True))
    assert (conflicts(after), settled(after)["a"].action) == ({}, "delete")


def test_where_it_is_not_known_what_was_in_sight_reviewers_conflict_until_one_comes_round() -> None:
    lines = [KEPT, DELETED]
    assert disputed(lines)
    assert not disputed([*lines, said("keep", "ben")])
    assert settled(lines, latest_wins=True)["a"].action == "delete"


def test_one_person_who_changes_their_mind_is_no_conflict_however_they_write_their_name() -> None:
    assert not conflicts([KEPT, said("delete", "Ana "), said("relabel", "ANA", "desk")])


def test_who_decides_blind_after_it_was_settled_makes_another_conflict() -> None:
    lines = journal((KEPT, False), (DELETED, True), (said("relabel", "cem", "desk"), False))
    assert [word.reviewer for word in conflicts(lines)["a"]] == ["ben", "cem"]
    assert not conflicts([*lines, *journal((said("keep", "ana", saw=True), None))])


@pytest.mark.parametrize("saw", [False, True, None])
def test_a_label_of_one_and_a_price_of_the_other_do_not_conflict_and_both_hold(saw: bool | None) -> None:
    label, price = said("relabel", "ana", "desk"), said("reprice", "ben", price=10.0)
    for lines in (journal((label, None), (price, saw)), journal((price, None), (label, saw))):
        assert not conflicts(lines)
        assert settled(lines)["a"].meaning == current_decisions(lines)["a"].meaning == ("relabel", "desk", 10.0)


def test_who_sets_a_price_blind_says_nothing_of_the_label_that_another_one_gave() -> None:
    lines = journal((said("relabel", "ana", "desk"), None), (said("reprice", "ben", price=10.0), False))
    assert lines[1].meaning == ("reprice", None, 10.0)


def test_two_prices_conflict_and_so_does_a_price_with_who_keeps_all_as_it_is() -> None:
    cheap, dear = said("reprice", "ana", price=10.0), said("reprice", "ben", price=12.0)
    assert disputed(journal((cheap, None), (dear, False)))
    assert disputed(journal((cheap, None), (said("keep", "ben"), False)))
    settling = journal((cheap, None), (dear, False), (said("reprice", "cem", price=11.0), True))
    assert settled(settling)["a"].new_price == 11.0


def test_a_price_settles_no_conflict_about_the_label() -> None:
    lines = journal((said("relabel", "ana", "desk"), None), (said("relabel", "ben", "lamp"), False))
    lines += [spoken(said("reprice", "cem", price=10.0), stacks_of(lines)["a"], saw=True)]
    assert disputed(stacks_of(lines)["a"])
    lines += [spoken(said("relabel", "dia", "desk"), stacks_of(lines)["a"], saw=True)]
    assert settled(lines)["a"].meaning == ("relabel", "desk", 10.0)


@pytest.mark.parametrize("saw", [False, True, None])
def test_a_price_beside_a_conflict_takes_no_label_away(saw: bool | None) -> None:
    price = said("reprice", "cem", price=10.0), saw
    lines = journal((said("relabel", "ana", "desk"), None), (said("relabel", "ben", "lamp"), False), price)
    assert settled(lines, latest_wins=True)["a"].meaning == ("relabel", "lamp", 10.0)
    lines.append(take_back(said(UNDO, "ben"), lines))
    assert settled(lines)["a"].meaning == ("relabel", "desk", 10.0)


@pytest.mark.parametrize("saw", [False, True, None])
def test_a_label_beside_a_conflict_takes_no_price_away(saw: bool | None) -> None:
    label = said("relabel", "cem", "desk"), saw
    lines = journal((said("reprice", "ana", price=5.0), None), (said("reprice", "ben", price=7.0), False), label)
    assert settled(lines, latest_wins=True)["a"].meaning == ("relabel", "desk", 7.0)
    lines.append(take_back(said(UNDO, "ben"), lines))
    assert settled(lines)["a"].meaning == ("relabel", "desk", 5.0)


@pytest.mark.parametrize("saw", [False, True, None])
def test_a_price_does_not_make_the_label_of_its_reviewer_the_later_one(saw: bool | None) -> None:
    price = said("reprice", "ana", price=77.0), saw
    lines = journal((said("relabel", "ana", "desk"), None), (said("relabel", "ben", "lamp"), False), price)
    assert settled(lines, latest_wins=True)["a"].meaning == ("relabel", "lamp", 77.0)
    assert [word.meaning for word in conflicts(lines)["a"]] == [("relabel", "lamp", None), ("relabel", "desk", 77.0)]
    lines.append(take_back(said(UNDO, "ben"), lines))
    assert settled(lines)["a"].meaning == ("relabel", "desk", 77.0)


def test_who_gave_a_price_in_sight_of_a_label_has_no_word_on_the_label() -> None:
    lines = journal((said("relabel", "ana", "desk"), None), (said("reprice", "ben", price=5.0), True))
    lines.append(spoken(said("relabel", "ana", "lamp"), lines, saw=False))
    assert settled(lines)["a"].meaning == ("relabel", "lamp", 5.0)
    lines.append(take_back(said(UNDO, "ben"), lines))
    assert settled(lines)["a"].meaning == ("relabel", "lamp", None)


def test_an_undo_takes_back_ones_own_word_and_that_of_others_only_if_there_is_none() -> None:
    lines = journal((KEPT, False), (DELETED, False))
    own = take_back(said(UNDO, "ana"), stacks_of(lines)["a"])
    assert (own.saw, settled([*lines, own])["a"]) == (False, lines[1])
    latest = take_back(said(UNDO, "ben"), stacks_of(lines)["a"])
    assert (latest.saw, settled([*lines, latest])["a"]) == (None, lines[0])
    other = take_back(said(UNDO, "cem"), stacks_of(lines)["a"])
    assert settled([*lines, other])["a"] == lines[0]


def test_an_undo_of_what_settled_a_conflict_brings_it_back() -> None:
    lines = journal((KEPT, False), (DELETED, False), (said("keep", "cem"), True))
    assert settled(lines)["a"].reviewer == "cem"
    assert conflicts([*lines, *journal((said(UNDO, "cem"), None))]).keys() == {"a"}


def test_an_undo_of_an_earlier_version_takes_the_latest_back_whoever_said_it() -> None:
    assert current_decisions([KEPT, DELETED, said(UNDO, "ana")]) == {"a": KEPT}


def test_a_note_on_a_conflict_or_on_a_decision_of_another_one_is_nobodys_word() -> None:
    lines = journal((KEPT, False), (DELETED, False))
    note = with_note(said(NOTE, "ana", note="hm"), lines)
    assert (note.action, note.note) == (NOTE, "hm")
    assert conflicts([*lines, note]).keys() == {"a"}
    others = with_note(said(NOTE, "ben", note="sure"), [KEPT])
    assert (others.action, others.reviewer, others.note, others.saw) == (NOTE, "ben", "sure", None)
    assert settled([KEPT, others, *journal((said(UNDO, "ana"), None))]) == {}
    own = with_note(said(NOTE, "ana", note="sure"), [KEPT])
    assert (own.action, own.note) == ("keep", "sure")


def test_a_suggestion_that_was_accepted_without_a_review_is_nobodys_word() -> None:
    accepted = said("relabel", "curate", "desk", source="suggestion")
    assert not conflicts([accepted, KEPT])
    assert words_of([accepted]) == []
    assert holds([accepted]) == accepted


def test_who_adds_a_price_to_an_accepted_suggestion_does_not_take_its_label_for_their_own() -> None:
    accepted = said("relabel", "curate", "desk", source="suggestion")
    lines = [accepted, spoken(said("reprice", "ben", price=9.0), [accepted], saw=False)]
    assert settled(lines)["a"].meaning == ("relabel", "desk", 9.0)
    lines.append(spoken(said("relabel", "ana", "lamp"), lines, saw=False))
    assert settled(lines)["a"].meaning == ("relabel", "lamp", 9.0)


def test_a_listing_in_conflict_teaches_nothing_until_it_is_settled() -> None:
    lines = journal((KEPT, False), (DELETED, False))
    assert taught(lines) == {}
    assert taught([*lines, said("delete", "cem", saw=True)])["a"].reviewer == "cem"


def test_the_journal_says_what_was_in_sight_only_where_somebody_else_had_decided() -> None:
    lines = [encoded(each, number, "2026") for number, each in enumerate((KEPT, said("delete", "ben", saw=False)), 1)]
    assert [(b'"saw"' in line, b'"format": 3' in line) for line in lines] == [(False, False), (True, True)]
    assert [decoded(line.strip()).content for line in lines] == [KEPT, said("delete", "ben", saw=False)]


def meanings(words: Sequence[Decision]) -> list[tuple[str, str]]:
    return [(word.reviewer, word.action) for word in words]


def test_keeping_one_of_the_reposts_conflicts_with_who_keeps_another_one() -> None:
    ana = [Decision("a", "keep", None, "ana", "1", "page"), Decision("b", "delete", None, "ana", "1", "page")]
    ben = [
        Decision("a", "delete", None, "ben", "2", "page", saw=False),
        Decision("b", "keep", None, "ben", "2", "page", saw=False),
    ]
    found = conflicts([*ana, *ben])
    assert {id: meanings(words) for id, words in found.items()} == {
        "a": [("ana", "keep"), ("ben", "delete")],
        "b": [("ana", "delete"), ("ben", "keep")],
    }


def label_of(decision: Decision) -> tuple[str, str | None]:
    return ("none", None) if decision.action == "reprice" else (decision.action, decision.new_label)


def check_what_holds(stack: Sequence[Decision]) -> None:
    """What holds is what the words say, where they do not contradict each other."""
    words, held = words_of(stack), holds(stack)
    labels = {label_of(word) for word in words if word.action != "reprice"}
    prices = {word.new_price for word in words if word.new_price is not None}
    if disputed(stack):
        # the later one holds
        assert label_of(held) in labels | {("none", None)}
        assert held.new_price in prices | {None}
    else:
        assert label_of(held) == (next(iter(labels)) if labels else ("none", None))
        assert held.new_price == (next(iter(prices)) if prices else None)


@pytest.mark.parametrize("seed", range(300))
def test_no_label_and_no_price_is_lost_by_what_others_say_of_the_rest(seed: int) -> None:
    draw, lines = random.Random(seed), list[Decision]()
    for number in range(12):
        who = draw.choice(["ana", "ben", "cem"])
        action = draw.choice(["relabel", "relabel", "reprice", "reprice", "keep", "delete", "ambiguous", NOTE, UNDO])
        label = draw.choice(["desk", "lamp"]) if action == "relabel" else None
        price = draw.choice([5.0, 7.0]) if action == "reprice" or draw.random() < 0.2 else None
        word = said(action, who, label, price if action in PRICED else None, time=f"{number:02}")
        stack = stacks_of(lines).get("a", [])
        if action == UNDO:
            line = take_back(word, stack)
            own = [each for each in stack if each.reviewer == who][-1:]
            if line.saw is False and own[0].saw and stack[-1].saw is None:
                continue  # whether the later word was meant to settle what comes back is not known
        elif action == NOTE:
            line = with_note(word, stack)
        else:
            line = spoken(word, stack, saw=draw.choice([False, True, None]))
        after = stacks_of([*lines, line])["a"]
        lines.append(line)
        if after:
            check_what_holds(after)
        if action == NOTE:
            assert [each.meaning for each in words_of(after)] == [each.meaning for each in words_of(stack)]
        if action not in (NOTE, UNDO):
            assert stacks_of([*lines, take_back(said(UNDO, who), after)])["a"] == stack
        has_whole = any(each.reviewer == who and each.action in ("keep", "delete") for each in words_of(stack))
        if stack and after and action in PRICED and holds(stack).action in PRICED and not has_whole:
            before, held = holds(stack), holds(after)
            assert label_of(held) == (label_of(before) if action == "reprice" else label_of(word))
            assert held.new_price == (before.new_price if word.new_price is None else word.new_price)
