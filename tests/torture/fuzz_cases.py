"""What is fed to the fuzz: the readers with their honest contents, and contents that hypothesis draws."""

from __future__ import annotations

import io
import json
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisWarning
from hypothesis.extra import numpy as hnp

from curation.comparison.result import read_comparison
from curation.comparison.train import settings_of
from curation.evidence.probabilities import given_probabilities
from curation.fixes import apply_fixes, plan_fixes, versions
from curation.fixes.cleaned import write_cleaned
from curation.fixes.decisions_file import read_decisions
from curation.listings import read_listings
from curation.listings.original import load_original
from curation.listings.tables import ENDINGS
from curation.review.server.allowed import refuse_body, refuse_path
from curation.run import diff
from curation.run.damaged import readable
from curation.run.decidable import Decidable
from curation.run.folder import RunFolder
from curation.run.journal_content import Journal
from curation.run.probabilities import Probabilities
from curation.run.row import describe_run
from curation.run.status import status_of
from tests.support.fixes import make_run, run_of
from tests.support.report_run import comparison_of, write_json
from tests.torture import fuzz_people, fuzz_training
from tests.torture.fuzz_reader import Reader

__all__ = ["DRAWN", "READERS", "WEIGHTS", "Reader", "drawn"]


TABLE = pd.DataFrame(
    {
        "id": [f"L{number}" for number in range(8)],
        "label": ["lamp", "sofa", "desk", "lamp", "sofa", "desk", "lamp", "größer"],
        "price": [9.5, 12, 1000, 3, 4.25, 99.99, 5, 6],
        "title": ["a lamp", 'a "nice", cheap\nsofa', "desk; new", "x", "", "=1+1", "it's", "ü"],
        "split": ["train"] * 6 + ["test"] * 2,
    }
)


