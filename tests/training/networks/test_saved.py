"""A model as one file: what is read is what was written, and what is no model is refused without running it."""

from __future__ import annotations

import io
import os
import pickle
import resource
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.support.synthetic import CPU, coloured_photos
from training.errors import InputError
from training.fit.loop import Examples, fit
from training.images import RECIPE
from training.networks.network import build_net
from training.networks.predict import predict
from training.networks.saved import FORMAT, SavedModel, load_model, model_file, photo_keys, save_model
from training.settings import Recipe

SETTINGS = Recipe(model="resnet18", image_size=32, epochs=1, batch_size=8, learning_rate=1e-3, pretrained=False)
PHOTOS, LABELS = coloured_photos(n=24)
PRICES = np.random.default_rng(3).uniform(5, 500, 24).astype(np.float32)
ROWS = np.arange(24)


def trained(prices: np.ndarray | None = None, labels: np.ndarray = LABELS, **changes: Any) -> SavedModel:
    """Train a small model for one epoch."""
    settings = replace(SETTINGS, **changes)
    fitted = fit(Examples(PHOTOS, labels, prices), ROWS, classes=3, recipe=settings, device=CPU, seed=1)
    keys = photo_keys(["ff" * 32, "00" * 32, "7f" * 32])
    return SavedModel(fitted.model.eval(), settings, ("chair", "désk", "lamp"), {"currency": "SGD"}, np.sort(keys))


@pytest.fixture(scope="module")
def model() -> SavedModel:
    return trained()


@pytest.fixture
def file(model: SavedModel, tmp_path: Path) -> Path:
    save_model(tmp_path / "model.pt", model)
    return tmp_path / "model.pt"


def predictions_of(model: SavedModel, prices: np.ndarray | None = None) -> np.ndarray:
    return predict(model.net, PHOTOS, ROWS, CPU, prices=prices)


def content_of(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = torch.load(file, weights_only=True)
    return content


def with_changes(file: Path, **changes: Any) -> Path:
    torch.save({**content_of(file), **changes}, file)
    return file


def refused(file: Path) -> str:
    with pytest.raises(InputError) as error:
        load_model(file)
    message = str(error.value)
    assert "\n" not in message
    assert str(file) in message
    return message


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"model": "lenet"},
        {"model": "mobilenet_v3_small", "balance": "weights"},
        {"use_price": True},
        {"target": "price"},
        {"target": "price", "loss": "log-huber"},
    ],
    ids=str,
)
def test_a_model_that_is_read_back_tells_the_same_to_the_bit(tmp_path: Path, changes: dict[str, Any]) -> None:
    prices = np.where(ROWS % 5 == 0, np.nan, PRICES) if changes.get("use_price") else None
    saved = trained(prices, PRICES if changes.get("target") == "price" else LABELS, **changes)
    save_model(tmp_path / "model.pt", saved)
    loaded = load_model(tmp_path / "model.pt")
    np.testing.assert_array_equal(predictions_of(loaded, prices), predictions_of(saved, prices))
    assert loaded.recipe == saved.recipe
    assert (loaded.classes, loaded.facts, loaded.decoding) == (saved.classes, saved.facts, RECIPE)
    np.testing.assert_array_equal(loaded.photos, saved.photos)
    assert loaded.photos.dtype == np.uint64
    assert not loaded.net.training


def test_a_network_that_scales_its_input_as_its_weights_want_still_does_so(tmp_path: Path) -> None:
    settings = replace(SETTINGS, model="googlenet")
    net = build_net(settings, 3, LABELS)
    assert net.body.transform_input
    saved = SavedModel(net.eval(), settings, ("a", "b", "c"))
    save_model(tmp_path / "model.pt", saved)
    np.testing.assert_array_equal(predictions_of(load_model(tmp_path / "model.pt")), predictions_of(saved))


def test_reading_a_model_draws_nothing_from_the_global_generator(file: Path) -> None:
    before = torch.get_rng_state()
    load_model(file)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_model_keeps_its_size_when_the_default_is_another_by_now(model: SavedModel, tmp_path: Path) -> None:
    save_model(tmp_path / "model.pt", model)
    left_open = {**content_of(tmp_path / "model.pt")["settings"], "image_size": None}
    assert Recipe(**left_open).size == 64
    assert load_model(with_changes(tmp_path / "model.pt", settings=left_open)).recipe.size == 32


