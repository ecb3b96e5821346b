"""Photos in a bucket beside the same photos on this machine: seconds and processor seconds of reading a dataset.

The server is moto's, a process of its own on this machine; its processor time is not counted, and its seconds are. So
the seconds say little of a store elsewhere, whose answers take longer and whose work is done there. Prints JSON.
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
from urllib.request import urlopen

import boto3
import pandas as pd

import curation

_START = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
import logging
logging.getLogger("werkzeug").setLevel(logging.ERROR)
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


def measured(dataset: str | pd.DataFrame, **options: Any) -> dict[str, Any]:
    """Return what reading a dataset takes, and a hash of what its photos are."""
    seconds, cpu = time.monotonic(), time.process_time()
    listings = curation.read_listings(dataset, **options)
    used = {"seconds": time.monotonic() - seconds, "processor_seconds": time.process_time() - cpu}
    there = int(listings.table["image"].notna().sum())
    return {**{name: round(value, 2) for name, value in used.items()}, "photos": there, "notes": listings.notes[-1:]}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=2000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        os.environ["CURATE_CACHE_DIR"] = str(Path(scratch, "cache"))
        curation.demo("shop", listings=arguments.photos)
        server = subprocess.Popen(
            [sys.executable, "-c", _START], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            assert server.stdout is not None
            address = f"http://127.0.0.1:{int(server.stdout.readline())}"
            os.environ |= {
                "AWS_ENDPOINT_URL_S3": address,
                "AWS_ACCESS_KEY_ID": "a",
                "AWS_SECRET_ACCESS_KEY": "b",
                "AWS_DEFAULT_REGION": "us-east-1",
            }
            client = boto3.client("s3")
            client.create_bucket(Bucket="shop", ACL="public-read")
            files = [path for path in Path("shop").rglob("*") if path.is_file()]
            for path in files:
                key = path.relative_to("shop").as_posix()
                client.put_object(Bucket="shop", Key=key, Body=path.read_bytes(), ACL="public-read")
            first = next(path for path in files if path.suffix == ".jpg").relative_to("shop").as_posix()
            with urlopen(f"{address}/shop/{first}") as answer:  # noqa: S310 - ours
                assert answer.status == 200
            # what is imported and compiled once
            curation.read_listings("shop")
            table = pd.read_csv("shop/listings.csv", dtype=str)
            web = table.assign(image=f"{address}/shop/" + table["image"])
            result = {
                "bytes": sum(path.stat().st_size for path in files),
                "local": measured("shop"),
                "s3": measured("s3://shop"),
                "s3_again": measured("s3://shop"),
                "http": measured(web, fetch=address),
                "http_again": measured(web, fetch=address),
            }
            print(json.dumps(result, indent=2))
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    main()
