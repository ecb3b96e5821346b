"""Only what is new since a finished run is judged, by its models; the rest stays as it was."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import curation
from curation.errors import InputError, RunError
from curation.evidence.fitted import Fitted
from curation.evidence.fitted_heads import scores_by_heads
from curation.incoming.drift import drift_of, stability_index
from curation.incoming.model import KNOWN_FEATURES, RunModel
from curation.incoming.written import _replaced
from curation.issues import KINDS
from curation.run.folder import RunFolder
from tests.support.reporters import Listener
from tests.support.tiny import tiny_run

REPOSTS = ["is_near_duplicate_issue", "near_duplicate_score", "near_duplicate_group"]
FOLLOWS = [*REPOSTS, "priority", "reasons", "change_chance", "image"]
SCORES = [kind.score for kind in KINDS if kind.score in ("label_score", "price_score", "outlier_score")]


@pytest.fixture(scope="module")
def shop(demo, tmp_path_factory):
    """The demo's folder once more, in which tables are written."""
    folder = tmp_path_factory.mktemp("since") / "shop"
    shutil.copytree(demo, folder)
    (folder / "dataset.toml").unlink(missing_ok=True)
    return folder


@pytest.fixture(scope="module")
def table(shop):
    return pd.read_csv(shop / "listings.csv", dtype=str)


def judged(shop, table, earlier, folder, **more):
    file = shop / f"{folder.name}.csv"
    table.to_csv(file, index=False)
    listener = Listener()
    run = curation.find_issues(
        curation.read_listings(file), since=earlier.folder, run=folder, reporter=listener, **more
    )
    return RunFolder(run.folder), listener


def renamed(table, ids):
    return table.assign(id=[f"new-{id}" if id in set(ids) else id for id in table["id"]])


@pytest.fixture(scope="module")
def grown(shop, table, finished, tmp_path_factory):
    """A run with the test listings under new ids, a listing less, another label, and a repost of an old photo."""
    known = finished.listings().set_index("id")
    sound = known[known["unreadable"].isna() & known["label"].notna()]
    test = sound.index[sound["split"] == "test"].tolist()
    train = sound.index[(sound["split"] == "train") & sound["near_group"].isna()].tolist()
    gone, changed, posted = train[:3]
    newer = renamed(table[table["id"] != gone], test).reset_index(drop=True)
    other = next(name for name in finished.classes if name != known["label"][changed])
    newer.loc[newer["id"] == changed, "label"] = other
    repost = newer[newer["id"] == posted].assign(id="repost")
    folder = tmp_path_factory.mktemp("grown") / "run"
    run, listener = judged(shop, pd.concat([newer, repost]), finished, folder)
    return run, listener, {"test": test, "gone": gone, "changed": changed, "posted": posted}


def test_listings_that_did_not_change_keep_what_was_said_of_them(grown, finished):
    run, _, names = grown
    before, after = (each.issues().set_index("id") for each in (finished, run))
    kept = [id for id in after.index if id in before.index and id != names["changed"]]
    columns = [name for name in before.columns if name not in FOLLOWS]
    pd.testing.assert_frame_equal(after.loc[kept, columns], before.loc[kept, columns], check_exact=True)
    old, new = (each.probabilities() for each in (finished, run))
    wanted = old.in_order(kept, old.classes).probs
    assert np.array_equal(new.in_order(kept, old.classes).probs, wanted, equal_nan=True)


def test_a_listing_that_taught_nothing_is_judged_as_the_run_judged_it(grown, finished):
    run, _, names = grown
    before = finished.issues().set_index("id").loc[names["test"]]
    after = run.issues().set_index("id").loc[[f"new-{id}" for id in names["test"]]]
    alone = ~before["is_near_duplicate_issue"].fillna(False).to_numpy(dtype=bool)
    for name in (*SCORES, "none_of_these", "suggested_confidence", "cleanlab_score", "photo_quality_score"):
        one, other = before[name].to_numpy(float)[alone], after[name].to_numpy(float)[alone]
        np.testing.assert_allclose(other, one, atol=0.01, err_msg=name)
    assert before["suggested_label"].fillna("")[alone].tolist() == after["suggested_label"].fillna("")[alone].tolist()


