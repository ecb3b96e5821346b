"""Probabilities that are brought along: joined by id, checked, never taken on trust."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from curation.errors import ProbabilitiesError
from curation.evidence.probabilities import Probabilities, given_probabilities
from training.utils.arrays import Float64

N = 12
CLASSES = ["NA", "chair", "desk"]
IDS = [f"{number:02}" for number in range(N)]


def probs(rows: int = N, columns: int = 3) -> Float64:
    return np.random.default_rng(7).dirichlet(np.ones(columns), rows)


def write_npz(path: Path, **changes: Any) -> Path:
    content = {"id": np.array(IDS), "classes": np.array(CLASSES), "probs": probs(), **changes}
    np.savez(path, **{key: value for key, value in content.items() if value is not None})
    return path


def npz(path: Path, ids: list[str], classes: list[str], values: Float64) -> Path:
    return write_npz(path.with_suffix(".npz"), id=np.array(ids), classes=np.array(classes), probs=values)


def csv(path: Path, ids: list[str], classes: list[str], values: Float64) -> Path:
    table = pd.DataFrame(values, columns=classes)
    table.insert(1, "id", ids)
    table.to_csv(path.with_suffix(".csv"), index=False)
    return path.with_suffix(".csv")


FORMS = [npz, csv]
Form = Callable[[Path, list[str], list[str], Float64], Path]
by_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)


def read_probabilities(path: Path, ids: list[str], labels: list[str]) -> Probabilities:
    """Read a file for listings whose given labels are all of these, in turn."""
    return given_probabilities(path, ids, [labels[row % len(labels)] for row in range(len(ids))])


def assert_refused(path: Path, match: str, ids: list[str] = IDS, labels: list[str] = CLASSES) -> None:
    with pytest.raises(ProbabilitiesError, match=match) as caught:
        read_probabilities(path, ids, labels)
    assert "\n" not in str(caught.value)
    assert path.name in str(caught.value)


@by_form
def test_rows_and_columns_may_come_in_any_order(form: Form, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    rows, columns = rng.permutation(N), [2, 0, 1]
    shuffled = probs()[rows][:, columns]
    path = form(tmp_path / "p", [IDS[row] for row in rows], [CLASSES[column] for column in columns], shuffled)
    read = read_probabilities(path, IDS, CLASSES)
    assert read.ids.tolist() == IDS
    assert list(read.classes) == [CLASSES[column] for column in columns]
    by_name = pd.DataFrame(read.probs, columns=list(read.classes))[CLASSES]
    np.testing.assert_allclose(by_name, probs(), rtol=1e-6)


@by_form
def test_a_class_that_no_listing_has_is_allowed(form: Form, tmp_path: Path) -> None:
    path = form(tmp_path / "p", IDS, [*CLASSES, "lamp"], probs(columns=4))
    read = read_probabilities(path, IDS, CLASSES)
    assert read.classes == (*CLASSES, "lamp")
    np.testing.assert_allclose(read.probs, probs(columns=4), rtol=1e-6)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_rows_of_any_float_are_renormalised(kind: type, tmp_path: Path) -> None:
    values = probs(columns=3).astype(kind)
    read = read_probabilities(npz(tmp_path / "p", IDS, CLASSES, values), IDS, CLASSES)
    np.testing.assert_allclose(read.probs.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(read.probs, probs(), atol=2e-3 if kind is np.float16 else 1e-6)


def test_rows_that_are_off_by_less_than_a_hundredth_are_renormalised(tmp_path: Path) -> None:
    values = probs() * np.linspace(0.991, 1.009, N)[:, None]
    read = read_probabilities(npz(tmp_path / "p", IDS, CLASSES, values), IDS, CLASSES)
    np.testing.assert_allclose(read.probs, probs(), rtol=1e-6)


@pytest.mark.parametrize("error", [-1e-7, -0.01])
def test_a_rounding_error_below_zero_becomes_zero(error: float, tmp_path: Path) -> None:
    values = probs()
    values[0] = [error, 0.4, 0.6 - error]
    read = read_probabilities(npz(tmp_path / "p", IDS, CLASSES, values), IDS, CLASSES)
    assert read.probs[0, 0] == 0
    assert read.probs.min() >= 0


def test_an_array_alone_is_taken_in_the_order_of_the_table_and_of_the_sorted_labels(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", probs())
    read = read_probabilities(tmp_path / "p.npy", IDS, ["desk", "NA", "chair"])
    assert read.classes == ("NA", "chair", "desk")
    assert read.ids.tolist() == IDS
    assert set(read.fold) == {-1}
    np.testing.assert_allclose(read.probs, probs(), rtol=1e-6)


@pytest.mark.parametrize("shape", [(N - 1, 3), (N, 4), (N,), ()])
def test_an_array_alone_of_another_shape_is_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", np.full(shape, 0.25))
    assert_refused(tmp_path / "p.npy", r"has shape .* where \(12, 3\) was wanted")


def test_folds_travel_with_their_ids(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "p.npz", fold=np.arange(N) % 5)
    reverse = IDS[::-1]
    assert read_probabilities(path, reverse, CLASSES).fold.tolist() == [int(id) % 5 for id in reverse]


def test_ids_that_are_numbers_in_the_file_are_the_text_of_the_table(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "p.npz", id=np.arange(N))
    assert read_probabilities(path, [str(number) for number in range(N)], CLASSES).ids[3] == "3"


def test_names_that_are_bytes_in_the_file_are_read_as_text(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "p.npz", id=np.array(IDS, dtype="S"), classes=np.array(CLASSES, dtype="S"))
    read = read_probabilities(path, IDS, CLASSES)
    assert (read.ids.tolist(), list(read.classes)) == (IDS, CLASSES)


def test_a_csv_keeps_leading_zeros_and_the_id_called_na(tmp_path: Path) -> None:
    ids = ["NA", "null", *IDS[2:]]
    assert read_probabilities(csv(tmp_path / "p", ids, CLASSES, probs()), ids, CLASSES).ids.tolist() == ids


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    values = probs().astype(np.float32).astype(np.float64)
    written = Probabilities(np.array(IDS), tuple(CLASSES), values, np.arange(N) % 4)
    written.save(tmp_path / "run" / "probabilities.npz")
    read = read_probabilities(tmp_path / "run" / "probabilities.npz", IDS, CLASSES)
    assert read.classes == written.classes
    assert read.ids.tolist() == written.ids.tolist()
    assert read.fold.tolist() == written.fold.tolist()
    np.testing.assert_allclose(read.probs, values, atol=1e-7)


def test_the_written_file_needs_no_pickle_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    # ids as pandas gives them: objects
    ids = np.array(IDS, dtype=object)
    Probabilities(ids, tuple(CLASSES), probs(), np.zeros(N, dtype=np.int64)).save(tmp_path / "p.npz")
    with np.load(tmp_path / "p.npz", allow_pickle=False) as content:
        assert sorted(content.files) == ["classes", "fold", "id", "probs"]
        assert content["probs"].dtype == np.float32
        assert content["id"].tolist() == IDS
    assert [path.name for path in tmp_path.iterdir()] == ["p.npz"]


@pytest.mark.parametrize("key", ["probs", "id", "classes"])
def test_a_file_without_one_of_its_parts_is_refused(key: str, tmp_path: Path) -> None:
    assert_refused(write_npz(tmp_path / "p.npz", **{key: None}), f"p.npz lacks {key}: got .*wanted probs, id, classes")


def test_a_part_under_an_unknown_name_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "p.npz", classes=None, clases=np.array(CLASSES))
    assert_refused(path, r"lacks classes.*Did you mean 'clases'\?")


def test_a_csv_without_ids_is_refused(tmp_path: Path) -> None:
    pd.DataFrame(probs(), columns=CLASSES).to_csv(tmp_path / "p.csv", index=False)
    assert_refused(tmp_path / "p.csv", "has no column 'id': got NA, chair, desk")


@by_form
def test_ids_that_do_not_match_are_refused_with_those_missing_and_those_unknown(form: Form, tmp_path: Path) -> None:
    path = form(tmp_path / "p", [*IDS[:-2], "x", "y"], CLASSES, probs())
    assert_refused(path, r"no row for 10, 11; ids that are not listings: x, y")


@by_form
def test_a_row_too_few_is_refused(form: Form, tmp_path: Path) -> None:
    assert_refused(
        form(tmp_path / "p", IDS[:-1], CLASSES, probs(N - 1)),
        r"no row for 11\. Add a row of NaN",
    )


@by_form
def test_a_row_too_many_is_refused(form: Form, tmp_path: Path) -> None:
    assert_refused(form(tmp_path / "p", [*IDS, "z"], CLASSES, probs(N + 1)), r"not listings: z\. Keep the rows")


@by_form
def test_duplicate_ids_are_refused(form: Form, tmp_path: Path) -> None:
    assert_refused(form(tmp_path / "p", [*IDS[:-1], "03"], CLASSES, probs()), "has duplicate ids: got 03")


@by_form
def test_a_label_without_a_column_is_refused_with_the_nearest_one(form: Form, tmp_path: Path) -> None:
    path = form(tmp_path / "p", IDS, ["NA", "chair", "desks"], probs())
    assert_refused(path, r"does not have a column for every label.*also desk\. Did you mean 'desks'\?")


def test_a_class_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    path = npz(tmp_path / "p", IDS, [*CLASSES, "desk"], probs(columns=4))
    assert_refused(path, "names a class twice: got .*desk")


@pytest.mark.parametrize(
    "changes",
    [
        {"probs": probs(N - 1)},
        {"probs": probs(columns=4)},
        {"probs": probs().T},
        {"probs": np.full(N, 0.5)},
        {"probs": np.float64(1)},
        {"id": np.array(IDS)[:, None]},
        {"id": np.array("00")},
        {"classes": np.array([CLASSES])},
        {"classes": np.array("chair")},
        {"fold": np.zeros(N - 1, dtype=int)},
        {"fold": np.zeros((N, 1), dtype=int)},
    ],
    ids=lambda changes: f"{next(iter(changes))} {next(iter(changes.values())).shape}",
)
def test_parts_that_do_not_fit_together_are_refused(changes: dict[str, Any], tmp_path: Path) -> None:
    assert_refused(write_npz(tmp_path / "p.npz", **changes), "does not fit together")


@pytest.mark.parametrize(
    ("value", "what"), [(np.nan, "missing or infinite"), (np.inf, "missing or infinite"), (-0.2, "negative")]
)
@by_form
def test_a_missing_infinite_or_negative_value_is_refused_with_its_id(
    form: Form, value: float, what: str, tmp_path: Path
) -> None:
    values = probs()
    values[4] = [value, 0.5, 0.5]
    assert_refused(form(tmp_path / "p", IDS, CLASSES, values), f"{what} values: got 1 of 12 rows, ids 04")


def test_an_empty_cell_of_a_csv_is_refused_with_its_id(tmp_path: Path) -> None:
    path = csv(tmp_path / "p", IDS, CLASSES, probs())
    lines = path.read_text().splitlines()
    lines[3] = ",02,0.5,0.5"
    path.write_text("\n".join(lines))
    assert_refused(path, "missing or infinite values: got 1 of 12 rows, ids 02")


def test_a_cell_that_is_no_number_is_refused(tmp_path: Path) -> None:
    path = csv(tmp_path / "p", IDS, CLASSES, probs())
    lines = path.read_text().splitlines()
    lines[3] = "much,02,0.5,0.5"
    path.write_text("\n".join(lines))
    assert_refused(path, "column 'NA' of p.csv does not hold numbers: got 'much' for id 02; wanted the probability")


@pytest.mark.parametrize("total", [0.985, 1.015, 0.0, 2.0])
@by_form
def test_rows_that_do_not_sum_to_one_are_refused_with_the_first(form: Form, total: float, tmp_path: Path) -> None:
    values = probs()
    values[[5, 8]] *= total
    assert_refused(
        form(tmp_path / "p", IDS, CLASSES, values),
        rf"don't all sum to 1: got 2 of 12 that don't, e\.g\. {total:.4g} for id 05",
    )


def test_logits_are_refused_with_what_to_do(tmp_path: Path) -> None:
    logits = np.abs(np.random.default_rng(0).normal(3, 2, (N, 3))) + 0.5
    assert_refused(
        npz(tmp_path / "p", IDS, CLASSES, logits),
        r"are no probabilities: got .*apply softmax first: probs =",
    )


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    objects = "holds Python objects, which are not opened because they may run code"
    assert_refused(write_npz(tmp_path / "p.npz", id=np.array([Trap()] * N, dtype=object)), objects)
    np.save(tmp_path / "p.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    assert_refused(tmp_path / "p.npy", objects)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("suffix", [".pkl", "", ".pt"])
def test_an_unknown_suffix_is_refused(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"p{suffix}").write_bytes(b"x")
    assert_refused(tmp_path / f"p{suffix}", r"can't be read.*wanted \.npz, \.npy, or a table")


@pytest.mark.parametrize("name", ["p.npz", "folder.npz"])
def test_a_missing_file_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder.npz").mkdir()
    assert_refused(
        tmp_path / name,
        {"p.npz": "there is no such file of probabilities: got .*; wanted .npz, .npy, or a"}.get(
            name, r"folder.npz is a folder, not a file of probabilities: wanted .npz, .npy, or a .*Give the path"
        ),
    )


@pytest.mark.parametrize("content", [b"", b"id,chair", b"\x00" * 40])
@pytest.mark.parametrize("suffix", ["npz", "npy"])
def test_a_file_of_something_else_is_refused(suffix: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"p.{suffix}"
    path.write_bytes(content)
    assert_refused(path, "can't be read")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"id,chair\n1,2,3,4\n1,2\n"])
def test_a_damaged_csv_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes(content)
    assert_refused(tmp_path / "p.csv", r"p\.csv ")


@pytest.mark.parametrize("share", [0.2, 0.6, 0.99])
def test_a_truncated_file_is_refused(share: float, tmp_path: Path) -> None:
    path = write_npz(tmp_path / "p.npz")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert_refused(path, "can't be read")


def test_a_file_with_a_flipped_bit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    Probabilities(np.array(IDS), tuple(CLASSES), probs(), np.zeros(N, dtype=np.int64)).save(path)
    content = bytearray(path.read_bytes())
    place = content.index(b"probs.npy") + 60
    content[place] ^= 0xFF
    path.write_bytes(content)
    assert_refused(path, "can't be read")


def test_a_file_with_the_other_one_s_suffix_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", probs())
    (tmp_path / "a.npy").rename(tmp_path / "a.npz")
    assert_refused(tmp_path / "a.npz", "can't be read|does not fit|lacks")
    write_npz(tmp_path / "b.npz").rename(tmp_path / "b.npy")
    assert_refused(tmp_path / "b.npy", "can't be read|does not fit|lacks")
