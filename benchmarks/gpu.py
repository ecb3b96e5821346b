"""Networks on a machine with nothing but Python, torch and numpy, on its GPU and its CPU: what must hold, and how fast.

    python benchmarks/gpu.py                              checks and speeds on the GPU and the CPU
    python benchmarks/gpu.py --devices cpu --size 32      on the CPU alone, with small photos

It runs the checks of a GPU that the test suite has (tests/support/on_device.py), without pytest, and measures photos
per second of training and of features, for each network, format and number of folds. Pillow and torchvision are needed,
too: where they are not installed, they travel as wheels in the folder `wheels` of this checkout, made where there is a
network with

    pip download --no-deps --only-binary=:all: --python-version 3.12 -d wheels pillow torchvision==VERSION

with the torchvision that goes with the machine's torch. Networks have weights drawn at random, so no others are needed.
Prints one JSON object and a Markdown table.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import sys
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
#: What is needed beside Python, by the names of its import and of its wheel.
NEEDED = {"torch": "torch", "numpy": "numpy", "PIL": "pillow", "torchvision": "torchvision"}
#: Whether a format has bfloat16, and whether the values of one pixel lie side by side.
FORMATS = {
    "float32": (False, False),
    "float32, channels last": (False, True),
    "bfloat16": (True, False),
    "bfloat16, channels last": (True, True),
}
_REPEATS = 3


def main() -> None:
    """Check, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", nargs="+", help="by default the GPU, if there is one, and the CPU")
    parser.add_argument("--networks", nargs="+", default=["resnet18", "resnet50", "lite0"])
    parser.add_argument("--formats", nargs="+", default=list(FORMATS), choices=list(FORMATS))
    parser.add_argument("--folds", type=int, nargs="+", default=[1, 5], help="networks that train at a time")
    parser.add_argument("--size", type=int, default=224, help="side of the photos in pixels")
    parser.add_argument("--batch", type=int, default=64, help="photos per step")
    parser.add_argument("--wheels", type=Path, default=ROOT / "wheels", help="a folder of wheels")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        require(arguments.wheels, Path(folder) / "wheels")
        result = measured(arguments, Path(folder))
    print(json.dumps(result, indent=2))
    print()
    print(markdown(result["speeds"]))
    if any(outcome != "passed" for outcome in result["checks"].values()):
        raise SystemExit(1)


def require(wheels: Path, unpacked: Path) -> None:
    """Make what is needed importable, from wheels if need be, or end with what is missing."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    for name in missing:
        for wheel in sorted(wheels.glob(f"{NEEDED[name]}-*.whl")):
            # a wheel is an archive of what lies in site-packages
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(unpacked)
    sys.path[:0] = [str(ROOT), *[str(unpacked)] * unpacked.exists()]
    importlib.invalidate_caches()
    if still := [NEEDED[name] for name in missing if importlib.util.find_spec(name) is None]:
        raise SystemExit(
            f"Error: not installed, and no wheel in {wheels}: {', '.join(still)}. See the first lines of {__file__}."
        )


def measured(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Return the outcomes of the checks and all speeds."""
    import torch

    from training.utils.devices import find_device, hardware

    names = arguments.devices or [*["cuda"] * torch.cuda.is_available(), "cpu"]
    devices = {name: find_device(name) for name in names}
    result: dict[str, Any] = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "hardware": {name: hardware(device.device) for name, device in devices.items()},
        "threads": torch.get_num_threads(),
        "size": arguments.size,
        "batch": arguments.batch,
        "checks": {},
        "speeds": [],
    }
    for name, device in devices.items():
        for label, check in checks(device).items():
            result["checks"][f"{label}, {name}"] = outcome(check, folder / name / label.replace(" ", "-"), device)
    for name, device in devices.items():
        for network in arguments.networks:
            for format in arguments.formats:
                for row in speeds(network, format, device, arguments):
                    result["speeds"].append({"network": network, "format": format, "device": name, **row})
                    print(result["speeds"][-1], file=sys.stderr, flush=True)
    return result