def test_a_model_that_can_not_be_written_leaves_the_earlier_one_as_it_was(model: SavedModel, file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(TypeError):
        save_model(file, replace(model, facts={"odd": object()}))
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["model.pt"]


def test_a_file_that_is_no_model_is_named_as_such(tmp_path: Path) -> None:
    contents = {
        "empty.pt": b"",
        "text.pt": b"id,image\n1,a.png\n",
        "old.pt": pickle.dumps({"format": 1}),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        assert "is not a model of curate" in refused(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "archive.pt", "w") as archive:
        archive.writestr("hello.txt", "hello")
    assert "is not a model of curate: got a ZIP archive of other things" in refused(tmp_path / "archive.pt")
    for name, other in {"weights.pt": {"layer": torch.zeros(2)}, "tensor.pt": torch.zeros(2), "list.pt": [1]}.items():
        torch.save(other, tmp_path / name)
        assert "is not a model of curate" in refused(tmp_path / name)


def test_a_whole_network_saved_by_torch_is_refused_without_loading_it(model: SavedModel, tmp_path: Path) -> None:
    torch.save(model.net, tmp_path / "net.pt")
    assert "is not a model of curate: got objects other than numbers, text and tensors" in refused(tmp_path / "net.pt")


class Payload:
    """What a hostile file holds: unpickling it writes a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self.mark}'",)


def test_code_in_a_file_is_never_run(file: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    pickle.loads(pickle.dumps(Payload(mark)))
    assert mark.exists(), "the payload would work"
    mark.unlink()
    hostile = [
        {**content_of(file), "facts": {"x": Payload(mark)}},
        {**content_of(file), "format": Payload(mark)},
        Payload(mark),
    ]
    for content in hostile:
        torch.save(content, file)
        assert "could run code" in refused(file)
    for protocol in (0, 2, 4):
        file.write_bytes(pickle.dumps(Payload(mark), protocol=protocol))
        refused(file)
    stream = io.BytesIO()
    torch.save(Payload(mark), stream, _use_new_zipfile_serialization=False)
    file.write_bytes(stream.getvalue())
    refused(file)
    assert not mark.exists()


def test_a_damaged_file_is_refused_wherever_the_damage_is(model: SavedModel, tmp_path: Path) -> None:
    save_model(tmp_path / "whole.pt", trained(model="lenet"))
    whole = (tmp_path / "whole.pt").read_bytes()
    file = tmp_path / "model.pt"
    for share in (0.01, 0.5, 0.99):
        file.write_bytes(whole[: int(len(whole) * share)])
        assert "is damaged" in refused(file)
    rng = np.random.default_rng(0)
    for place in rng.integers(4, len(whole), 40):
        flipped = bytearray(whole)
        flipped[place] ^= 0xFF
        file.write_bytes(flipped)
        try:
            loaded = load_model(file)
        except InputError:
            continue
        # padding between the parts of a file, and the like, means nothing
        np.testing.assert_array_equal(predictions_of(loaded), predictions_of(load_model(tmp_path / "whole.pt")))


def test_a_description_that_was_tampered_with_is_an_error_of_one_line(model: SavedModel, tmp_path: Path) -> None:
    save_model(tmp_path / "whole.pt", trained(model="lenet"))
    rng = np.random.default_rng(0)
    messages = []
    for _ in range(60):
        with zipfile.ZipFile(tmp_path / "whole.pt") as archive:
            parts = {name: bytearray(archive.read(name)) for name in archive.namelist()}
        described = next(part for name, part in parts.items() if name.endswith("/data.pkl"))
        described[rng.integers(len(described))] = rng.integers(256)
        with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
            for name, part in parts.items():
                archive.writestr(name, bytes(part))
        try:
            load_model(tmp_path / "model.pt")
        except InputError as error:
            messages.append(str(error))
    assert len(messages) > 30
    assert not [message for message in messages if "\n" in message]


def test_a_model_of_a_later_version_says_so(file: Path) -> None:
    message = refused(with_changes(file, format=FORMAT + 1, more=1))
    assert "was made by a later version of curate" in message
    assert "Update curate." in message


def test_missing_and_meaningless_entries_are_named(file: Path) -> None:
    content = content_of(file)
    for key in ("settings", "classes", "preprocessing", "facts", "photos", "state"):
        torch.save({name: value for name, value in content.items() if name != key}, file)
        assert f"is damaged: got no {key}" in refused(file)
        torch.save({**content, key: 3}, file)
        refused(file)
    torch.save({**content, "settings": {**content["settings"], "colour": 1}}, file)
    assert "colour" in refused(file)
    torch.save({**content, "settings": {**content["settings"], "model": "resnet81"}}, file)
    assert "Did you mean" in refused(file)


def test_weights_that_do_not_fit_are_refused(file: Path) -> None:
    content = content_of(file)
    assert "don't fit its network" in refused(with_changes(file, classes=["a", "b"]))
    first = next(iter(content["state"]))
    rest = {name: value for name, value in content["state"].items() if name != first}
    assert first in refused(with_changes(file, classes=content["classes"], state=rest))
    assert "don't fit its network" in refused(with_changes(file, state={**content["state"], first: 3}))


def test_photos_that_were_normalized_differently_are_refused(file: Path) -> None:
    preprocessing = {**content_of(file)["preprocessing"], "mean": [0.5, 0.5, 0.5]}
    assert "normalized differently" in refused(with_changes(file, preprocessing=preprocessing))


def test_a_model_is_found_by_its_folder_or_its_file_and_a_slip_is_helped(file: Path) -> None:
    assert model_file(file.parent) == file
    assert model_file(file) == file
    with pytest.raises(InputError, match=r"Did you mean 'model\.pt'"):
        model_file(file.parent / "modle.pt")
    (file.parent / "other").mkdir()
    with pytest.raises(InputError, match="there is no model in"):
        model_file(file.parent / "other")


def test_a_small_file_that_names_a_large_network_takes_no_memory_for_it(file: Path) -> None:
    content = content_of(file)
    settings = {**content["settings"], "model": "vgg16", "image_size": 224}
    classes = [str(number) for number in range(1_000_000)]
    torch.save({**content, "settings": settings, "classes": classes}, file)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "the weights of" in refused(file)
    # its last layer alone has 16 GB
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 20