def test_a_corrected_label_is_judged_by_a_model_that_never_saw_the_listing(grown, finished):
    run, _, names = grown
    id = names["changed"]
    before, after = (each.listings().set_index("id") for each in (finished, run))
    assert after["label"][id] != before["label"][id]
    assert after["fold"][id] == before["fold"][id]
    one, other = (each.probabilities().in_order([id], finished.classes).probs for each in (finished, run))
    np.testing.assert_allclose(other, one, atol=1e-5)


def test_models_that_learned_a_photo_say_nothing_of_its_new_label(finished):
    model = RunModel.of(finished)
    rows, features = np.arange(8), np.asarray(finished.features()[:8])
    fold = model.table["fold"].to_numpy(dtype=np.int64)[:8]
    seen = rows % 2 == 0
    scores = scores_by_heads(model.fitted, features, fold, rows >= 0, seen, model.known)
    assert np.isnan(scores.in_fold[seen]).all()
    assert np.isfinite(scores.in_fold[~seen]).all()


def test_what_is_gone_is_named_and_left_out(grown, finished):
    run, listener, names = grown
    assert names["gone"] not in set(run.issues()["id"])
    assert names["gone"] in run.record()["since"]["removed"]
    assert any("gone and left out" in line for line in listener.lines)
    assert len(run.issues()) == len(finished.issues())


def test_a_repost_of_an_old_photo_is_found_and_stays_in_its_fold(grown):
    run, _, names = grown
    issues, listings = run.issues().set_index("id"), run.listings().set_index("id")
    for id, other in (("repost", names["posted"]), (names["posted"], "repost")):
        assert bool(issues["is_near_duplicate_issue"][id])
        assert f"the same photo as {other}" in issues["reasons"][id]
    assert listings["fold"]["repost"] == listings["fold"][names["posted"]]
    assert listings["split"]["repost"] == listings["split"][names["posted"]]


def test_a_group_stays_in_its_fold(demo, shop, table, tmp_path):
    seller = table.assign(group=[f"seller {number % 20}" for number in range(len(table))])
    seller.to_csv(shop / "sellers.csv", index=False)
    first = curation.find_issues(
        curation.read_listings(shop / "sellers.csv"),
        run=tmp_path / "first",
        folds=2,
        text=False,
        recipe=curation.Recipe(pretrained=False),
        execution=curation.Execution(preset="quick", device="cpu"),
    )
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((128, 128)).save(shop / "images" / "never-seen.png")
    new = pd.concat(
        [
            seller.iloc[[3]].assign(id="one more", image=seller["image"].iloc[50]),
            seller.iloc[[7]].assign(id="another photo", image="images/never-seen.png"),
        ]
    )
    run, _ = judged(shop, pd.concat([seller.drop(index=50), new]), RunFolder(first.folder), tmp_path / "second")
    table = run.listings().set_index("id")
    others = table[(table["group"] == "seller 3") & (table.index != "one more")]
    gone = RunFolder(first.folder).listings().set_index("id").loc[seller["id"].iloc[50]]
    # the photo is that of a listing which taught the models, so its fold counts
    assert table["fold"]["one more"] == gone["fold"]
    assert table.loc[table["group"] == "seller 7", "fold"].nunique() == 1
    assert others["fold"].nunique() == 1


def test_the_new_run_is_a_complete_one(grown, finished):
    run, _, _ = grown
    assert curation.Run(run.folder).verify().ok
    assert list(run.issues().columns) == list(finished.issues().columns)
    assert sorted(run.issues()["priority"]) == list(range(1, len(run.issues()) + 1))
    assert run.features().shape == (len(run.issues()), finished.features().shape[1])
    assert run.report_file.exists()


