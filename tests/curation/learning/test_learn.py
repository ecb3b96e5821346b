"""A run that is judged again with decisions: what they teach, and what they must not."""

import dataclasses
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import curation
from curation.errors import RunError
from curation.issues import KINDS
from curation.learning.follow import follow
from curation.learning.learn import learn, learned_evidence
from curation.run.folder import RunFolder
from curation.run.journal import Decision, current_decisions, in_order
from curation.run.journal_file import append
from curation.run.learned import DECIDED, LearnedState, held, read_learned, read_state, taught, write_state
from curation.run.status import AUDIT
from tests.support.reporters import Listener
from tests.support.tiny import tiny_probabilities, tiny_run

WHEN = "2026-01-01T10:00:00+00:00"


def said(id, action, label=None, **more):
    return Decision(id, action, label, "ana", WHEN, "app", **more)


def decisions_of(*all_of_them):
    return {decision.id: decision for decision in all_of_them}


@pytest.fixture(scope="module")
def unlearned(finished):
    """The run of the demo, judged again without any decision."""
    return learn(finished, {})


@pytest.fixture
def training(finished):
    """The listings that may be learned from, and have a photo and a label."""
    table = finished.training_table()
    return table[(table["split"] == "train") & table["label"].notna() & table["unreadable"].isna()]


def other_class(run, label):
    return next(name for name in run.classes if name != label)


@pytest.mark.parametrize("run", ["finished", "networked"])
def test_without_decisions_a_run_says_what_it_said(run, request):
    files = request.getfixturevalue(run)
    assert_frame_equal(learn(files, {}).issues, files.issues())


def test_the_users_own_probabilities_stay_as_they_are(tmp_path):
    run = RunFolder(tiny_run(tmp_path).folder)
    learned = learn(run, decisions_of(said("L00", "keep")))
    kept = run.probabilities().in_order(learned.evidence.listings["id"].tolist(), run.classes)
    assert np.array_equal(learned.evidence.probs, kept.probs)


def test_a_decision_teaches_the_models_of_other_folds_and_not_its_own(finished, training, unlearned):
    row = training.iloc[0]
    label = other_class(finished, row["label"])
    evidence = learned_evidence(finished, decisions_of(said(row["id"], "relabel", label)))
    same_fold = (evidence.listings["fold"] == row["fold"]).to_numpy()
    for name in ("probs", "refitted", "neighbours"):
        before, after = getattr(unlearned.evidence, name), getattr(evidence, name)
        assert np.array_equal(before[same_fold], after[same_fold], equal_nan=True), name
        assert not np.array_equal(before[~same_fold], after[~same_fold], equal_nan=True), name


def test_a_label_that_was_corrected_is_judged_as_if_it_had_been_kept(finished, training):
    row = training.iloc[0]
    said_of_it = said(row["id"], "keep"), said(row["id"], "relabel", other_class(finished, row["label"]))
    chances = [learn(finished, decisions_of(decision)).chances[row["id"]] for decision in said_of_it]
    kept, corrected = (np.log(chance / (1 - chance)) for chance in chances)
    # the models of other listings, and their weights, have learned another label; the listing's own have not
    assert abs(kept - corrected) < 0.5


def test_decisions_on_the_test_set_teach_nothing(finished, unlearned):
    table = finished.training_table()
    test = table[(table["split"] == "test") & table["label"].notna()]
    decisions = decisions_of(
        *(said(id, "relabel", other_class(finished, label)) for id, label in test[["id", "label"]].to_numpy())
    )
    learned = learn(finished, decisions)
    assert np.array_equal(learned.evidence.probs, unlearned.evidence.probs, equal_nan=True)
    assert learned.anchor is not None
    assert (learned.anchor.offset, learned.anchor.slope) == (0, 1)
    left = ~learned.issues["id"].isin(list(decisions))
    scores = ["label_score", "none_of_these", "price_score"]
    assert_frame_equal(learned.issues.loc[left, scores], unlearned.issues.loc[left, scores])


