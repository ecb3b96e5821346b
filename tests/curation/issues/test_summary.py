"""The first things to know about a finished run, as a table, as JSON and in the report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import Result

import curation
from curation.cli.find import _print
from curation.issues import KINDS
from curation.issues.health import doubtful
from curation.issues.summary import Agreement, agreement, summarise
from curation.run.flags import is_flagged
from curation.run.folder import RunFolder
from tests.cli.test_cli import done
from training.utils.files import read_json

CLASSES = ["chair", "<desk>", "lamp [/]"]
N = 240


def find(folder: Path, wrong: int, *options: str) -> Result:
    """Find issues where a sure model disbelieves the first `wrong` labels: chairs that are desks."""
    labels = np.array([CLASSES[row % 3] for row in range(N)])
    believed = np.arange(N) % 3
    labels[1 : 3 * wrong : 3] = "chair"
    rng = np.random.default_rng(5)
    values = 0.04 + rng.uniform(0, 0.02, (N, 3))
    values[np.arange(N), believed] = 0.9
    values /= values.sum(axis=1, keepdims=True)
    ids = [f"{row:03}" for row in range(N)]
    pd.DataFrame({"id": ids, "label": labels}).to_csv(folder / "table.csv", index=False)
    pd.DataFrame(values, columns=CLASSES).assign(id=ids).to_csv(folder / "probs.csv", index=False)
    command = ["find-issues", folder / "table.csv", "--probabilities", folder / "probs.csv", "--run", folder / "run"]
    return done(*command, *options)


def test_the_summary_counts_what_the_issues_flag(finished: RunFolder) -> None:
    summary, issues = summarise(finished), finished.issues()
    names = ["run", "listings", "flagged", "issues", "worst", "budget", "agreement", "cleanlab"]
    names += ["expected_wrong", "expected_none", "parents", "health"]
    assert list(summary.to_dict()) == [*names, "seconds", "flags", "worth", "currency", "price_errors"]
    assert summary.listings == 120
    assert summary.issues == {kind.name: int(issues[kind.flag].sum()) for kind in KINDS}
    assert summary.worst["priority"].tolist() == list(range(1, 11))
    assert summary.agreement.with_given_labels is not None
    assert 0 < summary.agreement.largest_class < summary.agreement.with_given_labels < 1
    json.dumps(summary.to_dict(), allow_nan=False)
    assert summary._repr_html_().count("data:image/webp") >= 8


@pytest.mark.parametrize(
    ("reached", "largest", "weak"),
    [(0.39, 0.1, True), (0.4, 0.1, False), (0.74, 0.5, True), (0.75, 0.5, False), (None, 0.5, False)],
)
def test_a_model_is_weak_that_agrees_little_or_little_more_than_a_guess(
    reached: float | None, largest: float, weak: bool
) -> None:
    assert Agreement(reached, largest).weak is weak


def test_a_budget_says_how_much_is_expected_of_the_first_listings(finished: RunFolder) -> None:
    some, more, all_of_them = (summarise(finished, budget).budget for budget in (10, 60, 100_000))
    assert some is not None
    assert more is not None
    assert all_of_them is not None
    assert 5 < some.expected_changes <= 10
    assert some.expected_changes < more.expected_changes == all_of_them.expected_changes
    issues = finished.issues()
    shown = issues[is_flagged(issues)]
    # a review shows what is flagged, and nothing else
    assert all_of_them.listings == len(shown) < len(issues)
    assert some.expected_changes == pytest.approx(shown.nsmallest(10, "priority")["change_chance"].sum())
    assert all_of_them.expected_changes == pytest.approx(shown["change_chance"].sum())
    assert some.expected_in_all == pytest.approx(issues["change_chance"].sum())


def test_the_summary_says_how_many_flagged_labels_are_expected_to_be_wrong(tmp_path: Path) -> None:
    printed = find(tmp_path, wrong=24).stdout
    run = RunFolder(tmp_path / "run")
    issues, expected = run.issues(), summarise(run).expected_wrong
    assert expected == pytest.approx((1 - issues["label_score"])[issues["is_label_issue"]].sum())
    assert f"About {expected:.0f} of the 24 labels that look wrong are expected to be wrong." in printed
    run.write_table(run.issues_file, issues.assign(is_label_issue=False))
    assert summarise(run).expected_wrong is None


@pytest.mark.parametrize(("expected", "undecided"), [(14.4, True), (15.1, False)])
def test_the_summary_says_when_the_evidence_cant_tell_wrong_labels_from_right_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], expected: float, undecided: bool
) -> None:
    find(tmp_path, wrong=24)
    run = RunFolder(tmp_path / "run")
    # 15 of the 25 that are flagged are .6
    scores = pd.Series(1.0, index=range(N))
    scores[:25] = 1 - expected / 25
    flagged = pd.array(np.arange(N) < 25, dtype="boolean")
    run.write_table(run.issues_file, run.issues().assign(is_label_issue=flagged, label_score=scores))
    assert summarise(run).undecided is undecided
    capsys.readouterr()
    _print(summarise(run), curation.open_run(run.folder), own=True)
    headline = "The evidence can't tell wrong labels from right ones: of the 25 that look wrong, only about 14 are"
    said = capsys.readouterr().out
    assert (headline in said) is undecided
    # what it advises against is no next step
    assert ("--accept-suggestions" in said) is not undecided


def test_where_nothing_is_flagged_there_is_nothing_to_accept(tmp_path: Path) -> None:
    said = find(tmp_path, wrong=0).stdout
    assert "--accept-suggestions" not in said
    assert said.splitlines()[-2:] == [
        "Nothing is flagged: there is nothing to review.",
        f"Next: curate audit --run {tmp_path}/run --size 200",
    ]


def test_a_run_has_the_health_of_its_labels_as_a_file(finished: RunFolder) -> None:
    health = summarise(finished).health
    assert health
    assert health == read_json(finished.folder / "health.json")
    issues = finished.issues()
    assert 0.3 < health["label_health"] < 1
    assert sum(row["listings"] for row in health["classes"]) == issues["given_label"].notna().sum()
    assert sum(row["flagged"] for row in health["classes"]) == issues["is_label_issue"].sum()


def test_doubtful_classes_and_confused_pairs_are_said(tmp_path: Path) -> None:
    lines = find(tmp_path, wrong=24).stdout.splitlines()
    start = lines.index("Classes with doubtful labels")
    assert lines[start + 1].split() == ["class", "listings", "flagged", "share"]
    assert lines[start + 2].split() == ["chair", "104", "24", "23%"]
    assert lines[start + 3] == ""
    assert "Most confused: <desk> with chair (24 listings)." in lines
    assert not [line for line in lines if line.startswith("Few labels")]


def test_few_wrong_labels_are_said_in_one_line(tmp_path: Path) -> None:
    lines = find(tmp_path, wrong=1).stdout.splitlines()
    assert "Few labels look wrong: 1 of 240 (0.4 %)." in lines
    assert not [line for line in lines if line.startswith(("Classes whose", "Most confused"))]


def test_the_json_of_find_issues_has_the_health(tmp_path: Path) -> None:
    summary = json.loads(find(tmp_path, 24, "--json").stdout)
    assert summary == summarise(RunFolder(tmp_path / "run")).to_dict()
    assert [row["class"] for row in doubtful(summary["health"], 5)] == ["chair"]


def test_the_report_shows_the_classes_worst_first_and_escaped(tmp_path: Path) -> None:
    find(tmp_path, wrong=24)
    page = (tmp_path / "run" / "report.html").read_text()
    section = page[page.index('id="classes"') : page.index('id="reproduce"')]
    assert '<th scope="row">chair</th><td class="n">104</td><td class="n">24</td><td class="n">23 %</td>' in section
    assert '<th scope="row">&lt;desk&gt;</th><td>chair</td><td class="n">24</td>' in section
    assert "<desk>" not in page


def test_the_report_counts_wrong_labels_by_flags_and_says_how_many_are_expected(tmp_path: Path) -> None:
    find(tmp_path, wrong=24)
    page = (tmp_path / "run" / "report.html").read_text()
    health = summarise(RunFolder(tmp_path / "run")).health
    assert health
    expected = (
        f"About {health['noise_count']} are expected to be wrong among the {health['listings']} outside the test set"
    )
    assert f"24 given labels are flagged as wrong.\n{expected}" in page


def test_a_dataset_whose_labels_nothing_is_known_of_is_summarised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ids, probs = list("abcde"), np.full((5, 2), np.nan)
    probs[4] = 0.5
    pd.DataFrame({"id": ids, "label": ["x", "y", "x", "y", None]}).to_csv("t.csv", index=False)
    np.savez("p.npz", id=ids, classes=["x", "y"], probs=probs)
    result = done("find-issues", "t.csv", "--probabilities", "p.npz", "--run", "run")
    assert "nan" not in result.stdout
    assert "agrees" not in result.stdout
    assert agreement(RunFolder(Path("run"))) == Agreement(None, 0.5)
    json.dumps(summarise(RunFolder(Path("run"))).to_dict(), allow_nan=False)


def find_by_worth(folder: Path, *options: str) -> Result:
    """Find issues again, with views of each listing, of which the later ones have more."""
    find(folder, 24)
    table = pd.read_csv(folder / "table.csv", dtype=str)
    table.assign(views=[f"{row * row:,}" for row in range(N)]).to_csv(folder / "table.csv", index=False)
    command = ["find-issues", folder / "table.csv", "--probabilities", folder / "probs.csv", "--run", folder / "worth"]
    return done(*command, "--worth", "views", *options)


def test_the_summary_and_the_report_say_how_much_worth_the_first_hold(tmp_path: Path) -> None:
    result = find_by_worth(tmp_path, "--budget", "5")
    run = RunFolder(tmp_path / "worth")
    issues, worth = run.issues(), summarise(run, 5).worth
    assert worth is not None
    first = issues[is_flagged(issues)].nsmallest(5, "priority")
    assert worth.first == pytest.approx(first["worth_at_stake"].sum())
    assert worth.unordered < worth.first < worth.in_all
    assert "views: '1,024' is read as 1,024." in result.stderr
    assert (
        f"The first 5 listings of the queue hold {100 * worth.first / worth.in_all:.0f} % of the worth" in result.stdout
    )
    page = " ".join((tmp_path / "worth" / "report.html").read_text().split())
    # all that are flagged are among the first 100: that they hold all says nothing
    assert "listings of the queue hold" not in page
    assert "worth = views" in page
    assert issues["worth"].tolist() == [row * row for row in range(N)]


def test_the_json_has_the_worth_and_no_other_run_does(tmp_path: Path) -> None:
    summary = json.loads(find_by_worth(tmp_path, "--json").stdout)
    assert summary["worth"]["column"] == "views"
    assert summary["worth"]["listings"] == summary["flagged"] == 24
    assert summarise(RunFolder(tmp_path / "run")).worth is None


def test_the_odd_prices_with_the_most_money_at_stake_are_shown(
    finished: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = summarise(finished)
    _print(summary, curation.open_run(finished.folder), own=False)
    said = capsys.readouterr().out
    assert (
        f"Odd prices with the most money at stake ({summary.issues['price']} of {summary.issues['price']}, SGD)" in said
    )
    assert summary.price_errors["id"][0] in said
    page = (finished.folder / "report.html").read_text()
    assert "Most money at stake" in page