def test_a_run_that_was_made_so_judges_new_listings_itself(grown, finished, shop, table, tmp_path):
    run, _, _ = grown
    file = shop / f"{run.folder.name}.csv"
    newer = pd.read_csv(file, dtype=str)
    again, _ = judged(shop, renamed(newer, ["repost"]), run, tmp_path / "again")
    one, other = (each.issues().set_index("id") for each in (run, again))
    assert other["label_score"]["new-repost"] == pytest.approx(one["label_score"]["repost"], abs=1e-6)
    assert (again.training_folder / KNOWN_FEATURES).samefile(finished.training_folder / finished.record()["features"])


def test_decisions_are_taken_over(finished, shop, table, tmp_path):
    earlier = tmp_path / "earlier"
    shutil.copytree(finished.folder, earlier)
    curation.open_run(earlier).decide(table["id"].iloc[5], "keep", reviewer="ana")
    run, listener = judged(shop, table.iloc[:-1], RunFolder(earlier), tmp_path / "run")
    assert [decision.id for decision in run.decisions()[0]] == [table["id"].iloc[5]]
    assert any("still applies" in line for line in listener.lines)
    # what was decided about a listing is no evidence about it
    kept = run.issues().set_index("id")
    before = finished.issues().set_index("id").loc[kept.index]
    pd.testing.assert_frame_equal(kept.drop(columns=FOLLOWS), before.drop(columns=FOLLOWS), check_exact=True)


def test_another_photo_behind_the_same_id_is_judged(finished, shop, table, tmp_path):
    known = finished.listings().set_index("id")
    first, second = known.index[known["unreadable"].isna()][:2]
    images = table.set_index("id")["image"]
    other = table.assign(image=[images[second] if id == first else image for id, image in images.items()])
    run, listener = judged(shop, other, finished, tmp_path / "run")
    assert run.record()["since"]["changed"] == 1
    assert any("1 with another photo" in line for line in listener.lines)
    assert run.listings().set_index("id")["sha256"][first] == known["sha256"][second]


def test_a_changed_listing_stays_on_its_side_of_the_split(finished, shop, table, tmp_path):
    known = finished.listings().set_index("id")
    sound = known[known["unreadable"].isna() & known["near_group"].isna()]
    ids = [sound.index[sound["split"] == side][5] for side in ("test", "train")]
    for number in range(len(ids)):
        photo = Image.effect_noise((90, 70 + number), 90).convert("RGB")
        photo.save(shop / f"other-{number}.png")
    newer = table.assign(
        image=table["image"].where(
            ~table["id"].isin(ids), table["id"].map({id: f"other-{number}.png" for number, id in enumerate(ids)})
        )
    )
    run, _ = judged(shop, newer, finished, tmp_path / "run")
    assert run.record()["since"]["changed"] == 2
    after = run.listings().set_index("id")
    for name in ("split", "fold"):
        assert after.loc[ids, name].tolist() == known.loc[ids, name].tolist()


def test_the_test_set_loses_no_listing_and_what_joins_it_is_told(finished, shop, table, tmp_path):
    known = finished.listings().set_index("id")
    test = known.index[(known["split"] == "test") & known["unreadable"].isna()]
    posted = table[table["id"] == test[0]].assign(id="repost")
    newer = pd.concat([table.assign(split=["train" if id == test[1] else None for id in table["id"]]), posted])
    run, listener = judged(shop, newer, finished, tmp_path / "run")
    after = run.listings().set_index("id")["split"]
    assert (after[known.index] == known["split"]).all()
    assert after["repost"] == "test"
    said = "\n".join(listener.lines)
    assert "1 new listing joins the test set" in said
    assert "1 listing that the table has in the training set stays in the test set" in said