def test_a_deleted_listing_teaches_nothing(finished, training):
    deleted, relabelled, kept = training["id"].iloc[:3]
    decisions = decisions_of(
        said(deleted, "delete"), said(relabelled, "relabel", finished.classes[0]), said(kept, "keep")
    )
    evidence = learned_evidence(finished, decisions)
    row = evidence.listings.set_index("id").index.get_loc
    assert evidence.taught[row(deleted)] == -1
    assert evidence.taught[row(relabelled)] == 0
    assert evidence.taught[row(kept)] == evidence.given[row(kept)]
    known = evidence.known
    assert known.sure[[row(deleted), row(relabelled), row(kept)]].tolist() == [False, True, True]


def test_a_listing_to_which_several_labels_fit_is_no_surer_than_before(finished, training):
    id = training["id"].iloc[0]
    known = learned_evidence(finished, decisions_of(said(id, "ambiguous"))).known
    row = finished.training_table().set_index("id").index.get_loc(id)
    assert (known.sure[row], known.wrong[row]) == (False, 0)


def test_who_deletes_a_listing_with_another_flag_says_nothing_of_its_label(finished, training):
    issues = finished.issues().set_index("id").loc[training["id"]]
    others = [kind.flag for kind in KINDS if kind.name != "label"]
    flagged = issues[others].fillna(False).any(axis=1)
    repost, plain = flagged[flagged].index[0], flagged[~flagged & issues["label_score"].notna()].index[0]
    known = learned_evidence(finished, decisions_of(said(repost, "delete"), said(plain, "delete"))).known
    row = finished.training_table().set_index("id").index.get_loc
    assert np.isnan(known.wrong[row(repost)])
    assert known.wrong[row(plain)] == 1


def test_a_class_of_which_everything_was_deleted_is_neither_suggested_nor_judged(finished):
    table = finished.training_table()
    gone = table["label"].value_counts().index[-1]
    decisions = decisions_of(*(said(id, "delete") for id in table["id"][table["label"] == gone]))
    issues = learn(finished, decisions).issues
    assert not (issues["suggested_label"] == gone).fillna(False).any()


def test_it_is_told_when_everything_was_deleted(finished):
    decisions = decisions_of(*(said(id, "delete") for id in finished.issues()["id"]))
    with pytest.raises(RunError, match="leave too little to learn from"):
        learn(finished, decisions)


def test_a_new_class_teaches_nothing_yet(finished, training):
    id = training["id"].iloc[0]
    evidence = learned_evidence(finished, decisions_of(said(id, "relabel", "Sofas", new_class=True)))
    row = evidence.listings.set_index("id").index.get_loc(id)
    assert (evidence.taught[row], evidence.known.wrong[row]) == (-1, 1)


def test_a_corrected_price_is_what_others_are_compared_with(finished):
    table = finished.training_table()
    id = table["id"][table["price"] > 0].iloc[0]
    decision = said(id, "reprice", new_price=12345.0)
    learned = learn(finished, decisions_of(decision))
    assert learned.evidence.listings.set_index("id")["price"][id] == 12345.0
    assert_frame_equal(learned.issues[["id", "price"]], finished.issues()[["id", "price"]])


def test_the_other_half_of_a_deleted_repost_is_no_repost(finished):
    groups = finished.issues().dropna(subset="near_duplicate_group").groupby("near_duplicate_group")["id"].agg(list)
    pair = next(ids for ids in groups if len(ids) == 2)
    flagged = learn(finished, decisions_of(said(pair[0], "delete"))).issues.set_index("id")["is_near_duplicate_issue"]
    assert not flagged[pair[1]]


def test_what_is_decided_is_not_flagged_and_comes_last(finished):
    worst = finished.issues().nsmallest(5, "priority")["id"]
    issues = learn(finished, decisions_of(*(said(id, "keep") for id in worst))).issues
    chosen = issues[issues["id"].isin(worst)]
    assert not chosen[[kind.flag for kind in KINDS]].fillna(False).to_numpy().any()
    assert (chosen["change_chance"] == 0).all()
    assert sorted(chosen["priority"]) == list(range(len(issues) - 4, len(issues) + 1))
    assert sorted(issues["priority"]) == list(range(1, len(issues) + 1))


