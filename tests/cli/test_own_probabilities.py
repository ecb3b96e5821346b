"""What the command line says where the probabilities are the user's own, and where it read names as they are meant."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.cli.test_cli import curate, done

N = 60
IDS = [f"{number:04}" for number in range(N)]
LABELS = np.array(["cable", "mouse", "router"])


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table without photos, five wrong labels in it, and probabilities that show them."""
    folder = tmp_path_factory.mktemp("shop")
    true = np.arange(N) % 3
    probs = 0.3 * np.random.default_rng(0).dirichlet(np.ones(3), N)
    probs[np.arange(N), true] += 0.7
    given = np.where(np.arange(N) % 12 == 0, (true + 1) % 3, true)
    pd.DataFrame({"id": IDS, "label": LABELS[given]}).to_csv(folder / "listings.csv", index=False)
    # as pandas reads and writes it: the zeros are lost, the row numbers stay
    table = pd.DataFrame(probs, columns=LABELS).assign(id=range(N))
    table.to_csv(folder / "p.csv")
    table.assign(**dict.fromkeys(LABELS, 1 / 3)).to_csv(folder / "weak.csv")
    return folder


def test_a_model_of_one_s_own_is_not_called_the_photo(shop: Path) -> None:
    result = done("find-issues", shop / "listings.csv", "--probabilities", shop / "p.csv", "--run", shop / "run")
    issues = pd.read_csv(shop / "run" / "issues.csv", dtype=str)
    reasons = issues["reasons"].dropna()
    assert reasons.str.contains("your model says so").sum() == 5
    assert not reasons.str.contains("photo").any()
    assert "p.csv: 60 ids were read as meant: '0' as '0000', '1' as '0001'" in result.stderr
    assert "left out: Unnamed: 0" in result.stderr
    report = (shop / "run" / "report.html").read_text(encoding="utf-8")
    assert "photo says" not in report


def test_a_weak_model_of_one_s_own_is_not_mended_by_a_preset(shop: Path) -> None:
    result = done("find-issues", shop / "listings.csv", "--probabilities", shop / "weak.csv", "--run", shop / "weak")
    assert "That is a weak model: take its label flags with care. Probabilities of a better one" in result.stdout
    assert "--preset" not in result.stdout + result.stderr


def test_apply_fixes_says_which_listings_it_took_ids_for(shop: Path) -> None:
    done("find-issues", shop / "listings.csv", "--probabilities", shop / "p.csv", "--run", shop / "excel")
    (shop / "mine.csv").write_bytes(
        "sep=;\r\nID;Decision;New Label\r\n1;relabel;Router\r\n2;delete;\r\n".encode("cp1252")
    )
    result = done("apply-fixes", "--run", shop / "excel", "--decisions", shop / "mine.csv", "--dry-run", "--json")
    assert json.loads(result.stdout)["relabelled"] == 1
    assert "mine.csv: 2 ids were read as meant: '1' as '0001', '2' as '0002'" in " ".join(result.stderr.split())
    assert "mine.csv: 1 class was read as meant: 'Router' as 'router' (capitals differ)" in " ".join(
        result.stderr.split()
    )
    refused = curate("apply-fixes", "--run", shop / "excel", "--decisions", shop / "gone.csv")
    assert (refused.exit_code, refused.stdout) == (2, "")