def checks(device: Any) -> dict[str, Callable[[Path, Any], None]]:
    """Return the checks that a device can be put to."""
    from tests.support.on_device import gets_half_the_batch, learns_the_same_twice

    if not device.is_cuda:
        # what is checked is the same for all networks, and a small one takes a CPU less time
        return {"learns the same twice": partial(learns_the_same_twice, model="lenet")}
    return {"learns the same twice": learns_the_same_twice, "gets half the batch": gets_half_the_batch}


def outcome(check: Callable[[Path, Any], None], folder: Path, device: Any) -> str:
    """Run a check; return whether it passed, or the error."""
    try:
        check(folder, device)
    except Exception as error:
        traceback.print_exc()
        return f"{type(error).__name__}: {error}"
    return "passed"


def speeds(network: str, format: str, device: Any, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the photos per second of training, for each number of folds, and of features."""
    from dataclasses import replace

    mixed, channels_last = FORMATS[format]
    device = replace(device, mixed=mixed, channels_last=channels_last)
    works = [
        (f"training, {folds} at a time", lambda f=folds: training(network, device, arguments, f))
        for folds in arguments.folds
    ]
    works.append(("features", lambda: features(network, device, arguments)))
    rows = []
    for work, measure in works:
        try:
            rows.append({"work": work, "photos_per_second": round(measure(), 1)})
        except Exception as error:
            rows.append({"work": work, "photos_per_second": None, "error": str(error).splitlines()[0]})
    return rows


def training(network: str, device: Any, arguments: argparse.Namespace, folds: int) -> float:
    """Return the photos per second of so many networks that train at a time, each with its share of the cores."""
    import torch

    from training.fit.throughput import seconds_of_step
    from training.settings import Recipe

    recipe = Recipe(model=network, image_size=arguments.size, batch_size=arguments.batch, pretrained=False)
    threads = max(1, torch.get_num_threads() // folds)
    seconds = seconds_of_step(recipe, device, 10, arguments.batch, folds, threads)
    return folds * arguments.batch / seconds


def features(network: str, device: Any, arguments: argparse.Namespace) -> float:
    """Return the photos per second of making features, with all cores at work."""
    import numpy as np
    import torch

    from training.features.extract import NetworkFeatures
    from training.networks.zoo import build_model
    from training.utils.devices import each_on_one_core, threads_for

    built = build_model(network, classes=2, image_size=arguments.size, pretrained=False)
    extract = NetworkFeatures(built, device)
    shape = (extract.at_once(arguments.size), arguments.size, arguments.size, 3)
    photos = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    parts = [photos] * threads_for(device.device)

    def seconds() -> float:
        start = time.perf_counter()
        list(each_on_one_core(extract, parts, device=device.device))
        if device.is_cuda:
            torch.cuda.synchronize(device.device)
        return time.perf_counter() - start

    # the first is a warm-up; the fastest counts, as other programs can only slow it down
    return len(parts) * len(photos) / min([seconds() for _ in range(_REPEATS + 1)][1:])


def markdown(rows: list[dict[str, Any]]) -> str:
    """Return a table of photos per second: a line for each network, format and work, a column for each device."""
    devices = list(dict.fromkeys(row["device"] for row in rows))
    lines: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in rows:
        speed = row["photos_per_second"]
        of = lines.setdefault((row["network"], row["format"], row["work"]), {})
        of[row["device"]] = "failed" if speed is None else f"{speed:,.0f}"
    head = f"| network | format | work | {' | '.join(devices)} |"
    table = [head, "|---|---|---|" + "---|" * len(devices)]
    table += [
        f"| {' | '.join(key)} | {' | '.join(of.get(name, '') for name in devices)} |" for key, of in lines.items()
    ]
    return "\n".join(table)


if __name__ == "__main__":
    main()
