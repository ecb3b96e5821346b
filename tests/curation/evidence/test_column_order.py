"""The order of the columns: which it is without names, and another one than the names say is noticed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from curation.errors import ProbabilitiesError
from curation.evidence.column_order import check_order, usual_order
from curation.evidence.probabilities import Given, Probabilities, given_probabilities
from training.utils.arrays import Float64, Int64


def agreeing(given: Int64, classes: int, *, sure: float = 0.7, seed: int = 0) -> Float64:
    values = (1 - sure) * np.random.default_rng(seed).dirichlet(np.ones(classes), len(given))
    values[np.arange(len(given)), given] += sure
    return values


def names(given: Int64) -> list[str]:
    return [f"class {number:02}" for number in given]


def check(probs: Float64, given: Int64) -> Float64:
    """Give probabilities, and return them as they are taken."""
    classes = [f"class {number:02}" for number in range(probs.shape[1])]
    ids = np.array([f"L{number}" for number in range(len(given))])
    own = Probabilities(ids, tuple(classes), probs, np.full(len(given), -1))
    return given_probabilities(own, ids.tolist(), names(given)).probs


@pytest.mark.parametrize(
    ("labels", "order"),
    [
        (["0", "1", "10", "11", "2"], ("0", "1", "2", "10", "11")),
        (["-1", "-10", "3"], ("-10", "-1", "3")),
        (["01", "02", "10"], ("01", "02", "10")),
        (["0.5", "1.5", "9.25"], ("0.5", "1.5", "9.25")),
        (["True", "False"], ("False", "True")),
        (["lamp", "3D printer", "Desk"], ("3D printer", "Desk", "lamp")),
        (["1", "2", "other"], ("1", "2", "other")),
    ],
)
def test_the_order_is_the_one_of_every_library(labels: list[str], order: tuple[str, ...]) -> None:
    assert usual_order(labels, "p.npy") == order


@pytest.mark.parametrize("labels", [["9", "10", "other"], ["9.5", "10.5"], ["1", "1.0", "2"], ["01", "1"]])
def test_where_libraries_differ_the_classes_are_demanded(labels: list[str]) -> None:
    with pytest.raises(ProbabilitiesError, match=r"which column is which class: .*wanted classes.*classes=np\.array"):
        usual_order(labels, "p.npy")


def forms(probs: Float64, classes: list[str], ids: list[str], folder: Path) -> list[Given]:
    table = pd.DataFrame(probs, columns=classes, index=pd.Index(ids, name="id"))
    table.to_csv(folder / "p.csv")
    np.savez(folder / "p.npz", probs=probs, id=np.array(ids), classes=np.array(classes))
    np.save(folder / "p.npy", probs)
    own = Probabilities(np.array(ids), tuple(classes), probs, np.full(len(ids), -1))
    return [folder / "p.csv", folder / "p.npz", folder / "p.npy", table, probs, own]


def test_columns_in_another_order_are_refused_in_every_form_and_the_order_is_named(tmp_path: Path) -> None:
    given = np.arange(240) % 12
    classes = [str(number) for number in range(12)]
    as_text = [int(name) for name in sorted(classes)]
    ids = [f"L{number}" for number in range(240)]
    for form in forms(agreeing(given, 12)[:, as_text], classes, ids, tmp_path):
        with pytest.raises(ProbabilitiesError) as caught:
            given_probabilities(form, ids, [str(number) for number in given])
        message = str(caught.value)
        assert "seem to be in another order than their names: got a mean probability of 0.0" in message
        assert "of 0.73 if column '2' holds '10', '3' holds '11', '4' holds '2'" in message
        assert "model.classes_" in message


def test_two_exchanged_columns_among_many_are_named() -> None:
    given = np.arange(600) % 10
    exchanged = [0, 1, 5, 3, 4, 2, 6, 7, 8, 9]
    with pytest.raises(
        ProbabilitiesError, match=r"if column 'class 02' holds 'class 05', 'class 05' holds 'class 02';"
    ):
        check(agreeing(given, 10)[:, exchanged], given)


def test_exchanged_columns_of_two_classes_are_refused() -> None:
    given = np.arange(100) % 2
    check(agreeing(given, 2), given)
    with pytest.raises(ProbabilitiesError, match="another order"):
        check(agreeing(given, 2)[:, ::-1], given)


@pytest.mark.parametrize("classes", [2, 3, 10, 40])
@pytest.mark.parametrize("rate", [0.0, 0.4, 0.45])
@pytest.mark.parametrize("kind", ["next class", "any class"])
@pytest.mark.parametrize("size", [20, 60, 2000])
def test_noisy_labels_are_no_other_order(classes: int, rate: float, kind: str, size: int) -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        true = rng.integers(0, classes, size)
        wrong = rng.random(size) < rate
        other = true + 1 if kind == "next class" else rng.integers(0, classes, size)
        given = np.where(wrong, other % classes, true)
        probs = agreeing(true, classes, seed=seed)
        assert np.allclose(check(probs, given), probs)


def test_classes_with_few_members_and_a_weak_model_are_no_other_order() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        given = np.repeat(np.arange(19), rng.integers(1, 30, 19))
        probs = agreeing(rng.integers(0, 19, len(given)), 19, sure=0.2)
        assert np.allclose(check(probs, given), probs)


def test_rows_that_were_not_scored_do_not_count() -> None:
    given = np.arange(100) % 2
    probs = agreeing(given, 2)[:, ::-1]
    probs[10:] = np.nan
    # ten listings tell too little
    assert np.allclose(check(probs, given), probs, equal_nan=True)


def warning(exchanged: bool, listings: int, *, sure: float = 0.87) -> tuple[str, ...]:
    given = np.arange(listings) % 4
    probs = agreeing(given, 4, sure=sure)
    return check_order(probs[:, [1, 0, 2, 3]] if exchanged else probs, given, ["a", "b", "c", "d"], "p.csv")


@pytest.mark.parametrize("listings", [12, 24])
def test_exchanged_columns_of_few_listings_get_a_warning_that_says_what_agrees_better_and_how_to_check(
    listings: int,
) -> None:
    assert not warning(False, listings)
    (said,) = warning(True, listings)
    assert f"{listings // 2} listings give a mean probability of 0.0" in said
    assert "if column 'a' holds 'b', 'b' holds 'a'. So few prove nothing. Look at some" in said


def test_exchanged_columns_of_many_listings_are_refused() -> None:
    with pytest.raises(ProbabilitiesError, match="another order than their names"):
        warning(True, 100)


def test_too_few_listings_and_weak_models_get_no_warning() -> None:
    assert not warning(True, 8)
    assert not warning(True, 24, sure=0.3)