@pytest.mark.parametrize("worth", ["views", "price"])
def test_a_queue_that_is_ordered_by_worth_stays_so(tmp_path, worth):
    shop = tiny_run(tmp_path).folder.parent / "shop"
    table = pd.read_csv(shop / "listings.csv").assign(views=2.0 ** np.arange(12))
    table.to_csv(shop / "listings.csv", index=False)
    made = curation.find_issues(
        curation.read_listings(shop),
        probabilities=tiny_probabilities(),
        text=False,
        worth=worth,
        run=tmp_path / "by-worth",
        cache=tmp_path / "cache",
    )
    run = RunFolder(made.folder)
    issues = run.issues()
    assert issues["worth"].tolist() == table[worth].tolist()
    assert_frame_equal(learn(run, {}).issues, issues)
    first = issues.loc[issues["priority"] == 1, "id"].item()
    learned = learn(run, decisions_of(said(first, "keep"))).issues.set_index("id")
    assert learned.loc[first, "worth_at_stake"] == 0
    left = learned.drop(index=first)
    assert left["worth_at_stake"].to_numpy() == pytest.approx(left["change_chance"] * left["worth"])


def test_the_order_of_what_is_left_is_that_of_the_chances_before_they_were_anchored(finished):
    worst = finished.issues().nsmallest(20, "priority")["id"]
    learned = learn(finished, decisions_of(*(said(id, "keep") for id in worst)))
    judged = learned.issues.dropna(subset="label_score").set_index("id")["label_score"]
    before = learned.chances[judged.index]
    assert np.array_equal(np.argsort(judged.to_numpy(), kind="stable"), np.argsort(-before.to_numpy(), kind="stable"))


def test_many_flags_that_were_kept_lower_what_is_expected(finished):
    flagged = finished.issues().query("is_label_issue").nsmallest(30, "priority")["id"]
    learned = learn(finished, decisions_of(*(said(id, "keep") for id in flagged)))
    left = [id for id in learned.issues["id"] if id not in set(flagged)]
    raw = learned.chances[left].dropna()
    assert learned.expected(left).low <= learned.expected(left).changes <= learned.expected(left).high
    assert (1 - learned.issues.set_index("id").loc[raw.index, "label_score"]).sum() < 0.7 * raw.sum()


def test_what_is_expected_is_in_doubt_also_where_no_label_is(finished, unlearned):
    issues = pd.DataFrame({"id": ["a", "b"], "change_chance": [0.5, 0.5]})
    reposts = dataclasses.replace(unlearned, issues=issues, chances=pd.Series([1e-12, 1e-12], index=["a", "b"]))
    expected = reposts.expected(["a", "b"])
    assert (expected.low, expected.changes, expected.high) == (0, 1, 2)


def test_suggestions_do_not_vanish_because_errors_became_rarer(finished):
    flagged = finished.issues().query("is_label_issue").nsmallest(30, "priority")["id"]
    learned = learn(finished, decisions_of(*(said(id, "keep") for id in flagged)))
    issues, alone = learned.issues.set_index("id"), learned.chances
    doubted = alone.index[(alone >= 0.1).to_numpy()]
    assert (1 - issues.loc[doubted, "label_score"] < 0.1).any()
    assert issues.loc[doubted, "suggested_label"].notna().all()


def test_labels_of_a_class_that_was_kept_throughout_are_doubted_less(finished, training):
    issues = finished.issues().set_index("id").loc[training["id"]]
    name = issues.query("is_label_issue")["given_label"].value_counts().index[0]
    of_class = issues[issues["given_label"] == name].sort_values("priority").index
    before = learn(finished, decisions_of(said(of_class[0], "keep"))).chances
    after = learn(finished, decisions_of(*(said(id, "keep") for id in of_class[:10]))).chances
    left = of_class[10:]
    assert after[left].mean() < before[left].mean()


