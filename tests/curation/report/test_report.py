"""`report.html`: what it says, of any run, and how large it gets."""

from __future__ import annotations

import html
import json
import re
import shlex
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from torch.utils.tensorboard import SummaryWriter

from curation.comparison.scored import Confused
from curation.errors import RunError
from curation.report import write_report
from curation.report.confusion import confusion
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from tests.support.report_run import comparison_of, spread, write_json, write_run

WORDS = '<script>alert(1)</script> & "{{ x }}"'


@pytest.fixture
def small(tmp_path: Path) -> RunFolder:
    return write_run(tmp_path / "run")


def text_of(run: RunFolder) -> str:
    """Write the page and return its words, one blank between them."""
    page = write_report(run).read_text()
    visible = re.sub(r"<style>.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(visible).split())


def decide(run: RunFolder, ids: list[str], action: str, **what: Any) -> None:
    values = {"new_label": None, "reviewer": "ana", "time": "2026-01-01T00:00:00.000+00:00", "source": "app"} | what
    run.decide([Decision(id, action, **values) for id in ids])


# the paragraph on top


def test_the_first_paragraph_has_flags_decisions_and_the_gain(small: RunFolder) -> None:
    ids = small.issues()["id"].tolist()
    decide(small, ids[:3], "relabel", new_label="Class 01")
    decide(small, ids[3:5], "delete", reviewer="ben")
    decide(small, ids[5:6], "relabel", new_label="Class 02", reviewer="curate", source="suggestion")
    write_json(small.comparison_file, comparison_of(small))
    text = text_of(small)
    assert "shop has 60 listings in 4 classes." in text
    assert re.search(r"\d+ of them \(\d+ %\) are flagged, most often as “[a-z -]+” \(\d+ listings\)\.", text)
    assert "ana and ben decided on 5 listings: 3 relabelled and 2 deleted." in text
    assert "1 suggestion was accepted without a review: 1 relabelled." in text
    assert "Cleaning helped: macro-F1 0.700 → 0.745 (+0.045, 95 % interval +0.025 to +0.075)." in text


def test_the_paragraph_says_so_where_other_test_labels_say_something_else(small: RunFolder) -> None:
    found = comparison_of(small) | {"difference": spread(0.01)}
    write_json(small.comparison_file, found)
    assert '<p class="verdict even">' in write_report(small).read_text()
    text = text_of(small)
    assert "This test set can't show whether cleaning helped: macro-F1 0.700 → 0.745 (+0.010" in text
    assert "Scored with true labels, cleaning helped: 0.700 → 0.745 (+0.045, 95 % interval +0.025 to +0.075)." in text


def test_the_first_paragraph_mentions_missing_decisions_and_comparisons(small: RunFolder) -> None:
    text = text_of(small)
    assert "No listing has been decided on yet." in text
    assert "Whether cleaning helps has not been measured yet." in text
    assert "Before and after" not in text


# listings


def test_a_card_has_the_listings_words_and_who_decided(small: RunFolder) -> None:
    issues = small.issues()
    worst = issues[issues["is_label_issue"].astype(bool)].nsmallest(1, "priority").iloc[0]
    decide(small, [worst["id"]], "relabel", new_label="Class 03")
    page = write_report(small).read_text()
    card = page[page.index('id="label"') :].split("</article>")[0]
    assert f"<b>{worst['given_label']}</b>, " in card
    assert f"Title of listing {int(worst['id'][1:])}, as good as new" in card
    assert f"suggested: {worst['suggested_label']} ({worst['suggested_confidence']:.2f})" in card
    assert f"reason of {worst['id']}; another one" in card
    assert '<b>relabel to Class 03</b> <span class="quiet">by ana</span>' in card
    assert 'src="data:image/webp;base64,' in card
    assert f'alt="photo of {worst["id"]}"' in card


def test_strangers_words_are_escaped_wherever_they_stand(small: RunFolder) -> None:
    listings, issues, record = small.listings(), small.issues(), small.record()
    issues["reasons"], issues["given_label"], issues["suggested_label"] = WORDS, WORDS, WORDS
    listings["title"] = WORDS
    small.write_table(small.listings_file, listings)
    small.write_table(small.issues_file, issues)
    small.update(dataset={**record["dataset"], "name": WORDS, "classes": [WORDS, "b"]}, versions={"curate": WORDS})
    decide(small, issues["id"].tolist(), "relabel", new_label=WORDS, reviewer=WORDS)
    found = comparison_of(small)
    found["warnings"], found["model"] = [WORDS], WORDS
    write_json(small.comparison_file, found)
    page = write_report(small).read_text()
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 50


def test_long_words_are_cut_off(small: RunFolder) -> None:
    listings, issues = small.listings(), small.issues()
    listings["title"], issues["reasons"] = "x" * 100_000, "y" * 100_000
    small.write_table(small.listings_file, listings)
    small.write_table(small.issues_file, issues)
    assert write_report(small).stat().st_size < 2_000_000


def test_a_run_without_photos_and_prices_has_a_page(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", photos=False, prices=False)
    text = text_of(run)
    assert "no photo" in text
    assert "The usual range" not in text


def test_missing_photos_are_reported_and_nothing_else_is_lost(small: RunFolder) -> None:
    for photo in small.folder.glob("*.jpg"):
        photo.unlink()
    text = text_of(small)
    assert "no photo" in text
    assert "reason of" in text


def test_listings_without_titles_have_a_page(small: RunFolder) -> None:
    small.write_table(small.listings_file, small.listings().drop(columns="title"))
    text = text_of(small)
    assert "Title of listing" not in text
    assert "reason of" in text


# before and after


def test_every_part_of_a_comparison_is_shown(small: RunFolder) -> None:
    write_json(small.comparison_file, comparison_of(small))
    text = text_of(small)
    for part in (
        "120 test listings in 110 groups, fixed before detection; 2 seeds.",
        "Training listings: 30 relabelled, 10 deleted.",
        "21 predictions became right, 6 became wrong (McNemar's test: p = 0.0059).",
        "This test set can detect a difference in macro-F1 of about 0.025 or more.",
        "3 listings are left out of training: they share a photo or a group with a test listing.",
        "Class 03 has no test listings.",
        "Macro-F1 0.700 0.745 +0.045 +0.025 to +0.075",
        "Accuracy 0.720 0.765 +0.045 +0.025 to +0.075",
        "Labels as reviewed (12 decided) 0.700",
        "True labels (118 known) 0.700",
        "Cleaning helped: macro-F1 0.700 → 0.745 (+0.045, 95 % interval +0.025 to +0.075).",
        "As many listings deleted at random 0.700 −0.010 −0.030 to +0.020 no difference",
        "All labels correct 0.700",
        "The fixes bring 50 % of the gain that correct labels bring (95 % interval −10 % to 90 %).",
        "9 relabelled Class 00 Class 01 a person",
        "4 deleted Class 00 accepted suggestion",
        "Class 00 40 9 7 4 38",
        "Wrong before, right after (20)",
        "12 are shown.",
        "before: Class 01, right in 0 of 2 seeds",
        "Right before, wrong after (3)",
    ):
        assert part in text


def test_a_comparison_without_controls_and_other_labels_leaves_those_parts_out(small: RunFolder) -> None:
    found = comparison_of(small)
    for key in ("controls", "share_of_possible", "reviewed_test_labels", "true_test_labels"):
        del found[key]
    write_json(small.comparison_file, found)
    text = text_of(small)
    assert "Before and after" in text
    assert "By test labels" not in text
    assert "Compared with other changes" not in text


@pytest.mark.parametrize("content", ["{", "[]", "{}", None], ids=["cut off", "a list", "empty", "a part missing"])
def test_a_damaged_comparison_is_refused_by_its_name(content: str | None, small: RunFolder) -> None:
    found = comparison_of(small)
    del found["mcnemar"]
    small.comparison_file.write_text(json.dumps(found) if content is None else content)
    with pytest.raises(RunError, match=r"comparison\.json is damaged"):
        write_report(small)


def test_correct_labels_without_a_gain_leave_no_share(small: RunFolder) -> None:
    found = comparison_of(small) | {"share_of_possible": None}
    found["true_test_labels"] |= {
        "controls": found["controls"],
        "share_of_possible": {"mean": -0.2, "low": -1.0, "high": 0.0},
    }
    write_json(small.comparison_file, found)
    text = text_of(small)
    assert "Test labels: labels as given Training listings" in text
    assert "Correct labels show no gain themselves" in text
    assert "Test labels: true labels Training listings" in text
    assert "The fixes bring −20 % of the gain that correct labels bring (95 % interval −100 % to 0 %)." in text


def test_listings_that_are_not_in_the_run_any_more_are_no_flips(small: RunFolder) -> None:
    found = comparison_of(small)
    found["flips"]["to_wrong"] = [{**flip, "id": "gone"} for flip in found["flips"]["to_wrong"]]
    write_json(small.comparison_file, found)
    text = text_of(small)
    assert "right after (20)" in text
    assert "wrong after" not in text


def test_a_matrix_says_what_became_better_and_what_worse() -> None:
    pairs = [
        Confused("a", "a", 6.0, 8.0),
        Confused("a", "b", 4.0, 2.5),
        Confused("b", "b", 10.0, 9.0),
        Confused("b", "c", 0.0, 1.0),
    ]
    found = confusion(pairs, ["c", "b", "a", "never"])
    assert found is not None
    before, _, difference = found["matrices"]
    assert before["names"] == ["c", "b", "a"]
    cells = {
        (row["name"], name): (cell["text"], cell["good"])
        for row in difference["rows"]
        for name, cell in zip(difference["names"], row["cells"], strict=True)
    }
    assert cells["a", "a"] == ("+2", True)
    assert cells["a", "b"] == ("−1.5", True)
    assert cells["b", "b"] == ("−1", False)
    assert cells["b", "c"] == ("+1", False)
    assert cells["c", "a"][0] == ""
    shares = {row["name"]: [float(cell["depth"]) for cell in row["cells"]] for row in before["rows"]}
    assert shares["b"][1] > shares["a"][2] > shares["a"][1] > shares["c"][0] == 0


def test_many_classes_are_shown_by_the_worst_of_them(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", listings=2000, classes=200)
    write_json(run.comparison_file, comparison_of(run))
    page = write_report(run).read_text()
    assert 'class="matrix"' not in page
    text = text_of(run)
    assert "200 classes are too many for a matrix. These pairs are confused most often: " in text
    assert "These 40 of 200 classes changed most; comparison.json has all." in text
    assert "These are the worst 20 of 200 classes with flagged labels; health.json has all." in text
    assert "These 40 of 200 classes have most flagged prices." in text


# learning curves


def write_log(folder: Path, epochs: int = 3) -> None:
    with SummaryWriter(str(folder)) as log:
        for epoch in range(epochs):
            for tag in ("train/loss", "train/accuracy", "held_out/loss", "held_out/accuracy"):
                log.add_scalar(tag, 1 / (epoch + 1), epoch)


def test_linear_models_have_a_line_in_place_of_curves(small: RunFolder) -> None:
    assert "The models are linear and fitted in one step" in text_of(small)


def test_networks_have_curves_of_the_folds_and_of_before_and_after(small: RunFolder) -> None:
    write_log(small.training_folder / "fold-0")
    page = write_report(small).read_text()
    assert "accuracy and loss of each fold's network".replace("'", "&#39;") in page
    assert "accuracy and loss on the test set" not in page
    for name in ("before-7", "after-7"):
        write_log(small.training_folder / "retrain" / name)
    assert "accuracy and loss on the test set" in write_report(small).read_text()


@pytest.mark.parametrize("content", [b"", b"damaged" * 50], ids=["empty", "damaged"])
def test_a_log_that_says_nothing_is_no_curve(content: bytes, small: RunFolder) -> None:
    folder = small.training_folder / "fold-0"
    folder.mkdir()
    (folder / "events.out.tfevents.1.host").write_bytes(content)
    write_json(small.training_folder / "share.json", {"network_share": 0.5})
    assert "The training logs of the networks are missing or can't be read." in text_of(small)


def test_probabilities_that_were_brought_have_no_curves(small: RunFolder) -> None:
    small.update(settings={**small.record()["settings"], "probabilities": "probs.csv"})
    assert "nothing was trained here" in text_of(small)


# the page


def test_how_to_reproduce_names_command_versions_seeds_and_hashes(small: RunFolder) -> None:
    write_json(small.comparison_file, comparison_of(small))
    text = text_of(small)
    for part in (
        "curate find-issues 'my shop'",
        f"curate apply-fixes --run {shlex.quote(str(small.folder))}",
        "curate retrain --compare --seeds 2 --controls --truth truth.csv",
        "ab" * 32,
        "cd" * 32,
        "Seed 7",
        "2026-01-02 03:04:05 UTC",
        "photos 12 s, train 10.0 min",
        "curate 0.1.0, torch 2.9.0",
        "Seeds of the comparison 7, 8",
        "folds = 5, preset = standard, seed = 7",
        "preset = standard, model = resnet18, epochs = 0, seed = 7",
    ):
        assert part in text


def test_the_page_asks_nothing_of_the_network_and_runs_nothing(small: RunFolder) -> None:
    write_json(small.comparison_file, comparison_of(small))
    page = write_report(small).read_text()
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in page
    sources = re.findall(r'(?:src|srcset)="([^"]*)"', page)
    assert len(sources) > 20
    assert all(source.startswith("data:image/") for source in sources)
    assert "<script" not in page
    assert "url(" not in page
    targets = re.findall(r'href="([^"]*)"', page)
    assert all(f'id="{target[1:]}"' in page for target in targets)


def test_the_same_run_gives_the_same_page(small: RunFolder) -> None:
    write_json(small.comparison_file, comparison_of(small))
    assert write_report(small).read_bytes() == write_report(small).read_bytes()


def test_many_listings_make_a_small_page_in_seconds(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", listings=200_000, classes=1000)
    write_json(run.comparison_file, comparison_of(run))
    start = time.process_time()
    page = write_report(run)
    assert page.stat().st_size < 10_000_000
    assert time.process_time() - start < 20
    assert "shop has 200,000 listings in 1,000 classes." in page.read_text()


def test_a_photo_that_the_run_of_a_stranger_names_elsewhere_is_not_shown(small: RunFolder, tmp_path: Path) -> None:
    before = write_report(small).read_text().count("data:image/webp")
    issues = small.issues()
    worst = issues[issues["is_label_issue"].astype(bool)].nsmallest(1, "priority").iloc[0]
    Image.new("RGB", (6, 4), (1, 2, 3)).save(tmp_path / "mine.png")
    elsewhere = issues["image"].mask(issues["id"] == worst["id"], str(tmp_path / "mine.png"))
    small.write_table(small.issues_file, issues.assign(image=elsewhere))
    assert write_report(small).read_text().count("data:image/webp") < before
