"""The forms in which people have listings: each writes the same ten listings below a folder and returns the DATASET.

The names are the rows of the table "Input forms" in docs/data.md.
"""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from PIL import Image

TITLES = ["a chair – café £", 'a "desk", used', "lamp"]


def rows() -> pd.DataFrame:
    """Ten listings of three classes under our names."""
    labels = [["chair", "desk", "lamp"][number % 3] for number in range(10)]
    return pd.DataFrame(
        {
            "id": [f"{number:03}" for number in range(10)],
            "image": [f"photos/{number}.png" for number in range(10)],
            "label": labels,
            "price": [f"{1000.5 + 10 * number}" for number in range(10)],
            "title": [TITLES[number % 3] for number in range(10)],
        }
    )


def draw(folder: Path, names: list[str]) -> None:
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), (number * 20, 0, 0)).save(path, "PNG")


def _table(folder: Path, name: str, write: Callable[[pd.DataFrame, Path], object]) -> Path:
    table = rows()
    draw(folder, table["image"].tolist())
    write(table, folder / name)
    return folder / name


def _csv(name: str, **options: str) -> Callable[[Path], Path]:
    return lambda folder: _table(folder, name, lambda table, path: table.to_csv(path, index=False, **options))


def _csv_text(name: str, change: Callable[[str], bytes]) -> Callable[[Path], Path]:
    return lambda folder: _table(folder, name, lambda table, path: path.write_bytes(change(table.to_csv(index=False))))


def _zipped(text: str) -> bytes:
    import io

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("shop.csv", text)
        archive.writestr("__MACOSX/._shop.csv", b"\0\1")
    return stream.getvalue()


def _as_objects(table: pd.DataFrame) -> list[dict[str, object]]:
    return table.assign(price=table["price"].astype(float)).to_dict("records")


def _as_tasks(table: pd.DataFrame) -> list[dict[str, object]]:
    return [
        {
            "id": row.pop("id"),
            "annotations": [
                {"result": [{"type": "choices", "from_name": "label", "value": {"choices": [row.pop("label")]}}]}
            ],
            "data": row,
        }
        for row in _as_objects(table)
    ]


def _sellers_export(folder: Path) -> Path:
    """Other names of columns, prices with signs, backslashes, a copied row."""
    table = rows()
    draw(folder, table["image"].tolist())
    theirs = pd.DataFrame(
        {
            "SKU": table["id"],
            "Category": table["label"],
            "Asking price": [f"£{float(price):,.2f}" for price in table["price"]],
            "Product name": table["title"],
            "Photo": [image.replace("/", "\\") for image in table["image"]],
        }
    )
    pd.concat([theirs, theirs.tail(1)]).to_csv(folder / "export.csv", index=False)
    return folder / "export.csv"


def _parts(folder: Path) -> Path:
    table = rows().astype({"price": float})
    draw(folder, table["image"].tolist())
    for name, part in (("part-2", table[:4]), ("part-10", table[4:])):
        part.to_parquet(folder / f"{name}.parquet")
    return folder


def _class_folders(folder: Path) -> Path:
    table = rows()
    draw(folder, [f"{label}/{id}.png" for id, label in zip(table["id"], table["label"], strict=True)])
    return folder


def _split_folders(folder: Path) -> Path:
    table = rows()
    splits = ["Train", "valid", "TEST"]
    draw(
        folder,
        [
            f"{splits[number // 4]}/{label}/{id}.png"
            for number, (id, label) in enumerate(zip(table["id"], table["label"], strict=True))
        ],
    )
    return folder