class TestANewRun:
    @pytest.fixture
    def earlier(self, finished, tmp_path):
        run = RunFolder(tmp_path / "earlier")
        shutil.copytree(finished.folder, run.folder)
        return run

    @pytest.fixture
    def in_tmp(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)

    def decide(self, run, count=8):
        worst = run.issues().dropna(subset="suggested_label").nsmallest(count, "priority")["id"].tolist()
        api = curation.open_run(run.folder)
        api.decide(worst[: count // 2], "relabel", reviewer="ana")
        api.decide(worst[count // 2 :], "keep", reviewer="ana")
        return worst

    def test_says_what_a_review_said_that_learned_meanwhile(self, earlier, in_tmp):
        self.decide(earlier)
        live = learn(earlier, in_order(earlier.decisions()[0]))
        new = follow(earlier)
        assert_frame_equal(new.issues(), live.issues)

    def test_learns_the_same_again_from_its_own_journal(self, earlier, in_tmp):
        self.decide(earlier)
        new = follow(earlier)
        again = learn(new, in_order(new.decisions()[0]))
        assert_frame_equal(again.issues, new.issues())

    def test_has_the_decisions_and_changes_nothing_of_the_earlier_run(self, earlier, in_tmp):
        worst = self.decide(earlier)
        before = {path: path.read_bytes() for path in earlier.folder.rglob("*") if path.is_file()}
        new = curation.open_run(earlier.folder).learn()
        assert {path: path.read_bytes() for path in earlier.folder.rglob("*") if path.is_file()} == before
        assert sorted(new.decisions()["id"]) == sorted(worst)
        assert (new.decisions()["source"] == "earlier run").all()
        assert new.verify().ok

    def test_learns_nothing_from_what_reviewers_disagree_on_and_leaves_it_to_be_settled(self, earlier, in_tmp):
        worst = self.decide(earlier)
        curation.open_run(earlier.folder).decide(worst[-1], "delete", reviewer="ben")
        said = taught(earlier.decisions()[0])
        assert set(said) == set(worst[:-1])
        new = follow(earlier)
        assert_frame_equal(new.issues(), learn(earlier, said).issues)
        assert_frame_equal(learn(new, taught(new.decisions()[0])).issues, new.issues())
        assert new.holding_decisions().conflicts.keys() == {worst[-1]}
        assert new.issues().set_index("id").loc[worst[-1], "is_label_issue"]

    def test_learns_nothing_from_suggestions_that_were_accepted_unseen(self, earlier, in_tmp):
        curation.open_run(earlier.folder).apply_fixes(accept_suggestions=True)
        with pytest.raises(RunError, match="no decisions to learn from"):
            follow(earlier)

    def test_needs_a_decision(self, earlier, in_tmp):
        with pytest.raises(RunError, match="no decisions to learn from"):
            follow(earlier)
        assert not (earlier.folder.parent / "runs").exists()

    def test_goes_on_after_an_interruption(self, earlier, in_tmp, monkeypatch):
        import curation.learning.follow as module

        self.decide(earlier)

        def interrupted(*_, **__):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(module, "write_found", interrupted)
            with pytest.raises(KeyboardInterrupt):
                follow(earlier)
        new = follow(earlier)
        assert new.folder.name == "1"
        assert len(new.decisions()[0]) == 8

    def test_takes_the_decisions_over_though_the_disk_was_full_as_they_were_recorded(
        self, earlier, in_tmp, monkeypatch
    ):
        import curation.learning.follow as module

        self.decide(earlier)

        def full(journal, _):
            journal.touch()
            raise OSError(28, "No space left on device", str(journal))

        with monkeypatch.context() as patch:
            patch.setattr(module, "append", full)
            with pytest.raises(OSError, match="No space left"):
                follow(earlier)
        new = follow(earlier)
        assert new.folder.name == "1"
        assert len(new.decisions()[0]) == 8

    def test_takes_every_decision_over_once_though_it_was_killed_between_two(self, earlier, in_tmp, monkeypatch):
        import curation.learning.follow as module

        self.decide(earlier)

        def killed(journal, taken):
            append(journal, taken[:3])
            with journal.open("a") as stream:
                stream.write('{"id": "L0')
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(module, "append", killed)
            with pytest.raises(KeyboardInterrupt):
                follow(earlier)
        new = follow(earlier)
        assert [each.id for each in new.decisions()[0]] == [each.id for each in earlier.decisions()[0]]

    def test_that_lost_what_it_took_over_does_not_verify(self, earlier, in_tmp):
        self.decide(earlier)
        new = follow(earlier)
        new.journal.write_bytes(b"")
        verified = curation.open_run(new.folder).verify()
        assert not verified.ok
        assert any("has 0 of the 8 decisions that were taken over" in str(fault) for fault in verified.faults)

    def test_is_another_one_if_a_decision_changed_since_it_was_interrupted(self, earlier, in_tmp, monkeypatch):
        import curation.learning.follow as module

        worst = self.decide(earlier)

        def interrupted(*_, **__):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(module, "write_found", interrupted)
            with pytest.raises(KeyboardInterrupt):
                follow(earlier, run_folder=earlier.folder.parent / "new")
        curation.open_run(earlier.folder).decide(worst[0], "delete", reviewer="ana")
        with pytest.raises(RunError, match="started with other settings or data: got decisions with the hash"):
            follow(earlier, run_folder=earlier.folder.parent / "new")
        new = follow(earlier)
        assert current_decisions(new.decisions()[0])[worst[0]].action == "delete"

    def test_is_not_begun_where_nothing_can_be_learned(self, earlier, in_tmp):
        curation.open_run(earlier.folder).decide(earlier.issues()["id"].tolist(), "delete", reviewer="ana")
        with pytest.raises(RunError, match=r"got fold . has nothing to train on; wanted labelled"):
            follow(earlier)
        assert not (earlier.folder.parent / "runs").exists()

    @pytest.mark.parametrize("lost", ["input", "training", "listings.parquet"])
    def test_is_not_begun_where_a_file_of_the_earlier_one_is_gone(self, lost, earlier, in_tmp):
        self.decide(earlier)
        path = earlier.folder / lost
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        with pytest.raises(RunError, match="the run is damaged: got no such file"):
            follow(earlier)
        assert not (earlier.folder.parent / "runs").exists()

    def test_takes_over_notes_on_listings_that_nobody_decided_on(self, earlier, in_tmp):
        worst = self.decide(earlier)
        other = next(id for id in earlier.issues()["id"] if id not in worst)
        earlier.decide([said(other, "note", note="ask Bob"), said(worst[0], "note", note="done since")])
        new = follow(earlier)
        assert [each.note for each in new.decisions()[0] if each.action == "note"] == ["ask Bob"]
        assert len(current_decisions(new.decisions()[0])) == 8

    def test_says_that_an_audit_stays_with_the_earlier_run(self, earlier, in_tmp):
        self.decide(earlier)
        curation.open_run(earlier.folder).audit(10)
        reporter = Listener()
        new = follow(earlier, reporter=reporter)
        assert any(line.startswith(f"The audit of {earlier.folder} stays there") for line in reporter.lines)
        assert not (new.folder / AUDIT).exists()

    def test_of_a_run_with_networks_keeps_what_they_said(self, networked, tmp_path, in_tmp):
        run = RunFolder(tmp_path / "networked")
        shutil.copytree(networked.folder, run.folder)
        self.decide(run)
        new = follow(run)
        again = learn(new, in_order(new.decisions()[0]))
        assert_frame_equal(again.issues, new.issues())


def test_the_latest_word_on_a_listing_decides_its_place_in_the_order():
    first, second, again = said("A", "keep"), said("B", "keep"), said("A", "delete")
    assert list(in_order([first, second, again]).values()) == [second, again]
    undone = dataclasses.replace(again, action="undo")
    assert list(in_order([first, second, again, undone]).values()) == [first, second]


def test_a_damaged_file_of_the_features_is_told(finished, tmp_path):
    run = RunFolder(tmp_path / "run")
    shutil.copytree(finished.folder, run.folder)
    (run.training_folder / "plan.json").write_text("{")
    with pytest.raises(RunError, match=r"plan\.json can't be read"):
        learn(run, decisions_of(said(pd.Series(run.issues()["id"]).iloc[0], "keep")))


def test_where_files_cannot_be_linked_the_new_run_has_whole_copies(finished, tmp_path, monkeypatch):
    import curation.learning.follow as module

    def refuse(*_):
        raise OSError("no links here")

    monkeypatch.setattr(module.os, "link", refuse)
    target = tmp_path / "listings.parquet"
    for _ in range(2):  # what is there already stays
        module._linked(str(finished.listings_file), str(target))
    assert target.read_bytes() == finished.listings_file.read_bytes()
    assert list(tmp_path.iterdir()) == [target]


def test_of_two_reviews_that_learn_at_once_what_is_kept_is_of_one_of_them(tmp_path):
    run = RunFolder(tiny_run(tmp_path).folder)
    issues = run.issues()

    def keep(line):
        with held(run):
            write_state(run, issues.assign(**{DECIDED: line == 26}), LearnedState(line, "", 1, 1, 1.0, 1.0, 1.0, 1.0))

    for _ in range(10):
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(keep, (25, 26)))
        with held(run):
            state, table = read_state(run), read_learned(run)
        assert table[DECIDED].to_pylist() == [state.line == 26] * len(issues)