def _table_bytes(ending: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"t{ending}"
        if ending == ".parquet":
            TABLE.to_parquet(path)
        elif ending == ".xlsx":
            TABLE.to_excel(path, index=False)
        elif ending.startswith(".json") or ending == ".ndjson":
            TABLE.to_json(path, orient="records", lines=ending != ".json")
        else:
            TABLE.to_csv(path, index=False, sep="\t" if ending == ".tsv" else ",")
        return path.read_bytes()


def _table(ending: str) -> Callable[[Path], Reader]:
    def make(folder: Path) -> Reader:
        folder.mkdir(parents=True)
        path = folder / f"listings{ending}"

        def read(content: bytes) -> object:
            path.write_bytes(content)
            return read_listings(path, needs_image=False)

        return Reader(f"table{ending}", [_table_bytes(ending)], read)

    return make


def _declaration(folder: Path) -> Reader:
    folder.mkdir(parents=True)
    TABLE.to_csv(folder / "shop.csv", index=False)
    honest = (
        'name = "shop"\ntable = "shop.csv"\ncurrency = "SGD"\nphotos = "."\n'
        '[columns]\nid = "id"\n[labels]\nlamp = "light"\n[expected]\nlistings = 8\n'
    )

    def read(content: bytes) -> object:
        (folder / "dataset.toml").write_bytes(content)
        return read_listings(folder, needs_image=False)

    return Reader("dataset.toml", [honest.encode()], read)


def _probabilities(ending: str) -> Callable[[Path], Reader]:
    def make(folder: Path) -> Reader:
        folder.mkdir(parents=True)
        TABLE.to_csv(folder / "listings.csv", index=False)
        listings = read_listings(folder / "listings.csv", needs_image=False)
        probs = np.full((8, 4), 0.25)
        frame = pd.DataFrame(probs, columns=list(listings.classes)).assign(id=TABLE["id"])
        path = folder / f"probs{ending}"
        if ending == ".npy":
            np.save(path, probs)
        elif ending == ".npz":
            parts = {"probs": probs, "id": np.array(TABLE["id"], dtype=str), "fold": np.zeros(8, np.int64)}
            np.savez_compressed(path, classes=np.array(listings.classes, dtype=str), **parts)
        elif ending == ".parquet":
            frame.to_parquet(path)
        else:
            frame.to_csv(path, index=False)

        def read(content: bytes) -> object:
            path.write_bytes(content)
            return given_probabilities(path, TABLE["id"].tolist(), TABLE["label"].tolist())

        return Reader(f"probs{ending}", [path.read_bytes()], read)

    return make


def _decisions(folder: Path) -> Reader:
    folder.mkdir(parents=True)
    path = folder / "decisions.csv"
    honest = (
        "id,decision,new_label,new_price,new_class,note\n00,relabel,desk,,,\n01,reprice,,12.50,,\n"
        '02,delete,,,,"a\nnote"\n03,keep,,,,\n05,relabel,stool,,yes,\n'
    )

    def read(content: bytes) -> object:
        path.write_bytes(content)
        return read_decisions(path, reviewer="ana", currency="SGD")

    return Reader("decisions.csv", [honest.encode()], read)


def _run(folder: Path) -> RunFolder:
    """Return a finished run with fixes and a comparison; all readers of its files share it."""
    run = RunFolder(folder / "runs" / "shop" / "1")
    if folder.exists():
        return run
    make_run(folder)
    dataset = {**run.record()["dataset"], "listings": 12, "columns": {}}
    run.update(dataset=dataset)
    (folder / "d.csv").write_text("id,decision,new_label\n00,relabel,desk\n07,keep,\n")
    apply_fixes(run, plan_fixes(run, decisions_file=folder / "d.csv"))
    write_json(run.comparison_file, comparison_of(run))
    classes = np.array(run.classes, dtype=str)
    predicted = {name: np.zeros((2, 2), dtype=np.int64) for name in ("before", "after")}
    np.savez(run.predictions_file, id=np.array(["02", "07"]), classes=classes, **predicted)
    ids, folds = run.listings()["id"].to_numpy(dtype=str), np.zeros(12, dtype=np.int64)
    Probabilities(ids, tuple(run.classes), np.full((12, 3), 1 / 3), folds).save(run.probabilities_file)
    run.update(image_size=32)
    other = run_of(folder / "input" / "listings.csv", folder / "other", needs_image=False)
    other.input_folder.rename(run.input_folder)
    return run


def _of_run(name: str, file: Callable[[RunFolder], Path], *reads: Callable[[RunFolder], object]) -> Any:
    """Return what makes the reader of a file of a run."""

    def make(folder: Path) -> Reader:
        run = _run(folder.parent / "run")
        whole = file(run).read_bytes()

        def read(content: bytes) -> object:
            file(run).write_bytes(content)
            try:
                return [each(run) for each in reads]
            finally:
                file(run).write_bytes(whole)

        return Reader(name, [whole], read)

    return make


def _uses(run: RunFolder) -> object:
    """Read what status, review, apply-fixes and retrain read before they change anything."""
    status, fixes = status_of(run), plan_fixes(run.require_finished(), accept_suggestions=True)
    return status, fixes, Decidable.of(run), run.photo_root, run.training_table(), settings_of(run, {})


def _added(run: RunFolder) -> object:
    """Read what undo reads of a version that has no transaction."""
    return versions._added(run, Journal((), ()))


def _written(run: RunFolder) -> object:
    with tempfile.TemporaryDirectory() as folder:
        return write_cleaned(run, plan_fixes(run).changes, Path(folder))


def _original(run: RunFolder) -> object:
    with readable(run.input_folder):
        return load_original(run.input_folder)


_PATHS = ("/graphql", "/operators/execute", "/dataset/" + "a" * 24 + "/sample/" + "b" * 24, "/tag", "/aggregate")


def _bodies(folder: Path) -> Reader:
    honest = [
        {"query": "query Q($view: [JSON]) { samples(view: $view) { id } }", "variables": {"view": []}},
        {"operator_uri": "@voxel51/operators/list_saved_views", "params": {"_cls": "fiftyone.core.stages.Match"}},
        [{"op": "replace", "path": "/ground_truth/label", "value": "lamp"}],
    ]

    def read(content: bytes) -> object:
        refuse_path("POST", content[:80].decode("latin-1"))
        return [refuse_body(path, content) for path in _PATHS]

    return Reader("request bodies", [json.dumps(body).encode() for body in honest], read)


READERS: dict[str, Callable[[Path], Reader]] = {
    **{f"table{ending}": _table(ending) for ending in ENDINGS},
    "dataset.toml": _declaration,
    **{f"probs{ending}": _probabilities(ending) for ending in (".npz", ".npy", ".parquet", ".csv")},
    "decisions.csv": _decisions,
    "run.json": _of_run("run.json", lambda run: run.record_file, _uses, describe_run),
    "journal": _of_run("journal", lambda run: run.journal, _uses, describe_run),
    "issues.parquet": _of_run("issues.parquet", lambda run: run.issues_file, _uses, describe_run),
    "listings.parquet": _of_run("listings.parquet", lambda run: run.listings_file, _uses),
    "probabilities.npz": _of_run("probabilities.npz", lambda run: run.probabilities_file, RunFolder.probabilities),
    "predictions.npz": _of_run("predictions.npz", lambda run: run.predictions_file, RunFolder.predictions),
    "health.json": _of_run("health.json", lambda run: run.health_file, RunFolder.health),
    "manifest.json": _of_run("manifest.json", lambda run: run.cleaned / "manifest.json", describe_run, _added),
    "changes.csv": _of_run("changes.csv", lambda run: run.cleaned / "changes.csv", diff._changes),
    "comparison.json": _of_run("comparison.json", lambda run: run.comparison_file, describe_run, read_comparison),
    "input.json": _of_run("input.json", lambda run: run.input_folder / "input.json", _original),
    "written input.json": _of_run("written input.json", lambda run: run.input_folder / "input.json", _written),
    "written 0.parquet": _of_run("written 0.parquet", lambda run: run.input_folder / "0.parquet", _written),
    "request bodies": _bodies,
    **fuzz_training.READERS,
    **fuzz_people.READERS,
}

#: How often a reader is tried, compared with others. One that takes 2 ms or less of a content has 10, slower ones less.
WEIGHTS = {
    **dict.fromkeys(READERS, 10),
    **dict.fromkeys(("table.csv", "table.tsv", "table.txt", "table.jsonl", "journal"), 1),
    **dict.fromkeys(("written input.json", "written 0.parquet"), 1),
    **dict.fromkeys(("table.parquet", "table.ndjson", "table.json", "table.xlsx", "table.csv.zip", "probs.csv"), 2),
    **dict.fromkeys(("listings.parquet", "decisions.csv", "manifest.json", "changes.csv", "comparison.json"), 2),
    **dict.fromkeys(("table.csv.gz", "table.csv.bz2", "table.csv.xz", "run.json", "dataset.toml"), 4),
}

_TEXT = st.text(max_size=12) | st.sampled_from(
    [
        "",
        "L1",
        "lamp",
        "sofa",
        "1",
        "NaN",
        "inf",
        "-",
        "1e400",
        "9,5",
        "SGD 3",
        "[",
        "['a', 'b']",
        "\0",
        "../x",
        "=1",
        '"',
    ]
)
_SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | _TEXT | st.just("\ud800")
_JSON = st.recursive(
    _SCALAR, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4), max_leaves=8
)
_COLUMNS = ("id", "label", "price", "title", "split", "image", "group", "decision", "new_label", "new_price", "lamp")


