"""A saved model on new listings: rows in = rows out, what trained the model is marked, mistakes are one line."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from PIL import Image

import curation
from curation.cli.export import export
from curation.errors import ListingsError
from curation.listings import read_listings
from tests.cli.test_cli import curate
from tests.support.synthetic import CPU, coloured_photos
from training.fit.loop import Examples, fit
from training.images import decode
from training.images.cache import default_cache
from training.images.ingest import store_photos
from training.networks.onnx import TOLERANCE
from training.networks.predict import predict as outputs_of
from training.networks.saved import MODEL_FILE, SavedModel, load_model, photo_keys, save_model
from training.settings import Recipe
from training.utils.files import sha256_of_file

CLASSES = ("blue", "green", "red")
SIZE, N, TRAINED = 32, 30, 18
SETTINGS = Recipe(model="lenet", image_size=SIZE, epochs=12, batch_size=6, learning_rate=3e-3, pretrained=False)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A dataset of 30 photos whose class is their colour, and models of the first 18; tests must not change it."""
    folder = tmp_path_factory.mktemp("predict") / "shop"
    (folder / "photos").mkdir(parents=True)
    photos, labels = coloured_photos(n=N, size=SIZE)
    for row, photo in enumerate(photos):
        Image.fromarray(photo).save(folder / "photos" / f"{row}.png")
    prices = np.array([[400.0, 30.0, 90.0][label] for label in labels], dtype=np.float32)
    pd.DataFrame(
        {
            "id": [f"{row:03}" for row in range(N)],
            "image": [f"photos/{row}.png" for row in range(N)],
            # the colours of the photos are red, green and blue, in this order
            "label": [CLASSES[2 - label] for label in labels],
            "price": prices,
        }
    ).to_csv(folder / "listings.csv", index=False)
    keys = np.sort(photo_keys([sha256_of_file(folder / "photos" / f"{row}.png") for row in range(TRAINED)]))
    kinds = {
        "label": ({}, 2 - labels, None),
        "price": ({"target": "price", "loss": "log-huber"}, prices, None),
        "beside": ({"use_price": True}, 2 - labels, prices),
    }
    for name, (changes, target, beside) in kinds.items():
        settings = replace(SETTINGS, **changes)
        examples = Examples(photos, target, beside)
        net = fit(examples, np.arange(TRAINED), classes=3, recipe=settings, device=CPU, seed=0).model
        saved = SavedModel(net.eval(), settings, CLASSES, {"currency": "SGD", "dataset": "shop"}, keys)
        save_model(folder.parent / name / MODEL_FILE, saved)
    return folder