def test_listings_that_their_groups_would_tear_from_their_photos_are_told(finished, shop, table, tmp_path):
    newer = table.assign(group=[f"seller {number // 6}" for number in range(len(table))])
    run, listener = judged(shop, newer, finished, tmp_path / "run")
    before, after = (each.listings().set_index("id") for each in (finished, run))
    assert (after["split"] == before["split"][after.index]).all()
    assert any("belong to another fold than their groups" in said for said in listener.lines)
    apart = run.record()["since"]["apart"]
    assert 0 < len(apart) < len(table)
    assert not curation.Run(run.folder).verify().faults
    # a run from that run knows it, too
    again, _ = judged(shop, newer.iloc[1:], run, tmp_path / "again")
    assert set(again.record()["since"]["apart"]) == set(apart) - {newer["id"].iloc[0]}
    assert not curation.Run(again.folder).verify().faults


def test_ids_that_a_spreadsheet_wrote_in_another_way_are_told(finished, shop, table, tmp_path):
    other = f"0{table['id'].iloc[0].lower()}.0"
    newer = table.assign(id=[other, *table["id"].iloc[1:]])
    run, listener = judged(shop, newer, finished, tmp_path / "run")
    assert run.record()["since"]["new"] == 1
    assert any(f"({table['id'].iloc[0]} is now {other})" in said for said in listener.lines)


def test_a_run_that_lost_whole_folds_is_sound(finished, shop, table, tmp_path):
    fold = finished.listings().set_index("id")["fold"]
    run, _ = judged(shop, table[table["id"].map(fold) != 0], finished, tmp_path / "run")
    assert not curation.Run(run.folder).verify().faults


def test_new_listings_without_any_photo_are_flagged_as_in_a_whole_run(finished, shop, table, tmp_path):
    newer = pd.concat([table, table.iloc[:2].assign(id=["a", "b"], image=None)])
    run, listener = judged(shop, newer, finished, tmp_path / "run")
    issues = run.issues().set_index("id")
    assert issues.loc[["a", "b"], "is_unreadable_issue"].all()
    assert issues.loc["a", "reasons"].endswith("photo can't be read: no photo")
    assert set(run.record()["since"]["flagged"]) == {"a", "b"}
    assert any(said.startswith("2 new or changed listings, 2 flagged: ") for said in listener.lines)


def test_a_few_bad_photos_among_few_new_ones_do_not_refuse_the_table(finished, shop, table, tmp_path):
    newer = pd.concat([table, table.iloc[:2].assign(id=["a", "b"], image=["gone-1.jpg", "gone-2.jpg"])])
    run, _ = judged(shop, newer, finished, tmp_path / "run")
    assert run.issues().set_index("id").loc[["a", "b"], "is_unreadable_issue"].all()


def test_a_new_class_is_told_and_not_judged(finished, shop, table, tmp_path):
    new = table.iloc[[0]].assign(id="drone", label="Drones")
    run, listener = judged(shop, pd.concat([table, new]), finished, tmp_path / "run")
    assert any("knows nothing of the class Drones (1)" in line for line in listener.lines)
    issue = run.issues().set_index("id").loc["drone"]
    assert np.isnan(issue["label_score"])
    assert not issue["is_label_issue"]
    assert "Drones" in run.classes
    assert run.health()["unscored"][0] == {"class": "Drones", "listings": 1} or any(
        row == {"class": "Drones", "listings": 1} for row in run.health()["unscored"]
    )


def test_multiplied_prices_are_told_as_drift(finished, shop, table, tmp_path):
    copies = table.iloc[:100].assign(
        id=lambda part: "x" + part["id"],
        price=lambda part: [price if pd.isna(price) else f"{float(price) * 40:g}" for price in part["price"]],
    )
    run, listener = judged(shop, pd.concat([table, copies]), finished, tmp_path / "run")
    drift = {each["of"]: each for each in run.record()["since"]["drift"]}
    assert drift["prices"]["size"] == "large"
    assert drift["photos"]["size"] == "none"
    assert any("the prices of the" in line and "large" in line for line in listener.lines)
    assert any("trains again" in line for line in listener.lines)


