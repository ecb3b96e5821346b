"""Probabilities as other tools leave them, by the name that docs/data.md has for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from training.utils.arrays import Float64

N = 60
LABELS = ["cable", "mouse", "router"]
IDS = [f"L{number}" for number in range(N)]
GIVEN = [LABELS[number % 3] for number in range(N)]


def probs(n: int = N, k: int = 3) -> Float64:
    """Return rows that agree with labels that are given in turn."""
    rng = np.random.default_rng(0)
    values = 0.3 * rng.dirichlet(np.ones(k), n)
    values[np.arange(n), np.arange(n) % k] += 0.7
    return values


def frame(**columns: Any) -> pd.DataFrame:
    """Return the probabilities as a table with ids, and with other columns beside them."""
    table = pd.DataFrame(probs(), columns=LABELS)
    table.insert(0, "id", IDS)
    return table.assign(**columns)


def of_columns(change: Callable[[Float64], Any]) -> pd.DataFrame:
    """Return the table with its numbers changed."""
    return frame(**{name: change(frame()[name].to_numpy()) for name in LABELS})


def npz(path: Path, **changes: Any) -> Path:
    """Write a .npz; a part that is None is left out."""
    content = {"probs": probs(), "id": np.array(IDS), "classes": np.array(LABELS), **changes}
    np.savez(path, **{name: value for name, value in content.items() if value is not None})
    return path


def csv(table: pd.DataFrame, path: Path, **options: Any) -> Path:
    """Write a table."""
    table.to_csv(path, **options)
    return path


@dataclass(frozen=True)
class Tool:
    """How to write a file, and what becomes of it.

    Attributes
    ----------
    write : function
        Writes the file, and returns its path; it gets the path without an ending.
    refused : str
        What the error says, if it is refused.
    """

    write: Callable[[Path], Path]
    refused: str = ""


def _plain(table: pd.DataFrame, **options: Any) -> Callable[[Path], Path]:
    return lambda path: csv(table, path.with_suffix(".csv"), **{"index": False, **options})


def _npz(**changes: Any) -> Callable[[Path], Path]:
    return lambda path: npz(path.with_suffix(".npz"), **changes)


def _npy(values: Any) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        np.save(path.with_suffix(".npy"), values, allow_pickle=True)
        return path.with_suffix(".npy")

    return write


def _with(method: str, ending: str, **options: Any) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        getattr(frame(), method)(path.with_suffix(ending), **options)
        return path.with_suffix(ending)

    return write


def _parquet_of_an_index(path: Path) -> Path:
    frame().set_index("id").rename_axis(None).to_parquet(path.with_suffix(".parquet"))
    return path.with_suffix(".parquet")


TOOLS = {
    "NumPy: `.npz` with `probs`, `id`, `classes`": Tool(_npz()),
    "cleanlab: `.npz` with `pred_probs`, `ids`, `class_names`": Tool(
        _npz(probs=None, id=None, classes=None, pred_probs=probs(), ids=np.array(IDS), class_names=np.array(LABELS))
    ),
    "`.npz` with ids or classes from pandas (object arrays)": Tool(
        _npz(id=np.array(IDS, dtype=object)), "np.array(ids, dtype=str)"
    ),
    "`.npz` with float16": Tool(_npz(probs=probs().astype(np.float16))),
    "`.npz` with `fold` as floats": Tool(_npz(fold=np.arange(N) % 5.0)),
    "`.npz` with fractions as `fold`": Tool(_npz(fold=np.arange(N) / 2), "is not a whole number"),
    "scikit-learn: `.npy` of `predict_proba`": Tool(_npy(probs())),
    "`.npy` with a row per class": Tool(_npy(probs().T), "give probs.T"),
    "`.npy` with one value for each listing": Tool(_npy(probs()[:, 0]), "a column per class"),
    "`.npy` with the header as a row": Tool(_npy(np.vstack([np.arange(3), probs()])), "give probs[1:]"),
    "`.npy` of objects": Tool(_npy(probs().astype(object)), "probs.astype(float)"),
    "pandas: `to_csv(index=False)`": Tool(_plain(frame())),
    "pandas: `to_csv()` with row numbers": Tool(_plain(frame(), index=True)),
    "pandas: `to_csv()` with ids as index": Tool(_plain(frame().set_index("id").rename_axis(None), index=True)),
    "pandas: `to_parquet()`": Tool(_with("to_parquet", ".parquet")),
    "pandas: `to_parquet()` with ids as index": Tool(_parquet_of_an_index),
    "pandas: `to_json()`, also with lines": Tool(_with("to_json", ".jsonl", orient="records", lines=True)),
    "Excel: `.xlsx`": Tool(_with("to_excel", ".xlsx", index=False)),
    "Excel: CSV with `;` and decimal commas": Tool(_plain(frame(), sep=";", decimal=",")),
    "Columns `predicted`, `label`, `confidence` beside the classes": Tool(
        _plain(frame(predicted="cable", label=GIVEN, confidence=0.9))
    ),
    "Columns called `prob_cable`, `prob_mouse`, …": Tool(
        _plain(frame().rename(columns={name: f"prob_{name}" for name in LABELS}))
    ),
    "Names with blanks, other capitals or invisible characters": Tool(
        _plain(frame().set_axis(["id", " Cable", "mouse\N{ZERO WIDTH SPACE}", "ROUTER "], axis="columns"))
    ),
    "Columns called `0`, `1`, `2` where labels are text": Tool(
        _plain(frame().set_axis(["id", "0", "1", "2"], axis="columns")), "only numbered"
    ),
    "A row for each listing and class": Tool(
        _plain(frame().melt("id", var_name="class", value_name="p")), "table.pivot("
    ),
    "Percentages": Tool(_plain(of_columns(lambda values: 100 * values))),
    "Cells with a percent sign": Tool(_plain(of_columns(lambda values: [f"{100 * value:.4f}%" for value in values]))),
    "Log-probabilities (natural)": Tool(_plain(of_columns(np.log))),
    "Logits": Tool(_plain(of_columns(lambda values: np.log(values) + 3)), "scipy.special.softmax(logits, axis=1)"),
    "Rows rounded to two digits": Tool(_plain(of_columns(lambda values: values.round(2)))),
    "Rows that all sum to 0.98": Tool(
        _plain(of_columns(lambda values: 0.98 * values)), "probs / probs.sum(axis=1, keepdims=True)"
    ),
    "A score for each class alone (sigmoid)": Tool(
        _plain(of_columns(lambda values: values**0.2)), "probs / probs.sum(axis=1, keepdims=True)"
    ),
    "Copied rows": Tool(_plain(pd.concat([frame(), frame().head(3)]))),
    "Two different rows for an id": Tool(
        _plain(pd.concat([frame(), frame().tail(1).assign(id="L0")])), "duplicate ids"
    ),
    "Rows in another order": Tool(_plain(frame().sample(frac=1, random_state=0))),
    "Some listings only": Tool(_plain(frame().head(50)), "a row of NaN for each listing that was not scored"),
    "Columns in another order than their names": Tool(
        _plain(frame().set_axis(["id", "mouse", "router", "cable"], axis="columns")), "another order than their names"
    ),
}
