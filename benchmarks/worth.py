"""What a queue that is ordered by worth finds, and whether the price errors with the most money at stake are errors.

    python benchmarks/worth.py demo/listings.csv demo/truth.csv
    python benchmarks/worth.py listings.csv listings.csv --seeds 50 -- --preset quick

The truth has ``id`` and ``true_label``; with ``issues``, ``true_price`` and ``note``, as in the demo, all kinds of
errors count, and prices are judged, too. Views are drawn from log-normal distributions, whatever is wrong with the
listing.
Arguments after -- are options of find-issues.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from detection import evidence_of, show
from sklearn.metrics import roc_auc_score

from curation.evidence.evidence import Evidence
from curation.issues import find_issues
from curation.issues.price.judge import SLIPPED, judge_prices
from curation.issues.queue import priorities
from curation.issues.worth import price_errors
from training.utils.arrays import Bool, Float64, Int64

_FIRST = (0.05, 0.1, 0.2)
_SPREADS = (0.5, 1.0, 1.5, 2.0)
#: Prices in SGD that somebody typed in another currency: factors of May 2024.
_RATES = {"USD": 0.74, "JPY": 115.0, "IDR": 11_900.0}
_TYPED = 0.05


def main() -> None:
    """Print one JSON object per question."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("listings", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--seeds", type=int, default=100, help="draws of views")
    parser.add_argument("options", nargs="*", help="options of find-issues, after --")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        evidence, _, _ = evidence_of(arguments.listings, arguments.truth, Path(folder), arguments.options)
    truth = pd.read_csv(arguments.truth, dtype=str, keep_default_na=False).set_index("id")
    truth = truth.loc[evidence.listings["id"].tolist()]
    issues = find_issues(evidence)
    planted = "issues" in truth
    errors = truth["issues"] != "" if planted else truth["true_label"] != issues["given_label"].to_numpy()
    wrong = errors.to_numpy(dtype=bool)
    for spread in _SPREADS:
        draws = [_views(issues, wrong, spread, seed) for seed in range(arguments.seeds)]
        show(f"views, spread {spread}", pd.DataFrame(draws).mean().to_dict())
    if planted:
        show("price", _of_price(evidence, issues, truth, wrong))
        show("price errors", _price_errors(issues, truth))
        for currency, rate in _RATES.items():
            show(f"prices in {currency}", _in_another_currency(evidence, truth, rate))


def _views(issues: pd.DataFrame, wrong: Bool, spread: float, seed: int) -> dict[str, float]:
    worth = np.exp(np.random.default_rng(seed).normal(0, spread, len(issues)))
    ordered = priorities(issues.assign(worth=worth))
    by_worth = priorities(issues.assign(worth=worth, change_chance=1.0, suggested_confidence=np.nan))
    top = np.sort(worth)[::-1][: round(0.01 * len(worth))].sum() / worth.sum()
    orders = {"": issues["priority"].to_numpy(), ", by worth": ordered, ", worth alone": by_worth}
    stake = issues["change_chance"].to_numpy() * worth
    said = {
        f"first {part:.0%}, said": stake[ordered <= round(part * len(worth))].sum() / stake.sum() for part in _FIRST
    }
    return {"top 1 %": top, **said, **_found(orders, lambda first: worth[first & wrong].sum() / worth[wrong].sum())}


def _found(orders: dict[str, Int64], share: Callable[[Bool], float]) -> dict[str, float]:
    return {
        f"first {part:.0%}{name}": share(order <= round(part * len(order)))
        for part in _FIRST
        for name, order in orders.items()
    }


def _of_price(evidence: Evidence, issues: pd.DataFrame, truth: pd.DataFrame, wrong: Bool) -> dict[str, float]:
    """Return the share of the true prices of wrong listings that are found, and that of a queue by prices as typed."""
    worth = truth["true_price"].astype(float).to_numpy()
    typed = issues["price"].fillna(issues["price"].median()).to_numpy()
    orders = {
        "": issues["priority"].to_numpy(),
        ", by worth": find_issues(replace(evidence, worth="price"))["priority"].to_numpy(),
        ", by prices as typed": priorities(issues.assign(worth=typed)),
    }
    return _found(orders, lambda first: worth[first & wrong].sum() / worth[wrong].sum())


def _price_errors(issues: pd.DataFrame, truth: pd.DataFrame) -> dict[str, Any]:
    """Return how many of the first price errors are errors, also in the order of money alone, and what is right."""
    found = price_errors(issues, len(issues)).set_index("id")
    planted = truth.loc[found.index]
    error = planted["issues"].str.contains("price").to_numpy()
    apart = np.abs(found["price"] - found["expected"])
    alone = apart.rank(ascending=False, method="first").to_numpy()
    slip, placeholder = planted["note"].str.contains(" times "), planted["note"] == "placeholder price"
    said_slip, said_placeholder = found["cause"].str.contains("decimal point"), found["cause"] == "a placeholder"
    money = np.abs(found["price"] - planted["true_price"].astype(float))
    off = np.abs(np.log(apart / money))[error]
    return {
        "flagged": len(found),
        **{f"errors in first {n}": float(error[:n].mean()) for n in (5, 10, 20)},
        **{f"errors in first {n}, by money alone": float(error[alone <= n].mean()) for n in (5, 10, 20)},
        "slips named so": float(said_slip[slip].mean()),
        "placeholders named so": float(said_placeholder[placeholder].mean()),
        "difference off by, median factor": float(np.exp(np.median(off))),
    }


def _in_another_currency(evidence: Evidence, truth: pd.DataFrame, rate: float) -> dict[str, float]:
    """Return what is said of prices in another currency, and whether they can be told from a slip nearby.

    The second figure is an area under the curve, 0.5 for a guess: of the likelihoods of both causes, for as many prices
    with one as with the other.
    """
    sound = np.flatnonzero((truth["issues"] == "").to_numpy() & (evidence.listings["price"] > 0).to_numpy())
    chosen = np.random.default_rng(0).choice(sound, round(_TYPED * len(truth)), replace=False)
    slip = 10.0 ** round(np.log10(rate)) if rate > 3 else 1.0
    of_rate, in_rate = _judged(evidence, chosen, rate, rate, slip)
    _, in_slip = _judged(evidence, chosen, slip, rate, slip)
    told = roc_auc_score(np.repeat([1, 0], len(chosen)), np.concatenate([in_rate, in_slip]))
    return {"rate": rate, "slip nearby": slip, **of_rate, "told from it": float(told)}


def _judged(
    evidence: Evidence, chosen: Int64, factor: float, rate: float, slip: float
) -> tuple[dict[str, float], Float64]:
    price = evidence.listings["price"].to_numpy(dtype=np.float64, copy=True)
    price[chosen] = np.round(price[chosen] * factor, 2 if factor < 3 else 0)
    judged = judge_prices(replace(evidence, listings=evidence.listings.assign(price=price)))
    middle = (np.log(judged.low) + np.log(judged.high))[chosen] / 2
    x = np.log(price[chosen])
    likelier = np.abs(x - np.log(slip) - middle) - np.abs(x - np.log(rate) - middle)
    facts = {
        "flagged": float(judged.flagged[chosen].mean()),
        "named a slip": float((judged.flagged & (judged.cause == SLIPPED))[chosen].mean()),
    }
    return facts, likelier


if __name__ == "__main__":
    main()
