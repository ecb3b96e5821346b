"""A real S3 server (moto's), for the tests of what lies in buckets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

__all__ = ["BucketServer", "serve_buckets"]


class BucketServer:
    """A server of buckets on this machine.

    Attributes
    ----------
    address : str
        Where it listens.
    """

    def __init__(self, address: str) -> None:
        import boto3

        self.address = address
        self.client: Any = boto3.client(
            "s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )

    def environment(self) -> dict[str, str]:
        """Return what lets every program find it."""
        return {
            "AWS_ENDPOINT_URL_S3": self.address,
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def put(self, bucket: str, key: str, content: bytes) -> None:
        """Put an object into a bucket."""
        self.client.put_object(Bucket=bucket, Key=key, Body=content)

    def upload(self, bucket: str, folder: Path) -> None:
        """Put all files below a folder into a new bucket."""
        self.client.create_bucket(Bucket=bucket)
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.put(bucket, path.relative_to(folder).as_posix(), path.read_bytes())


@contextmanager
def serve_buckets() -> Iterator[BucketServer]:
    """Serve buckets on this machine while the block runs; skip the test where the packages for it are missing."""
    pytest.importorskip("s3fs", reason="s3fs is not installed")
    moto = pytest.importorskip("moto.server", reason="moto, the S3 server of the tests, is not installed")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield BucketServer(f"http://{host}:{port}")
    finally:
        server.stop()