@st.composite
def _changed(draw: Any, honest: Any) -> Any:
    """An honest value of JSON with one or two of its parts gone, or of another kind."""
    value = json.loads(json.dumps(honest))
    for _ in range(draw(st.integers(1, 2))):
        place = value
        while isinstance(place, dict | list) and place:
            key = draw(st.sampled_from(list(place) if isinstance(place, dict) else list(range(len(place)))))
            if not isinstance(place[key], dict | list) or not place[key] or draw(st.booleans()):
                if draw(st.booleans()):
                    place[key] = draw(_JSON)
                else:
                    del place[key]
                break
            place = place[key]
    return value


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def _changed_file(reader: str) -> st.SearchStrategy[bytes]:
    return st.deferred(lambda: _changed(json.loads(_honest(reader))).map(_dumped))


def _honest(reader: str) -> bytes:
    if reader not in _HONEST:
        with tempfile.TemporaryDirectory() as folder:
            _HONEST[reader] = READERS[reader](Path(folder) / "run").honest[0]
    return _HONEST[reader]


_HONEST: dict[str, bytes] = {}

_ROWS = st.lists(st.dictionaries(st.sampled_from(_COLUMNS) | _TEXT, _SCALAR | _JSON, max_size=6), max_size=6)
_CSV = st.lists(st.lists(st.sampled_from(_COLUMNS) | _TEXT, max_size=6), max_size=8).map(
    lambda rows: "\n".join(",".join(row) for row in rows).encode(errors="surrogatepass")
)
_DECISION = {
    **{"id": "00", "action": "relabel", "new_label": "desk", "reviewer": "ana", "source": "app", "note": None},
    **{"time": "2026-01-01T10:00:00+00:00", "suggested_label": None, "new_price": None, "new_class": False},
}
_ARRAYS = hnp.arrays(
    st.sampled_from(["f8", "f4", "i8", "u1", "b1", "c16", "U3", "S3", "M8[D]"]).map(np.dtype),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=9),
)


