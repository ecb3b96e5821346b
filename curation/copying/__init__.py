"""Copies of finished runs in buckets: sent there and fetched again, each whole or not at all."""

from curation.copying.copy import copy_run
from curation.copying.result import Copied

__all__ = ["Copied", "copy_run"]