def test_where_nothing_changed_nothing_is_judged(finished, shop, table, tmp_path):
    run, listener = judged(shop, table, finished, tmp_path / "run")
    assert any("0 listings are new, 0 changed" in line for line in listener.lines)
    pd.testing.assert_frame_equal(run.issues(), finished.issues())


def test_refit_trains_again_with_the_settings_of_the_run(finished, shop, table, tmp_path):
    run, _ = judged(shop, table.iloc[:-1], finished, tmp_path / "run", refit=True)
    assert run.record()["settings"] == finished.record()["settings"]
    assert "since" not in run.record()


def test_a_run_without_models_is_refused_with_a_way_out(finished, shop, table, tmp_path):
    old = tmp_path / "old"
    shutil.copytree(finished.folder, old)
    (old / "training" / "fitted.npz").unlink()
    with pytest.raises(RunError, match=r"no fitted.npz \(it was made by curate .*refit=True"):
        judged(shop, table, RunFolder(old), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_damaged_models_are_named(finished, shop, table, tmp_path):
    old = tmp_path / "old"
    shutil.copytree(finished.folder, old)
    (old / "training" / "fitted.npz").write_bytes(b"PK nothing")
    with pytest.raises(RunError, match=r"fitted.npz can't be read"):
        judged(shop, table, RunFolder(old), tmp_path / "run")


def test_models_of_another_format_are_refused_with_a_way_out(finished, shop, table, tmp_path, monkeypatch):
    old = tmp_path / "old"
    shutil.copytree(finished.folder, old)
    with monkeypatch.context() as patch:
        patch.setattr("curation.evidence.fitted.FORMAT", 99)
        Fitted().save(old / "training" / "fitted.npz")
    with pytest.raises(RunError, match=r"got fitted.npz of format 99; wanted format 1\. Find the issues again"):
        judged(shop, table, RunFolder(old), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_of_networks_is_refused(networked, shop, table, tmp_path):
    with pytest.raises(RunError, match="got networks"):
        judged(shop, table, networked, tmp_path / "run")


def test_a_run_by_probabilities_is_refused(shop, table, tmp_path):
    with pytest.raises(RunError, match="own probabilities"):
        judged(shop, table, RunFolder(tiny_run(tmp_path).folder), tmp_path / "run")


def test_a_table_without_the_runs_ids_is_refused(finished, shop, table, tmp_path):
    with pytest.raises(RunError, match=r"no listing of .* is in"):
        judged(shop, table.assign(id=[f"row {number}" for number in range(len(table))]), finished, tmp_path / "run")


def test_a_table_without_a_column_of_the_run_is_refused(finished, shop, table, tmp_path):
    with pytest.raises(RunError, match="no price and no title"):
        judged(shop, table.drop(columns=["price", "title"]), finished, tmp_path / "run")


def test_settings_beside_since_are_refused(finished, shop, table, tmp_path):
    with pytest.raises(InputError, match="no effect with `since`"):
        judged(shop, table, finished, tmp_path / "run", folds=3)
    with pytest.raises(InputError, match="no effect without `since`"):
        curation.find_issues(curation.read_listings(shop / "listings.csv"), refit=True)


def test_the_index_knows_what_is_chance():
    even = np.full(10, 500.0)
    few = np.array([3.0, 1, 2, 4, 0, 1, 3, 2, 1, 3])
    index, by_chance = stability_index(even, few)
    assert 0.25 < index < by_chance
    assert stability_index(even, few * 100)[0] > stability_index(even, few * 100)[1]


def test_too_few_new_listings_say_nothing_of_drift():
    table = pd.DataFrame({"label": ["a", "b"] * 50, "price": [10.0] * 100})
    new = np.arange(100) < 5
    assert drift_of(table, new, np.zeros(100, dtype=np.int64), np.zeros((100, 2), np.float32), ("a", "b")) == []


def test_the_record_is_json(grown):
    run, _, _ = grown
    assert json.loads(run.record_file.read_text())["since"]["new"] > 0


@pytest.fixture(scope="module")
def spelt(shop, table, tmp_path_factory):
    """A run with a class in two spellings and a repost between them, and a table with a third spelling."""
    webcams = table["id"][table["label"] == "Webcams"].tolist()
    older = table.assign(label=table["label"].mask(table["id"].isin(webcams[::2]), "webcams"))
    older = pd.concat([older, older[older["id"] == webcams[0]].assign(id="Z1", label="Webcams")], ignore_index=True)
    file = shop / "spelt.csv"
    older.to_csv(file, index=False)
    folder = tmp_path_factory.mktemp("spelt")
    earlier = RunFolder(curation.find_issues(curation.read_listings(file), run=folder / "earlier").folder)
    newer = pd.concat([older, older[older["id"] == "Z1"].assign(id="Z2", label="WEBCAMS")], ignore_index=True)
    run, listener = judged(shop, newer, earlier, folder / "run")
    return run, listener, webcams[0]


def test_a_label_that_is_only_written_in_another_way_is_judged_and_kept_as_written(spelt):
    run, listener, _ = spelt
    issues = run.issues().set_index("id")
    assert pd.notna(issues["label_score"]["Z2"])
    assert issues["given_label"]["Z2"] == "WEBCAMS"
    assert not any("knows nothing" in line for line in listener.lines)
    assert run.record()["since"]["new_classes"] == {}


def test_reposts_among_spellings_of_a_class_are_told_once_and_contradict_nobody(spelt):
    run, _, known = spelt
    reasons = run.issues().set_index("id")["reasons"]
    for id in (known, "Z1", "Z2"):
        assert reasons[id].count("the same photo as") == 1, reasons[id]
        assert "there" not in reasons[id].partition("the same photo as")[2].replace("price", ""), reasons[id]


@pytest.mark.parametrize(
    ("reasons", "now", "wanted"),
    [
        ("a; b, given x; y there; c", "b", "a; b; c"),
        ("b, given x; y there; c", "", "c"),
        ("b, given x; y there", "d", "d"),
        (pd.NA, "d", "d"),
        ("a", "d", "a; d"),
    ],
)
def test_a_reason_is_replaced_as_a_whole_whatever_labels_it_names(reasons, now, wanted):
    assert _replaced(reasons, "b, given x; y there", now) == wanted


def test_prices_in_another_currency_than_the_runs_are_refused(shop, table, finished, tmp_path):
    newer = table.assign(price="EUR " + table["price"])
    with pytest.raises(RunError, match=r"another currency than .* judged: got EUR; wanted SGD"):
        judged(shop, newer, finished, tmp_path / "run")


def test_a_table_of_numbers_alone_keeps_the_currency_of_the_run(grown, finished):
    assert grown[0].record()["dataset"]["currency"] == finished.record()["dataset"]["currency"] == "SGD"


@pytest.mark.parametrize("refit", [False, True])
def test_a_table_without_what_listings_were_worth_is_refused_with_what_to_do(shop, table, finished, tmp_path, refit):
    earlier = tmp_path / "earlier"
    shutil.copytree(finished.folder, earlier)
    record = json.loads((earlier / "run.json").read_text())
    record["settings"]["worth"] = "views"
    (earlier / "run.json").write_text(json.dumps(record))
    with pytest.raises(RunError) as refused:
        judged(shop, table, RunFolder(earlier), tmp_path / "run", refit=refit)
    assert "has its queue by views, which the table does not say" in str(refused.value)
    assert "Leave it out" not in str(refused.value)
    assert not (tmp_path / "run").exists()
