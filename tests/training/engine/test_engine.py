"""Tasks that are cut into parts, and what they hand over."""

from dataclasses import replace

import numpy as np
import pytest

from tests.support.engines import InParts, Squares
from tests.support.photo_stores import SIZE, rows_of, write_photos
from tests.support.reporters import Listener
from tests.support.synthetic import CPU
from training.engine.cluster import open_engine
from training.engine.contract import LOCAL
from training.engine.ray_tasks import cut
from training.engine.worker import read_pieces, write_pieces
from training.errors import InputError
from training.features.extract import choose_extractor, compute_features
from training.features.kept import KeptFeatures, kept_folder
from training.features.source import Joined, OfArray, OfPhotos
from training.images.cache import PhotoCache
from training.images.ingest import store_photos
from training.settings import Recipe
from training.utils.progress import SILENT

PHOTOS = 300


def squares(engine, task, folder):
    steps, listener = [], Listener()
    pieces = list(engine.run(task, folder=folder, on_step=steps.append, reporter=listener))
    return [int(piece["square"]) for piece in pieces], sum(steps), listener.lines


@pytest.mark.parametrize(("count", "seconds"), [(0, 1), (1, 0), (7, 100), (1000, 0.1), (1001, 0.05)])
def test_parts_hold_every_unit_once_and_take_long_enough(count, seconds):
    parts = cut(count, seconds)
    assert [unit for part in parts for unit in part] == list(range(count))
    assert all(len(part) * seconds >= 10 for part in parts) or len(parts) == 1
    assert max(map(len, parts), default=0) - min(map(len, parts), default=0) <= 1


def test_pieces_are_read_as_they_were_written(tmp_path):
    pieces = [{"a": np.arange(number), "text": np.array(["né", ""])} for number in range(12)]
    write_pieces(tmp_path / "pieces.npz", pieces)
    read = list(read_pieces(tmp_path / "pieces.npz"))
    assert len(read) == 12
    for one, other in zip(pieces, read, strict=True):
        assert {name: array.tolist() for name, array in one.items()} == {
            name: array.tolist() for name, array in other.items()
        }


def test_a_task_yields_the_same_in_parts(tmp_path):
    task = Squares(range(10))
    assert squares(LOCAL, task, tmp_path)[:2] == squares(InParts(3), task, tmp_path)[:2]
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Paths of photos: a copy, one that is damaged, one that is missing, and none."""
    folder = tmp_path_factory.mktemp("photos")
    paths = write_photos(folder / "photos", PHOTOS)
    paths[250].write_bytes(paths[3].read_bytes())
    paths[20].write_bytes(b"no photo")
    return [*paths, None, folder / "missing.png"]


def test_photos_are_the_same_in_parts(photos, tmp_path):
    cache = PhotoCache(tmp_path / "cache", 10**9)
    whole, facts = store_photos(photos, size=SIZE, cache=cache, spare=tmp_path / "spare")
    engine, other = InParts(40), PhotoCache(tmp_path / "other", 10**9)
    store, others = store_photos(photos, size=SIZE, cache=other, spare=tmp_path / "spare", engine=engine)
    assert engine.parts == 8
    assert others == facts
    assert [fact.error for fact in facts][20::280] == ["not an image", "no photo"]
    assert (rows_of(store) == rows_of(whole)).all()


def test_photos_that_were_read_in_parts_come_from_the_cache(photos, tmp_path):
    cache, lines = PhotoCache(tmp_path / "cache", 10**9), []
    for _ in range(2):
        store_photos(
            photos,
            size=SIZE,
            cache=cache,
            spare=tmp_path / "spare",
            engine=InParts(100),
            reporter=Listener(lines.append),
        )
    # a copy in another part is found in the cache
    assert lines[0].startswith("photos: 0 from the cache, 298 decoded")
    assert lines[1].startswith("photos: 298 from the cache, 0 decoded")


def test_parts_that_cannot_write_the_cache_say_so_and_keep_their_photos_in_the_run(photos, tmp_path):
    (tmp_path / "cache").write_text("in the way")
    listener = Listener()
    store, _ = store_photos(
        photos,
        size=SIZE,
        cache=PhotoCache(tmp_path / "cache", 10**9),
        spare=tmp_path / "run" / "photos",
        engine=InParts(200),
        reporter=listener,
    )
    assert {file.parent for file in store.files} == {tmp_path / "run" / "photos" / str(SIZE)}
    assert "can't be written" in listener.lines[0]
    assert "kept in" in listener.lines[-1]


@pytest.mark.parametrize("features", ["patches", "lite0", "lite0+own"])
def test_features_are_the_same_in_parts(photos, tmp_path, features):
    cache = PhotoCache(tmp_path / "cache", 10**9)
    store, facts = store_photos(photos, size=64, cache=cache, spare=tmp_path / "spare")
    rows = np.flatnonzero([fact.error is None for fact in facts])
    own = OfArray(np.random.default_rng(0).normal(size=(len(facts), 8)).astype(np.float32), rows)
    recipe = Recipe(features=features.partition("+")[0], epochs=0, precision="float32")

    def made(engine, name):
        extract, _ = choose_extractor(store, rows, recipe, CPU)
        kept = None
        if features != "patches":
            folder = kept_folder(tmp_path / name / "kept", "lite0", 64, extract.device)
            kept = KeptFeatures(folder, store, extract.width)
        source = OfPhotos(store, extract, extract.width, kept)
        source = Joined([source, own]) if "own" in features else source
        path = tmp_path / name / "features.npy"
        compute_features(source, rows, path, total=len(facts), key="", seed=0, device=CPU.device, engine=engine)
        return np.load(path), sum(1 for _ in (tmp_path / name).rglob("*.npy"))

    whole, files = made(LOCAL, "whole")
    engine = InParts(1)
    parts, files_of_parts = made(engine, "parts")
    assert engine.parts > 2
    assert (whole == parts).all()
    assert (files > 1) == (files_of_parts > 1) == (features != "patches")


def test_an_error_of_a_part_arrives_as_what_it_is(tmp_path):
    with pytest.raises(InputError, match="a number is refused: got 4"):
        squares(InParts(2), replace(Squares(range(10)), refused=4), tmp_path)


def test_another_engine_and_an_address_without_one_are_refused():
    for name, address, message in (
        ("dask", None, "unknown engine: got dask; wanted local, ray"),
        ("local", "head:6379", "has no effect without it: got head:6379"),
    ):
        with pytest.raises(InputError, match=message), open_engine(name, address, reporter=SILENT):
            pass


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with (
        pytest.raises(InputError, match=r'Ray is not installed. Install it: pip install "curate-listings\[ray\]"'),
        open_engine("ray", None, reporter=SILENT),
    ):
        pass