def _saved(arrays: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


#: What is drawn, by the reader that gets it.
DRAWN: dict[str, st.SearchStrategy[bytes]] = {
    "table.json": (_ROWS | _JSON).map(_dumped),
    "table.jsonl": _ROWS.map(lambda rows: b"\n".join(map(_dumped, rows))),
    "table.csv": _CSV,
    "dataset.toml": st.dictionaries(
        st.sampled_from(
            ["name", "table", "photos", "currency", "columns", "expected", "labels", "label_separator", "decimal"]
        ),
        st.integers() | st.booleans() | st.floats() | _TEXT | st.lists(_TEXT, max_size=2),
        max_size=5,
    ).map(lambda entries: "\n".join(f"{key} = {json.dumps(value)}" for key, value in entries.items()).encode()),
    "decisions.csv": _CSV.map(lambda rows: b"id,decision,new_label,new_price,note\n" + rows),
    "probs.npz": st.fixed_dictionaries(
        {"probs": _ARRAYS, "id": _ARRAYS, "classes": _ARRAYS}, optional={"fold": _ARRAYS, "x": _ARRAYS}
    ).map(_saved),
    "journal": st.lists(_changed(_DECISION) | _JSON, max_size=5).map(lambda lines: b"\n".join(map(_dumped, lines))),
    "request bodies": _JSON.map(_dumped),
    **{
        name: _changed_file(name)
        for name in ("run.json", "health.json", "manifest.json", "comparison.json", "input.json", "written input.json")
    },
    **fuzz_training.DRAWN,
    **fuzz_people.DRAWN,
}


def drawn(strategy: st.SearchStrategy[bytes], count: int, number: int) -> list[bytes]:
    """Return `count` contents that hypothesis draws, the same for the same number."""
    contents: list[bytes] = []
    while len(contents) < count:
        before = len(contents)

        @seed(number * 1_000_003 + before)
        @settings(
            max_examples=count - before,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy)
        def collect(content: bytes) -> None:
            contents.append(content)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HypothesisWarning)
            collect()
        if len(contents) == before:
            break
    return contents[:count]