def _imagefolder(write: Callable[[pd.DataFrame, Path], object], name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        table = rows()
        draw(folder, table["image"].tolist())
        write(table.rename(columns={"image": "file_name"}), folder / name)
        return folder

    return make


def _imagefolder_of_splits(folder: Path) -> Path:
    table = rows().rename(columns={"image": "file_name"})
    for split, part in (("train", table[:8]), ("test", table[8:])):
        draw(folder / split, part["file_name"].tolist())
        part.to_csv(folder / split / "metadata.csv", index=False)
    return folder


FORMS: dict[str, Callable[[Path], Path]] = {
    "CSV": _csv("shop.csv"),
    "CSV with `;`": _csv("shop.csv", sep=";"),
    "CSV with tabs": _csv("shop.csv", sep="\t"),
    "CSV with `|`": _csv("shop.csv", sep="|"),
    "CSV that begins with `sep=;`": _csv_text(
        "shop.csv",
        lambda text: (
            "sep=;\n"
            + text.replace('"a ""desk"", used"', '"a ""desk""; used"').replace(",", ";").replace("; used", ", used")
        ).encode(),
    ),
    "TSV": _csv("shop.tsv", sep="\t"),
    "`.txt` with tabs": _csv("shop.txt", sep="\t"),
    "CSV in UTF-8 with a mark (BOM)": _csv("shop.csv", encoding="utf-8-sig"),
    "CSV in UTF-16": _csv("shop.csv", encoding="utf-16"),
    'CSV in UTF-16 with tabs, as Excel\'s "Unicode text"': _csv("shop.csv", encoding="utf-16", sep="\t"),
    "CSV in Windows-1252 or Latin-1": _csv("shop.csv", encoding="cp1252"),
    "CSV with Windows line ends": _csv_text("shop.csv", lambda text: text.replace("\n", "\r\n").encode()),
    "CSV with a delimiter at the end of each line": _csv_text(
        "shop.csv", lambda text: text.replace("\n", ",\n").encode()
    ),
    "`.csv.gz`": _csv_text("shop.csv.gz", lambda text: gzip.compress(text.encode())),
    "`.csv.bz2`, `.csv.xz`": _csv("shop.csv.xz", compression="xz"),
    "`.csv.zip`": _csv_text("shop.csv.zip", _zipped),
    "Excel (`.xlsx`, extra `excel`)": lambda folder: _table(
        folder, "shop.xlsx", lambda table, path: table.to_excel(path, index=False)
    ),
    "Parquet": lambda folder: _table(
        folder, "shop.parquet", lambda table, path: table.astype({"price": float}).to_parquet(path)
    ),
    "JSON lines": lambda folder: _table(
        folder,
        "shop.jsonl",
        lambda table, path: path.write_text("\n".join(json.dumps(row) for row in _as_objects(table)), encoding="utf-8"),
    ),
    "JSON lines in a file called `.json`": lambda folder: _table(
        folder,
        "shop.json",
        lambda table, path: path.write_text("\n".join(json.dumps(row) for row in _as_objects(table)), encoding="utf-8"),
    ),
    "JSON: a list of objects": lambda folder: _table(
        folder, "shop.json", lambda table, path: path.write_text(json.dumps(_as_objects(table)), encoding="utf-8")
    ),
    "JSON: an object with one list": lambda folder: _table(
        folder,
        "shop.json",
        lambda table, path: path.write_text(json.dumps({"count": 10, "items": _as_objects(table)}), encoding="utf-8"),
    ),
    "JSON whose rows hold their cells in an object": lambda folder: _table(
        folder,
        "shop.json",
        lambda table, path: path.write_text(json.dumps({"edges": [{"node": row} for row in _as_objects(table)]})),
    ),
    "Label Studio's JSON": lambda folder: _table(
        folder, "shop.json", lambda table, path: path.write_text(json.dumps(_as_tasks(table)))
    ),
    "JSON as `DataFrame.to_json` writes it": lambda folder: _table(
        folder, "shop.json", lambda table, path: table.astype({"price": float}).to_json(path)
    ),
    "A seller's export: other names of columns, `£1,200`, backslashes, copied rows": _sellers_export,
    "A folder with one table": lambda folder: _csv("export.csv")(folder).parent,
    "A folder of Parquet files": _parts,
    "Class folders": _class_folders,
    "Class folders below splits, in any usual name": _split_folders,
    "Hugging Face imagefolder with `metadata.csv`": _imagefolder(
        lambda table, path: table.to_csv(path, index=False), "metadata.csv"
    ),
    "Hugging Face imagefolder with `metadata.jsonl`": _imagefolder(
        lambda table, path: table.to_json(path, orient="records", lines=True), "metadata.jsonl"
    ),
    "Hugging Face imagefolder with `metadata.parquet`": _imagefolder(
        lambda table, path: table.to_parquet(path), "metadata.parquet"
    ),
    "Hugging Face imagefolder with metadata in each split": _imagefolder_of_splits,
}
