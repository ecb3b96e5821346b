"""A dataset fails where what a run measures crosses a limit, and passes where that is not shown."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import curation
from curation import InputError, Run
from curation.gate.limits import parse_limit
from curation.gate.measures import MEASURES, Amount, Measured
from curation.run.folder import RunFolder
from tests.cli.test_cli import curate
from tests.support.tiny import tiny_probabilities, tiny_run

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs" / "pipelines.md"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return tiny_run(tmp_path_factory.mktemp("gate"))


def later(run: Run, folder: Path, table: pd.DataFrame) -> Run:
    """Return the run of another state of the dataset, in which new listings look like the first one."""
    shop = folder / "shop"
    shutil.copytree(run.folder.parent / "shop", shop)
    table.to_csv(shop / "listings.csv", index=False)
    known = tiny_probabilities()
    probabilities = pd.DataFrame(
        [known.loc[id] if id in known.index else known.iloc[0] for id in table["id"]],
        columns=known.columns,
        index=pd.Index(table["id"], name="id"),
    )
    listings = curation.read_listings(shop)
    return curation.find_issues(listings, run=folder / "run", probabilities=probabilities, text=False)


def verdict(run: Run, limit: str, baseline: Run | None = None) -> str:
    gate = run.gate(limit, baseline=baseline)
    (said,) = gate.limits["verdict"]
    assert gate.passed == (said != "crossed")
    return str(said)


def test_flags_are_compared_as_they_are_counted(run: Run) -> None:
    assert int(run.issues["is_label_issue"].sum()) == 4
    assert verdict(run, "label_flags > 3") == "crossed"
    assert verdict(run, "label_flags > 4") == "kept"
    assert verdict(run, "label_flags >= 4") == "crossed"
    assert verdict(run, "label_flags < 4") == "kept"
    assert verdict(run, "label_flags <= 4") == "crossed"
    assert verdict(run, "label_flags > 33.3%") == "crossed"
    assert verdict(run, "label_flags > 33.4 %") == "kept"


def test_each_measure_is_what_the_issues_say(run: Run) -> None:
    issues, measured = run.issues, Measured(RunFolder(run.folder))
    kinds = {"label": "label_flags", "price": "price_flags", "near_duplicate": "reposts"}
    kinds |= {"indirect_image": "indirect_photos", "outlier": "off_topic_photos"}
    kinds |= {"photo_quality": "poor_photos", "unreadable": "unreadable_photos"}
    for kind, name in kinds.items():
        if issues[f"is_{kind}_issue"].notna().any():
            assert measured(name).estimate == issues[f"is_{kind}_issue"].sum()
        else:
            with pytest.raises(InputError, match=f"{name} can't be measured"):
                measured(name)
    assert measured("listings").estimate == len(issues) == 12
    assert measured("flagged").estimate == run.summary().flagged
    assert measured("classes").estimate == 3
    assert [measured(f"missing_{each}").estimate for each in ("labels", "photos", "prices")] == [0, 0, 0]
    of_class = measured("label_flags", "desk")
    assert (of_class.estimate, of_class.of) == (issues.query("given_label == 'desk'")["is_label_issue"].sum(), 4)


def test_an_estimate_crosses_a_limit_only_with_all_of_its_interval(run: Run) -> None:
    amount = Measured(RunFolder(run.folder))("label_errors")
    assert amount.estimate == pytest.approx((1 - run.issues["label_score"]).sum())
    assert 0 < amount.low < amount.estimate < amount.high <= 12
    for end, beyond, within in (("low", -1e-6, 1e-6), ("high", 1e-6, -1e-6)):
        comparison = ">" if end == "low" else "<"
        bound = getattr(amount, end)
        assert verdict(run, f"label_errors {comparison} {bound + beyond:.9f}") == "crossed"
        assert verdict(run, f"label_errors {comparison} {bound + within:.9f}") == "not shown"
        assert verdict(run, f"label_errors {comparison} {amount.estimate - within:.9f}") == "not shown"
        assert verdict(run, f"label_errors {comparison} {amount.estimate + within:.9f}") == "kept"


def test_an_audit_says_how_many_labels_are_wrong(tmp_path: Path) -> None:
    run = tiny_run(tmp_path)
    before = Measured(RunFolder(run.folder))("label_errors")
    run.audit(12)
    # nothing is decided of it yet
    assert Measured(RunFolder(run.folder))("label_errors") == before
    for row in run.issues.to_dict("records"):
        if row["is_label_issue"]:
            run.decide(row["id"], "relabel", label=row["suggested_label"])
        else:
            run.decide(row["id"], "keep")
    said = run.audit()
    assert said.wrong is not None
    amount = Measured(RunFolder(run.folder))("label_errors")
    assert amount == Amount(said.wrong.low, said.wrong.estimate, said.wrong.high, 12)
    assert amount.high - amount.low < before.high - before.low


def test_new_listings_are_those_that_the_baseline_lacks(run: Run, tmp_path: Path) -> None:
    table = pd.read_csv(run.folder.parent / "shop" / "listings.csv")
    # two listings with the photo of the first, one without a price, and a listing that is gone
    more = table.iloc[[0, 0]].assign(id=["N1", "N2"], price=[9.5, np.nan])
    now = later(run, tmp_path, pd.concat([table.iloc[:-1], more], ignore_index=True))
    assert verdict(now, "new_listings > 1", run) == "crossed"
    assert verdict(now, "new_listings > 2", run) == "kept"
    assert verdict(now, "removed_listings >= 1", run) == "crossed"
    assert verdict(now, "new_missing_prices > 49%", run) == "crossed"
    assert verdict(now, "new_missing_prices > 50%", run) == "kept"
    assert verdict(now, "new_reposts >= 2", run) == "crossed"
    assert verdict(now, "listings > baseline + 0", run) == "crossed"
    assert verdict(now, "listings > baseline + 1", run) == "kept"
    assert verdict(now, "listings < baseline", run) == "kept"
    assert verdict(now, "missing_classes > 0", run) == "kept"


def test_classes_that_come_and_go_are_counted(run: Run, tmp_path: Path) -> None:
    table = pd.read_csv(run.folder.parent / "shop" / "listings.csv")
    now = later(run, tmp_path, table[table["label"] != "lamp"])
    gate = now.gate(["missing_classes > 0", "new_classes > 0", "missing_classes > 33.4%"], baseline=run.folder)
    assert gate.limits["verdict"].tolist() == ["crossed", "kept", "kept"]
    assert run.gate("new_classes > 0", baseline=now).limits["verdict"].tolist() == ["crossed"]


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("label_error > 5%", "'label_error' is no measure.*Did you mean 'label_errors'"),
        ("label_errors = 5%", "a limit can't be understood"),
        ("label_errors > five", "a limit can't be understood"),
        ("label_errors >", "a limit can't be understood"),
        ("label_errors > baseline +", "a limit can't be understood"),
        ("label_errors > baseline 5", "a limit can't be understood"),
        ("label_errors > 5% and reposts > 1", "a limit can't be understood"),
        ("", "a limit can't be understood"),
        ("label_errors > 101%", "no share is over 100 %"),
        ("label_flags[Desk] > 1", "'Desk' is no class of .*Did you mean 'desk'"),
        ("classes[desk] > 1", "classes is not measured by class"),
        ("new_reposts > 0", "compares with a baseline, and there is none"),
        ("label_errors > baseline", "compares with a baseline, and there is none"),
        ("new_reposts > baseline", "new_reposts compares with the baseline already"),
    ],
)
def test_a_limit_that_says_nothing_is_refused(limit: str, said: str, run: Run) -> None:
    with pytest.raises(InputError, match=said):
        run.gate(limit)


def test_limits_are_read_as_people_write_them() -> None:
    for text in ("reposts>1,200", " reposts  >  1200 ", "REPOSTS > 1_200"):
        assert parse_limit(text, MEASURES).bound == 1200
    share = parse_limit("reposts[Hard Disks & Thumbdrives] >= baseline - 2.5 %", MEASURES)
    assert (share.of_class, share.comparison, share.is_share) == ("Hard Disks & Thumbdrives", ">=", True)
    assert (share.bound, share.over_baseline) == (-0.025, True)
    assert parse_limit("reposts[a [b]] > .5", MEASURES).of_class == "a [b]"


def test_a_baseline_of_another_dataset_is_refused(run: Run, tmp_path: Path) -> None:
    table = pd.read_csv(run.folder.parent / "shop" / "listings.csv")
    (tmp_path / "photos").mkdir()
    other = table.assign(id="X" + table["id"], label=table["label"].map(str.upper)).drop(columns="image")
    other.to_csv(tmp_path / "other.csv", index=False)
    probabilities = tiny_probabilities().rename(columns=str.upper, index=lambda id: f"X{id}")
    listings = curation.read_listings(tmp_path / "other.csv", needs_image=False)
    theirs = curation.find_issues(listings, run=tmp_path / "theirs", probabilities=probabilities, text=False)
    with pytest.raises(
        InputError, match=r"is a run of another dataset: got 0% of the ids, and of its 3 classes only 0"
    ):
        run.gate("new_reposts > 0", baseline=theirs)


def test_the_command_ends_with_3_and_writes_what_pipelines_read(run: Run, tmp_path: Path) -> None:
    limits = ["--fail-if", "label_flags > 3", "--fail-if", "label_errors > 100"]
    files = ["--junit", str(tmp_path / "j.xml"), "--markdown", str(tmp_path / "m.md")]
    failed = curate("check-dataset", "--run", str(run.folder), *limits, *files)
    assert failed.exit_code == 3, failed.output
    assert "1 limit crossed" in failed.stdout
    suite = ET.parse(tmp_path / "j.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    failures = {case.get("name"): case.find("failure") is not None for case in suite}
    assert failures == {"label_flags > 3": True, "label_errors > 100": False}
    assert "| label\\_flags \\> 3 | 4 |" in (tmp_path / "m.md").read_text()
    passed = curate("check-dataset", "--run", str(run.folder), "--fail-if", "label_flags > 4", "--json")
    assert passed.exit_code == 0
    assert '"passed": true' in passed.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "nothing to check"),
        (("shop", "--run", "run"), "--run has no effect beside DATASET"),
        (("--run", "run", "--preset", "quick"), "--preset has no effect with --run: nothing is computed"),
        (("shop", "--baseline", "run", "--no-text"), "--no-text has no effect with --baseline"),
        (("shop", "--probabilities", "p.npz", "--epochs", "3"), "--epochs has no effect with --probabilities"),
        (("--run", "nothing"), "there is no run 'nothing'"),
    ],
)
def test_options_that_mean_nothing_together_are_refused(
    options: tuple[str, ...], said: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(run.folder.parent)
    refused = curate("check-dataset", *options, "--fail-if", "reposts > 1")
    assert refused.exit_code == 2
    assert said in refused.stderr


def test_the_example_for_github_runs(demo: Path, tmp_path: Path) -> None:
    shutil.copytree(demo, tmp_path / "shop")
    example = re.search(r"```yaml\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert example is not None
    (job,) = yaml.safe_load(example[1])["jobs"].values()
    (script,) = (step["run"] for step in job["steps"] if step.get("run", "").startswith("curate"))
    (tmp_path / "curate").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT / "cli.py"}" "$@"\n')
    (tmp_path / "curate").chmod(0o755)
    environment = os.environ | {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "CURATE_CACHE_DIR": str(tmp_path / "cache"),
    }

    def done(script: str) -> int:
        return subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, env=environment, check=False).returncode

    assert done(script) == 0
    assert "label\\_flags \\> 40%" in (tmp_path / "summary.md").read_text()
    assert ET.parse(tmp_path / "labels.xml").getroot().get("failures") == "0"
    # labels of the demo are wrong, so a limit below their share fails
    assert done(script.replace("label_flags > 40%", "label_flags > 1%")) == 3
    assert ET.parse(tmp_path / "labels.xml").getroot().get("failures") == "1"


def test_a_limit_without_its_baseline_is_refused_before_anything_is_computed(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = curate("check-dataset", str(demo), "--fail-if", "new_reposts > 0")
    assert refused.exit_code == 2
    assert "compares with a baseline, and there is none" in refused.stderr
    assert not (tmp_path / "runs").exists()


def test_a_count_of_a_class_with_a_percent_sign_is_no_share(tmp_path: Path) -> None:
    tiny_run(tmp_path)
    table = pd.read_csv(tmp_path / "shop" / "listings.csv").replace({"label": {"desk": "50% off"}})
    table.to_csv(tmp_path / "shop" / "listings.csv", index=False)
    known = tiny_probabilities().rename(columns={"desk": "50% off"})
    listings = curation.read_listings(tmp_path / "shop")
    run = curation.find_issues(listings, run=tmp_path / "other", probabilities=known, text=False)
    said = curate("check-dataset", "--run", str(run.folder), "--fail-if", "listings[50% off] > 100")
    assert said.exit_code == 0
    assert "400.0%" not in said.stdout
    assert re.search(r"listings\[50% off\] > 100 +4 ", said.stdout)