@pytest.fixture
def here(shop, tmp_path, monkeypatch):
    """The current folder, with a copy of the shop and the models in it."""
    shutil.copytree(shop.parent, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def change(here, **columns):
    """Change columns of the shop's table; None takes one away."""
    file = here / "shop" / "listings.csv"
    table = pd.read_csv(file, dtype={"id": str})
    for name, values in columns.items():
        table = table.drop(columns=name) if values is None else table.assign(**{name: values})
    table.to_csv(file, index=False)
    return here / "shop"


def read(folder):
    return pd.read_csv(Path(folder) / "predictions.csv", dtype={"id": str})


def answered(*arguments):
    result = curate(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def refused(*arguments):
    result = curate(*arguments)
    assert result.exit_code == 2, result.output
    assert not result.stdout
    assert not list(Path().glob("predictions/*/*"))
    return result.stderr


def test_ids_that_a_spreadsheet_would_run_get_an_apostrophe_unless_a_program_asks(here):
    ids = ["=1+1", "-5", "@x", *(f"{row:03}" for row in range(3, N))]
    change(here, id=ids)
    people, programs = answered("predict", "label", "shop"), answered("predict", "label", "shop", "--raw")
    assert read(people["folder"])["id"].tolist()[:3] == ["'=1+1", "-5", "'@x"]
    assert read(programs["folder"])["id"].tolist() == ids
    for raw in (False, True):
        predictions = curation.load_model("label").predict(curation.read_listings("shop", needs_label=False), raw=raw)
        assert predictions.table["id"].tolist() == ids


def test_every_listing_gets_the_prediction_of_the_model(here):
    summary = answered("predict", "label", "shop")
    assert summary["folder"] == "predictions/shop/1"
    table = read(summary["folder"])
    assert table.columns.tolist() == ["id", "image", "predicted_label", "confidence", "trained", "why"]
    assert table["id"].tolist() == [f"{row:03}" for row in range(N)]
    assert (summary["listings"], summary["predicted"], summary["not_predicted"]) == (N, N, {})
    model = load_model(Path("label/model.pt"))
    photos = np.stack([decode(Path(f"shop/photos/{row}.png").read_bytes(), SIZE)[0] for row in range(N)])
    expected = outputs_of(model.net, photos, np.arange(N), CPU)
    with np.load("predictions/shop/1/probabilities.npz", allow_pickle=False) as content:
        np.testing.assert_array_equal(content["probs"], expected)
        assert content["classes"].tolist() == list(CLASSES)
        assert content["id"].tolist() == table["id"].tolist()
    assert table["predicted_label"].tolist() == [CLASSES[best] for best in expected.argmax(axis=1)]
    np.testing.assert_allclose(table["confidence"], expected.max(axis=1), atol=1e-4)
    assert summary["told"] == table["predicted_label"].value_counts().to_dict()
    assert json.loads(Path("predictions/shop/1/summary.json").read_text()) == summary


def test_agreement_is_scored_with_and_without_the_listings_that_trained_the_model(here):
    summary = answered("predict", "label/model.pt", "shop")
    assert summary["trained"] == TRAINED
    assert read(summary["folder"])["trained"].tolist() == [row < TRAINED for row in range(N)]
    assert summary["agreement"]["listings"] == N
    assert summary["agreement_untrained"]["listings"] == N - TRAINED
    assert summary["agreement_untrained"]["accuracy"] == 1
    text = curate("predict", "label", "shop").stdout
    assert "100.0% of 30 given labels are predicted, macro-F1 1.000." in text
    assert "18 of the listings have a photo that trained the model" in text
    assert "Without them: 100.0% of 12 given labels" in text
    assert "All of them: predictions/shop/2/predictions.csv" in text


def test_listings_need_no_label(here):
    summary = answered("predict", "label", change(here, label=None))
    assert (summary["predicted"], summary["agreement"], summary["unknown_labels"]) == (N, None, {})
    assert answered("predict", "label", change(here, label="red"))["agreement"]["listings"] == N


def test_a_folder_of_photos_will_do(here):
    summary = answered("predict", "label", "shop/photos")
    assert (summary["dataset"], summary["predicted"]) == ("photos", N)
    assert read(summary["folder"])["id"].tolist() == sorted(f"{row}.png" for row in range(N))


def test_labels_that_the_model_does_not_know_are_listed_and_not_compared(here):
    labels = pd.read_csv("shop/listings.csv")["label"].tolist()
    folder = change(here, label=["sofa", "sofa", None, *labels[3:]])
    summary = answered("predict", "label", folder)
    assert summary["unknown_labels"] == {"sofa": 2}
    assert summary["agreement"] == {"listings": N - 3, "accuracy": 1.0, "macro_f1": 1.0}
    assert (
        "Labels that the model does not know, left out of the comparison: sofa (2)"
        in curate("predict", "label", "shop").stdout
    )


def test_labels_in_another_spelling_are_compared_as_those_of_the_model(here):
    labels = pd.read_csv("shop/listings.csv")["label"].tolist()
    summary = answered("predict", "label", change(here, label=[f"{name.upper()}\u200b" for name in labels]))
    assert summary["unknown_labels"] == {}
    assert summary["agreement"] == {"listings": N, "accuracy": 1.0, "macro_f1": 1.0}


def test_listings_without_a_readable_photo_stay_with_the_reason(here):
    Path("shop/photos/2.png").write_bytes(b"no photo")
    Path("shop/photos/3.png").unlink()
    images = pd.read_csv("shop/listings.csv")["image"].tolist()
    folder = change(here, image=[None, *images[1:]])
    summary = answered("predict", "label", folder)
    assert summary["not_predicted"] == {"no photo": 1, "no such file": 1, "not an image": 1}
    table = read(summary["folder"])
    assert len(table) == N
    assert table.loc[[0, 2, 3], ["predicted_label", "confidence"]].isna().all(axis=None)
    assert table["why"].fillna("").tolist()[:5] == ["no photo", "", "not an image", "no such file", ""]
    with np.load(Path(summary["folder"]) / "probabilities.npz") as content:
        assert np.isnan(content["probs"]).all(axis=1).nonzero()[0].tolist() == [0, 2, 3]
    assert "Not predicted: 1 (not an image)" in curate("predict", "label", "shop").stdout


def test_the_order_of_rows_does_not_matter(here):
    first = read(answered("predict", "label", "shop")["folder"]).set_index("id")
    table = pd.read_csv("shop/listings.csv", dtype={"id": str})
    table.iloc[::-1].to_csv("shop/listings.csv", index=False)
    second = read(answered("predict", "label", "shop")["folder"]).set_index("id")
    pd.testing.assert_frame_equal(second.loc[first.index], first, check_exact=False, atol=1e-4)


def test_a_model_of_prices_predicts_prices_and_scores_their_errors(here):
    summary = answered("predict", "price", "shop")
    table = read(summary["folder"])
    assert table.columns.tolist() == ["id", "image", "predicted_price", "trained", "why"]
    given = pd.read_csv("shop/listings.csv")["price"]
    off = (table["predicted_price"] - given).abs()
    assert summary["agreement"]["mae"] == pytest.approx(off.mean(), abs=0.01)
    assert summary["agreement"]["median_ae"] == pytest.approx(off.median(), abs=0.01)
    assert summary["agreement_untrained"]["mae"] == pytest.approx(off[TRAINED:].mean(), abs=0.01)
    assert not (Path(summary["folder"]) / "probabilities.npz").exists()
    assert "SGD, median absolute error" in curate("predict", "price", "shop").stdout
    assert answered("predict", "price", change(here, price=None))["agreement"] is None


def test_single_prices_may_be_missing_beside_the_photo(here):
    prices = pd.read_csv("shop/listings.csv")["price"].tolist()
    whole = read(answered("predict", "beside", "shop")["folder"])
    part = read(answered("predict", "beside", change(here, price=[None, 0, *prices[2:]]))["folder"])
    pd.testing.assert_frame_equal(part.iloc[2:], whole.iloc[2:], check_exact=False, atol=1e-4)
    assert part["predicted_label"].notna().all()
    assert (part["confidence"][:2] != whole["confidence"][:2]).any()


def test_a_model_that_looks_at_prices_wants_some(here):
    change(here, worth=pd.read_csv("shop/listings.csv")["price"], price=None)
    message = refused("predict", "beside", "shop")
    assert "the model uses prices, but shop has none: got no column price" in message
    assert answered("predict", "beside", "shop", "--column", "price=worth")["predicted"] == N
    shutil.rmtree("predictions")
    change(here, price=0)
    assert "got 30 prices, none above 0" in refused("predict", "beside", "shop")
    change(here, price=None, prices=1)
    assert "Did you mean 'prices'?" in refused("predict", "beside", "shop")


def test_prices_that_may_mean_two_things_are_read_as_those_that_trained_the_model(here):
    prices = pd.read_csv("shop/listings.csv")["price"].mul(100).tolist()
    change(here, price=[f"{price / 1000:.3f} €" for price in prices])
    saved = load_model(Path("price/model.pt"))
    for decimal, unit in ((",", 1), (".", 1000)):
        save_model(Path("price/model.pt"), replace(saved, facts={"decimal": decimal}))
        model = curation.load_model("price")
        listings = curation.read_listings("shop", needs_label=False, usual_decimal=model.decimal)
        assert listings.table["price"].tolist() == [price / unit for price in prices]
        assert (
            f"it is a {'comma' if decimal == ',' else 'dot'}, as in the listings"
            in curate("predict", "price", "shop").stderr
        )
    save_model(Path("price/model.pt"), replace(saved, facts={}))
    assert curation.load_model("price").decimal is None
    assert "as in the listings" not in curate("predict", "price", "shop").stderr


def test_prices_in_another_currency_are_refused(here):
    change(here, currency="USD")
    for model in ("price", "beside"):
        message = refused("predict", model, "shop")
        assert "the model was trained on prices in SGD: got shop in USD; wanted SGD." in message
    assert answered("predict", "label", "shop")["predicted"] == N
    change(here, currency="$")
    assert answered("predict", "price", "shop")["currency"] == "SGD"
    change(here, currency="sgd")
    assert answered("predict", "price", "shop")["currency"] == "SGD"


def test_mistakes_are_one_line_and_write_nothing(here):
    assert "Did you mean 'label'?" in refused("predict", "lable", "shop")
    Path("price/metrics.json").write_text("{}")
    assert "price/metrics.json is damaged" in refused("predict", "price", "shop")
    assert "there is no model in shop" in refused("predict", "shop", "shop")
    assert "is not a model of curate" in refused("predict", "shop/listings.csv", "shop")
    assert "there is no such dataset" in refused("predict", "label", "shopp")
    assert "this device can't be used" in refused("predict", "label", "shop", "--device", "gpu")
    assert "Did you mean 'price'?" in refused("predict", "label", "shop", "--column", "price=prise")
    assert "can't write to shop" in refused("predict", "label", "shop", "--output", "shop")
    assert "got a file" in refused("predict", "label", "shop", "--output", "shop/listings.csv")
    for photo in Path("shop/photos").iterdir():
        photo.write_bytes(b"nothing")
    assert "no photo of shop can be read: got not an image" in refused("predict", "label", "shop")


def test_an_output_folder_that_is_there_and_empty_is_used(here):
    Path("out").mkdir()
    summary = answered("predict", "label", "shop", "--output", "out")
    assert summary["folder"] == "out"
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "predictions.csv",
        "probabilities.npz",
        "summary.json",
    ]
    assert not Path("predictions").exists()


def test_an_interrupted_prediction_leaves_nothing(here, monkeypatch):
    def interrupted(*_arguments, **_more):
        raise KeyboardInterrupt

    monkeypatch.setattr("curation.models.outputs.predict", interrupted)
    with pytest.raises(KeyboardInterrupt):
        curation.load_model("label").predict(read_listings("shop"), device="cpu")
    assert not list(Path("predictions").rglob("*.*"))


def test_labels_stay_needed_where_a_model_is_trained(here):
    folder = change(here, label=None)
    with pytest.raises(ListingsError, match="the table has no column 'label'"):
        read_listings(folder)
    with pytest.raises(ListingsError, match="has no labels: got photos in no class folder"):
        read_listings(folder / "photos")
    listings = read_listings(folder, needs_label=False)
    assert (listings.classes, len(listings.problems)) == ((), 0)
    with pytest.raises(ListingsError, match="the table has no column 'kind'"):
        read_listings(folder, columns={"label": "kind"}, needs_label=False)


def test_a_model_is_exported_beside_its_file_and_predicts_the_same_there(here):
    summary = answered("export", "onnx", "label")
    assert (summary["file"], summary["photos"]) == ("label/model.onnx", {"real": 0, "random": 8})
    assert summary["largest_difference"] <= TOLERANCE
    assert summary["bytes"] == Path("label/model.onnx").stat().st_size
    probs = np.load(Path(answered("predict", "label", "shop")["folder"]) / "probabilities.npz")["probs"]
    photos = np.stack([np.asarray(Image.open(f"shop/photos/{row}.png")) for row in range(N)])
    (outputs,) = onnxruntime.InferenceSession("label/model.onnx").run(None, {"photos": photos})
    np.testing.assert_allclose(outputs, probs, rtol=0, atol=1e-4)


def test_an_export_is_checked_with_the_photos_that_trained_the_model(here):
    paths = [Path(f"shop/photos/{row}.png") for row in range(4)]
    store, _ = store_photos([*paths, None], size=SIZE, cache=default_cache(None), spare=here / "spare")
    store.save(Path("price/training/photos.npz"))
    text = curate("export", "onnx", "price", "--output", "other/prices.onnx").stdout
    assert "other/prices.onnx: 0." in text
    assert "(4 real photos, 8 random ones)" in text


def test_mistakes_of_an_export_are_one_line_and_write_nothing(here):
    assert "is not a name for an ONNX file" in refused("export", "onnx", "label", "--output", "model.pt")
    assert "Did you mean 'label'?" in refused("export", "onnx", "lable")
    assert not list(here.rglob("*.onnx"))
    tolerance = next(option for option in export.commands["onnx"].params if option.name == "tolerance")
    assert tolerance.default == TOLERANCE


def test_a_model_whose_photos_were_decoded_in_another_way_says_so(here):
    save_model(Path("label/model.pt"), replace(load_model(Path("label/model.pt")), decoding="1, Pillow 9"))
    result = curate("predict", "label", "shop")
    assert "warning: the model's photos were decoded in another way (1, Pillow 9; here " in result.stderr
